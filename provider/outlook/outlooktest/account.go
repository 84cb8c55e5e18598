package outlooktest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Account is one person's mailbox. Server.Account makes it. Its methods do what happens in Outlook
// without the application: mail arrives, the person tidies up, an administrator revokes.
type Account struct {
	s       *Server
	address string
	name    string
	oid     string
	tenant  string

	// All below under the server's lock.
	aliases     []string // the primary address first
	folders     map[string]*folder
	folderOrder []*folder
	folderLog   []folderChange
	byID        map[string]*message
	byImmutable map[string]*message
	ordered     []*message // oldest first
	byMessageID map[string][]*message

	number  uint64 // of the next message
	version uint64
	tokens  map[string]*deltaRound
	issued  []string // delta tokens, oldest first
	xNames  map[string]bool

	sent []SentMail
	subs []*subscription

	off       *apiError
	challenge string
	refusal   int // AADSTS code of the token endpoint
}

func newAccount(s *Server, address string) *Account {
	local, domain, _ := strings.Cut(strings.ToLower(address), "@")
	a := &Account{
		s: s, address: address, name: local,
		oid: guid("oid", strings.ToLower(address)), tenant: guid("tid", domain),
		aliases: []string{address},
		folders: make(map[string]*folder), byID: make(map[string]*message),
		byImmutable: make(map[string]*message), byMessageID: make(map[string][]*message),
		tokens: make(map[string]*deltaRound), xNames: make(map[string]bool),
		version: 1000,
	}
	a.addWellKnown()
	return a
}

// Address is the account's primary address.
func (a *Account) Address() string { return a.address }

// ObjectID is the person's id in the tenant: the claim "oid" and the id of /me.
func (a *Account) ObjectID() string { return a.oid }

// Tenant is the id of the account's tenant: the claim "tid". Accounts of one domain share it.
func (a *Account) Tenant() string { return a.tenant }

// AddAlias adds an address that mail for the account may have and that it may send from.
func (a *Account) AddAlias(address string) {
	a.do(func() { a.aliases = append(a.aliases, address) })
}

// do changes the account for the test and then tells the subscribers.
func (a *Account) do(change func()) {
	a.s.settle()
	func() {
		a.s.mu.Lock()
		defer a.s.mu.Unlock()
		change()
	}()
	a.s.push.kick()
}

// Delivery says how a message comes into the account. The zero Delivery is new mail in the inbox,
// unread and received now.
type Delivery struct {
	// Received is receivedDateTime. Default now. It is kept in whole seconds.
	Received time.Time
	// Folder is a well-known name, an id or a path. Default inbox, or sentitems for Sent.
	Folder string
	// Read marks it as read.
	Read bool
	// Sent is mail that the person sent with another program.
	Sent bool
	// Draft is mail that the person is writing. Folder is drafts then.
	Draft bool
}

// Deliver puts mail into the account and returns its immutable id, which all methods take. The
// account keeps raw; the caller must not change it afterwards.
func (a *Account) Deliver(raw []byte, d Delivery) (id string) {
	a.do(func() {
		name := d.Folder
		if name == "" {
			name = "inbox"
			switch {
			case d.Sent:
				name = "sentitems"
			case d.Draft:
				name = "drafts"
			}
		}
		m := &message{
			raw: raw, read: d.Read || d.Sent || d.Draft, received: d.Received, draft: d.Draft,
			outgoing: d.Draft,
		}
		a.add(m, a.mustFolder(name))
		id = m.immutable
	})
	return id
}

// add stores a new message. A zero time of receipt is now.
func (a *Account) add(m *message, f *folder) {
	now := a.s.now().UTC().Truncate(time.Second)
	if m.received.IsZero() {
		m.received = now
	}
	m.received = m.received.UTC().Truncate(time.Second)
	m.created, m.modified = now, now
	a.s.serial++
	m.owner, m.serial = a, a.s.serial
	m.number = a.number
	a.number++
	m.id = a.makeID(prefixDefault, m.number, 0)
	m.immutable = a.makeID(prefixImmutable, m.number, 0)
	if m.conversation == "" {
		a.converse(m)
	}
	a.byID[m.id], a.byImmutable[m.immutable] = m, m
	a.ordered = insert(a.ordered, m)
	a.indexMessageID(m)
	m.folder = f
	f.ordered = insert(f.ordered, m)
	a.note(f, m, changeAdded)
}

func (a *Account) indexMessageID(m *message) {
	m.indexed = m.parts().messageID
	a.byMessageID[m.indexed] = append(a.byMessageID[m.indexed], m)
}

