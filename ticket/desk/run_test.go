package desk_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/storage/memory"
	"github.com/workinbox/workinbox/ticket"
	"github.com/workinbox/workinbox/ticket/desk"
)

// deaf makes a mailbox that cannot ring.
func deaf(a *fake.Account) {
	mute(a)
	a.FailAlways(fake.OpSubscribe, "", errors.ErrUnsupported)
}

// mute makes a mailbox that rings by push alone.
func mute(a *fake.Account) { a.FailAlways(fake.OpWait, "", errors.ErrUnsupported) }

func TestRunPollsWhatCannotRing(t *testing.T) {
	t.Parallel()
	bubble(t, func(c *desk.Config) { c.Poll = 5 * time.Minute }, func(t *testing.T, w *world) {
		account, id := w.open("me@firm.example", deaf)
		after(6 * time.Minute) // a new inbox is found by the next poll
		deliver(account, "offer")
		after(time.Minute)
		require.Empty(t, w.tickets(id))
		after(5 * time.Minute)
		require.Equal(t, []string{"offer"}, w.tickets(id))
		account.ForgetCalls()
		after(time.Hour)
		require.LessOrEqual(t, account.Calls()[fake.OpChanges], 13, "looks in an hour at one in five minutes")
	})
}

func TestRunLooksWhenRung(t *testing.T) {
	t.Parallel()
	bubble(t, func(c *desk.Config) { c.Poll = time.Hour }, func(t *testing.T, w *world) {
		account, id := w.open("me@firm.example", deaf)
		deliver(account, "first")
		w.desk.Ring(id)
		after(0)
		require.Equal(t, []string{"first"}, w.tickets(id), "an inbox not known so far")
		after(2 * time.Second)
		deliver(account, "second")
		w.desk.Ring(id)
		after(0)
		require.Equal(t, []string{"second", "first"}, w.tickets(id))

		deliver(account, "third")
		account.ForgetCalls()
		for range 1000 { // a storm is one look, or one more for what came in while it looked
			w.desk.Ring(id)
		}
		after(3 * time.Second)
		require.Equal(t, "third", w.tickets(id)[0])
		require.LessOrEqual(t, account.Calls()[fake.OpChanges], 4)
		w.desk.Ring("no such inbox")
		after(time.Second)
	})
}

func TestRunPollsSeldomWhatIsPushed(t *testing.T) { // R-CON-07
	t.Parallel()
	bubble(t, nil, func(t *testing.T, w *world) {
		account, id := w.open("Me@firm.example", mute)
		after(2 * time.Minute)
		account.ForgetCalls()
		after(time.Hour)
		require.InDelta(t, 12, account.Calls()[fake.OpChanges], 1, "looks in an hour at one in five minutes")

		deliver(account, "first")
		w.desk.RingAccount("fake", "me@FIRM.example")
		after(2 * time.Second)
		require.Equal(t, []string{"first"}, w.tickets(id), "rung by the address")
		deliver(account, "second")
		require.NoError(t, w.desk.Ringer("fake")(t.Context(), account.ID()))
		after(2 * time.Second)
		require.Equal(t, []string{"second", "first"}, w.tickets(id), "rung by the account's id")
		account.ForgetCalls()
		w.desk.RingAccount("fake", "stranger@firm.example")
		w.desk.RingAccount("gmail", "me@firm.example")
		after(2 * time.Second)
		require.Zero(t, account.Calls()[fake.OpChanges])

		deliver(account, "third")
		after(6 * time.Minute)
		require.Equal(t, "third", w.tickets(id)[0], "a ring that was lost")
	})
}

func TestRunTriesAgainAtTheNextPollWhatIsPushed(t *testing.T) { // R-CON-07
	t.Parallel()
	bubble(t, func(c *desk.Config) { c.PushedPoll = 24 * time.Hour }, func(t *testing.T, w *world) {
		account, id := w.open("me@firm.example", mute)
		after(2 * time.Minute)
		account.FailOnce(fake.OpChanges, "", &provider.RetryError{Err: errors.New("503")})
		deliver(account, "offer")
		w.desk.Ring(id)
		after(2 * time.Second)
		require.Empty(t, w.tickets(id), "the ring was heard in vain")
		after(2 * time.Minute)
		require.Equal(t, []string{"offer"}, w.tickets(id), "nobody rings twice for the same mail")

		account.ForgetCalls()
		after(time.Hour)
		require.Zero(t, account.Calls()[fake.OpChanges])
		require.NoError(t, w.desk.Inboxes.Backfill(t.Context(), w.actor("carl"), id, time.Now().Add(-24*time.Hour)))
		after(2 * time.Minute)
		require.Positive(t, account.Calls()[fake.OpChanges], "a backfill does not wait for a ring")
	})
}

