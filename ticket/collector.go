package ticket

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
)

// collector is one page of the log on its way into tickets.
type collector struct {
	s        *Service
	in       inbox.Inbox
	mails    []inbox.Message
	drafts   []*draft // in the order they were first touched
	byID     map[ID]*draft
	byThread map[inbox.ThreadID]*draft
	byRFCID  map[string]*draft
	newType  string           // the type of new tickets
	waiting  map[string]Entry // mail sent from here whose copy has not come back, by Message-ID
}

func newCollector(s *Service, in inbox.Inbox) *collector {
	return &collector{s: s, in: in, byID: make(map[ID]*draft), byThread: make(map[inbox.ThreadID]*draft),
		byRFCID: make(map[string]*draft), waiting: make(map[string]Entry)}
}

// draft is a ticket being changed. Without entries it is not written.
type draft struct {
	ticket  Ticket
	entries []Entry
	texts   []Text
	events  []inbox.Event
	mails   int
	opened  bool
	mixed   bool // some of its mail is hidden, or was
}

// put replaces the entry in the draft, or adds it.
func (d *draft) put(e Entry) {
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
	catalog, err := c.s.catalog(ctx, c.in.Site)
	if err != nil {
		return err
	}
	c.newType = catalog.defaultType(&c.in)
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
		Site: c.in.Site, Inboxes: []inbox.ID{c.in.ID}, Threads: threads, AllHidden: true,
	}) {
		if err != nil {
			return err
		}
		d := c.adopt(t)
		for _, th := range t.Threads {
			c.byThread[th] = better(c.byThread[th], d)
		}
	}
	return nil
}

// loadEntries finds tickets by Message-ID: those that mails of unknown threads refer to, and those
// with a mail from here that an outgoing mail may be the copy of.
func (c *collector) loadEntries(ctx context.Context) error {
	var ids []string
	for i := range c.mails {
		m := &c.mails[i]
		if c.byThread[m.Thread] == nil {
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
		d, err := c.draft(ctx, e.Ticket)
		if err != nil {
			return err
		}
		if d.ticket.DeletedAt.IsZero() {
			c.byRFCID[e.RFCID] = better(c.byRFCID[e.RFCID], d)
		}
	}
	return nil
}

// better picks the ticket that new mail goes to, of two that have a claim: the one opened later, since
// it was opened because the other took no more. have may be nil.
func better(have, d *draft) *draft {
	if have == nil || d.ticket.Number > have.ticket.Number {
		return d
	}
	return have
}

func (c *collector) adopt(t Ticket) *draft {
	if d := c.byID[t.ID]; d != nil {
		return d
	}
	d := &draft{ticket: t}
	c.byID[t.ID] = d
	c.drafts = append(c.drafts, d)
	return d
}

func (c *collector) draft(ctx context.Context, id ID) (*draft, error) {
	if d := c.byID[id]; d != nil {
		return d, nil
	}
	t, err := c.s.Store.Ticket(ctx, id)
	if err != nil {
		return nil, err
	}
	return c.adopt(t), nil
}
