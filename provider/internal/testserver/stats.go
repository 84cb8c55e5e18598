package testserver

import (
	"maps"
	"sync"
)

// Stats is what a server was asked.
type Stats struct {
	// Requests counts calls by the name of the method.
	Requests map[string]int
	// Statuses counts answers by HTTP status, of calls that Begin counted.
	Statuses map[int]int
	// MaxInFlight is the most calls that were in work at once, of those that Begin counted.
	MaxInFlight int
	// BytesOut is how many bytes of bodies were answered, of calls that Begin counted.
	BytesOut int64
}

// Counters are the figures behind Stats. The zero Counters has counted nothing. Its methods may be
// called concurrently.
type Counters struct {
	mu       sync.Mutex
	stats    Stats
	inFlight int
}

// Count counts a call by its method alone.
func (c *Counters) Count(method string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.count(method)
}

func (c *Counters) count(method string) {
	if c.stats.Requests == nil {
		c.stats.Requests, c.stats.Statuses = make(map[string]int), make(map[int]int)
	}
	c.stats.Requests[method]++
}

// Stats returns the figures so far; they are the caller's.
func (c *Counters) Stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.stats
	s.Requests, s.Statuses = maps.Clone(s.Requests), maps.Clone(s.Statuses)
	return s
}

// Reset begins counting anew. Calls that are in work stay so.
func (c *Counters) Reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stats = Stats{
		Requests: make(map[string]int), Statuses: make(map[int]int), MaxInFlight: c.inFlight,
	}
}
