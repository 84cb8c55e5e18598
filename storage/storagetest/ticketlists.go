package storagetest

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider/rfc822"
	"github.com/workinbox/workinbox/ticket"
)

var ticketListChecks = []check[ticket.Store]{
	{"Tickets/KeysetPages", checkTicketPages},
	{"Tickets/VisibleSetOnly", checkVisibleSet},
	{"Tickets/HiddenKeptOut", checkTicketsHidden},
	{"Tickets/QueryFields", checkTicketQuery},
	{"Tickets/LongLists", checkLongTickets},
	{"Tickets/WriteWhileReading", func(b *tickets) { checkWriteWhileReading(b, ticketLists(b)) }},
	{"Tickets/CancelledContext", func(b *tickets) { checkCancelled(b, ticketLists(b)) }},
	{"Tickets/BreakReleases", func(b *tickets) { checkBreak(b, ticketLists(b)) }},
}

// ticketIDs returns the IDs of the tickets a query yields.
func ticketIDs(b *tickets, q ticket.Query) []ticket.ID {
	b.Helper()
	return mapped(collect(b, "tickets", b.s.Tickets(b.Context(), q)),
		func(t ticket.Ticket) ticket.ID { return t.ID })
}

func checkTicketPages(b *tickets) {
	for id, n := range map[ticket.ID]int{
		"a": 1, "B": 1, "z": 1, "Z": 1, "b": 2, "c": 3, "ä": 3, "d": 9,
	} {
		save(b, ticket.Write{Ticket: open(id, "in-1", n)})
	}
	late := open("0 a microsecond later", "in-1", 1)
	late.Activity = late.Activity.Add(time.Microsecond)
	save(b, ticket.Write{Ticket: late})
	moved, err := b.s.Ticket(b.Context(), "d")
	ok(b, "ticket", err)
	moved.Activity = at(3)
	save(b, ticket.Write{Ticket: moved})
	want := []ticket.ID{"ä", "d", "c", "b", "0 a microsecond later", "z", "a", "Z", "B"}
	for size := 1; size <= len(want)+1; size++ {
		got := pages(b, size, func(after *ticket.Ticket) []ticket.Ticket {
			q := ticket.Query{Site: acme, Limit: size}
			if after != nil {
				q.After = after.Key()
			}
			return collect(b, "tickets", b.s.Tickets(b.Context(), q))
		})
		equal(b, fmt.Sprintf("tickets with equal times, paging %d at a time", size),
			mapped(got, func(t ticket.Ticket) ticket.ID { return t.ID }), want)
	}
}

func checkVisibleSet(b *tickets) {
	for i, in := range []inbox.ID{"in-1", "in-2", "IN-1", "in-3"} {
		t := open(ticket.ID("of "+in), in, 9-i)
		t.Threads = []inbox.ThreadID{"t"}
		save(b, ticket.Write{Ticket: t})
	}
	all := []ticket.ID{"of in-1", "of in-2", "of IN-1", "of in-3"}
	for _, c := range []struct {
		what string
		q    ticket.Query
		want []ticket.ID
	}{
		{"nil", ticket.Query{}, all},
		{"empty", ticket.Query{Inboxes: []inbox.ID{}}, nil},
		{"empty, with more asked", ticket.Query{
			Inboxes: []inbox.ID{}, Threads: []inbox.ThreadID{"t"}, AllHidden: true,
			HiddenIn: []inbox.ID{"in-1"},
		}, nil},
		{"one", ticket.Query{Inboxes: []inbox.ID{"in-1"}}, all[:1]},
		{"two", ticket.Query{Inboxes: []inbox.ID{"in-1", "in-3"}}, []ticket.ID{"of in-1", "of in-3"}},
		{"one, with a thread in all", ticket.Query{
			Inboxes: []inbox.ID{"in-2"}, Threads: []inbox.ThreadID{"t"},
		}, all[1:2]},
		{"one without tickets", ticket.Query{Inboxes: []inbox.ID{"in-4"}}, nil},
	} {
		equal(b, "tickets with a visible set that is "+c.what, ticketIDs(b, c.q), c.want)
	}
}

