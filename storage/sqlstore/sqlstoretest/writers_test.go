package sqlstoretest_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/storage/sqlstore"
	"github.com/workinbox/workinbox/storage/sqlstore/sqlstoretest"
)

// Sixteen writers on four stores of one file, as in four processes: each has an inbox of its own, and
// all of them one that they share. Of two commits on one state exactly one goes in.
func TestManyWriters(t *testing.T) {
	t.Parallel()
	const writers, commits = 16, 5
	path := filepath.Join(t.TempDir(), "store.db")
	stores := make([]*sqlstore.Store, 4)
	for i := range stores {
		stores[i] = sqlstoretest.OpenIn(t, path)
	}
	create(t, stores[0], "shared")
	var group errgroup.Group
	for w := range writers {
		s, own := stores[w%len(stores)], inbox.ID(fmt.Sprintf("own-%02d", w))
		create(t, s, own)
		group.Go(func() error {
			for i := range commits {
				imp := inbox.Import{State: inbox.SyncState{Inbox: own, Version: storage.Version(i)}}
				imp.Put = mails(own, i*3, 3)
				for j := range imp.Put {
					imp.Put[j].Message.ID += inbox.MessageID(own)
				}
				if _, err := s.Commit(t.Context(), imp); err != nil {
					return fmt.Errorf("commit %d of writer %d: %w", i, w, err)
				}
				if err := commitShared(t, s, w*commits+i); err != nil {
					return fmt.Errorf("shared commit %d of writer %d: %w", i, w, err)
				}
			}
			return nil
		})
	}
	require.NoError(t, group.Wait())
	st := state(t, stores[1], "shared")
	require.Equal(t, storage.Version(writers*commits), st.Version, "version of the shared inbox")
	require.Equal(t, uint64(writers*commits), st.Seq, "log of the shared inbox")
	seq := uint64(0)
	for c, err := range stores[2].Log(t.Context(), "shared", 0) {
		require.NoError(t, err)
		require.Equal(t, seq+1, c.Seq, "log of the shared inbox")
		seq = c.Seq
	}
	require.Equal(t, st.Seq, seq)
	for w := range writers {
		require.Equal(t, uint64(3*commits), state(t, stores[3], inbox.ID(fmt.Sprintf("own-%02d", w))).Seq)
	}
}

// commitShared puts one message into the shared inbox on whatever state is there.
func commitShared(t *testing.T, s *sqlstore.Store, i int) error {
	for {
		st, err := s.SyncState(t.Context(), "shared")
		if err != nil {
			return err
		}
		_, err = s.Commit(t.Context(), inbox.Import{State: st, Put: mails("shared", i, 1)})
		if !errors.Is(err, storage.ErrConflict) {
			return err
		}
	}
}
