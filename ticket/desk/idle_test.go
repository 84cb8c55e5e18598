package desk_test

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/ticket/desk"
)

// asked notes when mailboxes were asked for changes.
type asked struct {
	mu   sync.Mutex
	at   map[time.Duration]int // by slot of time since from
	by   map[string]int        // by account
	from time.Time
	slot time.Duration
}

func (a *asked) forget() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.at, a.by, a.from = make(map[time.Duration]int), make(map[string]int), time.Now()
}

// told returns what was noted.
func (a *asked) told() (bySlot map[time.Duration]int, byAccount map[string]int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return maps.Clone(a.at), maps.Clone(a.by)
}

func (a *asked) watch(account *fake.Account) {
	account.BeforeCall(func(op fake.Op, _ int) error {
		if op != fake.OpChanges {
			return nil
		}
		a.mu.Lock()
		defer a.mu.Unlock()
		a.at[time.Since(a.from)/a.slot]++
		a.by[account.Address()]++
		return nil
	})
}

// Inboxes that were all looked at together when Run began are asked at all moments of a period after a
// few, each as often as it should be: none of the twelve slots of a period gets more than three times
// its share of the inboxes.
func TestIdleInboxesAreNeverInStep(t *testing.T) {
	t.Parallel()
	const inboxes, share = 120, 10
	for _, row := range []struct {
		name   string
		quiet  func(*fake.Account)
		period time.Duration
		share  bool
	}{
		{"pushed", mute, 5 * time.Minute, false},
		{"polled", deaf, time.Minute, false},
		{"pushed, shared by leases", mute, 5 * time.Minute, true},
		{"polled, shared by leases", deaf, time.Minute, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			bubble(t, func(c *desk.Config) {
				if row.share {
					c.Leases = c.Store.(desk.Leases)
				}
			}, func(t *testing.T, w *world) {
				w.stop()
				calls := &asked{slot: row.period / (inboxes / share)}
				calls.forget()
				for i := range inboxes {
					account, _ := w.open(fmt.Sprintf("me-%03d@firm.example", i))
					row.quiet(account)
					calls.watch(account)
				}
				w.run()
				_, begun := calls.told()
				require.Len(t, begun, inboxes, "all are looked at when Run begins")
				after(2*row.period + 5*time.Minute)
				calls.forget()
				const long = 30 * time.Minute
				after(long)
				bySlot, byAccount := calls.told()
				require.Len(t, byAccount, inboxes)
				for account, n := range byAccount {
					require.InDelta(t, long/row.period, n, 1, "looks at %s in %v", account, long)
				}
				for slot, n := range bySlot {
					require.LessOrEqual(t, n, 3*share, "looks in the %dth %v", slot, calls.slot)
				}
			})
		})
	}
}

// enrolled counts the tasks that a process makes known again and again, and can take one away.
type enrolled struct {
	desk.Leases
	mu   sync.Mutex
	n    int
	take bool
	lost inbox.ID
}

func (e *enrolled) Enroll(ctx context.Context, tasks ...desk.Task) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(tasks) > 0 && tasks[0].Kind == desk.TaskStep {
		e.n += len(tasks)
	}
	return e.Leases.Enroll(ctx, tasks...)
}

func (e *enrolled) count() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.n
}

// loseOne has a task taken away, and returns its inbox.
func (e *enrolled) loseOne() inbox.ID {
	e.mu.Lock()
	e.take = true
	e.mu.Unlock()
	after(2 * time.Minute)
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.lost
}

// Claim retires the first task it is to take away, as another process does that does not know that the
// inbox is back.
func (e *enrolled) Claim(
	ctx context.Context, kind desk.TaskKind, owner string, n int, hold time.Duration,
) ([]desk.Lease, error) {
	all, err := e.Leases.Claim(ctx, kind, owner, n, hold)
	e.mu.Lock()
	defer e.mu.Unlock()
	if kind != desk.TaskStep || !e.take || len(all) == 0 || err != nil {
		return all, err
	}
	e.take, e.lost = false, all[0].Inbox
	return all[1:], e.Leases.Retire(ctx, all[0])
}

func TestKnownInboxesAreSeldomEnrolled(t *testing.T) {
	t.Parallel()
	leases := &enrolled{}
	bubble(t, func(c *desk.Config) {
		leases.Leases = c.Store.(desk.Leases)
		c.Leases = leases
	}, func(t *testing.T, w *world) {
		for i := range 20 {
			w.open(fmt.Sprintf("me-%02d@firm.example", i), deaf)
		}
		after(10 * time.Minute)
		before := leases.count()
		after(time.Hour)
		require.Equal(t, 6*20, leases.count()-before, "tasks enrolled in an hour: all of them every tenth minute")

		id := leases.loseOne()
		synced, err := w.store.SyncState(t.Context(), id)
		require.NoError(t, err)
		after(12 * time.Minute)
		later, err := w.store.SyncState(t.Context(), id)
		require.NoError(t, err)
		require.True(t, later.LastSync.After(synced.LastSync), "what was taken away is looked at again")
	})
}
