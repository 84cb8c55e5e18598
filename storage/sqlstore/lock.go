package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"
)

// How long the migration lock holds without being renewed, and how long others wait for it: a
// holder that died is waited out once.
const (
	lockSeconds = 60
	lockRenewal = lockSeconds * time.Second / 4
	lockPause   = 20 * time.Millisecond
	lockWait    = 5 * time.Minute
)

var errLocked = errors.New("another migration holds the lock")

// schemaLock is a row that one migration holds at a time, in the form goose wants its lockers. It is
// taken around goose rather than by it: goose takes it while it keeps a connection, which would wait
// for ever where the host allows only one.
type schemaLock struct {
	store  *Store
	holder string
	stop   context.CancelFunc
	done   sync.WaitGroup
}

// Lock blocks until the row is ours.
func (l *schemaLock) Lock(ctx context.Context, db *sql.DB) error {
	if err := l.exec(ctx, db, l.store.dialect.lockTable); err != nil {
		return err
	}
	for left := lockWait; ; left -= lockPause {
		got, err := l.take(ctx, db)
		if err != nil {
			return err
		}
		if got {
			l.renewing(ctx, db)
			return nil
		}
		if left <= 0 {
			return errLocked
		}
		if err := pause(ctx, lockPause); err != nil {
			return err
		}
	}
}

func (l *schemaLock) take(ctx context.Context, db *sql.DB) (got bool, err error) {
	text := l.store.names.Replace(l.store.dialect.lock)
	err = retry(ctx, maxSwitches, l.store.dialect.busy, func() error {
		result, err := db.ExecContext(ctx, text, l.holder, lockSeconds)
		if err != nil {
			return err
		}
		n, err := result.RowsAffected()
		got = n == 1
		return err
	})
	return got, err
}

// renewing keeps the lock while a long migration runs. Unlock waits for it to end.
func (l *schemaLock) renewing(ctx context.Context, db *sql.DB) {
	ctx, l.stop = context.WithCancel(ctx)
	l.done.Go(func() {
		for pause(ctx, lockRenewal) == nil {
			// A renewal that does not work is tried again; the lock outlasts three of them.
			_ = l.exec(ctx, db, l.store.dialect.renew, lockSeconds, l.holder)
		}
	})
}

// Unlock gives the row back.
func (l *schemaLock) Unlock(ctx context.Context, db *sql.DB) error {
	l.stop()
	l.done.Wait()
	if err := l.exec(ctx, db, l.store.dialect.unlock, l.holder); err != nil {
		return fmt.Errorf("give the migration lock back: %w", err)
	}
	return nil
}

func (l *schemaLock) exec(ctx context.Context, db *sql.DB, text string, args ...any) error {
	return retry(ctx, maxSwitches, l.store.dialect.busy, func() error {
		_, err := db.ExecContext(ctx, l.store.names.Replace(text), args...)
		return err
	})
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