func (a *Account) forgetMessageID(m *message) {
	if rest := remove(a.byMessageID[m.indexed], m); len(rest) > 0 {
		a.byMessageID[m.indexed] = rest
	} else {
		delete(a.byMessageID, m.indexed)
	}
}

func byArrival(x, y *message) int {
	if c := x.received.Compare(y.received); c != 0 {
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

// drop removes a message for good.
func (a *Account) drop(m *message) {
	delete(a.byID, m.id)
	delete(a.byImmutable, m.immutable)
	a.ordered = remove(a.ordered, m)
	m.folder.ordered = remove(m.folder.ordered, m)
	a.forgetMessageID(m)
	a.note(m.folder, m, changeRemoved)
	m.gone = true
}

// move puts a message into another folder, which gives it another default id.
func (a *Account) move(m *message, to *folder) {
	if m.folder == to {
		return
	}
	from := m.folder
	from.ordered = remove(from.ordered, m)
	a.note(from, m, changeMovedOut)
	delete(a.byID, m.id)
	m.generation++
	m.id = a.makeID(prefixDefault, m.number, m.generation)
	a.byID[m.id] = m
	if m.renew {
		m.renew = false
		delete(a.byImmutable, m.immutable)
		m.immutable = a.makeID(prefixImmutable, m.number, m.generation)
		a.byImmutable[m.immutable] = m
	}
	m.folder = to
	m.modified = a.s.now().UTC().Truncate(time.Second)
	to.ordered = insert(to.ordered, m)
	a.note(to, m, changeMovedIn)
}

// change lets do change the message with that id.
func (a *Account) change(id string, change func(*message)) {
	a.do(func() {
		m := a.find(id)
		if m == nil {
			panic(fmt.Sprintf("outlooktest: no message %q", id))
		}
		change(m)
	})
}

// Move puts a message into the folder.
func (a *Account) Move(id, folder string) {
	a.change(id, func(m *message) { a.move(m, a.mustFolder(folder)) })
}

// Trash moves a message to Deleted Items, as the person's delete key does.
func (a *Account) Trash(id string) { a.Move(id, "deleteditems") }

// Delete removes a message for good.
func (a *Account) Delete(id string) { a.change(id, a.drop) }

// MarkRead sets whether a message is read.
func (a *Account) MarkRead(id string, read bool) {
	a.change(id, func(m *message) {
		m.read = read
		a.note(m.folder, m, changeRead)
	})
}

// Flag sets whether a message is flagged for follow-up.
func (a *Account) Flag(id string, flagged bool) {
	a.change(id, func(m *message) {
		m.flagged = flagged
		a.note(m.folder, m, changeUpdated)
	})
}

// ChangeID gives a message another default id in its place, as Exchange does now and then.
func (a *Account) ChangeID(id string) {
	a.change(id, func(m *message) {
		delete(a.byID, m.id)
		m.generation++
		m.id = a.makeID(prefixDefault, m.number, m.generation)
		a.byID[m.id] = m
	})
}

// Stored is a message as the account holds it.
type Stored struct {
	ID, ImmutableID string
	Folder          string // well-known name, or else the id
	ConversationID  string
	MessageID       string // with its angles
	Received        time.Time
	Read, Draft     bool
	Raw             []byte // must not be changed
}

// Messages returns everything in the mailbox, oldest first, all folders.
func (a *Account) Messages() []Stored {
	a.s.settle()
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	out := make([]Stored, 0, len(a.ordered))
	for _, m := range a.ordered {
		name := m.folder.known
		if name == "" {
			name = m.folder.id
		}
		out = append(out, Stored{
			ID: m.id, ImmutableID: m.immutable, Folder: name, ConversationID: m.conversation,
			MessageID: m.parts().messageID, Received: m.received, Read: m.read, Draft: m.draft,
			Raw: m.mime(),
		})
	}
	return out
}

// MailboxOff makes the API answer that the account has no mailbox in the cloud: 404
// MailboxNotEnabledForRESTAPI.
func (a *Account) MailboxOff(off bool) {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	a.off = nil
	if off {
		a.off = refuse(404, "MailboxNotEnabledForRESTAPI",
			"The mailbox is either inactive, soft-deleted, or is hosted on-premise.")
	}
}

// owns says whether the address is one of the account.
func (a *Account) owns(address string) bool {
	return slices.ContainsFunc(a.aliases, func(own string) bool {
		return strings.EqualFold(own, address)
	})
}
