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

func TestInboxes(t *testing.T) {
	t.Parallel()
	storagetest.Inboxes(t, func(t *testing.T) inbox.Store { return sqlstoretest.Open(t) })
}

func TestTickets(t *testing.T) {
	t.Parallel()
	storagetest.Tickets(t, func(t *testing.T) ticket.Store { return sqlstoretest.Open(t) })
}

func TestVault(t *testing.T) {
	t.Parallel()
	storagetest.Vault(t, func(t *testing.T) inbox.Vault { return sqlstoretest.Open(t) })
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
