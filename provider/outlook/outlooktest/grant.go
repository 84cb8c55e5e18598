package outlooktest

import (
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/workinbox/workinbox/provider/internal/testserver"
)

// grants are what people allowed the application. All under the server's lock.
type grants struct {
	codes   map[string]*code
	refresh map[string]*refreshToken
	tokens  map[string]*accessToken
	admin   map[string]bool // tenants whose administrator consented
}

// grant is one consent.
type grant struct {
	account *Account
	scopes  []string // short names: Mail.Read
	dead    bool
	nonce   string
}

type refreshToken struct {
	grant   *grant
	expires time.Time
	used    bool
}

type accessToken struct {
	grant   *grant
	scopes  []string
	expires time.Time
}

func (g *grants) init() {
	g.codes = make(map[string]*code)
	g.refresh = make(map[string]*refreshToken)
	g.tokens = make(map[string]*accessToken)
	g.admin = make(map[string]bool)
}

// access returns an access token that is still good, or nil.
func (g *grants) access(token string, now time.Time) *accessToken {
	t := g.tokens[token]
	if t == nil || t.grant.dead || !now.Before(t.expires) {
		return nil
	}
	return t
}

func (s *Server) newRefresh(to *grant) string {
	token := "1.AXo" + rand.Text() + rand.Text()
	s.oauth.refresh[token] = &refreshToken{grant: to, expires: s.now().Add(s.c.RefreshLife)}
	return token
}

// Token is what the token endpoint gives.
type Token struct {
	Access, Refresh string
	ID              string // the id token, when openid was granted
	Scopes          []string
	Expiry          time.Time
}

// issue makes an access token.
func (s *Server) issue(g *grant, scopes []string) Token {
	now := s.now()
	t := Token{
		Access: "eyJ0eXAiOiJKV1QifQ." + rand.Text() + "." + rand.Text(),
		Scopes: slices.Clone(scopes), Expiry: now.Add(s.c.TokenLife),
	}
	s.oauth.tokens[t.Access] = &accessToken{grant: g, scopes: t.Scopes, expires: t.Expiry}
	if slices.Contains(scopes, "openid") {
		t.ID = s.idToken(g, scopes, now)
	}
	return t
}

// idToken makes an id token.
//
// Source: https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference
func (s *Server) idToken(g *grant, scopes []string, now time.Time) string {
	a := g.account
	claims := map[string]any{
		"iss": "https://login.microsoftonline.com/" + a.tenant + "/v2.0", "aud": s.c.ClientID,
		"tid": a.tenant, "sub": guid("sub", a.oid, s.c.ClientID), "ver": "2.0",
		"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(time.Hour).Unix(),
	}
	if slices.Contains(scopes, "profile") {
		claims["oid"], claims["name"], claims["preferred_username"] = a.oid, a.name, a.address
	}
	if slices.Contains(scopes, "email") {
		claims["email"] = a.address
	}
	if g.nonce != "" {
		claims["nonce"] = g.nonce
	}
	return testserver.IDToken(claims)
}

const graphResource = "https://graph.microsoft.com/"

// shortScopes gives scopes of Graph their short names, each once.
func shortScopes(scopes []string) []string {
	out := make([]string, 0, len(scopes))
	for _, s := range scopes {
		if len(s) > len(graphResource) && strings.EqualFold(s[:len(graphResource)], graphResource) {
			s = s[len(graphResource):]
		}
		if s != "" && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// protocolScopes are no permissions of Graph.
var protocolScopes = []string{"openid", "profile", "email", "offline_access"}

// listScopes is how the token endpoint lists what was granted.
func listScopes(scopes []string) string {
	var out []string
	for _, s := range scopes {
		switch {
		case s == "offline_access":
		case slices.Contains(protocolScopes, s):
			out = append(out, s)
		default:
			out = append(out, graphResource+s)
		}
	}
	return strings.Join(out, " ")
}

// Grant consents for the person without the consent page and returns the tokens. Without scopes it
// grants openid, profile, email, offline_access, User.Read, Mail.ReadWrite and Mail.Send.
func (a *Account) Grant(scopes ...string) Token {
	if len(scopes) == 0 {
		scopes = append(slices.Clone(protocolScopes), scopeUser, scopeReadWrite, scopeSend)
	}
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	g := &grant{account: a, scopes: shortScopes(scopes)}
	t := a.s.issue(g, g.scopes)
	t.Refresh = a.s.newRefresh(g)
	return t
}

// Client returns an HTTP client that sends a fresh access token of these scopes with every request.
// It does not refresh.
func (a *Account) Client(scopes ...string) *http.Client {
	return testserver.WithToken(a.s.http.Client(), a.Grant(scopes...).Access)
}

// Revoke ends all grants of the account, as an administrator does: access tokens are refused at
// once, refreshes with invalid_grant, AADSTS50173.
func (a *Account) Revoke() {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	for _, t := range a.s.oauth.refresh {
		if t.grant.account == a {
			t.grant.dead = true
		}
	}
	for _, t := range a.s.oauth.tokens {
		if t.grant.account == a {
			t.grant.dead = true
		}
	}
}

// ExpireTokens ends all access tokens of the account before their time; refresh tokens live on.
func (a *Account) ExpireTokens() {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	for key, t := range a.s.oauth.tokens {
		if t.grant.account == a {
			delete(a.s.oauth.tokens, key)
		}
	}
}

// RefuseTokens makes the token endpoint refuse the account with the error of that AADSTS code, until
// the person consents again or the code is zero.
func (a *Account) RefuseTokens(aadsts int) {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	a.refusal = aadsts
}

// Challenge makes the API answer 401 with a claims challenge, as continuous access evaluation does,
// until the person has gone through the consent page with these claims, a JSON text. Empty claims
// end it.
//
// Source: https://learn.microsoft.com/entra/identity-platform/claims-challenge
func (a *Account) Challenge(claims string) {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	a.challenge = claims
}

func (a *Account) challenged() *apiError {
	if a.challenge == "" {
		return nil
	}
	return refuse(http.StatusUnauthorized, "InvalidAuthenticationToken",
		"Continuous access evaluation resulted in challenge with result: InteractionRequired and "+
			"code: TokenIssuedBeforeRevocationTimestamp").
		with("WWW-Authenticate", `Bearer realm="", `+
			`authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", `+
			`error="insufficient_claims", claims="`+
			base64.StdEncoding.EncodeToString([]byte(a.challenge))+`"`)
}
