package gmail

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"google.golang.org/api/googleapi"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/internal/gate"
	"github.com/workinbox/workinbox/provider/internal/oauth"
	"github.com/workinbox/workinbox/provider/internal/wire"
)

// failure is what the service, or the way to it, said went wrong, in words for the operator. It
// never wraps the client's own errors: their text has the address of the request, with the search in
// it, and the whole body of the answer.
type failure struct {
	op     string
	status int    // HTTP; zero: there was no answer
	reason string // Google's: "notFound"
	text   string // scrubbed
	is     error  // of package provider; nil: none of its decisions
}

func (f *failure) Error() string {
	var b strings.Builder
	b.WriteString("gmail " + f.op + ": ")
	if f.is != nil {
		b.WriteString(f.is.Error() + ": ")
	}
	if f.status != 0 {
		fmt.Fprintf(&b, "%d ", f.status)
	}
	if f.reason != "" {
		b.WriteString(f.reason + ": ")
	}
	b.WriteString(f.text)
	return b.String()
}

// Unwrap returns the decision of package provider.
func (f *failure) Unwrap() error { return f.is }

// statusOf returns the HTTP status an error of call came with; zero when there was none.
func statusOf(err error) int {
	var f *failure
	if errors.As(err, &f) {
		return f.status
	}
	return 0
}

// repeatable maps the error of a call that may be made again: all reads, and watch and stop, which
// set what is set already.
func repeatable(ctx context.Context, op string, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if known := decided(op, err); known != nil {
		return known
	}
	var answer *googleapi.Error
	if errors.As(err, &answer) {
		return answered(op, answer)
	}
	if lost(err) {
		return &gate.Refusal{Kind: gate.Busy, Err: &failure{op: op, text: reasonOf(err)}}
	}
	return undecided(op, err)
}

// unrepeatable maps the error of a send. left says whether anything of the request may have reached
// the service. Whatever is no clear refusal then is a provider.ErrAmbiguous, the end of the
// caller's ctx too: the mail may be on its way.
func unrepeatable(ctx context.Context, op string, left bool, err error) error {
	if err == nil {
		return nil
	}
	if known := decided(op, err); known != nil {
		return known
	}
	var answer *googleapi.Error
	if errors.As(err, &answer) {
		if answer.Code >= 500 || answer.Code == http.StatusRequestTimeout || answer.Code < 300 {
			return &failure{op: op, status: answer.Code, reason: reasonIn(answer), text: textOf(answer), is: provider.ErrAmbiguous}
		}
		return answered(op, answer)
	}
	if left {
		return &failure{op: op, text: reasonOf(err), is: provider.ErrAmbiguous}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if lost(err) {
		return &provider.RetryError{Err: &failure{op: op, text: reasonOf(err)}}
	}
	return undecided(op, err)
}

// decided returns the error of the token source, or one of package provider that was found on the
// way, or nil. The client has packed it into an error with the address of the request, which is
// taken off.
func decided(op string, err error) error {
	err = withoutAddress(err)
	if token, ok := errors.AsType[*oauth.TokenError](err); ok {
		return fmt.Errorf("gmail %s: %w", op, token)
	}
	for _, known := range []error{
		provider.ErrAuth, provider.ErrAdminConsent, provider.ErrConfig,
		provider.ErrInsufficientScope, provider.ErrRetry,
	} {
		if errors.Is(err, known) {
			return fmt.Errorf("gmail %s: %w", op, err)
		}
	}
	return nil
}

// answered maps what the service said.
func answered(op string, e *googleapi.Error) error {
	f := &failure{op: op, status: e.Code, reason: reasonIn(e), text: textOf(e)}
	if kind, after, ok := refusal(e); ok {
		return &gate.Refusal{Kind: kind, After: after, Err: f}
	}
	switch {
	case e.Code == http.StatusUnauthorized:
		// The transport has refreshed the access token once already.
		f.is = provider.ErrAuth
	case e.Code == http.StatusNotFound || e.Code == http.StatusGone:
		f.is = provider.ErrGone
	case e.Code == http.StatusForbidden:
		f.is = forbidden(op, e)
	case e.Code == http.StatusBadRequest && f.reason == "failedPrecondition" &&
		strings.Contains(strings.ToLower(e.Message), "mail service not enabled"):
		// The account has no Gmail and will not get it by trying: the owner must connect another.
		f.is = provider.ErrAuth
	}
	return f
}

// adminHelp tells a Workspace administrator how to allow an application: Google has no link that
// does it.
const adminHelp = "https://support.google.com/a/answer/7281227"

// forbidden maps a 403 that is no throttle.
func forbidden(op string, e *googleapi.Error) error {
	switch reason := reasonIn(e); {
	case reason == "insufficientPermissions" || hasDetail(e, "ACCESS_TOKEN_SCOPE_INSUFFICIENT"):
		missing := ScopeRead
		if op == opSend {
			missing = ScopeSend
		}
		return &provider.ScopeError{Missing: []string{missing}}
	case reason == "accessNotConfigured" || hasDetail(e, "SERVICE_DISABLED"):
		return provider.ErrConfig
	case reason == "domainPolicy":
		return &provider.ConsentError{URL: adminHelp}
	}
	return nil
}

// lost says whether an answer never came or came in pieces.
func lost(err error) bool {
	if errors.Is(err, wire.ErrTooLarge) {
		return false
	}
	var (
		request *url.Error
		network net.Error
		broken  *wire.BrokenAnswer
		syntax  *json.SyntaxError
	)
	return errors.As(err, &request) || errors.As(err, &network) || errors.As(err, &broken) ||
		errors.As(err, &syntax) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, errHollow)
}

