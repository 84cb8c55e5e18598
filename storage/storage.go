// Package storage holds the words that every store of this library shares: five errors, the type
// that carries them, a version, and what services do about a write whose outcome is not known. It holds no
// interface on purpose: each domain package declares the small store it needs (inbox.Store, ticket.Store),
// and the packages below this one supply them.
package storage

import (
	"errors"
	"fmt"
)

// The decisions a caller can take. Stores return them wrapped in *Error.
var (
	// ErrNotFound says that the thing is not there, or that the asker may not know that it is.
	ErrNotFound = errors.New("not found")
	// ErrExists says that something unique is taken already.
	ErrExists = errors.New("already exists")
	// ErrConflict says that the stored version is another than the one the write was based on.
	// Read again and redo; services do so three times.
	ErrConflict = errors.New("changed by somebody else")
	// ErrAmbiguous says that the connection was lost while the store wrote: all of the write is
	// stored, or nothing. Services make sure (Settle); a caller who meets it reads again.
	ErrAmbiguous = errors.New("the connection was lost while the database committed")
	// ErrDamaged says that what is stored is not what was put. Nobody will read it again; another error
	// of a read may pass.
	ErrDamaged = errors.New("damaged")
)

// Version counts the writes of one aggregate. Zero means never stored; a store sets it to 1 on
// creation and raises it by one with every write.
type Version uint64

// Error says what a store was doing to which thing. It never holds content of a mail.
type Error struct {
	Op     string // "update", "read", "commit"
	Entity string // "inbox", "message", "credential"
	ID     string // opaque id of the thing, may be empty
	Err    error  // ErrNotFound, ErrExists, ErrConflict, ErrAmbiguous, ErrDamaged or the cause
}

// Error says it all in one line. Of an ID that is longer than any of ours, as one of a URL may be, it has the
// beginning.
func (e *Error) Error() string {
	if e.ID == "" {
		return fmt.Sprintf("%s %s: %v", e.Op, e.Entity, e.Err)
	}
	return fmt.Sprintf("%s %s %.100q: %v", e.Op, e.Entity, e.ID, e.Err)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }
