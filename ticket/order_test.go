package ticket_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/provider/rfc822"
	"github.com/workinbox/workinbox/ticket"
)

// state is what a ticket must be whatever order its mail came in.
type state struct {
	Subject  string
	Status   ticket.Status
	Threads  string
	Customer inbox.CustomerID
	Messages int
	Shown    int
	Last     inbox.MessageID
	Created  time.Time
	Activity time.Time // of imported tickets: live ones are also touched by the lines of their changes
	Mails    string
}

// conversation is mail that belongs into one ticket.
type conversation []inbox.Message

// talk makes a conversation of some mails, oldest first. With wander some of them are of further
// provider threads and refer to an earlier mail of the conversation.
func talk(r *rand.Rand, n int, imported, wander bool) conversation {
	var c conversation
	thread := inbox.ThreadID(fmt.Sprintf("thread-%d", n))
	for i := range 1 + r.IntN(6) {
		m := inbox.Message{
			ID: inbox.MessageID(fmt.Sprintf("mail-%02d-%02d", n, i)), Site: site, Thread: thread,
			RFCID: fmt.Sprintf("%d.%d@mail.example", n, i), Subject: fmt.Sprintf("subject %d.%d", n, i),
			Received:  connected.Add(-time.Duration(1000-100*i-r.IntN(90)) * time.Minute).Add(time.Duration(n) * time.Second),
			Direction: filter.Inbound, Class: rfc822.ClassHuman, Imported: imported,
			Private: r.IntN(6) == 0,
		}
		m.Remote = provider.RemoteID(m.ID)
		switch r.IntN(5) {
		case 0:
			m.Direction = filter.Outbound
		case 1:
			m.Class = rfc822.ClassAutoReply
		}
		if r.IntN(3) > 0 {
			m.Customer = inbox.CustomerID(fmt.Sprintf("customer-%d", r.IntN(3)))
		}
		if wander && i > 0 && r.IntN(3) == 0 {
			m.Thread = inbox.ThreadID(fmt.Sprintf("thread-%d-%d", n, i))
			m.References = []string{"nobody@knows.example", c[r.IntN(i)].RFCID}
		}
		c = append(c, m)
	}
	return c
}

// want is the state by the rules, from the whole conversation at once.
func (c conversation) want() state {
	s := state{Status: ticket.Active, Created: c[0].Received, Messages: len(c)}
	shown := slices.DeleteFunc(slices.Clone(c), func(m inbox.Message) bool { return m.Private })
	s.Shown = len(shown)
	seen := shown
	if len(shown) == 0 {
		seen = c
	}
	s.Subject, s.Last = seen[0].Subject, seen[len(seen)-1].ID // R-IMP-05
	if c[0].Imported {
		s.Activity = seen[len(seen)-1].Received
	}
	for _, m := range shown {
		switch {
		case m.Direction == filter.Outbound:
			s.Status = ticket.Waiting // R-IMP-09
		case m.Class == rfc822.ClassHuman:
			s.Status = ticket.Active
		}
	}
	var threads []string
	for _, m := range c {
		if s.Customer == "" {
			s.Customer = m.Customer
		}
		threads = append(threads, string(m.Thread))
		s.Mails += fmt.Sprintf("%s %t;", m.ID, m.Private)
	}
	slices.Sort(threads)
	s.Threads = fmt.Sprint(slices.Compact(threads))
	return s
}

// got is the state of a ticket as it is stored.
func (w *world) got(t ticket.Ticket) state {
	s := state{Subject: t.Subject, Status: t.Status, Customer: t.Customer, Messages: t.Messages,
		Shown: t.Shown, Last: t.Last, Created: t.CreatedAt}
	if t.Imported {
		s.Activity = t.Activity
	}
	for _, e := range w.entries(t.ID) {
		if e.Message != "" {
			s.Mails += fmt.Sprintf("%s %t;", e.Message, e.Hidden)
		}
	}
	threads := slices.Sorted(slices.Values(t.Threads))
	s.Threads = fmt.Sprint(threads)
	return s
}

