package memory

import (
	"context"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/storage"
)

type secret struct {
	cred    provider.Credential
	version storage.Version
}

// Credential returns a secret and its version; see inbox.Vault.
func (s *Store) Credential(
	ctx context.Context, key inbox.VaultKey,
) (provider.Credential, storage.Version, error) {
	unlock, err := s.read(ctx)
	if err != nil {
		return provider.Credential{}, 0, err
	}
	defer unlock()
	sec, ok := s.secrets[key]
	if !ok {
		return provider.Credential{}, 0, refuse("read", "credential", key.Inbox, storage.ErrNotFound)
	}
	return sec.cred, sec.version, nil
}

// SaveCredential replaces the secret of version expect; see inbox.Vault. The secret is kept in the
// open, in this process alone; storage/seal wraps a vault that must not know it.
func (s *Store) SaveCredential(
	ctx context.Context, key inbox.VaultKey, cred provider.Credential, expect storage.Version,
) (storage.Version, error) {
	unlock, err := s.write(ctx)
	if err != nil {
		return 0, err
	}
	defer unlock()
	if s.secrets[key].version != expect {
		return 0, refuse("save", "credential", key.Inbox, storage.ErrConflict)
	}
	s.secrets[key] = secret{cred, expect + 1}
	return expect + 1, nil
}

// DeleteCredential forgets a secret; see inbox.Vault.
func (s *Store) DeleteCredential(ctx context.Context, key inbox.VaultKey) error {
	unlock, err := s.write(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	delete(s.secrets, key)
	return nil
}
