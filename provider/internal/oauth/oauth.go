// Package oauth connects accounts by OAuth 2.0 (RFC 6749) with PKCE (RFC 7636) and keeps their access
// tokens fresh, on golang.org/x/oauth2.
//
// A Client is the host's application at one service; it leads a person to the consent page, turns
// the code that comes back into a Token and ends a grant. A Source hands out the access token of one
// account and refreshes it. A Transport puts it on HTTP requests.
//
// Rules:
//
//  1. A new token is stored before anybody uses it.
//  2. Callers of one account share one refresh, in success and in failure. Each waits no longer than
//     its own context; the refresh runs under a context of its own.
//  3. What is final is asked once. What may pass is asked again, later and later.
//  4. A wrong set-up of the host never ends a person's grant.
//  5. Errors keep the service's own text and hold no token and no address.
package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"github.com/workinbox/workinbox/provider"
)

// answerWait is how long a call of the token endpoint may take. net/http's own default is forever,
// and a hung refresh would block the mailbox.
const answerWait = 30 * time.Second

// Client is the host's application at one service. It is safe for concurrent use; its fields do not
// change once it is used. It redacts itself under fmt, slog and JSON.
type Client struct {
	ID, Secret                   string
	AuthURL, TokenURL, RevokeURL string
	Scopes                       []string
	// Issuers are the "iss" values an id token may have. "{tenantid}" in one stands for the token's
	// own "tid", as in Microsoft's discovery document
	// (https://learn.microsoft.com/entra/identity-platform/access-tokens#validate-the-issuer).
	// Without one every id token is refused.
	Issuers []string
	// AdminURL is where an administrator consents to the application; it goes into Failure.AdminURL.
	// Google has no such page: empty, Google names its help for administrators.
	AdminURL string
	// HTTP makes the calls to TokenURL and RevokeURL; nil is a client with a timeout of 30 seconds.
	// A longer timeout, or none, is cut to 30 seconds, and redirects are not followed: they would
	// take the client secret elsewhere.
	HTTP *http.Client
	// Classify turns what the service said into an error of package provider: Google or Microsoft.
	// Nil knows the codes of RFC 6749 alone.
	Classify func(Failure) error
}

// Format never tells the client secret, whatever the verb.
func (c Client) Format(f fmt.State, _ rune) { _, _ = fmt.Fprintf(f, "oauth client %q", c.ID) }

// LogValue never tells the client secret.
func (c Client) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(c)) }

// MarshalJSON never tells the client secret.
func (c Client) MarshalJSON() ([]byte, error) { return json.Marshal(fmt.Sprint(c)) }

// flow lists the parameters of the consent page that are the flow's own (RFC 6749 4.1.1, RFC 7636
// 4.3).
var flow = []string{
	"response_type", "client_id", "redirect_uri", "scope", "state",
	"code_challenge", "code_challenge_method",
}

// ConsentURL is where the person gives consent. A request without a state, a code verifier or a
// redirect address is a provider.ErrConfig. extra adds the service's own parameters (access_type,
// prompt); it cannot replace those of the flow.
func (c *Client) ConsentURL(req provider.AuthRequest, extra url.Values) (string, error) {
	switch {
	case req.State == "":
		return "", fmt.Errorf("get consent: the state is missing: %w", provider.ErrConfig)
	case req.Verifier == "":
		return "", fmt.Errorf("get consent: the code verifier is missing: %w", provider.ErrConfig)
	case req.RedirectURL == "":
		return "", fmt.Errorf("get consent: the redirect address is missing: %w", provider.ErrConfig)
	}
	more := url.Values{}
	for name, values := range extra {
		more[name] = values
	}
	for _, name := range flow {
		more.Del(name)
	}
	if req.LoginHint != "" {
		more.Set("login_hint", req.LoginHint) // OpenID Connect Core 3.1.2.1
	}
	page := c.config(req.RedirectURL).AuthCodeURL(req.State, oauth2.S256ChallengeOption(req.Verifier))
	if len(more) > 0 {
		page += "&" + more.Encode() // AuthCodeURL always leaves a query
	}
	return page, nil
}

