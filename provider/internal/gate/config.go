package gate

import (
	"math"
	"time"
)

// Config are the limits of one account. The zero Config has none.
//
// Span is for a service that counts N units in windows of some minutes instead of refilling steadily:
// whether its windows are fixed or slide, N units in any span keep to it, and all of them may be spent
// at once.
type Config struct {
	PerSpan   int           // units in any stretch of Span; zero is no limit
	Span      time.Duration // zero is no limit
	PerMinute int           // units a minute, refilled steadily; zero is no limit
	PerSecond int           // units in any second; zero is no limit
	Burst     int           // units at the start and at most; zero is PerMinute
	Slots     int           // calls in flight at first; zero is no limit
	MaxSlots  int           // calls in flight at most; zero is Slots
	// Reserve is the part of the units, 0 to 1, that Bulk leaves to Interactive: of the units there
	// are at once (Burst) and of those of a second or a Span. What is refilled above it is all for Bulk.
	Reserve float64
	// ReserveSlots are calls in flight that Bulk leaves to Interactive. Bulk always has one.
	ReserveSlots int
	// Project is shared by all accounts of one application; nil has no limit of its own.
	Project *Project
	// MaxWait is the longest wait after a refusal that Do sits out; a longer one ends in
	// *provider.RetryError. It does not bound how long a call waits for its turn: ctx does. Zero is
	// a minute and a half.
	MaxWait time.Duration
}

// Share is the gate of a process that may use only a part of the units, 0 to 1, and that many calls
// in flight, at least one: it opens and sends while the process that syncs has the Rest. Several
// such processes at a time divide the part among them. The part has no reserve.
//
// A call dearer than the part of a second goes out alone; where that must not touch the second of
// the other process, set PerSecond of both by hand.
func (c Config) Share(part float64, slots int) Config {
	s := c
	s.PerSpan, s.Burst, s.PerMinute, s.PerSecond = c.part(part)
	s.Slots = max(slots, 1)
	s.MaxSlots = s.Slots
	s.Reserve, s.ReserveSlots = 0, 0
	return s
}

// Rest is the gate of the process that leaves a Share of the same part and slots free.
func (c Config) Rest(part float64, slots int) Config {
	r := c
	span, burst, minute, second := c.part(part)
	r.PerSpan = less(c.PerSpan, span)
	r.Burst = less(c.burst(), burst)
	r.PerMinute = less(c.PerMinute, minute)
	r.PerSecond = less(c.PerSecond, second)
	r.Slots = less(c.Slots, max(slots, 1))
	r.MaxSlots = less(max(c.MaxSlots, c.Slots), max(slots, 1))
	return r
}

func (c Config) part(p float64) (span, burst, minute, second int) {
	p = min(max(p, 0), 1)
	of := func(n int) int {
		if n <= 0 {
			return 0 // no limit has no part
		}
		return max(int(float64(n)*p), 1)
	}
	return of(c.PerSpan), of(c.burst()), of(c.PerMinute), of(c.PerSecond)
}

// less never gets to zero, which would be no limit.
func less(n, by int) int {
	if n <= 0 {
		return 0
	}
	return max(n-by, 1)
}

func (c Config) burst() int {
	if c.Burst > 0 {
		return c.Burst
	}
	return c.PerMinute
}

func (c Config) withDefaults() Config {
	c.Burst = c.burst()
	if c.Slots <= 0 {
		c.Slots = math.MaxInt
	}
	c.MaxSlots = max(c.MaxSlots, c.Slots)
	c.Reserve = min(max(c.Reserve, 0), 1)
	c.ReserveSlots = max(c.ReserveSlots, 0)
	if c.MaxWait <= 0 {
		c.MaxWait = 90 * time.Second
	}
	if c.Project == nil {
		c.Project = new(Project)
	}
	return c
}
