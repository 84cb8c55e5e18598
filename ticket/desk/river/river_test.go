package riverdesk_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/riverqueue/river/rivertype"
	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/ticket"
	"github.com/workinbox/workinbox/ticket/desk"
	riverdesk "github.com/workinbox/workinbox/ticket/desk/river"
)

func TestImportLiveMailAndRepliesFlow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	account, id := w.open("me@firm.example")
	for i := range 23 {
		deliver(account, fmt.Sprint("offer ", i))
	}
	q := w.start(w.queue())
	w.until("the import is in tickets", func() bool { return len(w.tickets(id)) == 23 })
	deliver(account, "live")
	w.until("live mail is polled", func() bool { return len(w.tickets(id)) == 24 })

	account.FailOnce(fake.OpSend, "", &provider.RetryError{After: time.Millisecond})
	e, err := w.web.Tickets.Reply(t.Context(), w.actor("rita"), w.tickets(id)[0].ID, ticket.Reply{Text: "hello"})
	require.NoError(t, err)
	require.Equal(t, ticket.OutgoingQueued, e.Outgoing.State)
	// A minute is over.
	w.hasten(e)
	w.until("the reply is sent", func() bool { return len(account.Sends()) == 1 })

	done := w.jobs(q, id)
	require.Equal(t, int(desk.UrgencyBackfill), done[0].Priority, "of the import")
	require.Equal(t, int(desk.UrgencyLive), w.job(q, id).Priority, "of what came later")
	in, err := w.store.Inbox(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, inbox.StateActive, in.State)
}

// hasten makes a mail that waits to be tried again due.
func (w *world) hasten(e ticket.Entry) {
	w.t.Helper()
	w.until("the mail is due", func() bool {
		tk, err := w.store.Ticket(w.t.Context(), e.Ticket)
		require.NoError(w.t, err)
		for now, err := range w.store.Entries(w.t.Context(), ticket.EntryQuery{Ticket: e.Ticket}) {
			require.NoError(w.t, err)
			if now.ID == e.ID {
				o := *now.Outgoing
				o.NotBefore = time.Now().Add(-time.Second)
				now.Outgoing = &o
				_, err := w.store.SaveTickets(w.t.Context(), []ticket.Write{{Ticket: tk, Entries: []ticket.Entry{now}}})
				return err == nil
			}
		}
		return false
	})
}

// watch is a mail service that notes who reads which mailbox.
type watch struct {
	*fake.Service
	mu     sync.Mutex
	inside map[string]bool
	looks  map[string]int
	faults int
}

func (s *watch) Open(ctx context.Context, cred provider.Credential, save provider.SaveFunc) (provider.Mailbox, error) {
	m, err := s.Service.Open(ctx, cred, save)
	return &watchedMailbox{m, s, string(cred.Reveal())}, err
}

type watchedMailbox struct {
	provider.Mailbox
	s       *watch
	account string
}

func (m *watchedMailbox) Unwrap() provider.Mailbox { return m.Mailbox }

func (m *watchedMailbox) Changes(
	ctx context.Context, from provider.Cursor, w provider.Walk,
) iter.Seq2[provider.Batch, error] {
	return func(yield func(provider.Batch, error) bool) {
		m.s.mu.Lock()
		if m.s.inside[m.account] {
			m.s.faults++
		}
		m.s.inside[m.account] = true
		m.s.looks[m.account]++
		m.s.mu.Unlock()
		defer func() {
			m.s.mu.Lock()
			defer m.s.mu.Unlock()
			m.s.inside[m.account] = false
		}()
		m.Mailbox.Changes(ctx, from, w)(yield)
	}
}

func TestTwoClientsNeverRunOneInboxTwice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	seen := &watch{Service: w.mail, inside: make(map[string]bool), looks: make(map[string]int)}
	w.base.Providers = []provider.Provider{seen}
	var ids []inbox.ID
	for i := range 6 {
		account, id := w.open(fmt.Sprintf("me-%d@firm.example", i))
		account.FailAlways(fake.OpSubscribe, "", errors.ErrUnsupported)
		account.Latency(2 * time.Millisecond)
		ids = append(ids, id)
	}
	queues := []*riverdesk.Queue{w.queue(), w.queue()}
	for _, q := range queues {
		w.start(q)
	}
	ring := 0
	w.until("every inbox is looked at again and again", func() bool {
		if ring++; ring%50 == 0 {
			require.NoError(t, queues[ring/50%2].Ring(t.Context(), ids[ring/50%len(ids)]))
		}
		seen.mu.Lock()
		defer seen.mu.Unlock()
		least := 1 << 30
		for _, n := range seen.looks {
			least = min(least, n)
		}
		return len(seen.looks) == len(ids) && least >= 15 && len(w.workers(queues[0], ids)) == 2
	})
	require.Zero(t, seen.faults, "looks at a mailbox somebody else was looking at")
	for _, id := range ids {
		live := 0
		for _, job := range w.jobs(queues[0], id) {
			if job.FinalizedAt == nil {
				live++
			}
		}
		require.LessOrEqual(t, live, 1, "jobs of one inbox that have not ended")
	}
}

