package sqlstoretest_test

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/storage/sqlstore"
	"github.com/workinbox/workinbox/storage/sqlstore/sqlstoretest"
	"github.com/workinbox/workinbox/ticket"
)

// host is a host with a table of its own in the database of a store.
type host struct {
	*sqlstoretest.Database
	s *sqlstore.Store
}

func newHost(t *testing.T, d sqlstore.Dialect) *host {
	h := &host{Database: sqlstoretest.New(t, d)}
	h.s = h.Store(t)
	create(t, h.s, "in-1")
	h.exec(t, h.DB, "CREATE TABLE %s (a BIGINT PRIMARY KEY)")
	t.Cleanup(func() { _, _ = h.DB.ExecContext(context.Background(), "DROP TABLE "+h.Table("host")) })
	return h
}

func (h *host) exec(t *testing.T, on interface {
	ExecContext(ctx context.Context, text string, args ...any) (sql.Result, error)
}, text string,
) {
	t.Helper()
	_, err := on.ExecContext(t.Context(), fmt.Sprintf(text, h.Table("host")))
	require.NoError(t, err)
}

func (h *host) begin(t *testing.T) (*sql.Tx, *sqlstore.Store) {
	t.Helper()
	o := &sql.TxOptions{Isolation: sql.LevelReadCommitted}
	if h.Options.Dialect == sqlstore.SQLite {
		o = nil
	}
	tx, err := h.DB.BeginTx(t.Context(), o)
	require.NoError(t, err)
	return tx, h.s.With(tx)
}

func (h *host) rows(t *testing.T) int64 {
	t.Helper()
	return rowsOf(t, h.DB, "SELECT COUNT(*) FROM "+h.Table("host"))[0][0].(int64)
}

func TestWithStoresBothOrNeither(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, d sqlstore.Dialect) {
		h := newHost(t, d)
		for i, end := range []func(*sql.Tx) error{(*sql.Tx).Rollback, (*sql.Tx).Commit} {
			tx, inside := h.begin(t)
			h.exec(t, tx, "INSERT INTO %s VALUES (1)")
			imp, event := everyKind(state(t, inside, "in-1"), 1)
			st, err := inside.Commit(t.Context(), imp, event)
			require.NoError(t, err)
			_, err = inside.SaveTickets(t.Context(), []ticket.Write{note(1)})
			require.NoError(t, err)
			require.Equal(t, st, state(t, inside, "in-1"), "what is written is read inside")
			require.Len(t, messages(t, inside, inbox.MessageQuery{Inbox: "in-1"}), 3)
			require.Len(t, collect(t, "tickets", inside.Tickets(t.Context(), ticket.Query{Site: "acme"})), 1)
			wholeCommits(t, h.s, 0, "outside, before the end")
			require.NoError(t, end(tx))
			wholeCommits(t, h.s, i, "after the end")
			require.Equal(t, int64(i), h.rows(t), "the host's rows")

			_, err = inside.Commit(t.Context(), imp, event)
			require.ErrorIs(t, err, sql.ErrTxDone)
			_, err = inside.Inbox(t.Context(), "in-1")
			require.ErrorIs(t, err, sql.ErrTxDone)
			require.NoError(t, inside.Close())
		}
		_, err := h.s.Inbox(t.Context(), "in-1")
		require.NoError(t, err, "the store itself goes on")
	})
}

func TestWithRefusedWriteLeavesTheTransaction(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, d sqlstore.Dialect) {
		h := newHost(t, d)
		imp, event := everyKind(state(t, h.s, "in-1"), 0)
		_, err := h.s.Commit(t.Context(), imp, event)
		require.NoError(t, err)

		tx, inside := h.begin(t)
		h.exec(t, tx, "INSERT INTO %s VALUES (1)")
		// Refused in the end, by the event, when all else is written.
		next, _ := everyKind(state(t, inside, "in-1"), 1)
		_, err = inside.Commit(t.Context(), next, event)
		require.ErrorIs(t, err, storage.ErrExists)
		_, err = inside.Commit(t.Context(), imp, event)
		require.ErrorIs(t, err, storage.ErrConflict)
		_, err = inside.CreateInbox(t.Context(), inbox.Inbox{ID: "in-1", Site: "acme"})
		require.ErrorIs(t, err, storage.ErrExists)
		wholeCommits(t, inside, 1, "inside, after what was refused")
		_, err = inside.CreateInbox(t.Context(), inbox.Inbox{ID: "in-2", Site: "acme"})
		require.NoError(t, err)
		require.NoError(t, tx.Commit())
		wholeCommits(t, h.s, 1, "in the end")
		require.Equal(t, int64(1), h.rows(t))
		_, err = h.s.Inbox(t.Context(), "in-2")
		require.NoError(t, err)
	})
}

func TestWithoutATransaction(t *testing.T) {
	t.Parallel()
	s := sqlstoretest.Open(t)
	inside := s.With(nil)
	_, err := inside.Inbox(t.Context(), "in-1")
	require.ErrorContains(t, err, "no transaction")
	_, err = inside.CreateInbox(t.Context(), inbox.Inbox{ID: "in-1", Site: "acme"})
	require.ErrorContains(t, err, "no transaction")
	_, err = s.CreateInbox(t.Context(), inbox.Inbox{ID: "in-1", Site: "acme"})
	require.NoError(t, err)
}

