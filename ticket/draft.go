package ticket

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider/rfc822"
	"github.com/workinbox/workinbox/storage"
)

// What one draft may hold: bytes of text and of HTML, people in each of To, Cc and Bcc and those it
// mentions, and bytes of everything that is one line.
const (
	maxDraftText   = 1 << 20
	maxDraftHTML   = 4 << 20
	maxDraftPeople = 1000
	maxDraftLine   = 1000
)

// Draft is what one person has begun to write on a ticket. Nobody else sees it.
//
// It stays stored while the mail it was sent as waits to leave, and is nobody's to see then; Recall gives
// it back. It goes with its ticket: where that is merged it is found on the target, and where the ticket is
// moved, or mail split off, it stays on it.
type Draft struct {
	Site   inbox.SiteID `json:"site"`
	Ticket ID           `json:"ticket"`
	Author acl.UserID   `json:"author"`
	// Entry is the line of the history it becomes when it is sent, and what the draft is known by. It is
	// another one after a save of a draft that was sent in part, or recalled.
	Entry EntryID `json:"entry"`
	// Kind is EntryReplied, EntryForwarded or EntryNoted.
	Kind EntryKind `json:"kind"`

	Text    string `json:"text,omitempty"`
	HTML    string `json:"html,omitempty"`
	Subject string `json:"subject,omitempty"` // of a forwarded mail
	// To, Cc and Bcc are as in Reply or Forward. Where To or Cc of a reply is empty the computed one
	// stands instead, unless Fixed says that both are as the person wants them.
	To    []rfc822.Address `json:"to,omitempty"`
	Cc    []rfc822.Address `json:"cc,omitempty"`
	Bcc   []rfc822.Address `json:"bcc,omitempty"`
	Fixed bool             `json:"fixed,omitempty"`
	// All and Confirmed are as in Reply.
	All       bool `json:"all,omitempty"`
	Confirmed bool `json:"confirmed,omitempty"`
	// NoQuote leaves out what is answered, or forwarded, and NoFiles the files of what is forwarded.
	NoQuote bool `json:"no_quote,omitempty"`
	NoFiles bool `json:"no_files,omitempty"`
	// Inbox, Assignee and Customer are as in Forward.
	Inbox    inbox.ID         `json:"inbox,omitempty"`
	Assignee acl.UserID       `json:"assignee,omitempty"`
	Customer inbox.CustomerID `json:"customer,omitempty"`

	Status Status      `json:"status,omitempty"`
	SendAt time.Time   `json:"send_at"`
	Files  []DraftFile `json:"files,omitempty"`
	// Mentions are those a note names.
	Mentions []acl.UserID `json:"mentions,omitempty"`
	// ExpectedLast is the newest mail the person has seen, as in Reply.
	ExpectedLast EntryID `json:"expected_last,omitempty"`

	// Kept marks what Reply or Forward keeps of a mail that waits: it is a draft only once the mail is
	// recalled.
	Kept bool `json:"kept,omitempty"`
	// Sent is the version it was sent at, where the service has written it since and its author has not.
	Sent storage.Version `json:"sent,omitempty"`

	SavedAt time.Time       `json:"saved_at"`
	Version storage.Version `json:"version"`
}

// DraftFileID names a file of a draft.
type DraftFileID string

// DraftFile is a file attached to a draft.
type DraftFile struct {
	ID   DraftFileID `json:"id"`
	Name string      `json:"name"`
	Type string      `json:"type"` // MIME type
	Size int64       `json:"size"` // bytes
	// ContentID is set on what HTML shows by cid:.
	ContentID string `json:"content_id,omitempty"`
	// Blob holds 16 random bytes before the file, so that no two files are the same blob. It is one of
	// Inbox, where the ticket was when the file was attached.
	Blob  inbox.BlobKey `json:"blob"`
	Inbox inbox.ID      `json:"inbox"`
}

