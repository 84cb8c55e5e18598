package acl_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/workinbox/workinbox/acl"
)

// crowd is a site of 10,000 people and as many inboxes of about three grants each, and questions
// drawn uniformly over them: half by somebody with a grant in the inbox, half by anybody.
type crowd struct {
	actors  []acl.Actor
	inboxes []acl.Inbox
	facts   acl.Facts
	asked   []asked
	bits    map[pair]uint64 // the floor: what somebody may do in an inbox, looked up
	names   []acl.UserID    // of the inboxes
}

type asked struct {
	actor, inbox int
	action       acl.Action
}

type pair struct{ inbox, user acl.UserID }

const size = 10_000

func newCrowd() *crowd {
	r := rand.New(rand.NewPCG(1, 10))
	c := &crowd{bits: map[pair]uint64{}}
	for n := range size {
		c.actors = append(c.actors, acl.Actor{
			Site: "site-1", User: acl.UserID(fmt.Sprintf("user-%06d", n)), Role: acl.Agent,
			State: acl.Active, Policy: acl.Policy{AgentsMayEdit: true},
		})
	}
	var granted [][]int
	for n := range size {
		in := acl.Inbox{
			Site: "site-1", Kind: acl.Individual, Live: true,
			Creator: stored(c.actors[r.IntN(size)].User),
		}
		c.names = append(c.names, acl.UserID(fmt.Sprintf("inbox-%06d", n)))
		var who []int
		for range 3 {
			who = append(who, r.IntN(size))
			g := acl.Grant{
				User: stored(c.actors[who[len(who)-1]].User), InboxAdmin: rarely(r, 3),
				Access: oneOf(r, acl.ReadOnly, acl.ReadAndReply),
			}
			in.Grants = in.Grants.With(g)
			c.bits[pair{stored(c.names[n]), g.User}] = r.Uint64()
		}
		granted = append(granted, who)
		c.inboxes = append(c.inboxes, in)
	}
	actions := acl.Actions()
	for n := range 1 << 16 {
		q := asked{actor: r.IntN(size), inbox: r.IntN(size), action: oneOf(r, actions...)}
		if n%2 == 0 {
			q.actor = oneOf(r, granted[q.inbox]...)
		}
		c.asked = append(c.asked, q)
	}
	return c
}

// stored returns the id in memory of its own, as it comes from a store.
func stored(id acl.UserID) acl.UserID { return acl.UserID(strings.Clone(string(id))) }

var sink int

func (c *crowd) check(n int) {
	q := &c.asked[n%len(c.asked)]
	if acl.Check(c.actors[q.actor], &c.inboxes[q.inbox], q.action, &c.facts).Allowed {
		sink++
	}
}

func (c *crowd) floor(n int) {
	q := &c.asked[n%len(c.asked)]
	if c.bits[pair{c.names[q.inbox], c.actors[q.actor].User}]>>q.action&1 == 1 {
		sink++
	}
}

// BenchmarkCheck compares Check with the least anything could do: one lookup in a map and one bit.
// The ratio is the median of five rounds in which the two take turns.
func BenchmarkCheck(b *testing.B) {
	c := newCrowd()
	ways := []struct {
		name string
		do   func(int)
	}{{"check", c.check}, {"floor", c.floor}}
	for _, way := range ways {
		b.Run(way.name, func(b *testing.B) {
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				way.do(n)
				n++
			}
		})
	}
	b.Run("ratio", func(b *testing.B) {
		var ratios []float64
		for b.Loop() {
			ratios = ratios[:0]
			for range 5 {
				ratios = append(ratios, ratio(c.check, c.floor))
			}
		}
		slices.Sort(ratios)
		b.ReportMetric(ratios[2], "check/floor")
		b.ReportMetric(0, "ns/op")
	})
}

// ratio lets the two take turns that are short against what else the machine may be doing.
func ratio(one, other func(int)) float64 {
	var ones, others time.Duration
	for turn := range 64 {
		ones += took(one, turn)
		others += took(other, turn)
	}
	return ones.Seconds() / others.Seconds()
}

func took(do func(int), turn int) time.Duration {
	const each = 1 << 12
	start := time.Now()
	for n := turn * each; n < (turn+1)*each; n++ {
		do(n)
	}
	return time.Since(start)
}
