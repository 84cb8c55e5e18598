package inbox

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/storage"
)

// openMailbox is a mailbox this process has open. One per inbox, so that a provider's token source
// and quota gate serve all its calls.
type openMailbox struct {
	box provider.Mailbox

	mu      sync.Mutex
	version storage.Version // of the credential in the vault
}

// mailbox opens the inbox's mailbox, or returns the one that is open already.
func (s *Service) mailbox(ctx context.Context, in *Inbox) (provider.Mailbox, error) {
	s.mu.Lock()
	open := s.boxes[in.ID]
	s.mu.Unlock()
	if open != nil {
		return open.box, nil
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
	open.box, err = p.Open(ctx, cred, func(ctx context.Context, c provider.Credential) error {
		return open.save(ctx, s.Vault, key, c)
	})
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if first := s.boxes[in.ID]; first != nil {
		return first.box, nil
	}
	s.boxes[in.ID] = open
	return open.box, nil
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

func (s *Service) provider(k provider.Kind) (provider.Provider, error) {
	p, ok := s.providers[k]
	if !ok {
		return nil, fmt.Errorf("no provider of kind %q is configured: %w", k, ErrUnknownProvider)
	}
	return p, nil
}
