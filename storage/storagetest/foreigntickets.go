package storagetest

import (
	"fmt"
	"slices"
	"time"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/ticket"
)

var foreignTicketChecks = []check[ticket.Store]{
	{"IDs/OthersFindNothing", checkForeignTickets},
	{"IDs/AnyPlace", checkForeignTicketPlaces},
	{"IDs/KeptOrRefused", checkForeignTicketWrites},
}

// ticketA stores a ticket with an entry, a draft and what else there is of it, all with "a" wherever a query
// may ask for it.
func ticketA(b *tickets) {
	b.Helper()
	ctx := b.Context()
	w := said("a", "a", 1, "word")
	t, e := &w.Ticket, &w.Entries[0]
	t.Site, t.Threads, t.Status, t.Assignee, t.Customer, t.Company = "a", []inbox.ThreadID{"a"}, "a", "a", "a", "a"
	t.Tags, t.Priority, t.Type, t.Source, t.HeardAt = []string{"a"}, "a", "a", "a", at(1)
	e.Message, e.RFCID = "a", "a"
	e.Outgoing = &ticket.Outgoing{State: "a", Marker: "a", NotBefore: at(1)}
	save(b, w)
	d := begun("a", "a")
	d.Site, d.Entry = "a", "a"
	saveDraft(b, d)
	_, err := b.s.SaveMark(ctx, "a", 7, 0)
	ok(b, "save mark", err)
	ok(b, "save reading", b.s.SaveReading(ctx, "a", "a", at(2)))
	_, err = b.s.SaveAllowance(ctx, ticket.Allowance{Site: "a", User: "a"})
	ok(b, "save allowance", err)
	_, err = b.s.SaveCatalog(ctx, ticket.Catalog{Site: "a"})
	ok(b, "save catalog", err)
}

// foreignDesk is a look at all of ticketA.
func foreignDesk(b *tickets) any {
	b.Helper()
	ctx := b.Context()
	mark, version, err := b.s.Mark(ctx, "a")
	ok(b, "mark", err)
	reading, err := b.s.Reading(ctx, "a", "a")
	ok(b, "reading", err)
	all := []any{
		lookDesk(b), collect(b, "drafts", b.s.Drafts(ctx, ticket.DraftQuery{})), mark, version, reading,
		catalogOf(b, "a"), allowanceOf(b, "a", "a"),
		matches(b, ticket.MatchQuery{Tickets: ticket.Query{Site: "a"}, Terms: terms("word")}),
	}
	if outbox, has := b.s.(inbox.Outbox); has {
		all = append(all, collect(b, "events", outbox.DueEvents(ctx, at(1), 0)))
	}
	return all
}

func checkForeignTickets(b *tickets) {
	ticketA(b)
	before := foreignDesk(b)
	checkFindings(b, foreignOfTicket(b))
	checkFindings(b, foreignQueries(b))
	checkFindings(b, foreignEntries(b))
	equal(b, "what is stored after lookups", foreignDesk(b), before)
	for _, text := range unheld {
		checkForeignTicketDeeds(b, text)
	}
	equal(b, "what is stored after deeds on what is not there", foreignDesk(b), before)
}

