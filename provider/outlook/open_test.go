package outlook_test

import (
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/outlook"
	"github.com/workinbox/workinbox/provider/outlook/outlooktest"
)

// Raw messages come at the rate Graph allows: four at a time, 10,000 in ten minutes.
func TestOpenManyReachesTheCeiling(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		n       int
		latency time.Duration
		ceiling time.Duration
	}{
		"bound by calls at once": {3_000, 280 * time.Millisecond, 3_000 * 280 * time.Millisecond / 4},
		"bound by the window":    {12_000, 100 * time.Millisecond, 10 * time.Minute * 12 / 10},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, outlook.Options{}, outlooktest.Config{Latency: func(method string, _ int) time.Duration {
					if method == "messages.value" {
						return c.latency
					}
					return 0
				}})
				one := provider.RemoteID(w.fill(1, 0)[0])
				ids := make([]provider.RemoteID, c.n)
				for i := range ids {
					ids[i] = one
				}
				m := w.open(t).(provider.BulkOpener)
				n := 0
				began := time.Now()
				require.NoError(t, m.OpenMany(t.Context(), ids, func(_ provider.RemoteID, r io.Reader, err error) error {
					n++
					if err == nil {
						_, err = io.Copy(io.Discard, r)
					}
					return err
				}))
				took := time.Since(began)
				t.Logf("%d raw messages in %v: %.3f of the ceiling", n, took, float64(c.ceiling)/float64(took))
				require.Equal(t, c.n, n)
				require.GreaterOrEqual(t, float64(c.ceiling)/float64(took), 0.95)
				require.Zero(t, w.a.Usage().Refused())
				require.LessOrEqual(t, w.a.Usage().MaxInFlight, 4)
			})
		})
	}
}

// A person who opens a message does not wait for the import.
func TestOpenGoesBeforeTheImport(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, outlook.Options{}, outlooktest.Config{Latency: func(string, int) time.Duration { return 200 * time.Millisecond }})
		one := provider.RemoteID(w.fill(1, 0)[0])
		ids := make([]provider.RemoteID, 2_000)
		for i := range ids {
			ids[i] = one
		}
		m := w.open(t)
		done := make(chan error)
		go func() {
			done <- m.(provider.BulkOpener).OpenMany(t.Context(), ids, func(provider.RemoteID, io.Reader, error) error { return nil })
		}()
		time.Sleep(time.Minute)
		began := time.Now()
		r, err := m.Open(t.Context(), one)
		require.NoError(t, err)
		require.NoError(t, r.Close())
		require.LessOrEqual(t, time.Since(began), 500*time.Millisecond)
		require.NoError(t, <-done)
	})
}
