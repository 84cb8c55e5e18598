package ticket_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/provider/rfc822"
	"github.com/workinbox/workinbox/ticket"
)

// partTime is a world with n tickets in which rita is a part-time agent.
func partTime(t *testing.T, n int) (*world, []ticket.ID) {
	t.Helper()
	w := newWorld(t, fake.Options{})
	rita := person("rita", acl.Agent)
	rita.PartTime = true
	w.host.AddPerson(rita)
	w.open(false)
	w.advance(time.Minute)
	for i := range n {
		w.deliver("ann@acme.com", fmt.Sprintf("T%d", i+1))
	}
	w.pull()
	var ids []ticket.ID
	for _, t := range w.tickets() {
		ids = append(ids, t.ID)
	}
	require.Len(t, ids, n)
	return w, ids
}

func (w *world) tryReply(id ticket.ID) error {
	_, err := w.svc.Reply(w.t.Context(), w.actor("rita"), id, ticket.Reply{Text: "x"})
	return err
}

func TestPartTimersReplyOnTenTicketsAMonth(t *testing.T) { // R-ROL-04, 8.3 (6)
	t.Parallel()
	w, ids := partTime(t, 12)
	first := w.clock()
	for _, id := range ids[:10] {
		require.NoError(t, w.tryReply(id))
		w.advance(time.Hour)
	}
	mails := w.blobs()
	require.ErrorIs(t, w.tryReply(ids[10]), acl.ErrReplyQuota)
	_, _, err := w.svc.Forward(t.Context(), w.actor("rita"), ids[2], ticket.Forward{To: addresses("tom"), Text: "x"})
	require.ErrorIs(t, err, acl.ErrReplyQuota, "a forward opens a ticket of its own")
	require.Equal(t, mails, w.blobs(), "nothing is left behind")
	require.Len(t, w.tickets(), 12)
	require.NoError(t, w.tryReply(ids[2]), "a ticket that is counted")
	_, err = w.svc.Note(t.Context(), w.actor("rita"), ids[11], "notes consume nothing")
	require.NoError(t, err)

	w.advance(first.Add(30*24*time.Hour - time.Microsecond).Sub(w.clock()))
	require.ErrorIs(t, w.tryReply(ids[10]), acl.ErrReplyQuota)
	w.advance(time.Microsecond)
	require.NoError(t, w.tryReply(ids[10]), "the next window")
	for _, id := range ids[:9] {
		require.NoError(t, w.tryReply(id))
	}
	require.ErrorIs(t, w.tryReply(ids[11]), acl.ErrReplyQuota)
	_, err = w.svc.Reply(t.Context(), w.actor("carl"), ids[11], ticket.Reply{Text: "x"})
	require.NoError(t, err, "others have no quota")
}

func TestForwardsConsumeOne(t *testing.T) { // R-ROL-04
	t.Parallel()
	w, ids := partTime(t, 1)
	for range 10 {
		w.forward("rita", ids[0], ticket.Forward{To: addresses("tom"), Text: "x"})
	}
	require.ErrorIs(t, w.tryReply(ids[0]), acl.ErrReplyQuota)
}

func TestWhatDidNotLeaveConsumesNothing(t *testing.T) { // R-ROL-04
	t.Parallel()
	w, ids := partTime(t, 12)
	for _, id := range ids[:8] {
		require.NoError(t, w.tryReply(id))
	}
	w.account.FailOnce(fake.OpSend, "", errors.New("refused"))
	require.NoError(t, w.tryReply(ids[8]))
	require.Equal(t, ticket.OutgoingFailed, w.outgoing(ids[8]).Outgoing.State)
	later, err := w.svc.Reply(t.Context(), w.actor("rita"), ids[9], ticket.Reply{Text: "x", SendAt: w.clock().Add(time.Hour)})
	require.NoError(t, err)
	require.NoError(t, w.tryReply(ids[10]))
	require.ErrorIs(t, w.tryReply(ids[8]), acl.ErrReplyQuota, "one for later counts")
	_, err = w.svc.Recall(t.Context(), w.actor("rita"), ids[9], later.ID)
	require.NoError(t, err)
	require.NoError(t, w.tryReply(ids[8]))

	// A reply the store refuses is taken off again.
	w, ids = partTime(t, 1)
	w.store.failFrom(1, false)
	require.ErrorIs(t, w.tryReply(ids[0]), errFault)
	w.store.heal()
	a, err := w.store.Allowance(t.Context(), site, "rita")
	require.NoError(t, err)
	require.Empty(t, a.Uses)
}

func TestRepliesAtOnceDoNotPassTheQuota(t *testing.T) { // R-ROL-04
	t.Parallel()
	w, ids := partTime(t, 14)
	var mu sync.Mutex
	var wg sync.WaitGroup
	sent := 0
	for _, id := range ids {
		wg.Go(func() {
			err := w.tryReply(id)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				sent++
			} else {
				require.ErrorIs(w.t, err, acl.ErrReplyQuota)
			}
		})
	}
	wg.Wait()
	require.Equal(t, 10, sent)
}

func (u *unsure) SaveAllowance(ctx context.Context, a ticket.Allowance) (ticket.Allowance, error) {
	return doubt(u, func() (ticket.Allowance, error) { return u.faulty.SaveAllowance(ctx, a) })
}

