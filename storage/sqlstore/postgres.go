package sqlstore

import (
	"context"
	"database/sql"
	"errors"

	"github.com/pressly/goose/v3"
)

var postgres = dialect{
	name:      Postgres,
	goose:     goose.DialectPostgres,
	locksRows: true,
	rows:      maxRows,
	write:     &sql.TxOptions{Isolation: sql.LevelReadCommitted},
	read:      &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true},
	folds:     true,
	numbered:  true,
	returning: true,
	rowValues: true,
	contains:  "strpos(%s, ?) > 0",
	words:     vectorIndex{},
	arm:       cutArm,
	// The tables are where goose looks for and makes its own.
	hasTable: "SELECT COUNT(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename = ?",
	applied:  "true",
	lock: sessionLock{
		// The key is of the schema and the prefix, since they are what one migration is about.
		take: "SELECT pg_advisory_lock(hashtextextended(current_schema() || '/' || CAST(? AS text), 7013))",
		give: "SELECT pg_advisory_unlock(hashtextextended(current_schema() || '/' || CAST(? AS text), 7013))",
	},
	prepare: func(context.Context, *sql.DB) error { return nil },
	kind:    postgresFault,
}

// sqlState returns the SQLSTATE of a driver's error, or "". pgx and lib/pq both tell it this way.
func sqlState(err error) string {
	if coded, ok := errors.AsType[interface {
		error
		SQLState() string
	}](err); ok {
		return coded.SQLState()
	}
	return ""
}

// postgresFault goes by https://www.postgresql.org/docs/current/errcodes-appendix.html.
func postgresFault(err error) fault {
	state := sqlState(err)
	switch state {
	case "":
		return connectionFault(err)
	case "23505": // unique_violation
		return faultTaken
	case "40001", "40P01": // serialization_failure, deadlock_detected
		return faultAgain
	case "57P01", "57P02", "57P03", "57P05": // shut down, crashed, starting up, idle for too long
		return faultLost
	// lock_not_available, too_many_connections, out_of_memory: others have used up the locks of the
	// server, as whoever drops or dumps thousands of tables does.
	case "55P03", "53300", "53200":
		return faultPassing
	}
	if len(state) == 5 && state[:2] == "08" { // connection_exception
		return faultLost
	}
	return faultPlain
}