func foreignOfTicket(b *tickets) []finding {
	ctx, s := b.Context(), b.s
	drafts := func(q func(x string) ticket.DraftQuery) func(x string) (int, error) {
		return func(x string) (int, error) { return length(s.Drafts(ctx, q(x))) }
	}
	return []finding{
		by("ticket", func(x string) (int, error) { return one(s.Ticket(ctx, ticket.ID(x))) }),
		by("mark", func(x string) (int, error) {
			_, version, err := s.Mark(ctx, inbox.ID(x))
			return int(version), err
		}),
		by("draft", func(x string) (int, error) { return one(s.Draft(ctx, ticket.EntryID(x))) }),
		by("drafts of the site", drafts(func(x string) ticket.DraftQuery { return ticket.DraftQuery{Site: inbox.SiteID(x)} })),
		by("drafts on the ticket", drafts(func(x string) ticket.DraftQuery { return ticket.DraftQuery{Ticket: ticket.ID(x)} })),
		by("drafts of the person", drafts(func(x string) ticket.DraftQuery { return ticket.DraftQuery{Author: acl.UserID(x)} })),
		by("catalog", func(x string) (int, error) {
			c, err := s.Catalog(ctx, inbox.SiteID(x))
			return int(c.Version), err
		}),
		by("allowance of the person", func(x string) (int, error) {
			a, err := s.Allowance(ctx, "a", acl.UserID(x))
			return int(a.Version), err
		}),
		by("allowance in the site", func(x string) (int, error) {
			a, err := s.Allowance(ctx, inbox.SiteID(x), "a")
			return int(a.Version), err
		}),
		by("reading of the ticket", func(x string) (int, error) {
			until, err := s.Reading(ctx, ticket.ID(x), "a")
			return when(!until.IsZero(), err)
		}),
		by("reading by the person", func(x string) (int, error) {
			until, err := s.Reading(ctx, "a", acl.UserID(x))
			return when(!until.IsZero(), err)
		}),
		but("what is unread to the person", func(x string) (n int, err error) {
			counts, err := s.CountTickets(ctx, ticket.Query{Site: "a"}, acl.UserID(x))
			for _, c := range counts {
				n += c.Unread
			}
			return n, err
		}),
	}
}

// foreignQueries asks for tickets, for how many they are, and for entries of them that hold a word.
func foreignQueries(b *tickets) []finding {
	var all []finding
	add := func(kind func(what string, find func(x string) (int, error)) finding, what string, set func(q *ticket.Query, x string)) {
		for _, ask := range foreignAsks(b) {
			all = append(all, kind(ask.what+" with "+what, func(x string) (int, error) {
				var q ticket.Query
				set(&q, x)
				return ask.count(q)
			}))
		}
	}
	add(by, "the site", func(q *ticket.Query, x string) { q.Site = inbox.SiteID(x) })
	add(by, "the inbox", func(q *ticket.Query, x string) { q.Inboxes = []inbox.ID{inbox.ID(x)} })
	add(by, "the site and the inbox", func(q *ticket.Query, x string) { q.Site, q.Inboxes = "a", []inbox.ID{inbox.ID(x)} })
	add(beside, "the inbox a or", func(q *ticket.Query, x string) { q.Inboxes = []inbox.ID{"a", inbox.ID(x)} })
	add(by, "the thread", func(q *ticket.Query, x string) { q.Threads = []inbox.ThreadID{inbox.ThreadID(x)} })
	add(beside, "the thread a or", func(q *ticket.Query, x string) { q.Threads = []inbox.ThreadID{"a", inbox.ThreadID(x)} })
	add(by, "the thread of the mailbox", func(q *ticket.Query, x string) { q.Threads, q.Mailbox = []inbox.ThreadID{"a"}, inbox.ID(x) })
	add(by, "the status", func(q *ticket.Query, x string) { q.Statuses = []ticket.Status{ticket.Status(x)} })
	add(beside, "the status a or", func(q *ticket.Query, x string) { q.Statuses = []ticket.Status{"a", ticket.Status(x)} })
	add(by, "the assignee", func(q *ticket.Query, x string) { q.Assignee = acl.UserID(x) })
	add(but, "another assignee than", func(q *ticket.Query, x string) { q.NotAssignee = acl.UserID(x) })
	add(but, "what is unread to", func(q *ticket.Query, x string) { q.Unread = acl.UserID(x) })
	add(by, "the customer", func(q *ticket.Query, x string) { q.Customers = []inbox.CustomerID{inbox.CustomerID(x)} })
	add(beside, "the customer a or", func(q *ticket.Query, x string) { q.Customers = []inbox.CustomerID{"a", inbox.CustomerID(x)} })
	add(by, "the company", func(q *ticket.Query, x string) { q.Companies = []inbox.CompanyID{inbox.CompanyID(x)} })
	add(beside, "the company a or", func(q *ticket.Query, x string) { q.Companies = []inbox.CompanyID{"a", inbox.CompanyID(x)} })
	add(by, "the priority", func(q *ticket.Query, x string) { q.Priorities = []string{x} })
	add(beside, "the priority a or", func(q *ticket.Query, x string) { q.Priorities = []string{"a", x} })
	add(by, "the type", func(q *ticket.Query, x string) { q.Types = []string{x} })
	add(by, "the source", func(q *ticket.Query, x string) { q.Sources = []string{x} })
	add(by, "the tag", func(q *ticket.Query, x string) { q.AnyTag = []string{x} })
	add(beside, "the tag a or", func(q *ticket.Query, x string) { q.AnyTag = []string{"a", x} })
	add(by, "both the tag a and", func(q *ticket.Query, x string) { q.AllTags = []string{"a", x} })
	add(but, "no tag", func(q *ticket.Query, x string) { q.WithoutTags = []string{x} })
	add(beside, "hidden ones in", func(q *ticket.Query, x string) { q.HiddenIn = []inbox.ID{inbox.ID(x)} })
	for _, ask := range foreignAsks(b)[:2] {
		all = append(all, finding{what: ask.what + " that rest", find: func(x string) (int, error) {
			return ask.count(ticket.Query{Resting: ticket.Rest(x), RestedBy: at(9)})
		}})
	}
	for _, few := range []struct {
		kind func(what string, find func(x string) (int, error)) finding
		only []ticket.ID
	}{{by, nil}, {beside, []ticket.ID{"a"}}} {
		all = append(all, few.kind(fmt.Sprintf("matches in the tickets %q and", few.only), func(x string) (int, error) {
			return length(b.s.Matches(b.Context(), ticket.MatchQuery{
				Tickets: ticket.Query{Site: "a"}, Terms: terms("word"), Only: append(slices.Clone(few.only), ticket.ID(x)),
			}))
		}))
	}
	return all
}

