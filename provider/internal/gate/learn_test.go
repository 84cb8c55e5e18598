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

func TestSlotsAreHalvedOnceAndGrowByOneASecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := gate.New(gate.Config{Slots: 8, MaxSlots: 10})
		ctx, cancel := context.WithCancel(t.Context())
		var mu sync.Mutex
		var wg sync.WaitGroup
		refuseNext, most, out := 0, 0, 0
		peak := func() int { // since it was last asked
			mu.Lock()
			defer mu.Unlock()
			n := most
			most = out
			return n
		}
		refuseSome := func(n int) {
			mu.Lock()
			defer mu.Unlock()
			refuseNext = n
		}
		for range 30 {
			worker(ctx, &wg, g, gate.Bulk, 1, func(context.Context) error {
				mu.Lock()
				out++
				most = max(most, out)
				mu.Unlock()
				time.Sleep(100 * ms)
				mu.Lock()
				defer mu.Unlock()
				out--
				if refuseNext--; refuseNext >= 0 {
					return &gate.Refusal{Kind: gate.Concurrency, Err: errRefused}
				}
				return nil
			})
		}
		require.Equal(t, 8, g.Stats().Slots)
		time.Sleep(5050 * ms)
		require.Equal(t, 10, g.Stats().Slots, "never above MaxSlots")
		require.Equal(t, 10, peak())

		refuseSome(6) // of those ten that are out together
		time.Sleep(100 * ms)
		require.Equal(t, 5, g.Stats().Slots, "halved once")
		require.Equal(t, 6, g.Stats().Asleep, "they keep their places")
		peak()
		time.Sleep(850 * ms)
		require.Equal(t, 5, g.Stats().Slots)
		require.LessOrEqual(t, peak(), 5)
		time.Sleep(3 * time.Second)
		require.Equal(t, 8, g.Stats().Slots)

		refuseSome(1 << 20)
		lowest := 10 // a second without a refusal lets it grow by one again
		for range 240 {
			time.Sleep(50 * ms)
			lowest = min(lowest, g.Stats().Slots)
		}
		require.Equal(t, 1, lowest, "never below one")
		cancel()
		wg.Wait()
		idle(t, g)
	})
}

func TestSlotsDoNotGrowWhileNobodyWaitsForOne(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := gate.New(gate.Config{Slots: 4, MaxSlots: 10})
		for range 100 {
			require.NoError(t, g.Do(t.Context(), gate.Bulk, 1, func(context.Context) error {
				time.Sleep(100 * ms)
				return nil
			}))
		}
		require.Equal(t, 4, g.Stats().Slots)
	})
}

func TestRefusedCallsComeBackWithinTheNewLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := gate.New(gate.Config{Slots: 8})
		var mu sync.Mutex
		var wg sync.WaitGroup
		out, most := 0, 0
		for range 8 {
			call := refuse(1, gate.Refusal{Kind: gate.Concurrency, After: 800 * ms})
			wg.Go(func() {
				require.NoError(t, g.Do(t.Context(), gate.Bulk, 1, func(ctx context.Context) error {
					mu.Lock()
					if out++; time.Since(time.Now().Truncate(time.Minute)) >= 800*ms {
						most = max(most, out)
					}
					mu.Unlock()
					time.Sleep(100 * ms)
					mu.Lock()
					out--
					mu.Unlock()
					return call(ctx)
				}))
			})
		}
		wg.Wait()
		require.Equal(t, 4, most)
	})
}

func TestSlotsSettleBelowAnUnknownLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := serve(gmail)
		s.perMinute, s.perSecond, s.atOnce = 0, 0, 12
		s.start()
		g := gate.New(gate.Config{Slots: 8, MaxSlots: 20})
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		var wg sync.WaitGroup
		for range 30 {
			worker(ctx, &wg, g, gate.Bulk, 1, s.call(1))
		}
		wg.Wait()
		refused := s.refused[gate.Concurrency]
		t.Logf("%d calls, %d refused, of the %0.f possible at 12 at once", s.granted, refused, 600*12/0.115)
		require.Less(t, float64(refused), 0.02*float64(s.granted))
		require.Greater(t, float64(s.granted), 0.65*600*12/0.115)
	})
}

func TestNoLimitOfSlotsIsLearnedFromWhatWasOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := gate.New(gate.Config{})
		var wg sync.WaitGroup
		for range 12 {
			call := refuse(1, gate.Refusal{Kind: gate.Concurrency})
			wg.Go(func() {
				require.NoError(t, g.Do(t.Context(), gate.Bulk, 1, func(ctx context.Context) error {
					time.Sleep(ms)
					return call(ctx)
				}))
			})
		}
		time.Sleep(2 * ms)
		require.Equal(t, 6, g.Stats().Slots)
		wg.Wait()
	})
}

