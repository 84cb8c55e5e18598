package gmailtest

import (
	"maps"
	"strings"
	"time"
)

// Refusal names the limit that refused a call.
type Refusal string

// The refusals.
const (
	RefusedConcurrent Refusal = "concurrent" // 429, too many calls at once
	RefusedSecond     Refusal = "second"     // 403 with "Retry after" in its text
	RefusedMinute     Refusal = "minute"     // 403, the units of the account and minute are spent
	RefusedProject    Refusal = "project"    // 403, the units of the project and minute are spent
	RefusedDay        Refusal = "day"        // 403, the units of the project and day are spent
	RefusedSends      Refusal = "sends"      // 429, the account has sent its messages of 24 hours
)

// Usage is what the limits let through and what they refused. Refusals that a test asked for by
// Fail are not among it.
type Usage struct {
	Units       int             // quota units that served calls cost
	Refusals    map[Refusal]int // calls refused, by limit; empty when there were none
	MaxInFlight int             // most calls admitted at once
	// Allowed are the units that the account could have spent from its first call until now: its
	// start level and what came since. Units / Allowed is how well a client uses its quota. Zero
	// for a whole server and without a limit by the minute.
	Allowed int
	// Since is when the account made its first call; zero if it made none, and for a whole server.
	Since time.Time
}

// Refused is the sum of all refusals.
func (u Usage) Refused() int {
	n := 0
	for _, c := range u.Refusals {
		n += c
	}
	return n
}

// Usage returns what all accounts together have used since the server began.
func (s *Server) Usage() Usage {
	l := s.limiter
	l.mu.Lock()
	defer l.mu.Unlock()
	return Usage{Units: l.units, Refusals: maps.Clone(l.refused), MaxInFlight: l.most}
}

// AccountUsage returns what one account has used since the server began.
func (s *Server) AccountUsage(address string) Usage { return s.limiter.usage(address) }

func (l *limiter) usage(address string) Usage {
	l.mu.Lock()
	defer l.mu.Unlock()
	for name, a := range l.accounts {
		if !strings.EqualFold(name, address) {
			continue
		}
		u := Usage{Units: a.units, Refusals: maps.Clone(a.refused), MaxInFlight: a.most}
		if l.l.PerMinute > 0 && !a.minute.begun.IsZero() {
			u.Allowed, u.Since = a.minute.allowed(l.now()), a.minute.begun
		}
		return u
	}
	return Usage{Refusals: map[Refusal]int{}}
}

// Prices returns what calls cost here.
func (s *Server) Prices() Prices { return maps.Clone(s.limiter.l.Prices) }
