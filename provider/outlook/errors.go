package outlook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/internal/gate"
	"github.com/workinbox/workinbox/provider/internal/oauth"
	"github.com/workinbox/workinbox/provider/internal/wire"
)

// answerError is an answer that is no success.
type answerError struct {
	status  int
	code    string // Graph's: "ErrorItemNotFound"; may be empty
	message string
	after   time.Duration // Retry-After; zero: not said
	exact   bool          // it was a number of seconds
	at      time.Time     // the service's clock; zero: not said
}

// Error is for the SDK, which passes it on. What is shown is the text of a failure.
func (e *answerError) Error() string { return "graph answered " + strconv.Itoa(e.status) }

// maxErrorBody is how much of an error is read; honest ones have a few hundred bytes.
const maxErrorBody = 64 << 10

// readAnswerError reads an answer that is no success
// (https://learn.microsoft.com/graph/errors). Whatever its body is, it has its status.
func readAnswerError(resp *http.Response) *answerError {
	e := &answerError{status: resp.StatusCode}
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody)) // what came is enough
	drain(resp.Body)
	var said struct {
		Error struct {
			Code    string `json:"code"`
			Message string `json:"message"`
		} `json:"error"`
	}
	if json.Unmarshal(body, &said) == nil {
		e.code, e.message = said.Error.Code, said.Error.Message
	}
	if t, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		e.at = t
	}
	e.after, e.exact = retryAfter(resp.Header.Get("Retry-After"), e.at)
	return e
}

// retryAfter reads the field of that name (RFC 9110 section 10.2.3): seconds, or a date by the
// service's clock.
func retryAfter(field string, now time.Time) (after time.Duration, exact bool) {
	field = strings.TrimSpace(field)
	if s, err := strconv.Atoi(field); err == nil && s >= 0 {
		// A day is longer than anybody waits; more would overflow.
		return time.Duration(min(max(s, 1), 24*60*60)) * time.Second, true
	}
	if t, err := http.ParseTime(field); err == nil {
		if now.IsZero() {
			now = time.Now()
		}
		return max(t.Sub(now), time.Second), false
	}
	return 0, false
}

// failure is what the service, or the way to it, said went wrong, in words for the operator. It never
// wraps errors of the client or the SDK: their text has the address of the request, with the search
// in it, or the whole body of the answer.
type failure struct {
	op     string
	status int    // HTTP; zero: there was no answer
	code   string // Graph's
	text   string // scrubbed
	is     error  // of package provider; nil: none of its decisions
}

func (f *failure) Error() string {
	var b strings.Builder
	b.WriteString("outlook " + f.op + ": ")
	if f.is != nil {
		b.WriteString(f.is.Error() + ": ")
	}
	if f.status != 0 {
		fmt.Fprintf(&b, "%d ", f.status)
	}
	if f.code != "" {
		b.WriteString(f.code + ": ")
	}
	b.WriteString(f.text)
	return b.String()
}

// Unwrap returns the decision of package provider.
func (f *failure) Unwrap() error { return f.is }

// statusOf returns the HTTP status an error of call came with; zero when there was none.
func statusOf(err error) int {
	if f, ok := errors.AsType[*failure](err); ok {
		return f.status
	}
	return 0
}

// codeOf returns Graph's code of an error of call; empty when there was none.
func codeOf(err error) string {
	if f, ok := errors.AsType[*failure](err); ok {
		return f.code
	}
	return ""
}

// repeatable maps the error of a call that may be made again: all reads, and what sets what may be
// set already.
func repeatable(ctx context.Context, op string, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if errors.Is(err, errTooSlow) {
		return err
	}
	if known := decided(op, err); known != nil {
		return known
	}
	if answer, ok := errors.AsType[*answerError](err); ok {
		return answered(op, answer)
	}
	if errors.Is(err, wire.ErrTooLarge) {
		return &failure{op: op, text: reasonOf(err)}
	}
	// There was no answer, or one in pieces, or one nobody can read: a proxy's page with a 200.
	return &gate.Refusal{Kind: gate.Busy, Err: &failure{op: op, text: reasonOf(err)}}
}

