package sqlstoretest_test

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage/sqlstore"
	"github.com/workinbox/workinbox/storage/sqlstore/sqlstoretest"
)

// onBareServers runs a test on every server, with a place for tables but none there.
func onBareServers(t *testing.T, test func(t *testing.T, d *sqlstoretest.Database)) {
	for _, d := range []sqlstore.Dialect{sqlstore.Postgres, sqlstore.MySQL} {
		t.Run(string(d), func(t *testing.T) {
			t.Parallel()
			test(t, sqlstoretest.NewBare(t, d))
		})
	}
}

// made is every column and index of a store's tables, and every version they have.
func made(t *testing.T, d *sqlstoretest.Database) string {
	t.Helper()
	text := map[sqlstore.Dialect]string{
		sqlstore.Postgres: "SELECT table_name, column_name, data_type FROM information_schema.columns " +
			"WHERE table_schema = current_schema() AND starts_with(table_name, $1) UNION ALL " +
			"SELECT tablename, indexname, indexdef FROM pg_indexes " +
			"WHERE schemaname = current_schema() AND starts_with(tablename, $1) ORDER BY 1, 2, 3",
		sqlstore.MySQL: "SELECT table_name, column_name, column_type FROM information_schema.columns " +
			"WHERE table_schema = DATABASE() AND LEFT(table_name, LENGTH(?)) = ? UNION ALL " +
			"SELECT table_name, index_name, column_name FROM information_schema.statistics " +
			"WHERE table_schema = DATABASE() AND LEFT(table_name, LENGTH(?)) = ? ORDER BY 1, 2, 3",
	}[d.Options.Dialect]
	prefix := strings.ToLower(d.Options.Prefix)
	args := make([]any, max(1, strings.Count(text, "?")))
	for i := range args {
		args[i] = prefix
	}
	var b strings.Builder
	for _, row := range rowsOf(t, d.DB, text, args...) {
		fmt.Fprintf(&b, "%s\n", row)
	}
	if strings.Contains(b.String(), prefix+"schema ") {
		for _, row := range rowsOf(t, d.DB, "SELECT version_id, is_applied FROM "+prefix+"schema ORDER BY id") {
			fmt.Fprintln(&b, row...)
		}
	}
	return b.String()
}

func TestServersMigrateByMany(t *testing.T) {
	t.Parallel()
	onBareServers(t, func(t *testing.T, d *sqlstoretest.Database) {
		for round := range 2 {
			d := *d
			d.Options.Prefix = fmt.Sprintf("%sr%d_", d.Options.Prefix, round)
			errs := make(chan error, 4)
			for range 4 {
				db := d.Connect(t)
				go func() { errs <- sqlstore.Migrate(t.Context(), db, d.Options) }()
			}
			for range 4 {
				require.NoError(t, <-errs, "round %d: migrate an empty database by four at once", round)
			}
			create(t, d.Store(t), "in-1")
			before := made(t, &d)
			require.Contains(t, before, d.Options.Prefix+"messages_list", "what Migrate made")
			one := d.Connect(t)
			one.SetMaxOpenConns(1)
			require.NoError(t, sqlstore.Migrate(t.Context(), one, d.Options), "again, on one connection")
			require.Equal(t, before, made(t, &d), "what a second Migrate changed")
		}
	})
}

func TestServersWantTheCurrentSchema(t *testing.T) {
	t.Parallel()
	onBareServers(t, func(t *testing.T, d *sqlstoretest.Database) {
		_, err := sqlstore.Open(t.Context(), d.DB, d.Options)
		require.ErrorIs(t, err, sqlstore.ErrOldSchema, "without tables")
		require.ErrorContains(t, err, "run Migrate")
		require.Empty(t, made(t, d), "what Open touched")

		require.NoError(t, sqlstore.Migrate(t.Context(), d.DB, d.Options))
		insert(t, d, "INSERT INTO %s (version_id, is_applied) VALUES (99999, true)")
		before := made(t, d)
		_, err = sqlstore.Open(t.Context(), d.DB, d.Options)
		require.ErrorIs(t, err, sqlstore.ErrNewSchema)
		err = sqlstore.Migrate(t.Context(), d.DB, d.Options)
		require.ErrorIs(t, err, sqlstore.ErrNewSchema)
		require.ErrorContains(t, err, "99999")
		require.Equal(t, before, made(t, d), "what Open and Migrate touched of a newer schema")

		insert(t, d, "DELETE FROM %s")
		_, err = sqlstore.Open(t.Context(), d.DB, d.Options)
		require.ErrorIs(t, err, sqlstore.ErrOldSchema, "when no version is noted")
	})
}

