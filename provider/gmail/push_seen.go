package gmail

import (
	"context"
	"strings"
	"sync"
	"time"
)

const (
	// seenFor is how long a history id hides older ones. Duplicates come within minutes; an address
	// that is given to a new account starts with small ids again.
	seenFor = time.Hour
	// seenMost bounds the accounts remembered. Forgetting one costs a ring too many.
	seenMost = 100_000
)

// seen remembers the newest notification of each account, because Pub/Sub delivers more than once
// and in any order. It is safe for concurrent use.
type seen struct {
	mu sync.Mutex
	of map[string]sighting
}

type sighting struct {
	history uint64
	at      time.Time
}

func newSeen() *seen { return &seen{of: map[string]sighting{}} }

// ring rings for a notification that is news. When that fails it is news again.
func (s *seen) ring(ctx context.Context, n notice, ring Ring) error {
	if !s.news(n) {
		return nil
	}
	err := ring(ctx, n.address)
	if err != nil {
		s.forget(n)
	}
	return err
}

// news says whether a notification is newer than all before, and remembers it.
func (s *seen) news(n notice) bool {
	key, now := strings.ToLower(n.address), time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if last, ok := s.of[key]; ok && n.history <= last.history && now.Sub(last.at) < seenFor {
		return false
	}
	if len(s.of) >= seenMost {
		clear(s.of)
	}
	s.of[key] = sighting{n.history, now}
	return true
}

func (s *seen) forget(n notice) {
	key := strings.ToLower(n.address)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of[key].history == n.history {
		delete(s.of, key)
	}
}