// workers returns who worked on the jobs of inboxes.
func (w *world) workers(q *riverdesk.Queue, ids []inbox.ID) map[string]bool {
	w.t.Helper()
	by := make(map[string]bool)
	for _, id := range ids {
		for _, job := range w.jobs(q, id) {
			for _, name := range job.AttemptedBy {
				by[name] = true
			}
		}
	}
	return by
}

func TestWhatIsMoreUrgentGoesFirst(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	one := func(c *desk.Config, rc *riverdesk.Config) { rc.Workers = 1 }
	live, liveID := w.open("live@firm.example")
	_, err := w.web.Look(t.Context(), liveID, true) // its import is done
	require.NoError(t, err)
	importing, importID := w.open("importing@firm.example")
	var mu sync.Mutex
	var order []string
	for name, a := range map[string]*fake.Account{"live": live, "import": importing} {
		a.BeforeCall(func(op fake.Op, _ int) error {
			mu.Lock()
			defer mu.Unlock()
			if op == fake.OpChanges {
				order = append(order, name)
			}
			return nil
		})
	}
	q := w.queue(one)
	_, err = q.Insert(t.Context(), riverdesk.ChoreArgs{Name: riverdesk.Enroll}, nil)
	require.NoError(t, err)
	// The one that imports comes first in every other order.
	require.NoError(t, q.Ring(t.Context(), importID))
	w.exec("UPDATE river_job SET priority = $1, scheduled_at = now() - interval '1 hour' WHERE kind = 'workinbox_look'",
		int(desk.UrgencyBackfill))
	require.NoError(t, q.Ring(t.Context(), liveID))
	w.start(q)
	w.until("both are looked at", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(order) >= 2
	})
	mu.Lock()
	defer mu.Unlock()
	require.Equal(t, "live", order[0])
	for _, c := range w.web.Chores()[:2] {
		require.Less(t, c.Urgency, desk.UrgencyLive, c.Name)
	}
}

func TestAThrottledInboxIsSnoozedForAsLongAsTheServiceSays(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	account, id := w.open("me@firm.example")
	account.FailAlways(fake.OpChanges, "", &provider.RetryError{After: 20 * time.Minute})
	q := w.start(w.queue())
	w.until("it is snoozed", func() bool {
		all := w.jobs(q, id)
		return len(all) > 0 && all[0].State == rivertype.JobStateScheduled
	})
	job := w.job(q, id)
	require.Empty(t, job.Errors)
	require.GreaterOrEqual(t, job.ScheduledAt.Sub(*job.AttemptedAt), 20*time.Minute)
	require.Less(t, job.ScheduledAt.Sub(*job.AttemptedAt), 30*time.Minute)
}

func TestADeadGrantIsNotRetried(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	account, id := w.open("me@firm.example")
	q := w.start(w.queue())
	w.until("it was looked at", func() bool { return w.state(id) == inbox.StateActive })
	account.Revoke()
	require.NoError(t, q.Ring(t.Context(), id))
	w.until("the owner must reconnect", func() bool { return w.state(id) == inbox.StateNeedsReauth })
	w.until("its job is cancelled and another follows", func() bool {
		cancelled := false
		all := w.jobs(q, id)
		for _, job := range all {
			cancelled = cancelled || job.State == rivertype.JobStateCancelled && len(job.Errors) > 0
		}
		return cancelled && w.job(q, id).FinalizedAt == nil
	})
	account.ForgetCalls()
	w.looks(q, id, 3)
	require.Zero(t, account.TotalCalls(), "calls to a mailbox whose owner must reconnect")
}

func (w *world) state(id inbox.ID) inbox.State {
	w.t.Helper()
	in, err := w.store.Inbox(w.t.Context(), id)
	require.NoError(w.t, err)
	return in.State
}

// looks waits until the inbox was looked at n times more.
func (w *world) looks(q *riverdesk.Queue, id inbox.ID, n int) {
	w.t.Helper()
	for range n {
		before := time.Now()
		w.until("it is looked at again", func() bool {
			for _, job := range w.jobs(q, id) {
				if job.AttemptedAt != nil && job.AttemptedAt.After(before) {
					return true
				}
			}
			return false
		})
	}
}

func TestAPausedInboxIsLeftAloneAndGoesOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	account, id := w.open("me@firm.example")
	q := w.start(w.queue())
	w.until("it was looked at", func() bool { return w.state(id) == inbox.StateActive })
	_, err := w.web.Inboxes.Pause(t.Context(), w.actor("carl"), id)
	require.NoError(t, err)
	w.looks(q, id, 2)
	account.ForgetCalls()
	deliver(account, "while paused")
	require.NoError(t, q.Ring(t.Context(), id))
	w.looks(q, id, 3)
	require.Zero(t, account.TotalCalls(), "calls to the mailbox of a paused inbox")
	_, err = w.web.Inboxes.Resume(t.Context(), w.actor("carl"), id)
	require.NoError(t, err)
	require.NoError(t, q.Ring(t.Context(), id))
	w.until("it goes on", func() bool { return len(w.tickets(id)) == 1 })
}

