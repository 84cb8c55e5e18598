package ticket

import (
	"time"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider/rfc822"
)

// EntryID names an entry.
type EntryID string

// Entry is one line of a ticket's history. Entries are appended and never rewritten, but for the
// state of a mail on its way out and for redaction. Times are UTC.
type Entry struct {
	ID     EntryID   `json:"id"`
	Ticket ID        `json:"ticket"`
	Inbox  inbox.ID  `json:"inbox"` // where its mail lies
	Kind   EntryKind `json:"kind"`
	At     time.Time `json:"at"` // received, sent, written or changed

	// Author is who wrote or did it; empty for mail from outside and for the engine.
	Author acl.UserID `json:"author,omitempty"`
	// Message is the stored mail; empty for notes, changes and mail not yet seen in the sent folder.
	Message inbox.MessageID `json:"message,omitempty"`
	RFCID   string          `json:"rfc_id,omitempty"`
	// Class and Outbound repeat what lists need of the mail.
	Class    rfc822.Class `json:"class,omitempty"`
	Outbound bool         `json:"outbound,omitempty"`
	Imported bool         `json:"imported,omitempty"`
	Hidden   bool         `json:"hidden,omitempty"`

	// Text is the body of a note or of a reply written here. Notes never leave (R-MSG-02).
	Text string           `json:"text,omitempty"`
	To   []rfc822.Address `json:"to,omitempty"`
	Cc   []rfc822.Address `json:"cc,omitempty"`
	Bcc  []rfc822.Address `json:"bcc,omitempty"`

	// Other is the ticket a forwarded mail opened (on its parent's line) or was forwarded from (on the
	// mail's own); empty for whoever may not see that one (R-MSG-06).
	Other ID `json:"other,omitempty"`

	// Change is set on a changed entry: which option, from what, to what.
	Change *Change `json:"change,omitempty"`
	// Outgoing is set on a mail written here: where it stands on its way out.
	Outgoing *Outgoing `json:"outgoing,omitempty"`
}

// EntryKind says what a line of the history is.
type EntryKind string

// The kinds of entry.
const (
	EntryReceived  EntryKind = "received"
	EntrySent      EntryKind = "sent" // from the owner's own mail client (R-IMP-12)
	EntryReplied   EntryKind = "replied"
	EntryForwarded EntryKind = "forwarded"
	EntryNoted     EntryKind = "noted"
	EntryChanged   EntryKind = "changed"
)

// Change is one option that changed. From and To are the option's own text form.
type Change struct {
	Field string `json:"field"`
	From  string `json:"from,omitempty"`
	To    string `json:"to,omitempty"`
}

// Outgoing is a mail on its way out.
type Outgoing struct {
	State     OutgoingState  `json:"state"`
	Marker    string         `json:"marker"`
	Thread    inbox.ThreadID `json:"thread,omitempty"` // of the mail it answers
	Blob      inbox.BlobKey  `json:"blob"`             // the raw mail
	Size      int64          `json:"size"`             // its bytes
	NotBefore time.Time      `json:"not_before"`
	// SendingAt is when the last attempt began, the moment a lost answer is reconciled from.
	SendingAt time.Time `json:"sending_at"`
	Attempts  int       `json:"attempts,omitempty"`
	// Try names that attempt. Of two workers that mark a mail at one moment the one whose Try is
	// stored sends it.
	Try string `json:"try,omitempty"`
	// All says that it answers everybody on the thread: whom it leaves out is off it.
	All    bool   `json:"all,omitempty"`
	Status Status `json:"status,omitempty"` // the ticket's status once it is sent (R-STA-03)
	// Error says in a code why it was not sent, or is in doubt: auth, config, denied (its author may
	// not answer from the mailbox any more), inbox_not_live, not_found, refused, retry, unsupported.
	Error string `json:"error,omitempty"`
}

// OutgoingState says where a mail stands on its way out.
type OutgoingState string

// The states of an outgoing mail. Unknown means that nobody can tell whether it left: a person
// decides, it is never sent again by itself.
const (
	OutgoingQueued  OutgoingState = "queued"
	OutgoingSending OutgoingState = "sending"
	OutgoingSent    OutgoingState = "sent"
	OutgoingFailed  OutgoingState = "failed"
	OutgoingUnknown OutgoingState = "unknown"
	// OutgoingRecalled was taken back before it left; its text stays in the history, its mail is gone.
	OutgoingRecalled OutgoingState = "recalled"
)
