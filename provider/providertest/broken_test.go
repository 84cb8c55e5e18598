package providertest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/provider/providertest"
)

type (
	stream = iter.Seq2[provider.Batch, error]
	taker  = func(provider.RemoteID, io.Reader, error) error
)

// full is a mailbox with every capability.
type full interface {
	provider.Mailbox
	provider.Addresses
	provider.Sender
	provider.Finder
	provider.Subscriber
	provider.Waiter
	provider.Counter
	provider.BulkOpener
}

// broken is a full mailbox with some of its methods replaced.
type broken struct {
	full
	changes func(ctx context.Context, from provider.Cursor, w provider.Walk) stream
	open    func(ctx context.Context, id provider.RemoteID) (io.ReadCloser, error)
	origin  func(ctx context.Context, id provider.RemoteID) (io.ReadCloser, error)
	many    func(ctx context.Context, ids []provider.RemoteID, each taker) error
	account func(ctx context.Context) (provider.Account, error)
	send    func(ctx context.Context, out provider.Outgoing) (provider.Sent, error)
	find    func(context.Context, string, provider.ThreadID, time.Time) (provider.Sent, error)
	wait    func(ctx context.Context) error
	count   func(ctx context.Context, w provider.Walk) (int, error)
	renew   func(ctx context.Context, s provider.Subscription) (provider.Subscription, error)
}

func (b *broken) Changes(ctx context.Context, from provider.Cursor, w provider.Walk) stream {
	if b.changes != nil {
		return b.changes(ctx, from, w)
	}
	return b.full.Changes(ctx, from, w)
}

func (b *broken) Open(ctx context.Context, id provider.RemoteID) (io.ReadCloser, error) {
	if b.open != nil {
		return b.open(ctx, id)
	}
	return b.full.Open(ctx, id)
}

// Original is Open, unless what is opened is no original.
func (b *broken) Original(ctx context.Context, id provider.RemoteID) (io.ReadCloser, error) {
	if b.origin != nil {
		return b.origin(ctx, id)
	}
	return b.Open(ctx, id)
}

func (b *broken) OpenMany(ctx context.Context, ids []provider.RemoteID, each taker) error {
	if b.many != nil {
		return b.many(ctx, ids, each)
	}
	return b.full.OpenMany(ctx, ids, each)
}

func (b *broken) Account(ctx context.Context) (provider.Account, error) {
	if b.account != nil {
		return b.account(ctx)
	}
	return b.full.Account(ctx)
}

func (b *broken) Send(ctx context.Context, out provider.Outgoing) (provider.Sent, error) {
	if b.send != nil {
		return b.send(ctx, out)
	}
	return b.full.Send(ctx, out)
}

func (b *broken) Find(
	ctx context.Context, marker string, thread provider.ThreadID, since time.Time,
) (provider.Sent, error) {
	if b.find != nil {
		return b.find(ctx, marker, thread, since)
	}
	return b.full.Find(ctx, marker, thread, since)
}

func (b *broken) Wait(ctx context.Context) error {
	if b.wait != nil {
		return b.wait(ctx)
	}
	return b.full.Wait(ctx)
}

func (b *broken) Count(ctx context.Context, w provider.Walk) (int, error) {
	if b.count != nil {
		return b.count(ctx, w)
	}
	return b.full.Count(ctx, w)
}

func (b *broken) Renew(ctx context.Context, s provider.Subscription) (provider.Subscription, error) {
	if b.renew != nil {
		return b.renew(ctx, s)
	}
	return b.full.Renew(ctx, s)
}

// world is one account of a fake service, opened through what breaks it.
type world struct {
	s     *fake.Service
	a     *fake.Account
	wreck func(w *world, b *broken)

	mu    sync.Mutex
	opens int
}

func (w *world) Open(t providertest.T) provider.Mailbox {
	w.mu.Lock()
	w.opens++
	w.mu.Unlock()
	m, err := w.s.Open(t.Context(), w.a.Credential(), nil)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	b := &broken{full: m.(full)}
	if w.wreck != nil {
		w.wreck(w, b)
	}
	return b
}

func (w *world) Deliver(_ providertest.T, m providertest.Mail) provider.RemoteID {
	return w.a.Deliver(m.Raw, fake.Delivery{Received: m.Received})
}

