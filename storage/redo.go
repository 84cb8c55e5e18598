package storage

import "errors"

// redoTries is how often Redo makes a change at most.
const redoTries = 10

// Redo makes a change, and makes it anew where somebody else was faster: while it returns ErrConflict, ten
// times at most. change reads what it changes, so that it never writes over what it has not seen.
func Redo(change func() error) error {
	for try := 1; ; try++ {
		err := change()
		if try == redoTries || !errors.Is(err, ErrConflict) {
			return err
		}
	}
}
