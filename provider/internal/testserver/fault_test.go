package testserver_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider/internal/testserver"
)

const answered = "0123456789"

// breakable is a server that does one thing.
type breakable struct {
	*testserver.Server
	faults testserver.Faults
	work   atomic.Int64 // how often it was done
}

func (b *breakable) answer(w http.ResponseWriter) {
	b.work.Add(1)
	w.WriteHeader(http.StatusCreated)
	_, _ = io.WriteString(w, answered)
}

func newBreakable(t *testing.T, inMemory bool) *breakable {
	t.Helper()
	b := &breakable{}
	b.faults.Unavailable = &testserver.Reply{Status: 503, Body: "{}"}
	b.faults.Alter = func(f testserver.Fault, method string, status int, body []byte) []byte {
		if method != "send" || status != 201 || f.Seed != 7 {
			t.Errorf("method %q, status %d, seed %d", method, status, f.Seed)
		}
		return []byte("<" + string(body) + ">")
	}
	b.Server = serve(t, inMemory, func(w http.ResponseWriter, r *http.Request) {
		b.faults.Serve(w, r, "ann@acme.example", "send", b.answer)
	})
	b.faults.Server = b.Server
	return b
}

func TestBreaks(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		on     testserver.Break
		work   int64
		status int // 0: no answer
		body   string
		whole  bool
	}{
		{"close early", testserver.CloseEarly, 0, 0, "", false},
		{"close unserved", testserver.CloseUnserved, 0, 0, "", false},
		{"close served", testserver.CloseServed, 1, 0, "", false},
		{"hang", testserver.Hang, 0, 0, "", false},
		{"hang served", testserver.HangServed, 1, 0, "", false},
		{"truncate", testserver.Truncate, 1, 201, "01234", false},
		{"shorten", testserver.Shorten, 1, 201, "01234", true},
		{"empty", testserver.Empty, 1, 201, "", true},
		{"alter", testserver.Alter, 1, 201, "<0123456789>", true},
		{"replace", testserver.Replace, 1, 504, "late", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBreakable(t, true)
				b.Client().Timeout = time.Minute // for those that hang
				in := b.faults.Fail(testserver.Fault{Break: c.on, Seed: 7, Reply: &testserver.Reply{Status: 504, Body: "late"}})
				status, body, err := do(t, b.Server, "mail")
				require.Equal(t, c.status, status)
				require.Equal(t, c.body, body)
				require.Equal(t, c.whole, err == nil, "%v", err)
				require.Equal(t, c.work, b.work.Load(), "times the work was done")
				require.Equal(t, 1, in.Hits())
				status, body, err = do(t, b.Server, "mail")
				require.NoError(t, err, "only the first is hit")
				require.Equal(t, 201, status)
				require.Equal(t, answered, body)
			})
		})
	}
}

func TestClosesOnASocketAreResets(t *testing.T) {
	t.Parallel()
	b := newBreakable(t, false)
	for _, on := range []testserver.Break{testserver.CloseUnserved, testserver.CloseServed, testserver.Truncate} {
		b.faults.Fail(testserver.Fault{Break: on})
		_, _, err := do(t, b.Server, "mail")
		require.Error(t, err, "break %d", on)
	}
	require.EqualValues(t, 2, b.work.Load())
}

func TestPartsOfABatchHaveNoConnectionToBreak(t *testing.T) {
	t.Parallel()
	b := newBreakable(t, true)
	for on, want := range map[testserver.Break]string{
		testserver.CloseEarly: "503 {}", testserver.CloseServed: "503 {}",
		testserver.Truncate: "201 01234", testserver.Shorten: "201 01234",
	} {
		b.faults.Fail(testserver.Fault{Break: on})
		rec := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/part", http.NoBody)
		b.faults.Serve(rec, r, "", "send", b.answer)
		require.Equal(t, want, rec.Result().Status[:3]+" "+rec.Body.String(), "break %d", on)
	}
}

