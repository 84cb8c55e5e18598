package sqlstoretest_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/storage/sqlstore"
	"github.com/workinbox/workinbox/storage/sqlstore/sqlstoretest"
)

func TestReadOnlyFileIsReadAndNotWritten(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "store.db")
	s := sqlstoretest.OpenIn(t, path)
	create(t, s, "in-1")
	_, err := s.Commit(t.Context(), inbox.Import{State: state(t, s, "in-1"), Put: mails("in-1", 0, 3)})
	require.NoError(t, err)

	db := openWith(t, sqlstore.SQLiteDSN(path)+"&mode=ro")
	reader, err := sqlstore.Open(t.Context(), db, sqlstore.Options{})
	require.NoError(t, err)
	require.Len(t, messages(t, reader, inbox.MessageQuery{Inbox: "in-1"}), 3)
	before := state(t, reader, "in-1")
	_, err = reader.Commit(t.Context(), inbox.Import{State: before, Put: mails("in-1", 10, 1)})
	var told *storage.Error
	require.ErrorAs(t, err, &told)
	require.ErrorContains(t, err, "readonly")
	require.NotErrorIs(t, err, sqlstore.ErrRetry, "a file that stays as it is")
	require.NotErrorIs(t, err, sqlstore.ErrAmbiguous)
	require.Equal(t, before, state(t, reader, "in-1"))
}

func TestFullDiskLeavesEverythingAsItWas(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "store.db")
	s := sqlstoretest.OpenIn(t, path)
	create(t, s, "in-1")
	_, err := s.Commit(t.Context(), inbox.Import{State: state(t, s, "in-1"), Put: mails("in-1", 0, 30)})
	require.NoError(t, err)
	before, stored := state(t, s, "in-1"), messages(t, s, inbox.MessageQuery{Inbox: "in-1"})

	// SQLite itself answers SQLITE_FULL at a page count, as it does when the disk has no room.
	tight := openWith(t, sqlstore.SQLiteDSN(path)+"&_pragma=max_page_count(1)")
	full, err := sqlstore.Open(t.Context(), tight, sqlstore.Options{})
	require.NoError(t, err)
	imp := inbox.Import{
		State: before, Put: mails("in-1", 30, 100),
		Reject: []inbox.Rejected{{Remote: "rejected", Thread: "thread", Received: day, Reason: "bulk"}},
	}
	_, err = full.Commit(t.Context(), imp, inbox.Event{ID: "event", Site: "acme"})
	require.ErrorContains(t, err, "full")
	require.NotErrorIs(t, err, sqlstore.ErrRetry)
	require.NotErrorIs(t, err, sqlstore.ErrAmbiguous)
	for _, one := range []*sqlstore.Store{s, full} {
		require.Equal(t, before, state(t, one, "in-1"))
		require.Equal(t, stored, messages(t, one, inbox.MessageQuery{Inbox: "in-1"}))
		seen, err := one.Seen(t.Context(), "in-1", []provider.RemoteID{imp.Put[0].Message.Remote, "rejected"})
		require.NoError(t, err)
		require.Empty(t, seen)
	}
	// With room again the same import goes in.
	after, err := s.Commit(t.Context(), imp)
	require.NoError(t, err)
	require.Equal(t, before.Seq+100, after.Seq)
}

func TestBusyDatabaseIsTriedAFewTimes(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "store.db")
	create(t, sqlstoretest.OpenIn(t, path), "in-1")
	impatient := strings.Replace(sqlstore.SQLiteDSN(path), "busy_timeout(10000)", "busy_timeout(1)", 1)
	s := openDSN(t, impatient)

	other, err := open(t, path).Conn(t.Context())
	require.NoError(t, err)
	defer other.Close()
	_, err = other.ExecContext(t.Context(), "BEGIN IMMEDIATE")
	require.NoError(t, err)
	imp := inbox.Import{State: state(t, s, "in-1"), Put: mails("in-1", 0, 1)}
	_, err = s.Commit(t.Context(), imp)
	var told *storage.Error
	require.ErrorAs(t, err, &told)
	require.ErrorContains(t, err, "locked")
	require.ErrorIs(t, err, sqlstore.ErrRetry)
	require.NotErrorIs(t, err, sqlstore.ErrAmbiguous)
	require.Empty(t, messages(t, s, inbox.MessageQuery{Inbox: "in-1"}), "reading goes on meanwhile")

	_, err = other.ExecContext(t.Context(), "COMMIT")
	require.NoError(t, err)
	_, err = s.Commit(t.Context(), imp)
	require.NoError(t, err)
}

func TestClosedStoreRefuses(t *testing.T) {
	t.Parallel()
	s := openDSN(t, sqlstore.SQLiteDSN(filepath.Join(t.TempDir(), "store.db")))
	create(t, s, "in-1")
	require.NoError(t, s.Close())
	require.NoError(t, s.Close())
	_, err := s.Inbox(t.Context(), "in-1")
	require.ErrorContains(t, err, "closed")
	_, err = s.Commit(t.Context(), inbox.Import{State: inbox.SyncState{Inbox: "in-1"}})
	require.ErrorContains(t, err, "closed")
}

func TestErrorsHoldNoContent(t *testing.T) {
	t.Parallel()
	onEach(t, errorsHoldNoContent)
}

