package gmailtest

import (
	"context"
	"crypto/rand"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/workinbox/workinbox/provider/internal/testserver"
)

// Consent is what the consent page asks the person.
type Consent struct {
	ClientID, RedirectURI string
	LoginHint             string // address the application expects
	HostedDomain          string // Workspace domain it wants, the parameter hd
	Prompt                string // "consent" asks even those who consented before
	Scopes                []string
}

// Decision is what the person decides on the consent page. The zero Decision grants everything.
type Decision struct {
	// Address is the account the person chooses. Default: that of the login hint, or else the
	// oldest account.
	Address string
	// Scopes are what is ticked. Default: everything that was asked for.
	Scopes []string
	// Error ends with that error instead: "access_denied" when the person says no,
	// "admin_policy_enforced" or "org_internal" when the administrator did.
	Error string
}

// code is one authorization code.
type code struct {
	grant     *grant
	redirect  string
	challenge string
	offline   bool
	expires   time.Time
	used      bool
}

// codeLife is how long a code can be exchanged.
const codeLife = 10 * time.Minute

// serveConsent is the authorization endpoint (RFC 6749 section 3.1) with the consent page: it
// decides as Config.Approve does and redirects.
func (s *Server) serveConsent(w http.ResponseWriter, r *http.Request) {
	s.stats.Count("auth")
	q := r.URL.Query()
	redirect := q.Get("redirect_uri")
	target, ok := testserver.RedirectTarget(redirect, s.c.RedirectURIs)
	switch {
	case q.Get("client_id") != s.c.ClientID:
		consentError(w, "invalid_client", "The OAuth client was not found.")
		return
	case !ok:
		consentError(w, "redirect_uri_mismatch", "The redirect URI in the request does not match "+
			"the ones authorized for the OAuth client.")
		return
	}
	if problem := consentProblem(q); problem != "" {
		consentError(w, "invalid_request", problem)
		return
	}
	ask := Consent{
		ClientID: q.Get("client_id"), RedirectURI: redirect, LoginHint: q.Get("login_hint"),
		HostedDomain: q.Get("hd"), Prompt: q.Get("prompt"), Scopes: strings.Fields(q.Get("scope")),
	}
	var decision Decision
	if s.c.Approve != nil {
		decision = s.c.Approve(ask)
	}
	answer := url.Values{"state": q["state"]}
	if decision.Error == "" {
		decision.Error = s.approve(ask, decision, q, answer)
	}
	if decision.Error != "" {
		answer.Set("error", decision.Error)
	}
	testserver.Redirect(w, r, target, answer)
}

// consentProblem says what is wrong with an authorization request, or "".
func consentProblem(q url.Values) string {
	switch {
	case q.Get("response_type") != "code":
		return "Invalid response_type: " + q.Get("response_type")
	case q.Get("scope") == "":
		return "Missing required parameter: scope"
	case q.Get("code_challenge") == "":
		// Google lets this pass; a server to test with does not.
		return "Missing required parameter: code_challenge"
	case q.Get("code_challenge_method") != "S256":
		return "Invalid code_challenge_method: only S256 is supported"
	case len(q.Get("code_challenge")) != 43:
		return "Invalid code_challenge"
	case q.Get("access_type") != "" && q.Get("access_type") != "offline" &&
		q.Get("access_type") != "online":
		return "Invalid parameter value for access_type"
	}
	return ""
}

// approve makes the code and puts it into the answer; it returns the error of the redirect.
func (s *Server) approve(ask Consent, d Decision, q, answer url.Values) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.chosen(ask, d)
	if a == nil {
		return "access_denied" // nobody to sign in as
	}
	scopes := d.Scopes
	if scopes == nil {
		scopes = ask.Scopes
	}
	known := s.oauth.known(a)
	if q.Get("include_granted_scopes") == "true" {
		scopes = slices.Concat(scopes, known)
	}
	// Only the first consent, or one that was asked for, gives a refresh token.
	fresh := known == nil || slices.Contains(strings.Fields(ask.Prompt), "consent")
	text := "4/0" + rand.Text()
	s.oauth.codes[text] = &code{
		grant:    &grant{account: a, scopes: expandScopes(scopes)},
		redirect: ask.RedirectURI, challenge: q.Get("code_challenge"),
		offline: q.Get("access_type") == "offline" && fresh,
		expires: s.now().Add(codeLife),
	}
	a.rapt = false
	answer.Set("code", text)
	answer.Set("scope", strings.Join(expandScopes(scopes), " "))
	return ""
}

func (s *Server) chosen(ask Consent, d Decision) *Account {
	if d.Address != "" {
		return s.accounts[strings.ToLower(d.Address)]
	}
	if a := s.accounts[strings.ToLower(ask.LoginHint)]; a != nil {
		return a
	}
	if len(s.order) == 0 {
		return nil
	}
	return s.order[0]
}

// consentError is the page that Google shows where it must not redirect.
func consentError(w http.ResponseWriter, name, text string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(http.StatusBadRequest)
	_, _ = fmt.Fprintf(w, "<!doctype html><title>Error 400: %[1]s</title><h1>Error 400: %[1]s</h1>"+
		"<p>%[2]s</p>", html.EscapeString(name), html.EscapeString(text))
}

// Follow opens the consent page at authURL as a person's browser does and returns the address that
// it was redirected to, which it does not open. An error page of the server is an error.
func (s *Server) Follow(ctx context.Context, authURL string) (*url.URL, error) {
	return testserver.Follow(ctx, s.http.Client(), authURL)
}
