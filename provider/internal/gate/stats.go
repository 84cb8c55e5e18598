package gate

import "time"

// Stats are what a gate did since it was made, and its state now.
type Stats struct {
	Bulk, Interactive LaneStats
	Refused           [kinds]int64 // by Kind
	GaveUp            int64        // calls of Do that ended in *provider.RetryError

	Slots     int // calls in flight allowed now
	InFlight  int // calls that are out
	Asleep    int // calls that hold their place and wait after a refusal
	Waiting   int // calls that wait for their turn
	Level     int // units left of the minute; below zero after a call dearer than Burst
	Left      int // units left of the span
	PerMinute int // units a minute the gate reckons with, after what it learned and its margin
}

// LaneStats are the calls of a lane. Every attempt of a call counts.
type LaneStats struct {
	Calls, Units int64
	Waits        int64         // attempts that waited for their turn
	Waited       time.Duration // by all of them together
	Longest      time.Duration // by one of them
}

// Refusals are those of all kinds.
func (s Stats) Refusals() (n int64) {
	for _, k := range s.Refused {
		n += k
	}
	return n
}

// Stats is a snapshot.
func (g *Gate) Stats() Stats {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.bucket.advance(time.Now())
	g.span.advance(time.Now())
	s := g.stats
	s.Slots = g.slots.limit
	s.InFlight = g.slots.active
	s.Asleep = g.slots.asleep[Bulk] + g.slots.asleep[Interactive]
	s.Waiting = g.waiting()
	s.Level = int(g.bucket.level)
	s.Left = g.span.left()
	s.PerMinute = int(g.bucket.perSecond*g.bucket.factor*60 + whisker)
	return s
}

func (s *Stats) lane(l Lane) *LaneStats {
	if l == Interactive {
		return &s.Interactive
	}
	return &s.Bulk
}

func (s *Stats) refused(k Kind) {
	if k >= kinds {
		k = Busy // what Do takes it for
	}
	s.Refused[k]++
}

func (s *Stats) waited(l Lane, d time.Duration) {
	c := s.lane(l)
	if d <= 0 {
		return
	}
	c.Waits++
	c.Waited += d
	c.Longest = max(c.Longest, d)
}
