package storagetest

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/ticket"
)

var searchChecks = []check[ticket.Store]{
	{"Search/Terms", checkSearchTerms},
	{"Search/Fields", checkSearchFields},
	{"Search/AnyWord", checkSearchAnyWord},
	{"Search/AgainstReference", checkSearchReference},
	{"Search/NewestFirst", checkSearchOrder},
	{"Search/VisibleSet", checkSearchVisible},
	{"Search/TicketFilters", checkSearchTickets},
	{"Search/TextReplaced", checkSearchReplaced},
	{"Search/TextKept", checkSearchKept},
	{"Search/AllOrNothing", checkSearchAllOrNothing},
	{"Search/PurgeLeavesNothing", checkSearchPurge},
	{"Search/LongText", checkSearchLong},
	{"Search/LongQuestion", checkSearchManyWords},
	{"Search/WriteWhileReading", func(b *tickets) { checkWriteWhileReading(b, searchLists(b)) }},
	{"Search/CancelledContext", func(b *tickets) { checkCancelled(b, searchLists(b)) }},
	{"Search/BreakReleases", func(b *tickets) { checkBreak(b, searchLists(b)) }},
}

// textOf returns the text of an entry from its fields, words with spaces between.
func textOf(id ticket.EntryID, fields ...string) ticket.Text {
	t := ticket.Text{Entry: id}
	for i, f := range fields {
		t.Words[i] = strings.Fields(f)
	}
	return t
}

// said returns a ticket of one entry that can be found; the ticket has the entry's id.
func said(id ticket.EntryID, in inbox.ID, n int, fields ...string) ticket.Write {
	return ticket.Write{
		Ticket:  open(ticket.ID(id), in, n),
		Entries: []ticket.Entry{received(id, ticket.ID(id), in, n)},
		Texts:   []ticket.Text{textOf(id, fields...)},
	}
}

// term reads a term: "-" in front is not, "*" behind is a prefix.
func term(words string) (t ticket.Term) {
	words, t.Not = strings.CutPrefix(words, "-")
	words, t.Prefix = strings.CutSuffix(words, "*")
	t.Words = strings.Fields(words)
	return t
}

func terms(texts ...string) []ticket.Term { return mapped(texts, term) }

// asked is a query of the site for these terms.
func asked(texts ...string) ticket.MatchQuery {
	return ticket.MatchQuery{Tickets: ticket.Query{Site: acme}, Terms: terms(texts...)}
}

func matches(b *tickets, q ticket.MatchQuery) []ticket.EntryID {
	b.Helper()
	return mapped(collect(b, "matches", b.s.Matches(b.Context(), q)),
		func(m ticket.Match) ticket.EntryID { return m.Entry })
}

// finds demands the entries of a query, newest first, written as one letter each.
func finds(b *tickets, what string, q ticket.MatchQuery, want string) {
	b.Helper()
	equal(b, "search: "+what, matches(b, q), mapped(strings.Split(want, ""),
		func(id string) ticket.EntryID { return ticket.EntryID(id) })[:len(want)])
}

func checkSearchTerms(b *tickets) {
	save(b, said("a", "in-1", 1, "offer", "ann acme com", "", "the price of it is high", "we met"))
	save(b, said("b", "in-1", 2, "re offer", "bob", "price pdf", "is the price high", ""))
	save(b, said("c", "in-1", 3, "offering", "", "", "nothing of it", "the offer"))
	for _, c := range []struct {
		what  string
		terms []string
		want  string
	}{
		{"a word", []string{"offer"}, "cba"},
		{"a word of one letter less", []string{"offe"}, ""},
		{"no such word", []string{"invoice"}, ""},
		{"two words in different fields", []string{"offer", "price"}, "ba"},
		{"the same word twice", []string{"price", "price"}, "ba"},
		{"one there, one not", []string{"offer", "invoice"}, ""},
		{"words every language has", []string{"of", "it", "is", "the"}, "a"},
		{"words in a row", []string{"price of it"}, "a"},
		{"words in a row, the other way round", []string{"of price"}, ""},
		{"words in a row that are there apart", []string{"price is"}, ""},
		{"a row over two fields", []string{"high we"}, ""},
		{"an address", []string{"acme com"}, "a"},
		{"a prefix", []string{"off*"}, "cba"},
		{"a longer prefix", []string{"offeri*"}, "c"},
		{"a prefix of a whole word", []string{"offering*"}, "c"},
		{"a prefix behind words in a row", []string{"the pri*"}, "ba"},
		{"prefixes alone", []string{"off*", "nothi*"}, "c"},
		{"a word without another", []string{"offer", "-bob"}, "ca"},
		{"a word without words in a row", []string{"offer", "-price of"}, "cb"},
		{"a word without words that are not in a row", []string{"offer", "-of price"}, "cba"},
		{"a word without a prefix", []string{"offer", "-pric*"}, "c"},
		{"a word without two", []string{"offer", "-ann", "-nothing"}, "b"},
		{"a word without itself", []string{"offer", "-offer"}, ""},
		{"a prefix without the word it is itself", []string{"bo*", "-bo"}, "b"},
		{"a word without the prefix it is itself", []string{"bob", "-bob*"}, ""},
		{"only words that are not to be found", []string{"-offer"}, ""},
		{"nothing", nil, ""},
	} {
		finds(b, fmt.Sprintf("%s (%q)", c.what, c.terms), asked(c.terms...), c.want)
	}
}

