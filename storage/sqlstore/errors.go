package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/workinbox/workinbox/storage"
)

// What Open and Migrate may find. The *SchemaError has both versions.
var (
	// ErrOldSchema says that the tables are older than this package, or not there: run Migrate.
	ErrOldSchema = errors.New("the schema is older than the program: run Migrate")
	// ErrNewSchema says that a newer program has migrated the tables. Nothing was touched.
	ErrNewSchema = errors.New("the schema is newer than the program")
)

// SchemaError is an ErrOldSchema or ErrNewSchema with the version of the tables and the one this
// package works with.
type SchemaError struct {
	Have, Want int64
}

func (e *SchemaError) Error() string {
	return fmt.Sprintf("%v (schema version %d, program version %d)", e.Unwrap(), e.Have, e.Want)
}

// Unwrap returns the sentinel.
func (e *SchemaError) Unwrap() error {
	if e.Have > e.Want {
		return ErrNewSchema
	}
	return ErrOldSchema
}

// op says what the store is doing to which thing, for errors.
type op struct{ verb, entity, id string }

// fail wraps a cause. Errors that say what they are about, and the context's own, stay as they are;
// but when the context ended while the database committed, the error tells both.
func (o op) fail(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if ended := ctx.Err(); ended != nil {
		if !errors.Is(err, ErrAmbiguous) {
			return ended
		}
		err = &faultError{ErrAmbiguous, ended}
	}
	if _, ok := errors.AsType[*storage.Error](err); ok {
		return err
	}
	if errors.Is(err, sql.ErrNoRows) {
		err = storage.ErrNotFound
	}
	err = quiet(err)
	return &storage.Error{Op: o.verb, Entity: o.entity, ID: o.id, Err: err}
}

func refuse[ID ~string](verb, entity string, id ID, err error) error {
	return &storage.Error{Op: verb, Entity: entity, ID: string(id), Err: err}
}

func errNotFound[ID ~string](verb, entity string, id ID) error {
	return refuse(verb, entity, id, storage.ErrNotFound)
}
