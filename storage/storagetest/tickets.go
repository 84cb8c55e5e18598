package storagetest

import (
	"context"
	"fmt"
	"slices"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/ticket"
)

var ticketChecks = slices.Concat(
	[]check[ticket.Store]{
		{"Tickets/RoundTrip", checkTicketRoundTrip},
		{"Tickets/NotFound", checkTicketNotFound},
		{"Tickets/VersionGuard", checkVersionGuard},
		{"Tickets/NumbersPerSite", checkNumbers},
		{"Tickets/NumbersOnce", checkNumbersOnce},
		{"Tickets/MessageInOneEntry", checkMessageInOne},
		{"Tickets/MessageMoves", checkMessageMoves},
		{"Tickets/AllOrNothing", checkTicketsAllOrNothing},
		{"Tickets/SixteenAtOnce", checkSixteen},
		{"Tickets/EventsWithTheirCause", checkTicketEvents},
		{"Tickets/ConflictExactlyOneWins", checkTicketRaces},
		{"Tickets/MessageExactlyOneWins", checkMessageRace},
		{"Marks/CompareAndSet", checkMarks},
		{"Purge/LeavesNothing", checkPurge},
		{"Purge/OthersUntouched", checkPurgeOthers},
	},
	ticketListChecks,
	entryChecks,
	ticketValueChecks,
	foreignTicketChecks,
	searchChecks,
	countChecks,
	catalogChecks,
	allowanceChecks,
	restingChecks,
	draftChecks,
	purgeTicketChecks,
	mergedChecks,
)

type tickets = bench[ticket.Store]

// open returns a new ticket of the inbox with its latest activity n minutes after day.
func open(id ticket.ID, in inbox.ID, n int) ticket.Ticket {
	return ticket.Ticket{
		ID: id, Site: acme, Inbox: in, Threads: []inbox.ThreadID{inbox.ThreadID("thread " + id)},
		Subject: "About " + string(id), Status: ticket.Active, Activity: at(n), CreatedAt: at(0),
	}
}

// received returns an entry for a mail, n minutes after day. The message has the entry's id.
func received(id ticket.EntryID, of ticket.ID, in inbox.ID, n int) ticket.Entry {
	return ticket.Entry{
		ID: id, Ticket: of, Inbox: in, Kind: ticket.EntryReceived, At: at(n),
		Message: inbox.MessageID("mail " + id),
	}
}

func save(b *tickets, w ...ticket.Write) []ticket.Ticket {
	b.Helper()
	saved, err := b.s.SaveTickets(b.Context(), w)
	ok(b, "save tickets", err)
	if len(saved) != len(w) {
		b.Fatalf("save %d tickets: got %d back", len(w), len(saved))
	}
	return saved
}

func load(b *tickets, id ticket.ID) ticket.Ticket {
	b.Helper()
	t, err := b.s.Ticket(b.Context(), id)
	ok(b, fmt.Sprintf("ticket %q", id), err)
	return t
}

// desk is everything a store tells of tickets.
type desk struct {
	Tickets []ticket.Ticket
	Entries []ticket.Entry
}

func lookDesk(b *tickets) desk {
	b.Helper()
	return desk{
		Tickets: collect(b, "tickets", b.s.Tickets(b.Context(), ticket.Query{AllHidden: true, Merged: true})),
		Entries: collect(b, "entries", b.s.Entries(b.Context(), ticket.EntryQuery{})),
	}
}

func checkTicketRoundTrip(b *tickets) {
	t, e := full[ticket.Ticket]("ticket"), full[ticket.Entry]("entry")
	t.Site, t.Inbox, t.Version, t.Messages, t.Shown = acme, "in-1", 0, 2, 1
	e.Ticket, e.Inbox = t.ID, "in-1"
	bare := ticket.Entry{ID: "z", Ticket: t.ID, Inbox: "in-1", Kind: ticket.EntryNoted}
	got := save(b, ticket.Write{Ticket: t, Entries: []ticket.Entry{e, bare}})[0]
	t.Version, t.Number = 1, got.Number
	equal(b, "saved ticket", got, t)
	for version := storage.Version(1); version <= 2; version++ {
		read, err := b.s.Ticket(b.Context(), t.ID)
		ok(b, "ticket", err)
		equal(b, fmt.Sprintf("ticket of version %d", version), read, t)
		equal(b, "entries", lookDesk(b).Entries, []ticket.Entry{bare, e})
		// Everything that can be empty.
		t = ticket.Ticket{ID: t.ID, Site: acme, Inbox: "in-1", Number: t.Number, Version: version}
		e = ticket.Entry{ID: e.ID, Ticket: t.ID, Inbox: "in-1", Kind: ticket.EntryNoted, At: at(1)}
		save(b, ticket.Write{Ticket: t, Entries: []ticket.Entry{e}})
		t.Version = version + 1
	}
}

