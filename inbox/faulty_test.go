package inbox_test

import (
	"context"
	"errors"
	"io"
	"iter"
	"sync"
	"time"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/storage/memory"
)

var errBroken = errors.New("the store is broken")

// faulty is a memory store that asks before every call whether it may go on.
type faulty struct {
	*memory.Store

	mu     sync.Mutex
	before func(op string, n int) error
	calls  int
}

// onCall sets what is asked before every call, with its number counted from 1; nil asks nothing.
func (f *faulty) onCall(before func(op string, n int) error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.before, f.calls = before, 0
}

// failAt makes the n-th call from now answer errBroken.
func (f *faulty) failAt(n int) {
	f.onCall(func(_ string, call int) error {
		if call == n {
			return errBroken
		}
		return nil
	})
}

func (f *faulty) called() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls
}

func (f *faulty) ask(op string) error {
	f.mu.Lock()
	f.calls++
	before, n := f.before, f.calls
	f.mu.Unlock()
	if before == nil {
		return nil
	}
	return before(op, n)
}

func asked[T any](f *faulty, op string, call func() (T, error)) (T, error) {
	if err := f.ask(op); err != nil {
		var none T
		return none, err
	}
	return call()
}

func askedList[T any](f *faulty, op string, list iter.Seq2[T, error]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		if err := f.ask(op); err != nil {
			yield(none, err)
			return
		}
		list(yield)
	}
}

func (f *faulty) CreateInbox(ctx context.Context, in inbox.Inbox, ev ...inbox.Event) (inbox.Inbox, error) {
	return asked(f, "CreateInbox", func() (inbox.Inbox, error) { return f.Store.CreateInbox(ctx, in, ev...) })
}

func (f *faulty) Inbox(ctx context.Context, id inbox.ID) (inbox.Inbox, error) {
	return asked(f, "Inbox", func() (inbox.Inbox, error) { return f.Store.Inbox(ctx, id) })
}

func (f *faulty) UpdateInbox(ctx context.Context, in inbox.Inbox, log []inbox.Change, ev ...inbox.Event) (inbox.Inbox, error) {
	return asked(f, "UpdateInbox", func() (inbox.Inbox, error) { return f.Store.UpdateInbox(ctx, in, log, ev...) })
}

func (f *faulty) DeleteInbox(ctx context.Context, id inbox.ID) error {
	if err := f.ask("DeleteInbox"); err != nil {
		return err
	}
	return f.Store.DeleteInbox(ctx, id)
}

func (f *faulty) Inboxes(ctx context.Context, q inbox.Query) iter.Seq2[inbox.Inbox, error] {
	return askedList(f, "Inboxes", f.Store.Inboxes(ctx, q))
}

func (f *faulty) SyncState(ctx context.Context, id inbox.ID) (inbox.SyncState, error) {
	return asked(f, "SyncState", func() (inbox.SyncState, error) { return f.Store.SyncState(ctx, id) })
}

func (f *faulty) Commit(ctx context.Context, imp inbox.Import, ev ...inbox.Event) (inbox.SyncState, error) {
	return asked(f, "Commit", func() (inbox.SyncState, error) { return f.Store.Commit(ctx, imp, ev...) })
}

func (f *faulty) Seen(ctx context.Context, id inbox.ID, ids []provider.RemoteID) (map[provider.RemoteID]inbox.Seen, error) {
	return asked(f, "Seen", func() (map[provider.RemoteID]inbox.Seen, error) { return f.Store.Seen(ctx, id, ids) })
}

func (f *faulty) Threads(ctx context.Context, id inbox.ID, ts []inbox.ThreadID) (map[inbox.ThreadID]inbox.Thread, error) {
	return asked(f, "Threads", func() (map[inbox.ThreadID]inbox.Thread, error) { return f.Store.Threads(ctx, id, ts) })
}

func (f *faulty) Messages(ctx context.Context, q inbox.MessageQuery) iter.Seq2[inbox.Message, error] {
	return askedList(f, "Messages", f.Store.Messages(ctx, q))
}

func (f *faulty) Message(ctx context.Context, id inbox.MessageID) (inbox.Message, error) {
	return asked(f, "Message", func() (inbox.Message, error) { return f.Store.Message(ctx, id) })
}

func (f *faulty) Queue(ctx context.Context, q inbox.QueueQuery) iter.Seq2[inbox.Queued, error] {
	return askedList(f, "Queue", f.Store.Queue(ctx, q))
}

