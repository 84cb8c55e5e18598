package ticket

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
)

// collector is one page of the log on its way into tickets.
type collector struct {
	s        *Service
	in       inbox.Inbox
	mails    []inbox.Message
	touched  []*pending // in the order they were first touched
	byID     map[ID]*pending
	byThread map[inbox.ThreadID]landing
	byRFCID  map[string]landing
	inboxes  map[inbox.ID]*inbox.Inbox // those of tickets that were moved
	catalog  Catalog                   // of the site, where there is new mail
	waiting  map[string]Entry          // mail sent from here whose copy has not come back, by Message-ID
	// followers are those who follow what names them, by address; nil until they are asked for.
	followers map[string][]acl.UserID
}

func newCollector(s *Service, in inbox.Inbox) *collector {
	return &collector{s: s, in: in, byID: make(map[ID]*pending), byThread: make(map[inbox.ThreadID]landing),
		byRFCID: make(map[string]landing), inboxes: make(map[inbox.ID]*inbox.Inbox), waiting: make(map[string]Entry)}
}

// landing is the ticket that new mail goes to: the one that has the mail's thread or a mail it refers
// to, or the one that took that in.
type landing struct {
	*pending
	number int64 // of the ticket that has the thread or the mail
	merged ID    // that ticket, where another took it in
	stays  bool  // it was moved on the way there, without the mail that follows (R-TKT-08)
}

// pending is a ticket being changed. Without entries it is not written.
type pending struct {
	ticket  Ticket
	entries []Entry
	texts   []Text
	events  []inbox.Event
	mails   int
	opened  bool
	mixed   bool // some of its mail is hidden, or was, or is gone
	veiled  bool // some of it has been hidden just now
	// redacted are the entries of mail for everybody that was redacted and is erased now.
	redacted []Entry
}

// number is the ticket's, and more than any for one that has none yet.
func (d *pending) number() int64 {
	if d.opened {
		return math.MaxInt64
	}
	return d.ticket.Number
}

// put replaces the entry among those that are written, or adds it.
func (d *pending) put(e Entry) {
	for i := range d.entries {
		if d.entries[i].ID == e.ID {
			d.entries[i] = e
			return
		}
	}
	d.entries = append(d.entries, e)
}

