package sqlstoretest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"

	"github.com/workinbox/workinbox/storage/sqlstore"
)

// The servers that tests use when nothing else is said.
const (
	defaultPostgres = "postgres://postgres@127.0.0.1:5432/test?sslmode=disable"
	defaultMySQL    = "root@tcp(127.0.0.1:3306)/test"
)

// requireEnv names the servers that must be there, with commas between: "postgres,mysql". Tests skip
// what has no server otherwise.
const requireEnv = "WORKINBOX_TEST_REQUIRE"

// maxConnections is how many connections the stores of one process share on a server.
const maxConnections = 20

// madeName begins the name of what a test process makes on a server; the second it did follows.
const madeName = "workinbox_test_"

// staleAfter is when what another process left behind is dropped: no test run takes that long.
const staleAfter = time.Hour

// server is a database server and what this process has made on it: one schema (PostgreSQL) or
// database (MySQL), in which each store has tables with a prefix of its own. Stores are emptied and
// used again, since making tables takes longer than most tests.
type server struct {
	dialect     sqlstore.Dialect
	driver, env string
	preset      string
	// place returns the data source of a schema or database of the server.
	place func(dsn, name string) (string, error)
	// list, create and drop are statements about schemas or databases.
	list, create, drop string
	// some lists a few tables of a schema, where it must not be dropped at once.
	some string

	mu       sync.Mutex
	users    int // of what is made; it is dropped with the last
	admin    *sql.DB
	made     string // the schema or database
	db       *sql.DB
	dsn      string
	free     []string // prefixes of empty tables
	prefixes int
}

var servers = map[sqlstore.Dialect]*server{
	sqlstore.Postgres: {
		dialect: sqlstore.Postgres, driver: "pgx", env: "WORKINBOX_TEST_POSTGRES", preset: defaultPostgres,
		place:  postgresPlace,
		list:   "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'workinbox\\_test\\_%'",
		create: "CREATE SCHEMA %s", drop: "DROP SCHEMA IF EXISTS %s CASCADE",
		some: "SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) FROM pg_tables WHERE schemaname = $1 LIMIT 16",
	},
	sqlstore.MySQL: {
		dialect: sqlstore.MySQL, driver: "mysql", env: "WORKINBOX_TEST_MYSQL", preset: defaultMySQL,
		place:  mysqlPlace,
		list:   "SELECT schema_name FROM information_schema.schemata WHERE schema_name LIKE 'workinbox\\_test\\_%'",
		create: "CREATE DATABASE %s", drop: "DROP DATABASE IF EXISTS %s",
	},
}

func postgresPlace(dsn, name string) (string, error) {
	u, err := url.Parse(dsn)
	if err != nil {
		return "", errors.New("the data source of PostgreSQL must be a URL")
	}
	q := u.Query()
	if name != "" {
		q.Set("search_path", name)
	}
	// What a test stores need not survive a power cut.
	q.Set("synchronous_commit", "off")
	u.RawQuery = q.Encode()
	return u.String(), nil
}

func mysqlPlace(dsn, name string) (string, error) {
	c, err := mysql.ParseDSN(dsn)
	if err != nil {
		return "", errors.New("the data source of MySQL cannot be read")
	}
	if name != "" {
		c.DBName = name
	}
	c.InterpolateParams = true
	c.Logger = &mysql.NopLogger{}
	return c.FormatDSN(), nil
}

// source is where the server is.
func (s *server) source() string {
	if dsn := os.Getenv(s.env); dsn != "" {
		return dsn
	}
	return s.preset
}

// connect readies the process's schema or database. The caller holds the mutex.
func (s *server) connect(ctx context.Context) error {
	if s.users++; s.users > 1 {
		return nil
	}
	err := s.make(ctx)
	if err != nil {
		s.users--
	}
	return err
}

func (s *server) make(ctx context.Context) error {
	dsn, err := s.place(s.source(), "")
	if err != nil {
		return err
	}
	if s.admin, err = sql.Open(s.driver, dsn); err != nil {
		return err
	}
	answer, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	if err := s.admin.PingContext(answer); err != nil {
		return errors.Join(err, s.admin.Close())
	}
	// From here on the server is there, and may take its time.
	s.dropStale(ctx)
	s.made = newName()
	if _, err := s.admin.ExecContext(ctx, fmt.Sprintf(s.create, s.made)); err != nil {
		return errors.Join(err, s.admin.Close())
	}
	if s.dsn, err = s.place(s.source(), s.made); err != nil {
		return err
	}
	if s.db, err = sql.Open(s.driver, s.dsn); err != nil {
		return err
	}
	s.db.SetMaxOpenConns(maxConnections)
	s.db.SetMaxIdleConns(maxConnections)
	s.free = nil
	return nil
}

