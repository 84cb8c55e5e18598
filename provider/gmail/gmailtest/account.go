package gmailtest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Account is one person's Gmail. Server.Account makes it. Its methods do what happens at Gmail
// without the application: mail arrives, the person tidies up, an administrator revokes.
type Account struct {
	s       *Server
	address string
	sub     string
	aliases []SendAs

	// All below under the server's lock.
	messages   map[string]*message
	ordered    []*message            // oldest first
	threads    map[string][]*message // oldest first
	byID       map[string][]*message // by Message-ID, present and original
	drafts     map[string]*message
	draftOrder []string
	labels     map[string]*label
	labelOrder []string

	history   []record
	historyID uint64
	horizon   uint64 // older ids are unknown
	gaps      uint64

	sent  []SentMail
	watch *watch

	mailOff bool
	rapt    bool
}

func newAccount(s *Server, address string, n int) *Account {
	a := &Account{
		s: s, address: address,
		sub:      fmt.Sprintf("1%020d", 7_000_000_007*uint64(n)+s.c.Seed%1_000_000),
		messages: make(map[string]*message), threads: make(map[string][]*message),
		byID: make(map[string][]*message), drafts: make(map[string]*message),
		labels:    make(map[string]*label),
		historyID: 1000 + uint64(n)*37, gaps: s.c.Seed + uint64(n),
	}
	for _, l := range systemLabels {
		l.name = l.id
		a.labels[l.id] = &l
		a.labelOrder = append(a.labelOrder, l.id)
	}
	a.aliases = []SendAs{{Address: address, Primary: true, Verified: true}}
	return a
}

// Address is the account's primary address.
func (a *Account) Address() string { return a.address }

// Sub is the account's Google id: the claim "sub" of its id tokens.
func (a *Account) Sub() string { return a.sub }

// Delivery says how a message comes into the account. The zero Delivery is new mail in the inbox,
// unread and received now.
type Delivery struct {
	// Received is the message's internalDate. Default now.
	Received time.Time
	// Labels are the ids of its labels. Default INBOX, or SENT for sent mail. An archived message
	// has Labels that are not nil but empty.
	Labels []string
	// Read leaves out UNREAD.
	Read bool
	// Sent is mail the person sent with another program: label SENT, not unread.
	Sent bool
}

// Deliver puts mail into the account and returns its id. The account keeps raw; the caller must not
// change it afterwards.
func (a *Account) Deliver(raw []byte, d Delivery) (id string) {
	a.s.mu.Lock()
	labels := d.Labels
	switch {
	case labels == nil && d.Sent:
		labels = []string{"SENT"}
	case labels == nil:
		labels = []string{"INBOX"}
	}
	labels = slices.Clone(labels)
	if !d.Read && !d.Sent {
		labels = append(labels, "UNREAD")
	}
	if d.Sent && !slices.Contains(labels, "SENT") {
		labels = append(labels, "SENT")
	}
	m := a.add(raw, d.Received, labels)
	a.s.mu.Unlock()
	a.s.changed(a)
	return m.id
}

// add stores a message that arrives, in the thread that its header leads to.
func (a *Account) add(raw []byte, received time.Time, labels []string) *message {
	return a.place(raw, received, labels, a.threadOf)
}

// place stores a message and notes it. A zero time is now.
func (a *Account) place(raw []byte, received time.Time, labels []string, thread func(*message) string) *message {
	if received.IsZero() {
		received = a.s.now()
	}
	m := &message{
		owner: a, raw: raw, size: len(raw), internal: received.Truncate(time.Millisecond).UTC(),
		labels: make(map[string]bool),
	}
	for _, l := range labels {
		m.labels[l] = true
	}
	a.s.serial++
	m.serial = a.s.serial
	m.id = a.newID(m)
	m.threadID = thread(m)
	a.index(m)
	a.note(messageAdded, m, "")
	return m
}

// newID makes an id that looks like Gmail's: the time in milliseconds and 20 bits besides, in
// hexadecimal.
func (a *Account) newID(m *message) string {
	for n := a.s.serial*0x9E3779B97F4A7C15 + a.s.c.Seed; ; n++ {
		id := fmt.Sprintf("%016x", uint64(max(m.internal.UnixMilli(), 0))<<20|n>>44)
		if a.messages[id] == nil && a.threads[id] == nil {
			return id
		}
		n += 1 << 44
	}
}

func byArrival(x, y *message) int {
	if c := x.internal.Compare(y.internal); c != 0 {
		return c
	}
	return cmp.Compare(x.serial, y.serial)
}

func insert(list []*message, m *message) []*message {
	at, _ := slices.BinarySearchFunc(list, m, byArrival)
	return slices.Insert(list, at, m)
}

