package outlooktest

import (
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/workinbox/workinbox/provider/internal/testserver"
)

type tokenJSON struct {
	TokenType    string `json:"token_type"`
	Scope        string `json:"scope"`
	ExpiresIn    int    `json:"expires_in"`
	ExtExpiresIn int    `json:"ext_expires_in"`
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token,omitempty"`
	IDToken      string `json:"id_token,omitempty"`
}

// tokenError is a refusal of the token endpoint.
//
// Source: https://learn.microsoft.com/entra/identity-platform/reference-error-codes
type tokenError struct {
	status        int
	Error         string `json:"error"`
	Description   string `json:"error_description"`
	Codes         []int  `json:"error_codes,omitempty"`
	Timestamp     string `json:"timestamp,omitempty"`
	TraceID       string `json:"trace_id,omitempty"`
	CorrelationID string `json:"correlation_id,omitempty"`
	URI           string `json:"error_uri,omitempty"`
	Suberror      string `json:"suberror,omitempty"`
	Claims        string `json:"claims,omitempty"`
}

func (e *tokenError) json(now time.Time) []byte {
	out := *e
	out.Timestamp = now.UTC().Format("2006-01-02 15:04:05Z")
	out.TraceID, out.CorrelationID = guid("trace", e.Description), guid("correlation", e.Description)
	if len(e.Codes) > 0 {
		out.URI = fmt.Sprintf("https://login.microsoftonline.com/error?code=%d", e.Codes[0])
	}
	out.Description += " Trace ID: " + out.TraceID + " Correlation ID: " + out.CorrelationID +
		" Timestamp: " + out.Timestamp
	b, err := json.Marshal(out)
	if err != nil {
		panic(err) // strings and numbers alone
	}
	return b
}

func (e *tokenError) write(w http.ResponseWriter, now time.Time) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	writeJSON(w, e.status, e.json(now))
}