func TestAnAllowanceWhoseWriteIsInDoubtIsCountedOnce(t *testing.T) { // R-ROL-04
	t.Parallel()
	for _, done := range [][]bool{{false}, {true}, {false, true}, {true, false}} {
		w, ids := partTime(t, 1)
		u := &unsure{faulty: w.store, at: 1, done: done}
		w.svc = w.onStore(u)
		require.NoError(t, w.tryReply(ids[0]), "%v", done)
		a, err := w.store.Allowance(t.Context(), site, "rita")
		require.NoError(t, err)
		require.Len(t, a.Uses, 1)
		require.Len(t, w.account.Sends(), 1)

		if len(done) > 1 && done[0] {
			continue // the second doubt is about the entry
		}
		w, ids = partTime(t, 1)
		w.svc = w.onStore(&unsure{faulty: w.store, at: 1, done: done})
		w.store.failFrom(1, false) // the entry is refused, and the ticket is taken off again
		require.ErrorIs(t, w.tryReply(ids[0]), errFault)
		w.store.heal()
		a, err = w.store.Allowance(t.Context(), site, "rita")
		require.NoError(t, err)
		require.Empty(t, a.Uses, "%v", done)
	}
}

// A reply that is refused takes its ticket off the allowance, but not from under another one that was
// written to the same ticket at that time.
func TestARefusedReplyDoesNotUncountAnother(t *testing.T) { // R-ROL-04
	t.Parallel()
	broken := errors.New("the upload was broken off")
	// refused is a reply during whose upload something happens.
	refused := func(w *world, id ticket.ID, then func()) error {
		_, err := w.svc.Reply(t.Context(), w.actor("rita"), id, ticket.Reply{Text: "x",
			Attachments: []rfc822.Attachment{{Name: "a", Type: "text/plain", Open: func() (io.ReadCloser, error) {
				then()
				return nil, broken
			}}}})
		return err
	}
	counted := func(w *world) {
		t.Helper()
		require.Len(t, w.account.Sends(), 1)
		a, err := w.store.Allowance(t.Context(), site, "rita")
		require.NoError(t, err)
		require.Len(t, a.Uses, 1)
	}

	w, ids := partTime(t, 1) // the other is saved before this one is refused
	var other error
	require.ErrorIs(t, refused(w, ids[0], func() { other = w.tryReply(ids[0]) }), broken)
	require.NoError(t, other)
	counted(w)

	w, ids = partTime(t, 1) // the other is saved after this one is refused
	opened, broke, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		done <- refused(w, ids[0], func() {
			close(opened)
			<-broke
		})
	}()
	select {
	case <-opened:
	case err := <-done:
		t.Fatalf("the reply was refused before its upload: %v", err)
	}
	w.store.before = func() {
		w.store.before = nil
		close(broke)
		require.ErrorIs(t, <-done, broken)
	}
	require.NoError(t, w.tryReply(ids[0]))
	counted(w)
}

func TestWhatNeverLeftConsumesNothingOnceItsTicketIsPurged(t *testing.T) { // R-ROL-04
	t.Parallel()
	w, ids := partTime(t, 1)
	_, err := w.inboxes.Edit(t.Context(), w.actor("carl"), w.in.ID, inbox.Edit{Settings: &inbox.InboxSettings{GranteesMayStart: true}})
	require.NoError(t, err)
	start := func(later time.Duration) ticket.ID {
		tk, _, err := w.svc.Start(t.Context(), w.actor("rita"), w.in.ID,
			ticket.Start{To: addresses("tom"), Text: "hello", SendAt: w.clock().Add(later)})
		require.NoError(t, err)
		return tk.ID
	}
	uses := func() (out []ticket.ID) {
		a, err := w.store.Allowance(t.Context(), site, "rita")
		require.NoError(t, err)
		for _, u := range a.Uses {
			out = append(out, u.Ticket)
		}
		return out
	}
	purge := func(id ticket.ID) {
		w.trash(id)
		require.NoError(t, w.svc.Purge(t.Context(), w.actor("carl"), id))
	}
	sent := start(0)
	purge(start(day))
	require.Equal(t, []ticket.ID{sent}, uses())
	w.account.FailOnce(fake.OpSend, "", errors.New("refused"))
	purge(start(0))
	require.Equal(t, []ticket.ID{sent}, uses())
	unread := start(day)
	w.trash(unread)
	w.store.allowance = errFault
	require.ErrorIs(t, w.svc.Purge(t.Context(), w.actor("carl"), unread), errFault, "afterwards nobody could tell")
	w.store.allowance = nil
	require.NoError(t, w.svc.Purge(t.Context(), w.actor("carl"), unread))
	require.Equal(t, []ticket.ID{sent}, uses())
	merged := start(day)
	_, err = w.svc.Merge(t.Context(), w.actor("carl"), ids[0], []ticket.ID{merged})
	require.NoError(t, err)
	w.trash(ids[0])
	w.store.failFrom(2, false) // the process dies when the purge has begun
	require.ErrorIs(t, w.svc.Purge(t.Context(), w.actor("carl"), ids[0]), errFault)
	w.store.heal()
	require.NoError(t, w.svc.Purge(t.Context(), w.actor("carl"), ids[0]))
	require.Equal(t, []ticket.ID{sent}, uses())
	w.pull()
	purge(sent)
	require.Equal(t, []ticket.ID{sent}, uses(), "what left counts")
	require.Len(t, w.account.Sends(), 1)
}
