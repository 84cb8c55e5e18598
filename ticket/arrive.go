package ticket

import (
	"context"
	"slices"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider/rfc822"
)

// arrive puts one mail into the ticket it belongs to.
func (c *collector) arrive(ctx context.Context, m *inbox.Message) error {
	if found, err := c.ownSend(ctx, m); found || err != nil {
		return err
	}
	d := c.find(m)
	if d != nil {
		if _, fresh := next(causeOf(m), d.ticket.Status, c.defaultStatus(), d.ticket.lockedAt(&c.in, m.Received)); fresh {
			d = nil
		}
	}
	opened := d == nil
	if opened {
		d = c.open(m)
	}
	e := mailEntry(c.s.NewID(), &d.ticket, m, c.in.Creator)
	c.add(d, &e, m)
	c.judge(d, m, &e, opened)
	c.tell(d, m, &e, opened)
	return c.index(ctx, d, &e, m)
}

// find returns the ticket of a mail's thread, else of the newest mail it refers to.
func (c *collector) find(m *inbox.Message) *draft {
	if d := c.byThread[m.Thread]; d != nil {
		return d
	}
	for _, id := range slices.Backward(m.References) {
		if d := c.byRFCID[id]; d != nil {
			return d
		}
	}
	return nil
}

func (c *collector) defaultStatus() Status {
	if st := Status(c.in.Settings.DefaultStatus); st != "" {
		return st
	}
	return Active
}

func (c *collector) open(m *inbox.Message) *draft {
	d := c.adopt(Ticket{
		ID: ID(c.s.NewID()), Site: c.in.Site, Inbox: c.in.ID, Subject: m.Subject, Source: SourceEmail,
		Type: c.newType, Status: c.defaultStatus(), Imported: m.Imported, CreatedAt: m.Received,
	})
	d.opened = true
	return d
}

// add appends a mail to a ticket, and makes known what later mail is found by.
func (c *collector) add(d *draft, e *Entry, m *inbox.Message) {
	t := &d.ticket
	d.put(*e)
	d.mails++
	t.follow(m.Thread)
	c.byThread[m.Thread] = d
	if m.RFCID != "" {
		c.byRFCID[m.RFCID] = d
	}
	if t.Messages++; !e.Hidden {
		t.Shown++
	}
	if m.Received.Before(t.CreatedAt) {
		t.CreatedAt, t.Subject = m.Received, m.Subject
	}
	if m.Customer != "" && (t.Customer == "" || m.Received.Before(t.CustomerMail)) {
		t.Customer, t.Company, t.CustomerMail = m.Customer, m.Company, m.Received
	}
	if t.Last == "" || newer(m, t) {
		t.Last, t.LastMail = m.ID, m.Received
	}
	d.mixed = d.mixed || t.Shown < t.Messages
	if !e.Hidden || t.Shown == 0 {
		t.touch(m.Received)
	}
}

func newer(m *inbox.Message, t *Ticket) bool {
	if m.Received.Equal(t.LastMail) {
		return m.ID > t.Last
	}
	return m.Received.After(t.LastMail)
}

// judge lets a mail move the status (R-STA-08, R-IMP-09). Whatever came in first, the newest mail that
// has a say decides; at the same moment the client does. Mail of machines has none, nor mail whose
// sender is in doubt (R-FLT-11) or that only the inbox's creator may see. Imported mail leaves alone
// what a person may have set.
func (c *collector) judge(d *draft, m *inbox.Message, e *Entry, opened bool) {
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
		to, _ := next(cause, "", c.defaultStatus(), false)
		t.moveTo(to, m.Received)
		return
	}
	to, _ := next(cause, t.Status, c.defaultStatus(), false)
	if !m.Imported {
		if to != t.Status {
			line, ev := c.s.setStatus(t, to, "")
			d.put(line)
			d.events = append(d.events, c.s.event(ev, t, ""))
		}
		return
	}
	if cause == CauseCustomer {
		to = c.defaultStatus()
	}
	if t.Status == c.defaultStatus() || t.Status == Active || t.Status == Waiting {
		t.moveTo(to, m.Received)
	}
}

// tell adds the event a live mail causes. Imported and automated mail is silent (R-IMP-07, 11.6), and
// so is mail that is not for everybody or not who it says it is from.
func (c *collector) tell(d *draft, m *inbox.Message, e *Entry, opened bool) {
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

func mailEntry(id string, t *Ticket, m *inbox.Message, creator acl.UserID) Entry {
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
