package ticket

import (
	"context"
	"fmt"
	"slices"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
)

// Move says where a ticket goes, and what of its mail.
type Move struct {
	To inbox.ID
	// TakesMail says that mail which comes into the ticket's threads later follows it. Without it such mail
	// opens another ticket where it lies, linked to this one.
	TakesMail bool
}

// Move puts a ticket into another inbox of the site (R-TKT-08). That inbox's rules are not asked. Who
// may not work there is no longer its assignee, who may not view it there does not follow it. Its mail
// stays where it lies: a reply leaves from that mailbox, by somebody who may reply there.
//
// It takes read-and-reply in both inboxes, a ticket that is not locked, archived or in the trash, and
// where somebody who reads the target could not read the ticket before, the right of an inbox admin of
// the inbox it leaves or its creator (c13). Move.TakesMail is the creator's alone to say of the mailbox
// the mail comes into. ErrMerged where its mail is in another ticket, ErrHidden where only the creator
// may see it. A ticket that is in the inbox already is an error too.
func (s *Service) Move(ctx context.Context, actor acl.Actor, id ID, m Move) (Ticket, error) {
	var saved []Ticket
	err := storage.Redo(func() error {
		w, ev, err := s.rehouse(ctx, actor, id, m)
		if err == nil {
			saved, err = s.saveTickets(ctx, []Write{w}, ev...)
		}
		return err
	})
	if err != nil {
		return Ticket{}, err
	}
	return s.leftTicket(ctx, actor, saved[0]), nil
}

// rehouse is what one Move writes.
func (s *Service) rehouse(ctx context.Context, actor acl.Actor, id ID, m Move) (Write, []inbox.Event, error) {
	t, from, err := s.visibleTicket(ctx, actor, id)
	if err != nil {
		return Write{}, nil, err
	}
	target, err := s.mayMove(ctx, actor, &t, &from, m.To)
	if err != nil {
		return Write{}, nil, err
	}
	if m.TakesMail {
		mailbox, err := s.engineInbox(ctx, t.Mailbox())
		if err != nil {
			return Write{}, nil, err
		}
		if mailbox.Creator != actor.User {
			return Write{}, nil, fmt.Errorf("move ticket %q with the mail that follows: only who connected the mailbox may: %w",
				id, acl.ErrDenied)
		}
	}
	moved := t.Clone()
	moved.Inbox, moved.Origin, moved.TakesMail = m.To, t.Mailbox(), m.TakesMail
	if moved.Origin == m.To {
		moved.Origin, moved.TakesMail = "", false
	}
	line := s.changeLine(&moved, changeInbox, string(t.Inbox), string(m.To), actor.User)
	w := Write{Entries: []Entry{line}}
	ev := []inbox.Event{s.event(inbox.Event{Name: EventMoved, Entry: string(line.ID)}, &moved, actor.User),
		s.event(inbox.Event{Name: EventMoved, Entry: string(line.ID)}, &t, actor.User)}
	lines, more, err := s.leaveBehind(ctx, &moved, &target, actor.User)
	if err != nil {
		return Write{}, nil, err
	}
	w.Entries, ev = append(w.Entries, lines...), append(ev, more...)
	for e, err := range s.Store.Entries(ctx, EntryQuery{Ticket: id}) {
		if err != nil {
			return Write{}, nil, err
		}
		if e.written() {
			e.Inbox = m.To
		}
		w.Entries = append(w.Entries, e)
	}
	w.Ticket = moved
	return w, ev, nil
}

// mayMove asks for the right to move a ticket, and returns the inbox it goes to.
func (s *Service) mayMove(ctx context.Context, actor acl.Actor, t *Ticket, from *inbox.Inbox, to inbox.ID) (inbox.Inbox, error) {
	switch {
	case t.MergedInto != "":
		return inbox.Inbox{}, fmt.Errorf("move ticket %q: %w", t.ID, ErrMerged)
	case t.Hidden():
		return inbox.Inbox{}, fmt.Errorf("move ticket %q: %w", t.ID, ErrHidden)
	case to == from.ID:
		return inbox.Inbox{}, fmt.Errorf("move ticket %q: it is in inbox %q already", t.ID, to)
	}
	target, err := s.Inboxes.Authorize(ctx, actor, to, acl.SeeInbox, nil)
	if err != nil {
		return inbox.Inbox{}, err
	}
	facts := acl.Facts{Ticket: t.limits(from, s.now()), Others: []acl.Party{{Inbox: target.ACL()}}}
	if facts.TargetReadersSeeOrigin, err = s.readersSee(ctx, &target, from); err != nil {
		return inbox.Inbox{}, err
	}
	_, err = s.Inboxes.Authorize(ctx, actor, from.ID, acl.Move, &facts)
	return target, err
}

// leaveBehind takes off a ticket that was moved who may not work on it there, or not view it.
func (s *Service) leaveBehind(ctx context.Context, t *Ticket, in *inbox.Inbox, by acl.UserID) (
	lines []Entry, ev []inbox.Event, err error) {
	if t.Assignee != "" {
		works, err := s.personMay(ctx, in, t.Assignee, acl.BeAssignee)
		if err != nil {
			return nil, nil, err
		}
		if !works {
			line, unassigned := s.changeAssignee(t, "", by)
			lines, ev = append(lines, line), append(ev, s.event(unassigned, t, by))
		}
	}
	for _, f := range slices.Clone(t.Followers) {
		views, err := s.personMay(ctx, in, f, acl.ViewTickets)
		if err != nil {
			return nil, nil, err
		}
		if !views {
			lines = append(lines, s.dropFollower(t, f, by))
		}
	}
	return lines, ev, nil
}
