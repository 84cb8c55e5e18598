package desk_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/ticket"
	"github.com/workinbox/workinbox/ticket/desk"
)

func TestProcessesShareTheInboxes(t *testing.T) {
	t.Parallel()
	bubbleFleet(t, 3, func(c *desk.Config) { c.Workers = 2 }, func(t *testing.T, f *fleet) {
		accounts, ids := f.openMany(30)
		for i, a := range accounts {
			a.Latency(500 * time.Millisecond)
			deliver(a, fmt.Sprint("offer ", i))
		}
		after(3 * time.Minute)
		for i, id := range ids {
			require.Equal(t, []string{fmt.Sprint("offer ", i)}, f.tickets(id))
		}
		byProcess, byAccount := f.watch.count()
		require.Len(t, byProcess, 3)
		for process, n := range byProcess {
			require.GreaterOrEqual(t, n, 10, "looks of %s: %v", process, byProcess)
		}
		require.Len(t, byAccount, 30)
		after(time.Hour)
		_, later := f.watch.count()
		for account, n := range later {
			require.InDelta(t, 59, n-byAccount[account], 2, "looks at %s in an hour at one a minute", account)
		}
		require.Zero(t, f.logs.count("claim inboxes"))
	})
}

// One worker and more inboxes than it can look at every minute: all get the same number of turns.
func TestNoInboxStarves(t *testing.T) {
	t.Parallel()
	bubbleFleet(t, 1, func(c *desk.Config) { c.Workers = 1 }, func(t *testing.T, f *fleet) {
		accounts, _ := f.openMany(40)
		for i, a := range accounts {
			a.Latency(time.Duration(1+i%5) * time.Second)
		}
		after(2 * time.Hour)
		_, byAccount := f.watch.count()
		require.Len(t, byAccount, 40)
		least, most := 1<<30, 0
		for _, n := range byAccount {
			least, most = min(least, n), max(most, n)
		}
		require.GreaterOrEqual(t, least, 10)
		require.LessOrEqual(t, most-least, 1, "turns of the luckiest inbox and the unluckiest")
	})
}

func TestLongWorkKeepsItsLease(t *testing.T) {
	t.Parallel()
	bubbleFleet(t, 3, nil, func(t *testing.T, f *fleet) {
		accounts, ids := f.openMany(1)
		after(2 * time.Minute)
		accounts[0].Latency(10 * time.Minute) // twenty times as long as a lease is held
		deliver(accounts[0], "offer")
		accounts[0].ForgetCalls()
		after(40 * time.Minute)
		accounts[0].Latency(0)
		after(20 * time.Minute)
		require.Equal(t, []string{"offer"}, f.tickets(ids[0]))
		require.LessOrEqual(t, accounts[0].Calls()[fake.OpChanges], 35)
	})
}

// hang makes the next sync of an inbox hang and returns who has it.
func (f *fleet) hang(a *fake.Account) *process {
	a.Latency(time.Hour)
	deliver(a, "offer")
	after(2 * time.Minute)
	p := f.holder(a)
	require.NotNil(f.t, p, "nobody reads the mailbox")
	return p
}

func TestDeadProcessIsTakenOver(t *testing.T) {
	t.Parallel()
	bubbleFleet(t, 3, func(c *desk.Config) { c.Hold = 20 * time.Second }, func(t *testing.T, f *fleet) {
		accounts, ids := f.openMany(2)
		dead := f.hang(accounts[0])
		dead.cut.off()
		dead.stop() // it can say nothing any more
		accounts[0].Latency(0)
		after(10 * time.Second)
		require.Empty(t, f.tickets(ids[0]), "its lease holds")
		after(15 * time.Second)
		require.Equal(t, []string{"offer"}, f.tickets(ids[0]))
		deliver(accounts[1], "more")
		after(2 * time.Minute)
		require.Equal(t, []string{"more"}, f.tickets(ids[1]))
	})
}

// A process that cannot reach the store lets go of what it holds when its time is over, before anybody
// else begins.
func TestCutOffProcessLetsGo(t *testing.T) {
	t.Parallel()
	bubbleFleet(t, 2, func(c *desk.Config) { c.Hold = 20 * time.Second }, func(t *testing.T, f *fleet) {
		accounts, ids := f.openMany(1)
		cut := f.hang(accounts[0])
		cut.cut.off()
		after(25 * time.Second)
		next := f.holder(accounts[0])
		require.NotNil(t, next)
		require.NotEqual(t, cut.name, next.name, "who reads the mailbox now")
		accounts[0].Latency(0)
		next.stop()
		require.Empty(t, f.tickets(ids[0]))
		require.NotZero(t, f.logs.count("claim inboxes"))
	})
}

