package gate_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/internal/gate"
)

// How long a call that is refused takes, and how long another of the account waits meanwhile. A
// bubble begins at a full minute.
func TestWaitAfterRefusal(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 2, 9, 0, 48, 0, time.UTC)
	for _, tt := range []struct {
		name        string
		r           gate.Refusal
		times       int
		least, most time.Duration
		other       time.Duration // what another call waits at least
	}{
		{"concurrency", gate.Refusal{Kind: gate.Concurrency}, 1, time.Second, 2 * time.Second, 0},
		{"concurrency, after", gate.Refusal{Kind: gate.Concurrency, After: 7 * time.Second}, 1, 7 * time.Second, 7 * time.Second, 0},
		{"rate", gate.Refusal{Kind: gate.Rate}, 1, time.Second, time.Second, time.Second},
		{"rate, three times", gate.Refusal{Kind: gate.Rate}, 3, 7 * time.Second, 7 * time.Second, time.Second},
		{"rate, after", gate.Refusal{Kind: gate.Rate, After: 12 * time.Second}, 1, 12 * time.Second, 12 * time.Second, 12 * time.Second},
		{"rate, short", gate.Refusal{Kind: gate.Rate, After: ms}, 1, time.Second, time.Second, time.Second},
		{"rate, clock astray", gate.Refusal{Kind: gate.Rate, After: time.Hour}, 1, time.Minute, time.Minute, time.Minute},
		{"rate, exact", gate.Refusal{Kind: gate.Rate, After: 80 * time.Second, Exact: true}, 1, 80 * time.Second, 80 * time.Second, 80 * time.Second},
		{"minute, our clock", gate.Refusal{Kind: gate.Minute}, 1, time.Minute, time.Minute, time.Minute},
		{"minute, its clock", gate.Refusal{Kind: gate.Minute, At: at}, 1, 12 * time.Second, 12 * time.Second, 12 * time.Second},
		{"minute, after", gate.Refusal{Kind: gate.Minute, At: at, After: 3 * time.Second}, 1, 3 * time.Second, 3 * time.Second, 3 * time.Second},
		{"shared", gate.Refusal{Kind: gate.Shared}, 1, 1500 * ms, 2200 * ms, 1500 * ms},
		{"shared, after", gate.Refusal{Kind: gate.Shared, After: 20 * time.Second}, 1, 20 * time.Second, 22 * time.Second, 20 * time.Second},
		{"busy", gate.Refusal{Kind: gate.Busy}, 1, 0, time.Second, 0},
		{"busy, five times", gate.Refusal{Kind: gate.Busy}, 5, 0, 31 * time.Second, 0},
		{"busy, after", gate.Refusal{Kind: gate.Busy, After: 9 * time.Second}, 1, 9 * time.Second, 9 * time.Second, 0},
		{"a kind of tomorrow", gate.Refusal{Kind: 99, After: 9 * time.Second}, 1, 9 * time.Second, 9 * time.Second, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				g := gate.New(gate.Config{Slots: 4})
				began := time.Now()
				var wg sync.WaitGroup
				wg.Go(func() {
					require.NoError(t, g.Do(t.Context(), gate.Bulk, 5, refuse(tt.times, tt.r)))
					took := time.Since(began)
					require.GreaterOrEqual(t, took, tt.least)
					require.LessOrEqual(t, took, tt.most)
				})
				synctest.Wait()
				require.NoError(t, g.Do(t.Context(), gate.Interactive, 5, works))
				if other := time.Since(began); tt.other == 0 {
					require.Zero(t, other)
				} else {
					require.GreaterOrEqual(t, other, tt.other)
				}
				wg.Wait()
				require.EqualValues(t, tt.times, g.Stats().Refusals())
				require.EqualValues(t, 5*(tt.times+1), g.Stats().Bulk.Units, "every attempt pays")
				idle(t, g)
			})
		})
	}
}

func TestEndOfPatience(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		r     gate.Refusal
		calls int
		after time.Duration
	}{
		{"a day's limit", gate.Refusal{Kind: gate.Spent, After: 5 * time.Hour}, 1, 5 * time.Hour},
		{"a limit that does not say", gate.Refusal{Kind: gate.Spent}, 1, time.Hour},
		{"a long wait of the call", gate.Refusal{Kind: gate.Busy, After: 91 * time.Second}, 1, 91 * time.Second},
		{"a long wait of the account", gate.Refusal{Kind: gate.Rate, After: 10 * time.Minute, Exact: true}, 1, 10 * time.Minute},
		{"a long wait of the project", gate.Refusal{Kind: gate.Shared, After: 10 * time.Minute}, 1, 10 * time.Minute},
		{"too often", gate.Refusal{Kind: gate.Rate, After: 5 * time.Second}, 6, 5 * time.Second},
		{"too often busy", gate.Refusal{Kind: gate.Busy}, 6, 30 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				g, calls := gate.New(gate.Config{Slots: 1}), 0
				tt.r.Err = errRefused
				err := g.Do(t.Context(), gate.Bulk, 1, func(context.Context) error {
					calls++
					return errors.Join(&tt.r)
				})
				require.Equal(t, tt.calls, calls)
				var retry *provider.RetryError
				require.ErrorAs(t, err, &retry)
				require.GreaterOrEqual(t, retry.After, tt.after)
				require.LessOrEqual(t, retry.After, tt.after*11/10)
				require.ErrorIs(t, err, provider.ErrRetry)
				require.ErrorIs(t, err, errRefused)
				require.EqualValues(t, 1, g.Stats().GaveUp)
				idle(t, g)
			})
		})
	}
}

