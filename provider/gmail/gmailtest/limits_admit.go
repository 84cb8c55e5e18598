package gmailtest

import (
	"sync"
	"time"
)

// limiter decides whether a call may be served.
type limiter struct {
	l   Limits
	now func() time.Time

	mu       sync.Mutex
	accounts map[string]*allowance
	project  budget
	day      int // of the project, in Pacific time
	dayUnits int
	units    int
	refused  map[Refusal]int
	flight   int
	most     int
}

// allowance is what one account has left.
type allowance struct {
	minute  budget
	second  second
	sends   sends
	flight  int
	most    int
	units   int
	refused map[Refusal]int
}

func newLimiter(c Config) *limiter {
	l := &limiter{
		l: c.Limits.withDefaults(), now: c.Now,
		accounts: make(map[string]*allowance), refused: make(map[Refusal]int),
	}
	if l.now == nil {
		l.now = time.Now
	}
	l.project = budget{
		perMinute: l.l.ProjectPerMinute, start: l.l.ProjectPerMinute, fixed: l.l.FixedWindow,
	}
	return l
}

// admit takes the price of a call, or says why the call is refused; a refused call costs nothing.
// The release of an admitted call gives its place back and must be called once. A part of a batch is
// a call like any other.
func (l *limiter) admit(account string, m method, _ bool) (release func(), refusal *apiError) {
	now := l.now()
	units := l.l.price(m)
	l.mu.Lock()
	defer l.mu.Unlock()
	a := l.allowance(account)
	if why, e := l.refuse(a, m, units, now); e != nil {
		l.refused[why]++
		a.refused[why]++
		return nil, e
	}
	l.spend(a, m, units, now)
	return sync.OnceFunc(func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		a.flight--
		l.flight--
	}), nil
}

func (l *limiter) allowance(account string) *allowance {
	a := l.accounts[account]
	if a == nil {
		a = &allowance{
			minute:  budget{perMinute: l.l.PerMinute, start: l.l.Start, fixed: l.l.FixedWindow},
			refused: make(map[Refusal]int),
		}
		l.accounts[account] = a
	}
	return a
}

// refuse asks every limit in turn, the quickest to pass first.
func (l *limiter) refuse(a *allowance, m method, units int, now time.Time) (Refusal, *apiError) {
	if l.l.Concurrent > 0 && a.flight >= l.l.Concurrent {
		return RefusedConcurrent, tooManyConcurrent()
	}
	if l.l.PerSecond > 0 {
		if until, over := a.second.refuse(now, units, l.l.PerSecond, l.l.Penalty); over {
			return RefusedSecond, userRate(until)
		}
	}
	if l.l.PerMinute > 0 && a.minute.wait(now, units) > 0 {
		return RefusedMinute, perMinute(l.l.MinuteStatus, l.l.PerMinute)
	}
	if l.l.ProjectPerMinute > 0 && l.project.wait(now, units) > 0 {
		return RefusedProject, projectPerMinute(l.l.MinuteStatus, l.l.ProjectPerMinute)
	}
	if day := pacificDay(now); day != l.day {
		l.day, l.dayUnits = day, 0
	}
	if l.l.ProjectPerDay > 0 && l.dayUnits+units > l.l.ProjectPerDay {
		return RefusedDay, dailyLimit()
	}
	if l.l.SendsPerDay > 0 && sending(m) {
		if until, over := a.sends.refuse(now, l.l.SendsPerDay); over {
			return RefusedSends, sendingLimit(until)
		}
	}
	return "", nil
}

func (l *limiter) spend(a *allowance, m method, units int, now time.Time) {
	if l.l.PerSecond > 0 {
		a.second.take(now, units)
	}
	if l.l.PerMinute > 0 {
		a.minute.take(units)
	}
	if l.l.ProjectPerMinute > 0 {
		l.project.take(units)
	}
	if l.l.SendsPerDay > 0 && sending(m) {
		a.sends = append(a.sends, now)
	}
	l.dayUnits += units
	l.units += units
	a.units += units
	a.flight++
	l.flight++
	a.most = max(a.most, a.flight)
	l.most = max(l.most, l.flight)
}

func sending(m method) bool { return m == "messages.send" || m == "drafts.send" }

// pacificDay numbers the days of Pacific time.
func pacificDay(t time.Time) int {
	p := t.In(pacific())
	return p.Year()*1000 + p.YearDay()
}
