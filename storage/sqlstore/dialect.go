package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/pressly/goose/v3"
)

// Dialect names the kind of database.
type Dialect string

// The dialects. The zero Dialect is SQLite.
const (
	SQLite Dialect = "sqlite"
)

// dialect holds what differs from database to database.
type dialect struct {
	name  Dialect // also the directory of its migrations
	goose goose.Dialect
	// oneWriter says that the database lets only one transaction write at a time.
	oneWriter bool
	// using stands behind a table and names the index that must serve the query. Lists have several
	// to choose from, and a planner without statistics guesses.
	using string
	// byKey stands there to say that rows are looked up by their key.
	byKey string
	// contains is a condition: the first text has the second in it.
	contains string
	// hasTable counts the tables of a name.
	hasTable string
	// lockTable and lock take the migration lock: a row with the second it runs out.
	lockTable, lock, renew, unlock string
	// prepare readies a database before its first migration.
	prepare func(ctx context.Context, db *sql.DB) error
	// busy says that the same transaction may work when tried again, taken that it broke a unique
	// index.
	busy, taken func(error) bool
}

func (d Dialect) find() (dialect, error) {
	switch d {
	case "", SQLite:
		return sqlite, nil
	}
	return dialect{}, fmt.Errorf("dialect %q is unknown", d)
}

var sqlite = dialect{
	name:      SQLite,
	goose:     goose.DialectSQLite3,
	oneWriter: true,
	using:     " INDEXED BY {%s}",
	byKey:     " NOT INDEXED",
	contains:  "instr(%s, ?) > 0",
	hasTable:  "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = ?",
	lockTable: "CREATE TABLE IF NOT EXISTS {schema_lock} " +
		"(id INTEGER PRIMARY KEY, holder TEXT NOT NULL, until INTEGER NOT NULL)",
	lock: "INSERT INTO {schema_lock} VALUES (1, ?, unixepoch() + ?) ON CONFLICT (id) DO UPDATE " +
		"SET holder = excluded.holder, until = excluded.until WHERE until < unixepoch()",
	renew:   "UPDATE {schema_lock} SET until = unixepoch() + ? WHERE id = 1 AND holder = ?",
	unlock:  "DELETE FROM {schema_lock} WHERE id = 1 AND holder = ?",
	prepare: switchToWAL,
	busy:    sqliteBusy,
	taken:   sqliteTaken,
}

// The primary result codes of SQLite that are decisions here (https://sqlite.org/rescode.html).
const (
	sqliteCodeBusy       = 5
	sqliteCodeLocked     = 6
	sqliteCodePrimaryKey = 1555 // SQLITE_CONSTRAINT_PRIMARYKEY
	sqliteCodeUnique     = 2067 // SQLITE_CONSTRAINT_UNIQUE
)

// sqliteCode returns the extended result code of a driver's error, or 0. Drivers have no type in
// common, but modernc.org/sqlite tells the code this way.
func sqliteCode(err error) int {
	if coded, ok := errors.AsType[interface {
		error
		Code() int
	}](err); ok {
		return coded.Code()
	}
	return 0
}

func sqliteBusy(err error) bool {
	if code := sqliteCode(err) & 0xff; code != 0 {
		return code == sqliteCodeBusy || code == sqliteCodeLocked
	}
	return err != nil && strings.Contains(err.Error(), "database is locked")
}

func sqliteTaken(err error) bool {
	if code := sqliteCode(err); code != 0 {
		return code == sqliteCodeUnique || code == sqliteCodePrimaryKey
	}
	return err != nil && strings.Contains(err.Error(), "UNIQUE constraint failed")
}

// switchToWAL sets the journal mode, which the file keeps. In the DSN it would be set by every new
// connection at once, and of several processes on a fresh file some would get SQLITE_BUSY: the
// switch does not wait for the busy timeout.
func switchToWAL(ctx context.Context, db *sql.DB) error {
	var mode string
	return retry(ctx, maxSwitches, sqliteBusy, func() error {
		return db.QueryRowContext(ctx, "PRAGMA journal_mode = WAL").Scan(&mode)
	})
}

const maxSwitches = 20
