package sqlstoretest

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/storage/sqlstore"
)

// A table that is not emptied would hand its rows to the next test.
func TestEveryTableIsEmptied(t *testing.T) {
	t.Parallel()
	for dialect, more := range map[sqlstore.Dialect][]string{
		sqlstore.Postgres: nil, sqlstore.MySQL: {"t1_search_words"},
	} {
		s := &server{dialect: dialect}
		tables, err := s.tables("t1_")
		require.NoError(t, err)
		require.Subset(t, tables, append(more, "t1_inboxes", "t1_search", "t1_reads", "t1_leases", "t1_catalogs", "t1_allowances"))
		require.NotContains(t, tables, "t1_stripes")
	}
}

// More tables in one statement are more locks than a server has for all of its connections.
func TestASchemaIsDroppedAFewTablesAtATime(t *testing.T) {
	t.Parallel()
	s := reach(t, sqlstore.Postgres)
	name := newName()
	_, err := s.admin.ExecContext(t.Context(), fmt.Sprintf(s.create, name))
	require.NoError(t, err)
	for i := range 40 {
		_, err := s.admin.ExecContext(t.Context(), fmt.Sprintf(`CREATE TABLE %s."T %d" (id int PRIMARY KEY)`, name, i))
		require.NoError(t, err)
	}
	some, err := s.names(t.Context(), s.some, name)
	require.NoError(t, err)
	require.Len(t, some, 16)
	require.NoError(t, s.discard(t.Context(), name))
	require.NoError(t, s.discard(t.Context(), name), "it is gone")
	left, err := s.names(t.Context(), "SELECT nspname FROM pg_namespace WHERE nspname = $1", name)
	require.NoError(t, err)
	require.Empty(t, left)
}
