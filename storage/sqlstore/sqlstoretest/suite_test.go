package sqlstoretest_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage/sqlstore"
	"github.com/workinbox/workinbox/storage/sqlstore/sqlstoretest"
	"github.com/workinbox/workinbox/storage/storagetest"
	"github.com/workinbox/workinbox/ticket"
)

// onEach runs a test on every database.
func onEach(t *testing.T, test func(t *testing.T, d sqlstore.Dialect)) {
	for _, d := range sqlstoretest.Dialects() {
		t.Run(string(d), func(t *testing.T) {
			t.Parallel()
			test(t, d)
		})
	}
}

func TestInboxes(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, d sqlstore.Dialect) {
		storagetest.Inboxes(t, func(t *testing.T) inbox.Store { return sqlstoretest.New(t, d).Store(t) })
	})
}

func TestTickets(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, d sqlstore.Dialect) {
		storagetest.Tickets(t, func(t *testing.T) ticket.Store { return sqlstoretest.New(t, d).Store(t) })
	})
}

func TestVault(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, d sqlstore.Dialect) {
		storagetest.Vault(t, func(t *testing.T) inbox.Vault { return sqlstoretest.New(t, d).Store(t) })
	})
}

// A host may allow one connection only: then whatever asks for a second one while it holds the first
// waits for ever.
func TestInboxesOnOneConnection(t *testing.T) {
	t.Parallel()
	storagetest.Inboxes(t, func(t *testing.T) inbox.Store { return onOneConnection(t) })
}

func TestTicketsOnOneConnection(t *testing.T) {
	t.Parallel()
	storagetest.Tickets(t, func(t *testing.T) ticket.Store { return onOneConnection(t) })
}

func onOneConnection(t *testing.T) *sqlstore.Store {
	path := filepath.Join(t.TempDir(), "store.db")
	sqlstoretest.OpenIn(t, path)
	db := open(t, path)
	db.SetMaxOpenConns(1)
	s, err := sqlstore.Open(t.Context(), db, sqlstore.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s
}
