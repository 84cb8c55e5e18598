package storagetest

import (
	"fmt"
	"slices"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
)

var foreignChecks = []check[inbox.Store]{
	{"IDs/OthersFindNothing", checkForeignLookups},
	{"IDs/AnyPlace", checkForeignPlaces},
	{"IDs/KeptOrRefused", checkForeignWrites},
}

// letterA stores an inbox, a mail, a company and a customer that have the id "a", and "a" wherever else a
// query may ask for it.
func letterA(b *inboxes) {
	b.Helper()
	in := mailbox("a")
	in.Site, in.Creator, in.State = "a", "a", "a"
	create(b, in)
	p := mail("a", "a", 1)
	m := &p.Message
	m.Site, m.Remote, m.Thread, m.RFCID, m.Marker, m.Customer = "a", "a", "a", "a", "a", "a"
	commit(b, "a", inbox.Import{
		Put: []inbox.Put{p}, Threads: []inbox.Thread{{ID: "a", Opened: at(1)}}, Run: &inbox.Run{ID: "a", Inbox: "a", Started: at(1)},
		Queue:  []inbox.Queued{{Remote: "queued", Thread: "a", Received: at(1), NotBefore: at(1)}},
		Reject: []inbox.Rejected{{Remote: "rejected", Thread: "a", Received: at(1), Reason: "a"}},
	})
	co := company("a", "a.example")
	co.Site = "a"
	saveCompany(b, co)
	cu := customer("a", "a@a.example")
	cu.Site, cu.Company, cu.KnownFrom = "a", "a", []inbox.ID{"a"}
	saveCustomers(b, cu)
	saveEvents(b, happened("a"))
}

func checkForeignLookups(b *inboxes) {
	letterA(b)
	everything := func() any { return foreignPicture(b) }
	before := everything()
	checkFindings(b, foreignInboxes(b))
	checkFindings(b, foreignMail(b))
	checkFindings(b, foreignClients(b))
	equal(b, "what is stored after lookups", everything(), before)
	for _, text := range unheld {
		checkForeignDeeds(b, text)
	}
	equal(b, "what is stored after deeds on what is not there", everything(), before)
}

// foreignPicture is a look at all of letterA.
func foreignPicture(b *inboxes) any {
	b.Helper()
	ctx := b.Context()
	return []any{
		look(b, "a", []provider.RemoteID{"a", "queued", "rejected"}, []inbox.ThreadID{"a"}),
		collect(b, "inboxes", b.s.Inboxes(ctx, inbox.Query{})),
		collect(b, "companies", b.s.Companies(ctx, inbox.CompanyQuery{Site: "a"})),
		collect(b, "customers", b.s.Customers(ctx, inbox.CustomerQuery{Site: "a"})),
	}
}

func foreignInboxes(b *inboxes) []finding {
	ctx, s := b.Context(), b.s
	listed := func(q func(x string) inbox.Query) func(x string) (int, error) {
		return func(x string) (int, error) { return length(s.Inboxes(ctx, q(x))) }
	}
	return []finding{
		by("inbox", func(x string) (int, error) { return one(s.Inbox(ctx, inbox.ID(x))) }),
		by("inboxes of the site", listed(func(x string) inbox.Query { return inbox.Query{Site: inbox.SiteID(x)} })),
		by("inboxes in the state", listed(func(x string) inbox.Query { return inbox.Query{States: []inbox.State{inbox.State(x)}} })),
		beside("inboxes in the state a or", listed(func(x string) inbox.Query {
			return inbox.Query{States: []inbox.State{"a", inbox.State(x)}}
		})),
		by("inboxes in the scope of the person", listed(func(x string) inbox.Query {
			return inbox.Query{Scope: &acl.Scope{Site: "a", User: acl.UserID(x)}}
		})),
		by("individual inboxes in the scope of the admin", listed(func(x string) inbox.Query {
			return inbox.Query{Scope: &acl.Scope{Site: "a", User: acl.UserID(x), AllTeam: true}}
		})),
		by("inboxes in the scope of the owner of the site", listed(func(x string) inbox.Query {
			return inbox.Query{Scope: &acl.Scope{Site: x, User: "zoe", All: true}}
		})),
		by("sync state of", func(x string) (int, error) {
			st, err := s.SyncState(ctx, inbox.ID(x))
			return when(st.Version > 0, err)
		}),
		by("log of", func(x string) (int, error) { return length(s.Log(ctx, inbox.ID(x), 0)) }),
		by("tally of", func(x string) (int, error) {
			t, err := s.Tally(ctx, inbox.ID(x))
			return t.Messages, err
		}),
		by("queue of", func(x string) (int, error) { return length(s.Queue(ctx, inbox.QueueQuery{Inbox: inbox.ID(x)})) }),
		by("runs of", func(x string) (int, error) { return length(s.Runs(ctx, inbox.ID(x), 0)) }),
		by("rejections of", func(x string) (int, error) { return size(s.Rejections(ctx, inbox.ID(x))) }),
	}
}

