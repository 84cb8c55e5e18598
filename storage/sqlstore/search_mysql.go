package sqlstore

import (
	"encoding/binary"
	"hash/fnv"
	"slices"
	"strings"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/ticket"
)

// wordTable is a table of words by site, each with the entries it is in, newest last. Words in a row
// are looked at here.
type wordTable struct{}

// spots are the places of a word in an entry: the field, then the number of the word in it.
type spots []uint64

const spotBits = 24

func (p spots) fields() (f ticket.Fields) {
	for _, at := range p {
		f |= 1 << (at >> spotBits)
	}
	return f
}

// encode writes the places, which rise, as varints of their distances.
func (p spots) encode() []byte {
	var b []byte
	last := uint64(0)
	for _, at := range p {
		b = binary.AppendUvarint(b, at-last)
		last = at
	}
	return b
}

func decodeSpots(b []byte) (p spots) {
	last := uint64(0)
	for len(b) > 0 {
		distance, n := binary.Uvarint(b)
		if n <= 0 {
			return p
		}
		last += distance
		p, b = append(p, last), b[n:]
	}
	return p
}

func scopeNumber(site inbox.SiteID) int64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(site))
	return int64(h.Sum64())
}

func (wordTable) put(x *session, rows []searchRow) error {
	entries := make([][]any, len(rows))
	var words [][]any
	for i := range rows {
		r := &rows[i]
		at := make(map[string]spots)
		for field, list := range r.text.Words {
			for n, w := range list {
				at[w] = append(at[w], uint64(field)<<spotBits|uint64(n))
			}
		}
		all := make([]string, 0, len(at))
		for w := range at {
			all = append(all, w)
		}
		slices.Sort(all)
		scope := scopeNumber(r.site)
		entries[i] = append(r.columns(), scope, strings.Join(all, " "))
		for _, w := range all {
			words = append(words, []any{scope, w, r.key, int64(at[w].fields()), at[w].encode()})
		}
	}
	if err := x.insert("search", "", entries, ""); err != nil {
		return err
	}
	return x.insert("search_words", "", words, "")
}

