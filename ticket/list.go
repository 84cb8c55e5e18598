package ticket

import (
	"context"
	"iter"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
)

// Tickets yields the tickets the actor may see, newest activity first. q.Site, q.HiddenIn,
// q.AllHidden, q.Mailbox, q.Merged and who q.Unread is about are the service's own, whatever they hold; a
// ticket that was merged into another is found by its Number alone. q.Inboxes narrows
// within what the actor may see, and an inbox the actor may not see yields nothing. The next page
// starts after the Key of the last ticket.
func (s *Service) Tickets(ctx context.Context, actor acl.Actor, q Query) iter.Seq2[Ticket, error] {
	return func(yield func(Ticket, error) bool) {
		q, err := s.bounded(ctx, actor, q)
		if err != nil {
			yield(Ticket{}, err)
			return
		}
		if len(q.Inboxes) == 0 {
			return
		}
		lost := s.lostAccess()
		for t, err := range s.Store.Tickets(ctx, q) {
			if err == nil {
				err = lost.takeOff(ctx, &t)
			}
			if err == nil {
				t, err = s.unlinkTicket(ctx, actor, t)
			}
			if err != nil {
				yield(Ticket{}, err)
				return
			}
			if !yield(t, nil) {
				return
			}
		}
	}
}

// visible returns the inboxes whose tickets the actor may list, of team inboxes alone where that is
// asked for, and those of them the actor created.
func (s *Service) visible(ctx context.Context, actor acl.Actor, trash, team bool) (all, own []inbox.ID, err error) {
	action := acl.ViewTickets
	if trash {
		action = acl.ViewTrash
	}
	all = []inbox.ID{}
	for in, err := range s.Inboxes.Inboxes(ctx, actor, inbox.Query{}) {
		if err != nil {
			return nil, nil, err
		}
		if !acl.Check(actor, in.ACL(), action, nil).Allowed || team && in.Kind != acl.Team {
			continue
		}
		all = append(all, in.ID)
		if in.Creator == actor.User {
			own = append(own, in.ID)
		}
	}
	return all, own, nil
}

// Ticket returns one ticket the actor may see, or storage.ErrNotFound. One in the trash is seen by
// those who may see the trash. The caller may change what it gets.
func (s *Service) Ticket(ctx context.Context, actor acl.Actor, id ID) (Ticket, error) {
	t, _, err := s.visibleTicket(ctx, actor, id)
	if err != nil {
		return Ticket{}, err
	}
	if err := s.lostAccess().takeOff(ctx, &t); err != nil {
		return Ticket{}, err
	}
	return s.unlinkTicket(ctx, actor, t)
}

// visibleTicket loads a ticket somebody may see, with its inbox.
func (s *Service) visibleTicket(ctx context.Context, actor acl.Actor, id ID) (Ticket, inbox.Inbox, error) {
	t, err := s.Store.Ticket(ctx, id)
	if err != nil {
		return Ticket{}, inbox.Inbox{}, err
	}
	in, err := s.allowView(ctx, actor, &t)
	return t, in, err
}

// Entries yields the history of a ticket, oldest first, as the actor may see it: hidden mail is for the
// creator of its inbox alone, and blind copies for them and the author. A ticket that was merged into
// another has left its mail and notes there.
func (s *Service) Entries(ctx context.Context, actor acl.Actor, id ID) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		_, in, err := s.visibleTicket(ctx, actor, id)
		if err != nil {
			yield(Entry{}, err)
			return
		}
		r := s.reader(actor, &in)
		for e, err := range s.Store.Entries(ctx, EntryQuery{Ticket: id}) {
			seen := false
			if err == nil {
				e, seen, err = r.show(ctx, e)
			}
			if err != nil {
				yield(Entry{}, err)
				return
			}
			if seen && !yield(e, nil) {
				return
			}
		}
	}
}