func checkTicketNotFound(b *tickets) {
	save(b, ticket.Write{Ticket: open("t-1", "in-1", 1)})
	for _, id := range []ticket.ID{"t-2", "T-1", ""} {
		_, err := b.s.Ticket(b.Context(), id)
		refused(b, fmt.Sprintf("read ticket %q", id), err, storage.ErrNotFound)
	}
	trashed := open("t-3", "in-1", 1)
	trashed.DeletedAt = at(5)
	save(b, ticket.Write{Ticket: trashed})
	if _, err := b.s.Ticket(b.Context(), "t-3"); err != nil {
		b.Errorf("read a ticket in the trash: got %v, want no error", err)
	}
}

func checkVersionGuard(b *tickets) {
	t := save(b, ticket.Write{Ticket: save(b, ticket.Write{Ticket: open("t-1", "in-1", 1)})[0]})[0]
	if t.Version != 2 {
		b.Errorf("ticket written twice: got version %d, want 2", t.Version)
	}
	before := lookDesk(b)
	for _, v := range []storage.Version{1, 3} {
		stale := t
		stale.Subject, stale.Version = "Stale", v
		_, err := b.s.SaveTickets(b.Context(), []ticket.Write{{
			Ticket: stale, Entries: []ticket.Entry{received("e-1", "t-1", "in-1", 1)},
		}})
		refused(b, fmt.Sprintf("save version %d of a ticket of version 2", v), err, storage.ErrConflict)
	}
	absent := open("t-2", "in-1", 1)
	absent.Version = 1
	_, err := b.s.SaveTickets(b.Context(), []ticket.Write{{Ticket: absent}})
	refused(b, "save version 1 of a ticket that is not there", err, storage.ErrConflict)
	if _, err = b.s.SaveTickets(b.Context(),
		[]ticket.Write{{Ticket: open("t-1", "in-2", 9)}}); err == nil {
		b.Errorf("create a ticket with a taken ID: got no error, want one")
	}
	equal(b, "tickets after refused writes", lookDesk(b), before)
}

// checkNumbers counts each site on its own. A refused write uses no number.
func checkNumbers(b *tickets) {
	for n := int64(1); n <= 6; n += 2 {
		for _, site := range []inbox.SiteID{acme, other} {
			one := open(ticket.ID(fmt.Sprint(site, " b ", n)), "in-1", 9)
			two := open(ticket.ID(fmt.Sprint(site, " a ", n)), "in-1", 1)
			one.Site, two.Site = site, site
			stale := two
			stale.Version = 7
			_, err := b.s.SaveTickets(b.Context(), []ticket.Write{{Ticket: one}, {Ticket: stale}})
			refused(b, "save a new ticket and a stale one", err, storage.ErrConflict)
			got := save(b, ticket.Write{Ticket: one}, ticket.Write{Ticket: two})
			if got[0].Number != n || got[1].Number != n+1 {
				b.Errorf("new tickets of site %q: got numbers %d and %d, want %d and %d",
					site, got[0].Number, got[1].Number, n, n+1)
			}
			again := save(b, ticket.Write{Ticket: got[0]})
			if again[0].Number != n {
				b.Errorf("ticket written again: got number %d, want %d", again[0].Number, n)
			}
		}
	}
}

// checkNumbersOnce purges tickets and demands that their numbers are not given again.
func checkNumbersOnce(b *tickets) {
	save(b, ticket.Write{Ticket: open("t-1", "in-1", 1)})
	last := save(b, ticket.Write{Ticket: open("t-2", "in-2", 1)})[0]
	ok(b, "purge", b.s.PurgeTickets(b.Context(), "in-2"))
	next := save(b, ticket.Write{Ticket: open("t-3", "in-1", 1)})[0]
	if next.Number <= last.Number {
		b.Errorf("ticket after number %d was purged: got number %d, want a higher one",
			last.Number, next.Number)
	}
}

