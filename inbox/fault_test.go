package inbox_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/fake"
)

// mixed fills a mailbox with what an import meets: clients, strangers, a thread opened by its older
// half, a report, a copy, a mail too big for memory, a report too big for it, and a broken one.
func mixed(w *world) {
	w.client("Acme", "acme.com")
	big := "Body line of a long mail.\r\n"
	w.mailFrom("ann@acme.com", "question", 20, "Message-ID: <q@acme.com>")
	w.account.Deliver(mailText("lawyer@law.org", "me@firm.example", "advice", "Cc: ann@acme.com",
		"References: <q@acme.com>"), fake.Delivery{Received: connected.Add(-3 * time.Hour)})
	w.mailFrom("ann@acme.com", "same", 9, "Message-ID: <s@acme.com>")
	w.mailFrom("ann@acme.com", "same", 8, "Message-ID: <s@acme.com>")
	w.mailFrom("eve@elsewhere.org", "stranger", 7)
	w.account.Deliver(append(mailText("ann@acme.com", "me@firm.example", "big"), strings.Repeat(big, 10200)...),
		fake.Delivery{Received: connected.Add(-6 * time.Hour)})
	w.account.Deliver(mailText("me@firm.example", "gone@acme.com", "hello", "Message-ID: <mine@firm.example>"),
		fake.Delivery{Received: connected.Add(-5 * time.Hour), Sent: true})
	w.account.Deliver(append(bounce("mine@firm.example", "gone@acme.com"), strings.Repeat(big, 10200)...),
		fake.Delivery{Received: connected.Add(-4 * time.Hour)})
	w.mailFrom("ann@acme.com", "too old", 24*31)
}

// mixedSubjects is what of it enters, sorted.
var mixedSubjects = []string{"Undelivered Mail Returned to Sender", "advice", "big", "hello", "question", "same", "same"}

// requireMixed checks that everything is there once and that every run ever stored balances.
func (w *world) requireMixed(id inbox.ID, why string) {
	w.t.Helper()
	got := w.stored(id)
	slices.Sort(got)
	require.Equal(w.t, mixedSubjects, got, why)
	w.requireBalanced(id, why)
	copies := 0
	for _, m := range w.messages(id) {
		if m.CopyOf != "" {
			copies++
		}
		info, err := w.store.OpenBlob(w.t.Context(), m.Blob)
		require.NoError(w.t, err, "%s: raw bytes of %q", why, m.Subject)
		require.NoError(w.t, info.Close())
	}
	require.Equal(w.t, 1, copies, why)
	in, err := w.store.Inbox(w.t.Context(), id)
	require.NoError(w.t, err)
	require.Equal(w.t, inbox.StateActive, in.State, why)
}

func (w *world) requireBalanced(id inbox.ID, why string) {
	w.t.Helper()
	for run, err := range w.store.Runs(w.t.Context(), id, 0) {
		require.NoError(w.t, err)
		require.NoError(w.t, run.Balance(), why)
	}
}

// shapes are the ways a mailbox may hand over its mail.
var shapes = map[string]struct {
	options fake.Options
	bulk    bool
	strict  bool
	first   int // the first call of the store to break, then every second
}{
	"one by one": {fake.Options{PageSize: 2}, false, false, 1},
	"in bulk":    {fake.Options{PageSize: 3, SearchOff: true}, true, false, 2},
	"with raw":   {fake.Options{PageSize: 3, RawWithHeaders: true, Sloppy: true}, false, false, 1},
	"strict":     {fake.Options{PageSize: 9, RawWithHeaders: true}, false, true, 2},
}

// settleDown syncs until nothing waits any more.
func (w *world) settleDown(id inbox.ID, why string) {
	w.t.Helper()
	for range 12 {
		_, err := w.svc.Sync(w.t.Context(), id)
		require.NoError(w.t, err, why)
		st, err := w.store.SyncState(w.t.Context(), id)
		require.NoError(w.t, err)
		if st.Queued == 0 {
			return
		}
		w.advance(7 * time.Hour)
	}
	w.t.Fatalf("%s: mail still waits", why)
}

func TestASyncSurvivesEveryFaultOfTheStore(t *testing.T) { // R-IMP-06, ARCHITECTURE: the ledger balances
	t.Parallel()
	for name, shape := range shapes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			done := false
			for n := shape.first; !done; n += 2 {
				require.Less(t, n, 300)
				var store *faulty
				w := newWorld(t, shape.options, breakable(&store), func(c *inbox.Config) { c.Strict = shape.strict })
				w.account.Bulk(shape.bulk)
				mixed(w)
				in := w.open(true, filter.Rules{})
				why := fmt.Sprintf("the store broken at call %d", n)
				store.failAt(n)
				run, err := w.svc.Sync(t.Context(), in.ID)
				done = store.called() < n
				store.onCall(nil)
				require.NoError(t, run.Balance(), why)
				w.requireBalanced(in.ID, why)
				if !done {
					require.ErrorIs(t, err, errBroken, why)
				}
				w.settleDown(in.ID, why)
				w.requireMixed(in.ID, why)
			}
		})
	}
}

