package memory_test

import (
	"testing"

	"github.com/workinbox/workinbox/storage/memory"
	"github.com/workinbox/workinbox/storage/storagetest"
	"github.com/workinbox/workinbox/ticket/desk"
)

func TestLeases(t *testing.T) {
	t.Parallel()
	storagetest.Leases(t, func(*testing.T) desk.Leases { return memory.New() })
}