func TestWhichCallsAFaultHits(t *testing.T) {
	t.Parallel()
	b := newBreakable(t, true)
	// hits is x for every call that the fault hits.
	hits := func(f testserver.Fault, n int) string {
		in := b.faults.Fail(f)
		defer in.Remove()
		var pattern strings.Builder
		for range n {
			before := in.Hits()
			_, _, err := do(t, b.Server, "mail")
			require.NoError(t, err)
			pattern.WriteString([]string{".", "x"}[in.Hits()-before])
		}
		return pattern.String()
	}
	none := func(*http.Request) bool { return false }
	for _, c := range []struct {
		name  string
		fault testserver.Fault
		want  string
	}{
		{"the first", testserver.Fault{}, "x...."},
		{"two after two", testserver.Fault{Skip: 2, Times: 2}, "..xx."},
		{"all", testserver.Fault{Times: -1}, "xxxxx"},
		{"of the method", testserver.Fault{Method: "send", Times: -1}, "xxxxx"},
		{"of another method", testserver.Fault{Method: "list", Times: -1}, "....."},
		{"of the account, in other case", testserver.Fault{Account: "ANN@acme.example", Times: -1}, "xxxxx"},
		{"of another account", testserver.Fault{Account: "bob@acme.example", Times: -1}, "....."},
		{"that do not match", testserver.Fault{Match: none, Times: -1}, "....."},
		{"never by rate", testserver.Fault{Rate: 1e-9, Times: -1}, "....."},
	} {
		require.Equal(t, c.want, hits(c.fault, 5), c.name)
	}
	third := testserver.Fault{Rate: 0.3, Seed: 7, Times: -1}
	pattern := hits(third, 200)
	require.Equal(t, pattern, hits(third, 200), "the same calls break in the same way")
	require.InDelta(t, 60, strings.Count(pattern, "x"), 20)
}

func TestOldestFaultHitsAndEndedOnesDoNot(t *testing.T) {
	t.Parallel()
	b := newBreakable(t, true)
	status := func() int {
		s, _, err := do(t, b.Server, "mail")
		require.NoError(t, err)
		return s
	}
	first := b.faults.Fail(testserver.Fault{Times: -1, Reply: &testserver.Reply{Status: 418}})
	second := b.faults.Fail(testserver.Fault{Times: -1, Reply: &testserver.Reply{Status: 429}})
	require.Equal(t, 418, status())
	first.Remove()
	require.Equal(t, 429, status())
	b.faults.Heal()
	require.Equal(t, 201, status())
	require.Equal(t, [2]int{1, 1}, [2]int{first.Hits(), second.Hits()})
}

func TestDelaysAddUpAndLetOtherFaultsHit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBreakable(t, true)
		b.faults.Fail(testserver.Fault{Times: -1, Delay: time.Second})
		b.faults.Fail(testserver.Fault{Times: -1, Delay: time.Second, Jitter: time.Second})
		b.faults.Fail(testserver.Fault{Reply: &testserver.Reply{Status: 418}})
		begin := time.Now()
		status, _, err := do(t, b.Server, "mail")
		require.NoError(t, err)
		require.Equal(t, 418, status)
		took := time.Since(begin)
		require.True(t, took >= 2*time.Second && took < 3*time.Second, "took %v, want 2s to 3s", took)
	})
}

func TestRepliesAreCopiedWhenTheyGetAHeader(t *testing.T) {
	t.Parallel()
	base := &testserver.Reply{Status: 429, Body: "{}"}
	at := time.Date(2026, 11, 1, 10, 0, 0, 0, time.FixedZone("", 3600))
	require.Equal(t, "2", base.WithRetryAfter(1500*time.Millisecond).Header.Get("Retry-After"))
	require.Equal(t, "Sun, 01 Nov 2026 09:00:00 GMT", base.WithRetryAt(at).Header.Get("Retry-After"))
	more := base.WithHeader("A", "1").WithHeader("B", "2")
	require.Equal(t, http.Header{"A": {"1"}, "B": {"2"}}, more.Header)
	require.Nil(t, base.Header)
}
