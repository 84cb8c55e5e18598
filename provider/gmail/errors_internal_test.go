package gmail

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/api/googleapi"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/internal/failure"
	"github.com/workinbox/workinbox/provider/internal/gate"
	"github.com/workinbox/workinbox/provider/internal/oauth"
	"github.com/workinbox/workinbox/provider/internal/wire"
)

// refusedWith is the error the client makes of an answer.
func refusedWith(t testing.TB, status int, body string, header ...string) error {
	t.Helper()
	resp := &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}
	for i := 0; i+1 < len(header); i += 2 {
		resp.Header.Set(header[i], header[i+1])
	}
	err := googleapi.CheckResponse(resp)
	require.Error(t, err)
	return err
}

// googleError is the body of an error as Gmail writes it.
func googleError(code int, status, reason, domain, message string) string {
	body, _ := json.Marshal(map[string]any{"error": map[string]any{
		"code": code, "message": message, "status": status,
		"errors": []any{map[string]any{"message": message, "domain": domain, "reason": reason}},
	}})
	return string(body)
}

func TestAnswersMapToTheirDecision(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		status int
		body   string
		want   error
		text   string
	}{
		{"access token refused", 401, `{"error":{"code":401,"message":"Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential.","errors":[{"message":"Invalid Credentials","domain":"global","reason":"authError","location":"Authorization","locationType":"header"}],"status":"UNAUTHENTICATED"}}`,
			provider.ErrAuth, "gmail messages.get: the mailbox owner must reconnect: 401 authError: Request had invalid"},
		{"scope missing by reason", 403, googleError(403, "PERMISSION_DENIED", "insufficientPermissions", "global", "Request had insufficient authentication scopes."),
			provider.ErrInsufficientScope, ScopeRead},
		{"scope missing by detail", 403, `{"error":{"code":403,"message":"Request had insufficient authentication scopes.","status":"PERMISSION_DENIED","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"ACCESS_TOKEN_SCOPE_INSUFFICIENT","domain":"googleapis.com"}]}}`,
			provider.ErrInsufficientScope, "ACCESS_TOKEN_SCOPE_INSUFFICIENT"},
		{"api not enabled", 403, googleError(403, "PERMISSION_DENIED", "accessNotConfigured", "usageLimits", "Gmail API has not been used in project 1 before or it is disabled."),
			provider.ErrConfig, "accessNotConfigured"},
		{"api not enabled, newer shape", 403, `{"error":{"code":403,"message":"Gmail API has not been used","status":"PERMISSION_DENIED","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"SERVICE_DISABLED"}]}}`,
			provider.ErrConfig, "SERVICE_DISABLED"},
		{"administrator forbids", 403, googleError(403, "PERMISSION_DENIED", "domainPolicy", "global", "The domain administrators have disabled Gmail apps."),
			provider.ErrAdminConsent, "The domain administrators"},
		{"no gmail", 400, googleError(400, "FAILED_PRECONDITION", "failedPrecondition", "global", "Mail service not enabled"),
			provider.ErrAuth, "Mail service not enabled"},
		{"message gone", 404, googleError(404, "NOT_FOUND", "notFound", "global", "Requested entity was not found."),
			provider.ErrGone, "gmail messages.get: message is gone: 404 notFound: Requested entity was not found."},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			err := repeatable(t.Context(), "messages.get", refusedWith(t, c.status, c.body))
			require.ErrorIs(t, err, c.want)
			require.ErrorContains(t, err, c.text)
			require.Equal(t, c.status, failure.Status(err))
			_, refused := errors.AsType[*gate.Refusal](err)
			require.False(t, refused, "the gate must not repeat it")
			require.Equal(t, err, unrepeatable(t.Context(), "messages.get", true, refusedWith(t, c.status, c.body)),
				"a clear refusal is one for a send as well")
		})
	}
}

