package storagetest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/ticket"
)

var mergedChecks = []check[ticket.Store]{
	{"Merged/KeptOut", checkMergedKeptOut},
	{"Merged/WhereAsked", checkMergedAsked},
	{"Merged/ThereAndBack", checkMergedBack},
	{"Mailbox/OfTheThreads", checkMailbox},
	{"Mailbox/HiddenAndMoved", checkHiddenMoved},
	{"Merge/EntriesMove", checkMergeMoves},
	{"Merge/AllOrNothing", checkMergeAllOrNothing},
	{"Merge/AcrossInboxes", checkMergeAcross},
	{"Mailbox/FoundWhereItMoved", checkFoundMoved},
}

// fillMerged makes tickets a, b, c and so on, newest first, of which b, c, d and e are merged into a.
func fillMerged(b *tickets) {
	b.Helper()
	for i, set := range []func(t *ticket.Ticket){
		func(t *ticket.Ticket) { t.Tags, t.MergedFrom = []string{"red"}, []ticket.ID{"b", "c", "d", "e"} },
		func(t *ticket.Ticket) { t.Tags, t.MergedInto = []string{"red"}, "a" },
		func(t *ticket.Ticket) { t.MergedInto, t.Status, t.StatusAt = "a", ticket.Waiting, at(1) },
		func(t *ticket.Ticket) { t.MergedInto, t.Status = "a", ticket.Closed },
		func(t *ticket.Ticket) { t.MergedInto, t.DeletedAt = "a", at(2) },
		func(t *ticket.Ticket) { t.DeletedAt = at(2) },
		func(t *ticket.Ticket) { t.Status, t.StatusAt, t.Customer = ticket.Waiting, at(1), "cu-2" },
		func(t *ticket.Ticket) { t.Status, t.Company = ticket.Closed, "co-2" },
	} {
		w := said(ticket.EntryID('a'+rune(i)), "in-1", 20-i, "word")
		t := &w.Ticket
		t.Threads = append(t.Threads, "shared")
		t.Assignee, t.Customer, t.Company, t.HeardAt = "ann", "cu-1", "co-1", at(1)
		w.Texts[0].Files = true
		set(t)
		save(b, w)
	}
}

// mergedCases are queries, what they select of what fillMerged makes, and what with Merged.
var mergedCases = []struct {
	what       string
	q          ticket.Query
	want, with string
}{
	{"everything", ticket.Query{}, "agh", "abcdegh"},
	{"an inbox", ticket.Query{Inboxes: []inbox.ID{"in-1"}}, "agh", "abcdegh"},
	{"two inboxes", ticket.Query{Inboxes: []inbox.ID{"in-1", "in-2"}}, "agh", "abcdegh"},
	{"another inbox", ticket.Query{Inboxes: []inbox.ID{"in-2"}}, "", ""},
	{"no inbox", ticket.Query{Inboxes: []inbox.ID{}}, "", ""},
	{"a thread of all", ticket.Query{Threads: []inbox.ThreadID{"shared"}}, "agh", "abcdegh"},
	{"a thread of one that is merged", ticket.Query{Threads: []inbox.ThreadID{"thread b"}}, "", "b"},
	{"threads", ticket.Query{Threads: []inbox.ThreadID{"thread g", "thread c", "thread a"}}, "ag", "acg"},
	{"a status", ticket.Query{Statuses: []ticket.Status{ticket.Closed}}, "h", "dh"},
	{"an assignee", ticket.Query{Assignee: "ann"}, "agh", "abcdegh"},
	{"a customer", ticket.Query{Customers: []inbox.CustomerID{"cu-1"}}, "ah", "abcdeh"},
	{"customers", ticket.Query{Customers: []inbox.CustomerID{"cu-1", "cu-2"}}, "agh", "abcdegh"},
	{"a company", ticket.Query{Companies: []inbox.CompanyID{"co-1"}}, "ag", "abcdeg"},
	{"a tag", ticket.Query{AnyTag: []string{"red"}}, "a", "ab"},
	{"a number", ticket.Query{Number: 3}, "", "c"},
	{"attachments", ticket.Query{WithFiles: true}, "agh", "abcdegh"},
	{"unread", ticket.Query{Unread: "pat"}, "agh", "abcdegh"},
	{"the engine", ticket.Query{AllHidden: true}, "agh", "abcdegh"},
	{"the trash", ticket.Query{Deleted: true}, "f", "bcdef"},
	{"resting in the trash", ticket.Query{Resting: ticket.RestTrash, RestedBy: at(99), Deleted: true}, "f", "f"},
	{"waiting", ticket.Query{Resting: ticket.RestWaiting, RestedBy: at(99)}, "g", "g"},
	{"done", ticket.Query{Resting: ticket.RestDone, RestedBy: at(99)}, "h", "h"},
}

