package storagetest

import (
	"errors"
	"fmt"
	"sync"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/ticket"
)

var purgeTicketChecks = []check[ticket.Store]{
	{"PurgeTicket/LeavesNothing", checkPurgeTicket},
	{"PurgeTicket/OthersUntouched", checkPurgeTicketOthers},
	{"PurgeTicket/VersionGuard", checkPurgeTicketVersions},
	{"PurgeTicket/NumbersOnce", checkPurgeTicketNumbers},
	{"PurgeTicket/NothingForTheNext", checkPurgeTicketNext},
	{"PurgeTicket/OrMerged", checkPurgeOrMerge},
}

// known is everything a store tells of tickets, who has read them, what is begun on them and which
// entries hold a word.
type known struct {
	Desk     desk
	Trash    []ticket.Ticket
	Matches  []ticket.Match
	Readings []string
	Drafts   []ticket.Draft
	Marks    []string
}

func lookKnown(b *tickets, ids ...ticket.ID) known {
	b.Helper()
	q := asked("word")
	q.Tickets.AllHidden, q.Tickets.Merged = true, true
	k := known{
		Desk: lookDesk(b), Trash: trash(b),
		Matches: collect(b, "matches", b.s.Matches(b.Context(), q)),
		Drafts:  collect(b, "drafts", b.s.Drafts(b.Context(), ticket.DraftQuery{})),
	}
	for _, id := range ids {
		for _, who := range []acl.UserID{"ann", "pat"} {
			until, err := b.s.Reading(b.Context(), id, who)
			ok(b, "reading", err)
			if !until.IsZero() {
				k.Readings = append(k.Readings, fmt.Sprint(id, " ", who, " ", until))
			}
		}
	}
	for _, in := range []inbox.ID{"in-1", "in-2"} {
		seq, version, err := b.s.Mark(b.Context(), in)
		ok(b, "mark", err)
		k.Marks = append(k.Marks, fmt.Sprint(in, " ", seq, " ", version))
	}
	return k
}

// fillKnown makes tickets of one thread, assignee, customer and company, with everything that can be
// known of one.
func fillKnown(b *tickets, ids ...ticket.ID) {
	b.Helper()
	for i, id := range ids {
		w := said(ticket.EntryID(id), "in-1", 20-i, "word", "", "pdf")
		t := &w.Ticket
		t.Threads = append(t.Threads, "shared")
		t.Assignee, t.Customer, t.Company, t.Tags = "ann", "cu-1", "co-1", []string{"tag"}
		t.Status, t.HeardAt = ticket.Closed, at(9)
		w.Texts[0].Files = true
		out := ticket.Entry{
			ID: ticket.EntryID("out of " + id), Ticket: id, Inbox: "in-1", Kind: ticket.EntryReplied, At: at(5),
			Message: inbox.MessageID("sent of " + id), RFCID: "shared@example.com", Hidden: true,
			Outgoing: &ticket.Outgoing{State: ticket.OutgoingQueued, Marker: "mark of " + string(id), NotBefore: at(6)},
		}
		elsewhere := received(ticket.EntryID("elsewhere of "+id), id, "in-2", 7)
		note := ticket.Entry{ID: ticket.EntryID("note of " + id), Ticket: id, Inbox: "in-1", Kind: ticket.EntryNoted, At: at(8)}
		w.Entries = append(w.Entries, out, elsewhere, note)
		w.Texts = append(w.Texts, textOf(out.ID, "", "", "", "word"), textOf(elsewhere.ID, "", "", "", "", "word"))
		save(b, w)
		for _, who := range []acl.UserID{"ann", "pat"} {
			ok(b, "save reading", b.s.SaveReading(b.Context(), id, who, at(3)))
			saveDraft(b, begun(id, who))
		}
	}
	for _, in := range []inbox.ID{"in-1", "in-2"} {
		_, err := b.s.SaveMark(b.Context(), in, 7, 0)
		ok(b, "save mark", err)
	}
}

