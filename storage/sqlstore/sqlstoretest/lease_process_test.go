//go:build unix

package sqlstoretest_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage/sqlstore"
	"github.com/workinbox/workinbox/ticket"
)

// Three processes share the inboxes of one database while mail comes in. One after the other is
// killed, in the middle of whatever it does, and another started: in the end every inbox has all of
// its mail once, in one ticket each. WORKINBOX_CRASH_ROUNDS and WORKINBOX_CRASH_SEED say how often
// and from which seed.
func TestKilledWorkersLoseNothing(t *testing.T) {
	t.Parallel()
	onEach(t, killWorkers)
}

func killWorkers(t *testing.T, d sqlstore.Dialect) {
	const inboxes, workers = 12, 3
	rounds, seed := envInt("WORKINBOX_CRASH_ROUNDS", 5), uint64(envInt("WORKINBOX_CRASH_SEED", 1))
	r := rand.New(rand.NewPCG(seed, 7))
	f := newFleet(t, d, inboxes)
	for i := range inboxes {
		for range 30 {
			f.deliver(i)
		}
	}
	f.mail.ResetStats()
	var running []*worker
	for range workers {
		running = append(running, f.job.start(t))
	}
	for range rounds {
		for range 25 {
			f.deliver(r.IntN(inboxes))
		}
		f.someWork(t, 5+r.IntN(80))
		n := r.IntN(workers)
		running[n].kill(t)
		running[n] = f.job.start(t)
	}
	f.caughtUp(t)
	t.Logf("%d kills: all %d mails of %d inboxes are there", rounds, f.n, inboxes)

	// One more dies with little to do and is not replaced: what is left is the time of its leases.
	for i := range inboxes {
		f.deliver(i)
	}
	f.someWork(t, 6)
	running[0].kill(t)
	began := time.Now()
	f.caughtUp(t)
	t.Logf("a death with %d inboxes to do cost %v", inboxes, time.Since(began).Round(time.Millisecond))
	for _, w := range running[1:] {
		w.end(t)
	}
	for i, id := range f.ids {
		f.check(t, i, id)
	}
	// How much of that was in vain says nothing here, since a slow machine makes the living lose their
	// leases too. inbox.TestTwoWorkersOnOneInboxWasteOnePage has the promise.
	t.Logf("%d mails were asked for %d times", f.n, f.mail.Stats().Requests["messages.get"])
}

// someWork waits until the workers have asked the server for n more things.
func (f *fleet) someWork(t *testing.T, n int) {
	t.Helper()
	until := f.asked() + n
	await(t, "the workers work", func() bool { return f.asked() >= until })
}

func (f *fleet) asked() (n int) {
	for _, count := range f.mail.Stats().Requests {
		n += count
	}
	return n
}

// caughtUp waits until every mail is in a ticket.
func (f *fleet) caughtUp(t *testing.T) {
	t.Helper()
	left := slices.Clone(f.ids)
	await(t, fmt.Sprint("the mail of ", len(left), " inboxes is in tickets"), func() bool {
		left = slices.DeleteFunc(left, func(id inbox.ID) bool {
			want := len(f.accounts[slices.Index(f.ids, id)].Messages())
			n := 0
			for _, err := range f.web.store.Tickets(t.Context(), ticket.Query{Inboxes: []inbox.ID{id}, AllHidden: true}) {
				require.NoError(t, err)
				n++
			}
			return n >= want
		})
		return len(left) == 0
	})
}

// check holds an inbox against its mailbox: nothing lost, nothing twice.
func (f *fleet) check(t *testing.T, i int, id inbox.ID) {
	t.Helper()
	want := make(map[string]bool)
	for _, m := range f.accounts[i].Messages() {
		want[m.ID] = true
	}
	remote := make(map[inbox.MessageID]string)
	stored := make(map[string]bool)
	for m, err := range f.web.store.Messages(t.Context(), inbox.MessageQuery{Inbox: id, Hidden: true}) {
		require.NoError(t, err)
		require.False(t, stored[string(m.Remote)], "inbox %d: message %q is stored twice", i, m.Remote)
		require.Empty(t, m.CopyOf, "inbox %d", i)
		stored[string(m.Remote)], remote[m.ID] = true, string(m.Remote)
		b, err := f.web.blobs.OpenBlob(t.Context(), m.Blob)
		require.NoError(t, err)
		require.NoError(t, b.Close())
	}
	require.Equal(t, want, stored, "inbox %d: messages", i)
	ledger := 0
	for run, err := range f.web.store.Runs(t.Context(), id, 0) {
		require.NoError(t, err)
		require.NoError(t, run.Balance())
		ledger += run.Stored
	}
	require.Equal(t, len(want), ledger, "inbox %d: what the runs say they stored", i)
	entered := make(map[inbox.MessageID]bool)
	for e, err := range f.web.store.Entries(t.Context(), ticket.EntryQuery{Inbox: id}) {
		require.NoError(t, err)
		if e.Message != "" {
			require.False(t, entered[e.Message], "inbox %d: message %q is in its ticket twice", i, remote[e.Message])
			entered[e.Message] = true
		}
	}
	require.Len(t, entered, len(want), "inbox %d: mails in tickets", i)
	in, err := f.web.store.Inbox(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, inbox.StateActive, in.State, "inbox %d", i)
}