func checkTicketsHidden(b *tickets) {
	n := 9
	for _, in := range []inbox.ID{"in-1", "in-2"} {
		for _, c := range []struct {
			id              ticket.ID
			messages, shown int
		}{{"shown ", 2, 1}, {"hidden ", 2, 0}, {"without mail ", 0, 0}} {
			t := open(c.id+ticket.ID(in), in, n)
			t.Messages, t.Shown = c.messages, c.shown
			save(b, ticket.Write{Ticket: t})
			n--
		}
	}
	seen := []ticket.ID{"shown in-1", "without mail in-1", "shown in-2", "without mail in-2"}
	for _, c := range []struct {
		what string
		q    ticket.Query
		want []ticket.ID
	}{
		{"nobody in particular", ticket.Query{}, seen},
		{"the creator of one inbox", ticket.Query{HiddenIn: []inbox.ID{"in-1"}},
			append([]ticket.ID{"shown in-1", "hidden in-1"}, seen[1:]...)},
		{"the creator of an inbox out of sight",
			ticket.Query{HiddenIn: []inbox.ID{"in-1"}, Inboxes: []inbox.ID{"in-2"}}, seen[2:]},
		{"the engine", ticket.Query{AllHidden: true}, []ticket.ID{"shown in-1", "hidden in-1",
			"without mail in-1", "shown in-2", "hidden in-2", "without mail in-2"}},
	} {
		equal(b, "tickets for "+c.what, ticketIDs(b, c.q), c.want)
	}
}

func checkTicketQuery(b *tickets) {
	yes, no := true, false
	for i, set := range []func(t *ticket.Ticket){
		func(t *ticket.Ticket) { t.Assignee, t.Customer, t.Tags = "ann", "cu-1", []string{"red", "blue"} },
		func(t *ticket.Ticket) { t.Assignee, t.Company, t.Status = "bob", "co-1", ticket.Solved },
		func(t *ticket.Ticket) { t.Customer, t.Company, t.Imported = "cu-2", "co-2", true },
		func(t *ticket.Ticket) { t.DeletedAt, t.Assignee = at(9), "ann" },
		func(t *ticket.Ticket) { t.Site, t.Assignee = other, "ann" },
		func(t *ticket.Ticket) { t.Status, t.Tags = "own-code", []string{"redder"} },
	} {
		t := open(ticket.ID(fmt.Sprint("t-", i)), "in-1", 9-i)
		t.Threads = []inbox.ThreadID{
			inbox.ThreadID(fmt.Sprint("a", i)), inbox.ThreadID(fmt.Sprint("b", i/2)),
		}
		set(&t)
		save(b, ticket.Write{Ticket: t})
	}
	for _, c := range []struct {
		what string
		q    ticket.Query
		want string
	}{
		{"everything live", ticket.Query{}, "012 45"},
		{"a site", ticket.Query{Site: acme}, "0125"},
		{"another site", ticket.Query{Site: other}, "4"},
		{"a thread, the first one", ticket.Query{Threads: []inbox.ThreadID{"a2"}}, "2"},
		{"threads, the later ones", ticket.Query{Threads: []inbox.ThreadID{"b0", "b1", "no"}}, "012"},
		{"statuses", ticket.Query{Statuses: []ticket.Status{ticket.Solved, "own-code"}}, "15"},
		{"an assignee", ticket.Query{Assignee: "ann"}, "04"},
		{"an assignee of a site", ticket.Query{Assignee: "ann", Site: acme}, "0"},
		{"nobody assigned", ticket.Query{Unassigned: true}, "25"},
		{"customers", ticket.Query{Customers: []inbox.CustomerID{"cu-1", "cu-2"}}, "02"},
		{"a company", ticket.Query{Companies: []inbox.CompanyID{"co-2"}}, "2"},
		{"companies", ticket.Query{Companies: []inbox.CompanyID{"co-1", "co-2"}}, "12"},
		{"a tag", ticket.Query{AnyTag: []string{"red"}}, "0"},
		{"a tag, the second one", ticket.Query{AnyTag: []string{"blue"}}, "0"},
		{"a number", ticket.Query{Site: acme, Number: 3}, "2"},
		{"a number of two sites", ticket.Query{Number: 1}, "04"},
		{"the trash", ticket.Query{Deleted: true}, "3"},
		{"what came silently", ticket.Query{Imported: &yes}, "2"},
		{"what did not", ticket.Query{Imported: &no, Site: acme}, "015"},
		{"a limit", ticket.Query{Limit: 2}, "01"},
		{"from a place, a limit of what is kept", ticket.Query{
			Unassigned: true, Limit: 1, After: &ticket.Key{Activity: at(7), ID: "t-2"},
		}, "5"},
		{"much at once", ticket.Query{
			Site: acme, Inboxes: []inbox.ID{"in-1"}, Assignee: "bob",
			Statuses:  []ticket.Status{ticket.Solved},
			Companies: []inbox.CompanyID{"co-1"}, Threads: []inbox.ThreadID{"b0"},
		}, "1"},
	} {
		var want []ticket.ID
		for _, d := range strings.ReplaceAll(c.want, " ", "") {
			want = append(want, "t-"+ticket.ID(d))
		}
		equal(b, fmt.Sprintf("tickets: %s (%+v)", c.what, c.q), ticketIDs(b, c.q), want)
	}
}

