package gate_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/workinbox/workinbox/provider/internal/gate"
)

var errRefused = errors.New("refused")

// service is a mail service as the gate sees it: it counts what arrives by rules of its own and
// refuses what is too much. It must live in a synctest bubble.
type service struct {
	perMinute, burst, perSecond, atOnce int
	windowed                            bool // the units of a minute return at the full minute, not steadily
	up, down                            [2]time.Duration

	mu       sync.Mutex
	rand     *rand.Rand
	level    float64
	at       time.Time
	arrivals []arrival
	inFlight int
	most     int // in flight at any time
	refused  map[gate.Kind]int
	granted  int // units
}

type arrival struct {
	at    time.Time
	units int
}

func (s *service) start() *service {
	s.rand = rand.New(rand.NewPCG(1, 2))
	s.level, s.at = float64(s.burst), time.Now()
	s.refused = map[gate.Kind]int{}
	return s
}

func (s *service) between(d [2]time.Duration) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return d[0] + time.Duration(s.rand.Int64N(int64(d[1]-d[0])+1))
}

// call is a call of that many units.
func (s *service) call(units int) func(context.Context) error {
	return func(ctx context.Context) error {
		time.Sleep(s.between(s.up))
		if r := s.arrive(units); r != nil {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.refused[r.Kind]++
			return r
		}
		time.Sleep(s.between(s.down))
		s.mu.Lock()
		defer s.mu.Unlock()
		s.inFlight--
		return nil
	}
}

func (s *service) arrive(units int) *gate.Refusal {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	s.refill(now)
	for len(s.arrivals) > 0 && now.Sub(s.arrivals[0].at) >= time.Second {
		s.arrivals = s.arrivals[1:]
	}
	sum := units
	for _, a := range s.arrivals {
		sum += a.units
	}
	switch {
	case s.atOnce > 0 && s.inFlight >= s.atOnce:
		return &gate.Refusal{Kind: gate.Concurrency, Err: errRefused}
	case s.perSecond > 0 && sum > s.perSecond:
		return &gate.Refusal{Kind: gate.Rate, Err: errRefused}
	case s.perMinute > 0 && s.level < float64(units):
		return &gate.Refusal{Kind: gate.Minute, At: now, Err: errRefused}
	}
	s.inFlight++
	s.most = max(s.most, s.inFlight)
	s.arrivals = append(s.arrivals, arrival{now, units})
	s.level -= float64(units)
	s.granted += units
	return nil
}

func (s *service) refill(now time.Time) {
	if s.windowed {
		if !now.Truncate(time.Minute).Equal(s.at.Truncate(time.Minute)) {
			s.level = float64(s.perMinute)
		}
	} else {
		s.level += now.Sub(s.at).Minutes() * float64(s.perMinute)
		s.level = min(s.level, float64(s.burst))
	}
	s.at = now
}

// worker makes calls until ctx ends.
func worker(ctx context.Context, wg *sync.WaitGroup, g *gate.Gate, l gate.Lane, units int, call func(context.Context) error) {
	wg.Go(func() {
		for ctx.Err() == nil {
			_ = g.Do(ctx, l, units, call)
		}
	})
}

// refuse is a call that is refused that often and then works.
func refuse(times int, r gate.Refusal) func(context.Context) error {
	return func(context.Context) error {
		if times--; times >= 0 {
			r := r
			return &r
		}
		return nil
	}
}

func works(context.Context) error { return nil }

// idle says that nothing is left behind.
func idle(t *testing.T, g *gate.Gate) {
	t.Helper()
	s := g.Stats()
	if s.InFlight != 0 || s.Asleep != 0 || s.Waiting != 0 {
		t.Errorf("left behind: %d in flight, %d asleep, %d waiting", s.InFlight, s.Asleep, s.Waiting)
	}
}
