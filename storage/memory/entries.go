package memory

import (
	"context"
	"iter"
	"slices"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/ticket"
)

// Entries yields entries, oldest first; see ticket.Store.
func (s *Store) Entries(ctx context.Context, q ticket.EntryQuery) iter.Seq2[ticket.Entry, error] {
	keys, due := entryLists(&q), utc(q.Due)
	l := list[ticket.Entry]{
		from: func() *sorted[ticket.Entry] { return s.desk.entries.of(keys...) },
		keep: func(e *ticket.Entry) bool {
			return (q.Ticket == "" || e.Ticket == q.Ticket) &&
				(q.Inbox == "" || e.Inbox == q.Inbox) &&
				(len(q.IDs) == 0 || slices.Contains(q.IDs, e.ID)) &&
				(len(q.Messages) == 0 || slices.Contains(q.Messages, e.Message)) &&
				(len(q.RFCIDs) == 0 || slices.Contains(q.RFCIDs, e.RFCID)) &&
				(q.Marker == "" || e.Outgoing != nil && e.Outgoing.Marker == q.Marker) &&
				(len(q.Outgoing) == 0 || e.Outgoing != nil &&
					slices.Contains(q.Outgoing, e.Outgoing.State)) &&
				(due.IsZero() || e.Outgoing != nil && !e.Outgoing.NotBefore.After(due))
		},
		copy:  clone[ticket.Entry],
		limit: q.Limit,
	}
	if q.After != nil {
		l.after = &ticket.Entry{At: utc(q.After.At), ID: q.After.ID}
	}
	return l.yield(ctx, s)
}

// entryLists names the shortest lists that hold all a query asks for.
func entryLists(q *ticket.EntryQuery) (keys []key) {
	switch {
	case q.Marker != "":
		return []key{{by: byMarker, value: q.Marker}}
	case len(q.Messages) > 0:
		for _, id := range q.Messages {
			keys = append(keys, key{by: byMessage, value: string(id)})
		}
	case len(q.RFCIDs) > 0:
		for _, id := range q.RFCIDs {
			keys = append(keys, key{by: byRFCID, value: id})
		}
	case q.Ticket != "":
		return []key{{by: byTicket, value: string(q.Ticket)}}
	case len(q.Outgoing) > 0:
		for _, st := range q.Outgoing {
			keys = append(keys, key{by: byOutgoing, value: string(st)})
		}
	case q.Inbox != "":
		return []key{{by: byInbox, value: string(q.Inbox)}}
	default:
		return []key{{}}
	}
	return keys
}

// Mark returns how far the log of an inbox has been collected; see ticket.Store.
func (s *Store) Mark(ctx context.Context, id inbox.ID) (uint64, storage.Version, error) {
	unlock, err := s.read(ctx)
	if err != nil {
		return 0, 0, err
	}
	defer unlock()
	m := s.desk.marks[id]
	return m.seq, m.version, nil
}

// SaveMark moves the mark; see ticket.Store.
func (s *Store) SaveMark(
	ctx context.Context, id inbox.ID, seq uint64, expect storage.Version,
) (storage.Version, error) {
	unlock, err := s.write(ctx)
	if err != nil {
		return 0, err
	}
	defer unlock()
	if s.desk.marks[id].version != expect {
		return 0, refuse("save", "mark", id, storage.ErrConflict)
	}
	s.desk.marks[id] = mark{seq, expect + 1}
	return expect + 1, nil
}

// PurgeTicket forgets one ticket; see ticket.Store.
func (s *Store) PurgeTicket(ctx context.Context, id ticket.ID, expect storage.Version) error {
	unlock, err := s.write(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	t := s.desk.ticket[id]
	if t == nil {
		return nil
	}
	if t.Version != expect {
		return refuse("purge", "ticket", id, storage.ErrConflict)
	}
	for _, e := range slices.Collect(s.desk.entries.of(key{by: byTicket, value: string(id)}).all()) {
		s.desk.dropEntry(e)
	}
	s.desk.dropTicket(t)
	return nil
}

// PurgeTickets forgets what there is of an inbox; see ticket.Store. Entries of purged tickets go
// with them, and so do the inbox's entries in tickets of other inboxes. Numbers are not given again.
func (s *Store) PurgeTickets(ctx context.Context, id inbox.ID) error {
	unlock, err := s.write(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	of := key{by: byInbox, value: string(id)}
	entries := slices.Collect(s.desk.entries.of(of).all())
	for _, t := range slices.Collect(s.desk.tickets.of(of).all()) {
		in := s.desk.entries.of(key{by: byTicket, value: string(t.ID)})
		entries = append(entries, slices.Collect(in.all())...)
		s.desk.dropTicket(t)
	}
	for _, e := range entries {
		s.desk.dropEntry(e)
	}
	delete(s.desk.marks, id)
	return nil
}
