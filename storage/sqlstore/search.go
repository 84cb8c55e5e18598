package sqlstore

import (
	"context"
	"encoding/hex"
	"hash/fnv"
	"iter"
	"maps"
	"slices"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/ticket"
)

// wordIndex is how a database finds entries by their words. All of them find the same: words come in
// their final form, and nothing is left to a database's own ideas of what a word is.
type wordIndex interface {
	// put makes entries findable, in the order of their keys.
	put(x *session, rows []searchRow) error
	// drop forgets the words of entries; their rows in {search} are still there.
	drop(x *session, keys []int64) error
	// move lets an entry be found in another inbox of the site.
	move(x *session, key int64, site inbox.SiteID, from, to inbox.ID) error
	// from returns the tables of a query, {search} s among them, the column that orders it, and adds
	// the conditions for its terms.
	from(s *Store, q *ticket.MatchQuery, where *conditions) (tables, order string)
	// check returns the entries, of those the query found, that hold the terms.
	check(x *session, q *ticket.MatchQuery, keys []int64) (map[int64]bool, error)
}

// nearestIndex is one that finds the newest entries that hold the words at little cost, whoever they are
// for.
type nearestIndex interface {
	// nearest returns the keys of at most n of them, the newest first.
	nearest(x *session, q *ticket.MatchQuery, after int64, n int) ([]int64, error)
	// at is from for the entries that have these keys, whatever they hold.
	at(keys []int64, where *conditions) (tables, order string)
}

// searchRow is an entry to be made findable.
type searchRow struct {
	key, entry, ticket int64
	site               inbox.SiteID
	inbox              inbox.ID // the ticket's
	hidden             int64    // as hiddenEntry says
	text               *ticket.Text
}

func (r *searchRow) columns() []any {
	return []any{r.key, r.entry, r.ticket, string(r.inbox), r.hidden, flag(r.text.Files)}
}

// placeBits tell entries of one second apart by the end of their key.
const placeBits = 30

func searchKey(e *ticket.Entry, key int64) int64 {
	return min(max(e.At.Unix(), 0), 1<<32)<<placeBits | key&(1<<placeBits-1)
}

// searchScope is a word for a site or an inbox that no mail has.
func searchScope[T ~string](kind string, id T) string {
	h := fnv.New64a()
	_, _ = h.Write([]byte(id))
	return kind + hex.EncodeToString(h.Sum(nil))
}

// maxScopes is how many inboxes a search names in its scope, before it names the site instead.
const maxScopes = 32

// searchScopes are the words of which an entry has one, if a query may select it; none is no bound.
func searchScopes(q *ticket.Query) (scopes []string) {
	switch n := len(q.Inboxes); {
	case n > 0 && n <= maxScopes:
		for _, id := range q.Inboxes {
			scopes = append(scopes, searchScope("i", id))
		}
	case q.Site != "":
		scopes = append(scopes, searchScope("s", q.Site))
	}
	return scopes
}

// stands is what {search} knows of an entry that is saved.
type stands struct {
	entry, key, ticket int64 // key is 0 for an entry that cannot be found
	inbox              string
	hidden             int64
}

// saveTexts makes the entries of a write findable by their texts, and keeps the others as hidden and
// of the ticket they are now. keys are those of the tickets.
func (x *session) saveTexts(w []ticket.Write, keys []int64) error {
	type saved struct {
		entry  *ticket.Entry
		text   *ticket.Text
		of     *ticket.Ticket
		ticket int64
	}
	entries := make(map[ticket.EntryID]*saved)
	for i := range w {
		texts := make(map[ticket.EntryID]*ticket.Text, len(w[i].Texts))
		for j := range w[i].Texts {
			texts[w[i].Texts[j].Entry] = &w[i].Texts[j]
		}
		for j := range w[i].Entries {
			e := &w[i].Entries[j]
			if t := texts[e.ID]; t != nil || e.Kind != ticket.EntryChanged {
				entries[e.ID] = &saved{e, t, &w[i].Ticket, keys[i]}
			}
		}
	}
	ids := make([]ticket.EntryID, 0, len(entries))
	for id := range entries {
		ids = append(ids, id)
	}
	now, err := x.searchable(ids)
	if err != nil {
		return err
	}
	var gone []int64
	var rows []searchRow
	for id, e := range entries {
		old := now[id]
		switch {
		case e.text != nil && old.key != 0:
			gone = append(gone, old.key)
		case old.key != 0 && (old.ticket != e.ticket || old.inbox != string(e.of.Inbox) || old.hidden != hiddenEntry(e.entry, e.of)):
			if err := x.moveText(old.key, e.of.Site, inbox.ID(old.inbox), e.of.Inbox); err != nil {
				return err
			}
			_, err := x.exec("UPDATE {search} SET ticket = ?, hidden = ? WHERE pk = ?",
				e.ticket, hiddenEntry(e.entry, e.of), old.key)
			if err != nil {
				return err
			}
		}
		if e.text != nil && !e.text.Empty() {
			rows = append(rows, searchRow{searchKey(e.entry, old.entry), old.entry, e.ticket, e.of.Site,
				e.of.Inbox, hiddenEntry(e.entry, e.of), e.text})
		}
	}
	if err := x.dropTexts(gone); err != nil || len(rows) == 0 {
		return err
	}
	slices.SortFunc(rows, func(a, b searchRow) int { return int(min(1, max(-1, a.key-b.key))) })
	return x.dialect.words.put(x, rows)
}

