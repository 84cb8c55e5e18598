package gmail_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/gmail"
	"github.com/workinbox/workinbox/provider/gmail/gmailtest"
)

const (
	endpoint = "https://host.example/push"
	pusher   = "push@acme.iam.gserviceaccount.com"
)

// doorbell is a push endpoint and what it rang.
type doorbell struct {
	h   http.Handler
	log bytes.Buffer

	mu   sync.Mutex
	rung []string
	fail error
}

func newDoorbell(t testing.TB, s *gmailtest.Server) *doorbell {
	t.Helper()
	d := &doorbell{}
	h, err := gmail.PushHandler(gmail.PushOptions{
		Audience: endpoint, ServiceAccount: pusher, KeysURL: s.Endpoints().CertsURL, HTTP: s.Client(),
		Logger: slog.New(slog.NewTextHandler(&d.log, nil)),
	}, d.ring)
	require.NoError(t, err)
	d.h = h
	return d
}

func (d *doorbell) ring(_ context.Context, address string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.rung = append(d.rung, address)
	return d.fail
}

func (d *doorbell) rings() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]string(nil), d.rung...)
}

func (d *doorbell) post(token, body string) int {
	r := httptest.NewRequest(http.MethodPost, endpoint, strings.NewReader(body))
	if token != "" {
		r.Header.Set("Authorization", token)
	}
	w := httptest.NewRecorder()
	d.h.ServeHTTP(w, r)
	return w.Code
}

// push is the body Pub/Sub posts.
func push(data string) string {
	return fmt.Sprintf(`{"message":{"data":%q,"messageId":"2070","message_id":"2070","publishTime":"2026-10-01T09:00:00.1Z"},"subscription":"projects/p/subscriptions/s"}`,
		base64.StdEncoding.EncodeToString([]byte(data)))
}

const news = `{"emailAddress":"ann@acme.example","historyId":987700}`

func TestPushHandlerNamesWhatIsMissing(t *testing.T) {
	t.Parallel()
	_, err := gmail.PushHandler(gmail.PushOptions{}, nil)
	require.ErrorIs(t, err, provider.ErrConfig)
	require.ErrorContains(t, err, "Audience, ServiceAccount, ring")
}

func TestPushBodies(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, body string
		rings      int
	}{
		{"number", push(news), 1},
		{"quoted number", push(`{"emailAddress":"ann@acme.example","historyId":"987700"}`), 1},
		{"largest number", push(`{"emailAddress":"ann@acme.example","historyId":18446744073709551615}`), 1},
		{"number too large", push(`{"emailAddress":"ann@acme.example","historyId":18446744073709551616}`), 0},
		{"fraction", push(`{"emailAddress":"ann@acme.example","historyId":1.5}`), 0},
		{"no number", push(`{"emailAddress":"ann@acme.example"}`), 0},
		{"no address", push(`{"historyId":987700}`), 0},
		{"other publisher", push(`hello`), 0},
		{"no base64", `{"message":{"data":"%%%"}}`, 0},
		{"no JSON", `hello`, 0},
		{"empty", ``, 0},
		{"too large", push(strings.Repeat(" ", 100_000) + news), 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := gmailtest.New(t, gmailtest.Config{})
			d := newDoorbell(t, s)
			token := "Bearer " + s.SignToken(s.PushClaims(endpoint, pusher))
			require.Equal(t, 204, d.post(token, c.body), "a body that is refused comes again for days")
			require.Len(t, d.rings(), c.rings)
		})
	}
	d := newDoorbell(t, gmailtest.New(t, gmailtest.Config{}))
	w := httptest.NewRecorder()
	d.h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, endpoint, nil))
	require.Equal(t, http.StatusMethodNotAllowed, w.Code)
	require.Equal(t, http.MethodPost, w.Header().Get("Allow"))
}

func TestPushRingsOnceForEachChange(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := gmailtest.New(t, gmailtest.Config{Pipe: true})
		d := newDoorbell(t, s)
		send := func(address string, history int) {
			t.Helper()
			token := "Bearer " + s.SignToken(s.PushClaims(endpoint, pusher))
			require.Equal(t, 204, d.post(token, push(fmt.Sprintf(`{"emailAddress":%q,"historyId":%d}`, address, history))))
		}
		send("ann@acme.example", 10)
		send("ann@acme.example", 10)
		send("Ann@acme.example", 9)
		require.Len(t, d.rings(), 1)
		send("bob@acme.example", 9)
		send("ann@acme.example", 11)
		require.Len(t, d.rings(), 3)

		d.fail = errors.New("no bell of ann@acme.example")
		send("ann@acme.example", 12)
		d.fail = nil
		send("ann@acme.example", 12)
		require.Len(t, d.rings(), 5, "what failed to ring is news again")
		require.Contains(t, d.log.String(), "ring")
		require.NotContains(t, d.log.String(), "ann@")

		// A new account under an old address starts with small numbers.
		time.Sleep(2 * time.Hour)
		send("ann@acme.example", 3)
		require.Len(t, d.rings(), 6)
	})
}

