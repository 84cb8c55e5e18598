package ticket_test

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/ticket"
)

// unsure is a store that answers one write of the ticket service, or two in a row, with ErrAmbiguous.
type unsure struct {
	*faulty

	mu     sync.Mutex
	writes int
	at     int    // the first write to answer so, from 1; 0 is none
	done   []bool // for each of them whether it is done
	then   func() // called between such an answer and whatever follows
}

// doubt is one write. A write that is refused says so.
func doubt[T any](u *unsure, write func() (T, error)) (T, error) {
	u.mu.Lock()
	u.writes++
	n := u.writes - u.at
	u.mu.Unlock()
	if u.at == 0 || n < 0 || n >= len(u.done) {
		return write()
	}
	if u.done[n] {
		if out, err := write(); err != nil {
			return out, err
		}
	}
	if u.then != nil {
		u.then()
	}
	var none T
	return none, &storage.Error{Op: "save", Entity: "ticket", Err: storage.ErrAmbiguous}
}

func (u *unsure) SaveTickets(ctx context.Context, w []ticket.Write, ev ...inbox.Event) ([]ticket.Ticket, error) {
	return doubt(u, func() ([]ticket.Ticket, error) { return u.faulty.SaveTickets(ctx, w, ev...) })
}

func (u *unsure) SaveMark(ctx context.Context, id inbox.ID, seq uint64, expect storage.Version) (storage.Version, error) {
	return doubt(u, func() (storage.Version, error) { return u.faulty.SaveMark(ctx, id, seq, expect) })
}

// unsureWorld is a world whose ticket service works on an unsure store.
func unsureWorld(t *testing.T, at int, done ...bool) (*world, *unsure) {
	w := newWorld(t, fake.Options{RewriteMessageID: true})
	u := &unsure{faulty: w.store, at: at, done: done}
	w.svc = w.onStore(u)
	return w, u
}

// onStore is another ticket service of the world, on a store of its own.
func (w *world) onStore(s ticket.Store) *ticket.Service {
	w.t.Helper()
	svc, err := ticket.New(ticket.Config{
		Store: s, Inboxes: w.inboxes, Archive: w.store, Blobs: w.store, Now: w.clock, NewID: w.id,
	})
	require.NoError(w.t, err)
	return svc
}

// work is what happens to a team's tickets: mail comes, is noted on, assigned, answered, answered with
// the answer of the service lost, lost and sent again, and people lose their access.
func work(w *world) {
	ok := func(err error) { w.t.Helper(); require.NoError(w.t, err) }
	ctx, rita := w.t.Context(), w.actor("rita")
	w.open(false)
	w.advance(time.Minute)
	w.deliver("Ann <ann@acme.com>", "offer", "Message-ID: <ask@acme.com>")
	w.deliver("Bob <bob@bond.com>", "order")
	w.pull()
	offer := w.tickets()[0].ID
	_, err := w.svc.Note(ctx, rita, offer, "call her")
	ok(err)
	_, err = w.svc.Assign(ctx, rita, offer, "rita")
	ok(err)
	w.reply(offer)
	w.pull()
	_, err = w.svc.SetStatus(ctx, rita, offer, ticket.Solved)
	ok(err)
	w.advance(time.Minute)
	w.deliver("Ann <ann@acme.com>", "Re: offer", "Message-ID: <more@acme.com>", "References: <ask@acme.com>")
	w.pull()

	w.account.LoseAnswerOfSend()
	w.reply(offer)
	w.dispatch(time.Minute)
	w.pull()

	w.account.FailSendBefore()
	lost := w.reply(offer)
	w.dispatch(11 * time.Minute)
	_, err = w.svc.Resolve(ctx, rita, offer, lost.ID, ticket.ResolutionSendAgain)
	ok(err)
	w.dispatch(time.Minute)
	_, err = w.inboxes.Unshare(ctx, w.actor("carl"), w.in.ID, "rita")
	ok(err)
	w.pull()
}

// random are values that differ from run to run.
var random = regexp.MustCompile(`"(marker|rfc_id|blob|try)":"[^"]*",?`)

