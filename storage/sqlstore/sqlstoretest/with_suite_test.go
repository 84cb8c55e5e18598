package sqlstoretest_test

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/storage/sqlstore"
	"github.com/workinbox/workinbox/storage/sqlstore/sqlstoretest"
	"github.com/workinbox/workinbox/storage/storagetest"
	"github.com/workinbox/workinbox/ticket/desk"
)

// TestWithKeepsThePromises runs the suite on a store each of whose writes is in a transaction of a
// host, all of it on SQLite and what is about writing on servers.
func TestWithKeepsThePromises(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, d sqlstore.Dialect) {
		for _, name := range storagetest.InboxChecks() {
			about, _, _ := strings.Cut(name, "/")
			if d != sqlstore.SQLite && !slices.Contains([]string{"Commit", "Concurrency", "Delete"}, about) {
				continue
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				on := sqlstoretest.New(t, d)
				storagetest.InboxCheck(t, name, newHosted(t, on))
			})
		}
	})
}

// TestWithKeepsThePromisesOfLeases is the same for the leases that workers share inboxes by.
func TestWithKeepsThePromisesOfLeases(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, d sqlstore.Dialect) {
		storagetest.Leases(t, func(t *testing.T) desk.Leases { return newHosted(t, sqlstoretest.New(t, d)) })
	})
}

// hosted is a store whose writes are made by a host in its own transactions.
type hosted struct {
	*sqlstore.Store
	db  *sql.DB
	d   sqlstore.Dialect
	one chan struct{} // SQLite's one writer: those in line wait here for as long as it takes
}

func newHosted(t *testing.T, on *sqlstoretest.Database) *hosted {
	t.Helper()
	return &hosted{on.Store(t), on.DB, on.Options.Dialect, make(chan struct{}, 1)}
}

