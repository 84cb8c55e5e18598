package inbox_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/storage"
)

// another returns a second service on everything the world has: another process.
func (w *world) another() *inbox.Service {
	w.t.Helper()
	s, err := inbox.New(w.svc.Config)
	require.NoError(w.t, err)
	return s
}

// deliverMany puts n mails of n people into the mailbox.
func (w *world) deliverMany(n int) {
	for i := range n {
		w.mailFrom(fmt.Sprintf("ann%d@acme.com", i%7), fmt.Sprint("offer ", i), -1-i)
	}
}

// Two workers forced onto one inbox, the second a little later than the first: everything is stored
// once, one of them ends in storage.ErrConflict, and at most one page is asked for in vain, or the two
// that were under way when it was the older one that lost.
func TestTwoWorkersOnOneInboxWasteOnePage(t *testing.T) {
	t.Parallel()
	const mails, page = 130, 20
	for name, o := range map[string]fake.Options{
		"headers first":       {PageSize: page},
		"bodies with headers": {PageSize: page, RawWithHeaders: true},
	} {
		for late := range 12 {
			t.Run(fmt.Sprintf("%s/%d calls later", name, late), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					w := newWorld(t, o)
					w.deliverMany(mails)
					in := w.open(true, filter.Rules{Mode: filter.All})
					services := []*inbox.Service{w.svc, w.another()}
					w.account.ForgetCalls()
					w.account.Latency(time.Second)
					var workers sync.WaitGroup
					errs := make([]error, 2)
					for i, s := range services {
						workers.Go(func() {
							time.Sleep(time.Duration(i*late) * time.Second)
							_, errs[i] = s.Sync(t.Context(), in.ID)
						})
					}
					workers.Wait()
					require.Len(t, w.stored(in.ID), mails)
					opens := 0
					for _, n := range w.account.OpenedIDs() {
						opens += n
					}
					// Where both reach a page at the same moment, the older one may lose, which is a page ahead.
					ahead := min(late, 1)
					require.LessOrEqual(t, opens, mails+page*(1+ahead), "bodies asked for")
					require.LessOrEqual(t, w.account.Calls()[fake.OpChanges], mails/page+3+2*ahead, "pages listed")
					if errs[0] != nil && errs[1] != nil {
						t.Fatalf("both failed: %v", errs)
					}
					if err := errors.Join(errs...); err != nil {
						require.ErrorIs(t, err, storage.ErrConflict)
					} else {
						require.Equal(t, mails, opens, "no conflict, so one began when the other was done")
					}
				})
			})
		}
	}
}

// A worker that is held up at any call, while another takes the inbox over and finishes, stores
// nothing when it goes on, whether its call works or fails.
func TestPausedWorkerStoresNothing(t *testing.T) {
	t.Parallel()
	for what, answer := range map[string]error{"works": nil, "fails": errors.New("500")} {
		for _, raw := range []bool{false, true} {
			for _, early := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s, bodies with headers %v, early %v", what, raw, early), func(t *testing.T) {
					t.Parallel()
					pauses := 0
					for at := 1; pausedAt(t, at, answer, raw, early); at++ {
						pauses++
					}
					require.GreaterOrEqual(t, pauses, 5, "calls of a sync")
				})
			}
		}
	}
}

// pausedAt holds a sync up at a call and says whether it made that many. It goes on when another has
// finished, or early: when that one has only said that it takes over.
func pausedAt(t *testing.T, at int, answer error, raw, early bool) bool {
	w := newWorld(t, fake.Options{PageSize: 5, RawWithHeaders: raw})
	w.deliverMany(12)
	in := w.open(true, filter.Rules{Mode: filter.All})
	w.account.ForgetCalls()
	reached, resume := make(chan struct{}), make(chan struct{})
	w.account.BeforeCall(func(_ fake.Op, n int) error {
		if n != at {
			return nil
		}
		close(reached)
		<-resume
		return answer
	})
	ended := make(chan error, 1)
	go func() {
		_, err := w.svc.Sync(t.Context(), in.ID)
		ended <- err
	}()
	select {
	case <-reached:
	case err := <-ended:
		require.NoError(t, err)
		return false
	}
	other := w.another()
	require.NoError(t, other.TakeOver(t.Context(), in.ID))
	if !early {
		_, err := other.Sync(t.Context(), in.ID)
		require.NoError(t, err, "call %d", at)
		require.Len(t, w.stored(in.ID), 12)
	}
	// Whom the held worker had come to know of before is no write of its sync: they are made known ahead
	// of it, and whoever does it again changes nothing.
	before := w.everything(in.ID, !early)
	close(resume)
	err := <-ended
	require.Error(t, err, "call %d: the worker that was held up", at)
	if answer == nil {
		require.ErrorIs(t, err, storage.ErrConflict, "call %d", at)
	}
	require.Equal(t, before, w.everything(in.ID, !early), "call %d: what it stored", at)
	_, err = other.Sync(t.Context(), in.ID)
	require.NoError(t, err, "call %d", at)
	require.Len(t, w.stored(in.ID), 12)
	return true
}

// everything is what the store has of an inbox, and with people, of the site's customers.
func (w *world) everything(id inbox.ID, people bool) string {
	w.t.Helper()
	ctx := context.WithoutCancel(w.t.Context())
	in, err := w.store.Inbox(ctx, id)
	require.NoError(w.t, err)
	state, err := w.store.SyncState(ctx, id)
	require.NoError(w.t, err)
	all := []any{in, state, w.stored(id)}
	for r, err := range w.store.Runs(ctx, id, 0) {
		require.NoError(w.t, err)
		all = append(all, r)
	}
	for d, err := range w.store.DueEvents(ctx, w.clock(), 0) {
		require.NoError(w.t, err)
		if people || d.Name != inbox.EventCustomerCreated {
			all = append(all, d)
		}
	}
	for c, err := range w.store.Customers(ctx, inbox.CustomerQuery{Site: site}) {
		require.NoError(w.t, err)
		if people {
			all = append(all, c)
		}
	}
	text, err := json.MarshalIndent(all, "", " ")
	require.NoError(w.t, err)
	return string(text)
}