func checkMessageInOne(b *tickets) {
	e := received("e-1", "t-1", "in-1", 1)
	one := save(b, ticket.Write{Ticket: open("t-1", "in-1", 1), Entries: []ticket.Entry{e}})[0]
	before := lookDesk(b)
	again := received("e-2", "t-2", "in-1", 1)
	again.Message = e.Message
	_, err := b.s.SaveTickets(b.Context(),
		[]ticket.Write{{Ticket: open("t-2", "in-1", 1), Entries: []ticket.Entry{again}}})
	refused(b, "put a message into a second ticket", err, storage.ErrExists)
	first, second := received("e-3", "t-3", "in-1", 1), received("e-4", "t-4", "in-1", 1)
	second.Message = first.Message
	_, err = b.s.SaveTickets(b.Context(), []ticket.Write{
		{Ticket: open("t-3", "in-1", 1), Entries: []ticket.Entry{first}},
		{Ticket: open("t-4", "in-1", 1), Entries: []ticket.Entry{second}},
	})
	refused(b, "put a message into two tickets at once", err, storage.ErrExists)
	again.Ticket = "t-1"
	_, err = b.s.SaveTickets(b.Context(), []ticket.Write{{Ticket: one, Entries: []ticket.Entry{again}}})
	refused(b, "put a message into a second entry of its ticket", err, storage.ErrExists)
	second.Ticket = "t-3"
	_, err = b.s.SaveTickets(b.Context(),
		[]ticket.Write{{Ticket: open("t-3", "in-1", 1), Entries: []ticket.Entry{first, second}}})
	refused(b, "put a message into two entries at once", err, storage.ErrExists)
	equal(b, "tickets after refused writes", lookDesk(b), before)

	// Entries without a message are nobody's.
	note := ticket.Entry{ID: "n-1", Ticket: "t-1", Inbox: "in-1", Kind: ticket.EntryNoted, At: at(3)}
	other := note
	other.ID, other.Ticket = "n-2", "t-2"
	save(b, ticket.Write{Ticket: one, Entries: []ticket.Entry{e, note}},
		ticket.Write{Ticket: open("t-2", "in-1", 1), Entries: []ticket.Entry{other}})
}

// checkMessageMoves moves an entry to another ticket, as splitting and merging do: what counts is
// where the message is when the write is done.
func checkMessageMoves(b *tickets) {
	e, stays := received("e-1", "t-1", "in-1", 1), received("e-2", "t-1", "in-1", 2)
	one := save(b, ticket.Write{Ticket: open("t-1", "in-1", 1), Entries: []ticket.Entry{e, stays}})[0]
	e.Ticket = "t-2"
	saved := save(b, ticket.Write{Ticket: open("t-2", "in-1", 1), Entries: []ticket.Entry{e}},
		ticket.Write{Ticket: one})
	equal(b, "entries after a split", lookDesk(b).Entries, []ticket.Entry{e, stays})
	e.Ticket, stays.Ticket = "t-1", "t-2"
	save(b, ticket.Write{Ticket: saved[0], Entries: []ticket.Entry{stays}},
		ticket.Write{Ticket: saved[1], Entries: []ticket.Entry{e}})
	equal(b, "entries after a swap", lookDesk(b).Entries, []ticket.Entry{e, stays})

	taken := received("e-3", "t-2", "in-1", 3)
	taken.Message, e.Message = e.Message, ""
	save(b, ticket.Write{Ticket: load(b, "t-2"), Entries: []ticket.Entry{taken}},
		ticket.Write{Ticket: load(b, "t-1"), Entries: []ticket.Entry{e}})
	taken.Ticket = "t-1"
	save(b, ticket.Write{Ticket: load(b, "t-1"), Entries: []ticket.Entry{taken}})
	equal(b, "entries after a message moved there and back", lookDesk(b).Entries, []ticket.Entry{e, stays, taken})
}

func checkTicketsAllOrNothing(b *tickets) {
	e := received("e-1", "t-1", "in-1", 1)
	one := save(b, ticket.Write{Ticket: open("t-1", "in-1", 1), Entries: []ticket.Entry{e}})[0]
	two := save(b, ticket.Write{Ticket: open("t-2", "in-1", 2)})[0]
	before := lookDesk(b)
	changed := e
	changed.Hidden = true
	one.Subject = "Changed"
	stale := two
	stale.Version = 9
	taken := received("e-9", "t-2", "in-1", 3)
	taken.Message = e.Message
	for _, c := range []struct {
		what string
		last ticket.Write
		want error
	}{
		{"stale", ticket.Write{Ticket: stale}, storage.ErrConflict},
		{"with a taken message", ticket.Write{Ticket: two, Entries: []ticket.Entry{taken}},
			storage.ErrExists},
	} {
		_, err := b.s.SaveTickets(b.Context(), []ticket.Write{
			{Ticket: one, Entries: []ticket.Entry{changed, received("e-2", "t-1", "in-1", 4)}},
			{Ticket: open("t-3", "in-1", 3)},
			c.last,
		})
		refused(b, "save three tickets, the last one "+c.what, err, c.want)
		equal(b, "tickets after a write whose last one is "+c.what, lookDesk(b), before)
	}
}

