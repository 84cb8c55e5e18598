package gate_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider/internal/gate"
)

// Calls of several places and of one share the places there are, in any mix, and none waits for ever.
func TestWideCallsKeepToThePlaces(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ slots, width int }{
		"all places": {4, 4}, "some": {4, 3}, "more than there are": {2, 4}, "no limit": {0, 4},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				g := gate.New(gate.Config{Slots: c.slots})
				var mu sync.Mutex
				taken, most, done := 0, 0, map[int]int{}
				call := func(places int) func(context.Context) error {
					return func(context.Context) error {
						mu.Lock()
						taken += places
						most = max(most, taken)
						mu.Unlock()
						time.Sleep(100 * ms)
						mu.Lock()
						defer mu.Unlock()
						taken -= places
						done[places]++
						return nil
					}
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				var wg sync.WaitGroup
				for i := range 12 {
					lane, places := gate.Bulk, 1
					if i%3 == 0 {
						places = c.width
					}
					if i%4 == 0 {
						lane = gate.Interactive
					}
					wg.Go(func() {
						for ctx.Err() == nil {
							_ = g.DoWide(ctx, lane, 1, places, call(places)) // its ctx ends
							time.Sleep(30 * ms)
						}
					})
				}
				wg.Wait()
				if c.slots > 0 {
					require.LessOrEqual(t, most, max(c.slots, c.width))
				}
				require.Greater(t, done[1], 50)
				require.Greater(t, done[c.width], 50)
				require.Zero(t, g.Stats().InFlight)
			})
		})
	}
}

// A wide call that is refused keeps its places.
func TestWideCallsKeepTheirPlaces(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := gate.New(gate.Config{Slots: 4})
		try := refuse(2, gate.Refusal{Kind: gate.Busy, After: 5 * time.Second})
		go func() { _ = g.DoWide(t.Context(), gate.Bulk, 1, 4, try) }()
		synctest.Wait()
		require.Equal(t, 4, g.Stats().Asleep)
		began := time.Now()
		require.NoError(t, g.Do(t.Context(), gate.Interactive, 1, func(context.Context) error { return nil }))
		require.Zero(t, time.Since(began), "what sleeps does not keep people waiting")
		require.NoError(t, g.Do(t.Context(), gate.Bulk, 1, func(context.Context) error { return nil }))
		require.Equal(t, 10*time.Second, time.Since(began))
		synctest.Wait()
		require.Zero(t, g.Stats().Asleep+g.Stats().InFlight)
	})
}
