package ticket

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
)

// purgeAfter is how long a ticket lies in the trash (R-TKT-05).
const purgeAfter = 30 * 24 * time.Hour

// PurgeTrash forgets the tickets that have been in the trash for 30 days, for good: their mail with all
// that is attached, what waits to be sent, drafts, and the tickets that were merged into them
// (R-TKT-05). The mailbox itself is not touched, and no sync brings the mail back. One with a mail that
// is just being sent, or is not back from the mailbox, is left to the next time.
//
// It is the engine's own; desk.Run calls it. It may be interrupted anywhere: what was begun cannot be
// restored any more, and the next PurgeTrash ends it, as it ends what Redact began. One ticket that cannot
// be purged does not keep the others, and all errors are returned. It returns how many tickets it purged.
func (s *Service) PurgeTrash(ctx context.Context) (int, error) {
	due := s.now().Add(-purgeAfter)
	q := Query{Deleted: true, Resting: RestTrash, RestedBy: due, AllHidden: true}
	n := 0
	var failed []error
	if err := s.endRedactions(ctx); err != nil {
		failed = append(failed, err)
	}
	for t, err := range s.Store.Tickets(ctx, q) {
		if err != nil {
			return n, errors.Join(append(failed, err)...)
		}
		err := s.purgeDue(ctx, t.ID, func(t *Ticket) bool { return !t.DeletedAt.After(due) })
		switch {
		case err == nil:
			n++
		case ctx.Err() != nil:
			return n, ctx.Err()
		case !errors.Is(err, errRestored) && !errors.Is(err, ErrSending):
			failed = append(failed, err)
		}
	}
	return n, errors.Join(failed...)
}

// Purge is PurgeTrash for one ticket of the trash, before its time: for whoever may delete tickets and
// see the trash, in every inbox its mail lies in. ErrSending while a mail of it is just being sent, or is not
// back from the mailbox. After another error it may have begun; then the ticket is gone for everybody, and
// PurgeTrash ends it, or Purge called again.
func (s *Service) Purge(ctx context.Context, actor acl.Actor, id ID) error {
	t, err := s.Store.Ticket(ctx, id)
	if err != nil {
		return err
	}
	if err := s.mayPurge(ctx, actor, &t); err != nil {
		return err
	}
	err = s.purgeDue(ctx, id, func(*Ticket) bool { return true })
	if errors.Is(err, errRestored) {
		return fmt.Errorf("purge ticket %q: %w", id, storage.ErrConflict)
	}
	return err
}

