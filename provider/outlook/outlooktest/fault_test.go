package outlooktest_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider/outlook/outlooktest"
)

func TestRepliesOnDemand(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		reply  *outlooktest.Reply
		status int
		header [2]string
		body   string
	}{
		{"html 502", outlooktest.Page(502), 502, [2]string{"Content-Type", "text/html"}, "<html>"},
		{"empty 503", outlooktest.Blank(503), 503, [2]string{}, ""},
		{"503 with a wait", outlooktest.Unavailable().WithRetryAfter(1500 * time.Millisecond), 503, [2]string{"Retry-After", "2"}, "serviceNotAvailable"},
		{"wait as a date", outlooktest.Throttled().WithRetryAt(day(1)), 429, [2]string{"Retry-After", "Thu, 01 Oct 2026 12:00:00 GMT"}, "ApplicationThrottled"},
		{"bare", outlooktest.Bare(500), 500, [2]string{}, "{}"},
		{"no message", outlooktest.NoMessage(500, ""), 500, [2]string{}, `{"error":{"code":""}}`},
		{"gone", outlooktest.SyncStateNotFound(), 410, [2]string{}, "SyncStateNotFound"},
		{"token", outlooktest.InvalidToken(), 401, [2]string{"WWW-Authenticate", "Bearer"}, "InvalidAuthenticationToken"},
		{"denied", outlooktest.AccessDenied(), 403, [2]string{}, "ErrorAccessDenied"},
		{"missing", outlooktest.NotFound(), 404, [2]string{}, "ErrorItemNotFound"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			g := open(t, outlooktest.Config{})
			in := g.s.Fail(outlooktest.Fault{Method: "messages.list", Reply: test.reply, Skip: 1})
			g.get("/me/messages")
			g.get("/me")
			a := g.do("GET", "/me/messages", "")
			require.Equal(t, test.status, a.status)
			require.Contains(t, string(a.body), test.body)
			if test.header[0] != "" {
				require.Equal(t, test.header[1], a.header.Get(test.header[0]))
			}
			g.get("/me/messages")
			require.Equal(t, 1, in.Hits())
		})
	}
}

func TestTokenEndpointFails(t *testing.T) {
	t.Parallel()
	g := open(t, outlooktest.Config{})
	form := credentials("refresh_token", "refresh_token", g.a.Grant().Refresh)
	g.s.Fail(outlooktest.Fault{Method: "token", Reply: outlooktest.TokenError(50196)})
	_, got := token(t, g.s, "common", form)
	require.Equal(t, []any{float64(50196)}, got["error_codes"])
	status, _ := token(t, g.s, "common", form)
	require.Equal(t, 200, status)
}

// exchangeOf makes a call and returns what the client sees.
func (g graph) exchangeOf(ctx context.Context, method, target, body string) (status int, got []byte, err error) {
	r, err := http.NewRequestWithContext(ctx, method, g.s.Endpoints().GraphURL+target, strings.NewReader(body))
	require.NoError(g.t, err)
	// Without it the transport would repeat a GET by itself.
	r.Header.Set("Content-Type", "application/json")
	r.Close = true
	resp, err := g.client.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = resp.Body.Close() }() // it may be cut
	got, err = io.ReadAll(resp.Body)
	return resp.StatusCode, got, err
}

func TestExchangesBreak(t *testing.T) {
	t.Parallel()
	mail := `{"message":{"toRecipients":` + to(bob) + `}}`
	for _, test := range []struct {
		name   string
		breaks outlooktest.Break
		sent   int
		status int // 0: an error
		error  bool
	}{
		{"reset before the body was read", outlooktest.CloseEarly, 0, 0, true},
		{"reset before the work", outlooktest.CloseUnserved, 0, 0, true},
		{"reset after the work", outlooktest.CloseServed, 1, 0, true},
		{"empty", outlooktest.Empty, 1, 202, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			g := open(t, outlooktest.Config{})
			g.s.Fail(outlooktest.Fault{Method: "sendMail", Account: ann, Break: test.breaks})
			status, _, err := g.exchangeOf(t.Context(), "POST", "/me/sendMail", mail)
			require.Equal(t, test.error, err != nil, "%v", err)
			require.Equal(t, test.status, status)
			require.Len(t, g.a.Sent(), test.sent)
		})
	}
}

func TestAnswersAreCut(t *testing.T) {
	t.Parallel()
	g := open(t, outlooktest.Config{})
	g.fill(3)
	g.s.Fail(outlooktest.Fault{Method: "messages.list", Break: outlooktest.Truncate})
	g.s.Fail(outlooktest.Fault{Method: "messages.list", Break: outlooktest.Shorten})
	status, _, err := g.exchangeOf(t.Context(), "GET", "/me/messages", "")
	require.Equal(t, 200, status)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	status, body, err := g.exchangeOf(t.Context(), "GET", "/me/messages", "")
	require.NoError(t, err)
	require.Equal(t, 200, status)
	require.False(t, json.Valid(body))
}

func TestHangAndDelay(t *testing.T) {
	t.Parallel()
	inBubble(t, outlooktest.Config{}, func(t *testing.T, g graph) {
		g.s.Fail(outlooktest.Fault{Method: "user.get", Break: outlooktest.Hang})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, _, err := g.exchangeOf(ctx, "GET", "/me", "")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		g.s.Fail(outlooktest.Fault{Method: "sendMail", Break: outlooktest.HangServed})
		ctx, cancel = context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, _, err = g.exchangeOf(ctx, "POST", "/me/sendMail", `{"message":{"toRecipients":`+to(bob)+`}}`)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Len(t, g.a.Sent(), 1)
		in := g.s.Fail(outlooktest.Fault{Delay: time.Second, Times: -1})
		begin := time.Now()
		g.get("/me")
		require.Equal(t, time.Second, time.Since(begin))
		in.Remove()
		g.s.Fail(outlooktest.Fault{Times: -1})
		g.s.Heal()
		g.get("/me")
	})
}

func TestFaultsHitBatchPartsAndUploads(t *testing.T) {
	t.Parallel()
	g := open(t, outlooktest.Config{})
	g.s.Fail(outlooktest.Fault{Method: "user.get", Break: outlooktest.CloseServed})
	g.s.Fail(outlooktest.Fault{Method: "folders.list"})
	got := g.do("POST", "/$batch", batch(part(1, "/me", ""), part(2, "/me/mailFolders", ""), part(3, "/me/mailFolders/inbox", ""))).answers()
	require.InDelta(t, 503, got["1"]["status"], 0)
	require.InDelta(t, 503, got["2"]["status"], 0)
	require.InDelta(t, 200, got["3"]["status"], 0)
	g.s.Fail(outlooktest.Fault{Method: "batch", Reply: outlooktest.Page(504)})
	require.Equal(t, 504, g.do("POST", "/$batch", batch(part(1, "/me", ""))).status)
}

func TestRatesAreDrawnFromTheSeed(t *testing.T) {
	t.Parallel()
	run := func() string {
		g := open(t, outlooktest.Config{Limits: outlooktest.Unlimited()})
		g.s.Fail(outlooktest.Fault{Times: -1, Rate: 0.3, Seed: 7})
		var out strings.Builder
		for range 40 {
			out.WriteString(map[bool]string{true: "x", false: "."}[g.do("GET", "/me", "").status == 503])
		}
		return out.String()
	}
	first := run()
	require.Equal(t, first, run())
	require.Contains(t, first, "x")
	require.Contains(t, first, ".")
}
