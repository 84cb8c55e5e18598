package inbox

import (
	"time"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/storage"
)

// SyncState is what the importer knows of one inbox. The engine writes it with every Commit.
type SyncState struct {
	Inbox ID `json:"inbox"`
	// Cursor is the place in the live stream, which begins with the first walk. Walking is true
	// until that walk is done.
	Cursor  provider.Cursor `json:"cursor,omitempty"`
	Walking bool            `json:"walking,omitempty"`
	// Begun is set by the first sync after Finish.
	Begun time.Time `json:"begun"`
	// Imported is when the first walk was done.
	Imported time.Time `json:"imported"`
	// Resync is the received time a walk after an expired cursor starts from; zero outside one.
	Resync time.Time `json:"resync"`
	// Backfill is the walk of a creator's backfill in progress; nil outside one.
	Backfill *BackfillState `json:"backfill,omitempty"`
	// Backfilled is the oldest Since of any backfill: what one of them could not read is decided by
	// it when it is tried again.
	Backfilled time.Time `json:"backfilled"`

	// Push is what rings when something changes; nil where nothing does.
	Push *Push `json:"push,omitempty"`

	LastSync    time.Time `json:"last_sync"`
	LastSuccess time.Time `json:"last_success"`
	Failures    int       `json:"failures,omitempty"` // in a row
	LastError   string    `json:"last_error,omitempty"`

	// Seq, Queued and Poisoned are the store's own counts: the last change of the log, and the
	// lengths of the retry queue and of its poison.
	Seq      uint64          `json:"seq"`
	Queued   int             `json:"queued,omitempty"`
	Poisoned int             `json:"poisoned,omitempty"`
	Version  storage.Version `json:"version"`
	// Step names the commit that made this version, so that a commit whose answer was lost can be told
	// from another's.
	Step string `json:"step,omitempty"`
}

// BackfillState is a backfill in progress.
type BackfillState struct {
	Since  time.Time       `json:"since"`
	Until  time.Time       `json:"until"`
	Cursor provider.Cursor `json:"cursor,omitempty"`
	By     acl.UserID      `json:"by"`
	At     time.Time       `json:"at"`
}

// Import is one step of an import.
type Import struct {
	// State is the new state. Its Inbox says which, its Version which state it is based on.
	State SyncState
	Put   []Put
	// Changed are later changes of stored messages, made in the order given. One message may be
	// changed more than once.
	Changed []MessageChange
	// Erase forgets messages with their contents for good; a "purged" line each goes into the log.
	// Done after Changed and before Reject, so that an erased mail may be rejected in one step.
	Erase   []MessageID
	Reject  []Rejected
	Queue   []Queued // added or updated, by remote id; of two of one id, here and in Reject, the later stays
	Dequeue []provider.RemoteID
	Gone    []Gone
	Reopen  []Reopen
	Threads []Thread
	// Run is the ledger of the sync this step belongs to; replaced by ID. Nil writes none.
	Run *Run
}

// Put is one message to store.
type Put struct {
	Message Message
	Content Content
}

// MessageChange sets what can change of a stored message; nil fields stay. One "changed" line goes
// into the log, or the more telling kind: hidden, shown, removed.
type MessageChange struct {
	ID              MessageID
	Unread          *bool
	Hidden          *bool
	Removed         *bool
	AssociationLost *bool
	Folder          *provider.Folder
	Company         *CompanyID
}

// Rejected is all that remains of a mail the filter kept out (R-IMP-11).
type Rejected struct {
	Remote   provider.RemoteID
	Thread   ThreadID
	Received time.Time
	Reason   filter.Reason
	Client   bool   // an external client was among From, To and Cc
	Rules    uint64 // rule version
	// Folder, Sent and Unread go into the queue with the item when its thread is reopened.
	Folder provider.Folder
	Sent   provider.Mark
	Unread bool
}

// Queued is a mail that could not be decided or read yet. It holds opaque ids and codes only: of
// the header just what the raw message will not tell again (Folder, Sent, Unread).
type Queued struct {
	Remote    provider.RemoteID
	Thread    ThreadID
	Received  time.Time
	Folder    provider.Folder
	Sent      provider.Mark
	Unread    bool
	Attempts  int
	NotBefore time.Time
	Code      QueueCode
	Poison    bool // given up after too many attempts; a person may release it
}

// QueueCode says why a mail waits.
type QueueCode string

// The reasons to wait.
const (
	QueueOpen     QueueCode = "open"     // it could not be read
	QueueBackfill QueueCode = "backfill" // it could not be read during a backfill
	QueueReport   QueueCode = "report"   // a delivery report of a mail not seen so far
	QueueThread   QueueCode = "thread"   // its thread was opened by an older mail; set by Reopen
)

// Gone is a mail the provider says is not there any more.
type Gone struct {
	Remote provider.RemoteID
	Thread ThreadID
}

// Reopen sends rejected mail of a thread back to be decided again: what was rejected with Reason,
// has the client bit, and was received at or after Since (R-FLT-10).
type Reopen struct {
	Thread ThreadID
	Since  time.Time
	Reason filter.Reason
}

// Thread is what the importer knows of a conversation.
type Thread struct {
	ID ThreadID
	// Opened is the received time of its oldest message accepted because of a client (rows 11 and
	// 12); zero when there is none.
	Opened time.Time
}

// SeenState says what became of a remote id.
type SeenState string

// The fates of a remote id.
const (
	SeenStored   SeenState = "stored"
	SeenRejected SeenState = "rejected"
	SeenQueued   SeenState = "queued"
	SeenPoison   SeenState = "poison"
	SeenGone     SeenState = "gone"
)

// Seen is what is known of one remote id.
type Seen struct {
	State    SeenState
	Message  MessageID     // stored
	Thread   ThreadID      // all
	Received time.Time     // all but gone
	Reason   filter.Reason // rejected
	Rules    uint64        // rejected
	Queued   *Queued       // queued, poison
}

// ChangeKind says what a line of the log is about.
type ChangeKind string

// The kinds of change.
const (
	ChangeArrived  ChangeKind = "arrived"
	ChangeChanged  ChangeKind = "changed"
	ChangeHidden   ChangeKind = "hidden"
	ChangeShown    ChangeKind = "shown"
	ChangeRemoved  ChangeKind = "removed"
	ChangeAccess   ChangeKind = "access"  // User lost or lowered access
	ChangeClient   ChangeKind = "client"  // a message's customer or company changed
	ChangeTrashed  ChangeKind = "trashed" // the inbox
	ChangeRestored ChangeKind = "restored"
	ChangePurged   ChangeKind = "purged"
)

// Change is one line of an inbox's log: everything that matters to what is built on top of it.
type Change struct {
	// Seq is assigned by the store: per inbox, strictly increasing in commit order, gaps allowed.
	Seq     uint64     `json:"seq"`
	Kind    ChangeKind `json:"kind"`
	At      time.Time  `json:"at"`
	Message MessageID  `json:"message,omitempty"`
	Thread  ThreadID   `json:"thread,omitempty"`
	User    acl.UserID `json:"user,omitempty"`
}
