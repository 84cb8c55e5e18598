package ticket

import (
	"context"
	"iter"
	"time"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
)

// MaxWrites is how many tickets one SaveTickets may write.
const MaxWrites = 16

// Store keeps tickets. The promises of inbox.Store about ids, times, copies, lists and atomic writes
// hold here too.
type Store interface {
	Catalogs
	Finder
	Allowances
	Drafts
	// SaveTickets writes up to MaxWrites tickets of one site with their new or replaced entries and
	// the events they cause: all or nothing. A ticket of Version 0 is created and gets the site's
	// next number; another must have the stored version, else ErrConflict. ErrExists when a Message
	// would be in a second entry. Entries are replaced by ID; one that is saved without
	// a Text keeps the one it has, as hidden and as much of a ticket as it is now.
	SaveTickets(ctx context.Context, w []Write, ev ...inbox.Event) ([]Ticket, error)
	// Ticket returns one ticket, deleted ones too, or ErrNotFound.
	Ticket(ctx context.Context, id ID) (Ticket, error)
	// Tickets yields tickets by Activity, then ID, both descending.
	Tickets(ctx context.Context, q Query) iter.Seq2[Ticket, error]
	// Entries yields entries by At, then ID, both ascending.
	Entries(ctx context.Context, q EntryQuery) iter.Seq2[Entry, error]
	// Mark returns how far the log of an inbox has been collected, and the mark's version; zero and
	// zero before the first SaveMark.
	Mark(ctx context.Context, id inbox.ID) (uint64, storage.Version, error)
	// SaveMark moves the mark. ErrConflict unless expect is the stored version.
	SaveMark(ctx context.Context, id inbox.ID, seq uint64, expect storage.Version) (storage.Version, error)
	// PurgeTicket forgets one ticket with its entries, what searches found them by, who has read it and
	// what was begun to be written on it. ErrConflict unless expect is the stored version; absent is
	// fine.
	PurgeTicket(ctx context.Context, id ID, expect storage.Version) error
	// PurgeTickets forgets so every ticket of an inbox, its entries in tickets of others, and its mark.
	// Absent is fine.
	PurgeTickets(ctx context.Context, id inbox.ID) error
}

// Write is one ticket with the entries that explain its change.
type Write struct {
	Ticket  Ticket
	Entries []Entry
	// Texts are what searches find entries of this Write by.
	Texts []Text
}

// Query selects tickets. Zero fields select everything; a service always sets Site and Inboxes.
type Query struct {
	Site inbox.SiteID
	// Inboxes is the visible set: tickets of other inboxes are never yielded. Nil keeps all (the
	// engine's own); empty yields nothing.
	Inboxes    []inbox.ID
	Threads    []inbox.ThreadID // tickets one of these threads lands in
	Mailbox    inbox.ID         // of those with Threads, the ones whose threads are of this mailbox
	Statuses   []Status
	Assignee   acl.UserID
	Unassigned bool
	Customers  []inbox.CustomerID
	Companies  []inbox.CompanyID
	Number     int64
	// NotAssignee keeps what is assigned to others than this person.
	NotAssignee acl.UserID
	// Unread keeps what this person has not read: HeardAt is after what Finder.Reading says of them.
	Unread     acl.UserID
	Priorities []string
	Types      []string
	Sources    []string
	// AnyTag keeps tickets with one of these tags, AllTags those with all of them, WithoutTags those
	// with none of them, Untagged those without any.
	AnyTag      []string
	AllTags     []string
	WithoutTags []string
	Untagged    bool
	// Ranges include From and exclude To; the zero time is no bound. Updated is Activity.
	CreatedFrom, CreatedTo time.Time
	UpdatedFrom, UpdatedTo time.Time
	// WithFiles keeps tickets that have an entry with attachments, a hidden one only where hidden
	// tickets are yielded.
	WithFiles bool
	// ExcludeInboxes takes inboxes out of Inboxes, and ExcludeWorkEmails the individual ones
	// (R-FEA-03). Both are the service's: a store sees Inboxes alone.
	ExcludeInboxes    []inbox.ID
	ExcludeWorkEmails bool
	// HiddenIn names inboxes whose hidden tickets are yielded too (those the actor created), but for
	// moved ones.
	HiddenIn []inbox.ID
	// AllHidden yields hidden tickets of every inbox, and those of the trash that are being purged (the
	// engine's own).
	AllHidden bool
	Deleted   bool // the trash instead of the live ones
	Merged    bool // those merged into another ticket too, whatever Deleted says
	Imported  *bool
	// Resting keeps tickets that lie like this (Ticket.Resting) since RestedBy or longer.
	Resting  Rest
	RestedBy time.Time
	After    *Key
	Limit    int
}

// Key is the place of a ticket in the list order.
type Key struct {
	Activity time.Time
	ID       ID
}

// Key returns the ticket's place in the list order.
func (t *Ticket) Key() *Key { return &Key{Activity: t.Activity, ID: t.ID} }

// EntryQuery selects entries; zero fields select everything.
type EntryQuery struct {
	Ticket ID
	Inbox  inbox.ID
	IDs    []EntryID
	// Messages keeps the entries of these mails, RFCIDs those with these Message-IDs, Marker the
	// one with this send marker.
	Messages []inbox.MessageID
	RFCIDs   []string
	Marker   string
	// Outgoing keeps mail on its way out in one of these states; Due only what may go now.
	Outgoing []OutgoingState
	Due      time.Time
	After    *EntryKey
	Limit    int
}

// EntryKey is the place of an entry in the list order.
type EntryKey struct {
	At time.Time
	ID EntryID
}

// Key returns the entry's place in the list order.
func (e *Entry) Key() *EntryKey { return &EntryKey{At: e.At, ID: e.ID} }