func TestOtherAnswersAreNoDecision(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		status int
		body   string
		text   string
	}{
		{"forbidden", 403, googleError(403, "PERMISSION_DENIED", "forbidden", "global", "Delegation denied"), "403 forbidden: Delegation denied"},
		{"bad label", 400, "{\"error\":{\"code\":400,\"errors\":[{\"domain\":\"global\",\"message\":\"Invalid label: ALL_MAIL\",\"reason\":\"invalidArgument\"}],\"message\":\"Invalid label: ALL_MAIL\",\"status\":\"INVALID_ARGUMENT\"}}", "400 invalidArgument: Invalid label: ALL_MAIL"},
		{"other precondition", 400, googleError(400, "FAILED_PRECONDITION", "failedPrecondition", "global", "Precondition check failed."), "400 failedPrecondition"},
		{"too large", 413, `<html>Your client issued a request that was too large.</html>`, "413 Request Entity Too Large"},
		{"redirect", 302, ``, "302 Found"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			err := repeatable(t.Context(), "messages.list", refusedWith(t, c.status, c.body))
			require.EqualError(t, err, "gmail messages.list: "+strings.TrimPrefix(err.Error(), "gmail messages.list: "))
			require.ErrorContains(t, err, c.text)
			for _, not := range []error{
				provider.ErrAuth, provider.ErrAdminConsent, provider.ErrConfig, provider.ErrGone,
				provider.ErrInsufficientScope, provider.ErrRetry, provider.ErrAmbiguous,
			} {
				require.NotErrorIs(t, err, not)
			}
			_, refused := errors.AsType[*gate.Refusal](err)
			require.False(t, refused)
		})
	}
}

