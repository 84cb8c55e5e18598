package gate

import "time"

const (
	// unitMargin is what a gate leaves of the units of a minute and of the start level. A service
	// whose bucket is full loses the refill between our grant and the arrival of the call.
	unitMargin = 0.01
	// minSlack and maxSlack bound what is added to a second, because calls overtake each other.
	minSlack = 20 * time.Millisecond
	maxSlack = 320 * time.Millisecond
	// lowerTo, recovery and leastFactor rule how the gate learns that it has fewer units.
	lowerTo     = 0.9
	recovery    = 0.01 // of the configured units, every minute
	leastFactor = 0.1
	// whisker is less than any unit and more than floating point loses.
	whisker = 1e-6
)

// bucket is the units of a minute: filled at the start, refilled steadily. The zero bucket has no
// limit.
type bucket struct {
	perSecond float64 // refill
	capacity  float64
	factor    float64 // of both that the service seems to grant, 1 at first
	level     float64 // below zero after a call dearer than the capacity
	at        time.Time
	learned   time.Time // when factor last fell
	clean     time.Time // since when it rises
}

func newBucket(perMinute, burst int) bucket {
	if perMinute <= 0 {
		return bucket{}
	}
	full := float64(burst) * (1 - unitMargin)
	return bucket{
		perSecond: float64(perMinute) / 60 * (1 - unitMargin),
		capacity:  full, level: full, factor: 1,
	}
}

// newPace is what Bulk may use of the units of a second, spread over it and an eighth of them at
// once: an import that spent them all at once would make a reply wait for nearly a second.
func newPace(perSecond int, reserve float64) bucket {
	most := float64(perSecond) * (1 - reserve)
	return bucket{
		perSecond: most / (time.Second + minSlack).Seconds(),
		capacity:  most / 8, level: most / 8, factor: 1,
	}
}

func (b *bucket) advance(now time.Time) {
	if b.capacity == 0 {
		return
	}
	if minutes := now.Sub(b.clean) / time.Minute; b.factor < 1 && minutes > 0 {
		b.factor = min(1, b.factor+recovery*float64(minutes))
		b.clean = b.clean.Add(minutes * time.Minute)
	}
	if !b.at.IsZero() {
		b.level += now.Sub(b.at).Seconds() * b.perSecond * b.factor
	}
	b.at = now
	b.level = min(b.level, b.capacity*b.factor)
}

// ready is how long until that many units are there above the reserve, which is a part of the
// capacity.
func (b *bucket) ready(units int, reserve float64) time.Duration {
	if b.capacity == 0 || units == 0 {
		return 0
	}
	full := b.capacity * b.factor
	lacks := min(float64(units)+reserve*full, full) - b.level
	if lacks <= whisker {
		return 0
	}
	seconds := lacks / (b.perSecond * b.factor)
	return time.Duration(seconds*float64(time.Second)) + time.Microsecond
}

func (b *bucket) take(units int) {
	if b.capacity > 0 {
		b.level -= float64(units)
	}
}

// lower is what the gate learns when the service says that the units are used up: it has none now,
// and fewer from now on. Calls that were out already when it learned teach nothing new.
func (b *bucket) lower(now, granted time.Time) {
	if b.capacity == 0 || !granted.After(b.learned) {
		return
	}
	b.advance(now)
	b.factor = max(b.factor*lowerTo, leastFactor)
	b.level = min(b.level, 0)
	b.learned, b.clean = now, now
}

// window is the units of any second. The zero window has no limit.
type window struct {
	limit   float64
	slack   time.Duration // added to the second
	learned time.Time     // when slack last grew
	clean   time.Time     // since when it shrinks
	grants  []spending    // oldest first, from head
	head    int
	sum     int
}

type spending struct {
	at    time.Time
	units int
}

func (w *window) advance(now time.Time) {
	if w.limit == 0 {
		return
	}
	for w.slack > minSlack && now.Sub(w.clean) >= time.Minute {
		w.slack = max(w.slack/2, minSlack)
		w.clean = w.clean.Add(time.Minute)
	}
	span := time.Second + w.slack
	for w.head < len(w.grants) && now.Sub(w.grants[w.head].at) >= span {
		w.sum -= w.grants[w.head].units
		w.head++
	}
	if w.head == len(w.grants) {
		w.grants, w.head = w.grants[:0], 0
	}
}

// ready is how long until that many units are free above the reserve, which is a part of the limit.
func (w *window) ready(now time.Time, units int, reserve float64) time.Duration {
	most := w.limit * (1 - reserve)
	if w.limit == 0 || units == 0 || w.sum == 0 || float64(w.sum+units) <= most+whisker {
		return 0
	}
	left := w.sum
	for _, s := range w.grants[w.head:] {
		left -= s.units
		if left == 0 || float64(left+units) <= most+whisker {
			return s.at.Add(time.Second + w.slack).Sub(now)
		}
	}
	return 0
}

func (w *window) take(now time.Time, units int) {
	if w.limit == 0 || units == 0 {
		return
	}
	if len(w.grants) == cap(w.grants) && w.head > len(w.grants)/2 {
		n := copy(w.grants, w.grants[w.head:])
		w.grants, w.head = w.grants[:n], 0
	}
	w.grants = append(w.grants, spending{now, units})
	w.sum += units
}

// untake forgets what a call took that never went out.
func (w *window) untake(at time.Time, units int) {
	for i := len(w.grants) - 1; i >= w.head; i-- {
		if w.grants[i].units == units && w.grants[i].at.Equal(at) {
			w.grants[i].units = 0
			w.sum -= units
			return
		}
	}
}

// widen is what the gate learns when the service counts more in a second than we sent in one: calls
// overtake each other by more than we thought. Every clean minute takes half of it back.
func (w *window) widen(now, granted time.Time) {
	if w.limit == 0 || !granted.After(w.learned) {
		return
	}
	w.slack = min(w.slack*2, maxSlack)
	w.learned, w.clean = now, now
}
