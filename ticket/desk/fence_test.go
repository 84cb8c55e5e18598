package desk_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/storage/memory"
	"github.com/workinbox/workinbox/ticket"
	"github.com/workinbox/workinbox/ticket/desk"
)

// slow is a store that is asked what to do before every write of tickets, and behind every mark.
type slow struct {
	desk.Store
	before func(op string)
}

func (s *slow) Mark(ctx context.Context, id inbox.ID) (uint64, storage.Version, error) {
	seq, version, err := s.Store.Mark(ctx, id)
	s.before("after mark")
	return seq, version, err
}

func (s *slow) SaveTickets(ctx context.Context, w []ticket.Write, ev ...inbox.Event) ([]ticket.Ticket, error) {
	s.before("save tickets")
	return s.Store.SaveTickets(ctx, w, ev...)
}

func (s *slow) SaveMark(ctx context.Context, id inbox.ID, seq uint64, v storage.Version) (storage.Version, error) {
	s.before("save mark")
	return s.Store.SaveMark(ctx, id, seq, v)
}

// A worker that is held up anywhere in its collecting, while another collects the same, changes
// nothing when it goes on.
func TestPausedCollectorChangesNothing(t *testing.T) {
	t.Parallel()
	for at := 1; at <= 4; at++ {
		t.Run(fmt.Sprint("at step ", at), func(t *testing.T) {
			t.Parallel()
			var base desk.Config
			bubble(t, func(c *desk.Config) { base = *c }, func(t *testing.T, w *world) {
				w.stop()
				account, id := w.open("me@firm.example")
				for i := range 30 {
					deliver(account, fmt.Sprint("offer ", i%20))
				}
				_, err := w.desk.Inboxes.Sync(t.Context(), id)
				require.NoError(t, err)

				reached, resume, n := make(chan struct{}), make(chan struct{}), 0
				base.Store = &slow{w.store, func(string) {
					if n++; n == at {
						close(reached)
						<-resume
					}
				}}
				held, err := desk.New(base)
				require.NoError(t, err)
				ended := make(chan error, 1)
				go func() {
					_, err := held.Tickets.Collect(t.Context(), id)
					ended <- err
				}()
				<-reached
				_, err = w.desk.Tickets.Collect(t.Context(), id)
				require.NoError(t, err)
				before := w.history(id)
				require.Len(t, w.tickets(id), 30)
				close(resume)
				require.NoError(t, <-ended)
				require.Equal(t, before, w.history(id))
				w.stop = func() {}
			})
		})
	}
}

// history is every line of every ticket, and the events that wait.
func (w *world) history(id inbox.ID) []string {
	w.t.Helper()
	var out []string
	for e, err := range w.store.Entries(w.t.Context(), ticket.EntryQuery{Inbox: id}) {
		require.NoError(w.t, err)
		out = append(out, fmt.Sprint(e.ID, e.Ticket, e.Kind, e.Message))
	}
	for t, err := range w.store.Tickets(w.t.Context(), ticket.Query{Inboxes: []inbox.ID{id}, AllHidden: true}) {
		require.NoError(w.t, err)
		out = append(out, fmt.Sprint(t.ID, t.Version, t.Messages, t.Status))
	}
	for d, err := range w.store.DueEvents(w.t.Context(), time.Now(), 0) {
		require.NoError(w.t, err)
		out = append(out, d.ID)
	}
	return out
}

// gatedPeople are people whose directory does not answer for a while, but for the first questions.
type gatedPeople struct {
	*memory.Host
	gate  chan struct{}
	first atomic.Int32
}

func (p *gatedPeople) Person(ctx context.Context, s inbox.SiteID, id acl.UserID) (inbox.Person, error) {
	if p.first.Add(-1) < 0 {
		<-p.gate
	}
	return p.Host.Person(ctx, s, id)
}

// A worker that is held up between taking a mail and sending it sends no more once a person was asked
// and had it sent again.
func TestHeldUpWorkerSendsNothing(t *testing.T) {
	t.Parallel()
	var base desk.Config
	bubble(t, func(c *desk.Config) { base = *c }, func(t *testing.T, w *world) {
		w.stop()
		account, id := w.open("me@firm.example")
		deliver(account, "offer")
		_, err := w.desk.Step(t.Context(), id)
		require.NoError(t, err)
		account.Throttle(1, time.Second)
		e, err := w.desk.Tickets.Reply(t.Context(), w.actor("rita"), w.only(id).ID, ticket.Reply{Text: "hello"})
		require.NoError(t, err)
		require.Equal(t, ticket.OutgoingQueued, e.Outgoing.State)
		after(2 * time.Minute)

		people := &gatedPeople{Host: base.People.(*memory.Host), gate: make(chan struct{})}
		people.first.Store(1) // may its author still send it?
		base.People = people
		held, err := desk.New(base)
		require.NoError(t, err)
		ended := make(chan error, 1)
		go func() {
			_, err := held.Tickets.Dispatch(t.Context(), 0)
			ended <- err
		}()
		synctest.Wait() // it has taken the mail
		for range 300 {
			after(2 * time.Second)
			_, err := w.desk.Tickets.Dispatch(t.Context(), 0)
			require.NoError(t, err)
		}
		require.Empty(t, account.Sends())
		e, err = w.desk.Tickets.Resolve(t.Context(), w.actor("rita"), w.only(id).ID, e.ID, ticket.ResolutionSendAgain)
		require.NoError(t, err, "a person was asked")
		require.Equal(t, ticket.OutgoingSent, e.Outgoing.State)
		close(people.gate)
		require.NoError(t, <-ended)
		require.Len(t, account.Sends(), 1)
		require.Equal(t, 1, account.Calls()[fake.OpSend]-1, "beside the one that was throttled")
		w.stop = func() {}
	})
}