// mayPurge asks for the right to purge a ticket, and its mail where that lies.
func (s *Service) mayPurge(ctx context.Context, actor acl.Actor, t *Ticket) error {
	if _, err := s.allow(ctx, actor, t, acl.Purge); err != nil {
		return err
	}
	asked := map[inbox.ID]bool{t.Inbox: true}
	for e, err := range s.Store.Entries(ctx, EntryQuery{Ticket: t.ID}) {
		if err != nil {
			return err
		}
		if asked[e.Inbox] || e.Message == "" && e.Outgoing == nil {
			continue
		}
		asked[e.Inbox] = true
		facts := acl.Facts{Ticket: acl.Ticket{Deleted: true}}
		_, err := s.Inboxes.Authorize(ctx, actor, e.Inbox, acl.Purge, &facts)
		if errors.Is(err, storage.ErrNotFound) {
			err = fmt.Errorf("purge ticket %q: mail of it lies in a mailbox this person does not know: %w", t.ID, acl.ErrDenied)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// errRestored says that a ticket is not to be purged any more.
var errRestored = errors.New("the ticket is not in the trash any more")

// purgeDue forgets a ticket that is still due.
func (s *Service) purgeDue(ctx context.Context, id ID, due func(t *Ticket) bool) error {
	err := s.beginPurge(ctx, id, due)
	for try := 1; err == nil; try++ {
		var gone bool
		gone, err = s.purgeOnce(ctx, id)
		if gone {
			return nil
		}
		if try < collectTries && unsettled(err) {
			err = nil
		}
	}
	if err != nil {
		return fmt.Errorf("purge ticket %q: %w", id, err)
	}
	return nil
}

// purgeOnce forgets a ticket that is marked, with those that were merged into it.
func (s *Service) purgeOnce(ctx context.Context, id ID) (gone bool, err error) {
	t, err := s.Store.Ticket(ctx, id)
	if errors.Is(err, storage.ErrNotFound) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	if err := s.forgetSent(ctx, &t); err != nil {
		return false, err
	}
	if err := s.uncountUnsent(ctx, &t); err != nil {
		return false, err
	}
	for _, from := range t.MergedFrom {
		if err := s.purgeMerged(ctx, t.ID, from); err != nil {
			return false, err
		}
	}
	err = s.purgeWhole(ctx, &t)
	return err == nil, err
}

// beginPurge marks a ticket, so that nobody restores what is half gone, and takes back what waits to be
// sent.
func (s *Service) beginPurge(ctx context.Context, id ID, due func(t *Ticket) bool) error {
	return storage.Redo(func() error {
		t, err := s.Store.Ticket(ctx, id)
		if errors.Is(err, storage.ErrNotFound) {
			return nil // gone
		}
		if err != nil {
			return err
		}
		if !t.PurgeBegan.IsZero() {
			return nil
		}
		if t.DeletedAt.IsZero() || !due(&t) {
			return errRestored
		}
		if err := s.sentIsBack(ctx, id); err != nil {
			return err
		}
		var recalled []Entry
		for e, err := range s.Store.Entries(ctx, EntryQuery{Ticket: id}) {
			switch {
			case err != nil:
				return err
			case e.Outgoing == nil:
			case e.Outgoing.State == OutgoingSending:
				return ErrSending
			case e.Outgoing.State == OutgoingQueued:
				o := *e.Outgoing
				o.State = OutgoingRecalled // it keeps its blob, which is forgotten with the ticket
				e.Outgoing = &o
				recalled = append(recalled, e)
			}
		}
		t.PurgeBegan = s.now()
		_, err = s.saveTickets(ctx, []Write{{Ticket: t, Entries: recalled}})
		return err
	})
}

// purgeMerged forgets what is left of a ticket that was merged into one that is purged.
func (s *Service) purgeMerged(ctx context.Context, into, id ID) error {
	for try := 1; ; try++ {
		t, err := s.Store.Ticket(ctx, id)
		if errors.Is(err, storage.ErrNotFound) || err == nil && t.MergedInto != into {
			return nil
		}
		if err != nil {
			return err
		}
		for _, from := range t.MergedFrom {
			if err := s.purgeMerged(ctx, id, from); err != nil {
				return err
			}
		}
		// From here on no draft is saved on it.
		if t.PurgeBegan.IsZero() {
			t.PurgeBegan = s.now()
			var saved []Ticket
			if saved, err = s.saveTickets(ctx, []Write{{Ticket: t}}); err == nil {
				t = saved[0]
			}
		}
		if err == nil {
			err = s.purgeWhole(ctx, &t)
		}
		if try < collectTries && unsettled(err) {
			continue
		}
		return err
	}
}

// purgeWhole forgets a ticket with what it names, the ticket last: whatever a crash leaves is still
// named by it.
func (s *Service) purgeWhole(ctx context.Context, t *Ticket) error {
	if err := s.eraseHeld(ctx, t, ""); err != nil {
		return err
	}
	if err := s.forgetDraftFiles(ctx, t.ID); err != nil {
		return err
	}
	s.unlinkAll(ctx, t)
	return s.Store.PurgeTicket(ctx, t.ID, t.Version)
}

// eraseHeld forgets the mail a ticket holds and what was kept to be sent, but for that of one inbox.
func (s *Service) eraseHeld(ctx context.Context, t *Ticket, but inbox.ID) error {
	mails := make(map[inbox.ID][]inbox.MessageID)
	raws := make(map[inbox.ID][]inbox.BlobInfo)
	for e, err := range s.Store.Entries(ctx, EntryQuery{Ticket: t.ID}) {
		if err != nil {
			return err
		}
		if e.Inbox == but {
			continue
		}
		if e.Message != "" {
			mails[e.Inbox] = append(mails[e.Inbox], e.Message)
		}
		if e.Outgoing != nil && e.Outgoing.Blob != "" {
			raws[e.Inbox] = append(raws[e.Inbox], inbox.BlobInfo{Key: e.Outgoing.Blob, Size: e.Outgoing.Size})
		}
	}
	if err := s.eraseMails(ctx, mails); err != nil {
		return err
	}
	for _, in := range slices.Sorted(maps.Keys(raws)) {
		if err := s.Inboxes.ForgetRaw(ctx, in, raws[in]...); err != nil {
			return err
		}
	}
	return nil
}

// eraseMails forgets mail in the inboxes it lies in.
func (s *Service) eraseMails(ctx context.Context, mails map[inbox.ID][]inbox.MessageID) error {
	for _, in := range slices.Sorted(maps.Keys(mails)) {
		if err := s.Inboxes.Erase(ctx, in, mails[in]...); err != nil {
			return err
		}
	}
	return nil
}
