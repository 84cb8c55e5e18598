package gmailtest

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"time"

	"github.com/workinbox/workinbox/provider/internal/testserver"
)

// Reply is an answer that is given instead of serving a call: a Status, a Header and a Body.
// WithHeader, WithRetryAfter and WithRetryAt return copies with one more header. The functions below
// make those that Google is known to give; any other is made by hand.
type Reply = testserver.Reply

func reply(e *apiError) *Reply {
	rec := httptest.NewRecorder()
	e.write(rec)
	return &Reply{Status: rec.Code, Header: rec.Header(), Body: rec.Body.String()}
}

// BackendError is 500, 502, 503 or 504 as the API says it: in JSON.
func BackendError(status int) *Reply {
	e := &apiError{Status: status, Reason: "backendError"}
	switch status {
	case http.StatusServiceUnavailable:
		e.Message, e.RPCStatus = "The service is currently unavailable.", "UNAVAILABLE"
	case http.StatusGatewayTimeout:
		e.Message, e.RPCStatus = "Deadline exceeded.", "DEADLINE_EXCEEDED"
	default:
		e.Message, e.RPCStatus = "Internal error encountered.", "INTERNAL"
	}
	return reply(e)
}

// BadGateway is the page in HTML that stands in front of the API.
func BadGateway() *Reply {
	return &Reply{
		Status: http.StatusBadGateway,
		Header: http.Header{"Content-Type": {"text/html; charset=UTF-8"}},
		Body: "<!DOCTYPE html>\n<html lang=en>\n<title>Error 502 (Server Error)!!1</title>\n" +
			"<p><b>502.</b> <ins>That’s an error.</ins>\n<p>The server encountered a temporary " +
			"error and could not complete your request.<p>Please try again in 30 seconds.\n",
	}
}

// Unavailable is 503 without a body.
func Unavailable() *Reply { return &Reply{Status: http.StatusServiceUnavailable} }

// TooManyConcurrent is the 429 of too many calls at once.
func TooManyConcurrent() *Reply { return reply(tooManyConcurrent()) }

// UserRateExceeded is the 403 whose text says from when on calls are served again.
func UserRateExceeded(until time.Time) *Reply { return reply(userRate(until)) }

// MinuteExceeded is the refusal of an account that has spent its units of the minute; status is 403
// or 429.
func MinuteExceeded(status int) *Reply { return reply(perMinute(status, NewProject().PerMinute)) }

// ProjectMinuteExceeded is the refusal of a project that has spent its units of the minute; status
// is 403 or 429.
func ProjectMinuteExceeded(status int) *Reply {
	return reply(projectPerMinute(status, NewProject().ProjectPerMinute))
}

// DailyExceeded is the 403 of a project that has spent its units of the day.
func DailyExceeded() *Reply { return reply(dailyLimit()) }

// SendingExceeded is the 429 of an account that has sent too much mail.
func SendingExceeded(until time.Time) *Reply { return reply(sendingLimit(until)) }

// NotFound is the 404 of a message that is gone and of a history id that is too old.
func NotFound() *Reply { return reply(notFound()) }

// InvalidCredentials is the 401 of an access token that is not, or no longer, valid.
func InvalidCredentials() *Reply { return reply(unauthorized()) }

// InsufficientScope is the 403 of a scope that was not granted.
func InsufficientScope() *Reply { return reply(insufficientScope()) }

// PolicyDenied is the 403 of an administrator who does not allow the application.
func PolicyDenied() *Reply {
	return reply(&apiError{
		Status: http.StatusForbidden, Reason: "domainPolicy", RPCStatus: "PERMISSION_DENIED",
		Message: "The domain administrators have disabled Gmail apps.",
	})
}

// NotConfigured is the 403 of a project for which the Gmail API is not switched on.
func NotConfigured() *Reply {
	return reply(&apiError{
		Status: http.StatusForbidden, Reason: "accessNotConfigured", Domain: "usageLimits",
		RPCStatus: "PERMISSION_DENIED",
		Message: "Gmail API has not been used in project 1 before or it is disabled. Enable it " +
			"and then retry.",
	})
}

// TokenError is an error of the token endpoint (RFC 6749 section 5.2), such as "invalid_grant" with
// the description "Token has been expired or revoked."; subtype may be empty.
func TokenError(status int, code, description, subtype string) *Reply {
	body := `{"error":` + strconv.Quote(code) + `,"error_description":` + strconv.Quote(description)
	if subtype != "" {
		body += `,"error_subtype":` + strconv.Quote(subtype)
	}
	return &Reply{Status: status, Body: body + "}"}
}