// A program that waits for the lock while a newer one migrates finds that out.
func TestServersMigrateWaitsForTheLock(t *testing.T) {
	t.Parallel()
	onBareServers(t, func(t *testing.T, d *sqlstoretest.Database) {
		take := map[sqlstore.Dialect]string{
			sqlstore.Postgres: "SELECT pg_advisory_lock(hashtextextended(current_schema() || '/' || '%s', 7013))",
			sqlstore.MySQL:    "SELECT GET_LOCK(SHA1(CONCAT(DATABASE(), '/', '%s')), 0)",
		}[d.Options.Dialect]
		waiting := map[sqlstore.Dialect]string{
			sqlstore.Postgres: "SELECT COUNT(*) FROM pg_stat_activity WHERE wait_event = 'advisory' AND %d = ANY(pg_blocking_pids(pid))",
			sqlstore.MySQL: "SELECT COUNT(*) FROM information_schema.processlist WHERE id <> %d " +
				"AND db = DATABASE() AND info LIKE 'SELECT GET_LOCK(%%''" + d.Options.Prefix + "'')%%'",
		}[d.Options.Dialect]
		pool := d.Connect(t)
		holder, err := pool.BeginTx(t.Context(), nil)
		require.NoError(t, err)
		waiting = fmt.Sprintf(waiting, sessionOf(t, d.Options.Dialect, holder))
		rowsOf(t, holder, fmt.Sprintf(take, d.Options.Prefix))
		migrate := func(ctx context.Context) <-chan error {
			db, ended := d.Connect(t), make(chan error, 1)
			go func() { ended <- sqlstore.Migrate(ctx, db, d.Options) }()
			await(t, "Migrate waits for the lock", func() bool {
				require.Empty(t, ended, "it did not wait for the lock")
				return rowsOf(t, d.DB, waiting)[0][0].(int64) == 1
			})
			return ended
		}

		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		stopped := migrate(ctx)
		cancel()
		require.ErrorIs(t, <-stopped, context.Canceled, "migrate while another holds the lock")
		require.NotContains(t, made(t, d), "messages")
		await(t, "the server forgets who waited", func() bool {
			return rowsOf(t, d.DB, waiting)[0][0].(int64) == 0
		})

		late := migrate(t.Context())
		insert(t, d, "CREATE TABLE %s (id SERIAL, version_id BIGINT, is_applied BOOLEAN)")
		insert(t, d, "INSERT INTO %s (version_id, is_applied) VALUES (99999, true)")
		before := made(t, d)
		require.NoError(t, holder.Commit())
		require.NoError(t, pool.Close(), "which gives the lock back")
		require.ErrorIs(t, <-late, sqlstore.ErrNewSchema)
		require.Equal(t, before, made(t, d), "what the late one touched")
	})
}

// MySQL cannot undo the tables of a migration that was cut short: the next one goes on with them.
func TestMySQLMigrationGoesOnWhereItWasCut(t *testing.T) {
	t.Parallel()
	whole, cut := sqlstoretest.NewBare(t, sqlstore.MySQL), sqlstoretest.NewBare(t, sqlstore.MySQL)
	require.NoError(t, sqlstore.Migrate(t.Context(), whole.DB, whole.Options))
	files, err := sqlstore.Migrations(cut.Options)
	require.NoError(t, err)
	text, err := fs.ReadFile(files, "00001_schema.sql")
	require.NoError(t, err)
	statements := strings.Split(string(text), ";")
	require.Greater(t, len(statements), 20)
	for _, statement := range statements[:9] {
		_, err := cut.DB.ExecContext(t.Context(), statement)
		require.NoError(t, err, statement)
	}
	_, err = sqlstore.Open(t.Context(), cut.DB, cut.Options)
	require.ErrorIs(t, err, sqlstore.ErrOldSchema)
	require.NoError(t, sqlstore.Migrate(t.Context(), cut.DB, cut.Options))
	require.Equal(t, strings.ReplaceAll(made(t, whole), whole.Options.Prefix, ""),
		strings.ReplaceAll(made(t, cut), cut.Options.Prefix, ""))
	create(t, cut.Store(t), "in-1")
}

func TestPostgresTakesAPrefixInAnyCase(t *testing.T) {
	t.Parallel()
	d := sqlstoretest.NewBare(t, sqlstore.Postgres)
	d.Options.Prefix = "Host_" + d.Options.Prefix
	for range 2 {
		require.NoError(t, sqlstore.Migrate(t.Context(), d.DB, d.Options))
	}
	create(t, d.Store(t), "in-1")
	d.Options.Prefix = strings.ToLower(d.Options.Prefix)
	_, err := d.Store(t).Inbox(t.Context(), "in-1")
	require.NoError(t, err)
}

func TestServerPrefixesKeepStoresApart(t *testing.T) {
	t.Parallel()
	for _, d := range sqlstoretest.Dialects()[1:] {
		t.Run(string(d), func(t *testing.T) {
			t.Parallel()
			a, b := sqlstoretest.New(t, d), sqlstoretest.New(t, d)
			create(t, a.Store(t), "in-1")
			_, err := b.Store(t).Inbox(t.Context(), inbox.ID("in-1"))
			require.Error(t, err, "the other store has the inbox")
		})
	}
}

// insert runs a statement about the version table.
func insert(t *testing.T, d *sqlstoretest.Database, text string) {
	t.Helper()
	_, err := d.DB.ExecContext(t.Context(), fmt.Sprintf(text, d.Table("schema")))
	require.NoError(t, err)
}

// rowsOf reads all rows as texts and numbers.
func rowsOf(tb testing.TB, on interface {
	QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error)
}, text string, args ...any,
) (all [][]any) {
	tb.Helper()
	rows, err := on.QueryContext(tb.Context(), text, args...)
	require.NoError(tb, err)
	defer rows.Close()
	columns, err := rows.Columns()
	require.NoError(tb, err)
	for rows.Next() {
		row, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range row {
			into[i] = &row[i]
		}
		require.NoError(tb, rows.Scan(into...))
		for i, v := range row {
			if raw, ok := v.([]byte); ok {
				row[i] = string(raw)
			}
		}
		all = append(all, row)
	}
	require.NoError(tb, rows.Err())
	return all
}
