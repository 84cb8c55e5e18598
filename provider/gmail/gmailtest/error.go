package gmailtest

import (
	"encoding/json"
	"net/http"
)

// apiError is a refusal in the shape of Google's APIs.
type apiError struct {
	Status    int    // HTTP status
	Reason    string // errors[].reason, such as "notFound"
	Message   string
	Domain    string // errors[].domain; "" is "global"
	RPCStatus string // google.rpc.Code, such as "NOT_FOUND"; "" leaves it out
	Details   []any
	// Short is errors[].message where it differs from Message.
	Short string
	// Location and LocationType say which part of the request is wrong, such as "Authorization" and
	// "header".
	Location, LocationType string
}

type errorBody struct {
	Error errorJSON `json:"error"`
}

type errorJSON struct {
	Code    int         `json:"code"`
	Message string      `json:"message"`
	Errors  []errorItem `json:"errors"`
	Status  string      `json:"status,omitempty"`
	Details []any       `json:"details,omitempty"`
}

type errorItem struct {
	Message      string `json:"message"`
	Domain       string `json:"domain"`
	Reason       string `json:"reason"`
	Location     string `json:"location,omitempty"`
	LocationType string `json:"locationType,omitempty"`
}

// write answers with the error.
func (e *apiError) write(w http.ResponseWriter) {
	short, domain := e.Short, e.Domain
	if short == "" {
		short = e.Message
	}
	if domain == "" {
		domain = "global"
	}
	writeJSON(w, e.Status, errorBody{Error: errorJSON{
		Code: e.Status, Message: e.Message, Status: e.RPCStatus, Details: e.Details,
		Errors: []errorItem{{
			Message: short, Domain: domain, Reason: e.Reason,
			Location: e.Location, LocationType: e.LocationType,
		}},
	}})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		// Only a value of our own that JSON cannot hold comes here.
		panic(err)
	}
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client may be gone
}

func notFound() *apiError {
	return &apiError{
		Status: http.StatusNotFound, Reason: "notFound",
		Message: "Requested entity was not found.", RPCStatus: "NOT_FOUND",
	}
}

func invalid(message string) *apiError {
	return &apiError{
		Status: http.StatusBadRequest, Reason: "invalidArgument",
		Message: message, RPCStatus: "INVALID_ARGUMENT",
	}
}

func unauthorized() *apiError {
	return &apiError{
		Status: http.StatusUnauthorized, Reason: "authError", RPCStatus: "UNAUTHENTICATED",
		Message: "Request had invalid authentication credentials. Expected OAuth 2 access token, " +
			"login cookie or other valid authentication credential.",
		Short: "Invalid Credentials", Location: "Authorization", LocationType: "header",
	}
}

func insufficientScope() *apiError {
	return &apiError{
		Status: http.StatusForbidden, Reason: "insufficientPermissions",
		Message:   "Request had insufficient authentication scopes.",
		Short:     "Insufficient Permission",
		RPCStatus: "PERMISSION_DENIED",
		Details: []any{map[string]any{
			"@type":  "type.googleapis.com/google.rpc.ErrorInfo",
			"reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
			"domain": "googleapis.com",
			"metadata": map[string]string{
				"service": "gmail.googleapis.com",
			},
		}},
	}
}

func forbidden(message string) *apiError {
	return &apiError{
		Status: http.StatusForbidden, Reason: "forbidden",
		Message: message, RPCStatus: "PERMISSION_DENIED",
	}
}

func tooLarge() *apiError {
	return &apiError{
		Status: http.StatusRequestEntityTooLarge, Reason: "uploadTooLarge",
		Message: "Request Too Large", RPCStatus: "INVALID_ARGUMENT",
	}
}