func checkPurgeTicket(b *tickets) {
	fillKnown(b, "a", "b")
	ok(b, "purge ticket", b.s.PurgeTicket(b.Context(), "a", 1))
	_, err := b.s.Ticket(b.Context(), "a")
	refused(b, "read a purged ticket", err, storage.ErrNotFound)
	for _, q := range []ticket.Query{
		{}, {Site: acme}, {Inboxes: []inbox.ID{"in-1"}}, {Threads: []inbox.ThreadID{"thread a", "shared"}},
		{Statuses: []ticket.Status{ticket.Closed}}, {Assignee: "ann"}, {Customers: []inbox.CustomerID{"cu-1"}},
		{Companies: []inbox.CompanyID{"co-1"}}, {AnyTag: []string{"tag"}}, {WithFiles: true}, {Unread: "ann"},
		{Resting: ticket.RestDone, RestedBy: at(99)},
	} {
		equal(b, fmt.Sprintf("tickets after one was purged (%+v)", q), ticketIDs(b, q), []ticket.ID{"b"})
		equal(b, fmt.Sprintf("count of tickets after one was purged (%+v)", q), counted(b, q, "ann"), []ticket.Count{
			{Inbox: "in-1", Status: ticket.Closed, Assignee: "ann", Tickets: 1, Unread: 1},
		})
	}
	for _, q := range []ticket.EntryQuery{
		{}, {Ticket: "a"}, {Inbox: "in-1"}, {Inbox: "in-2"}, {IDs: []ticket.EntryID{"a", "out of a", "note of a"}},
		{Messages: []inbox.MessageID{"mail a", "sent of a"}}, {RFCIDs: []string{"shared@example.com"}},
		{Marker: "mark of a"}, {Outgoing: []ticket.OutgoingState{ticket.OutgoingQueued}, Due: at(99)},
	} {
		for _, e := range collect(b, "entries", b.s.Entries(b.Context(), q)) {
			if e.Ticket != "b" {
				b.Errorf("entries after a ticket was purged (%+v): got %q of ticket %q, want none of it", q, e.ID, e.Ticket)
			}
		}
	}
	q := asked("word")
	q.Tickets.AllHidden = true
	equal(b, "matches after a ticket was purged", len(matches(b, q)), 3)
	q.Only = []ticket.ID{"a"}
	equal(b, "matches of a purged ticket", matches(b, q), []ticket.EntryID{})
	for _, who := range []acl.UserID{"ann", "pat"} {
		noDraft(b, "after its ticket was purged", begun("a", who))
		until, err := b.s.Reading(b.Context(), "a", who)
		ok(b, "reading", err)
		if !until.IsZero() {
			b.Errorf("reading of a purged ticket by %q: got %v, want none", who, until)
		}
	}
	refused(b, "save the reading of a purged ticket",
		b.s.SaveReading(b.Context(), "a", "ann", at(1)), storage.ErrNotFound)
	// The messages are free again.
	save(b, ticket.Write{Ticket: open("c", "in-1", 1), Entries: []ticket.Entry{
		received("a", "c", "in-1", 1), received("elsewhere of a", "c", "in-2", 1),
	}})
}