// checkSearchFields has every word in one field alone.
func checkSearchFields(b *tickets) {
	save(b, said("a", "in-1", 1, "x s1 s2", "x p1 p2", "x f1 f2", "x t1 t2", "x q1 q2"))
	words := []string{"s1", "p1", "f1", "t1", "q1"}
	rows := []string{"s1 s2", "p1 p2", "f1 f2", "t1 t2", "q1 q2"}
	prefixes := []string{"x s*", "x p*", "x f*", "x t*", "x q*"}
	for look := ticket.Fields(0); look <= ticket.AllFields; look++ {
		for i := range words {
			bit := ticket.Fields(1) << i
			in, out := "", "a"
			if look == 0 || look&bit != 0 {
				in, out = "a", ""
			}
			for _, word := range []string{words[i], rows[i], prefixes[i]} {
				where := fmt.Sprintf("%q in fields %05b", word, look)
				q := asked(word)
				q.Fields = look
				finds(b, where, q, in)
				q = asked(word)
				q.Readable = look
				finds(b, where+" that may be read", q, in)
				q = asked(word)
				q.Terms[0].In = look
				finds(b, where+" of the term", q, in)
				q = asked("x", "-"+word)
				q.Terms[1].In = look
				finds(b, "all but "+where+" of the term", q, out)
				q.Terms[1].In, q.Fields = 0, look
				finds(b, "all but "+where+", which is not about it", q, "")
				q = asked("x", "-"+word)
				q.Readable = look
				finds(b, "all but "+where+" that may be read", q, out)
			}
		}
	}
	q := asked("s1", "p1")
	q.Terms[0].In, q.Terms[1].In = ticket.InSubject, ticket.InPeople
	finds(b, "two terms in fields of their own", q, "a")
	q.Terms[1].In = ticket.InText
	finds(b, "two terms, one in another field", q, "")
	q = asked("s1", "-s1")
	q.Terms[1].In = ticket.InPeople
	finds(b, "a word in one field and not in another", q, "a")
	q = asked("s1")
	q.Fields, q.Readable = ticket.InSubject, ticket.InPeople
	finds(b, "a field that may not be read", q, "")
}

// checkSearchAnyWord finds words of every form a word can have.
func checkSearchAnyWord(b *tickets) {
	words := []string{
		"a", "i", "0", "the", "of", "to", "and", "or", "not", "near", "null", "about", "東京", "京都", "都",
		"москва", "עברית", "नमस्ते", "lodz", "strasse", "ไท", "x1", "12", "2026", "e2e", "한국", "αβγ", "σισυφοσ", "елка", "محمد", "ที", "น้", "ガス", "𠮷野", "𐐨", "1234", "0042",
		strings.Repeat("w", 60), strings.Repeat("w", 59), strings.Repeat("é", 30), "p", "f", "s", "subject", "scope",
	}
	save(b, said("a", "in-1", 1, "", "", "", strings.Join(words, " "), ""))
	save(b, said("b", "in-1", 2, "", "", "", "zzz", ""))
	for i, w := range words {
		finds(b, fmt.Sprintf("the word %q", w), asked(w), "a")
		finds(b, fmt.Sprintf("without the word %q", w), asked("zzz", "-"+w), "b")
		if i > 0 {
			finds(b, fmt.Sprintf("the words %q", words[i-1:i+1]), asked(words[i-1]+" "+w), "a")
		}
		first := string([]rune(w)[:1])
		finds(b, fmt.Sprintf("the prefix %q", first), asked(first+"*"), "a")
	}
	for _, w := range []string{"t", "th", "thee", "東", "моск", "İ", strings.Repeat("w", 58), "no", "ny"} {
		finds(b, fmt.Sprintf("the word %q, which is not there", w), asked(w), "")
	}
}

