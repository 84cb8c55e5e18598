package outlooktest

import (
	"maps"
	"strings"
	"sync"
	"time"
)

// Limits are what the service allows one application in one mailbox before it refuses. In Limits
// other than the zero one a zero field means that there is no such limit.
//
// Source: https://learn.microsoft.com/graph/throttling-limits#outlook-service-limits
type Limits struct {
	// Concurrent are the calls in work at once, parts of a batch included.
	Concurrent int
	// Requests are the calls in any span of Window, refused ones included.
	Requests int
	Window   time.Duration
	// UploadBytes are the bytes of requests in any span of UploadWindow.
	UploadBytes  int64
	UploadWindow time.Duration
}

// Documented are the limits that Microsoft publishes: 4 concurrent calls, 10,000 calls in 10 minutes,
// 150 MB of uploads in 5 minutes. They are the limits of a Server whose Config has none.
func Documented() Limits {
	return Limits{
		Concurrent: 4, Requests: 10_000, Window: 10 * time.Minute,
		UploadBytes: 150_000_000, UploadWindow: 5 * time.Minute,
	}
}

// Unlimited refuses nothing.
func Unlimited() Limits { return Limits{Window: 10 * time.Minute} }

func (l Limits) withDefaults() Limits {
	if l == (Limits{}) {
		return Documented()
	}
	return l
}

// Refusal names the limit that refused a call.
type Refusal string

// The refusals; all are answered with 429, code ApplicationThrottled, and a Retry-After.
const (
	RefusedConcurrent Refusal = "concurrent"
	RefusedRequests   Refusal = "requests"
	RefusedUpload     Refusal = "upload"
)

// Usage is what the limits let through and what they refused. Refusals that a test asked for by
// Fail are not among it.
type Usage struct {
	Requests    int             // calls, refused ones included
	Refusals    map[Refusal]int // calls refused, by limit; empty when there were none
	MaxInFlight int             // most calls admitted at once
}

// Refused is the sum of all refusals.
func (u Usage) Refused() int {
	n := 0
	for _, c := range u.Refusals {
		n += c
	}
	return n
}

// limiter decides whether a call may be served.
type limiter struct {
	l   Limits
	now func() time.Time

	mu       sync.Mutex
	accounts map[string]*allowance
}

// allowance is what one mailbox has used.
type allowance struct {
	Usage
	flight  int
	calls   []time.Time // within the window, oldest first
	uploads []uploaded
	bytes   int64
}

type uploaded struct {
	at    time.Time
	bytes int64
}

func newLimiter(c Config) *limiter {
	return &limiter{l: c.Limits, now: c.Now, accounts: make(map[string]*allowance)}
}

func (l *limiter) of(account string) *allowance {
	key := strings.ToLower(account)
	a := l.accounts[key]
	if a == nil {
		a = &allowance{Usage: Usage{Refusals: make(map[Refusal]int)}}
		l.accounts[key] = a
	}
	return a
}

// admit counts a call and gives it a place, or says why it is refused. The release of an admitted
// call gives its place back.
func (l *limiter) admit(account string, bytes int64) (release func(), refusal *apiError) {
	now := l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	a := l.of(account)
	a.Requests++
	if why, e := l.refuse(a, bytes, now); e != nil {
		a.Refusals[why]++
		return nil, e
	}
	a.flight++
	a.MaxInFlight = max(a.MaxInFlight, a.flight)
	return sync.OnceFunc(func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		a.flight--
	}), nil
}

func (l *limiter) refuse(a *allowance, bytes int64, now time.Time) (Refusal, *apiError) {
	if l.l.Requests > 0 {
		old := 0
		for old < len(a.calls) && now.Sub(a.calls[old]) >= l.l.Window {
			old++
		}
		a.calls = append(a.calls[old:], now)
		if len(a.calls) > l.l.Requests {
			// This call counts as well, so that two have to leave the window for the next one.
			wait := a.calls[len(a.calls)-l.l.Requests].Add(l.l.Window).Sub(now)
			return RefusedRequests, throttled("Application is over its MailboxRequests limit.", wait)
		}
	}
	if e := l.upload(a, bytes, now); e != nil {
		return RefusedUpload, e
	}
	if l.l.Concurrent > 0 && a.flight >= l.l.Concurrent {
		return RefusedConcurrent, throttled("Application is over its MailboxConcurrency limit.", time.Second)
	}
	return "", nil
}

// upload counts the bytes of a request. A request larger than the limit passes when nothing else did.
func (l *limiter) upload(a *allowance, bytes int64, now time.Time) *apiError {
	if l.l.UploadBytes <= 0 || bytes <= 0 {
		return nil
	}
	for len(a.uploads) > 0 && now.Sub(a.uploads[0].at) >= l.l.UploadWindow {
		a.bytes -= a.uploads[0].bytes
		a.uploads = a.uploads[1:]
	}
	if a.bytes > 0 && a.bytes+bytes > l.l.UploadBytes {
		return throttled("Application is over its MailboxUpload limit.",
			a.uploads[0].at.Add(l.l.UploadWindow).Sub(now))
	}
	a.bytes += bytes
	a.uploads = append(a.uploads, uploaded{now, bytes})
	return nil
}

// Usage returns what the account has used since the server began.
func (a *Account) Usage() Usage {
	l := a.s.limiter
	l.mu.Lock()
	defer l.mu.Unlock()
	u := l.of(a.address).Usage
	u.Refusals = maps.Clone(u.Refusals)
	return u
}
