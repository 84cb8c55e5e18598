package outlooktest

import (
	"context"
	"crypto/rand"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/workinbox/workinbox/provider/internal/testserver"
)

// Consent is what the consent page asks the person.
type Consent struct {
	Tenant                string // as in the path: "organizations", a GUID
	ClientID, RedirectURI string
	LoginHint             string // address the application expects
	Prompt                string // "", "consent", "select_account", "login", "none"
	Claims                string // a claims challenge
	Scopes                []string
	Admin                 bool // this is the admin-consent endpoint
}

// Decision is what the person decides on the consent page. The zero Decision grants everything.
type Decision struct {
	// Address is the account the person chooses. Default: that of the login hint, or else the
	// oldest account of the tenant.
	Address string
	// Scopes are what is granted. Default: everything that was asked for.
	Scopes []string
	// Error ends with that error instead: "access_denied" when the person says no.
	Error string
	// AADSTS is the code in the error's description: 65004 when the person says no, 90094 when an
	// administrator has to consent. Without an Error it decides about the error itself.
	AADSTS int
}

// code is one authorization code.
type code struct {
	grant     *grant
	redirect  string
	challenge string
	expires   time.Time
	used      bool
}

// codeLife is how long a code can be exchanged.
//
// Source: https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow
const codeLife = 10 * time.Minute

// serveConsent is the authorization endpoint with sign-in and consent page: it decides as
// Config.Approve does and redirects.
func (s *Server) serveConsent(w http.ResponseWriter, r *http.Request) {
	s.stats.Count("authorize")
	q := r.URL.Query()
	redirect := q.Get("redirect_uri")
	target, ok := testserver.RedirectTarget(redirect, s.c.RedirectURIs)
	switch {
	case !knownTenant(r.PathValue("tenant")):
		consentError(w, 90002, "Tenant not found.")
		return
	case q.Get("client_id") != s.c.ClientID:
		consentError(w, 700016, "Application was not found in the directory.")
		return
	case !ok:
		consentError(w, 50011, "The redirect URI specified in the request does not match the "+
			"redirect URIs configured for the application.")
		return
	}
	answer := url.Values{}
	if state := q.Get("state"); state != "" {
		answer.Set("state", state)
	}
	if problem := consentProblem(q); problem != "" {
		answer.Set("error", "invalid_request")
		answer.Set("error_description", problem)
		testserver.Redirect(w, r, target, answer)
		return
	}
	ask := Consent{
		Tenant: r.PathValue("tenant"), ClientID: q.Get("client_id"), RedirectURI: redirect,
		LoginHint: q.Get("login_hint"), Prompt: q.Get("prompt"), Claims: q.Get("claims"),
		Scopes: strings.Fields(q.Get("scope")),
	}
	var d Decision
	if s.c.Approve != nil {
		d = s.c.Approve(ask)
	}
	if d.Error == "" && d.AADSTS == 0 {
		d = s.approve(ask, d, q, answer)
	}
	if d.Error != "" || d.AADSTS != 0 {
		e := consentRefusal(d)
		answer.Set("error", e.Error)
		answer.Set("error_description", e.Description)
		if e.Error == "access_denied" {
			answer.Set("error_subcode", "cancel")
		}
	}
	testserver.Redirect(w, r, target, answer)
}

func consentRefusal(d Decision) *tokenError {
	if d.AADSTS == 0 && d.Error == "access_denied" {
		d.AADSTS = 65004
	}
	e := &tokenError{Error: d.Error}
	if d.AADSTS != 0 {
		e = aadsts(d.AADSTS)
	}
	if d.Error != "" {
		e.Error = d.Error
	}
	return e
}

func knownTenant(t string) bool {
	return t == "organizations" || t == "common" || t == "consumers" || len(t) == 36 && strings.Count(t, "-") == 4
}

// consentProblem says what is wrong with an authorization request, or "".
func consentProblem(q url.Values) string {
	mode := q.Get("response_mode")
	switch {
	case q.Get("response_type") != "code":
		return "AADSTS700016: The response_type is not supported."
	case mode != "" && mode != "query":
		return "AADSTS9002325: The response_mode is not supported."
	case q.Get("scope") == "":
		return "AADSTS900144: The request body must contain the following parameter: 'scope'."
	case q.Get("code_challenge") == "":
		// Microsoft lets this pass for confidential clients; a server to test with does not.
		return "AADSTS9002325: Proof Key for Code Exchange is required."
	case q.Get("code_challenge_method") != "S256":
		return "AADSTS50147: The code challenge method is not supported."
	case len(q.Get("code_challenge")) != 43:
		return "AADSTS50147: The size of the code challenge parameter is not valid."
	}
	return ""
}

