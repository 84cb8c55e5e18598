package ticket

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
)

// redactFor is how long a redaction is left to whoever began it.
const redactFor = time.Minute

// Redact takes a mail that has come in or was sent away for good (row 6): its text, people, subject and
// files, here and in what searches find, and no sync brings it back. The mailbox itself is not touched,
// nor is what other mail quotes of it. Its entry stays, and says when the mail was, and who redacted it
// when; so does the ticket where it was the only mail. ErrNotMail where there is no stored mail: it is on
// its way, or not back from the mailbox.
//
// Where the mail lies in another inbox the actor needs the right there too. After an error it may have
// begun: then nobody is shown the mail any more, here and by inbox.Service alike, and to redact again ends
// it, or PurgeTrash does. To redact again changes nothing.
func (s *Service) Redact(ctx context.Context, actor acl.Actor, id ID, entry EntryID) (Entry, error) {
	var e Entry
	var message inbox.MessageID
	_, err := s.update(ctx, actor, id, acl.Redact, func(t *Ticket) ([]Entry, []inbox.Event, error) {
		var err error
		if e, err = s.redactable(ctx, actor, t, entry); err != nil {
			return nil, nil, err
		}
		message = e.Message
		if !e.RedactedAt.IsZero() {
			return nil, nil, nil
		}
		e.Text, e.To, e.Cc, e.Bcc = "", nil, nil, nil
		e.RedactedBy, e.RedactedAt = actor.User, s.now()
		t.RedactBegan = e.RedactedAt
		return []Entry{e}, nil, s.presentWithout(ctx, t, &e)
	})
	if err != nil {
		return Entry{}, err
	}
	in, err := s.engineInbox(ctx, e.Inbox)
	if err != nil {
		return Entry{}, err
	}
	if message != "" {
		if err := s.Inboxes.Erase(ctx, e.Inbox, message); err != nil {
			return Entry{}, fmt.Errorf("redact entry %q: %w", entry, err)
		}
		if _, err := s.Collect(ctx, e.Inbox); err != nil { // the next one does it
			s.Logger.WarnContext(ctx, "collect a redacted mail", "inbox", e.Inbox, "entry", entry, "err", err)
		}
		if now, err := s.storedEntry(context.WithoutCancel(ctx), id, entry); err == nil {
			e = now
		}
	}
	return s.left(ctx, actor, &in, e), nil
}

// redacted returns those of the mails whose redaction has begun: inbox.Service shows them to nobody any more,
// though it may have them until that ends.
func (s *Service) redacted(ctx context.Context, mails []inbox.MessageID) ([]inbox.MessageID, error) {
	var out []inbox.MessageID
	for e, err := range s.Store.Entries(ctx, EntryQuery{Messages: mails}) {
		if err != nil {
			return nil, err
		}
		if !e.RedactedAt.IsZero() {
			out = append(out, e.Message)
		}
	}
	return out, nil
}

// presentWithout takes what a mail says off its ticket.
func (s *Service) presentWithout(ctx context.Context, t *Ticket, redacted *Entry) error {
	var lines []Entry
	for e, err := range s.Store.Entries(ctx, EntryQuery{Ticket: t.ID}) {
		if err != nil {
			return err
		}
		if e.ID == redacted.ID {
			e = *redacted
		}
		lines = append(lines, e)
	}
	mail, err := s.survey(ctx, lines, t.Mailbox())
	if err == nil {
		t.present(&mail)
	}
	return err
}

// endRedactions ends what Redact began some time ago and somebody else did not end.
func (s *Service) endRedactions(ctx context.Context) error {
	var failed []error
	for _, trash := range []bool{false, true} {
		q := Query{Deleted: trash, Resting: RestRedact, RestedBy: s.now().Add(-redactFor), AllHidden: true}
		for t, err := range s.Store.Tickets(ctx, q) {
			if err == nil {
				err = s.endRedaction(ctx, &t)
			}
			if err != nil {
				failed = append(failed, fmt.Errorf("redact mail of ticket %q: %w", t.ID, err))
			}
		}
	}
	return errors.Join(failed...)
}

func (s *Service) endRedaction(ctx context.Context, t *Ticket) error {
	mails := make(map[inbox.ID][]inbox.MessageID)
	for e, err := range s.Store.Entries(ctx, EntryQuery{Ticket: t.ID}) {
		if err != nil {
			return err
		}
		if e.Message != "" && !e.RedactedAt.IsZero() {
			mails[e.Inbox] = append(mails[e.Inbox], e.Message)
		}
	}
	if err := s.eraseMails(ctx, mails); err != nil {
		return err
	}
	for _, in := range slices.Sorted(maps.Keys(mails)) {
		if _, err := s.Collect(ctx, in); err != nil {
			return err
		}
	}
	if len(mails) > 0 {
		return nil
	}
	t.RedactBegan = time.Time{} // another ticket has the mail by now
	_, err := s.saveTickets(ctx, []Write{{Ticket: *t}})
	if errors.Is(err, storage.ErrConflict) {
		return nil // the next time
	}
	return err
}

// redactable finds the entry of a mail of the ticket that somebody may see, and redact where it lies.
func (s *Service) redactable(ctx context.Context, actor acl.Actor, t *Ticket, entry EntryID) (Entry, error) {
	in, err := s.engineInbox(ctx, t.Inbox)
	if err != nil {
		return Entry{}, err
	}
	e, _, err := s.seenEntry(ctx, actor, &in, t.ID, entry)
	switch {
	case err != nil:
		return Entry{}, err
	case e.Message == "" && e.RedactedAt.IsZero():
		return Entry{}, fmt.Errorf("entry %q: %w", entry, ErrNotMail)
	case e.Inbox == t.Inbox:
		return e, nil
	}
	_, err = s.Inboxes.Authorize(ctx, actor, e.Inbox, acl.Redact, nil)
	if errors.Is(err, storage.ErrNotFound) {
		err = fmt.Errorf("the mail of entry %q lies in a mailbox this person does not know: %w", entry, acl.ErrDenied)
	}
	return e, err
}