// letters writes ids of one letter in a row.
func letters[V ~string](ids []V) string {
	return strings.Join(mapped(ids, func(id V) string { return string(id) }), "")
}

// tellsOf demands that the list, the count and the search of a query all are of these tickets.
func tellsOf(b *tickets, what string, q ticket.Query, want string) {
	b.Helper()
	q.Site = acme
	what = fmt.Sprintf("%s (%+v)", what, q)
	equal(b, "tickets: "+what, letters(ticketIDs(b, q)), want)
	n, unread := 0, 0
	for _, c := range counted(b, q, "pat") {
		n += c.Tickets
		unread += c.Unread
	}
	equal(b, "count of tickets: "+what, n, len(want))
	equal(b, "count of unread tickets: "+what, unread, len(want))
	search := asked("word")
	search.Tickets = q
	finds(b, what, search, want)
}

func checkMergedKeptOut(b *tickets) {
	fillMerged(b)
	for _, c := range mergedCases {
		tellsOf(b, c.what, c.q, c.want)
	}
}

func checkMergedAsked(b *tickets) {
	fillMerged(b)
	for _, c := range mergedCases {
		c.q.Merged = true
		tellsOf(b, c.what+", merged ones too", c.q, c.with)
		for size := 1; size <= 3; size++ {
			got := pages(b, size, func(after *ticket.Ticket) []ticket.Ticket {
				q := c.q
				if q.Limit = size; after != nil {
					q.After = after.Key()
				}
				return collect(b, "tickets", b.s.Tickets(b.Context(), q))
			})
			equal(b, fmt.Sprintf("tickets: %s, merged ones too, paging %d at a time", c.what, size),
				letters(mapped(got, func(t ticket.Ticket) ticket.ID { return t.ID })), c.with)
		}
	}
	for _, id := range []ticket.ID{"b", "c", "d", "e"} {
		if got := load(b, id); got.MergedInto != "a" || got.Number == 0 {
			b.Errorf("ticket %q: got it merged into %q with number %d, want \"a\" and a number", id, got.MergedInto, got.Number)
		}
	}
}

// checkMergedBack merges tickets one by one and takes them out again.
func checkMergedBack(b *tickets) {
	for i, id := range []ticket.EntryID{"a", "b", "c"} {
		w := said(id, "in-1", 9-i, "word")
		w.Ticket.HeardAt = at(1)
		save(b, w)
	}
	merge := func(id, into ticket.ID) {
		t := load(b, id)
		t.MergedInto = into
		save(b, ticket.Write{Ticket: t})
	}
	tellsOf(b, "before a merge", ticket.Query{}, "abc")
	merge("b", "a")
	tellsOf(b, "after a merge", ticket.Query{}, "ac")
	merge("c", "b")
	tellsOf(b, "after two merges", ticket.Query{}, "a")
	merge("b", "")
	tellsOf(b, "after one was taken out", ticket.Query{}, "ab")
	deleted := load(b, "a")
	deleted.DeletedAt = at(9)
	save(b, ticket.Write{Ticket: deleted})
	tellsOf(b, "with one in the trash", ticket.Query{}, "b")
	tellsOf(b, "the trash", ticket.Query{Deleted: true}, "a")
	merge("a", "b")
	tellsOf(b, "the trash after what is in it was merged", ticket.Query{Deleted: true}, "")
	merge("a", "")
	tellsOf(b, "the trash after that was taken out", ticket.Query{Deleted: true}, "a")
}