// load reads the mails that arrived, oldest first, and the tickets they belong to. Mail that is in a
// ticket already is left out: this page was collected before and only the mark was not moved. A copy
// is left out too: it is shown once, as the first one (R-IMP-06).
func (c *collector) load(ctx context.Context, lines []inbox.Change) error {
	var ids []inbox.MessageID
	for _, l := range lines {
		if l.Kind == inbox.ChangeArrived {
			ids = append(ids, l.Message)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	done := make(map[inbox.MessageID]bool)
	for e, err := range c.s.Store.Entries(ctx, EntryQuery{Inbox: c.in.ID, Messages: ids}) {
		if err != nil {
			return err
		}
		done[e.Message] = true
	}
	for _, id := range ids {
		if done[id] {
			continue
		}
		m, err := c.s.Archive.Message(ctx, id)
		if errors.Is(err, storage.ErrNotFound) {
			continue // erased meanwhile
		}
		if err != nil {
			return err
		}
		if m.CopyOf == "" {
			c.mails = append(c.mails, m)
		}
	}
	slices.SortFunc(c.mails, func(a, b inbox.Message) int {
		return cmp.Or(a.Received.Compare(b.Received), cmp.Compare(a.ID, b.ID))
	})
	if len(c.mails) == 0 {
		return nil
	}
	var err error
	if c.catalog, err = c.s.catalogOf(ctx, c.in.Site); err != nil {
		return err
	}
	if err := c.loadThreads(ctx); err != nil {
		return err
	}
	return c.loadEntries(ctx)
}

// loadThreads finds tickets by thread.
func (c *collector) loadThreads(ctx context.Context) error {
	var threads []inbox.ThreadID
	for i := range c.mails {
		threads = append(threads, c.mails[i].Thread)
	}
	slices.Sort(threads)
	if threads = slices.Compact(threads); len(threads) == 0 {
		return nil
	}
	for t, err := range c.s.Store.Tickets(ctx, Query{
		Site: c.in.Site, Mailbox: c.in.ID, Threads: threads, AllHidden: true, Merged: true,
	}) {
		if err != nil {
			return err
		}
		l, err := c.land(ctx, c.adopt(t))
		if err != nil {
			return err
		}
		for _, th := range t.Threads {
			c.byThread[th] = better(c.byThread[th], l)
		}
	}
	return nil
}

// land follows merges to the ticket that takes a ticket's mail now: none where that one is in the
// trash, or gone.
func (c *collector) land(ctx context.Context, d *pending) (landing, error) {
	l := landing{pending: d, number: d.ticket.Number, stays: d.ticket.leavesMail(c.in.ID)}
	for range maxMerges {
		if l.ticket.MergedInto == "" {
			break
		}
		into, err := c.pending(ctx, l.ticket.MergedInto)
		if errors.Is(err, storage.ErrNotFound) {
			return landing{}, nil
		}
		if err != nil {
			return landing{}, err
		}
		l.pending, l.merged, l.stays = into, d.ticket.ID, l.stays || into.ticket.leavesMail(c.in.ID)
	}
	if l.ticket.MergedInto != "" || !l.ticket.DeletedAt.IsZero() {
		return landing{}, nil
	}
	return l, nil
}

// landWith is land for the ticket of an entry, which may have come there from another one.
func (c *collector) landWith(ctx context.Context, e *Entry) (landing, error) {
	d, err := c.pending(ctx, e.Ticket)
	if err != nil {
		return landing{}, err
	}
	l, err := c.land(ctx, d)
	if err != nil || e.Merged == "" || l.pending == nil {
		return l, err
	}
	l.merged = e.Merged
	return c.landVia(ctx, l)
}

// landVia looks at the ticket a landing was meant for, where another took that in: what was left behind as
// that one was moved does not follow the merge.
func (c *collector) landVia(ctx context.Context, l landing) (landing, error) {
	if l.pending == nil || l.merged == "" {
		return l, nil
	}
	from, err := c.pending(ctx, l.merged)
	if errors.Is(err, storage.ErrNotFound) {
		l.merged = ""
		return l, nil
	}
	if err == nil {
		l.stays = l.stays || from.ticket.leavesMail(c.in.ID)
	}
	return l, err
}

// leavesMail says that the ticket was moved away from a mailbox and the mail of its threads was not.
func (t *Ticket) leavesMail(in inbox.ID) bool {
	return t.Mailbox() == in && t.Moved() && !t.TakesMail
}

// loadEntries finds tickets by Message-ID: those that mails of unknown threads refer to, and those
// with a mail from here that an outgoing mail may be the copy of.
func (c *collector) loadEntries(ctx context.Context) error {
	var ids []string
	for i := range c.mails {
		m := &c.mails[i]
		if at := c.byThread[m.Thread]; at.pending == nil || at.ticket.Divided {
			ids = append(ids, m.References...)
		}
		if m.Direction == filter.Outbound && m.RFCID != "" {
			ids = append(ids, m.RFCID)
		}
	}
	slices.Sort(ids)
	if ids = slices.Compact(ids); len(ids) == 0 {
		return nil
	}
	for e, err := range c.s.Store.Entries(ctx, EntryQuery{Inbox: c.in.ID, RFCIDs: ids}) {
		if err != nil {
			return err
		}
		if e.Outgoing != nil && e.Message == "" {
			c.waiting[e.RFCID] = e
		}
		l, err := c.landWith(ctx, &e)
		if err != nil {
			return err
		}
		c.byRFCID[e.RFCID] = better(c.byRFCID[e.RFCID], l)
	}
	return nil
}

// better picks the ticket that new mail goes to, of two that have a claim: the one opened later, since
// it was opened because the other took no more. Either may be none.
func better(have, l landing) landing {
	if have.pending == nil || l.pending != nil && l.number > have.number {
		return l
	}
	return have
}

func (c *collector) adopt(t Ticket) *pending {
	if d := c.byID[t.ID]; d != nil {
		return d
	}
	d := &pending{ticket: t}
	c.byID[t.ID] = d
	c.touched = append(c.touched, d)
	return d
}

func (c *collector) pending(ctx context.Context, id ID) (*pending, error) {
	if d := c.byID[id]; d != nil {
		return d, nil
	}
	t, err := c.s.Store.Ticket(ctx, id)
	if err != nil {
		return nil, err
	}
	return c.adopt(t), nil
}
