package inbox

import (
	"context"
	"io"
	"iter"
	"time"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/storage"
)

// Store is the sum of the small stores the Service needs. One type may be all of them.
//
// What holds for every method of every store here:
//
//   - IDs compare as bytes, whatever the database's collation. Remote ids are never folded.
//   - A text that is nothing's id finds nothing, in a lookup and in any field of a query, also one that
//     the store cannot hold: many hold no zero byte and nothing but UTF-8. To write such an id is
//     refused with an error of its own, or it is kept as it is. A list goes on behind any text.
//   - Times keep microseconds and come back in UTC; the zero time comes back zero.
//   - A write is all or nothing, and a refused one leaves everything as it was. Errors match
//     storage.ErrNotFound, ErrExists or ErrConflict where the comment says so.
//   - A store that lost its connection while it wrote answers storage.ErrAmbiguous: the services make
//     the write again and look whether it was done. Any other error says that nothing is stored.
//   - Values are copies: the caller may change what it gives and gets.
//   - Lists yield at most one error, as the last pair. A cancelled context ends a list with
//     ctx.Err(). Breaking out releases everything, and the caller may write to the same store inside
//     the loop: a store holds no lock, transaction or connection while it yields.
//   - All methods may be called concurrently.
type Store interface {
	Directory
	Archive
	Ledger
	Clients
	Outbox
}

// Directory keeps inboxes.
type Directory interface {
	// CreateInbox stores a new inbox as version 1. ErrExists when the ID is taken.
	CreateInbox(ctx context.Context, in Inbox, ev ...Event) (Inbox, error)
	// Inbox returns one inbox, deleted ones too, or ErrNotFound.
	Inbox(ctx context.Context, id ID) (Inbox, error)
	// UpdateInbox replaces the inbox and appends log to the inbox's log, Seq assigned by the store.
	// ErrNotFound; ErrConflict unless in.Version is the stored one; ErrExists when another live
	// inbox (not deleted) of the site has the same Account.ID on the same Provider, or the same
	// Account.Address, case-folded (R-INB-06). An empty account collides with nothing.
	UpdateInbox(ctx context.Context, in Inbox, log []Change, ev ...Event) (Inbox, error)
	// DeleteInbox forgets the inbox with its messages, contents, log, items, runs, sync state and
	// its name in customers' KnownFrom. Absent is fine. Blobs and credentials are not its business.
	DeleteInbox(ctx context.Context, id ID) error
	// Inboxes yields inboxes by ID in byte order.
	Inboxes(ctx context.Context, q Query) iter.Seq2[Inbox, error]
}

// Query selects inboxes. Zero fields select everything; the engine leaves Site empty.
type Query struct {
	Site SiteID
	// Scope keeps what its actor may know of (acl.Visible); nil keeps all. It is the list form of
	// the permission check and must agree with it inbox by inbox.
	Scope  *acl.Scope
	States []State
	After  ID // yields IDs greater than After
	Limit  int
}

// Archive keeps messages.
type Archive interface {
	// SyncState returns the importer's state; the zero state with Version 0 before the first Commit.
	SyncState(ctx context.Context, id ID) (SyncState, error)
	// Commit stores one step of an import: all of it or nothing. It returns the new state.
	//
	//   - ErrConflict unless imp.State.Version is the stored version: of two workers one stores
	//     nothing. ErrNotFound when the inbox is not there.
	//   - Each Put gets the next Seq, in the order given, and one "arrived" change in the log.
	//     ErrExists when (Inbox, Remote) is stored already.
	//   - What Put, Reject, Gone or Dequeue name leaves the retry queue. Reject and Gone replace an
	//     older item of the same remote id; a Put removes it.
	//   - Reopen moves the rejected items it matches into the queue with code QueueThread, attempts
	//     zero, and NotBefore their received time.
	//   - Threads lowers the Opened time of a thread, never raises it.
	//   - Seq, queue and poison lengths in the returned state are the store's own.
	Commit(ctx context.Context, imp Import, ev ...Event) (SyncState, error)
	// Seen says what is known of remote ids; an id without an entry is unknown.
	Seen(ctx context.Context, id ID, remote []provider.RemoteID) (map[provider.RemoteID]Seen, error)
	// Threads returns what is known of conversations; one without an entry is unknown.
	Threads(ctx context.Context, id ID, threads []ThreadID) (map[ThreadID]Thread, error)
	// Log yields changes with Seq greater than after, in import order.
	Log(ctx context.Context, id ID, after uint64) iter.Seq2[Change, error]
	// Messages yields messages newest first: by Received, then ID, both descending.
	Messages(ctx context.Context, q MessageQuery) iter.Seq2[Message, error]
	// Message returns one message, or ErrNotFound.
	Message(ctx context.Context, id MessageID) (Message, error)
	// Content returns the text of a message, or ErrNotFound.
	Content(ctx context.Context, id MessageID) (Content, error)
	// Tally counts the messages and threads of an inbox, without hidden and removed ones.
	Tally(ctx context.Context, id ID) (Tally, error)
}

