package outlook

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/internal/failure"
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

// Error is for the SDK, which passes it on. What is shown is the text of a failure.Error.
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

// failed is the error of a call that came without an answer, or with one that is of no use.
func failed(op, text string) *failure.Error {
	return &failure.Error{Service: "outlook", Op: op, Text: text}
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
	if known := failure.Decided("outlook", op, err); known != nil {
		return known
	}
	if answer, ok := errors.AsType[*answerError](err); ok {
		return answered(op, answer)
	}
	if errors.Is(err, wire.ErrTooLarge) {
		return failed(op, failure.Reason(err))
	}
	// There was no answer, or one in pieces, or one nobody can read: a proxy's page with a 200.
	return &gate.Refusal{Kind: gate.Busy, Err: failed(op, failure.Reason(err))}
}

// unrepeatable maps the error of a send. left says whether anything of the request may have reached
// the service. Whatever is no clear refusal then is a provider.ErrAmbiguous, the end of the caller's
// ctx too: the mail may be on its way. A 504 often means that it is.
func unrepeatable(ctx context.Context, op string, left bool, err error) error {
	if err == nil {
		return nil
	}
	if known := failure.Decided("outlook", op, err); known != nil {
		return known
	}
	if answer, ok := errors.AsType[*answerError](err); ok {
		if answer.status >= 500 || answer.status == http.StatusRequestTimeout || answer.status < 300 {
			f := answer.failure(op)
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
	return &provider.RetryError{Err: failed(op, failure.Reason(err))}
}

func (e *answerError) failure(op string) *failure.Error {
	return &failure.Error{Service: "outlook", Op: op, Status: e.status, Code: oauth.Scrub(e.code), Text: e.text()}
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
		f.Decision = provider.ErrRetry
	case e.status == http.StatusUnauthorized:
		// The transport has refreshed the access token once already.
		f.Decision = provider.ErrAuth
	case noMailbox[e.code] && !strings.HasPrefix(op, "subscriptions."): // of those it is the subscription
		// There is no mailbox in the cloud, and trying will not make one: another account must be
		// connected.
		f.Decision = provider.ErrAuth
	case e.status == http.StatusNotFound, e.status == http.StatusGone, e.code == "ErrorInvalidIdMalformed":
		if namesNothing[op] {
			return &provider.RetryError{Err: f}
		}
		f.Decision = provider.ErrGone
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

// text is Graph's own text. What is wrong with a request is quoted from it.
func (e *answerError) text() string {
	if e.message == "" {
		return http.StatusText(e.status) // a proxy's page; its text is left out
	}
	return failure.Unquoted(e.message)
}