func TestMinuteRefusalLowersTheUnits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := gate.New(gate.Config{PerMinute: 6_000, Slots: 8})
		require.Equal(t, 5_940, g.Stats().PerMinute)
		require.Equal(t, 5_940, g.Stats().Level)
		var wg sync.WaitGroup
		for range 5 { // out together: they teach one thing
			call := refuse(1, gate.Refusal{Kind: gate.Minute})
			wg.Go(func() {
				require.NoError(t, g.Do(t.Context(), gate.Bulk, 20, func(ctx context.Context) error {
					time.Sleep(time.Second)
					return call(ctx)
				}))
			})
		}
		time.Sleep(1001 * ms)
		s := g.Stats()
		require.Equal(t, 5_346, s.PerMinute, "nine tenths")
		require.Zero(t, s.Level, "the service says that there are none")
		wg.Wait()
		time.Sleep(4 * time.Minute)
		require.Equal(t, 5_643, g.Stats().PerMinute, "five percent points after five minutes")
		time.Sleep(time.Hour)
		require.Equal(t, 5_940, g.Stats().PerMinute)
		require.Equal(t, 5_940, g.Stats().Level)
	})
}

func TestUnitsSettleBelowAnUnknownLimit(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name      string
		perMinute int
		windowed  bool
		refused   int // in an hour, at most
		used      float64
	}{
		{"fewer units than we were told", 5_000, false, 24, 0.95},
		{"half of them", 3_000, false, 40, 0.95},
		{"counted by the clock's minute", 6_000, true, 8, 0.95},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := serve(gmail)
				s.perMinute, s.burst, s.windowed = tt.perMinute, tt.perMinute, tt.windowed
				s.start()
				g := gate.New(gmail)
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				var wg sync.WaitGroup
				for range 12 {
					worker(ctx, &wg, g, gate.Bulk, 20, s.call(20))
				}
				wg.Wait()
				used := float64(s.granted) / float64(tt.perMinute) / 60
				t.Logf("refused %v, used %.3f of what there was", s.refused, used)
				require.LessOrEqual(t, s.refused[gate.Minute], tt.refused)
				require.Greater(t, used, tt.used)
			})
		})
	}
}

func TestSharedRefusalHoldsAllAccountsOfTheProject(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		project := new(gate.Project)
		one := gate.New(gate.Config{Slots: 8, Project: project})
		two := gate.New(gate.Config{Slots: 8, Project: project})
		stranger := gate.New(gate.Config{Slots: 8, Project: new(gate.Project)})
		began := time.Now()
		var wg sync.WaitGroup
		for range 6 { // out together: one step of back-off
			call := refuse(1, gate.Refusal{Kind: gate.Shared})
			wg.Go(func() {
				require.NoError(t, one.Do(t.Context(), gate.Bulk, 1, func(ctx context.Context) error {
					time.Sleep(ms)
					return call(ctx)
				}))
			})
		}
		time.Sleep(2 * ms)
		require.NoError(t, stranger.Do(t.Context(), gate.Bulk, 1, works))
		require.Less(t, time.Since(began), time.Second)
		require.NoError(t, two.Do(t.Context(), gate.Interactive, 1, works))
		waited := time.Since(began)
		require.Greater(t, waited, 1400*ms)
		require.Less(t, waited, 2300*ms)
		wg.Wait()

		// Refused once more after the pause: twice as long, for the other account too.
		began = time.Now()
		wg.Go(func() {
			require.NoError(t, two.Do(t.Context(), gate.Bulk, 1, refuse(1, gate.Refusal{Kind: gate.Shared})))
		})
		synctest.Wait()
		require.NoError(t, one.Do(t.Context(), gate.Interactive, 1, works))
		require.Greater(t, time.Since(began), 2900*ms)
		require.Less(t, time.Since(began), 4500*ms)
		wg.Wait()

		// A quiet time later the back-off begins anew.
		time.Sleep(5 * time.Minute)
		began = time.Now()
		require.NoError(t, two.Do(t.Context(), gate.Bulk, 1, refuse(1, gate.Refusal{Kind: gate.Shared})))
		require.Less(t, time.Since(began), 2300*ms)
		// What the service asks for counts when it is more than the pause there is.
		began = time.Now()
		require.NoError(t, two.Do(t.Context(), gate.Bulk, 1, refuse(1, gate.Refusal{Kind: gate.Shared, After: 40 * time.Second})))
		require.GreaterOrEqual(t, time.Since(began), 40*time.Second)
		idle(t, one)
		idle(t, two)
	})
}