// checkMailbox has a thread id of two mailboxes, and tickets that were moved (R-TKT-08).
func checkMailbox(b *tickets) {
	for i, c := range []struct {
		in, origin inbox.ID
		thread     inbox.ThreadID
		set        func(t *ticket.Ticket)
	}{
		{"in-1", "", "t", nil},
		{"in-2", "in-1", "t", func(t *ticket.Ticket) { t.TakesMail = true }},
		{"in-2", "", "t", nil},
		{"in-3", "in-2", "t", func(t *ticket.Ticket) { t.MergedInto = "a" }},
		{"in-1", "in-2", "u", nil},
		{"in-1", "in-2", "t", func(t *ticket.Ticket) { t.DeletedAt = at(9) }},
		{"in-1", "IN-2", "t", nil},
	} {
		w := said(ticket.EntryID('a'+rune(i)), c.in, 20-i, "word")
		w.Ticket.Origin, w.Ticket.Threads, w.Ticket.HeardAt = c.origin, []inbox.ThreadID{c.thread, "last"}, at(1)
		call(c.set, &w.Ticket)
		save(b, w)
	}
	t, both := []inbox.ThreadID{"t"}, []inbox.ThreadID{"t", "u"}
	for _, c := range []struct {
		what string
		q    ticket.Query
		want string
	}{
		{"a thread of whatever mailbox", ticket.Query{Threads: t}, "abcg"},
		{"a thread of one mailbox", ticket.Query{Threads: t, Mailbox: "in-1"}, "ab"},
		{"a thread of the other", ticket.Query{Threads: t, Mailbox: "in-2"}, "c"},
		{"a thread of one in other case", ticket.Query{Threads: t, Mailbox: "IN-2"}, "g"},
		{"a thread of one where a ticket lies", ticket.Query{Threads: t, Mailbox: "in-3"}, ""},
		{"a thread of the other, merged ones too", ticket.Query{Threads: t, Mailbox: "in-2", Merged: true}, "cd"},
		{"a thread of the other, in the trash", ticket.Query{Threads: t, Mailbox: "in-2", Deleted: true}, "f"},
		{"a thread of the other, there and merged", ticket.Query{Threads: t, Mailbox: "in-2", Deleted: true, Merged: true}, "df"},
		{"threads of one mailbox", ticket.Query{Threads: both, Mailbox: "in-2"}, "ce"},
		{"a thread of one mailbox that moved", ticket.Query{Threads: t, Mailbox: "in-1", Inboxes: []inbox.ID{"in-2"}}, "b"},
		{"the last thread", ticket.Query{Threads: []inbox.ThreadID{"last"}, Mailbox: "in-2", Merged: true}, "cde"},
	} {
		tellsOf(b, c.what, c.q, c.want)
		if len(c.want) == 0 {
			continue
		}
		c.q.Limit = 1
		equal(b, "the first ticket: "+c.what, letters(ticketIDs(b, c.q)), c.want[:1])
		first := load(b, ticket.ID(c.want[:1]))
		c.q.Limit, c.q.After = 0, first.Key()
		equal(b, "tickets behind the first: "+c.what, letters(ticketIDs(b, c.q)), c.want[1:])
	}
}

// checkHiddenMoved shows no hidden ticket that was moved to the creator of the inbox it came to (R-CHG-07).
func checkHiddenMoved(b *tickets) {
	for i, c := range []struct {
		in, origin inbox.ID
		shown      int
	}{{"in-1", "", 0}, {"in-1", "in-2", 0}, {"in-1", "in-1", 0}, {"in-1", "in-2", 1}, {"in-2", "in-1", 0}} {
		w := said(ticket.EntryID('a'+rune(i)), c.in, 20-i, "word")
		w.Ticket.Origin, w.Ticket.Messages, w.Ticket.Shown, w.Ticket.HeardAt = c.origin, 1, c.shown, at(1)
		save(b, w)
	}
	many := []inbox.ID{"in-1"}
	for i := range 700 {
		many = append(many, inbox.ID(fmt.Sprint("none-", i)))
	}
	for _, c := range []struct {
		what string
		q    ticket.Query
		want string
	}{
		{"for nobody in particular", ticket.Query{}, "d"},
		{"for the creator of where they are", ticket.Query{HiddenIn: []inbox.ID{"in-1"}}, "acd"},
		{"for the creator of where they are and of many inboxes", ticket.Query{HiddenIn: many}, "acd"},
		{"for the creator of where they come from", ticket.Query{HiddenIn: []inbox.ID{"in-2"}}, "d"},
		{"for the creator of both", ticket.Query{HiddenIn: []inbox.ID{"in-1", "in-2"}}, "acd"},
		{"for the engine", ticket.Query{AllHidden: true}, "abcde"},
	} {
		tellsOf(b, "hidden and moved, "+c.what, c.q, c.want)
	}
}