func TestASyncSurvivesEveryFaultOfTheMailService(t *testing.T) { // R-CON-05, R-IMP-06
	t.Parallel()
	cancelled := errors.New("cancel the sync")
	for name, shape := range shapes {
		for _, fault := range []error{errBroken, &provider.RetryError{After: time.Minute}, provider.ErrConfig, cancelled} {
			t.Run(fmt.Sprint(name, ", ", fault), func(t *testing.T) {
				t.Parallel()
				done := false
				for n := 1; !done; n++ {
					require.Less(t, n, 100)
					w := newWorld(t, shape.options, func(c *inbox.Config) { c.Strict = shape.strict })
					w.account.Bulk(shape.bulk)
					mixed(w)
					in := w.open(true, filter.Rules{})
					w.account.ForgetCalls()
					ctx, cancel := context.WithCancel(t.Context())
					w.account.BeforeCall(func(_ fake.Op, call int) error {
						if call != n {
							return nil
						}
						if fault == cancelled {
							cancel()
							return ctx.Err()
						}
						return fault
					})
					why := fmt.Sprintf("the mail service failing at call %d", n)
					run, _ := w.svc.Sync(ctx, in.ID)
					cancel()
					done = w.account.TotalCalls() < n
					w.account.BeforeCall(nil)
					require.NoError(t, run.Balance(), why)
					w.settleDown(in.ID, why)
					w.requireMixed(in.ID, why)
					st, err := w.store.SyncState(t.Context(), in.ID)
					require.NoError(t, err)
					require.Zero(t, st.Poisoned, why)
				}
			})
		}
	}
}

func TestADeadGrantInTheMidstOfOpeningQueuesNothing(t *testing.T) { // R-CON-04
	t.Parallel()
	for name, shape := range shapes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, shape.options, func(c *inbox.Config) { c.Strict = shape.strict })
			w.account.Bulk(shape.bulk)
			mixed(w)
			in := w.open(true, filter.Rules{})
			w.account.ForgetCalls()
			w.account.BeforeCall(func(_ fake.Op, n int) error {
				if n == 3 {
					w.account.Revoke()
				}
				return nil
			})
			_, err := w.svc.Sync(t.Context(), in.ID)
			w.account.BeforeCall(nil)
			require.ErrorIs(t, err, provider.ErrAuth)
			require.NotContains(t, w.waiting(in.ID), inbox.QueueOpen, "it is no fault of the mail")
			_, err = w.consent(in.ID)
			require.NoError(t, err)
			w.settleDown(in.ID, "after the reconnect")
			w.requireMixed(in.ID, "after the reconnect")
		})
	}
}

func TestAFullDiskMovesNothingOn(t *testing.T) { // ARCHITECTURE: the cursor moves past what is stored
	t.Parallel()
	for _, op := range []string{"PutBlob", "SyncBlobs", "OpenBlob"} {
		t.Run(op, func(t *testing.T) {
			t.Parallel()
			var store *faulty
			w := newWorld(t, fake.Options{PageSize: 100}, breakable(&store))
			mixed(w)
			in := w.open(true, filter.Rules{})
			full := errors.New("no space left on device")
			store.onCall(func(called string, _ int) error {
				if called == op {
					return full
				}
				return nil
			})
			for range 3 {
				_, err := w.svc.Sync(t.Context(), in.ID)
				require.ErrorIs(t, err, full)
				st, err := w.store.SyncState(t.Context(), in.ID)
				require.NoError(t, err)
				require.Empty(t, st.Cursor)
				require.Zero(t, st.Queued+st.Poisoned, "it is no fault of the mail")
				w.advance(time.Hour)
			}
			store.onCall(nil)
			w.settleDown(in.ID, "with space again")
			w.requireMixed(in.ID, "with space again")
		})
	}
}

func TestBigMailFromTheQueueIsDecidedAndStored(t *testing.T) { // R-FLT-10, row 10b
	t.Parallel()
	w := newWorld(t, fake.Options{PageSize: 1})
	mixed(w)
	w.account.FailOnce(fake.OpOpen, "m6", errors.New("connection reset"))
	w.account.FailOnce(fake.OpOpen, "m8", errors.New("connection reset"))
	in := w.open(true, filter.Rules{})
	w.sync(in.ID)
	require.Equal(t, []inbox.QueueCode{inbox.QueueOpen, inbox.QueueOpen}, w.waiting(in.ID))
	w.settleDown(in.ID, "")
	w.requireMixed(in.ID, "")
}

// waiting returns why mail waits.
func (w *world) waiting(id inbox.ID) []inbox.QueueCode {
	w.t.Helper()
	var codes []inbox.QueueCode
	for q, err := range w.store.Queue(w.t.Context(), inbox.QueueQuery{Inbox: id}) {
		require.NoError(w.t, err)
		codes = append(codes, q.Code)
	}
	return codes
}