func errorsHoldNoContent(t *testing.T, d sqlstore.Dialect) {
	s := sqlstoretest.New(t, d).Store(t)
	create(t, s, "in-1")
	puts := mails("in-1", 0, 1)
	_, err := s.Commit(t.Context(), inbox.Import{State: state(t, s, "in-1"), Put: puts})
	require.NoError(t, err)
	var texts []string
	_, err = s.Commit(t.Context(), inbox.Import{State: state(t, s, "in-1"), Put: puts})
	require.ErrorIs(t, err, storage.ErrExists)
	texts = append(texts, err.Error())

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = s.Commit(ctx, inbox.Import{State: state(t, s, "in-1"), Put: mails("in-1", 5, 1)})
	require.ErrorIs(t, err, context.Canceled)
	customers := []inbox.Customer{
		{ID: "cu-1", Site: "acme", Address: "cleo@example.com"},
		{ID: "cu-2", Site: "acme", Address: "cleo@example.com"},
	}
	_, err = s.SaveCustomers(t.Context(), customers)
	require.ErrorIs(t, err, storage.ErrExists)
	texts = append(texts, err.Error())
	// A text no database can take for a message's company: longer than any ID.
	puts[0].Message.ID, puts[0].Message.Remote = "long", "long"
	puts[0].Message.Company = inbox.CompanyID(strings.Repeat("cleo@", 200))
	if _, err = s.Commit(t.Context(), inbox.Import{State: state(t, s, "in-1"), Put: puts}); err != nil {
		texts = append(texts, err.Error())
	}
	for _, secret := range []string{"@", "Shipment", "shipment", "cleo", "Bob"} {
		require.NotContains(t, strings.Join(texts, "\n"), secret)
	}
}

func TestPurgeGoesOnWhereItWasCut(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "store.db")
	s := sqlstoretest.OpenIn(t, path)
	for _, id := range []inbox.ID{"in-1", "in-2"} {
		create(t, s, id)
		puts := mails(id, 0, 1200)
		for i := range puts {
			puts[i].Content.HTML, puts[i].Content.Text = "", "short"
		}
		imp := inbox.Import{
			State: state(t, s, id), Put: puts,
			Reject:  []inbox.Rejected{{Remote: "rejected", Thread: "thread", Received: day, Reason: "bulk"}},
			Threads: []inbox.Thread{{ID: "thread", Opened: day}},
			Run:     &inbox.Run{ID: "run", Inbox: id, Started: day},
		}
		_, err := s.Commit(t.Context(), imp)
		require.NoError(t, err)
	}
	kept := messages(t, s, inbox.MessageQuery{Inbox: "in-2"})

	// What a process leaves that dies after the first step.
	db := open(t, path)
	for _, text := range []string{
		"INSERT INTO workinbox_purges SELECT pk FROM workinbox_inboxes WHERE id = 'in-1'",
		"DELETE FROM workinbox_syncs WHERE inbox = (SELECT pk FROM workinbox_inboxes WHERE id = 'in-1')",
		"DELETE FROM workinbox_inboxes WHERE id = 'in-1'",
	} {
		_, err := db.ExecContext(t.Context(), text)
		require.NoError(t, err)
	}
	_, err := s.Message(t.Context(), mails("in-1", 0, 1)[0].Message.ID)
	require.ErrorIs(t, err, storage.ErrNotFound, "a message of an inbox on its way out")
	_, err = s.Content(t.Context(), mails("in-1", 0, 1)[0].Message.ID)
	require.ErrorIs(t, err, storage.ErrNotFound, "its content")

	require.NoError(t, s.DeleteInbox(t.Context(), "absent"))
	for table, want := range map[string]int64{
		"messages": 1200, "contents": 1200, "items": 1, "threads": 1, "runs": 1, "purges": 0,
	} {
		got := readRows(t, db, "SELECT COUNT(*) FROM workinbox_"+table)
		require.Equal(t, [][]any{{want}}, got, "rows left in %s, those of the other inbox", table)
	}
	require.Equal(t, kept, messages(t, s, inbox.MessageQuery{Inbox: "in-2"}))
}

// secure_delete overwrites what is erased; otherwise it would lie in the file for as long as nobody
// needs the room.
func TestErasedTextIsNotInTheFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "store.db")
	s := sqlstoretest.OpenIn(t, path)
	create(t, s, "in-1")
	puts := mails("in-1", 0, 3)
	puts[1].Content.Text = strings.Repeat("a word nobody else uses ", 1000)
	puts[1].Message.Subject = "a title nobody else uses"
	st, err := s.Commit(t.Context(), inbox.Import{State: state(t, s, "in-1"), Put: puts})
	require.NoError(t, err)
	inFile := func() bool {
		_, err := open(t, path).ExecContext(t.Context(), "PRAGMA wal_checkpoint(TRUNCATE)")
		require.NoError(t, err)
		raw, err := os.ReadFile(path)
		require.NoError(t, err)
		return strings.Contains(string(raw), "nobody else uses")
	}
	require.True(t, inFile(), "before it is erased")
	_, err = s.Commit(t.Context(), inbox.Import{State: st, Erase: []inbox.MessageID{puts[1].Message.ID}})
	require.NoError(t, err)
	require.False(t, inFile(), "after it is erased")
}

// messages reads a list to its end.
func messages(tb testing.TB, s *sqlstore.Store, q inbox.MessageQuery) []inbox.Message {
	tb.Helper()
	var all []inbox.Message
	for m, err := range s.Messages(tb.Context(), q) {
		require.NoError(tb, err)
		all = append(all, m)
	}
	return slices.Clip(all)
}
