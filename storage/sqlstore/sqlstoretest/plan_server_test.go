package sqlstoretest_test

import (
	"database/sql"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/storage/sqlstore"
	"github.com/workinbox/workinbox/storage/sqlstore/sqlstoretest"
	"github.com/workinbox/workinbox/ticket"
)

// TestListsOnServers reads the same lists as TestListsLongerThanAPage, and asks the server how it ran
// each statement: none reads a whole table, and none that goes on from a place sorts.
func TestListsOnServers(t *testing.T) {
	t.Parallel()
	onServers(t, func(t *testing.T, d *sqlstoretest.Database) {
		h := newHeard(t, d)
		db := sql.OpenDB(h)
		db.SetMaxOpenConns(2)
		t.Cleanup(func() { _ = db.Close() })
		s := d.StoreOn(t, db)
		fillLists(t, s)
		readLists(t, s)
		for _, q := range []inbox.MessageQuery{{RFCIDs: []string{"one"}}, {Remotes: []provider.RemoteID{"one"}}} {
			q.Inbox = "in-001"
			collect(t, "messages by one value", s.Messages(t.Context(), q))
		}
		collect(t, "tickets of an assignee", s.Tickets(t.Context(), ticket.Query{Site: "acme", Assignee: "ann"}))
		conn, err := d.Connect(t).Conn(t.Context()) // whose settings no store sees
		require.NoError(t, err)
		defer conn.Close()
		p := serverPlans{Database: d, conn: conn}
		p.ready(t)
		p.check(t, h)
		require.Greater(t, p.lists, 40, "statements with an order that were looked at")
		require.Empty(t, p.unseen(), "kinds of statements that were not there")
		require.Greater(t, p.threads, p.merged, "lists by thread without merged tickets")
		require.Positive(t, p.merged, "lists by thread with merged tickets")

		writeTheRest(t, s)
		p.check(t, h)
	})
}

// serverPlans explains statements.
type serverPlans struct {
	*sqlstoretest.Database
	conn  *sql.Conn
	lists int
	seen  []string
	// Of the lists those by thread, and of these the ones with merged tickets.
	threads, merged int
}

// numbers are three thousand of them, in words that all databases know.
const numbers = "(SELECT 10000 + a.d + 10 * b.d + 100 * c.d + 1000 * e.d AS n FROM " +
	"(" + digits + ") a CROSS JOIN (" + digits + ") b CROSS JOIN (" + digits + ") c CROSS JOIN (SELECT 0 AS d UNION ALL SELECT 1 UNION ALL SELECT 2) e) x"

const digits = "SELECT 0 AS d UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 " +
	"UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9"

// crowd fills the tables with rows that no list here is about.
var crowd = map[string]string{
	"inboxes": "(id, site, team, state, version, doc) SELECT 'i' || n, 's' || n % 99, n % 2, 'active', 1, '{}'",
	"readers": "SELECT 's' || n % 99, 'p' || n % 500, 'i' || n",
	"messages": "SELECT n * 68719476736, 'm' || n, n % 500 + 90000, 'r' || n, 't' || n % 2500, n, n % 2, 0, n, " +
		"'i' || n, 'k' || n, 'c' || n % 500, 'co', '', '{}'",
	"contents": "SELECT n * 68719476736, '', '', NULL",
	"changes":  "SELECT n * 68719476736, 'changed', n, '', '', ''",
	"items": "SELECT n % 500 + 90000, 'r' || n, 1 + n % 2, 't', n, '', n % 2, 1, '', 0, 0, 0, " +
		"CASE WHEN n % 2 = 1 THEN n END, ''",
	"threads":   "SELECT n % 500 + 90000, 't' || n, n",
	"runs":      "SELECT n % 500 + 90000, 'r' || n, n, '{}'",
	"events":    "SELECT 'v' || n, 0, 9000000000000000, '', '{}'",
	"companies": "SELECT 's' || n % 99, 'o' || n, n % 2, n % 2, 1, '{}'",
	"domains":   "SELECT 's' || n % 99, 'd' || n, 'o' || n, 0, 0",
	"customers": "SELECT 's' || n % 99, 'c' || n, 0, 0, 'o' || n % 500, 1, '{}'",
	"addresses": "(site, address, customer, live, company, since, host) SELECT 's' || n % 99, 'a' || n, 'c' || n, " +
		"1, '', 0, 'com.example' || n",
	"known": "SELECT 's' || n % 99, 'c' || n, 'i' || n % 500",
	"tickets": "(pk, id, site, inbox, number, activity, trash, hidden, imported, status, assignee, customer, " +
		"company, tags, version, doc, created, heard, priority, type, source) SELECT 1000000 + n, 't' || n, 's' || n % 99, 'i' || n % 500, n, n, 0, n % 2, n % 2, 'active', " +
		"'p' || n % 500, 'c' || n % 500, 'o' || n % 500, '', 1, '{}', n, n, '', '', ''",
	"ticket_threads": "SELECT 't' || n, 1000000 + n",
	"entries": "SELECT 1000000 + n, 'e' || n, n % 2500, 'i' || n % 500, n, 'm' || n, 'r' || n, 'k' || n, " +
		"'sent', n, '{}'",
	"search": "(pk, entry, ticket, inbox, hidden, files, words) SELECT n, 1000000 + n, 1000000 + n, 'i' || n % 500, " +
		"n % 2, n % 2, ''",
	"reads":       "SELECT 'p' || n % 500, 1000000 + n, n",
	"drafts":      "SELECT 'e' || n, 't' || n, 'p' || n % 500, 's' || n % 99, 1, '{}'",
	"marks":       "SELECT 'i' || n, 1, 1",
	"credentials": "SELECT 'i' || n, 'mailbox', 1, ''",
	"syncs":       "SELECT 90000 + n, 1, 1, 0, 0, '{}'",
}

