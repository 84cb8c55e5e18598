package fake

import (
	"bytes"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/internal/rawheader"
	"github.com/workinbox/workinbox/provider/rfc822"
)

// Account is one mailbox as it is at the service, and the script of what happens to it.
type Account struct {
	s       *Service
	id      string
	address string

	mu       sync.Mutex
	aliases  []string
	messages map[provider.RemoteID]*message
	sorted   []*message // newest first, equal times by ID; the removed ones left out
	threads  map[string]provider.ThreadID
	log      []provider.RemoteID // what changed, in order
	changed  chan struct{}       // closed at the next change
	epoch    int                 // of the cursors
	removed  []provider.RemoteID
	sends    []SentMail
	next     int // number of the next message
	nextSub  int
	subs     map[string]time.Time

	script
}

// message never changes once it is in the account, but for the flags and removed.
type message struct {
	provider.Header
	raw     []byte
	marker  string
	hidden  int // how many more Finds do not see it
	removed bool
}

// Delivery says how a message comes to the account. The zero value is unread mail in the inbox,
// received now.
type Delivery struct {
	// ID is the message's id. Default: "m1", "m2" and so on.
	ID provider.RemoteID
	// Received is the received time. Default: the service's clock.
	Received time.Time
	Folder   provider.Folder
	// Thread is the conversation. Default: that of the mail it refers to, else one of its own.
	Thread provider.ThreadID
	// Read says that it is not unread.
	Read bool
	// Sent says that the account's own client sent it.
	Sent bool
}

// SentMail is one mail that left through the account.
type SentMail struct {
	provider.Sent
	Marker string
	Raw    []byte
}

func newAccount(s *Service, id, address string) *Account {
	return &Account{s: s, id: id, address: address, subs: make(map[string]time.Time),
		messages: make(map[provider.RemoteID]*message), changed: make(chan struct{}),
		threads: make(map[string]provider.ThreadID)}
}

// ID returns the immutable account id.
func (a *Account) ID() string { return a.id }

// Address returns the account's address.
func (a *Account) Address() string { return a.address }

// SetAliases sets the further addresses of the account.
func (a *Account) SetAliases(addresses ...string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.aliases = slices.Clone(addresses)
}

// Deliver puts a raw message into the account and returns its id. It panics when the ID of d is
// taken. The account keeps a copy of raw.
func (a *Account) Deliver(raw []byte, d Delivery) provider.RemoteID {
	m := &message{raw: bytes.Clone(raw)}
	header, _ := rawheader.Fill(&m.Header, bytes.NewReader(m.raw))
	m.marker = header.Get(provider.MarkerHeader)
	m.Folder, m.Unread, m.Sent = d.Folder, !d.Read && !d.Sent, provider.MarkNotSent
	if d.Sent {
		m.Sent = provider.MarkSent
	}
	m.Received = d.Received.UTC()
	if d.Received.IsZero() {
		m.Received = a.s.o.Now().UTC()
	}
	a.mu.Lock()
	m.ID, m.Thread = d.ID, d.Thread
	a.put(m, header)
	a.mu.Unlock()
	a.ring()
	return m.ID
}

// put adds a message and names what has no name yet.
func (a *Account) put(m *message, header rfc822.Header) {
	a.next++
	if m.ID == "" {
		m.ID = provider.RemoteID(fmt.Sprintf("m%d", a.next))
	}
	if a.messages[m.ID] != nil {
		panic(fmt.Sprintf("fake: message %q is there already", m.ID))
	}
	e := header.Envelope()
	for _, ids := range [][]string{e.References, e.InReplyTo} {
		for _, id := range ids {
			if m.Thread == "" {
				m.Thread = a.threads[id]
			}
		}
	}
	if m.Thread == "" {
		m.Thread = provider.ThreadID(fmt.Sprintf("t%d", a.next))
	}
	for _, ids := range [][]string{{m.MessageID}, e.References, e.InReplyTo} {
		for _, id := range ids {
			if id != "" && a.threads[id] == "" {
				a.threads[id] = m.Thread
			}
		}
	}
	m.Size = int64(len(m.raw))
	a.messages[m.ID] = m
	i, _ := slices.BinarySearchFunc(a.sorted, m, newestFirst)
	a.sorted = slices.Insert(a.sorted, i, m)
	a.record(m.ID)
}

// Move puts a message into another kind of folder.
func (a *Account) Move(id provider.RemoteID, folder provider.Folder) {
	a.change(id, func(m *message) { m.Folder = folder })
}

// MarkRead marks a message as read.
func (a *Account) MarkRead(id provider.RemoteID) {
	a.change(id, func(m *message) { m.Unread = false })
}

// MarkUnread marks a message as unread.
func (a *Account) MarkUnread(id provider.RemoteID) {
	a.change(id, func(m *message) { m.Unread = true })
}

// Remove deletes a message for good.
func (a *Account) Remove(id provider.RemoteID) {
	a.change(id, func(m *message) {
		m.removed = true
		if i, found := slices.BinarySearchFunc(a.sorted, m, newestFirst); found {
			a.sorted = slices.Delete(a.sorted, i, i+1)
		}
		a.removed = append(a.removed, id)
	})
}

// change panics when there is no such message: the test is wrong.
func (a *Account) change(id provider.RemoteID, f func(*message)) {
	a.mu.Lock()
	m := a.messages[id]
	if m == nil || m.removed {
		a.mu.Unlock()
		panic(fmt.Sprintf("fake: no message %q", id))
	}
	f(m)
	a.record(id)
	a.mu.Unlock()
	a.ring()
}

// record appends to the log and wakes who waits.
func (a *Account) record(id provider.RemoteID) {
	a.log = append(a.log, id)
	close(a.changed)
	a.changed = make(chan struct{})
}

// ring tells the subscriber that something changed.
func (a *Account) ring() {
	a.mu.Lock()
	now, live := a.s.o.Now(), false
	for _, expires := range a.subs {
		live = live || now.Before(expires)
	}
	a.mu.Unlock()
	if live && a.s.o.Notify != nil {
		a.s.o.Notify(a.id)
	}
}

// Removed lists the messages that are really gone, in the order they went.
func (a *Account) Removed() []provider.RemoteID {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.removed)
}

// Messages returns the headers of all messages that are there, newest first, without counting.
func (a *Account) Messages() []provider.Header {
	a.mu.Lock()
	defer a.mu.Unlock()
	all := make([]provider.Header, len(a.sorted))
	for i, m := range a.sorted {
		all[i] = m.Header
	}
	return all
}

// Sends lists what left through the account, in order: mail whose answer was lost included.
func (a *Account) Sends() []SentMail {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.sends)
}

// newestFirst orders by received time, newest first, then by ID.
func newestFirst(a, b *message) int {
	if c := b.Received.Compare(a.Received); c != 0 {
		return c
	}
	return compareID(a.ID, b.ID)
}

func compareID(a, b provider.RemoteID) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	default:
		return 0
	}
}
