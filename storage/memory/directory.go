package memory

import (
	"context"
	"iter"
	"slices"

	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/storage"
)

// claim is a live inbox's hold on a mailbox: its account id at the provider, or its address
// (R-INB-06).
type claim struct {
	site    inbox.SiteID
	kind    provider.Kind // empty in a claim on an address
	account string
}

func claimsOf(in *inbox.Inbox) []claim {
	var cs []claim
	if in.State == inbox.StateDeleted {
		return nil
	}
	if in.Account.ID != "" {
		cs = append(cs, claim{in.Site, in.Provider, "id " + in.Account.ID})
	}
	if in.Account.Address != "" {
		cs = append(cs, claim{site: in.Site, account: filter.AddressKey(in.Account.Address)})
	}
	return cs
}

// CreateInbox stores a new inbox as version 1; see inbox.Directory. The mailbox of another live
// inbox is refused here as in UpdateInbox.
func (s *Store) CreateInbox(
	ctx context.Context, in inbox.Inbox, ev ...inbox.Event,
) (inbox.Inbox, error) {
	unlock, err := s.write(ctx)
	if err != nil {
		return inbox.Inbox{}, err
	}
	defer unlock()
	if _, taken := s.boxes[in.ID]; taken || s.claimed(&in) {
		return inbox.Inbox{}, refuse("create", "inbox", in.ID, storage.ErrExists)
	}
	if err := s.checkEvents(ev); err != nil {
		return inbox.Inbox{}, err
	}
	in = clone(in)
	in.Version = 1
	s.boxes[in.ID] = newBox(&in)
	s.setInbox(nil, &in)
	s.addEvents(ev)
	return clone(in), nil
}

// Inbox returns one inbox; see inbox.Directory.
func (s *Store) Inbox(ctx context.Context, id inbox.ID) (inbox.Inbox, error) {
	unlock, err := s.read(ctx)
	if err != nil {
		return inbox.Inbox{}, err
	}
	defer unlock()
	b := s.boxes[id]
	if b == nil {
		return inbox.Inbox{}, refuse("read", "inbox", id, storage.ErrNotFound)
	}
	return clone(*b.inbox), nil
}

// UpdateInbox replaces the inbox and extends its log; see inbox.Directory.
func (s *Store) UpdateInbox(
	ctx context.Context, in inbox.Inbox, log []inbox.Change, ev ...inbox.Event,
) (inbox.Inbox, error) {
	unlock, err := s.write(ctx)
	if err != nil {
		return inbox.Inbox{}, err
	}
	defer unlock()
	b := s.boxes[in.ID]
	switch {
	case b == nil:
		return inbox.Inbox{}, refuse("update", "inbox", in.ID, storage.ErrNotFound)
	case b.inbox.Version != in.Version:
		return inbox.Inbox{}, refuse("update", "inbox", in.ID, storage.ErrConflict)
	case s.claimed(&in):
		return inbox.Inbox{}, refuse("update", "inbox", in.ID, storage.ErrExists)
	}
	if err := s.checkEvents(ev); err != nil {
		return inbox.Inbox{}, err
	}
	in = clone(in)
	in.Version++
	s.setInbox(b.inbox, &in)
	b.inbox = &in
	for _, c := range log {
		b.append(c)
	}
	s.addEvents(ev)
	return clone(in), nil
}

// DeleteInbox forgets the inbox and what hangs on it; see inbox.Directory.
func (s *Store) DeleteInbox(ctx context.Context, id inbox.ID) error {
	unlock, err := s.write(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	b := s.boxes[id]
	if b == nil {
		return nil
	}
	s.setInbox(b.inbox, nil)
	for m := range b.messages.of(key{}).all() {
		delete(s.messages, m.ID)
	}
	delete(s.boxes, id)
	for _, cs := range s.clients {
		cs.forget(id)
	}
	return nil
}

// Inboxes yields inboxes by ID in byte order; see inbox.Directory.
func (s *Store) Inboxes(ctx context.Context, q inbox.Query) iter.Seq2[inbox.Inbox, error] {
	k := key{}
	if q.Site != "" {
		k = key{by: bySite, site: q.Site}
	}
	return list[inbox.Inbox]{
		from:  func() *sorted[inbox.Inbox] { return s.inboxes.of(k) },
		after: &inbox.Inbox{ID: q.After},
		keep: func(in *inbox.Inbox) bool {
			return (q.Scope == nil || q.Scope.Includes(in.ACL())) &&
				(len(q.States) == 0 || slices.Contains(q.States, in.State))
		},
		copy:  clone[inbox.Inbox],
		limit: q.Limit,
	}.yield(ctx, s)
}

// claimed says whether another inbox holds the mailbox.
func (s *Store) claimed(in *inbox.Inbox) bool {
	return slices.ContainsFunc(claimsOf(in), func(c claim) bool {
		holder, taken := s.claims[c]
		return taken && holder != in.ID
	})
}

// setInbox puts an inbox, or with nil none, in place of the old one.
func (s *Store) setInbox(old, in *inbox.Inbox) {
	if old != nil {
		for _, c := range claimsOf(old) {
			delete(s.claims, c)
		}
	}
	if in != nil {
		for _, c := range claimsOf(in) {
			s.claims[c] = in.ID
		}
	}
	s.inboxes.replace(old, in)
}
