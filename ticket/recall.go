package ticket

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
)

// Recall takes back a mail that waits to be sent: within the undo window, or written for later. What
// was written stays in the history, marked as recalled; the mail itself is forgotten. It is for
// whoever works on the inbox, also where nobody may reply any more: on a ticket that is locked, from a
// mailbox that is paused. ErrNotQueued when it is on its way already, or gone.
func (s *Service) Recall(ctx context.Context, actor acl.Actor, id ID, entry EntryID) (Entry, error) {
	_, in, err := s.view(ctx, actor, id)
	if err == nil {
		_, err = s.Inboxes.Authorize(ctx, actor, in.ID, acl.BeAssignee, nil)
	}
	if err != nil {
		return Entry{}, err
	}
	var blob inbox.BlobKey
	e, err := s.queued(ctx, id, entry, func(o *Outgoing) {
		blob = o.Blob
		o.State, o.Blob, o.Size = OutgoingRecalled, "", 0
	})
	if err != nil {
		return Entry{}, err
	}
	s.forget(ctx, blob)
	return s.left(ctx, actor, &in, e), nil
}

// Reschedule lets a mail that waits to be sent leave at another time; zero is now. It is for whoever
// may reply. ErrNotQueued when it is on its way already, or gone.
func (s *Service) Reschedule(ctx context.Context, actor acl.Actor, id ID, entry EntryID, at time.Time) (Entry, error) {
	t, err := s.Store.Ticket(ctx, id)
	if err != nil {
		return Entry{}, err
	}
	in, err := s.allow(ctx, actor, &t, acl.Reply)
	if err != nil {
		return Entry{}, err
	}
	at = at.UTC().Truncate(time.Microsecond)
	if at.IsZero() || at.Before(s.now()) {
		at = s.now()
	}
	e, err := s.queued(ctx, id, entry, func(o *Outgoing) { o.NotBefore = at })
	if err != nil {
		return Entry{}, err
	}
	return s.left(ctx, actor, &in, s.sendNow(ctx, e)), nil
}

// queued changes a mail that waits to be sent.
func (s *Service) queued(ctx context.Context, id ID, entry EntryID, change func(*Outgoing)) (Entry, error) {
	e := Entry{ID: entry, Ticket: id}
	err := s.move(ctx, &e, OutgoingQueued, change)
	if errors.Is(err, storage.ErrConflict) {
		return Entry{}, fmt.Errorf("entry %q: %w", entry, ErrNotQueued)
	}
	return e, err
}
