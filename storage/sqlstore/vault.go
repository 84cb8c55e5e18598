package sqlstore

import (
	"context"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/storage"
)

// Credential returns a secret and its version.
func (s *Store) Credential(
	ctx context.Context, key inbox.VaultKey,
) (cred provider.Credential, version storage.Version, err error) {
	err = s.read(ctx, op{"read", "credential", string(key.Inbox)}, func(x *session) error {
		var secret []byte
		err := x.one("SELECT version, secret FROM {credentials} WHERE inbox = ? AND purpose = ?",
			[]any{string(key.Inbox), string(key.Use)}, &version, &secret)
		cred = provider.NewCredential(secret)
		return err
	})
	if err != nil {
		return provider.Credential{}, 0, err
	}
	return cred, version, nil
}

// SaveCredential replaces the secret of version expect. It is kept as it comes; storage/seal wraps a
// vault that must not know it.
func (s *Store) SaveCredential(
	ctx context.Context, key inbox.VaultKey, cred provider.Credential, expect storage.Version,
) (storage.Version, error) {
	secret := cred.Reveal()
	if secret == nil {
		secret = []byte{}
	}
	err := s.write(ctx, op{"save", "credential", string(key.Inbox)}, func(x *session) error {
		var stored bool
		var err error
		if expect == 0 {
			stored, err = x.create("INSERT INTO {credentials} VALUES (?, ?, 1, ?) "+
				"ON CONFLICT (inbox, purpose) DO NOTHING",
				string(key.Inbox), string(key.Use), secret)
		} else {
			var n int64
			n, err = x.affected("UPDATE {credentials} SET version = version + 1, secret = ? "+
				"WHERE inbox = ? AND purpose = ? AND version = ?",
				secret, string(key.Inbox), string(key.Use), int64(expect))
			stored = n > 0
		}
		if err == nil && !stored {
			err = storage.ErrConflict
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	return expect + 1, nil
}

// DeleteCredential forgets a secret.
func (s *Store) DeleteCredential(ctx context.Context, key inbox.VaultKey) error {
	return s.write(ctx, op{"delete", "credential", string(key.Inbox)}, func(x *session) error {
		_, err := x.exec("DELETE FROM {credentials} WHERE inbox = ? AND purpose = ?",
			string(key.Inbox), string(key.Use))
		return err
	})
}