// checkSearchReference asks random questions of random texts, and answers them word by word.
func checkSearchReference(b *tickets) {
	r := rand.New(rand.NewPCG(7, 11))
	vocabulary := []string{"a", "b", "ba", "bab", "c", "cab", "東京", "京都"}
	pick := func(most int) []string {
		var words []string
		for range r.IntN(most + 1) {
			words = append(words, vocabulary[r.IntN(len(vocabulary))])
		}
		return words
	}
	texts := make(map[ticket.EntryID]ticket.Text)
	for i := range 40 {
		id := ticket.EntryID(fmt.Sprintf("e%02d", i))
		w := said(id, "in-1", i)
		for f := range w.Texts[0].Words {
			w.Texts[0].Words[f] = pick(4)
		}
		texts[id] = w.Texts[0]
		save(b, w)
	}
	fields := func() ticket.Fields { return ticket.Fields(r.IntN(int(ticket.AllFields) + 1)) }
	for range 150 {
		q := asked()
		for range 1 + r.IntN(3) {
			t := ticket.Term{Words: pick(2), Prefix: r.IntN(4) == 0, Not: r.IntN(4) == 0}
			if r.IntN(4) == 0 {
				t.In = fields()
			}
			if len(t.Words) > 0 {
				q.Terms = append(q.Terms, t)
			}
		}
		if r.IntN(3) == 0 {
			q.Fields = fields()
		}
		if r.IntN(3) == 0 {
			q.Readable = fields()
		}
		var want []ticket.EntryID
		for id, t := range texts {
			if holds(&q, &t) {
				want = append(want, id)
			}
		}
		slices.Sort(want)
		slices.Reverse(want)
		equal(b, fmt.Sprintf("search for %+v in fields %05b of %05b", q.Terms, q.Fields, q.Readable), matches(b, q), want)
	}
}

// holds answers a question word by word.
func holds(q *ticket.MatchQuery, t *ticket.Text) bool {
	if !slices.ContainsFunc(q.Terms, func(t ticket.Term) bool { return !t.Not }) {
		return false
	}
	for i := range q.Terms {
		term := &q.Terms[i]
		found := false
		for f, words := range t.Words {
			for at := range words {
				found = found || q.Look(term)&(1<<f) != 0 && begins(term, words[at:])
			}
		}
		if found == term.Not {
			return false
		}
	}
	return true
}

func begins(t *ticket.Term, words []string) bool {
	if len(words) < len(t.Words) {
		return false
	}
	last := len(t.Words) - 1
	return slices.Equal(words[:last], t.Words[:last]) &&
		(words[last] == t.Words[last] || t.Prefix && strings.HasPrefix(words[last], t.Words[last]))
}

