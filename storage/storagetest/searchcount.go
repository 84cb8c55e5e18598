package storagetest

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/ticket"
)

var countChecks = []check[ticket.Store]{
	{"Tickets/Filters", checkTicketFilters},
	{"Tickets/WithFiles", checkTicketFiles},
	{"Tickets/Unread", checkTicketUnread},
	{"Counts/ByInboxStatusAssignee", checkCounts},
	{"Counts/AsListed", checkCountsAsListed},
	{"Counts/Unread", checkCountsUnread},
	{"Readings/RoundTrip", checkReadings},
}

// filterSets and filterCases are tickets a, b, c and so on, newest first, and which of them a query
// selects.
var filterSets = []func(t *ticket.Ticket){
	func(t *ticket.Ticket) { t.Assignee, t.Priority, t.Tags = "ann", "high", []string{"red", "blue"} },
	func(t *ticket.Ticket) { t.Assignee, t.Priority, t.Type = "bob", "low", "question" },
	func(t *ticket.Ticket) { t.Source, t.Tags, t.CreatedAt = "Phone", []string{"red"}, at(100) },
	func(t *ticket.Ticket) { t.Tags, t.CreatedAt = []string{"redder", "blue"}, at(200) },
	func(t *ticket.Ticket) { t.Source, t.Type, t.Status = "Email", "problem", ticket.OnHold },
}

var filterCases = []struct {
	what string
	q    ticket.Query
	want string
}{
	{"everything", ticket.Query{}, "abcde"},
	{"a status", ticket.Query{Statuses: []ticket.Status{ticket.OnHold}}, "e"},
	{"assigned to others", ticket.Query{NotAssignee: "ann"}, "b"},
	{"assigned at all", ticket.Query{NotAssignee: "zoe"}, "ab"},
	{"assigned to nobody", ticket.Query{Unassigned: true}, "cde"},
	{"priorities", ticket.Query{Priorities: []string{"high", "urgent"}}, "a"},
	{"two priorities", ticket.Query{Priorities: []string{"high", "low"}}, "ab"},
	{"no priority", ticket.Query{Priorities: []string{""}}, "cde"},
	{"types", ticket.Query{Types: []string{"problem", "question"}}, "be"},
	{"sources", ticket.Query{Sources: []string{"Phone"}}, "c"},
	{"a source in other case", ticket.Query{Sources: []string{"phone"}}, ""},
	{"any of two tags", ticket.Query{AnyTag: []string{"red", "redder"}}, "acd"},
	{"any of one tag", ticket.Query{AnyTag: []string{"red"}}, "ac"},
	{"all of two tags", ticket.Query{AllTags: []string{"red", "blue"}}, "a"},
	{"all of one tag", ticket.Query{AllTags: []string{"blue"}}, "ad"},
	{"none of two tags", ticket.Query{WithoutTags: []string{"red", "nothing"}}, "bde"},
	{"no tags at all", ticket.Query{Untagged: true}, "be"},
	{"any tag, but not one", ticket.Query{AnyTag: []string{"red", "blue"}, WithoutTags: []string{"redder"}}, "ac"},
	{"created from", ticket.Query{CreatedFrom: at(100)}, "cd"},
	{"created from a moment later", ticket.Query{CreatedFrom: at(100).Add(time.Nanosecond)}, "d"},
	{"created up to", ticket.Query{CreatedTo: at(200)}, "abce"},
	{"created between", ticket.Query{CreatedFrom: at(1), CreatedTo: at(200)}, "c"},
	{"updated from", ticket.Query{UpdatedFrom: at(18)}, "abc"},
	{"updated up to", ticket.Query{UpdatedTo: at(18)}, "de"},
	{"updated between", ticket.Query{UpdatedFrom: at(17), UpdatedTo: at(19)}, "cd"},
	{"much at once", ticket.Query{
		Priorities: []string{"high"}, AnyTag: []string{"red"}, NotAssignee: "bob", CreatedTo: at(1), UpdatedFrom: at(1),
	}, "a"},
}

