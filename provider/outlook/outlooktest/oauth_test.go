package outlooktest_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider/outlook/outlooktest"
)

const (
	redirect = "https://host.example/callback"
	verifier = "a-verifier-that-is-long-enough-for-rfc-7636-0123456789"
	asked    = "openid profile email offline_access User.Read Mail.ReadWrite Mail.Send"
)

func challenge() string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// authorize is a right authorization request with changes: pairs of name and value, where an empty
// value leaves the parameter out.
func authorize(s *outlooktest.Server, tenant string, changes ...string) string {
	q := url.Values{
		"client_id": {outlooktest.ClientID}, "redirect_uri": {redirect}, "response_type": {"code"},
		"scope": {asked}, "state": {"s1"}, "code_challenge": {challenge()},
		"code_challenge_method": {"S256"}, "nonce": {"n1"},
	}
	change(q, changes)
	return s.Endpoints().LoginURL + "/" + tenant + "/oauth2/v2.0/authorize?" + q.Encode()
}

func change(q url.Values, changes []string) {
	for i := 0; i < len(changes); i += 2 {
		q.Del(changes[i])
		if changes[i+1] != "" {
			q.Set(changes[i], changes[i+1])
		}
	}
}

// token posts a form to the token endpoint.
func token(t testing.TB, s *outlooktest.Server, tenant string, form url.Values) (int, map[string]any) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost,
		s.Endpoints().LoginURL+"/"+tenant+"/oauth2/v2.0/token", strings.NewReader(form.Encode()))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := s.Client().Do(r)
	require.NoError(t, err)
	defer func() { require.NoError(t, resp.Body.Close()) }()
	b, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	var out map[string]any
	require.NoError(t, json.Unmarshal(b, &out), "%s", b)
	return resp.StatusCode, out
}

func credentials(grant string, changes ...string) url.Values {
	q := url.Values{
		"grant_type": {grant}, "client_id": {outlooktest.ClientID},
		"client_secret": {outlooktest.ClientSecret},
	}
	change(q, changes)
	return q
}

func newCode(t testing.TB, s *outlooktest.Server) string {
	t.Helper()
	back, err := s.Follow(t.Context(), authorize(s, "organizations"))
	require.NoError(t, err)
	require.Equal(t, "s1", back.Query().Get("state"))
	require.NotEmpty(t, back.Query().Get("code"), back.String())
	return back.Query().Get("code")
}

func exchange(code string, changes ...string) url.Values {
	return credentials("authorization_code", append([]string{
		"code", code, "redirect_uri", redirect, "code_verifier", verifier,
	}, changes...)...)
}

func TestConsentGivesTokens(t *testing.T) {
	t.Parallel()
	s := outlooktest.New(t, outlooktest.Config{})
	a := s.Account(ann)
	status, got := token(t, s, "organizations", exchange(newCode(t, s)))
	require.Equal(t, 200, status, got)
	require.Equal(t, "openid profile email https://graph.microsoft.com/User.Read "+
		"https://graph.microsoft.com/Mail.ReadWrite https://graph.microsoft.com/Mail.Send", got["scope"])
	require.InDelta(t, 4199, got["expires_in"], 0)
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(got["id_token"].(string), ".")[1])
	require.NoError(t, err)
	var claims map[string]any
	require.NoError(t, json.Unmarshal(payload, &claims))
	require.Equal(t, a.Tenant(), claims["tid"])
	require.Equal(t, a.ObjectID(), claims["oid"])
	require.Equal(t, ann, claims["preferred_username"])
	require.Equal(t, ann, claims["email"])
	require.Equal(t, "n1", claims["nonce"])
	require.Equal(t, outlooktest.ClientID, claims["aud"])
	require.Equal(t, "https://login.microsoftonline.com/"+a.Tenant()+"/v2.0", claims["iss"])

	g := graph{t, s, a, s.Client()}
	me := g.do("GET", "/me", "", "Authorization", "Bearer "+got["access_token"].(string))
	require.Equal(t, a.ObjectID(), me.text("id"))
}

