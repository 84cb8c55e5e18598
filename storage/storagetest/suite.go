// Package storagetest holds the promises of the store interfaces as checks that anybody's store can
// run. A store of your own is right when this passes:
//
//		func TestStore(t *testing.T) {
//			storagetest.Inboxes(t, func(t *testing.T) inbox.Store { return mystore.Open(t.TempDir()) })
//		}
//
//	 1. The function given opens an empty store. Each check gets a store of its own and runs in
//	    parallel with the others; what the store needs closed is closed with t.Cleanup.
//	 2. There are no flags: a store that cannot keep a promise fails its check.
//	 3. Names of checks are stable. They are how the contract is spoken of, and "go test -run
//	    TestStore/Commit/StaleState" runs one alone.
//	 4. A check asserts only what a comment of the interfaces promises. It reads no clock, and its
//	    data is made up.
//	 5. The checks are themselves tested: for every one there is a store that breaks its promise, and
//	    the check must notice.
package storagetest

import (
	"context"
	"errors"
	"iter"
	"testing"
	"time"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/ticket"
)

// T is what a check needs of the test it runs in. *testing.T has it; something else that has it can
// watch a check fail. Fatalf must not return.
type T interface {
	Helper()
	Context() context.Context
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// Inboxes checks a store against inbox.Store.
func Inboxes(t *testing.T, open func(t *testing.T) inbox.Store) { runAll(t, inboxChecks, open) }

// InboxChecks returns the names of the checks of Inboxes, in the order they run.
func InboxChecks() []string { return names(inboxChecks) }

// InboxCheck runs one check of Inboxes on an empty store.
func InboxCheck(t T, name string, s inbox.Store) { runOne(t, inboxChecks, name, s) }

// Tickets checks a store against ticket.Store.
func Tickets(t *testing.T, open func(t *testing.T) ticket.Store) { runAll(t, ticketChecks, open) }

// TicketChecks returns the names of the checks of Tickets, in the order they run.
func TicketChecks() []string { return names(ticketChecks) }

// TicketCheck runs one check of Tickets on an empty store. What the store keeps as inbox.Outbox, if
// it is one, is checked with it.
func TicketCheck(t T, name string, s ticket.Store) { runOne(t, ticketChecks, name, s) }

// Vault checks a store against inbox.Vault.
func Vault(t *testing.T, open func(t *testing.T) inbox.Vault) { runAll(t, vaultChecks, open) }

// VaultChecks returns the names of the checks of Vault, in the order they run.
func VaultChecks() []string { return names(vaultChecks) }

// VaultCheck runs one check of Vault on an empty store.
func VaultCheck(t T, name string, s inbox.Vault) { runOne(t, vaultChecks, name, s) }

// Blobs checks a store against inbox.Blobs.
func Blobs(t *testing.T, open func(t *testing.T) inbox.Blobs) { runAll(t, blobChecks, open) }

// BlobChecks returns the names of the checks of Blobs, in the order they run.
func BlobChecks() []string { return names(blobChecks) }

// BlobCheck runs one check of Blobs on an empty store.
func BlobCheck(t T, name string, s inbox.Blobs) { runOne(t, blobChecks, name, s) }

// check is one promise.
type check[S any] struct {
	name string
	run  func(b *bench[S])
}

// bench is what a check works with: the test and the store.
type bench[S any] struct {
	T
	s S
}

func runAll[S any](t *testing.T, checks []check[S], open func(t *testing.T) S) {
	for _, c := range checks {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.run(&bench[S]{t, open(t)})
		})
	}
}

func runOne[S any](t T, checks []check[S], name string, s S) {
	t.Helper()
	for _, c := range checks {
		if c.name == name {
			c.run(&bench[S]{t, s})
			return
		}
	}
	t.Fatalf("there is no check %q", name)
}

func names[S any](checks []check[S]) []string {
	list := make([]string, len(checks))
	for i, c := range checks {
		list[i] = c.name
	}
	return list
}

// ok ends the check when what should work does not.
func ok(t T, doing string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: got %v, want no error", doing, err)
	}
}

// refused notes a call that should have failed with want.
func refused(t T, doing string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: got error %v, want one that is %q", doing, err, want)
	}
}

// collect reads a list to its end. An error ends the check, and so does a list that goes on behind
// its error.
func collect[V any](t T, doing string, seq iter.Seq2[V, error]) []V {
	t.Helper()
	var all []V
	var failed error
	for v, err := range seq {
		if failed != nil {
			t.Fatalf("%s: the list went on behind its error %v", doing, failed)
		}
		if err == nil {
			all = append(all, v)
		}
		failed = err
	}
	ok(t, doing, failed)
	return all
}

// patience is how long a check waits for a call that should return at once. Only a store that
// hangs makes it wait, and a right one on a busy machine must not look like that.
const patience = 5 * time.Minute

// within runs f and ends the check when it hangs, as a write inside a list does on a store that
// keeps a lock, a transaction or its only connection while it yields.
func within(t T, doing string, f func(ctx context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- f(ctx) }()
	select {
	case err := <-done:
		ok(t, doing, err)
	case <-ctx.Done():
		t.Fatalf("%s: got no answer for %v, want one at once", doing, patience)
	}
}
