package gmailtest

import (
	"crypto/rand"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/workinbox/workinbox/provider/internal/testserver"
)

// grants are what people allowed the application. All under the server's lock.
type grants struct {
	codes   map[string]*code
	refresh map[string]*grant
	tokens  map[string]*accessToken
}

// grant is one consent that a refresh token stands for.
type grant struct {
	account *Account
	scopes  []string
	dead    bool
}

type accessToken struct {
	grant   *grant
	expires time.Time
}

func (g *grants) init() {
	g.codes = make(map[string]*code)
	g.refresh = make(map[string]*grant)
	g.tokens = make(map[string]*accessToken)
}

// access returns the grant behind an access token that is still good, or nil.
func (g *grants) access(token string, now time.Time) *grant {
	t := g.tokens[token]
	if t == nil || t.grant.dead || !now.Before(t.expires) {
		return nil
	}
	return t.grant
}

// known returns what the person has allowed before, nil if nothing.
func (g *grants) known(a *Account) (scopes []string) {
	for _, grant := range g.refresh {
		if grant.account == a && !grant.dead {
			scopes = append(scopes, grant.scopes...)
		}
	}
	slices.Sort(scopes) // the order of a map is none
	return slices.Compact(scopes)
}

func (g *grants) newRefresh(to *grant) string {
	token := "1//0" + rand.Text()
	g.refresh[token] = to
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
func (s *Server) issue(g *grant) Token {
	now := s.now()
	t := Token{
		Access: "ya29.a0" + rand.Text(), Scopes: slices.Clone(g.scopes),
		Expiry: now.Add(s.c.TokenLife),
	}
	s.oauth.tokens[t.Access] = &accessToken{grant: g, expires: t.Expiry}
	if slices.Contains(g.scopes, "openid") {
		t.ID = s.idToken(g, now)
	}
	return t
}

// idToken makes an id token.
func (s *Server) idToken(g *grant, now time.Time) string {
	claims := map[string]any{
		"iss": "https://accounts.google.com", "azp": s.c.ClientID, "aud": s.c.ClientID,
		"sub": g.account.sub, "iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
	}
	if slices.Contains(g.scopes, scopeEmail) {
		claims["email"], claims["email_verified"] = g.account.address, true
		_, domain, _ := strings.Cut(g.account.address, "@")
		if domain != "gmail.com" {
			claims["hd"] = domain
		}
	}
	return testserver.IDToken(claims)
}

const (
	scopeEmail   = "https://www.googleapis.com/auth/userinfo.email"
	scopeProfile = "https://www.googleapis.com/auth/userinfo.profile"
)

// expandScopes gives scopes the names under which Google lists them as granted.
func expandScopes(scopes []string) []string {
	out := make([]string, 0, len(scopes))
	for _, s := range scopes {
		switch s {
		case "email":
			s = scopeEmail
		case "profile":
			s = scopeProfile
		}
		if s != "" && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// Grant consents for the person without the consent page and returns the tokens. Without scopes it
// grants openid, email, gmail.readonly and gmail.send.
func (a *Account) Grant(scopes ...string) Token {
	if len(scopes) == 0 {
		scopes = []string{"openid", "email", scopeReadonly, scopeSend}
	}
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	g := &grant{account: a, scopes: expandScopes(scopes)}
	t := a.s.issue(g)
	t.Refresh = a.s.oauth.newRefresh(g)
	return t
}

// Client returns an HTTP client that sends a fresh access token of these scopes with every request.
// It does not refresh.
func (a *Account) Client(scopes ...string) *http.Client {
	return testserver.WithToken(a.s.http.Client(), a.Grant(scopes...).Access)
}

// Revoke ends all grants of the account, as the person does in the Google account or by a new
// password: access tokens are refused at once, refreshes with invalid_grant.
func (a *Account) Revoke() {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	a.s.oauth.revoke(a)
}

func (g *grants) revoke(a *Account) {
	for _, grant := range g.refresh {
		if grant.account == a {
			grant.dead = true
		}
	}
	for _, t := range g.tokens {
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

// SessionControl makes refreshes fail with the subtype invalid_rapt, as an administrator does who
// wants people to sign in again. It ends with off or when the person consents again.
func (a *Account) SessionControl(on bool) {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	a.rapt = on
}