// At a level that shows the transaction one moment only, a write based on a later one is refused with
// the word for trying again.
func TestWithSerializationFailure(t *testing.T) {
	t.Parallel()
	h := newHost(t, sqlstore.Postgres)
	tx, err := h.DB.BeginTx(t.Context(), &sql.TxOptions{Isolation: sql.LevelRepeatableRead})
	require.NoError(t, err)
	inside := h.s.With(tx)
	imp, event := everyKind(state(t, inside, "in-1"), 0)
	_, err = h.s.Commit(t.Context(), imp, event)
	require.NoError(t, err)
	next, event := everyKind(state(t, inside, "in-1"), 1)
	_, err = inside.Commit(t.Context(), next, event)
	require.ErrorIs(t, err, sqlstore.ErrRetry)
	require.NoError(t, tx.Rollback())
	wholeCommits(t, h.s, 1, "in the end")
}

// TestDeadlockIsBrokenInside lets a write of the store wait for a host, and then the host for it: the
// server breaks the write, which is made again and succeeds.
func TestDeadlockIsBrokenInside(t *testing.T) {
	t.Parallel()
	for _, d := range sqlstoretest.Dialects()[1:] {
		t.Run(string(d), func(t *testing.T) {
			t.Parallel()
			h := newHost(t, d)
			cs, err := h.s.SaveCustomers(t.Context(), []inbox.Customer{{ID: "cu-1", Site: "acme"}, {ID: "cu-2", Site: "acme"}})
			require.NoError(t, err)
			touch := "UPDATE " + h.Table("customers") + " SET by_hand = 1 - by_hand WHERE id = "
			tx, _ := h.begin(t)
			for i := range 200 { // MySQL breaks the one who has changed less
				_, err := tx.ExecContext(t.Context(), fmt.Sprintf("INSERT INTO %s VALUES (%d)", h.Table("host"), i))
				require.NoError(t, err)
			}
			_, err = tx.ExecContext(t.Context(), touch+"'cu-2'")
			require.NoError(t, err)
			saved := make(chan error, 1)
			go func() {
				for i := range cs {
					cs[i].Name = "after"
				}
				_, err := h.s.SaveCustomers(t.Context(), cs)
				saved <- err
			}()
			h.waitForLock(t, saved)
			_, err = tx.ExecContext(t.Context(), touch+"'cu-1'")
			require.NoError(t, err, "the host is not the one who is broken")
			require.NoError(t, tx.Commit())
			require.NoError(t, <-saved)
			for _, id := range []inbox.CustomerID{"cu-1", "cu-2"} {
				c, err := h.s.Customer(t.Context(), "acme", id)
				require.NoError(t, err)
				require.Equal(t, "after", c.Name)
				require.Equal(t, storage.Version(2), c.Version)
			}
		})
	}
}

// waitForLock returns once a statement about the customers waits for a lock. InnoDB's status is asked
// because its table of transactions is a copy that is not made anew while it is read more than ten
// times a second: https://dev.mysql.com/doc/refman/8.4/en/innodb-information-schema-internal-data.html.
func (h *host) waitForLock(t *testing.T, over <-chan error) {
	t.Helper()
	table := h.Options.Prefix + "customers"
	for {
		select {
		case err := <-over:
			require.FailNow(t, "the write did not wait for a lock", "it answered %v", err)
		default:
		}
		switch h.Options.Dialect {
		case sqlstore.Postgres:
			waiting := rowsOf(t, h.DB, "SELECT COUNT(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%"+table+"%'")
			if waiting[0][0].(int64) > 0 {
				return
			}
		default:
			var kind, name, status string
			require.NoError(t, h.DB.QueryRowContext(t.Context(), "SHOW ENGINE INNODB STATUS").Scan(&kind, &name, &status))
			for _, trx := range strings.Split(status, "\n---TRANSACTION ")[1:] {
				if strings.Contains(trx, "LOCK WAIT") && strings.Contains(trx, table) {
					return
				}
			}
		}
	}
}

// A deadlock with the host's own locks is the host's to solve: the word for it is ErrRetry.
func TestWithDeadlock(t *testing.T) {
	t.Parallel()
	for _, d := range sqlstoretest.Dialects()[1:] {
		t.Run(string(d), func(t *testing.T) {
			t.Parallel()
			h := newHost(t, d)
			h.exec(t, h.DB, "INSERT INTO %s VALUES (1)")
			first, inFirst := h.begin(t)
			second, inSecond := h.begin(t)
			h.exec(t, first, "UPDATE %s SET a = 2")
			_, err := inSecond.Commit(t.Context(), inbox.Import{State: state(t, inSecond, "in-1")})
			require.NoError(t, err)

			waits := make(chan error)
			go func() {
				_, err := second.ExecContext(t.Context(), "UPDATE "+h.Table("host")+" SET a = 3")
				waits <- err
			}()
			_, err = inFirst.Commit(t.Context(), inbox.Import{State: state(t, inFirst, "in-1")})
			if err != nil {
				require.ErrorIs(t, err, sqlstore.ErrRetry)
			}
			require.NoError(t, first.Rollback())
			other := <-waits
			require.True(t, err != nil || other != nil, "one of both is broken")
			_ = second.Rollback()
			_, err = h.s.Commit(t.Context(), inbox.Import{State: state(t, h.s, "in-1")})
			require.NoError(t, err)
		})
	}
}