// approve makes the code and puts it into the answer, or says why not.
func (s *Server) approve(ask Consent, d Decision, q, answer url.Values) Decision {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.chosen(ask, d)
	if a == nil {
		return Decision{Error: "access_denied", AADSTS: 50020}
	}
	if s.c.AdminConsent && !s.oauth.admin[a.tenant] {
		if ask.Prompt == "none" {
			return Decision{Error: "consent_required", AADSTS: 65001}
		}
		return Decision{Error: "access_denied", AADSTS: 90094}
	}
	scopes := d.Scopes
	if scopes == nil {
		scopes = ask.Scopes
	}
	text := "1.AXo" + rand.Text()
	s.oauth.codes[text] = &code{
		grant:    &grant{account: a, scopes: shortScopes(scopes), nonce: q.Get("nonce")},
		redirect: ask.RedirectURI, challenge: q.Get("code_challenge"),
		expires: s.now().Add(codeLife),
	}
	a.refusal = 0
	if a.challenge != "" && ask.Claims == a.challenge {
		a.challenge = ""
	}
	answer.Set("code", text)
	answer.Set("session_state", guid("session", text))
	return Decision{}
}

func (s *Server) chosen(ask Consent, d Decision) *Account {
	want := d.Address
	if want == "" && s.accounts[strings.ToLower(ask.LoginHint)] != nil {
		want = ask.LoginHint
	}
	for _, a := range s.order {
		home := len(ask.Tenant) != 36 || a.tenant == ask.Tenant
		if home && (want == "" || strings.EqualFold(want, a.address)) {
			return a
		}
	}
	return nil
}

// consentError is the page that Microsoft shows where it must not redirect.
func consentError(w http.ResponseWriter, code int, text string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(http.StatusBadRequest)
	_, _ = fmt.Fprintf(w, "<!doctype html><title>Sign in to your account</title>"+
		"<h1>Sorry, but we’re having trouble signing you in.</h1><p>AADSTS%d: %s</p>",
		code, html.EscapeString(text))
}

// serveAdminConsent is the page where an administrator consents for the tenant.
//
// Source: https://learn.microsoft.com/entra/identity-platform/v2-admin-consent
func (s *Server) serveAdminConsent(w http.ResponseWriter, r *http.Request) {
	s.stats.Count("adminconsent")
	q := r.URL.Query()
	target, ok := testserver.RedirectTarget(q.Get("redirect_uri"), s.c.RedirectURIs)
	switch {
	case q.Get("client_id") != s.c.ClientID:
		consentError(w, 700016, "Application was not found in the directory.")
		return
	case !ok:
		consentError(w, 50011, "The redirect URI specified in the request does not match.")
		return
	}
	ask := Consent{
		Tenant: r.PathValue("tenant"), ClientID: q.Get("client_id"), Admin: true,
		RedirectURI: q.Get("redirect_uri"), Scopes: strings.Fields(q.Get("scope")),
	}
	var d Decision
	if s.c.Approve != nil {
		d = s.c.Approve(ask)
	}
	answer := url.Values{"state": q["state"]}
	s.mu.Lock()
	a := s.chosen(ask, d)
	switch {
	case d.Error != "" || d.AADSTS != 0 || a == nil:
		e := consentRefusal(d)
		answer.Set("error", e.Error)
		answer.Set("error_description", e.Description)
	default:
		s.oauth.admin[a.tenant] = true
		answer.Set("admin_consent", "True")
		answer.Set("tenant", a.tenant)
		answer.Set("scope", strings.Join(ask.Scopes, " "))
	}
	s.mu.Unlock()
	testserver.Redirect(w, r, target, answer)
}

// Follow opens the consent page at authURL as a person's browser does and returns the address that
// it was redirected to, which it does not open. An error page of the server is an error.
func (s *Server) Follow(ctx context.Context, authURL string) (*url.URL, error) {
	return testserver.Follow(ctx, s.http.Client(), authURL)
}
