package sqlstore

import (
	"math"
	"strings"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/ticket"
)

// ftsIndex is a table of FTS5. Its rows have the keys of {search}, so that it yields them newest
// first without sorting.
type ftsIndex struct{}

func (ftsIndex) put(x *session, rows []searchRow) error {
	for i := range rows {
		r := &rows[i]
		if err := x.insert("search", "", [][]any{r.columns()}, ""); err != nil {
			return err
		}
		args := make([]any, 0, ticket.FieldCount+2)
		args = append(args, r.key)
		for _, words := range r.text.Words {
			args = append(args, strings.Join(words, " "))
		}
		args = append(args, ftsScope(r.site, r.inbox))
		_, err := x.exec("INSERT INTO {search_words} (rowid, subject, people, files, body, quote, scope) "+
			"VALUES (?, ?, ?, ?, ?, ?, ?)", args...)
		if err != nil {
			return err
		}
	}
	return nil
}

func (ftsIndex) drop(x *session, keys []int64) error {
	for _, key := range keys {
		if _, err := x.exec("DELETE FROM {search_words} WHERE rowid = ?", key); err != nil {
			return err
		}
	}
	return nil
}

func (ftsIndex) move(x *session, key int64, site inbox.SiteID, _, to inbox.ID) error {
	_, err := x.exec("UPDATE {search_words} SET scope = ? WHERE rowid = ?", ftsScope(site, to), key)
	return err
}

// ftsScope names who an entry is for.
func ftsScope(site inbox.SiteID, in inbox.ID) string {
	return searchScope("s", site) + " " + searchScope("i", in)
}

func (ftsIndex) from(_ *Store, q *ticket.MatchQuery, where *conditions) (tables, order string) {
	where.add("w.{search_words} MATCH ? AND s.pk = w.rowid AND t.pk = s.ticket AND e.pk = s.entry",
		ftsQuery(q, searchScopes(&q.Tickets)))
	return "{search_words} w CROSS JOIN " + ftsEntries, "w.rowid"
}

// ftsEntries are the tables of entries that were found, each row by its key.
const ftsEntries = "{search} s NOT INDEXED CROSS JOIN {tickets} t NOT INDEXED CROSS JOIN {entries} e NOT INDEXED"

func (ftsIndex) at(keys []int64, where *conditions) (tables, order string) {
	marks, args := inKeys(keys)
	where.add("s.pk IN "+marks+" AND t.pk = s.ticket AND e.pk = s.entry", args...)
	return ftsEntries, "s.pk"
}

func (ftsIndex) check(*session, *ticket.MatchQuery, []int64) (map[int64]bool, error) { return nil, nil }

// ftsColumns are the names of the fields.
var ftsColumns = [ticket.FieldCount]string{"subject", "people", "files", "body", "quote"}

func (ftsIndex) nearest(x *session, q *ticket.MatchQuery, after int64, n int) (keys []int64, err error) {
	if after == 0 {
		after = math.MaxInt64
	}
	err = x.every("SELECT w.rowid FROM {search_words} w WHERE w.{search_words} MATCH ? AND w.rowid < ? "+
		"ORDER BY w.rowid DESC LIMIT ?", []any{ftsQuery(q, nil), after, int64(n)}, func(scan func(...any) error) error {
		var key int64
		err := scan(&key)
		keys = append(keys, key)
		return err
	})
	return keys, err
}

// ftsQuery writes the terms in the query language of FTS5, for entries that have one of the scopes. Words
// hold nothing that would need quoting.
func ftsQuery(q *ticket.MatchQuery, scopes []string) string {
	var with, without []string
	for i := range q.Terms {
		t := &q.Terms[i]
		look := q.Look(t)
		if look == 0 {
			continue // a term that is not to be found stands nowhere
		}
		var columns []string
		for j, name := range ftsColumns {
			if look&(1<<j) != 0 {
				columns = append(columns, name)
			}
		}
		said := "{" + strings.Join(columns, " ") + "} : \"" + strings.Join(t.Words, " ") + "\""
		if t.Prefix {
			said += " *"
		}
		if t.Not {
			without = append(without, said)
		} else {
			with = append(with, said)
		}
	}
	if len(scopes) > 0 {
		with = append(with, "{scope} : ("+strings.Join(scopes, " OR ")+")")
	}
	text := "(" + strings.Join(with, ") AND (") + ")"
	if len(without) > 0 {
		text = "(" + text + ") NOT ((" + strings.Join(without, ") OR (") + "))"
	}
	return text
}
