package ticket

import (
	"maps"
	"slices"
	"time"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
)

// ID names a ticket. IDs are unique in a store and compare as bytes.
type ID string

// Ticket is one conversation with a client as the team works on it: its current state. What led
// there stands in its entries, written in the same step. Times are UTC.
type Ticket struct {
	ID    ID           `json:"id"`
	Site  inbox.SiteID `json:"site"`
	Inbox inbox.ID     `json:"inbox"`
	// Number is the site's running number; the store assigns it on creation.
	Number int64 `json:"number"`
	// Threads are the provider threads whose mail lands here, the first one first. They are of the
	// mailbox of Origin.
	Threads []inbox.ThreadID `json:"threads"`
	// Origin is the inbox a moved ticket comes from; empty is Inbox. TakesMail says that mail which
	// comes into its threads later follows it there (R-TKT-08).
	Origin    inbox.ID `json:"origin,omitempty"`
	TakesMail bool     `json:"takes_mail,omitempty"`
	// MergedInto is the ticket that took this one's mail (R-TKT-06): it keeps its number, takes mail
	// on for that one and stands in no list. MergedFrom are those this one took in.
	MergedInto ID   `json:"merged_into,omitempty"`
	MergedFrom []ID `json:"merged_from,omitempty"`
	// Divided says that mail of its threads lies in other tickets too since a split (R-TKT-07): new
	// mail goes where the mail is that it answers.
	Divided bool `json:"divided,omitempty"`

	Subject   string       `json:"subject"` // that of its first mail, of a long one the beginning
	Status    Status       `json:"status"`
	Assignee  acl.UserID   `json:"assignee,omitempty"`
	Followers []acl.UserID `json:"followers,omitempty"`
	Priority  string       `json:"priority,omitempty"`
	Type      string       `json:"type,omitempty"`
	Source    string       `json:"source"`
	Tags      []string     `json:"tags,omitempty"`
	// Tasks are the host's tasks linked to the ticket, in the order they were (R-TKT-09).
	Tasks []LinkedTask `json:"tasks,omitempty"`
	// Fields holds the values of custom fields by the field's code, in the form of FieldKind.
	Fields   map[string][]string `json:"fields,omitempty"`
	Customer inbox.CustomerID    `json:"customer,omitempty"`
	Company  inbox.CompanyID     `json:"company,omitempty"`

	// Messages counts the mails, those that were redacted among them, Shown those that are not hidden.
	Messages int `json:"messages"`
	Shown    int `json:"shown"`
	// WasHidden is set when the last of its mail is erased while all of it was hidden: what was written
	// about that mail stays hidden too.
	WasHidden bool `json:"was_hidden,omitempty"`
	// Last is the newest mail by received time. Subject and Last are those of shown mail, where there is
	// any.
	Last     inbox.MessageID `json:"last,omitempty"`
	LastMail time.Time       `json:"last_mail"`
	// Latest is the mail that was added last, received or written here; after mail was hidden or split
	// off the newest of what is left. Reply.ExpectedLast is held against it (11.14).
	Latest EntryID `json:"latest,omitempty"`
	// StatusMail is the received time of the newest mail that had a say in the status, CustomerMail
	// that of the mail the customer was taken from: with them mail may be collected in any order.
	StatusMail   time.Time `json:"status_mail"`
	CustomerMail time.Time `json:"customer_mail"`
	// HeardAt is when mail of a client last came in; a reply written before it leaves the status.
	HeardAt time.Time `json:"heard_at"`
	// StatusAt is when the ticket came to its status.
	StatusAt time.Time `json:"status_at"`
	// Activity is the time of the newest entry of any kind; lists are ordered by it.
	Activity time.Time `json:"activity"`
	// Imported marks tickets that came in silently (R-IMP-07).
	Imported bool `json:"imported,omitempty"`

	CreatedAt  time.Time `json:"created_at"`  // received time of the oldest mail (R-IMP-05)
	ClosedAt   time.Time `json:"closed_at"`   // solved or closed; zero while open
	ArchivedAt time.Time `json:"archived_at"` // read-only for ever (R-STA-06)
	DeletedAt  time.Time `json:"deleted_at"`  // in the trash
	// RedactBegan is when the redaction of a mail of it began that has not ended.
	RedactBegan time.Time `json:"redact_began,omitzero"`
	// PurgeBegan is when it began to be forgotten for good: nobody sees it any more.
	PurgeBegan time.Time       `json:"purge_began,omitzero"`
	Version    storage.Version `json:"version"`
}

// Hidden says that none of the ticket's mails may be seen but by the inbox's creator (R-CHG-07).
func (t *Ticket) Hidden() bool { return t.Shown == 0 && (t.Messages > 0 || t.WasHidden) }

// Mailbox is the inbox whose mailbox the ticket's threads are of.
func (t *Ticket) Mailbox() inbox.ID {
	if t.Origin != "" {
		return t.Origin
	}
	return t.Inbox
}

// Moved says that the ticket's mail lies in another inbox than the ticket. Where all of it is hidden, the
// ticket is in no list: the creator of the inbox it is in may not see it, and that of its mailbox finds
// it by its ID alone.
func (t *Ticket) Moved() bool { return t.Mailbox() != t.Inbox }

// lockedAt says that nothing may be added at that time: new mail opens a ticket of its own (R-INB-15,
// R-STA-06, R-STA-08).
func (t *Ticket) lockedAt(in *inbox.Inbox, at time.Time) bool {
	if !t.ArchivedAt.IsZero() {
		return true
	}
	if t.Status != Closed {
		return false
	}
	switch in.Settings.OnClosed {
	case inbox.LockNow:
		return true
	case inbox.LockQuiet:
		return !at.Before(t.Activity.Add(time.Duration(in.Settings.ClosedDays) * 24 * time.Hour))
	}
	return false
}

// limits is what the ticket's state takes away.
func (t *Ticket) limits(in *inbox.Inbox, at time.Time) acl.Ticket {
	return acl.Ticket{Archived: !t.ArchivedAt.IsZero(), Deleted: !t.DeletedAt.IsZero(), Locked: t.lockedAt(in, at)}
}

// touch moves the ticket's activity forward, never back.
func (t *Ticket) touch(at time.Time) {
	if at.After(t.Activity) {
		t.Activity = at
	}
}

// follow makes mail of a provider thread land here.
func (t *Ticket) follow(thread inbox.ThreadID) {
	if thread != "" && !slices.Contains(t.Threads, thread) {
		t.Threads = append(t.Threads, thread)
	}
}

// Clone returns a copy that shares nothing changeable with t.
func (t Ticket) Clone() Ticket {
	t.Threads = slices.Clone(t.Threads)
	t.Followers = slices.Clone(t.Followers)
	t.Tags = slices.Clone(t.Tags)
	t.Tasks = slices.Clone(t.Tasks)
	t.MergedFrom = slices.Clone(t.MergedFrom)
	t.Fields = maps.Clone(t.Fields)
	for code, values := range t.Fields {
		t.Fields[code] = slices.Clone(values)
	}
	return t
}
