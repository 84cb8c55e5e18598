package ticket

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/rfc822"
)

// Reply is an answer to the newest mail of a ticket that a person wrote.
type Reply struct {
	Text string // plain text; made from HTML when empty
	HTML string // optional; Text is then its plain twin
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
	// NoQuote leaves out what is answered.
	NoQuote bool
	// SendAt is when the mail leaves; zero and what is past is at once, after the site's undo window
	// (inbox.Settings.UndoSend). Until then Recall takes it back.
	SendAt time.Time
	// Status is the ticket's status once the mail is sent; empty is waiting (R-STA-03).
	Status Status
	// ExpectedLast is the newest mail the person has seen (Ticket.Last); where another has come in
	// since, the reply is refused with ErrStaleThread. Empty does not ask.
	ExpectedLast inbox.MessageID
}

// Reply sends an answer through the inbox's own mailbox, from its address. The mail is kept and
// queued before it is sent, and Reply then tries to send it at once, where it is to leave at once.
//
// An error says that the reply was refused, and then nothing is left behind. Without one it is on its
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
	if strings.TrimSpace(r.Text) == "" && strings.TrimSpace(r.HTML) == "" {
		return Entry{}, fmt.Errorf("reply to ticket %q: %w", id, ErrEmpty)
	}
	if r.Status == "" {
		r.Status = Waiting
	}
	if err := s.checkStatus(ctx, t.Site, r.Status); err != nil {
		return Entry{}, err
	}
	if err := r.fresh(&t); err != nil {
		return Entry{}, err
	}
	if r.Text == "" {
		r.Text = rfc822.HTMLToText(r.HTML)
	}
	draft, thread, err := s.compose(ctx, actor, &in, &t, &r)
	if err != nil {
		return Entry{}, err
	}
	e, err := s.queue(ctx, actor, &t, draft, thread, &r)
	if err != nil {
		return Entry{}, err
	}
	return s.sendNow(ctx, e), nil
}

// fresh refuses a reply by somebody who has not seen the newest mail.
func (r *Reply) fresh(t *Ticket) error {
	if r.ExpectedLast != "" && r.ExpectedLast != t.Last {
		return fmt.Errorf("reply to ticket %q: %w", t.ID, ErrStaleThread)
	}
	return nil
}

// queue appends the entry that will carry the reply out.
func (s *Service) queue(ctx context.Context, actor acl.Actor, t *Ticket, d rfc822.Draft,
	thread inbox.ThreadID, r *Reply) (Entry, error) {
	l := letter{author: actor, ticket: t.ID, inbox: t.Inbox, draft: d, thread: thread, at: r.SendAt, status: r.Status, all: r.All}
	return s.post(ctx, &l, func(o *Outgoing) (Entry, error) {
		var out Entry
		_, err := s.edit(ctx, actor, t.ID, acl.Reply, func(t *Ticket) ([]Entry, []inbox.Event, error) {
			if err := r.fresh(t); err != nil {
				return nil, nil, err
			}
			out = s.entry(t, EntryReplied, actor.User)
			l.write(&out, o, r.Text)
			t.touch(out.At)
			return []Entry{out}, nil, nil
		})
		return out, err
	})
}

// letter is a mail that is written and not kept yet.
type letter struct {
	author acl.Actor
	ticket ID
	inbox  inbox.ID
	draft  rfc822.Draft
	thread inbox.ThreadID
	at     time.Time // when it leaves, at the earliest
	status Status    // of its ticket once it is sent
	all    bool      // it answers everybody
}

// write puts the mail into its entry. text is what was written, without what is quoted.
func (l *letter) write(e *Entry, o *Outgoing, text string) {
	e.RFCID, e.Outbound, e.Class = l.draft.MessageID, true, rfc822.ClassHuman
	e.Text, e.To, e.Cc, e.Bcc = validText(text), l.draft.To, l.draft.Cc, l.draft.Bcc
	e.Outgoing = o
}

