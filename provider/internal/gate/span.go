package gate

import "time"

const (
	// ticks is into how many pieces a span is cut: what was spent in one is forgotten at once.
	ticks = 600
	// lateTicks is how much longer than a span its units count. The service counts when a call
	// arrives: one that is late is counted later than we did, beside those of the next span.
	lateTicks = 2
)

// span is the units of any stretch of time of one length: minutes, where a window of seconds would
// have too much to remember. The zero span has no limit.
type span struct {
	limit   int
	tick    time.Duration
	spent   []int // by tick, a ring; nil as long as nothing was
	sum     int
	at      int64     // the newest tick in spent
	learned time.Time // when it was last told that it has no units
}

func newSpan(limit int, length time.Duration) span {
	if limit <= 0 || length <= 0 {
		return span{}
	}
	return span{limit: limit, tick: max(length/ticks, 1)}
}

func (s *span) tickOf(t time.Time) int64 { return t.UnixNano() / int64(s.tick) }

// cell is what was spent in a tick. The tick must be one of the last.
func (s *span) cell(tick int64) *int { return &s.spent[tick%int64(len(s.spent))] }

// advance forgets what is over.
func (s *span) advance(now time.Time) {
	if s.sum == 0 {
		return
	}
	tick := s.tickOf(now)
	for i := range min(tick-s.at, int64(len(s.spent))) {
		c := s.cell(tick - i)
		s.sum -= *c
		*c = 0
	}
	s.at = max(s.at, tick)
}

// ready is how long until that many units are there above the reserve, which is a part of the limit.
func (s *span) ready(now time.Time, units int, reserve float64) time.Duration {
	most := float64(s.limit) * (1 - reserve)
	if s.limit == 0 || units == 0 || s.sum == 0 || float64(s.sum+units) <= most+whisker {
		return 0
	}
	left := s.sum
	for tick := s.at - int64(len(s.spent)) + 1; tick <= s.at; tick++ {
		left -= *s.cell(tick)
		if left == 0 || float64(left+units) <= most+whisker {
			return time.Unix(0, (tick+int64(len(s.spent)))*int64(s.tick)).Sub(now)
		}
	}
	return 0
}

func (s *span) take(now time.Time, units int) {
	if s.limit == 0 || units == 0 {
		return
	}
	if s.spent == nil {
		s.spent = make([]int, ticks+lateTicks)
	}
	s.at = max(s.at, s.tickOf(now))
	*s.cell(s.at) += units
	s.sum += units
}

// untake forgets what a call took that never went out.
func (s *span) untake(at time.Time, units int) {
	if s.limit == 0 || units == 0 {
		return
	}
	if tick := s.tickOf(at); s.at-tick < int64(len(s.spent)) {
		if c := s.cell(tick); *c >= units {
			*c -= units
			s.sum -= units
		}
	}
}

// spread is what the gate learns when the service says that the units are used up: somebody else has
// spent them too, such as the process before. It reckons with all of them spent evenly, so that as
// many come back every second as the service can have. Calls that were out already when it learned
// teach nothing new.
func (s *span) spread(now, granted time.Time) {
	if s.limit == 0 || !granted.After(s.learned) {
		return
	}
	if s.spent == nil {
		s.spent = make([]int, ticks+lateTicks)
	}
	s.at, s.sum, s.learned = s.tickOf(now), s.limit, now
	for i := range s.spent {
		s.spent[i] = s.limit / len(s.spent)
	}
	*s.cell(s.at) += s.limit % len(s.spent)
}

// left are the units that are there.
func (s *span) left() int { return s.limit - s.sum }
