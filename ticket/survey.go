package ticket

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
)

// survey is what lines of a history say of their ticket: those that are shown, or all where no mail is.
type survey struct {
	oldest, newest inbox.Message // by received time; the oldest one is not of a ticket that was merged in
	messages       int           // mails, those that were redacted among them
	shown          int           // those of them that are not hidden
	redacting      bool          // some are marked as redacted and not erased yet
	activity       time.Time
	latest         EntryID                 // the last of its mails, received or written here
	heard          time.Time               // when the newest mail of a client was received
	threads        map[inbox.ThreadID]bool // those of all the mails
}

// survey looks at the lines of a ticket of a mailbox. Hidden mail of another one tells nothing: it is not
// for whoever created this.
func (s *Service) survey(ctx context.Context, lines []Entry, mailbox inbox.ID) (out survey, err error) {
	var merged inbox.Message
	var latest time.Time
	out.threads = make(map[inbox.ThreadID]bool)
	shown := slices.ContainsFunc(lines, func(e Entry) bool { return e.counts() && !e.Hidden })
	for i := range lines {
		e := &lines[i]
		if e.counts() {
			if out.messages++; !e.Hidden {
				out.shown++
			}
		}
		tells := !e.Hidden || !shown && e.Inbox == mailbox
		if tells && !e.quiet() && e.At.After(out.activity) {
			out.activity = e.At
		}
		if tells && e.ofThread() && !e.At.Before(latest) {
			out.latest, latest = e.ID, e.At
		}
		if e.Message == "" {
			continue
		}
		if !e.RedactedAt.IsZero() {
			out.redacting = true
			continue
		}
		m, err := s.Archive.Message(ctx, e.Message)
		if errors.Is(err, storage.ErrNotFound) {
			continue
		}
		if err != nil {
			return survey{}, err
		}
		out.threads[m.Thread] = true
		if !tells {
			continue
		}
		if causeOf(&m) == CauseCustomer && m.Received.After(out.heard) {
			out.heard = m.Received
		}
		oldest := &out.oldest
		if e.Merged != "" {
			oldest = &merged
		}
		if oldest.ID == "" || m.Received.Before(oldest.Received) {
			*oldest = m
		}
		if out.newest.ID == "" || newer(m.Received, m.ID, out.newest.Received, out.newest.ID) {
			out.newest = m
		}
	}
	if out.oldest.ID == "" {
		out.oldest = merged
	}
	return out, nil
}

// counts says that the entry is a stored mail, or what is left of one that was redacted.
func (e *Entry) counts() bool { return e.Message != "" || !e.RedactedAt.IsZero() }

// present makes a ticket show what its mail says. Where it has none, it is called what it was.
func (t *Ticket) present(mail *survey) {
	t.Activity = mail.activity
	if mail.messages == 0 {
		return
	}
	t.Subject, t.Last = shortSubject(mail.oldest.Subject), mail.newest.ID
	if t.Last != "" {
		t.LastMail = mail.newest.Received
	}
	if !mail.redacting {
		t.RedactBegan = time.Time{}
	}
}

// hold makes a ticket one of just the mail that was surveyed.
func (t *Ticket) hold(mail *survey) {
	t.Messages, t.Shown, t.Subject = mail.messages, mail.shown, shortSubject(mail.oldest.Subject)
	t.Last, t.LastMail, t.Latest = mail.newest.ID, mail.newest.Received, mail.latest
}

// ofThread says that the entry is a mail, received or written here, that was not taken back.
func (e *Entry) ofThread() bool {
	if e.written() {
		return false
	}
	return e.Outgoing == nil || e.Outgoing.State != OutgoingRecalled && e.Outgoing.State != OutgoingFailed
}

// quiet says that the line is of something nobody works on the ticket for: it moves it up in no list.
func (e *Entry) quiet() bool {
	if e.Kind != EntryChanged || e.Change == nil {
		return false
	}
	switch e.Change.Field {
	case changeFollower, "archived", "company", changeLinked:
		return true
	}
	return false
}
