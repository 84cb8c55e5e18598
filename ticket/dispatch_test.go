package ticket_test

import (
	"context"
	"iter"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/ticket"
)

// backlog is a world with n mails of one inbox that are due.
func backlog(t *testing.T, n int) (*world, ticket.Ticket) {
	w, offer := asked(t, fake.Options{})
	w.account.FailAlways(fake.OpSend, "", provider.ErrRetry)
	for range n {
		w.reply(offer.ID)
	}
	w.account.Heal()
	w.account.ForgetCalls()
	return w, offer
}

// second connects another mailbox of the site in which one mail is due too, a little later.
func (w *world) second() *fake.Account {
	w.t.Helper()
	first, in := w.account, w.in
	defer func() { w.account, w.in = first, in }()
	w.account = w.mail.Account("two@firm.example")
	w.connect("carl", false, acl.Grant{User: "rita", Access: acl.ReadAndReply})
	w.advance(time.Second)
	w.deliver("Bob <bob@acme.com>", "second", "Message-ID: <bob@acme.com>")
	w.pull()
	w.account.Throttle(1, time.Second)
	w.reply(w.bySubject("second").ID)
	w.account.Heal()
	w.advance(2 * time.Minute)
	return w.account
}

func TestAMailboxThatTakesNoMailHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	w, offer := backlog(t, 20)
	second := w.second()
	w.account.FailAlways(fake.OpSend, "", provider.ErrRetry)
	n, err := w.svc.Dispatch(t.Context(), 16)
	require.NoError(t, err)
	require.Equal(t, 2, n)
	require.Len(t, second.Sends(), 1)
	require.Equal(t, 1, w.account.Calls()[fake.OpSend], "the others of that mailbox are not tried")
	w.account.Heal()
	for sent := 2; sent <= 18; sent += 2 {
		_, err = w.svc.Dispatch(t.Context(), 16)
		require.NoError(t, err)
		require.Len(t, w.account.Sends(), sent, "an eighth of the limit is for one mailbox")
	}
	w.dispatch(10 * time.Minute)
	require.Len(t, w.account.Sends(), 20)
	for _, e := range w.entries(offer.ID) {
		require.True(t, e.Outgoing == nil || e.Outgoing.State == ticket.OutgoingSent)
	}
}

func TestAMailboxThatHangsHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	w, _ := backlog(t, 3)
	second := w.second()
	w.account.ForgetCalls()
	began, release := w.hang(nil)
	var first sync.WaitGroup
	first.Go(func() {
		_, err := w.svc.Dispatch(t.Context(), 1)
		require.NoError(t, err)
	})
	<-began
	n, err := w.svc.Dispatch(t.Context(), 0)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.Len(t, second.Sends(), 1)
	require.Equal(t, 1, w.account.Calls()[fake.OpSend], "a mailbox that is being served is passed over")
	release()
	first.Wait()
	w.dispatch(10 * time.Second)
	require.Len(t, w.account.Sends(), 3)
}

// restless is a store in which a mail on its way out is put into another ticket whenever it was looked for.
type restless struct {
	*faulty
	tickets [2]ticket.ID
	asked   ticket.ID // where it was looked for last
	moves   int
}

func (r *restless) Entries(ctx context.Context, q ticket.EntryQuery) iter.Seq2[ticket.Entry, error] {
	if len(q.IDs) > 0 && q.Ticket != "" {
		r.asked = q.Ticket
		return func(func(ticket.Entry, error) bool) {}
	}
	return func(yield func(ticket.Entry, error) bool) {
		for e, err := range r.faulty.Entries(ctx, q) {
			if len(q.IDs) > 0 {
				r.moves++
				e.Ticket = r.tickets[0]
				if r.asked == e.Ticket {
					e.Ticket = r.tickets[1]
				}
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

func TestAMailThatGoesFromTicketToTicketHoldsUpNothing(t *testing.T) {
	t.Parallel()
	w, offer := backlog(t, 1)
	w.deliver("Bob <bob@acme.com>", "second")
	w.pull()
	w.advance(2 * time.Minute)
	r := &restless{faulty: w.store, tickets: [2]ticket.ID{offer.ID, w.bySubject("second").ID}}
	_, err := w.onStore(r).Dispatch(t.Context(), 0)
	require.NoError(t, err)
	require.Positive(t, r.moves)
	require.Empty(t, w.account.Sends(), "it is left to the next call")
}