func (wordTable) drop(x *session, keys []int64) error {
	for _, key := range keys {
		var scope int64
		var words string
		err := x.one("SELECT scope, words FROM {search} WHERE pk = ?", []any{key}, &scope, &words)
		if isNone(err) {
			continue
		}
		if err != nil {
			return err
		}
		err = inChunks(strings.Fields(words), func(marks string, values []any) error {
			_, err := x.exec("DELETE FROM {search_words} WHERE scope = ? AND doc = ? AND word IN "+marks,
				append([]any{scope, key}, values...)...)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (wordTable) move(*session, int64, inbox.SiteID, inbox.ID, inbox.ID) error {
	return nil // the words are the site's
}

// wordIs is the condition that a row of the table w is of a word, or of one that begins so.
func wordIs(scope int64, word string, prefix bool, look ticket.Fields) (string, []any) {
	term, args := "w.scope = ? AND w.word = ?", []any{scope, word}
	if prefix {
		term, args = "w.scope = ? AND w.word >= ? AND w.word < ?", []any{scope, word, []byte(word + "\xff")}
	}
	if look != ticket.AllFields {
		term, args = term+" AND (w.fields & ?) <> 0", append(args, int64(look))
	}
	return term, args
}

// maxRowWords is of how many words in a row the statement asks whether an entry has them; check looks at
// all of them.
const maxRowWords = 8

func (wordTable) from(_ *Store, q *ticket.MatchQuery, where *conditions) (tables, order string) {
	scope := scopeNumber(q.Tickets.Site)
	lead, word := -1, 0
	for i := range q.Terms {
		t := &q.Terms[i]
		for j, w := range t.Words {
			whole := !t.Prefix || j < len(t.Words)-1
			// A long word is in fewer mails than a short one, more often than not.
			if !t.Not && whole && (lead < 0 || len(w) > len(q.Terms[lead].Words[word])) {
				lead, word = i, j
			}
		}
	}
	tables = "{search_words} w FORCE INDEX (PRIMARY)"
	order = "w.doc"
	if lead >= 0 {
		t := &q.Terms[lead]
		term, args := wordIs(scope, t.Words[word], false, q.Look(t))
		where.add(term, args...)
	} else {
		// Prefixes alone: their words are many, and an entry may have several of them.
		t := &q.Terms[slices.IndexFunc(q.Terms, func(t ticket.Term) bool { return !t.Not })]
		term, args := wordIs(scope, t.Words[0], true, q.Look(t))
		tables = "(SELECT DISTINCT w.doc FROM " + tables + " WHERE " + term + ") w"
		where.args = append(where.args, args...)
	}
	for i := range q.Terms {
		t := &q.Terms[i]
		look := q.Look(t)
		for j, w := range t.Words {
			if i == lead && j == word || j >= maxRowWords || t.Not && (len(t.Words) > 1 || look == 0) {
				continue
			}
			term, args := wordIs(scope, w, t.Prefix && j == len(t.Words)-1, look)
			exists := "EXISTS (SELECT 1 FROM {search_words} x FORCE INDEX (PRIMARY) WHERE " +
				strings.ReplaceAll(term, "w.", "x.") + " AND x.doc = w.doc)"
			if t.Not {
				exists = "NOT " + exists
			}
			where.add(exists, args...)
		}
	}
	where.add("s.pk = w.doc AND t.pk = s.ticket AND e.pk = s.entry")
	return tables + " CROSS JOIN {search} s FORCE INDEX (PRIMARY) CROSS JOIN {tickets} t FORCE INDEX (PRIMARY) " +
		"CROSS JOIN {entries} e FORCE INDEX (PRIMARY)", order
}

// check looks at the terms of several words.
func (wordTable) check(x *session, q *ticket.MatchQuery, keys []int64) (map[int64]bool, error) {
	var holds map[int64]bool
	for i := range q.Terms {
		t := &q.Terms[i]
		look := q.Look(t)
		if len(t.Words) == 1 || look == 0 || len(keys) == 0 {
			continue
		}
		if holds == nil {
			holds = make(map[int64]bool, len(keys))
			for _, key := range keys {
				holds[key] = true
			}
		}
		rows, err := x.inARow(q, t, look, keys)
		if err != nil {
			return nil, err
		}
		for _, key := range keys {
			holds[key] = holds[key] && rows[key] != t.Not
		}
	}
	return holds, nil
}

// inARow returns the entries in which the words of a term stand in a row.
func (x *session) inARow(q *ticket.MatchQuery, t *ticket.Term, look ticket.Fields, keys []int64) (map[int64]bool, error) {
	scope := scopeNumber(q.Tickets.Site)
	var at map[int64]spots // where the words so far end
	for j, w := range t.Words {
		next := make(map[int64]spots)
		term, args := wordIs(scope, w, t.Prefix && j == len(t.Words)-1, look)
		err := keysInChunks(keys, func(marks string, keys []any) error {
			return x.every("SELECT w.doc, w.places FROM {search_words} w FORCE INDEX (PRIMARY) WHERE "+term+
				" AND w.doc IN "+marks, slices.Concat(args, keys), func(scan func(...any) error) error {
				var key int64
				var places []byte
				if err := scan(&key, &places); err != nil {
					return err
				}
				for _, p := range decodeSpots(places) {
					before := p&(1<<spotBits-1) > 0 && slices.Contains(at[key], p-1)
					if look&(1<<(p>>spotBits)) != 0 && (j == 0 || before) {
						next[key] = append(next[key], p)
					}
				}
				return nil
			})
		})
		if err != nil {
			return nil, err
		}
		at = next
	}
	holds := make(map[int64]bool, len(at))
	for key := range at {
		holds[key] = true
	}
	return holds, nil
}
