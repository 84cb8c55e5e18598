// Package gate keeps the calls to one account of a mail service under the service's limits: units
// per minute, units per second, units in a longer span and calls in flight, all of them at once, and
// learns from refusals.
//
// What it promises:
//
//  1. Inside a lane calls go out in the order they came, an expensive one is not overtaken by cheap
//     ones. A waiting call of Interactive goes out before every waiting call of Bulk.
//  2. Bulk leaves a reserve of units and of calls in flight to Interactive and uses all the rest.
//  3. Whoever was refused keeps his place in flight while he waits: giving it to another call turns
//     one refusal into several.
//  4. A call whose context ends while it waits leaves nothing behind: no place, no units.
//
// A gate stays a little under the limits it is told, because the service counts when a call arrives
// and not when it leaves: 1 % of the units of a minute and of the start level, and 2 % of a second,
// which is 20 ms by which calls may overtake each other on their way. A span counts a 300th longer.
//
// The limits and what refusals look like:
// https://developers.google.com/workspace/gmail/api/reference/quota,
// https://developers.google.com/workspace/gmail/api/guides/handle-errors,
// https://learn.microsoft.com/graph/throttling-limits.
package gate

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/workinbox/workinbox/provider"
)

// attempts is how often Do makes a call that is refused every time.
const attempts = 6

// Lane says who waits for a call.
type Lane uint8

// The lanes. A call of Interactive (a person opens a message, a reply leaves) goes out before every
// waiting call of Bulk (import, sync).
const (
	Bulk Lane = iota
	Interactive
)

// Gate is the gate of one account. It is safe for concurrent use and runs no goroutine of its own.
type Gate struct {
	c Config

	mu     sync.Mutex
	bucket bucket
	second window
	span   span
	pace   bucket // of Bulk
	slots  slots
	queues [classes]queue
	// held is when the account may call again, and why it may not before.
	held  time.Time
	cause *Refusal
	// shared is the last pause of the project this gate saw, jitter how much longer it waits itself.
	shared *pause
	jitter time.Duration
	stats  Stats
}

// New makes a gate that believes that nothing was used of the account's units.
func New(c Config) *Gate {
	c = c.withDefaults()
	return &Gate{
		c:      c,
		bucket: newBucket(c.PerMinute, c.Burst),
		span:   newSpan(c.PerSpan, c.Span),
		second: window{limit: float64(c.PerSecond), slack: minSlack},
		pace:   newPace(c.PerSecond, c.Reserve),
		slots:  slots{limit: c.Slots, most: c.MaxSlots, reserve: c.ReserveSlots},
	}
}

// permit is a place in flight and what was paid for it.
type permit struct {
	lane    Lane
	units   int
	places  int
	granted time.Time // of the latest attempt
	asleep  bool      // held, but the call is not out
}

// Do waits until a call of that many units may go out and makes it. A *Refusal makes the gate learn
// from it and the call again, as long as ctx lasts and the waits stay bearable: a wait longer than
// MaxWait, the sixth refusal, or one of kind Spent ends in a *provider.RetryError that says how long
// to wait and wraps the *Refusal. Every attempt pays its units again. When ctx ends while Do waits,
// the answer is ctx.Err(), at once. Every other result of call is the result of Do.
//
// A call dearer than the units the gate can ever have goes out alone, when the gate is full.
func (g *Gate) Do(ctx context.Context, lane Lane, units int, call func(context.Context) error) error {
	return g.DoWide(ctx, lane, units, 1, call)
}

