package sqlstore

import (
	"context"
	"iter"
	"slices"
	"strings"

	"github.com/workinbox/workinbox/ticket"
)

// The indexes that serve lists of tickets.
const (
	bySite     = "tickets_site"
	byInbox    = "tickets_inbox"
	byAssignee = "tickets_assignee"
	byCustomer = "tickets_customer"
	byCompany  = "tickets_company"
	byNumber   = "tickets_number"
	byRest     = "tickets_rest"
)

// ticketsIndex chooses the narrowest index, and says whether it has the order of the list. Where it
// has not, the places are found first and put in order here. None is named for a query that picks
// tickets by thread, or by nothing an index has.
func ticketsIndex(q ticket.Query) (index string, ordered bool) {
	switch {
	case len(q.Threads) > 0:
		return "", false
	case q.Resting != "":
		return byRest, false
	case q.Number != 0:
		return byNumber, false
	case len(q.Customers) > 0:
		return byCustomer, len(q.Customers) == 1 && q.Site != ""
	case len(q.Companies) > 0:
		return byCompany, len(q.Companies) == 1 && q.Site != ""
	case q.Assignee != "":
		return byAssignee, q.Site != ""
	case len(q.Inboxes) == 1:
		return byInbox, true
	case q.Site != "":
		return bySite, true
	}
	return "", false
}

// Tickets yields tickets, latest activity first.
func (s *Store) Tickets(ctx context.Context, q ticket.Query) iter.Seq2[ticket.Ticket, error] {
	o := op{"list", "tickets", ""}
	if q.Inboxes != nil && len(q.Inboxes) == 0 {
		return list(ctx, 0, func() func(int) (page[ticket.Ticket], error) {
			return func(int) (page[ticket.Ticket], error) { return page[ticket.Ticket]{done: true}, nil }
		})
	}
	if _, ordered := ticketsIndex(q); !ordered {
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
	index, _ := ticketsIndex(q)
	return "SELECT t.doc FROM {tickets} t" + s.using(index) + " WHERE " + where.text() +
		" ORDER BY t.activity DESC, t.id DESC LIMIT ?", append(where.args, int64(n))
}

// ticketsWhere returns the conditions of a query but those it may need chunks of values for.
func (s *Store) ticketsWhere(q ticket.Query, after *ticket.Key) *conditions {
	where := new(conditions)
	if q.Site != "" {
		where.add("t.site = ?", string(q.Site))
	}
	places := []any{flag(q.Deleted)}
	if q.Deleted && q.AllHidden {
		places = append(places, int64(isPurged))
	}
	if q.Merged {
		places = append(places, int64(isMerged))
	}
	if len(places) == 1 {
		where.add("t.trash = ?", places...)
	} else {
		where.add("t.trash IN (?"+strings.Repeat(", ?", len(places)-1)+")", places...)
	}
	switch n := len(q.Inboxes); {
	case n == 1:
		where.add("t.inbox = ?", string(q.Inboxes[0]))
	case n > 0 && n <= maxList:
		addIn(where, "t.inbox", q.Inboxes)
	}
	if q.Assignee != "" {
		where.add("t.assignee = ?", string(q.Assignee))
	}
	if q.Unassigned {
		where.add("t.assignee IS NULL")
	}
	if q.Resting != "" {
		where.add("t.rest = ? AND t.rested <= ?", string(q.Resting), micros(q.RestedBy))
	}
	if q.Number != 0 {
		where.add("t.number = ?", q.Number)
	}
	if len(q.Customers) == 1 {
		where.add("t.customer = ?", string(q.Customers[0]))
	}
	if len(q.Companies) == 1 {
		where.add("t.company = ?", string(q.Companies[0]))
	}
	s.addTicketFacts(where, q)
	if after != nil {
		s.behind(where, "t.activity", "t.id", "<", micros(after.Activity), string(after.ID))
	}
	return where
}

// addTicketFacts adds the conditions that no index serves.
func (s *Store) addTicketFacts(where *conditions, q ticket.Query) {
	if n := len(q.Statuses); n > 0 && n <= maxList {
		addIn(where, "t.status", q.Statuses)
	}
	if q.Imported != nil {
		where.add("t.imported = ?", flag(*q.Imported))
	}
	s.addSearchFacts(where, &q)
	addHidden(where, "t", &q)
}

// inLongLists checks here what the statement leaves out: lists that are too long for one, and what no
// column holds.
func inLongLists(q ticket.Query, t *ticket.Ticket) bool {
	long := func(n int) bool { return n > maxList }
	return unknownFacts(&q, t) && (q.Mailbox == "" || t.Mailbox() == q.Mailbox) &&
		(!long(len(q.Inboxes)) || slices.Contains(q.Inboxes, t.Inbox)) &&
		(!long(len(q.Statuses)) || slices.Contains(q.Statuses, t.Status)) &&
		(!long(len(q.HiddenIn)) || !t.Hidden() || q.AllHidden || !t.Moved() && slices.Contains(q.HiddenIn, t.Inbox))
}

// ticketPlaces finds the tickets of a query, in list order.
func (x *session) ticketPlaces(q ticket.Query) ([]place, error) {
	var found []place
	index, _ := ticketsIndex(q)
	from := "{tickets} t" + x.using(index) + " WHERE "
	if len(q.Threads) > 0 {
		from = "{ticket_threads} h CROSS JOIN {tickets} t" + x.dialect.byKey + " WHERE t.pk = h.ticket AND "
	}
	pick := func(where *conditions) error {
		more, err := x.places("SELECT t.pk, t.activity, t.id FROM "+from+where.text(), where.args)
		found = append(found, more...)
		return err
	}
	var companies, customers []string
	if len(q.Companies) > 1 {
		companies = plainTexts(q.Companies)
	}
	if len(q.Customers) > 1 {
		customers = plainTexts(q.Customers)
	}
	err := x.ticketsWhere(q, q.After).and("t.company", companies, func(c *conditions) error {
		return c.and("t.customer", customers, func(c *conditions) error {
			return c.and("h.thread", plainTexts(q.Threads), pick)
		})
	})
	if err != nil {
		return nil, err
	}
	return inOrder(found, true), nil
}