func TestStopGivesBack(t *testing.T) {
	t.Parallel()
	bubbleFleet(t, 2, func(c *desk.Config) { c.Poll = time.Hour }, func(t *testing.T, f *fleet) {
		accounts, ids := f.openMany(1)
		f.procs[0].desk.Ring(ids[0])
		after(time.Second)
		accounts[0].Latency(time.Hour)
		deliver(accounts[0], "offer")
		f.procs[1].desk.Ring(ids[0])
		after(5 * time.Second)
		p := f.holder(accounts[0])
		require.NotNil(t, p)
		began := time.Now()
		p.stop()
		require.Zero(t, time.Since(began))
		accounts[0].Latency(0)
		after(3 * time.Second)
		require.Equal(t, []string{"offer"}, f.tickets(ids[0]), "the other goes on at once")
	})
}

// What was interrupted is no turn, also where the service rings and not every turn is one to sync.
func TestStopGivesBackARing(t *testing.T) {
	t.Parallel()
	bubbleFleet(t, 2, nil, func(t *testing.T, f *fleet) {
		account, id := f.open("me@firm.example", mute)
		after(2 * time.Minute)
		account.Latency(time.Hour)
		deliver(account, "offer")
		f.procs[0].desk.RingAccount("fake", account.ID())
		after(5 * time.Second)
		p := f.holder(account)
		require.NotNil(t, p)
		p.stop()
		account.Latency(0)
		after(3 * time.Second)
		require.Equal(t, []string{"offer"}, f.tickets(id))
	})
}

// Who holds what and what is due is for the store's clock to say.
func TestProcessesWhoseClocksDiffer(t *testing.T) {
	t.Parallel()
	var base desk.Config
	bubbleFleet(t, 0, func(c *desk.Config) {
		c.Workers = 2 // so that all three are needed
		base = *c
	}, func(t *testing.T, f *fleet) {
		for i, off := range []time.Duration{-10 * time.Minute, 0, 10 * time.Minute} {
			base.Now = func() time.Time { return time.Now().Add(off) }
			f.start(fmt.Sprint("off by ", i), base)
		}
		accounts, ids := f.openMany(6)
		for _, a := range accounts {
			a.Latency(20 * time.Second)
			deliver(a, "offer")
		}
		after(10 * time.Minute)
		for _, id := range ids {
			require.Equal(t, []string{"offer"}, f.tickets(id))
		}
		_, before := f.watch.count()
		after(time.Hour)
		byProcess, later := f.watch.count()
		require.Len(t, byProcess, 3)
		for account, n := range later {
			require.InDelta(t, 36, n-before[account], 4, "looks at %s in an hour, at one a minute of two calls of 20 s", account)
		}
	})
}

func TestRingReachesWhoeverHasTheInbox(t *testing.T) {
	t.Parallel()
	bubbleFleet(t, 3, func(c *desk.Config) { c.Poll = time.Hour }, func(t *testing.T, f *fleet) {
		accounts, ids := f.openMany(1)
		a, id := accounts[0], ids[0]
		for i, p := range f.procs { // whichever process is rung, also for an inbox not known so far
			deliver(a, fmt.Sprint("offer ", i))
			p.desk.Ring(id)
			after(3 * time.Second)
			require.Len(t, f.tickets(id), i+1)
		}
		after(time.Hour) // the accounts are known now
		for i, p := range f.procs {
			deliver(a, fmt.Sprint("more ", i))
			p.desk.RingAccount("fake", a.Address())
			after(3 * time.Second)
			require.Len(t, f.tickets(id), 4+i)
		}

		a.Latency(20 * time.Second)
		f.procs[0].desk.Ring(id)
		after(time.Second)
		holder := f.holder(a)
		require.NotNil(t, holder)
		after(30 * time.Second) // it has listed what there is and is about to end
		deliver(a, "late")
		for _, p := range f.procs {
			p.desk.Ring(id)
		}
		after(3 * time.Minute)
		require.Equal(t, "late", f.tickets(id)[0], "rung for while it is at work")

		a.Latency(0)
		a.ForgetCalls()
		for range 1000 {
			for _, p := range f.procs {
				p.desk.Ring(id)
			}
		}
		after(10 * time.Second)
		require.LessOrEqual(t, a.Calls()[fake.OpChanges], 6, "looks after a storm of rings")
		f.procs[0].desk.Ring("no such inbox")
		after(2 * time.Second)
	})
}

