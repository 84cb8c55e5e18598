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
// was written stays in the history, marked as recalled; the mail itself is forgotten, and its author,
// whoever recalls it, has the draft again as it was, with its files (Draft, or Drafts where they have begun
// another since). A reply or forward that was no draft becomes one, but for what is larger than a draft may
// be, and for mail that was to leave at once. It is for whoever works on the inbox, also where nobody may
// reply any more: on a ticket that is locked, from a mailbox that is paused. ErrNotQueued when it is on its
// way already, or gone.
func (s *Service) Recall(ctx context.Context, actor acl.Actor, id ID, entry EntryID) (Entry, error) {
	_, in, err := s.visibleTicket(ctx, actor, id)
	if err == nil {
		_, err = s.Inboxes.Authorize(ctx, actor, in.ID, acl.BeAssignee, nil)
	}
	if err == nil {
		_, err = s.outgoing(ctx, actor, &in, id, entry, ErrNotQueued)
	}
	if err != nil {
		return Entry{}, err
	}
	var blob inbox.BlobKey
	e, err := s.queued(ctx, id, entry, func(o *Outgoing) {
		blob = o.Blob
		o.State, o.Blob, o.Size = OutgoingRecalled, "", 0
	})
	if err != nil && !errors.Is(err, ErrNotQueued) {
		// A store may lose its answer.
		now, unknown := s.current(context.WithoutCancel(ctx), Entry{ID: entry, Ticket: id})
		if unknown == nil && now.recalled() {
			e, err = now, nil
		}
	}
	if err != nil {
		return Entry{}, err
	}
	s.forget(ctx, blob)
	s.giveBack(ctx, &e)
	return s.left(ctx, actor, &in, e), nil
}

// Reschedule lets a mail that waits to be sent leave at another time; zero is now. It is for whoever
// may reply. ErrNotQueued when it is on its way already, or gone.
func (s *Service) Reschedule(ctx context.Context, actor acl.Actor, id ID, entry EntryID, at time.Time) (Entry, error) {
	in, waiting, err := s.writtenMail(ctx, actor, id, entry, ErrNotQueued)
	if err == nil {
		err = s.mayStill(ctx, &waiting)
	}
	if err != nil {
		return Entry{}, err
	}
	at = at.UTC().Truncate(time.Microsecond)
	if at.IsZero() || at.Before(s.now()) {
		at = s.now()
	}
	e, err := s.queued(ctx, id, entry, func(o *Outgoing) {
		o.NotBefore, o.Error, o.HeldSince = at, "", time.Time{}
	})
	if err != nil {
		return Entry{}, err
	}
	return s.left(ctx, actor, &in, s.sendNow(ctx, e)), nil
}

// queued changes a mail that waits to be sent.
func (s *Service) queued(ctx context.Context, id ID, entry EntryID, change func(*Outgoing)) (Entry, error) {
	e := Entry{ID: entry, Ticket: id}
	err := s.advance(ctx, &e, OutgoingQueued, change)
	if errors.Is(err, storage.ErrConflict) {
		return Entry{}, fmt.Errorf("entry %q: %w", entry, ErrNotQueued)
	}
	return e, err
}