// checkPurgeTicketOthers purges tickets that stand at either end of every list and between.
func checkPurgeTicketOthers(b *tickets) {
	ids := []ticket.ID{"a", "b", "c", "d", "e"}
	fillKnown(b, ids...)
	trashed := load(b, "d")
	trashed.DeletedAt = at(9)
	save(b, ticket.Write{Ticket: trashed})
	merged := load(b, "e")
	merged.MergedInto = "b"
	moved := received("e", "b", "in-1", 16)
	save(b, ticket.Write{Ticket: merged}, ticket.Write{Ticket: load(b, "b"), Entries: []ticket.Entry{moved}})
	want := lookKnown(b, ids...)
	for _, c := range []struct {
		id      ticket.ID
		version storage.Version
	}{{"c", 1}, {"a", 1}, {"e", 2}, {"d", 2}} {
		ok(b, "purge ticket", b.s.PurgeTicket(b.Context(), c.id, c.version))
		want.Desk.Tickets = keepIf(want.Desk.Tickets, func(t ticket.Ticket) bool { return t.ID != c.id })
		want.Desk.Entries = keepIf(want.Desk.Entries, func(e ticket.Entry) bool { return e.Ticket != c.id })
		want.Trash = keepIf(want.Trash, func(t ticket.Ticket) bool { return t.ID != c.id })
		want.Matches = keepIf(want.Matches, func(m ticket.Match) bool { return m.Ticket != c.id })
		want.Drafts = keepIf(want.Drafts, func(d ticket.Draft) bool { return d.Ticket != c.id })
		want.Readings = keepIf(want.Readings, func(r string) bool { return r[:1] != string(c.id) })
		equal(b, fmt.Sprintf("what is known after %q was purged", c.id), lookKnown(b, ids...), want)
	}
	if len(want.Desk.Tickets) != 1 || len(want.Desk.Entries) != 5 || len(want.Matches) != 4 {
		b.Errorf("after four of five tickets were purged: got %d tickets, %d entries and %d matches, want 1, 5 and 4",
			len(want.Desk.Tickets), len(want.Desk.Entries), len(want.Matches))
	}
}

func checkPurgeTicketVersions(b *tickets) {
	ok(b, "purge a ticket that is not there", b.s.PurgeTicket(b.Context(), "a", 0))
	ok(b, "purge a ticket that is not there", b.s.PurgeTicket(b.Context(), "a", 3))
	fillKnown(b, "a", "b")
	save(b, ticket.Write{Ticket: load(b, "a")})
	before := lookKnown(b, "a", "b")
	for _, v := range []storage.Version{0, 1, 3} {
		refused(b, fmt.Sprintf("purge a ticket of version 2 on version %d", v),
			b.s.PurgeTicket(b.Context(), "a", v), storage.ErrConflict)
	}
	for _, id := range []ticket.ID{"A", "a ", ""} {
		ok(b, fmt.Sprintf("purge %q, which is not there", id), b.s.PurgeTicket(b.Context(), id, 2))
	}
	equal(b, "what is known after refused purges", lookKnown(b, "a", "b"), before)
	ok(b, "purge ticket", b.s.PurgeTicket(b.Context(), "a", 2))
	ok(b, "purge ticket again", b.s.PurgeTicket(b.Context(), "a", 2))
	stale := before.Desk.Tickets[0]
	_, err := b.s.SaveTickets(b.Context(), []ticket.Write{{Ticket: stale}})
	refused(b, "save a ticket that was purged", err, storage.ErrConflict)
}

func checkPurgeTicketNumbers(b *tickets) {
	save(b, ticket.Write{Ticket: open("a", "in-1", 1)})
	last := save(b, ticket.Write{Ticket: open("b", "in-1", 1)})[0]
	ok(b, "purge ticket", b.s.PurgeTicket(b.Context(), "b", 1))
	next := save(b, ticket.Write{Ticket: open("c", "in-1", 1)})[0]
	if next.Number <= last.Number {
		b.Errorf("ticket after number %d was purged: got number %d, want a higher one", last.Number, next.Number)
	}
	equal(b, "tickets of a purged number", ticketIDs(b, ticket.Query{Site: acme, Number: last.Number}), []ticket.ID{})
}

