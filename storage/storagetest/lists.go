package storagetest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
)

var listChecks = []check[inbox.Store]{
	{"Lists/CancelledContext", func(b *inboxes) { checkCancelled(b, inboxLists(b)) }},
	{"Lists/BreakReleases", func(b *inboxes) { checkBreak(b, inboxLists(b)) }},
	{"Lists/LongOnes", checkLongLists},
	{"Inboxes/WriteWhileReading", func(b *inboxes) { checkWriteWhileReading(b, inboxLists(b)) }},
}

// listing is one list of a store with at least three values in it, and a write that touches the
// value at hand.
type listing struct {
	what  string
	all   func(ctx context.Context) iter.Seq2[any, error]
	write func(ctx context.Context, v any) error
}

func listOf[V any](
	what string, all func(ctx context.Context) iter.Seq2[V, error],
	write func(ctx context.Context, v V) error,
) listing {
	return listing{
		what: what,
		all: func(ctx context.Context) iter.Seq2[any, error] {
			return func(yield func(any, error) bool) {
				for v, err := range all(ctx) {
					if !yield(v, err) {
						return
					}
				}
			}
		},
		write: func(ctx context.Context, v any) error { return write(ctx, v.(V)) },
	}
}

// checkCancelled demands that a list with an ended context yields the context's error and no more.
func checkCancelled[S any](b *bench[S], lists []listing) {
	for _, l := range lists {
		ctx, cancel := context.WithCancel(b.Context())
		cancel()
		values, failed := drain(l.all(ctx), func() {})
		if values != 0 || !errors.Is(failed, context.Canceled) {
			b.Errorf("%s with a cancelled context: got %d values and error %v, want none and %v",
				l.what, values, failed, context.Canceled)
		}
		ctx, cancel = context.WithCancel(b.Context())
		values, failed = drain(l.all(ctx), cancel)
		cancel()
		if values != 1 || !errors.Is(failed, context.Canceled) {
			b.Errorf("%s cancelled at its first value: got %d values and error %v, want 1 and %v",
				l.what, values, failed, context.Canceled)
		}
	}
}

// drain reads a list to its end and calls first at its first value. An error is to be the last pair;
// values behind it are counted too.
func drain(all iter.Seq2[any, error], first func()) (values int, failed error) {
	for _, err := range all {
		if err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		if values++; values == 1 {
			first()
		}
	}
	return values, failed
}

// checkBreak breaks out of each list more often than a pool has connections, and then writes.
func checkBreak[S any](b *bench[S], lists []listing) {
	for _, l := range lists {
		var held any
		for i := range 30 {
			within(b, fmt.Sprintf("break out of %s the %dth time", l.what, i+1),
				func(ctx context.Context) error {
					for v, err := range l.all(ctx) {
						held = v
						return err
					}
					return errors.New("nothing in the list")
				})
		}
		within(b, "write after breaking out of "+l.what,
			func(ctx context.Context) error { return l.write(ctx, held) })
	}
}

// checkWriteWhileReading writes to each value while the list stands at it.
func checkWriteWhileReading[S any](b *bench[S], lists []listing) {
	for _, l := range lists {
		want, err := drain(l.all(b.Context()), func() {})
		ok(b, l.what, err)
		got := 0
		for v, err := range l.all(b.Context()) {
			ok(b, l.what, err)
			got++
			within(b, "write inside "+l.what,
				func(ctx context.Context) error { return l.write(ctx, v) })
		}
		if want < 3 || got != want {
			b.Errorf("%s with writes inside: got %d values, want %d, at least 3", l.what, got, want)
		}
	}
}

// long is more values than a store reads at once.
const long = 600

// checkLongLists reads lists of many values that differ in their ids alone.
func checkLongLists(b *inboxes) {
	var imp inbox.Import
	var cs []inbox.Customer
	var ev []inbox.Event
	want := make([]string, long)
	create(b, mailbox("in-1"))
	for i := range want {
		want[i] = fmt.Sprintf("%04d", i)
		imp.Put = append(imp.Put, mail("in-1", want[i], 1))
		imp.Queue = append(imp.Queue, waiting(provider.RemoteID(want[i]), 1))
		cs = append(cs, customer(inbox.CustomerID(want[i]), want[i]+"@example.com"))
		ev = append(ev, happened(want[i]))
	}
	commit(b, "in-1", imp)
	saveCustomers(b, cs...)
	saveEvents(b, ev...)
	log := collect(b, "log", b.s.Log(b.Context(), "in-1", 0))
	equal(b, "long log", mapped(log, func(c inbox.Change) string { return string(c.Message) }), want)
	queue := collect(b, "queue", b.s.Queue(b.Context(), inbox.QueueQuery{Inbox: "in-1"}))
	equal(b, "long queue", mapped(queue, func(q inbox.Queued) string { return string(q.Remote) }), want)
	known := collect(b, "customers", b.s.Customers(b.Context(), inbox.CustomerQuery{Site: acme}))
	equal(b, "many customers", mapped(known, func(c inbox.Customer) string { return string(c.ID) }), want)
	equal(b, "many events", eventIDs(events(b)), want)
	slices.Reverse(want)
	for limit, n := range map[int]int{0: long, long - 1: long - 1} {
		got := mapped(listed(b, inbox.MessageQuery{Limit: limit}), func(id inbox.MessageID) string {
			return string(id)
		})
		equal(b, fmt.Sprintf("many messages with limit %d", limit), got, want[:n])
	}
}