func checkSearchOrder(b *tickets) {
	for _, id := range []ticket.EntryID{"d", "a", "f", "c", "b", "e"} {
		save(b, said(id, "in-1", int(id[0]), "word"))
		for i := range 4 { // of others, of the same time and newer
			foreign := said(id+ticket.EntryID(fmt.Sprint(i)), "in-2", int(id[0])+i/2*100, "word")
			foreign.Ticket.Site = other
			save(b, foreign)
		}
	}
	finds(b, "newest first", asked("word"), "fedcba")
	for size := 1; size <= 7; size++ {
		got := pages(b, size, func(after *ticket.Match) []ticket.Match {
			q := asked("word")
			if q.Limit = size; after != nil {
				q.After = after.Place
			}
			return collect(b, "matches", b.s.Matches(b.Context(), q))
		})
		equal(b, fmt.Sprintf("matches, paging %d at a time", size),
			mapped(got, func(m ticket.Match) ticket.EntryID { return m.Entry }),
			[]ticket.EntryID{"f", "e", "d", "c", "b", "a"})
	}
	// Many of one second come each once, in pages of any size.
	var want []ticket.EntryID
	var w []ticket.Write
	for i := range 40 {
		id := ticket.EntryID(fmt.Sprintf("same %02d", i))
		want = append(want, id)
		if w = append(w, said(id, "in-1", 500, "same")); len(w) == ticket.MaxWrites || i == 39 {
			save(b, w...)
			w = nil
		}
	}
	for _, size := range []int{1, 7, 39, 40, 41} {
		last := int64(0)
		got := pages(b, size, func(after *ticket.Match) []ticket.Match {
			q := asked("same")
			if q.Limit = size; after != nil {
				q.After = after.Place
			}
			page := collect(b, "matches", b.s.Matches(b.Context(), q))
			for _, m := range page {
				if m.Place < 1 || last > 0 && m.Place >= last {
					b.Errorf("places of matches: got %d behind %d, want them to fall", m.Place, last)
				}
				last = m.Place
			}
			return page
		})
		ids := mapped(got, func(m ticket.Match) ticket.EntryID { return m.Entry })
		slices.Sort(ids)
		equal(b, fmt.Sprintf("matches of one second, paging %d at a time", size), ids, want)
	}
}

func checkSearchVisible(b *tickets) {
	hide := func(w ticket.Write, entry, all bool) ticket.Write {
		w.Entries[0].Hidden, w.Ticket.Messages, w.Ticket.Shown = entry, 1, 1
		if all {
			w.Ticket.Shown = 0
		}
		return w
	}
	for i, in := range []inbox.ID{"in-1", "in-2", "IN-1"} {
		base := 'a' + rune(3*i)
		id := func(n rune) ticket.EntryID { return ticket.EntryID(base + n) }
		save(b, hide(said(id(0), in, 9-3*i, "word"), false, false),
			hide(said(id(1), in, 8-3*i, "word"), true, false), hide(said(id(2), in, 7-3*i, "word"), true, true))
	}
	moved := said("j", "in-1", 0, "word")
	moved.Entries[0].Inbox = "in-2"
	foreign := said("k", "in-1", 0, "word")
	foreign.Ticket.Site = other
	save(b, moved)
	save(b, foreign)
	for _, c := range []struct {
		what string
		set  func(q *ticket.Query)
		want string
	}{
		{"the whole site", func(*ticket.Query) {}, "adgj"},
		{"another site", func(q *ticket.Query) { q.Site = other }, "k"},
		{"no inboxes", func(q *ticket.Query) { q.Inboxes = []inbox.ID{} }, ""},
		{"one inbox, and what of another lies in a ticket of it",
			func(q *ticket.Query) { q.Inboxes = []inbox.ID{"in-1"} }, "aj"},
		{"the other one", func(q *ticket.Query) { q.Inboxes = []inbox.ID{"in-2"} }, "d"},
		{"an inbox without mail", func(q *ticket.Query) { q.Inboxes = []inbox.ID{"in-9"} }, ""},
		{"a creator", func(q *ticket.Query) { q.HiddenIn = []inbox.ID{"in-2"} }, "adefgj"},
		{"a creator who looks elsewhere", func(q *ticket.Query) {
			q.HiddenIn, q.Inboxes = []inbox.ID{"in-2"}, []inbox.ID{"in-1"}
		}, "aj"},
		{"the engine", func(q *ticket.Query) { q.AllHidden = true }, "abcdefghij"},
	} {
		q := asked("word")
		c.set(&q.Tickets)
		finds(b, c.what, q, c.want)
		many := q
		if len(many.Tickets.Inboxes) > 0 {
			for i := range 700 {
				many.Tickets.Inboxes = append(many.Tickets.Inboxes, inbox.ID(fmt.Sprint("none-", i)))
			}
			finds(b, c.what+", in a long list", many, c.want)
		}
	}
	q := asked("word")
	q.Only = []ticket.ID{"a", "e", "g", "nowhere"}
	finds(b, "of a few tickets", q, "ag")
}

func checkSearchTickets(b *tickets) {
	for i, set := range filterSets {
		w := said(ticket.EntryID('a'+rune(i)), "in-1", 20-i, "word")
		set(&w.Ticket)
		save(b, w)
	}
	for _, c := range filterCases {
		q := asked("word")
		q.Tickets = c.q
		q.Tickets.Site = acme
		finds(b, c.what, q, c.want)
	}
}

