package gmailtest_test

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"github.com/workinbox/workinbox/provider/gmail/gmailtest"
)

type answer struct {
	Access      string `json:"access_token"`
	Refresh     string `json:"refresh_token"`
	ExpiresIn   int    `json:"expires_in"`
	Scope       string `json:"scope"`
	ID          string `json:"id_token"`
	Error       string `json:"error"`
	Description string `json:"error_description"`
	Subtype     string `json:"error_subtype"`
}

func tokenAnswer(t testing.TB, s *gmailtest.Server, form url.Values) (int, answer) {
	t.Helper()
	resp := post(t, s, s.Endpoints().TokenURL, form)
	var a answer
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&a))
	return resp.StatusCode, a
}

// codeFor gets a code by consent.
func codeFor(t testing.TB, s *gmailtest.Server, change func(url.Values)) string {
	t.Helper()
	back, err := s.Follow(t.Context(), consentURL(s, change))
	require.NoError(t, err)
	require.Equal(t, "s&t", back.Query().Get("state"))
	require.Empty(t, back.Query().Get("error"))
	return back.Query().Get("code")
}

func TestConsentExchangeRefreshRevoke(t *testing.T) {
	t.Parallel()
	s, a := open(t, gmailtest.Config{})
	status, got := tokenAnswer(t, s, exchangeForm(codeFor(t, s, nil)))
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, 3599, got.ExpiresIn)
	require.Equal(t, "openid https://www.googleapis.com/auth/userinfo.email "+scopeReadonly+" "+scopeSend, got.Scope)

	claims, err := base64.RawURLEncoding.DecodeString(strings.Split(got.ID, ".")[1])
	require.NoError(t, err)
	var id map[string]any
	require.NoError(t, json.Unmarshal(claims, &id))
	require.Equal(t, "https://accounts.google.com", id["iss"])
	require.Equal(t, gmailtest.ClientID, id["aud"])
	require.Equal(t, a.Sub(), id["sub"])
	require.Equal(t, ann, id["email"])
	require.Equal(t, "acme.example", id["hd"])

	status, fresh := tokenAnswer(t, s, refreshForm(got.Refresh))
	require.Equal(t, http.StatusOK, status)
	require.NotEqual(t, got.Access, fresh.Access)
	require.Empty(t, fresh.Refresh, "Google does not rotate")

	resp := post(t, s, s.Endpoints().RevokeURL, url.Values{"token": {fresh.Access}})
	require.Equal(t, http.StatusOK, resp.StatusCode)
	resp = post(t, s, s.Endpoints().RevokeURL, url.Values{"token": {got.Refresh}})
	require.Equal(t, http.StatusBadRequest, resp.StatusCode)
	status, dead := tokenAnswer(t, s, refreshForm(got.Refresh))
	require.Equal(t, http.StatusBadRequest, status)
	require.Equal(t, "invalid_grant", dead.Error)
	require.Equal(t, "Token has been expired or revoked.", dead.Description)
}

func TestTokenEndpointIsStrict(t *testing.T) {
	t.Parallel()
	set := func(k, v string) func(url.Values) { return func(f url.Values) { f.Set(k, v) } }
	for _, c := range []struct {
		name   string
		change func(url.Values)
		status int
		code   string
	}{
		{"as it should be", func(url.Values) {}, 200, ""},
		{"unknown code", set("code", "4/0nothing"), 400, "invalid_grant"},
		{"other redirect", set("redirect_uri", redirect+"/"), 400, "redirect_uri_mismatch"},
		{"no verifier", func(f url.Values) { f.Del("code_verifier") }, 400, "invalid_grant"},
		{"wrong verifier", set("code_verifier", verifier+"x"), 400, "invalid_grant"},
		{"short verifier", set("code_verifier", "x"), 400, "invalid_grant"},
		{"wrong client", set("client_id", "x"), 401, "invalid_client"},
		{"no client", func(f url.Values) { f.Del("client_id") }, 400, "invalid_request"},
		{"wrong secret", set("client_secret", "x"), 401, "invalid_client"},
		{"no secret", func(f url.Values) { f.Del("client_secret") }, 401, "invalid_client"},
		{"other grant", set("grant_type", "password"), 400, "unsupported_grant_type"},
		{"no refresh token", set("grant_type", "refresh_token"), 400, "invalid_request"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, _ := open(t, gmailtest.Config{})
			form := exchangeForm(codeFor(t, s, nil))
			good := maps.Clone(form)
			c.change(form)
			status, got := tokenAnswer(t, s, form)
			require.Equal(t, c.status, status)
			require.Equal(t, c.code, got.Error)
			// A refusal uses no code up; success does.
			status, _ = tokenAnswer(t, s, good)
			require.Equal(t, c.status != http.StatusOK, status == http.StatusOK)
		})
	}
}

func TestCredentialsInAHeaderAreRefused(t *testing.T) {
	t.Parallel()
	s, a := open(t, gmailtest.Config{})
	conf := oauth2.Config{
		ClientID: gmailtest.ClientID, ClientSecret: gmailtest.ClientSecret,
		Endpoint: oauth2.Endpoint{TokenURL: s.Endpoints().TokenURL, AuthStyle: oauth2.AuthStyleInHeader},
	}
	token := &oauth2.Token{RefreshToken: a.Grant().Refresh, Expiry: time.Unix(1, 0)}
	_, err := conf.TokenSource(t.Context(), token).Token()
	require.Error(t, err)
	conf.Endpoint.AuthStyle = oauth2.AuthStyleInParams
	_, err = conf.TokenSource(t.Context(), token).Token()
	require.NoError(t, err)
}

