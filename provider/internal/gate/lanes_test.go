package gate_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider/internal/gate"
)

// A saturated import goes on for minutes; now and then somebody opens a message or sends a reply.
func TestInteractiveWaitsForOneCallOfAnImportAtMost(t *testing.T) {
	t.Parallel()
	noPlace := gmail
	noPlace.ReserveSlots, noPlace.Slots, noPlace.MaxSlots = 0, 1, 1
	legacyNoPlace := gmailLegacy
	legacyNoPlace.ReserveSlots, legacyNoPlace.Slots, legacyNoPlace.MaxSlots = 0, 4, 4
	// The longest call of the service.
	const call = 205 * ms
	for _, tt := range []struct {
		name       string
		c          gate.Config
		bulk, open int // units
		most       time.Duration
		mostOfSend time.Duration
	}{
		// The import uses 225 units of a second and a reply takes 100 of the 250: it waits for 75
		// to come back at 220 a second, and an eighth of a second at most for their unevenness.
		{"Gmail", gmail, 20, 20, 0, call},
		{"Gmail, old prices", gmailLegacy, 5, 5, 0, 470 * ms},
		{"one call at a time, none reserved", noPlace, 20, 20, call, call},
		{"none reserved", legacyNoPlace, 5, 5, call, 470 * ms},
		{"Graph", graph, 1, 1, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s, g := serve(tt.c).start(), gate.New(tt.c)
				ctx, cancel := context.WithCancel(t.Context())
				var bulk atomic.Int64
				var wg sync.WaitGroup
				for range 40 {
					import1 := s.call(tt.bulk)
					worker(ctx, &wg, g, gate.Bulk, tt.bulk, func(ctx context.Context) error {
						bulk.Add(1)
						return import1(ctx)
					})
				}
				time.Sleep(90 * time.Second) // the start level is used up
				var longest, longestSend time.Duration
				for range 60 {
					time.Sleep(s.between([2]time.Duration{time.Second, 9 * time.Second}))
					longest = max(longest, ask(t, g, s, tt.open, &bulk))
					time.Sleep(s.between([2]time.Duration{time.Second, 9 * time.Second}))
					longestSend = max(longestSend, ask(t, g, s, min(100, 100*tt.open), &bulk))
				}
				cancel()
				wg.Wait()
				t.Logf("longest wait to open %v, to send %v", longest, longestSend)
				require.LessOrEqual(t, longest, tt.most)
				require.LessOrEqual(t, longestSend, tt.mostOfSend)
				require.Empty(t, s.refused)
				idle(t, g)
			})
		})
	}
}

// ask makes a call of Interactive that no call of Bulk may overtake, and answers how long it waited.
func ask(t *testing.T, g *gate.Gate, s *service, units int, bulk *atomic.Int64) time.Duration {
	before, began := bulk.Load(), time.Now()
	var waited time.Duration
	require.NoError(t, g.Do(t.Context(), gate.Interactive, units, func(ctx context.Context) error {
		waited = time.Since(began)
		require.Equal(t, before, bulk.Load(), "a call of the import overtook")
		return s.call(units)(ctx)
	}))
	return waited
}

// What sleeps after a refusal keeps its place from its own lane, not from Interactive.
func TestPlaceIsHeldWhileARefusalIsWaitedOut(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name        string
		first, then gate.Lane
		waits       time.Duration
	}{
		{"Bulk from Bulk", gate.Bulk, gate.Bulk, 10 * time.Second},
		{"Interactive from Interactive", gate.Interactive, gate.Interactive, 10 * time.Second},
		{"Interactive from Bulk", gate.Interactive, gate.Bulk, 10 * time.Second},
		{"Bulk from Interactive", gate.Bulk, gate.Interactive, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				g := gate.New(gate.Config{Slots: 1})
				began := time.Now()
				var wg sync.WaitGroup
				wg.Go(func() {
					r := gate.Refusal{Kind: gate.Busy, After: 10 * time.Second}
					require.NoError(t, g.Do(t.Context(), tt.first, 1, refuse(1, r)))
				})
				synctest.Wait()
				require.NoError(t, g.Do(t.Context(), tt.then, 1, works))
				require.Equal(t, tt.waits, time.Since(began))
				wg.Wait()
				idle(t, g)
			})
		})
	}
}

