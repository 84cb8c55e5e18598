package storagetest_test

import (
	"context"
	"iter"
	"slices"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/storage/memory"
)

// bent is a right store of which one thing is changed: what a method is given, or what it returns.
// Hooks that are nil change nothing.
type bent struct {
	*memory.Store
	create       func(in *inbox.Inbox)
	inbox        func(in *inbox.Inbox) error
	update       func(in *inbox.Inbox, log *[]inbox.Change)
	updated      func(in inbox.Inbox, ev []inbox.Event, err error) (inbox.Inbox, error)
	remove       func(id inbox.ID) error
	inboxes      func(q *inbox.Query)
	inboxesOut   func(iter.Seq2[inbox.Inbox, error]) iter.Seq2[inbox.Inbox, error]
	state        func(st *inbox.SyncState)
	commit       func(imp *inbox.Import)
	committed    func(imp inbox.Import, err error)
	seen         func(known map[provider.RemoteID]inbox.Seen)
	threads      func(known map[inbox.ThreadID]inbox.Thread)
	logOut       func(iter.Seq2[inbox.Change, error]) iter.Seq2[inbox.Change, error]
	messages     func(q *inbox.MessageQuery)
	messagesOut  func(iter.Seq2[inbox.Message, error]) iter.Seq2[inbox.Message, error]
	message      func(id inbox.MessageID) inbox.MessageID
	content      func(id inbox.MessageID, c inbox.Content, err error) (inbox.Content, error)
	tally        func(id inbox.ID, t *inbox.Tally)
	queueOut     func(iter.Seq2[inbox.Queued, error]) iter.Seq2[inbox.Queued, error]
	runsOut      func(iter.Seq2[inbox.Run, error]) iter.Seq2[inbox.Run, error]
	companyOf    func(site inbox.SiteID) inbox.SiteID
	saveCompany  func(c *inbox.Company)
	companySaved func(c inbox.Company, err error) (inbox.Company, error)
	companies    func(q *inbox.CompanyQuery)
	companiesOut func(iter.Seq2[inbox.Company, error]) iter.Seq2[inbox.Company, error]
	customers    func(q *inbox.CustomerQuery)
	customersOut func(iter.Seq2[inbox.Customer, error]) iter.Seq2[inbox.Customer, error]
}

func call[V any](hook func(*V), v *V) {
	if hook != nil {
		hook(v)
	}
}

func through[V any](
	hook func(iter.Seq2[V, error]) iter.Seq2[V, error], seq iter.Seq2[V, error],
) iter.Seq2[V, error] {
	if hook == nil {
		return seq
	}
	return hook(seq)
}

func (b *bent) CreateInbox(ctx context.Context, in inbox.Inbox, ev ...inbox.Event) (inbox.Inbox, error) {
	call(b.create, &in)
	return b.Store.CreateInbox(ctx, in, ev...)
}

func (b *bent) Inbox(ctx context.Context, id inbox.ID) (inbox.Inbox, error) {
	in, err := b.Store.Inbox(ctx, id)
	if b.inbox != nil {
		if bad := b.inbox(&in); bad != nil {
			return inbox.Inbox{}, bad
		}
	}
	return in, err
}

func (b *bent) UpdateInbox(
	ctx context.Context, in inbox.Inbox, log []inbox.Change, ev ...inbox.Event,
) (inbox.Inbox, error) {
	if b.update != nil {
		b.update(&in, &log)
	}
	out, err := b.Store.UpdateInbox(ctx, in, log, ev...)
	if err != nil && b.updated != nil {
		return b.updated(in, ev, err)
	}
	return out, err
}

func (b *bent) DeleteInbox(ctx context.Context, id inbox.ID) error {
	if b.remove != nil {
		if err := b.remove(id); err != nil {
			return err
		}
	}
	return b.Store.DeleteInbox(ctx, id)
}

func (b *bent) Inboxes(ctx context.Context, q inbox.Query) iter.Seq2[inbox.Inbox, error] {
	call(b.inboxes, &q)
	return through(b.inboxesOut, b.Store.Inboxes(ctx, q))
}

func (b *bent) SyncState(ctx context.Context, id inbox.ID) (inbox.SyncState, error) {
	st, err := b.Store.SyncState(ctx, id)
	call(b.state, &st)
	return st, err
}

func (b *bent) Commit(ctx context.Context, imp inbox.Import, ev ...inbox.Event) (inbox.SyncState, error) {
	call(b.commit, &imp)
	st, err := b.Store.Commit(ctx, imp, ev...)
	if b.committed != nil {
		b.committed(imp, err)
	}
	return st, err
}

