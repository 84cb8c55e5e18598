package outlooktest

import (
	"net/http"
	"strconv"
	"time"

	"github.com/workinbox/workinbox/provider/internal/testserver"
)

// Reply is an answer that is given instead of serving a call: a Status, a Header and a Body.
// WithHeader, WithRetryAfter and WithRetryAt return copies with one more header. The functions below
// make those that Microsoft is known to give; any other is made by hand.
type Reply = testserver.Reply

// GraphError is an error of Graph as the API says it: in JSON. An empty code or message is left
// empty, as it is now and then.
func GraphError(status int, code, message string) *Reply {
	return &Reply{Status: status, Body: `{"error":{"code":` + string(quote(code)) +
		`,"message":` + string(quote(message)) + `,"innerError":{"date":"2026-10-01T10:00:00",` +
		`"request-id":"00000000-0000-0000-0000-000000000000",` +
		`"client-request-id":"00000000-0000-0000-0000-000000000000"}}}`}
}

// Bare is an error whose body is {}: neither code nor message.
func Bare(status int) *Reply { return &Reply{Status: status, Body: "{}"} }

// NoMessage is an error that has a code and no message.
func NoMessage(status int, code string) *Reply {
	return &Reply{Status: status, Body: `{"error":{"code":` + string(quote(code)) + `}}`}
}

// Blank is a status without a body.
func Blank(status int) *Reply { return &Reply{Status: status} }

// Page is a page in HTML, as gateways in front of the API give with 502, 503 and 504.
func Page(status int) *Reply {
	name := http.StatusText(status)
	return &Reply{
		Status: status, Header: http.Header{"Content-Type": {"text/html"}},
		Body: "<html><head><title>" + strconv.Itoa(status) + " " + name + "</title></head>\r\n" +
			"<body><center><h1>" + strconv.Itoa(status) + " " + name + "</h1></center>" +
			"<hr><center>Microsoft-Azure-Application-Gateway/v2</center></body></html>\r\n",
	}
}

// Unavailable is 503 with an error in JSON.
func Unavailable() *Reply {
	return GraphError(http.StatusServiceUnavailable, "serviceNotAvailable",
		"The service is temporarily unavailable.")
}

// Throttled is the 429 of too many calls at once.
func Throttled() *Reply {
	return GraphError(http.StatusTooManyRequests, "ApplicationThrottled",
		"Application is over its MailboxConcurrency limit.").WithRetryAfter(time.Second)
}

// InvalidToken is the 401 of an access token that is not, or no longer, valid.
func InvalidToken() *Reply {
	return GraphError(http.StatusUnauthorized, "InvalidAuthenticationToken",
		"Lifetime validation failed, the token is expired.").WithHeader("WWW-Authenticate", "Bearer")
}

// AccessDenied is the 403 of a scope that was not granted, which bursts of calls were seen to get
// as well.
func AccessDenied() *Reply {
	return GraphError(http.StatusForbidden, "ErrorAccessDenied",
		"Access is denied. Check credentials and try again.")
}

// NotFound is the 404 of a message that is gone.
func NotFound() *Reply {
	return GraphError(http.StatusNotFound, "ErrorItemNotFound",
		"The specified object was not found in the store.")
}

// SyncStateNotFound is the 410 of a delta token that the service has forgotten.
func SyncStateNotFound() *Reply {
	e := syncStateNotFound()
	return GraphError(e.status, e.code, e.message)
}

// TokenError is the error of the token endpoint behind that AADSTS code, such as 700082.
//
// Source: https://learn.microsoft.com/entra/identity-platform/reference-error-codes
func TokenError(code int) *Reply {
	e := aadsts(code)
	return &Reply{Status: e.status, Body: string(e.json(time.Unix(1_790_000_000, 0)))}
}