func TestProcessesWaitForNews(t *testing.T) {
	t.Parallel()
	bubbleFleet(t, 2, func(c *desk.Config) { c.Poll = time.Hour }, func(t *testing.T, f *fleet) {
		account, id := f.open("me@firm.example")
		f.procs[0].desk.Ring(id)
		after(3 * time.Second)
		for i := range 3 {
			deliver(account, fmt.Sprint(i))
			after(4 * time.Second)
			require.Len(t, f.tickets(id), i+1)
		}
		account.ForgetCalls()
		after(30 * time.Minute)
		require.Zero(t, account.TotalCalls(), "calls while nothing happens")
	})
}

func TestProcessesPollSeldomWhatIsPushed(t *testing.T) { // R-CON-07
	t.Parallel()
	bubbleFleet(t, 2, nil, func(t *testing.T, f *fleet) {
		account, id := f.open("me@firm.example", mute)
		after(2 * time.Minute)
		account.ForgetCalls()
		after(time.Hour)
		require.InDelta(t, 12, account.Calls()[fake.OpChanges], 2, "looks in an hour at one in five minutes")
		deliver(account, "first")
		f.procs[1].desk.RingAccount("fake", account.ID())
		after(3 * time.Second)
		require.Equal(t, []string{"first"}, f.tickets(id))
	})
}

func TestProcessesSendAndTellOnce(t *testing.T) {
	t.Parallel()
	bubbleFleet(t, 3, nil, func(t *testing.T, f *fleet) {
		accounts, ids := f.openMany(5)
		f.notices.takes = 3 * time.Second // longer than until the next process would look
		for i, a := range accounts {
			require.NoError(t, f.desk.Inboxes.Watch(t.Context(), f.actor("carl"), ids[i], inbox.Watch{
				Events: []inbox.EventName{ticket.EventCreated, ticket.EventAgentReply}}))
			deliver(a, "offer")
		}
		after(2 * time.Minute)
		for i, a := range accounts {
			a.Throttle(1, time.Second) // so that it waits for the dispatchers
			_, err := f.desk.Tickets.Reply(t.Context(), f.actor("rita"), f.only(ids[i]).ID, ticket.Reply{Text: "hello"})
			require.NoError(t, err)
			a.Latency(3 * time.Second)
		}
		after(5 * time.Minute)
		counts := make(map[string]int)
		for _, n := range f.notices.names() {
			counts[n]++
		}
		require.Equal(t, map[string]int{"carl ticket.created": 5, "carl ticket.agent.reply": 5}, counts)
		for i, a := range accounts {
			require.Len(t, a.Sends(), 1)
			require.Equal(t, ticket.Waiting, f.only(ids[i]).Status)
		}
		require.Zero(t, f.logs.count("dispatch"))
		require.Zero(t, f.logs.count("deliver"))
	})
}

func TestProcessesForgetDeletedInboxes(t *testing.T) { // R-INB-12
	t.Parallel()
	bubbleFleet(t, 2, nil, func(t *testing.T, f *fleet) {
		accounts, ids := f.openMany(1)
		deliver(accounts[0], "offer")
		after(2 * time.Minute)
		offer := f.only(ids[0])
		require.NoError(t, f.desk.Inboxes.Delete(t.Context(), f.actor("carl"), ids[0]))
		after(2 * time.Minute)
		accounts[0].ForgetCalls()
		after(time.Hour)
		require.Zero(t, accounts[0].TotalCalls(), "calls to the mailbox of a deleted inbox")
		after(7 * time.Hour)
		_, err := f.store.Ticket(t.Context(), offer.ID)
		require.Error(t, err, "purged when its time is over")
		claimed, err := f.store.Claim(t.Context(), desk.TaskStep, "me", 10, time.Hour)
		require.NoError(t, err)
		require.Empty(t, claimed, "its task is forgotten too")
	})
}
