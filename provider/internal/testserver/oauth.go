package testserver

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
)

// RedirectTarget parses the redirect address of an authorization request; it says false when that is
// none to redirect to. Without registered addresses any will do (RFC 6749 section 3.1.2).
func RedirectTarget(address string, registered []string) (*url.URL, bool) {
	u, err := url.Parse(address)
	ok := err == nil && u.Scheme != "" && u.Fragment == "" &&
		(len(registered) == 0 || slices.Contains(registered, address))
	return u, ok
}

// Redirect sends the browser back with the answer to an authorization request in the query
// (RFC 6749 section 4.1.2).
func Redirect(w http.ResponseWriter, r *http.Request, target *url.URL, answer url.Values) {
	back := target.Query()
	for k, v := range answer {
		back[k] = v
	}
	u := *target
	u.RawQuery = back.Encode()
	http.Redirect(w, r, u.String(), http.StatusFound)
}

// Follow opens an authorization address as a person's browser does and returns the address that it
// was redirected to, which it does not open. An error page of the server is an error.
func Follow(ctx context.Context, client *http.Client, authURL string) (*url.URL, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, authURL, nil)
	if err != nil {
		return nil, err
	}
	browser := *client
	browser.CheckRedirect = func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}
	resp, err := browser.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }() // read for nothing
	if resp.StatusCode != http.StatusFound {
		return nil, fmt.Errorf("consent page: %s", resp.Status)
	}
	return resp.Location()
}

// Verifies checks a code verifier against its S256 challenge (RFC 7636 section 4.6).
func Verifies(verifier, challenge string) bool {
	if len(verifier) < 43 || len(verifier) > 128 {
		return false
	}
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:]) == challenge
}

// IDToken makes an unsigned id token (RFC 7519 section 6): whoever gets it from the token endpoint
// itself need not verify it. It panics when JSON cannot hold the claims.
func IDToken(claims map[string]any) string {
	body, err := json.Marshal(claims)
	if err != nil {
		panic(err)
	}
	enc := base64.RawURLEncoding
	return enc.EncodeToString([]byte(`{"typ":"JWT","alg":"none"}`)) + "." +
		enc.EncodeToString(body) + "."
}

// WithToken returns an HTTP client that sends the access token with every request (RFC 6750 section
// 2.1) and is otherwise as client.
func WithToken(client *http.Client, token string) *http.Client {
	c := *client
	c.Transport = bearer{token: token, next: client.Transport}
	return &c
}

type bearer struct {
	token string
	next  http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+b.token)
	return b.next.RoundTrip(r)
}
