package outlook_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/outlook"
	"github.com/workinbox/workinbox/provider/outlook/outlooktest"
)

// away is a way to the service that takes time.
type away struct {
	base  http.RoundTripper
	trip  time.Duration
	trips atomic.Int64
	spoil func(r *http.Request, resp *http.Response)
}

func (a *away) RoundTrip(r *http.Request) (*http.Response, error) {
	a.trips.Add(1)
	time.Sleep(a.trip)
	resp, err := a.base.RoundTrip(r)
	if err == nil && a.spoil != nil {
		a.spoil(r, resp)
	}
	return resp, err
}

// farAway is a world whose service works on a raw message for that long, and is a trip away.
func farAway(t *testing.T, o outlook.Options, work, trip time.Duration, c outlooktest.Config) (*world, *away) {
	c.Latency = func(method string, _ int) time.Duration {
		if method == "messages.value" {
			return work
		}
		return 0
	}
	w := newWorld(t, o, c)
	way := &away{base: w.o.HTTP.Transport, trip: trip}
	w.o.HTTP = &http.Client{Transport: way}
	return w, way
}

// openAll opens messages, twenty at a time, and returns what they are.
func openAll(t *testing.T, m provider.Mailbox, ids []string) map[string]string {
	t.Helper()
	got := make(map[string]string)
	for len(ids) > 0 {
		n := min(len(ids), 80)
		some := make([]provider.RemoteID, n)
		for i := range some {
			some[i] = provider.RemoteID(ids[i])
		}
		ids = ids[n:]
		require.NoError(t, m.(provider.BulkOpener).OpenMany(t.Context(), some, func(id provider.RemoteID, r io.Reader, err error) error {
			_, twice := got[string(id)]
			require.False(t, twice, "%s twice", id)
			if errors.Is(err, provider.ErrGone) {
				got[string(id)] = "gone"
				return nil
			}
			require.NoError(t, err)
			raw, err := io.ReadAll(r)
			got[string(id)] = string(raw)
			return err
		}))
	}
	return got
}

func (w *world) check(t *testing.T, ids []string, got map[string]string) {
	t.Helper()
	require.Len(t, got, len(ids))
	for i, id := range ids {
		require.Equal(t, string(letter(fmt.Sprint("m", i))), got[id], "message %d", i)
	}
}

// Where the service is far away, batches make up for it; where it is not, there are none.
func TestBatchesMakeUpForTheWay(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		work, trip time.Duration
		batches    bool
		perSecond  float64
	}{
		"near":     {60 * time.Millisecond, 20 * time.Millisecond, false, 48},
		"far":      {100 * time.Millisecond, 200 * time.Millisecond, true, 25},
		"very far": {60 * time.Millisecond, 600 * time.Millisecond, true, 30},
		"slow":     {400 * time.Millisecond, 100 * time.Millisecond, true, 8},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w, way := farAway(t, outlook.Options{}, c.work, c.trip, outlooktest.Config{})
				ids := w.fill(1200, time.Minute)
				m := w.open(t)
				openAll(t, m, ids[:8]) // it learns the way
				before := w.s.Stats()
				trips, began := way.trips.Load(), time.Now()
				got := openAll(t, m, ids)
				took := time.Since(began)
				w.check(t, ids, got)
				t.Logf("%.1f messages a second, %.1f a trip", float64(len(ids))/took.Seconds(), float64(len(ids))/float64(way.trips.Load()-trips))
				require.GreaterOrEqual(t, float64(len(ids))/took.Seconds(), c.perSecond)
				require.Equal(t, c.batches, w.s.Stats().Requests["batch"] > before.Requests["batch"])
				require.Zero(t, w.a.Usage().Refused())
				require.LessOrEqual(t, w.a.Usage().MaxInFlight, 4)
				require.Zero(t, w.s.Stats().DefaultIDs)
			})
		})
	}
}

// Whatever becomes of batches and their parts, every message comes once, as it is.
func TestBatchesThatFail(t *testing.T) {
	t.Parallel()
	value := func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/$value") }
	for name, c := range map[string]struct {
		fault outlooktest.Fault
		spoil func(r *http.Request, resp *http.Response)
		never bool // batches are given up
	}{
		"parts are refused":       {fault: outlooktest.Fault{Match: value, Times: -1, Rate: 0.05, Seed: 1, Reply: outlooktest.Throttled()}},
		"parts fail":              {fault: outlooktest.Fault{Match: value, Times: -1, Rate: 0.05, Seed: 2, Reply: outlooktest.Page(502)}},
		"batches fail":            {fault: outlooktest.Fault{Method: "batch", Times: -1, Rate: 0.3, Seed: 3, Reply: outlooktest.Page(503)}},
		"batches break off":       {fault: outlooktest.Fault{Method: "batch", Times: -1, Rate: 0.3, Seed: 4, Break: outlooktest.Truncate}},
		"batches are not allowed": {never: true, fault: outlooktest.Fault{Method: "batch", Times: -1, Reply: outlooktest.GraphError(400, "BadRequest", "No.")}},
		"batches leave something out": {never: true, spoil: rewrite(func(b []byte) []byte {
			return bytes.Replace(b, []byte(`"id":"1"`), []byte(`"id":"77"`), 1)
		})},
		"raw messages are no base64": {never: true, spoil: rewrite(func(b []byte) []byte {
			return bytes.ReplaceAll(b, []byte(`"body":"`), []byte(`"body":"From: x`))
		})},
		"raw messages are another": {never: true, spoil: rewrite(func(b []byte) []byte {
			return bytes.ReplaceAll(b, []byte(`"body":"R`), []byte(`"body":"S`))
		})},
		"answers are too long": {spoil: rewrite(func(b []byte) []byte {
			if bytes.Count(b, []byte(`"status":200`)) < 5 {
				return b
			}
			return append(b, make([]byte, 17<<20)...)
		})},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w, way := farAway(t, outlook.Options{}, 50*time.Millisecond, 300*time.Millisecond, outlooktest.Config{})
				ids := w.fill(300, time.Minute)
				m := w.open(t)
				openAll(t, m, ids[:4])
				if c.fault.Times != 0 {
					w.s.Fail(c.fault)
				}
				way.spoil = c.spoil
				w.check(t, ids, openAll(t, m, ids))
				n := w.s.Stats().Requests["batch"]
				require.Positive(t, n)
				require.Equal(t, c.never, n <= 16, "%d batches", n)
			})
		})
	}
}