func checkTicketFilters(b *tickets) {
	for i, set := range filterSets {
		t := open(ticket.ID('a'+rune(i)), "in-1", 20-i)
		set(&t)
		save(b, ticket.Write{Ticket: t})
	}
	for _, c := range filterCases {
		for _, in := range [][]inbox.ID{nil, {"in-1"}} {
			q := c.q
			q.Site, q.Inboxes = acme, in
			got := ""
			for _, id := range ticketIDs(b, q) {
				got += string(id)
			}
			equal(b, fmt.Sprintf("tickets of inboxes %q: %s (%+v)", in, c.what, c.q), got, c.want)
			q.Limit = 1
			equal(b, "the first of tickets: "+c.what, len(ticketIDs(b, q)), min(1, len(c.want)))
			n := 0
			counts, err := b.s.CountTickets(b.Context(), q, "ann")
			ok(b, "count tickets", err)
			for _, c := range counts {
				n += c.Tickets
			}
			equal(b, "count of tickets: "+c.what, n, len(c.want))
		}
	}
}

func checkTicketFiles(b *tickets) {
	for i, set := range []func(w *ticket.Write){
		func(w *ticket.Write) { w.Texts[0].Files = true },
		func(w *ticket.Write) { w.Texts[0] = ticket.Text{Entry: w.Texts[0].Entry, Files: true} },
		func(w *ticket.Write) { w.Texts[0].Files, w.Entries[0].Hidden = true, true },
		func(*ticket.Write) {},
	} {
		w := said(ticket.EntryID('a'+rune(i)), "in-1", 20-i, "word", "", "pdf")
		set(&w)
		save(b, w)
	}
	q := ticket.Query{Site: acme, WithFiles: true}
	equal(b, "tickets with attachments", ticketIDs(b, q), []ticket.ID{"a", "b"})
	q.HiddenIn = []inbox.ID{"in-2"}
	equal(b, "tickets with attachments, for another's creator", ticketIDs(b, q), []ticket.ID{"a", "b"})
	q.HiddenIn = []inbox.ID{"in-1"}
	equal(b, "tickets with attachments, for the creator", ticketIDs(b, q), []ticket.ID{"a", "b", "c"})
	search := asked("word")
	search.Tickets.WithFiles = true
	finds(b, "with attachments", search, "a")
}

// neverRead is a reading that makes a ticket unread on which no client was heard.
var neverRead = time.Time{}.Add(-time.Microsecond)

func checkTicketUnread(b *tickets) {
	for i, n := range []int{5, 5, 0} {
		t := open(ticket.ID('a'+rune(i)), "in-1", 20-i)
		if n > 0 {
			t.HeardAt = at(n)
		}
		save(b, ticket.Write{Ticket: t})
	}
	ok(b, "save reading", b.s.SaveReading(b.Context(), "a", "ann", at(4)))
	ok(b, "save reading", b.s.SaveReading(b.Context(), "b", "ann", at(5)))
	ok(b, "save reading", b.s.SaveReading(b.Context(), "c", "cyd", neverRead))
	for user, want := range map[acl.UserID][]ticket.ID{
		"ann": {"a"}, "bob": {"a", "b"}, "ANN": {"a", "b"}, "cyd": {"a", "b", "c"},
	} {
		equal(b, fmt.Sprintf("tickets %q has not read", user),
			ticketIDs(b, ticket.Query{Site: acme, Unread: user}), want)
	}
}

func counted(b *tickets, q ticket.Query, reader acl.UserID) []ticket.Count {
	b.Helper()
	list, err := b.s.CountTickets(b.Context(), q, reader)
	ok(b, "count tickets", err)
	slices.SortFunc(list, func(x, y ticket.Count) int {
		return cmp.Or(cmp.Compare(x.Inbox, y.Inbox), cmp.Compare(x.Status, y.Status), cmp.Compare(x.Assignee, y.Assignee))
	})
	return list
}

