package gmailtest

import (
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

const ann, bob = "ann@shop.example", "bob@shop.example"

// ask makes a call that ends at once and returns why it was refused, if it was.
func (l *limiter) ask(account string, m method) *apiError {
	release, refusal := l.admit(account, m, false)
	if refusal == nil {
		release()
	}
	return refusal
}

func TestPriceListsAreTheOnesPublished(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		method      method
		legacy, now int
	}{
		{"messages.list", 5, 5},
		{"messages.get", 5, 20},
		{"messages.attachments.get", 5, 20},
		{"threads.list", 10, 10},
		{"threads.get", 10, 40},
		{"history.list", 2, 2},
		{"getProfile", 1, 1},
		{"labels.list", 1, 1},
		{"messages.send", 100, 100},
		{"drafts.send", 100, 100},
		{"drafts.create", 10, 10},
		{"drafts.update", 15, 15},
		{"messages.modify", 5, 5},
		{"watch", 100, 100},
		{"stop", 50, 50},
		{"something.new", 1, 1},
	} {
		require.Equal(t, c.legacy, LegacyProject().price(c.method), "legacy price of %s", c.method)
		require.Equal(t, c.now, NewProject().price(c.method), "new price of %s", c.method)
	}
	require.Equal(t, 6_000, NewProject().PerMinute)
	require.Equal(t, 15_000, LegacyProject().PerMinute)
	for _, r := range routes {
		require.Contains(t, newPrices(), string(r.method), "every call has a price")
	}
}

func TestZeroLimitsAreThoseOfANewProject(t *testing.T) {
	t.Parallel()
	require.Equal(t, NewProject().withDefaults(), Limits{}.withDefaults())
	l := newLimiter(Config{Limits: Unlimited()})
	for range 10_000 {
		require.Nil(t, l.ask(ann, "messages.send"))
	}
	require.Equal(t, 1_000_000, l.usage(ann).Units)
	require.Zero(t, l.usage(ann).Allowed, "nothing limits it")
	require.Equal(t, Usage{Refusals: map[Refusal]int{}}, l.usage(bob))
}

func TestBucketGivesStartAndRefill(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(Config{Limits: Limits{PerMinute: 6_000, Start: 200, Prices: Prices{"messages.get": 20}}})
		for range 10 {
			require.Nil(t, l.ask(ann, "messages.get"))
		}
		refusal := l.ask(ann, "messages.get")
		require.NotNil(t, refusal, "200 units are ten gets")
		require.Equal(t, 403, refusal.Status)
		require.Contains(t, refusal.Message, "'Queries per minute per user'")
		require.Nil(t, l.ask(bob, "messages.get"), "another account has units of its own")

		time.Sleep(200*time.Millisecond - 1)
		require.NotNil(t, l.ask(ann, "messages.get"), "a nanosecond early")
		time.Sleep(time.Nanosecond)
		require.Nil(t, l.ask(ann, "messages.get"), "6,000 a minute are 20 in 200 ms")

		time.Sleep(time.Hour)
		served := 0
		for l.ask(ann, "messages.get") == nil {
			served++
		}
		require.Equal(t, 300, served, "no more than a minute is in store")
		u := l.usage(ann)
		require.Equal(t, 311*20, u.Units)
		require.Equal(t, map[Refusal]int{RefusedMinute: 3}, u.Refusals)
		require.Equal(t, 200+6_000*60+20, u.Allowed)
	})
}

func TestBucketHoldsNoMoreThanAMinute(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(Config{Limits: Limits{PerMinute: 60}})
		require.Nil(t, l.ask(ann, "getProfile"))
		time.Sleep(30 * time.Second)
		served := 0
		for l.ask(ann, "getProfile") == nil {
			served++
		}
		require.Equal(t, 60, served)
	})
}

func TestBucketMayBeginEmpty(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(Config{Limits: Limits{PerMinute: 60, Start: -1}})
		require.NotNil(t, l.ask(ann, "getProfile"))
		time.Sleep(time.Second)
		require.Nil(t, l.ask(ann, "getProfile"))
	})
}

