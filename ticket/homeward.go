package ticket

import (
	"context"
	"errors"
	"slices"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
)

// sendHome puts what a ticket of an inbox that is about to be forgotten holds of other inboxes back
// there: a ticket that was moved here goes back whole, and mail that was merged in goes back to the
// ticket it came from, which is one of its own again. Nobody loses mail because somebody else's inbox
// is deleted.
func (s *Service) sendHome(ctx context.Context, id ID, from inbox.ID) error {
	for done := false; !done; {
		err := storage.Redo(func() error {
			w, ev, err := s.homeward(ctx, id, from)
			if done = err == nil && len(w) == 0; done || err != nil {
				return err
			}
			_, err = s.saveTickets(ctx, w, ev...)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// homeward is the next step of sendHome; none says that nothing of another inbox is left.
func (s *Service) homeward(ctx context.Context, id ID, from inbox.ID) ([]Write, []inbox.Event, error) {
	t, err := s.Store.Ticket(ctx, id)
	if errors.Is(err, storage.ErrNotFound) || err == nil && t.Inbox != from {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	if t.Moved() {
		in, err := s.engineInbox(ctx, t.Origin)
		if err == nil {
			return s.moveHome(ctx, t.Clone(), &in)
		}
		if !errors.Is(err, storage.ErrNotFound) {
			return nil, nil, err
		}
	}
	for e, err := range s.Store.Entries(ctx, EntryQuery{Ticket: id}) {
		if err != nil {
			return nil, nil, err
		}
		if e.Inbox == from || e.Message == "" && e.Outgoing == nil {
			continue
		}
		if _, err := s.engineInbox(ctx, e.Inbox); err == nil {
			w, err := s.unmerge(ctx, t.Clone(), e.Inbox)
			return w, nil, err
		} else if !errors.Is(err, storage.ErrNotFound) {
			return nil, nil, err
		}
	}
	return nil, nil, nil
}

// moveHome is the way back of a ticket that was moved.
func (s *Service) moveHome(ctx context.Context, t Ticket, in *inbox.Inbox) ([]Write, []inbox.Event, error) {
	line := s.changeLine(&t, changeInbox, string(t.Inbox), string(in.ID), "")
	away := t.Inbox
	t.Inbox, t.Origin, t.TakesMail = in.ID, "", false
	line.Inbox = in.ID
	ev := []inbox.Event{s.event(inbox.Event{Name: EventMoved, Entry: string(line.ID)}, &t, "")}
	lines, more, err := s.leaveBehind(ctx, &t, in, "")
	if err != nil {
		return nil, nil, err
	}
	w := Write{Ticket: t, Entries: append(lines, line)}
	for e, err := range s.Store.Entries(ctx, EntryQuery{Ticket: t.ID}) {
		if err != nil {
			return nil, nil, err
		}
		if e.written() && e.Inbox == away {
			e.Inbox = in.ID
		}
		w.Entries = append(w.Entries, e)
	}
	return []Write{w}, append(ev, more...), nil
}

// unmerge gives the mail of an inbox that a ticket took in to the first of the tickets it came from, or
// to a new one where that is gone.
func (s *Service) unmerge(ctx context.Context, t Ticket, to inbox.ID) ([]Write, error) {
	home := Ticket{ID: ID(s.NewID()), Site: t.Site, Inbox: to, Status: t.Status, Source: t.Source, Type: t.Type,
		Imported: t.Imported, Customer: t.Customer, Company: t.Company, HeardAt: t.HeardAt, StatusAt: s.now(),
		Divided: true, RedactBegan: t.RedactBegan}
	var more []Write // other tickets of that inbox, whose mail goes there too
	for _, id := range slices.Clone(t.MergedFrom) {
		stub, err := s.Store.Ticket(ctx, id)
		if errors.Is(err, storage.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if stub.Mailbox() != to || len(more) == MaxWrites-2 {
			continue
		}
		t.MergedFrom = slices.DeleteFunc(t.MergedFrom, func(from ID) bool { return from == id })
		if home.Version == 0 {
			home = stub.Clone()
			continue
		}
		stub.MergedInto = home.ID
		home.MergedFrom = append(home.MergedFrom, stub.ID)
		more = append(more, Write{Ticket: stub, Entries: []Entry{s.otherLine(&stub, changeMerged, home.ID, "")}})
	}
	if home.RedactBegan.IsZero() {
		home.RedactBegan = t.RedactBegan
	}
	home.MergedInto, home.WasHidden, home.Inbox, home.Origin, home.TakesMail = "", false, to, "", false
	goes, stays, err := s.ofHome(ctx, &t, &home)
	if err != nil {
		return nil, err
	}
	gone, err := s.survey(ctx, goes, to)
	if err != nil {
		return nil, err
	}
	left, err := s.survey(ctx, stays, t.Mailbox())
	if err != nil {
		return nil, err
	}
	home.hold(&gone)
	home.Activity = gone.activity
	if home.CreatedAt.IsZero() {
		home.CreatedAt = gone.oldest.Received
	}
	t.hold(&left)
	line, back := s.otherLine(&t, changeSplit, home.ID, ""), s.otherLine(&home, changeSplit, t.ID, "")
	return append([]Write{{Ticket: t, Entries: []Entry{line}}, {Ticket: home, Entries: append(goes, back)}}, more...), nil
}

// ofHome parts what goes home from what stays: mail that lies there, and notes that came along with it.
func (s *Service) ofHome(ctx context.Context, t, home *Ticket) (goes, stays []Entry, err error) {
	came := append([]ID{home.ID}, home.MergedFrom...)
	for e, err := range s.Store.Entries(ctx, EntryQuery{Ticket: t.ID}) {
		if err != nil {
			return nil, nil, err
		}
		note := e.written() && e.Merged != "" && slices.Contains(came, e.Merged)
		if e.Inbox != home.Inbox && !note {
			stays = append(stays, e)
			continue
		}
		if e.Ticket = home.ID; e.Merged == home.ID {
			e.Merged = ""
		}
		e.Inbox = home.Inbox
		goes = append(goes, e)
	}
	return goes, stays, nil
}
