package gate_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider/internal/gate"
)

// A call whose context ends gives up at once, wherever it waits, and leaves the gate as it was.
func TestEndOfContextWhileWaiting(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		c      gate.Config
		before gate.Refusal // of another call, or of the call itself
		self   bool
		units  int
	}{
		{"for a place", gate.Config{Slots: 1}, gate.Refusal{Kind: gate.Busy, After: 30 * time.Second}, false, 1},
		{"for units of the minute", gate.Config{PerMinute: 60, Slots: 2}, gate.Refusal{Kind: gate.Busy, After: 30 * time.Second}, false, 58},
		{"for units of the second", gate.Config{PerSecond: 10, Slots: 2}, gate.Refusal{Kind: gate.Busy, After: 500 * ms}, false, 9},
		{"for the account", gate.Config{Slots: 2}, gate.Refusal{Kind: gate.Rate, After: 30 * time.Second}, false, 1},
		{"for the project", gate.Config{Slots: 2}, gate.Refusal{Kind: gate.Shared, After: 30 * time.Second}, false, 1},
		{"after it was refused for concurrency", gate.Config{Slots: 2}, gate.Refusal{Kind: gate.Concurrency}, true, 1},
		{"after it was refused for rate", gate.Config{Slots: 2}, gate.Refusal{Kind: gate.Rate, After: 30 * time.Second}, true, 1},
		{"after it was refused for the minute", gate.Config{PerMinute: 60, Slots: 2}, gate.Refusal{Kind: gate.Minute}, true, 1},
		{"after it was refused, busy", gate.Config{Slots: 2}, gate.Refusal{Kind: gate.Busy, After: 30 * time.Second}, true, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				g := gate.New(tt.c)
				var wg sync.WaitGroup
				call := refuse(1, tt.before)
				if !tt.self {
					wg.Go(func() { require.NoError(t, g.Do(t.Context(), gate.Interactive, 2, call)) })
					synctest.Wait()
					call = works
				}
				paid := g.Stats().Interactive.Units
				ctx, cancel := context.WithTimeout(t.Context(), 100*ms)
				defer cancel()
				began := time.Now()
				err := g.Do(ctx, gate.Interactive, tt.units, call)
				require.Equal(t, context.DeadlineExceeded, err)
				require.Equal(t, 100*ms, time.Since(began))
				if !tt.self {
					require.Equal(t, paid, g.Stats().Interactive.Units, "units")
				}
				wg.Wait()
				idle(t, g)
				// Nothing it wanted is missing afterwards.
				time.Sleep(2 * time.Minute)
				began = time.Now()
				require.NoError(t, g.Do(t.Context(), gate.Interactive, tt.units, works))
				require.Zero(t, time.Since(began))
			})
		})
	}
}

func TestEndedContextMakesNoCall(t *testing.T) {
	t.Parallel()
	g := gate.New(gate.Config{PerMinute: 60})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.Equal(t, context.Canceled, g.Do(ctx, gate.Bulk, 1, func(context.Context) error {
		panic("called")
	}))
	require.Zero(t, g.Stats().Bulk)
}

// The turn of a call and the end of its context at one instant: either the call goes out, or its
// units are given back.
func TestContextEndsAsTheTurnComes(t *testing.T) {
	t.Parallel()
	for range 200 {
		synctest.Test(t, func(t *testing.T) {
			g := gate.New(gate.Config{PerMinute: 600, PerSecond: 50, Slots: 1})
			ctx, cancel := context.WithCancel(t.Context())
			var wg sync.WaitGroup
			var out atomic.Int64
			wg.Go(func() {
				_ = g.Do(t.Context(), gate.Bulk, 10, func(context.Context) error { time.Sleep(ms); return nil })
			})
			synctest.Wait()
			wg.Go(func() {
				err := g.Do(ctx, gate.Bulk, 20, func(context.Context) error { out.Add(20); return nil })
				require.True(t, err == nil || err == context.Canceled)
			})
			wg.Go(func() { time.Sleep(ms); cancel() })
			wg.Wait()
			require.Equal(t, 10+out.Load(), g.Stats().Bulk.Units)
			require.Equal(t, 594-10-int(out.Load()), g.Stats().Level)
			idle(t, g)
		})
	}
}

// The first of a queue looks at the clock for all of them. When it leaves, the next must do so.
func TestNextInTurnTakesOverFromOneThatGivesUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := gate.New(gate.Config{PerMinute: 60})
		require.NoError(t, g.Do(t.Context(), gate.Bulk, 59, works))
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		var wg sync.WaitGroup
		wg.Go(func() { require.Equal(t, context.DeadlineExceeded, g.Do(ctx, gate.Bulk, 20, works)) })
		synctest.Wait()
		require.NoError(t, g.Do(t.Context(), gate.Bulk, 1, works))
		require.Equal(t, 5*time.Second, time.Since(began))
		wg.Wait()
		idle(t, g)
	})
}

// Real goroutines, all that can happen at once, for the race detector.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	project := new(gate.Project)
	g := gate.New(gate.Config{
		PerMinute: 60_000_000, Burst: 100_000, PerSecond: 1_000_000, Slots: 6, MaxSlots: 9, Reserve: 0.1, ReserveSlots: 2,
		Project: project, MaxWait: 50 * ms,
	})
	var out, most, calls atomic.Int64
	var wg sync.WaitGroup
	for i := range 64 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(i), 5))
			for range 300 {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(r.IntN(3000))*time.Microsecond)
				err := g.Do(ctx, gate.Lane(r.IntN(2)), r.IntN(200), func(context.Context) error {
					calls.Add(1)
					if n := out.Add(1); n > most.Load() {
						most.Store(n)
					}
					defer out.Add(-1)
					for range 20 {
						runtime.Gosched()
					}
					switch r.IntN(2000) {
					case 0:
						return &gate.Refusal{Kind: gate.Concurrency, After: time.Millisecond}
					case 1:
						return &gate.Refusal{Kind: gate.Busy, After: time.Microsecond}
					case 2:
						return &gate.Refusal{Kind: gate.Shared, After: time.Microsecond}
					case 3:
						return &gate.Refusal{Kind: gate.Spent}
					case 4:
						return &gate.Refusal{Kind: gate.Minute, After: time.Microsecond}
					case 5:
						return errors.New("not found")
					}
					return nil
				})
				_ = err
				_ = g.Stats()
				cancel()
			}
		})
	}
	wg.Wait()
	idle(t, g)
	s := g.Stats()
	require.LessOrEqual(t, most.Load(), int64(9))
	require.Equal(t, calls.Load(), s.Bulk.Calls+s.Interactive.Calls)
	require.NoError(t, g.Do(t.Context(), gate.Bulk, 1, works))
	t.Logf("%d calls, %d refused, %d at once", calls.Load(), s.Refusals(), most.Load())
}