// moveText lets an entry be found in another inbox, unless it is the same.
func (x *session) moveText(key int64, site inbox.SiteID, from, to inbox.ID) error {
	if from == to {
		return nil
	}
	if err := x.dialect.words.move(x, key, site, from, to); err != nil {
		return err
	}
	_, err := x.exec("UPDATE {search} SET inbox = ? WHERE pk = ?", string(to), key)
	return err
}

// moveTexts lets what a ticket holds be found in the inbox it has come to.
func (x *session) moveTexts(key int64, t *ticket.Ticket) error {
	was := make(map[int64]inbox.ID)
	err := x.every("SELECT pk, inbox FROM {search}"+x.using("search_ticket")+" WHERE ticket = ?", []any{key},
		func(scan func(...any) error) error {
			var pk int64
			var in string
			err := scan(&pk, &in)
			was[pk] = inbox.ID(in)
			return err
		})
	if err != nil {
		return err
	}
	for _, pk := range slices.Sorted(maps.Keys(was)) {
		if err := x.moveText(pk, t.Site, was[pk], t.Inbox); err != nil {
			return err
		}
	}
	_, err = x.exec("UPDATE {search} SET hidden = CASE WHEN "+
		"(SELECT e.inbox FROM {entries} e WHERE e.pk = {search}.entry) = ? THEN 1 ELSE 2 END "+
		"WHERE ticket = ? AND hidden > 0", string(t.Inbox), key)
	return err
}

// hiddenEntry is 1 for a hidden entry, which the creator of its ticket's inbox may see, and 2 for one
// whose mail lies in another inbox, which no search shows.
func hiddenEntry(e *ticket.Entry, of *ticket.Ticket) int64 {
	if e.Hidden && e.Inbox != of.Inbox {
		return 2
	}
	return flag(e.Hidden)
}

// searchable tells how entries stand in the search.
func (x *session) searchable(ids []ticket.EntryID) (map[ticket.EntryID]stands, error) {
	found := make(map[ticket.EntryID]stands, len(ids))
	err := inChunks(distinct(ids), func(marks string, values []any) error {
		text := "SELECT e.id, e.pk, COALESCE(s.pk, 0), COALESCE(s.ticket, 0), COALESCE(s.inbox, ''), " +
			"COALESCE(s.hidden, 0) FROM {entries} e" + x.using("entries_id") +
			" LEFT JOIN {search} s ON s.entry = e.pk WHERE e.id IN " + marks
		return x.every(text, values, func(scan func(...any) error) error {
			var id string
			var s stands
			err := scan(&id, &s.entry, &s.key, &s.ticket, &s.inbox, &s.hidden)
			found[ticket.EntryID(id)] = s
			return err
		})
	})
	return found, err
}

// dropTexts makes entries unfindable.
func (x *session) dropTexts(keys []int64) error {
	if len(keys) == 0 {
		return nil
	}
	if err := x.dialect.words.drop(x, keys); err != nil {
		return err
	}
	return keysInChunks(keys, func(marks string, keys []any) error {
		_, err := x.exec("DELETE FROM {search} WHERE pk IN "+marks, keys...)
		return err
	})
}

// purgeTexts makes the entries of tickets, and those of an inbox where one is named, unfindable.
func (x *session) purgeTexts(id inbox.ID, tickets []int64) error {
	var keys []int64
	each := func(scan func(...any) error) error {
		var key int64
		err := scan(&key)
		keys = append(keys, key)
		return err
	}
	if id != "" {
		err := x.every("SELECT s.pk FROM {entries} e"+x.using("entries_inbox")+
			" JOIN {search} s ON s.entry = e.pk WHERE e.inbox = ?", []any{string(id)}, each)
		if err != nil {
			return err
		}
	}
	err := keysInChunks(tickets, func(marks string, tickets []any) error {
		return x.every("SELECT pk FROM {search}"+x.using("search_ticket")+" WHERE ticket IN "+marks, tickets, each)
	})
	if err != nil {
		return err
	}
	slices.Sort(keys)
	return x.dropTexts(slices.Compact(keys))
}

// matched is a row of a search.
type matched struct {
	ticket.Match
	inbox  string
	hidden int64
	doc    string
}