func foreignMail(b *inboxes) []finding {
	ctx, s := b.Context(), b.s
	listed := func(q func(x string) inbox.MessageQuery) func(x string) (int, error) {
		return func(x string) (int, error) { return length(s.Messages(ctx, q(x))) }
	}
	in := func(set func(q *inbox.MessageQuery, x string)) func(x string) (int, error) {
		return listed(func(x string) inbox.MessageQuery {
			q := inbox.MessageQuery{Inbox: "a"}
			set(&q, x)
			return q
		})
	}
	return []finding{
		by("message", func(x string) (int, error) { return one(s.Message(ctx, inbox.MessageID(x))) }),
		by("content", func(x string) (int, error) { return one(s.Content(ctx, inbox.MessageID(x))) }),
		by("seen", func(x string) (int, error) { return size(s.Seen(ctx, "a", []provider.RemoteID{provider.RemoteID(x)})) }),
		by("seen in", func(x string) (int, error) { return size(s.Seen(ctx, inbox.ID(x), []provider.RemoteID{"a"})) }),
		by("threads", func(x string) (int, error) { return size(s.Threads(ctx, "a", []inbox.ThreadID{inbox.ThreadID(x)})) }),
		by("threads in", func(x string) (int, error) { return size(s.Threads(ctx, inbox.ID(x), []inbox.ThreadID{"a"})) }),
		by("messages in", listed(func(x string) inbox.MessageQuery { return inbox.MessageQuery{Inbox: inbox.ID(x)} })),
		by("messages of the marker in", listed(func(x string) inbox.MessageQuery {
			return inbox.MessageQuery{Inbox: inbox.ID(x), Marker: "a"}
		})),
		by("messages of the thread", in(func(q *inbox.MessageQuery, x string) { q.Thread = inbox.ThreadID(x) })),
		by("messages of the Message-ID", in(func(q *inbox.MessageQuery, x string) { q.RFCIDs = []string{x} })),
		beside("messages of the Message-ID a or", in(func(q *inbox.MessageQuery, x string) { q.RFCIDs = []string{"a", x} })),
		by("messages of the remote id", in(func(q *inbox.MessageQuery, x string) { q.Remotes = []provider.RemoteID{provider.RemoteID(x)} })),
		by("messages of the send marker", in(func(q *inbox.MessageQuery, x string) { q.Marker = x })),
		by("messages of the customer", in(func(q *inbox.MessageQuery, x string) { q.Customer = inbox.CustomerID(x) })),
	}
}

func foreignClients(b *inboxes) []finding {
	ctx, s := b.Context(), b.s
	customers := func(set func(q *inbox.CustomerQuery, x string)) func(x string) (int, error) {
		return func(x string) (int, error) {
			q := inbox.CustomerQuery{Site: "a"}
			set(&q, x)
			return length(s.Customers(ctx, q))
		}
	}
	address := by("customers of the address that begins with", customers(func(q *inbox.CustomerQuery, x string) {
		q.Address = x + "@a.example"
	}))
	domain := by("customers at the domain that begins with", customers(func(q *inbox.CustomerQuery, x string) {
		q.Domain = x + ".example"
	}))
	address.folds, domain.folds = true, true
	return []finding{
		by("company", func(x string) (int, error) { return one(s.Company(ctx, "a", inbox.CompanyID(x))) }),
		by("company of the site", func(x string) (int, error) { return one(s.Company(ctx, inbox.SiteID(x), "a")) }),
		by("companies of the site", func(x string) (int, error) {
			return length(s.Companies(ctx, inbox.CompanyQuery{Site: inbox.SiteID(x)}))
		}),
		by("customer", func(x string) (int, error) { return one(s.Customer(ctx, "a", inbox.CustomerID(x))) }),
		by("customer of the site", func(x string) (int, error) { return one(s.Customer(ctx, inbox.SiteID(x), "a")) }),
		by("customers of the site", customers(func(q *inbox.CustomerQuery, x string) { q.Site = inbox.SiteID(x) })),
		by("customers of the company", customers(func(q *inbox.CustomerQuery, x string) { q.Company = inbox.CompanyID(x) })),
		by("customers known from", customers(func(q *inbox.CustomerQuery, x string) { q.Visible = []inbox.ID{inbox.ID(x)} })),
		beside("customers known from a or", customers(func(q *inbox.CustomerQuery, x string) { q.Visible = []inbox.ID{"a", inbox.ID(x)} })),
		address, domain,
		by("snapshot of the site", func(x string) (int, error) {
			_, version, err := s.Snapshot(ctx, inbox.SiteID(x), 0)
			return when(version > 0, err)
		}),
	}
}

