package inbox_test

import (
	"context"
	"fmt"
	"iter"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/fake"
)

// scripted is a mail service that yields given batches, one list after the other; bodies come from
// the account behind it.
type scripted struct {
	*fake.Service

	mu   sync.Mutex
	next [][]provider.Batch
}

type scriptedBox struct {
	provider.Mailbox
	s *scripted
}

func (s *scripted) Open(ctx context.Context, c provider.Credential, save provider.SaveFunc) (provider.Mailbox, error) {
	box, err := s.Service.Open(ctx, c, save)
	return &scriptedBox{box, s}, err
}

func (b *scriptedBox) Changes(context.Context, provider.Cursor, provider.Walk) iter.Seq2[provider.Batch, error] {
	b.s.mu.Lock()
	defer b.s.mu.Unlock()
	var batches []provider.Batch
	if len(b.s.next) > 0 {
		batches, b.s.next = b.s.next[0], b.s.next[1:]
	}
	return func(yield func(provider.Batch, error) bool) {
		for _, batch := range batches {
			if !yield(batch, nil) {
				return
			}
		}
	}
}

// scriptedWorld is a world whose mail service yields what yield says, sync by sync.
func scriptedWorld(t *testing.T, yield func(w *world, all map[provider.RemoteID]provider.Header) [][]provider.Batch,
	mail func(w *world)) *world {
	t.Helper()
	s := &scripted{}
	w := newWorld(t, fake.Options{}, func(c *inbox.Config) {
		s.Service = c.Providers[0].(*fake.Service)
		c.Providers = []provider.Provider{s}
	})
	mail(w)
	all := make(map[provider.RemoteID]provider.Header)
	for _, h := range w.account.Messages() {
		all[h.ID] = h
	}
	s.next = yield(w, all)
	return w
}

func TestOddBatchesLoseNothingAndStoreNothingTwice(t *testing.T) { // R-IMP-06
	t.Parallel()
	change := func(h provider.Header, f func(*provider.Header)) provider.Header { f(&h); return h }
	read := func(h *provider.Header) { h.Unread = false }
	spam := func(h *provider.Header) { h.Folder = provider.FolderSpam }
	type headers = map[provider.RemoteID]provider.Header
	for name, c := range map[string]struct {
		batches func(headers) []provider.Batch
		want    []string // stored, newest first; "read" marks what is
	}{
		"no batch at all": {func(headers) []provider.Batch { return nil }, nil},
		"only removed, of nobody": {func(headers) []provider.Batch {
			return []provider.Batch{{Removed: []provider.RemoteID{"x", "y"}, Next: "1"}}
		}, nil},
		"an empty batch": {func(h headers) []provider.Batch {
			return []provider.Batch{{Next: "1", Walking: true}, {Put: []provider.Header{h["m1"]}, Next: "2"}}
		}, []string{"one"}},
		"twice in a batch, the later counts": {func(h headers) []provider.Batch {
			return []provider.Batch{{Put: []provider.Header{change(h["m1"], spam), h["m2"], change(h["m1"], read)}, Next: "1"}}
		}, []string{"two", "one read"}},
		"again in the next batch, read": {func(h headers) []provider.Batch {
			return []provider.Batch{{Put: []provider.Header{h["m1"]}, Next: "1", Walking: true},
				{Put: []provider.Header{change(h["m1"], read)}, Next: "2"}}
		}, []string{"one read"}},
		"rescued from spam in the next batch": {func(h headers) []provider.Batch {
			return []provider.Batch{{Put: []provider.Header{change(h["m1"], spam), h["m2"]}, Next: "1", Walking: true},
				{Put: []provider.Header{h["m1"]}, Next: "2"}}
		}, []string{"two", "one"}},
		"read and removed in the next batches": {func(h headers) []provider.Batch {
			return []provider.Batch{{Put: []provider.Header{h["m1"], h["m2"]}, Next: "1", Walking: true},
				{Put: []provider.Header{change(h["m1"], read)}, Next: "2"},
				{Removed: []provider.RemoteID{"m1"}, Next: "3"}}
		}, []string{"two", "one read removed"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := scriptedWorld(t, func(w *world, all map[provider.RemoteID]provider.Header) [][]provider.Batch {
				return [][]provider.Batch{c.batches(all)}
			}, func(w *world) {
				w.mailFrom("ann@acme.com", "one", 2)
				w.mailFrom("ann@acme.com", "two", 1)
			})
			in := w.open(true, filter.Rules{Mode: filter.All})
			settings := inbox.InboxSettings{MirrorDeletes: true}
			_, err := w.svc.Edit(t.Context(), w.actor("carl"), in.ID, inbox.Edit{Settings: &settings})
			require.NoError(t, err)
			w.sync(in.ID)
			var got []string
			for _, m := range w.messages(in.ID) {
				text := m.Subject
				if !m.Unread {
					text += " read"
				}
				if m.Removed {
					text += " removed"
				}
				got = append(got, text)
			}
			require.Equal(t, c.want, got)
			w.sync(in.ID)
		})
	}
}

