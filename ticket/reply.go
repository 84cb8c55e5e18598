package ticket

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"html"
	"io"
	"strings"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/rfc822"
)

var (
	// ErrStaleThread says that newer mail came in since the person last looked (11.14).
	ErrStaleThread = errors.New("newer mail has come in")
	// ErrNothingToAnswer says that the ticket has no mail an answer could go to.
	ErrNothingToAnswer = errors.New("the ticket has no mail to answer")
)

// Reply is an answer to a ticket's newest mail.
type Reply struct {
	Text string // plain text; made from HTML when empty
	HTML string // optional; Text is then its plain twin
	// All answers everybody on the mail, not the sender alone. To, Cc and Bcc replace or add to that.
	All bool
	To  []rfc822.Address // instead of the computed ones
	Cc  []rfc822.Address // instead of the computed ones, when not nil
	Bcc []rfc822.Address

	Attachments []rfc822.Attachment
	// NoQuote leaves out what is answered.
	NoQuote bool
	// Status is the ticket's status once the mail is sent; empty is waiting (R-STA-03).
	Status Status
	// ExpectedLast is the newest mail the person has seen; where another has come in since, the
	// reply is refused with ErrStaleThread. Empty does not ask.
	ExpectedLast inbox.MessageID
}

// Reply sends an answer through the inbox's own mailbox, from its address. The mail is kept and
// queued before it is sent, and Reply then sends it at once: look at the entry's Outgoing.State. One
// that is still queued or sending is taken up by Dispatch; unknown asks a person (Resolve). A refused
// reply leaves nothing behind.
func (s *Service) Reply(ctx context.Context, actor acl.Actor, id ID, r Reply) (Entry, error) {
	t, err := s.Store.Ticket(ctx, id)
	if err != nil {
		return Entry{}, err
	}
	if err := s.allow(ctx, actor, &t, acl.Reply, nil); err != nil {
		return Entry{}, err
	}
	if r.Text == "" && r.HTML == "" {
		return Entry{}, fmt.Errorf("reply to ticket %q: %w", id, ErrEmpty)
	}
	if r.Status != "" && !statusCode.MatchString(string(r.Status)) {
		return Entry{}, fmt.Errorf("status %q: %w", r.Status, ErrBadStatus)
	}
	if err := fresh(&t, r); err != nil {
		return Entry{}, err
	}
	in, err := s.engineInbox(ctx, t.Inbox)
	if err != nil {
		return Entry{}, err
	}
	draft, err := s.draft(ctx, &in, &t, r)
	if err != nil {
		return Entry{}, err
	}
	e, err := s.queue(ctx, actor, &t, draft, r)
	if err != nil {
		return Entry{}, err
	}
	return s.send(ctx, e)
}

func fresh(t *Ticket, r Reply) error {
	if r.ExpectedLast != "" && r.ExpectedLast != t.Last {
		return fmt.Errorf("reply to ticket %q: %w", t.ID, ErrStaleThread)
	}
	return nil
}

// draft builds the answer to the newest mail a person wrote.
func (s *Service) draft(ctx context.Context, in *inbox.Inbox, t *Ticket, r Reply) (rfc822.Draft, error) {
	m, err := s.answered(ctx, t)
	if err != nil {
		return rfc822.Draft{}, err
	}
	c, err := s.Archive.Content(ctx, m.ID)
	if err != nil {
		return rfc822.Draft{}, err
	}
	parent := envelopeOf(&m)
	d := rfc822.Draft{
		From:    rfc822.Address{Address: in.Account.Address, Name: s.ownerName(ctx, in)},
		Subject: rfc822.ReplySubject(m.Subject), Date: s.now(),
		Bcc: r.Bcc, Attachments: r.Attachments, Text: r.Text, HTML: r.HTML,
	}
	d.InReplyTo, d.References = rfc822.ReplyHeaders(parent)
	d.To, d.Cc = rfc822.ReplyRecipients(parent, in.Account.Own(), r.All)
	if r.To != nil {
		d.To = r.To
	}
	if r.Cc != nil {
		d.Cc = r.Cc
	}
	if d.Text == "" {
		d.Text = rfc822.HTMLToText(r.HTML)
	}
	if r.NoQuote {
		return d, nil
	}
	d.Text = strings.TrimRight(d.Text, "\n") + "\n\n" + rfc822.QuoteText(parent, c.Text)
	if d.HTML != "" {
		quoted := c.HTML
		if quoted == "" {
			quoted = "<pre>" + html.EscapeString(c.Text) + "</pre>"
		}
		d.HTML += "<br>" + rfc822.QuoteHTML(parent, quoted)
	}
	return d, nil
}

