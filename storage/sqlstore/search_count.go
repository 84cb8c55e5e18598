package sqlstore

import (
	"context"
	"slices"
	"time"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/ticket"
)

// addSearchFacts adds the conditions of a query that only people ask. A column that is NULL is not
// known yet: unknownFacts looks at the ticket itself.
func (s *Store) addSearchFacts(where *conditions, q *ticket.Query) {
	if q.NotAssignee != "" {
		where.add("t.assignee IS NOT NULL AND t.assignee <> COALESCE(?, '')", string(q.NotAssignee)) // see bind
	}
	if q.Unread != "" {
		where.add("COALESCE(t.heard, ?) > COALESCE((SELECT r.seen FROM {reads} r WHERE r.ticket = t.pk AND r.person = ?), ?)",
			zeroMicros, string(q.Unread), zeroMicros)
	}
	for _, f := range []struct {
		column string
		values []string
	}{{"t.priority", q.Priorities}, {"t.type", q.Types}, {"t.source", q.Sources}} {
		if n := len(f.values); n > 0 && n <= maxList {
			marks, args := inList(distinct(f.values))
			where.add("("+f.column+" IS NULL OR "+f.column+" IN "+marks+")", args...)
		}
	}
	s.addTags(where, q)
	for _, r := range []struct {
		bound time.Time
		term  string
	}{
		{q.CreatedFrom, "(t.created IS NULL OR t.created >= ?)"},
		{q.CreatedTo, "(t.created IS NULL OR t.created < ?)"},
		{q.UpdatedFrom, "t.activity >= ?"}, {q.UpdatedTo, "t.activity < ?"},
	} {
		if !r.bound.IsZero() {
			where.add(r.term, microsUp(r.bound))
		}
	}
	if q.WithFiles {
		files := new(conditions)
		files.add("f.ticket = t.pk AND f.files = 1")
		addHidden(files, "f", q)
		where.add("EXISTS (SELECT 1 FROM {search} f"+s.using("search_ticket")+" WHERE "+files.text()+")", files.args...)
	}
}

// microsUp is micros of the first stored time that is not before t.
func microsUp(t time.Time) int64 {
	if t.Truncate(time.Microsecond).Before(t) {
		return micros(t) + 1
	}
	return micros(t)
}

func (s *Store) addTags(where *conditions, q *ticket.Query) {
	has, lacks := new(conditions), new(conditions)
	in := func(c *conditions, tag string) { c.add(s.contains("t.tags"), tagText(tag)) }
	for _, tag := range q.AnyTag {
		in(has, tag)
	}
	if len(q.AnyTag) > 0 {
		where.add("("+has.join(" OR ")+")", has.args...)
	}
	for _, tag := range q.AllTags {
		in(where, tag)
	}
	for _, tag := range q.WithoutTags {
		in(lacks, tag)
	}
	if len(q.WithoutTags) > 0 {
		where.add("CASE WHEN "+lacks.join(" OR ")+" THEN 1 ELSE 0 END = 0", lacks.args...) // see bind
	}
	if q.Untagged {
		where.add("t.tags = ''")
	}
}

// unknownFacts says whether a ticket has what a query asks for in columns that may be NULL, and in
// lists that may be too long for a statement.
func unknownFacts(q *ticket.Query, t *ticket.Ticket) bool {
	facts := ticket.Query{
		Priorities: q.Priorities, Types: q.Types, Sources: q.Sources,
		CreatedFrom: q.CreatedFrom, CreatedTo: q.CreatedTo, AllHidden: true, Deleted: !t.DeletedAt.IsZero(),
		Merged: true,
	}
	return facts.Selects(t)
}

// needsDoc says that a query cannot be answered by the statement alone.
func needsDoc(q *ticket.Query) bool {
	return len(q.Priorities)+len(q.Types)+len(q.Sources) > 0 || !q.CreatedFrom.IsZero() || !q.CreatedTo.IsZero() ||
		len(q.Inboxes) > maxList || len(q.Statuses) > maxList || len(q.HiddenIn) > maxList ||
		len(q.Customers) > 1 || len(q.Companies) > 1 || len(q.Threads) > 0 || q.Mailbox != ""
}