// Tally is the size of an inbox.
type Tally struct{ Messages, Threads int }

// MessageQuery selects messages of one inbox. Inbox is required.
type MessageQuery struct {
	Inbox ID
	// Thread keeps one conversation. RFCIDs keeps messages with one of these Message-IDs, Marker
	// those with this send marker, Customer those of one customer, Remotes those with these ids.
	Thread   ThreadID
	RFCIDs   []string
	Remotes  []provider.RemoteID
	Marker   string
	Customer CustomerID
	// Hidden also yields hidden and removed messages, copies and private ones included; without it
	// only what everybody with access may see.
	Hidden bool
	// After continues behind this place: messages older than it in list order.
	After *MessageKey
	Limit int
}

// MessageKey is the place of a message in the list order.
type MessageKey struct {
	Received time.Time
	ID       MessageID
}

// Key returns the message's place in the list order.
func (m *Message) Key() *MessageKey { return &MessageKey{Received: m.Received, ID: m.ID} }

// Ledger answers what every sync did and what still waits.
type Ledger interface {
	// Queue yields the retry queue of an inbox by NotBefore, then remote id.
	Queue(ctx context.Context, q QueueQuery) iter.Seq2[Queued, error]
	// Runs yields what every sync did, newest first: by Started, then ID, both descending.
	Runs(ctx context.Context, id ID, limit int) iter.Seq2[Run, error]
	// Rejections counts what was kept out, by reason.
	Rejections(ctx context.Context, id ID) (map[filter.Reason]int, error)
}

// QueueQuery selects items of the retry queue.
type QueueQuery struct {
	Inbox  ID
	Due    time.Time // only items with NotBefore at or before; zero selects all
	Poison bool      // the poison instead of what is still tried
	Limit  int
}

// Clients keeps companies and customers. A host with its own CRM implements it over that.
type Clients interface {
	// Snapshot returns what the filter needs of a site's live companies and customers, and its
	// version; with after equal to the stored version it returns nil and after. The version rises
	// whenever a later Snapshot would differ. A site without clients has version 0 until the first.
	Snapshot(ctx context.Context, site SiteID, after storage.Version) (*filter.DirectoryData, storage.Version, error)
	// EnsureCustomers returns the customers of these people in the order given, creating those that
	// are missing (found by address key among primary and alternative addresses), noting the inbox
	// in KnownFrom, and giving a customer without company, or with one by domain, the company
	// offered. By hand beats by domain (R-CUS-03). Idempotent; now and newID serve new rows.
	EnsureCustomers(ctx context.Context, site SiteID, from ID, who []Known, at time.Time, newID func() string) ([]Customer, error)
	// Company returns one company, deleted ones too, or ErrNotFound; likewise Customer.
	Company(ctx context.Context, site SiteID, id CompanyID) (Company, error)
	Customer(ctx context.Context, site SiteID, id CustomerID) (Customer, error)
	// SaveCompany creates (Version 0) or replaces. ErrConflict; ErrExists when another live company
	// of the site holds one of the patterns.
	SaveCompany(ctx context.Context, c Company, ev ...Event) (Company, error)
	// SaveCustomers creates or replaces several customers, all or nothing. ErrConflict; ErrExists
	// when another live customer of the site has one of the address keys.
	SaveCustomers(ctx context.Context, cs []Customer, ev ...Event) ([]Customer, error)
	// Companies yields companies by ID in byte order, Customers likewise.
	Companies(ctx context.Context, q CompanyQuery) iter.Seq2[Company, error]
	Customers(ctx context.Context, q CustomerQuery) iter.Seq2[Customer, error]
}

