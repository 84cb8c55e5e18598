package inbox_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/fake"
)

func (w *world) pushed(id inbox.ID) bool {
	w.t.Helper()
	pushed, err := w.svc.Pushed(w.t.Context(), id)
	require.NoError(w.t, err)
	return pushed
}

// asked returns the calls for push since the last time, and forgets them.
func (w *world) asked() map[fake.Op]int {
	got := make(map[fake.Op]int)
	for _, op := range []fake.Op{fake.OpSubscribe, fake.OpRenew, fake.OpUnsubscribe} {
		if n := w.account.Calls()[op]; n > 0 {
			got[op] = n
		}
	}
	w.account.ForgetCalls()
	return got
}

func TestPushIsRenewedAtHalfItsLife(t *testing.T) { // R-CON-07
	t.Parallel()
	w := newWorld(t, fake.Options{})
	in := w.open(true, filter.Rules{Mode: filter.All})
	require.False(t, w.pushed(in.ID))
	w.sync(in.ID)
	require.Equal(t, map[fake.Op]int{fake.OpSubscribe: 1}, w.asked())
	require.True(t, w.pushed(in.ID))
	day := 24 * time.Hour
	for _, step := range []struct {
		after time.Duration
		want  map[fake.Op]int
	}{
		{3 * day, map[fake.Op]int{}},
		{day, map[fake.Op]int{fake.OpRenew: 1}},
		{3 * day, map[fake.Op]int{}},
		{8 * day, map[fake.Op]int{fake.OpSubscribe: 1}}, // the process was away too long
	} {
		w.advance(step.after)
		w.sync(in.ID)
		require.Equal(t, step.want, w.asked(), "%v later", step.after)
		require.True(t, w.pushed(in.ID))
	}
	w.account.DropSubscriptions()
	w.advance(4 * day)
	w.sync(in.ID)
	require.Equal(t, map[fake.Op]int{fake.OpRenew: 1, fake.OpSubscribe: 1}, w.asked(), "gone at the service")
	w.advance(8 * day)
	require.False(t, w.pushed(in.ID), "it has run out")
}

func TestPushIsAHint(t *testing.T) { // R-CON-04, R-CON-07
	t.Parallel()
	w := newWorld(t, fake.Options{})
	in := w.open(true, filter.Rules{Mode: filter.All})
	w.account.FailAlways(fake.OpSubscribe, "", errors.New("500"))
	w.sync(in.ID)
	w.sync(in.ID)
	require.Equal(t, map[fake.Op]int{fake.OpSubscribe: 1}, w.asked(), "not again at once")
	require.False(t, w.pushed(in.ID))
	w.advance(11 * time.Minute)
	w.account.Heal()
	w.sync(in.ID)
	require.True(t, w.pushed(in.ID))

	w.account.FailAlways(fake.OpRenew, "", errors.New("500"))
	w.advance(4 * 24 * time.Hour)
	w.sync(in.ID)
	require.True(t, w.pushed(in.ID), "a renewal that did not work leaves what there is")
	w.asked()
	w.advance(24 * time.Hour)
	w.sync(in.ID)
	require.Empty(t, w.asked())
	w.advance(24 * time.Hour)
	w.sync(in.ID)
	require.Equal(t, map[fake.Op]int{fake.OpRenew: 1}, w.asked(), "half of what was left is over")

	w.account.Heal()
	w.account.FailAlways(fake.OpRenew, "", provider.ErrAuth)
	w.advance(18 * time.Hour)
	_, err := w.svc.Sync(t.Context(), in.ID)
	require.ErrorIs(t, err, provider.ErrAuth)
	now, err := w.store.Inbox(t.Context(), in.ID)
	require.NoError(t, err)
	require.Equal(t, inbox.StateNeedsReauth, now.State)

	w.account.Heal()
	_, err = w.consent(in.ID)
	require.NoError(t, err)
	w.asked()
	w.sync(in.ID)
	require.Equal(t, map[fake.Op]int{fake.OpSubscribe: 1}, w.asked(), "a new grant, a new subscription (R-CON-06)")
}

// What a service tells of a subscription is done by the sync that follows, and by no other.
func TestPushThatIsGoneIsNotWaitedFor(t *testing.T) { // R-CON-07
	t.Parallel()
	w := newWorld(t, fake.Options{})
	in := w.open(true, filter.Rules{Mode: filter.All})
	w.sync(in.ID)
	require.True(t, w.pushed(in.ID))
	w.account.FailAlways(fake.OpRenew, "", provider.ErrGone)
	w.account.FailAlways(fake.OpSubscribe, "", errors.New("500"))
	w.advance(4 * 24 * time.Hour)
	w.sync(in.ID)
	require.False(t, w.pushed(in.ID), "nothing rings any more")
	w.account.Heal()
	w.advance(11 * time.Minute)
	w.sync(in.ID)
	require.True(t, w.pushed(in.ID))
}

func TestPushEvents(t *testing.T) { // R-CON-07
	t.Parallel()
	day := 24 * time.Hour
	for _, c := range []struct {
		name  string
		event provider.PushEvent
		other bool // of another subscription
		want  map[fake.Op]int
	}{
		{"to be renewed", provider.PushRenew, false, map[fake.Op]int{fake.OpRenew: 1}},
		{"ended", provider.PushEnded, false, map[fake.Op]int{fake.OpSubscribe: 1}},
		{"missed", provider.PushMissed, false, map[fake.Op]int{}},
		{"unknown", "new", false, map[fake.Op]int{}},
		{"another one ended", provider.PushEnded, true, map[fake.Op]int{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, fake.Options{})
			in := w.open(true, filter.Rules{Mode: filter.All})
			w.sync(in.ID)
			w.asked()
			state, err := w.store.SyncState(t.Context(), in.ID)
			require.NoError(t, err)
			id := state.Push.ID
			if c.other {
				id = "another"
			}
			w.advance(day)
			event := w.svc.PushEvents(in.Provider)
			for range 2 { // they come again and again
				require.NoError(t, event(t.Context(), in.Account.ID, id, c.event))
			}
			require.Empty(t, w.asked(), "no service is called")
			w.sync(in.ID)
			require.Equal(t, c.want, w.asked())
			require.True(t, w.pushed(in.ID))
			w.sync(in.ID)
			w.advance(day)
			w.sync(in.ID)
			require.Empty(t, w.asked(), "once")
		})
	}
	w := newWorld(t, fake.Options{})
	require.NoError(t, w.svc.PushEvents("fake")(t.Context(), "nobody", "s", provider.PushEnded))
}

func TestWhoEndsAnInboxEndsItsPush(t *testing.T) { // R-INB-12, R-CON-08
	t.Parallel()
	for name, end := range map[string]func(*world, inbox.ID) error{
		"disconnect": func(w *world, id inbox.ID) error {
			_, err := w.svc.Disconnect(w.t.Context(), w.actor("carl"), id, inbox.KeepMail)
			return err
		},
		"delete": func(w *world, id inbox.ID) error { return w.svc.Delete(w.t.Context(), w.actor("carl"), id) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, fake.Options{})
			in := w.open(true, filter.Rules{Mode: filter.All})
			w.sync(in.ID)
			w.asked()
			require.NoError(t, end(w, in.ID))
			require.Equal(t, map[fake.Op]int{fake.OpUnsubscribe: 1}, w.asked())
			require.False(t, w.pushed(in.ID))
		})
	}
}
