package fake

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/url"

	"github.com/workinbox/workinbox/provider"
)

const adminURL = "https://fake.invalid/adminconsent"

func authURL(req provider.AuthRequest) string {
	challenge := sha256.Sum256([]byte(req.Verifier))
	q := url.Values{
		"state":                 {req.State},
		"redirect_uri":          {req.RedirectURL},
		"code_challenge_method": {"S256"},
		"code_challenge":        {base64.RawURLEncoding.EncodeToString(challenge[:])},
	}
	if req.LoginHint != "" {
		q.Set("login_hint", req.LoginHint)
	}
	return "https://fake.invalid/consent?" + q.Encode()
}

// RedirectError knows "consent_required", which asks for an administrator, and takes every other
// error for the owner's refusal.
func (s *Service) RedirectError(params url.Values) error {
	switch code := params.Get("error"); code {
	case "":
		return nil
	case "consent_required":
		return &provider.ConsentError{URL: adminURL}
	default:
		return fmt.Errorf("fake: %s: %w", code, provider.ErrAuth)
	}
}

// Credential returns a credential of the account's present grant, as a test needs it that does not
// care for consent.
func (a *Account) Credential() provider.Credential {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.credential()
}

// RefuseConsent makes the owner refuse to consent, until called with false.
func (a *Account) RefuseConsent(refuse bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.refuses = refuse
}

// NeedAdmin makes consent need an administrator, until called with false.
func (a *Account) NeedAdmin(need bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.needsAdmin = need
}

// Revoke ends the grant: every call answers ErrAuth until Reconnect, or until consent is given
// again.
func (a *Account) Revoke() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.revoked = true
}

// Reconnect makes the grant live again, that of open mailboxes included, and returns a credential.
func (a *Account) Reconnect() provider.Credential {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.revoked = false
	return a.credential()
}

// Rotate makes the next call of each open mailbox change its credential first.
func (a *Account) Rotate() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.token++
}

func (a *Account) credential() provider.Credential {
	return provider.NewCredential(fmt.Appendf(nil, "%s %d", a.id, a.token))
}

func (a *Account) consent() (provider.Consent, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.refuses:
		return provider.Consent{}, fmt.Errorf("fake: exchange: access_denied: %w", provider.ErrAuth)
	case a.needsAdmin:
		return provider.Consent{}, &provider.ConsentError{URL: adminURL}
	}
	a.revoked = false
	return provider.Consent{Credential: a.credential(), Account: a.account(),
		Scopes: []string{ScopeRead, ScopeSend}}, nil
}

func (a *Account) account() provider.Account {
	return provider.Account{ID: a.id, Address: a.address, Aliases: append([]string(nil), a.aliases...)}
}

// authorised checks the grant of a call, and rotates the mailbox's credential when it must.
func (m *mailbox) authorised(ctx context.Context) error {
	a := m.a
	a.mu.Lock()
	dead := a.revoked
	token, cred := a.token, a.credential()
	a.mu.Unlock()
	if dead {
		return provider.ErrAuth
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.token == token {
		return nil
	}
	if m.save != nil {
		if err := m.save(ctx, cred); err != nil {
			return fmt.Errorf("save credential: %w", err)
		}
	}
	m.token = token
	return nil
}
