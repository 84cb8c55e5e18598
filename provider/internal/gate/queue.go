package gate

import (
	"context"
	"time"

	"github.com/workinbox/workinbox/provider"
)

// class is a lane, and whether a call of it has its place already. Lower classes come first.
type class uint8

const (
	retryInteractive class = iota
	freshInteractive
	retryBulk
	freshBulk
	classes = iota
)

func fresh(l Lane) class {
	if l == Interactive {
		return freshInteractive
	}
	return freshBulk
}

func retry(l Lane) class { return fresh(l) - 1 }

func (c class) lane() Lane {
	if c <= freshInteractive {
		return Interactive
	}
	return Bulk
}

func (c class) retry() bool { return c == retryInteractive || c == retryBulk }

// waiter is a call that waits for its turn. All but wake is the gate's, under its mutex.
type waiter struct {
	class      class
	units      int
	places     int
	since      time.Time
	prev, next *waiter
	wake       chan struct{} // something below changed
	granted    time.Time     // its turn came
	err        error         // its turn never comes
	due        time.Time     // it looks again then, on behalf of all
}

func (w *waiter) signal() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// queue is a list of waiters, first come first served.
type queue struct {
	head, tail *waiter
	n          int
}

func (q *queue) push(w *waiter) {
	if w.prev = q.tail; q.tail == nil {
		q.head = w
	} else {
		q.tail.next = w
	}
	q.tail = w
	q.n++
}

func (q *queue) remove(w *waiter) {
	if w.prev == nil {
		q.head = w.next
	} else {
		w.prev.next = w.next
	}
	if w.next == nil {
		q.tail = w.prev
	} else {
		w.next.prev = w.prev
	}
	w.prev, w.next = nil, nil
	q.n--
}

// first says that nobody of this class or a lower one waits.
func (g *Gate) first(c class) bool {
	for i := range c + 1 {
		if g.queues[i].n > 0 {
			return false
		}
	}
	return true
}

func (g *Gate) waiting() (n int) {
	for i := range g.queues {
		n += g.queues[i].n
	}
	return n
}

// join waits in turn. It is called with the mutex held and returns without.
func (g *Gate) join(ctx context.Context, p *permit, c class, now time.Time) error {
	w := &waiter{class: c, units: p.units, places: p.places, since: now, wake: make(chan struct{}, 1)}
	g.queues[c].push(w)
	g.pump(now)
	var timer *time.Timer
	var fired <-chan time.Time
	for {
		granted, due, err := w.granted, w.due, w.err
		g.mu.Unlock()
		switch {
		case err != nil:
			return err
		case !granted.IsZero() && ctx.Err() == nil:
			p.granted = granted
			return nil
		case !granted.IsZero():
			g.mu.Lock()
			g.abandon(w)
			g.mu.Unlock()
			return ctx.Err()
		case timer == nil && !due.IsZero():
			timer = time.NewTimer(time.Until(due))
			defer timer.Stop()
			fired = timer.C
		case !due.IsZero():
			timer.Reset(time.Until(due))
		}
		select {
		case <-w.wake:
			g.mu.Lock()
		case <-fired:
			g.mu.Lock()
			w.due = time.Time{}
			g.pump(time.Now())
		case <-ctx.Done():
			g.mu.Lock()
			g.abandon(w)
			g.mu.Unlock()
			return ctx.Err()
		}
	}
}

// abandon takes back all that a waiter has or waits for.
func (g *Gate) abandon(w *waiter) {
	now := time.Now()
	switch {
	case w.err != nil:
		return
	case w.granted.IsZero():
		g.queues[w.class].remove(w)
	default:
		g.slots.active -= w.places
		if w.class.retry() {
			g.slots.asleep[w.class.lane()] += w.places
		}
		g.second.untake(w.granted, w.units)
		g.span.untake(w.granted, w.units)
		g.pay(w.class.lane(), -1, -w.units)
	}
	g.pump(now)
}

// verdict is what a call waits for.
type verdict uint8

const (
	ready verdict = iota
	noPlace
	noUnits // for the time beside it
)

func (g *Gate) verdict(now time.Time, c class, units, places int) (verdict, time.Duration) {
	if c.retry() && !g.slots.awake(places) || !c.retry() && !g.slots.free(c.lane(), places) {
		return noPlace, 0
	}
	g.bucket.advance(now)
	g.second.advance(now)
	g.span.advance(now)
	var reserve float64
	var d time.Duration
	if c.lane() == Bulk {
		reserve = g.c.Reserve
		g.pace.advance(now)
		d = g.pace.ready(units, 0)
	}
	if d = max(d, g.bucket.ready(units, reserve), g.second.ready(now, units, reserve), g.span.ready(now, units, reserve)); d > 0 {
		return noUnits, d
	}
	return ready, 0
}

// grant lets a call out whose verdict is ready.
func (g *Gate) grant(now time.Time, c class, units, places int) {
	g.slots.active += places
	if c.retry() {
		g.slots.asleep[c.lane()] -= places
	}
	g.second.take(now, units)
	g.span.take(now, units)
	g.pay(c.lane(), 1, units)
}

// pay books calls and their units; negative ones take it back.
func (g *Gate) pay(l Lane, calls, units int) {
	g.bucket.take(units)
	if l == Bulk {
		g.pace.take(units)
	}
	s := g.stats.lane(l)
	s.Calls += int64(calls)
	s.Units += int64(units)
}

// pump lets out all whose turn it is and makes the first of the others look again in time.
func (g *Gate) pump(now time.Time) {
	if g.waiting() == 0 {
		return
	}
	if until, cause := g.pause(now); !until.IsZero() {
		if until.Sub(now) > g.c.MaxWait {
			g.failAll(until.Sub(now), cause)
			return
		}
		g.arm(until)
		return
	}
	g.slots.grow(now)
	for c := class(0); c < classes; {
		w := g.queues[c].head
		if w == nil {
			c++
			continue
		}
		switch v, d := g.verdict(now, c, w.units, w.places); v {
		case ready:
			g.queues[c].remove(w)
			g.grant(now, c, w.units, w.places)
			w.granted = now
			g.stats.waited(c.lane(), now.Sub(w.since))
			w.signal()
		case noUnits:
			// Nobody behind may take the units this one waits for.
			w.lookAgain(now.Add(d))
			return
		case noPlace:
			// A call that sleeps in a place may be what keeps this one waiting: go on.
			g.slots.pressed = true
			c++
		}
	}
}

func (g *Gate) arm(at time.Time) {
	for i := range g.queues {
		if w := g.queues[i].head; w != nil {
			w.lookAgain(at)
			return
		}
	}
}

func (w *waiter) lookAgain(at time.Time) {
	if !w.due.Equal(at) {
		w.due = at
		w.signal()
	}
}

// failAll ends the calls that would wait too long.
func (g *Gate) failAll(wait time.Duration, cause *Refusal) {
	for i := range g.queues {
		q := &g.queues[i]
		for w := q.head; w != nil; w = q.head {
			q.remove(w)
			w.err = &provider.RetryError{After: wait, Err: cause}
			g.stats.GaveUp++
			w.signal()
		}
	}
}