// ready gives the planner tables of some size, and statistics of them. PostgreSQL takes no hints: what
// is short enough it rather reads from one end to the other, or sorts, and is told not to, so that the
// plan shows whether an index has the order.
func (p *serverPlans) ready(t *testing.T) {
	t.Helper()
	run := func(text string) {
		t.Helper()
		_, err := p.conn.ExecContext(t.Context(), text)
		require.NoError(t, err, text)
	}
	onPostgres := p.Options.Dialect == sqlstore.Postgres
	if !onPostgres {
		run("SET SESSION sql_mode = 'PIPES_AS_CONCAT'")
	}
	for table, rows := range crowd {
		run("INSERT INTO " + p.Table(table) + " " + rows + " FROM " + numbers)
		if onPostgres {
			run("ANALYZE " + p.Table(table))
		} else {
			rowsOf(t, p.conn, "ANALYZE TABLE "+p.Table(table))
		}
	}
	if onPostgres {
		run("SET enable_seqscan = off")
		run("SET enable_sort = off")
	}
}

func (p *serverPlans) check(t *testing.T, h *heard) {
	t.Helper()
	h.mu.Lock()
	texts := h.texts
	h.texts = map[string][]any{}
	h.mu.Unlock()
	for text, args := range texts {
		verb, _, _ := strings.Cut(text, " ")
		if !slices.Contains([]string{"SELECT", "UPDATE", "DELETE"}, verb) || p.isAllowed(text) {
			continue
		}
		plan := p.explain(t, text, args)
		// The log is cut to a page twice, and then merged.
		goesOn := strings.Contains(text, "ORDER BY") && strings.Contains(text, "LIMIT") &&
			!strings.Contains(text, " IN (") && !strings.Contains(text, " AS arm")
		if strings.Contains(text, "ORDER BY") {
			p.lists++
		}
		for _, bad := range p.bad(goesOn) {
			if bad.MatchString(plan) {
				t.Errorf("plan of %q: got %q in\n%s", short(text), bad, short(plan))
			}
		}
		p.byIndex(t, text, plan)
		p.byThread(t, text, plan)
	}
}

// How a thread leads to its tickets. All of them here are of one thread, which PostgreSQL looks up, and
// then may as well go through the tickets of the site; where a query names an inbox too it may go through
// the tickets of that one alone, as its sample of the tables has it.
var (
	inboxOn    = regexp.MustCompile(`Index Scan (using|on) \S*tickets_(counts|inbox) `)
	threadOn   = regexp.MustCompile(`(?s)Index Scan (using|on) \S*ticket_threads_pkey .*Index Cond: \(thread =`)
	mysqlOnKey = regexp.MustCompile(`table=h type=(ref|range) \S* ?key=PRIMARY .*\n.*table=t type=eq_ref .* key=PRIMARY `)
)

func (p *serverPlans) byThread(t *testing.T, text, plan string) {
	t.Helper()
	if !strings.Contains(text, " h.thread IN ") {
		return
	}
	want := threadOn
	if p.Options.Dialect == sqlstore.MySQL {
		want = mysqlOnKey
	}
	if p.threads++; strings.Contains(asMarks(text), " t.trash IN (?, ?)") {
		p.merged++
	}
	byInbox := p.Options.Dialect == sqlstore.Postgres && strings.Contains(asMarks(text), " t.inbox = ?") && inboxOn.MatchString(plan)
	if !byInbox && !want.MatchString(plan) {
		t.Errorf("plan of %q: want one by %q, got\n%s", short(text), want, short(plan))
	}
}

