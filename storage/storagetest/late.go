package storagetest

import (
	"fmt"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/ticket"
)

// checkLateCommit refuses a first step for what comes last in it. What an index or a count kept of it
// shows in a list that nobody looks at after a write that works.
func checkLateCommit(b *inboxes) {
	create(b, mailbox("in-1"))
	imp := everything("in-1", "x")
	m := &imp.Put[1].Message
	m.Thread, m.RFCID, m.Marker, m.Customer = "x t", "id@example.com", "mark", "cu-1"
	twice := mail("in-1", "x c", 3)
	twice.Message.Remote = m.Remote
	imp.Put = append(imp.Put, twice)
	_, err := b.s.Commit(b.Context(), based(b, "in-1", imp), happened("e-1"))
	refused(b, "commit whose last Put is there twice", err, storage.ErrExists)

	for _, hidden := range []bool{false, true} {
		for _, q := range []inbox.MessageQuery{
			{}, {Thread: m.Thread}, {RFCIDs: []string{m.RFCID}}, {Marker: m.Marker}, {Customer: m.Customer},
			{Remotes: []provider.RemoteID{m.Remote, "remote x a"}}, {After: twice.Message.Key()},
		} {
			q.Hidden = hidden
			none(b, fmt.Sprintf("messages (%+v)", q), listed(b, q))
		}
	}
	for _, id := range []inbox.MessageID{"x a", "x b", "x c"} {
		_, err := b.s.Message(b.Context(), id)
		refused(b, "read a message of a refused commit", err, storage.ErrNotFound)
		_, err = b.s.Content(b.Context(), id)
		refused(b, "read the content of a message of a refused commit", err, storage.ErrNotFound)
	}
	none(b, "items of the queue that are due", collect(b, "queue",
		b.s.Queue(b.Context(), inbox.QueueQuery{Inbox: "in-1", Due: at(100)})))
	remote, threads := namesOf("x")
	after := look(b, "in-1", remote, threads)
	none(b, "lines of the log", after.Log)
	none(b, "items of the queue", after.Queue)
	none(b, "poison", after.Poison)
	none(b, "runs", after.Runs)
	none(b, "events", after.Events)
	if len(after.Seen)+len(after.Threads)+len(after.Rejections) > 0 {
		b.Errorf("after a refused write: got %v seen, threads %v and rejections %v, want none",
			after.Seen, after.Threads, after.Rejections)
	}
	equal(b, "tally after a refused write", after.Tally, inbox.Tally{})
	equal(b, "state after a refused write", after.State, inbox.SyncState{Inbox: "in-1"})
}

// none demands that a list is empty after a refused write.
func none[V any](t T, what string, got []V) {
	t.Helper()
	if len(got) > 0 {
		t.Errorf("%s after a refused write: got %+v, want none", what, got)
	}
}

// checkLateClients refuses writes of clients for the last of them.
func checkLateClients(b *inboxes) {
	a, c := customer("cu-1", "ann@example.com", "ann@other.example"), customer("cu-2", "ann@example.com")
	a.Company, a.KnownFrom = "co-1", []inbox.ID{"in-1"}
	_, err := b.s.SaveCustomers(b.Context(), []inbox.Customer{a, c}, happened("e-1"))
	refused(b, "save two customers with one address", err, storage.ErrExists)
	stale := company("co-1", "example.com")
	stale.Version = 3
	_, err = b.s.SaveCompany(b.Context(), stale, happened("e-2"))
	refused(b, "save version 3 of a company that is not there", err, storage.ErrConflict)
	for _, q := range []inbox.CustomerQuery{
		{}, {Company: "co-1"}, {Address: "ann@example.com"}, {Address: "ann@other.example"}, {Domain: "example.com"},
		{Domain: "other.example"}, {Visible: []inbox.ID{"in-1"}}, {Visible: []inbox.ID{}},
	} {
		q.Site, q.Deleted = acme, true
		none(b, fmt.Sprintf("customers (%+v)", q), collect(b, "customers", b.s.Customers(b.Context(), q)))
	}
	none(b, "companies", collect(b, "companies",
		b.s.Companies(b.Context(), inbox.CompanyQuery{Site: acme, Deleted: true})))
	none(b, "events", events(b))
	_, version, err := b.s.Snapshot(b.Context(), acme, 0)
	ok(b, "snapshot", err)
	if version != 0 {
		b.Errorf("snapshot after refused writes: got version %d, want 0", version)
	}
}