func TestSteadyClientUsesAllUnitsWithoutRefusal(t *testing.T) {
	t.Parallel()
	for name, limits := range map[string]Limits{"new": NewProject(), "legacy": LegacyProject()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				limits.Start = limits.price("messages.get")
				l := newLimiter(Config{Limits: limits})
				every := time.Minute * time.Duration(limits.price("messages.get")) / time.Duration(limits.PerMinute)
				for begin := time.Now(); time.Since(begin) < 10*time.Minute; time.Sleep(every) {
					require.Nil(t, l.ask(ann, "messages.get"))
				}
				u := l.usage(ann)
				require.Zero(t, u.Refused())
				require.Equal(t, 10*limits.PerMinute, u.Units)
				require.Equal(t, u.Allowed, u.Units+limits.Start)
			})
		})
	}
}

func TestFixedWindowRenewsWhenTheMinuteOfTheClockBegins(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(50 * time.Second) // into a minute of the clock
		l := newLimiter(Config{Limits: Limits{PerMinute: 100, FixedWindow: true, MinuteStatus: 429}})
		require.Nil(t, l.ask(ann, "messages.send"))
		time.Sleep(10*time.Second - 1)
		refusal := l.ask(ann, "messages.send")
		require.NotNil(t, refusal)
		require.Equal(t, 429, refusal.Status)
		require.Equal(t, "RESOURCE_EXHAUSTED", refusal.RPCStatus)
		time.Sleep(time.Nanosecond)
		require.Nil(t, l.ask(ann, "messages.send"))
		require.NotNil(t, l.ask(ann, "messages.send"))
		require.Equal(t, 200, l.usage(ann).Allowed)
	})
}

func TestSecondIsRefusedUntilTheTimeInTheText(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(Config{Limits: Limits{PerSecond: 250, Prices: Prices{"messages.get": 20}}})
		for range 12 {
			require.Nil(t, l.ask(ann, "messages.get"))
		}
		time.Sleep(300*time.Millisecond + 400*time.Microsecond)
		until := untilOf(t, l.ask(ann, "messages.get"))
		require.Equal(t, time.Date(2000, 1, 1, 0, 0, 1, 301e6, time.UTC), until)

		time.Sleep(500 * time.Millisecond)
		later := untilOf(t, l.ask(ann, "messages.get"))
		require.True(t, later.After(until), "a retry before the time pushes it further")
		require.Nil(t, l.ask(bob, "messages.get"))

		time.Sleep(time.Until(later) - 1)
		pushed := untilOf(t, l.ask(ann, "messages.get"))
		time.Sleep(time.Until(pushed))
		require.Nil(t, l.ask(ann, "messages.get"), "who waits exactly as long is served")
		require.Equal(t, map[Refusal]int{RefusedSecond: 3}, l.usage(ann).Refusals)
	})
}

func untilOf(t *testing.T, e *apiError) time.Time {
	t.Helper()
	require.NotNil(t, e)
	require.Equal(t, 403, e.Status)
	text, ok := strings.CutPrefix(e.Message, "User-rate limit exceeded.  Retry after ")
	require.True(t, ok, "message %q", e.Message)
	until, err := time.Parse(time.RFC3339, text)
	require.NoError(t, err)
	return until
}

func TestSecondSlides(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(Config{Limits: Limits{PerSecond: 100, Prices: Prices{"messages.get": 20, "messages.send": 300}}})
		for range 100 { // 100 units a second, evenly
			require.Nil(t, l.ask(ann, "messages.get"))
			time.Sleep(200 * time.Millisecond)
		}
		require.NotNil(t, l.ask(ann, "messages.send"))
		time.Sleep(2 * time.Second)
		require.Nil(t, l.ask(ann, "messages.send"), "a call dearer than the second is served by itself")
	})
}

func TestConcurrentCallsAreCappedByAccount(t *testing.T) {
	t.Parallel()
	l := newLimiter(Config{Limits: Limits{Concurrent: 2}})
	first, refusal := l.admit(ann, "messages.get", false)
	require.Nil(t, refusal)
	_, refusal = l.admit(ann, "messages.get", true)
	require.Nil(t, refusal)
	_, refusal = l.admit(ann, "getProfile", false)
	require.Equal(t, tooManyConcurrent(), refusal)
	_, refusal = l.admit(bob, "getProfile", false)
	require.Nil(t, refusal)
	first()
	first() // does not give a second place
	_, refusal = l.admit(ann, "messages.get", false)
	require.Nil(t, refusal)
	_, refusal = l.admit(ann, "messages.get", false)
	require.NotNil(t, refusal)
	require.Equal(t, 2, l.usage(ann).MaxInFlight)
	require.Equal(t, 3, l.most)
}

