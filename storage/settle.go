package storage

import (
	"context"
	"errors"
	"time"
)

// settlePause is how long Settle waits before the second time it makes a write again; it doubles each
// time. All of them last two and a half seconds, in which a server may come back.
const (
	settleTries = 6
	settlePause = 80 * time.Millisecond
)

// Settle makes a write, and makes it again when it answered ErrAmbiguous. The write must be one that
// does no harm when made twice: guarded by a version, of an id that nothing else has, or idempotent.
//
// A write that is refused the second time with ErrConflict or ErrExists may be in its own way. Then
// stored looks, and returns what the write would have returned and true when it finds the write done;
// false leaves the refusal as it is. Nil: nobody can tell.
//
// An error that matches ErrAmbiguous remains when the context ended, or the store did not come back.
func Settle[T any](
	ctx context.Context, write func() (T, error), stored func() (T, bool, error),
) (T, error) {
	out, err := write()
	if !errors.Is(err, ErrAmbiguous) {
		return out, err
	}
	unknown := err
	for try, pause := 0, settlePause; try < settleTries; try++ {
		if try > 0 {
			if !wait(ctx, pause) {
				break
			}
			pause *= 2
		}
		if ctx.Err() != nil {
			break
		}
		if out, err = write(); err == nil {
			return out, nil
		}
		if !errors.Is(err, ErrConflict) && !errors.Is(err, ErrExists) {
			continue // away, or lost again: the first may be done all the same
		}
		if stored == nil {
			return out, err
		}
		done, ok, failed := stored()
		switch {
		case failed != nil:
		case ok:
			return done, nil
		default:
			return out, err
		}
	}
	var none T
	return none, unknown
}

func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
