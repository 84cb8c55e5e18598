package outlook

import (
	"sync"
	"time"
)

// holdFor is how long a batch of raw messages may keep its place: a person who opens a message waits
// for the first of four.
const holdFor = 3 * time.Second

// pace knows how long raw messages take, and how many to ask for in a batch. Calls of one message
// each, four at once, take the whole quota as long as one lasts up to 240 milliseconds. Beyond that
// the way there is the limit, and batches save it: their messages come one after the other, in one
// place, so that four batches are on their way at a time.
type pace struct {
	mu     sync.Mutex
	single time.Duration // a call of one message, on average
	part   time.Duration // a message of a batch, without the way there; zero is unknown
	most   int           // messages a batch may have
	proof  proof
}

// proof is whether a batch was compared with a message that came by itself.
type proof uint8

const (
	unproven proof = iota
	proving        // by somebody else: nobody else asks for batches meanwhile
	proven
)

// mean moves an average towards a new value; the first one is the average.
func mean(old, next time.Duration) time.Duration {
	if old == 0 {
		return next
	}
	return old + (next-old)/8
}

// took tells that a message by itself came after d.
func (p *pace) took(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.single = mean(p.single, d)
}

// batchTook tells that n messages came after d.
func (p *pace) batchTook(n int, d time.Duration) {
	if n < 2 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.part = mean(p.part, max((d-p.single)/time.Duration(n-1), time.Millisecond))
}

// tooLong tells that the answer to n messages was too long.
func (p *pace) tooLong(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.most = max(n/2, 1)
}

// never tells that batches do not work.
func (p *pace) never() { p.tooLong(1) }

// batch is how many messages to ask for at once where a single call may last up to bound. With prove
// the caller has to tell of the first of them by proved, before it asks for more.
func (p *pace) batch(bound time.Duration) (n int, prove bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.most == 0 {
		p.most = maxParts
	}
	if p.single <= bound || p.most < 2 || p.proof == proving {
		return 1, false
	}
	if p.proof == unproven {
		p.proof, prove = proving, true
	}
	m := int64(holdFor / p.single)
	if p.part > 0 {
		m = int64((holdFor-p.single)/p.part) + 1
	}
	return int(min(max(m, 2), int64(p.most))), prove
}

// proved tells that a batch was compared, or could not be.
func (p *pace) proved(ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.proof = unproven
	if ok {
		p.proof = proven
	}
}