func TestInteractiveGoesOutAsBulkIsRefused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := gate.New(gate.Config{Slots: 1})
		began := time.Now()
		call := refuse(1, gate.Refusal{Kind: gate.Busy, After: 10 * time.Second})
		var wg sync.WaitGroup
		wg.Go(func() {
			require.NoError(t, g.Do(t.Context(), gate.Bulk, 1, func(ctx context.Context) error {
				time.Sleep(time.Second)
				return call(ctx)
			}))
		})
		synctest.Wait()
		require.NoError(t, g.Do(t.Context(), gate.Interactive, 1, works))
		require.Equal(t, time.Second, time.Since(began))
		wg.Wait()
	})
}

// An open waits for the place of a send that sleeps: Bulk need not wait with it.
func TestBulkComesBackWhileInteractiveSleeps(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := gate.New(gate.Config{Slots: 1})
		began := time.Now()
		var wg sync.WaitGroup
		ask := func(l gate.Lane, after, want time.Duration) {
			call := refuse(1, gate.Refusal{Kind: gate.Busy, After: after})
			wg.Go(func() {
				require.NoError(t, g.Do(t.Context(), l, 1, call))
				require.Equal(t, want, time.Since(began))
			})
			synctest.Wait()
		}
		ask(gate.Bulk, 5*time.Second, 5*time.Second)
		ask(gate.Interactive, 20*time.Second, 20*time.Second)
		ask(gate.Interactive, time.Second, 21*time.Second)
		wg.Wait()
		idle(t, g)
	})
}

func TestDearCallIsNotStarvedByCheapOnes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := gate.New(gate.Config{PerMinute: 600, Slots: 4})
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for range 20 {
			worker(ctx, &wg, g, gate.Interactive, 5, func(context.Context) error { time.Sleep(ms); return nil })
		}
		time.Sleep(5 * time.Minute)
		began := time.Now()
		require.NoError(t, g.Do(ctx, gate.Interactive, 100, works))
		// Those before it and its own units, refilled at 10 a second.
		require.LessOrEqual(t, time.Since(began), 21*time.Second)
		cancel()
		wg.Wait()
	})
}

func TestLaneIsFirstComeFirstServed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := gate.New(gate.Config{PerMinute: 600, Burst: 60, Slots: 1})
		var mu sync.Mutex
		var order []int
		var wg sync.WaitGroup
		ask := func(l gate.Lane, i int) {
			wg.Go(func() {
				require.NoError(t, g.Do(t.Context(), l, 1+i%40, func(context.Context) error {
					mu.Lock()
					order = append(order, i)
					mu.Unlock()
					time.Sleep(10 * ms)
					return nil
				}))
			})
			synctest.Wait()
		}
		for i := range 50 {
			ask(gate.Bulk, 100+i)
		}
		for i := range 50 {
			ask(gate.Interactive, i)
		}
		wg.Wait()
		want := []int{100} // was out already
		for i := range 50 {
			want = append(want, i)
		}
		for i := 1; i < 50; i++ {
			want = append(want, 100+i)
		}
		require.Equal(t, want, order)
	})
}

func TestBulkLeavesTheReserve(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := gate.New(gate.Config{PerMinute: 1_000, Slots: 5, Reserve: 0.2, ReserveSlots: 2})
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for range 10 {
			worker(ctx, &wg, g, gate.Bulk, 10, func(context.Context) error { time.Sleep(500 * ms); return nil })
		}
		least, most := 1_000, 0
		for range 600 {
			time.Sleep(100 * ms)
			s := g.Stats()
			least, most = min(least, s.Level), max(most, s.InFlight)
		}
		cancel()
		wg.Wait()
		require.Equal(t, 3, most)
		require.Equal(t, 198, least, "a fifth of the start level less its margin")
	})
}

func TestBulkKeepsOnePlaceWhateverTheReserve(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := gate.New(gate.Config{PerMinute: 100, Slots: 1, Reserve: 1, ReserveSlots: 9})
		require.NoError(t, g.Do(t.Context(), gate.Bulk, 10, works))
		began := time.Now()
		require.NoError(t, g.Do(t.Context(), gate.Bulk, 10, works))
		require.InDelta(t, 6, time.Since(began).Seconds(), 0.1, "until the units are back")
	})
}

func TestCallDearerThanTheLimitGoesOutAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := gate.New(gate.Config{PerMinute: 60, PerSecond: 10, Slots: 3})
		require.NoError(t, g.Do(t.Context(), gate.Interactive, 100, works))
		require.Negative(t, g.Stats().Level)
		began := time.Now()
		require.NoError(t, g.Do(t.Context(), gate.Interactive, 5, works))
		require.InDelta(t, 46, time.Since(began).Seconds(), 1, "until the debt is paid")
	})
}