// checkPurgeTicketNext makes tickets where purged ones were: a store may use again what it knew them by.
func checkPurgeTicketNext(b *tickets) {
	fillKnown(b, "a", "b")
	ok(b, "purge ticket", b.s.PurgeTicket(b.Context(), "b", 1))
	note := ticket.Entry{ID: "n", Ticket: "c", Inbox: "in-1", Kind: ticket.EntryNoted, At: at(1)}
	next, again := open("c", "in-1", 1), open("b", "in-1", 2)
	again.Threads, next.HeardAt, again.HeardAt = nil, at(1), at(1)
	save(b, ticket.Write{Ticket: next, Entries: []ticket.Entry{note}})
	save(b, ticket.Write{Ticket: again})
	equal(b, "tickets of the threads of a purged one",
		ticketIDs(b, ticket.Query{Threads: []inbox.ThreadID{"thread b", "shared"}}), []ticket.ID{"a"})
	equal(b, "tickets with attachments after one was purged", ticketIDs(b, ticket.Query{WithFiles: true}), []ticket.ID{"a"})
	equal(b, "unread tickets after one that was read was purged",
		ticketIDs(b, ticket.Query{Unread: "ann"}), []ticket.ID{"a", "b", "c"})
	for _, id := range []ticket.ID{"b", "c"} {
		noDraft(b, "made where a purged one was", begun(id, "ann"))
		q := asked("word")
		q.Tickets.AllHidden, q.Only = true, []ticket.ID{id}
		equal(b, fmt.Sprintf("matches of %q, made where a purged one was", id), matches(b, q), []ticket.EntryID{})
		until, err := b.s.Reading(b.Context(), id, "ann")
		ok(b, "reading", err)
		if !until.IsZero() {
			b.Errorf("reading of %q, made where a purged one was: got %v, want none", id, until)
		}
	}
	equal(b, "entries of a purged ticket made anew",
		collect(b, "entries", b.s.Entries(b.Context(), ticket.EntryQuery{Ticket: "b"})), []ticket.Entry{})
	equal(b, "entries of a ticket made where a purged one was",
		collect(b, "entries", b.s.Entries(b.Context(), ticket.EntryQuery{Ticket: "c"})), []ticket.Entry{note})
}

// checkPurgeOrMerge purges tickets while they are merged into another: one of the two is refused, and
// the mail is all gone or all in the other ticket.
func checkPurgeOrMerge(b *tickets) {
	target := save(b, ticket.Write{Ticket: open("target", "in-1", 50)})[0]
	moved := 0
	for round := range 12 {
		source := open(ticket.ID(fmt.Sprint("source ", round)), "in-1", round)
		w := ticket.Write{Ticket: source}
		for i := range 8 {
			e := received(ticket.EntryID(fmt.Sprintf("e-%d-%d", round, i)), source.ID, "in-1", i)
			w.Entries, w.Texts = append(w.Entries, e), append(w.Texts, textOf(e.ID, "word"))
		}
		source = save(b, w)[0]
		var done sync.WaitGroup
		start := make(chan struct{})
		var purged, merged error
		done.Go(func() {
			<-start
			purged = b.s.PurgeTicket(b.Context(), source.ID, source.Version)
		})
		done.Go(func() {
			<-start
			_, merged = b.s.SaveTickets(b.Context(), merge(source, target, w.Entries))
		})
		close(start)
		done.Wait()
		lost := errors.Join(purged, merged)
		if !errors.Is(lost, storage.ErrConflict) || purged != nil && merged != nil {
			b.Errorf("purge of a ticket while it is merged: got errors %v and %v, want one of them to be %q",
				purged, merged, storage.ErrConflict)
		}
		if merged == nil {
			moved += len(w.Entries)
			target = load(b, "target")
		}
		_, all := wordsOf(b)
		entries := collect(b, "entries", b.s.Entries(b.Context(), ticket.EntryQuery{Ticket: "target"}))
		mail := keepIf(entries, func(e ticket.Entry) bool { return e.Kind == ticket.EntryReceived })
		if len(all) > 1 || all["target"] != moved || len(mail) != moved {
			b.Errorf("words and entries after a purge while tickets are merged: got %v and %d, want %d of the target",
				all, len(mail), moved)
		}
	}
}