// unrepeatable maps the error of a send. left says whether anything of the request may have reached
// the service. Whatever is no clear refusal then is a provider.ErrAmbiguous, the end of the caller's
// ctx too: the mail may be on its way. A 504 often means that it is.
func unrepeatable(ctx context.Context, op string, left bool, err error) error {
	if err == nil {
		return nil
	}
	if known := decided(op, err); known != nil {
		return known
	}
	if answer, ok := errors.AsType[*answerError](err); ok {
		if answer.status >= 500 || answer.status == http.StatusRequestTimeout || answer.status < 300 {
			f := answer.failure(op)
			f.is = provider.ErrAmbiguous
			return f
		}
		return answered(op, answer)
	}
	if left {
		return &failure{op: op, text: reasonOf(err), is: provider.ErrAmbiguous}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return &provider.RetryError{Err: &failure{op: op, text: reasonOf(err)}}
}

// decided returns the error of the token source, or one of package provider that was found on the
// way, or nil.
func decided(op string, err error) error {
	err = withoutAddress(err)
	if token, ok := errors.AsType[*oauth.TokenError](err); ok {
		return fmt.Errorf("outlook %s: %w", op, token)
	}
	for _, known := range []error{
		provider.ErrAuth, provider.ErrAdminConsent, provider.ErrConfig,
		provider.ErrInsufficientScope, provider.ErrRetry,
	} {
		if errors.Is(err, known) {
			return fmt.Errorf("outlook %s: %w", op, err)
		}
	}
	return nil
}

func (e *answerError) failure(op string) *failure {
	return &failure{op: op, status: e.status, code: oauth.Scrub(e.code), text: e.text()}
}

// answered maps what the service said.
func answered(op string, e *answerError) error {
	f := e.failure(op)
	if kind, ok := e.refusal(); ok {
		return &gate.Refusal{Kind: kind, After: e.after, Exact: e.exact, At: e.at, Err: f}
	}
	switch {
	case op == opPut && sessionOver[e.status]:
		// Upload sessions carry a permission of their own: another draft gets another.
		f.is = provider.ErrRetry
	case e.status == http.StatusUnauthorized:
		// The transport has refreshed the access token once already.
		f.is = provider.ErrAuth
	case noMailbox[e.code] && !strings.HasPrefix(op, "subscriptions."): // of those it is the subscription
		// There is no mailbox in the cloud, and trying will not make one: another account must be
		// connected.
		f.is = provider.ErrAuth
	case e.status == http.StatusNotFound, e.status == http.StatusGone, e.code == "ErrorInvalidIdMalformed":
		if namesNothing[op] {
			return &provider.RetryError{Err: f}
		}
		f.is = provider.ErrGone
	}
	return f
}

// sessionOver are the answers of an upload session that has ended, or is not where it should be.
var sessionOver = map[int]bool{
	http.StatusUnauthorized: true, http.StatusForbidden: true, http.StatusNotFound: true, http.StatusGone: true,
	http.StatusRequestedRangeNotSatisfiable: true,
}

// noMailbox are the codes for accounts without a mailbox Graph reaches.
var noMailbox = map[string]bool{
	"MailboxNotEnabledForRESTAPI": true, "MailboxNotSupportedForRESTAPI": true, "ErrorInvalidUser": true,
	"ErrorNonExistentMailbox": true, "ResourceNotFound": true,
}

// namesNothing are the calls that name nothing that could be gone: a 404 to one is a fault on the way.
var namesNothing = map[string]bool{opList: true, opCount: true, opUser: true, opDraft: true, opMail: true}

// passing are the codes of mailboxes that are being moved, whatever their status.
var passing = map[string]bool{
	"MailboxInfoStale": true, "MailboxStoreUnavailable": true, "ErrorMailboxStoreUnavailable": true,
	"ErrorMailboxMoveInProgress": true, "ErrorTimeoutExpired": true, "ErrorServerBusy": true,
}

// refusal tells which limit refused a call
// (https://learn.microsoft.com/graph/throttling-limits#outlook-service-limits).
func (e *answerError) refusal() (gate.Kind, bool) {
	switch {
	case e.status == http.StatusTooManyRequests && strings.Contains(strings.ToLower(e.message), "concurren"):
		return gate.Concurrency, true
	case e.status == http.StatusTooManyRequests:
		return gate.Rate, true
	case e.status >= 500 || e.status < 300 || e.status == http.StatusRequestTimeout || passing[e.code]:
		// A success that is not the one there should be is somebody's page on the way.
		return gate.Busy, true
	}
	return 0, false
}

// withoutAddress takes off the method and address net/http adds to an error.
func withoutAddress(err error) error {
	if request, ok := errors.AsType[*url.Error](err); ok {
		return request.Err
	}
	return err
}

// reasonOf is the text of an error that did not come from the service.
func reasonOf(err error) string { return oauth.Scrub(withoutAddress(err).Error()) }

var quoted = regexp.MustCompile(`"[^"]*"|'[^']*'`)

// text is Graph's own text. What is wrong with a request is quoted from it.
func (e *answerError) text() string {
	if e.message == "" {
		return http.StatusText(e.status) // a proxy's page; its text is left out
	}
	return oauth.Scrub(quoted.ReplaceAllString(e.message, "[quoted]"))
}
