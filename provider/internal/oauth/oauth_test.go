package oauth_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/internal/oauth"
)

func TestConsentURL(t *testing.T) {
	t.Parallel()
	c := (&service{}).client()
	c.AuthURL += "?tenant=x"
	address, err := c.ConsentURL(provider.AuthRequest{
		State: "st", Verifier: "v-1", RedirectURL: "https://host.test/back?a=b", LoginHint: "ann@acme.com",
	}, url.Values{
		"access_type": {"offline"}, "resource": {"a", "b"},
		"state": {"forged"}, "code_challenge_method": {"plain"}, "redirect_uri": {"https://evil.test"},
	})
	require.NoError(t, err)
	page, err := url.Parse(address)
	require.NoError(t, err)
	sum := sha256.Sum256([]byte("v-1")) // RFC 7636 4.2
	require.Equal(t, "https://service.test/auth", page.Scheme+"://"+page.Host+page.Path)
	require.Equal(t, url.Values{
		"tenant": {"x"}, "response_type": {"code"}, "client_id": {"client-1"},
		"redirect_uri": {"https://host.test/back?a=b"}, "scope": {"openid mail.read mail.send"},
		"state": {"st"}, "login_hint": {"ann@acme.com"}, "access_type": {"offline"}, "resource": {"a", "b"},
		"code_challenge":        {base64.RawURLEncoding.EncodeToString(sum[:])},
		"code_challenge_method": {"S256"},
	}, page.Query())
	require.NotContains(t, page.String(), "v-1")

	plain, err := c.ConsentURL(provider.AuthRequest{
		State: "st", Verifier: "v-1", RedirectURL: "https://host.test/back",
	}, nil)
	require.NoError(t, err)
	require.NotContains(t, plain, "login_hint")
}

func TestConsentURLWantsAWholeRequest(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		req  provider.AuthRequest
		want string
	}{
		{"state", provider.AuthRequest{Verifier: "v-1", RedirectURL: "https://host.test/back"},
			"get consent: the state is missing: "},
		{"verifier", provider.AuthRequest{State: "st", RedirectURL: "https://host.test/back"},
			"get consent: the code verifier is missing: "},
		{"redirect address", provider.AuthRequest{State: "st", Verifier: "v-1"},
			"get consent: the redirect address is missing: "},
	} {
		page, err := (&service{}).client().ConsentURL(c.req, nil)
		require.EqualError(t, err, c.want+provider.ErrConfig.Error(), c.name)
		require.ErrorIs(t, err, provider.ErrConfig, c.name)
		require.Empty(t, page, c.name)
	}
}

func TestExchangeSendsTheVerifierAndReadsTheToken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &service{reply: always(200, `{"access_token":"a","refresh_token":"r","token_type":"bearer",`+
			`"expires_in":3599,"scope":"openid  mail.read","id_token":"i"}`)}
		got, err := s.client().Exchange(t.Context(), provider.AuthResponse{
			Code: "code-1", Verifier: "v-1", RedirectURL: "https://host.test/back",
		})
		require.NoError(t, err)
		require.Equal(t, oauth.Token{
			Access: oauth.NewSecret("a"), Refresh: oauth.NewSecret("r"), ID: oauth.NewSecret("i"), Type: "Bearer",
			Expiry: time.Now().Add(3599 * time.Second).Round(0).UTC(), Scopes: []string{"openid", "mail.read"},
		}, got)
		require.Equal(t, []url.Values{{
			"grant_type": {"authorization_code"}, "code": {"code-1"}, "code_verifier": {"v-1"},
			"redirect_uri": {"https://host.test/back"}, "client_id": {"client-1"}, "client_secret": {"hush-hush"},
		}}, s.requests(), "credentials in the form, one request")
	})
}