func (w *world) DeliverTo(
	_ providertest.T, m providertest.Mail, folder provider.Folder, unread, sent bool,
) provider.RemoteID {
	return w.a.Deliver(m.Raw, fake.Delivery{Received: m.Received, Folder: folder,
		Read: !unread, Sent: sent})
}

func (w *world) Move(_ providertest.T, id provider.RemoteID, f provider.Folder) { w.a.Move(id, f) }
func (w *world) MarkRead(_ providertest.T, id provider.RemoteID)                { w.a.MarkRead(id) }
func (w *world) Remove(_ providertest.T, id provider.RemoteID)                  { w.a.Remove(id) }
func (w *world) ExpireCursors(providertest.T)                                   { w.a.ExpireCursors() }
func (w *world) Revoke(providertest.T)                                          { w.a.Revoke() }
func (w *world) Reconnect(providertest.T)                                       { w.a.Reconnect() }
func (w *world) LoseAnswerOfSend(providertest.T)                                { w.a.LoseAnswerOfSend() }

func (w *world) Throttle(_ providertest.T, n int, after time.Duration) { w.a.Throttle(n, after) }

// edit passes every batch through f.
func edit(b *broken, f func(*provider.Batch)) {
	b.changes = func(ctx context.Context, from provider.Cursor, w provider.Walk) stream {
		return func(yield func(provider.Batch, error) bool) {
			for batch, err := range b.full.Changes(ctx, from, w) {
				batch.Put = slices.Clone(batch.Put)
				f(&batch)
				if !yield(batch, err) {
					return
				}
			}
		}
	}
}

// each passes every header through f.
func each(b *broken, f func(*provider.Header)) {
	edit(b, func(batch *provider.Batch) {
		for i := range batch.Put {
			f(&batch.Put[i])
		}
	})
}

var errBroken = errors.New("broken")

// recorder is a T that notes what a check finds.
type recorder struct {
	*testing.T
	mu    sync.Mutex
	notes []string
}

func (r *recorder) Helper() {}

func (r *recorder) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.notes = append(r.notes, fmt.Sprintf(format, args...))
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	runtime.Goexit()
}

// notice runs a check and returns what it noticed. A panic is noticed too.
func notice(t *testing.T, name string, h providertest.Harness) []string {
	t.Helper()
	i := slices.IndexFunc(providertest.Checks(), func(c providertest.Check) bool { return c.Name == name })
	require.GreaterOrEqual(t, i, 0, "no check is called %q", name)
	r := &recorder{T: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if p := recover(); p != nil {
				r.Errorf("panic: %v", p)
			}
		}()
		providertest.Checks()[i].Run(r, h)
	}()
	<-done
	return r.notes
}

func newWorld(wreck func(*world, *broken)) *world {
	s := fake.New(fake.Options{PageSize: 7, RawWithHeaders: true})
	a := s.Account("owner@own.example")
	a.Bulk(true)
	return &world{s: s, a: a, wreck: wreck}
}

func TestSuitePassesWhatIsRight(t *testing.T) {
	t.Parallel()
	providertest.Mailbox(t, func(providertest.T) providertest.Harness { return newWorld(nil) })
}

func TestCheckNamesAreStable(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for _, c := range providertest.Checks() {
		require.False(t, names[c.Name], "check %q is there twice", c.Name)
		require.Equal(t, 1, strings.Count(c.Name, "/"), "check %q: want Subject/Promise", c.Name)
		names[c.Name] = true
	}
	for _, b := range promises {
		delete(names, b.check)
	}
	require.Empty(t, names, "checks without a mailbox that is broken on purpose")
}

func TestSuiteNoticesEveryBrokenPromise(t *testing.T) {
	t.Parallel()
	for _, p := range promises {
		t.Run(p.check+"/"+p.broken, func(t *testing.T) {
			t.Parallel()
			require.NotEmpty(t, notice(t, p.check, newWorld(p.wreck)),
				"a mailbox that %s passed the check %q", p.broken, p.check)
			require.Empty(t, notice(t, p.check, newWorld(nil)), "a mailbox that keeps all promises")
		})
	}
}
