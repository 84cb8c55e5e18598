package sqlstore

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"
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

// schemaLock lets one migration run at a time.
type schemaLock interface {
	// hold calls migrate while nobody else migrates, with what goose must know of that.
	hold(ctx context.Context, s *Store, migrate func(...goose.ProviderOption) error) error
}

// sessionLock is a lock that the connection holds which migrates, and that goes with it: statements
// that take it and give it back, for the prefix.
type sessionLock struct{ take, give string }

func (l sessionLock) hold(
	ctx context.Context, s *Store, migrate func(...goose.ProviderOption) error,
) error {
	locker := &sessionLocker{l, s}
	if err := locker.makeVersions(ctx); err != nil {
		return op{"migrate", "schema", ""}.fail(ctx, s.dialect.named(err))
	}
	return migrate(goose.WithSessionLocker(locker))
}

// makeVersions makes the table of the versions and its first row under the lock. goose would make
// them before it takes the lock, and of several that begin at once some would stumble over half of it.
func (l *sessionLocker) makeVersions(ctx context.Context) (err error) {
	s := l.store
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	if err := l.SessionLock(ctx, conn); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.SessionUnlock(context.WithoutCancel(ctx), conn)) }()
	table := s.names.Replace("{schema}")
	versions, err := database.NewStore(s.dialect.goose, table)
	if err != nil {
		return err
	}
	var tables, first int
	if err := conn.QueryRowContext(ctx, s.translate(s.dialect.hasTable), table).Scan(&tables); err != nil {
		return err
	}
	if tables == 0 {
		if err := versions.CreateVersionTable(ctx, conn); err != nil {
			return err
		}
	}
	row := conn.QueryRowContext(ctx, "SELECT COUNT(*) FROM "+table+" WHERE version_id = 0")
	if err := row.Scan(&first); err != nil || first > 0 {
		return err
	}
	return versions.Insert(ctx, conn, database.InsertRequest{Version: 0})
}

// sessionLocker is a sessionLock in the form goose wants its lockers.
type sessionLocker struct {
	sessionLock
	store *Store
}

// SessionLock blocks until the lock is ours, and then looks whether somebody newer had it before.
func (l *sessionLocker) SessionLock(ctx context.Context, conn *sql.Conn) error {
	if err := l.run(ctx, conn, l.take); err != nil {
		return err
	}
	err := l.store.refuseNewer(ctx, conn)
	if err != nil {
		err = errors.Join(err, l.SessionUnlock(context.WithoutCancel(ctx), conn))
	}
	return err
}

// SessionUnlock gives the lock back.
func (l *sessionLocker) SessionUnlock(ctx context.Context, conn *sql.Conn) error {
	return l.run(ctx, conn, l.give)
}

func (l *sessionLocker) run(ctx context.Context, conn *sql.Conn, text string) error {
	var answer any // PostgreSQL has none, MySQL says 1
	row := conn.QueryRowContext(ctx, l.store.translate(text), l.store.names.Replace("{}"))
	if err := row.Scan(&answer); err != nil {
		return err
	}
	if n, ok := answer.(int64); ok && n != 1 {
		return errLocked
	}
	return nil
}

// lockRow is a row that one migration holds at a time, with the second it runs out. It is taken
// around goose rather than by it: goose takes it while it keeps a connection, which would wait for
// ever where the host allows only one.
type lockRow struct{}

// The statements of a lockRow, in SQLite's own words.
const (
	lockTable = "CREATE TABLE IF NOT EXISTS {schema_lock} " +
		"(id INTEGER PRIMARY KEY, holder TEXT NOT NULL, until INTEGER NOT NULL)"
	takeRow = "INSERT INTO {schema_lock} VALUES (1, ?, unixepoch() + ?) ON CONFLICT (id) DO UPDATE " +
		"SET holder = excluded.holder, until = excluded.until WHERE until < unixepoch()"
	renewRow = "UPDATE {schema_lock} SET until = unixepoch() + ? WHERE id = 1 AND holder = ?"
	giveRow  = "DELETE FROM {schema_lock} WHERE id = 1 AND holder = ?"
)

func (lockRow) hold(
	ctx context.Context, s *Store, migrate func(...goose.ProviderOption) error,
) error {
	h := &rowHolder{store: s, name: rand.Text()}
	if err := h.lock(ctx); err != nil {
		return op{"migrate", "schema", ""}.fail(ctx, err)
	}
	err := s.refuseNewer(ctx, s.db)
	if err == nil {
		err = migrate()
	}
	if unlocked := h.unlock(context.WithoutCancel(ctx)); err == nil {
		err = unlocked
	}
	return err
}

// rowHolder is one who wants the row.
type rowHolder struct {
	store *Store
	name  string
	stop  context.CancelFunc
	done  sync.WaitGroup
}

// lock blocks until the row is ours.
func (h *rowHolder) lock(ctx context.Context) error {
	if err := h.exec(ctx, lockTable); err != nil {
		return err
	}
	for left := lockWait; ; left -= lockPause {
		got, err := h.take(ctx)
		if err != nil {
			return err
		}
		if got {
			h.renewing(ctx)
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

func (h *rowHolder) take(ctx context.Context) (got bool, err error) {
	text := h.store.names.Replace(takeRow)
	err = retry(ctx, maxSwitches, h.store.dialect.judge, func() error {
		result, err := h.store.db.ExecContext(ctx, text, h.name, lockSeconds)
		if err != nil {
			return err
		}
		n, err := result.RowsAffected()
		got = n == 1
		return err
	})
	return got, err
}

// renewing keeps the lock while a long migration runs. unlock waits for it to end.
func (h *rowHolder) renewing(ctx context.Context) {
	ctx, h.stop = context.WithCancel(ctx)
	h.done.Go(func() {
		for pause(ctx, lockRenewal) == nil {
			// A renewal that does not work is tried again; the lock outlasts three of them.
			_ = h.exec(ctx, renewRow, lockSeconds, h.name)
		}
	})
}

// unlock gives the row back.
func (h *rowHolder) unlock(ctx context.Context) error {
	h.stop()
	h.done.Wait()
	if err := h.exec(ctx, giveRow, h.name); err != nil {
		return fmt.Errorf("give the migration lock back: %w", err)
	}
	return nil
}

func (h *rowHolder) exec(ctx context.Context, text string, args ...any) error {
	return retry(ctx, maxSwitches, h.store.dialect.judge, func() error {
		_, err := h.store.db.ExecContext(ctx, h.store.names.Replace(text), args...)
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
