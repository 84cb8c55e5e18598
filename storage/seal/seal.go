// Package seal encrypts what another inbox.Vault keeps (R-CON-03). The inner vault sees only sealed
// records; versions, compare-and-set and deletion stay its own.
//
// What a sealed record promises:
//
//  1. AES-256-GCM under a key of its own, derived with HKDF (RFC 5869) from the master key and a
//     random salt, so that no two records share a key, however many there are.
//  2. The record is bound to its inbox, its use and this format: put in the place of another
//     inbox's record, or of another secret of the same inbox, it does not open.
//  3. It names the master key that sealed it. New writes use the current key of the KeyProvider,
//     older keys still open what they sealed, Rotate moves a record to the current key.
//  4. Any changed byte is ErrTampered, a key with the right name but the wrong bytes is ErrWrongKey,
//     a key nobody has is ErrUnknownKey. Nothing is ever returned from a record that fails.
//
// A vault that was used unsealed before does not open through this one: read each credential from
// the inner vault and save it here once.
package seal

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/storage"
)

// rotateTries is how often Rotate meets a newer version before it gives up.
const rotateTries = 3

// Vault is an inbox.Vault that seals every credential before the inner vault sees it. It may be used
// concurrently when the inner vault and the key provider may.
type Vault struct {
	inner inbox.Vault
	keys  KeyProvider
}

var _ inbox.Vault = (*Vault)(nil)

// New returns a vault that keeps sealed credentials in inner. Both arguments are required.
func New(inner inbox.Vault, keys KeyProvider) *Vault { return &Vault{inner: inner, keys: keys} }

// Credential returns the opened credential and its version. Besides the inner vault's errors
// (storage.ErrNotFound) it answers ErrTampered, ErrWrongKey, ErrUnknownKey, or what the key provider
// answered.
func (v *Vault) Credential(
	ctx context.Context, name inbox.VaultKey,
) (provider.Credential, storage.Version, error) {
	sealed, version, err := v.inner.Credential(ctx, name)
	if err != nil {
		return provider.Credential{}, 0, err
	}
	cred, _, err := v.open(ctx, name, sealed)
	if err != nil {
		return provider.Credential{}, 0, err
	}
	return cred, version, nil
}

// SaveCredential seals cred with the current key and saves it as the inner vault does: expect is the
// version it replaces, zero to create, and storage.ErrConflict when that is not what is stored.
func (v *Vault) SaveCredential(
	ctx context.Context, name inbox.VaultKey, cred provider.Credential, expect storage.Version,
) (storage.Version, error) {
	key, err := v.current(ctx)
	if err != nil {
		return 0, failed("seal", name, err)
	}
	record, err := sealRecord(key, name, cred.Reveal())
	if err != nil {
		return 0, failed("seal", name, err)
	}
	return v.inner.SaveCredential(ctx, name, provider.NewCredential(record), expect)
}

// DeleteCredential deletes the record. That there is none is fine.
func (v *Vault) DeleteCredential(ctx context.Context, name inbox.VaultKey) error {
	return v.inner.DeleteCredential(ctx, name)
}

// Rotate seals that credential again with the current key, under compare-and-set, and says
// whether it had to. A credential refreshed meanwhile is read again; after three such meetings the
// answer is storage.ErrConflict. Once Rotate went over every secret the older keys can be dropped.
func (v *Vault) Rotate(ctx context.Context, name inbox.VaultKey) (bool, error) {
	for try := 1; ; try++ {
		sealed, version, err := v.inner.Credential(ctx, name)
		if err != nil {
			return false, err
		}
		cred, usedKey, err := v.open(ctx, name, sealed)
		if err != nil {
			return false, err
		}
		key, err := v.current(ctx)
		if err != nil {
			return false, failed("rotate", name, err)
		}
		if key.ID() == usedKey {
			return false, nil
		}
		record, err := sealRecord(key, name, cred.Reveal())
		if err != nil {
			return false, failed("rotate", name, err)
		}
		_, err = v.inner.SaveCredential(ctx, name, provider.NewCredential(record), version)
		if err == nil {
			return true, nil
		}
		if !errors.Is(err, storage.ErrConflict) || try == rotateTries {
			return false, err
		}
	}
}

// open returns the credential inside sealed and the id of the key that sealed it.
func (v *Vault) open(
	ctx context.Context, name inbox.VaultKey, sealed provider.Credential,
) (provider.Credential, string, error) {
	rec, err := parseRecord(sealed.Reveal())
	if err != nil {
		return provider.Credential{}, "", failed("open", name, err)
	}
	key, err := v.keys.Key(ctx, rec.keyID)
	if err != nil {
		return provider.Credential{}, "", failed("open", name, keyFailed(rec.keyID, err))
	}
	secret, err := rec.open(key, name)
	if err != nil {
		return provider.Credential{}, "", failed("open", name, err)
	}
	return provider.NewCredential(secret), rec.keyID, nil
}

func (v *Vault) current(ctx context.Context) (Key, error) {
	key, err := v.keys.Current(ctx)
	if err != nil {
		return Key{}, fmt.Errorf("current key: %w", err)
	}
	if key.secret == nil {
		return Key{}, fmt.Errorf("current key: %w", ErrUnknownKey)
	}
	return key, nil
}

// Format never tells what is inside, whatever the verb.
func (v *Vault) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "seal.Vault") }

func failed(op string, name inbox.VaultKey, err error) error {
	return &storage.Error{Op: op, Entity: "credential", ID: string(name.Inbox), Err: err}
}
