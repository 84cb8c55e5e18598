package testserver

import (
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Fault is something that goes wrong with calls. Which calls it hits is fixed by the calls alone, never
// by chance or by the clock: the same calls in the same order break in the same way. A Fault with
// neither Reply nor Break nor Delay answers as Faults.Unavailable says.
type Fault struct {
	// Method is the name of the call. Default: all.
	Method string
	// Account is the address of the account. Default: all. Calls of the token endpoint, and others
	// that do not say whom they are for, have none.
	Account string
	// Match says more exactly which calls are meant; it must not read the body. It is called for one
	// call at a time. Default: all.
	Match func(*http.Request) bool

	// Skip lets that many of these calls pass before the first is hit.
	Skip int
	// Times is how many calls are hit. Default one; negative is no end.
	Times int
	// Rate hits this part of the calls, 0 to 1, as a sequence made from Seed decides. Zero is all.
	Rate float64
	Seed uint64

	// Delay passes before anything else happens, with up to Jitter more, made from Seed. The call
	// counts as in work meanwhile. A Fault that only delays lets other Faults hit the same call.
	Delay, Jitter time.Duration
	// Break is how the exchange breaks; zero is not at all.
	Break Break
	// Reply is answered instead of serving the call, when Break is zero, or after it with Replace.
	Reply *Reply
}

func (f *Fault) breaks() bool { return f.Break != 0 || f.Reply != nil }

// Faults are the faults of a server. Its methods may be called concurrently.
type Faults struct {
	Server *Server
	// Unavailable is answered where a Fault does not say what happens, and in a part of a batch, which
	// has no connection of its own, where the connection should break.
	Unavailable *Reply
	// Alter changes the body of an answer for the Break of that name; it may be nil where no Fault has
	// that Break.
	Alter func(f Fault, method string, status int, body []byte) []byte

	mu   sync.Mutex
	list []*Injection // in the order in which they came
}

// Injection is a Fault at work.
type Injection struct {
	faults *Faults
	fault  Fault
	dice   *rand.Rand

	// Under the lock of the faults.
	seen, hits int
	gone       bool
}

// Fail makes calls go wrong from now on. Of several Faults that would hit a call the oldest does.
func (f *Faults) Fail(fault Fault) *Injection {
	if fault.Times == 0 {
		fault.Times = 1
	}
	if !fault.breaks() && fault.Delay == 0 && fault.Jitter == 0 {
		fault.Reply = f.Unavailable
	}
	in := &Injection{
		faults: f, fault: fault, dice: rand.New(rand.NewPCG(fault.Seed, 0x9e3779b97f4a7c15)),
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.list = append(f.list, in)
	return in
}

// Heal ends all faults. Calls that hang go on hanging.
func (f *Faults) Heal() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, in := range f.list {
		in.gone = true
	}
	f.list = nil
}

// Hits returns how many calls the fault has hit.
func (in *Injection) Hits() int {
	in.faults.mu.Lock()
	defer in.faults.mu.Unlock()
	return in.hits
}

// Remove ends this fault.
func (in *Injection) Remove() {
	in.faults.mu.Lock()
	defer in.faults.mu.Unlock()
	in.gone = true
	in.faults.sweep()
}

// sweep drops what has ended, so that a long list of faults costs nothing afterwards.
func (f *Faults) sweep() {
	kept := make([]*Injection, 0, len(f.list))
	for _, in := range f.list {
		if !in.gone {
			kept = append(kept, in)
		}
	}
	f.list = kept
}

// strike returns how long the call waits and which fault breaks it, if any.
func (f *Faults) strike(r *http.Request, account, method string) (delay time.Duration, hit *Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	ended := false
	for _, in := range f.list {
		breaks := in.fault.breaks()
		if breaks && hit != nil || !in.meets(r, account, method) {
			continue
		}
		delay += in.fault.Delay
		if in.fault.Jitter > 0 {
			delay += time.Duration(in.dice.Int64N(int64(in.fault.Jitter)))
		}
		if breaks {
			hit = &in.fault
		}
		ended = ended || in.gone
	}
	if ended {
		f.sweep()
	}
	return delay, hit
}

// meets counts the call and says whether it is hit.
func (in *Injection) meets(r *http.Request, account, method string) bool {
	f := &in.fault
	switch {
	case f.Method != "" && f.Method != method,
		f.Account != "" && !strings.EqualFold(f.Account, account),
		f.Match != nil && !f.Match(r):
		return false
	}
	in.seen++
	if in.seen <= f.Skip {
		return false
	}
	if f.Rate > 0 && in.dice.Float64() >= f.Rate {
		return false
	}
	in.hits++
	in.gone = f.Times > 0 && in.hits >= f.Times
	return true
}