// Whoever changes an inbox stops the sync that is at work, and the ring was for the mail all the same.
func TestRunHearsARingThatAChangeCutShort(t *testing.T) { // R-CON-07
	t.Parallel()
	bubble(t, func(c *desk.Config) { c.PushedPoll = 24 * time.Hour }, func(t *testing.T, w *world) {
		account, id := w.open("me@firm.example", mute)
		after(2 * time.Minute)
		var once sync.Once
		account.BeforeCall(func(op fake.Op, _ int) error {
			if op == fake.OpOpen {
				once.Do(func() {
					_, err := w.desk.Inboxes.SetRules(t.Context(), w.actor("carl"), id,
						filter.Rules{Mode: filter.All, PreferReplyTo: true})
					require.NoError(t, err)
				})
			}
			return nil
		})
		deliver(account, "offer")
		w.desk.Ring(id)
		after(2 * time.Minute)
		require.Equal(t, []string{"offer"}, w.tickets(id))
	})
}

func TestRunWaitsForNews(t *testing.T) {
	t.Parallel()
	bubble(t, func(c *desk.Config) { c.Poll = time.Hour }, func(t *testing.T, w *world) {
		account, id := w.open("me@firm.example")
		w.desk.Ring(id)
		after(2 * time.Second)
		for i := range 3 {
			deliver(account, fmt.Sprint(i))
			after(2 * time.Second)
			require.Len(t, w.tickets(id), i+1)
		}
		account.ForgetCalls()
		after(30 * time.Minute)
		require.Zero(t, account.TotalCalls(), "calls while nothing happens")
	})
}

func TestRunSendsAndDelivers(t *testing.T) {
	t.Parallel()
	bubble(t, nil, func(t *testing.T, w *world) {
		account, id := w.open("me@firm.example")
		require.NoError(t, w.desk.Inboxes.Watch(t.Context(), w.actor("carl"), id, inbox.Watch{
			Events: []inbox.EventName{ticket.EventCreated, ticket.EventAgentReply}}))
		deliver(account, "offer")
		after(2 * time.Minute)
		require.Equal(t, []string{"carl ticket.created"}, w.notices.names())

		account.LoseAnswerOfSend()
		account.FindLate(1)
		_, err := w.desk.Tickets.Reply(t.Context(), w.actor("rita"), w.only(id).ID, ticket.Reply{Text: "hello"})
		require.NoError(t, err)
		after(2 * time.Minute)
		require.Len(t, account.Sends(), 1)
		require.Equal(t, ticket.Waiting, w.only(id).Status)
		require.Equal(t, []string{"carl ticket.created", "carl ticket.agent.reply"}, w.notices.names())
		require.Equal(t, 2, w.only(id).Messages)
	})
}

func TestAnInboxThatAlwaysFailsHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	bubble(t, func(c *desk.Config) { c.Workers = 2 }, func(t *testing.T, w *world) {
		bad, badID := w.open("bad@firm.example")
		good, goodID := w.open("good@firm.example")
		after(2 * time.Minute)
		bad.FailAlways(fake.OpChanges, "", errors.New("500"))
		deliver(bad, "never read")
		bad.ForgetCalls()
		for i := range 10 {
			deliver(good, fmt.Sprint(i))
			after(2 * time.Second)
			require.Len(t, w.tickets(goodID), i+1)
		}
		after(10 * time.Minute)
		require.LessOrEqual(t, bad.Calls()[fake.OpChanges], 13, "its news does not make it look again and again")
		require.Empty(t, w.tickets(badID))
		require.NotZero(t, w.logs.count("look"))

		bad.Heal()
		after(2 * time.Minute)
		require.Equal(t, []string{"never read"}, w.tickets(badID))
	})
}

func TestAMailboxThatHangsHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	bubble(t, func(c *desk.Config) { c.Workers = 2 }, func(t *testing.T, w *world) {
		bad, badID := w.open("bad@firm.example")
		good, goodID := w.open("good@firm.example")
		deliver(bad, "offer")
		deliver(good, "offer")
		after(3 * time.Minute)
		reply := func(id inbox.ID) {
			_, err := w.desk.Tickets.Reply(t.Context(), w.actor("rita"), w.only(id).ID, ticket.Reply{Text: "hello"})
			require.NoError(t, err)
		}
		bad.Throttle(1, time.Second)
		reply(badID)
		bad.Latency(50 * time.Minute) // Dispatch will hang on it
		good.Throttle(1, time.Second)
		reply(goodID)
		after(3 * time.Minute)
		require.Len(t, good.Sends(), 1)
		require.Empty(t, bad.Sends())
		good.Throttle(1, time.Second)
		reply(goodID)
		after(2 * time.Minute)
		require.Len(t, good.Sends(), 2, "what is due after the one that hangs")
		deliver(good, "more")
		after(2 * time.Minute)
		require.Len(t, w.tickets(goodID), 2)
	})
}

func TestTicketsFollowAnInboxThatIsNotLive(t *testing.T) { // R-INB-11, R-CON-08
	t.Parallel()
	bubble(t, nil, func(t *testing.T, w *world) {
		account, id := w.open("me@firm.example")
		ctx, carl := t.Context(), w.actor("carl")
		deliver(account, "offer")
		after(2 * time.Minute)
		offer := w.only(id)
		_, err := w.desk.Tickets.Assign(ctx, carl, offer.ID, "rita")
		require.NoError(t, err)
		_, err = w.desk.Inboxes.Pause(ctx, carl, id)
		require.NoError(t, err)
		_, err = w.desk.Inboxes.Unshare(ctx, carl, id, "rita")
		require.NoError(t, err)
		after(2 * time.Minute)
		require.Equal(t, acl.UserID(""), w.only(id).Assignee, "unassigned while paused")

		_, err = w.desk.Inboxes.Disconnect(ctx, carl, id, inbox.PurgeMail)
		require.NoError(t, err)
		after(2 * time.Minute)
		require.Empty(t, w.tickets(id), "what was brought in is forgotten")
		require.Zero(t, w.logs.count("look"), "nothing of this is an error")
	})
}

func TestRunForgetsDeletedInboxes(t *testing.T) { // R-INB-12
	t.Parallel()
	short := func(c *desk.Config) {
		c.Sites.(*memory.Host).SetSite(inbox.Settings{ID: site, Retention: 5 * time.Hour})
	}
	bubble(t, short, func(t *testing.T, w *world) {
		account, id := w.open("me@firm.example")
		deliver(account, "offer")
		after(2 * time.Minute)
		offer := w.only(id)
		require.NoError(t, w.desk.Inboxes.Delete(t.Context(), w.actor("carl"), id))
		after(2 * time.Minute)
		account.ForgetCalls()
		deliver(account, "after")
		after(4 * time.Hour)
		require.Zero(t, account.TotalCalls(), "calls to the mailbox of a deleted inbox")
		_, err := w.store.Ticket(t.Context(), offer.ID)
		require.NoError(t, err, "in the trash")
		after(3 * time.Hour)
		_, err = w.store.Ticket(t.Context(), offer.ID)
		require.Error(t, err, "purged when its time is over")
		require.Zero(t, w.logs.count("housekeeping"))
	})
}

func TestRunStopsInTheMiddleOfWork(t *testing.T) {
	t.Parallel()
	bubble(t, nil, func(t *testing.T, w *world) {
		account, id := w.open("me@firm.example")
		account.Latency(time.Hour)
		deliver(account, "offer")
		after(2 * time.Minute) // a sync hangs
		began := time.Now()
		w.stop()
		require.Zero(t, time.Since(began), "Run waits for what it started, and that ends with ctx")
		require.Zero(t, w.logs.count("look"), "the end is no error")
		account.Latency(0)
		w.run()
		after(2 * time.Minute)
		require.Equal(t, []string{"offer"}, w.tickets(id), "a new Run goes on")
	})
}

