package sqlstoretest_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"modernc.org/sqlite"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/storage/sqlstore"
	"github.com/workinbox/workinbox/ticket"
)

// watched notes the text of every statement that is prepared on the driver below it.
type watched struct {
	dsn   string
	mu    sync.Mutex
	texts map[string]bool
	tell  func(text string) // nil: nobody
}

func (w *watched) Driver() driver.Driver { return &sqlite.Driver{} }

func (w *watched) Connect(context.Context) (driver.Conn, error) {
	below, err := w.Driver().Open(w.dsn)
	return &watchedConn{below, w}, err
}

type watchedConn struct {
	driver.Conn
	w *watched
}

func (c *watchedConn) Prepare(text string) (driver.Stmt, error) {
	c.w.mu.Lock()
	c.w.texts[text] = true
	if c.w.tell != nil {
		c.w.tell(text)
	}
	c.w.mu.Unlock()
	return c.Conn.Prepare(text)
}

func (c *watchedConn) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	return c.Conn.(driver.ConnBeginTx).BeginTx(ctx, o)
}

// allowed are statements that may read a whole table: it is empty but for a moment after a crash, or
// holds a line for each migration.
var allowed = []string{
	"FROM workinbox_purges LIMIT 1", "FROM workinbox_schema", "FROM sqlite_master",
}

// served says which index must serve a statement with these words. With words of several rows it is
// one of their indexes.
var served = []struct{ words, index string }{
	{" m.thread = ?", "messages_thread"},
	{" m.customer = ?", "messages_customer"},
	{" m.marker = ?", "messages_marker"},
	{" m.remote IN", "messages_remote"},
	{" m.rfcid IN", "messages_rfcid"},
	{"WHERE inbox = ? AND remote IN", "messages_remote"},
	{"WHERE inbox = ? AND remote IN", "workinbox_items USING PRIMARY KEY"},
	{"not_before <= ? ORDER BY not_before", "items_due"},
	{"AND thread = ? AND client = 1", "items_thread"},
	{"ORDER BY started DESC", "runs_started"},
	{"{readers} r CROSS JOIN", "SEARCH r USING PRIMARY KEY (site=? AND person=? AND inbox>?)"},
	{" c.company = ?", "customers_company"},
	{"a.live = 1 AND a.address IN", "addresses_live"},
	{"AND host = ? AND customer > ?", "addresses_host"},
	{"WHERE t.site = ? AND t.trash = ? AND (t.hidden", "tickets_site"},
	{"WHERE t.site = ? AND t.trash = ? AND t.hidden", "tickets_site"},
	{" t.customer IN", "tickets_customer"},
	{" t.rest = ?", "tickets_rest"},
	{" t.company IN", "tickets_company"},
	{" t.inbox = ? AND t.hidden", "tickets_inbox"},
	{" t.assignee = ? AND", "tickets_assignee"},
	{" t.customer = ? AND", "tickets_customer"},
	{" t.company = ? AND", "tickets_company"},
	{" t.number = ?", "tickets_number"},
	{" h.thread IN", "SEARCH h USING PRIMARY KEY (thread=?); SEARCH t USING INTEGER PRIMARY KEY"},
	{"e.ticket = (SELECT", "entries_ticket"},
	{"WHERE e.inbox = ? ORDER", "entries_inbox"},
	{" e.message IN", "entries_message"},
	{" e.rfcid IN", "entries_rfcid"},
	{" e.marker = ?", "entries_marker"},
	{"WHERE e.outgoing IN", "entries_outgoing"},
}

// One store for both, because it takes long to fill: lists come in order and complete, and no
// statement that was used on the way reads a whole table or sorts.
func TestListsLongerThanAPage(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "store.db")
	require.NoError(t, sqlstore.Migrate(t.Context(), open(t, path), sqlstore.Options{}))
	w := &watched{dsn: sqlstore.SQLiteDSN(path), texts: map[string]bool{}}
	db := sql.OpenDB(w)
	t.Cleanup(func() { _ = db.Close() })
	s, err := sqlstore.Open(t.Context(), db, sqlstore.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })

	fillLists(t, s)
	readLists(t, s)
	writeTheRest(t, s)

	// A host may have the planner's statistics made, which must not lead it astray.
	explain := open(t, path)
	for _, statistics := range []string{withoutStatistics, "with statistics"} {
		lists := 0
		for text := range w.texts {
			if strings.Contains(text, "ORDER BY") {
				lists++
			}
			checkPlan(t, statistics, text, planOf(t, explain, text))
		}
		require.Greater(t, lists, 40, "statements with an order that were looked at")
		_, err := explain.ExecContext(t.Context(), "ANALYZE")
		require.NoError(t, err)
	}
}

const withoutStatistics = "without statistics"