func TestConsentPageRefuses(t *testing.T) {
	t.Parallel()
	s, _ := open(t, gmailtest.Config{RedirectURIs: []string{redirect}})
	for name, change := range map[string]func(url.Values){
		"client":       func(q url.Values) { q.Set("client_id", "x") },
		"redirect":     func(q url.Values) { q.Set("redirect_uri", redirect+"/") },
		"no scope":     func(q url.Values) { q.Del("scope") },
		"no challenge": func(q url.Values) { q.Del("code_challenge") },
		"plain":        func(q url.Values) { q.Set("code_challenge_method", "plain") },
		"token":        func(q url.Values) { q.Set("response_type", "token") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := s.Follow(t.Context(), consentURL(s, change))
			require.ErrorContains(t, err, "400")
		})
	}
}

func TestThePersonDecides(t *testing.T) {
	t.Parallel()
	decision := gmailtest.Decision{}
	var asked gmailtest.Consent
	s, _ := open(t, gmailtest.Config{Approve: func(c gmailtest.Consent) gmailtest.Decision {
		asked = c
		return decision
	}})
	s.Account(bob)
	decision = gmailtest.Decision{Address: bob, Scopes: []string{"openid", scopeSend}}
	code := codeFor(t, s, func(q url.Values) { q.Set("login_hint", ann) })
	require.Equal(t, ann, asked.LoginHint)
	_, got := tokenAnswer(t, s, exchangeForm(code))
	require.Equal(t, "openid "+scopeSend, got.Scope)

	for _, name := range []string{"access_denied", "admin_policy_enforced"} {
		decision = gmailtest.Decision{Error: name}
		back, err := s.Follow(t.Context(), consentURL(s, nil))
		require.NoError(t, err)
		require.Equal(t, name, back.Query().Get("error"))
		require.Empty(t, back.Query().Get("code"))
	}
}

func TestRefreshTokenComesWithTheFirstConsentOrThatAskedFor(t *testing.T) {
	t.Parallel()
	s, _ := open(t, gmailtest.Config{})
	noPrompt := func(q url.Values) { q.Del("prompt") }
	_, got := tokenAnswer(t, s, exchangeForm(codeFor(t, s, func(q url.Values) { q.Set("access_type", "online") })))
	require.Empty(t, got.Refresh)
	_, got = tokenAnswer(t, s, exchangeForm(codeFor(t, s, noPrompt)))
	require.NotEmpty(t, got.Refresh)
	_, got = tokenAnswer(t, s, exchangeForm(codeFor(t, s, noPrompt)))
	require.Empty(t, got.Refresh)
	_, got = tokenAnswer(t, s, exchangeForm(codeFor(t, s, nil)))
	require.NotEmpty(t, got.Refresh)
}

func TestEarlierScopesAreIncludedWhenAskedFor(t *testing.T) {
	t.Parallel()
	s, a := open(t, gmailtest.Config{})
	a.Grant(scopeSend)
	a.Grant(scopeMetadata, scopeSend)
	code := codeFor(t, s, func(q url.Values) {
		q.Set("scope", scopeReadonly)
		q.Set("include_granted_scopes", "true")
	})
	_, got := tokenAnswer(t, s, exchangeForm(code))
	require.Equal(t, strings.Join([]string{scopeReadonly, scopeMetadata, scopeSend}, " "), got.Scope)
	require.Empty(t, got.ID, "no openid, no id token")
}

func TestGrantsEndAsTheyDoAtGoogle(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, a := open(t, gmailtest.Config{Pipe: true, RotateRefresh: true})
		token := a.Grant()
		calls := func(access string) int {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet,
				s.Endpoints().APIURL+"gmail/v1/users/me/profile", nil)
			require.NoError(t, err)
			req.Header.Set("Authorization", "Bearer "+access)
			resp, err := s.Client().Do(req)
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			return resp.StatusCode
		}
		require.Equal(t, 200, calls(token.Access))
		time.Sleep(3598 * time.Second)
		require.Equal(t, 200, calls(token.Access))
		time.Sleep(time.Second)
		require.Equal(t, 401, calls(token.Access))

		_, rotated := tokenAnswer(t, s, refreshForm(token.Refresh))
		require.NotEmpty(t, rotated.Refresh)
		status, _ := tokenAnswer(t, s, refreshForm(token.Refresh))
		require.Equal(t, 400, status, "the old one is dead")
		a.ExpireTokens()
		require.Equal(t, 401, calls(rotated.Access))

		a.SessionControl(true)
		_, got := tokenAnswer(t, s, refreshForm(rotated.Refresh))
		require.Equal(t, "invalid_rapt", got.Subtype)
		a.SessionControl(false)
		_, again := tokenAnswer(t, s, refreshForm(rotated.Refresh))
		require.Equal(t, 200, calls(again.Access))
		a.Revoke()
		require.Equal(t, 401, calls(again.Access))
		status, got = tokenAnswer(t, s, refreshForm(again.Refresh))
		require.Equal(t, 400, status)
		require.Equal(t, "invalid_grant", got.Error)

		code := codeFor(t, s, nil)
		time.Sleep(10 * time.Minute)
		status, _ = tokenAnswer(t, s, exchangeForm(code))
		require.Equal(t, 400, status, "codes live ten minutes")
	})
}
