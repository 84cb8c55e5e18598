package outlook_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/outlook"
	"github.com/workinbox/workinbox/provider/outlook/outlooktest"
)

// late is a handler that is known only when the server runs.
type late struct{ http.Handler }

// bells counts what a push handler rings.
type bells struct {
	mu     sync.Mutex
	rung   []string
	events []provider.PushEvent
	err    error
}

func (b *bells) ring(_ context.Context, account string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err != nil {
		return b.err
	}
	b.rung = append(b.rung, account)
	return nil
}

func (b *bells) event(_ context.Context, _, _ string, e provider.PushEvent) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.events = append(b.events, e)
	return nil
}

func (b *bells) count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.rung)
}

// pushed is a world whose server pushes to a handler.
func pushed(t *testing.T, push outlooktest.Push) (*world, *bells) {
	t.Helper()
	h := &late{}
	push.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(w, r) })
	w := newWorld(t, outlook.Options{NotificationURL: "https://host.example/push"}, outlooktest.Config{Push: push})
	b := &bells{}
	var err error
	h.Handler, err = w.provider(t).PushHandler(outlook.PushOptions{Ring: b.ring, Lifecycle: b.event})
	require.NoError(t, err)
	return w, b
}

func TestSubscriptionRings(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, b := pushed(t, outlooktest.Push{})
		m := w.open(t)
		s := m.(provider.Subscriber)
		sub, err := s.Subscribe(t.Context())
		require.NoError(t, err)
		require.WithinDuration(t, time.Now().Add(7*24*time.Hour), sub.Expires, time.Hour)
		require.True(t, w.a.Subscriptions()[0].Immutable)
		require.LessOrEqual(t, len(w.a.Subscriptions()[0].ClientState), 128)
		w.a.Deliver([]byte("From: a@b.example\r\n\r\nHi\r\n"), outlooktest.Delivery{})
		time.Sleep(time.Minute)
		synctest.Wait()
		account, err := m.(provider.Addresses).Account(t.Context())
		require.NoError(t, err)
		require.NotZero(t, b.count())
		require.Equal(t, account.ID, b.rung[0])

		time.Sleep(3 * 24 * time.Hour)
		renewed, err := s.Renew(t.Context(), sub)
		require.NoError(t, err)
		require.Equal(t, sub.ID, renewed.ID)
		require.True(t, renewed.Expires.After(sub.Expires))
		require.NoError(t, s.Unsubscribe(t.Context(), renewed))
		require.NoError(t, s.Unsubscribe(t.Context(), renewed))
		require.Empty(t, w.a.Subscriptions())
		_, err = s.Renew(t.Context(), renewed)
		require.ErrorIs(t, err, provider.ErrGone)
	})
}

func TestSubscriptionTakesTheLifeThereIs(t *testing.T) {
	t.Parallel()
	for name, push := range map[string]outlooktest.Push{
		"three days at most": {MaxLife: 4_230 * time.Minute}, "a day granted": {Clip: 24 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w, _ := pushed(t, push)
				sub, err := w.open(t).(provider.Subscriber).Subscribe(t.Context())
				require.NoError(t, err)
				require.True(t, sub.Expires.Equal(w.a.Subscriptions()[0].Expires))
				require.False(t, sub.Expires.After(time.Now().Add(4_230*time.Minute)))
			})
		})
	}
}

func TestLifecycleEventsRing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, b := pushed(t, outlooktest.Push{})
		s := w.open(t).(provider.Subscriber)
		sub, err := s.Subscribe(t.Context())
		require.NoError(t, err)
		w.a.Lifecycle(sub.ID, outlooktest.ReauthorizationRequired)
		time.Sleep(time.Second)
		synctest.Wait()
		require.True(t, w.a.Subscriptions()[0].Paused)
		_, err = s.Renew(t.Context(), sub)
		require.NoError(t, err)
		require.False(t, w.a.Subscriptions()[0].Paused)
		w.a.Lifecycle(sub.ID, outlooktest.Missed)
		w.a.Lifecycle(sub.ID, outlooktest.SubscriptionRemoved)
		time.Sleep(time.Second)
		synctest.Wait()
		require.ElementsMatch(t, []provider.PushEvent{provider.PushRenew, provider.PushMissed, provider.PushEnded}, b.events)
		require.Equal(t, 3, b.count())
	})
}

func TestARingThatFailsIsRungAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, b := pushed(t, outlooktest.Push{})
		_, err := w.open(t).(provider.Subscriber).Subscribe(t.Context())
		require.NoError(t, err)
		b.err = errors.New("the store is away")
		w.a.Deliver([]byte("From: a@b.example\r\n\r\nHi\r\n"), outlooktest.Delivery{})
		time.Sleep(time.Second)
		synctest.Wait()
		b.mu.Lock()
		require.Empty(t, b.rung)
		b.err = nil
		b.mu.Unlock()
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		require.NotZero(t, b.count())
	})
}

func TestSubscribeNeedsAnAddress(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, outlook.Options{}, outlooktest.Config{})
		w.o.NotificationURL = ""
		_, err := w.open(t).(provider.Subscriber).Subscribe(t.Context())
		require.ErrorIs(t, err, errors.ErrUnsupported)
	})
}

func TestPushHandler(t *testing.T) {
	t.Parallel()
	p, err := outlook.New(outlook.Options{ClientID: "c", ClientSecret: "s"})
	require.NoError(t, err)
	_, err = p.PushHandler(outlook.PushOptions{})
	require.ErrorIs(t, err, provider.ErrConfig)
	for _, row := range []struct {
		name, method, target, body string
		status                     int
		answer                     string
	}{
		{"handshake", "POST", "/push?validationToken=" + url.QueryEscape("Validation: Testing + 1"), "", 200, "Validation: Testing + 1"},
		{"handshake with a page", "POST", "/push?validationToken=" + url.QueryEscape("<script>"), "", 200, "&lt;script&gt;"},
		{"handshake without end", "POST", "/push?validationToken=" + strings.Repeat("a", 5000), "", 400, ""},
		{"get", "GET", "/push", "", 405, ""},
		{"no JSON", "POST", "/push", "hello", 400, ""},
		{"no notification", "POST", "/push", "{}", 400, ""},
		{"empty", "POST", "/push", `{"value":[]}`, 202, ""},
		{"not signed", "POST", "/push", `{"value":[{"subscriptionId":"s","clientState":"t/o"}]}`, 202, ""},
		{"badly signed", "POST", "/push", `{"value":[{"subscriptionId":"s","clientState":"t/o.AAAA"}]}`, 202, ""},
		{"too large", "POST", "/push", `{"value":[` + strings.Repeat(" ", 1<<20) + `]}`, 400, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			b := &bells{}
			h, err := p.PushHandler(outlook.PushOptions{Ring: b.ring})
			require.NoError(t, err)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), row.method, row.target, strings.NewReader(row.body)))
			require.Equal(t, row.status, w.Code)
			if row.answer != "" {
				require.Equal(t, row.answer, w.Body.String())
				require.Equal(t, "text/plain; charset=utf-8", w.Header().Get("Content-Type"))
			}
			require.Zero(t, b.count())
		})
	}
}

// Subscriptions of another application, or of one with another key, ring nothing.
func TestPushHandlerKnowsItsOwnKey(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, _ := pushed(t, outlooktest.Push{})
		_, err := w.open(t).(provider.Subscriber).Subscribe(t.Context())
		require.NoError(t, err)
		state := w.a.Subscriptions()[0].ClientState
		body, err := json.Marshal(map[string]any{"value": []map[string]string{
			{"subscriptionId": "s", "clientState": state}, {"subscriptionId": "s", "clientState": state},
		}})
		require.NoError(t, err)
		for key, want := range map[string]int{"": 1, "another key of 16 bytes": 0} {
			o := w.o
			o.PushKey = []byte(key)
			p, err := outlook.New(o)
			require.NoError(t, err)
			b := &bells{}
			h, err := p.PushHandler(outlook.PushOptions{Ring: b.ring})
			require.NoError(t, err)
			rec := httptest.NewRecorder()
			h.ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), "POST", "/", strings.NewReader(string(body))))
			require.Equal(t, 202, rec.Code)
			require.Equal(t, want, b.count(), "key %q", key)
		}
	})
}
