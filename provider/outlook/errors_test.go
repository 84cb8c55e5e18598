package outlook_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/outlook"
	"github.com/workinbox/workinbox/provider/outlook/outlooktest"
)

// Every answer of Graph and what it decides, for a read.
func TestAnswers(t *testing.T) {
	t.Parallel()
	throttled := func(kind string) *outlooktest.Reply {
		return outlooktest.GraphError(429, "ApplicationThrottled", "Application is over its "+kind+" limit.")
	}
	for _, row := range []struct {
		name  string
		reply *outlooktest.Reply
		times int
		want  error // nil: in the end it works
	}{
		{"concurrency", throttled("MailboxConcurrency"), 3, nil},
		{"requests", throttled("MailboxRequests"), 2, nil},
		{"concurrency without end", throttled("MailboxConcurrency"), -1, provider.ErrRetry},
		{"activity limit", outlooktest.GraphError(429, "activityLimitReached", "Slow down."), 1, nil},
		{"unavailable", outlooktest.Unavailable(), 2, nil},
		{"a page of a proxy", outlooktest.Page(502), 2, nil},
		{"a page of a proxy without end", outlooktest.Page(502), -1, provider.ErrRetry},
		{"empty 500", outlooktest.Bare(500), 1, nil},
		{"blank 504", outlooktest.Blank(504), 1, nil},
		{"error without message", outlooktest.NoMessage(503, ""), 1, nil},
		{"mailbox is moved", outlooktest.GraphError(400, "MailboxInfoStale", "Stale."), 1, nil},
		{"token refused once", outlooktest.InvalidToken(), 1, nil},
		{"token refused for good", outlooktest.InvalidToken(), -1, provider.ErrAuth},
		{"access denied in a burst", outlooktest.AccessDenied(), 1, nil},
		{"access denied", outlooktest.AccessDenied(), -1, provider.ErrAdminConsent},
		{"no mailbox", outlooktest.GraphError(404, "MailboxNotEnabledForRESTAPI", "On-premise."), 1, provider.ErrAuth},
		{"user gone", outlooktest.GraphError(404, "ErrorInvalidUser", "Gone."), 1, provider.ErrAuth},
		{"message gone", outlooktest.NotFound(), 1, provider.ErrGone},
		{"no such id", outlooktest.GraphError(400, "ErrorInvalidIdMalformed", "Id is malformed."), 1, provider.ErrGone},
		{"bad request", outlooktest.GraphError(400, "BadRequest", "Near 'owner@own.example'."), 1, errAny},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, outlook.Options{}, outlooktest.Config{})
				id := provider.RemoteID(w.fill(1, 0)[0])
				m := w.open(t)
				w.s.Fail(outlooktest.Fault{Method: "messages.value", Times: row.times, Reply: row.reply})
				r, err := m.Open(t.Context(), id)
				if row.want == nil {
					require.NoError(t, err)
					require.NoError(t, r.Close())
					return
				}
				require.Error(t, err)
				if !errors.Is(row.want, errAny) {
					require.ErrorIs(t, err, row.want)
				}
				require.NotContains(t, err.Error(), "own.example")
				require.NotContains(t, err.Error(), string(id))
			})
		})
	}
}

// The same of the SDK's way out, where pages of proxies and errors without a message must not panic.
func TestAnswersToTheSDK(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		reply *outlooktest.Reply
		broke outlooktest.Break
		times int
		want  error
	}{
		"a page of a proxy":          {reply: outlooktest.Page(502), times: 2},
		"error without message":      {reply: outlooktest.NoMessage(503, "x"), times: 1},
		"error without anything":     {reply: outlooktest.Bare(400), times: 1}, // asked again for a shorter life
		"blank":                      {reply: outlooktest.Blank(500), times: 1},
		"throttled":                  {reply: outlooktest.Throttled(), times: 2},
		"truncated":                  {broke: outlooktest.Truncate, times: 1},
		"shortened":                  {broke: outlooktest.Shorten, times: 1},
		"cut":                        {broke: outlooktest.CloseEarly, times: 1},
		"empty":                      {broke: outlooktest.Empty, times: 1},
		"page of a proxy, no end":    {reply: outlooktest.Page(502), times: -1, want: provider.ErrRetry},
		"a 200 that is a page":       {reply: outlooktest.Page(200), times: 1},
		"not the owner's any longer": {reply: outlooktest.InvalidToken(), times: -1, want: provider.ErrAuth},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, outlook.Options{}, outlooktest.Config{})
				s := w.open(t).(provider.Subscriber)
				w.s.Fail(outlooktest.Fault{Method: "subscriptions.create", Times: row.times, Reply: row.reply, Break: row.broke})
				_, err := s.Subscribe(t.Context())
				switch {
				case row.want == nil:
					require.NoError(t, err)
				case errors.Is(row.want, errAny):
					require.Error(t, err)
					require.NotErrorIs(t, err, provider.ErrRetry)
				default:
					require.ErrorIs(t, err, row.want)
				}
			})
		})
	}
}

// A challenge of continuous access evaluation is for the owner to meet.
func TestClaimsChallenge(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, outlook.Options{}, outlooktest.Config{})
		w.a.Challenge(`{"access_token":{"nbf":{"essential":true,"value":"1"}}}`)
		got := follow(t.Context(), w.open(t), "", provider.Walk{})
		require.ErrorIs(t, got.err, provider.ErrAuth)
	})
}

// Accounts without a mailbox in the cloud will not get one by trying.
func TestNoMailbox(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, outlook.Options{}, outlooktest.Config{})
		w.a.MailboxOff(true)
		got := follow(t.Context(), w.open(t), "", provider.Walk{})
		require.ErrorIs(t, got.err, provider.ErrAuth)
	})
}

// A link that leads elsewhere is not followed: every request carries a token.
func TestForeignLinksAreNotFollowed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, outlook.Options{}, outlooktest.Config{})
		w.fill(3, 0)
		w.s.Fail(outlooktest.Fault{Times: 1, Match: func(r *http.Request) bool {
			return strings.HasSuffix(r.URL.Path, "/mailFolders/delta")
		}, Reply: &outlooktest.Reply{Status: 200, Header: http.Header{"Content-Type": {"application/json"}},
			Body: `{"value":[],"@odata.nextLink":"https://elsewhere.example/v1.0/me/mailFolders/delta?x"}`}})
		got := follow(t.Context(), w.open(t), "", provider.Walk{})
		require.ErrorIs(t, got.err, provider.ErrConfig)
	})
}