func (b *bent) Seen(
	ctx context.Context, id inbox.ID, remote []provider.RemoteID,
) (map[provider.RemoteID]inbox.Seen, error) {
	known, err := b.Store.Seen(ctx, id, remote)
	if b.seen != nil {
		b.seen(known)
	}
	return known, err
}

func (b *bent) Threads(
	ctx context.Context, id inbox.ID, threads []inbox.ThreadID,
) (map[inbox.ThreadID]inbox.Thread, error) {
	known, err := b.Store.Threads(ctx, id, threads)
	if b.threads != nil {
		b.threads(known)
	}
	return known, err
}

func (b *bent) Log(ctx context.Context, id inbox.ID, after uint64) iter.Seq2[inbox.Change, error] {
	return through(b.logOut, b.Store.Log(ctx, id, after))
}

func (b *bent) Messages(ctx context.Context, q inbox.MessageQuery) iter.Seq2[inbox.Message, error] {
	call(b.messages, &q)
	return through(b.messagesOut, b.Store.Messages(ctx, q))
}

func (b *bent) Message(ctx context.Context, id inbox.MessageID) (inbox.Message, error) {
	if b.message != nil {
		id = b.message(id)
	}
	return b.Store.Message(ctx, id)
}

func (b *bent) Content(ctx context.Context, id inbox.MessageID) (inbox.Content, error) {
	c, err := b.Store.Content(ctx, id)
	if b.content != nil {
		return b.content(id, c, err)
	}
	return c, err
}

func (b *bent) Tally(ctx context.Context, id inbox.ID) (inbox.Tally, error) {
	t, err := b.Store.Tally(ctx, id)
	if b.tally != nil {
		b.tally(id, &t)
	}
	return t, err
}

func (b *bent) Queue(ctx context.Context, q inbox.QueueQuery) iter.Seq2[inbox.Queued, error] {
	return through(b.queueOut, b.Store.Queue(ctx, q))
}

func (b *bent) Runs(ctx context.Context, id inbox.ID, limit int) iter.Seq2[inbox.Run, error] {
	return through(b.runsOut, b.Store.Runs(ctx, id, limit))
}

func (b *bent) Company(
	ctx context.Context, site inbox.SiteID, id inbox.CompanyID,
) (inbox.Company, error) {
	if b.companyOf != nil {
		site = b.companyOf(site)
	}
	return b.Store.Company(ctx, site, id)
}

func (b *bent) SaveCompany(
	ctx context.Context, c inbox.Company, ev ...inbox.Event,
) (inbox.Company, error) {
	call(b.saveCompany, &c)
	saved, err := b.Store.SaveCompany(ctx, c, ev...)
	if err != nil && b.companySaved != nil {
		return b.companySaved(c, err)
	}
	return saved, err
}

func (b *bent) Companies(
	ctx context.Context, q inbox.CompanyQuery,
) iter.Seq2[inbox.Company, error] {
	call(b.companies, &q)
	return through(b.companiesOut, b.Store.Companies(ctx, q))
}

func (b *bent) Customers(
	ctx context.Context, q inbox.CustomerQuery,
) iter.Seq2[inbox.Customer, error] {
	call(b.customers, &q)
	return through(b.customersOut, b.Store.Customers(ctx, q))
}

// resorted yields what a list has, in another order.
func resorted[V any](order func(a, b V) int) func(iter.Seq2[V, error]) iter.Seq2[V, error] {
	return func(seq iter.Seq2[V, error]) iter.Seq2[V, error] {
		return func(yield func(V, error) bool) {
			var all []V
			for v, err := range seq {
				if err != nil {
					yield(v, err)
					return
				}
				all = append(all, v)
			}
			slices.SortStableFunc(all, order)
			for _, v := range all {
				if !yield(v, nil) {
					return
				}
			}
		}
	}
}

// altered yields what a list has, each value changed.
func altered[V any](change func(v *V)) func(iter.Seq2[V, error]) iter.Seq2[V, error] {
	return func(seq iter.Seq2[V, error]) iter.Seq2[V, error] {
		return func(yield func(V, error) bool) {
			for v, err := range seq {
				change(&v)
				if !yield(v, err) {
					return
				}
			}
		}
	}
}

// versionOf returns the stored version of an inbox's sync state.
func versionOf(s *memory.Store, id inbox.ID) storage.Version {
	st, err := s.SyncState(context.Background(), id)
	if err != nil {
		return 0
	}
	return st.Version
}
