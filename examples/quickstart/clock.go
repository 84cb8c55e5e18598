package main

import (
	"os"
	"sync/atomic"
	"time"
)

// clock is the library's clock. It stands while the inbox is set up, so that the import's window
// ends exactly there, and runs on from there when the import starts.
type clock struct {
	at    time.Time
	began atomic.Pointer[time.Time] // nil while it stands
}

func newClock(at time.Time) *clock { return &clock{at: at} }

func (c *clock) run() {
	now := time.Now()
	c.began.CompareAndSwap(nil, &now)
}

func (c *clock) now() time.Time {
	began := c.began.Load()
	if began == nil {
		return c.at
	}
	return c.at.Add(time.Since(*began))
}

// lastChange is when a database was last written; now when there is none.
func lastChange(path string) time.Time {
	info, err := os.Stat(path)
	if err != nil {
		return time.Now()
	}
	return info.ModTime()
}