// call changes v where there is something to change it by.
func call[V any](change func(v *V), v *V) {
	if change != nil {
		change(v)
	}
}

// mergeSize is how many entries a merge moves in one write.
const mergeSize = 200

// fillMerge makes the ticket "source" with many entries, some of them hidden, and "target" with a few.
func fillMerge(b *tickets) (source, target ticket.Ticket, moving []ticket.Entry) {
	b.Helper()
	from, to := said("of target", "in-1", 50, "word target"), ticket.Write{Ticket: open("source", "in-1", 1)}
	from.Ticket, from.Entries[0].Ticket = open("target", "in-1", 50), "target"
	for i := range mergeSize {
		e := received(ticket.EntryID(fmt.Sprintf("e-%03d", i)), "source", "in-1", i)
		e.RFCID, e.Hidden = fmt.Sprintf("%d@example.com", i), i%5 == 0
		if i%10 == 1 {
			e.Message, e.Kind, e.Author, e.Text = "", ticket.EntryNoted, "pat", "A note."
		}
		to.Entries = append(to.Entries, e)
		to.Texts = append(to.Texts, textOf(e.ID, "word", "", "", fmt.Sprint("w", i, " behind")))
	}
	saved := save(b, from, to)
	return saved[1], saved[0], to.Entries
}

// merge returns the write that merges one ticket into another.
func merge(source, target ticket.Ticket, moving []ticket.Entry) []ticket.Write {
	source.MergedInto, target.MergedFrom = target.ID, []ticket.ID{source.ID}
	target.Threads = append(slices.Clone(target.Threads), source.Threads...)
	line := func(of ticket.Ticket) ticket.Entry {
		return ticket.Entry{
			ID: ticket.EntryID("merge of " + of.ID), Ticket: of.ID, Inbox: "in-1", Kind: ticket.EntryChanged, At: at(999),
			Change: &ticket.Change{Field: "merged"},
		}
	}
	moving = slices.Clone(moving)
	for i := range moving {
		moving[i].Ticket = target.ID
	}
	return []ticket.Write{
		{Ticket: target, Entries: append(moving, line(target))}, {Ticket: source, Entries: []ticket.Entry{line(source)}},
	}
}

// wordsOf returns how many entries with the word "word" there are in each ticket, for people and for
// the engine.
func wordsOf(b *tickets) (shown, all map[ticket.ID]int) {
	b.Helper()
	count := func(q ticket.MatchQuery) map[ticket.ID]int {
		n := make(map[ticket.ID]int)
		for _, m := range collect(b, "matches", b.s.Matches(b.Context(), q)) {
			n[m.Ticket]++
		}
		return n
	}
	q := asked("word")
	q.Tickets.Merged = true
	shown = count(q)
	q.Tickets.AllHidden = true
	return shown, count(q)
}

