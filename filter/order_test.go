package filter_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/filter"
)

// shelf is what an engine keeps of one thread: what was stored, what was rejected and may be decided
// again, and since when the thread is known.
type shelf struct {
	f      *filter.Filter
	mail   []filter.Facts
	stored map[int]bool
	again  map[int]bool
	thread filter.Thread
}

// decide judges one message, and when it opens the thread earlier than before, the rejected ones again.
func (s *shelf) decide(i int) {
	m := &s.mail[i]
	v := s.f.Decide(m, s.thread)
	if v.NeedsReport {
		v = s.f.DecideReport(m, s.thread, i%2 == 0)
	}
	s.stored[i] = v.Accept
	s.again[i] = v.Reason == filter.NotClientAssociated || v.Reason == filter.Automated
	if !v.Opens || !s.thread.Opened.IsZero() && !m.Received.Before(s.thread.Opened) {
		return
	}
	s.thread.Opened = m.Received
	for j, again := range s.again {
		if again {
			s.decide(j)
		}
	}
}

// walk decides the messages in the given order and returns the accepted ones.
func walk(f *filter.Filter, mail []filter.Facts, order []int) (accepted []int, opened time.Time) {
	s := shelf{f: f, mail: mail, stored: map[int]bool{}, again: map[int]bool{}}
	for _, i := range order {
		s.decide(i)
	}
	for i := range mail {
		if s.stored[i] {
			accepted = append(accepted, i)
		}
	}
	return accepted, s.thread.Opened
}

// R-FLT-10
func TestAcceptedSetDoesNotDependOnTheOrder(t *testing.T) {
	t.Parallel()
	differs := 0
	for seed := range uint64(400) {
		w := newWorld(t, seed)
		config, _ := w.config()
		f := compileConfig(t, config)
		mail := make([]filter.Facts, 2+w.draw.IntN(7))
		order := make([]int, len(mail))
		for i := range mail {
			mail[i], order[i] = w.facts(), i
		}
		slices.SortStableFunc(order, func(a, b int) int { return mail[a].Received.Compare(mail[b].Received) })
		want, opened := walk(f, mail, order)
		if alone := aloneAccepted(f, mail); len(alone) != len(want) {
			differs++
		}
		for range 5 {
			w.draw.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
			got, since := walk(f, mail, order)
			require.Equal(t, want, got, "seed %d, order %v: accepted, against oldest first\n%+v", seed, order, mail)
			require.True(t, since.Equal(opened), "seed %d, order %v: opened %v, want %v", seed, order, since, opened)
		}
	}
	require.Greater(t, differs, 20, "threads matter in enough of the worlds")
}

// aloneAccepted gives the messages that need no thread.
func aloneAccepted(f *filter.Filter, mail []filter.Facts) (out []int) {
	for i := range mail {
		v := f.Decide(&mail[i], filter.Thread{})
		if v.NeedsReport {
			v = f.DecideReport(&mail[i], filter.Thread{}, i%2 == 0)
		}
		if v.Accept {
			out = append(out, i)
		}
	}
	return out
}
