package sqlstoretest_test

import (
	"bufio"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage/sqlstore/sqlstoretest"
)

// crashPage is how many messages a page of the crashing process has.
const crashPage = 40

func TestKilledProcessLeavesWholeCommits(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "store.db")
	s := sqlstoretest.OpenIn(t, path)
	create(t, s, "in-1")
	acknowledged := 0
	for round := range 4 {
		acknowledged = max(acknowledged, killWhileCommitting(t, path, 3+2*round))

		st := state(t, s, "in-1")
		pages := int(st.Seq) / crashPage
		require.GreaterOrEqual(t, pages, acknowledged, "round %d: commits that are stored, of those that returned", round)
		require.Equal(t, pages, int(st.Version), "round %d: version of the state", round)
		require.Equal(t, pages*crashPage, int(st.Seq), "round %d: whole pages in the log", round)
		require.Equal(t, pages, st.Queued, "round %d: items in the queue", round)

		counts := map[string]int{}
		db := open(t, path)
		for _, table := range []string{"messages", "contents", "items", "runs", "events"} {
			var n int
			require.NoError(t, db.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM workinbox_"+table).Scan(&n))
			counts[table] = n
		}
		require.Equal(t, map[string]int{
			"messages": pages * crashPage, "contents": pages * crashPage,
			"items": pages, "runs": pages, "events": pages,
		}, counts, "round %d: rows after the kill", round)
		var verdict string
		require.NoError(t, db.QueryRowContext(t.Context(), "PRAGMA integrity_check").Scan(&verdict))
		require.Equal(t, "ok", verdict, "round %d: integrity check", round)
	}
	// What is left can be worked with.
	_, err := s.Commit(t.Context(), inbox.Import{State: state(t, s, "in-1")})
	require.NoError(t, err)
}

// killWhileCommitting kills a process that commits once it has said that many pages are stored, and
// returns how many are.
func killWhileCommitting(t *testing.T, path string, after int) (stored int) {
	t.Helper()
	c := child(t, "commit", path)
	out, err := c.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, c.Start())
	lines := bufio.NewScanner(out)
	for range after {
		require.True(t, lines.Scan(), "the committing process ended by itself")
		page, err := strconv.Atoi(lines.Text())
		require.NoError(t, err)
		stored = page + 1
	}
	require.NoError(t, c.Process.Kill())
	require.Error(t, c.Wait(), "a killed process")
	return stored
}