// dump is what the ticket service has stored, the events, and how much mail left.
func (w *world) dump() string {
	var b strings.Builder
	write := func(name string, v any) {
		text, err := json.Marshal(v)
		require.NoError(w.t, err)
		fmt.Fprintln(&b, name, string(text))
	}
	for _, t := range w.tickets() {
		write("ticket", t)
		for _, e := range w.entries(t.ID) {
			write("entry", e)
		}
	}
	seq, version, err := w.store.Mark(w.t.Context(), w.in.ID)
	require.NoError(w.t, err)
	fmt.Fprintln(&b, "mark", seq, version, "blobs", w.blobs(), "sent", len(w.account.Sends()))
	for _, e := range w.due() {
		write("event", e)
	}
	return random.ReplaceAllString(b.String(), "")
}

// Every write is answered by a broken connection, done or not, once or twice: the end is the same as if
// nothing had happened, to the last version, event and mail sent.
func TestAWriteWhoseAnswerIsLostIsDoneOnce(t *testing.T) {
	t.Parallel()
	w, u := unsureWorld(t, 0)
	work(w)
	want, writes := w.dump(), u.writes
	require.Len(t, w.account.Sends(), 3)
	second, _ := unsureWorld(t, 0)
	work(second)
	require.Equal(t, want, second.dump(), "two runs without a fault are the same")
	t.Logf("%d writes", writes)
	for name, done := range map[string][]bool{
		"not done": {false}, "done": {true}, "done, and lost again": {false, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for at := 1; at <= writes; at++ {
				synctest.Test(t, func(t *testing.T) { // the service waits before it asks a third time
					w, _ := unsureWorld(t, at, done...)
					work(w)
					require.Equal(t, want, w.dump(), "write %d of %d", at, writes)
				})
			}
		})
	}
}

// Two workers take a queued mail at the same moment. One does not learn whether its mark was stored,
// while the other marks the mail, and does or does not get it out: whoever cannot tell does not send.
func TestAMarkThatWasLostToAnotherWorkerSendsNothing(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		other func(*fake.Account)
		sends int
	}{
		{"the other sends", func(*fake.Account) {}, 1},
		{"the other sends and does not know", (*fake.Account).LoseAnswerOfSend, 1},
		{"the other does not send and does not know", (*fake.Account).FailSendBefore, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w, offer := asked(t, fake.Options{})
			w.account.FailOnce(fake.OpSend, "", &provider.RetryError{After: time.Minute})
			w.reply(offer.ID)
			require.Equal(t, ticket.OutgoingQueued, w.outgoing(offer.ID).Outgoing.State)
			w.advance(2 * time.Minute)
			c.other(w.account)
			u := &unsure{faulty: w.store, at: 1, done: []bool{false}}
			u.then = func() {
				_, err := w.svc.Dispatch(t.Context(), 0)
				require.NoError(t, err)
			}
			_, err := w.onStore(u).Dispatch(t.Context(), 0)
			require.NoError(t, err)
			require.Len(t, w.account.Sends(), c.sends)
			w.dispatch(11 * time.Minute)
			require.Len(t, w.account.Sends(), c.sends)
			want := ticket.OutgoingSent
			if c.sends == 0 {
				want = ticket.OutgoingUnknown
			}
			require.Equal(t, want, w.outgoing(offer.ID).Outgoing.State)
		})
	}
}

// A note is not written twice where a colleague was faster than the second try.
func TestANoteWhoseAnswerIsLostIsKnownAgainBehindAColleagues(t *testing.T) {
	t.Parallel()
	for _, done := range []bool{false, true} {
		t.Run(fmt.Sprintf("done: %t", done), func(t *testing.T) {
			t.Parallel()
			w, offer := asked(t, fake.Options{})
			u := &unsure{faulty: w.store, at: 1, done: []bool{done}}
			u.then = func() {
				_, err := w.svc.Note(t.Context(), w.actor("carl"), offer.ID, "mine")
				require.NoError(t, err)
			}
			_, err := w.onStore(u).Note(t.Context(), w.actor("rita"), offer.ID, "hers")
			require.NoError(t, err)
			var notes []acl.UserID
			for _, e := range w.entries(offer.ID) {
				if e.Kind == ticket.EntryNoted {
					notes = append(notes, e.Author)
				}
			}
			require.ElementsMatch(t, []acl.UserID{"rita", "carl"}, notes)
		})
	}
}
