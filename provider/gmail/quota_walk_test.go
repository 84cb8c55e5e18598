package gmail_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/gmail"
	"github.com/workinbox/workinbox/provider/gmail/gmailtest"
)

// A walk takes what the quota leaves to imports, all of it, and is never refused.
func TestWalkUsesItsShareOfTheQuota(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		quota    gmail.Quota
		limits   gmailtest.Limits
		bodies   provider.Bodies
		messages int
	}{
		{"new project, frugal", gmail.NewProject(), gmailtest.NewProject(), provider.BodiesWith, 2000},
		{"new project, strict", gmail.NewProject(), gmailtest.NewProject(), provider.BodiesAsk, 2000},
		{"legacy project, frugal", gmail.LegacyProject(), gmailtest.LegacyProject(), provider.BodiesWith, 8000},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, gmail.Options{Quota: c.quota}, gmailtest.Config{Limits: c.limits, Pipe: true})
				w.fill(c.messages)
				w.s.Fail(gmailtest.Fault{Times: -1, Delay: 80 * time.Millisecond, Jitter: 40 * time.Millisecond})
				time.Sleep(2 * time.Minute) // what consent cost is there again
				before, began := w.s.AccountUsage(w.a.Address()), time.Now()
				n := len(idsOf(stream(t, w.open(t), "", provider.Walk{Bodies: c.bodies, Only: true}, 0)))
				usage, took := w.s.AccountUsage(w.a.Address()), time.Since(began)
				require.Equal(t, c.messages, n)
				require.Zero(t, usage.Refused(), "refusals: %v", usage.Refusals)
				// The start level and what came since, as far as the limit by the second lets it out.
				allowed := min(float64(c.quota.PerMinute)*(1+took.Minutes()), float64(c.quota.PerSecond)*took.Seconds())
				allowed *= 1 - c.quota.Interactive
				efficiency := float64(usage.Units-before.Units) / allowed
				t.Logf("efficiency=%.3f messages=%d units=%d took=%v", efficiency, n, usage.Units-before.Units, took.Round(time.Second))
				require.GreaterOrEqual(t, efficiency, 0.95)
			})
		})
	}
}

// Without a limit of units it is the latency that counts, and all calls are in flight all the time.
func TestWalkFillsItsCallsInFlight(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const latency = 80 * time.Millisecond
		w := quiet(t, gmail.Options{Quota: gmail.Quota{InFlight: 10, MaxFlight: 10}})
		w.fill(2000)
		w.s.Fail(gmailtest.Fault{Times: -1, Delay: latency})
		began := time.Now()
		n := len(idsOf(stream(t, w.open(t), "", provider.Walk{Bodies: provider.BodiesWith, Only: true}, 0)))
		took := time.Since(began)
		best := time.Duration(n) * latency / 10
		t.Logf("efficiency=%.3f messages=%d took=%v best=%v", float64(best)/float64(took), n, took, best)
		require.Equal(t, 2000, n)
		require.GreaterOrEqual(t, float64(best)/float64(took), 0.9)
	})
}