func TestConsentRefusals(t *testing.T) {
	t.Parallel()
	s := outlooktest.New(t, outlooktest.Config{RedirectURIs: []string{redirect}})
	s.Account(ann)
	for _, test := range []struct {
		name   string
		target string
		want   string // the error of the redirect, or "" for a page
	}{
		{"unknown client", authorize(s, "organizations", "client_id", "x"), ""},
		{"redirect not registered", authorize(s, "organizations", "redirect_uri", "https://evil.example/"), ""},
		{"unknown tenant", authorize(s, "nonsense"), ""},
		{"no challenge", authorize(s, "organizations", "code_challenge", ""), "invalid_request"},
		{"plain challenge", authorize(s, "organizations", "code_challenge_method", "plain"), "invalid_request"},
		{"no scope", authorize(s, "organizations", "scope", ""), "invalid_request"},
		{"token flow", authorize(s, "organizations", "response_type", "token"), "invalid_request"},
		{"form post", authorize(s, "organizations", "response_mode", "form_post"), "invalid_request"},
		{"foreign tenant", authorize(s, "11111111-1111-1111-1111-111111111111"), "access_denied"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			back, err := s.Follow(t.Context(), test.target)
			if test.want == "" {
				require.ErrorContains(t, err, "400")
				return
			}
			require.NoError(t, err)
			require.Equal(t, test.want, back.Query().Get("error"))
			require.Empty(t, back.Query().Get("code"))
		})
	}
}

func TestExchangeRefusals(t *testing.T) {
	t.Parallel()
	s := outlooktest.New(t, outlooktest.Config{})
	s.Account(ann)
	used := newCode(t, s)
	status, _ := token(t, s, "organizations", exchange(used))
	require.Equal(t, 200, status)
	for _, test := range []struct {
		name   string
		form   url.Values
		status int
		error  string
		code   int
	}{
		{"used code", exchange(used), 400, "invalid_grant", 54005},
		{"unknown code", exchange("x"), 400, "invalid_grant", 70000},
		{"other redirect", exchange(newCode(t, s), "redirect_uri", "https://host.example/"), 400, "invalid_client", 50011},
		{"other verifier", exchange(newCode(t, s), "code_verifier", verifier+"x"), 400, "invalid_grant", 501481},
		{"no verifier", exchange(newCode(t, s), "code_verifier", ""), 400, "invalid_grant", 501481},
		{"wrong secret", exchange(newCode(t, s), "client_secret", "x"), 401, "invalid_client", 7000215},
		{"no secret", exchange(newCode(t, s), "client_secret", ""), 401, "invalid_client", 7000218},
		{"other client", exchange(newCode(t, s), "client_id", "x"), 400, "unauthorized_client", 700016},
		{"other grant type", exchange(newCode(t, s), "grant_type", "password"), 400, "unsupported_grant_type", 70003},
		{"scope not granted", exchange(newCode(t, s), "scope", "Calendars.Read"), 400, "invalid_grant", 65001},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			status, got := token(t, s, "organizations", test.form)
			require.Equal(t, test.status, status, got)
			require.Equal(t, test.error, got["error"])
			require.Equal(t, []any{float64(test.code)}, got["error_codes"])
			require.Contains(t, got["error_description"], "AADSTS")
		})
	}
}

func TestRefreshRotates(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		refuse bool
		again  int
	}{{"the old token lives on", false, 200}, {"the old token is refused", true, 400}} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := outlooktest.New(t, outlooktest.Config{RefuseUsedRefresh: test.refuse})
			a := s.Account(ann)
			old := a.Grant().Refresh
			status, got := token(t, s, a.Tenant(), credentials("refresh_token", "refresh_token", old))
			require.Equal(t, 200, status, got)
			require.NotEqual(t, old, got["refresh_token"])
			status, _ = token(t, s, a.Tenant(), credentials("refresh_token", "refresh_token", old))
			require.Equal(t, test.again, status)
			status, _ = token(t, s, a.Tenant(), credentials("refresh_token", "refresh_token", got["refresh_token"].(string)))
			require.Equal(t, 200, status)
		})
	}
}

