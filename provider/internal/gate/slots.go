package gate

import (
	"math"
	"time"
)

// slots counts the calls in flight and adapts how many there may be.
type slots struct {
	limit, most int
	reserve     int
	active      int    // calls that are out
	asleep      [2]int // by lane: places held by calls that wait after a refusal
	pressed     bool   // somebody waited for a place since the last step
	halved      time.Time
	step        time.Time // the last change or refusal
}

// free says whether a new call of that lane and width may go out. What sleeps in Bulk does not keep
// Interactive waiting.
func (s *slots) free(lane Lane, places int) bool {
	if lane == Interactive {
		return fits(s.active+s.asleep[Interactive], places, s.limit)
	}
	return fits(s.active+s.asleep[Interactive]+s.asleep[Bulk], places, max(s.limit-s.reserve, 1))
}

// awake says whether a call that kept its places may go out again.
func (s *slots) awake(places int) bool { return fits(s.active, places, s.limit) }

func fits(taken, places, limit int) bool { return taken+min(places, limit) <= limit }

// grow allows one more after a second without refusal in which somebody had to wait for a place: a
// limit nobody reached says nothing.
func (s *slots) grow(now time.Time) {
	if s.step.IsZero() {
		s.step = now
	}
	if s.pressed && s.limit < s.most && now.Sub(s.step) >= time.Second {
		s.limit++
		s.pressed, s.step = false, now
	}
}

// halve is what the gate learns when too many calls were out. Refusals of calls that were out
// already when it was last halved only delay its growth.
func (s *slots) halve(now, granted time.Time) {
	s.step = now
	if !granted.After(s.halved) {
		return
	}
	if s.limit == math.MaxInt {
		s.limit = s.active + s.asleep[Bulk] + s.asleep[Interactive]
	}
	s.limit = max(s.limit/2, 1)
	s.halved = now
}
