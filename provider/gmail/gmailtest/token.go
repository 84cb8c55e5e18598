package gmailtest

import (
	"crypto/subtle"
	"math"
	"net/http"
	"net/url"
	"strings"

	"github.com/workinbox/workinbox/provider/internal/testserver"
)

type tokenJSON struct {
	AccessToken  string `json:"access_token"`
	ExpiresIn    int    `json:"expires_in"`
	RefreshToken string `json:"refresh_token,omitempty"`
	Scope        string `json:"scope"`
	TokenType    string `json:"token_type"`
	IDToken      string `json:"id_token,omitempty"`
}

// tokenError is a refusal of the token endpoint (RFC 6749 section 5.2).
type tokenError struct {
	status      int
	Error       string `json:"error"`
	Description string `json:"error_description,omitempty"`
	Subtype     string `json:"error_subtype,omitempty"`
}

func (e *tokenError) write(w http.ResponseWriter) { writeJSON(w, e.status, e) }

func invalidGrant(description string) *tokenError {
	return &tokenError{
		status: http.StatusBadRequest, Error: "invalid_grant", Description: description,
	}
}

func badTokenRequest(name, description string) *tokenError {
	return &tokenError{status: http.StatusBadRequest, Error: name, Description: description}
}

// serveToken is the token endpoint (RFC 6749 section 3.2). Faults meet it before it knows an account.
func (s *Server) serveToken(w http.ResponseWriter, r *http.Request) {
	s.stats.Count(string(methodToken))
	s.faults.Serve(w, r, "", string(methodToken), func(w http.ResponseWriter) {
		token, refusal := s.token(r)
		if refusal != nil {
			refusal.write(w)
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		writeJSON(w, http.StatusOK, token)
	})
}

// maxForm is the most bytes of a form.
const maxForm = 64 << 10

func (s *Server) token(r *http.Request) (*tokenJSON, *tokenError) {
	form, refusal := s.clientForm(r)
	if refusal != nil {
		return nil, refusal
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch kind := form.Get("grant_type"); kind {
	case "authorization_code":
		return s.exchange(form)
	case "refresh_token":
		return s.refresh(form)
	default:
		return nil, badTokenRequest("unsupported_grant_type", "Invalid grant_type: "+kind)
	}
}

// clientForm reads the form and checks the client's credentials, which must stand in it.
func (s *Server) clientForm(r *http.Request) (url.Values, *tokenError) {
	if r.Method != http.MethodPost {
		return nil, &tokenError{status: http.StatusMethodNotAllowed, Error: "invalid_request"}
	}
	r.Body = http.MaxBytesReader(nil, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return nil, badTokenRequest("invalid_request", "Bad Request")
	}
	form := r.PostForm
	if form.Get("client_id") == "" {
		return nil, badTokenRequest("invalid_request", "Could not determine client ID from request.")
	}
	if form.Get("client_id") != s.c.ClientID {
		return nil, &tokenError{
			status: http.StatusUnauthorized, Error: "invalid_client",
			Description: "The OAuth client was not found.",
		}
	}
	if subtle.ConstantTimeCompare([]byte(form.Get("client_secret")), []byte(s.c.ClientSecret)) != 1 {
		return nil, &tokenError{
			status: http.StatusUnauthorized, Error: "invalid_client", Description: "Unauthorized",
		}
	}
	return form, nil
}

func (s *Server) exchange(form url.Values) (*tokenJSON, *tokenError) {
	c := s.oauth.codes[form.Get("code")]
	switch {
	case c == nil:
		return nil, invalidGrant("Malformed auth code.")
	case c.used || !s.now().Before(c.expires):
		return nil, invalidGrant("Bad Request")
	case c.redirect != form.Get("redirect_uri"):
		return nil, badTokenRequest("redirect_uri_mismatch", "Bad Request")
	case form.Get("code_verifier") == "":
		return nil, invalidGrant("Missing code verifier.")
	case !testserver.Verifies(form.Get("code_verifier"), c.challenge):
		return nil, invalidGrant("Invalid code verifier.")
	}
	c.used = true
	out := s.answer(c.grant)
	if c.offline {
		out.RefreshToken = s.oauth.newRefresh(c.grant)
	}
	return out, nil
}

func (s *Server) refresh(form url.Values) (*tokenJSON, *tokenError) {
	token := form.Get("refresh_token")
	if token == "" {
		return nil, badTokenRequest("invalid_request", "Missing required parameter: refresh_token")
	}
	g := s.oauth.refresh[token]
	switch {
	case g == nil && !strings.HasPrefix(token, "1//"):
		return nil, invalidGrant("Bad Request")
	case g == nil || g.dead:
		return nil, invalidGrant("Token has been expired or revoked.")
	case g.account.rapt:
		refusal := invalidGrant("reauth related error (invalid_rapt)")
		refusal.Subtype = "invalid_rapt"
		return nil, refusal
	}
	out := s.answer(g)
	if s.c.RotateRefresh {
		delete(s.oauth.refresh, token)
		out.RefreshToken = s.oauth.newRefresh(g)
	}
	return out, nil
}

func (s *Server) answer(g *grant) *tokenJSON {
	t := s.issue(g)
	return &tokenJSON{
		AccessToken: t.Access, TokenType: "Bearer", IDToken: t.ID,
		ExpiresIn: int(math.Ceil(s.c.TokenLife.Seconds())), Scope: strings.Join(t.Scopes, " "),
	}
}

// serveRevoke ends the grant behind a refresh or access token.
//
// Source: https://developers.google.com/identity/protocols/oauth2/web-server#tokenrevoke
func (s *Server) serveRevoke(w http.ResponseWriter, r *http.Request) {
	s.stats.Count(string(methodRevoke))
	s.faults.Serve(w, r, "", string(methodRevoke), func(w http.ResponseWriter) {
		r.Body = http.MaxBytesReader(nil, r.Body, maxForm)
		if r.Method != http.MethodPost || r.ParseForm() != nil || r.Form.Get("token") == "" {
			badTokenRequest("invalid_request", "Bad Request").write(w)
			return
		}
		if !s.revokeToken(r.Form.Get("token")) {
			badTokenRequest("invalid_token", "Token expired or revoked").write(w)
			return
		}
		writeJSON(w, http.StatusOK, struct{}{})
	})
}

func (s *Server) revokeToken(token string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.oauth.refresh[token]
	if g == nil {
		g = s.oauth.access(token, s.now())
	}
	if g == nil || g.dead {
		return false
	}
	// Either token stands for everything the person allowed the project.
	s.oauth.revoke(g.account)
	return true
}
