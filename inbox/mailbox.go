package inbox

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"time"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/storage"
)

// openMailbox is a mailbox this process has open. One per inbox, so that a provider's token source
// and quota gate serve all its calls.
type openMailbox struct {
	provider.Mailbox

	mu      sync.Mutex
	version storage.Version // of the credential in the vault
}

// Unwrap makes the mailbox's capabilities found (provider.As).
func (o *openMailbox) Unwrap() provider.Mailbox { return o.Mailbox }

// mailbox opens the inbox's mailbox, or returns the one that is open already, unless another process
// has refreshed its credential: where the service gives a new refresh token each time, the old one is
// dead.
func (s *Service) mailbox(ctx context.Context, in *Inbox) (*openMailbox, error) {
	s.mu.Lock()
	open := s.boxes[in.ID]
	s.mu.Unlock()
	if open != nil {
		if !s.outdated(ctx, in.ID, open) {
			return open, nil
		}
		s.forget(in.ID, open)
	}
	p, err := s.provider(in.Provider)
	if err != nil {
		return nil, err
	}
	key := VaultKey{Inbox: in.ID, Use: UseMailbox}
	cred, version, err := s.Vault.Credential(ctx, key)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, fmt.Errorf("inbox %q has no credential: %w", in.ID, provider.ErrAuth)
	}
	if err != nil {
		return nil, err
	}
	open = &openMailbox{version: version}
	open.Mailbox, err = p.Open(ctx, cred, func(ctx context.Context, c provider.Credential) error {
		err := open.save(ctx, s.Vault, key, c)
		if conflict(err) {
			s.forget(in.ID, open)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if first := s.boxes[in.ID]; first != nil {
		return first, nil
	}
	s.boxes[in.ID] = open
	return open, nil
}

// save keeps a refreshed credential. Where another process was faster, ours is the one to drop: the
// provider gets ErrConflict and reads again by being opened anew.
func (o *openMailbox) save(ctx context.Context, v Vault, key VaultKey, c provider.Credential) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	next, err := v.SaveCredential(ctx, key, c, o.version)
	if err != nil {
		return err
	}
	o.version = next
	return nil
}

// forgetMailbox closes the door this process has open; the next call opens it anew.
func (s *Service) forgetMailbox(id ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.boxes, id)
}

// forget closes one door, unless another stands open in its place.
func (s *Service) forget(id ID, open *openMailbox) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.boxes[id] == open {
		delete(s.boxes, id)
	}
}

// outdated says whether the vault holds another credential than the one the mailbox uses.
func (s *Service) outdated(ctx context.Context, id ID, used *openMailbox) bool {
	if used == nil {
		return false
	}
	_, version, err := s.Vault.Credential(ctx, VaultKey{Inbox: id, Use: UseMailbox})
	used.mu.Lock()
	defer used.mu.Unlock()
	return err == nil && version != used.version
}

// refreshGrace is how long a refused credential may be that of another process which has refreshed it
// and is about to store the new one.
const refreshGrace = 500 * time.Millisecond

// superseded says whether an error is only of the credential the mailbox used, and the vault holds
// another: its owner has reconnected, or another process has refreshed it and was first to store it.
// Then the mailbox is to be opened anew, and the same call works.
func (s *Service) superseded(ctx context.Context, id ID, used *openMailbox, cause error) bool {
	if used == nil || ctx.Err() != nil || !dead(cause) && !conflict(cause) {
		return false
	}
	s.forget(id, used)
	if s.outdated(ctx, id, used) {
		return true
	}
	if conflict(cause) {
		return false // of something else
	}
	select {
	case <-time.After(refreshGrace):
	case <-ctx.Done():
	}
	return s.outdated(ctx, id, used)
}

// through makes a call of the inbox's mailbox, which took nothing where it says that the grant is dead,
// and once more where only the credential was out of date.
func through[T any](
	ctx context.Context, s *Service, in *Inbox, call func(context.Context, *openMailbox) (T, error),
) (T, error) {
	for try := 1; ; try++ {
		box, err := s.mailbox(ctx, in)
		if err != nil {
			var none T
			return none, err
		}
		out, err := call(ctx, box)
		if s.superseded(ctx, in.ID, box, err) {
			if try < 2 {
				continue
			}
			return out, err
		}
		s.deadGrant(ctx, in.ID, err)
		return out, err
	}
}

// sameAccount yields the inboxes but for one, of all sites, that hold a grant of an account.
func (s *Service) sameAccount(
	ctx context.Context, kind provider.Kind, account string, butFor ID,
) iter.Seq2[Inbox, error] {
	return func(yield func(Inbox, error) bool) {
		for other, err := range s.Store.Inboxes(ctx, Query{}) {
			if err == nil {
				if other.Provider != kind || other.Account.ID != account || other.ID == butFor {
					continue
				}
				_, _, err = s.Vault.Credential(ctx, VaultKey{Inbox: other.ID, Use: UseMailbox})
				if errors.Is(err, storage.ErrNotFound) {
					continue
				}
			}
			if !yield(other, err) {
				return
			}
		}
	}
}

// suspended says whether the inbox's creator is deactivated or gone: then its grant is not used
// (R-ROL-07).
func (s *Service) suspended(ctx context.Context, in *Inbox) (bool, error) {
	p, err := s.People.Person(ctx, in.Site, in.Creator)
	if errors.Is(err, storage.ErrNotFound) {
		return true, nil
	}
	return p.State == acl.Deactivated, err
}

// usable refuses an inbox through which nothing may be read or sent now, with ErrInvalidState.
func (s *Service) usable(ctx context.Context, in *Inbox) error {
	if !in.State.Live() {
		return fmt.Errorf("inbox %q is %s: %w", in.ID, in.State, ErrInvalidState)
	}
	idle, err := s.suspended(ctx, in)
	if err == nil && idle {
		err = fmt.Errorf("the creator of inbox %q is deactivated: %w", in.ID, ErrInvalidState)
	}
	return err
}

func (s *Service) provider(k provider.Kind) (provider.Provider, error) {
	p, ok := s.providers[k]
	if !ok {
		return nil, fmt.Errorf("no provider of kind %q is configured: %w", k, ErrUnknownProvider)
	}
	return p, nil
}
