package sqlstore

import (
	"fmt"
	"strings"
)

// withheld are errors of MySQL whose text quotes values: a duplicate, a wrong one, a statement.
var withheld = map[uint64]bool{1062: true, 1064: true, 1292: true, 1366: true, 1406: true, 1586: true}

// quietError is an error of the database without its text.
type quietError struct {
	number uint64 // 0 where it has none
	err    error
}

func (e *quietError) Error() string {
	if e.number == 0 {
		return "an error of the database driver, whose text may quote what is stored"
	}
	return fmt.Sprintf("error %d of the database, whose text may quote what is stored", e.number)
}

// Unwrap returns the driver's error.
func (e *quietError) Unwrap() error { return e.err }

// quiet keeps stored values out of the text of an error.
func quiet(err error) error {
	if n := mysqlNumber(err); withheld[n] {
		return &quietError{n, err}
	}
	// pgx and database/sql quote a value that does not fit its column.
	for _, text := range []string{"unable to encode", "converting driver.Value type"} {
		if strings.Contains(err.Error(), text) {
			return &quietError{0, err}
		}
	}
	return err
}
