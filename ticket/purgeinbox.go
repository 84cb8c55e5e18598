package ticket

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
)

// PurgeInbox forgets every ticket of an inbox that is about to be forgotten itself, for
// inbox.Service.PurgeDeleted. Tickets that were moved or merged hold mail of other inboxes: what a
// ticket of this inbox holds of them goes back there, but for a ticket in the trash, with which it is
// erased. A ticket elsewhere that holds mail of this inbox keeps what was written about it and loses
// that mail, as if it were erased; one that has no other mail goes to the trash. The files of its drafts
// stay. It is the engine's own. After an error, or a crash, it is called again.
func (s *Service) PurgeInbox(ctx context.Context, id inbox.ID) error {
	in, err := s.engineInbox(ctx, id)
	if errors.Is(err, storage.ErrNotFound) {
		return s.Store.PurgeTickets(ctx, id)
	}
	if err != nil {
		return err
	}
	own := make(map[ID]bool)
	for _, q := range []Query{{Merged: true}, {Deleted: true}} {
		q.Site, q.Inboxes, q.AllHidden = in.Site, []inbox.ID{id}, true
		for t, err := range s.Store.Tickets(ctx, q) {
			if err != nil {
				return err
			}
			if t.DeletedAt.IsZero() && t.MergedInto == "" {
				if err := s.sendHome(ctx, t.ID, id); err != nil {
					return fmt.Errorf("send home ticket %q: %w", t.ID, err)
				}
				now, err := s.Store.Ticket(ctx, t.ID)
				if errors.Is(err, storage.ErrNotFound) || err == nil && now.Inbox != id {
					continue
				}
				if t = now; err != nil {
					return err
				}
			}
			own[t.ID] = true
			err := s.handOn(ctx, &t, own)
			if err == nil {
				err = s.beforePurge(ctx, &t)
			}
			if err != nil {
				return fmt.Errorf("purge ticket %q: %w", t.ID, err)
			}
			if err := s.purgeElsewhere(ctx, &t); err != nil {
				return fmt.Errorf("purge ticket %q: %w", t.ID, err)
			}
		}
	}
	var others []ID
	for e, err := range s.Store.Entries(ctx, EntryQuery{Inbox: id}) {
		if err != nil {
			return err
		}
		if !own[e.Ticket] && !slices.Contains(others, e.Ticket) {
			others = append(others, e.Ticket)
		}
	}
	for _, t := range others {
		if err := s.takeMailOff(ctx, in, t, own); err != nil {
			return fmt.Errorf("take mail of inbox %q off ticket %q: %w", id, t, err)
		}
	}
	if err := s.keepDraftFiles(ctx, &in, own); err != nil {
		return err
	}
	return s.Store.PurgeTickets(ctx, id)
}

// beforePurge ends what drafts and tasks of the host have to do with a ticket that goes with its inbox.
func (s *Service) beforePurge(ctx context.Context, t *Ticket) error {
	if err := s.forgetSent(ctx, t); err != nil {
		return err
	}
	if err := s.forgetDraftFiles(ctx, t.ID); err != nil {
		return err
	}
	s.unlinkAll(ctx, t)
	return nil
}

// purgeElsewhere forgets what a ticket has in other inboxes: mail, and tickets that were merged into it.
func (s *Service) purgeElsewhere(ctx context.Context, t *Ticket) error {
	if t.Mailbox() == t.Inbox && len(t.MergedFrom) == 0 && !t.Divided {
		return nil
	}
	if err := s.eraseHeld(ctx, t, t.Inbox); err != nil {
		return err
	}
	for _, from := range t.MergedFrom {
		if err := s.purgeMerged(ctx, t.ID, from); err != nil {
			return err
		}
	}
	return nil
}

// takeMailOff takes the mail of an inbox off a ticket of another one. The inbox's own tickets are gone.
func (s *Service) takeMailOff(ctx context.Context, in inbox.Inbox, id ID, own map[ID]bool) error {
	err := storage.Redo(func() error { return s.loseMail(ctx, in, id, own) })
	if errors.Is(err, storage.ErrNotFound) {
		return nil // the ticket is gone
	}
	return err
}

// loseMail is one try of takeMailOff: the ticket without the mail of the inbox, and with what was written
// about that mail.
func (s *Service) loseMail(ctx context.Context, in inbox.Inbox, id ID, own map[ID]bool) error {
	c := newCollector(s, in)
	d, err := c.pending(ctx, id)
	if err != nil {
		return err
	}
	t := &d.ticket
	if t.Inbox == in.ID {
		return nil // it came here meanwhile, and goes with the others
	}
	for e, err := range s.Store.Entries(ctx, EntryQuery{Ticket: id, Inbox: in.ID}) {
		if err != nil {
			return err
		}
		wasHidden := e.Hidden
		if e.Message != "" {
			if err := c.purge(ctx, e.Message); err != nil {
				return err
			}
			i := slices.IndexFunc(d.entries, func(p Entry) bool { return p.ID == e.ID })
			if i < 0 {
				continue // another ticket has it by now
			}
			e = d.entries[i]
		}
		if e.Outgoing != nil {
			o := *e.Outgoing
			if o.State == OutgoingQueued || o.State == OutgoingSending || o.State == OutgoingUnknown {
				o.State, o.Error = OutgoingFailed, "not_found"
			}
			o.Marker, o.Blob, o.Size = "", "", 0 // the raw mail goes with the inbox
			o.Subject, o.Files = "", nil
			e.Outgoing, e.RFCID, e.Text, e.To, e.Cc, e.Bcc = &o, "", "", nil, nil, nil
			d.find(Text{Entry: e.ID})
		}
		if wasHidden && !e.RedactedAt.IsZero() {
			if t.Messages--; t.Messages == 0 {
				t.WasHidden, t.DeletedAt = true, s.now()
			}
		}
		if !wasHidden { // what was hidden goes with the inbox: it is for nobody here to know of
			e.Inbox = t.Inbox
		}
		d.put(e)
	}
	if t.Mailbox() == in.ID {
		t.Origin, t.Threads, t.TakesMail = "", nil, false
	}
	t.MergedFrom = slices.DeleteFunc(t.MergedFrom, func(from ID) bool { return own[from] })
	if d.mixed {
		if err := c.settle(ctx, d); err != nil {
			return err
		}
	}
	return c.save(ctx, new(Collected))
}