func TestNobodyWaitsOutALongHold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := gate.New(gate.Config{Slots: 1})
		var wg sync.WaitGroup
		late := func() {
			var retry *provider.RetryError
			require.ErrorAs(t, g.Do(t.Context(), gate.Interactive, 1, works), &retry)
			require.LessOrEqual(t, retry.After, 5*time.Minute)
			require.Greater(t, retry.After, 4*time.Minute)
		}
		first := func(context.Context) error {
			wg.Go(late)
			synctest.Wait() // it waits for the place
			return &gate.Refusal{Kind: gate.Minute, After: 5 * time.Minute, Err: errRefused}
		}
		require.ErrorIs(t, g.Do(t.Context(), gate.Bulk, 1, first), errRefused)
		wg.Wait()
		time.Sleep(30 * time.Second)
		late()
		time.Sleep(5 * time.Minute)
		require.NoError(t, g.Do(t.Context(), gate.Bulk, 1, works))
		idle(t, g)
	})
}

func TestOtherErrorsAreTheResult(t *testing.T) {
	t.Parallel()
	g := gate.New(gate.Config{Slots: 1})
	other := errors.New("not found")
	require.Same(t, other, g.Do(t.Context(), gate.Bulk, 1, func(context.Context) error { return other }))
	require.Panics(t, func() {
		_ = g.Do(t.Context(), gate.Bulk, 1, func(context.Context) error { panic("broken") })
	})
	require.NoError(t, g.Do(t.Context(), gate.Bulk, 1, works))
	idle(t, g)
}

// While the service counts the seconds nobody of the account calls, or the end moves away.
func TestRateHoldsAllCallsOfTheAccount(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := gate.New(gate.Config{Slots: 8})
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
		defer cancel()
		var mu sync.Mutex
		var wg sync.WaitGroup
		var refused time.Time
		calls, early := 0, 0
		for i := range 20 {
			worker(ctx, &wg, g, gate.Lane(i%2), 1, func(context.Context) error {
				mu.Lock()
				if since := time.Since(refused); since > 0 && since < 10*time.Second {
					early++
				}
				mu.Unlock()
				time.Sleep(50 * ms)
				mu.Lock()
				defer mu.Unlock()
				if calls++; calls%50 == 0 {
					refused = time.Now()
					return &gate.Refusal{Kind: gate.Rate, After: 10 * time.Second, Err: errRefused}
				}
				return nil
			})
		}
		wg.Wait()
		require.Zero(t, early)
		require.Greater(t, calls, 1_000)
		idle(t, g)
	})
}

// The call that was refused last does not shorten what the one before it was told.
func TestHoldIsNeverShortened(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := gate.New(gate.Config{Slots: 3})
		began := time.Now()
		var wg sync.WaitGroup
		for i, after := range []time.Duration{30 * time.Second, 5 * time.Second} {
			call := refuse(1, gate.Refusal{Kind: gate.Rate, After: after})
			wg.Go(func() {
				require.NoError(t, g.Do(t.Context(), gate.Bulk, 1, func(ctx context.Context) error {
					time.Sleep(time.Duration(i+1) * ms)
					return call(ctx)
				}))
			})
		}
		time.Sleep(3 * ms)
		require.NoError(t, g.Do(t.Context(), gate.Interactive, 1, works))
		require.Equal(t, 30*time.Second+ms, time.Since(began))
		wg.Wait()
	})
}

func TestCallsThatFailedTogetherComeBackApart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := gate.New(gate.Config{})
		began, first, last := time.Now(), time.Hour, time.Duration(0)
		var mu sync.Mutex
		var wg sync.WaitGroup
		for range 60 {
			wg.Go(func() {
				require.NoError(t, g.Do(t.Context(), gate.Bulk, 1, refuse(1, gate.Refusal{Kind: gate.Busy})))
				mu.Lock()
				defer mu.Unlock()
				first, last = min(first, time.Since(began)), max(last, time.Since(began))
			})
		}
		wg.Wait()
		require.Less(t, first, 300*ms)
		require.Greater(t, last, 700*ms)
	})
}

func TestRefusalTexts(t *testing.T) {
	t.Parallel()
	for k := gate.Concurrency; k <= gate.Spent+1; k++ {
		require.NotEmpty(t, k.String())
		require.Equal(t, k.String(), (&gate.Refusal{Kind: k}).Error())
	}
	r := &gate.Refusal{Err: errRefused}
	require.Equal(t, "refused", r.Error())
	require.ErrorIs(t, r, errRefused)
}