// foreignAsk is a method that takes a ticket.Query.
type foreignAsk struct {
	what  string
	count func(q ticket.Query) (int, error)
}

func foreignAsks(b *tickets) []foreignAsk {
	ctx, s := b.Context(), b.s
	return []foreignAsk{
		{"tickets", func(q ticket.Query) (int, error) { return length(s.Tickets(ctx, q)) }},
		{"counts of tickets", func(q ticket.Query) (n int, err error) {
			counts, err := s.CountTickets(ctx, q, "zoe")
			for _, c := range counts {
				n += c.Tickets
			}
			return n, err
		}},
		{"matches", func(q ticket.Query) (int, error) {
			if q.Site == "" {
				q.Site = "a" // a search is of one site
			}
			return length(s.Matches(ctx, ticket.MatchQuery{Tickets: q, Terms: terms("word")}))
		}},
	}
}

func foreignEntries(b *tickets) []finding {
	listed := func(set func(q *ticket.EntryQuery, x string)) func(x string) (int, error) {
		return func(x string) (int, error) {
			var q ticket.EntryQuery
			set(&q, x)
			return length(b.s.Entries(b.Context(), q))
		}
	}
	return []finding{
		by("entries of the ticket", listed(func(q *ticket.EntryQuery, x string) { q.Ticket = ticket.ID(x) })),
		by("entries of the inbox", listed(func(q *ticket.EntryQuery, x string) { q.Inbox = inbox.ID(x) })),
		by("entries", listed(func(q *ticket.EntryQuery, x string) { q.IDs = []ticket.EntryID{ticket.EntryID(x)} })),
		beside("entries a or", listed(func(q *ticket.EntryQuery, x string) { q.IDs = []ticket.EntryID{"a", ticket.EntryID(x)} })),
		by("entries of the ticket a that are", listed(func(q *ticket.EntryQuery, x string) {
			q.Ticket, q.IDs = "a", []ticket.EntryID{ticket.EntryID(x)}
		})),
		by("entries of the message", listed(func(q *ticket.EntryQuery, x string) {
			q.Messages = []inbox.MessageID{inbox.MessageID(x)}
		})),
		by("entries of the Message-ID", listed(func(q *ticket.EntryQuery, x string) { q.RFCIDs = []string{x} })),
		beside("entries of the Message-ID a or", listed(func(q *ticket.EntryQuery, x string) { q.RFCIDs = []string{"a", x} })),
		by("entries of the send marker", listed(func(q *ticket.EntryQuery, x string) { q.Marker = x })),
		by("entries in the state", listed(func(q *ticket.EntryQuery, x string) {
			q.Outgoing = []ticket.OutgoingState{ticket.OutgoingState(x)}
		})),
	}
}

