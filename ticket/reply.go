package ticket

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider/rfc822"
	"github.com/workinbox/workinbox/storage"
)

// Reply is an answer to the newest mail of a ticket that a person wrote.
type Reply struct {
	Text string // plain text; made from HTML when empty
	HTML string // optional; Text is then its plain twin. It leaves as it is, not cleaned
	// All answers everybody on the thread, not the sender alone. Where the mailbox got the mail as a
	// blind copy the answer still goes to the sender alone, unless Confirmed (R-MSG-04).
	All       bool
	Confirmed bool
	To        []rfc822.Address // instead of the computed ones, when not nil
	// Cc stands instead of the computed ones, when not nil. With All, whom it leaves out is off the
	// thread until they write again.
	Cc  []rfc822.Address
	Bcc []rfc822.Address

	Attachments []rfc822.Attachment
	Inline      []rfc822.Attachment // what HTML shows by cid:
	// NoQuote leaves out what is answered, as inbox.Settings.NoQuote does for every answer of the site.
	NoQuote bool
	// SendAt is when the mail leaves; zero and what is past is at once, after the site's undo window
	// (inbox.Settings.UndoSend). Until then Recall takes it back.
	SendAt time.Time
	// Status is the ticket's status once the mail is sent; empty is waiting (R-STA-03).
	Status Status
	// ExpectedLast is the mail the person has seen last (Ticket.Latest as they read it, or the Entry of
	// their own answer since). Where another has come in since, or somebody else has answered, the reply
	// is refused with ErrStaleThread. Empty does not ask.
	ExpectedLast EntryID

	of *Draft // what it was written as, if it was
}

// Reply sends an answer through the inbox's own mailbox, from its address. The mail is kept and
// queued before it is sent, and Reply then tries to send it at once, where it is to leave at once.
//
// An error says that the reply was refused, and then nothing is left behind: ErrEmpty, ErrNobody,
// ErrTooManyRecipients, ErrMailTooLarge, ErrNothingToAnswer, ErrStaleThread, acl.ErrReplyQuota, an
// *OptionError for the status, an *rfc822.DraftError for what no mail can say (rfc822.ErrBadAddress and the
// others of that list), besides the refusals of rights. Without one it is on its
// way: look at the entry's Outgoing.State. What is queued or sending is taken up by Dispatch; failed
// says in Outgoing.Error why; unknown asks a person (Resolve). It is never sent twice.
func (s *Service) Reply(ctx context.Context, actor acl.Actor, id ID, r Reply) (Entry, error) {
	t, err := s.Store.Ticket(ctx, id)
	if err != nil {
		return Entry{}, err
	}
	in, err := s.allow(ctx, actor, &t, acl.Reply)
	if err != nil {
		return Entry{}, err
	}
	asked := r
	if blank(r.Text, r.HTML, len(r.Attachments)) {
		return Entry{}, fmt.Errorf("reply to ticket %q: %w", id, ErrEmpty)
	}
	if r.Status == "" {
		r.Status = Waiting
	}
	if err := s.checkStatus(ctx, t.Site, r.Status); err != nil {
		return Entry{}, err
	}
	if err := s.sawLast(ctx, &t, r.ExpectedLast); err != nil {
		return Entry{}, err
	}
	if r.Text == "" {
		r.Text = rfc822.HTMLToText(r.HTML)
	}
	m, err := s.answered(ctx, &t)
	if err != nil {
		return Entry{}, err
	}
	box, err := s.replyInbox(ctx, actor, in, m.Inbox)
	if err != nil {
		return Entry{}, err
	}
	draft, err := s.compose(ctx, actor, &box, &t, &m, &r)
	if err != nil {
		return Entry{}, err
	}
	e, err := s.queue(ctx, actor, &t, draft, &m, &r, asked.words(&t, &draft))
	if err != nil {
		return Entry{}, err
	}
	return s.left(ctx, actor, &in, s.sendNow(ctx, e)), nil
}

// replyInbox is the inbox whose mailbox an answer leaves from: that of the mail it answers, where the
// person must have read-and-reply too (R-TKT-08).
func (s *Service) replyInbox(ctx context.Context, actor acl.Actor, in inbox.Inbox, of inbox.ID) (inbox.Inbox, error) {
	if of == in.ID {
		return in, nil
	}
	box, err := s.Inboxes.Authorize(ctx, actor, of, acl.Reply, nil)
	if errors.Is(err, storage.ErrNotFound) {
		return inbox.Inbox{}, fmt.Errorf("the mail lies in a mailbox this person does not work with: %w", acl.ErrDenied)
	}
	return box, err
}

// blank says that nothing was written: an editor that is empty hands over tags without text.
func blank(text, page string, files int) bool {
	return files == 0 && strings.TrimSpace(text) == "" &&
		strings.TrimSpace(rfc822.HTMLToText(page)) == "" && !strings.Contains(strings.ToLower(page), "<img")
}

// sawLast refuses with ErrStaleThread an answer by somebody who has seen another mail last than the one that
// was added last (11.14). One that was recalled, or never left, nobody has to have seen.
func (s *Service) sawLast(ctx context.Context, t *Ticket, seen EntryID) error {
	if seen == "" || seen == t.Latest {
		return nil
	}
	found, gone, more := false, false, false
	for e, err := range s.Store.Entries(ctx, EntryQuery{Ticket: t.ID}) {
		if err != nil {
			return err
		}
		more = more || found && e.ofThread() && (!e.Hidden || t.Hidden())
		found = found || e.ID == seen
		gone = gone || e.ID == t.Latest && !e.ofThread()
	}
	if found && gone && !more {
		return nil
	}
	return fmt.Errorf("ticket %q: %w", t.ID, ErrStaleThread)
}

// queue appends the entry that will carry the reply out.
func (s *Service) queue(ctx context.Context, actor acl.Actor, t *Ticket, d rfc822.Draft,
	m *inbox.Message, r *Reply, w *words) (Entry, error) {
	l := letter{author: actor, ticket: t.ID, inbox: m.Inbox, draft: d, thread: m.Thread, at: r.SendAt, status: r.Status,
		all: r.All, of: r.of, words: w}
	return s.post(ctx, &l, func(o *Outgoing) (Entry, error) {
		var out Entry
		_, err := s.update(ctx, actor, t.ID, acl.Reply, func(t *Ticket) ([]Entry, []inbox.Event, error) {
			if err := s.sawLast(ctx, t, r.ExpectedLast); err != nil {
				return nil, nil, err
			}
			if err := s.unsent(ctx, l.of); err != nil {
				return nil, nil, err
			}
			out = s.newEntry(t, EntryReplied, actor.User)
			l.write(&out, o, r.Text)
			t.touch(out.At)
			t.Latest = out.ID
			return []Entry{out}, nil, nil
		})
		return out, err
	})
}