// undecided keeps errors of the caller's own function as they are and takes the address off those
// of the client.
func undecided(op string, err error) error {
	var (
		request *url.Error
		kind    *json.UnmarshalTypeError
	)
	if errors.As(err, &request) || errors.As(err, &kind) || errors.Is(err, wire.ErrTooLarge) {
		return &failure{op: op, text: reasonOf(err)}
	}
	return err
}

// withoutAddress takes off the method and address net/http adds to an error.
func withoutAddress(err error) error {
	var request *url.Error
	if errors.As(err, &request) {
		return request.Err
	}
	return err
}

// reasonOf is the text of an error that did not come from the service.
func reasonOf(err error) string { return oauth.Scrub(withoutAddress(err).Error()) }

var quoted = regexp.MustCompile(`"[^"]*"|'[^']*'`)

// textOf is Google's own text.
func textOf(e *googleapi.Error) string {
	switch {
	case e.Message != "" && e.Code == http.StatusBadRequest:
		// What is wrong with a request is quoted from it.
		return oauth.Scrub(quoted.ReplaceAllString(e.Message, "[quoted]"))
	case e.Message != "":
		return oauth.Scrub(e.Message)
	case len(e.Errors) > 0 && e.Errors[0].Message != "":
		return oauth.Scrub(e.Errors[0].Message)
	}
	// A proxy's page; its text is left out.
	return http.StatusText(e.Code)
}

// reasonIn is the reason of the first error in an answer, or of its ErrorInfo.
func reasonIn(e *googleapi.Error) string {
	if len(e.Errors) > 0 && e.Errors[0].Reason != "" {
		return oauth.Scrub(e.Errors[0].Reason)
	}
	for info := range errorInfos(e) {
		if r, _ := info["reason"].(string); r != "" {
			return oauth.Scrub(r)
		}
	}
	return ""
}

// serverTime is when the service answered by its own clock, which its waiting times are of; ours
// when it does not say.
func serverTime(e *googleapi.Error) time.Time {
	if t, err := http.ParseTime(e.Header.Get("Date")); err == nil {
		return t
	}
	return time.Now()
}
