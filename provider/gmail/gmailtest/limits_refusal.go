package gmailtest

import (
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// The texts are those that Gmail answers with; clients read the wait out of them, so that even the
// two blanks before "Retry" count.
// https://developers.google.com/workspace/gmail/api/guides/handle-errors

// instant is how Gmail writes a time in a refusal: UTC with milliseconds.
func instant(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

func tooManyConcurrent() *apiError {
	return &apiError{
		Status: http.StatusTooManyRequests, Reason: "rateLimitExceeded",
		Message: "Too many concurrent requests for user", RPCStatus: "RESOURCE_EXHAUSTED",
	}
}

func userRate(until time.Time) *apiError {
	return &apiError{
		Status: http.StatusForbidden, Reason: "rateLimitExceeded", Domain: "usageLimits",
		Message: "User-rate limit exceeded.  Retry after " + instant(until),
		Short:   "User-rate limit exceeded.", RPCStatus: "PERMISSION_DENIED",
	}
}

func sendingLimit(until time.Time) *apiError {
	return &apiError{
		Status: http.StatusTooManyRequests, Reason: "rateLimitExceeded", Domain: "usageLimits",
		Message: "User-rate limit exceeded.  Retry after " + instant(until) + " (Mail sending)",
		Short:   "User-rate limit exceeded.", RPCStatus: "RESOURCE_EXHAUSTED",
	}
}

func dailyLimit() *apiError {
	return &apiError{
		Status: http.StatusForbidden, Reason: "dailyLimitExceeded", Domain: "usageLimits",
		Message: "Daily Limit Exceeded. The quota will be reset at midnight Pacific Time (PT). " +
			"You may monitor your quota usage and adjust limits in the API Console.",
		RPCStatus: "PERMISSION_DENIED",
	}
}

func perMinute(status, limit int) *apiError {
	return quotaExceeded(status, limit, "Queries per minute per user")
}

func projectPerMinute(status, limit int) *apiError {
	return quotaExceeded(status, limit, "Queries per minute")
}

func quotaExceeded(status, limit int, name string) *apiError {
	message := fmt.Sprintf("Quota exceeded for quota metric 'Queries' and limit '%s' of service "+
		"'gmail.googleapis.com' for consumer 'project_number:1'.", name)
	rpc := "PERMISSION_DENIED"
	if status == http.StatusTooManyRequests {
		rpc = "RESOURCE_EXHAUSTED"
	}
	return &apiError{
		Status: status, Reason: "rateLimitExceeded", Domain: "usageLimits",
		Message: message, RPCStatus: rpc,
		Details: []any{map[string]any{
			"@type":  "type.googleapis.com/google.rpc.ErrorInfo",
			"reason": "RATE_LIMIT_EXCEEDED", "domain": "googleapis.com",
			"metadata": map[string]string{
				"service": "gmail.googleapis.com", "consumer": "projects/1",
				"quota_limit_value": strconv.Itoa(limit),
			},
		}},
	}
}