// CountTickets counts tickets by inbox, status and assignee.
func (s *Store) CountTickets(ctx context.Context, q ticket.Query, reader acl.UserID) (list []ticket.Count, err error) {
	if q.Inboxes != nil && len(q.Inboxes) == 0 {
		return nil, ctx.Err()
	}
	q.After, q.Limit = nil, 0
	err = s.snapshot(ctx, op{"count", "tickets", ""}, func(x *session) error {
		if needsDoc(&q) {
			list, err = x.countDocs(q, reader)
		} else {
			list, err = x.countRows(q, reader)
		}
		return err
	})
	return list, err
}

// unreadBy joins what a person has read of tickets t.
const unreadBy = " LEFT JOIN {reads} r ON r.ticket = t.pk AND r.person = ?"

func (x *session) countRows(q ticket.Query, reader acl.UserID) (list []ticket.Count, err error) {
	index, _ := ticketsIndex(q)
	if index == bySite || index == byInbox && q.Site != "" {
		index = "tickets_counts"
	}
	where := x.ticketsWhere(q, nil)
	err = x.every("SELECT t.inbox, t.status, COALESCE(t.assignee, ''), COUNT(*), "+
		"SUM(CASE WHEN COALESCE(t.heard, ?) > COALESCE(r.seen, ?) THEN 1 ELSE 0 END) FROM {tickets} t"+x.using(index)+unreadBy+
		" WHERE "+where.text()+" GROUP BY t.inbox, t.status, t.assignee",
		slices.Concat([]any{zeroMicros, zeroMicros, string(reader)}, where.args), func(scan func(...any) error) error {
			var c ticket.Count
			err := scan((*string)(&c.Inbox), (*string)(&c.Status), (*string)(&c.Assignee), &c.Tickets, &c.Unread)
			list = append(list, c)
			return err
		})
	return list, err
}

// countDocs looks at the tickets themselves.
func (x *session) countDocs(q ticket.Query, reader acl.UserID) (list []ticket.Count, err error) {
	places, err := x.ticketPlaces(q)
	if err != nil {
		return nil, err
	}
	keys := make([]int64, len(places))
	for i, p := range places {
		keys[i] = p.key
	}
	sums := make(map[ticket.Count]int)
	err = keysInChunks(keys, func(marks string, keys []any) error {
		return x.every("SELECT t.doc, COALESCE(r.seen, ?) FROM {tickets} t"+unreadBy+" WHERE t.pk IN "+marks,
			slices.Concat([]any{zeroMicros, string(reader)}, keys), func(scan func(...any) error) error {
				var doc string
				var seen int64
				if err := scan(&doc, &seen); err != nil {
					return err
				}
				t, err := stored[ticket.Ticket](doc)
				if err != nil || !inLongLists(q, &t) {
					return err
				}
				alike := ticket.Count{Inbox: t.Inbox, Status: t.Status, Assignee: t.Assignee}
				at, ok := sums[alike]
				if !ok {
					at = len(list)
					sums[alike] = at
					list = append(list, alike)
				}
				if list[at].Tickets++; micros(t.HeardAt) > seen {
					list[at].Unread++
				}
				return nil
			})
	})
	return list, err
}

// Reading returns up to when a person has read a ticket.
func (s *Store) Reading(ctx context.Context, id ticket.ID, reader acl.UserID) (until time.Time, err error) {
	err = s.read(ctx, op{"read", "reading of ticket", string(id)}, func(x *session) error {
		var seen int64
		err := x.one("SELECT seen FROM {reads} WHERE ticket = (SELECT pk FROM {tickets} WHERE id = ?) AND person = ?",
			[]any{string(id), string(reader)}, &seen)
		if isNone(err) {
			return nil
		}
		until = moment(seen)
		return err
	})
	return until, err
}

// SaveReading sets up to when a person has read a ticket.
func (s *Store) SaveReading(ctx context.Context, id ticket.ID, reader acl.UserID, until time.Time) error {
	return s.write(ctx, op{"save", "reading of ticket", string(id)}, func(x *session) error {
		var key int64
		err := x.one(x.locking("SELECT pk FROM {tickets} WHERE id = ?"), []any{string(id)}, &key)
		if err != nil {
			return err
		}
		if until.IsZero() {
			_, err = x.exec("DELETE FROM {reads} WHERE ticket = ? AND person = ?", key, string(reader))
			return err
		}
		_, err = x.exec("INSERT INTO {reads} (person, ticket, seen) VALUES (?, ?, ?) "+
			"ON CONFLICT (ticket, person) DO UPDATE SET seen = excluded.seen", string(reader), key, micros(until))
		return err
	})
}
