package storage_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/storage"
)

func TestRedo(t *testing.T) {
	t.Parallel()
	other := errors.New("other")
	conflict := fmt.Errorf("save: %w", storage.ErrConflict)
	for _, c := range []struct {
		name    string
		answers []error // the last one for ever
		want    error
		calls   int
	}{
		{"done at once", []error{nil}, nil, 1},
		{"somebody was faster", []error{conflict, conflict, nil}, nil, 3},
		{"another error is final", []error{conflict, other}, other, 2},
		{"a lost answer is not made again", []error{storage.ErrAmbiguous}, storage.ErrAmbiguous, 1},
		{"the tenth time is the last", []error{conflict}, storage.ErrConflict, 10},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			calls := 0
			err := storage.Redo(func() error {
				calls++
				return c.answers[min(calls, len(c.answers))-1]
			})
			require.ErrorIs(t, err, c.want)
			require.Equal(t, c.calls, calls)
		})
	}
}
