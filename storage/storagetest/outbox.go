package storagetest

import (
	"fmt"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
)

var outboxChecks = []check[inbox.Store]{
	{"Outbox/RoundTrip", checkEventRoundTrip},
	{"Outbox/AtLeastOnce", checkAtLeastOnce},
	{"Outbox/RetryHides", checkRetryHides},
	{"Outbox/ByID", checkEventOrder},
	{"Outbox/WrittenWithItsCause", checkWrittenWithCause},
}

func saveEvents(b *inboxes, ev ...inbox.Event) {
	b.Helper()
	ok(b, "save events", b.s.SaveEvents(b.Context(), ev...))
}

func eventIDs(list []inbox.Due) []string {
	return mapped(list, func(d inbox.Due) string { return d.ID })
}

func checkEventRoundTrip(b *inboxes) {
	want := full[inbox.Event]("event")
	saveEvents(b, want, happened("z"))
	got := events(b)
	equal(b, "events", got, []inbox.Due{{Event: want}, {Event: happened("z")}})
}

func checkAtLeastOnce(b *inboxes) {
	saveEvents(b, happened("e-1"), happened("e-2"))
	for range 3 {
		equal(b, "events until they are done", eventIDs(events(b)), []string{"e-1", "e-2"})
	}
	ok(b, "done", b.s.DoneEvent(b.Context(), "e-1"))
	ok(b, "done with an event that is done", b.s.DoneEvent(b.Context(), "e-1"))
	ok(b, "done with an event that never was", b.s.DoneEvent(b.Context(), "E-2"))
	equal(b, "events after one is done", eventIDs(events(b)), []string{"e-2"})
}

func checkRetryHides(b *inboxes) {
	saveEvents(b, happened("e-1"), happened("e-2"))
	ok(b, "retry", b.s.RetryEvent(b.Context(), "e-1", []acl.UserID{"ann"}, at(10)))
	for n, want := range map[int][]string{9: {"e-2"}, 10: {"e-1", "e-2"}} {
		due := collect(b, "events", b.s.DueEvents(b.Context(), at(n), 0))
		equal(b, fmt.Sprintf("events due %d minutes on, one hidden for ten", n), eventIDs(due), want)
	}
	ok(b, "retry", b.s.RetryEvent(b.Context(), "e-1", []acl.UserID{"ann", "bob"}, at(20)))
	equal(b, "events after two retries of one", events(b), []inbox.Due{
		{Event: happened("e-1"), Attempts: 2, Done: []acl.UserID{"ann", "bob"}},
		{Event: happened("e-2")},
	})
}

func checkEventOrder(b *inboxes) {
	for _, id := range []string{"b", "ä", "B", "a", "Z"} {
		saveEvents(b, happened(id))
	}
	ok(b, "retry", b.s.RetryEvent(b.Context(), "a", nil, at(10)))
	want := []string{"B", "Z", "b", "ä"}
	for limit := 0; limit <= len(want)+1; limit++ {
		got := collect(b, "events", b.s.DueEvents(b.Context(), at(5), limit))
		cut := want
		if limit > 0 && limit < len(want) {
			cut = want[:limit]
		}
		equal(b, fmt.Sprintf("due events by ID with limit %d", limit), eventIDs(got), cut)
	}
}

// checkWrittenWithCause does every write that brings events, once refused and once not.
func checkWrittenWithCause(b *inboxes) {
	ctx := b.Context()
	create(b, mailbox("taken"))
	stale := mailbox("taken")
	stale.Version = 9
	staleCompany, staleCustomer := company("co-1"), customer("cu-1", "cleo@example.com")
	staleCompany.Version, staleCustomer.Version = 9, 9
	want := []string{}
	for i, c := range []struct {
		what   string
		refuse func(ev ...inbox.Event) error
		is     error
		do     func(ev ...inbox.Event) error
	}{
		{"CreateInbox", func(ev ...inbox.Event) error {
			_, err := b.s.CreateInbox(ctx, mailbox("taken"), ev...)
			return err
		}, storage.ErrExists, func(ev ...inbox.Event) error {
			_, err := b.s.CreateInbox(ctx, mailbox("new"), ev...)
			return err
		}},
		{"UpdateInbox", func(ev ...inbox.Event) error {
			_, err := b.s.UpdateInbox(ctx, stale, nil, ev...)
			return err
		}, storage.ErrConflict, func(ev ...inbox.Event) error {
			in := mailbox("taken")
			in.Version = 1
			_, err := b.s.UpdateInbox(ctx, in, nil, ev...)
			return err
		}},
		{"Commit", func(ev ...inbox.Event) error {
			_, err := b.s.Commit(ctx,
				inbox.Import{State: inbox.SyncState{Inbox: "taken", Version: 9}}, ev...)
			return err
		}, storage.ErrConflict, func(ev ...inbox.Event) error {
			_, err := b.s.Commit(ctx, inbox.Import{State: inbox.SyncState{Inbox: "taken"}}, ev...)
			return err
		}},
		{"SaveCompany", func(ev ...inbox.Event) error {
			_, err := b.s.SaveCompany(ctx, staleCompany, ev...)
			return err
		}, storage.ErrConflict, func(ev ...inbox.Event) error {
			_, err := b.s.SaveCompany(ctx, company("co-1"), ev...)
			return err
		}},
		{"SaveCustomers", func(ev ...inbox.Event) error {
			_, err := b.s.SaveCustomers(ctx, []inbox.Customer{staleCustomer}, ev...)
			return err
		}, storage.ErrConflict, func(ev ...inbox.Event) error {
			_, err := b.s.SaveCustomers(ctx, []inbox.Customer{customer("cu-1", "cleo@example.com")}, ev...)
			return err
		}},
	} {
		first, second := fmt.Sprintf("e-%d-a", i), fmt.Sprintf("e-%d-b", i)
		refused(b, c.what, c.refuse(happened(first), happened(second)), c.is)
		equal(b, "events after a refused "+c.what, eventIDs(events(b)), want)
		ok(b, c.what, c.do(happened(first), happened(second)))
		want = append(want, first, second)
		equal(b, "events after a "+c.what, eventIDs(events(b)), want)
	}
}
