package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"github.com/pressly/goose/v3"
)

var sqlite = dialect{
	name:      SQLite,
	goose:     goose.DialectSQLite3,
	oneWriter: true,
	prepares:  true,
	detached:  true,
	// Prepared statements with one row are the fastest there.
	rows:      1,
	write:     nil,
	read:      &sql.TxOptions{ReadOnly: true},
	zeroBytes: true,
	rowValues: true,
	using:     " INDEXED BY {%s}",
	byKey:     " NOT INDEXED",
	contains:  "instr(%s, ?) > 0",
	words:     ftsIndex{},
	arm:       "%s",
	hasTable:  "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = ?",
	applied:   "1",
	lock:      lockRow{},
	prepare:   switchToWAL,
	kind:      sqliteFault,
}

// The result codes of SQLite that are decisions here (https://sqlite.org/rescode.html).
const (
	sqliteBusy       = 5
	sqliteLocked     = 6
	sqlitePrimaryKey = 1555 // SQLITE_CONSTRAINT_PRIMARYKEY
	sqliteUnique     = 2067 // SQLITE_CONSTRAINT_UNIQUE
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

func sqliteFault(err error) fault {
	switch code := sqliteCode(err); {
	case code == sqliteUnique || code == sqlitePrimaryKey:
		return faultTaken
	case code&0xff == sqliteBusy || code&0xff == sqliteLocked:
		return faultAgain
	case code != 0:
		return faultPlain
	}
	switch text := err.Error(); {
	case strings.Contains(text, "UNIQUE constraint failed"):
		return faultTaken
	case strings.Contains(text, "database is locked"):
		return faultAgain
	}
	return faultPlain
}

// switchToWAL sets the journal mode, which the file keeps. In the DSN it would be set by every new
// connection at once, and of several processes on a fresh file some would get SQLITE_BUSY: the
// switch does not wait for the busy timeout.
func switchToWAL(ctx context.Context, db *sql.DB) error {
	var mode string
	return retry(ctx, maxSwitches, sqliteFault, func() error {
		return db.QueryRowContext(ctx, "PRAGMA journal_mode = WAL").Scan(&mode)
	})
}

const maxSwitches = 20
