package ticket

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider/rfc822"
	"github.com/workinbox/workinbox/storage"
)

// arrive puts one mail into the ticket it belongs to.
func (c *collector) arrive(ctx context.Context, m *inbox.Message) error {
	if found, err := c.ownSend(ctx, m); found || err != nil {
		return err
	}
	l, err := c.find(ctx, m)
	if err != nil {
		return err
	}
	in := &c.in
	var moved *pending // where the thread went without its new mail
	if l.pending != nil {
		var err error
		if in, err = c.inboxOf(ctx, &l.ticket); err != nil {
			return err
		}
		_, fresh := next(causeOf(m), l.ticket.Status, c.defaultStatus(in), l.ticket.lockedAt(in, m.Received))
		switch elsewhere := in.ID != c.in.ID; {
		case fresh, elsewhere && in.State == inbox.StateDeleted:
			l = landing{}
		case elsewhere && l.stays:
			l, moved = landing{}, l.pending
		}
	}
	opened := l.pending == nil
	if opened {
		l, in = landing{pending: c.open(m)}, &c.in
		if moved != nil {
			c.link(l.pending, moved)
		}
	}
	e := arrivedEntry(c.s.NewID(), &l.ticket, m, c.in.Creator)
	e.Merged = l.merged
	c.add(l.pending, &e, m)
	c.judge(l.pending, m, &e, opened, c.defaultStatus(in))
	c.tell(l.pending, m, &e, opened)
	if err := c.autoFollow(ctx, l.pending, m); err != nil {
		return err
	}
	if err := c.bounced(ctx, m); err != nil {
		return err
	}
	return c.index(ctx, l.pending, &e, m)
}

// find returns the ticket of a mail's thread, else of the newest mail it refers to, else of the mail it
// reports on. Where a thread was divided, the mail it refers to says more.
func (c *collector) find(ctx context.Context, m *inbox.Message) (landing, error) {
	l, err := c.landVia(ctx, c.byThread[m.Thread])
	if err != nil || l.pending != nil && !l.ticket.Divided {
		return l, err
	}
	for _, id := range slices.Backward(m.References) {
		if to, err := c.landVia(ctx, c.byRFCID[id]); err != nil || to.pending != nil {
			return to, err
		}
	}
	if to, err := c.reported(ctx, m.Report); err != nil || to.pending != nil {
		return to, err
	}
	return l, nil
}

// inboxOf returns the inbox a ticket is in.
func (c *collector) inboxOf(ctx context.Context, t *Ticket) (*inbox.Inbox, error) {
	if t.Inbox == c.in.ID {
		return &c.in, nil
	}
	if in := c.inboxes[t.Inbox]; in != nil {
		return in, nil
	}
	in, err := c.s.engineInbox(ctx, t.Inbox)
	if errors.Is(err, storage.ErrNotFound) {
		in, err = inbox.Inbox{ID: t.Inbox, State: inbox.StateDeleted}, nil // purged meanwhile
	}
	if err != nil {
		return nil, err
	}
	c.inboxes[t.Inbox] = &in
	return &in, nil
}

// link joins a ticket that new mail of a moved one's thread has opened to that one (R-TKT-08).
func (c *collector) link(opened, moved *pending) {
	for _, side := range [][2]*pending{{opened, moved}, {moved, opened}} {
		side[0].put(c.s.otherLine(&side[0].ticket, changeLinked, side[1].ticket.ID, ""))
	}
}

// defaultStatus is the status of a new ticket in an inbox: the one its settings name, as long as the
// site's catalog offers that.
func (c *collector) defaultStatus(in *inbox.Inbox) Status {
	st := Status(in.Settings.DefaultStatus)
	if st.BuiltIn() || st != "" && choose("status", c.catalog.Statuses, string(st)) == nil {
		return st
	}
	return Active
}

func (c *collector) open(m *inbox.Message) *pending {
	d := c.adopt(Ticket{
		ID: ID(c.s.NewID()), Site: c.in.Site, Inbox: c.in.ID, Subject: shortSubject(m.Subject), Source: SourceEmail,
		Type: c.catalog.defaultType(&c.in), Status: c.defaultStatus(&c.in), Imported: m.Imported, CreatedAt: m.Received,
	})
	d.opened = true
	return d
}

