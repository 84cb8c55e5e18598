package ticket

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"strings"

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
	// All answers everybody on the mail, not the sender alone. Where the mailbox got the mail as a
	// blind copy the answer still goes to the sender alone, unless Confirmed (R-MSG-04).
	All       bool
	Confirmed bool
	To        []rfc822.Address // instead of the computed ones, when not nil
	Cc        []rfc822.Address // instead of the computed ones, when not nil
	Bcc       []rfc822.Address

	Attachments []rfc822.Attachment
	// NoQuote leaves out what is answered.
	NoQuote bool
	// Status is the ticket's status once the mail is sent; empty is waiting (R-STA-03).
	Status Status
	// ExpectedLast is the newest mail the person has seen (Ticket.Last); where another has come in
	// since, the reply is refused with ErrStaleThread. Empty does not ask.
	ExpectedLast inbox.MessageID
}

// Reply sends an answer through the inbox's own mailbox, from its address. The mail is kept and
// queued before it is sent, and Reply then tries to send it at once.
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
	if !statusCode.MatchString(string(r.Status)) {
		return Entry{}, fmt.Errorf("status %q: %w", r.Status, ErrBadStatus)
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

// queue keeps the raw mail and appends the entry that will carry it out.
func (s *Service) queue(ctx context.Context, actor acl.Actor, t *Ticket, d rfc822.Draft,
	thread inbox.ThreadID, r *Reply) (Entry, error) {
	marker := newMarker()
	host := ""
	if dom, ok := filter.AddressDomain(d.From.Address); ok {
		host = dom.String()
	}
	d.MessageID = rfc822.NewMessageID([]byte(marker), host)
	d.Headers = append(d.Headers, rfc822.HeaderField{Name: provider.MarkerHeader, Value: marker})

	blob, err := s.keep(ctx, t.Inbox, d)
	if err != nil {
		return Entry{}, err
	}
	var out Entry
	_, err = s.edit(ctx, actor, t.ID, acl.Reply, func(t *Ticket) ([]Entry, []inbox.Event, error) {
		if err := r.fresh(t); err != nil {
			return nil, nil, err
		}
		out = s.entry(t, EntryReplied, actor.User)
		out.RFCID, out.Outbound, out.Class = d.MessageID, true, rfc822.ClassHuman
		out.Text, out.To, out.Cc, out.Bcc = validText(r.Text), d.To, d.Cc, d.Bcc
		out.Outgoing = &Outgoing{State: OutgoingQueued, Marker: marker, Thread: thread, Blob: blob.Key,
			Size: blob.Size, NotBefore: out.At, Status: r.Status}
		t.touch(out.At)
		return []Entry{out}, nil, nil
	})
	if err == nil {
		return out, nil
	}
	// A store may lose its answer as a mail service may: what it kept must not lose its mail.
	if kept := s.known(ctx, t.Inbox, marker); kept == nil {
		s.forget(ctx, blob.Key)
	} else if kept.ID != "" {
		return *kept, nil
	}
	return Entry{}, err
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