func TestGrantedScopes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, scope string
		want        []string
	}{
		{"absent: what was asked for (RFC 6749 5.1)", ``, []string{"openid", "mail.read", "mail.send"}},
		{"fewer", `,"scope":"openid"`, []string{"openid"}},
		{"none", `,"scope":""`, []string{}},
		{"null is absent", `,"scope":null`, []string{"openid", "mail.read", "mail.send"}},
	} {
		s := &service{reply: always(200, `{"access_token":"a","expires_in":"3599"`+c.scope+`}`)}
		got, err := s.client().Exchange(t.Context(), provider.AuthResponse{Code: "code-1"})
		require.NoError(t, err, c.name)
		require.Equal(t, c.want, got.Scopes, c.name)
		require.True(t, got.Refresh.IsZero(), c.name)
	}
}

func TestTokenWithoutALifeIsTakenAsExpired(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &service{reply: always(200, `{"access_token":"a"}`)}
		got, err := s.client().Exchange(t.Context(), provider.AuthResponse{Code: "code-1"})
		require.NoError(t, err)
		require.Equal(t, time.Now().Round(0).UTC(), got.Expiry)
	})
}

func TestExchangeThatFails(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		answer answer
		want   error
		text   string
	}{
		{"code used twice", answer{400, `{"error":"invalid_grant","error_description":"Malformed auth code."}`, nil},
			provider.ErrAuth, "exchange the code: the mailbox owner must reconnect: token endpoint: 400 invalid_grant: Malformed auth code."},
		{"200 with an error field", answer{200, `{"error":"invalid_grant","access_token":"a"}`, nil},
			provider.ErrAuth, "exchange the code: the mailbox owner must reconnect: token endpoint: 200 invalid_grant"},
		{"wrong secret, quoted by the service", answer{401, `{"error":"invalid_client","error_description":"bad secret hush-hush for code-1"}`, nil},
			provider.ErrConfig, "exchange the code: the mail service refuses the application's configuration: " +
				"token endpoint: 401 invalid_client: bad secret [redacted] for [redacted]"},
		{"form instead of JSON", answer{400, `error=invalid_grant&error_description=no`, http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}},
			provider.ErrAuth, "exchange the code: the mailbox owner must reconnect: token endpoint: 400 invalid_grant: no"},
		{"front end's HTML", answer{502, `<html>Bad gateway</html>`, nil},
			provider.ErrRetry, "exchange the code: try again later: token endpoint: 502"},
		{"another shape of error", answer{429, `{"error":{"code":429,"message":"x"}}`, nil},
			provider.ErrRetry, "exchange the code: try again later: token endpoint: 429"},
		{"success without a token", answer{200, `{}`, nil},
			provider.ErrRetry, "exchange the code: try again later: oauth2: server response missing access_token"},
		{"success cut short", answer{200, `{"access_tok`, nil},
			provider.ErrRetry, "exchange the code: try again later: oauth2: cannot parse json: unexpected end of JSON input"},
	} {
		s := &service{reply: func(int, url.Values) answer { return c.answer }}
		_, err := s.client().Exchange(t.Context(), provider.AuthResponse{Code: "code-1", Verifier: "v-1"})
		require.ErrorIs(t, err, c.want, c.name)
		require.EqualError(t, err, c.text, c.name)
		require.Len(t, s.requests(), 1, c.name)
	}
}

func TestExchangeGivesUpWithItsCaller(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &service{latency: time.Minute, reply: granted}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := s.client().Exchange(ctx, provider.AuthResponse{Code: "code-1"})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.NotErrorIs(t, err, provider.ErrRetry)
	})
}

func TestCallsEndAfterThirtySeconds(t *testing.T) {
	t.Parallel()
	for name, limit := range map[string]time.Duration{"none": 0, "longer": time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			s := &service{latency: time.Hour, reply: granted}
			c := s.client()
			c.HTTP.Timeout = limit
			start := time.Now()
			_, err := c.Exchange(t.Context(), provider.AuthResponse{Code: "code-1"})
			require.ErrorIs(t, err, provider.ErrRetry, name)
			require.NotErrorIs(t, err, context.DeadlineExceeded, "it is not the caller's")
			require.Equal(t, 30*time.Second, time.Since(start), name)
			require.Equal(t, limit, c.HTTP.Timeout, "the host's client stays as it is")
		})
	}
}

