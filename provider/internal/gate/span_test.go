package gate_test

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider/internal/gate"
)

// spanned is a service that counts calls in any span of time, refused ones too.
type spanned struct {
	limit  int
	length time.Duration

	mu      sync.Mutex
	rand    *rand.Rand
	calls   []time.Time
	refused int
	served  int
}

func newSpanned(limit int, length time.Duration) *spanned {
	return &spanned{limit: limit, length: length, rand: rand.New(rand.NewPCG(3, 4))}
}

// call is a call that arrives late and unevenly.
func (s *spanned) call(context.Context) error {
	s.mu.Lock()
	up := time.Duration(s.rand.Int64N(int64(150 * ms)))
	s.mu.Unlock()
	time.Sleep(up)
	defer time.Sleep(20 * ms)
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	for len(s.calls) > 0 && now.Sub(s.calls[0]) >= s.length {
		s.calls = s.calls[1:]
	}
	s.calls = append(s.calls, now)
	if len(s.calls) > s.limit {
		s.refused++
		wait := s.calls[len(s.calls)-s.limit].Add(s.length).Sub(now)
		return &gate.Refusal{Kind: gate.Rate, After: max(wait, time.Second).Round(time.Second), Exact: true}
	}
	s.served++
	return nil
}

// spend makes calls of somebody who has no gate.
func (s *spanned) spend(n int) {
	for range n {
		s.calls = append(s.calls, time.Now())
	}
}

// busy keeps as many workers calling for a while.
func busy(t *testing.T, g *gate.Gate, workers int, d time.Duration, call func(context.Context) error) {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for ctx.Err() == nil {
				_ = g.Do(ctx, gate.Bulk, 1, call) // its ctx ends
			}
		})
	}
	wg.Wait()
}

var spanOfGraph = gate.Config{PerSpan: 10_000, Span: 10 * time.Minute, Slots: 4, MaxSlots: 4, Reserve: 0.03}

// All units of a span go out as fast as calls do, those of the next when they are there, and none is
// refused.
func TestSpanIsUsedAndKept(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, g := newSpanned(10_000, 10*time.Minute), gate.New(spanOfGraph)
		began := time.Now()
		busy(t, g, 8, 4*time.Minute, s.call)
		require.Equal(t, 9_700, s.served, "in %v", time.Since(began))
		busy(t, g, 8, 30*time.Minute, s.call)
		efficiency := float64(s.served) / 40_000 // four windows have begun
		t.Logf("efficiency=%.3f served=%d", efficiency, s.served)
		require.GreaterOrEqual(t, efficiency, 0.96)
		require.Zero(t, s.refused)
	})
}

// What imports leave of a span is there at once, also when they wait for the next one.
func TestSpanHasAReserve(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, g := newSpanned(10_000, 10*time.Minute), gate.New(spanOfGraph)
		done := make(chan struct{})
		go func() {
			defer close(done)
			busy(t, g, 8, 9*time.Minute, s.call)
		}()
		time.Sleep(5 * time.Minute)
		for range 290 {
			began := time.Now()
			require.NoError(t, g.Do(t.Context(), gate.Interactive, 1, s.call))
			require.LessOrEqual(t, time.Since(began), 200*ms)
		}
		<-done
		require.Equal(t, 9_990, s.served)
		require.Zero(t, s.refused)
	})
}

// After somebody else has spent the units the gate is refused once or twice, and then takes what
// comes back.
func TestSpanThatWasSpentBeforeIsLearned(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := spanOfGraph
		c.MaxWait = 15 * time.Minute
		s, g := newSpanned(10_000, 10*time.Minute), gate.New(c)
		for range 20 { // a process that spent them over ten minutes
			s.spend(480)
			time.Sleep(30 * time.Second)
		}
		busy(t, g, 8, 30*time.Minute, s.call)
		t.Logf("%d refusals, %d served", s.refused, s.served)
		require.LessOrEqual(t, s.refused, 12)
		require.GreaterOrEqual(t, s.served, 25_000)
	})
}

func TestSharesOfASpan(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSpanned(10_000, 10*time.Minute)
		var wg sync.WaitGroup
		for _, c := range []gate.Config{spanOfGraph.Share(0.1, 1), spanOfGraph.Rest(0.1, 1)} {
			g := gate.New(c)
			wg.Go(func() { busy(t, g, 8, 30*time.Minute, s.call) })
		}
		wg.Wait()
		t.Logf("%d served", s.served)
		require.Zero(t, s.refused)
		require.GreaterOrEqual(t, s.served, 28_500)
	})
}

// A call whose context ends gives its units back.
func TestSpanIsGivenBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := gate.New(gate.Config{PerSpan: 3, Span: time.Minute})
		for range 3 {
			require.NoError(t, g.Do(t.Context(), gate.Bulk, 1, func(context.Context) error { return nil }))
		}
		require.Zero(t, g.Stats().Left)
		for range 50 {
			ctx, cancel := context.WithTimeout(t.Context(), ms)
			require.ErrorIs(t, g.Do(ctx, gate.Bulk, 1, nil), context.DeadlineExceeded)
			cancel()
		}
		began := time.Now()
		require.NoError(t, g.Do(t.Context(), gate.Bulk, 5, func(context.Context) error { return nil }))
		require.InDelta(t, time.Minute, time.Since(began), float64(time.Second))
	})
}