// rewrite changes the answers to batches.
func rewrite(f func([]byte) []byte) func(*http.Request, *http.Response) {
	return func(r *http.Request, resp *http.Response) {
		if !strings.HasSuffix(r.URL.Path, "$batch") {
			return
		}
		b, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		resp.Body = io.NopCloser(bytes.NewReader(f(b)))
		resp.ContentLength = -1
	}
}

// Messages that are gone say so, and hide no others.
func TestBatchesWithMessagesThatAreGone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, _ := farAway(t, outlook.Options{}, 50*time.Millisecond, 300*time.Millisecond, outlooktest.Config{})
		ids := w.fill(200, time.Minute)
		m := w.open(t)
		openAll(t, m, ids[:4])
		for i := 0; i < len(ids); i += 13 {
			w.a.Delete(ids[i])
		}
		got := openAll(t, m, ids)
		require.Len(t, got, len(ids))
		for i, id := range ids {
			want := string(letter(fmt.Sprint("m", i)))
			if i%13 == 0 {
				want = "gone"
			}
			require.Equal(t, want, got[id])
		}
	})
}

// Options.Batch leaves batches out.
func TestNoBatches(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, _ := farAway(t, outlook.Options{Batch: 1}, 50*time.Millisecond, 300*time.Millisecond, outlooktest.Config{})
		ids := w.fill(100, time.Minute)
		m := w.open(t)
		openAll(t, m, ids[:4])
		w.check(t, ids, openAll(t, m, ids))
		require.Zero(t, w.s.Stats().Requests["batch"])
	})
}

// Somebody empties a folder and moves mail about: what Graph reports as removed is verified in batches,
// and what is there is not taken for gone.
func TestRemovalsAreVerifiedInBatches(t *testing.T) {
	t.Parallel()
	get := func(r *http.Request) bool { return strings.Contains(r.URL.Path, "/me/messages/") }
	for name, faults := range map[string][]outlooktest.Fault{
		"all well": nil,
		"parts are refused": {{Match: get, Times: -1, Rate: 0.05, Seed: 1, Reply: outlooktest.Throttled()},
			{Match: get, Times: -1, Rate: 0.05, Seed: 2, Reply: outlooktest.Bare(500)}},
		"batches are not allowed": {{Method: "batch", Times: -1, Reply: outlooktest.GraphError(400, "BadRequest", "No.")}},
		"batches break off":       {{Method: "batch", Times: -1, Rate: 0.3, Seed: 4, Break: outlooktest.Truncate}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w, way := farAway(t, outlook.Options{}, 0, 100*time.Millisecond, outlooktest.Config{Delta: outlooktest.Delta{LoseMoves: true}})
				ids := w.fill(260, time.Minute)
				m := w.open(t)
				first := follow(t.Context(), m, "", provider.Walk{})
				require.NoError(t, first.err)
				moved := map[string]bool{}
				for i, id := range ids {
					if i%10 == 0 {
						w.a.Move(id, "archive")
						moved[id] = true
					} else {
						w.a.Delete(id)
					}
				}
				for _, f := range faults {
					w.s.Fail(f)
				}
				w.s.ResetStats()
				trips, began := way.trips.Load(), time.Now()
				got := follow(t.Context(), m, first.last, provider.Walk{})
				require.NoError(t, got.err)
				require.Len(t, got.removed, len(ids)-len(moved))
				for id := range moved {
					require.Contains(t, got.put, id)
					require.False(t, got.removed[id])
				}
				if faults == nil {
					t.Logf("%d requests for %d calls in %v", way.trips.Load()-trips, w.s.Stats().Requests["messages.get"], time.Since(began))
					require.LessOrEqual(t, way.trips.Load()-trips, int64(45))
					require.Zero(t, w.a.Usage().Refused())
					require.LessOrEqual(t, w.a.Usage().MaxInFlight, 4)
				}
				require.Zero(t, w.s.Stats().DefaultIDs)
			})
		})
	}
}
