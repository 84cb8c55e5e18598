package customstore_test

import (
	"context"
	"iter"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/examples/customstore"
	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/storage"
)

// forgetful closes its store after every write and reads the file again, so that nothing it shows
// comes from anywhere but the file. Reads under way go on with the store they began with.
type forgetful struct {
	t    *testing.T
	path string
	turn sync.Mutex // one write at a time

	mu    sync.Mutex
	store *customstore.Store
}

func (f *forgetful) now() *customstore.Store {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.store
}

// forget begins a write, and returns what ends it.
func (f *forgetful) forget() func() {
	f.turn.Lock()
	return func() {
		defer f.turn.Unlock()
		require.NoError(f.t, f.now().Close())
		again := open(f.t, f.path)
		f.mu.Lock()
		defer f.mu.Unlock()
		f.store = again
	}
}

func (f *forgetful) CreateInbox(
	ctx context.Context, in inbox.Inbox, ev ...inbox.Event,
) (inbox.Inbox, error) {
	defer f.forget()()
	return f.now().CreateInbox(ctx, in, ev...)
}

func (f *forgetful) UpdateInbox(
	ctx context.Context, in inbox.Inbox, log []inbox.Change, ev ...inbox.Event,
) (inbox.Inbox, error) {
	defer f.forget()()
	return f.now().UpdateInbox(ctx, in, log, ev...)
}

func (f *forgetful) DeleteInbox(ctx context.Context, id inbox.ID) error {
	defer f.forget()()
	return f.now().DeleteInbox(ctx, id)
}

func (f *forgetful) Commit(
	ctx context.Context, imp inbox.Import, ev ...inbox.Event,
) (inbox.SyncState, error) {
	defer f.forget()()
	return f.now().Commit(ctx, imp, ev...)
}

func (f *forgetful) EnsureCustomers(
	ctx context.Context, site inbox.SiteID, from inbox.ID, who []inbox.Known, at time.Time, newID func() string,
) ([]inbox.Customer, error) {
	defer f.forget()()
	return f.now().EnsureCustomers(ctx, site, from, who, at, newID)
}

func (f *forgetful) SaveCompany(
	ctx context.Context, c inbox.Company, ev ...inbox.Event,
) (inbox.Company, error) {
	defer f.forget()()
	return f.now().SaveCompany(ctx, c, ev...)
}

func (f *forgetful) SaveCustomers(
	ctx context.Context, cs []inbox.Customer, ev ...inbox.Event,
) ([]inbox.Customer, error) {
	defer f.forget()()
	return f.now().SaveCustomers(ctx, cs, ev...)
}

func (f *forgetful) DoneEvent(ctx context.Context, id string) error {
	defer f.forget()()
	return f.now().DoneEvent(ctx, id)
}

func (f *forgetful) RetryEvent(
	ctx context.Context, id string, done []acl.UserID, notBefore time.Time,
) error {
	defer f.forget()()
	return f.now().RetryEvent(ctx, id, done, notBefore)
}

func (f *forgetful) SaveEvents(ctx context.Context, ev ...inbox.Event) error {
	defer f.forget()()
	return f.now().SaveEvents(ctx, ev...)
}

func (f *forgetful) Inbox(ctx context.Context, id inbox.ID) (inbox.Inbox, error) {
	return f.now().Inbox(ctx, id)
}

func (f *forgetful) Inboxes(ctx context.Context, q inbox.Query) iter.Seq2[inbox.Inbox, error] {
	return f.now().Inboxes(ctx, q)
}

func (f *forgetful) SyncState(ctx context.Context, id inbox.ID) (inbox.SyncState, error) {
	return f.now().SyncState(ctx, id)
}

func (f *forgetful) Seen(
	ctx context.Context, id inbox.ID, remote []provider.RemoteID,
) (map[provider.RemoteID]inbox.Seen, error) {
	return f.now().Seen(ctx, id, remote)
}

func (f *forgetful) Threads(
	ctx context.Context, id inbox.ID, threads []inbox.ThreadID,
) (map[inbox.ThreadID]inbox.Thread, error) {
	return f.now().Threads(ctx, id, threads)
}

func (f *forgetful) Log(
	ctx context.Context, id inbox.ID, after uint64,
) iter.Seq2[inbox.Change, error] {
	return f.now().Log(ctx, id, after)
}

func (f *forgetful) Messages(
	ctx context.Context, q inbox.MessageQuery,
) iter.Seq2[inbox.Message, error] {
	return f.now().Messages(ctx, q)
}

func (f *forgetful) Message(ctx context.Context, id inbox.MessageID) (inbox.Message, error) {
	return f.now().Message(ctx, id)
}

func (f *forgetful) Content(ctx context.Context, id inbox.MessageID) (inbox.Content, error) {
	return f.now().Content(ctx, id)
}

func (f *forgetful) Tally(ctx context.Context, id inbox.ID) (inbox.Tally, error) {
	return f.now().Tally(ctx, id)
}

func (f *forgetful) Queue(ctx context.Context, q inbox.QueueQuery) iter.Seq2[inbox.Queued, error] {
	return f.now().Queue(ctx, q)
}

func (f *forgetful) Runs(ctx context.Context, id inbox.ID, limit int) iter.Seq2[inbox.Run, error] {
	return f.now().Runs(ctx, id, limit)
}

func (f *forgetful) Rejections(ctx context.Context, id inbox.ID) (map[filter.Reason]int, error) {
	return f.now().Rejections(ctx, id)
}

func (f *forgetful) Snapshot(
	ctx context.Context, site inbox.SiteID, after storage.Version,
) (*filter.DirectoryData, storage.Version, error) {
	return f.now().Snapshot(ctx, site, after)
}

func (f *forgetful) Company(
	ctx context.Context, site inbox.SiteID, id inbox.CompanyID,
) (inbox.Company, error) {
	return f.now().Company(ctx, site, id)
}

func (f *forgetful) Customer(
	ctx context.Context, site inbox.SiteID, id inbox.CustomerID,
) (inbox.Customer, error) {
	return f.now().Customer(ctx, site, id)
}

func (f *forgetful) Companies(
	ctx context.Context, q inbox.CompanyQuery,
) iter.Seq2[inbox.Company, error] {
	return f.now().Companies(ctx, q)
}

func (f *forgetful) Customers(
	ctx context.Context, q inbox.CustomerQuery,
) iter.Seq2[inbox.Customer, error] {
	return f.now().Customers(ctx, q)
}

func (f *forgetful) DueEvents(
	ctx context.Context, now time.Time, limit int,
) iter.Seq2[inbox.Due, error] {
	return f.now().DueEvents(ctx, now, limit)
}
