package storage_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/storage"
)

// counter is a store of one number, whose answers follow a script.
type counter struct {
	value  int
	script []answer
	writes int
}

// answer says whether a write is done and what is said of it.
type answer struct {
	done bool
	err  error
}

// save is a guarded write: it raises the number to one more than from.
func (c *counter) save(from int) func() (int, error) {
	return func() (int, error) {
		a := answer{done: true}
		if c.writes < len(c.script) {
			a = c.script[c.writes]
		}
		c.writes++
		if c.value != from {
			return 0, storage.ErrConflict
		}
		if a.done {
			c.value++
		}
		if a.err != nil {
			return 0, a.err
		}
		return c.value, nil
	}
}

var errAway = errors.New("away")

func TestSettle(t *testing.T) {
	t.Parallel()
	lost, refused := storage.ErrAmbiguous, errors.New("refused")
	for _, c := range []struct {
		name   string
		start  int
		script []answer
		writes int
		value  int
		want   error
	}{
		{"answered", 0, nil, 1, 1, nil},
		{"refused", 0, []answer{{false, refused}}, 1, 0, refused},
		{"in conflict from the start", 3, nil, 1, 3, storage.ErrConflict},
		{"lost, not done", 0, []answer{{false, lost}}, 2, 1, nil},
		{"lost, done", 0, []answer{{true, lost}}, 2, 1, nil},
		{"lost twice, never done", 0, []answer{{false, lost}, {false, lost}}, 3, 1, nil},
		{"lost twice, done the second time", 0, []answer{{false, lost}, {true, lost}}, 3, 1, nil},
		{"lost and away for a while, not done", 0, []answer{{false, lost}, {false, errAway}, {false, errAway}}, 4, 1, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := &counter{value: c.start, script: c.script}
				got, err := storage.Settle(t.Context(), s.save(0), func() (int, bool, error) {
					return s.value, s.value == 1, nil
				})
				require.ErrorIs(t, err, c.want)
				if c.want == nil {
					require.Equal(t, 1, got)
				}
				require.Equal(t, c.value, s.value)
				require.Equal(t, c.writes, s.writes)
			})
		})
	}
}

func TestSettleLeavesTheRefusalWhereAnotherWasFaster(t *testing.T) {
	t.Parallel()
	s := &counter{script: []answer{{false, storage.ErrAmbiguous}}}
	write := s.save(0)
	_, err := storage.Settle(t.Context(), func() (int, error) {
		out, err := write()
		s.value = 7 // of another
		return out, err
	}, func() (int, bool, error) { return s.value, false, nil })
	require.ErrorIs(t, err, storage.ErrConflict)
	require.NotErrorIs(t, err, storage.ErrAmbiguous)
}

func TestSettleGivesUpWhenTheStoreStaysAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		away := make([]answer, 100)
		for i := range away {
			away[i].err = errAway
		}
		away[0] = answer{true, storage.ErrAmbiguous}
		s, began := &counter{script: away}, time.Now()
		_, err := storage.Settle(t.Context(), func() (int, error) {
			if s.writes > 0 {
				s.writes++
				return 0, errAway
			}
			return s.save(0)()
		}, nil)
		require.ErrorIs(t, err, storage.ErrAmbiguous, "what nobody knows stays unknown")
		require.Equal(t, 7, s.writes)
		require.Less(t, time.Since(began), 3*time.Second)
	})
}

func TestSettleEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	writes := 0
	_, err := storage.Settle(ctx, func() (int, error) {
		writes++
		stop()
		return 0, storage.ErrAmbiguous
	}, nil)
	require.ErrorIs(t, err, storage.ErrAmbiguous)
	require.Equal(t, 1, writes)
}
