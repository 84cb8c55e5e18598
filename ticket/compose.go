package ticket

import (
	"context"
	"errors"
	"fmt"
	"html"
	"slices"
	"strings"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider/rfc822"
	"github.com/workinbox/workinbox/storage"
)

// compose writes the answer to the newest mail a person wrote, and says which thread it belongs to.
func (s *Service) compose(ctx context.Context, actor acl.Actor, in *inbox.Inbox, t *Ticket, r *Reply) (
	rfc822.Draft, inbox.ThreadID, error) {
	m, err := s.answered(ctx, t)
	if err != nil {
		return rfc822.Draft{}, "", err
	}
	owner, err := s.person(ctx, in.Site, in.Creator)
	if err != nil {
		return rfc822.Draft{}, "", err
	}
	parent := envelopeOf(&m)
	d := rfc822.Draft{
		From:    rfc822.Address{Address: in.Account.Address, Name: owner.Name}, // R-MSG-10
		Subject: rfc822.ReplySubject(m.Subject), Date: s.now(), Attachments: r.Attachments, Bcc: r.Bcc,
	}
	d.InReplyTo, d.References = rfc822.ReplyHeaders(parent)
	if err := s.address(ctx, actor, in, &m, r, &d); err != nil {
		return rfc822.Draft{}, "", err
	}
	d.Text, d.HTML = signed(r, in.Settings.Signature)
	if r.NoQuote {
		return d, m.Thread, nil
	}
	c, err := s.Archive.Content(ctx, m.ID)
	if err != nil {
		return rfc822.Draft{}, "", err
	}
	d.Text = strings.TrimRight(d.Text, "\n") + "\n\n" + rfc822.QuoteText(parent, c.Text)
	if d.HTML != "" {
		quoted := c.HTML
		if quoted == "" {
			quoted = "<pre>" + html.EscapeString(c.Text) + "</pre>"
		}
		d.HTML += "<br>" + rfc822.QuoteHTML(parent, quoted)
	}
	return d, m.Thread, nil
}

// address fills in whom the answer goes to. Of the computed ones neither the mailbox nor the person
// who sends is ever among them: that would be a loop (R-MSG-04).
func (s *Service) address(ctx context.Context, actor acl.Actor, in *inbox.Inbox, m *inbox.Message,
	r *Reply, d *rfc822.Draft) error {
	sender, err := s.person(ctx, in.Site, actor.User)
	if err != nil {
		return err
	}
	own := in.Account.Own()
	all := r.All && (r.Confirmed || m.Direction == filter.Outbound || addressed(m, own))
	d.To, d.Cc = rfc822.ReplyRecipients(envelopeOf(m), append(own, sender.Addresses...), all)
	if r.To != nil {
		d.To = r.To
	}
	if r.Cc != nil {
		d.Cc = r.Cc
	}
	return nil
}

// addressed says whether the mailbox was openly among the recipients.
func addressed(m *inbox.Message, own []string) bool {
	return slices.ContainsFunc(slices.Concat(m.To, m.Cc), func(a rfc822.Address) bool {
		return slices.ContainsFunc(own, func(o string) bool { return strings.EqualFold(o, a.Address) })
	})
}

// signed puts the inbox's signature below what was written (RFC 3676 section 4.3).
func signed(r *Reply, signature string) (text, page string) {
	if signature == "" {
		return r.Text, r.HTML
	}
	text = strings.TrimRight(r.Text, "\n") + "\n\n-- \n" + rfc822.HTMLToText(signature)
	if r.HTML == "" {
		return text, ""
	}
	return text, r.HTML + "<br>" + signature
}

// answered is the newest mail of the ticket that a person wrote: of those that are shown, or of all
// where none is.
func (s *Service) answered(ctx context.Context, t *Ticket) (inbox.Message, error) {
	var last inbox.MessageID
	for e, err := range s.Store.Entries(ctx, EntryQuery{Ticket: t.ID}) {
		if err != nil {
			return inbox.Message{}, err
		}
		human := e.Outbound || e.Class == rfc822.ClassHuman || e.Class == rfc822.ClassCalendar || e.Class == rfc822.ClassBulk
		if e.Message != "" && human && (!e.Hidden || t.Hidden()) {
			last = e.Message
		}
	}
	if last == "" {
		return inbox.Message{}, fmt.Errorf("ticket %q: %w", t.ID, ErrNothingToAnswer)
	}
	return s.Archive.Message(ctx, last)
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

// person is one the host may not know any more; they are nameless then.
func (s *Service) person(ctx context.Context, site inbox.SiteID, id acl.UserID) (inbox.Person, error) {
	p, err := s.Inboxes.People.Person(ctx, site, id)
	if errors.Is(err, storage.ErrNotFound) {
		return inbox.Person{}, nil
	}
	return p, err
}
