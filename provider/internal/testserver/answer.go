package testserver

import "net/http"

// Answer is a http.ResponseWriter that counts what is answered. A call is in work until the first byte
// of its answer: who has read an answer may at once make the next call, and must not find its own
// place taken. It is for one goroutine at a time.
type Answer struct {
	http.ResponseWriter
	counters *Counters
	left     func() // nil: nothing to do
	inWork   bool
	status   int
	bytes    int64
}

// Begin counts a call that is answered through w, and returns what to answer it by. End must be called
// when the call is over.
func (c *Counters) Begin(method string, w http.ResponseWriter) *Answer {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.count(method)
	c.inFlight++
	c.stats.MaxInFlight = max(c.stats.MaxInFlight, c.inFlight)
	return &Answer{ResponseWriter: w, counters: c, inWork: true}
}

// WhenLeft calls f, once, when the call is no longer in work. It must be called before the answer
// begins.
func (a *Answer) WhenLeft(f func()) { a.left = f }

// End ends the call.
func (a *Answer) End() {
	a.leave()
	c := a.counters
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stats.BytesOut += a.bytes
	if a.status != 0 {
		c.stats.Statuses[a.status]++
	}
}

func (a *Answer) leave() {
	if !a.inWork {
		return
	}
	a.inWork = false
	if a.left != nil {
		a.left()
	}
	a.counters.mu.Lock()
	defer a.counters.mu.Unlock()
	a.counters.inFlight--
}

// WriteHeader implements http.ResponseWriter.
func (a *Answer) WriteHeader(status int) {
	a.leave()
	if a.status == 0 {
		a.status = status
	}
	a.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (a *Answer) Write(b []byte) (int, error) {
	a.leave()
	if a.status == 0 {
		a.status = http.StatusOK
	}
	n, err := a.ResponseWriter.Write(b)
	a.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach the connection, which ends the exchange.
func (a *Answer) Unwrap() http.ResponseWriter {
	a.leave()
	return a.ResponseWriter
}
