package ticket

import (
	"cmp"
	"context"
	"slices"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
)

// Counts are the tickets of a query, counted by inbox, status and assignee, in that order; none is
// empty. One read of the store makes them, so that they are of one moment and their sums agree with
// each other.
type Counts []Count

// Counts counts the tickets the actor may see and that q selects, as Tickets lists them: q.Site,
// q.HiddenIn and the like are the actor's own, and q.After and q.Limit do not matter. Unread is what
// the actor has not read.
func (s *Service) Counts(ctx context.Context, actor acl.Actor, q Query) (Counts, error) {
	q, err := s.bounded(ctx, actor, q)
	if err != nil || len(q.Inboxes) == 0 {
		return nil, err
	}
	list, err := s.Store.CountTickets(ctx, q, actor.User)
	if err != nil {
		return nil, err
	}
	lost := s.lostAccess()
	sums := make(map[Count]Count)
	for _, c := range list {
		// Whoever lost access reads as nobody, here as in lists.
		t := Ticket{Site: q.Site, Inbox: c.Inbox, Assignee: c.Assignee}
		if err := lost.takeOff(ctx, &t); err != nil {
			return nil, err
		}
		key := Count{Inbox: c.Inbox, Status: c.Status, Assignee: t.Assignee}
		sum, ok := sums[key]
		if !ok {
			sum = key
		}
		sum.Tickets += c.Tickets
		sum.Unread += c.Unread
		sums[key] = sum
	}
	var out Counts
	for _, c := range sums {
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b Count) int {
		return cmp.Or(cmp.Compare(a.Inbox, b.Inbox), cmp.Compare(a.Status, b.Status), cmp.Compare(a.Assignee, b.Assignee))
	})
	return out, nil
}

// sum adds up the tickets of the counts that are picked.
func (c Counts) sum(pick func(Count) bool) (n int) {
	for _, count := range c {
		if pick(count) {
			n += count.Tickets
		}
	}
	return n
}

// View returns how many tickets a view of the person has who asked for the counts.
func (c Counts) View(v View, user acl.UserID) int {
	switch v {
	case ViewNew:
		return c.sum(func(n Count) bool { return n.Assignee == "" && n.Status == Active })
	case ViewMine:
		return c.sum(func(n Count) bool { return n.Assignee == user })
	case ViewAssigned:
		return c.sum(func(n Count) bool { return n.Assignee != "" && n.Assignee != user })
	case ViewUnread:
		n := 0
		for _, count := range c {
			n += count.Unread
		}
		return n
	}
	return c.sum(func(Count) bool { return true })
}

// Status returns how many tickets have a status.
func (c Counts) Status(s Status) int { return c.sum(func(n Count) bool { return n.Status == s }) }

// Inbox returns how many tickets an inbox has.
func (c Counts) Inbox(id inbox.ID) int { return c.sum(func(n Count) bool { return n.Inbox == id }) }