func TestRefreshRefusals(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		code   int
		status int
		error  string
		claims bool
	}{
		{"idle", 700082, 400, "invalid_grant", false},
		{"second factor", 50076, 400, "interaction_required", true},
		{"conditional access", 53003, 400, "interaction_required", true},
		{"administrator", 90094, 400, "invalid_grant", false},
		{"expired secret", 7000222, 401, "invalid_client", false},
		{"transient", 90006, 503, "temporarily_unavailable", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := outlooktest.New(t, outlooktest.Config{})
			a := s.Account(ann)
			a.RefuseTokens(test.code)
			form := credentials("refresh_token", "refresh_token", a.Grant().Refresh)
			status, got := token(t, s, "common", form)
			require.Equal(t, test.status, status)
			require.Equal(t, test.error, got["error"])
			require.Equal(t, test.claims, got["claims"] != nil)
			a.RefuseTokens(0)
			status, _ = token(t, s, "common", form)
			require.Equal(t, 200, status)
		})
	}
}

func TestGrantsEnd(t *testing.T) {
	t.Parallel()
	inBubble(t, outlooktest.Config{}, func(t *testing.T, g graph) {
		refresh := g.a.Grant().Refresh
		form := credentials("refresh_token", "refresh_token", refresh)
		g.get("/me")
		time.Sleep(4199 * time.Second)
		g.refused(g.do("GET", "/me", ""), 401, "InvalidAuthenticationToken")
		time.Sleep(90 * 24 * time.Hour)
		_, got := token(t, g.s, "common", form)
		require.Equal(t, []any{float64(700082)}, got["error_codes"])
		code := newCode(t, g.s)
		time.Sleep(10 * time.Minute)
		_, got = token(t, g.s, "common", exchange(code))
		require.Equal(t, []any{float64(70008)}, got["error_codes"])
	})
}

func TestRevokeAndExpire(t *testing.T) {
	t.Parallel()
	g := open(t, outlooktest.Config{})
	granted := g.a.Grant()
	g.a.ExpireTokens()
	a := g.do("GET", "/me", "")
	g.refused(a, 401, "InvalidAuthenticationToken")
	require.Contains(t, a.header.Get("WWW-Authenticate"), "Bearer")
	form := credentials("refresh_token", "refresh_token", granted.Refresh)
	status, _ := token(t, g.s, "common", form)
	require.Equal(t, 200, status)
	g.a.Revoke()
	_, got := token(t, g.s, "common", form)
	require.Equal(t, "invalid_grant", got["error"])
	require.Equal(t, []any{float64(50173)}, got["error_codes"])
}

func TestClaimsChallenge(t *testing.T) {
	t.Parallel()
	g := open(t, outlooktest.Config{})
	const claims = `{"access_token":{"nbf":{"essential":true,"value":"1"}}}`
	g.a.Challenge(claims)
	a := g.do("GET", "/me", "")
	require.Equal(t, 401, a.status)
	require.Contains(t, a.header.Get("WWW-Authenticate"),
		`claims="`+base64.StdEncoding.EncodeToString([]byte(claims))+`"`)
	_, err := g.s.Follow(t.Context(), authorize(g.s, "common"))
	require.NoError(t, err)
	require.Equal(t, 401, g.do("GET", "/me", "").status, "without the claims")
	_, err = g.s.Follow(t.Context(), authorize(g.s, "common", "claims", claims))
	require.NoError(t, err)
	g.get("/me")
}

