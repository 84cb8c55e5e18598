package ticket_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/ticket"
)

// skewed is the service of another process, whose clock differs.
func (w *world) skewed(by time.Duration) *ticket.Service {
	w.t.Helper()
	now := func() time.Time { return w.clock().Add(by) }
	inboxes, err := inbox.New(inbox.Config{
		Store: w.store, Vault: w.store, Blobs: w.store, People: w.host, Sites: w.host,
		Providers: []provider.Provider{w.mail}, Now: now, NewID: w.id,
	})
	require.NoError(w.t, err)
	svc, err := ticket.New(ticket.Config{
		Store: w.store, Inboxes: inboxes, Archive: w.store, Blobs: w.store, Now: now, NewID: w.id,
	})
	require.NoError(w.t, err)
	return svc
}

// hang holds up every send from now on, until the returned function lets it go on to an answer of err.
func (w *world) hang(err error) (began <-chan struct{}, release func()) {
	first, free := make(chan struct{}), make(chan struct{})
	var once sync.Once
	w.account.BeforeCall(func(op fake.Op, _ int) error {
		if op != fake.OpSend {
			return nil
		}
		once.Do(func() { close(first) })
		<-free
		return err
	})
	return first, func() { close(free) }
}

// runFor runs a service as desk.Run does while the clock goes on.
func (w *world) runFor(svc *ticket.Service, d time.Duration) {
	w.t.Helper()
	for end := w.clock().Add(d); !w.clock().After(end); w.advance(2 * time.Second) {
		_, err := svc.Dispatch(w.t.Context(), 0)
		require.NoError(w.t, err)
	}
}

var skews = map[string]time.Duration{
	"right": 0, "a minute behind": -time.Minute, "an hour behind": -time.Hour,
	"ten minutes ahead": 10 * time.Minute, "a day ahead": 24 * time.Hour,
}

// Whatever another process takes for the time, it neither sends what is on its way nor asks a person
// while it may still arrive.
func TestAnotherClockDoesNotJudgeASendUnderWay(t *testing.T) {
	t.Parallel()
	for name, skew := range skews {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, offer := asked(t, fake.Options{})
			other := w.skewed(skew)
			began, release := w.hang(nil)
			var sender sync.WaitGroup
			actor := w.actor("rita")
			sender.Go(func() {
				_, err := w.svc.Reply(t.Context(), actor, offer.ID, ticket.Reply{Text: "hello"})
				require.NoError(t, err)
			})
			<-began
			w.runFor(other, 8*time.Minute)
			require.Equal(t, ticket.OutgoingSending, w.outgoing(offer.ID).Outgoing.State)
			release()
			sender.Wait()
			require.Equal(t, ticket.OutgoingSent, w.outgoing(offer.ID).Outgoing.State)
			w.runFor(other, 20*time.Minute)
			require.Len(t, w.account.Sends(), 1)
		})
	}
}

// A mail whose answer was lost is found also where the clock of who sent it was wrong, by whoever looks.
func TestALostAnswerIsFoundWhateverTheClockWas(t *testing.T) {
	t.Parallel()
	for name, skew := range skews {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, offer := asked(t, fake.Options{})
			sender := w.skewed(skew)
			w.account.LoseAnswerOfSend()
			e, err := sender.Reply(t.Context(), w.actor("rita"), offer.ID, ticket.Reply{Text: "hello"})
			require.NoError(t, err)
			require.Equal(t, ticket.OutgoingSending, e.Outgoing.State)
			w.runFor(sender, time.Minute)
			require.Equal(t, ticket.OutgoingSent, w.outgoing(offer.ID).Outgoing.State)
			require.Len(t, w.account.Sends(), 1)
		})
	}
}

