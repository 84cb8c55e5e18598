package oauth_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/internal/oauth"
)

// api is a mail API as a RoundTripper that takes some access tokens.
type api struct {
	takes func(access string) int // status

	mu     sync.Mutex
	calls  []string // access token and body of each
	closed int      // answers whose body was closed
}

func (a *api) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body)
		_ = r.Body.Close()
	}
	access := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	a.mu.Lock()
	a.calls = append(a.calls, strings.TrimSpace(access+" "+string(body)))
	a.mu.Unlock()
	resp := response(r, answer{status: a.takes(access)})
	resp.Body = closing{resp.Body, func() { a.mu.Lock(); a.closed++; a.mu.Unlock() }}
	return resp, nil
}

type closing struct {
	io.ReadCloser
	then func()
}

func (c closing) Close() error { c.then(); return c.ReadCloser.Close() }

func only(good ...string) func(string) int {
	return func(access string) int {
		for _, g := range good {
			if access == g {
				return 200
			}
		}
		return 401
	}
}

func post(t *testing.T, body io.Reader) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://api.test/send", body)
	require.NoError(t, err)
	return r
}

func TestTransportRepeatsOnceAfterA401(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		body  io.Reader
		takes func(string) int
		want  int
		calls []string
	}{
		{"accepted", strings.NewReader("mail"), only("access-0"), 200, []string{"access-0 mail"}},
		{"refused once", strings.NewReader("mail"), only("access-1"), 200, []string{"access-0 mail", "access-1 mail"}},
		{"no body", nil, only("access-1"), 200, []string{"access-0", "access-1"}},
		{"empty body", http.NoBody, only("access-1"), 200, []string{"access-0", "access-1"}},
		{"body that cannot be had again", io.MultiReader(strings.NewReader("mail")), only("access-1"), 401, []string{"access-0 mail"}},
		{"refused twice", strings.NewReader("mail"), only(), 401, []string{"access-0 mail", "access-1 mail"}},
	} {
		s, v := &service{reply: granted}, &vault{}
		source := oauth.NewSource(s.client(), old(time.Hour), v.save)
		a := &api{takes: c.takes}
		r := post(t, c.body)
		resp, err := (&oauth.Transport{Source: source, Base: a}).RoundTrip(r)
		require.NoError(t, err, c.name)
		require.Equal(t, c.want, resp.StatusCode, c.name)
		require.Equal(t, c.calls, a.calls, c.name)
		require.Equal(t, len(c.calls)-1, a.closed, "%s: bodies of answers nobody sees", c.name)
		require.Empty(t, r.Header, "%s: the caller's request stays as it is", c.name)
		require.Len(t, s.requests(), len(c.calls)-1, c.name)
	}
}

func TestSecondRefusalEndsTheGrant(t *testing.T) {
	t.Parallel()
	s := &service{reply: granted}
	source := oauth.NewSource(s.client(), old(time.Hour), nil)
	a := &api{takes: only()}
	client := &http.Client{Transport: &oauth.Transport{Source: source, Base: a}}
	resp, err := client.Get("https://api.test/")
	require.NoError(t, err)
	require.Equal(t, 401, resp.StatusCode)
	for range 3 {
		_, err = client.Get("https://api.test/")
		require.ErrorIs(t, err, provider.ErrAuth)
		_, ok := errors.AsType[*oauth.TokenError](err)
		require.True(t, ok)
	}
	require.Equal(t, []string{"access-0", "access-1"}, a.calls)
	require.Len(t, s.requests(), 1)
}

func TestManyRefusalsOfOneTokenAreOneRefresh(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &service{latency: time.Second, reply: granted}
		source := oauth.NewSource(s.client(), old(time.Hour), nil)
		a := &api{takes: only("access-1")}
		transport := &oauth.Transport{Source: source, Base: a}
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				resp, err := transport.RoundTrip(post(t, strings.NewReader("x")))
				require.NoError(t, err)
				require.Equal(t, 200, resp.StatusCode)
			})
		}
		wg.Wait()
		require.Len(t, s.requests(), 1)
		source.Refused("access-0") // a late one
		wantAccess(t, source, "access-1")
		require.Len(t, s.requests(), 1)
	})
}

