package gate

import (
	"sync"
	"sync/atomic"
	"time"
)

// Project makes the accounts of one application wait together when the service says that the
// application has used up its units. Its zero value is ready. It is safe for concurrent use.
type Project struct {
	mu    sync.Mutex
	times int // refusals in a row
	pause atomic.Pointer[pause]
}

type pause struct {
	since, until time.Time
	length       time.Duration
	cause        *Refusal
}

// refused starts or prolongs a pause: After, or 2 s, 4 s … to a minute, with a jitter of a quarter.
// Refusals of calls that were out when the pause began do not count as one more. A minute without a
// refusal after a pause begins the count anew.
func (p *Project) refused(now, granted time.Time, r *Refusal) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	old := p.pause.Load()
	if old != nil && now.Sub(old.until) > time.Minute {
		p.times = 0
	}
	again := old == nil || granted.After(old.since)
	if again {
		p.times++
	}
	wait := r.After
	if wait <= 0 {
		if !again && old.until.After(now) {
			return old.until.Sub(now)
		}
		whole := min(doubled(2*time.Second, max(p.times, 1)), time.Minute)
		wait = whole - upTo(whole/4)
	}
	next := &pause{since: now, until: now.Add(wait), length: wait, cause: r}
	if old != nil && !next.until.After(old.until) {
		return old.until.Sub(now)
	}
	p.pause.Store(next)
	return wait
}
