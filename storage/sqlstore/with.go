package sqlstore

import (
	"context"
	"database/sql"
	"errors"
)

var errNoTransaction = errors.New("no transaction is given")

// With returns the store inside a transaction of the host, so that what the host writes and what the
// store writes are stored together or not at all. tx must be of the database the Store was opened
// on. The host commits or rolls back; after that every call returns sql.ErrTxDone.
//
//   - A call that is refused leaves everything as it was before it (it has a savepoint of its own),
//     and the transaction can go on. An error matching ErrRetry is different: the transaction may be
//     gone, and the host rolls it back and begins anew. Nothing is retried here.
//   - PostgreSQL wants its default isolation level or a higher one. MySQL and MariaDB want
//     sql.LevelReadCommitted: their default shows each statement what there was when the transaction
//     began, and a write could be based on that.
//   - On SQLite the transaction must be one that writes from its beginning (SQLiteDSN sees to that).
//     Until it ends no other write of the database goes on, those of the Store among them: do not
//     wait for one inside it.
//   - Calls must not be made concurrently, and a list must be read to its end, or broken out of,
//     before the transaction ends.
//   - What a list yields and what a read returns includes what the transaction has written.
func (s *Store) With(tx *sql.Tx) *Store {
	inside := *s
	inside.writer = nil
	if inside.tx = tx; tx == nil {
		inside.statements = &statements{closed: true, why: errNoTransaction}
	}
	return &inside
}

const savepoint = "workinbox_write"

// within runs fn inside the host's transaction, between savepoints.
func (s *Store) within(ctx context.Context, fn func(*session) error) error {
	x := s.alone(ctx)
	x.writes = true
	if _, _, err := s.statements.find(""); err != nil {
		return err
	}
	if _, err := s.tx.ExecContext(ctx, "SAVEPOINT "+savepoint); err != nil {
		return s.dialect.named(err)
	}
	err := fn(x)
	if err == nil {
		_, err = s.tx.ExecContext(ctx, "RELEASE SAVEPOINT "+savepoint)
		return s.dialect.named(err)
	}
	// Where the database has rolled all of it back, for a deadlock or because ctx ended, there is no
	// savepoint any more, and the cause says enough.
	back := context.WithoutCancel(ctx)
	if _, undone := s.tx.ExecContext(back, "ROLLBACK TO SAVEPOINT "+savepoint); undone == nil {
		_, _ = s.tx.ExecContext(back, "RELEASE SAVEPOINT "+savepoint)
	} else if s.dialect.judge(err) == faultPlain {
		err = errors.Join(err, undone)
	}
	return s.dialect.named(err)
}
