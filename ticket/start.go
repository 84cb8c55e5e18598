package ticket

import (
	"context"
	"fmt"
	"time"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider/rfc822"
)

// Start is a mail that nothing came before: it begins a ticket.
type Start struct {
	To, Cc, Bcc []rfc822.Address
	Subject     string // at most 998 bytes (RFC 5322 section 2.1.1)
	Text        string // plain text; made from HTML when empty
	HTML        string // optional; Text is then its plain twin

	Attachments []rfc822.Attachment
	Inline      []rfc822.Attachment // what HTML shows by cid:
	// Assignee gets the ticket; empty is nobody.
	Assignee acl.UserID
	// Customer is whose ticket it is; empty is the customer with the first address of To, where the
	// actor may know of them.
	Customer inbox.CustomerID
	// Status is the ticket's status once the mail is sent; empty is waiting (R-STA-03).
	Status Status
	SendAt time.Time // as in Reply
}

// Start opens a ticket in an inbox and sends its first mail through the inbox's own mailbox, from its
// address (row 10). Answers to it land in the ticket. Of an inbox the actor may not know of
// storage.ErrNotFound says so.
//
// As with Reply, an error says that it was refused and nothing is left behind: ErrEmpty, ErrNobody,
// ErrTooManyRecipients, ErrMailTooLarge, ErrCannotAssign, and an *OptionError for the status, the
// subject or the customer, besides the refusals of rights.
func (s *Service) Start(ctx context.Context, actor acl.Actor, id inbox.ID, st Start) (Ticket, Entry, error) {
	in, err := s.Inboxes.Authorize(ctx, actor, id, acl.StartTicket, nil)
	if err != nil {
		return Ticket{}, Entry{}, err
	}
	if blank(st.Text, st.HTML, len(st.Attachments)) {
		return Ticket{}, Entry{}, fmt.Errorf("start a ticket in inbox %q: %w", id, ErrEmpty)
	}
	if err := checkSubject(st.Subject); err != nil {
		return Ticket{}, Entry{}, err
	}
	if st.Status == "" {
		st.Status = Waiting
	}
	if err := s.checkStatus(ctx, in.Site, st.Status); err != nil {
		return Ticket{}, Entry{}, err
	}
	t, err := s.startedTicket(ctx, actor, &in, &st)
	if err != nil {
		return Ticket{}, Entry{}, err
	}
	d, err := s.composeStart(ctx, actor, &in, &st)
	if err != nil {
		return Ticket{}, Entry{}, err
	}
	l := letter{author: actor, ticket: t.ID, inbox: in.ID, draft: d, at: st.SendAt, status: st.Status}
	e, err := s.post(ctx, &l, func(o *Outgoing) (Entry, error) {
		if _, err := s.Inboxes.Authorize(ctx, actor, id, acl.StartTicket, nil); err != nil {
			return Entry{}, err
		}
		e := s.newEntry(&t, EntryReplied, actor.User)
		l.write(&e, o, st.Text)
		t.Latest = e.ID
		_, err := s.saveTickets(ctx, []Write{{Ticket: t, Entries: []Entry{e}, Texts: writtenTexts([]Entry{e})}},
			s.opened(&t, &e)...)
		return e, err
	})
	if err != nil {
		return Ticket{}, Entry{}, err
	}
	e = s.sendNow(ctx, e)
	if saved, err := s.Store.Ticket(context.WithoutCancel(ctx), t.ID); err == nil {
		t = saved
	}
	return s.leftTicket(ctx, actor, t), s.left(ctx, actor, &in, e), nil
}

// startedTicket is the ticket a mail begins.
func (s *Service) startedTicket(ctx context.Context, actor acl.Actor, in *inbox.Inbox, st *Start) (Ticket, error) {
	catalog, err := s.catalogOf(ctx, in.Site)
	if err != nil {
		return Ticket{}, err
	}
	t := s.newTicket(in, validText(st.Subject), st.Assignee)
	t.Type = catalog.defaultType(in)
	if err := s.assignable(ctx, &t, st.Assignee); err != nil {
		return Ticket{}, err
	}
	c, err := s.customerOf(ctx, actor, st.Customer, st.To)
	t.Customer, t.Company = c.ID, c.Company
	return t, err
}

// newTicket is a ticket that a teammate opens.
func (s *Service) newTicket(in *inbox.Inbox, subject string, assignee acl.UserID) Ticket {
	now := s.now()
	return Ticket{ID: ID(s.NewID()), Site: in.Site, Inbox: in.ID, Subject: subject, Status: Active, StatusAt: now,
		Source: SourceManual, CreatedAt: now, Activity: now, Assignee: assignee}
}

// opened are the events of a ticket that a teammate opened with a mail.
func (s *Service) opened(t *Ticket, e *Entry) []inbox.Event {
	ev := []inbox.Event{s.event(inbox.Event{Name: EventCreated, Entry: string(e.ID)}, t, e.Author)}
	if t.Assignee != "" {
		ev = append(ev, s.event(inbox.Event{Name: EventAssigned, Entry: string(e.ID), Target: t.Assignee}, t, e.Author))
	}
	return ev
}

// customerOf is the customer chosen, or the one with the first address; the zero Customer is none.
func (s *Service) customerOf(ctx context.Context, actor acl.Actor, chosen inbox.CustomerID, to []rfc822.Address) (
	inbox.Customer, error) {
	if chosen != "" {
		return s.chosenCustomer(ctx, actor, chosen)
	}
	if len(to) == 0 {
		return inbox.Customer{}, nil
	}
	q := inbox.CustomerQuery{Address: filter.AddressKey(to[0].Address), Limit: 1}
	if q.Address == "" {
		return inbox.Customer{}, nil
	}
	for c, err := range s.Inboxes.Customers(ctx, actor, q) {
		return c, err
	}
	return inbox.Customer{}, nil
}

// composeStart writes the mail.
func (s *Service) composeStart(ctx context.Context, actor acl.Actor, in *inbox.Inbox, st *Start) (rfc822.Draft, error) {
	from, err := s.from(ctx, actor, in)
	if err != nil {
		return rfc822.Draft{}, err
	}
	if st.Text == "" {
		st.Text = rfc822.HTMLToText(st.HTML)
	}
	d := rfc822.Draft{
		From: from, To: st.To, Cc: st.Cc, Bcc: st.Bcc, Subject: st.Subject, Date: s.now(),
		Attachments: st.Attachments, Inline: st.Inline,
	}
	d.Text, d.HTML = signed(st.Text, st.HTML, in.Settings.Signature)
	return d, nil
}
