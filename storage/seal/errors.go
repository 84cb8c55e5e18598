package seal

import (
	"errors"
	"fmt"
)

// Why a record does not open. The vault returns them wrapped in *storage.Error.
var (
	// ErrTampered says that the record is not what was sealed: changed, cut, of another
	// inbox or use, or never sealed at all. The owner reconnects the mailbox.
	ErrTampered = errors.New("sealed record was changed, or is not of this inbox")
	// ErrWrongKey says that the key provider has a key of the right id with other bytes. The operator
	// restores the key.
	ErrWrongKey = errors.New("key does not fit the sealed record")
	// ErrUnknownKey says that the key provider has no key of that id. The operator restores the key.
	ErrUnknownKey = errors.New("unknown key")
)

// keyFailed says which key err is about.
func keyFailed(keyID string, err error) error { return fmt.Errorf("key %q: %w", keyID, err) }
