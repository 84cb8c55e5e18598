package sqlstoretest_test

import (
	"testing"

	"github.com/workinbox/workinbox/inbox"
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
