package ticket

import (
	"context"
	"errors"
	"slices"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider/rfc822"
	"github.com/workinbox/workinbox/storage"
)

// logPage is how many lines of an inbox's log one step of Collect takes.
const logPage = 200

// Collected says what a Collect did.
type Collected struct {
	Opened   int // new tickets
	Extended int // mails added to tickets
	Changes  int // lines of the log applied
}

// Collect brings the tickets of an inbox up to date with its log. It may be interrupted anywhere and
// run again, and two of it at a time do no harm. It is the engine's own; desk.Run calls it after
// each sync.
func (s *Service) Collect(ctx context.Context, id inbox.ID) (Collected, error) {
	var total Collected
	for conflicts := 0; ; {
		n, got, err := s.collectPage(ctx, id)
		total.Opened += got.Opened
		total.Extended += got.Extended
		total.Changes += got.Changes
		switch {
		case errors.Is(err, storage.ErrConflict) && conflicts < 9:
			conflicts++
		case err != nil:
			return total, err
		case n < logPage:
			return total, nil
		}
	}
}

// collectPage takes one page of the log.
func (s *Service) collectPage(ctx context.Context, id inbox.ID) (n int, got Collected, err error) {
	mark, version, err := s.Store.Mark(ctx, id)
	if err != nil {
		return 0, got, err
	}
	var lines []inbox.Change
	for c, err := range s.Archive.Log(ctx, id, mark) {
		if err != nil {
			return 0, got, err
		}
		if lines = append(lines, c); len(lines) == logPage {
			break
		}
	}
	if len(lines) == 0 {
		return 0, got, nil
	}
	in, err := s.engineInbox(ctx, id)
	if err != nil {
		return 0, got, err
	}
	c := &collector{s: s, in: in, byID: make(map[ID]*draft), byThread: make(map[inbox.ThreadID]*draft),
		byRFCID: make(map[string]*draft)}
	if err := c.take(ctx, lines); err != nil {
		return 0, got, err
	}
	if err := c.save(ctx); err != nil {
		return 0, got, err
	}
	if _, err = s.Store.SaveMark(ctx, id, lines[len(lines)-1].Seq, version); err != nil {
		return 0, got, err
	}
	c.got.Changes = len(lines)
	return len(lines), c.got, nil
}

// engineInbox loads an inbox for the engine.
func (s *Service) engineInbox(ctx context.Context, id inbox.ID) (inbox.Inbox, error) {
	return s.Inboxes.Store.Inbox(ctx, id)
}

// collector is one page of the log on its way into tickets.
type collector struct {
	s        *Service
	in       inbox.Inbox
	mails    []inbox.Message
	drafts   []*draft // in the order they were first touched
	byID     map[ID]*draft
	byThread map[inbox.ThreadID]*draft
	byRFCID  map[string]*draft
	got      Collected
}

// draft is a ticket being changed.
type draft struct {
	ticket  Ticket
	entries []Entry
	events  []inbox.Event
	opened  bool
}

