package customstore_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/examples/customstore"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage/storagetest"
)

// TestStore is all that a store of your own needs to be known to be right.
func TestStore(t *testing.T) {
	t.Parallel()
	storagetest.Inboxes(t, func(t *testing.T) inbox.Store { return open(t, newFile(t)) })
}

// TestStoreReadAgainAfterEveryWrite shows that whatever was written lasts, by the same suite.
func TestStoreReadAgainAfterEveryWrite(t *testing.T) {
	t.Parallel()
	storagetest.Inboxes(t, func(t *testing.T) inbox.Store {
		path := newFile(t)
		return &forgetful{t: t, path: path, store: open(t, path)}
	})
}

func newFile(t *testing.T) string { return filepath.Join(t.TempDir(), "store.jsonl") }

func open(t *testing.T, path string) *customstore.Store {
	t.Helper()
	s, err := customstore.Open(t.Context(), path)
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() }) // a forgetful one is closed already
	return s
}

func TestTornLineIsCutOff(t *testing.T) {
	t.Parallel()
	path := newFile(t)
	s := open(t, path)
	_, err := s.CreateInbox(t.Context(), inbox.Inbox{ID: "a", Site: "site"})
	require.NoError(t, err)
	before, err := os.Stat(path)
	require.NoError(t, err)
	_, err = s.CreateInbox(t.Context(), inbox.Inbox{ID: "b", Site: "site"})
	require.NoError(t, err)
	whole, err := os.ReadFile(path)
	require.NoError(t, err)

	for n := int(before.Size()); n < len(whole); n++ {
		torn := newFile(t)
		require.NoError(t, os.WriteFile(torn, whole[:n], 0o600))
		s := open(t, torn)
		require.Equal(t, []inbox.ID{"a"}, ids(t, s), "cut after %d of %d bytes", n, len(whole))
		_, err := s.CreateInbox(t.Context(), inbox.Inbox{ID: "c", Site: "site"})
		require.NoError(t, err)
		require.Equal(t, []inbox.ID{"a", "c"}, ids(t, open(t, torn)), "read again after %d bytes", n)
	}
}

func TestDamagedLineIsNotPassedOver(t *testing.T) {
	t.Parallel()
	path := newFile(t)
	s := open(t, path)
	for _, id := range []inbox.ID{"a", "b"} {
		_, err := s.CreateInbox(t.Context(), inbox.Inbox{ID: id, Site: "site"})
		require.NoError(t, err)
	}
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	for _, damage := range []string{"x", "{}\n", `{"write":"forget all","args":{}}` + "\n",
		`{"write":"commit","args":[]}` + "\n"} {
		require.NoError(t, os.WriteFile(path, append([]byte(damage), whole...), 0o600))
		_, err = customstore.Open(t.Context(), path)
		require.ErrorIs(t, err, customstore.ErrDamaged, "file begins with %q", damage)
	}
}

func TestCancelledWriteIsNotWritten(t *testing.T) {
	t.Parallel()
	path := newFile(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s := open(t, path)
	_, err := s.CreateInbox(ctx, inbox.Inbox{ID: "a", Site: "site"})
	require.ErrorIs(t, err, context.Canceled)
	require.Empty(t, ids(t, s))
	require.Empty(t, ids(t, open(t, path)))
}

func TestAfterADiskErrorNothingHalfIsKept(t *testing.T) {
	t.Parallel()
	path := newFile(t)
	s := open(t, path)
	_, err := s.CreateInbox(t.Context(), inbox.Inbox{ID: "a", Site: "site"})
	require.NoError(t, err)
	require.NoError(t, s.Close()) // from here on the file refuses everything
	for range 2 {
		_, err = s.CreateInbox(t.Context(), inbox.Inbox{ID: "b", Site: "site"})
		require.ErrorIs(t, err, os.ErrClosed)
	}
	require.Equal(t, []inbox.ID{"a"}, ids(t, s), "what the store shows")
	require.Equal(t, []inbox.ID{"a"}, ids(t, open(t, path)), "what the file has")
}

func ids(t *testing.T, s inbox.Store) (all []inbox.ID) {
	t.Helper()
	for in, err := range s.Inboxes(t.Context(), inbox.Query{}) {
		require.NoError(t, err)
		all = append(all, in.ID)
	}
	return all
}
