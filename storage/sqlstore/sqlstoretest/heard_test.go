package sqlstoretest_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"sync"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/storage/sqlstore"
	"github.com/workinbox/workinbox/storage/sqlstore/sqlstoretest"
	"github.com/workinbox/workinbox/ticket"
)

// heard notes every statement that goes to a server, with the values it had first.
type heard struct {
	driver.Connector
	mu    sync.Mutex
	texts map[string][]any
	calls int // statements, and beginnings and ends of transactions
}

func newHeard(t *testing.T, d *sqlstoretest.Database) *heard {
	t.Helper()
	return &heard{Connector: connector(t, d), texts: map[string][]any{}}
}

// connector connects to the server of a database.
func connector(t *testing.T, d *sqlstoretest.Database) driver.Connector {
	t.Helper()
	var on driver.DriverContext = mysql.MySQLDriver{}
	if d.Options.Dialect == sqlstore.Postgres {
		on = stdlib.GetDefaultDriver().(driver.DriverContext)
	}
	c, err := on.OpenConnector(d.DSN)
	require.NoError(t, err)
	return c
}

func (h *heard) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := h.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &heardConn{c, h}, nil
}

func (h *heard) note(text string, args []driver.NamedValue) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.calls++
	if _, known := h.texts[text]; known {
		return
	}
	values := make([]any, len(args))
	for i, a := range args {
		values[i] = a.Value
	}
	h.texts[text] = values
}

type heardConn struct {
	driver.Conn
	h *heard
}

func (c *heardConn) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	c.h.mu.Lock()
	c.h.calls += 2
	c.h.mu.Unlock()
	return c.Conn.(driver.ConnBeginTx).BeginTx(ctx, o)
}

func (c *heardConn) QueryContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Rows, error) {
	c.h.note(text, args)
	return c.Conn.(driver.QueryerContext).QueryContext(ctx, text, args)
}

func (c *heardConn) ExecContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Result, error) {
	c.h.note(text, args)
	return c.Conn.(driver.ExecerContext).ExecContext(ctx, text, args)
}

// open opens the store through what listens.
func (h *heard) open(t *testing.T, d *sqlstoretest.Database) *sqlstore.Store {
	t.Helper()
	db := sql.OpenDB(h)
	t.Cleanup(func() { _ = db.Close() })
	return d.StoreOn(t, db)
}

// since returns how many calls there were, and counts anew.
func (h *heard) since() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := h.calls
	h.calls = 0
	return n
}

// Each call of a server is a round trip, which is what a write costs there.
func TestRoundTrips(t *testing.T) {
	t.Parallel()
	onServers(t, func(t *testing.T, d *sqlstoretest.Database) {
		h := newHeard(t, d)
		s := h.open(t, d)
		create(t, s, "in-1")
		who, ids := make([]inbox.Known, 100), make([]provider.RemoteID, 100)
		for i := range who {
			who[i] = inbox.Known{Address: fmt.Sprintf("person.%d@client.example", i)}
			ids[i] = remote(i)
		}
		n := 0
		ensure := func() error {
			_, err := s.EnsureCustomers(t.Context(), "acme", "in-1", who, day, func() string {
				n++
				return fmt.Sprintf("cu-%d", n)
			})
			return err
		}
		first, read := inbox.Import{State: state(t, s, "in-1"), Put: mails("in-1", 0, 64)}, true
		for _, c := range []struct {
			what string
			most int
			call func() error
		}{
			{"commit 64 messages", 7, func() error {
				_, err := s.Commit(t.Context(), first)
				return err
			}},
			{"commit a step without mail", 4, func() error {
				_, err := s.Commit(t.Context(), inbox.Import{State: inbox.SyncState{Inbox: "in-1", Version: 1}})
				return err
			}},
			{"commit 64 messages read", 7, func() error {
				imp := inbox.Import{State: inbox.SyncState{Inbox: "in-1", Version: 2}}
				for _, p := range first.Put {
					imp.Changed = append(imp.Changed, inbox.MessageChange{ID: p.Message.ID, Unread: &read})
				}
				_, err := s.Commit(t.Context(), imp)
				return err
			}},
			{"ask for 100 remote ids", 5, func() error {
				_, err := s.Seen(t.Context(), "in-1", ids)
				return err
			}},
			{"make sure of 100 new customers", 15, ensure},
			{"make sure of 100 known customers", 1, ensure},
			{"save a new ticket", 9, func() error {
				_, err := s.SaveTickets(t.Context(), []ticket.Write{note(1)})
				return err
			}},
		} {
			h.since()
			require.NoError(t, c.call(), c.what)
			took := h.since()
			t.Logf("%d round trips to %s", took, c.what)
			require.LessOrEqual(t, took, c.most, "round trips to %s", c.what)
		}
	})
}
