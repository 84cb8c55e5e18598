package oauth_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider/internal/oauth"
)

// answer is what a service says.
type answer struct {
	status int
	body   string
	header http.Header
}

// service is a token endpoint as a RoundTripper: it takes its time, counts and remembers what was
// sent.
type service struct {
	latency time.Duration
	reply   func(n int, form url.Values) answer // n counts from 1

	mu    sync.Mutex
	forms []url.Values
}

func (s *service) RoundTrip(r *http.Request) (*http.Response, error) {
	text, err := io.ReadAll(r.Body)
	_ = r.Body.Close()
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(text))
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.forms = append(s.forms, form)
	n := len(s.forms)
	s.mu.Unlock()
	select {
	case <-time.After(s.latency):
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	a := s.reply(n, form)
	return response(r, a), nil
}

func response(r *http.Request, a answer) *http.Response {
	h := http.Header{"Content-Type": {"application/json"}}
	for k, v := range a.header {
		h[k] = v
	}
	return &http.Response{
		StatusCode: a.status, Status: fmt.Sprintf("%d %s", a.status, http.StatusText(a.status)),
		Header: h, Body: io.NopCloser(strings.NewReader(a.body)), Request: r,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
}

// requests says what was sent so far.
func (s *service) requests() []url.Values {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]url.Values(nil), s.forms...)
}

func (s *service) client() *oauth.Client {
	return &oauth.Client{
		ID: "client-1", Secret: "hush-hush", AuthURL: "https://service.test/auth",
		TokenURL: "https://service.test/token", RevokeURL: "https://service.test/revoke",
		Scopes: []string{"openid", "mail.read", "mail.send"}, Issuers: []string{"https://service.test"},
		HTTP: &http.Client{Transport: s}, Classify: oauth.Google,
	}
}

// granted answers every request with access token "access-n", without a new refresh token.
func granted(n int, _ url.Values) answer {
	return answer{status: 200, body: fmt.Sprintf(
		`{"access_token":"access-%d","token_type":"Bearer","expires_in":3599}`, n)}
}

// rotating answers every request with "access-n" and "refresh-n".
func rotating(n int, _ url.Values) answer {
	return answer{status: 200, body: fmt.Sprintf(
		`{"access_token":"access-%d","refresh_token":"refresh-%d","token_type":"Bearer","expires_in":3600}`, n, n)}
}

// always gives the same answer.
func always(status int, body string) func(int, url.Values) answer {
	return func(int, url.Values) answer { return answer{status: status, body: body} }
}

const deadGrant = `{"error":"invalid_grant","error_description":"Token has been expired or revoked."}`

// old is a stored token that lives that much longer.
func old(life time.Duration) oauth.Token {
	return oauth.Token{
		Access: oauth.NewSecret("access-0"), Refresh: oauth.NewSecret("refresh-0"), Type: "Bearer",
		Expiry: time.Now().Add(life), Scopes: []string{"openid", "mail.read"},
	}
}

// vault stores tokens and can refuse to.
type vault struct {
	mu     sync.Mutex
	err    error
	tokens []oauth.Token
}

func (v *vault) save(_ context.Context, t oauth.Token) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.err != nil {
		return v.err
	}
	v.tokens = append(v.tokens, t)
	return nil
}

func (v *vault) refuse(err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.err = err
}

func (v *vault) stored() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	var all []string
	for _, t := range v.tokens {
		all = append(all, t.Access.Reveal()+" "+t.Refresh.Reveal())
	}
	return all
}

// wantAccess asks for a token and compares.
func wantAccess(t *testing.T, s *oauth.Source, want string) {
	t.Helper()
	got, err := s.Token(t.Context())
	require.NoError(t, err)
	require.Equal(t, want, got.Access.Reveal())
}