// checkLongTickets reads lists of many tickets and entries that differ in their ids alone.
func checkLongTickets(b *tickets) {
	var want []string
	var w []ticket.Write
	for i := range long / 2 {
		id := fmt.Sprintf("%04d", i)
		want = append(want, id)
		w = append(w, ticket.Write{Ticket: open(ticket.ID(id), "in-1", 1)})
		if len(w) == ticket.MaxWrites || i == long/2-1 {
			save(b, w...)
			w = nil
		}
	}
	var entries []ticket.Entry
	for i := range long {
		entries = append(entries, received(ticket.EntryID(fmt.Sprintf("%04d", i)), "t", "in-2", 1))
	}
	save(b, ticket.Write{Ticket: open("t", "in-2", 1), Entries: entries})
	equal(b, "many entries", lookDesk(b).Entries, entries)
	slices.Reverse(want)
	equal(b, "many tickets", mapped(ticketIDs(b, ticket.Query{Inboxes: []inbox.ID{"in-1"}}),
		func(id ticket.ID) string { return string(id) }), want)
}

// ticketLists fills the store and returns its lists.
func ticketLists(b *tickets) []listing {
	b.Helper()
	s := b.s
	for i := range 3 {
		id := ticket.ID(fmt.Sprint("t-", i))
		e := received(ticket.EntryID("e of "+id), id, "in-1", i)
		e.To = []rfc822.Address{{Address: "x@example.com"}}
		save(b, ticket.Write{Ticket: open(id, "in-1", i), Entries: []ticket.Entry{e}})
	}
	return []listing{
		listOf("Tickets", func(ctx context.Context) iter.Seq2[ticket.Ticket, error] {
			return s.Tickets(ctx, ticket.Query{Site: acme})
		}, func(ctx context.Context, t ticket.Ticket) error {
			t.Subject = "Changed"
			_, err := s.SaveTickets(ctx, []ticket.Write{{Ticket: t}})
			return err
		}),
		listOf("Entries", func(ctx context.Context) iter.Seq2[ticket.Entry, error] {
			return s.Entries(ctx, ticket.EntryQuery{Inbox: "in-1"})
		}, func(ctx context.Context, e ticket.Entry) error {
			t, err := s.Ticket(ctx, e.Ticket)
			if err != nil {
				return err
			}
			e.Hidden = true
			_, err = s.SaveTickets(ctx, []ticket.Write{{Ticket: t, Entries: []ticket.Entry{e}}})
			return err
		}),
	}
}
