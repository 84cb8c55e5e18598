package sqlstoretest_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/storage/sqlstore"
	"github.com/workinbox/workinbox/storage/sqlstore/sqlstoretest"
	"github.com/workinbox/workinbox/ticket"
)

func TestTextItCannotHoldIsRefusedByName(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, d sqlstore.Dialect) {
		s := sqlstoretest.New(t, d).Store(t)
		_, err := s.CreateInbox(t.Context(), inbox.Inbox{ID: "in-1\xff", Site: "acme"})
		require.EqualError(t, err, `create inbox "in-1\xff": a text is not valid UTF-8, which is all the database can hold`)
		_, err = s.SaveMark(t.Context(), "in-1\x00", 1, 0)
		if d != sqlstore.Postgres {
			require.NoError(t, err)
			return
		}
		require.EqualError(t, err, `save mark "in-1\x00": a text has a zero byte, which the database cannot hold`)
	})
}

// PostgreSQL would end the host's transaction with the statement it cannot read.
func TestTextItCannotHoldLeavesTheTransactionOfTheHost(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, d sqlstore.Dialect) {
		h := newHost(t, d)
		tx, inside := h.begin(t)
		for _, id := range []string{"in-1\x00", "in-1\xff"} {
			_, err := inside.Inbox(t.Context(), inbox.ID(id))
			require.ErrorIs(t, err, storage.ErrNotFound)
			require.Empty(t, collect(t, "tickets", inside.Tickets(t.Context(), ticket.Query{AnyTag: []string{id}})))
		}
		_, err := inside.CreateInbox(t.Context(), inbox.Inbox{ID: "in-2\xff", Site: "acme"})
		require.Error(t, err)
		_, err = inside.Inbox(t.Context(), "in-1")
		require.NoError(t, err)
		h.exec(t, tx, "INSERT INTO %s VALUES (1)")
		require.NoError(t, tx.Commit())
		require.Equal(t, int64(1), h.rows(t), "the host's rows")
	})
}
