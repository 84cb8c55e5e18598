package ticket

import (
	"context"
	"slices"
	"time"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
)

// View is a list of tickets everybody has (R-STA-01). A view is no status: give its Query further
// filters as you like.
type View string

// The views.
const (
	ViewNew      View = "new"      // active, and nobody is assigned
	ViewMine     View = "mine"     // assigned to oneself, whatever the status
	ViewAssigned View = "assigned" // assigned to others, whatever the status
	// ViewUnread: a client was heard since one read it, or one marked it. What was imported was heard before.
	ViewUnread View = "unread"
)

// Query returns the query of a view for a person. An unknown view has none of them to itself: it is
// all tickets.
func (v View) Query(user acl.UserID) Query {
	switch v {
	case ViewNew:
		return Query{Unassigned: true, Statuses: []Status{Active}}
	case ViewMine:
		return Query{Assignee: user}
	case ViewAssigned:
		return Query{NotAssignee: user}
	case ViewUnread:
		return Query{Unread: user}
	}
	return Query{}
}

// bounded makes a query one of the actor's own: what it may yield is what they may see.
func (s *Service) bounded(ctx context.Context, actor acl.Actor, q Query) (Query, error) {
	visible, own, err := s.visible(ctx, actor, q.Deleted, q.ExcludeWorkEmails)
	if err != nil {
		return Query{}, err
	}
	q.Site, q.HiddenIn, q.AllHidden = inbox.SiteID(actor.Site), own, false
	q.Mailbox, q.Merged = "", q.Number != 0 // a number goes on leading to the ticket that took its mail
	if q.Unread != "" {
		q.Unread = actor.User
	}
	asked := q.Inboxes
	q.Inboxes = slices.DeleteFunc(visible, func(id inbox.ID) bool {
		return asked != nil && !slices.Contains(asked, id) || slices.Contains(q.ExcludeInboxes, id)
	})
	q.ExcludeInboxes, q.ExcludeWorkEmails = nil, false
	return q, nil
}

// MarkRead notes that the actor has read a ticket they may see, up to what they were shown: HeardAt
// of the Ticket as they got it. Mail that came in since leaves it unread. What they have read before
// stays read. It returns the ticket, or storage.ErrNotFound.
func (s *Service) MarkRead(ctx context.Context, actor acl.Actor, id ID, heard time.Time) (Ticket, error) {
	t, err := s.Ticket(ctx, actor, id)
	if err != nil {
		return Ticket{}, err
	}
	if heard.After(t.HeardAt) {
		heard = t.HeardAt // nobody reads what is not there yet
	}
	before, err := s.Store.Reading(ctx, id, actor.User)
	if err == nil && heard.After(before) {
		err = s.Store.SaveReading(ctx, id, actor.User, heard)
	}
	if err != nil {
		return Ticket{}, err
	}
	return t, nil
}

// unreadMark is the reading of who wants a ticket to be unread. It is before the zero time: on a ticket
// that came in by an import no client was heard at all.
var unreadMark = time.Time{}.Add(-time.Microsecond)

// MarkUnread makes a ticket the actor may see unread for them, until they read it. For others it stays as
// it is.
func (s *Service) MarkUnread(ctx context.Context, actor acl.Actor, id ID) (Ticket, error) {
	t, err := s.Ticket(ctx, actor, id)
	if err != nil {
		return Ticket{}, err
	}
	if err := s.Store.SaveReading(ctx, id, actor.User, unreadMark); err != nil {
		return Ticket{}, err
	}
	return t, nil
}

// Unread says whether the actor has not read a ticket they may see: a client was heard since, or they
// marked it unread.
func (s *Service) Unread(ctx context.Context, actor acl.Actor, id ID) (bool, error) {
	t, _, err := s.visibleTicket(ctx, actor, id)
	if err != nil {
		return false, err
	}
	until, err := s.Store.Reading(ctx, id, actor.User)
	return t.HeardAt.After(until), err
}
