package outlook

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/internal/oauth"
)

var _ provider.Authorizer = (*Provider)(nil)

// The scopes a mailbox needs (https://learn.microsoft.com/graph/permissions-reference). Microsoft
// grants them under their short names and under those of the resource.
const (
	ScopeRead      = "Mail.Read"
	ScopeReadWrite = "Mail.ReadWrite" // reading, and drafts
	ScopeSend      = "Mail.Send"

	scopeUser    = "User.Read"
	scopeOffline = "offline_access"
	resource     = "https://graph.microsoft.com/"
)

// Scopes are the scopes a mailbox needs: who the owner is, reading, and unless ReadOnly sending.
func (p *Provider) Scopes() []string {
	scopes := []string{"openid", "profile", "email", scopeOffline, scopeUser}
	switch {
	case p.o.ReadOnly:
		return append(scopes, ScopeRead)
	case p.o.SendAtOnce:
		return append(scopes, ScopeRead, ScopeSend)
	}
	return append(scopes, ScopeReadWrite, ScopeSend)
}

// oauth is the application at one tenant, or at who may connect.
func (p *Provider) oauth(tenant string) *oauth.Client {
	authority := p.o.Endpoints.Authority + "/"
	return &oauth.Client{
		ID: p.o.ClientID, Secret: p.o.ClientSecret,
		AuthURL:  authority + tenant + "/oauth2/v2.0/authorize",
		TokenURL: authority + tenant + "/oauth2/v2.0/token",
		Scopes:   p.Scopes(),
		// (https://learn.microsoft.com/entra/identity-platform/access-tokens#validate-the-issuer)
		Issuers:  []string{"https://login.microsoftonline.com/{tenantid}/v2.0", authority + "{tenantid}/v2.0"},
		AdminURL: p.adminURL(tenant),
		HTTP:     p.o.HTTP, Classify: oauth.Microsoft,
	}
}

// adminURL is where an administrator consents for all people of a tenant
// (https://learn.microsoft.com/entra/identity-platform/v2-admin-consent). The people connect
// afterwards as before.
func (p *Provider) adminURL(tenant string) string {
	if tenant == "common" || tenant == "consumers" {
		tenant = "organizations"
	}
	var scopes []string
	for _, s := range p.Scopes() {
		if strings.Contains(s, ".") {
			s = resource + s
		}
		scopes = append(scopes, s)
	}
	q := url.Values{"client_id": {p.o.ClientID}, "scope": {strings.Join(scopes, " ")}}
	return p.o.Endpoints.Authority + "/" + tenant + "/v2.0/adminconsent?" + q.Encode()
}

// AuthURL is where the person gives consent. The account is always chosen anew, because browsers are
// signed in to several.
func (p *Provider) AuthURL(_ context.Context, req provider.AuthRequest) (string, error) {
	extra := url.Values{"response_mode": {"query"}}
	if req.LoginHint == "" {
		extra.Set("prompt", "select_account")
	}
	page, err := p.client.ConsentURL(req, extra)
	if err != nil {
		return "", fmt.Errorf("outlook: %w", err)
	}
	return page, nil
}

// RedirectError says what the parameters of a redirect complain of, nil when they do not: a person
// who said no is a provider.ErrAuth, a tenant whose administrator has to consent first a
// *provider.ConsentError with the link, a wrong registration a provider.ErrConfig. The caller checks
// the state first.
func (p *Provider) RedirectError(params url.Values) error {
	if err := p.client.RedirectError(params); err != nil {
		return fmt.Errorf("outlook: %w", err)
	}
	return nil
}

// Exchange turns the code of the redirect into a credential. Where a scope was left out the answer is
// a *provider.ScopeError, and the token is forgotten. The account is known by the id token's tid and
// oid; its address and aliases come from Graph.
func (p *Provider) Exchange(ctx context.Context, resp provider.AuthResponse) (provider.Consent, error) {
	token, err := p.client.Exchange(ctx, resp)
	if err != nil {
		return provider.Consent{}, fmt.Errorf("outlook: %w", err)
	}
	if missing := missing(p.Scopes(), token.Scopes); len(missing) > 0 {
		return provider.Consent{}, fmt.Errorf("outlook: %w", &provider.ScopeError{Missing: missing})
	}
	if token.Refresh.IsZero() {
		return provider.Consent{}, fmt.Errorf("outlook: consent came without a refresh token: %w", provider.ErrAuth)
	}
	who, err := p.client.Identity(token)
	if err != nil {
		return provider.Consent{}, fmt.Errorf("outlook: %w: %w", provider.ErrConfig, err)
	}
	if who.Object == "" || who.Tenant == "" || strings.ContainsAny(who.Tenant, "/?#% ") {
		return provider.Consent{}, fmt.Errorf("outlook: the id token names no account: %w", provider.ErrConfig)
	}
	return p.consent(ctx, credential{ID: who.Object, Tenant: who.Tenant, Address: who.Username, Token: token})
}

// consent completes a credential by asking Graph whose it is.
func (p *Provider) consent(ctx context.Context, c credential) (provider.Consent, error) {
	var out provider.Consent
	box, err := p.mailbox(c, func(_ context.Context, changed provider.Credential) error {
		// Microsoft replaces the refresh token at each use; the consent must hold the latest.
		latest, err := decodeCredential(changed)
		c.Token = latest.Token
		return err
	})
	if err != nil {
		return out, err
	}
	out.Account, err = box.Account(ctx)
	if err != nil {
		return out, fmt.Errorf("outlook: whose mailbox it is: %w", err)
	}
	c.Address = out.Account.Address
	out.Scopes = p.effective(c.Token.Scopes)
	out.Credential, err = c.encode()
	return out, err
}

// named names scopes as they were asked for.
func named(granted []string) []string {
	scopes := slices.Clone(granted)
	for i, scope := range scopes {
		if rest, ok := strings.CutPrefix(scope, resource); ok {
			scopes[i] = rest
		}
	}
	return scopes
}

// effective are the scopes of a consent that nothing is missing of: Microsoft leaves some of its own
// out of the answer that were granted, such as offline_access.
func (p *Provider) effective(granted []string) []string {
	scopes := named(granted)
	for _, s := range p.Scopes() {
		if !slices.Contains(scopes, s) {
			scopes = append(scopes, s)
		}
	}
	return scopes
}

// missing lists what was asked for and not granted. Microsoft does not name all of its own; the
// refresh token itself says whether there is offline access. Nil says that nothing is known.
func missing(asked, granted []string) []string {
	if granted == nil {
		return nil
	}
	granted = named(granted)
	return slices.DeleteFunc(slices.Clone(asked), func(s string) bool {
		return slices.Contains(granted, s) || !strings.Contains(s, ".") ||
			s == ScopeRead && slices.Contains(granted, ScopeReadWrite)
	})
}

// Revoke answers errors.ErrUnsupported: Microsoft has no way for an application to end one grant. The
// owner removes the application at https://myapps.microsoft.com, and the caller forgets the
// credential.
func (p *Provider) Revoke(_ context.Context, cred provider.Credential) error {
	if _, err := decodeCredential(cred); err != nil {
		return err
	}
	return fmt.Errorf("outlook: end a grant at https://myapps.microsoft.com: %w", errors.ErrUnsupported)
}