func TestMailWithoutAThreadSharesNone(t *testing.T) { // R-FLT-04 row 10
	t.Parallel()
	w := scriptedWorld(t, func(w *world, all map[provider.RemoteID]provider.Header) [][]provider.Batch {
		var b provider.Batch
		for _, h := range w.account.Messages() {
			h.Thread = ""
			b.Put = append(b.Put, h)
		}
		b.Next = "1"
		return [][]provider.Batch{{b}}
	}, func(w *world) {
		w.client("Acme", "acme.com")
		w.mailFrom("ann@acme.com", "client", 9)
		w.mailFrom("eve@stranger.io", "away", 1, "Auto-Submitted: auto-replied")
		w.account.Deliver(mailText("eve@stranger.io", "me@firm.example", "another matter", "Cc: ann@acme.com"),
			fake.Delivery{Received: connected.Add(-time.Hour)})
	})
	in := w.open(true, filter.Rules{})
	w.sync(in.ID)
	require.Equal(t, []string{"client"}, w.stored(in.ID))
}

func TestMailWithoutAReceivedTimeStaysOut(t *testing.T) { // R-IMP-03
	t.Parallel()
	w := scriptedWorld(t, func(w *world, all map[provider.RemoteID]provider.Header) [][]provider.Batch {
		h := all["m1"]
		h.Received = time.Time{}
		return [][]provider.Batch{{{Put: []provider.Header{h}, Next: "1"}}, {{Put: []provider.Header{all["m1"]}, Next: "2"}}}
	}, func(w *world) { w.mailFrom("ann@acme.com", "one", 1) })
	in := w.open(true, filter.Rules{Mode: filter.All})
	run := w.sync(in.ID)
	require.Equal(t, map[filter.Reason]int{filter.OutsideWindow: 1}, run.Rejected)
	w.sync(in.ID)
	require.Equal(t, []string{"one"}, w.stored(in.ID), "decided anew once the service tells the time")
}

func TestOneBigBatchIsStored(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fake.Options{PageSize: 5000})
	for i := range 1200 {
		w.mailFrom("ann@acme.com", fmt.Sprint("mail ", i), 1)
	}
	in := w.open(true, filter.Rules{Mode: filter.All})
	require.Equal(t, 1200, w.sync(in.ID).Stored)
}

func TestMailOfAClientMadeDuringALongImportEnters(t *testing.T) { // R-CHG-06, R-FLT-10
	t.Parallel()
	w := newWorld(t, fake.Options{PageSize: 1, SearchOff: true})
	w.client("Acme", "acme.com")
	for i := range 6 {
		w.mailFrom("ann@acme.com", fmt.Sprint("mail ", i), i+1)
	}
	w.mailFrom("bo@beta.org", "before bo was a client", 8)
	in := w.open(true, filter.Rules{})
	done := false
	w.account.BeforeCall(func(op fake.Op, n int) error {
		if op != fake.OpChanges || n < 6 || done {
			return nil
		}
		done = true
		w.advance(time.Minute)
		if _, err := w.svc.CreateCompany(context.Background(), w.actor("olga"),
			inbox.CompanyEdit{Name: "Beta", Domains: []string{"beta.org"}}); err != nil {
			return err
		}
		w.advance(time.Minute)
		w.account.Deliver(mailText("bo@beta.org", "me@firm.example", "first of a new client"), fake.Delivery{})
		return nil
	})
	for range 2 {
		_, err := w.svc.Sync(t.Context(), in.ID)
		require.NoError(t, err)
	}
	require.Contains(t, w.stored(in.ID), "first of a new client")
	require.NotContains(t, w.stored(in.ID), "before bo was a client")
	require.NotEmpty(t, w.messages(in.ID)[0].Customer)
}

// TestNoGoroutineOutlivesASync runs in a bubble, which ends only when all its goroutines have.
func TestNoGoroutineOutlivesASync(t *testing.T) {
	t.Parallel()
	for _, bulk := range []bool{false, true} {
		for n := 1; n <= 40; n += 3 {
			synctest.Test(t, func(t *testing.T) {
				var store *faulty
				w := newWorld(t, fake.Options{PageSize: 3}, breakable(&store))
				w.account.Bulk(bulk)
				w.account.Latency(time.Second)
				for i := range 12 {
					w.mailFrom("ann@acme.com", fmt.Sprint("mail ", i), i+1)
				}
				in := w.open(true, filter.Rules{Mode: filter.All})
				store.failAt(n)
				_, err := w.svc.Sync(t.Context(), in.ID)
				require.ErrorIs(t, err, errBroken, "the store broken at call %d", n)
				store.onCall(nil)
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(n)*time.Second/5)
				defer cancel()
				if _, err := w.svc.Sync(ctx, in.ID); err != nil {
					require.ErrorIs(t, err, context.DeadlineExceeded)
				}
			})
		}
	}
}

func TestAStoreThatFailsWhileMailIsOpenedIsTheErrorOfTheSync(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var store *faulty
		w := newWorld(t, fake.Options{PageSize: 1}, breakable(&store))
		for i := range 6 {
			w.mailFrom("ann@acme.com", fmt.Sprint("mail ", i), i+1)
		}
		in := w.open(true, filter.Rules{Mode: filter.All})
		w.account.BeforeCall(func(op fake.Op, _ int) error {
			if op == fake.OpOpen {
				w.account.Latency(time.Minute) // the opens to come wait, until they are cancelled
			}
			return nil
		})
		var seen atomic.Int32
		store.onCall(func(op string, _ int) error {
			if op == "Seen" && seen.Add(1) == 3 {
				return errBroken
			}
			return nil
		})
		_, err := w.svc.Sync(t.Context(), in.ID)
		require.ErrorIs(t, err, errBroken)
		require.NotErrorIs(t, err, context.Canceled, "the caller cancelled nothing")
	})
}