func checkMergeMoves(b *tickets) {
	for _, order := range []string{"target first", "source first"} {
		source, target, moving := fillMerge(b)
		w := merge(source, target, moving)
		want := slices.Concat(w[0].Entries[:mergeSize], w[1].Entries)
		if order == "source first" {
			slices.Reverse(w)
		}
		save(b, w...)
		equal(b, "tickets after a merge, "+order, ticketIDs(b, ticket.Query{Threads: source.Threads}), []ticket.ID{"target"})
		got := collect(b, "entries", b.s.Entries(b.Context(), ticket.EntryQuery{Ticket: "target"}))
		equal(b, "moved entries after a merge, "+order,
			keepIf(got, func(e ticket.Entry) bool { return strings.HasPrefix(string(e.ID), "e-") }), want[:mergeSize])
		equal(b, "number of entries after a merge, "+order, len(got), mergeSize+2)
		equal(b, "entries of the source after a merge, "+order,
			collect(b, "entries", b.s.Entries(b.Context(), ticket.EntryQuery{Ticket: "source"})), want[mergeSize:])

		shown, all := wordsOf(b)
		equal(b, "words that are found after a merge, "+order, shown, map[ticket.ID]int{"target": 1 + mergeSize*4/5})
		equal(b, "words the engine finds after a merge, "+order, all, map[ticket.ID]int{"target": 1 + mergeSize})
		for _, i := range []int{1, 7, 102, 199} {
			q := asked(fmt.Sprint("w", i, " behind"))
			equal(b, fmt.Sprintf("words in a row of entry %d after a merge, %s", i, order), matches(b, q), []ticket.EntryID{want[i].ID})
			q.Only = []ticket.ID{"source"}
			q.Tickets.Merged = true
			equal(b, fmt.Sprintf("words of entry %d in the source after a merge, %s", i, order), matches(b, q), []ticket.EntryID{})
		}
		hidden := asked("w100 behind")
		hidden.Tickets.HiddenIn = []inbox.ID{"in-1"}
		equal(b, "hidden words after a merge, for the creator, "+order, matches(b, hidden), []ticket.EntryID{want[100].ID})

		// What moved is the target's own: it stays when the source goes.
		ok(b, "purge the source of a merge", b.s.PurgeTicket(b.Context(), "source", 2))
		_, all = wordsOf(b)
		equal(b, "words the engine finds after the source is purged, "+order, all, map[ticket.ID]int{"target": 1 + mergeSize})
		equal(b, "number of entries after the source is purged, "+order,
			len(collect(b, "entries", b.s.Entries(b.Context(), ticket.EntryQuery{Ticket: "target"}))), mergeSize+2)

		ok(b, "purge the target of a merge", b.s.PurgeTicket(b.Context(), "target", 2))
		_, all = wordsOf(b)
		equal(b, "words the engine finds after both are purged, "+order, all, map[ticket.ID]int{})
	}
}

func checkMergeAllOrNothing(b *tickets) {
	source, target, moving := fillMerge(b)
	taken := received("taken", "third", "in-1", 1)
	save(b, ticket.Write{Ticket: open("third", "in-1", 3), Entries: []ticket.Entry{taken}})
	before := lookKnown(b)
	for _, c := range []struct {
		what string
		bend func(w []ticket.Write)
		want error
	}{
		{"a stale target", func(w []ticket.Write) { w[0].Ticket.Version = 0 }, storage.ErrConflict},
		{"a source that has changed", func(w []ticket.Write) { w[1].Ticket.Version = 9 }, storage.ErrConflict},
		{"a mail of a third ticket", func(w []ticket.Write) {
			again := taken
			again.ID = "taken again"
			w[0].Entries = append(w[0].Entries, again)
		}, storage.ErrExists},
		{"a mail that stays too", func(w []ticket.Write) {
			twin := moving[2]
			twin.ID = "twin"
			w[1].Entries = append(w[1].Entries, twin)
		}, storage.ErrExists},
	} {
		for _, turn := range []func(w []ticket.Write){func([]ticket.Write) {}, slices.Reverse[[]ticket.Write]} {
			w := merge(source, target, moving)
			c.bend(w)
			turn(w)
			_, err := b.s.SaveTickets(b.Context(), w)
			refused(b, "merge with "+c.what, err, c.want)
			equal(b, "what is known after a merge with "+c.what, lookKnown(b), before)
		}
	}
	shown, all := wordsOf(b)
	equal(b, "words that are found after refused merges", shown, map[ticket.ID]int{"source": mergeSize * 4 / 5, "target": 1})
	equal(b, "words the engine finds after refused merges", all, map[ticket.ID]int{"source": mergeSize, "target": 1})
	save(b, merge(source, target, moving)...)
}