func TestProjectSharesItsUnits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(Config{Limits: Limits{ProjectPerMinute: 300, ProjectPerDay: 1_000}})
		require.Nil(t, l.ask(ann, "messages.send"))
		require.Nil(t, l.ask(bob, "messages.send"))
		require.Nil(t, l.ask(ann, "messages.send"))
		refusal := l.ask(bob, "messages.send")
		require.NotNil(t, refusal)
		require.Contains(t, refusal.Message, "'Queries per minute' ")
		for range 7 {
			time.Sleep(20 * time.Second)
			require.Nil(t, l.ask(bob, "messages.send"))
		}
		time.Sleep(20 * time.Second)
		refusal = l.ask(ann, "messages.send")
		require.NotNil(t, refusal, "1,000 units of the day are spent")
		require.Equal(t, "dailyLimitExceeded", refusal.Reason)
		// The bubble begins at midnight UTC, which is 16:00 in Los Angeles.
		time.Sleep(8 * time.Hour)
		require.Nil(t, l.ask(ann, "messages.send"))
	})
}

func TestSendsOfADayAreCounted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(Config{Limits: Limits{SendsPerDay: 2}})
		require.Nil(t, l.ask(ann, "messages.send"))
		time.Sleep(time.Hour)
		require.Nil(t, l.ask(ann, "drafts.send"))
		refusal := l.ask(ann, "messages.send")
		require.NotNil(t, refusal)
		require.Equal(t, 429, refusal.Status)
		require.Equal(t, "User-rate limit exceeded.  Retry after 2000-01-02T00:00:00.000Z (Mail sending)", refusal.Message)
		require.Nil(t, l.ask(ann, "messages.get"), "reading goes on")
		require.Nil(t, l.ask(bob, "messages.send"))
		time.Sleep(23 * time.Hour)
		require.Nil(t, l.ask(ann, "messages.send"))
		require.NotNil(t, l.ask(ann, "messages.send"))
		require.Equal(t, map[Refusal]int{RefusedSends: 2}, l.usage(ann).Refusals)
	})
}

func TestRefusalsHaveTheBodiesOfGmail(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 9, 11, 20, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name   string
		e      *apiError
		status int
		body   string
	}{
		{"concurrency", tooManyConcurrent(), 429, `{"error":{"code":429,"message":"Too many concurrent requests for user","errors":[{"message":"Too many concurrent requests for user","domain":"global","reason":"rateLimitExceeded"}],"status":"RESOURCE_EXHAUSTED"}}`},
		{"second", userRate(at), 403, `{"error":{"code":403,"message":"User-rate limit exceeded.  Retry after 2026-09-11T20:00:00.000Z","errors":[{"message":"User-rate limit exceeded.","domain":"usageLimits","reason":"rateLimitExceeded"}],"status":"PERMISSION_DENIED"}}`},
		{"minute", perMinute(403, 6000), 403, `{"error":{"code":403,"message":"Quota exceeded for quota metric 'Queries' and limit 'Queries per minute per user' of service 'gmail.googleapis.com' for consumer 'project_number:1'.","errors":[{"message":"Quota exceeded for quota metric 'Queries' and limit 'Queries per minute per user' of service 'gmail.googleapis.com' for consumer 'project_number:1'.","domain":"usageLimits","reason":"rateLimitExceeded"}],"status":"PERMISSION_DENIED",
			"details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"RATE_LIMIT_EXCEEDED","domain":"googleapis.com","metadata":{"service":"gmail.googleapis.com","quota_limit_value":"6000","consumer":"projects/1"}}]}}`},
	} {
		w := httptest.NewRecorder()
		c.e.write(w)
		require.Equal(t, c.status, w.Code, c.name)
		require.JSONEq(t, c.body, w.Body.String(), c.name)
		require.Equal(t, "application/json; charset=UTF-8", w.Header().Get("Content-Type"), c.name)
	}
}