func (f *faulty) Snapshot(ctx context.Context, site inbox.SiteID, after storage.Version) (*filter.DirectoryData, storage.Version, error) {
	if err := f.ask("Snapshot"); err != nil {
		return nil, 0, err
	}
	return f.Store.Snapshot(ctx, site, after)
}

func (f *faulty) EnsureCustomers(ctx context.Context, site inbox.SiteID, from inbox.ID, who []inbox.Known,
	at time.Time, newID func() string) ([]inbox.Customer, error) {
	return asked(f, "EnsureCustomers", func() ([]inbox.Customer, error) {
		return f.Store.EnsureCustomers(ctx, site, from, who, at, newID)
	})
}

func (f *faulty) SaveCompany(ctx context.Context, c inbox.Company, ev ...inbox.Event) (inbox.Company, error) {
	return asked(f, "SaveCompany", func() (inbox.Company, error) { return f.Store.SaveCompany(ctx, c, ev...) })
}

func (f *faulty) SaveCustomers(ctx context.Context, cs []inbox.Customer, ev ...inbox.Event) ([]inbox.Customer, error) {
	return asked(f, "SaveCustomers", func() ([]inbox.Customer, error) { return f.Store.SaveCustomers(ctx, cs, ev...) })
}

func (f *faulty) Customers(ctx context.Context, q inbox.CustomerQuery) iter.Seq2[inbox.Customer, error] {
	return askedList(f, "Customers", f.Store.Customers(ctx, q))
}

func (f *faulty) DueEvents(ctx context.Context, now time.Time, limit int) iter.Seq2[inbox.Due, error] {
	return askedList(f, "DueEvents", f.Store.DueEvents(ctx, now, limit))
}

func (f *faulty) DoneEvent(ctx context.Context, id string) error {
	if err := f.ask("DoneEvent"); err != nil {
		return err
	}
	return f.Store.DoneEvent(ctx, id)
}

func (f *faulty) RetryEvent(ctx context.Context, id string, done []acl.UserID, notBefore time.Time) error {
	if err := f.ask("RetryEvent"); err != nil {
		return err
	}
	return f.Store.RetryEvent(ctx, id, done, notBefore)
}

func (f *faulty) Credential(ctx context.Context, key inbox.VaultKey) (provider.Credential, storage.Version, error) {
	if err := f.ask("Credential"); err != nil {
		return provider.Credential{}, 0, err
	}
	return f.Store.Credential(ctx, key)
}

func (f *faulty) SaveCredential(ctx context.Context, key inbox.VaultKey, c provider.Credential, expect storage.Version) (storage.Version, error) {
	return asked(f, "SaveCredential", func() (storage.Version, error) { return f.Store.SaveCredential(ctx, key, c, expect) })
}

func (f *faulty) DeleteCredential(ctx context.Context, key inbox.VaultKey) error {
	if err := f.ask("DeleteCredential"); err != nil {
		return err
	}
	return f.Store.DeleteCredential(ctx, key)
}

func (f *faulty) PutBlob(ctx context.Context, id inbox.ID, r io.Reader) (inbox.BlobInfo, error) {
	return asked(f, "PutBlob", func() (inbox.BlobInfo, error) { return f.Store.PutBlob(ctx, id, r) })
}

func (f *faulty) SyncBlobs(ctx context.Context, id inbox.ID) error {
	if err := f.ask("SyncBlobs"); err != nil {
		return err
	}
	return f.Store.SyncBlobs(ctx, id)
}

func (f *faulty) OpenBlob(ctx context.Context, key inbox.BlobKey) (io.ReadCloser, error) {
	return asked(f, "OpenBlob", func() (io.ReadCloser, error) { return f.Store.OpenBlob(ctx, key) })
}

func (f *faulty) DeleteBlob(ctx context.Context, key inbox.BlobKey) error {
	if err := f.ask("DeleteBlob"); err != nil {
		return err
	}
	return f.Store.DeleteBlob(ctx, key)
}

// breakable puts a faulty store into a world before its service is made.
func breakable(store **faulty) func(*inbox.Config) {
	return func(c *inbox.Config) {
		*store = &faulty{Store: c.Store.(*memory.Store)}
		c.Store, c.Vault, c.Blobs = *store, *store, *store
	}
}
