package sqlstoretest_test

import (
	"testing"

	"github.com/workinbox/workinbox/storage/sqlstore"
	"github.com/workinbox/workinbox/storage/sqlstore/sqlstoretest"
	"github.com/workinbox/workinbox/storage/storagetest"
	"github.com/workinbox/workinbox/ticket/desk"
)

func TestLeases(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, d sqlstore.Dialect) {
		storagetest.Leases(t, func(t *testing.T) desk.Leases { return sqlstoretest.New(t, d).Store(t) })
	})
}

func TestLeasesOnOneConnection(t *testing.T) {
	t.Parallel()
	storagetest.Leases(t, func(t *testing.T) desk.Leases { return onOneConnection(t) })
}