// aadstsErrors are the errors behind the codes: the field error, the status when it is not 400, and
// the suberror.
var aadstsErrors = map[int]struct {
	name, text string
	status     int
	suberror   string
	claims     bool
}{
	50034:   {name: "invalid_grant", text: "The user account does not exist in the directory."},
	50055:   {name: "invalid_grant", text: "The password is expired."},
	50057:   {name: "invalid_grant", text: "The user account is disabled."},
	50089:   {name: "invalid_grant", text: "Authentication failed due to flow token expired."},
	50132:   {name: "invalid_grant", text: "The credentials were revoked."},
	50133:   {name: "invalid_grant", text: "Session is invalid due to expiration or recent password change."},
	50144:   {name: "invalid_grant", text: "The user's Active Directory password has expired."},
	50173:   {name: "invalid_grant", text: "The provided grant has expired due to it being revoked.", suberror: "bad_token"},
	50196:   {name: "invalid_request", text: "The server terminated an operation because it encountered a client request loop."},
	54005:   {name: "invalid_grant", text: "OAuth2 Authorization code was already redeemed."},
	70000:   {name: "invalid_grant", text: "Provided grant is invalid or malformed."},
	70008:   {name: "invalid_grant", text: "The provided authorization code or refresh token has expired due to inactivity."},
	70043:   {name: "invalid_grant", text: "The refresh token has expired or is invalid due to sign-in frequency checks by conditional access.", suberror: "token_expired"},
	501481:  {name: "invalid_grant", text: "The Code_Verifier does not match the code_challenge supplied in the authorization request."},
	700082:  {name: "invalid_grant", text: "The refresh token has expired due to inactivity."},
	700084:  {name: "invalid_grant", text: "The refresh token was issued to a single page app, and therefore has a fixed, limited lifetime."},
	50072:   {name: "interaction_required", text: "The user must enroll in multi-factor authentication.", suberror: "basic_action", claims: true},
	50074:   {name: "interaction_required", text: "Strong authentication is required.", suberror: "basic_action", claims: true},
	50076:   {name: "interaction_required", text: "You must use multi-factor authentication to access the resource.", suberror: "basic_action", claims: true},
	50078:   {name: "interaction_required", text: "Presented multi-factor authentication has expired.", suberror: "basic_action", claims: true},
	50079:   {name: "interaction_required", text: "You must enroll in multi-factor authentication.", suberror: "basic_action", claims: true},
	50158:   {name: "interaction_required", text: "External security challenge was not satisfied.", suberror: "additional_action", claims: true},
	53000:   {name: "interaction_required", text: "The device is not in the required state.", suberror: "message_only"},
	53001:   {name: "interaction_required", text: "The device is not domain joined.", suberror: "message_only"},
	53002:   {name: "interaction_required", text: "The application used is not an approved application.", suberror: "message_only"},
	53003:   {name: "interaction_required", text: "Access has been blocked by Conditional Access policies.", suberror: "message_only", claims: true},
	53004:   {name: "interaction_required", text: "The user needs to complete multi-factor authentication registration.", suberror: "message_only"},
	53011:   {name: "interaction_required", text: "The user is blocked due to risk.", suberror: "message_only"},
	65001:   {name: "invalid_grant", text: "The user or administrator has not consented to use the application.", suberror: "consent_required"},
	65004:   {name: "access_denied", text: "User declined to consent to access the app."},
	90094:   {name: "invalid_grant", text: "The grant requires administrator permission.", suberror: "consent_required"},
	90095:   {name: "invalid_grant", text: "Administrator approval is required.", suberror: "consent_required"},
	50020:   {name: "invalid_grant", text: "The user account does not exist in the tenant and cannot access the application."},
	50105:   {name: "invalid_grant", text: "The signed in user is not assigned to a role for the application."},
	650052:  {name: "invalid_client", text: "The app needs access to a service that the organization has not subscribed to or enabled."},
	650056:  {name: "invalid_client", text: "Misconfigured application."},
	650057:  {name: "invalid_resource", text: "The resource is not listed in the application's requested permissions."},
	500011:  {name: "invalid_resource", text: "The resource principal was not found in the tenant."},
	700016:  {name: "unauthorized_client", text: "The application was not found in the directory."},
	50011:   {name: "invalid_client", text: "The redirect URI specified in the request does not match."},
	50194:   {name: "invalid_request", text: "The application is not configured as a multi-tenant application."},
	70001:   {name: "unauthorized_client", text: "The application is disabled."},
	70003:   {name: "unsupported_grant_type", text: "The app returned an unsupported grant type."},
	7000215: {name: "invalid_client", text: "Invalid client secret provided.", status: 401},
	7000218: {name: "invalid_client", text: "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.", status: 401},
	7000222: {name: "invalid_client", text: "The provided client secret keys are expired.", status: 401},
	700025:  {name: "invalid_client", text: "Client is public so neither 'client_assertion' nor 'client_secret' should be presented.", status: 401},
	700027:  {name: "invalid_client", text: "Client assertion failed signature validation.", status: 401},
	90002:   {name: "invalid_request", text: "The tenant was not found."},
	900144:  {name: "invalid_request", text: "The request body must contain all required parameters."},
	50033:   {name: "temporarily_unavailable", text: "A transient error has occurred. Please try again.", status: 503},
	50087:   {name: "temporarily_unavailable", text: "A transient error has occurred during strong authentication.", status: 503},
	70012:   {name: "server_error", text: "A server error occurred while authenticating an MSA user.", status: 500},
	90006:   {name: "temporarily_unavailable", text: "The service is temporarily unavailable.", status: 503},
}

// aadsts is the error of that code; one the server does not know is an invalid_grant.
func aadsts(code int) *tokenError {
	known, ok := aadstsErrors[code]
	if !ok {
		known.name, known.text = "invalid_grant", "The grant was refused."
	}
	e := &tokenError{
		status: http.StatusBadRequest, Error: known.name, Suberror: known.suberror,
		Description: fmt.Sprintf("AADSTS%d: %s", code, known.text), Codes: []int{code},
	}
	if known.status != 0 {
		e.status = known.status
	}
	if known.claims {
		e.Claims = `{"access_token":{"capolids":{"essential":true,"values":["` + guid("policy") + `"]}}}`
	}
	return e
}