func checkPlan(t *testing.T, statistics, text string, plan []string) {
	t.Helper()
	if slices.ContainsFunc(allowed, func(a string) bool { return strings.Contains(text, a) }) {
		return
	}
	for _, line := range plan {
		// By the statistics of tables as small as these it may well be right to read all of one.
		scans := strings.HasPrefix(line, "SCAN") && line != "SCAN threads"
		if scans && statistics == withoutStatistics {
			t.Errorf("%s: plan of %q reads a whole table: %q", statistics, text, plan)
		}
		if strings.Contains(line, "TEMP B-TREE FOR ORDER BY") {
			t.Errorf("%s: plan of %q sorts: %q", statistics, text, plan)
		}
	}
	var indexes []string
	for _, s := range served {
		if strings.Contains(text, strings.NewReplacer("{", "workinbox_", "}", "").Replace(s.words)) {
			indexes = append(indexes, s.index)
		}
	}
	by := strings.Join(plan, "; ")
	serves := func(index string) bool { return strings.Contains(by, index) }
	if len(plan) > 0 && len(indexes) > 0 && !slices.ContainsFunc(indexes, serves) {
		t.Errorf("%s: plan of %q: got %q, want one by %q", statistics, text, by, indexes)
	}
}

// planOf returns the lines of a statement's plan.
func planOf(t *testing.T, db *sql.DB, text string) (lines []string) {
	t.Helper()
	if !strings.HasPrefix(text, "SELECT") && !strings.HasPrefix(text, "UPDATE") && !strings.HasPrefix(text, "DELETE") {
		return nil
	}
	args := make([]any, strings.Count(text, "?"))
	for _, row := range readRows(t, db, "EXPLAIN QUERY PLAN "+text, args...) {
		lines = append(lines, row[3].(string))
	}
	return lines
}

// writeTheRest calls what the lists did not need.
func writeTheRest(t *testing.T, s *sqlstore.Store) {
	ctx := t.Context()
	in, err := s.Inbox(ctx, "in-001")
	require.NoError(t, err)
	_, err = s.UpdateInbox(ctx, in, []inbox.Change{{Kind: inbox.ChangeAccess, At: day, User: "bob"}})
	require.NoError(t, err)
	first := mails("in-001", 0, 1)[0].Message
	_, err = s.Message(ctx, first.ID)
	require.NoError(t, err)
	_, err = s.Content(ctx, first.ID)
	require.NoError(t, err)
	_, err = s.Seen(ctx, "in-001", []provider.RemoteID{remote(1), remote(2), "r"})
	require.NoError(t, err)
	unread := true
	_, err = s.Commit(ctx, inbox.Import{
		State:   state(t, s, "in-001"),
		Put:     mails("in-001", many, 1),
		Changed: []inbox.MessageChange{{ID: first.ID, Unread: &unread}},
		Erase:   []inbox.MessageID{first.ID},
		Reject:  []inbox.Rejected{{Remote: "r", Thread: "t", Client: true, Reason: "bulk", Received: day}},
		Dequeue: []provider.RemoteID{remote(100_001)},
		Gone:    []inbox.Gone{{Remote: "g"}},
		Reopen:  []inbox.Reopen{{Thread: "t", Reason: "bulk"}},
		Threads: []inbox.Thread{{ID: "t", Opened: day}},
	})
	require.NoError(t, err)
	who := []inbox.Known{{Address: "new@example.com", Company: "co-001"}, {Address: "person.1@eu-1.example.com", Company: "co-001"}}
	_, err = s.EnsureCustomers(ctx, "acme", "in-002", who, day, func() string { return "cu-new" })
	require.NoError(t, err)
	_, err = s.SaveCompany(ctx, inbox.Company{ID: "co-000", Site: "acme", Version: 1})
	require.NoError(t, err)
	require.NoError(t, s.RetryEvent(ctx, "event-001", nil, day))
	require.NoError(t, s.DoneEvent(ctx, "event-002"))
	_, err = s.SaveMark(ctx, "in-001", 3, 0)
	require.NoError(t, err)
	_, err = s.SaveMark(ctx, "in-001", 4, 1)
	require.NoError(t, err)
	old, err := s.Ticket(ctx, note(0).Ticket.ID)
	require.NoError(t, err)
	_, err = s.SaveTickets(ctx, []ticket.Write{{Ticket: old}})
	require.NoError(t, err)
	key := inbox.VaultKey{Inbox: "in-001", Use: inbox.UseMailbox}
	for v := range 2 {
		_, err = s.SaveCredential(ctx, key, provider.NewCredential([]byte("secret")), storage.Version(v))
		require.NoError(t, err)
	}
	require.NoError(t, s.DeleteCredential(ctx, key))
	for _, who := range []acl.UserID{"ann", "bob"} {
		d, err := s.SaveDraft(ctx, ticket.Draft{Site: "acme", Ticket: note(0).Ticket.ID, Author: who, Entry: ticket.EntryID(who)}, "")
		require.NoError(t, err)
		d, err = s.SaveDraft(ctx, d, d.Entry)
		require.NoError(t, err)
		_, err = s.Draft(ctx, d.Entry)
		require.NoError(t, err)
		for _, q := range []ticket.DraftQuery{{Ticket: d.Ticket}, {Site: "acme", Author: who}} {
			require.NotEmpty(t, collect(t, "drafts", s.Drafts(ctx, q)))
		}
	}
	require.NoError(t, s.DeleteDraft(ctx, "bob", 2))
	require.NoError(t, s.PurgeTicket(ctx, note(0).Ticket.ID, 2))
	require.NoError(t, s.PurgeTickets(ctx, "in-001"))
	require.NoError(t, s.DeleteInbox(ctx, "in-001"))
}
