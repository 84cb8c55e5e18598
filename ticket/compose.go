package ticket

import (
	"context"
	"errors"
	"fmt"
	"html"
	"slices"
	"strings"
	"unicode"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider/rfc822"
	"github.com/workinbox/workinbox/storage"
)

// compose writes the answer to a mail from the mailbox of in.
func (s *Service) compose(ctx context.Context, actor acl.Actor, in *inbox.Inbox, t *Ticket, m *inbox.Message, r *Reply) (
	rfc822.Draft, error) {
	from, err := s.from(ctx, actor, in)
	if err != nil {
		return rfc822.Draft{}, err
	}
	site, err := s.settings(ctx, t.Site)
	if err != nil {
		return rfc822.Draft{}, err
	}
	parent := envelopeOf(m)
	d := rfc822.Draft{
		From: from, Subject: numbered(&site, t, rfc822.ReplySubject(shortSubject(m.Subject))), Date: s.now(),
		Attachments: r.Attachments, Inline: r.Inline, Bcc: r.Bcc,
	}
	d.InReplyTo, d.References = rfc822.ReplyHeaders(parent)
	if err := s.address(ctx, actor, in, t, m, r, &d); err != nil {
		return rfc822.Draft{}, err
	}
	d.Text, d.HTML = signed(r.Text, r.HTML, in.Settings.Signature)
	if r.NoQuote || site.NoQuote {
		return d, nil
	}
	c, err := s.Archive.Content(ctx, m.ID)
	if err != nil {
		return rfc822.Draft{}, err
	}
	d.Text = strings.TrimRight(d.Text, "\n") + "\n\n" + rfc822.QuoteText(parent, c.Text)
	if d.HTML != "" {
		quoted := s.withoutPixels(c.HTML)
		if quoted == "" {
			quoted = "<pre>" + html.EscapeString(c.Text) + "</pre>"
		}
		d.HTML += "<br>" + rfc822.QuoteHTML(parent, quoted)
	}
	return d, nil
}

// address fills in whom the answer goes to. Of the computed ones neither a mailbox of the site nor the
// person who sends is ever among them: that would be a loop (R-MSG-04).
func (s *Service) address(ctx context.Context, actor acl.Actor, in *inbox.Inbox, t *Ticket, m *inbox.Message,
	r *Reply, d *rfc822.Draft) error {
	sender, err := s.person(ctx, in.Site, actor.User)
	if err != nil {
		return err
	}
	own := slices.Concat(in.Account.Own(), sender.Addresses)
	openly := r.Confirmed || m.Direction == filter.Outbound || addressed(m, in.Account.Own())
	r.All = r.All && openly
	d.To = rfc822.ReplyRecipients(envelopeOf(m), own)
	if r.All {
		d.To, _ = rfc822.ReplyAllRecipients(envelopeOf(m), own)
	}
	switch {
	case r.To != nil:
		d.To = r.To
	case openly: // a blind copy is answered to the sender alone
		if err := s.toCustomer(ctx, actor, t, d); err != nil {
			return err
		}
	}
	if r.Cc != nil || !r.All {
		d.Cc = r.Cc
		return nil
	}
	on, err := s.copied(ctx, t)
	if err != nil {
		return err
	}
	boxes, err := s.mailboxes(ctx, in.Site)
	if err != nil {
		return err
	}
	for _, a := range d.To {
		own = append(own, a.Address)
	}
	d.Cc = on.without(append(own, boxes...)...)
	return nil
}

// toCustomer lets an answer go to the customer somebody picked for the ticket, where that is not who it
// would go to (R-MSG-03). A customer the actor may not know of, or who is gone, changes nothing.
func (s *Service) toCustomer(ctx context.Context, actor acl.Actor, t *Ticket, d *rfc822.Draft) error {
	picked, err := s.picked(ctx, t)
	if err != nil || !picked {
		return err
	}
	c, err := s.Inboxes.Customer(ctx, actor, t.Customer)
	if err != nil && refused(err) {
		return nil
	}
	if err != nil || c.Address == "" {
		return err
	}
	is := func(a rfc822.Address) bool {
		key := filter.AddressKey(a.Address)
		return key == c.Address || slices.Contains(c.Alternatives, key)
	}
	if !slices.ContainsFunc(d.To, is) {
		d.To = []rfc822.Address{{Name: headerName(c.Name), Address: c.Address}}
	}
	return nil
}

// picked says that a teammate made the ticket another customer's.
func (s *Service) picked(ctx context.Context, t *Ticket) (bool, error) {
	if t.Customer == "" || !t.CustomerMail.IsZero() {
		return false, nil
	}
	for e, err := range s.Store.Entries(ctx, EntryQuery{Ticket: t.ID}) {
		if err != nil {
			return false, err
		}
		if e.Change != nil && e.Change.Field == "customer" && e.Author != "" {
			return true, nil
		}
	}
	return false, nil
}

// addressed says whether the mailbox was openly among the recipients.
func addressed(m *inbox.Message, own []string) bool {
	return slices.ContainsFunc(slices.Concat(m.To, m.Cc), func(a rfc822.Address) bool {
		return slices.ContainsFunc(own, func(o string) bool { return strings.EqualFold(o, a.Address) })
	})
}

// signed puts the inbox's signature below what was written (RFC 3676 section 4.3).
func signed(text, page, signature string) (signedText, signedPage string) {
	if signature == "" {
		return text, page
	}
	text = strings.TrimRight(text, "\n") + "\n\n-- \n" + rfc822.HTMLToText(signature)
	if page == "" {
		return text, ""
	}
	return text, page + "<br>" + signature
}

// from is who a mail comes from: always the connected address, under the name the inbox's settings
// choose (R-MSG-10, 11.12). The name of a person is the host's, and is cleaned: mail leaves whatever is in it.
func (s *Service) from(ctx context.Context, actor acl.Actor, in *inbox.Inbox) (rfc822.Address, error) {
	a := rfc822.Address{Address: in.Account.Address}
	who := in.Creator
	switch in.Settings.SendAs {
	case inbox.SendAsInbox:
		a.Name = headerName(in.Name)
		return a, nil
	case inbox.SendAsAgent:
		who = actor.User
	}
	p, err := s.person(ctx, in.Site, who)
	a.Name = headerName(p.Name)
	return a, err
}

// headerName is a name as a header takes it: a blank for each control character.
func headerName(name string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, name))
}

// answered is the newest mail of the ticket that a person wrote: of those that are shown, or of all
// where none is.
func (s *Service) answered(ctx context.Context, t *Ticket) (inbox.Message, error) {
	var last inbox.MessageID
	for e, err := range s.Store.Entries(ctx, EntryQuery{Ticket: t.ID}) {
		if err != nil {
			return inbox.Message{}, err
		}
		if e.byPerson() && (!e.Hidden || t.Hidden()) {
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
