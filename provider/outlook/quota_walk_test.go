package outlook_test

import (
	"context"
	"io"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/outlook"
	"github.com/workinbox/workinbox/provider/outlook/outlooktest"
)

// imported walks and opens what came without its raw bytes, twenty at a time, as an importer does.
func imported(t *testing.T, m provider.Mailbox, w provider.Walk) (raws int) {
	t.Helper()
	var mu sync.Mutex
	var wg sync.WaitGroup
	busy := make(chan struct{}, 8)
	open := func(ids []provider.RemoteID) {
		busy <- struct{}{}
		wg.Go(func() {
			defer func() { <-busy }()
			err := m.(provider.BulkOpener).OpenMany(context.WithoutCancel(t.Context()), ids,
				func(_ provider.RemoteID, r io.Reader, err error) error {
					if err == nil {
						_, err = io.Copy(io.Discard, r)
					}
					mu.Lock()
					defer mu.Unlock()
					raws++
					return err
				})
			if err != nil {
				t.Errorf("OpenMany: %v", err)
			}
		})
	}
	for b, err := range m.Changes(t.Context(), "", w) {
		require.NoError(t, err)
		var ids []provider.RemoteID
		for _, h := range b.Put {
			if h.Raw == nil {
				ids = append(ids, h.ID)
				continue
			}
			mu.Lock()
			raws++
			mu.Unlock()
		}
		for some := range slices.Chunk(ids, 20) {
			open(some)
		}
	}
	wg.Wait()
	return raws
}

// allowed is how many calls Graph's limits allow in that time: as many as four at once can be, so many
// in a window.
func allowed(took, latency time.Duration, calls int, window time.Duration) float64 {
	return float64(took/window)*float64(calls) + min(float64(calls), 4*float64(took%window)/float64(latency))
}

// An import of raw messages uses what Graph allows, and is never refused.
func TestRawImportUsesTheQuota(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		messages int
		latency  time.Duration
		calls    int // in a window
		window   time.Duration
	}{
		"30 days, near":           {3_000, 30 * time.Millisecond, 10_000, 10 * time.Minute},
		"30 days":                 {3_000, 120 * time.Millisecond, 10_000, 10 * time.Minute},
		"a little over a window":  {10_500, 40 * time.Millisecond, 10_000, 10 * time.Minute},
		"several windows":         {4_800, 80 * time.Millisecond, 2_000, 2 * time.Minute},
		"several windows, slowly": {4_800, 200 * time.Millisecond, 2_000, 2 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				quota := outlook.Documented()
				quota.Calls, quota.Window = c.calls, c.window
				w := newWorld(t, outlook.Options{Quota: quota}, outlooktest.Config{
					Limits:  outlooktest.Limits{Concurrent: 4, Requests: c.calls, Window: c.window},
					Latency: func(string, int) time.Duration { return c.latency }})
				w.fill(c.messages, time.Minute)
				before, began := w.a.Usage().Requests, time.Now()
				n := imported(t, w.open(t), provider.Walk{Only: true, Bodies: provider.BodiesWith})
				usage, took := w.a.Usage(), time.Since(began)
				efficiency := float64(usage.Requests-before) / allowed(took, c.latency, c.calls, c.window)
				t.Logf("efficiency=%.3f messages=%d calls=%d took=%v", efficiency, n, usage.Requests-before, took.Round(time.Second))
				require.Equal(t, c.messages, n)
				require.Zero(t, usage.Refused(), "refusals: %v", usage.Refusals)
				require.LessOrEqual(t, usage.MaxInFlight, 4)
				require.GreaterOrEqual(t, efficiency, 0.95)
			})
		})
	}
}

// A walk in list mode keeps four lists on their way.
func TestListImportUsesTheQuota(t *testing.T) {
	t.Parallel()
	perItem := func(d time.Duration) func(string, int) time.Duration {
		return func(method string, items int) time.Duration {
			return 30*time.Millisecond + time.Duration(items)*d
		}
	}
	for name, c := range map[string]struct {
		messages int
		every    time.Duration
		latency  func(method string, items int) time.Duration
		best     time.Duration
		at       float64
	}{
		// 30 pages by four at a time are eight seconds.
		"3,000 at 1 s a page": {3_000, 14 * time.Minute, func(method string, _ int) time.Duration {
			if method == "messages.list" {
				return time.Second
			}
			return 0
		}, 10 * time.Second, 1},
		// 100 pages by four at a time, with what a call costs besides. Which goroutine comes first
		// decides whether a call waits for a page more; a place less would make it three quarters.
		"by their size":       {10_000, 258 * time.Second, perItem(10 * time.Millisecond), (10_000*10 + 100*30) * time.Millisecond / 4, 0.9},
		"by their size, near": {10_000, 258 * time.Second, perItem(2 * time.Millisecond), (10_000*2 + 100*30) * time.Millisecond / 4, 0.9},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, outlook.Options{Raw: outlook.RawBuilt}, outlooktest.Config{Latency: c.latency})
				w.fill(c.messages, c.every)
				began := time.Now()
				n := imported(t, w.open(t), provider.Walk{Only: true, Bodies: provider.BodiesWith, Since: noon.AddDate(0, 0, -30)})
				usage, took := w.a.Usage(), time.Since(began)
				efficiency := float64(c.best) / float64(took)
				t.Logf("efficiency=%.3f messages=%d calls=%v took=%v", efficiency, n, w.s.Stats().Requests, took)
				require.Equal(t, c.messages, n)
				require.Zero(t, usage.Refused(), "refusals: %v", usage.Refusals)
				require.LessOrEqual(t, usage.MaxInFlight, 4)
				require.GreaterOrEqual(t, efficiency, c.at)
			})
		})
	}
}
