package ticket

import (
	"context"
	"fmt"
	"slices"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
)

// Split says what of a ticket becomes one of its own.
type Split struct {
	Entry EntryID // a mail of the ticket
	Later bool    // also all that was written after it
}

// Split makes a mail of a ticket a ticket of its own, in the same inbox and of the same customer
// (R-TKT-07), and returns that one. Mail that answers what is there by then goes where that is; other
// mail of the thread stays with the ticket, or with Split.Later goes to the new one. It takes the rights
// of Merge.
//
// storage.ErrNotFound where the ticket has no such entry the actor may see, ErrNotMail where the entry is
// no mail that came in or was sent, ErrNothingLeft where the ticket would be left without mail that is
// shown.
func (s *Service) Split(ctx context.Context, actor acl.Actor, id ID, sp Split) (Ticket, error) {
	part := ID(s.NewID())
	var saved []Ticket
	err := storage.Redo(func() error {
		w, ev, err := s.divide(ctx, actor, id, part, sp)
		if err == nil {
			saved, err = s.saveTickets(ctx, w, ev...)
		}
		return err
	})
	if err != nil {
		return Ticket{}, err
	}
	return s.leftTicket(ctx, actor, saved[1]), nil
}

// divide is what one Split writes: the ticket, then the new one.
func (s *Service) divide(ctx context.Context, actor acl.Actor, id, fresh ID, sp Split) ([]Write, []inbox.Event, error) {
	t, err := s.Store.Ticket(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	in, err := s.allow(ctx, actor, &t, acl.Split)
	if err != nil {
		return nil, nil, err
	}
	goes, stays, err := s.dividedEntries(ctx, actor, &t, &in, sp)
	if err != nil {
		return nil, nil, err
	}
	mailbox := goes[0].Inbox // that of the mail that is split off
	gone, err := s.survey(ctx, goes, mailbox)
	if err != nil {
		return nil, nil, err
	}
	left, err := s.survey(ctx, stays, t.Mailbox())
	if err != nil {
		return nil, nil, err
	}
	if left.messages == 0 || left.shown == 0 && !t.Hidden() {
		return nil, nil, fmt.Errorf("split ticket %q: %w", id, ErrNothingLeft)
	}
	old, part := t.Clone(), Ticket{
		ID: fresh, Site: t.Site, Inbox: t.Inbox, Divided: true,
		Status: Active, Source: t.Source, Type: t.Type, Imported: t.Imported,
		Customer: t.Customer, Company: t.Company, StatusMail: gone.newest.Received,
		HeardAt: t.HeardAt, Activity: gone.activity, CreatedAt: gone.oldest.Received, StatusAt: s.now(),
		RedactBegan: t.RedactBegan,
	}
	if mailbox != t.Inbox {
		part.Origin, part.TakesMail = mailbox, t.TakesMail || !t.Moved()
	}
	if sp.Later && mailbox == t.Mailbox() {
		part.Threads = t.threadsOf(gone.threads)
	}
	old.Divided = true
	old.hold(&left)
	part.hold(&gone)
	for i := range goes {
		goes[i].Ticket = fresh
	}
	line, back := s.otherLine(&old, changeSplit, fresh, actor.User), s.otherLine(&part, changeSplit, old.ID, actor.User)
	old.touch(line.At)
	part.touch(back.At)
	ev := []inbox.Event{
		s.event(inbox.Event{Name: EventSplit, Entry: string(line.ID)}, &old, actor.User),
		s.event(inbox.Event{Name: EventCreated, Entry: string(back.ID)}, &part, actor.User),
	}
	return []Write{{Ticket: old, Entries: []Entry{line}}, {Ticket: part, Entries: append(goes, back)}}, ev, nil
}

// dividedEntries says which entries of a ticket go and which stay where one is split off, which must be a
// mail the actor may see. The lines about the ticket's options stay.
func (s *Service) dividedEntries(ctx context.Context, actor acl.Actor, t *Ticket, in *inbox.Inbox, sp Split) (
	goes, stays []Entry, err error) {
	r, found := s.reader(actor, in), false
	for e, err := range s.Store.Entries(ctx, EntryQuery{Ticket: t.ID}) {
		if err != nil {
			return nil, nil, err
		}
		if e.ID == sp.Entry {
			shown, seen, err := r.show(ctx, e)
			if err != nil {
				return nil, nil, err
			}
			if !seen {
				break
			}
			if shown.Message == "" {
				return nil, nil, fmt.Errorf("entry %q: %w", sp.Entry, ErrNotMail)
			}
			found = true
		}
		if e.ID == sp.Entry || found && sp.Later && e.Kind != EntryChanged {
			goes = append(goes, e)
		} else {
			stays = append(stays, e)
		}
	}
	if !found {
		return nil, nil, noEntry(sp.Entry)
	}
	return goes, stays, nil
}

// threadsOf are those of the ticket's threads that are among these.
func (t *Ticket) threadsOf(among map[inbox.ThreadID]bool) (kept []inbox.ThreadID) {
	for _, th := range t.Threads {
		if among[th] {
			kept = append(kept, th)
		}
	}
	return slices.Clip(kept)
}