func TestRefusalOfATokenOthersJustUsedIsTheCallsOwn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &service{reply: granted}
		source := oauth.NewSource(s.client(), old(time.Hour), nil)
		refusing := &oauth.Transport{Source: source, Base: &api{takes: only()}}
		taking := &oauth.Transport{Source: source, Base: &api{takes: func(string) int { return 200 }}}
		source.Refused("access-0")
		_, err := taking.RoundTrip(post(t, nil))
		require.NoError(t, err)
		for range 59 {
			resp, err := refusing.RoundTrip(post(t, nil))
			require.NoError(t, err)
			require.Equal(t, 401, resp.StatusCode)
			time.Sleep(time.Second)
		}
		wantAccess(t, source, "access-1")
		require.Len(t, s.requests(), 1, "refreshes in a minute")
	})
}

func TestLateAnswersForAnOlderTokenCountForNothing(t *testing.T) {
	t.Parallel()
	s := &service{reply: granted}
	source := oauth.NewSource(s.client(), old(time.Hour), nil)
	source.Refused("access-0")
	wantAccess(t, source, "access-1")
	source.Refused("access-0")
	wantAccess(t, source, "access-1")
	source.Accepted("access-0")
	source.Refused("access-1")
	_, err := source.Token(t.Context())
	require.ErrorIs(t, err, provider.ErrAuth)
}

// Other refusals may come from a front end that has not looked at the token.
func TestOnlyASuccessAcceptsAToken(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]error{503: provider.ErrAuth, 404: provider.ErrAuth, 204: nil} {
		s := &service{reply: granted}
		source := oauth.NewSource(s.client(), old(time.Hour), nil)
		source.Refused("access-0")
		transport := &oauth.Transport{Source: source, Base: &api{takes: func(string) int { return status }}}
		_, err := transport.RoundTrip(post(t, nil))
		require.NoError(t, err)
		source.Refused("access-1")
		_, err = source.Token(t.Context())
		require.ErrorIs(t, err, want, "after a %d", status)
	}
}

func TestRefusedTokenIsNotUsedToBridge(t *testing.T) {
	t.Parallel()
	s := &service{reply: always(503, ``)}
	source := oauth.NewSource(s.client(), old(time.Hour), nil)
	source.Refused("access-0")
	_, err := source.Token(t.Context())
	require.ErrorIs(t, err, provider.ErrRetry)
}

func TestOrdinaryRefreshForgetsOldRefusals(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &service{reply: granted}
		source := oauth.NewSource(s.client(), old(time.Hour), nil)
		source.Refused("access-0")
		wantAccess(t, source, "access-1")
		time.Sleep(time.Hour)
		wantAccess(t, source, "access-2")
		source.Refused("access-2")
		wantAccess(t, source, "access-3")
		source.Accepted("access-3")
		time.Sleep(time.Minute)
		source.Refused("access-3")
		wantAccess(t, source, "access-4")
	})
}

// body counts what is read of it.
type body struct {
	io.Reader
	read   atomic.Int64
	closed atomic.Bool
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	b.read.Add(int64(n))
	return n, err
}
func (b *body) Close() error { b.closed.Store(true); return nil }

// A send that ended with a *TokenError was not sent.
func TestTokenErrorComesBeforeTheBodyIsTouched(t *testing.T) {
	t.Parallel()
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	for _, c := range []struct {
		name string
		ctx  context.Context
		want error
	}{
		{"dead grant", t.Context(), provider.ErrAuth}, {"caller left", canceled, context.Canceled},
	} {
		s := &service{reply: always(400, deadGrant)}
		a := &api{takes: only("access-0")}
		client := &http.Client{Transport: &oauth.Transport{
			Source: oauth.NewSource(s.client(), old(0), nil), Base: a,
		}}
		b := &body{Reader: strings.NewReader("mail")}
		_, err := client.Do(post(t, b).WithContext(c.ctx))
		require.ErrorIs(t, err, c.want, c.name)
		token, ok := errors.AsType[*oauth.TokenError](err)
		require.True(t, ok, c.name)
		require.ErrorContains(t, token, "access token: ", c.name)
		require.Zero(t, b.read.Load(), c.name)
		require.True(t, b.closed.Load(), c.name)
		require.Empty(t, a.calls, c.name)
	}
}

