package ticket

import (
	"time"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider/rfc822"
	"github.com/workinbox/workinbox/storage"
)

// EntryID names an entry.
type EntryID string

// Entry is one line of a ticket's history. Entries are appended; what changes of one later is the state
// of a mail on its way out, what hides, pins, redacts or erases it, the text of a note, and the ticket it
// is in, by a merge, a split or a move. Times are UTC.
type Entry struct {
	ID     EntryID   `json:"id"`
	Ticket ID        `json:"ticket"`
	Inbox  inbox.ID  `json:"inbox"` // where its mail lies; empty for whoever may not know of that inbox
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
	Pinned   bool         `json:"pinned,omitempty"` // everybody should see it first

	// Text is the body of a note or of a reply written here. Notes never leave (R-MSG-02).
	Text string           `json:"text,omitempty"`
	To   []rfc822.Address `json:"to,omitempty"`
	Cc   []rfc822.Address `json:"cc,omitempty"`
	Bcc  []rfc822.Address `json:"bcc,omitempty"`

	// Other is the ticket a forwarded mail opened (on its parent's line) or was forwarded from (on the
	// mail's own), the other side of a merge, a split or a link; empty for whoever may not see that one
	// (R-MSG-06).
	Other ID `json:"other,omitempty"`
	// Merged is the ticket the entry was in before a merge.
	Merged ID `json:"merged,omitempty"`

	// Mentions are the people a note names who could see the ticket when it was written.
	Mentions []acl.UserID `json:"mentions,omitempty"`
	// Draft is the version of its author's draft the entry was written as; zero where there was none.
	Draft storage.Version `json:"draft,omitempty"`
	// EditedBy last changed the text of a note, at EditedAt. DeletedBy deleted it: nothing of it is left
	// but that. RedactedBy took the content of a mail away for good.
	EditedBy   acl.UserID `json:"edited_by,omitempty"`
	EditedAt   time.Time  `json:"edited_at,omitzero"`
	DeletedBy  acl.UserID `json:"deleted_by,omitempty"`
	DeletedAt  time.Time  `json:"deleted_at,omitzero"`
	RedactedBy acl.UserID `json:"redacted_by,omitempty"`
	RedactedAt time.Time  `json:"redacted_at,omitzero"`

	// ViewedAt is when the image in a mail written here was loaded first (Config.PixelURL): it was opened then,
	// by whom nobody can tell. Zero says nothing.
	ViewedAt time.Time `json:"viewed_at,omitzero"`

	// Change is set on a changed entry: which option, from what, to what.
	Change *Change `json:"change,omitempty"`
	// Outgoing is set on a mail written here: where it stands on its way out.
	Outgoing *Outgoing `json:"outgoing,omitempty"`
}

// written says that the entry was written here about the mail, and so goes where the ticket goes.
func (e *Entry) written() bool {
	switch e.Kind {
	case EntryNoted, EntryChanged:
		return true
	case EntryForwarded:
		return e.Outgoing == nil && e.Message == ""
	}
	return false
}

// byPerson says that the entry is a stored mail a person wrote, if only to many, and that is not redacted.
func (e *Entry) byPerson() bool {
	human := e.Outbound || e.Class == rfc822.ClassHuman || e.Class == rfc822.ClassCalendar || e.Class == rfc822.ClassBulk
	return e.Message != "" && e.RedactedAt.IsZero() && human
}

// recalled says that the entry is a mail that was taken back before it left.
func (e *Entry) recalled() bool { return e.Outgoing != nil && e.Outgoing.State == OutgoingRecalled }

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
	// Field is status, assignee, priority, type, source, customer, company, tag, follower, task, task.done,
	// inbox, deleted, archived or "field." and the code of a custom field; or merged, split or linked, of which
	// Entry.Other says with what.
	Field string `json:"field"`
	From  string `json:"from,omitempty"`
	To    string `json:"to,omitempty"`
}

// Outgoing is a mail on its way out.
type Outgoing struct {
	State  OutgoingState  `json:"state"`
	Marker string         `json:"marker"`
	Thread inbox.ThreadID `json:"thread,omitempty"` // of the mail it answers
	Blob   inbox.BlobKey  `json:"blob"`             // the raw mail
	Size   int64          `json:"size"`             // its bytes
	// Subject and Files tell of the mail until its copy has come back, and are empty from then on. Files
	// has a name for each attachment, an empty one where it has none.
	Subject   string    `json:"subject,omitempty"`
	Files     []string  `json:"files,omitempty"`
	NotBefore time.Time `json:"not_before"`
	// SendingAt is when the last attempt began, the moment a lost answer is reconciled from.
	SendingAt time.Time `json:"sending_at"`
	// Try names that attempt. Of two workers that mark a mail at one moment the one whose Try is
	// stored sends it.
	Try      string `json:"try,omitempty"`
	Attempts int    `json:"attempts,omitempty"`
	// Looks is how often the mail of that attempt was looked for in vain.
	Looks int `json:"looks,omitempty"`
	// Pixel is the secret part of the address of the image that tells that the mail was opened; empty where it
	// has none.
	Pixel string `json:"pixel,omitempty"`
	// HeldSince is when it was first put off because its mailbox was paused or had to be connected again.
	HeldSince time.Time `json:"held_since,omitzero"`
	// All says that it answers everybody on the thread: whom it leaves out is off it.
	All    bool   `json:"all,omitempty"`
	Status Status `json:"status,omitempty"` // the ticket's status once it is sent (R-STA-03)
	// Error says in a code why it was not sent, waits for its mailbox, or is in doubt: auth, config, denied
	// (its author may not answer from the mailbox any more), inbox_not_live, not_found, refused, retry,
	// unsupported.
	Error string `json:"error,omitempty"`
}

// OutgoingState says where a mail stands on its way out.
type OutgoingState string

// The states of an outgoing mail. Sending is being handed over, or handed over with no answer: it is looked
// for in the mailbox then, for ten minutes. Unknown means that nobody can tell whether it left: a person
// decides (Service.Resolve), it is never sent again by itself.
const (
	OutgoingQueued  OutgoingState = "queued"
	OutgoingSending OutgoingState = "sending"
	OutgoingSent    OutgoingState = "sent"
	OutgoingFailed  OutgoingState = "failed"
	OutgoingUnknown OutgoingState = "unknown"
	// OutgoingRecalled was taken back before it left; its text stays in the history, its mail is gone.
	OutgoingRecalled OutgoingState = "recalled"
)