// Drafts keep what people have begun to write.
type Drafts interface {
	// Draft returns the draft that is to become an entry, or storage.ErrNotFound.
	Draft(ctx context.Context, entry EntryID) (Draft, error)
	// Drafts yields drafts by ticket, author and Entry, in byte order.
	Drafts(ctx context.Context, q DraftQuery) iter.Seq2[Draft, error]
	// SaveDraft creates a draft (Version 0), or replaces that of the entry was, which may be of another
	// Entry and Ticket then. storage.ErrConflict unless d.Version is the stored one, or where another
	// draft has d.Entry. storage.ErrNotFound where there is no such ticket, or its purge has begun
	// (Ticket.PurgeBegan): a draft is never left without its ticket, whatever happens at the same time.
	SaveDraft(ctx context.Context, d Draft, was EntryID) (Draft, error)
	// DeleteDraft forgets a draft. storage.ErrConflict unless expect is the stored version; absent is fine.
	DeleteDraft(ctx context.Context, entry EntryID, expect storage.Version) error
}

// DraftQuery selects drafts; zero fields select everything.
type DraftQuery struct {
	Site   inbox.SiteID
	Ticket ID
	Author acl.UserID
}

// isAs says that the draft is what it was when the entry was written.
func (d *Draft) isAs(e *Entry) bool { return e.Draft == d.Version || e.Draft == d.Sent }

// Clone returns a copy that shares nothing changeable with d.
func (d Draft) Clone() Draft {
	d.To, d.Cc, d.Bcc = slices.Clone(d.To), slices.Clone(d.Cc), slices.Clone(d.Bcc)
	d.Files, d.Mentions = slices.Clone(d.Files), slices.Clone(d.Mentions)
	return d
}

// clean makes a draft fit for every store and refuses one that is too large.
func (d *Draft) clean() error {
	*d = d.Clone()
	d.SendAt = d.SendAt.UTC().Truncate(time.Microsecond)
	d.Status, d.ExpectedLast = Status(validText(string(d.Status))), EntryID(validText(string(d.ExpectedLast)))
	d.Inbox, d.Customer = inbox.ID(validText(string(d.Inbox))), inbox.CustomerID(validText(string(d.Customer)))
	d.Assignee = acl.UserID(validText(string(d.Assignee)))
	d.Text, d.HTML, d.Subject = validText(d.Text), validText(d.HTML), validText(d.Subject)
	var wrong []error
	bound := func(what string, n, most int) {
		if n > most {
			wrong = append(wrong, fmt.Errorf("%s is %d, at most %d: %w", what, n, most, ErrDraft))
		}
	}
	bound("the length of the text in bytes", len(d.Text), maxDraftText)
	bound("the length of the HTML in bytes", len(d.HTML), maxDraftHTML)
	bound("the length of the subject in bytes", len(d.Subject), maxSubjectBytes)
	bound("the length of the status in bytes", len(d.Status), maxDraftLine)
	bound("the length of the inbox's id in bytes", len(d.Inbox), maxDraftLine)
	bound("the length of the assignee's id in bytes", len(d.Assignee), maxDraftLine)
	bound("the length of the customer's id in bytes", len(d.Customer), maxDraftLine)
	bound("the length of the newest mail's id in bytes", len(d.ExpectedLast), maxDraftLine)
	bound("the number of people it mentions", len(d.Mentions), maxMentions)
	for _, list := range []struct {
		name   string
		people []rfc822.Address
	}{{"To", d.To}, {"Cc", d.Cc}, {"Bcc", d.Bcc}} {
		bound("the number of people in "+list.name, len(list.people), maxDraftPeople)
		for i := range list.people {
			a := &list.people[i]
			a.Name, a.Address = validText(a.Name), validText(a.Address)
			bound(fmt.Sprintf("the length of recipient %d of %s in bytes", i+1, list.name), len(a.Name)+len(a.Address), maxDraftLine)
		}
	}
	for i, u := range d.Mentions {
		d.Mentions[i] = acl.UserID(validText(string(u)))
		bound(fmt.Sprintf("the length of person %d it mentions in bytes", i+1), len(u), maxDraftLine)
	}
	return errors.Join(wrong[:min(len(wrong), 10)]...)
}