// newName names a schema or database so that dropStale finds it.
func newName() string {
	return fmt.Sprintf("%s%d_%s", madeName, time.Now().Unix(), strings.ToLower(rand.Text()[:8]))
}

// dropStale drops what processes left that were killed. What takes too long, or is dropped by another
// just now, is left for the next one.
func (s *server) dropStale(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	names, err := s.names(ctx, s.list)
	if err != nil {
		return
	}
	for _, name := range names {
		second, _, _ := strings.Cut(strings.TrimPrefix(name, madeName), "_")
		made, err := strconv.ParseInt(second, 10, 64)
		if err == nil && time.Since(time.Unix(made, 0)) > staleAfter {
			_ = s.discard(ctx, name)
		}
	}
}

// discard drops a schema or database with all that is in it. PostgreSQL locks every table and index
// that a statement drops until it ends, in one table of a few thousand locks that all connections
// share: the stores of a process, dropped together, leave none for the tests of another.
func (s *server) discard(ctx context.Context, name string) error {
	for s.some != "" {
		tables, err := s.names(ctx, s.some, name)
		if err != nil {
			return err
		}
		if len(tables) == 0 {
			break
		}
		if _, err := s.admin.ExecContext(ctx, "DROP TABLE IF EXISTS "+strings.Join(tables, ", ")+" CASCADE"); err != nil {
			return err
		}
	}
	_, err := s.admin.ExecContext(ctx, fmt.Sprintf(s.drop, name))
	return err
}

// names returns the one column that a query reads.
func (s *server) names(ctx context.Context, query string, args ...any) (names []string, err error) {
	rows, err := s.admin.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, rows.Err()
}

// release is called once for each connect.
func (s *server) release() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.users--; s.users > 0 {
		return nil
	}
	err := s.discard(context.Background(), s.made)
	return errors.Join(s.db.Close(), err, s.admin.Close())
}

// take returns the prefix of an empty store.
func (s *server) take(ctx context.Context) (string, error) {
	s.mu.Lock()
	if n := len(s.free); n > 0 {
		prefix := s.free[n-1]
		s.free = s.free[:n-1]
		s.mu.Unlock()
		return prefix, nil
	}
	s.prefixes++
	prefix := sqlPrefix(s.prefixes)
	s.mu.Unlock()
	return prefix, sqlstore.Migrate(ctx, s.db, sqlstore.Options{Dialect: s.dialect, Prefix: prefix})
}

func sqlPrefix(n int) string { return fmt.Sprintf("t%d_", n) }

// put empties a store and keeps it for the next test. One that cannot be emptied is left alone.
func (s *server) put(prefix string) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := s.empty(ctx, prefix); err == nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.free = append(s.free, prefix)
	}
}

// created finds the tables a migration makes.
var created = regexp.MustCompile(`CREATE TABLE (?:IF NOT EXISTS )?(\S+)`)

// tables are those of a store by its migrations, but the one whose rows stay.
func (s *server) tables(prefix string) ([]string, error) {
	migrations, err := sqlstore.Migrations(sqlstore.Options{Dialect: s.dialect, Prefix: prefix})
	if err != nil {
		return nil, err
	}
	files, err := fs.ReadDir(migrations, ".")
	if err != nil {
		return nil, err
	}
	var out []string
	for _, f := range files {
		text, err := fs.ReadFile(migrations, f.Name())
		if err != nil {
			return nil, err
		}
		for _, found := range created.FindAllSubmatch(text, -1) {
			if name := string(found[1]); name != prefix+"stripes" {
				out = append(out, name)
			}
		}
	}
	return out, nil
}

func (s *server) empty(ctx context.Context, prefix string) error {
	tables, err := s.tables(prefix)
	if err != nil {
		return err
	}
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	for _, table := range tables {
		if _, err := tx.ExecContext(ctx, "DELETE FROM "+table); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// require fails the test where the server must be there, and skips it otherwise.
func (s *server) require(tb testing.TB, err error) {
	tb.Helper()
	if slices.Contains(strings.Split(os.Getenv(requireEnv), ","), string(s.dialect)) {
		tb.Fatalf("%s must answer, since %s says so: %v", s.dialect, requireEnv, err)
	}
	tb.Skipf("no %s answers (%s says where it is): %v", s.dialect, s.env, err)
}
