package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"reflect"

	"github.com/pressly/goose/v3"
)

var mysql = dialect{
	name:      MySQL,
	goose:     goose.DialectMySQL,
	locksRows: true,
	rows:      maxRows,
	// Locks on the gaps between rows, which its own default takes, make writers of different rows
	// wait for each other.
	write:       &sql.TxOptions{Isolation: sql.LevelReadCommitted},
	read:        &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true},
	zeroBytes:   true,
	onDuplicate: true,
	inOrder:     " STRAIGHT_JOIN ",
	using:       " FORCE INDEX ({%s})",
	byID:        " FORCE INDEX ({inboxes_id})",
	byKey:       " FORCE INDEX (PRIMARY)",
	contains:    "LOCATE(?, %[1]s) > 0",
	words:       wordTable{},
	arm:         cutArm,
	hasTable: "SELECT COUNT(*) FROM information_schema.tables " +
		"WHERE table_schema = DATABASE() AND table_name = ?",
	applied: "1",
	lock: sessionLock{
		take: "SELECT GET_LOCK(SHA1(CONCAT(DATABASE(), '/', ?)), 300)",
		give: "SELECT RELEASE_LOCK(SHA1(CONCAT(DATABASE(), '/', ?)))",
	},
	prepare: func(context.Context, *sql.DB) error { return nil },
	kind:    mysqlFault,
}

// mysqlNumber returns the error number of the server, or 0. The driver's type is known by its shape,
// because the driver is the host's import.
func mysqlNumber(err error) uint64 {
	for ; err != nil; err = errors.Unwrap(err) {
		if several, ok := err.(interface{ Unwrap() []error }); ok { //nolint:errorlint // the walk is ours
			for _, one := range several.Unwrap() {
				if n := mysqlNumber(one); n != 0 {
					return n
				}
			}
			return 0
		}
		v := reflect.ValueOf(err)
		if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct {
			continue
		}
		number := v.Elem().FieldByName("Number")
		if number.IsValid() && number.Kind() == reflect.Uint16 {
			return number.Uint()
		}
	}
	return 0
}

// mysqlFault goes by https://mariadb.com/kb/en/mariadb-error-codes/.
func mysqlFault(err error) fault {
	switch mysqlNumber(err) {
	case 0:
		return connectionFault(err)
	case 1062, 1586: // ER_DUP_ENTRY, ER_DUP_ENTRY_WITH_KEY_NAME
		return faultTaken
	case 1213, 1020: // ER_LOCK_DEADLOCK, ER_CHECKREAD (innodb_snapshot_isolation)
		return faultAgain
	case 1205, 1040, 1203, 1206: // ER_LOCK_WAIT_TIMEOUT, too many connections, ER_LOCK_TABLE_FULL
		return faultPassing
	case 1053, 1927, 1152, 1158, 1159, 1160, 1161: // shut down, killed, aborted, the network
		return faultLost
	}
	return faultPlain
}