// post keeps the raw mail and lets save write the entry that carries it out. What is kept is gone
// again where the entry surely was not saved.
func (s *Service) post(ctx context.Context, l *letter, save func(o *Outgoing) (Entry, error)) (Entry, error) {
	if err := s.checkRecipients(&l.draft); err != nil {
		return Entry{}, err
	}
	leaves, err := s.leaves(ctx, l)
	if err != nil {
		return Entry{}, err
	}
	unused, err := s.use(ctx, l.author, l.ticket)
	if err != nil {
		return Entry{}, err
	}
	marker := newMarker()
	host := ""
	if dom, ok := filter.AddressDomain(l.draft.From.Address); ok {
		host = dom.String()
	}
	l.draft.MessageID = rfc822.NewMessageID([]byte(marker), host)
	l.draft.Headers = append(l.draft.Headers, rfc822.HeaderField{Name: provider.MarkerHeader, Value: marker})
	blob, err := s.keep(ctx, l.inbox, l.draft)
	if err != nil {
		unused()
		return Entry{}, err
	}
	out, err := save(&Outgoing{State: OutgoingQueued, Marker: marker, Thread: l.thread, Blob: blob.Key,
		Size: blob.Size, NotBefore: leaves, Status: l.status, All: l.all})
	if err == nil {
		s.keepUse(ctx, l.author, &out)
		return out, nil
	}
	// A store may lose its answer as a mail service may: what it kept must not lose its mail.
	if kept := s.known(ctx, l.inbox, marker); kept == nil {
		s.forget(ctx, blob.Key)
		unused()
	} else if kept.ID != "" {
		s.keepUse(ctx, l.author, kept)
		return *kept, nil
	}
	return Entry{}, err
}

// leaves is when a mail leaves at the earliest: when its author wants, and not within the site's undo
// window (R-MSG-09).
func (s *Service) leaves(ctx context.Context, l *letter) (time.Time, error) {
	in, err := s.engineInbox(ctx, l.inbox)
	if err != nil {
		return time.Time{}, err
	}
	site, err := s.Inboxes.Sites.Site(ctx, in.Site)
	if err != nil {
		return time.Time{}, err
	}
	at := s.now().Add(max(site.UndoSend, 0))
	if l.at.After(at) {
		at = l.at.UTC().Truncate(time.Microsecond)
	}
	return at, nil
}

// checkRecipients refuses a mail to nobody and one to too many (R-MSG-05).
func (s *Service) checkRecipients(d *rfc822.Draft) error {
	n := len(d.To) + len(d.Cc) + len(d.Bcc)
	if n == 0 {
		return ErrNobody
	}
	if most := s.MaxRecipients; most > 0 && n > most {
		return fmt.Errorf("%d recipients, at most %d are allowed: %w", n, most, ErrTooManyRecipients)
	}
	return nil
}

// keep builds the raw mail into the blobs.
func (s *Service) keep(ctx context.Context, id inbox.ID, d rfc822.Draft) (inbox.BlobInfo, error) {
	r, w := io.Pipe()
	built := make(chan error, 1)
	go func() {
		err := rfc822.Build(w, d)
		_ = w.CloseWithError(err)
		built <- err
	}()
	blob, err := s.put(ctx, id, r)
	_ = r.Close()
	if bad := <-built; bad != nil && err != nil && bad != io.ErrClosedPipe {
		return inbox.BlobInfo{}, bad // what is wrong with the mail says more than that it was not kept
	}
	return blob, err
}

// sendNow tries to send what was queued. What goes wrong here is no refusal: the mail stays where it
// is and Dispatch takes it up, or has it already.
func (s *Service) sendNow(ctx context.Context, e Entry) Entry {
	if e.Outgoing.State != OutgoingQueued || e.Outgoing.NotBefore.After(s.now()) {
		return e
	}
	out, err := s.send(ctx, e)
	if err == nil {
		return out
	}
	s.Logger.InfoContext(ctx, "mail waits for dispatch", "inbox", e.Inbox, "entry", e.ID, "err", err)
	if now, err := s.current(context.WithoutCancel(ctx), e); err == nil {
		return now
	}
	return e
}

// newMarker is 128 random bits.
func newMarker() string {
	var random [16]byte
	_, _ = rand.Read(random[:])
	return hex.EncodeToString(random[:])
}
