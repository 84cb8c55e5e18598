package sqlstore

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/ticket"
)

// The columns whose index serves a list of tickets in its order. A query without any of them, or
// with values to pick tickets by, finds their places first and puts them in order here.
const (
	bySite     = "t.site"
	byInbox    = "t.inbox"
	byAssignee = "t.assignee"
	byCustomer = "t.customer"
	byCompany  = "t.company"
	byPlace    = ""
)

// ticketsBy chooses the narrowest.
func ticketsBy(q ticket.Query) string {
	switch {
	case q.Number != 0, len(q.Threads) > 0, len(q.Customers) > 1, len(q.Companies) > 1:
		return byPlace
	case len(q.Inboxes) == 1 && q.Site == "":
		return byInbox
	case q.Site == "":
		return byPlace
	case len(q.Customers) == 1:
		return byCustomer
	case len(q.Companies) == 1:
		return byCompany
	case q.Assignee != "":
		return byAssignee
	case len(q.Inboxes) == 1:
		return byInbox
	}
	return bySite
}

// Tickets yields tickets, latest activity first.
func (s *Store) Tickets(ctx context.Context, q ticket.Query) iter.Seq2[ticket.Ticket, error] {
	o := op{"list", "tickets", ""}
	if q.Inboxes != nil && len(q.Inboxes) == 0 {
		return list(ctx, 0, func() func(int) (page[ticket.Ticket], error) {
			return func(int) (page[ticket.Ticket], error) { return page[ticket.Ticket]{done: true}, nil }
		})
	}
	if ticketsBy(q) == byPlace {
		return list(ctx, q.Limit, listed(
			func() (found []place, err error) {
				err = s.read(ctx, o, func(x *session) error {
					found, err = x.ticketPlaces(q)
					return err
				})
				return found, err
			},
			func(keys []int64) (rows map[int64]ticket.Ticket, err error) {
				err = s.read(ctx, o, func(x *session) error {
					rows, err = docsByKey[ticket.Ticket](x, "{tickets}", keys)
					return err
				})
				for key, t := range rows {
					if !inLongLists(q, &t) {
						delete(rows, key)
					}
				}
				return rows, err
			}))
	}
	return list(ctx, q.Limit, func() func(int) (page[ticket.Ticket], error) {
		after := q.After
		return func(n int) (p page[ticket.Ticket], err error) {
			err = s.read(ctx, o, func(x *session) error {
				text, args := s.ticketsQuery(q, after, n)
				p.items, err = docs[ticket.Ticket](x, text, args)
				return err
			})
			if p.done = len(p.items) < n; len(p.items) > 0 {
				after = p.items[len(p.items)-1].Key()
			}
			p.items = slices.DeleteFunc(p.items, func(t ticket.Ticket) bool { return !inLongLists(q, &t) })
			return p, err
		}
	})
}

func (s *Store) ticketsQuery(q ticket.Query, after *ticket.Key, n int) (string, []any) {
	where := s.ticketsWhere(q, after)
	return "SELECT t.doc FROM {tickets} t WHERE " + where.text() +
		" ORDER BY t.activity DESC, t.id DESC LIMIT ?", append(where.args, int64(n))
}

// ticketsWhere returns the conditions of a query but those tickets are picked out by. Columns that
// do not belong to the index that serves the query are marked, so that the planner reads them off
// the row.
func (s *Store) ticketsWhere(q ticket.Query, after *ticket.Key) *conditions {
	where, by := new(conditions), ticketsBy(q)
	row := func(column string) string {
		if column == by || column == bySite && by != byPlace && by != byInbox {
			return column
		}
		return s.dialect.asRow + column
	}
	if q.Site != "" {
		where.add(row(bySite)+" = ?", string(q.Site))
	}
	if by == byPlace {
		where.add(s.dialect.asRow+"t.trash = ?", flag(q.Deleted))
	} else {
		where.add("t.trash = ?", flag(q.Deleted))
	}
	if len(q.Inboxes) == 1 {
		where.add(row(byInbox)+" = ?", string(q.Inboxes[0]))
	} else if n := len(q.Inboxes); n > 0 && n <= maxList {
		addIn(where, row(byInbox), q.Inboxes)
	}
	if q.Assignee != "" {
		where.add(row(byAssignee)+" = ?", string(q.Assignee))
	}
	if q.Unassigned {
		where.add(s.dialect.asRow + "t.assignee IS NULL")
	}
	if len(q.Customers) == 1 {
		where.add(row(byCustomer)+" = ?", string(q.Customers[0]))
	}
	if len(q.Companies) == 1 {
		where.add(row(byCompany)+" = ?", string(q.Companies[0]))
	}
	s.addTicketFacts(where, q)
	if after != nil {
		where.add("(t.activity, t.id) < (?, ?)", micros(after.Activity), string(after.ID))
	}
	return where
}

// addTicketFacts adds the conditions that no index serves.
func (s *Store) addTicketFacts(where *conditions, q ticket.Query) {
	if n := len(q.Statuses); n > 0 && n <= maxList {
		addIn(where, s.dialect.asRow+"t.status", q.Statuses)
	}
	if q.Tag != "" {
		where.add(fmt.Sprintf(s.dialect.contains, "t.tags"), tagText(q.Tag))
	}
	if q.Imported != nil {
		where.add("t.imported = ?", flag(*q.Imported))
	}
	switch n := len(q.HiddenIn); {
	case q.AllHidden || n > maxList:
	case n == 0:
		where.add("t.hidden = 0")
	default:
		marks, args := inList(distinct(q.HiddenIn))
		where.add("(t.hidden = 0 OR t.inbox IN "+marks+")", args...)
	}
}

// inLongLists checks here what the statement leaves out because the list is too long for one.
func inLongLists(q ticket.Query, t *ticket.Ticket) bool {
	long := func(n int) bool { return n > maxList }
	return (!long(len(q.Inboxes)) || slices.Contains(q.Inboxes, t.Inbox)) &&
		(!long(len(q.Statuses)) || slices.Contains(q.Statuses, t.Status)) &&
		(!long(len(q.HiddenIn)) || !t.Hidden() || q.AllHidden || slices.Contains(q.HiddenIn, t.Inbox))
}

// ticketPlaces finds the tickets with one of the values of a query, in list order.
func (x *session) ticketPlaces(q ticket.Query) ([]place, error) {
	var found []place
	pick := func(where *conditions) error {
		more, err := x.places("SELECT t.pk, t.activity, t.id FROM {tickets} t WHERE "+where.text(), where.args)
		found = append(found, more...)
		return err
	}
	where := x.ticketsWhere(q, q.After)
	if q.Number != 0 {
		where.add("t.number = ?", q.Number)
	}
	var companies, customers []string
	if len(q.Companies) > 1 {
		companies = plainTexts(q.Companies)
	}
	if len(q.Customers) > 1 {
		customers = plainTexts(q.Customers)
	}
	err := where.and("t.company", companies, func(c *conditions) error {
		return c.and("t.customer", customers, func(c *conditions) error {
			return c.inThreads(q.Threads, pick)
		})
	})
	if err != nil {
		return nil, err
	}
	return inOrder(found, true), nil
}

// inThreads calls pick with the condition that the ticket has one of the threads, if there are any.
func (c *conditions) inThreads(threads []inbox.ThreadID, pick func(*conditions) error) error {
	if len(threads) == 0 {
		return pick(c)
	}
	return inChunks(distinct(threads), func(marks string, args []any) error {
		return pick(c.with("t.pk IN (SELECT ticket FROM {ticket_threads} WHERE thread IN "+marks+")", args...))
	})
}
