package sqlstore

import (
	"context"
	"iter"

	"github.com/workinbox/workinbox/ticket"
)

// entryRow is an entry of the ticket key as it is stored.
type entryRow struct {
	id      ticket.EntryID
	columns []any
}

func encodeEntry(key int64, e *ticket.Entry) (entryRow, error) {
	doc, err := encode(e)
	if err != nil {
		return entryRow{}, err
	}
	var marker, state, notBefore any
	if e.Outgoing != nil {
		marker, state = orNull(e.Outgoing.Marker), string(e.Outgoing.State)
		notBefore = micros(e.Outgoing.NotBefore)
	}
	return entryRow{e.ID, []any{
		string(e.ID), key, string(e.Inbox), micros(e.At), orNull(e.Message), orNull(e.RFCID),
		marker, state, notBefore, doc,
	}}, nil
}

// saveEntries adds entries, or replaces those of the same id.
func (x *session) saveEntries(entries []entryRow) error {
	entries = lastOf(entries, func(e *entryRow) ticket.EntryID { return e.id })
	rows := make([][]any, len(entries))
	for i := range entries {
		rows[i] = entries[i].columns
	}
	return x.insert("entries",
		"id, ticket, inbox, made, message, rfcid, marker, outgoing, not_before, doc", rows,
		" ON CONFLICT (id) DO UPDATE SET "+
			"ticket = excluded.ticket, inbox = excluded.inbox, made = excluded.made, "+
			"message = excluded.message, rfcid = excluded.rfcid, marker = excluded.marker, "+
			"outgoing = excluded.outgoing, not_before = excluded.not_before, doc = excluded.doc")
}

// Entries yields entries, oldest first. Only a query that names a ticket or an inbox is read page by
// page; the others find the places of their entries first.
func (s *Store) Entries(ctx context.Context, q ticket.EntryQuery) iter.Seq2[ticket.Entry, error] {
	o := op{"list", "entries", string(q.Ticket)}
	byPlace := q.Marker != "" || len(q.IDs) > 0 || len(q.Messages) > 0 || len(q.RFCIDs) > 0 ||
		q.Ticket == "" && (len(q.Outgoing) > 0 || !q.Due.IsZero() || q.Inbox == "")
	if byPlace {
		return list(ctx, q.Limit, listed(
			func() (found []place, err error) {
				err = s.read(ctx, o, func(x *session) error {
					found, err = x.entryPlaces(q)
					return err
				})
				return found, err
			},
			func(keys []int64) (rows map[int64]ticket.Entry, err error) {
				err = s.read(ctx, o, func(x *session) error {
					rows, err = docsByKey[ticket.Entry](x, "{entries}", keys)
					return err
				})
				return rows, err
			}))
	}
	return list(ctx, q.Limit, func() func(int) (page[ticket.Entry], error) {
		after := q.After
		return func(n int) (p page[ticket.Entry], err error) {
			err = s.read(ctx, o, func(x *session) error {
				text, args := s.entriesQuery(q, after, n)
				p.items, err = docs[ticket.Entry](x, text, args)
				return err
			})
			if p.done = len(p.items) < n; len(p.items) > 0 {
				after = p.items[len(p.items)-1].Key()
			}
			return p, err
		}
	})
}

func (s *Store) entriesQuery(q ticket.EntryQuery, after *ticket.EntryKey, n int) (string, []any) {
	where := s.entriesWhere(q, after)
	return "SELECT e.doc FROM {entries} e" + s.using(entriesIndex(q)) + " WHERE " + where.text() + " ORDER BY e.made, e.id LIMIT ?",
		append(where.args, int64(n))
}

// entriesIndex names the index that serves a query.
func entriesIndex(q ticket.EntryQuery) string {
	switch {
	case q.Marker != "":
		return "entries_marker"
	case len(q.IDs) > 0:
		return "entries_id"
	case len(q.Messages) > 0:
		return "entries_message"
	case len(q.RFCIDs) > 0:
		return "entries_rfcid"
	case q.Ticket != "":
		return "entries_ticket"
	case len(q.Outgoing) > 0 || !q.Due.IsZero():
		return "entries_outgoing"
	case q.Inbox != "":
		return "entries_inbox"
	}
	return ""
}

// entriesWhere returns the conditions of a query but those picked out by value.
func (s *Store) entriesWhere(q ticket.EntryQuery, after *ticket.EntryKey) *conditions {
	where := new(conditions)
	if q.Ticket != "" {
		where.add("e.ticket = (SELECT pk FROM {tickets} WHERE id = ?)", string(q.Ticket))
	}
	if q.Inbox != "" {
		where.add("e.inbox = ?", string(q.Inbox))
	}
	if len(q.Outgoing) > 0 {
		addIn(where, "e.outgoing", q.Outgoing)
	}
	if !q.Due.IsZero() {
		where.add("e.outgoing IS NOT NULL AND e.not_before <= ?", micros(q.Due))
	}
	if after != nil {
		s.behind(where, "e.made", "e.id", ">", micros(after.At), string(after.ID))
	}
	return where
}

// entryPlaces finds the entries with one of these values, in list order.
func (x *session) entryPlaces(q ticket.EntryQuery) ([]place, error) {
	var found []place
	pick := func(where *conditions) error {
		more, err := x.places("SELECT e.pk, e.made, e.id FROM {entries} e"+x.using(entriesIndex(q))+
			" WHERE "+where.text(), where.args)
		found = append(found, more...)
		return err
	}
	where := x.entriesWhere(q, q.After)
	if q.Marker != "" {
		where.add("e.marker = ?", q.Marker)
	}
	err := where.and("e.message", plainTexts(q.Messages), func(c *conditions) error {
		return c.and("e.rfcid", q.RFCIDs, func(c *conditions) error {
			return c.and("e.id", plainTexts(q.IDs), pick)
		})
	})
	if err != nil {
		return nil, err
	}
	return inOrder(found, false), nil
}

// docsByKey reads the docs of rows by their keys.
func docsByKey[T any](x *session, table string, keys []int64) (map[int64]T, error) {
	rows := make(map[int64]T, len(keys))
	marks, args := inKeys(keys)
	err := x.every("SELECT pk, doc FROM "+table+" WHERE pk IN "+marks, args,
		func(scan func(...any) error) error {
			var key int64
			var doc string
			if err := scan(&key, &doc); err != nil {
				return err
			}
			v, err := stored[T](doc)
			rows[key] = v
			return err
		})
	return rows, err
}
