package gmail

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"google.golang.org/api/googleapi"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/internal/failure"
	"github.com/workinbox/workinbox/provider/internal/gate"
	"github.com/workinbox/workinbox/provider/internal/oauth"
	"github.com/workinbox/workinbox/provider/internal/wire"
)

// failed is the error of a call that came without an answer, or with one that is of no use.
func failed(op, text string) *failure.Error {
	return &failure.Error{Service: "gmail", Op: op, Text: text}
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
	if known := failure.Decided("gmail", op, err); known != nil {
		return known
	}
	var answer *googleapi.Error
	if errors.As(err, &answer) {
		return answered(op, answer)
	}
	if lost(err) {
		return &gate.Refusal{Kind: gate.Busy, Err: failed(op, failure.Reason(err))}
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
	if known := failure.Decided("gmail", op, err); known != nil {
		return known
	}
	var answer *googleapi.Error
	if errors.As(err, &answer) {
		if answer.Code >= 500 || answer.Code == http.StatusRequestTimeout || answer.Code < 300 {
			f := failureOf(op, answer)
			f.Decision = provider.ErrAmbiguous
			return f
		}
		return answered(op, answer)
	}
	if left {
		f := failed(op, failure.Reason(err))
		f.Decision = provider.ErrAmbiguous
		return f
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if lost(err) {
		return &provider.RetryError{Err: failed(op, failure.Reason(err))}
	}
	return undecided(op, err)
}

// failureOf is an answer as a failure that is no decision yet.
func failureOf(op string, e *googleapi.Error) *failure.Error {
	return &failure.Error{Service: "gmail", Op: op, Status: e.Code, Code: reasonIn(e), Text: textOf(e)}
}

// answered maps what the service said.
func answered(op string, e *googleapi.Error) error {
	f := failureOf(op, e)
	if kind, after, ok := refusal(e); ok {
		return &gate.Refusal{Kind: kind, After: after, Err: f}
	}
	switch {
	case e.Code == http.StatusUnauthorized:
		// The transport has refreshed the access token once already.
		f.Decision = provider.ErrAuth
	case e.Code == http.StatusNotFound || e.Code == http.StatusGone:
		f.Decision = provider.ErrGone
	case e.Code == http.StatusForbidden:
		f.Decision = forbidden(op, e)
	case e.Code == http.StatusBadRequest && f.Code == "failedPrecondition" &&
		strings.Contains(strings.ToLower(e.Message), "mail service not enabled"):
		// The account has no Gmail and will not get it by trying: the owner must connect another.
		f.Decision = provider.ErrAuth
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
		return failed(op, failure.Reason(err))
	}
	return err
}

// textOf is Google's own text.
func textOf(e *googleapi.Error) string {
	switch {
	case e.Message != "" && e.Code == http.StatusBadRequest:
		// What is wrong with a request is quoted from it.
		return failure.Unquoted(e.Message)
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
