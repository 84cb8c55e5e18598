package storage_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/storage"
)

func TestErrorRepeatsOnlyTheBeginningOfALongID(t *testing.T) {
	t.Parallel()
	err := &storage.Error{Op: "read", Entity: "ticket", ID: strings.Repeat("é", 1<<20), Err: storage.ErrNotFound}
	require.EqualError(t, err, `read ticket "`+strings.Repeat("é", 100)+`": not found`)
}

func TestErrorNamesTheThingAndKeepsItsCause(t *testing.T) {
	t.Parallel()
	err := fmt.Errorf("share: %w", &storage.Error{
		Op: "update", Entity: "inbox", ID: "in-1", Err: storage.ErrConflict,
	})
	require.ErrorIs(t, err, storage.ErrConflict)
	require.EqualError(t, err, `share: update inbox "in-1": changed by somebody else`)

	var typed *storage.Error
	require.True(t, errors.As(err, &typed))
	require.Equal(t, "inbox", typed.Entity)

	require.EqualError(t, &storage.Error{Op: "read", Entity: "outbox", Err: storage.ErrNotFound},
		"read outbox: not found")
}