// answered is the newest mail of the ticket that a person wrote.
func (s *Service) answered(ctx context.Context, t *Ticket) (inbox.Message, error) {
	var last Entry
	for e, err := range s.Store.Entries(ctx, EntryQuery{Ticket: t.ID}) {
		if err != nil {
			return inbox.Message{}, err
		}
		human := e.Outbound || e.Class == rfc822.ClassHuman || e.Class == rfc822.ClassCalendar || e.Class == rfc822.ClassBulk
		if e.Message != "" && !e.Hidden && human {
			last = e
		}
	}
	if last.Message == "" {
		return inbox.Message{}, fmt.Errorf("ticket %q: %w", t.ID, ErrNothingToAnswer)
	}
	return s.Archive.Message(ctx, last.Message)
}

func envelopeOf(m *inbox.Message) rfc822.Envelope {
	e := rfc822.Envelope{
		MessageID: m.RFCID, References: m.References, From: m.From, Sender: m.Sender,
		ReplyTo: m.ReplyTo, To: m.To, Cc: m.Cc, Subject: m.Subject, Date: m.Date,
	}
	if m.Direction == filter.Outbound {
		e.ReplyTo = nil
	}
	return e
}

// ownerName is the display name of the mailbox's owner (R-MSG-10); empty when the host does not know
// them any more.
func (s *Service) ownerName(ctx context.Context, in *inbox.Inbox) string {
	p, err := s.Inboxes.People.Person(ctx, in.Site, in.Creator)
	if err != nil {
		return ""
	}
	return p.Name
}

// queue keeps the raw mail and appends the entry that will carry it out.
func (s *Service) queue(ctx context.Context, actor acl.Actor, t *Ticket, d rfc822.Draft, r Reply) (Entry, error) {
	marker := newMarker()
	host := "localhost"
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
	_, err = s.edit(ctx, actor, t.ID, acl.Reply, nil, func(t *Ticket) ([]Entry, []inbox.Event, error) {
		if err := fresh(t, r); err != nil {
			return nil, nil, err
		}
		out = s.entry(t, EntryReplied, actor.User)
		out.RFCID, out.Outbound, out.Class = d.MessageID, true, rfc822.ClassHuman
		out.Text, out.To, out.Cc, out.Bcc = validText(r.Text), d.To, d.Cc, d.Bcc
		out.Outgoing = &Outgoing{State: OutgoingQueued, Marker: marker, Blob: blob.Key, Size: blob.Size,
			NotBefore: out.At, Status: r.Status}
		if out.Outgoing.Status == "" {
			out.Outgoing.Status = Waiting
		}
		t.touch(out.At)
		return []Entry{out}, nil, nil
	})
	if err != nil {
		if e := s.Blobs.DeleteBlob(ctx, blob.Key); e != nil {
			s.Logger.WarnContext(ctx, "forget the raw mail of a refused reply", "err", e)
		}
		return Entry{}, err
	}
	return out, nil
}

// newMarker is 128 random bits.
func newMarker() string {
	var random [16]byte
	_, _ = rand.Read(random[:])
	return hex.EncodeToString(random[:])
}

// keep builds the raw mail into the blobs.
func (s *Service) keep(ctx context.Context, id inbox.ID, d rfc822.Draft) (inbox.BlobInfo, error) {
	pr, pw := io.Pipe()
	go func() { pw.CloseWithError(rfc822.Build(pw, d)) }()
	blob, err := s.Blobs.PutBlob(ctx, id, pr)
	_ = pr.CloseWithError(io.ErrClosedPipe)
	if err != nil {
		return inbox.BlobInfo{}, err
	}
	return blob, s.Blobs.SyncBlobs(ctx, id)
}
