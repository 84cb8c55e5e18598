package seal_test

import (
	"context"
	"sync"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/storage"
)

// plainVault is an inner vault in memory. The tests read and change its records behind the seal.
type plainVault struct {
	mu      sync.Mutex
	records map[inbox.VaultKey]plainRecord
	onSave  func() // runs once before the next save, outside the lock
}

type plainRecord struct {
	cred    provider.Credential
	version storage.Version
}

func newPlainVault() *plainVault {
	return &plainVault{records: map[inbox.VaultKey]plainRecord{}}
}

func (v *plainVault) Credential(
	ctx context.Context, name inbox.VaultKey,
) (provider.Credential, storage.Version, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	r, ok := v.records[name]
	if !ok {
		return provider.Credential{}, 0, storage.ErrNotFound
	}
	return r.cred, r.version, ctx.Err()
}

func (v *plainVault) SaveCredential(
	ctx context.Context, name inbox.VaultKey, cred provider.Credential, expect storage.Version,
) (storage.Version, error) {
	if f := v.takeOnSave(); f != nil {
		f()
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.records[name].version != expect {
		return 0, storage.ErrConflict
	}
	v.records[name] = plainRecord{cred, expect + 1}
	return expect + 1, ctx.Err()
}

func (v *plainVault) DeleteCredential(ctx context.Context, name inbox.VaultKey) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.records, name)
	return ctx.Err()
}

func (v *plainVault) takeOnSave() func() {
	v.mu.Lock()
	defer v.mu.Unlock()
	f := v.onSave
	v.onSave = nil
	return f
}

func (v *plainVault) raw(name inbox.VaultKey) []byte {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.records[name].cred.Reveal()
}

func (v *plainVault) setRaw(name inbox.VaultKey, b []byte) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.records[name] = plainRecord{provider.NewCredential(b), v.records[name].version}
}