// Matches yields the entries that hold what is asked for, newest first.
func (s *Store) Matches(ctx context.Context, q ticket.MatchQuery) iter.Seq2[ticket.Match, error] {
	return list(ctx, q.Limit, func() func(int) (page[ticket.Match], error) {
		after := q.After
		return func(n int) (p page[ticket.Match], err error) {
			if q.Impossible() {
				return page[ticket.Match]{done: true}, nil
			}
			var rows []matched
			err = s.read(ctx, op{"search", "entries", ""}, func(x *session) error {
				rows, err = x.matches(&q, after, n)
				if err == nil {
					p.items, err = x.checked(&q, rows)
				}
				return err
			})
			if p.done = len(rows) < n; len(rows) > 0 {
				after = rows[len(rows)-1].Place
			}
			return p, err
		}
	})
}

func (x *session) matches(q *ticket.MatchQuery, after int64, n int) ([]matched, error) {
	words, ok := x.dialect.words.(nearestIndex)
	if !ok || len(q.Only) > 0 || len(searchScopes(&q.Tickets)) == 0 {
		return x.matched(x.matchesQuery(q, after, n))
	}
	// Where most of what holds the words is for the reader, or there is little of it, to look at that costs
	// less than to look up whom all mail is for.
	most := min(2*n, maxList)
	keys, err := words.nearest(x, q, after, most)
	if err != nil || len(keys) == 0 {
		return nil, err
	}
	where := new(conditions)
	tables, order := words.at(keys, where)
	rows, err := x.matched(x.selectMatches(q, where, tables, order, n))
	if err != nil || len(rows) == n || len(keys) < most {
		return rows, err
	}
	more, err := x.matched(x.matchesQuery(q, keys[most-1], n-len(rows)))
	return append(rows, more...), err
}

func (x *session) matched(text string, args []any) (rows []matched, err error) {
	err = x.every(text, args, func(scan func(...any) error) error {
		var m matched
		err := scan(&m.Place, (*string)(&m.Entry), (*string)(&m.Ticket), &m.inbox, &m.hidden, &m.doc)
		rows = append(rows, m)
		return err
	})
	return rows, err
}

func (s *Store) matchesQuery(q *ticket.MatchQuery, after int64, n int) (string, []any) {
	where := new(conditions)
	tables, order := s.dialect.words.from(s, q, where)
	if after > 0 {
		where.add(order+" < ?", after)
	}
	return s.selectMatches(q, where, tables, order, n)
}

// selectMatches writes the statement for what of these tables a query selects, whatever its terms.
func (s *Store) selectMatches(q *ticket.MatchQuery, where *conditions, tables, order string, n int) (string, []any) {
	if n := len(q.Only); n > 0 && n <= maxList {
		addIn(where, "t.id", q.Only)
	}
	f := q.Tickets
	if n := len(f.Inboxes); n > 0 && n <= maxList {
		addIn(where, "s.inbox", f.Inboxes)
	}
	addHidden(where, "s", &f)
	tickets := s.ticketsWhere(f, nil)
	where.terms, where.args = append(where.terms, tickets.terms...), append(where.args, tickets.args...)
	doc := "''"
	if needsDoc(&f) {
		doc = "t.doc"
	}
	return "SELECT s.pk, e.id, t.id, s.inbox, s.hidden, " + doc + " FROM " + tables + " WHERE " + where.text() +
		" ORDER BY " + order + " DESC LIMIT ?", append(where.args, int64(n))
}

// addHidden keeps hidden rows to those who may see them, as far as a statement can.
func addHidden(where *conditions, table string, q *ticket.Query) {
	switch n := len(q.HiddenIn); {
	case q.AllHidden || n > maxList:
	case n == 0:
		where.add(table + ".hidden = 0")
	default:
		marks, args := inList(distinct(q.HiddenIn))
		where.add("("+table+".hidden = 0 OR "+table+".hidden = 1 AND "+table+".inbox IN "+marks+")", args...)
	}
}

// checked leaves out what the statement could not.
func (x *session) checked(q *ticket.MatchQuery, rows []matched) ([]ticket.Match, error) {
	keys := make([]int64, len(rows))
	for i := range rows {
		keys[i] = rows[i].Place
	}
	holds, err := x.dialect.words.check(x, q, keys)
	if err != nil {
		return nil, err
	}
	f := &q.Tickets
	kept := make([]ticket.Match, 0, len(rows))
	for i := range rows {
		m := &rows[i]
		in := inbox.ID(m.inbox)
		if holds != nil && !holds[m.Place] ||
			len(q.Only) > maxList && !slices.Contains(q.Only, m.Ticket) ||
			len(f.Inboxes) > maxList && !slices.Contains(f.Inboxes, in) ||
			len(f.HiddenIn) > maxList && m.hidden > 0 && !f.AllHidden && (m.hidden > 1 || !slices.Contains(f.HiddenIn, in)) {
			continue
		}
		if m.doc != "" {
			t, err := stored[ticket.Ticket](m.doc)
			if err != nil {
				return nil, err
			}
			if !f.Selects(&t) {
				continue
			}
		}
		kept = append(kept, m.Match)
	}
	return kept, nil
}