func checkSixteen(b *tickets) {
	var w []ticket.Write
	for i := range ticket.MaxWrites {
		id := ticket.ID(fmt.Sprint("t-", ticket.MaxWrites-i))
		w = append(w, ticket.Write{
			Ticket:  open(id, "in-1", i),
			Entries: []ticket.Entry{received(ticket.EntryID("e of "+id), id, "in-1", i)},
		})
	}
	saved := save(b, w...)
	for i := range w {
		if saved[i].ID != w[i].Ticket.ID {
			b.Errorf("saved ticket %d: got %q, want %q, in the order given", i, saved[i].ID, w[i].Ticket.ID)
		}
	}
	if got := lookDesk(b); len(got.Tickets) != len(w) || len(got.Entries) != len(w) {
		b.Errorf("after %d tickets with an entry each: got %d and %d", len(w),
			len(got.Tickets), len(got.Entries))
	}
}

// checkTicketEvents looks into the outbox where the store has one.
func checkTicketEvents(b *tickets) {
	stale := open("t-1", "in-1", 1)
	stale.Version = 7
	_, err := b.s.SaveTickets(b.Context(), []ticket.Write{{Ticket: stale}}, happened("e-1"))
	refused(b, "save a stale ticket with an event", err, storage.ErrConflict)
	_, err = b.s.SaveTickets(b.Context(), []ticket.Write{{Ticket: open("t-1", "in-1", 1)}},
		happened("e-2"), happened("e-3"))
	ok(b, "save a ticket with two events", err)
	outbox, has := b.s.(inbox.Outbox)
	if !has {
		return
	}
	equal(b, "events after a refused write and one that was not",
		eventIDs(collect(b, "events", outbox.DueEvents(b.Context(), at(1), 0))), []string{"e-2", "e-3"})
}

func checkTicketRaces(b *tickets) {
	t := save(b, ticket.Write{Ticket: open("t-1", "in-1", 1)})[0]
	winner := race(b, "SaveTickets", storage.ErrConflict, func(ctx context.Context, i int) error {
		mine := t
		mine.Subject = fmt.Sprint(i)
		_, err := b.s.SaveTickets(ctx, []ticket.Write{{Ticket: mine}})
		return err
	})
	got, err := b.s.Ticket(b.Context(), "t-1")
	if err != nil || got.Subject != fmt.Sprint(winner) || got.Version != 2 {
		b.Errorf("ticket after a race: got %+v (%v), want that of writer %d, of version 2",
			got, err, winner)
	}
	race(b, "SaveMark", storage.ErrConflict, func(ctx context.Context, i int) error {
		_, err := b.s.SaveMark(ctx, "in-1", uint64(i), 0)
		return err
	})
}

// checkMessageRace opens many tickets for one message, as two collectors would.
func checkMessageRace(b *tickets) {
	race(b, "SaveTickets with one message", storage.ErrExists, func(ctx context.Context, i int) error {
		id := ticket.ID(fmt.Sprint("t-", i))
		e := received(ticket.EntryID(fmt.Sprint("e-", i)), id, "in-1", 1)
		e.Message = "m-1"
		_, err := b.s.SaveTickets(ctx,
			[]ticket.Write{{Ticket: open(id, "in-1", 1), Entries: []ticket.Entry{e}}})
		return err
	})
	got := lookDesk(b)
	if len(got.Tickets) != 1 || len(got.Entries) != 1 || got.Tickets[0].Number != 1 {
		b.Errorf("after a race for one message: got %d tickets and %d entries, want one each, "+
			"with number 1", len(got.Tickets), len(got.Entries))
	}
}

func checkMarks(b *tickets) {
	mark := func(id inbox.ID, seq uint64, version storage.Version) {
		b.Helper()
		got, v, err := b.s.Mark(b.Context(), id)
		ok(b, "mark", err)
		if got != seq || v != version {
			b.Errorf("mark of %q: got %d of version %d, want %d of %d", id, got, v, seq, version)
		}
	}
	mark("in-1", 0, 0)
	_, err := b.s.SaveMark(b.Context(), "in-1", 5, 1)
	refused(b, "move a mark that is not there", err, storage.ErrConflict)
	for version, seq := range []uint64{5, 9, 2} {
		v, err := b.s.SaveMark(b.Context(), "in-1", seq, storage.Version(version))
		ok(b, "save mark", err)
		if v != storage.Version(version+1) {
			b.Errorf("save mark: got version %d, want %d", v, version+1)
		}
		mark("in-1", seq, v)
	}
	for _, v := range []storage.Version{0, 2, 4} {
		_, err = b.s.SaveMark(b.Context(), "in-1", 99, v)
		refused(b, fmt.Sprintf("move a mark of version 3 on version %d", v), err, storage.ErrConflict)
	}
	mark("in-1", 2, 3)
	mark("in-2", 0, 0)
	mark("IN-1", 0, 0)
}