// Exchange turns the code of a redirect into a token, in one request. A lost answer is a
// *provider.RetryError, but the code may be used up by then: the person starts over.
func (c *Client) Exchange(ctx context.Context, resp provider.AuthResponse) (Token, error) {
	got, err := c.config(resp.RedirectURL).Exchange(c.calling(ctx), resp.Code,
		oauth2.VerifierOption(resp.Verifier))
	if err != nil {
		return Token{}, c.failed(ctx, "exchange the code", err, resp.Code, resp.Verifier)
	}
	// Without a scope the service granted what was asked for (RFC 6749 5.1).
	return received(got, Token{Scopes: append([]string(nil), c.Scopes...)}), nil
}

// refresh gets a new access token for old, in one request. What the answer leaves out stays as it
// was: the refresh token (RFC 6749 6) and the scopes (5.1).
func (c *Client) refresh(ctx context.Context, old Token) (Token, error) {
	if old.Refresh.IsZero() {
		return Token{}, fmt.Errorf("%w: there is no refresh token", provider.ErrAuth)
	}
	used := oauth2.Token{RefreshToken: old.Refresh.Reveal()}
	got, err := c.config("").TokenSource(c.calling(ctx), &used).Token()
	if err != nil {
		return Token{}, c.failed(ctx, "refresh the token", err, old.Refresh.Reveal())
	}
	return received(got, old), nil
}

// received is the token of an answer, completed from old.
func received(got *oauth2.Token, old Token) Token {
	t := Token{
		Access: NewSecret(got.AccessToken), Refresh: old.Refresh, Type: got.Type(),
		Expiry: got.Expiry, Scopes: old.Scopes,
	}
	if got.RefreshToken != "" {
		t.Refresh = NewSecret(got.RefreshToken)
	}
	if t.Expiry.IsZero() {
		// A token that does not say how long it lives is good for those who wait for it now.
		t.Expiry = time.Now()
	}
	t.Expiry = t.Expiry.UTC() // drops the monotonic clock, which stands still while a machine sleeps
	if scope, ok := got.Extra("scope").(string); ok {
		t.Scopes = append([]string{}, strings.Fields(scope)...)
	}
	if id, ok := got.Extra("id_token").(string); ok {
		t.ID = NewSecret(id)
	}
	return t
}

// Revoke ends the grant of a token, refresh or access (RFC 7009). A grant that is dead already is no
// error. A service without a revocation endpoint answers errors.ErrUnsupported.
func (c *Client) Revoke(ctx context.Context, token string) error {
	if c.RevokeURL == "" {
		return fmt.Errorf("revoke the grant: %w", errors.ErrUnsupported)
	}
	form := strings.NewReader(url.Values{"token": {token}}.Encode())
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.RevokeURL, form)
	if err != nil {
		return fmt.Errorf("revoke the grant: %w: the revocation endpoint is no URL", provider.ErrConfig)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := c.http().Do(req)
	if err != nil {
		return c.failed(ctx, "revoke the grant", err, token)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if resp.StatusCode/100 == 2 {
		return nil // RFC 7009 2.2: the body says nothing
	}
	if err != nil {
		return c.failed(ctx, "revoke the grant", err, token)
	}
	f := c.failure(resp, body, token)
	if f.Status == http.StatusBadRequest && (f.Code == "invalid_token" || f.Code == "invalid_grant") {
		return nil
	}
	return fmt.Errorf("revoke the grant: %w", c.classify(f))
}

// config is the application for x/oauth2. The credentials go into the form: left to find out by
// itself, x/oauth2 sends every failing refresh twice.
func (c *Client) config(redirect string) *oauth2.Config {
	return &oauth2.Config{
		ClientID: c.ID, ClientSecret: c.Secret, RedirectURL: redirect, Scopes: c.Scopes,
		Endpoint: oauth2.Endpoint{
			AuthURL: c.AuthURL, TokenURL: c.TokenURL, AuthStyle: oauth2.AuthStyleInParams,
		},
	}
}

// calling is ctx with the HTTP client x/oauth2 shall use, the one value it takes from a context.
// x/oauth2 reads at most 1 MiB of an answer.
func (c *Client) calling(ctx context.Context) context.Context {
	return context.WithValue(ctx, oauth2.HTTPClient, c.http())
}

func (c *Client) http() *http.Client {
	var h http.Client
	if c.HTTP != nil {
		h = *c.HTTP
	}
	if h.Timeout <= 0 || h.Timeout > answerWait {
		h.Timeout = answerWait
	}
	h.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &h
}
