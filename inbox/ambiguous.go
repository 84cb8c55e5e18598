package inbox

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"time"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/storage"
)

// sureStore is a Store whose writes are made sure of where their outcome was not known
// (storage.ErrAmbiguous), so that the rest of this package need not ask.
type sureStore struct{ Store }

func (s sureStore) CreateInbox(ctx context.Context, in Inbox, ev ...Event) (Inbox, error) {
	return storage.Settle(ctx,
		func() (Inbox, error) { return s.Store.CreateInbox(ctx, in, ev...) },
		func() (Inbox, bool, error) { // nobody else makes this id
			stored, err := s.Store.Inbox(ctx, in.ID)
			return stored, err == nil, absent(err)
		})
}

func (s sureStore) UpdateInbox(ctx context.Context, in Inbox, log []Change, ev ...Event) (Inbox, error) {
	return storage.Settle(ctx,
		func() (Inbox, error) { return s.Store.UpdateInbox(ctx, in, log, ev...) },
		func() (Inbox, bool, error) {
			stored, err := s.Store.Inbox(ctx, in.ID)
			if err != nil || stored.Version != in.Version+1 {
				return stored, false, absent(err)
			}
			want := in
			want.Version = stored.Version
			return stored, same(want, stored), nil
		})
}

func (s sureStore) DeleteInbox(ctx context.Context, id ID) error {
	return again(ctx, func() error { return s.Store.DeleteInbox(ctx, id) })
}

// Commit names each step, because two that differ in their messages alone leave the same state.
func (s sureStore) Commit(ctx context.Context, imp Import, ev ...Event) (SyncState, error) {
	imp.State.Step = rand.Text()
	return storage.Settle(ctx,
		func() (SyncState, error) { return s.Store.Commit(ctx, imp, ev...) },
		func() (SyncState, bool, error) {
			stored, err := s.Store.SyncState(ctx, imp.State.Inbox)
			return stored, stored.Step == imp.State.Step, err
		})
}

func (s sureStore) EnsureCustomers(
	ctx context.Context, site SiteID, from ID, who []Known, at time.Time, newID func() string,
) ([]Customer, error) {
	return storage.Settle(ctx, func() ([]Customer, error) {
		return s.Store.EnsureCustomers(ctx, site, from, who, at, newID)
	}, nil)
}

func (s sureStore) SaveCompany(ctx context.Context, c Company, ev ...Event) (Company, error) {
	return storage.Settle(ctx,
		func() (Company, error) { return s.Store.SaveCompany(ctx, c, ev...) },
		func() (Company, bool, error) {
			stored, err := s.Store.Company(ctx, c.Site, c.ID)
			if err != nil || stored.Version != c.Version+1 {
				return stored, false, absent(err)
			}
			want := c
			want.Version = stored.Version
			return stored, same(want, stored), nil
		})
}

func (s sureStore) SaveCustomers(ctx context.Context, cs []Customer, ev ...Event) ([]Customer, error) {
	return storage.Settle(ctx,
		func() ([]Customer, error) { return s.Store.SaveCustomers(ctx, cs, ev...) },
		func() ([]Customer, bool, error) {
			out := make([]Customer, len(cs))
			for i, want := range cs {
				stored, err := s.Store.Customer(ctx, want.Site, want.ID)
				if err != nil || stored.Version != want.Version+1 {
					return nil, false, absent(err)
				}
				want.Version = stored.Version
				if !same(want, stored) {
					return nil, false, nil
				}
				out[i] = stored
			}
			return out, true, nil
		})
}

func (s sureStore) DoneEvent(ctx context.Context, id string) error {
	return again(ctx, func() error { return s.Store.DoneEvent(ctx, id) })
}

// RetryEvent may count one attempt twice, which lets an event that nobody takes wait longer.
func (s sureStore) RetryEvent(ctx context.Context, id string, done []acl.UserID, notBefore time.Time) error {
	return again(ctx, func() error { return s.Store.RetryEvent(ctx, id, done, notBefore) })
}

// sureVault does the same for the secrets: a refreshed one that was stored and is not known to be
// would look like another process's, and be dropped.
type sureVault struct{ Vault }

func (v sureVault) SaveCredential(
	ctx context.Context, key VaultKey, cred provider.Credential, expect storage.Version,
) (storage.Version, error) {
	return storage.Settle(ctx,
		func() (storage.Version, error) { return v.Vault.SaveCredential(ctx, key, cred, expect) },
		func() (storage.Version, bool, error) {
			stored, version, err := v.Vault.Credential(ctx, key)
			ours := version == expect+1 && bytes.Equal(stored.Reveal(), cred.Reveal())
			return version, ours, absent(err)
		})
}

func (v sureVault) DeleteCredential(ctx context.Context, key VaultKey) error {
	return again(ctx, func() error { return v.Vault.DeleteCredential(ctx, key) })
}

// absent lets ErrNotFound pass as an answer: what is not there was not stored.
func absent(err error) error {
	if errors.Is(err, storage.ErrNotFound) {
		return nil
	}
	return err
}

// again settles a write that does the same when made twice.
func again(ctx context.Context, write func() error) error {
	_, err := storage.Settle(ctx, func() (struct{}, error) { return struct{}{}, write() }, nil)
	return err
}

// same says whether two values are one as stores keep them.
func same(a, b any) bool {
	x, err := json.Marshal(a)
	if err != nil {
		return false
	}
	y, err := json.Marshal(b)
	return err == nil && bytes.Equal(x, y)
}
