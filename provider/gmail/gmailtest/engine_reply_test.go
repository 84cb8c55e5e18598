package gmailtest_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/provider/gmail/gmailtest"
	"github.com/workinbox/workinbox/provider/internal/enginetest"
	"github.com/workinbox/workinbox/ticket"
)

// arrivals are the calls that came to a server, in their order.
type arrivals struct {
	mu  sync.Mutex
	all []arrival
}

type arrival struct {
	send bool
	at   time.Time
}

// watchArrivals notes every call from now on.
func watchArrivals(s *gmailtest.Server) *arrivals {
	a := &arrivals{}
	s.Fail(gmailtest.Fault{Times: -1, Match: func(r *http.Request) bool {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.all = append(a.all, arrival{strings.HasSuffix(r.URL.Path, "/messages/send"), time.Now()})
		return false
	}})
	return a
}

func (a *arrivals) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.all)
}

// nextSend is how many calls came before the first send behind the first n calls, and when it came.
func (a *arrivals) nextSend(t *testing.T, n int) (before int, at time.Time) {
	t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	for i, it := range a.all[n:] {
		if it.send {
			return i, it.at
		}
	}
	t.Fatal("nothing was sent")
	return 0, at
}

// A reply is sent by Reply itself, or by Dispatch where Reply was refused.
func TestReplyWaitsForAtMostOneCallOfAnImport(t *testing.T) {
	t.Parallel()
	for i, p := range presets {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				enginetest.November()
				e := newImport(t, p, generated(t, 5_000, 0.45), filter.All, false)
				calls := watchArrivals(e.s)
				imported := make(chan error, 1)
				go func() { imported <- e.Step() }()
				// The old price list is bound by the second, at once; the new one by the minute, once
				// the start level is used up.
				time.Sleep([]time.Duration{time.Minute, 5 * time.Second}[i])
				var most int
				var longest time.Duration
				waits := func(send func()) {
					synctest.Wait()
					n, began := calls.count(), time.Now()
					send()
					before, at := calls.nextSend(t, n)
					most, longest = max(most, before), max(longest, at.Sub(began))
				}
				const replies = 5
				for range replies {
					time.Sleep(3*time.Second + 333*time.Millisecond)
					e.collect()
					waits(func() { e.Reply() })
				}
				e.s.Fail(gmailtest.Fault{Method: "messages.send", Reply: gmailtest.SendingExceeded(soon(time.Second))})
				e.Reply()
				time.Sleep(time.Minute)
				waits(func() { e.dispatch(1) })
				require.Len(t, e.a.Sent(), replies+1)
				require.Empty(t, imported, "the import must last")
				require.NoError(t, <-imported)
				t.Logf("calls before a reply: at most %d, wait: at most %v", most, longest)
				require.LessOrEqual(t, most, 1)
				require.LessOrEqual(t, longest, time.Second/2, "a send is two fifths of what may be spent in a second")
				require.Empty(t, e.s.Usage().Refusals)
			})
		})
	}
}

// collect makes tickets of what is imported so far.
func (e *engine) collect() {
	e.t.Helper()
	_, err := e.Desk.Tickets.Collect(e.t.Context(), e.ID)
	require.NoError(e.t, err)
}

// dispatch sends what is queued, so many mails.
func (e *engine) dispatch(want int) {
	e.t.Helper()
	n, err := e.Desk.Tickets.Dispatch(e.t.Context(), 0)
	require.NoError(e.t, err)
	require.Equal(e.t, want, n)
	for _, entry := range e.Outgoing() {
		require.Equal(e.t, ticket.OutgoingSent, entry.Outgoing.State)
	}
}