func remove(list []*message, m *message) []*message {
	return slices.DeleteFunc(list, func(x *message) bool { return x == m })
}

func (a *Account) index(m *message) {
	a.messages[m.id] = m
	a.ordered = insert(a.ordered, m)
	a.threads[m.threadID] = insert(a.threads[m.threadID], m)
	a.indexMessageID(m, m.messageID())
}

func (a *Account) indexMessageID(m *message, id string) {
	if id != "" {
		a.byID[id] = append(a.byID[id], m)
	}
}

// drop removes a message for good and notes it.
func (a *Account) drop(m *message) {
	delete(a.messages, m.id)
	at, found := slices.BinarySearchFunc(a.ordered, m, byArrival)
	if found {
		a.ordered = slices.Delete(a.ordered, at, at+1)
	}
	if rest := remove(a.threads[m.threadID], m); len(rest) > 0 {
		a.threads[m.threadID] = rest
	} else {
		delete(a.threads, m.threadID)
	}
	for _, id := range []string{m.messageID(), m.original} {
		if rest := remove(a.byID[id], m); len(rest) > 0 {
			a.byID[id] = rest
		} else {
			delete(a.byID, id)
		}
	}
	a.note(messageDeleted, m, "")
}

// relabel adds and removes labels and notes each that changed.
func (a *Account) relabel(m *message, add, remove []string) (changed bool) {
	for _, l := range add {
		if !m.labels[l] {
			m.labels[l] = true
			a.note(labelAdded, m, l)
			changed = true
		}
	}
	for _, l := range remove {
		if m.labels[l] {
			delete(m.labels, l)
			a.note(labelRemoved, m, l)
			changed = true
		}
	}
	return changed
}

// change lets do change the message with that id; it panics when there is none, which is a mistake
// of the test.
func (a *Account) change(id string, do func(*message)) {
	func() {
		a.s.mu.Lock()
		defer a.s.mu.Unlock()
		m := a.messages[id]
		if m == nil {
			panic(fmt.Sprintf("gmailtest: no message %q", id))
		}
		do(m)
	}()
	a.s.changed(a)
}

// AddLabels adds labels by their ids. Like all methods that take the id of a message it panics when
// the account has no such message.
func (a *Account) AddLabels(id string, labels ...string) {
	a.change(id, func(m *message) { a.relabel(m, labels, nil) })
}

// RemoveLabels removes labels by their ids.
func (a *Account) RemoveLabels(id string, labels ...string) {
	a.change(id, func(m *message) { a.relabel(m, nil, labels) })
}

// Move is what "Move to" does: the label is added, INBOX, SPAM and TRASH are removed. An empty label
// archives.
func (a *Account) Move(id, label string) {
	a.change(id, func(m *message) {
		var add []string
		if label != "" {
			add = []string{label}
		}
		places := []string{"INBOX", "SPAM", "TRASH"}
		a.relabel(m, add, slices.DeleteFunc(places, func(l string) bool { return l == label }))
	})
}

// Trash moves a message to the trash.
func (a *Account) Trash(id string) {
	a.change(id, func(m *message) { a.relabel(m, []string{"TRASH"}, []string{"INBOX", "SPAM"}) })
}

// Spam marks a message as spam.
func (a *Account) Spam(id string) {
	a.change(id, func(m *message) { a.relabel(m, []string{"SPAM"}, []string{"INBOX"}) })
}

// Delete removes a message for good.
func (a *Account) Delete(id string) {
	a.change(id, func(m *message) {
		a.forgetDraft(m)
		a.drop(m)
	})
}

// Stored is a message as the account holds it.
type Stored struct {
	ID, ThreadID string
	Labels       []string // in the order of the API
	Received     time.Time
	Raw          []byte // must not be changed
}

// Messages returns everything in the account, oldest first, spam, trash and drafts included.
func (a *Account) Messages() []Stored {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	out := make([]Stored, 0, len(a.ordered))
	for _, m := range a.ordered {
		out = append(out, m.stored())
	}
	return out
}

func (m *message) stored() Stored {
	return Stored{
		ID: m.id, ThreadID: m.threadID, Labels: m.labelIDs(), Received: m.internal, Raw: m.raw,
	}
}

// MailServiceOff makes the API answer that the account has no Gmail: 400 failedPrecondition.
func (a *Account) MailServiceOff(off bool) {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	a.mailOff = off
}

// owns says whether the address is one the account may send from.
func (a *Account) owns(address string) bool {
	return slices.ContainsFunc(a.aliases, func(s SendAs) bool {
		return s.Verified && strings.EqualFold(s.Address, address)
	})
}
