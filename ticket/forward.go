package ticket

import (
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider/rfc822"
	"github.com/workinbox/workinbox/storage"
)

// maxHistory is how many mails of a thread a forwarded mail repeats, the newest ones.
const maxHistory = 50

// Forward is a mail that passes a ticket's thread on to somebody else.
type Forward struct {
	To, Cc, Bcc []rfc822.Address
	Text        string // above what is forwarded; may be empty
	HTML        string // optional; Text is then its plain twin
	// Subject stands behind "Fwd:", at most 998 bytes of it (RFC 5322 section 2.1.1); empty is that of the
	// ticket.
	Subject string
	// Inbox is where the child ticket lies and whose mailbox sends; empty is the ticket's own.
	Inbox inbox.ID
	// Assignee gets the child ticket; empty is nobody.
	Assignee acl.UserID
	// Customer is whose the child ticket is, as in Start.
	Customer inbox.CustomerID
	// NoHistory leaves out what was written before, NoFiles the files of the newest mail.
	NoHistory bool
	NoFiles   bool

	Attachments []rfc822.Attachment
	Inline      []rfc822.Attachment // what HTML shows by cid:
	// Status is the child's status once the mail is sent; empty is waiting (R-STA-03).
	Status Status
	// SendAt and ExpectedLast are as in Reply.
	SendAt       time.Time
	ExpectedLast EntryID

	of *Draft // what it was written as, if it was
}

// Forward opens a child ticket and sends its first mail, which repeats what was written in the ticket:
// every mail that is shown, newest first, each without what it quotes (R-MSG-06). Answers to it land
// in the child. It needs the right to forward in both inboxes; of an inbox the actor may not know of
// storage.ErrNotFound says so.
//
// As with Reply, an error says that it was refused and nothing is left behind; ErrCannotAssign, and an
// *OptionError for the subject or the customer, besides those of Reply.
func (s *Service) Forward(ctx context.Context, actor acl.Actor, id ID, f Forward) (Ticket, Entry, error) {
	t, err := s.Store.Ticket(ctx, id)
	if err != nil {
		return Ticket{}, Entry{}, err
	}
	origin, err := s.allow(ctx, actor, &t, acl.Forward)
	if err != nil {
		return Ticket{}, Entry{}, err
	}
	target := origin
	if f.Inbox != "" && f.Inbox != t.Inbox {
		if target, err = s.Inboxes.Authorize(ctx, actor, f.Inbox, acl.Forward, nil); err != nil {
			return Ticket{}, Entry{}, err
		}
	}
	if err := checkSubject(f.Subject); err != nil {
		return Ticket{}, Entry{}, err
	}
	words := f.words(&t)
	if f.Status == "" {
		f.Status = Waiting
	}
	if err := s.checkStatus(ctx, t.Site, f.Status); err != nil {
		return Ticket{}, Entry{}, err
	}
	child, err := s.child(ctx, actor, &t, &target, &f)
	if err != nil {
		return Ticket{}, Entry{}, err
	}
	d, err := s.composeForward(ctx, actor, &t, &target, &f)
	if err != nil {
		return Ticket{}, Entry{}, err
	}
	l := letter{author: actor, ticket: child.ID, inbox: target.ID, draft: d, at: f.SendAt, status: f.Status, of: f.of, words: words}
	e, err := s.post(ctx, &l, func(o *Outgoing) (Entry, error) {
		return s.openChild(ctx, actor, &l, o, id, &child, &f)
	})
	if err != nil {
		return Ticket{}, Entry{}, err
	}
	e = s.sendNow(ctx, e)
	if saved, err := s.Store.Ticket(context.WithoutCancel(ctx), child.ID); err == nil {
		child = saved
	}
	return s.leftTicket(ctx, actor, child), s.left(ctx, actor, &target, e), nil
}

// child is the ticket a forwarded mail opens.
func (s *Service) child(ctx context.Context, actor acl.Actor, t *Ticket, in *inbox.Inbox, f *Forward) (Ticket, error) {
	child := s.newTicket(in, rfc822.ForwardSubject(validText(f.subject(t))), f.Assignee)
	if err := s.assignable(ctx, &child, f.Assignee); err != nil {
		return Ticket{}, err
	}
	c, err := s.customerOf(ctx, actor, f.Customer, f.To)
	child.Customer, child.Company = c.ID, c.Company
	return child, err
}

func (f *Forward) subject(t *Ticket) string {
	if f.Subject != "" {
		return f.Subject
	}
	return shortSubject(t.Subject) // an old one may be longer
}

// openChild saves the child with its mail, and the line of the parent that names it.
func (s *Service) openChild(ctx context.Context, actor acl.Actor, l *letter, o *Outgoing, parent ID, child *Ticket,
	f *Forward) (Entry, error) {
	var e Entry
	err := storage.Redo(func() error {
		t, err := s.Store.Ticket(ctx, parent)
		if err != nil {
			return err
		}
		if _, err := s.allow(ctx, actor, &t, acl.Forward); err != nil {
			return err
		}
		if err := s.sawLast(ctx, &t, f.ExpectedLast); err != nil {
			return err
		}
		if err := s.unsent(ctx, l.of); err != nil {
			return err
		}
		e = s.newEntry(child, EntryForwarded, actor.User)
		l.write(&e, o, f.Text)
		child.Latest = e.ID
		e.Other = t.ID
		line := s.newEntry(&t, EntryForwarded, actor.User)
		line.Other = child.ID
		t.touch(line.At)
		_, err = s.saveTickets(ctx, []Write{
			{Ticket: t, Entries: []Entry{line}}, {Ticket: *child, Entries: []Entry{e}, Texts: writtenTexts([]Entry{e})},
		}, s.opened(child, &e)...)
		return err
	})
	return e, err
}