func TestAdminConsent(t *testing.T) {
	t.Parallel()
	s := outlooktest.New(t, outlooktest.Config{AdminConsent: true})
	a := s.Account(ann)
	back, err := s.Follow(t.Context(), authorize(s, "organizations"))
	require.NoError(t, err)
	require.Equal(t, "access_denied", back.Query().Get("error"))
	require.Contains(t, back.Query().Get("error_description"), "AADSTS90094")
	q := url.Values{
		"client_id": {outlooktest.ClientID}, "redirect_uri": {redirect}, "state": {"s2"},
		"scope": {"https://graph.microsoft.com/Mail.Read"},
	}
	back, err = s.Follow(t.Context(), s.Endpoints().LoginURL+"/"+a.Tenant()+"/v2.0/adminconsent?"+q.Encode())
	require.NoError(t, err)
	require.Equal(t, "True", back.Query().Get("admin_consent"))
	require.Equal(t, a.Tenant(), back.Query().Get("tenant"))
	newCode(t, s)
}

func TestPersonDecides(t *testing.T) {
	t.Parallel()
	decision := outlooktest.Decision{Error: "access_denied"}
	s := outlooktest.New(t, outlooktest.Config{
		Approve: func(outlooktest.Consent) outlooktest.Decision { return decision },
	})
	s.Account(ann)
	back, err := s.Follow(t.Context(), authorize(s, "common"))
	require.NoError(t, err)
	require.Equal(t, "access_denied", back.Query().Get("error"))
	require.Contains(t, back.Query().Get("error_description"), "AADSTS65004")
	s.Account(bob)
	decision = outlooktest.Decision{Address: bob, Scopes: []string{"offline_access", "Mail.Read"}}
	_, got := token(t, s, "common", exchange(newCode(t, s)))
	require.Equal(t, "https://graph.microsoft.com/Mail.Read", got["scope"])
	require.NotContains(t, got, "id_token")
}

func TestScopes(t *testing.T) {
	t.Parallel()
	s := outlooktest.New(t, outlooktest.Config{})
	id := s.Account(ann).Deliver(hello(1), outlooktest.Delivery{})
	open := func(scopes ...string) graph {
		return graph{t, s, s.Account(ann), s.Account(ann).Client(scopes...)}
	}
	for _, test := range []struct {
		name, scope, method, target, body string
		status                            int
	}{
		{"read", "Mail.Read", "GET", "/me/messages/" + id + "/$value", "", 200},
		{"read does not write", "Mail.Read", "POST", "/me/messages", "{}", 403},
		{"read does not send", "Mail.ReadWrite", "POST", "/me/sendMail", "{}", 403},
		{"send does not read", "Mail.Send", "GET", "/me/messages", "", 403},
		{"basic lists", "Mail.ReadBasic", "GET", "/me/messages", "", 200},
		{"basic gets no body", "Mail.ReadBasic", "GET", "/me/messages?$select=body", "", 403},
		{"basic gets no MIME", "Mail.ReadBasic", "GET", "/me/messages/" + id + "/$value", "", 403},
		{"mail is not the user", "Mail.Read", "GET", "/me", "", 403},
		{"somebody else", "Mail.Read", "GET", "/users/" + bob + "/messages", "", 403},
		{"oneself by address", "Mail.Read", "GET", "/users/" + ann + "/messages", "", 200},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			g := open(test.scope)
			g.t = t
			require.Equal(t, test.status, g.do(test.method, test.target, test.body).status)
		})
	}
	plain := open("Mail.ReadBasic").get("/me/messages")
	require.NotContains(t, plain.items()[0], "body")
}

func TestMailboxThatIsNotInTheCloud(t *testing.T) {
	t.Parallel()
	g := open(t, outlooktest.Config{})
	g.a.MailboxOff(true)
	g.refused(g.do("GET", "/me/messages", ""), 404, "MailboxNotEnabledForRESTAPI")
	g.get("/me")
	g.a.MailboxOff(false)
	g.get("/me/messages")
}
