package memory

import (
	"context"
	"fmt"
	"iter"
	"strconv"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/ticket"
)

// SaveTickets writes tickets with their entries; see ticket.Store. An entry belongs to the ticket of
// its Write; one that is stored in another ticket moves. More than ticket.MaxWrites tickets, or
// tickets of several sites, are refused.
func (s *Store) SaveTickets(
	ctx context.Context, w []ticket.Write, ev ...inbox.Event,
) ([]ticket.Ticket, error) {
	unlock, err := s.write(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if err := s.desk.checkWrites(w); err != nil {
		return nil, err
	}
	if err := s.checkEvents(ev); err != nil {
		return nil, err
	}
	saved := make([]ticket.Ticket, len(w))
	for i := range w {
		t := clone(w[i].Ticket)
		if old := s.desk.ticket[t.ID]; old != nil {
			t.Number = old.Number
		} else {
			s.desk.numbers[t.Site]++
			t.Number = s.desk.numbers[t.Site]
		}
		t.Version++
		s.desk.setTicket(&t)
		for _, e := range w[i].Entries {
			e = clone(e)
			e.Ticket = t.ID
			s.desk.setEntry(&e)
		}
		s.desk.setTexts(&w[i])
		saved[i] = clone(t)
	}
	s.addEvents(ev)
	return saved, nil
}

// checkWrites refuses tickets that cannot be written together.
func (d *deskRows) checkWrites(w []ticket.Write) error {
	if len(w) > ticket.MaxWrites {
		return fmt.Errorf("save tickets: %d at once, at most %d are possible", len(w), ticket.MaxWrites)
	}
	seen := make(map[ticket.ID]bool, len(w))
	for i := range w {
		t := &w[i].Ticket
		var stored storage.Version
		if old := d.ticket[t.ID]; old != nil {
			stored = old.Version
		}
		if stored != t.Version || seen[t.ID] {
			return refuse("save", "ticket", t.ID, storage.ErrConflict)
		}
		seen[t.ID] = true
		if t.Site != w[0].Ticket.Site {
			return fmt.Errorf("save tickets: %q is of another site than %q", t.ID, w[0].Ticket.ID)
		}
	}
	return d.checkMessages(w)
}

// checkMessages refuses entries after which a message would be in two entries.
func (d *deskRows) checkMessages(w []ticket.Write) error {
	written := make(map[ticket.EntryID]inbox.MessageID)
	for i := range w {
		for _, e := range w[i].Entries {
			written[e.ID] = e.Message
		}
	}
	taken := make(map[inbox.MessageID]bool, len(written))
	for id, message := range written {
		if message == "" {
			continue
		}
		if taken[message] {
			return refuse("save", "entry", id, storage.ErrExists)
		}
		taken[message] = true
		for e := range d.entries.of(key{by: byMessage, value: string(message)}).all() {
			if _, replaced := written[e.ID]; !replaced {
				return refuse("save", "entry", id, storage.ErrExists)
			}
		}
	}
	return nil
}

// Ticket returns one ticket; see ticket.Store.
func (s *Store) Ticket(ctx context.Context, id ticket.ID) (ticket.Ticket, error) {
	unlock, err := s.read(ctx)
	if err != nil {
		return ticket.Ticket{}, err
	}
	defer unlock()
	t := s.desk.ticket[id]
	if t == nil {
		return ticket.Ticket{}, refuse("read", "ticket", id, storage.ErrNotFound)
	}
	return clone(*t), nil
}

// Tickets yields tickets, latest activity first; see ticket.Store.
func (s *Store) Tickets(ctx context.Context, q ticket.Query) iter.Seq2[ticket.Ticket, error] {
	keys := ticketLists(&q)
	l := list[ticket.Ticket]{
		from:  func() *sorted[ticket.Ticket] { return s.desk.tickets.of(keys...) },
		keep:  func(t *ticket.Ticket) bool { return s.desk.selects(&q, t) },
		copy:  clone[ticket.Ticket],
		limit: q.Limit,
	}
	if q.After != nil {
		l.after = &ticket.Ticket{Activity: utc(q.After.Activity), ID: q.After.ID}
	}
	return l.yield(ctx, s)
}

// ticketLists names the shortest lists that hold all a query asks for.
func ticketLists(q *ticket.Query) []key {
	switch {
	case q.Resting != "":
		return []key{{by: byRest, value: string(q.Resting)}}
	case q.Number != 0:
		return []key{{by: byNumber, value: strconv.FormatInt(q.Number, 10)}}
	case len(q.Threads) > 0:
		keys := make([]key, len(q.Threads))
		for i, th := range q.Threads {
			keys[i] = key{by: byThread, value: string(th)}
		}
		return keys
	case len(q.Customers) == 1:
		return []key{{by: byCustomer, value: string(q.Customers[0])}}
	case len(q.Companies) == 1:
		return []key{{by: byCompany, value: string(q.Companies[0])}}
	case len(q.Inboxes) == 1:
		return []key{{by: byInbox, value: string(q.Inboxes[0])}}
	case q.Assignee != "":
		return []key{{by: byAssignee, value: string(q.Assignee)}}
	case q.Site != "":
		return []key{{by: bySite, site: q.Site}}
	}
	return []key{{}}
}
