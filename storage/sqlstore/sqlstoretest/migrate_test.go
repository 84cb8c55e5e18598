package sqlstoretest_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/storage/sqlstore"
)

func TestMigrateByManyGoroutines(t *testing.T) {
	t.Parallel()
	for round := range 5 {
		path := filepath.Join(t.TempDir(), "store.db")
		errs := make(chan error, 4)
		for range 4 {
			db := open(t, path)
			go func() { errs <- sqlstore.Migrate(t.Context(), db, sqlstore.Options{}) }()
		}
		for range 4 {
			require.NoError(t, <-errs, "round %d: migrate a fresh file by four at once", round)
		}
		_, err := sqlstore.Open(t.Context(), open(t, path), sqlstore.Options{})
		require.NoError(t, err, "round %d", round)
	}
}

func TestMigrateByManyProcesses(t *testing.T) {
	t.Parallel()
	for round := range 3 {
		path := filepath.Join(t.TempDir(), "store.db")
		errs := make(chan error, 4)
		for range 4 {
			c := child(t, "migrate", path)
			go func() {
				out, err := c.CombinedOutput()
				if err != nil {
					err = fmt.Errorf("%w: %s", err, out)
				}
				errs <- err
			}()
		}
		for range 4 {
			require.NoError(t, <-errs, "round %d: migrate a fresh file by four processes", round)
		}
		_, err := sqlstore.Open(t.Context(), open(t, path), sqlstore.Options{})
		require.NoError(t, err, "round %d", round)
	}
}

func TestMigrateTwiceChangesNothing(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "store.db")
	db := open(t, path)
	require.NoError(t, sqlstore.Migrate(t.Context(), db, sqlstore.Options{}))
	before := contents(t, db)
	require.NoError(t, sqlstore.Migrate(t.Context(), db, sqlstore.Options{}))
	require.Equal(t, before, contents(t, db))
}

func TestMigrateWithOneConnection(t *testing.T) {
	t.Parallel()
	db := open(t, filepath.Join(t.TempDir(), "store.db"))
	db.SetMaxOpenConns(1)
	require.NoError(t, sqlstore.Migrate(t.Context(), db, sqlstore.Options{}))
}

func TestMigrateSwitchesToWAL(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "store.db")
	require.NoError(t, sqlstore.Migrate(t.Context(), open(t, path), sqlstore.Options{}))
	db := open(t, path)
	for pragma, want := range map[string]string{
		"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "10000",
	} {
		var got string
		require.NoError(t, db.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got))
		require.Equal(t, want, got, "pragma %s of a new connection", pragma)
	}
}

func TestMigrateWaitsForTheLock(t *testing.T) {
	t.Parallel()
	const lock = "CREATE TABLE workinbox_schema_lock (id INTEGER PRIMARY KEY, holder TEXT NOT NULL, " +
		"until INTEGER NOT NULL); INSERT INTO workinbox_schema_lock VALUES (1, 'somebody', unixepoch() + %d)"

	path := filepath.Join(t.TempDir(), "held.db")
	held := open(t, path)
	_, err := held.ExecContext(t.Context(), fmt.Sprintf(lock, 1000))
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	asked := 0
	impatient := sql.OpenDB(&watched{dsn: sqlstore.SQLiteDSN(path), texts: map[string]bool{}, tell: func(text string) {
		if strings.HasPrefix(text, "INSERT INTO workinbox_schema_lock ") {
			if asked++; asked == 3 {
				cancel()
			}
		}
	}})
	defer impatient.Close()
	err = sqlstore.Migrate(ctx, impatient, sqlstore.Options{})
	require.ErrorIs(t, err, context.Canceled, "migrate while another holds the lock")
	require.NotContains(t, contents(t, held), "workinbox_messages")

	dead := open(t, filepath.Join(t.TempDir(), "dead.db"))
	_, err = dead.ExecContext(t.Context(), fmt.Sprintf(lock, -1))
	require.NoError(t, err)
	require.NoError(t, sqlstore.Migrate(t.Context(), dead, sqlstore.Options{}), "after the holder died")
}

func TestOpenWantsTheCurrentSchema(t *testing.T) {
	t.Parallel()
	migrated := func(t *testing.T) *sql.DB {
		db := open(t, filepath.Join(t.TempDir(), "store.db"))
		require.NoError(t, sqlstore.Migrate(t.Context(), db, sqlstore.Options{}))
		return db
	}
	for _, c := range []struct {
		name, prepare string
		want          error
	}{
		{"no version is noted", "DELETE FROM workinbox_schema", sqlstore.ErrOldSchema},
		{"no tables", "DROP TABLE workinbox_schema", sqlstore.ErrOldSchema},
		{"newer", "INSERT INTO workinbox_schema (version_id, is_applied) VALUES (99999, 1)", sqlstore.ErrNewSchema},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			db := migrated(t)
			_, err := db.ExecContext(t.Context(), c.prepare)
			require.NoError(t, err)
			before := contents(t, db)
			_, err = sqlstore.Open(t.Context(), db, sqlstore.Options{})
			require.ErrorIs(t, err, c.want)
			require.Equal(t, before, contents(t, db), "what Open touched")
		})
	}
}