// A mail the service has not, and a clock that jumps between all looks: a person is asked, and not
// before it was looked for four times.
func TestAJumpOfTheClockSkipsNoLook(t *testing.T) {
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	w.account.FailSendBefore()
	w.reply(offer.ID)
	for look := range 4 {
		require.Equal(t, ticket.OutgoingSending, w.outgoing(offer.ID).Outgoing.State, "after %d looks", look)
		w.advance(24 * time.Hour)
		_, err := w.svc.Dispatch(t.Context(), 0)
		require.NoError(t, err)
		w.advance(-time.Hour)
		_, err = w.svc.Dispatch(t.Context(), 0)
		require.NoError(t, err)
	}
	require.Equal(t, ticket.OutgoingUnknown, w.outgoing(offer.ID).Outgoing.State)
	require.Empty(t, w.account.Sends())
}

// Who hangs in an attempt that others have given up cannot put the next one back into the queue.
func TestAnOldAttemptDoesNotEndTheNextOne(t *testing.T) {
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	other := w.skewed(0)
	began, release := w.hang(&provider.RetryError{After: time.Second})
	var sender sync.WaitGroup
	actor := w.actor("rita")
	sender.Go(func() {
		_, err := w.svc.Reply(t.Context(), actor, offer.ID, ticket.Reply{Text: "hello"})
		require.NoError(t, err)
	})
	<-began
	w.runFor(other, 11*time.Minute)
	require.Equal(t, ticket.OutgoingUnknown, w.outgoing(offer.ID).Outgoing.State)
	w.account.BeforeCall(nil)
	w.account.LoseAnswerOfSend()
	e, err := other.Resolve(t.Context(), actor, offer.ID, w.outgoing(offer.ID).ID, ticket.ResolutionSendAgain)
	require.NoError(t, err)
	require.Equal(t, ticket.OutgoingSending, e.Outgoing.State)
	release()
	sender.Wait()
	require.Equal(t, e.Outgoing, w.outgoing(offer.ID).Outgoing, "the second attempt is still looked into")
	w.runFor(w.svc, 5*time.Minute)
	require.Equal(t, ticket.OutgoingSent, w.outgoing(offer.ID).Outgoing.State)
	require.Len(t, w.account.Sends(), 1)
}

// What a person puts off while it waits behind other mail does not leave with that.
func TestAMailThatIsPutOffMeanwhileWaits(t *testing.T) {
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	w.account.FailAlways(fake.OpSend, "", provider.ErrRetry)
	first, second := w.reply(offer.ID), w.reply(offer.ID)
	w.account.Heal()
	w.advance(2 * time.Minute)
	carl, later := w.actor("carl"), w.clock().Add(24*time.Hour)
	w.account.BeforeCall(func(op fake.Op, _ int) error {
		if op != fake.OpSend {
			return nil
		}
		_, err := w.svc.Reschedule(t.Context(), carl, offer.ID, second.ID, later)
		return err
	})
	_, err := w.svc.Dispatch(t.Context(), 0)
	require.NoError(t, err)
	require.Len(t, w.account.Sends(), 1)
	require.Equal(t, first.Outgoing.Marker, w.account.Sends()[0].Marker)
	w.account.BeforeCall(nil)
	w.dispatch(time.Minute)
	require.Len(t, w.account.Sends(), 1)
	w.advance(24 * time.Hour)
	w.dispatch(time.Minute)
	require.Len(t, w.account.Sends(), 2)
}

// A store that takes longer to mark a mail than others wait before they ask a person: it is not sent.
func TestAMarkThatTakesTooLongSendsNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, offer := asked(t, fake.Options{})
		w.account.Throttle(1, time.Second)
		w.reply(offer.ID)
		w.advance(time.Minute)
		w.store.before = func() { time.Sleep(9 * time.Minute) }
		_, err := w.svc.Dispatch(t.Context(), 0)
		require.Error(t, err)
		require.Empty(t, w.account.Sends())
		w.store.before = nil
		w.dispatch(time.Minute)
		require.Len(t, w.account.Sends(), 1)
	})
}