func TestRedirectOfTheTokenEndpointIsNotFollowed(t *testing.T) {
	t.Parallel()
	var reached bool
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	defer elsewhere.Close()
	server := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
	defer server.Close()
	c := &oauth.Client{ID: "client-1", Secret: "hush-hush", TokenURL: server.URL, RevokeURL: server.URL}
	_, err := c.Exchange(t.Context(), provider.AuthResponse{Code: "code-1"})
	require.ErrorIs(t, err, provider.ErrRetry)
	require.ErrorIs(t, c.Revoke(t.Context(), "refresh-0"), provider.ErrRetry)
	require.False(t, reached, "the secret went elsewhere")
}

func TestEndlessAnswerIsCutOff(t *testing.T) {
	t.Parallel()
	var sent int64
	ended := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(ended)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"access_token":"`)
		chunk := strings.Repeat("x", 64<<10)
		for sent < 1<<30 {
			n, err := io.WriteString(w, chunk)
			if sent += int64(n); err != nil {
				return
			}
		}
	}))
	defer server.Close()
	c := &oauth.Client{ID: "client-1", TokenURL: server.URL}
	_, err := c.Exchange(t.Context(), provider.AuthResponse{Code: "code-1"})
	require.ErrorIs(t, err, provider.ErrRetry)
	<-ended
	require.Less(t, sent, int64(64<<20), "bytes the service got rid of")
}

func TestRevoke(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		answer answer
		want   error
	}{
		{"ended", answer{200, ``, nil}, nil},
		{"dead already", answer{400, `{"error":"invalid_token"}`, nil}, nil},
		{"dead already, said otherwise", answer{400, `{"error":"invalid_grant"}`, nil}, nil},
		{"busy (RFC 7009 2.2.1)", answer{503, ``, http.Header{"Retry-After": {"7"}}}, provider.ErrRetry},
		{"another type of token (RFC 7009 2.2.1)", answer{400, `{"error":"unsupported_token_type"}`, nil}, provider.ErrConfig},
		{"wrong client", answer{401, `{"error":"invalid_client"}`, nil}, provider.ErrConfig},
	} {
		s := &service{reply: func(int, url.Values) answer { return c.answer }}
		err := s.client().Revoke(t.Context(), "refresh-0")
		if c.want == nil {
			require.NoError(t, err, c.name)
		} else {
			require.ErrorIs(t, err, c.want, c.name)
		}
		require.Equal(t, []url.Values{{"token": {"refresh-0"}}}, s.requests(), c.name)
		if retry, ok := errors.AsType[*provider.RetryError](err); ok {
			require.Equal(t, 7*time.Second, retry.After, c.name)
		}
	}
	require.ErrorIs(t, (&oauth.Client{}).Revoke(t.Context(), "refresh-0"), errors.ErrUnsupported)
	require.ErrorIs(t, (&oauth.Client{RevokeURL: "::"}).Revoke(t.Context(), "refresh-0"), provider.ErrConfig)
}

func TestUnreachableServiceIsWorthAnotherTry(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	c := &oauth.Client{ID: "client-1", Secret: "hush-hush", TokenURL: server.URL, RevokeURL: server.URL}
	_, err := c.Exchange(t.Context(), provider.AuthResponse{Code: "code-1", Verifier: "v-1"})
	require.ErrorIs(t, err, provider.ErrRetry)
	require.ErrorContains(t, err, "refused", "the reason is for the operator")
	require.ErrorIs(t, c.Revoke(t.Context(), "refresh-0"), provider.ErrRetry)
}