func checkCounts(b *tickets) {
	n := 0
	put := func(in inbox.ID, status ticket.Status, assignee acl.UserID, set func(t *ticket.Ticket)) {
		t := open(ticket.ID(fmt.Sprint("t-", n)), in, n)
		t.Status, t.Assignee = status, assignee
		if set != nil {
			set(&t)
		}
		n++
		save(b, ticket.Write{Ticket: t})
	}
	put("in-1", ticket.Active, "", nil)
	put("in-1", ticket.Active, "", nil)
	put("in-1", ticket.Active, "ann", nil)
	put("in-1", ticket.Waiting, "ann", nil)
	put("in-2", ticket.Active, "bob", nil)
	put("IN-1", "own", "", nil)
	put("in-1", ticket.Active, "", func(t *ticket.Ticket) { t.DeletedAt = at(1) })
	put("in-1", ticket.Active, "", func(t *ticket.Ticket) { t.Messages = 1 })
	put("in-1", ticket.Active, "", func(t *ticket.Ticket) { t.Site = other })
	all := []ticket.Count{
		{Inbox: "IN-1", Status: "own", Tickets: 1},
		{Inbox: "in-1", Status: ticket.Active, Tickets: 2},
		{Inbox: "in-1", Status: ticket.Active, Assignee: "ann", Tickets: 1},
		{Inbox: "in-1", Status: ticket.Waiting, Assignee: "ann", Tickets: 1},
		{Inbox: "in-2", Status: ticket.Active, Assignee: "bob", Tickets: 1},
	}
	equal(b, "counts", counted(b, ticket.Query{Site: acme}, "ann"), all)
	equal(b, "counts, whatever the page",
		counted(b, ticket.Query{Site: acme, Limit: 1, After: &ticket.Key{Activity: at(2), ID: "t-2"}}, "ann"), all)
	equal(b, "counts of two inboxes", counted(b, ticket.Query{Site: acme, Inboxes: []inbox.ID{"in-1", "in-2"}}, "ann"), all[1:])
	equal(b, "counts of one inbox", counted(b, ticket.Query{Site: acme, Inboxes: []inbox.ID{"in-2"}}, "ann"), all[4:])
	equal(b, "counts of no inbox", len(counted(b, ticket.Query{Site: acme, Inboxes: []inbox.ID{}}, "ann")), 0)
	equal(b, "counts of one status", counted(b, ticket.Query{Site: acme, Statuses: []ticket.Status{ticket.Waiting}}, "ann"), all[3:4])
	hidden := slices.Clone(all)
	hidden[1].Tickets = 3
	equal(b, "counts with what is hidden", counted(b, ticket.Query{Site: acme, HiddenIn: []inbox.ID{"in-1"}}, "ann"), hidden)
	equal(b, "counts of the trash", counted(b, ticket.Query{Site: acme, Deleted: true}, "ann"),
		[]ticket.Count{{Inbox: "in-1", Status: ticket.Active, Tickets: 1}})
}

// checkCountsAsListed compares counts with lists for queries that no index serves.
func checkCountsAsListed(b *tickets) {
	for i := range 12 {
		t := open(ticket.ID(fmt.Sprint("t-", i)), "in-1", i)
		t.Threads = []inbox.ThreadID{inbox.ThreadID(fmt.Sprint(i % 2)), "all"}
		t.Customer, t.Company = inbox.CustomerID(fmt.Sprint(i%3)), inbox.CompanyID(fmt.Sprint(i%4))
		t.Assignee, t.HeardAt = acl.UserID(fmt.Sprint(i%5)), at(i%2)
		save(b, ticket.Write{Ticket: t})
		ok(b, "save reading", b.s.SaveReading(b.Context(), t.ID, "ann", at(0)))
	}
	many := []inbox.ID{"in-1"}
	for i := range 700 {
		many = append(many, inbox.ID(fmt.Sprint("none-", i)))
	}
	for _, q := range []ticket.Query{
		{}, {Customers: []inbox.CustomerID{"1"}}, {Customers: []inbox.CustomerID{"1", "2"}},
		{Companies: []inbox.CompanyID{"0", "3"}}, {Threads: []inbox.ThreadID{"1", "all"}}, {Threads: []inbox.ThreadID{"0"}},
		{Assignee: "3"}, {Inboxes: many}, {Inboxes: many, Customers: []inbox.CustomerID{"0", "2"}, NotAssignee: "3"},
		{Number: 3},
	} {
		q.Site = acme
		tickets, unread := 0, 0
		for _, c := range counted(b, q, "ann") {
			tickets += c.Tickets
			unread += c.Unread
		}
		list := collect(b, "tickets", b.s.Tickets(b.Context(), q))
		if want := len(list); tickets != want {
			b.Errorf("count of %+v: got %d tickets, want %d as listed", q, tickets, want)
		}
		want := len(keepIf(list, func(t ticket.Ticket) bool { return t.HeardAt.After(at(0)) }))
		if unread != want {
			b.Errorf("count of %+v: got %d unread, want %d as listed", q, unread, want)
		}
	}
}

