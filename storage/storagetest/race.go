package storagetest

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
)

var raceChecks = []check[inbox.Store]{
	{"Concurrency/ConflictExactlyOneWins", checkInboxRaces},
	{"Concurrency/AddressExactlyOneWins", checkAddressRace},
	{"Concurrency/EnsureMakesOne", checkEnsureRace},
	{"Concurrency/ReadersSeeWholeCommits", checkReaders},
}

// writers is how many write at once where one may win.
const writers = 16

// race lets all write at the same moment. Exactly one must win, the others must fail with lost.
func race(t T, what string, lost error, write func(ctx context.Context, i int) error) (winner int) {
	t.Helper()
	var ready, done sync.WaitGroup
	start, errs := make(chan struct{}), make([]error, writers)
	for i := range writers {
		ready.Add(1)
		done.Go(func() {
			ready.Done()
			<-start
			errs[i] = write(t.Context(), i)
		})
	}
	ready.Wait()
	close(start)
	done.Wait()
	winner = -1
	won := 0
	for i, err := range errs {
		switch {
		case err == nil:
			winner = i
			won++
		case !errors.Is(err, lost):
			t.Errorf("%s, writer %d of %d: got %v, want one winner and %q for the others",
				what, i, writers, err, lost)
		}
	}
	if won != 1 {
		t.Errorf("%s by %d writers at once: got %d winners, want 1", what, writers, won)
	}
	return winner
}

func checkInboxRaces(b *inboxes) {
	in := create(b, mailbox("in-1"))
	co := saveCompany(b, company("co-1"))
	cu := saveCustomers(b, customer("cu-1", "cleo@example.com"))[0]
	name := func(i int) string { return fmt.Sprint("writer ", i) }

	winner := race(b, "UpdateInbox", storage.ErrConflict, func(ctx context.Context, i int) error {
		mine := in
		mine.Name = name(i)
		_, err := b.s.UpdateInbox(ctx, mine, []inbox.Change{{Kind: inbox.ChangeAccess, At: at(i)}},
			happened("update by "+name(i)))
		return err
	})
	got := look(b, "in-1", nil, nil)
	if got.Inbox.Name != name(winner) || len(got.Log) != 1 || len(got.Events) != 1 ||
		got.Inbox.Version != 2 {
		b.Errorf("inbox after a race: got %+v, want what writer %d wrote, once", got, winner)
	}
	winner = race(b, "Commit", storage.ErrConflict, func(ctx context.Context, i int) error {
		_, err := b.s.Commit(ctx, inbox.Import{
			State: inbox.SyncState{Inbox: "in-1"}, Put: []inbox.Put{mail("in-1", name(i), i)},
		})
		return err
	})
	if ids := listed(b, inbox.MessageQuery{}); len(ids) != 1 || string(ids[0]) != name(winner) {
		b.Errorf("messages after a race: got %v, want that of writer %d", ids, winner)
	}
	winner = race(b, "SaveCompany", storage.ErrConflict, func(ctx context.Context, i int) error {
		mine := co
		mine.Name = name(i)
		_, err := b.s.SaveCompany(ctx, mine)
		return err
	})
	if c, err := b.s.Company(b.Context(), acme, "co-1"); err != nil || c.Name != name(winner) {
		b.Errorf("company after a race: got %+v (%v), want that of writer %d", c, err, winner)
	}
	winner = race(b, "SaveCustomers", storage.ErrConflict, func(ctx context.Context, i int) error {
		mine := cu
		mine.Name = name(i)
		_, err := b.s.SaveCustomers(ctx, []inbox.Customer{mine})
		return err
	})
	if c, err := b.s.Customer(b.Context(), acme, "cu-1"); err != nil || c.Name != name(winner) {
		b.Errorf("customer after a race: got %+v (%v), want that of writer %d", c, err, winner)
	}
}

// checkAddressRace connects one mailbox to many inboxes at once, and gives one address to many
// customers and one pattern to many companies.
func checkAddressRace(b *inboxes) {
	ins := make([]inbox.Inbox, writers)
	for i := range ins {
		ins[i] = create(b, mailbox(inbox.ID(fmt.Sprint("in-", i))))
	}
	race(b, "UpdateInbox to one address", storage.ErrExists, func(ctx context.Context, i int) error {
		_, err := b.s.UpdateInbox(ctx, connected(ins[i], "gmail", "", "ann@example.com"), nil)
		return err
	})
	race(b, "SaveCustomers with one address", storage.ErrExists, func(ctx context.Context, i int) error {
		c := customer(inbox.CustomerID(fmt.Sprint("cu-", i)), "cleo@example.com")
		_, err := b.s.SaveCustomers(ctx, []inbox.Customer{c})
		return err
	})
	race(b, "SaveCompany with one pattern", storage.ErrExists, func(ctx context.Context, i int) error {
		_, err := b.s.SaveCompany(ctx, company(inbox.CompanyID(fmt.Sprint("co-", i)), "acme.example"))
		return err
	})
}

func checkEnsureRace(b *inboxes) {
	var done sync.WaitGroup
	start, errs := make(chan struct{}), make([]error, writers)
	for i := range writers {
		done.Go(func() {
			<-start
			_, errs[i] = b.s.EnsureCustomers(b.Context(), acme, inbox.ID(fmt.Sprintf("in-%02d", i)),
				[]inbox.Known{{Address: "cleo@example.com"}}, at(1),
				func() string { return fmt.Sprint("cu-", i) })
		})
	}
	close(start)
	done.Wait()
	ok(b, "EnsureCustomers by many at once", errors.Join(errs...))
	got := collect(b, "customers", b.s.Customers(b.Context(), inbox.CustomerQuery{Site: acme}))
	if len(got) != 1 || len(got[0].KnownFrom) != writers {
		b.Errorf("customers after %d inboxes had mail of one person: got %+v, want one known from all",
			writers, got)
	}
}

// checkReaders reads while one writer stores messages two by two.
func checkReaders(b *inboxes) {
	create(b, mailbox("in-1"))
	var done sync.WaitGroup
	stop, errs := make(chan struct{}), make([]error, 4)
	for i := range errs {
		done.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				tally, err := b.s.Tally(b.Context(), "in-1")
				if err == nil && tally.Messages%2 != 0 {
					err = fmt.Errorf("tally while messages are stored two by two: got %d messages",
						tally.Messages)
				}
				if errs[i] = err; err != nil {
					return
				}
			}
		})
	}
	for i := range 20 {
		st := inbox.SyncState{Inbox: "in-1", Version: storage.Version(i)}
		_, err := b.s.Commit(b.Context(), inbox.Import{State: st, Put: []inbox.Put{
			mail("in-1", fmt.Sprint("a", i), i), mail("in-1", fmt.Sprint("b", i), i),
		}})
		if err != nil {
			b.Errorf("commit while others read: got %v, want no error", err)
			break
		}
	}
	close(stop)
	done.Wait()
	for _, err := range errs {
		if err != nil {
			b.Errorf("reader: %v", err)
		}
	}
}