func TestStepCollectsWhatASyncLeft(t *testing.T) {
	t.Parallel()
	bubble(t, nil, func(t *testing.T, w *world) {
		w.stop() // the host steps itself
		account, id := w.open("me@firm.example")
		deliver(account, "offer")
		run, err := w.desk.Step(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, 1, run.Stored)
		require.Equal(t, []string{"offer"}, w.tickets(id))

		_, err = w.desk.Inboxes.Pause(t.Context(), w.actor("carl"), id)
		require.NoError(t, err)
		_, err = w.desk.Step(t.Context(), id)
		require.ErrorIs(t, err, inbox.ErrInvalidState)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err = w.desk.Step(ctx, id)
		require.ErrorIs(t, err, context.Canceled)
		w.run()
	})
}

func TestNewNamesWhatIsMissing(t *testing.T) {
	t.Parallel()
	_, err := desk.New(desk.Config{})
	require.ErrorContains(t, err, "Store")
}

func TestRunWaitsAsLongAsTheServiceAsks(t *testing.T) {
	t.Parallel()
	for name, run := range map[string]func(t *testing.T, test func(t *testing.T, w *world)){
		"one process": func(t *testing.T, test func(*testing.T, *world)) { bubble(t, nil, test) },
		"several": func(t *testing.T, test func(*testing.T, *world)) {
			bubbleFleet(t, 2, nil, func(t *testing.T, f *fleet) { test(t, f.world) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t, func(t *testing.T, w *world) {
				account, id := w.open("me@firm.example", deaf)
				after(2 * time.Minute)
				account.FailAlways(fake.OpChanges, "", &provider.RetryError{After: 20 * time.Minute})
				deliver(account, "offer")
				after(2 * time.Minute)
				account.Heal()
				deaf(account)
				account.ForgetCalls()
				after(15 * time.Minute)
				require.Zero(t, account.TotalCalls(), "calls while the service wants none")
				after(5 * time.Minute)
				require.Equal(t, []string{"offer"}, w.tickets(id))
			})
		})
	}
}

func TestLookSaysWhatIsNext(t *testing.T) {
	t.Parallel()
	bubble(t, func(c *desk.Config) { c.Poll = time.Minute }, func(t *testing.T, w *world) {
		w.stop() // the host looks itself
		ctx, carl := t.Context(), w.actor("carl")
		account, id := w.open("me@firm.example")
		look := func(why desk.Occasion) (desk.Turn, error) { return w.desk.Look(ctx, id, why) }

		live := desk.Turn{Next: time.Minute, Urgency: desk.UrgencyLive, Listen: true}
		turn, err := look(desk.ByTimer)
		require.NoError(t, err)
		// At a time of its own, so that inboxes are not in step.
		require.InDelta(t, time.Minute, turn.Next, float64(time.Minute/8))
		live.Next = turn.Next
		require.Equal(t, live, turn)

		account.ForgetCalls()
		turn, err = look(desk.ByTimer)
		require.NoError(t, err)
		require.Equal(t, live, turn)
		require.Zero(t, account.TotalCalls(), "its service rings")
		_, err = look(desk.ByRing)
		require.NoError(t, err)
		require.NotZero(t, account.TotalCalls(), "it was rung for")

		account.Throttle(1, 10*time.Minute)
		turn, err = look(desk.ByRing)
		require.ErrorIs(t, err, provider.ErrRetry)
		require.Equal(t, desk.Turn{Next: 10 * time.Minute, Urgency: desk.UrgencyLive}, turn)
		after(10 * time.Minute)

		account.Revoke()
		turn, err = look(desk.ByRing)
		require.ErrorIs(t, err, provider.ErrAuth)
		require.Equal(t, desk.Turn{Next: turn.Next, Urgency: desk.UrgencyLive}, turn)
		require.InDelta(t, time.Minute, turn.Next, float64(time.Minute/8))
		account.ForgetCalls()
		_, err = look(desk.ByRing)
		require.NoError(t, err)
		require.Zero(t, account.TotalCalls(), "its owner must reconnect")

		require.NoError(t, w.desk.Inboxes.Delete(ctx, carl, id))
		turn, err = look(desk.ByRing)
		require.NoError(t, err)
		require.Equal(t, desk.Turn{Leave: true}, turn)
		turn, err = w.desk.Look(ctx, "no such inbox", desk.ByRing)
		require.NoError(t, err)
		require.Equal(t, desk.Turn{Leave: true}, turn)
		w.run()
	})
}
