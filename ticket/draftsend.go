package ticket

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/provider/rfc822"
	"github.com/workinbox/workinbox/storage"
)

// errBecame says that a draft is an entry already.
var errBecame = errors.New("the draft was sent")

// SendDraft does what the actor's draft of that Entry on a ticket is of, by Reply, Forward or Note, with its
// files. It returns the ticket the entry is in, which of a forwarded mail is the child. Errors are those of
// the three, and then the draft stays as it was; storage.ErrNotFound where there is none.
//
// The draft is forgotten once it has done what it was for: a mail that waits may be recalled, which gives it
// back (Recall). A version of a draft is sent once, however often it is asked for and wherever a process
// dies: who asks again gets the entry that it has become as long as the draft has not been forgotten. One
// that was saved while it was sent stays; it was sent in part, so it is ErrDraftSent until it is saved again.
func (s *Service) SendDraft(ctx context.Context, actor acl.Actor, id ID, entry EntryID) (Ticket, Entry, error) {
	t, _, err := s.visibleTicket(ctx, actor, id)
	if err != nil {
		return Ticket{}, Entry{}, err
	}
	d, err := s.sendable(ctx, actor, id, entry)
	if err != nil {
		return Ticket{}, Entry{}, err
	}
	switch d.fate {
	case fatePart:
		return Ticket{}, Entry{}, fmt.Errorf("draft on ticket %q: %w", id, ErrDraftSent)
	case fateAway, fateGone:
		return s.became(ctx, actor, &d)
	case fateBack:
		if d.Draft, err = s.saveAgain(ctx, d); err != nil {
			return Ticket{}, Entry{}, err
		}
	}
	t, e, err := s.sendDraft(ctx, actor, t, &d.Draft)
	if err == nil {
		s.forgetLeft(ctx, &e)
		return t, e, nil
	}
	if !errors.Is(err, errBecame) {
		return Ticket{}, Entry{}, err
	}
	if d, err = s.begun(ctx, d.Draft); err != nil {
		return Ticket{}, Entry{}, err
	}
	return s.became(ctx, actor, &d)
}

// sendable returns the actor's draft of an entry on a ticket, whatever has become of it.
func (s *Service) sendable(ctx context.Context, actor acl.Actor, id ID, entry EntryID) (begun, error) {
	d, err := s.Store.Draft(ctx, entry)
	if errors.Is(err, storage.ErrNotFound) || err == nil && (string(d.Site) != actor.Site || d.Author != actor.User) {
		return begun{}, noDraft(id)
	}
	if err != nil {
		return begun{}, err
	}
	on, err := s.target(ctx, d.Ticket)
	if err != nil {
		return begun{}, err
	}
	into, err := s.target(ctx, id)
	if err != nil {
		return begun{}, err
	}
	if on.ID != into.ID {
		return begun{}, noDraft(id)
	}
	return s.begun(ctx, d)
}

// became returns the entry that a draft was sent as, and forgets the draft where that is all it was for.
func (s *Service) became(ctx context.Context, actor acl.Actor, d *begun) (Ticket, Entry, error) {
	if d.sent == nil {
		return Ticket{}, Entry{}, noDraft(d.Ticket)
	}
	if !d.isAs(d.sent) {
		return Ticket{}, Entry{}, fmt.Errorf("draft on ticket %q: %w", d.Ticket, ErrDraftSent)
	}
	s.forgetLeft(ctx, d.sent)
	t, in, err := s.visibleTicket(ctx, actor, d.sent.Ticket)
	if err != nil {
		return Ticket{}, Entry{}, err
	}
	return s.leftTicket(ctx, actor, t), s.left(ctx, actor, &in, *d.sent), nil
}

// sendDraft does what a draft is of. errBecame says that it has been done.
func (s *Service) sendDraft(ctx context.Context, actor acl.Actor, t Ticket, d *Draft) (Ticket, Entry, error) {
	files, inline := s.files(ctx, d)
	var e Entry
	var err error
	switch d.Kind {
	case EntryForwarded:
		return s.Forward(ctx, actor, t.ID, Forward{
			To: d.To, Cc: d.Cc, Bcc: d.Bcc, Text: d.Text, HTML: d.HTML, Subject: d.Subject, NoHistory: d.NoQuote,
			Inbox: d.Inbox, Assignee: d.Assignee, Customer: d.Customer, NoFiles: d.NoFiles,
			Attachments: files, Inline: inline, Status: d.Status, SendAt: d.SendAt, ExpectedLast: d.ExpectedLast, of: d,
		})
	case EntryReplied:
		r := Reply{
			Text: d.Text, HTML: d.HTML, All: d.All, Confirmed: d.Confirmed, Bcc: d.Bcc, NoQuote: d.NoQuote,
			Attachments: files, Inline: inline, Status: d.Status, SendAt: d.SendAt, ExpectedLast: d.ExpectedLast, of: d,
		}
		if d.Fixed || len(d.To) > 0 {
			r.To = append([]rfc822.Address{}, d.To...)
		}
		if d.Fixed || len(d.Cc) > 0 {
			r.Cc = append([]rfc822.Address{}, d.Cc...)
		}
		e, err = s.Reply(ctx, actor, t.ID, r)
	case EntryNoted:
		if len(d.Files) > 0 {
			return Ticket{}, Entry{}, fmt.Errorf("draft on ticket %q: a note has no files: %w", t.ID, ErrDraft)
		}
		text := d.Text
		if text == "" {
			text = rfc822.HTMLToText(d.HTML)
		}
		e, err = s.addNote(ctx, actor, t.ID, text, d.Mentions, d)
	default:
		err = fmt.Errorf("draft on ticket %q: kind %.40q: %w", t.ID, d.Kind, ErrDraft)
	}
	if err != nil {
		return Ticket{}, Entry{}, err
	}
	if now, err := s.Store.Ticket(context.WithoutCancel(ctx), t.ID); err == nil {
		t = now
	}
	return s.leftTicket(ctx, actor, t), e, nil
}

// files are the draft's files as a mail takes them.
func (s *Service) files(ctx context.Context, d *Draft) (files, inline []rfc822.Attachment) {
	for i := range d.Files {
		f := &d.Files[i]
		a := rfc822.Attachment{Name: f.Name, Type: f.Type, ContentID: f.ContentID, Size: f.Size,
			Open: func() (io.ReadCloser, error) { return s.openFile(ctx, f) }}
		if f.ContentID != "" && d.HTML != "" {
			inline = append(inline, a)
		} else {
			files = append(files, a)
		}
	}
	return files, inline
}

// unsent refuses with errBecame a draft that has become an entry. It is asked again in the step that
// writes the entry, guarded by the version of the ticket: of two that send a draft one is refused.
func (s *Service) unsent(ctx context.Context, d *Draft) error {
	if d == nil {
		return nil
	}
	sent, err := s.becameOf(ctx, d)
	if err == nil && sent != nil {
		err = errBecame
	}
	return err
}

// name makes an entry the one a draft becomes.
func (d *Draft) name(e *Entry) {
	if d != nil {
		e.ID, e.Draft = d.Entry, d.Version
	}
}
