package ticket_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/ticket"
)

// A reply is killed at every write, with the write done or not, on a service that takes the mail, loses
// its answer, or loses the mail. A new process over the same stores goes on. Whatever happens, the mail
// leaves at most once, and when the reply was accepted it is sent, or a person is asked.
func TestCrashAtEveryStepOfAReply(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		lost  func(a *fake.Account)
		sends int // of an accepted reply whose send was reached
	}{
		{"service takes it", func(*fake.Account) {}, 1},
		{"answer lost", func(a *fake.Account) { a.LoseAnswerOfSend() }, 1},
		{"mail lost", func(a *fake.Account) { a.FailSendBefore() }, 0},
	} {
		for _, lose := range []bool{false, true} {
			for _, collectFirst := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s, write done: %t, collect first: %t", row.name, lose, collectFirst), func(t *testing.T) {
					t.Parallel()
					for kill := 1; kill <= 3; kill++ {
						w, offer := asked(t, fake.Options{RewriteMessageID: kill%2 == 0})
						row.lost(w.account)
						w.store.failFrom(kill, lose)
						e, err := w.svc.Reply(t.Context(), w.actor("rita"), offer.ID, ticket.Reply{Text: "hello"})
						accepted := err == nil
						require.Equal(t, kill > 1 || lose, accepted, "killed at write %d: accepted", kill)
						w.store.heal()

						w.start()
						w.advance(10 * time.Second)
						if collectFirst {
							w.pull()
						}
						w.dispatch(11 * time.Minute)
						w.pull()
						w.dispatch(11 * time.Minute)
						require.LessOrEqual(t, len(w.account.Sends()), 1, "killed at write %d: sends", kill)
						if !accepted {
							require.Empty(t, w.account.Sends(), "killed at write %d: a refused reply", kill)
							require.Equal(t, []string{"received"}, w.lines(offer.ID))
							continue
						}
						got := w.outgoing(offer.ID)
						require.Equal(t, e.ID, got.ID)
						want := ticket.OutgoingUnknown
						if len(w.account.Sends()) == 1 {
							want = ticket.OutgoingSent
							require.NotEmpty(t, got.Message, "killed at write %d: the copy is that entry", kill)
							require.Equal(t, 2, w.only().Messages)
							require.Equal(t, ticket.Waiting, w.only().Status)
						}
						require.Equal(t, want, got.Outgoing.State, "killed at write %d: state", kill)
					}
				})
			}
		}
	}
}

func TestCrashAtEveryStepOfDispatch(t *testing.T) {
	t.Parallel()
	for _, lose := range []bool{false, true} {
		for _, lost := range []func(a *fake.Account){
			func(*fake.Account) {}, func(a *fake.Account) { a.LoseAnswerOfSend() },
		} {
			for kill := 1; kill <= 4; kill++ {
				w, offer := asked(t, fake.Options{})
				w.account.Throttle(1, time.Second)
				w.reply(offer.ID)
				lost(w.account)
				w.store.failFrom(kill, lose)
				w.advance(2 * time.Minute)
				_, _ = w.svc.Dispatch(t.Context(), 0)
				w.advance(6 * time.Second)
				_, _ = w.svc.Dispatch(t.Context(), 0)
				w.store.heal()
				w.start()
				w.dispatch(22 * time.Minute)
				w.pull()
				sends := len(w.account.Sends())
				require.LessOrEqual(t, sends, 1, "write %d killed, done %t: sends", kill, lose)
				state := w.outgoing(offer.ID).Outgoing.State
				if sends == 1 {
					require.Equal(t, ticket.OutgoingSent, state, "write %d killed, done %t", kill, lose)
				} else {
					require.Equal(t, ticket.OutgoingUnknown, state, "write %d killed, done %t", kill, lose)
				}
			}
		}
	}
}

func TestAPersonWhoGivesUpWaitingLosesNothing(t *testing.T) {
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	w.account.BeforeCall(func(op fake.Op, _ int) error {
		if op == fake.OpSend {
			cancel() // the browser is closed before the mail is on its way, which nobody can know
		}
		return nil
	})
	e, err := w.svc.Reply(ctx, w.actor("rita"), offer.ID, ticket.Reply{Text: "hello"})
	require.NoError(t, err)
	require.Equal(t, ticket.OutgoingSending, e.Outgoing.State)
	w.account.BeforeCall(nil)
	w.dispatch(12 * time.Minute)
	require.Empty(t, w.account.Sends())
	require.Equal(t, ticket.OutgoingUnknown, w.outgoing(offer.ID).Outgoing.State)
}
