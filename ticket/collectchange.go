package ticket

import (
	"context"
	"errors"
	"slices"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
)

// show follows a mail that was hidden, shown or removed to what it is now.
func (c *collector) show(ctx context.Context, id inbox.MessageID) error {
	m, err := c.s.Archive.Message(ctx, id)
	if errors.Is(err, storage.ErrNotFound) {
		return nil // erased since; its own line says so
	}
	if err != nil {
		return err
	}
	e, d, err := c.entryOf(ctx, id)
	if err != nil || d == nil || e.Hidden == hidden(&m) {
		return err
	}
	e.Hidden = hidden(&m)
	if e.Hidden {
		d.ticket.Shown--
		d.veiled = true
	} else {
		d.ticket.Shown++
		d.ticket.Latest = e.ID // nobody has seen it yet
	}
	d.put(e)
	d.mixed = true
	return nil
}

// purge follows a mail that was erased for good: nothing of it stays in its entry, and a ticket
// without mail goes to the trash. Of one that was redacted the entry stays for whom the mail was and counts
// as it did, and so does the ticket.
func (c *collector) purge(ctx context.Context, id inbox.MessageID) error {
	e, d, err := c.entryOf(ctx, id)
	if err != nil || d == nil {
		return err
	}
	t := &d.ticket
	if e.RedactedAt.IsZero() {
		wasHidden := t.Hidden()
		if t.Messages--; !e.Hidden {
			t.Shown--
		}
		e.Hidden = true
		if t.Messages == 0 {
			t.Subject, t.Last, t.WasHidden, t.DeletedAt = "", "", wasHidden, c.s.now()
		}
	} else if !e.Hidden {
		d.redacted = append(d.redacted, e)
	}
	e.Message, e.RFCID, e.Text = "", "", ""
	e.To, e.Cc, e.Bcc = nil, nil, nil
	if e.Outgoing != nil {
		o := *e.Outgoing
		if o.Blob != "" { // first the mail: afterwards nothing names it
			if err := c.s.Inboxes.ForgetRaw(ctx, e.Inbox, inbox.BlobInfo{Key: o.Blob, Size: o.Size}); err != nil {
				return err
			}
		}
		o.Marker, o.Blob, o.Size = "", "", 0
		e.Outgoing = &o
	}
	d.put(e)
	d.find(Text{Entry: e.ID})
	d.mixed = true
	return nil
}

// settle works out again what a ticket shows of its mail, from the mail that is shown, or from all of
// it where none is: a hidden mail shows neither in the subject nor in the order of lists. Then it tells of
// the mail that was redacted, which no event can name any more.
func (c *collector) settle(ctx context.Context, d *pending) error {
	lines := slices.Clone(d.entries)
	if !d.opened {
		for e, err := range c.s.Store.Entries(ctx, EntryQuery{Ticket: d.ticket.ID}) {
			if err != nil {
				return err
			}
			if !slices.ContainsFunc(d.entries, func(n Entry) bool { return n.ID == e.ID }) {
				lines = append(lines, e)
			}
		}
	}
	mail, err := c.s.survey(ctx, lines, d.ticket.Mailbox())
	if err != nil {
		return err
	}
	d.ticket.present(&mail)
	for _, e := range d.redacted {
		ev := inbox.Event{Name: EventThreadEdited, Entry: string(e.ID)}
		d.events = append(d.events, c.s.event(ev, &d.ticket, e.RedactedBy))
	}
	d.redacted = nil
	if d.veiled && mail.latest != "" {
		d.ticket.Latest = mail.latest
	}
	if d.veiled && d.ticket.Shown > 0 && d.ticket.HeardAt.After(mail.heard) {
		d.ticket.HeardAt = mail.heard // the hidden mail makes it unread for nobody
	}
	return nil
}

// reassociate follows a mail whose company changed: its ticket is of that company from now on, where
// it is of the mail's customer (R-CUS-04).
func (c *collector) reassociate(ctx context.Context, id inbox.MessageID) error {
	m, err := c.s.Archive.Message(ctx, id)
	if errors.Is(err, storage.ErrNotFound) {
		return nil // erased since; its own line says so
	}
	if err != nil {
		return err
	}
	_, d, err := c.entryOf(ctx, id)
	if err != nil || d == nil || d.ticket.Customer != m.Customer || d.ticket.Company == m.Company {
		return err
	}
	d.put(c.s.quietLine(&d.ticket, "company", string(d.ticket.Company), string(m.Company), ""))
	d.ticket.Company = m.Company
	return nil
}

// entryOf finds the entry of a mail, in this page or in the store; nil says that there is none.
func (c *collector) entryOf(ctx context.Context, id inbox.MessageID) (Entry, *pending, error) {
	for _, d := range c.touched {
		for i := range d.entries {
			if d.entries[i].Message == id {
				return d.entries[i], d, nil
			}
		}
	}
	for e, err := range c.s.Store.Entries(ctx, EntryQuery{Inbox: c.in.ID, Messages: []inbox.MessageID{id}}) {
		if err != nil {
			return Entry{}, nil, err
		}
		e, d, err := c.placed(ctx, e)
		if err != nil {
			return Entry{}, nil, err
		}
		if slices.ContainsFunc(d.entries, func(n Entry) bool { return n.ID == e.ID }) {
			return Entry{}, nil, nil // this page took the mail off it
		}
		return e, d, nil
	}
	return Entry{}, nil, nil
}

// placed returns an entry that was read, as it is now, with the ticket it is in. The ticket is read
// first: where the entry is put into another one later, the ticket has another version then. An entry
// that is in none any more is storage.ErrConflict: the page is done again.
func (c *collector) placed(ctx context.Context, e Entry) (Entry, *pending, error) {
	d, err := c.pending(ctx, e.Ticket)
	if err != nil {
		return Entry{}, nil, err
	}
	now, err := c.s.storedEntry(ctx, d.ticket.ID, e.ID)
	if errors.Is(err, storage.ErrNotFound) {
		return Entry{}, nil, &storage.Error{Op: "collect", Entity: "entry", ID: string(e.ID), Err: storage.ErrConflict}
	}
	return now, d, err
}

// lowered unassigns what was assigned to somebody who may not work on the inbox any more, and takes
// them off the followers where they may not even view it (R-INB-11, R-TKT-04). It looks at their
// access as it is now.
func (c *collector) lowered(ctx context.Context, user acl.UserID) error {
	person, err := c.s.Inboxes.Actor(ctx, c.in.Site, user)
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return err
	}
	facts := c.in.ACL()
	works := acl.Check(person, facts, acl.BeAssignee, nil).Allowed
	views := acl.Check(person, facts, acl.ViewTickets, nil).Allowed
	for _, trash := range []bool{false, true} {
		q := Query{Site: c.in.Site, Inboxes: []inbox.ID{c.in.ID}, AllHidden: true, Deleted: trash}
		for t, err := range c.s.Store.Tickets(ctx, q) {
			if err != nil {
				return err
			}
			if !works && t.Assignee == user || !views && slices.Contains(t.Followers, user) {
				c.takeOff(c.adopt(t), user, works, views)
			}
		}
	}
	return nil
}

func (c *collector) takeOff(d *pending, user acl.UserID, works, views bool) {
	t := &d.ticket
	if !works && t.Assignee == user {
		e, ev := c.s.changeAssignee(t, "", "")
		d.put(e)
		d.events = append(d.events, c.s.event(ev, t, ""))
	}
	if !views && slices.Contains(t.Followers, user) {
		d.put(c.s.dropFollower(t, user, ""))
	}
}