// foundIn demands that entries with the word "word" are found in these inboxes alone: h, which is hidden,
// by the creator of the inbox, and as H, where its mail lies in another inbox, by the engine alone.
func foundIn(b *tickets, when string, want map[inbox.ID]string) {
	b.Helper()
	for _, in := range []inbox.ID{"in-1", "in-2", "in-3"} {
		q := asked("word")
		q.Tickets.Inboxes = []inbox.ID{in}
		q.Tickets.HiddenIn = []inbox.ID{in}
		finds(b, fmt.Sprintf("%q in %q, for its creator", when, in), q, strings.ReplaceAll(want[in], "H", ""))
		q.Tickets.HiddenIn = nil
		finds(b, fmt.Sprintf("%q in %q", when, in), q, strings.NewReplacer("h", "", "H", "").Replace(want[in]))
		q = asked("word", "other*")
		q.Tickets.Inboxes, q.Tickets.AllHidden = []inbox.ID{in}, true
		finds(b, fmt.Sprintf("%q in %q, two words", when, in), q, strings.ToLower(want[in]))
	}
}

// checkMergeAcross moves entries, without their texts, into a ticket of another inbox and on from there.
func checkMergeAcross(b *tickets) {
	var w []ticket.Entry
	var x []ticket.Text
	for i, id := range []ticket.EntryID{"c", "h"} {
		e := received(id, "source", "in-1", 9-i)
		e.Hidden = id == "h"
		w, x = append(w, e), append(x, textOf(id, "word", "", "", "others"))
	}
	target := said("a", "in-2", 20, "word", "", "", "others")
	save(b, ticket.Write{Ticket: open("source", "in-1", 9), Entries: w, Texts: x}, target, ticket.Write{Ticket: open("third", "in-3", 1)})
	foundIn(b, "before", map[inbox.ID]string{"in-1": "ch", "in-2": "a"})
	for i := range w {
		w[i].Ticket = "a"
	}
	save(b, ticket.Write{Ticket: load(b, "a"), Entries: w}, ticket.Write{Ticket: load(b, "source")})
	foundIn(b, "after a merge", map[inbox.ID]string{"in-2": "acH"})
	w[0].Ticket = "third"
	save(b, ticket.Write{Ticket: load(b, "third"), Entries: w[:1]}, ticket.Write{Ticket: load(b, "a")})
	foundIn(b, "after a split", map[inbox.ID]string{"in-2": "aH", "in-3": "c"})
	stale := load(b, "source")
	stale.Version = 9
	_, err := b.s.SaveTickets(b.Context(), []ticket.Write{{Ticket: load(b, "a"), Entries: w[:1]}, {Ticket: stale}})
	refused(b, "move an entry with a stale ticket", err, storage.ErrConflict)
	foundIn(b, "after a refused move", map[inbox.ID]string{"in-2": "aH", "in-3": "c"})
}

// checkFoundMoved moves a ticket to another inbox, with some of its entries written again and with none.
func checkFoundMoved(b *tickets) {
	w := said("a", "in-1", 9, "word", "", "", "others")
	h := received("h", "a", "in-1", 8)
	h.Hidden = true
	w.Entries, w.Texts = append(w.Entries, h), append(w.Texts, textOf("h", "word", "", "", "others"))
	w.Ticket.Messages, w.Ticket.Shown = 2, 1
	b1 := said("b", "in-1", 5, "word", "", "", "others")
	save(b, w, b1)
	foundIn(b, "before", map[inbox.ID]string{"in-1": "ahb"})
	for _, c := range []struct {
		to      inbox.ID
		entries []ticket.Entry
	}{{"in-2", nil}, {"in-3", w.Entries[:1]}, {"in-1", w.Entries}, {"in-2", nil}} {
		t := load(b, "a")
		t.Inbox, t.Origin = c.to, "in-1"
		save(b, ticket.Write{Ticket: t, Entries: c.entries})
		want := map[inbox.ID]string{"in-1": "b", c.to: "aH"}
		if c.to == "in-1" {
			want[c.to] = "ahb"
		}
		foundIn(b, fmt.Sprintf("after a move to %q with %d entries", c.to, len(c.entries)), want)
	}
}
