package sqlstoretest

import (
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
