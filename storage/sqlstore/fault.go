package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/workinbox/workinbox/storage"
)

// What went wrong with the database itself. A write whose error does not match ErrAmbiguous stored
// nothing.
var (
	// ErrRetry says that nothing was stored and that the same call may work when made again: the
	// database was busy, broke a deadlock, or was not there. The store has tried a few times itself.
	ErrRetry = errors.New("the database could not do it now")
	// ErrAmbiguous is storage.ErrAmbiguous: the connection was lost while the database committed. All
	// of the write is stored, or nothing. Read again before making the call again.
	ErrAmbiguous = storage.ErrAmbiguous
)

// faultError is a cause with the word for it.
type faultError struct{ word, err error }

func (e *faultError) Error() string { return e.word.Error() + ": " + e.err.Error() }

// Unwrap returns the word and the cause.
func (e *faultError) Unwrap() []error { return []error{e.word, e.err} }

// fault is what an error of the driver means.
type fault int

const (
	faultPlain   fault = iota // the statement is refused, and will be again
	faultTaken                // a unique index has the value already
	faultAgain                // others were in the way: the same transaction may work at once
	faultLost                 // the connection is lost, and with it the transaction
	faultPassing              // the database will do it later, but not at once
)

// errAgain makes a transaction run again: what it read first is not so any more.
var errAgain = errors.New("another write came first")

// connectionFault judges an error that is not the server's.
func connectionFault(err error) fault {
	if _, ok := errors.AsType[net.Error](err); ok {
		return faultLost
	}
	for _, lost := range []error{driver.ErrBadConn, io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, sql.ErrConnDone} {
		if errors.Is(err, lost) {
			return faultLost
		}
	}
	// Drivers have these as plain texts: go-sql-driver/mysql and pgx.
	for _, text := range []string{"invalid connection", "conn closed", "busy buffer"} {
		if strings.Contains(err.Error(), text) {
			return faultLost
		}
	}
	return faultPlain
}

// judge says what an error of a transaction means.
func (d *dialect) judge(err error) fault {
	switch {
	case errors.Is(err, errAgain):
		return faultAgain
	case errors.Is(err, sql.ErrNoRows), errors.Is(err, ErrAmbiguous),
		errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return faultPlain
	}
	if _, ok := errors.AsType[*storage.Error](err); ok {
		return faultPlain
	}
	return d.kind(err)
}

// inCommit judges the error of COMMIT. An answer of the server says that nothing is stored, and so
// does database/sql when it did not ask it; without an answer nobody knows.
func (d *dialect) inCommit(ctx context.Context, err error) error {
	switch {
	case err == nil, d.oneWriter:
		return err
	case errors.Is(err, sql.ErrTxDone):
		return err
	case ctx.Err() != nil && err == ctx.Err(): //nolint:errorlint // a driver's own error wraps it
		return err
	}
	// What pgx calls safe to retry is no help: it says so of a COMMIT that the server has done.
	if (sqlState(err) != "" || mysqlNumber(err) != 0) && d.kind(err) != faultLost {
		return err
	}
	return &faultError{ErrAmbiguous, err}
}

// named adds the word for what the database could not do now.
func (d *dialect) named(err error) error {
	if err == nil {
		return nil
	}
	switch d.judge(err) {
	case faultAgain, faultLost, faultPassing:
		return &faultError{ErrRetry, err}
	}
	return err
}
