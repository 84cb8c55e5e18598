package sqlstoretest_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
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

// What a host takes and gives back in its own transaction is taken and given back with the rest of it.
func TestWithLeasesHoldsBothOrNeither(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, d sqlstore.Dialect) {
		h, ctx := newHost(t, d), t.Context()
		claim := func(s *sqlstore.Store, owner string) []desk.Lease {
			t.Helper()
			got, err := s.Claim(ctx, desk.TaskStep, owner, 10, time.Hour)
			require.NoError(t, err)
			return got
		}
		task := func(id inbox.ID) desk.Task { return desk.Task{Kind: desk.TaskStep, Inbox: id} }

		tx, inside := h.begin(t)
		require.NoError(t, inside.Enroll(ctx, task("in-1")))
		require.Len(t, claim(inside, "ann"), 1)
		require.NoError(t, tx.Rollback())
		require.Empty(t, claim(h.s, "bob"), "what was enrolled and taken back")

		require.NoError(t, h.s.Enroll(ctx, task("in-1"), task("in-2")))
		tx, inside = h.begin(t)
		h.exec(t, tx, "INSERT INTO %s VALUES (1)")
		ours := claim(inside, "ann")
		require.Len(t, ours, 2)
		stale := ours[0]
		stale.Token--
		require.ErrorIs(t, inside.Release(ctx, stale, time.Hour, 0), storage.ErrConflict)
		require.ErrorIs(t, inside.Retire(ctx, stale), storage.ErrConflict)
		if d != sqlstore.SQLite { // where this would wait for the transaction
			require.Empty(t, claim(h.s, "bob"), "what is just being claimed is passed over, and not waited for")
		}
		require.NoError(t, tx.Rollback())
		require.Zero(t, h.rows(t))

		theirs := claim(h.s, "bob")
		require.Len(t, theirs, 2, "a claim that was rolled back held nothing")
		require.ErrorIs(t, h.s.Release(ctx, ours[0], 0, 0), storage.ErrConflict, "the lease that was rolled back")
		tx, inside = h.begin(t)
		h.exec(t, tx, "INSERT INTO %s VALUES (1)")
		require.ErrorIs(t, inside.Retire(ctx, stale), storage.ErrConflict)
		require.NoError(t, inside.Release(ctx, theirs[0], -time.Second, 0))
		require.NoError(t, inside.Ring(ctx, task(theirs[1].Inbox)))
		kept, err := inside.Renew(ctx, time.Hour, theirs...)
		require.NoError(t, err)
		require.Equal(t, theirs[1:], kept)
		require.NoError(t, tx.Commit())
		require.Equal(t, int64(1), h.rows(t))
		again := claim(h.s, "ann")
		require.Len(t, again, 1, "what was given back with what the host wrote")
		require.Equal(t, theirs[0].Inbox, again[0].Inbox)
	})
}
