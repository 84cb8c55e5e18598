package gate

import (
	"math/rand/v2"
	"time"
)

// Refusal is an error a call returns when the service refused it because of its limits: nothing was
// done, and the same call may be made again.
type Refusal struct {
	Kind  Kind
	After time.Duration // what the service asks to wait; zero when it does not say
	// Exact says that After is a number of seconds the service named (Retry-After), not the distance
	// to an instant, which is as wrong as the clocks are. It is never shortened.
	Exact bool
	// At is the service's clock when it refused (the Date of the answer); zero is our clock.
	At  time.Time
	Err error
}

// Kind is which limit refused.
type Kind uint8

// The kinds of refusal, and who waits how long. After, where it is set, comes before all of them.
const (
	// Concurrency: too many in flight. Half as many from now on, one more after every second without
	// such a refusal; the call waits one to two seconds.
	Concurrency Kind = iota
	// Rate: units of this account. The account waits until After is over, one second to a minute; a
	// call made meanwhile would push the end further away. Without After one second, then two, four.
	// Of a span the gate believed to have units: it reckons with all of them spent, evenly.
	Rate
	// Minute: units of this account. The account waits until the next full minute. The gate believed
	// to have the units, so from now on it reckons with 90 % of them, and with one percent point
	// more after every minute without such a refusal.
	Minute
	// Shared: units of the whole project. All accounts wait, longer every time.
	Shared
	// Busy: 500, 502, 503, 504 of a call that may be repeated. The call waits, longer every time.
	Busy
	// Spent: a limit of a day or of mail sent. Not worth waiting: Do ends.
	Spent

	kinds = iota
)

func (k Kind) String() string {
	switch k {
	case Concurrency:
		return "too many calls at once"
	case Rate:
		return "too many units"
	case Minute:
		return "units of the minute used up"
	case Shared:
		return "units of the project used up"
	case Spent:
		return "limit reached"
	default:
		return "service busy"
	}
}

// Error is the text of Err, or which limit refused.
func (r *Refusal) Error() string {
	if r.Err == nil {
		return r.Kind.String()
	}
	return r.Err.Error()
}

// Unwrap returns Err.
func (r *Refusal) Unwrap() error { return r.Err }

func (r *Refusal) concurrencyWait() time.Duration {
	if r.After > 0 {
		return r.After
	}
	return time.Second + upTo(time.Second)
}

func (r *Refusal) rateWait(n int) time.Duration {
	d := r.After
	if d <= 0 {
		d = doubled(time.Second, n)
	}
	if r.Exact {
		return max(d, time.Second)
	}
	return min(max(d, time.Second), time.Minute)
}

func (r *Refusal) minuteWait(now time.Time) time.Duration {
	if r.After > 0 {
		return r.After
	}
	at := r.At
	if at.IsZero() {
		at = now
	}
	return max(at.Truncate(time.Minute).Add(time.Minute).Sub(at), time.Second)
}

// busyWait is how long to wait and, when that is too often, what to tell the caller. The first is
// drawn from all of the second (full jitter), or calls that failed together come back together.
func (r *Refusal) busyWait(n int) (alone, whole time.Duration) {
	if r.After > 0 {
		return r.After, r.After
	}
	whole = min(doubled(time.Second, n), 30*time.Second)
	return upTo(whole), whole
}

func (r *Refusal) spentWait() time.Duration {
	if r.After > 0 {
		return r.After
	}
	return time.Hour
}

// doubled is d at the first refusal and twice as much at every further one.
func doubled(d time.Duration, n int) time.Duration { return d << min(max(n-1, 0), 10) }

func upTo(d time.Duration) time.Duration {
	if d <= 0 {
		return 0
	}
	return rand.N(d)
}