func TestMigrateLeavesANewerSchemaAlone(t *testing.T) {
	t.Parallel()
	db := open(t, filepath.Join(t.TempDir(), "store.db"))
	require.NoError(t, sqlstore.Migrate(t.Context(), db, sqlstore.Options{}))
	_, err := db.ExecContext(t.Context(), "INSERT INTO workinbox_schema (version_id, is_applied) VALUES (99999, 1)")
	require.NoError(t, err)
	before := contents(t, db)
	err = sqlstore.Migrate(t.Context(), db, sqlstore.Options{})
	require.ErrorIs(t, err, sqlstore.ErrNewSchema)
	var versions *sqlstore.SchemaError
	require.True(t, errors.As(err, &versions))
	require.Equal(t, int64(99999), versions.Have)
	require.Less(t, versions.Want, versions.Have)
	require.ErrorContains(t, err, "99999")
	require.Equal(t, before, contents(t, db), "what Migrate touched")
}

func TestPrefixesKeepStoresApart(t *testing.T) {
	t.Parallel()
	db := open(t, filepath.Join(t.TempDir(), "store.db"))
	var stores []*sqlstore.Store
	for _, prefix := range []string{"a_", "b_"} {
		o := sqlstore.Options{Prefix: prefix}
		require.NoError(t, sqlstore.Migrate(t.Context(), db, o))
		s, err := sqlstore.Open(t.Context(), db, o)
		require.NoError(t, err)
		t.Cleanup(func() { _ = s.Close() })
		stores = append(stores, s)
	}
	create(t, stores[0], "in-1")
	_, err := stores[1].Inbox(t.Context(), "in-1")
	require.Error(t, err, "the other store has the inbox")
	for _, prefix := range []string{"1a", "a-b", "a b", `a"`, "é"} {
		err := sqlstore.Migrate(t.Context(), db, sqlstore.Options{Prefix: prefix})
		require.Error(t, err, "prefix %q", prefix)
	}
}

func TestMigrationsAreFilesWithNames(t *testing.T) {
	t.Parallel()
	onEach(t, migrationsAreFiles)
}

func migrationsAreFiles(t *testing.T, d sqlstore.Dialect) {
	files, err := sqlstore.Migrations(sqlstore.Options{Dialect: d, Prefix: "host_"})
	require.NoError(t, err)
	names, err := fs.Glob(files, "*_*.sql")
	require.NoError(t, err)
	require.NotEmpty(t, names)
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		require.NoError(t, err)
		require.Contains(t, string(text), "-- +goose Up", "file %s", name)
		require.Contains(t, string(text), "host_", "file %s", name)
		require.NotContains(t, string(text), "{", "file %s", name)
		info, err := fs.Stat(files, name)
		require.NoError(t, err)
		require.Equal(t, int64(len(text)), info.Size(), "size of %s", name)
	}
}

func TestSQLiteDSNTakesAnyPath(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"plain.db", "with space.db", "100%.db", "what?.db", "a#b.db", "a&_pragma=b.db", "ünïcode.db", "%20.db", "a:b.db",
	} {
		path := filepath.Join(t.TempDir(), name)
		_, err := open(t, path).ExecContext(t.Context(), "CREATE TABLE t (a)")
		require.NoError(t, err, "path %q", path)
		require.FileExists(t, path)
	}
}

func TestErrorsOfOptions(t *testing.T) {
	t.Parallel()
	_, err := sqlstore.Open(t.Context(), nil, sqlstore.Options{})
	require.Error(t, err, "no database")
	db := open(t, filepath.Join(t.TempDir(), "store.db"))
	_, err = sqlstore.Open(t.Context(), db, sqlstore.Options{Dialect: "oracle"})
	require.ErrorContains(t, err, "oracle")
}

// contents is every statement the schema was made of and every version it has.
func contents(t *testing.T, db *sql.DB) string {
	t.Helper()
	var b strings.Builder
	for _, row := range readRows(t, db, "SELECT name, COALESCE(sql, '') FROM sqlite_master "+
		"WHERE name NOT LIKE '%schema_lock%' ORDER BY name") {
		fmt.Fprintln(&b, row...)
	}
	if strings.Contains(b.String(), "workinbox_schema ") {
		for _, row := range readRows(t, db, "SELECT version_id, is_applied FROM workinbox_schema ORDER BY id") {
			fmt.Fprintln(&b, row...)
		}
	}
	return b.String()
}

func readRows(tb testing.TB, db *sql.DB, text string, args ...any) (all [][]any) {
	tb.Helper()
	rows, err := db.QueryContext(tb.Context(), text, args...)
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
		all = append(all, row)
	}
	require.NoError(tb, rows.Err())
	return all
}