func checkSearchReplaced(b *tickets) {
	w := said("a", "in-1", 1, "first", "ann", "", "old text")
	w.Ticket = save(b, w)[0]
	finds(b, "the first text", asked("old text"), "a")
	w.Texts = []ticket.Text{textOf("a", "second", "ann", "", "new")}
	w.Ticket = save(b, w)[0]
	finds(b, "a word of the text that is gone", asked("first"), "")
	finds(b, "words of the text that is gone", asked("old"), "")
	finds(b, "a word of the new text", asked("second"), "a")
	finds(b, "a word of both texts", asked("ann"), "a")
	w.Texts = []ticket.Text{{Entry: "a"}}
	w.Ticket = save(b, w)[0]
	finds(b, "a word of the text that was taken out", asked("second"), "")
	w.Ticket = save(b, w)[0] // again is fine
	w.Texts = []ticket.Text{textOf("a", "third")}
	w.Ticket = save(b, w)[0]
	finds(b, "a word of the text that is there again", asked("third"), "a")
	// One of an entry that the write does not have is passed over.
	w.Entries = nil
	w.Texts = []ticket.Text{textOf("a", "fourth"), textOf("x", "fourth")}
	save(b, w)
	finds(b, "a text without its entry", asked("fourth"), "")
	finds(b, "the text that stays", asked("third"), "a")
}

func checkSearchKept(b *tickets) {
	w := said("a", "in-1", 1, "word")
	w.Ticket.Messages, w.Ticket.Shown = 2, 1
	w.Ticket = save(b, w)[0]
	w.Texts = nil
	w.Ticket = save(b, w)[0]
	finds(b, "an entry saved again without its text", asked("word"), "a")
	w.Entries[0].Hidden = true
	w.Ticket = save(b, w)[0]
	finds(b, "an entry that was hidden", asked("word"), "")
	q := asked("word")
	q.Tickets.HiddenIn = []inbox.ID{"in-1"}
	finds(b, "an entry that was hidden, for the creator", q, "a")
	w.Entries[0].Hidden = false
	w.Ticket = save(b, w)[0]
	finds(b, "an entry that is shown again", asked("word"), "a")

	e := w.Entries[0]
	e.Ticket = "to"
	save(b, ticket.Write{Ticket: open("to", "in-1", 1), Entries: []ticket.Entry{e}})
	for _, m := range collect(b, "matches", b.s.Matches(b.Context(), asked("word"))) {
		if m.Ticket != "to" {
			b.Errorf("match of an entry that moved: got ticket %q, want %q", m.Ticket, "to")
		}
	}
	finds(b, "an entry that moved", asked("word"), "a")
	to := load(b, "to")
	to.DeletedAt = at(9)
	save(b, ticket.Write{Ticket: to})
	finds(b, "an entry in the trash", asked("word"), "")
	q = asked("word")
	q.Tickets.Deleted = true
	finds(b, "an entry in the trash, there", q, "a")
}

func checkSearchAllOrNothing(b *tickets) {
	w := said("a", "in-1", 1, "before")
	w.Ticket = save(b, w)[0]
	stale := said("b", "in-1", 1, "after")
	stale.Ticket.Version = 7
	w.Texts = []ticket.Text{textOf("a", "after")}
	_, err := b.s.SaveTickets(b.Context(), []ticket.Write{w, stale})
	refused(b, "save texts with a stale ticket", err, storage.ErrConflict)
	finds(b, "a text that was refused", asked("after"), "")
	finds(b, "a text that was to be replaced", asked("before"), "a")
}

