package mailgen

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// Class says how a message came about.
type Class string

// The classes.
const (
	Personal     Class = "personal"
	Newsletter   Class = "newsletter"
	Notification Class = "notification"
	AutoReply    Class = "auto_reply"
	Bounce       Class = "bounce"
)

// Client says what the people of a conversation are to the owner's firm.
type Client string

// The kinds of correspondent.
const (
	NoClient Client = "none"
	Company  Client = "company"  // at one of Config.Clients
	Customer Client = "customer" // one of Config.Customers
	Internal Client = "internal" // at the owner's own domain
	Excluded Client = "excluded" // at one of Config.Excluded
)

// Anomaly says what is wrong with the Date field. The received time is right all the same.
type Anomaly string

// The anomalies.
const (
	DateRight   Anomaly = ""
	DateMissing Anomaly = "missing"
	DateGarbage Anomaly = "garbage"
	DateFuture  Anomaly = "future" // ten years ahead
	DateEpoch   Anomaly = "epoch"  // 1 January 1970
)

// Truth is what is so about one message.
type Truth struct {
	Index     int       // from 0, oldest first
	Thread    int       // messages of one conversation share it; a number below Config.Messages
	Parent    int       // index of the message this one answers, or -1
	Copy      int       // index of the message this one is a second copy of, or -1
	Received  time.Time // also in the topmost Received field where the message has one
	Class     Class
	Client    Client
	Domain    string // the correspondent's domain; of a bounce, that of the address that failed
	Address   string // the correspondent's address
	Outbound  bool   // sent by the owner
	Third     bool   // answered by somebody who did not begin the conversation nor own the mailbox
	Anomaly   Anomaly
	Attached  bool
	MessageID string // without angle brackets
}

type spec struct {
	thread, parent, copy int32
	received             int64
	who                  int32 // person, see correspondent
	domain               int16 // domain or customer, by client
	class                Class
	client               Client
	anomaly              Anomaly
	outbound, third      bool
	attached, noChain    bool
}

// planner lays out the mailbox: who writes when, in which conversation.
type planner struct {
	c     Config
	r     *rand.Rand
	specs []spec
}

func (p *planner) plan() []spec {
	p.specs = make([]spec, 0, p.c.Messages)
	automated := p.c.AutomatedShare * p.c.ThreadMean
	automated /= 1 - p.c.AutomatedShare + automated
	for thread := int32(0); len(p.specs) < p.c.Messages; thread++ {
		if p.r.Float64() < automated {
			p.single(thread)
		} else {
			p.conversation(thread)
		}
	}
	p.specs = p.specs[:p.c.Messages]
	p.sort()
	p.decorate()
	return p.specs
}

// single adds a newsletter or notification.
func (p *planner) single(thread int32) {
	s := spec{thread: thread, parent: -1, copy: -1, received: p.moment(), client: NoClient,
		class: Newsletter, domain: int16(p.r.IntN(len(products)))}
	if p.r.IntN(3) == 0 {
		s.class = Notification
	}
	p.add(s)
}

// conversation adds messages that answer each other.
func (p *planner) conversation(thread int32) {
	s := spec{thread: thread, parent: -1, copy: -1, received: p.moment(), class: Personal,
		who: int32(p.r.IntN(len(people)))}
	s.client, s.domain = p.correspondent()
	s.outbound = p.r.IntN(5) == 0
	opener := s.who
	for {
		at := int32(len(p.specs))
		p.add(s)
		if s.outbound {
			p.answerOfMachine(s, at)
		}
		if p.r.Float64() < 1/p.c.ThreadMean {
			return
		}
		s.parent = at
		s.received = p.later(s.received)
		s.noChain = p.r.IntN(7) == 0
		s.outbound = !s.outbound && p.r.IntN(4) > 0
		s.third = !s.outbound && p.r.IntN(4) == 0 && s.client != Customer
		s.who = opener
		if s.third {
			s.who = (opener + 1 + int32(p.r.IntN(len(people)-1))) % int32(len(people))
		}
	}
}

// answerOfMachine adds, now and then, a vacation reply or a bounce to an outgoing message.
func (p *planner) answerOfMachine(s spec, at int32) {
	n := p.r.IntN(100)
	if n >= 8 {
		return
	}
	s.class, s.outbound, s.third, s.parent = AutoReply, false, false, at
	if n < 3 {
		s.class = Bounce
	}
	s.received = min(s.received+int64(2+p.r.IntN(60)), p.c.End.Unix())
	p.add(s)
}

func (p *planner) add(s spec) {
	p.specs = append(p.specs, s)
	if p.r.Float64() >= p.c.DuplicateShare || s.outbound {
		return
	}
	s.copy = int32(len(p.specs) - 1)
	s.received = min(s.received+int64(1+p.r.IntN(600)), p.c.End.Unix())
	p.specs = append(p.specs, s)
}

func (p *planner) correspondent() (Client, int16) {
	pick := func(c Client, of []string) (Client, int16) {
		if len(of) == 0 {
			return NoClient, int16(p.r.IntN(40))
		}
		return c, int16(p.r.IntN(len(of)))
	}
	f := p.r.Float64()
	rest := 1 - p.c.ClientShare
	switch {
	case f < p.c.ClientShare*0.8:
		return pick(Company, p.c.Clients)
	case f < p.c.ClientShare:
		return pick(Customer, p.c.Customers)
	case f < p.c.ClientShare+rest*0.2:
		return Internal, 0
	case f < p.c.ClientShare+rest*0.3:
		return pick(Excluded, p.c.Excluded)
	default:
		return pick(NoClient, nil)
	}
}

// sort puts the plan into the order of the received times and keeps the links between messages.
func (p *planner) sort() {
	order := make([]int32, len(p.specs))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortStableFunc(order, func(a, b int32) int {
		return int(min(max(p.specs[a].received-p.specs[b].received, -1), 1))
	})
	place := make([]int32, len(order))
	sorted := make([]spec, len(order))
	for i, old := range order {
		place[old] = int32(i)
		sorted[i] = p.specs[old]
	}
	for i := range sorted {
		if s := &sorted[i]; s.parent >= 0 {
			s.parent = place[s.parent]
		}
		if s := &sorted[i]; s.copy >= 0 {
			s.copy = place[s.copy]
		}
	}
	p.specs = sorted
}

// decorate decides what is not bound to the conversation: attached files and wrong dates. A copy
// takes both from its original.
func (p *planner) decorate() {
	attached := p.c.AttachmentShare / max(1-p.c.AutomatedShare, 0.01)
	anomalies := []Anomaly{DateMissing, DateGarbage, DateFuture, DateEpoch}
	for i := range p.specs {
		s := &p.specs[i]
		s.attached = s.class == Personal && p.r.Float64() < attached
		if !s.outbound && p.r.Float64() < p.c.AnomalyShare {
			s.anomaly = anomalies[p.r.IntN(len(anomalies))]
		}
	}
	for i := range p.specs {
		if s := &p.specs[i]; s.copy >= 0 {
			s.attached, s.anomaly = p.specs[s.copy].attached, p.specs[s.copy].anomaly
		}
	}
}

func (p *planner) moment() int64 {
	return p.c.Start.Unix() + p.r.Int64N(p.c.End.Unix()-p.c.Start.Unix()+1)
}

// later is some time after t, mostly within a day.
func (p *planner) later(t int64) int64 {
	wait := math.Min(p.r.ExpFloat64()*8*3600, 14*24*3600)
	return min(t+60+int64(wait), p.c.End.Unix())
}

func domainOf(addr string) string { return addr[strings.LastIndexByte(addr, '@')+1:] }
