package sqlstoretest

import (
	"context"
	"database/sql"
	"path/filepath"
	"testing"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/workinbox/workinbox/storage/sqlstore"
)

// Open returns an empty store on a new SQLite file, which goes when the test ends.
func Open(tb testing.TB) *sqlstore.Store {
	tb.Helper()
	return OpenIn(tb, filepath.Join(tb.TempDir(), "store.db"))
}

// OpenIn returns the store in the SQLite file at path, which is made when it is not there.
func OpenIn(tb testing.TB, path string) *sqlstore.Store {
	tb.Helper()
	db := openDB(tb, path)
	if err := sqlstore.Migrate(context.Background(), db, sqlstore.Options{}); err != nil {
		tb.Fatalf("migrate a new store: %v", err)
	}
	return openStore(tb, db)
}

// openDB opens the file with the pragmas of the store, closed when the test ends.
func openDB(tb testing.TB, path string) *sql.DB {
	tb.Helper()
	db, err := sql.Open("sqlite", sqlstore.SQLiteDSN(path))
	if err != nil {
		tb.Fatalf("open the database: %v", err)
	}
	tb.Cleanup(func() {
		if err := db.Close(); err != nil {
			tb.Errorf("close the database: %v", err)
		}
	})
	return db
}

func openStore(tb testing.TB, db *sql.DB) *sqlstore.Store {
	tb.Helper()
	s, err := sqlstore.Open(context.Background(), db, sqlstore.Options{})
	if err != nil {
		tb.Fatalf("open the store: %v", err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Errorf("close the store: %v", err)
		}
	})
	return s
}
