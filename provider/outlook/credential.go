package outlook

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/internal/oauth"
)

// credential is what a provider.Credential of ours holds.
type credential struct {
	ID      string // object id (oid) within the tenant
	Tenant  string // tid
	Address string
	Token   oauth.Token
}

// storedCredential is its stored form, as JSON. Version 1 is the only one so far.
type storedCredential struct {
	Version int             `json:"v"`
	ID      string          `json:"id"`
	Tenant  string          `json:"tenant"`
	Address string          `json:"address"`
	Token   json.RawMessage `json:"token"`
}

const credentialVersion = 1

// account is the account's immutable id: object ids are unique within a tenant.
func (c credential) account() string { return c.Tenant + "/" + c.ID }

// encode makes the stored form. The id token is not kept: it was read once.
func (c credential) encode() (provider.Credential, error) {
	token, err := oauth.Marshal(c.Token)
	if err != nil {
		return provider.Credential{}, fmt.Errorf("outlook credential: %w", err)
	}
	text, err := json.Marshal(storedCredential{
		Version: credentialVersion, ID: c.ID, Tenant: c.Tenant, Address: c.Address, Token: token,
	})
	if err != nil {
		return provider.Credential{}, fmt.Errorf("outlook credential: %w", err)
	}
	return provider.NewCredential(text), nil
}

// decodeCredential reads the stored form. What is no credential of ours is a provider.ErrAuth: the
// owner connects again. One of a later version is a provider.ErrConfig: an older program runs. The
// reason of the decoder is left out, because it quotes what it read.
func decodeCredential(cred provider.Credential) (credential, error) {
	bad := func(what string, is error) (credential, error) {
		return credential{}, fmt.Errorf("outlook credential %s: %w", what, is)
	}
	if cred.IsZero() {
		return bad("is empty", provider.ErrAuth)
	}
	var s storedCredential
	if json.Unmarshal(cred.Reveal(), &s) != nil {
		return bad("is unreadable", provider.ErrAuth)
	}
	if s.Version > credentialVersion {
		return bad(fmt.Sprintf("has version %d", s.Version), provider.ErrConfig)
	}
	token, err := oauth.Unmarshal(s.Token)
	switch {
	case s.Version != credentialVersion || err != nil:
		return bad("is unreadable", provider.ErrAuth)
	case s.ID == "" || s.Tenant == "":
		return bad("has no account id", provider.ErrAuth)
	case token.Refresh.IsZero():
		return bad("has no refresh token", provider.ErrAuth)
	}
	return credential{ID: s.ID, Tenant: s.Tenant, Address: s.Address, Token: token}, nil
}

// granted says whether the owner granted one of the scopes. Without scopes the service granted what
// was asked for (RFC 6749 section 5.1).
func (c credential) granted(scopes ...string) bool {
	if len(c.Token.Scopes) == 0 {
		return true
	}
	have := named(c.Token.Scopes)
	return slices.ContainsFunc(scopes, func(s string) bool { return slices.Contains(have, s) })
}