// DoWide is Do for a call that the service makes several of, at once: it takes as many places in
// flight. One that takes more than there are goes out alone.
func (g *Gate) DoWide(ctx context.Context, lane Lane, units, places int, call func(context.Context) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	p := permit{lane: min(lane, Interactive), units: max(units, 0), places: max(places, 1)}
	if err := g.enter(ctx, &p); err != nil {
		return err
	}
	defer g.leave(&p)
	for n := 1; ; n++ {
		err := call(ctx)
		if err == nil {
			return nil
		}
		r, ok := errors.AsType[*Refusal](err)
		if !ok {
			return err
		}
		alone, err := g.refused(&p, r, n)
		if err != nil {
			return err
		}
		if err := sleep(ctx, alone); err != nil {
			return err
		}
		if err := g.again(ctx, &p); err != nil {
			return err
		}
	}
}

// enter gets a place in flight and the units, now or in turn.
func (g *Gate) enter(ctx context.Context, p *permit) error {
	c := fresh(p.lane)
	g.mu.Lock()
	now := time.Now()
	if g.first(c) {
		if until, _ := g.pause(now); until.IsZero() {
			g.slots.grow(now)
			if v, _ := g.verdict(now, c, p.units, p.places); v == ready {
				g.grant(now, c, p.units, p.places)
				g.mu.Unlock()
				p.granted = now
				return nil
			}
		}
	}
	return g.join(ctx, p, c, now)
}

// again gets the units for one more attempt of a call that was refused and kept its place.
func (g *Gate) again(ctx context.Context, p *permit) error {
	g.mu.Lock()
	if err := g.join(ctx, p, retry(p.lane), time.Now()); err != nil {
		return err
	}
	p.asleep = false
	return nil
}

// leave gives the place in flight back.
func (g *Gate) leave(p *permit) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if p.asleep {
		g.slots.asleep[p.lane] -= p.places
	} else {
		g.slots.active -= p.places
	}
	if g.waiting() > 0 {
		g.pump(time.Now())
	}
}

// refused learns from a refusal. It answers how long this call alone must wait, or the error that
// ends Do. What all calls of the account must wait stands in g.held or in the project.
func (g *Gate) refused(p *permit, r *Refusal, n int) (time.Duration, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	g.slots.active -= p.places
	g.slots.asleep[p.lane] += p.places
	p.asleep = true
	g.stats.refused(r.Kind)

	var alone, wait time.Duration
	switch r.Kind {
	case Concurrency:
		g.slots.halve(now, p.granted)
		alone = r.concurrencyWait()
		wait = alone
	case Rate:
		wait = r.rateWait(n)
		g.second.widen(now, p.granted)
		g.span.spread(now, p.granted)
		g.hold(now.Add(wait), r)
	case Minute:
		wait = r.minuteWait(now)
		g.bucket.lower(now, p.granted)
		g.hold(now.Add(wait), r)
	case Shared:
		wait = g.c.Project.refused(now, p.granted, r)
	case Spent:
		wait = r.spentWait()
	default: // Busy
		alone, wait = r.busyWait(n)
	}
	g.pump(now)
	if r.Kind == Spent || max(wait, alone) > g.c.MaxWait || n >= attempts {
		g.stats.GaveUp++
		if until, _ := g.pause(now); !until.IsZero() {
			wait = max(wait, until.Sub(now))
		}
		return 0, &provider.RetryError{After: wait, Err: r}
	}
	return alone, nil
}

// hold makes the whole account wait.
func (g *Gate) hold(until time.Time, r *Refusal) {
	if until.After(g.held) {
		g.held, g.cause = until, r
	}
}

// pause is until when nobody of the account may call, zero if somebody may.
func (g *Gate) pause(now time.Time) (time.Time, *Refusal) {
	until, cause := g.held, g.cause
	if p := g.c.Project.pause.Load(); p != nil {
		if p != g.shared {
			g.shared, g.jitter = p, upTo(p.length/10)
		}
		// Accounts that all wait for one instant would all call in it.
		if own := p.until.Add(g.jitter); own.After(until) {
			until, cause = own, p.cause
		}
	}
	if !until.After(now) {
		return time.Time{}, nil
	}
	return until, cause
}

// sleep waits, holding the place in flight.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
