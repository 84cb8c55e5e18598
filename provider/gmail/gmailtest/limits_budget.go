package gmailtest

import "time"

// budget hands out units by the minute, either from a bucket that refills steadily or a whole minute's
// worth at the beginning of each minute.
type budget struct {
	perMinute int
	start     int
	fixed     bool

	begun time.Time // of the first take
	at    time.Time // when level was right; of a fixed window its beginning
	level int64     // in grains
}

// A unit has as many grains as a minute has nanoseconds: a bucket of n units a minute gains n grains
// in each nanosecond, and no rounding ever makes it late.
const grains = int64(time.Minute)

// wait is zero when units are there now, else how long until they are.
func (b *budget) wait(now time.Time, units int) time.Duration {
	b.fill(now)
	lack := int64(units)*grains - b.level
	switch {
	case lack <= 0:
		return 0
	case b.fixed:
		return b.at.Add(time.Minute).Sub(now)
	default:
		per := int64(b.perMinute)
		return time.Duration((lack + per - 1) / per)
	}
}

// take spends units. It must follow a wait of zero.
func (b *budget) take(units int) { b.level -= int64(units) * grains }

func (b *budget) fill(now time.Time) {
	full := int64(b.perMinute) * grains
	if b.fixed {
		if window := now.Truncate(time.Minute); b.begun.IsZero() || window.After(b.at) {
			if b.begun.IsZero() {
				b.begun = now
			}
			b.at, b.level = window, full
		}
		return
	}
	if b.begun.IsZero() {
		b.begun, b.at = now, now
		b.level = int64(b.start) * grains
		return
	}
	gone := now.Sub(b.at)
	if gone <= 0 {
		return
	}
	b.at = now
	// In a minute even an empty bucket is full.
	gain := full - b.level
	if gone < time.Minute {
		gain = min(gain, int64(gone)*int64(b.perMinute))
	}
	b.level += gain
}

// allowed are all the units that could have been taken from the first take until now.
func (b *budget) allowed(now time.Time) int {
	if b.fixed {
		return (1 + int(now.Truncate(time.Minute).Sub(b.begun.Truncate(time.Minute))/time.Minute)) * b.perMinute
	}
	gone := now.Sub(b.begun)
	return b.start + int(gone/time.Minute)*b.perMinute +
		int(int64(gone%time.Minute)*int64(b.perMinute)/grains)
}

// second counts the units of a sliding second.
type second struct {
	spent []spending // oldest first
	sum   int
	// until is the end of the penalty.
	until time.Time
}

type spending struct {
	at    time.Time
	units int
}

// refuse says whether units go over the limit, and if so from when on calls are served again.
func (s *second) refuse(now time.Time, units, limit int, penalty time.Duration) (until time.Time, refused bool) {
	old := 0
	for old < len(s.spent) && now.Sub(s.spent[old].at) >= time.Second {
		s.sum -= s.spent[old].units
		old++
	}
	s.spent = s.spent[old:]
	// A call dearer than the whole second is served when nothing else was.
	over := s.sum > 0 && s.sum+units > limit
	if !over && !now.Before(s.until) {
		return time.Time{}, false
	}
	// The text of the refusal counts milliseconds: who waits exactly as long must be served.
	s.until = now.Add(penalty + time.Millisecond - 1).Truncate(time.Millisecond)
	return s.until, true
}

func (s *second) take(now time.Time, units int) {
	s.spent = append(s.spent, spending{now, units})
	s.sum += units
}

// sends are when messages were sent in the last 24 hours, oldest first.
type sends []time.Time

// refuse says whether the limit of a day is reached, and if so until when.
func (s *sends) refuse(now time.Time, limit int) (until time.Time, refused bool) {
	for len(*s) > 0 && now.Sub((*s)[0]) >= 24*time.Hour {
		*s = (*s)[1:]
	}
	if len(*s) < limit {
		return time.Time{}, false
	}
	return (*s)[0].Add(24 * time.Hour), true
}