// checkLateInbox refuses to share an inbox whose account another one has.
func checkLateInbox(b *inboxes) {
	update(b, connected(create(b, mailbox("in-1")), "gmail", "1", "ann@example.com"))
	in := connected(create(b, mailbox("in-2")), "gmail", "2", "ANN@example.com")
	in.Creator, in.State = "dora", inbox.StatePaused
	in.Grants = acl.NewGrants(acl.Grant{User: "bob", Access: acl.ReadOnly})
	_, err := b.s.UpdateInbox(b.Context(), in, []inbox.Change{{Kind: inbox.ChangeAccess, At: at(1), User: "bob"}},
		happened("e-1"))
	refused(b, "connect a mailbox that is connected", err, storage.ErrExists)
	for _, who := range []acl.UserID{"bob", "dora"} {
		scope := acl.Visible(acl.Actor{User: who, Site: string(acme), Role: acl.Agent, State: acl.Active})
		none(b, fmt.Sprintf("inboxes of %q", who), collect(b, "inboxes",
			b.s.Inboxes(b.Context(), inbox.Query{Site: acme, Scope: &scope})))
	}
	none(b, "paused inboxes", collect(b, "inboxes",
		b.s.Inboxes(b.Context(), inbox.Query{Site: acme, States: []inbox.State{inbox.StatePaused}})))
	after := look(b, "in-2", nil, nil)
	none(b, "lines of the log", after.Log)
	none(b, "events", after.Events)
}

// checkLateTickets refuses a first write for its last ticket.
func checkLateTickets(b *tickets) {
	t := open("t-1", "in-1", 1)
	t.Assignee, t.Customer, t.Company, t.Tags = "ann", "cu-1", "co-1", []string{"tag"}
	e := received("e-1", "t-1", "in-1", 1)
	e.RFCID = "id@example.com"
	out := ticket.Entry{
		ID: "e-2", Ticket: "t-1", Inbox: "in-1", Kind: ticket.EntryReplied, At: at(2),
		Outgoing: &ticket.Outgoing{State: ticket.OutgoingQueued, Marker: "mark", NotBefore: at(2)},
	}
	again := received("e-3", "t-2", "in-1", 3)
	again.Message = e.Message
	stale := open("t-3", "in-1", 3)
	stale.Version = 9
	for _, c := range []struct {
		what string
		last ticket.Write
		want error
	}{
		{"stale", ticket.Write{Ticket: stale}, storage.ErrConflict},
		{"about the same mail", ticket.Write{Ticket: open("t-2", "in-1", 2), Entries: []ticket.Entry{again}}, storage.ErrExists},
	} {
		_, err := b.s.SaveTickets(b.Context(), []ticket.Write{{Ticket: t, Entries: []ticket.Entry{e, out}}, c.last},
			happened("e-1"))
		refused(b, "save two tickets, the last one "+c.what, err, c.want)
		for _, q := range []ticket.Query{
			{}, {Site: acme}, {Inboxes: []inbox.ID{"in-1"}}, {Threads: t.Threads}, {Statuses: []ticket.Status{t.Status}},
			{Assignee: "ann"}, {Customers: []inbox.CustomerID{"cu-1"}}, {Companies: []inbox.CompanyID{"co-1"}},
			{AnyTag: []string{"tag"}}, {Number: 1}, {Deleted: true},
		} {
			q.AllHidden = true
			if q.Inboxes == nil {
				q.Site = acme
			}
			none(b, fmt.Sprintf("tickets (%+v)", q), collect(b, "tickets", b.s.Tickets(b.Context(), q)))
		}
		for _, q := range []ticket.EntryQuery{
			{}, {Ticket: "t-1"}, {Inbox: "in-1"},
			{Messages: []inbox.MessageID{e.Message}}, {RFCIDs: []string{e.RFCID}}, {Marker: "mark"},
			{Outgoing: []ticket.OutgoingState{ticket.OutgoingQueued}, Due: at(100)},
		} {
			none(b, fmt.Sprintf("entries (%+v)", q), collect(b, "entries", b.s.Entries(b.Context(), q)))
		}
		for _, id := range []ticket.ID{"t-1", "t-2", "t-3"} {
			_, err := b.s.Ticket(b.Context(), id)
			refused(b, "read a ticket of a refused write", err, storage.ErrNotFound)
		}
		if outbox, has := b.s.(inbox.Outbox); has {
			none(b, "events", collect(b, "events", outbox.DueEvents(b.Context(), at(1_000_000), 0)))
		}
	}
	if got := save(b, ticket.Write{Ticket: t, Entries: []ticket.Entry{e, out}})[0]; got.Number != 1 {
		b.Errorf("first ticket after refused ones: got number %d, want 1", got.Number)
	}
}
