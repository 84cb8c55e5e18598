package gmail

import (
	"iter"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"google.golang.org/api/googleapi"

	"github.com/workinbox/workinbox/provider/internal/gate"
)

// spentFor is how long a limit of a day or of mail sent is left alone when the service does not say.
// Asking again each hour costs nothing.
const spentFor = time.Hour

// refusal tells which limit refused a call and for how long; ok is false for every other answer.
// Most refusals of Gmail are 403s with the waiting time in the text alone
// (https://developers.google.com/workspace/gmail/api/guides/handle-errors).
func refusal(e *googleapi.Error) (kind gate.Kind, after time.Duration, ok bool) {
	after = waitOf(e)
	if e.Code >= 500 || e.Code == http.StatusRequestTimeout {
		return gate.Busy, after, true
	}
	reason, text := reasonIn(e), limitText(e)
	limited := e.Code == http.StatusTooManyRequests || throttles[reason] || hasDetail(e, "RATE_LIMIT_EXCEEDED")
	if !limited || e.Code != http.StatusTooManyRequests && e.Code != http.StatusForbidden {
		return 0, 0, false
	}
	has := func(parts ...string) bool {
		for _, part := range parts {
			if strings.Contains(text, part) {
				return true
			}
		}
		return false
	}
	switch {
	case has("mail sending", "sending limit", "bandwidth"), reason == "dailyLimitExceeded", has("per day", "daily limit", "perday"):
		if after == 0 {
			after = spentFor
		}
		return gate.Spent, after, true
	case has("concurrent"):
		return gate.Concurrency, after, true
	case has("per minute per user", "perminuteperuser"):
		return gate.Minute, after, true
	case has("per minute", "perminute"):
		return gate.Shared, after, true
	}
	return gate.Rate, after, true
}

// throttles are the reasons of a 403 that is a throttle.
var throttles = map[string]bool{
	"rateLimitExceeded": true, "userRateLimitExceeded": true, "quotaExceeded": true,
	"dailyLimitExceeded": true, "RATE_LIMIT_EXCEEDED": true,
}

// limitText is all text of an answer that may name a limit, in lower case.
func limitText(e *googleapi.Error) string {
	parts := []string{e.Message}
	for _, it := range e.Errors {
		parts = append(parts, it.Message)
	}
	for info := range errorInfos(e) {
		meta, _ := info["metadata"].(map[string]any)
		limit, _ := meta["quota_limit"].(string)
		parts = append(parts, limit)
	}
	return strings.ToLower(strings.Join(parts, "\n"))
}

var retryAfter = regexp.MustCompile(`(?i)retry after (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d))`)

// waitOf is how long the service asks to wait: by the Retry-After field (RFC 9110 section 10.2.3, seconds
// or a date), else by the instant in its text. Zero when it does not say; an instant that is over
// already is a second.
func waitOf(e *googleapi.Error) time.Duration {
	if field := strings.TrimSpace(e.Header.Get("Retry-After")); field != "" {
		if s, err := strconv.Atoi(field); err == nil && s >= 0 {
			// A day is longer than anybody waits; more would overflow.
			return time.Duration(min(max(s, 1), 24*60*60)) * time.Second
		}
		if t, err := http.ParseTime(field); err == nil {
			return until(t, e)
		}
	}
	texts := []string{e.Message}
	for _, it := range e.Errors {
		texts = append(texts, it.Message)
	}
	for _, text := range texts {
		if found := retryAfter.FindStringSubmatch(text); found != nil {
			if t, err := time.Parse(time.RFC3339Nano, strings.ToUpper(found[1])); err == nil {
				return until(t, e)
			}
		}
	}
	return 0
}

func until(t time.Time, e *googleapi.Error) time.Duration {
	return max(t.Sub(serverTime(e)), time.Second)
}

// errorInfos yields the google.rpc.ErrorInfo parts of an answer.
func errorInfos(e *googleapi.Error) iter.Seq[map[string]any] {
	return func(yield func(map[string]any) bool) {
		for _, d := range e.Details {
			info, _ := d.(map[string]any)
			kind, _ := info["@type"].(string)
			if strings.HasSuffix(kind, "google.rpc.ErrorInfo") && !yield(info) {
				return
			}
		}
	}
}

func hasDetail(e *googleapi.Error, reason string) bool {
	for info := range errorInfos(e) {
		if info["reason"] == reason {
			return true
		}
	}
	return false
}
