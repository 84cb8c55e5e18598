package sqlstoretest_test

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage/sqlstore"
	"github.com/workinbox/workinbox/storage/sqlstore/sqlstoretest"
	"github.com/workinbox/workinbox/ticket"
)

// searchAll fills a store with mail of rare words, and searches and counts in every way.
func searchAll(t *testing.T, s *sqlstore.Store) {
	t.Helper()
	var w []ticket.Write
	for i := range 320 {
		id := fmt.Sprintf("find-%d", i)
		x := ticket.Write{
			Ticket:  ticket.Ticket{ID: ticket.ID(id), Site: "find", Inbox: "in-001", Status: ticket.Active, Activity: day},
			Entries: []ticket.Entry{{ID: ticket.EntryID(id), Inbox: "in-001", Kind: ticket.EntryReceived, At: day}},
			Texts:   []ticket.Text{{Entry: ticket.EntryID(id), Files: true}},
		}
		x.Texts[0].Words[0] = []string{"common", word(i)}
		x.Texts[0].Words[3] = []string{word(i + 1), "text"}
		if w = append(w, x); len(w) == ticket.MaxWrites {
			_, err := s.SaveTickets(t.Context(), w)
			require.NoError(t, err)
			w = nil
		}
	}
	ann := ticket.Query{Site: "find", Inboxes: []inbox.ID{"in-001", "in-002"}, HiddenIn: []inbox.ID{"in-002"}}
	rare := word(7)
	for _, terms := range [][]ticket.Term{
		{{Words: []string{rare}}}, {{Words: []string{"common"}}, {Words: []string{rare}, Prefix: true}},
		{{Words: []string{"common", rare}}}, {{Words: []string{rare}}, {Words: []string{"text"}, Not: true}},
		{{Words: []string{rare[:3]}, Prefix: true}},
	} {
		for _, q := range []ticket.MatchQuery{
			{Tickets: ann}, {Tickets: ticket.Query{Site: "find", AllHidden: true}, Fields: ticket.InSubject},
			{Tickets: ann, Only: []ticket.ID{"find-1", "find-7"}, After: 1 << 61, Limit: 20},
		} {
			q.Terms = terms
			for _, err := range s.Matches(t.Context(), q) {
				require.NoError(t, err)
			}
		}
	}
	for _, q := range []ticket.Query{ann, {Site: "find", WithFiles: true}, {Site: "find", Inboxes: []inbox.ID{"in-001"}, Unread: "ann"}} {
		_, err := s.CountTickets(t.Context(), q, "ann")
		require.NoError(t, err)
		collect(t, "tickets", s.Tickets(t.Context(), q))
	}
	for range 2 {
		require.NoError(t, s.SaveReading(t.Context(), "find-1", "ann", day))
	}
	_, err := s.Reading(t.Context(), "find-1", "ann")
	require.NoError(t, err)
	require.NoError(t, s.PurgeTickets(t.Context(), "in-003"))
}

// No search reads a whole table or sorts: the words lead, newest first, and the rest goes by its key.
func TestSearchesUseAnIndex(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "store.db")
	require.NoError(t, sqlstore.Migrate(t.Context(), open(t, path), sqlstore.Options{}))
	w := &watched{dsn: sqlstore.SQLiteDSN(path), texts: map[string]bool{}}
	db := sql.OpenDB(w)
	t.Cleanup(func() { _ = db.Close() })
	s, err := sqlstore.Open(t.Context(), db, sqlstore.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	searchAll(t, s)

	explain := open(t, path)
	searches, looked, counts := 0, 0, 0
	for text := range w.texts {
		plan := strings.Join(planOf(t, explain, text), "; ")
		switch {
		case strings.HasPrefix(text, "SELECT w.rowid"): // the words alone
			require.Regexp(t, `^SCAN w VIRTUAL TABLE INDEX \d+:[^;]*M[^;]*$`, plan, text)
		case strings.Contains(text, "MATCH"):
			searches++
			require.Regexp(t, `SCAN w VIRTUAL TABLE INDEX \d+:[^;]*M`, plan, text)
			fallthrough
		case strings.HasPrefix(text, "SELECT s.pk, e.id"):
			looked++
			for _, table := range []string{"s", "t", "e"} {
				require.Contains(t, plan, "SEARCH "+table+" USING INTEGER PRIMARY KEY", text)
			}
		case strings.Contains(text, "COUNT(*)") && strings.Contains(text, "GROUP BY"):
			counts++
			require.Contains(t, plan, "SEARCH t USING COVERING INDEX workinbox_tickets_counts", text)
		}
		require.NotContains(t, plan, "B-TREE FOR ORDER BY", text)
		require.NotRegexp(t, `SCAN (workinbox_\w+|[^w])( |;|$)`, strings.ReplaceAll(plan, "SCAN w VIRTUAL", ""), text)
	}
	require.Positive(t, searches)
	require.Greater(t, looked, searches)
	require.Positive(t, counts)
}

func TestSearchesUseAnIndexOnServers(t *testing.T) {
	t.Parallel()
	onServers(t, func(t *testing.T, d *sqlstoretest.Database) {
		h := newHeard(t, d)
		db := sql.OpenDB(h)
		t.Cleanup(func() { _ = db.Close() })
		s := d.StoreOn(t, db)
		searchAll(t, s)
		conn, err := d.Connect(t).Conn(t.Context())
		require.NoError(t, err)
		defer conn.Close()
		p := serverPlans{Database: d, conn: conn}
		p.ready(t)
		index := map[sqlstore.Dialect]string{
			// One small inbox is as well gone through as a whole.
			sqlstore.Postgres: "Bitmap Index Scan on " + d.Table("search_") + "(words|inbox|ticket|entry)",
			sqlstore.MySQL:    "table=w type=(ref|eq_ref|range)",
		}[d.Options.Dialect]
		if d.Options.Dialect == sqlstore.Postgres {
			// The few mails here could as well be gone through by their key, newest first.
			_, err := conn.ExecContext(t.Context(), "SET enable_sort = on; SET enable_indexscan = off")
			require.NoError(t, err)
		}
		h.mu.Lock()
		texts := h.texts
		h.texts = map[string][]any{}
		h.mu.Unlock()
		searches := 0
		for text, args := range texts {
			if !strings.HasPrefix(text, "SELECT s.pk, e.id") {
				continue
			}
			searches++
			plan := p.explain(t, text, args)
			for _, bad := range p.bad(false) {
				require.NotRegexp(t, bad, plan, text)
			}
			if !strings.Contains(text, "DISTINCT") { // prefixes alone, which are a range
				require.Regexp(t, index, plan, text)
			}
		}
		require.Positive(t, searches)
		if d.Options.Dialect == sqlstore.Postgres {
			plan := p.explain(t, "SELECT pk FROM "+d.Table("search")+" WHERE words @@ CAST($1 AS tsquery)", []any{"'" + word(7) + "'"})
			require.Contains(t, plan, "Bitmap Index Scan on "+d.Table("search_words"))
		}
	})
}