// serveToken is the token endpoint.
func (s *Server) serveToken(w http.ResponseWriter, r *http.Request) {
	s.stats.Count(string(methodToken))
	s.faults.Serve(w, r, "", string(methodToken), func(w http.ResponseWriter) {
		token, refusal := s.token(r)
		if refusal != nil {
			refusal.write(w, s.now())
			return
		}
		b, err := json.Marshal(token)
		if err != nil {
			panic(err) // strings and numbers alone
		}
		w.Header().Set("Cache-Control", "no-store, no-cache")
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		writeJSON(w, http.StatusOK, b)
	})
}

// maxForm is the most bytes of a form.
const maxForm = 64 << 10

func (s *Server) token(r *http.Request) (*tokenJSON, *tokenError) {
	if r.Method != http.MethodPost {
		return nil, &tokenError{status: http.StatusMethodNotAllowed, Error: "invalid_request"}
	}
	r.Body = http.MaxBytesReader(nil, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return nil, aadsts(900144)
	}
	form := r.PostForm
	switch {
	case !knownTenant(r.PathValue("tenant")):
		return nil, aadsts(90002)
	case form.Get("client_id") == "":
		return nil, aadsts(900144)
	case form.Get("client_id") != s.c.ClientID:
		return nil, aadsts(700016)
	case form.Get("client_secret") == "":
		return nil, aadsts(7000218)
	case subtle.ConstantTimeCompare([]byte(form.Get("client_secret")), []byte(s.c.ClientSecret)) != 1:
		return nil, aadsts(7000215)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch form.Get("grant_type") {
	case "authorization_code":
		return s.exchange(r.PathValue("tenant"), form)
	case "refresh_token":
		return s.refresh(r.PathValue("tenant"), form)
	default:
		return nil, aadsts(70003)
	}
}

func (s *Server) exchange(tenant string, form url.Values) (*tokenJSON, *tokenError) {
	c := s.oauth.codes[form.Get("code")]
	switch {
	case c == nil:
		return nil, aadsts(70000)
	case c.used:
		return nil, aadsts(54005)
	case !s.now().Before(c.expires):
		return nil, aadsts(70008)
	case c.redirect != form.Get("redirect_uri"):
		return nil, aadsts(50011)
	case !testserver.Verifies(form.Get("code_verifier"), c.challenge):
		return nil, aadsts(501481)
	}
	c.used = true
	return s.answer(tenant, c.grant, form.Get("scope"))
}

func (s *Server) refresh(tenant string, form url.Values) (*tokenJSON, *tokenError) {
	if form.Get("refresh_token") == "" {
		return nil, aadsts(900144)
	}
	t := s.oauth.refresh[form.Get("refresh_token")]
	switch {
	case t == nil:
		return nil, aadsts(70000)
	case t.grant.dead:
		return nil, aadsts(50173)
	case t.used && s.c.RefuseUsedRefresh:
		return nil, aadsts(70000)
	case !s.now().Before(t.expires):
		return nil, aadsts(700082)
	}
	out, refusal := s.answer(tenant, t.grant, form.Get("scope"))
	if refusal == nil {
		t.used = true
	}
	return out, refusal
}

// answer issues tokens. Every answer has a new refresh token.
func (s *Server) answer(tenant string, g *grant, scope string) (*tokenJSON, *tokenError) {
	if g.account.refusal != 0 {
		return nil, aadsts(g.account.refusal)
	}
	if len(tenant) == 36 && tenant != g.account.tenant {
		return nil, aadsts(50020)
	}
	scopes := g.scopes
	if scope != "" {
		asked := shortScopes(strings.Fields(scope))
		for _, a := range asked {
			if !slices.Contains(scopes, a) {
				return nil, aadsts(65001)
			}
		}
		scopes = asked
	}
	t := s.issue(g, scopes)
	seconds := int(math.Ceil(s.c.TokenLife.Seconds()))
	out := &tokenJSON{
		AccessToken: t.Access, TokenType: "Bearer", IDToken: t.ID, Scope: listScopes(t.Scopes),
		ExpiresIn: seconds, ExtExpiresIn: seconds,
	}
	if slices.Contains(g.scopes, "offline_access") {
		out.RefreshToken = s.newRefresh(g)
	}
	return out, nil
}
