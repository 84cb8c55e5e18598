package ticket_test

import (
	"context"
	"fmt"
	"iter"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/ticket"
)

// between calls once after the entries of a mail were read.
type between struct {
	*faulty
	once sync.Once
	do   func()
}

func (b *between) Entries(ctx context.Context, q ticket.EntryQuery) iter.Seq2[ticket.Entry, error] {
	var all []ticket.Entry
	var failed error
	for e, err := range b.faulty.Entries(ctx, q) {
		if err != nil {
			failed = err
			break
		}
		all = append(all, e)
	}
	if q.Ticket == "" && len(q.Messages) == 1 && len(all) == 1 {
		b.once.Do(b.do)
	}
	return func(yield func(ticket.Entry, error) bool) {
		for _, e := range all {
			if !yield(e, nil) {
				return
			}
		}
		if failed != nil {
			yield(ticket.Entry{}, failed)
		}
	}
}

func TestCollectDuringAMergeKeepsTheMail(t *testing.T) {
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	again := w.ask("Ann <ann@acme.com>", "again")
	w.change(inbox.MessageChange{ID: again.Last, Hidden: new(true)})
	b := &between{faulty: w.store, do: func() { w.mergeOn(offer.ID, again.ID) }}
	_, err := w.onStore(b).Collect(t.Context(), w.in.ID)
	require.NoError(t, err)
	w.collect()
	require.Equal(t, []string{"offer", "again"}, w.subjects("carl", offer.ID))
	got := w.stored(offer.ID)
	require.Equal(t, [2]int{2, 1}, [2]int{got.Messages, got.Shown})
	stub := w.stored(again.ID)
	require.Equal(t, [2]int{0, 0}, [2]int{stub.Messages, stub.Shown})
}

func (w *world) mergeOn(target ticket.ID, source ticket.ID) { w.merge("carl", target, source) }

// lostOnce does its first write and loses the answer, after something else was done.
type lostOnce struct {
	*faulty
	n  int
	do func()
}

func (l *lostOnce) SaveTickets(ctx context.Context, w []ticket.Write, ev ...inbox.Event) ([]ticket.Ticket, error) {
	out, err := l.faulty.SaveTickets(ctx, w, ev...)
	if l.n++; l.n == 1 && err == nil {
		l.do()
		return nil, fmt.Errorf("lost: %w", storage.ErrAmbiguous)
	}
	return out, err
}

func TestAmbiguousMergeWithMailOnItsWay(t *testing.T) {
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	again := w.ask("Ann <ann@acme.com>", "again")
	_, err := w.svc.Reply(t.Context(), w.actor("rita"), again.ID, ticket.Reply{Text: "x", SendAt: w.clock().Add(time.Hour)})
	require.NoError(t, err)
	w.advance(2 * time.Hour)
	l := &lostOnce{faulty: w.store, do: func() {
		_, err := w.svc.Dispatch(t.Context(), 0)
		require.NoError(t, err)
	}}
	_, err = w.onStore(l).Merge(t.Context(), w.actor("rita"), offer.ID, []ticket.ID{again.ID})
	require.NoError(t, err)
}

// Whatever happens at the same time, each mail is in one ticket that is no source, is sent once, and the
// counts are right.
func TestEverythingAtOnce(t *testing.T) {
	t.Parallel()
	for seed := range uint64(12) {
		w := newWorld(t, fake.Options{})
		w.open(false)
		var ids []ticket.ID
		for i := range 5 {
			ids = append(ids, w.ask("Ann <ann@acme.com>", fmt.Sprintf("s%d", i), fmt.Sprintf("Message-ID: <m%d@acme.com>", i)).ID)
		}
		var msgs []inbox.MessageID
		for _, id := range ids {
			msgs = append(msgs, w.stored(id).Last)
		}
		carl := w.actor("carl")
		ctx := t.Context()
		var wg sync.WaitGroup
		for g := range 4 {
			r := newRand(seed*10 + uint64(g))
			wg.Go(func() {
				for n := range 25 {
					a, b := ids[r.IntN(len(ids))], ids[r.IntN(len(ids))]
					switch r.IntN(8) {
					case 0, 1:
						_, _ = w.svc.Merge(ctx, carl, a, []ticket.ID{b})
					case 2:
						for e, err := range w.store.Entries(ctx, ticket.EntryQuery{Ticket: a}) {
							if err == nil && e.Message != "" && r.IntN(2) == 0 {
								_, _ = w.svc.Split(ctx, carl, a, ticket.Split{Entry: e.ID, Later: r.IntN(2) == 0})
								break
							}
						}
					case 3:
						_, _ = w.svc.Reply(ctx, carl, a, ticket.Reply{Text: "x"})
					case 4:
						_, _ = w.svc.Dispatch(ctx, 0)
					case 5, 6:
						hide := r.IntN(2) == 0
						st, err := w.store.SyncState(ctx, w.in.ID)
						if err == nil {
							_, _ = w.store.Commit(ctx, inbox.Import{State: st, Changed: []inbox.MessageChange{{ID: msgs[r.IntN(len(msgs))], Hidden: &hide}}})
						}
						_, _ = w.svc.Collect(ctx, w.in.ID)
					case 7:
						w.account.Deliver(mailText("Ann <ann@acme.com>", "me@firm.example", fmt.Sprintf("l%d-%d", g, n),
							fmt.Sprintf("References: <m%d@acme.com>", r.IntN(5)), fmt.Sprintf("Message-ID: <l%d-%d@acme.com>", g, n)), fake.Delivery{})
						_, _ = w.inboxes.Sync(ctx, w.in.ID)
						_, _ = w.svc.Collect(ctx, w.in.ID)
					}
				}
			})
		}
		wg.Wait()
		w.dispatch(time.Hour)
		w.pull()
		for tt, err := range w.store.Tickets(ctx, ticket.Query{AllHidden: true, Merged: true}) {
			require.NoError(t, err)
			n, shown := 0, 0
			for _, e := range w.entries(tt.ID) {
				if e.Message != "" {
					n++
					if !e.Hidden {
						shown++
					}
				}
			}
			require.Equal(t, [2]int{n, shown}, [2]int{tt.Messages, tt.Shown}, "seed %d ticket %s merged into %q", seed, tt.ID, tt.MergedInto)
			if tt.MergedInto != "" {
				require.Zero(t, n, "seed %d: mail in a source", seed)
			}
		}
		seen := map[string]int{}
		for _, s := range w.account.Sends() {
			seen[fmt.Sprint(s.MessageID)]++
		}
		for id, n := range seen {
			require.Equal(t, 1, n, "seed %d: mail %s was sent more than once", seed, id)
		}
	}
}