// checkForeignDeeds writes to what is not there.
func checkForeignDeeds(b *inboxes, x string) {
	ctx := b.Context()
	for what, err := range map[string]error{
		"delete inbox": b.s.DeleteInbox(ctx, inbox.ID(x)), "done with event": b.s.DoneEvent(ctx, x),
		"retry event": b.s.RetryEvent(ctx, x, []acl.UserID{"ann"}, at(9)),
	} {
		if err != nil {
			b.Errorf("%s %q: got %v, want no error", what, x, err)
		}
	}
	in := mailbox(inbox.ID(x))
	in.Version = 1
	if _, err := b.s.UpdateInbox(ctx, in, nil); err == nil {
		b.Errorf("update inbox %q: got no error, want one", x)
	}
	if _, err := b.s.Commit(ctx, inbox.Import{State: inbox.SyncState{Inbox: inbox.ID(x)}}); err == nil {
		b.Errorf("commit to inbox %q: got no error, want one", x)
	}
}

func checkForeignPlaces(b *inboxes) {
	create(b, mailbox("in-1"))
	var imp inbox.Import
	for _, id := range placed {
		in := mailbox(inbox.ID(id))
		in.Site = other
		create(b, in)
		saveCompany(b, inbox.Company{ID: inbox.CompanyID(id), Site: acme, Name: id})
		saveCustomers(b, inbox.Customer{ID: inbox.CustomerID(id), Site: acme, Name: id, Company: "co", ByHand: true})
		imp.Put = append(imp.Put, mail("in-1", id, 1))
	}
	commit(b, "in-1", imp)
	ctx := b.Context()
	for _, place := range places() {
		want := behindPlace(place)
		what := fmt.Sprintf("behind the place %.40q", place)
		for _, q := range []inbox.Query{
			{Site: other}, {Scope: &acl.Scope{Site: string(other), User: "ann"}},
			{Scope: &acl.Scope{Site: string(other), User: "ann", AllTeam: true}},
		} {
			q.After = inbox.ID(place)
			equal(b, "inboxes "+what, mapped(collect(b, "inboxes", b.s.Inboxes(ctx, q)),
				func(in inbox.Inbox) string { return string(in.ID) }), want)
		}
		equal(b, "companies "+what, mapped(collect(b, "companies",
			b.s.Companies(ctx, inbox.CompanyQuery{Site: acme, After: inbox.CompanyID(place)})),
			func(c inbox.Company) string { return string(c.ID) }), want)
		for _, q := range []inbox.CustomerQuery{{Site: acme}, {Site: acme, Company: "co"}} {
			q.After = inbox.CustomerID(place)
			equal(b, "customers "+what, mapped(collect(b, "customers", b.s.Customers(ctx, q)),
				func(c inbox.Customer) string { return string(c.ID) }), want)
		}
		older := slices.DeleteFunc(slices.Clone(placed), func(id string) bool { return id >= place })
		slices.Reverse(older)
		equal(b, "messages "+what, mapped(collect(b, "messages", b.s.Messages(ctx, inbox.MessageQuery{
			Inbox: "in-1", After: &inbox.MessageKey{Received: at(1), ID: inbox.MessageID(place)},
		})), func(m inbox.Message) string { return string(m.ID) }), older)
	}
}

func checkForeignWrites(b *inboxes) {
	letterA(b)
	checkWritings(b, foreignMailWritings(b), func() any { return foreignPicture(b) })
	checkWritings(b, foreignWritings(b), func() any { return foreignPicture(b) })
}