func checkCountsUnread(b *tickets) {
	for i := range 3 {
		t := open(ticket.ID(fmt.Sprint("t-", i)), "in-1", i)
		t.HeardAt = at(5)
		save(b, ticket.Write{Ticket: t})
	}
	unread := func(who acl.UserID) int {
		n := 0
		for _, c := range counted(b, ticket.Query{Site: acme}, who) {
			n += c.Unread
		}
		return n
	}
	equal(b, "unread before anything was read", unread("ann"), 3)
	ok(b, "save reading", b.s.SaveReading(b.Context(), "t-1", "ann", at(5)))
	equal(b, "unread after one was read", unread("ann"), 2)
	equal(b, "unread of somebody else", unread("bob"), 3)
	t := load(b, "t-1")
	t.HeardAt = at(6)
	save(b, ticket.Write{Ticket: t})
	equal(b, "unread after a client was heard again", unread("ann"), 3)
	ok(b, "save reading", b.s.SaveReading(b.Context(), "t-1", "ann", at(6)))
	ok(b, "save reading", b.s.SaveReading(b.Context(), "t-1", "ann", time.Time{}))
	equal(b, "unread after it was made unread", unread("ann"), 3)

	silent := open("t-3", "in-1", 3)
	save(b, ticket.Write{Ticket: silent})
	equal(b, "unread with one no client was heard on", unread("ann"), 3)
	ok(b, "save reading", b.s.SaveReading(b.Context(), "t-3", "ann", neverRead))
	equal(b, "unread after that one was made unread", unread("ann"), 4)
	ok(b, "save reading", b.s.SaveReading(b.Context(), "t-3", "ann", time.Time{}))
	equal(b, "unread after that one was read", unread("ann"), 3)
}

func checkReadings(b *tickets) {
	save(b, ticket.Write{Ticket: open("t-1", "in-1", 1)}, ticket.Write{Ticket: open("t-2", "in-1", 1)})
	reading := func(id ticket.ID, who acl.UserID, want time.Time) {
		b.Helper()
		got, err := b.s.Reading(b.Context(), id, who)
		ok(b, "reading", err)
		equal(b, fmt.Sprintf("up to when %q has read %q", who, id), got, want)
	}
	reading("t-1", "ann", time.Time{})
	for _, until := range []time.Time{at(3), at(5), at(2), neverRead} {
		ok(b, "save reading", b.s.SaveReading(b.Context(), "t-1", "ann", until))
		reading("t-1", "ann", until)
	}
	reading("t-1", "Ann", time.Time{})
	reading("t-2", "ann", time.Time{})
	reading("t-9", "ann", time.Time{})
	ok(b, "save reading", b.s.SaveReading(b.Context(), "t-1", "ann", time.Time{}))
	reading("t-1", "ann", time.Time{})
	refused(b, "save the reading of no ticket", b.s.SaveReading(b.Context(), "t-9", "ann", at(1)), storage.ErrNotFound)
	refused(b, "forget the reading of no ticket", b.s.SaveReading(b.Context(), "t-9", "ann", time.Time{}), storage.ErrNotFound)
}