// inboxLists fills the store and returns its lists.
func inboxLists(b *inboxes) []listing {
	b.Helper()
	var imp inbox.Import
	for i := range 3 {
		id := fmt.Sprintf("id-%d", i)
		create(b, mailbox(inbox.ID(id)))
		saveCompany(b, company(inbox.CompanyID(id)))
		saveCustomers(b, customer(inbox.CustomerID(id), id+"@example.com"))
		saveEvents(b, happened(id))
		imp.Put = append(imp.Put, mail("id-0", id, i))
		imp.Queue = append(imp.Queue, waiting("queued "+imp.Put[i].Message.Remote, i))
		run := inbox.Run{ID: id, Inbox: "id-0", Started: at(i)}
		commit(b, "id-0", inbox.Import{Run: &run})
	}
	commit(b, "id-0", imp)
	return slices.Concat(listsOfRows(b.s), listsOfMail(b.s))
}

// listsOfRows returns the lists of inboxes, clients and events.
func listsOfRows(s inbox.Store) []listing {
	return []listing{
		listOf("Inboxes", func(ctx context.Context) iter.Seq2[inbox.Inbox, error] {
			return s.Inboxes(ctx, inbox.Query{Site: acme})
		}, func(ctx context.Context, in inbox.Inbox) error {
			_, err := s.UpdateInbox(ctx, in, nil)
			return err
		}),
		listOf("Companies", func(ctx context.Context) iter.Seq2[inbox.Company, error] {
			return s.Companies(ctx, inbox.CompanyQuery{Site: acme})
		}, func(ctx context.Context, c inbox.Company) error {
			_, err := s.SaveCompany(ctx, c)
			return err
		}),
		listOf("Customers", func(ctx context.Context) iter.Seq2[inbox.Customer, error] {
			return s.Customers(ctx, inbox.CustomerQuery{Site: acme})
		}, func(ctx context.Context, c inbox.Customer) error {
			_, err := s.SaveCustomers(ctx, []inbox.Customer{c})
			return err
		}),
		listOf("DueEvents", func(ctx context.Context) iter.Seq2[inbox.Due, error] {
			return s.DueEvents(ctx, at(100), 0)
		}, func(ctx context.Context, d inbox.Due) error {
			return s.RetryEvent(ctx, d.ID, nil, at(200))
		}),
	}
}

// listsOfMail returns the lists of what hangs on the inbox id-0.
func listsOfMail(s inbox.Store) []listing {
	change := func(ctx context.Context, imp inbox.Import) error {
		st, err := s.SyncState(ctx, "id-0")
		if err != nil {
			return err
		}
		st.Inbox, imp.State = "id-0", st
		_, err = s.Commit(ctx, imp)
		return err
	}
	yes := true
	return []listing{
		listOf("Messages", func(ctx context.Context) iter.Seq2[inbox.Message, error] {
			return s.Messages(ctx, inbox.MessageQuery{Inbox: "id-0"})
		}, func(ctx context.Context, m inbox.Message) error {
			return change(ctx, inbox.Import{Changed: []inbox.MessageChange{{ID: m.ID, Unread: &yes}}})
		}),
		listOf("Runs", func(ctx context.Context) iter.Seq2[inbox.Run, error] {
			return s.Runs(ctx, "id-0", 0)
		}, func(ctx context.Context, r inbox.Run) error {
			return change(ctx, inbox.Import{Run: &r})
		}),
		listOf("Queue", func(ctx context.Context) iter.Seq2[inbox.Queued, error] {
			return s.Queue(ctx, inbox.QueueQuery{Inbox: "id-0", Due: at(100)})
		}, func(ctx context.Context, q inbox.Queued) error {
			q.NotBefore = at(200)
			return change(ctx, inbox.Import{Queue: []inbox.Queued{q}})
		}),
		listOf("Log", func(ctx context.Context) iter.Seq2[inbox.Change, error] {
			return s.Log(ctx, "id-0", 0)
		}, func(ctx context.Context, _ inbox.Change) error {
			return change(ctx, inbox.Import{})
		}),
	}
}