func foreignMailWritings(b *inboxes) []writing {
	ctx, s := b.Context(), b.s
	n := 0
	// put stores a mail that is right and one that may not be.
	put := func(set func(imp *inbox.Import, x string)) func(x string) error {
		return func(x string) error {
			n += 2
			imp := inbox.Import{Put: []inbox.Put{mail("a", fmt.Sprint(n), n), mail("a", fmt.Sprint(n+1), n)}}
			set(&imp, x)
			_, err := s.Commit(ctx, based(b, "a", imp), happened(fmt.Sprint("event ", n)))
			return err
		}
	}
	seen := func(x string) (int, error) { return size(s.Seen(ctx, "a", []provider.RemoteID{provider.RemoteID(x)})) }
	listed := func(q func(x string) inbox.MessageQuery) func(x string) (int, error) {
		return func(x string) (int, error) { return length(s.Messages(ctx, q(x))) }
	}
	return []writing{
		{"message", put(func(imp *inbox.Import, x string) {
			imp.Put[1].Message.ID, imp.Put[1].Content.Message = inbox.MessageID(x), inbox.MessageID(x)
		}), func(x string) (int, error) {
			m, err := s.Message(ctx, inbox.MessageID(x))
			return when(string(m.ID) == x, err)
		}},
		{"remote id of a message", put(func(imp *inbox.Import, x string) { imp.Put[1].Message.Remote = provider.RemoteID(x) }), seen},
		{"thread of a message", put(func(imp *inbox.Import, x string) { imp.Put[1].Message.Thread = inbox.ThreadID(x) }),
			listed(func(x string) inbox.MessageQuery { return inbox.MessageQuery{Inbox: "a", Thread: inbox.ThreadID(x)} })},
		{"Message-ID of a message", put(func(imp *inbox.Import, x string) { imp.Put[1].Message.RFCID = x }),
			listed(func(x string) inbox.MessageQuery { return inbox.MessageQuery{Inbox: "a", RFCIDs: []string{x}} })},
		{"rejected", put(func(imp *inbox.Import, x string) {
			imp.Reject = []inbox.Rejected{{Remote: provider.RemoteID("r" + x), Thread: "t", Received: at(1)}}
		}), func(x string) (int, error) { return seen("r" + x) }},
		{"queued", put(func(imp *inbox.Import, x string) {
			imp.Queue = []inbox.Queued{{Remote: provider.RemoteID("q" + x), Thread: "t", Received: at(1), NotBefore: at(1)}}
		}), func(x string) (int, error) { return seen("q" + x) }},
		{"known thread", put(func(imp *inbox.Import, x string) {
			imp.Threads = []inbox.Thread{{ID: inbox.ThreadID(x), Opened: at(1)}}
		}),
			func(x string) (int, error) { return size(s.Threads(ctx, "a", []inbox.ThreadID{inbox.ThreadID(x)})) }},
	}
}

func foreignWritings(b *inboxes) []writing {
	ctx, s := b.Context(), b.s
	n := 0
	return []writing{
		{"inbox", func(x string) error {
			_, err := s.CreateInbox(ctx, mailbox(inbox.ID(x)), happened(fmt.Sprintf("for inbox %x", x)))
			return err
		}, func(x string) (int, error) {
			in, err := s.Inbox(ctx, inbox.ID(x))
			return when(string(in.ID) == x, err)
		}},
		{"account of an inbox", func(x string) error {
			in, err := s.Inbox(ctx, "a")
			ok(b, "inbox", err)
			in.Account.ID = x
			_, err = s.UpdateInbox(ctx, in, []inbox.Change{{Kind: inbox.ChangeAccess, At: at(1)}})
			return err
		}, func(x string) (int, error) {
			in, err := s.Inbox(ctx, "a")
			return when(in.Account.ID == x, err)
		}},
		{"company", func(x string) error {
			co := inbox.Company{Site: "a", ID: inbox.CompanyID(x), Name: "x"}
			_, err := s.SaveCompany(ctx, co, happened(fmt.Sprintf("for company %x", x)))
			return err
		}, func(x string) (int, error) {
			c, err := s.Company(ctx, "a", inbox.CompanyID(x))
			return when(string(c.ID) == x, err)
		}},
		{"customer, behind another", func(x string) error {
			n++
			right := customer(inbox.CustomerID(fmt.Sprint(n)), fmt.Sprint(n, "@example.com"))
			odd := customer(inbox.CustomerID(x), fmt.Sprintf("%x@example.com", x))
			right.Site, odd.Site = "a", "a"
			_, err := s.SaveCustomers(ctx, []inbox.Customer{right, odd})
			return err
		}, func(x string) (int, error) {
			c, err := s.Customer(ctx, "a", inbox.CustomerID(x))
			return when(string(c.ID) == x, err)
		}},
		{"event", func(x string) error { return s.SaveEvents(ctx, happened(x)) }, func(x string) (int, error) {
			return when(slices.Contains(eventIDs(events(b)), x), nil)
		}},
	}
}
