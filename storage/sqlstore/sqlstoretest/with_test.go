package sqlstoretest_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
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

// TestDeadlockIsBrokenInside lets a host wait for a write of the store, and then the write for the
// host: the server breaks the write, which is made again and succeeds.
func TestDeadlockIsBrokenInside(t *testing.T) {
	t.Parallel()
	for _, d := range sqlstoretest.Dialects()[1:] {
		t.Run(string(d), func(t *testing.T) {
			t.Parallel()
			h := newHost(t, d)
			// A statement for each site, in the order of their names.
			cs, err := h.s.SaveCustomers(t.Context(), []inbox.Customer{{ID: "cu-1", Site: "a"}, {ID: "cu-2", Site: "b"}})
			require.NoError(t, err)
			touch := "UPDATE " + h.Table("customers") + " SET by_hand = 1 - by_hand WHERE site = "
			tx, _ := h.begin(t)
			if d == sqlstore.Postgres {
				// Who has waited for this long looks for a circle, once. The host never does, and the
				// write closes the circle, so that it is the write that finds it.
				_, err := tx.ExecContext(t.Context(), "SET LOCAL deadlock_timeout = '1h'")
				require.NoError(t, err)
			}
			for i := range 200 { // MySQL breaks the one who has changed less
				_, err := tx.ExecContext(t.Context(), fmt.Sprintf("INSERT INTO %s VALUES (%d)", h.Table("host"), i))
				require.NoError(t, err)
			}
			_, err = tx.ExecContext(t.Context(), touch+"'b'")
			require.NoError(t, err)
			session := sessionOf(t, d, tx)

			g := &gated{Connector: connector(t, h.Database), value: "b", reached: make(chan struct{}), open: make(chan struct{})}
			db := sql.OpenDB(g)
			t.Cleanup(func() { _ = db.Close() })
			s := h.StoreOn(t, db)
			saved, touched := make(chan error, 1), make(chan error, 1)
			go func() {
				for i := range cs {
					cs[i].Name = "after"
				}
				_, err := s.SaveCustomers(t.Context(), cs)
				saved <- err
			}()
			select {
			case <-g.reached:
			case err := <-saved:
				require.FailNow(t, "the write did not ask for the second customer", "it answered %v", err)
			}
			go func() {
				_, err := tx.ExecContext(t.Context(), touch+"'a'")
				touched <- err
			}()
			await(t, "the host waits for the write", func() bool {
				require.Empty(t, touched, "the host did not wait for the write")
				return waits(t, h.Database, session)
			})
			close(g.open)
			require.NoError(t, <-touched, "the host is not the one who is broken")
			require.NoError(t, tx.Commit())
			require.NoError(t, <-saved)
			require.Greater(t, g.asked.Load(), int64(1), "the write was broken, and made again")
			for _, c := range cs {
				c, err := h.s.Customer(t.Context(), c.Site, c.ID)
				require.NoError(t, err)
				require.Equal(t, "after", c.Name)
				require.Equal(t, storage.Version(2), c.Version)
			}
		})
	}
}

// gated is a server whose first lock of rows with a value waits until it may go on.
type gated struct {
	driver.Connector
	value         string
	reached, open chan struct{}
	asked         atomic.Int64
}

func (g *gated) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := g.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &gatedConn{c, g}, nil
}

type gatedConn struct {
	driver.Conn
	g *gated
}

func (c *gatedConn) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	return c.Conn.(driver.ConnBeginTx).BeginTx(ctx, o)
}

func (c *gatedConn) ExecContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Result, error) {
	return c.Conn.(driver.ExecerContext).ExecContext(ctx, text, args)
}

func (c *gatedConn) QueryContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Rows, error) {
	locks := strings.HasSuffix(text, " FOR UPDATE") &&
		slices.ContainsFunc(args, func(a driver.NamedValue) bool { return a.Value == c.g.value })
	if locks && c.g.asked.Add(1) == 1 {
		close(c.g.reached)
		select {
		case <-c.g.open:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return c.Conn.(driver.QueryerContext).QueryContext(ctx, text, args)
}

// sessionOf is what the server calls the connection of a transaction.
func sessionOf(t *testing.T, d sqlstore.Dialect, tx *sql.Tx) (id int64) {
	t.Helper()
	text := map[sqlstore.Dialect]string{
		sqlstore.Postgres: "SELECT pg_backend_pid()", sqlstore.MySQL: "SELECT CONNECTION_ID()",
	}[d]
	require.NoError(t, tx.QueryRowContext(t.Context(), text).Scan(&id))
	return id
}

// waits says whether a session waits for a lock. InnoDB's status is asked because its table of
// transactions is a copy that is not made anew while it is read more than ten times a second:
// https://dev.mysql.com/doc/refman/8.4/en/innodb-information-schema-internal-data.html.
func waits(t *testing.T, d *sqlstoretest.Database, session int64) bool {
	t.Helper()
	if d.Options.Dialect == sqlstore.Postgres {
		return rowsOf(t, d.DB, "SELECT cardinality(pg_blocking_pids($1))", session)[0][0].(int64) > 0
	}
	var kind, name, status string
	require.NoError(t, d.DB.QueryRowContext(t.Context(), "SHOW ENGINE INNODB STATUS").Scan(&kind, &name, &status))
	for _, trx := range strings.Split(status, "\n---TRANSACTION ")[1:] {
		if strings.Contains(trx, "LOCK WAIT") && strings.Contains(trx, fmt.Sprintf("thread id %d,", session)) {
			return true
		}
	}
	return false
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

			other := make(chan error, 1)
			go func() {
				_, err := second.ExecContext(t.Context(), "UPDATE "+h.Table("host")+" SET a = 3")
				other <- err
			}()
			_, err = inFirst.Commit(t.Context(), inbox.Import{State: state(t, inFirst, "in-1")})
			if err != nil {
				require.ErrorIs(t, err, sqlstore.ErrRetry)
			}
			require.NoError(t, first.Rollback())
			broken := <-other
			require.True(t, err != nil || broken != nil, "one of both is broken")
			_ = second.Rollback()
			_, err = h.s.Commit(t.Context(), inbox.Import{State: state(t, h.s, "in-1")})
			require.NoError(t, err)
		})
	}
}