func TestPushIsAcknowledgedBeforeTheBellRings(t *testing.T) {
	t.Parallel()
	s := gmailtest.New(t, gmailtest.Config{})
	answered, done := make(chan struct{}), make(chan error, 1)
	h, err := gmail.PushHandler(gmail.PushOptions{
		Audience: endpoint, ServiceAccount: pusher, KeysURL: s.Endpoints().CertsURL, HTTP: s.Client(),
	}, func(ctx context.Context, _ string) error {
		<-answered
		_, limited := ctx.Deadline()
		if !limited {
			done <- errors.New("a ring has no limit")
		}
		done <- ctx.Err()
		return nil
	})
	require.NoError(t, err)
	server := httptest.NewServer(h)
	defer server.Close()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, strings.NewReader(push(news)))
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+s.SignToken(s.PushClaims(endpoint, pusher)))
	resp, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	require.Equal(t, http.StatusNoContent, resp.StatusCode)
	require.NoError(t, resp.Body.Close())
	close(answered)
	require.NoError(t, <-done)
}

// certs serves the keys of a server, and counts.
type certs struct {
	s     *gmailtest.Server
	asked int
	down  bool
	cache string
}

func (c *certs) RoundTrip(r *http.Request) (*http.Response, error) {
	c.asked++
	if c.down {
		return nil, errors.New("no route to host")
	}
	resp, err := c.s.Client().Transport.RoundTrip(r)
	if err == nil {
		resp.Header.Set("Cache-Control", c.cache)
	}
	return resp, err
}

func TestKeysAreKeptAsLongAsTheyMayBeAndAskedForWhenTheyRotate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := gmailtest.New(t, gmailtest.Config{Pipe: true})
		keys := &certs{s: s, cache: "public, max-age=21600, must-revalidate"}
		d := &doorbell{}
		var err error
		d.h, err = gmail.PushHandler(gmail.PushOptions{
			Audience: endpoint, ServiceAccount: pusher, KeysURL: s.Endpoints().CertsURL,
			HTTP: &http.Client{Transport: keys},
		}, d.ring)
		require.NoError(t, err)
		post := func() int { return d.post("Bearer "+s.SignToken(s.PushClaims(endpoint, pusher)), push(news)) }

		require.Equal(t, 204, post())
		time.Sleep(5 * time.Hour)
		require.Equal(t, 204, post())
		require.Equal(t, 1, keys.asked)
		time.Sleep(2 * time.Hour)
		require.Equal(t, 204, post())
		require.Equal(t, 2, keys.asked, "max-age is over")

		old := s.SignToken(s.PushClaims(endpoint, pusher))
		s.RotateKeys()
		require.Equal(t, 401, post(), "asked for less than a minute ago")
		time.Sleep(time.Minute)
		require.Equal(t, 204, post())
		require.Equal(t, 3, keys.asked)
		require.Equal(t, 401, d.post("Bearer "+old, push(news)), "the former key counts no more")
		for range 100 {
			require.Equal(t, 401, d.post("Bearer "+old, push(news)))
		}
		require.Equal(t, 3, keys.asked, "a stranger's key ids do not make us ask")

		keys.down = true
		time.Sleep(7 * time.Hour)
		require.Equal(t, 204, post(), "keys out of date are better than none")
		s.RotateKeys()
		time.Sleep(time.Minute)
		require.Equal(t, 503, post(), "cannot be told now: it comes again")
	})
}

func TestPushOfTheServiceReachesTheBell(t *testing.T) {
	t.Parallel()
	for name, quote := range map[string]bool{"number": false, "quoted number": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				o := newOffice(t, gmailtest.Config{Pipe: true}, withTopic)
				d := newDoorbell(t, o.s)
				o.s.PushTo(gmailtest.PushTarget{
					URL: endpoint, Handler: d.h, ServiceAccount: pusher, QuoteHistoryID: quote,
				})
				o.s.FailPush(gmailtest.PushFault{Skip: 1, Copies: 3})
				_, err := is[provider.Subscriber](t, o.connect(t)).Subscribe(t.Context())
				require.NoError(t, err)
				time.Sleep(time.Minute)
				o.a.Deliver([]byte(letter("x", "y", "")), gmailtest.Delivery{})
				time.Sleep(time.Minute)
				require.Equal(t, []string{ownAddress, ownAddress}, d.rings(), "watch itself rings, then the mail, once")
				require.Equal(t, o.s.Pushes().Attempts, o.s.Pushes().Delivered, "every push is acknowledged at once")
			})
		})
	}
}
