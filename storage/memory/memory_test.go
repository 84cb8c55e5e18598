package memory_test

import (
	"testing"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage/memory"
	"github.com/workinbox/workinbox/storage/storagetest"
	"github.com/workinbox/workinbox/ticket"
)

func TestInboxes(t *testing.T) {
	t.Parallel()
	storagetest.Inboxes(t, func(*testing.T) inbox.Store { return memory.New() })
}

func TestTickets(t *testing.T) {
	t.Parallel()
	storagetest.Tickets(t, func(*testing.T) ticket.Store { return memory.New() })
}

func TestVault(t *testing.T) {
	t.Parallel()
	storagetest.Vault(t, func(*testing.T) inbox.Vault { return memory.New() })
}

func TestBlobs(t *testing.T) {
	t.Parallel()
	storagetest.Blobs(t, func(*testing.T) inbox.Blobs { return memory.New() })
}
