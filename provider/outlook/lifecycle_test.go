package outlook_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider/outlook"
	"github.com/workinbox/workinbox/provider/outlook/outlooktest"
)

// What Graph tells of a subscription reaches the sync that follows: it is authorized again, or there
// is a new one, and mail rings as before.
func TestLifecycleEventsAreDoneByTheNextSync(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		event outlooktest.Lifecycle
		calls map[string]int
		again bool // another subscription
	}{
		"reauthorize": {outlooktest.ReauthorizationRequired, map[string]int{"subscriptions.update": 1}, false},
		"removed":     {outlooktest.SubscriptionRemoved, map[string]int{"subscriptions.create": 1}, true},
		"missed":      {outlooktest.Missed, map[string]int{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := &late{}
				w := newWorld(t, outlook.Options{NotificationURL: "https://host.example/push"}, outlooktest.Config{
					Push: outlooktest.Push{Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { h.ServeHTTP(rw, r) })}})
				b := &bells{}
				shake, err := w.provider(t).PushHandler(outlook.PushOptions{Ring: b.ring})
				require.NoError(t, err)
				h.Handler = shake
				tm := w.connect(t, false, []string{"client.example"})
				h.Handler, err = w.provider(t).PushHandler(outlook.PushOptions{Ring: b.ring, Lifecycle: tm.svc.PushEvents(outlook.Kind)})
				require.NoError(t, err)
				sync := func() {
					_, err := tm.svc.Sync(t.Context(), tm.in.ID)
					require.NoError(t, err)
				}
				sync()
				before := w.a.Subscriptions()
				require.Len(t, before, 1)
				w.s.ResetStats()
				w.a.Lifecycle(before[0].ID, c.event)
				time.Sleep(time.Second)
				synctest.Wait()
				require.Equal(t, 1, b.count(), "every event rings")
				sync()
				for call, n := range map[string]int{"subscriptions.update": 0, "subscriptions.create": 0} {
					require.Equal(t, n+c.calls[call], w.s.Stats().Requests[call], call)
				}
				after := w.a.Subscriptions()
				require.Len(t, after, 1)
				require.Equal(t, c.again, after[0].ID != before[0].ID)
				require.False(t, after[0].Paused)
				w.a.Deliver(letter("new"), outlooktest.Delivery{Received: time.Now()})
				time.Sleep(time.Second)
				synctest.Wait()
				require.Equal(t, 2, b.count(), "it rings as before")
				sync()
				require.Equal(t, map[string]int{"new@client.example": 1}, tm.stored(t))
				pushed, err := tm.svc.Pushed(t.Context(), tm.in.ID)
				require.NoError(t, err)
				require.True(t, pushed)
			})
		})
	}
}
