package gate_test

import (
	"context"
	"math"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider/internal/gate"
)

const ms = time.Millisecond

// What the services allow, and what a get costs.
var (
	gmail       = gate.Config{PerMinute: 6_000, PerSecond: 250, Slots: 8, MaxSlots: 20, Reserve: 0.1, ReserveSlots: 1}
	gmailLegacy = gate.Config{PerMinute: 15_000, PerSecond: 250, Slots: 8, MaxSlots: 20, Reserve: 0.1, ReserveSlots: 1}
	graph       = gate.Config{PerMinute: 1_000, Burst: 10_000, Slots: 4, MaxSlots: 4, Reserve: 0.1, ReserveSlots: 1}
)

// serve is a service that allows exactly what the gate is told.
func serve(c gate.Config) *service {
	return &service{
		perMinute: c.PerMinute, burst: start(c), perSecond: c.PerSecond, atOnce: c.MaxSlots,
		up: [2]time.Duration{5 * ms, 25 * ms}, down: [2]time.Duration{20 * ms, 180 * ms},
	}
}

func start(c gate.Config) int {
	if c.Burst == 0 {
		return c.PerMinute
	}
	return c.Burst
}

// ceiling is the most units Bulk may use: its part of the start level and all that is refilled, or
// its part of every second.
func ceiling(c gate.Config, d time.Duration) float64 {
	most := float64(start(c))*(1-c.Reserve) + float64(c.PerMinute)*d.Minutes()
	if c.PerSecond > 0 {
		most = min(most, float64(c.PerSecond)*(1-c.Reserve)*d.Seconds())
	}
	return most
}

func TestBulkUsesItsShareWithoutRefusal(t *testing.T) {
	t.Parallel()
	const lasts = 10 * time.Minute
	for _, tt := range []struct {
		name  string
		c     gate.Config
		units int
	}{
		{"Gmail", gmail, 20},
		{"Gmail, old prices", gmailLegacy, 5},
		{"Gmail without reserve", gate.Config{PerMinute: 6_000, PerSecond: 250, Slots: 20}, 20},
		{"Gmail, threads", gmail, 40},
		// 10,000 calls in the first ten minutes are more than four at a time can make.
		{"Graph at its refill", gate.Config{PerMinute: 1_000, Burst: 500, Slots: 4, Reserve: 0.1}, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s, g := serve(tt.c), gate.New(tt.c)
				s.atOnce = max(tt.c.Slots, tt.c.MaxSlots)
				s.start()
				ctx, cancel := context.WithTimeout(t.Context(), lasts)
				defer cancel()
				var wg sync.WaitGroup
				for range 30 {
					worker(ctx, &wg, g, gate.Bulk, tt.units, s.call(tt.units))
				}
				wg.Wait()
				efficiency := float64(s.granted) / ceiling(tt.c, lasts)
				t.Logf("efficiency=%.4f units=%d most in flight=%d", efficiency, s.granted, s.most)
				require.Empty(t, s.refused)
				require.GreaterOrEqual(t, efficiency, 0.97, "of the share of Bulk")
				require.LessOrEqual(t, efficiency, 1.0, "of the share of Bulk")
				require.EqualValues(t, s.granted, g.Stats().Bulk.Units)
				idle(t, g)
			})
		})
	}
}

func TestAllUnitsServeInteractiveAndBulkTogether(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const lasts = 10 * time.Minute
		s, g := serve(gmail).start(), gate.New(gmail)
		ctx, cancel := context.WithTimeout(t.Context(), lasts)
		defer cancel()
		var wg sync.WaitGroup
		for range 20 {
			worker(ctx, &wg, g, gate.Bulk, 20, s.call(20))
		}
		// Interactive asks for more than there is: it gets all, and Bulk what is left.
		for range 3 {
			worker(ctx, &wg, g, gate.Interactive, 100, s.call(100))
			worker(ctx, &wg, g, gate.Interactive, 20, s.call(20))
		}
		wg.Wait()
		all := float64(s.granted) / (6_000 + 6_000*lasts.Minutes())
		t.Logf("efficiency=%.4f bulk=%d interactive=%d", all, g.Stats().Bulk.Units, g.Stats().Interactive.Units)
		require.Empty(t, s.refused)
		require.GreaterOrEqual(t, all, 0.97)
		idle(t, g)
	})
}