func (c *collector) take(ctx context.Context, lines []inbox.Change) error {
	if err := c.load(ctx, lines); err != nil {
		return err
	}
	for i := range c.mails {
		if err := c.arrive(ctx, &c.mails[i]); err != nil {
			return err
		}
	}
	for _, l := range lines {
		var err error
		switch l.Kind {
		case inbox.ChangeHidden, inbox.ChangeShown, inbox.ChangeRemoved, inbox.ChangePurged:
			err = c.show(ctx, l)
		case inbox.ChangeAccess:
			err = c.lostAccess(ctx, l.User)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// load reads the mails that arrived and the tickets they belong to. Mail that is in a ticket already
// is left out: this page was collected before and only the mark was not moved.
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
		if m.CopyOf == "" { // a copy is shown once, as the first one
			c.mails = append(c.mails, m)
		}
	}
	return c.loadTickets(ctx)
}

// loadTickets finds tickets by thread, and for what is left by References (R-MSG-07), never by
// subject.
func (c *collector) loadTickets(ctx context.Context) error {
	var threads []inbox.ThreadID
	for i := range c.mails {
		threads = append(threads, c.mails[i].Thread)
	}
	slices.Sort(threads)
	threads = slices.Compact(threads)
	if len(threads) == 0 {
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
			if have := c.byThread[th]; have == nil || have.ticket.CreatedAt.Before(t.CreatedAt) {
				c.byThread[th] = d
			}
		}
	}
	var refs []string
	for i := range c.mails {
		if m := &c.mails[i]; c.byThread[m.Thread] == nil {
			refs = append(refs, m.References...)
		}
	}
	if len(refs) == 0 {
		return nil
	}
	slices.Sort(refs)
	for e, err := range c.s.Store.Entries(ctx, EntryQuery{Inbox: c.in.ID, RFCIDs: slices.Compact(refs)}) {
		if err != nil {
			return err
		}
		d, err := c.draft(ctx, e.Ticket)
		if err != nil {
			return err
		}
		if d.ticket.DeletedAt.IsZero() {
			c.byRFCID[e.RFCID] = d
		}
	}
	return nil
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

// arrive puts one mail into the ticket it belongs to.
func (c *collector) arrive(ctx context.Context, m *inbox.Message) error {
	if m.Marker != "" {
		if found, err := c.ownSend(ctx, m); found || err != nil {
			return err
		}
	}
	d := c.find(m)
	cause := causeOf(m)
	if d != nil {
		if _, fresh := next(cause, d.ticket.Status, c.defaultStatus(), !d.ticket.ArchivedAt.IsZero()); fresh {
			d = nil
		}
	}
	opened := d == nil
	if opened {
		d = c.open(m)
	}
	c.extend(d, m, cause, opened)
	return nil
}

// find returns the ticket of a mail's thread, else of the newest mail it refers to.
func (c *collector) find(m *inbox.Message) *draft {
	if d := c.byThread[m.Thread]; d != nil && d.ticket.DeletedAt.IsZero() {
		return d
	}
	for _, id := range slices.Backward(m.References) {
		if d := c.byRFCID[id]; d != nil && d.ticket.DeletedAt.IsZero() {
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
	d := &draft{opened: true, ticket: Ticket{
		ID: ID(c.s.NewID()), Site: c.in.Site, Inbox: c.in.ID, Subject: m.Subject, Source: "Email",
		Customer: m.Customer, Company: m.Company, Imported: m.Imported, CreatedAt: m.Received,
	}}
	c.byID[d.ticket.ID] = d
	c.drafts = append(c.drafts, d)
	c.got.Opened++
	return d
}

// extend appends the mail and lets it move the status, unless newer mail has spoken already: an
// import brings the newest mail first.
func (c *collector) extend(d *draft, m *inbox.Message, cause Cause, opened bool) {
	t := &d.ticket
	if !slices.Contains(t.Threads, m.Thread) {
		t.Threads = append(t.Threads, m.Thread)
	}
	c.byThread[m.Thread] = d
	if m.RFCID != "" {
		c.byRFCID[m.RFCID] = d
	}
	e := mailEntry(c.s.NewID(), t, m, c.in.Creator)
	d.entries = append(d.entries, e)
	t.Messages++
	if !e.Hidden {
		t.Shown++
	}
	if m.Received.Before(t.CreatedAt) { // the ticket is that of its oldest mail (R-IMP-05)
		t.CreatedAt, t.Subject = m.Received, m.Subject
	}
	if t.Customer == "" {
		t.Customer, t.Company = m.Customer, m.Company
	}
	newest := t.Last == "" || !m.Received.Before(t.LastMail)
	if newest {
		t.Last, t.LastMail = m.ID, m.Received
		from := t.Status
		to, _ := next(cause, from, c.defaultStatus(), false)
		if m.Auth == rfc822.AuthFail && !opened || m.ForgedSelf && !opened {
			to = from
		}
		if m.Imported && cause == CauseCustomer { // R-IMP-09
			to = c.defaultStatus()
		}
		if from != "" && from != to && !m.Imported {
			line := c.s.entry(t, EntryChanged, "")
			line.Change = &Change{Field: "status", From: string(from), To: string(to)}
			d.entries = append(d.entries, line)
		}
		t.moveTo(to, m.Received)
	}
	t.touch(m.Received)
	if !opened {
		c.got.Extended++
	}
	c.tell(d, m, &e, cause, opened)
}

// tell adds the event a live mail causes. Imported and automated mail is silent (R-IMP-07, 11.6).
func (c *collector) tell(d *draft, m *inbox.Message, e *Entry, cause Cause, opened bool) {
	if m.Imported || m.ForgedSelf || m.Private || m.Hidden {
		return
	}
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
		Hidden: m.Hidden || m.Private || m.Removed, To: m.To, Cc: m.Cc, Bcc: m.Bcc,
	}
	if m.Direction == filter.Outbound { // R-IMP-12
		e.Kind, e.Outbound, e.Author = EntrySent, true, creator
	}
	return e
}

// ownSend recognises a mail this library sent when it comes back from the sent folder: it is the
// entry that is there already (R-IMP-13).
func (c *collector) ownSend(ctx context.Context, m *inbox.Message) (bool, error) {
	for e, err := range c.s.Store.Entries(ctx, EntryQuery{Inbox: c.in.ID, Marker: m.Marker}) {
		if err != nil {
			return false, err
		}
		if e.Message != "" || e.Outgoing == nil {
			continue
		}
		d, err := c.draft(ctx, e.Ticket)
		if err != nil {
			return false, err
		}
		t := &d.ticket
		d.entries = append(d.entries, c.s.confirm(t, &e, m.RFCID, m.Thread, m.Received))
		last := &d.entries[len(d.entries)-1]
		last.Message = m.ID
		if !slices.Contains(t.Threads, m.Thread) {
			t.Threads = append(t.Threads, m.Thread)
		}
		c.byThread[m.Thread] = d
		if m.RFCID != "" {
			c.byRFCID[m.RFCID] = d
		}
		t.Messages++
		t.Shown++
		if !m.Received.Before(t.LastMail) {
			t.Last, t.LastMail = m.ID, m.Received
		}
		return true, nil
	}
	return false, nil
}

// show follows a mail that was hidden, shown, removed or erased.
func (c *collector) show(ctx context.Context, l inbox.Change) error {
	hidden := l.Kind != inbox.ChangeShown
	if l.Kind != inbox.ChangePurged {
		m, err := c.s.Archive.Message(ctx, l.Message)
		if errors.Is(err, storage.ErrNotFound) {
			return nil // erased since; its own line says so
		}
		if err != nil {
			return err
		}
		hidden = m.Hidden || m.Private || m.Removed
	}
	e, d, err := c.entryOf(ctx, l.Message)
	if err != nil || d == nil || e.Hidden == hidden {
		return err
	}
	e.Hidden = hidden
	if l.Kind == inbox.ChangePurged {
		e.To, e.Cc, e.Bcc, e.RFCID = nil, nil, nil, ""
	}
	d.put(e)
	if d.ticket.Shown++; hidden {
		d.ticket.Shown -= 2
	}
	if l.Kind == inbox.ChangePurged && d.ticket.Shown == 0 {
		d.ticket.Subject, d.ticket.DeletedAt = "", c.s.now()
	}
	return nil
}

// entryOf finds the entry of a mail, in this page or in the store.
func (c *collector) entryOf(ctx context.Context, id inbox.MessageID) (Entry, *draft, error) {
	for _, d := range c.drafts {
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
		d, err := c.draft(ctx, e.Ticket)
		return e, d, err
	}
	return Entry{}, nil, nil
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

// lostAccess unassigns what was assigned to somebody who may not work on the inbox any more, and
// takes them off the followers where they may not even view it (R-INB-11).
func (c *collector) lostAccess(ctx context.Context, user acl.UserID) error {
	person, err := c.s.Inboxes.Actor(ctx, c.in.Site, user)
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return err
	}
	facts := c.in.ACL()
	works := acl.Check(person, facts, acl.BeAssignee, &acl.Facts{}).Allowed
	views := acl.Check(person, facts, acl.ViewTickets, &acl.Facts{}).Allowed
	for t, err := range c.s.Store.Tickets(ctx, Query{
		Site: c.in.Site, Inboxes: []inbox.ID{c.in.ID}, AllHidden: true,
	}) {
		if err != nil {
			return err
		}
		if !works && t.Assignee == user || !views && slices.Contains(t.Followers, user) {
			d := c.adopt(t)
			if !works && d.ticket.Assignee == user {
				e, ev := c.s.assign(&d.ticket, "", "")
				d.entries = append(d.entries, e)
				d.events = append(d.events, c.s.event(ev, &d.ticket, ""))
			}
			if !views {
				d.ticket.Followers = slices.DeleteFunc(d.ticket.Followers, func(f acl.UserID) bool { return f == user })
			}
		}
	}
	return nil
}

// save writes what changed, a few tickets at a time.
func (c *collector) save(ctx context.Context) error {
	var w []Write
	var ev []inbox.Event
	write := func() error {
		if len(w) == 0 {
			return nil
		}
		_, err := c.s.Store.SaveTickets(ctx, w, ev...)
		w, ev = nil, nil
		return err
	}
	for _, d := range c.drafts {
		if len(d.entries) == 0 && !d.opened {
			continue
		}
		w = append(w, Write{Ticket: d.ticket, Entries: d.entries})
		ev = append(ev, d.events...)
		if len(w) == MaxWrites {
			if err := write(); err != nil {
				return err
			}
		}
	}
	return write()
}