// checkForeignTicketDeeds writes to what is not there.
func checkForeignTicketDeeds(b *tickets, x string) {
	ctx := b.Context()
	for what, err := range map[string]error{
		"purge ticket": b.s.PurgeTicket(ctx, ticket.ID(x), 1), "purge tickets of inbox": b.s.PurgeTickets(ctx, inbox.ID(x)),
		"delete draft": b.s.DeleteDraft(ctx, ticket.EntryID(x), 1),
	} {
		if err != nil {
			b.Errorf("%s %q: got %v, want no error", what, x, err)
		}
	}
	refused(b, fmt.Sprintf("save reading of ticket %q", x), b.s.SaveReading(ctx, ticket.ID(x), "a", at(1)), storage.ErrNotFound)
	ok(b, "forget a reading of nobody", b.s.SaveReading(ctx, "a", acl.UserID(x), time.Time{}))
	d := begun(ticket.ID(x), "a")
	d.Entry = "of nothing"
	_, err := b.s.SaveDraft(ctx, d, d.Entry)
	refused(b, fmt.Sprintf("save a draft on ticket %q", x), err, storage.ErrNotFound)
	_, err = b.s.SaveMark(ctx, inbox.ID(x), 1, 1)
	refused(b, fmt.Sprintf("move the mark of %q, which is not there", x), err, storage.ErrConflict)
	late := open(ticket.ID(x), "a", 1)
	late.Version = 1
	_, err = b.s.SaveTickets(ctx, []ticket.Write{{Ticket: late}})
	refused(b, fmt.Sprintf("save version 2 of ticket %q, which is not there", x), err, storage.ErrConflict)
}

func checkForeignTicketPlaces(b *tickets) {
	var w []ticket.Write
	var entries []ticket.Entry
	for _, id := range placed {
		w = append(w, ticket.Write{Ticket: open(ticket.ID(id), "in-1", 1)})
		entries = append(entries, received(ticket.EntryID(id), "t", "in-2", 1))
	}
	save(b, w...)
	save(b, ticket.Write{Ticket: open("t", "in-2", 1), Entries: entries})
	ctx := b.Context()
	for _, place := range places() {
		what := fmt.Sprintf("behind the place %.40q", place)
		older := slices.DeleteFunc(slices.Clone(placed), func(id string) bool { return id >= place })
		slices.Reverse(older)
		equal(b, "tickets "+what, mapped(ticketIDs(b, ticket.Query{
			Inboxes: []inbox.ID{"in-1"}, After: &ticket.Key{Activity: at(1), ID: ticket.ID(place)},
		}), func(id ticket.ID) string { return string(id) }), older)
		equal(b, "entries "+what, mapped(collect(b, "entries", b.s.Entries(ctx, ticket.EntryQuery{
			Ticket: "t", After: &ticket.EntryKey{At: at(1), ID: ticket.EntryID(place)},
		})), func(e ticket.Entry) string { return string(e.ID) }), behindPlace(place))
	}
}

func checkForeignTicketWrites(b *tickets) {
	ticketA(b)
	checkWritings(b, foreignTicketWritings(b), func() any { return foreignDesk(b) })
	checkWritings(b, foreignDraftWritings(b), func() any { return foreignDesk(b) })
}

