package customstore

import (
	"context"
	"time"
	"unicode/utf8"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
)

// writes are all calls that change something, by the names they have in the file.
var writes = map[string]func() write{
	"create inbox":     func() write { return new(createInbox) },
	"update inbox":     func() write { return new(updateInbox) },
	"delete inbox":     func() write { return new(deleteInbox) },
	"commit":           func() write { return new(commit) },
	"ensure customers": func() write { return new(ensureCustomers) },
	"save company":     func() write { return new(saveCompany) },
	"save customers":   func() write { return new(saveCustomers) },
	"done event":       func() write { return new(doneEvent) },
	"retry event":      func() write { return new(retryEvent) },
	"save events":      func() write { return new(saveEvents) },
}

type createInbox struct {
	Inbox  inbox.Inbox
	Events []inbox.Event
	out    inbox.Inbox
}

func (w *createInbox) do(ctx context.Context, s inbox.Store) (err error) {
	w.out, err = s.CreateInbox(ctx, w.Inbox, w.Events...)
	return err
}

// CreateInbox stores a new inbox; see inbox.Directory.
func (s *Store) CreateInbox(ctx context.Context, in inbox.Inbox, ev ...inbox.Event) (inbox.Inbox, error) {
	w := createInbox{Inbox: in, Events: ev}
	err := s.do(ctx, "create inbox", &w)
	return w.out, err
}

type updateInbox struct {
	Inbox  inbox.Inbox
	Log    []inbox.Change
	Events []inbox.Event
	out    inbox.Inbox
}

func (w *updateInbox) do(ctx context.Context, s inbox.Store) (err error) {
	w.out, err = s.UpdateInbox(ctx, w.Inbox, w.Log, w.Events...)
	return err
}

// UpdateInbox replaces the inbox and extends its log; see inbox.Directory.
func (s *Store) UpdateInbox(
	ctx context.Context, in inbox.Inbox, log []inbox.Change, ev ...inbox.Event,
) (inbox.Inbox, error) {
	w := updateInbox{Inbox: in, Log: log, Events: ev}
	err := s.do(ctx, "update inbox", &w)
	return w.out, err
}

type deleteInbox struct{ ID inbox.ID }

func (w *deleteInbox) do(ctx context.Context, s inbox.Store) error { return s.DeleteInbox(ctx, w.ID) }

// DeleteInbox forgets the inbox and what hangs on it; see inbox.Directory.
func (s *Store) DeleteInbox(ctx context.Context, id inbox.ID) error {
	if !utf8.ValidString(string(id)) {
		return ctx.Err() // there is none
	}
	return s.do(ctx, "delete inbox", &deleteInbox{id})
}

type commit struct {
	Import inbox.Import
	Events []inbox.Event
	out    inbox.SyncState
}

func (w *commit) do(ctx context.Context, s inbox.Store) (err error) {
	w.out, err = s.Commit(ctx, w.Import, w.Events...)
	return err
}

// Commit stores one step of an import; see inbox.Archive.
func (s *Store) Commit(ctx context.Context, imp inbox.Import, ev ...inbox.Event) (inbox.SyncState, error) {
	w := commit{Import: imp, Events: ev}
	err := s.do(ctx, "commit", &w)
	return w.out, err
}

type ensureCustomers struct {
	Site inbox.SiteID
	From inbox.ID
	Who  []inbox.Known
	At   time.Time
	IDs  []string // as many as may be needed: what is done again must get the same ones
	out  []inbox.Customer
}

func (w *ensureCustomers) do(ctx context.Context, s inbox.Store) (err error) {
	ids := w.IDs
	next := func() (id string) { id, ids = ids[0], ids[1:]; return id }
	w.out, err = s.EnsureCustomers(ctx, w.Site, w.From, w.Who, w.At, next)
	return err
}

// EnsureCustomers returns the customers of these people, creating those that are missing; see
// inbox.Clients.
func (s *Store) EnsureCustomers(
	ctx context.Context, site inbox.SiteID, from inbox.ID, who []inbox.Known, at time.Time,
	newID func() string,
) ([]inbox.Customer, error) {
	w := ensureCustomers{Site: site, From: from, Who: who, At: at}
	for range who {
		w.IDs = append(w.IDs, newID())
	}
	err := s.do(ctx, "ensure customers", &w)
	return w.out, err
}

type saveCompany struct {
	Company inbox.Company
	Events  []inbox.Event
	out     inbox.Company
}

func (w *saveCompany) do(ctx context.Context, s inbox.Store) (err error) {
	w.out, err = s.SaveCompany(ctx, w.Company, w.Events...)
	return err
}

// SaveCompany creates or replaces a company; see inbox.Clients.
func (s *Store) SaveCompany(ctx context.Context, c inbox.Company, ev ...inbox.Event) (inbox.Company, error) {
	w := saveCompany{Company: c, Events: ev}
	err := s.do(ctx, "save company", &w)
	return w.out, err
}

type saveCustomers struct {
	Customers []inbox.Customer
	Events    []inbox.Event
	out       []inbox.Customer
}

func (w *saveCustomers) do(ctx context.Context, s inbox.Store) (err error) {
	w.out, err = s.SaveCustomers(ctx, w.Customers, w.Events...)
	return err
}

// SaveCustomers creates or replaces several customers; see inbox.Clients.
func (s *Store) SaveCustomers(
	ctx context.Context, cs []inbox.Customer, ev ...inbox.Event,
) ([]inbox.Customer, error) {
	w := saveCustomers{Customers: cs, Events: ev}
	err := s.do(ctx, "save customers", &w)
	return w.out, err
}

type doneEvent struct{ ID string }

func (w *doneEvent) do(ctx context.Context, s inbox.Store) error { return s.DoneEvent(ctx, w.ID) }

// DoneEvent forgets a delivered event; see inbox.Outbox.
func (s *Store) DoneEvent(ctx context.Context, id string) error {
	if !utf8.ValidString(id) {
		return ctx.Err() // there is none
	}
	return s.do(ctx, "done event", &doneEvent{id})
}

type retryEvent struct {
	ID        string
	Done      []acl.UserID
	NotBefore time.Time
}

func (w *retryEvent) do(ctx context.Context, s inbox.Store) error {
	return s.RetryEvent(ctx, w.ID, w.Done, w.NotBefore)
}

// RetryEvent hides an event until notBefore; see inbox.Outbox.
func (s *Store) RetryEvent(ctx context.Context, id string, done []acl.UserID, notBefore time.Time) error {
	if !utf8.ValidString(id) {
		return ctx.Err() // there is none
	}
	return s.do(ctx, "retry event", &retryEvent{id, done, notBefore})
}

type saveEvents struct{ Events []inbox.Event }

func (w *saveEvents) do(ctx context.Context, s inbox.Store) error {
	return s.SaveEvents(ctx, w.Events...)
}

// SaveEvents adds events that no other write caused; see inbox.Outbox.
func (s *Store) SaveEvents(ctx context.Context, ev ...inbox.Event) error {
	return s.do(ctx, "save events", &saveEvents{ev})
}
