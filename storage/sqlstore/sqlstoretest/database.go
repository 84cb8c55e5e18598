package sqlstoretest

import (
	"context"
	"database/sql"
	"path/filepath"
	"testing"

	"github.com/workinbox/workinbox/storage/sqlstore"
)

// Dialects are the databases that stores are tested on.
func Dialects() []sqlstore.Dialect {
	return []sqlstore.Dialect{sqlstore.SQLite, sqlstore.Postgres, sqlstore.MySQL}
}

// Database is where a store of a test lies: a file, or tables with a prefix on a server.
type Database struct {
	Options sqlstore.Options
	Driver  string // of database/sql
	DSN     string
	// DB is a handle that other tests of the process use too, on a server.
	DB *sql.DB
}

// New returns a database with the tables of an empty store, which goes when the test ends. The
// servers are those WORKINBOX_TEST_POSTGRES (a URL) and WORKINBOX_TEST_MYSQL (a data source of
// github.com/go-sql-driver/mysql) name, else the usual ones of this machine. A test whose server does
// not answer is skipped, and fails where WORKINBOX_TEST_REQUIRE names it ("postgres,mysql").
func New(tb testing.TB, d sqlstore.Dialect) *Database {
	tb.Helper()
	if d == sqlstore.SQLite {
		path := filepath.Join(tb.TempDir(), "store.db")
		writeMigrated(tb, path)
		return fileDatabase(tb, path)
	}
	s := reach(tb, d)
	prefix, err := s.take(context.Background())
	if err != nil {
		tb.Fatalf("make the tables: %v", err)
	}
	tb.Cleanup(func() { s.put(prefix) })
	return s.database(prefix)
}

// NewBare returns a database without tables. They go when the test ends, if the test makes them with
// the Options of the Database.
func NewBare(tb testing.TB, d sqlstore.Dialect) *Database {
	tb.Helper()
	if d == sqlstore.SQLite {
		return fileDatabase(tb, filepath.Join(tb.TempDir(), "store.db"))
	}
	s := reach(tb, d)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.prefixes++
	return s.database(sqlPrefix(s.prefixes))
}

// reach connects to the server for as long as the test lasts.
func reach(tb testing.TB, d sqlstore.Dialect) *server {
	tb.Helper()
	s := servers[d]
	if s == nil {
		tb.Fatalf("there is no server of the dialect %q", d)
	}
	s.mu.Lock()
	err := s.connect(context.Background())
	s.mu.Unlock()
	if err != nil {
		s.require(tb, err)
	}
	tb.Cleanup(func() {
		if err := s.release(); err != nil {
			tb.Errorf("drop what was made on %s: %v", d, err)
		}
	})
	return s
}

func (s *server) database(prefix string) *Database {
	return &Database{
		Options: sqlstore.Options{Dialect: s.dialect, Prefix: prefix},
		Driver:  s.driver, DSN: s.dsn, DB: s.db,
	}
}

func fileDatabase(tb testing.TB, path string) *Database {
	d := &Database{Options: sqlstore.Options{Dialect: sqlstore.SQLite}, Driver: "sqlite", DSN: sqlstore.SQLiteDSN(path)}
	d.DB = d.Connect(tb)
	return d
}

// Connect returns another handle, which is closed when the test ends.
func (d *Database) Connect(tb testing.TB) *sql.DB {
	tb.Helper()
	db, err := sql.Open(d.Driver, d.DSN)
	if err != nil {
		tb.Fatalf("open the database: %v", err)
	}
	tb.Cleanup(func() { _ = db.Close() })
	return db
}

// Store opens the store.
func (d *Database) Store(tb testing.TB) *sqlstore.Store { return d.StoreOn(tb, d.DB) }

// StoreOn opens the store on a handle of the test's own.
func (d *Database) StoreOn(tb testing.TB, db *sql.DB) *sqlstore.Store {
	tb.Helper()
	s, err := sqlstore.Open(context.Background(), db, d.Options)
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

// Table returns the name of a table.
func (d *Database) Table(name string) string {
	if d.Options.Prefix == "" {
		return sqlstore.DefaultPrefix + name
	}
	return d.Options.Prefix + name
}

// Main runs the tests of a package and keeps what they made on servers until the end: without it each
// server starts anew whenever no test uses it. It returns what os.Exit wants.
func Main(m *testing.M) int {
	for _, s := range servers {
		s.mu.Lock()
		err := s.connect(context.Background())
		s.mu.Unlock()
		if err == nil {
			defer func() { _ = s.release() }()
		}
	}
	return m.Run()
}
