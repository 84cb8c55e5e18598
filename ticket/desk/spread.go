package desk

import (
	"hash/fnv"
	"time"

	"github.com/workinbox/workinbox/inbox"
)

// Every inbox has a moment of its own in each period, told by its id. Were the next look simply one
// period after the last, then inboxes that were looked at together once, as after a start, would be
// for ever, and thousands of mailboxes would be asked in the same second of every period.

// untilTurn is the time to the next look at an inbox: one period, or up to an eighth more or less so
// that it comes nearer to the moment of the inbox, and within four looks to stay there.
func untilTurn(id inbox.ID, period time.Duration, now time.Time) time.Duration {
	late := sinceTurn(id, period, now.Add(period))
	if late <= period/2 {
		return period - min(late, period/8)
	}
	return period + min(period-late, period/8)
}

// turnOver says whether a moment of an inbox has passed since it was looked at, which is at least half
// a period ago.
func turnOver(id inbox.ID, period time.Duration, last, now time.Time) bool {
	ago := now.Sub(last)
	return ago >= period/2 && ago > sinceTurn(id, period, now)
}

// sinceTurn is the time since the last moment of an inbox. Moments are whole milliseconds: stores keep
// no nanoseconds, and a look at the very moment must not seem to be before it.
func sinceTurn(id inbox.ID, period time.Duration, now time.Time) time.Duration {
	h := fnv.New64a()
	h.Write([]byte(id))
	moment := time.Duration(h.Sum64() % uint64(period)).Truncate(time.Millisecond)
	return ((time.Duration(now.UnixNano())-moment)%period + period) % period
}