// add appends a mail to a ticket, and makes known what later mail is found by.
func (c *collector) add(d *pending, e *Entry, m *inbox.Message) {
	t := &d.ticket
	nameless := !d.opened && t.Last == "" && (t.Subject == "" || t.Messages > 0) // the mail it was called by is gone
	d.put(*e)
	d.mails++
	l := landing{pending: d, number: d.number(), stays: t.leavesMail(c.in.ID)}
	if !t.DeletedAt.IsZero() {
		l = landing{} // a copy of what was sent came in: nothing else lands in the trash
	}
	if m.Inbox == t.Mailbox() && (!t.Divided || c.byThread[m.Thread].pending == nil) {
		t.follow(m.Thread)
		c.byThread[m.Thread] = better(c.byThread[m.Thread], l)
	}
	if m.RFCID != "" {
		l.merged = e.Merged
		c.byRFCID[m.RFCID] = l
	}
	if t.Messages++; !e.Hidden {
		t.Shown++
	}
	if e.Outgoing == nil && (!e.Hidden || t.Shown == 0) { // a copy of what was sent from here is no news
		t.Latest = e.ID
	}
	if e.Merged == "" && m.Received.Before(t.CreatedAt) {
		t.CreatedAt, t.Subject = m.Received, shortSubject(m.Subject)
	}
	if e.Merged == "" && m.Customer != "" && (t.Customer == "" || m.Received.Before(t.CustomerMail)) {
		t.Customer, t.Company, t.CustomerMail = m.Customer, m.Company, m.Received
	}
	if t.Last == "" || newer(m.Received, m.ID, t.LastMail, t.Last) {
		t.Last, t.LastMail = m.ID, m.Received
	}
	d.mixed = d.mixed || nameless || t.Shown < t.Messages
	if !e.Hidden || t.Shown == 0 {
		t.touch(m.Received)
	}
}

// newer says whether a mail, by when it was received and then by its id, comes after another one.
func newer(received time.Time, id inbox.MessageID, than time.Time, other inbox.MessageID) bool {
	return cmp.Or(received.Compare(than), cmp.Compare(id, other)) > 0
}

// judge lets a mail move the status (R-STA-08, R-IMP-09). Whatever came in first, the newest mail that
// has a say decides; at the same moment the client does. Mail of machines has none, nor mail whose
// sender is in doubt (R-FLT-11) or that only the inbox's creator may see. Imported mail leaves alone
// what a person may have set.
func (c *collector) judge(d *pending, m *inbox.Message, e *Entry, opened bool, def Status) {
	t, cause := &d.ticket, causeOf(m)
	if cause == CauseAutomated || e.Hidden || m.ForgedSelf || m.Auth == rfc822.AuthFail {
		return
	}
	if cause == CauseCustomer && !m.Imported {
		t.HeardAt = c.s.now()
	}
	if m.Received.Before(t.StatusMail) || cause == CauseOwnerMail && m.Received.Equal(t.StatusMail) {
		return
	}
	t.StatusMail = m.Received
	if opened {
		to, _ := next(cause, "", def, false)
		t.enterStatus(to, m.Received)
		return
	}
	to, _ := next(cause, t.Status, def, false)
	if !m.Imported {
		if to != t.Status {
			line, ev := c.s.changeStatus(t, to, "")
			d.put(line)
			d.events = append(d.events, c.s.event(ev, t, ""))
		}
		return
	}
	if cause == CauseCustomer {
		to = def
	}
	if t.Status == def || t.Status == Active || t.Status == Waiting {
		t.enterStatus(to, m.Received)
	}
}

// tell adds the event a live mail causes. Imported and automated mail is silent (R-IMP-07, 11.6), and
// so is mail that is not for everybody or not who it says it is from.
func (c *collector) tell(d *pending, m *inbox.Message, e *Entry, opened bool) {
	if m.Imported || m.ForgedSelf || m.Auth == rfc822.AuthFail || e.Hidden {
		return
	}
	cause := causeOf(m)
	ev := inbox.Event{Message: m.ID, Entry: string(e.ID)}
	switch {
	case m.Report != nil && m.Class == rfc822.ClassBounce:
		ev.Name = EventBounced
	case cause == CauseAutomated || cause == CauseOwnerMail && !opened || m.Class == rfc822.ClassCalendar:
		return
	case opened:
		ev.Name = EventCreated
	default:
		ev.Name = EventCustomerReply
	}
	d.events = append(d.events, c.s.event(ev, &d.ticket, ""))
}

func causeOf(m *inbox.Message) Cause {
	switch {
	case m.Direction == filter.Outbound:
		return CauseOwnerMail
	case m.Class == rfc822.ClassHuman || m.Class == rfc822.ClassCalendar:
		return CauseCustomer
	}
	return CauseAutomated
}

func arrivedEntry(id string, t *Ticket, m *inbox.Message, creator acl.UserID) Entry {
	e := Entry{
		ID: EntryID(id), Ticket: t.ID, Inbox: m.Inbox, Kind: EntryReceived, At: m.Received,
		Message: m.ID, RFCID: m.RFCID, Class: m.Class, Imported: m.Imported,
		Hidden: hidden(m), To: m.To, Cc: m.Cc, Bcc: m.Bcc,
	}
	if m.Direction == filter.Outbound { // R-IMP-12
		e.Kind, e.Outbound, e.Author = EntrySent, true, creator
	}
	return e
}

// hidden says whether only the inbox's creator may see a mail.
func hidden(m *inbox.Message) bool { return m.Hidden || m.Private || m.Removed }