func checkSearchPurge(b *tickets) {
	for i, in := range []inbox.ID{"in-1", "in-2"} {
		id := ticket.EntryID('a' + rune(i))
		w := said(id, in, 9-i, "word")
		elsewhere := received(id+"x", w.Ticket.ID, map[inbox.ID]inbox.ID{"in-1": "in-2", "in-2": "in-1"}[in], 1)
		w.Entries = append(w.Entries, elsewhere)
		w.Texts = append(w.Texts, textOf(elsewhere.ID, "elsewhere"))
		save(b, w)
		ok(b, "save reading", b.s.SaveReading(b.Context(), w.Ticket.ID, "ann", at(5)))
	}
	ok(b, "purge", b.s.PurgeTickets(b.Context(), "in-1"))
	finds(b, "a word after a purge", asked("word"), "b")
	finds(b, "a word of the purged inbox in another's ticket", asked("elsewhere"), "")
	save(b, said("a", "in-1", 1, "new"))
	finds(b, "the word of a purged ticket made anew", asked("word"), "b")
	finds(b, "the new word of a purged ticket made anew", asked("new"), "a")
	for id, want := range map[ticket.ID]bool{"a": true, "b": false} {
		until, err := b.s.Reading(b.Context(), id, "ann")
		ok(b, "reading", err)
		if until.IsZero() != want {
			b.Errorf("reading of ticket %q after a purge: got %v, want none: %t", id, until, want)
		}
	}
}

// checkSearchLong saves as many words as there may be, as different as they can be and as alike.
func checkSearchLong(b *tickets) {
	words := make([]string, ticket.MaxWords)
	for i := range words {
		words[i] = fmt.Sprintf("%060d", i)
	}
	first, last := words[0], words[len(words)-1]
	row := words[len(words)-2] + " " + last
	w := said("a", "in-1", 1)
	w.Texts[0].Words[3] = words
	save(b, w)
	w = said("b", "in-1", 2)
	w.Texts[0].Words[4] = slices.Repeat([]string{"again"}, ticket.MaxWords)
	save(b, w)
	finds(b, "the first word of many", asked(first), "a")
	finds(b, "the last word of many", asked(last), "a")
	finds(b, "the last two words of many", asked(row), "a")
	finds(b, "the last two words of many, the other way round", asked(last+" "+words[len(words)-2]), "")
	finds(b, "a word that is there ten thousand times", asked("again again again"), "b")
	w = said("a", "in-1", 1, "short")
	w.Ticket = load(b, "a")
	save(b, w)
	finds(b, "a word of many that are gone", asked(last), "")
}

// checkSearchManyWords asks for as many words as a person can type, in a row and apart.
func checkSearchManyWords(b *tickets) {
	words := make([]string, 500)
	for i := range words {
		words[i] = fmt.Sprintf("w%03d", i)
	}
	row := strings.Join(words, " ")
	save(b, said("a", "in-1", 1, "", "", "", row))
	words[250], words[251] = words[251], words[250]
	turned := strings.Join(words, " ")
	save(b, said("b", "in-1", 2, "", "", "", turned))
	finds(b, "500 words in a row", asked(row), "a")
	finds(b, "500 words in another row", asked(turned), "b")
	finds(b, "without 500 words in a row", asked("w000", "-"+row), "b")
	finds(b, "500 words in a row and without another", asked(row, "-"+turned), "a")
	finds(b, "one word 500 times in a row", asked(strings.Repeat("w000 ", 500)), "")
	finds(b, "500 words in a row, of the subject", ticket.MatchQuery{
		Tickets: ticket.Query{Site: acme}, Terms: terms(row), Fields: ticket.InSubject}, "")
	var parts []string
	for i := range 16 {
		parts = append(parts, words[2*i]+" "+words[2*i+1]+"*")
	}
	finds(b, "16 rows of two words", asked(parts...), "ba")
	for i := range parts {
		parts[i] = "w" + parts[i][1:3] + "*"
	}
	finds(b, "16 prefixes", asked(parts...), "ba")
}

func searchLists(b *tickets) []listing {
	b.Helper()
	s := b.s
	for i := range 3 {
		save(b, said(ticket.EntryID(fmt.Sprint("e-", i)), "in-1", i, "word"))
	}
	return []listing{listOf("Matches", func(ctx context.Context) iter.Seq2[ticket.Match, error] {
		return s.Matches(ctx, asked("word"))
	}, func(ctx context.Context, m ticket.Match) error {
		t, err := s.Ticket(ctx, m.Ticket)
		if err != nil {
			return err
		}
		e := received(m.Entry, t.ID, "in-1", 1)
		_, err = s.SaveTickets(ctx, []ticket.Write{{
			Ticket: t, Entries: []ticket.Entry{e}, Texts: []ticket.Text{textOf(e.ID, "changed")},
		}})
		return err
	})}
}