func (p *serverPlans) isAllowed(text string) bool {
	return strings.Contains(text, "schema") || slices.ContainsFunc([]string{"purges", "stripes"}, func(table string) bool {
		return strings.Contains(text, p.Table(table))
	})
}

// What plans may not have: a whole table read, and for what goes on from a place, a sort. What was cut
// to a page before may be read and sorted.
var (
	scansOn   = regexp.MustCompile(`Seq Scan on`)
	sortsOn   = regexp.MustCompile(`Sort  \(`)
	mysqlScan = regexp.MustCompile(`table=[^<]\S* type=(ALL|index) `)
	mysqlSort = regexp.MustCompile(`table=[^<]\S* .*filesort`)
)

func (p *serverPlans) bad(goesOn bool) []*regexp.Regexp {
	switch {
	case p.Options.Dialect == sqlstore.Postgres && goesOn:
		return []*regexp.Regexp{scansOn, sortsOn}
	case p.Options.Dialect == sqlstore.Postgres:
		return []*regexp.Regexp{scansOn}
	case goesOn:
		return []*regexp.Regexp{mysqlScan, mysqlSort}
	}
	return []*regexp.Regexp{mysqlScan}
}

// servedBy says which index must serve a statement with these words, as served does for SQLite.
var servedBy = []struct{ words, index string }{
	{" m.thread = ? AND m.vis", "messages_thread"},
	{" m.customer = ? AND m.vis", "messages_customer"},
	{" m.marker = ?", "messages_marker"},
	{" m.rfcid IN (?)", "messages_rfcid"},
	{"m.inbox = ? AND m.vis = 0 ORDER", "messages_list"},
	{"WHERE inbox = ? ORDER BY started DESC", "runs_started"},
	{"WHERE t.site = ? AND t.trash = ? AND t.hidden", "tickets_site"},
	{" t.inbox = ? AND t.hidden", "tickets_inbox"},
	{" t.assignee = ? AND", "tickets_assignee"},
	{" t.customer = ? AND", "tickets_customer"},
	{" t.company = ? AND", "tickets_company"},
	{" t.number = ?", "tickets_number"},
	{"WHERE e.inbox = ? ORDER", "entries_inbox"},
	{" e.marker = ?", "entries_marker"},
}

func (p *serverPlans) byIndex(t *testing.T, text, plan string) {
	t.Helper()
	plain := asMarks(text)
	var indexes []string
	for _, s := range servedBy {
		picks := strings.Contains(plain, " IN (") && !strings.HasSuffix(s.words, " IN (?)")
		if strings.Contains(plain, s.words) && !picks && !strings.Contains(plain, " m.remote IN") {
			indexes = append(indexes, s.index)
			p.seen = append(p.seen, s.words)
		}
	}
	serves := func(index string) bool { return strings.Contains(plan, p.Table(index)) }
	if len(indexes) > 0 && !slices.ContainsFunc(indexes, serves) {
		t.Errorf("plan of %q: want one by %q, got\n%s", short(text), indexes, short(plan))
	}
}

func (p *serverPlans) unseen() (words []string) {
	for _, s := range servedBy {
		if !slices.Contains(p.seen, s.words) {
			words = append(words, s.words)
		}
	}
	return words
}

// asMarks turns $1, $2 into "?".
func asMarks(text string) string {
	var b strings.Builder
	for i, part := range strings.Split(text, "$") {
		if i > 0 {
			b.WriteByte('?')
			part = strings.TrimLeft(part, "0123456789")
		}
		b.WriteString(part)
	}
	return b.String()
}

// short leaves out the middle of long lists.
func short(text string) string {
	lists := regexp.MustCompile(`(\$\d+,){3,}|(\?,){3,}|('[^']*',){3,}|([^,{}']+,){6,}`)
	return lists.ReplaceAllString(text, "…,")
}

// explain returns a line for each step of a plan.
func (p *serverPlans) explain(t *testing.T, text string, args []any) string {
	t.Helper()
	rows, err := p.conn.QueryContext(t.Context(), "EXPLAIN "+text, args...)
	require.NoError(t, err, "explain %q", text)
	defer rows.Close()
	columns, err := rows.Columns()
	require.NoError(t, err)
	var b strings.Builder
	for rows.Next() {
		row, into := make([]sql.NullString, len(columns)), make([]any, len(columns))
		for i := range row {
			into[i] = &row[i]
		}
		require.NoError(t, rows.Scan(into...))
		for i, c := range columns {
			if p.Options.Dialect == sqlstore.MySQL {
				fmt.Fprintf(&b, "%s=", strings.ToLower(c))
			}
			fmt.Fprintf(&b, "%s ", row[i].String)
		}
		b.WriteByte('\n')
	}
	require.NoError(t, rows.Err())
	return b.String()
}
