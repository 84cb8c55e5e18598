package gmail

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/internal/oauth"
)

var _ provider.Authorizer = (*Provider)(nil)

// issuers are who Google's id tokens are from
// (https://developers.google.com/identity/openid-connect/openid-connect#validatinganidtoken).
var issuers = []string{"https://accounts.google.com", "accounts.google.com"}

// Scopes are the scopes a mailbox needs: who the owner is, reading, and unless ReadOnly sending.
func (p *Provider) Scopes() []string {
	scopes := []string{"openid", "email", ScopeRead}
	if !p.o.ReadOnly {
		scopes = append(scopes, ScopeSend)
	}
	return scopes
}

// AuthURL is where the person gives consent. It always asks for consent, because Google gives a
// refresh token only then (https://developers.google.com/identity/protocols/oauth2/web-server#offline).
func (p *Provider) AuthURL(_ context.Context, req provider.AuthRequest) (string, error) {
	page, err := p.client.ConsentURL(req, url.Values{
		"access_type": {"offline"}, "prompt": {"consent"}, "include_granted_scopes": {"true"},
	})
	if err != nil {
		return "", fmt.Errorf("gmail: %w", err)
	}
	return page, nil
}

// RedirectError says what the parameters of a redirect complain of, nil when they do not: a person
// who said no is a provider.ErrAuth, an administrator who blocks the application a
// *provider.ConsentError, a wrong client a provider.ErrConfig. The caller checks the state first.
func (p *Provider) RedirectError(params url.Values) error {
	if err := p.client.RedirectError(params); err != nil {
		return fmt.Errorf("gmail: %w", err)
	}
	return nil
}

// Exchange turns the code of the redirect into a credential. Where the person left out a scope, the
// token is revoked and the answer a *provider.ScopeError. The account is known by the id token's
// sub; its address and aliases come from the mailbox itself.
func (p *Provider) Exchange(ctx context.Context, resp provider.AuthResponse) (provider.Consent, error) {
	token, err := p.client.Exchange(ctx, resp)
	if err != nil {
		return provider.Consent{}, fmt.Errorf("gmail: %w", err)
	}
	if missing := missing(p.Scopes(), token.Scopes); len(missing) > 0 {
		p.drop(ctx, token)
		return provider.Consent{}, fmt.Errorf("gmail: %w", &provider.ScopeError{Missing: missing})
	}
	if token.Refresh.IsZero() {
		p.drop(ctx, token)
		return provider.Consent{}, fmt.Errorf("gmail: consent came without a refresh token: %w", provider.ErrAuth)
	}
	who, err := p.client.Identity(token)
	if err != nil {
		p.drop(ctx, token)
		return provider.Consent{}, fmt.Errorf("gmail: %w: %w", provider.ErrConfig, err)
	}
	return p.consent(ctx, credential{ID: who.Subject, Token: token})
}

// consent completes a credential by asking the mailbox whose it is.
func (p *Provider) consent(ctx context.Context, c credential) (provider.Consent, error) {
	var out provider.Consent
	box, err := p.mailbox(c, func(_ context.Context, changed provider.Credential) error {
		// Google may replace the token at once; the consent must hold the latest.
		latest, err := decodeCredential(changed)
		c.Token = latest.Token
		return err
	})
	if err != nil {
		return out, err
	}
	out.Account, err = box.Account(ctx)
	if err != nil {
		return out, fmt.Errorf("gmail: whose mailbox it is: %w", err)
	}
	c.Address = out.Account.Address
	out.Scopes = named(c.Token.Scopes)
	out.Credential, err = c.encode()
	return out, err
}

// named names scopes as they were asked for: Google grants "email" under its long name.
func named(granted []string) []string {
	scopes := slices.Clone(granted)
	for i, scope := range scopes {
		if scope == "https://www.googleapis.com/auth/userinfo.email" {
			scopes[i] = "email"
		}
	}
	return scopes
}

// missing lists what was asked for and not granted.
func missing(asked, granted []string) []string {
	granted = named(granted)
	return slices.DeleteFunc(slices.Clone(asked), func(s string) bool { return slices.Contains(granted, s) })
}

// drop revokes a token nobody will use. It does so for a caller who has gone, too.
func (p *Provider) drop(ctx context.Context, token oauth.Token) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	secret := token.Refresh
	if secret.IsZero() {
		secret = token.Access
	}
	if err := p.client.Revoke(ctx, secret.Reveal()); err != nil {
		p.o.Logger.WarnContext(ctx, "revoke an unused grant", "err", err)
	}
}

// Revoke ends the grant, and with it every other mailbox of the account that this application has
// open (https://developers.google.com/identity/protocols/oauth2/web-server#tokenrevoke). A grant that
// is dead already is no error.
func (p *Provider) Revoke(ctx context.Context, cred provider.Credential) error {
	c, err := decodeCredential(cred)
	if err != nil {
		return err
	}
	if err := p.client.Revoke(ctx, c.Token.Refresh.Reveal()); err != nil {
		return fmt.Errorf("gmail: %w", err)
	}
	return nil
}