// put puts mail into the archive in one step, in this order.
func (w *world) put(mails ...inbox.Message) {
	w.t.Helper()
	st, err := w.store.SyncState(w.t.Context(), w.in.ID)
	require.NoError(w.t, err)
	imp := inbox.Import{State: st}
	for _, m := range mails {
		m.Inbox = w.in.ID
		imp.Put = append(imp.Put, inbox.Put{Message: m, Content: inbox.Content{Message: m.ID, Text: "text"}})
	}
	_, err = w.store.Commit(w.t.Context(), imp)
	require.NoError(w.t, err)
}

func TestTicketsDoNotDependOnTheOrderOfTheLog(t *testing.T) { // R-IMP-05, R-IMP-09, R-MSG-07
	t.Parallel()
	oldestFirst := func(_ *rand.Rand, all []inbox.Message) { slices.SortFunc(all, byReceived) }
	newestFirst := func(r *rand.Rand, all []inbox.Message) { oldestFirst(r, all); slices.Reverse(all) }
	shuffled := func(r *rand.Rand, all []inbox.Message) {
		r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	}
	for _, row := range []struct {
		name     string
		order    func(*rand.Rand, []inbox.Message)
		imported bool
		wander   bool // further provider threads, joined by References
		step     int  // how many mails come in between two Collects
	}{
		{"oldest first, one by one", oldestFirst, true, true, 1},
		{"newest first, one by one", newestFirst, true, false, 1},
		{"newest first, at once", newestFirst, true, true, 1000},
		{"any order, one by one", shuffled, true, false, 1},
		{"any order, in pages", shuffled, true, false, 7},
		{"any order, at once", shuffled, true, true, 1000},
		{"live, any order, one by one", shuffled, false, false, 1},
		{"live, any order, at once", shuffled, false, true, 1000},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(12) {
				r := rand.New(rand.NewPCG(seed, 1))
				w := newWorld(t, fake.Options{})
				w.open(false)
				var all []inbox.Message
				want := map[inbox.MessageID]state{} // by the oldest mail
				for n := range 20 {
					c := talk(r, n, row.imported, row.wander)
					all = append(all, c...)
					want[c[0].ID] = c.want()
				}
				row.order(r, all)
				for step := range slices.Chunk(all, row.step) {
					w.put(step...)
					w.collect()
				}
				got := map[inbox.MessageID]state{}
				for _, tk := range w.tickets() {
					got[w.entries(tk.ID)[0].Message] = w.got(tk)
				}
				require.Equal(t, want, got, "seed %d", seed)
			}
		})
	}
}

func byReceived(a, b inbox.Message) int {
	return cmp.Compare(a.Received.UnixMicro(), b.Received.UnixMicro())
}

func TestCollectMayBeKilledAnywhere(t *testing.T) {
	t.Parallel()
	for _, lose := range []bool{false, true} {
		t.Run(fmt.Sprintf("answer of the last write lost: %t", lose), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(7, 7))
			var all []inbox.Message
			for n := range 40 { // three writes of 16 tickets, and the mark
				all = append(all, talk(r, n, false, true)...)
			}
			var want []state
			for kill := range 6 {
				w := newWorld(t, fake.Options{})
				w.open(false)
				w.put(all...)
				w.store.failFrom(kill, lose) // 0 is never
				_, err := w.svc.Collect(t.Context(), w.in.ID)
				if kill > 0 && kill <= 4 {
					require.ErrorIs(t, err, errFault, "killed at write %d", kill)
				}
				w.store.heal()
				w.start()
				w.collect()

				states := []state{}
				events := map[string]int{}
				for _, tk := range w.tickets() {
					states = append(states, w.got(tk))
				}
				for _, e := range w.due() {
					events[string(e.Name)+e.Entry]++
				}
				for what, n := range events {
					require.Equal(t, 1, n, "killed at write %d: event %s", kill, what)
				}
				slices.SortFunc(states, func(a, b state) int { return cmp.Compare(a.Mails, b.Mails) })
				if want == nil {
					want = states
				}
				require.Equal(t, want, states, "killed at write %d", kill)
				require.Equal(t, ticket.Collected{}, w.collect(), "killed at write %d: nothing is left", kill)
			}
		})
	}
}
