package notify_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/inbox/notify"
	"github.com/workinbox/workinbox/provider"
)

var secret = []byte("0123456789abcdef")

// endpoint answers what its test says and keeps what it got.
type endpoint struct {
	*httptest.Server
	status  int
	headers map[string]string
	got     []*http.Request
	bodies  []string
}

func newEndpoint(t *testing.T) *endpoint {
	e := &endpoint{status: http.StatusNoContent}
	e.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		e.got, e.bodies = append(e.got, r), append(e.bodies, string(body))
		for name, value := range e.headers {
			w.Header().Set(name, value)
		}
		w.WriteHeader(e.status)
	}))
	t.Cleanup(e.Close)
	return e
}

func (e *endpoint) webhook(t *testing.T) inbox.Notifier {
	n, err := notify.Webhook(notify.WebhookConfig{URL: e.URL + "/hook?token=t0p", Secret: secret})
	require.NoError(t, err)
	return n
}

func TestWebhookIsSignedAndNamesItsDelivery(t *testing.T) { // RULES 10
	t.Parallel()
	e := newEndpoint(t)
	n := notice
	n.Event.At = time.Date(2026, 3, 1, 10, 0, 0, 0, time.FixedZone("", 3600))
	n.Event.Actor, n.Event.Ticket = "rob", "t-1"
	require.NoError(t, e.webhook(t).Notify(t.Context(), n))
	require.JSONEq(t, `{"id":"e-1","event":"inbox.rules.changed","at":"2026-03-01T09:00:00Z","site":"",
		"inbox":"in-1","ticket":"t-1","eventCreatorId":"rob","receiver":"rita",
		"content":{"subject":"the subject","from":"ann@acme.com","preview":"the body"}}`, e.bodies[0])
	h := e.got[0].Header
	require.Equal(t, "inbox.rules.changed", h.Get("X-Desk-Event"))
	require.Regexp(t, `^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`, h.Get("X-Desk-Delivery"))
	require.Equal(t, "application/json", h.Get("Content-Type"))

	again := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(e.bodies[0]))
	again.Header = h
	p, err := notify.ReadWebhook(again, secret)
	require.NoError(t, err)
	require.Equal(t, "t-1", p.Ticket)
	for name, change := range map[string]func(r *http.Request){
		"another body": func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader(e.bodies[0] + " ")) },
		"no signature": func(r *http.Request) { r.Header.Del("X-Desk-Signature") },
		"another secret": func(r *http.Request) {
			r.Header.Set("X-Desk-Signature", notify.Signature([]byte("x"), []byte(e.bodies[0])))
		},
	} {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(e.bodies[0]))
		r.Header = h.Clone()
		change(r)
		_, err := notify.ReadWebhook(r, secret)
		require.ErrorIs(t, err, notify.ErrSignature, name)
	}
	big := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(make([]byte, 2<<20)))
	_, err = notify.ReadWebhook(big, secret)
	require.ErrorContains(t, err, "more than")
}

// The signature is the one other programs make: openssl dgst -sha256 -hmac key.
func TestSignatureIsTheUsualOne(t *testing.T) {
	t.Parallel()
	require.Equal(t, "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8",
		notify.Signature([]byte("key"), []byte("The quick brown fox jumps over the lazy dog")))
}

func TestWebhookRedactedCarriesIdsOnly(t *testing.T) { // R-FEA-07, R-FEA-08
	t.Parallel()
	e := newEndpoint(t)
	require.NoError(t, notify.Redacted(e.webhook(t)).Notify(t.Context(), notice))
	for _, word := range []string{"subject", "ann@acme.com", "the body", "content"} {
		require.NotContains(t, e.bodies[0], word)
	}
}

func TestWebhookRepeatsUnderTheSameName(t *testing.T) {
	t.Parallel()
	e := newEndpoint(t)
	hook := e.webhook(t)
	require.NoError(t, hook.Notify(t.Context(), notice))
	require.NoError(t, hook.Notify(t.Context(), notice))
	other := notice
	other.To.ID = "rob"
	require.NoError(t, hook.Notify(t.Context(), other))
	name := func(i int) string { return e.got[i].Header.Get(notify.HeaderDelivery) }
	require.Equal(t, name(0), name(1))
	require.NotEqual(t, name(0), name(2), "another receiver")
}

func TestWebhookTakesOnlySuccessForDelivered(t *testing.T) {
	t.Parallel()
	for _, status := range []int{200, 202, 301, 307, 400, 404, 410, 429, 500, 503} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			e := newEndpoint(t)
			e.status = status
			e.headers = map[string]string{"Location": e.URL + "/elsewhere"}
			err := e.webhook(t).Notify(t.Context(), notice)
			require.Len(t, e.got, 1, "redirects are not followed")
			if status < 300 {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, fmt.Sprint(status))
			require.NotErrorIs(t, err, provider.ErrRetry)
		})
	}
}

func TestWebhookWaitsAsLongAsItIsTold(t *testing.T) {
	t.Parallel()
	for after, want := range map[string]time.Duration{
		"120": 2 * time.Minute, "99999999": 24 * time.Hour, "0": 0, "-3": 0, "soon": 0,
	} {
		e := newEndpoint(t)
		e.status, e.headers = http.StatusTooManyRequests, map[string]string{"Retry-After": after}
		err := e.webhook(t).Notify(t.Context(), notice)
		var retry *provider.RetryError
		if want == 0 {
			require.Error(t, err)
			require.NotErrorAs(t, err, &retry, after)
			continue
		}
		require.ErrorAs(t, err, &retry, after)
		require.Equal(t, want, retry.After)
	}
}

func TestWebhookErrorsKeepItsURLAndTheNoticeToThemselves(t *testing.T) {
	t.Parallel()
	e := newEndpoint(t)
	hook := e.webhook(t)
	e.Close()
	err := hook.Notify(t.Context(), notice)
	require.Error(t, err)
	for _, word := range []string{"t0p", "hook?", "ann@acme.com", "the subject", "the body"} {
		require.NotContains(t, err.Error(), word)
	}
}

func TestWebhookRefusesWhatItCannotKeepSafe(t *testing.T) {
	t.Parallel()
	for url, ok := range map[string]bool{
		"https://hooks.example/a": true, "http://127.0.0.1:8080/": true, "http://localhost/": true, "http://[::1]/": true,
		"http://hooks.example/": false, "ftp://hooks.example/": false, "hooks.example": false, "https://": false,
		"": false, "https://hooks.example/%zz?token=t0p": false,
	} {
		_, err := notify.Webhook(notify.WebhookConfig{URL: url, Secret: secret})
		if ok {
			require.NoError(t, err, url)
			continue
		}
		require.Error(t, err, url)
		require.NotContains(t, err.Error(), "t0p")
	}
	_, err := notify.Webhook(notify.WebhookConfig{URL: "https://hooks.example/"})
	require.ErrorContains(t, err, "Secret")
}