func TestTokenErrorAfterA401IsStillNotSent(t *testing.T) {
	t.Parallel()
	s := &service{reply: always(400, deadGrant)}
	a := &api{takes: only()}
	transport := &oauth.Transport{Source: oauth.NewSource(s.client(), old(time.Hour), nil), Base: a}
	_, err := transport.RoundTrip(post(t, bytes.NewReader([]byte("mail"))))
	require.ErrorIs(t, err, provider.ErrAuth)
	_, ok := errors.AsType[*oauth.TokenError](err)
	require.True(t, ok)
	require.Equal(t, []string{"access-0 mail"}, a.calls)
	require.Equal(t, 1, a.closed)
}

func TestErrorOfTheNetworkIsPassedOn(t *testing.T) {
	t.Parallel()
	base := roundTripper(func(*http.Request) (*http.Response, error) { return nil, errDisk })
	transport := &oauth.Transport{Source: oauth.NewSource((&service{}).client(), old(time.Hour), nil), Base: base}
	_, err := transport.RoundTrip(post(t, nil))
	require.ErrorIs(t, err, errDisk)
	_, ok := errors.AsType[*oauth.TokenError](err)
	require.False(t, ok)
}

func TestBodyThatCannotBeOpenedAgainLeavesThe401(t *testing.T) {
	t.Parallel()
	s := &service{reply: granted}
	a := &api{takes: only("access-1")}
	r := post(t, strings.NewReader("mail"))
	r.GetBody = func() (io.ReadCloser, error) { return nil, errDisk }
	transport := &oauth.Transport{Source: oauth.NewSource(s.client(), old(time.Hour), nil), Base: a}
	resp, err := transport.RoundTrip(r)
	require.NoError(t, err)
	require.Equal(t, 401, resp.StatusCode)
	require.Zero(t, a.closed, "the caller reads it")
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestRedirectToAnotherHostGetsNoToken(t *testing.T) {
	t.Parallel()
	var elsewhere, here string
	foreign := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		elsewhere = "got " + r.Header.Get("Authorization")
	}))
	defer foreign.Close()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/away":
			http.Redirect(w, r, "/near", http.StatusFound)
		case "/near":
			here = "got " + r.Header.Get("Authorization")
			http.Redirect(w, r, foreign.URL, http.StatusFound)
		}
	}))
	defer server.Close()
	transport := &oauth.Transport{Source: oauth.NewSource((&service{}).client(), old(time.Hour), nil)}
	client := &http.Client{Transport: transport}
	resp, err := client.Get(server.URL + "/away")
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, 200, resp.StatusCode)
	require.Equal(t, "got Bearer access-0", here)
	require.Equal(t, "got ", elsewhere)
	client.CloseIdleConnections()
}

func TestRedirectFromNobodyKnowsWhereGetsNoToken(t *testing.T) {
	t.Parallel()
	a := &api{takes: only("")}
	transport := &oauth.Transport{Source: oauth.NewSource((&service{}).client(), old(time.Hour), nil), Base: a}
	r := post(t, nil)
	r.Response = &http.Response{}
	_, err := transport.RoundTrip(r)
	require.NoError(t, err)
	require.Equal(t, []string{""}, a.calls)
	(&http.Client{Transport: transport}).CloseIdleConnections() // a base without it is fine
}

func TestTokenWithoutATypeIsABearer(t *testing.T) {
	t.Parallel()
	token := old(time.Hour)
	token.Type = ""
	var got string
	base := roundTripper(func(r *http.Request) (*http.Response, error) {
		got = r.Header.Get("Authorization")
		return response(r, answer{status: 200}), nil
	})
	transport := &oauth.Transport{Source: oauth.NewSource((&service{}).client(), token, nil), Base: base}
	_, err := transport.RoundTrip(post(t, nil))
	require.NoError(t, err)
	require.Equal(t, "Bearer access-0", got)
}
