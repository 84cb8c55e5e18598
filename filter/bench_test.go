package filter_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/filter"
)

// bench is a filter over n company domains and 10,000 exclusions, with senders drawn uniformly: half
// of them at a company's domain, in a pool larger than the caches.
type bench struct {
	filter  *filter.Filter
	senders []string
	keys    [][4]string // what a verdict on the sender has to look up
	own     map[string]struct{}
	blocked map[string]uint8
	people  map[string][6]uint64
	domains map[string][2]uint64
}

const benchSelf = "owner@inbox.example"

func newBench(b *testing.B, n int) *bench {
	b.Helper()
	draw := rand.New(rand.NewPCG(1, uint64(n)))
	out := &bench{
		own:     map[string]struct{}{benchSelf: {}},
		blocked: map[string]uint8{},
		people:  map[string][6]uint64{"nobody@nowhere.example": {}},
		domains: make(map[string][2]uint64, n),
	}
	data := filter.DirectoryData{}
	for i := range n {
		name := fmt.Sprintf("client%d-%x.com", i, draw.Uint32()&0xffff)
		data.Domains = append(data.Domains, filter.DomainEntry{
			Pattern: company(b, name), Company: filter.CompanyID(fmt.Sprint("c", i)),
		})
		out.domains[name] = [2]uint64{uint64(i)}
	}
	var rules filter.Rules
	for i := range 10_000 {
		name := fmt.Sprintf("blocked%d.com", i)
		rules.Exclude = append(rules.Exclude, exclusion(b, name))
		out.blocked[name] = 1
	}
	data.Customers = []filter.CustomerEntry{{Address: "nobody@nowhere.example", Customer: "n"}}
	out.filter = compile(b, data, rules, benchSelf)
	for range 1 << 19 {
		host := fmt.Sprintf("stranger%d.com", draw.IntN(n))
		if draw.IntN(2) == 0 {
			host = data.Domains[draw.IntN(n)].Pattern.String()
		}
		sender := fmt.Sprintf("p%d@%s", draw.IntN(1000), host)
		at := len(sender) - len(host)
		out.senders = append(out.senders, sender)
		out.keys = append(out.keys, [4]string{sender, sender, sender[at:], sender[at:]})
	}
	return out
}

// decide judges count messages from the sender at the index from on.
func (s *bench) decide(from, count int) (accepted int) {
	m := filter.Facts{
		From: []string{""}, To: []string{benchSelf}, SentMark: filter.NotSent,
		Received: time.Unix(1_700_000_000, 0),
	}
	for i := range count {
		m.From[0] = s.senders[(from+i)%len(s.senders)]
		if s.filter.Decide(&m, filter.Thread{}).Accept {
			accepted++
		}
	}
	return accepted
}

// lookUp does the look-ups such a decision needs in plain maps with the same keys, and nothing else: is
// the sender the mailbox, a known person, excluded, at a company's domain? If not, is the recipient the
// mailbox, or a client who makes the message one with a client on it?
func (s *bench) lookUp(from, count int) (accepted int) {
	for i := range count {
		keys := &s.keys[(from+i)%len(s.keys)]
		_, own := s.own[keys[0]]
		_, person := s.people[keys[1]]
		_, blocked := s.blocked[keys[2]]
		if _, hit := s.domains[keys[3]]; hit && !own && !person && !blocked {
			accepted++
		} else if _, own = s.own[benchSelf]; !own {
			accepted--
		}
	}
	return accepted
}

// BenchmarkDecide reports the time of a decision, and as "x/floor" how many times the bare look-ups it
// takes: the median of five measurements, each taking turns of a thousand decisions and a thousand
// times their look-ups, so that a busy machine slows both alike.
func BenchmarkDecide(b *testing.B) {
	for _, n := range []int{1_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s := newBench(b, n)
			require.Equal(b, s.lookUp(0, 10_000), s.decide(0, 10_000), "both sides decide alike")
			b.ReportAllocs()
			b.ResetTimer()
			s.decide(0, b.N)
			b.StopTimer()
			ratios, floors := make([]float64, 5), make([]float64, 5)
			for i := range ratios {
				ratios[i], floors[i] = s.compare(i * 200_000)
			}
			slices.Sort(ratios)
			slices.Sort(floors)
			b.ReportMetric(ratios[2], "x/floor")
			b.ReportMetric(floors[2], "floor-ns/op")
		})
	}
}

// compare decides on 200,000 senders from an index on, and looks up those half the pool away.
func (s *bench) compare(from int) (ratio, floor float64) {
	const turn, turns = 1000, 200
	var decided, looked time.Duration
	for i := range turns {
		start := time.Now()
		s.lookUp(from+i*turn+len(s.keys)/2, turn)
		middle := time.Now()
		s.decide(from+i*turn, turn)
		looked, decided = looked+middle.Sub(start), decided+time.Since(middle)
	}
	return float64(decided) / float64(looked), float64(looked) / (turn * turns)
}