func foreignTicketWritings(b *tickets) []writing {
	ctx, s := b.Context(), b.s
	n := 0
	// put saves a ticket that is right and one that may not be.
	put := func(set func(w *ticket.Write, x string)) func(x string) error {
		return func(x string) error {
			n += 2
			right := said(ticket.EntryID(fmt.Sprint(n)), "a", 1, "word")
			odd := said(ticket.EntryID(fmt.Sprint(n+1)), "a", 1, "word")
			right.Ticket.Site, odd.Ticket.Site = "a", "a"
			set(&odd, x)
			_, err := s.SaveTickets(ctx, []ticket.Write{right, odd}, happened(fmt.Sprint("event ", n)))
			return err
		}
	}
	queried := func(set func(q *ticket.Query, x string)) func(x string) (int, error) {
		return func(x string) (int, error) {
			var q ticket.Query
			set(&q, x)
			return length(s.Tickets(ctx, q))
		}
	}
	entry := func(set func(q *ticket.EntryQuery, x string)) func(x string) (int, error) {
		return func(x string) (int, error) {
			var q ticket.EntryQuery
			set(&q, x)
			return length(s.Entries(ctx, q))
		}
	}
	return []writing{
		{"ticket", put(func(w *ticket.Write, x string) { w.Ticket.ID, w.Entries[0].Ticket = ticket.ID(x), ticket.ID(x) }),
			func(x string) (int, error) {
				t, err := s.Ticket(ctx, ticket.ID(x))
				return when(string(t.ID) == x, err)
			}},
		{"inbox of a ticket", put(func(w *ticket.Write, x string) { w.Ticket.Inbox = inbox.ID(x) }),
			queried(func(q *ticket.Query, x string) { q.Inboxes = []inbox.ID{inbox.ID(x)} })},
		{"thread of a ticket", put(func(w *ticket.Write, x string) { w.Ticket.Threads = []inbox.ThreadID{inbox.ThreadID(x)} }),
			queried(func(q *ticket.Query, x string) { q.Threads = []inbox.ThreadID{inbox.ThreadID(x)} })},
		{"status of a ticket", put(func(w *ticket.Write, x string) { w.Ticket.Status = ticket.Status(x) }),
			queried(func(q *ticket.Query, x string) { q.Statuses = []ticket.Status{ticket.Status(x)} })},
		{"assignee of a ticket", put(func(w *ticket.Write, x string) { w.Ticket.Assignee = acl.UserID(x) }),
			queried(func(q *ticket.Query, x string) { q.Assignee = acl.UserID(x) })},
		{"tag of a ticket", put(func(w *ticket.Write, x string) { w.Ticket.Tags = []string{x} }),
			queried(func(q *ticket.Query, x string) { q.AnyTag = []string{x} })},
		{"entry", put(func(w *ticket.Write, x string) {
			w.Entries[0].ID, w.Texts[0].Entry = ticket.EntryID(x), ticket.EntryID(x)
		}),
			entry(func(q *ticket.EntryQuery, x string) { q.IDs = []ticket.EntryID{ticket.EntryID(x)} })},
		{"message of an entry", put(func(w *ticket.Write, x string) { w.Entries[0].Message = inbox.MessageID(x) }),
			entry(func(q *ticket.EntryQuery, x string) { q.Messages = []inbox.MessageID{inbox.MessageID(x)} })},
		{"Message-ID of an entry", put(func(w *ticket.Write, x string) { w.Entries[0].RFCID = x }),
			entry(func(q *ticket.EntryQuery, x string) { q.RFCIDs = []string{x} })},
	}
}

func foreignDraftWritings(b *tickets) []writing {
	ctx, s := b.Context(), b.s
	return []writing{
		{"draft", func(x string) error {
			d := begun("a", "a")
			d.Entry = ticket.EntryID(x)
			_, err := s.SaveDraft(ctx, d, d.Entry)
			return err
		}, func(x string) (int, error) {
			d, err := s.Draft(ctx, ticket.EntryID(x))
			return when(string(d.Entry) == x, err)
		}},
		{"mark", func(x string) error {
			_, err := s.SaveMark(ctx, inbox.ID(x), 3, 0)
			return err
		}, func(x string) (int, error) {
			_, version, err := s.Mark(ctx, inbox.ID(x))
			return int(version), err
		}},
		{"reading", func(x string) error { return s.SaveReading(ctx, "a", acl.UserID(x), at(1)) },
			func(x string) (int, error) {
				until, err := s.Reading(ctx, "a", acl.UserID(x))
				return when(until.Equal(at(1)), err)
			}},
		{"allowance", func(x string) error {
			_, err := s.SaveAllowance(ctx, ticket.Allowance{Site: "a", User: acl.UserID(x)})
			return err
		}, func(x string) (int, error) {
			a, err := s.Allowance(ctx, "a", acl.UserID(x))
			return when(string(a.User) == x && a.Version == 1, err)
		}},
		{"catalog", func(x string) error {
			_, err := s.SaveCatalog(ctx, ticket.Catalog{Site: inbox.SiteID(x)})
			return err
		}, func(x string) (int, error) {
			c, err := s.Catalog(ctx, inbox.SiteID(x))
			return when(string(c.Site) == x && c.Version == 1, err)
		}},
	}
}