// composeForward writes the mail.
func (s *Service) composeForward(ctx context.Context, actor acl.Actor, t *Ticket, in *inbox.Inbox, f *Forward) (
	rfc822.Draft, error) {
	from, err := s.from(ctx, actor, in)
	if err != nil {
		return rfc822.Draft{}, err
	}
	if f.Text == "" {
		f.Text = rfc822.HTMLToText(f.HTML)
	}
	site, err := s.settings(ctx, t.Site)
	if err != nil {
		return rfc822.Draft{}, err
	}
	d := rfc822.Draft{
		From: from, To: f.To, Cc: f.Cc, Bcc: f.Bcc, Subject: numbered(&site, t, rfc822.ForwardSubject(f.subject(t))),
		Date: s.now(), Attachments: slices.Clip(f.Attachments), Inline: slices.Clip(f.Inline),
	}
	d.Text, d.HTML = signed(f.Text, f.HTML, in.Settings.Signature)
	if f.NoHistory {
		if strings.TrimSpace(f.Text) == "" && len(f.Attachments) == 0 {
			return rfc822.Draft{}, fmt.Errorf("forward ticket %q: %w", t.ID, ErrEmpty)
		}
		return d, nil
	}
	mails, err := s.history(ctx, actor, t)
	if err != nil {
		return rfc822.Draft{}, err
	}
	for i := range mails {
		if err := s.repeat(ctx, actor, &d, &mails[i], i == 0 && !f.NoFiles); err != nil {
			return rfc822.Draft{}, err
		}
	}
	return d, nil
}

// history is the ticket's mail the actor may see, newest first; ErrNothingToAnswer where there is none.
func (s *Service) history(ctx context.Context, actor acl.Actor, t *Ticket) ([]inbox.Message, error) {
	var out []inbox.Message
	for e, err := range s.Entries(ctx, actor, t.ID) {
		if err != nil {
			return nil, err
		}
		if e.Message == "" || e.Hidden && !t.Hidden() {
			continue
		}
		m, err := s.Archive.Message(ctx, e.Message)
		if errors.Is(err, storage.ErrNotFound) {
			continue // erased since
		}
		if err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("forward ticket %q: %w", t.ID, ErrNothingToAnswer)
	}
	slices.SortStableFunc(out, func(a, b inbox.Message) int { return b.Received.Compare(a.Received) })
	return out[:min(len(out), maxHistory)], nil
}

// repeat adds a mail to the end of a draft, and with files what is attached to it.
func (s *Service) repeat(ctx context.Context, actor acl.Actor, d *rfc822.Draft, m *inbox.Message, files bool) error {
	c, err := s.Archive.Content(ctx, m.ID)
	if err != nil {
		return err
	}
	parent := envelopeOf(m)
	fresh := rfc822.SplitText(c.Text)
	text := strings.TrimSpace(fresh.New + "\n\n" + fresh.Signature)
	d.Text = strings.TrimLeft(strings.TrimRight(d.Text, "\n")+"\n\n"+rfc822.ForwardText(parent, text), "\n")
	if d.HTML != "" {
		page := "<pre>" + html.EscapeString(text) + "</pre>"
		if c.HTML != "" {
			page, _ = rfc822.SplitHTML(s.withoutPixels(c.HTML))
		}
		d.HTML += "<br>" + rfc822.ForwardHTML(parent, page)
	}
	if !files {
		return nil
	}
	for _, p := range c.Parts {
		a := rfc822.Attachment{Name: p.Name, Type: p.Type, ContentID: p.ContentID, Size: p.Size,
			Open: func() (io.ReadCloser, error) {
				_, r, err := s.Inboxes.ShownPart(ctx, actor, m.ID, p.Path)
				return r, err
			}}
		if d.HTML != "" && p.Inline && p.ContentID != "" {
			d.Inline = append(d.Inline, a)
		} else {
			d.Attachments = append(d.Attachments, a)
		}
	}
	return nil
}

// Children are the tickets a ticket was forwarded to: those the actor may see, oldest first, and how
// many there are that they may not, of which they learn nothing else (R-MSG-06). Of a hidden one they
// do not learn even that (R-CHG-07).
func (s *Service) Children(ctx context.Context, actor acl.Actor, id ID) (seen []Ticket, unseen int, err error) {
	_, in, err := s.visibleTicket(ctx, actor, id)
	if err != nil {
		return nil, 0, err
	}
	r := s.reader(actor, &in)
	for e, err := range s.Store.Entries(ctx, EntryQuery{Ticket: id}) {
		if err != nil {
			return nil, 0, err
		}
		if e.Kind != EntryForwarded || e.Other == "" || e.Outgoing != nil {
			continue
		}
		if h, err := r.home(ctx, e.Inbox); err != nil {
			return nil, 0, err
		} else if e.Hidden && !h.own {
			continue
		}
		child, err := s.Ticket(ctx, actor, e.Other)
		switch {
		case err == nil && child.MergedInto == id: // it came back
		case err == nil:
			seen = append(seen, child)
		case refused(err):
			if child, err := s.Store.Ticket(ctx, e.Other); err != nil && !errors.Is(err, storage.ErrNotFound) {
				return nil, 0, err
			} else if err == nil && !child.Hidden() && child.MergedInto != id {
				unseen++
			}
		default:
			return nil, 0, err
		}
	}
	return seen, unseen, nil
}