// The kinds and waits of https://developers.google.com/workspace/gmail/api/guides/handle-errors and of
// recorded answers.
func TestRefusalsTellTheirLimitAndTheirWait(t *testing.T) {
	t.Parallel()
	const date = "Fri, 11 Sep 2026 19:59:30 GMT"
	const perUser = "Quota exceeded for quota metric 'Queries' and limit 'Queries per minute per user' of service 'gmail.googleapis.com' for consumer 'project_number:1'."
	const perProject = "Quota exceeded for quota metric 'Queries' and limit 'Queries per minute' of service 'gmail.googleapis.com' for consumer 'project_number:1'."
	limited := func(code int, message string) string {
		return googleError(code, "PERMISSION_DENIED", "rateLimitExceeded", "usageLimits", message)
	}
	for _, c := range []struct {
		name   string
		status int
		body   string
		header []string
		kind   gate.Kind
		after  time.Duration
	}{
		{"concurrency", 429, limited(429, "Too many concurrent requests for user"), nil, gate.Concurrency, 0},
		{"concurrency with Retry-After", 429, limited(429, "Too many concurrent requests for user"), []string{"Retry-After", "3"}, gate.Concurrency, 3 * time.Second},
		{"second, wait in the text", 403, limited(403, "User-rate limit exceeded.  Retry after 2026-09-11T20:00:00.000Z"), nil, gate.Rate, 30 * time.Second},
		{"second, 429", 429, limited(429, "User-rate limit exceeded.  Retry after 2026-09-11T20:00:00.000Z"), nil, gate.Rate, 30 * time.Second},
		{"second, other offset", 403, limited(403, "User-rate limit exceeded.  Retry after 2026-09-11T22:00:10+02:00 (x)"), nil, gate.Rate, 40 * time.Second},
		{"second, instant over", 403, limited(403, "User-rate limit exceeded.  Retry after 2026-09-11T19:00:00.000Z"), nil, gate.Rate, time.Second},
		{"second, userRateLimitExceeded", 403, googleError(403, "PERMISSION_DENIED", "userRateLimitExceeded", "usageLimits", "User Rate Limit Exceeded"), nil, gate.Rate, 0},
		{"field before text", 403, limited(403, "User-rate limit exceeded.  Retry after 2026-09-11T20:00:00.000Z"), []string{"Retry-After", "7"}, gate.Rate, 7 * time.Second},
		{"field as date", 429, limited(429, "User-rate limit exceeded."), []string{"Retry-After", "Fri, 11 Sep 2026 19:59:42 GMT"}, gate.Rate, 12 * time.Second},
		{"field unreadable", 429, limited(429, "User-rate limit exceeded."), []string{"Retry-After", "soon"}, gate.Rate, 0},
		{"field absurd", 429, limited(429, "User-rate limit exceeded."), []string{"Retry-After", "999999999999"}, gate.Rate, 24 * time.Hour},
		{"minute of the user", 403, limited(403, perUser), nil, gate.Minute, 0},
		{"minute of the user, 429", 429, googleError(429, "RESOURCE_EXHAUSTED", "rateLimitExceeded", "usageLimits", perUser), nil, gate.Minute, 0},
		{"minute by detail alone", 429, `{"error":{"code":429,"message":"Quota exceeded","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"RATE_LIMIT_EXCEEDED","metadata":{"quota_limit":"QueriesPerMinutePerUser"}}]}}`, nil, gate.Minute, 0},
		{"minute of the project", 403, limited(403, perProject), nil, gate.Shared, 0},
		{"minute of the project, 429", 429, limited(429, perProject), nil, gate.Shared, 0},
		{"day by reason", 403, googleError(403, "PERMISSION_DENIED", "dailyLimitExceeded", "usageLimits", "Daily Limit Exceeded"), nil, gate.Spent, spentFor},
		{"day by text", 403, limited(403, strings.ReplaceAll(perProject, "per minute", "per day")), nil, gate.Spent, spentFor},
		{"mail sending", 429, googleError(429, "RESOURCE_EXHAUSTED", "rateLimitExceeded", "usageLimits", "User-rate limit exceeded.  (Mail sending) Retry after 2026-09-11T23:59:30Z"), nil, gate.Spent, 4 * time.Hour},
		{"bandwidth", 429, googleError(429, "RESOURCE_EXHAUSTED", "rateLimitExceeded", "usageLimits", "Account exceeded cmd or bandwidth limits."), nil, gate.Spent, spentFor},
		{"429 without words", 429, ``, nil, gate.Rate, 0},
		{"500", 500, googleError(500, "INTERNAL", "backendError", "global", "Internal error encountered."), nil, gate.Busy, 0},
		{"502 page", 502, "<html>please wait</html>", nil, gate.Busy, 0},
		{"503 with Retry-After", 503, googleError(503, "UNAVAILABLE", "backendError", "global", "unavailable"), []string{"Retry-After", "20"}, gate.Busy, 20 * time.Second},
		{"504", 504, ``, nil, gate.Busy, 0},
		{"408", 408, ``, nil, gate.Busy, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			err := repeatable(t.Context(), "messages.get", refusedWith(t, c.status, c.body, append(c.header, "Date", date)...))
			r, ok := errors.AsType[*gate.Refusal](err)
			require.True(t, ok, "got %v", err)
			require.Equal(t, c.kind, r.Kind)
			require.Equal(t, c.after, r.After)
			require.Equal(t, c.status, failure.Status(err))

			sent := unrepeatable(t.Context(), opSend, true, refusedWith(t, c.status, c.body, append(c.header, "Date", date)...))
			if c.kind == gate.Busy {
				require.ErrorIs(t, sent, provider.ErrAmbiguous)
				_, repeated := errors.AsType[*gate.Refusal](sent)
				require.False(t, repeated, "a send that may have happened must not be repeated")
				return
			}
			again, ok := errors.AsType[*gate.Refusal](sent)
			require.True(t, ok, "an explicit refusal of a send: got %v", sent)
			require.Equal(t, c.kind, again.Kind)
		})
	}
}

func TestWaitIsByOurClockWhenTheServiceHasNone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		at := time.Now().Add(25 * time.Second).UTC().Format(time.RFC3339)
		err := repeatable(t.Context(), "messages.get", refusedWith(t, 403,
			googleError(403, "PERMISSION_DENIED", "rateLimitExceeded", "usageLimits", "User-rate limit exceeded.  Retry after "+at)))
		r, ok := errors.AsType[*gate.Refusal](err)
		require.True(t, ok)
		require.Equal(t, 25*time.Second, r.After)
	})
}

