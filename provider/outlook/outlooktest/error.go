package outlooktest

import (
	"net/http"
	"strconv"
	"time"
)

// apiError is a refusal in the shape of Graph.
type apiError struct {
	status  int
	code    string
	message string
	header  http.Header
}

func refuse(status int, code, message string) *apiError {
	return &apiError{status: status, code: code, message: message}
}

func (e *apiError) with(name, value string) *apiError {
	if e.header == nil {
		e.header = http.Header{}
	}
	e.header.Set(name, value)
	return e
}

// body is {"error":{"code","message","innerError"}}.
func (e *apiError) body(r *http.Request, now time.Time) *object {
	request := guid(e.code, r.URL.Path, now.String())
	client := r.Header.Get("client-request-id")
	if client == "" {
		client = request
	}
	inner := newObject()
	inner.text("date", now.UTC().Format("2006-01-02T15:04:05"))
	inner.text("request-id", request)
	inner.text("client-request-id", client)
	e2 := newObject()
	e2.text("code", e.code)
	e2.text("message", e.message)
	e2.object("innerError", inner)
	out := newObject()
	out.object("error", e2)
	return out
}

func (e *apiError) write(w http.ResponseWriter, r *http.Request, now time.Time) {
	for k, v := range e.header {
		w.Header()[k] = v
	}
	writeJSON(w, e.status, e.body(r, now).bytes())
}

func writeJSON(w http.ResponseWriter, status int, body []byte) {
	h := w.Header()
	if h.Get("Content-Type") == "" {
		h.Set("Content-Type", "application/json;odata.metadata=minimal;odata.streaming=true;"+
			"IEEE754Compatible=false;charset=utf-8")
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client may be gone
}

func badRequest(message string) *apiError {
	return refuse(http.StatusBadRequest, "BadRequest", message)
}

func itemNotFound() *apiError {
	return refuse(http.StatusNotFound, "ErrorItemNotFound",
		"The specified object was not found in the store.")
}

func malformedID() *apiError {
	return refuse(http.StatusBadRequest, "ErrorInvalidIdMalformed", "Id is malformed.")
}

func accessDenied() *apiError {
	return refuse(http.StatusForbidden, "ErrorAccessDenied",
		"Access is denied. Check credentials and try again.")
}

func invalidToken() *apiError {
	return refuse(http.StatusUnauthorized, "InvalidAuthenticationToken",
		"Lifetime validation failed, the token is expired.").
		with("WWW-Authenticate", `Bearer realm="", authorization_uri=`+
			`"https://login.microsoftonline.com/common/oauth2/authorize"`)
}

func inefficientFilter() *apiError {
	return refuse(http.StatusBadRequest, "InefficientFilter",
		"The restriction or sort order is too complex for this operation.")
}

func noProperty(name, typ string) *apiError {
	return badRequest("Parsing OData Select and Expand failed: Could not find a property named '" +
		name + "' on type 'microsoft.graph." + typ + "'.")
}

func throttled(message string, wait time.Duration) *apiError {
	seconds := int((wait + time.Second - 1) / time.Second)
	return refuse(http.StatusTooManyRequests, "ApplicationThrottled", message).
		with("Retry-After", strconv.Itoa(max(seconds, 1)))
}

func tooLarge() *apiError {
	return refuse(http.StatusRequestEntityTooLarge, "BadRequest", "Maximum request length exceeded.")
}

func syncStateNotFound() *apiError {
	return refuse(http.StatusGone, "SyncStateNotFound",
		"The sync state generation is not found; generation=605;[highest=841][841][839][840].")
}

func syncFolderNotFound() *apiError {
	return refuse(http.StatusNotFound, "ErrorSyncFolderNotFound",
		"The folder to be synchronized could not be found.")
}

func gatewayTimeout() *apiError {
	return refuse(http.StatusGatewayTimeout, "UnknownError", "")
}
