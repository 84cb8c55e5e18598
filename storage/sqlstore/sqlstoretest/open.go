package sqlstoretest

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/workinbox/workinbox/storage/sqlstore"
)

// Open returns an empty store on a new SQLite file, which goes when the test ends.
func Open(tb testing.TB) *sqlstore.Store {
	tb.Helper()
	return OpenIn(tb, filepath.Join(tb.TempDir(), "store.db"))
}

// OpenIn returns the store in the SQLite file at path, which is made when it is not there and
// migrated when it is.
func OpenIn(tb testing.TB, path string) *sqlstore.Store {
	tb.Helper()
	_, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		writeMigrated(tb, path)
		return fileDatabase(tb, path).Store(tb)
	}
	d := fileDatabase(tb, path)
	if err := sqlstore.Migrate(context.Background(), d.DB, d.Options); err != nil {
		tb.Fatalf("migrate the store: %v", err)
	}
	return d.Store(tb)
}

// writeMigrated makes a file with the tables of an empty store.
func writeMigrated(tb testing.TB, path string) {
	tb.Helper()
	file, err := migratedFile()
	if err == nil {
		err = os.WriteFile(path, file, 0o600)
	}
	if err != nil {
		tb.Fatalf("make the database: %v", err)
	}
}

// migratedFile is a SQLite file without data. Tests that want one of their own copy it, which is
// faster than to migrate.
var migratedFile = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "sqlstoretest")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "store.db")
	db, err := sql.Open("sqlite", sqlstore.SQLiteDSN(path))
	if err != nil {
		return nil, err
	}
	err = sqlstore.Migrate(context.Background(), db, sqlstore.Options{})
	// The last connection to close brings what lies in the WAL into the file.
	if err := errors.Join(err, db.Close()); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})