func overNetwork(err error) error {
	return &url.Error{Op: "Get", URL: "https://gmail.googleapis.com/gmail/v1/users/me/messages?q=from%3Abob%40acme.com", Err: err}
}

func TestLostAnswersAreRepeatedForReadsAlone(t *testing.T) {
	t.Parallel()
	var number struct{ ID string }
	for _, c := range []struct {
		name string
		err  error
	}{
		{"connection refused", overNetwork(&net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED})},
		{"reset", overNetwork(&net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET})},
		{"connection closed", overNetwork(io.EOF)},
		{"stalled", overNetwork(wire.Stalled{})},
		{"a deadline of the client", overNetwork(context.DeadlineExceeded)},
		{"answer broken off", &wire.BrokenAnswer{Err: errors.New("http2: stream closed")}},
		{"answer too short", io.ErrUnexpectedEOF},
		{"empty answer", json.Unmarshal(nil, &number)},
		{"half an answer", json.Unmarshal([]byte(`{"id":"1`), &number)},
		{"a page", json.Unmarshal([]byte(`<html>`), &number)},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			err := repeatable(t.Context(), "messages.list", c.err)
			r, ok := errors.AsType[*gate.Refusal](err)
			require.True(t, ok, "got %v", err)
			require.Equal(t, gate.Busy, r.Kind)
			require.NotContains(t, err.Error(), "acme")
			require.NotErrorIs(t, err, context.DeadlineExceeded, "the caller's own ctx lasts")

			left := unrepeatable(t.Context(), opSend, true, c.err)
			require.ErrorIs(t, left, provider.ErrAmbiguous)
			require.NotErrorIs(t, left, provider.ErrRetry)

			stayed := unrepeatable(t.Context(), opSend, false, c.err)
			require.ErrorIs(t, stayed, provider.ErrRetry)
			require.NotErrorIs(t, stayed, provider.ErrAmbiguous)
			require.NotContains(t, stayed.Error(), "acme")
		})
	}
}

func TestUnexpectedTypeInAnAnswerIsNotRepeated(t *testing.T) {
	t.Parallel()
	var number struct{ ID string }
	wrong := json.Unmarshal([]byte(`{"ID":1}`), &number)
	err := repeatable(t.Context(), "history.list", wrong)
	_, refused := errors.AsType[*gate.Refusal](err)
	require.False(t, refused)
	require.ErrorContains(t, err, "gmail history.list: ")
	require.ErrorIs(t, unrepeatable(t.Context(), opSend, true, wrong), provider.ErrAmbiguous)

	large := repeatable(t.Context(), "messages.get", &wire.BrokenAnswer{Err: wire.ErrTooLarge})
	_, refused = errors.AsType[*gate.Refusal](large)
	require.False(t, refused)
}

func TestTokenErrorsPassWithoutTheAddressOfTheRequest(t *testing.T) {
	t.Parallel()
	own := errors.New("the store is full")
	for _, c := range []struct {
		name string
		err  error
		want error
	}{
		{"dead grant", provider.ErrAuth, provider.ErrAuth},
		{"wrong secret", provider.ErrConfig, provider.ErrConfig},
		{"token endpoint busy", &provider.RetryError{After: time.Second}, provider.ErrRetry},
		{"not stored", own, own},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			raw := overNetwork(&oauth.TokenError{Err: c.err})
			for _, err := range []error{
				repeatable(t.Context(), "messages.list", raw),
				unrepeatable(t.Context(), opSend, false, raw),
			} {
				require.ErrorIs(t, err, c.want)
				require.NotContains(t, err.Error(), "acme")
				require.NotErrorIs(t, err, provider.ErrAmbiguous)
				_, refused := errors.AsType[*gate.Refusal](err)
				require.False(t, refused, "the token source has its own back-off")
			}
		})
	}
}