// CompanyQuery selects companies of a site.
type CompanyQuery struct {
	Site    SiteID
	Deleted bool // also deleted ones
	After   CompanyID
	Limit   int
}

// CustomerQuery selects customers of a site.
type CustomerQuery struct {
	Site    SiteID
	Company CompanyID
	// Address finds the customer with this address key, primary or alternative.
	Address string
	// Domain keeps customers one of whose addresses is at this domain or below it.
	Domain string
	// Visible keeps customers known by hand or from one of these inboxes; nil keeps all, empty only
	// those known by hand.
	Visible []ID
	Deleted bool
	After   CustomerID
	Limit   int
}

// Outbox keeps events until they are delivered. Directory, Archive and Clients write them.
type Outbox interface {
	// Due yields events due at now, oldest first by ID.
	DueEvents(ctx context.Context, now time.Time, limit int) iter.Seq2[Due, error]
	// DoneEvent forgets a delivered event. Absent is fine.
	DoneEvent(ctx context.Context, id string) error
	// RetryEvent raises the attempts of an event, notes who has it, and hides it until notBefore.
	RetryEvent(ctx context.Context, id string, done []acl.UserID, notBefore time.Time) error
	// SaveEvents adds events that no other write caused.
	SaveEvents(ctx context.Context, ev ...Event) error
}

// VaultUse says which secret of an inbox is meant.
type VaultUse string

// The secrets of an inbox.
const (
	UseMailbox VaultUse = "mailbox" // the provider's credential
	UseConsent VaultUse = "consent" // the PKCE verifier of a consent under way
)

// VaultKey names one secret.
type VaultKey struct {
	Inbox ID
	Use   VaultUse
}

// Vault keeps secrets. Saving is compare-and-set: of two refreshes one wins, the other reads again.
type Vault interface {
	// Credential returns a secret and its version, or storage.ErrNotFound.
	Credential(ctx context.Context, key VaultKey) (provider.Credential, storage.Version, error)
	// SaveCredential replaces the secret of version expect; zero creates. ErrConflict when the
	// stored version is another, or a new one exists already. It returns the new version.
	SaveCredential(ctx context.Context, key VaultKey, cred provider.Credential, expect storage.Version) (storage.Version, error)
	// DeleteCredential forgets a secret. Absent is fine.
	DeleteCredential(ctx context.Context, key VaultKey) error
}

// BlobKey names a blob: the inbox, a slash, and the hex SHA-256 of the raw bytes.
type BlobKey string

// BlobInfo is a blob's name and raw size in bytes.
type BlobInfo struct {
	Key  BlobKey
	Size int64
}

// Blobs keeps raw messages. Keys are inbox and content, so the same mail twice is one blob, and
// deleting one inbox never touches another.
type Blobs interface {
	// PutBlob streams r into the store and returns its key. Before SyncBlobs it may be lost in a
	// crash. When r fails nothing is kept.
	PutBlob(ctx context.Context, id ID, r io.Reader) (BlobInfo, error)
	// SyncBlobs makes every blob of the inbox that was put before the call durable.
	SyncBlobs(ctx context.Context, id ID) error
	// OpenBlob returns the raw bytes, or storage.ErrNotFound. A damaged blob is an error that matches
	// storage.ErrDamaged, at once or by the end of reading, never silently short.
	OpenBlob(ctx context.Context, key BlobKey) (io.ReadCloser, error)
	// DeleteBlob forgets a blob. Absent is fine.
	DeleteBlob(ctx context.Context, key BlobKey) error
	// Blobs yields the blobs of an inbox by key in byte order.
	Blobs(ctx context.Context, id ID) iter.Seq2[BlobInfo, error]
}
