package failure_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/internal/failure"
	"github.com/workinbox/workinbox/provider/internal/gate"
	"github.com/workinbox/workinbox/provider/internal/oauth"
)

// address is of a request with a search in it.
const address = "https://mail.example/messages?q=from:ann@acme.example"

// requested is err as net/http returns it.
func requested(err error) error { return &url.Error{Op: "Get", URL: address, Err: err} }

func TestErrorTellsWhatThereIs(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		err  failure.Error
		want string
	}{
		{"no answer", failure.Error{Text: "unexpected EOF"}, "gmail messages.get: unexpected EOF"},
		{"no code", failure.Error{Status: 502, Text: "Bad Gateway"}, "gmail messages.get: 502 Bad Gateway"},
		{"code", failure.Error{Status: 400, Code: "invalidArgument", Text: "Invalid label"},
			"gmail messages.get: 400 invalidArgument: Invalid label"},
		{"decision", failure.Error{Status: 404, Code: "notFound", Text: "Not found.", Decision: provider.ErrGone},
			"gmail messages.get: message is gone: 404 notFound: Not found."},
		{"decision without an answer", failure.Error{Text: "unexpected EOF", Decision: provider.ErrAmbiguous},
			"gmail messages.get: the mail may have been sent: unexpected EOF"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.err.Service, c.err.Op = "gmail", "messages.get"
			require.EqualError(t, &c.err, c.want)
			require.Equal(t, c.err.Decision, errors.Unwrap(&c.err))
		})
	}
}

func TestStatusAndCodeAreFoundUnderOtherErrors(t *testing.T) {
	t.Parallel()
	e := &failure.Error{Service: "outlook", Op: "messages.get", Status: 404, Code: "ErrorItemNotFound"}
	for _, c := range []struct {
		name   string
		err    error
		status int
		code   string
	}{
		{"itself", e, 404, "ErrorItemNotFound"},
		{"named", fmt.Errorf("changes: %w", e), 404, "ErrorItemNotFound"},
		{"refusal", &gate.Refusal{Kind: gate.Busy, Err: e}, 404, "ErrorItemNotFound"},
		{"retry", &provider.RetryError{Err: e}, 404, "ErrorItemNotFound"},
		{"no answer", &failure.Error{Service: "outlook", Op: "messages.get"}, 0, ""},
		{"another error", io.ErrUnexpectedEOF, 0, ""},
		{"none", nil, 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.status, failure.Status(c.err))
			require.Equal(t, c.code, failure.Code(c.err))
		})
	}
}

func TestDecidedKeepsDecisionsThatWereFoundOnTheWay(t *testing.T) {
	t.Parallel()
	stored := errors.New("the vault is locked")
	for _, c := range []struct {
		name string
		err  error
		is   error
		want string
	}{
		{"grant", provider.ErrAuth, provider.ErrAuth, provider.ErrAuth.Error()},
		{"administrator", &provider.ConsentError{URL: "https://admin.example"}, provider.ErrAdminConsent,
			"an administrator must consent: open https://admin.example"},
		{"set-up", provider.ErrConfig, provider.ErrConfig, provider.ErrConfig.Error()},
		{"scope", &provider.ScopeError{Missing: []string{"Mail.Send"}}, provider.ErrInsufficientScope,
			"a required permission was not granted: Mail.Send"},
		{"later", &provider.RetryError{Err: io.EOF}, provider.ErrRetry, "try again later: EOF"},
		{"token", &oauth.TokenError{Err: stored}, stored, "access token: the vault is locked"},
		{"token whose caller has gone", &oauth.TokenError{Err: context.Canceled}, context.Canceled,
			"access token: context canceled"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for _, err := range []error{c.err, requested(c.err), fmt.Errorf("ask: %w", requested(c.err))} {
				got := failure.Decided("outlook", "messages.get", err)
				require.EqualError(t, got, "outlook messages.get: "+c.want)
				require.ErrorIs(t, got, c.is)
			}
		})
	}
}

func TestDecidedLeavesOtherErrorsToTheService(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{
		"none": nil, "broken": io.ErrUnexpectedEOF, "end of the caller": context.Canceled,
		"gone": provider.ErrGone, "cursor": provider.ErrCursorExpired, "sent or not": provider.ErrAmbiguous,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.NoError(t, failure.Decided("gmail", "messages.get", err))
			require.NoError(t, failure.Decided("gmail", "messages.get", requested(err)))
		})
	}
}

func TestReasonHasNoAddress(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		err  error
		want string
	}{
		{"plain", io.ErrUnexpectedEOF, "unexpected EOF"},
		{"of a request", requested(io.ErrUnexpectedEOF), "unexpected EOF"},
		{"of a request, named", fmt.Errorf("ask: %w", requested(io.ErrUnexpectedEOF)), "unexpected EOF"},
		{"with a person", errors.New("no mailbox of ann@acme.example"), "no mailbox of [address]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, failure.Reason(c.err))
		})
	}
}

func TestUnquotedLeavesOutWhatIsOfTheRequest(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, text, want string }{
		{"nothing quoted", "Requested entity was not found.", "Requested entity was not found."},
		{"double", `Invalid value "merger with Umbrella" of q`, "Invalid value [quoted] of q"},
		{"single", "Invalid filter 'subject eq merger' given", "Invalid filter [quoted] given"},
		{"several", `"a" and 'b' and "c"`, "[quoted] and [quoted] and [quoted]"},
		{"a person", "No mailbox of ann@acme.example here", "No mailbox of [address] here"},
		{"lines", "one\n\"two\nthree\"\nfour", "one [quoted] four"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, failure.Unquoted(c.text))
		})
	}
}