func TestEndOfTheCallersContextIsItsError(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.Equal(t, context.Canceled, repeatable(ctx, "messages.get", overNetwork(context.Canceled)))
	require.Equal(t, context.Canceled, unrepeatable(ctx, opSend, false, context.Canceled))
	require.ErrorIs(t, unrepeatable(ctx, opSend, true, context.Canceled), provider.ErrAmbiguous)
	require.NoError(t, repeatable(ctx, "messages.get", nil))
	require.NoError(t, unrepeatable(ctx, opSend, true, nil))
}

func TestErrorsOfTheCallersFunctionStay(t *testing.T) {
	t.Parallel()
	own := errors.New("stop here")
	require.Equal(t, own, repeatable(t.Context(), "messages.get", own))
}

func TestScopeErrorOfASendNamesItsScope(t *testing.T) {
	t.Parallel()
	err := unrepeatable(t.Context(), opSend, true, refusedWith(t, 403,
		googleError(403, "PERMISSION_DENIED", "insufficientPermissions", "global", "Insufficient Permission")))
	scope, ok := errors.AsType[*provider.ScopeError](err)
	require.True(t, ok)
	require.Equal(t, []string{ScopeSend}, scope.Missing)
}

func TestErrorsTellNoSecret(t *testing.T) {
	t.Parallel()
	const token, person = "ya29.a0AfH6SMBx-Zz09_qwertyuiopasdfghjkl", "ann.smith@acme.com"
	for _, message := range []string{
		"Invalid value for: " + person,
		"The token " + token + " is not valid",
		"Authorization: Bearer " + token,
		"Invalid query: from%3Aann.smith%40acme.com",
		"'Secret subject' is not a valid subject for <" + person + ">",
		"refresh 1//0gabcdefghijklmnopqrstuvwxyz-ABCDEF was revoked",
		strings.Repeat(person+" ", 1000),
	} {
		for _, status := range []int{400, 401, 403, 404, 429, 500} {
			answer := refusedWith(t, status, googleError(status, "X", "reasonX", "global", message))
			for _, err := range []error{
				repeatable(t.Context(), "messages.list", answer),
				unrepeatable(t.Context(), opSend, true, answer),
				repeatable(t.Context(), "messages.list", overNetwork(errors.New(message))),
			} {
				for _, verb := range []string{"%v", "%+v", "%s", "%q"} {
					text := fmt.Sprintf(verb, err)
					for _, secret := range []string{"smith", "acme", "ya29.a0", "0gabcdef"} {
						require.NotContains(t, text, secret)
					}
					require.Less(t, len(text), 600)
				}
			}
			if status == 400 {
				require.NotContains(t, repeatable(t.Context(), "x", answer).Error(), "Secret subject")
			}
		}
	}
}

func FuzzAnswer(f *testing.F) {
	f.Add(403, []byte(googleError(403, "PERMISSION_DENIED", "rateLimitExceeded", "usageLimits", "Retry after 2026-09-11T20:00:00.000Z")), "3")
	f.Add(429, []byte(`{"error":{"details":[{"@type":"x/google.rpc.ErrorInfo","metadata":{"quota_limit":5}},7]}}`), "Fri, 11 Sep 2026 19:59:42 GMT")
	f.Add(500, []byte(`<html>`), "")
	f.Fuzz(func(t *testing.T, status int, body []byte, after string) {
		if status < 300 || status > 599 {
			return
		}
		resp := &http.Response{StatusCode: status, Header: http.Header{"Retry-After": {after}}, Body: io.NopCloser(bytes.NewReader(body))}
		answer := googleapi.CheckResponse(resp)
		err := repeatable(t.Context(), "messages.get", answer)
		require.Error(t, err)
		require.Less(t, len(err.Error()), 2_000)
		require.NotContains(t, err.Error(), "\n")
		if r, ok := errors.AsType[*gate.Refusal](err); ok {
			require.GreaterOrEqual(t, r.After, time.Duration(0))
		}
		require.Error(t, unrepeatable(t.Context(), opSend, true, answer))
	})
}