func TestHelperAndLeaseHolderShareOneAccount(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const lasts = 5 * time.Minute
		s := serve(gmail).start()
		holder, other := gate.New(gmail.Rest(0.2, 2)), gate.New(gmail.Share(0.2, 2))
		ctx, cancel := context.WithTimeout(t.Context(), lasts)
		defer cancel()
		var wg sync.WaitGroup
		for range 30 {
			worker(ctx, &wg, holder, gate.Bulk, 20, s.call(20))
			worker(ctx, &wg, other, gate.Interactive, 20, s.call(20))
		}
		wg.Wait()
		require.Empty(t, s.refused)
		used := float64(s.granted) / ceiling(gmail, lasts)
		require.Greater(t, used, 0.97)
		require.InDelta(t, 0.2, float64(other.Stats().Interactive.Units)/(6_000*6), 0.01)
	})
}

func TestCallsThatOvertakeEachOtherWidenTheSecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := gate.Config{PerMinute: 60_000, PerSecond: 250, Slots: 50}
		s := serve(c)
		s.up, s.atOnce = [2]time.Duration{5 * ms, 205 * ms}, 0
		s.start()
		g := gate.New(c)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		var wg sync.WaitGroup
		for range 60 {
			worker(ctx, &wg, g, gate.Bulk, 5, s.call(5))
		}
		wg.Wait()
		t.Logf("refused %v, efficiency=%.3f", s.refused, float64(s.granted)/(250*600))
		require.Positive(t, s.refused[gate.Rate])
		require.Less(t, s.refused[gate.Rate], 200, "of 25,000 calls")
		require.Greater(t, s.granted, 250*600*3/4)
	})
}

func TestUnitsOfAnySecondStayBelowTheLimit(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		lane gate.Lane
		most int
	}{{"Interactive", gate.Interactive, 100}, {"Bulk leaves a fifth", gate.Bulk, 80}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				out := spend(t, gate.New(gate.Config{PerSecond: 100, Reserve: 0.2}), tt.lane)
				total, sum, from := 0, 0, 0
				for _, a := range out {
					sum, total = sum+a.units, total+a.units
					for a.at.Sub(out[from].at) >= time.Second {
						sum -= out[from].units
						from++
					}
					require.LessOrEqual(t, sum, tt.most)
				}
				require.Greater(t, total, 60*tt.most*7/10)
			})
		})
	}
}

// spend makes calls of 1 to 40 units for a minute, as many as the gate lets out.
func spend(t *testing.T, g *gate.Gate, l gate.Lane) (out []arrival) {
	price := rand.New(rand.NewPCG(3, 4))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range 7 {
		wg.Go(func() {
			for ctx.Err() == nil {
				mu.Lock()
				units := 1 + price.IntN(40)
				mu.Unlock()
				_ = g.Do(ctx, l, units, func(context.Context) error {
					mu.Lock()
					defer mu.Unlock()
					out = append(out, arrival{time.Now(), units})
					return nil
				})
			}
		})
	}
	wg.Wait()
	return out
}

func TestZeroConfigLimitsNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := gate.New(gate.Config{})
		began := time.Now()
		var wg sync.WaitGroup
		for range 500 {
			long := func(context.Context) error { time.Sleep(time.Second); return nil }
			wg.Go(func() { require.NoError(t, g.Do(t.Context(), gate.Bulk, 1_000_000, long)) })
		}
		wg.Wait()
		require.Equal(t, time.Second, time.Since(began))
		require.Equal(t, math.MaxInt, g.Stats().Slots)
	})
}

func TestShareAndRestMakeTheWhole(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name        string
		c           gate.Config
		part        float64
		slots       int
		share, rest gate.Config
	}{
		{
			"a tenth of Gmail", gmail, 0.1, 2,
			gate.Config{PerMinute: 600, PerSecond: 25, Burst: 600, Slots: 2, MaxSlots: 2},
			gate.Config{PerMinute: 5_400, PerSecond: 225, Burst: 5_400, Slots: 6, MaxSlots: 18, Reserve: 0.1, ReserveSlots: 1},
		},
		{
			"a tenth of Graph", graph, 0.1, 1,
			gate.Config{PerMinute: 100, Burst: 1_000, Slots: 1, MaxSlots: 1},
			gate.Config{PerMinute: 900, Burst: 9_000, Slots: 3, MaxSlots: 3, Reserve: 0.1, ReserveSlots: 1},
		},
		{
			"nothing of something is not no limit", gate.Config{PerMinute: 50, Slots: 2}, 0, 0,
			gate.Config{PerMinute: 1, Burst: 1, Slots: 1, MaxSlots: 1},
			gate.Config{PerMinute: 49, Burst: 49, Slots: 1, MaxSlots: 1},
		},
		{
			"no limit has no part", gate.Config{}, 0.5, 1,
			gate.Config{Slots: 1, MaxSlots: 1}, gate.Config{},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, tt.share, tt.c.Share(tt.part, tt.slots))
			require.Equal(t, tt.rest, tt.c.Rest(tt.part, tt.slots))
		})
	}
}
