package mailgen

import (
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"strings"
	"time"
)

// Mailbox is a generated mailbox. Its methods may be called concurrently.
type Mailbox struct {
	c     Config
	specs []spec
	words float64 // mean bytes of a message's text
}

// Message is one generated message with the truth about it. Raw is the caller's own; its lines end
// with CRLF.
type Message struct {
	Truth
	Raw []byte
}

// New lays out a mailbox. The error tells what is wrong with the Config.
func New(c Config) (*Mailbox, error) {
	c = c.withDefaults()
	if err := c.validate(); err != nil {
		return nil, fmt.Errorf("mailgen: %w", err)
	}
	p := planner{c: c, r: rand.New(rand.NewPCG(c.Seed, 0x6d61696c))}
	m := &Mailbox{c: c, specs: p.plan()}
	m.words = m.textMean()
	return m, nil
}

// Len returns how many messages there are.
func (m *Mailbox) Len() int { return len(m.specs) }

// Config returns the configuration with its defaults filled in.
func (m *Mailbox) Config() Config { return m.c }

// Oldest yields the messages from the oldest to the newest.
func (m *Mailbox) Oldest() iter.Seq[Message] {
	return func(yield func(Message) bool) {
		for i := range m.specs {
			if !yield(m.Message(i)) {
				return
			}
		}
	}
}

// Newest yields the messages from the newest to the oldest.
func (m *Mailbox) Newest() iter.Seq[Message] {
	return func(yield func(Message) bool) {
		for i := len(m.specs) - 1; i >= 0; i-- {
			if !yield(m.Message(i)) {
				return
			}
		}
	}
}

// Message makes the message with that index; 0 is the oldest.
func (m *Mailbox) Message(i int) Message {
	return Message{Truth: m.Truth(i), Raw: m.render(i)}
}

// Truth returns what is so about the message with that index, without making it.
func (m *Mailbox) Truth(i int) Truth {
	s := m.specs[i]
	t := Truth{Index: i, Thread: int(s.thread), Parent: int(s.parent), Copy: int(s.copy),
		Received: time.Unix(s.received, 0).UTC(), Class: s.class, Client: s.client,
		Outbound: s.outbound, Third: s.third, Anomaly: s.anomaly, Attached: s.attached,
		MessageID: m.messageID(i)}
	who := m.correspondent(s)
	t.Address, t.Domain = who.addr, domainOf(who.addr)
	return t
}

// ErrNoMessage says that no message has that Message-ID.
var ErrNoMessage = errors.New("no message with that id")

// Find returns the truth of the message with that Message-ID; of copies, the original's.
func (m *Mailbox) Find(messageID string) (Truth, error) {
	var seed uint64
	var i int
	if _, err := fmt.Sscanf(strings.Replace(messageID, "@", " ", 1), "g%x.%d ", &seed, &i); err != nil ||
		seed != m.c.Seed || i < 0 || i >= len(m.specs) || m.messageID(i) != messageID {
		return Truth{}, ErrNoMessage
	}
	return m.Truth(i), nil
}

func (m *Mailbox) messageID(i int) string {
	s := m.specs[i]
	if s.copy >= 0 {
		return m.messageID(int(s.copy))
	}
	domain := domainOf(m.correspondent(s).addr)
	if s.outbound {
		domain = domainOf(m.c.Owner)
	}
	return fmt.Sprintf("g%x.%d@%s", m.c.Seed, i, domain)
}

type person struct{ name, addr string }

// correspondent is the other side of a message: its sender, or the receiver when the owner wrote.
func (m *Mailbox) correspondent(s spec) person {
	switch s.class {
	case Newsletter:
		p := products[s.domain]
		return person{strings.Split(p, ".")[0], "news@" + p}
	case Notification:
		p := products[s.domain]
		return person{strings.Split(p, ".")[0], "no-reply@" + p}
	case Bounce:
		return person{"Mail Delivery System", "mailer-daemon@" + domainOf(m.person(s).addr)}
	default:
		return m.person(s)
	}
}

func (m *Mailbox) person(s spec) person {
	name := people[int(s.who)%len(people)]
	switch s.client {
	case Company:
		return person{name, address(name, m.c.Clients[s.domain])}
	case Customer:
		return person{strings.Split(m.c.Customers[s.domain], "@")[0], m.c.Customers[s.domain]}
	case Internal:
		return person{name, address(name, domainOf(m.c.Owner))}
	case Excluded:
		return person{name, address(name, m.c.Excluded[s.domain])}
	default:
		return person{name, address(name, fmt.Sprintf("stranger%02d.example", s.domain))}
	}
}