func TestTheJobOfADeletedInboxEnds(t *testing.T) { // R-INB-12
	t.Parallel()
	w := newWorld(t)
	account, id := w.open("me@firm.example")
	q := w.start(w.queue())
	w.until("it was looked at", func() bool { return w.state(id) == inbox.StateActive })
	require.NoError(t, w.web.Inboxes.Delete(t.Context(), w.actor("carl"), id))
	ended := func() bool { return w.job(q, id).State == rivertype.JobStateCompleted }
	w.until("its job ends", ended)
	account.ForgetCalls()
	_, next := w.open("next@firm.example")
	w.until("a later inbox has a job", func() bool { return len(w.jobs(q, next)) > 0 })
	require.True(t, ended(), "and none follows")
	require.Zero(t, account.TotalCalls())
}

func TestAnUnknownErrorIsKeptAndTriedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	account, id := w.open("me@firm.example")
	account.FailAlways(fake.OpChanges, "", errors.New("500"))
	deliver(account, "offer")
	q := w.start(w.queue())
	w.until("it failed twice", func() bool {
		all := w.jobs(q, id)
		return len(all) > 0 && len(all[0].Errors) >= 2
	})
	account.Heal()
	w.until("it works", func() bool { return len(w.tickets(id)) == 1 })
	w.until("and counts its attempts anew", func() bool {
		job := w.job(q, id)
		return len(w.jobs(q, id)) > 1 && job.Attempt <= 1 && len(job.Errors) == 0
	})
}

// Its process died in the middle of a look, long ago. River rescues the job; what the dead one may
// still write is fenced off.
func TestTheJobOfADeadProcessIsRescued(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	account, id := w.open("me@firm.example")
	deliver(account, "offer")
	q := w.queue()
	require.NoError(t, q.Ring(t.Context(), id))
	w.exec("UPDATE river_job SET state = 'running', attempt = 1, attempted_at = now() - interval '1 hour', " +
		"attempted_by = '{dead}' WHERE kind = 'workinbox_look'")
	before, err := w.store.SyncState(t.Context(), id)
	require.NoError(t, err)
	w.start(q)
	w.until("it goes on", func() bool { return len(w.tickets(id)) == 1 })
	before.Failures = 99
	_, err = w.store.Commit(t.Context(), inbox.Import{State: before})
	require.Error(t, err, "the dead one, if it was only slow")
}

func TestARingIsAnsweredAtOnceAndWhileAtWork(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	account, id := w.open("me@firm.example")
	slow := func(c *desk.Config, rc *riverdesk.Config) { c.Poll = time.Hour }
	q := w.start(w.queue(slow))
	web := w.queue(slow, func(_ *desk.Config, rc *riverdesk.Config) { rc.Workers = -1 })
	require.NoError(t, web.RingAccount(t.Context(), "fake", "ME@firm.example"))
	w.until("an inbox that had no job", func() bool { return w.state(id) == inbox.StateActive })
	w.until("it sleeps", func() bool { return w.job(q, id).State == rivertype.JobStateScheduled })

	deliver(account, "first")
	require.NoError(t, web.Ringer("fake")(t.Context(), account.ID()))
	w.until("it is looked at before its time", func() bool { return len(w.tickets(id)) == 1 })
	w.until("it sleeps again", func() bool { return w.job(q, id).State == rivertype.JobStateScheduled })

	// It hangs behind the listing: what comes now it does not see.
	var reached atomic.Bool
	hang := make(chan struct{})
	resume := sync.OnceFunc(func() { close(hang) })
	t.Cleanup(resume) // the queue cannot stop before
	var once sync.Once
	account.BeforeCall(func(op fake.Op, _ int) error {
		if op == fake.OpOpen {
			once.Do(func() {
				reached.Store(true)
				<-hang
			})
		}
		return nil
	})
	deliver(account, "second")
	require.NoError(t, web.Ring(t.Context(), id))
	w.until("it opens the mail", reached.Load)
	deliver(account, "third")
	require.NoError(t, web.Ring(t.Context(), id))
	resume()
	w.until("it looks again", func() bool { return len(w.tickets(id)) == 3 })
	require.NoError(t, web.RingAccount(t.Context(), "fake", "stranger@firm.example"))
}

func TestAnImportGivesItsWorkerBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	account, id := w.open("me@firm.example")
	const mails = 40
	for i := range mails {
		deliver(account, fmt.Sprint("offer ", i))
	}
	account.Latency(50 * time.Millisecond) // eight pages take longer than a slice
	q := w.start(w.queue(func(_ *desk.Config, rc *riverdesk.Config) { rc.Slice = 300 * time.Millisecond }))
	w.until("the import is in tickets", func() bool { return len(w.tickets(id)) == mails })
	require.GreaterOrEqual(t, len(w.jobs(q, id)[0].AttemptedBy), 2, "turns of the first job")
	stored := 0
	for run, err := range w.store.Runs(t.Context(), id, 0) {
		require.NoError(t, err)
		stored += run.Stored
	}
	require.Equal(t, mails, stored)
}