// inside runs f in a transaction, again when that was in the way of another.
func (h *hosted) inside(ctx context.Context, f func(s *sqlstore.Store) error) error {
	o := &sql.TxOptions{Isolation: sql.LevelReadCommitted}
	if h.d == sqlstore.SQLite {
		o = nil
		select {
		case h.one <- struct{}{}:
			defer func() { <-h.one }()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	for {
		tx, err := h.db.BeginTx(ctx, o)
		if err != nil {
			return err
		}
		if err = f(h.With(tx)); err == nil {
			return tx.Commit()
		}
		_ = tx.Rollback()
		if !errors.Is(err, sqlstore.ErrRetry) {
			return err
		}
	}
}

func (h *hosted) CreateInbox(ctx context.Context, in inbox.Inbox, ev ...inbox.Event) (out inbox.Inbox, err error) {
	err = h.inside(ctx, func(s *sqlstore.Store) error { out, err = s.CreateInbox(ctx, in, ev...); return err })
	return out, err
}

func (h *hosted) UpdateInbox(
	ctx context.Context, in inbox.Inbox, log []inbox.Change, ev ...inbox.Event,
) (out inbox.Inbox, err error) {
	err = h.inside(ctx, func(s *sqlstore.Store) error { out, err = s.UpdateInbox(ctx, in, log, ev...); return err })
	return out, err
}

func (h *hosted) DeleteInbox(ctx context.Context, id inbox.ID) error {
	return h.inside(ctx, func(s *sqlstore.Store) error { return s.DeleteInbox(ctx, id) })
}

func (h *hosted) Commit(ctx context.Context, imp inbox.Import, ev ...inbox.Event) (st inbox.SyncState, err error) {
	err = h.inside(ctx, func(s *sqlstore.Store) error { st, err = s.Commit(ctx, imp, ev...); return err })
	return st, err
}

func (h *hosted) Seen(
	ctx context.Context, id inbox.ID, remote []provider.RemoteID,
) (seen map[provider.RemoteID]inbox.Seen, err error) {
	err = h.inside(ctx, func(s *sqlstore.Store) error { seen, err = s.Seen(ctx, id, remote); return err })
	return seen, err
}

func (h *hosted) EnsureCustomers(
	ctx context.Context, site inbox.SiteID, from inbox.ID, who []inbox.Known, at time.Time, newID func() string,
) (cs []inbox.Customer, err error) {
	err = h.inside(ctx, func(s *sqlstore.Store) error {
		cs, err = s.EnsureCustomers(ctx, site, from, who, at, newID)
		return err
	})
	return cs, err
}

func (h *hosted) SaveCompany(ctx context.Context, c inbox.Company, ev ...inbox.Event) (out inbox.Company, err error) {
	err = h.inside(ctx, func(s *sqlstore.Store) error { out, err = s.SaveCompany(ctx, c, ev...); return err })
	return out, err
}

func (h *hosted) SaveCustomers(
	ctx context.Context, cs []inbox.Customer, ev ...inbox.Event,
) (out []inbox.Customer, err error) {
	err = h.inside(ctx, func(s *sqlstore.Store) error { out, err = s.SaveCustomers(ctx, cs, ev...); return err })
	return out, err
}

func (h *hosted) SaveEvents(ctx context.Context, ev ...inbox.Event) error {
	return h.inside(ctx, func(s *sqlstore.Store) error { return s.SaveEvents(ctx, ev...) })
}

func (h *hosted) DoneEvent(ctx context.Context, id string) error {
	return h.inside(ctx, func(s *sqlstore.Store) error { return s.DoneEvent(ctx, id) })
}

func (h *hosted) RetryEvent(ctx context.Context, id string, done []acl.UserID, notBefore time.Time) error {
	return h.inside(ctx, func(s *sqlstore.Store) error { return s.RetryEvent(ctx, id, done, notBefore) })
}

func (h *hosted) Enroll(ctx context.Context, tasks ...desk.Task) error {
	return h.inside(ctx, func(s *sqlstore.Store) error { return s.Enroll(ctx, tasks...) })
}

func (h *hosted) Ring(ctx context.Context, tasks ...desk.Task) error {
	return h.inside(ctx, func(s *sqlstore.Store) error { return s.Ring(ctx, tasks...) })
}

func (h *hosted) Claim(
	ctx context.Context, kind desk.TaskKind, owner string, n int, hold time.Duration,
) (all []desk.Lease, err error) {
	err = h.inside(ctx, func(s *sqlstore.Store) error { all, err = s.Claim(ctx, kind, owner, n, hold); return err })
	return all, err
}

func (h *hosted) Renew(ctx context.Context, hold time.Duration, leases ...desk.Lease) (all []desk.Lease, err error) {
	err = h.inside(ctx, func(s *sqlstore.Store) error { all, err = s.Renew(ctx, hold, leases...); return err })
	return all, err
}

func (h *hosted) Release(ctx context.Context, l desk.Lease, next, rest time.Duration) error {
	return h.inside(ctx, func(s *sqlstore.Store) error { return s.Release(ctx, l, next, rest) })
}

func (h *hosted) Retire(ctx context.Context, l desk.Lease) error {
	return h.inside(ctx, func(s *sqlstore.Store) error { return s.Retire(ctx, l) })
}

// A server's host may allow one connection too. Only what needs more than one statement is tried.
func TestServersOnOneConnection(t *testing.T) {
	t.Parallel()
	one := func(t *testing.T, d sqlstore.Dialect) *sqlstore.Store {
		on := sqlstoretest.New(t, d)
		db := on.Connect(t)
		db.SetMaxOpenConns(1)
		return on.StoreOn(t, db)
	}
	for _, d := range sqlstoretest.Dialects()[1:] {
		for _, name := range []string{
			"Inboxes/WriteWhileReading", "Lists/BreakReleases", "Commit/AllOrNothing", "Seen/EveryFate",
			"Delete/LeavesNothing", "Clients/EnsureNotesInbox", "Clients/SnapshotLive", "Outbox/RetryHides",
		} {
			t.Run(string(d)+"/"+name, func(t *testing.T) {
				t.Parallel()
				storagetest.InboxCheck(t, name, one(t, d))
			})
		}
		for _, name := range []string{"Tickets/WriteWhileReading", "Tickets/SixteenAtOnce", "Purge/LeavesNothing"} {
			t.Run(string(d)+"/"+name, func(t *testing.T) {
				t.Parallel()
				storagetest.TicketCheck(t, name, one(t, d))
			})
		}
	}
}

// What mail brings may have any length, and indexes have limits. For Message-IDs and markers the suite
// says so.
func TestLongAddressesAreFound(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, d sqlstore.Dialect) {
		s := sqlstoretest.New(t, d).Store(t)
		create(t, s, "in-1")
		long := strings.Builder{}
		for n := uint64(1); long.Len() < 9000; n = n*6364136223846793005 + 1442695040888963407 {
			long.WriteByte("abcdefghijklmnopqrstuvwxyz012345"[n>>59])
		}
		for _, end := range []string{"1", "2"} {
			address := long.String() + end + "@client.example"
			for range 2 {
				cs, err := s.EnsureCustomers(t.Context(), "acme", "in-1", []inbox.Known{{Address: address}}, day,
					func() string { return "cu-" + end })
				require.NoError(t, err)
				require.Equal(t, address, cs[0].Address)
			}
			found := collect(t, "customers", s.Customers(t.Context(), inbox.CustomerQuery{Site: "acme", Address: address}))
			require.Len(t, found, 1)
		}
	})
}
