package sqlstore

import (
	"context"
	"database/sql"
	"math/rand/v2"
	"time"
)

// maxAttempts is how often a transaction is tried that another writer got in the way of. Each try
// waits for the busy timeout of the connection first.
const maxAttempts = 4

// attempts is more where many write at once, and a deadlock is broken in favour of one of them.
func (d *dialect) attempts() int {
	if d.locksRows {
		return 3 * maxAttempts
	}
	return maxAttempts
}

// write runs fn in a transaction: all of it or nothing. fn may run more than once.
func (s *Store) write(ctx context.Context, o op, fn func(*session) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.tx != nil {
		return o.fail(ctx, s.within(ctx, fn))
	}
	if s.writer != nil {
		select {
		case s.writer <- struct{}{}:
			defer func() { <-s.writer }()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	var missed []string
	err := retry(ctx, s.dialect.attempts(), s.dialect.judge, func() (err error) {
		missed, err = s.transact(ctx, s.dialect.write, fn)
		return err
	})
	if err != nil {
		return o.fail(ctx, s.dialect.named(err))
	}
	s.keep(ctx, missed)
	return nil
}

// snapshot runs fn in a transaction that only reads, so that everything it sees is of one moment.
func (s *Store) snapshot(ctx context.Context, o op, fn func(*session) error) error {
	if s.tx != nil {
		return s.read(ctx, o, fn)
	}
	err := retry(ctx, maxAttempts, s.dialect.judge, func() error {
		_, err := s.transact(ctx, s.dialect.read, fn)
		return err
	})
	return o.fail(ctx, s.dialect.named(err))
}

// read runs fn, whose statements see a moment each.
func (s *Store) read(ctx context.Context, o op, fn func(*session) error) error {
	attempts := maxAttempts
	if s.tx != nil {
		attempts = 1
	}
	err := retry(ctx, attempts, s.dialect.judge, func() error { return fn(s.alone(ctx)) })
	return o.fail(ctx, s.dialect.named(err))
}

func (s *Store) transact(ctx context.Context, o *sql.TxOptions, fn func(*session) error) ([]string, error) {
	tx, err := s.db.BeginTx(ctx, o)
	if err != nil {
		return nil, err
	}
	defer func() { _ = tx.Rollback() }() // does nothing after Commit

	x := &session{
		Store: s, ctx: ctx, tx: tx, held: make(map[string]*sql.Stmt, 16), writes: o == nil || !o.ReadOnly,
	}
	if s.dialect.detached {
		x.ctx = context.WithoutCancel(ctx)
	}
	if err := fn(x); err != nil {
		return nil, err
	}
	err = tx.Commit()
	if x.writes {
		err = s.dialect.inCommit(ctx, err)
	}
	return x.missed, err
}

// keep prepares what a transaction had to prepare for itself, for the next one. An error shows
// again where the statement is used.
func (s *Store) keep(ctx context.Context, texts []string) {
	for _, text := range texts {
		if _, err := s.prepared(ctx, text); err != nil {
			return
		}
	}
}

// retry calls fn until it returns no error that may pass at once, at most attempts times, and waits a
// little longer before each call. A lost connection is tried again a few times only.
func retry(ctx context.Context, attempts int, judge func(error) fault, fn func() error) error {
	const first, most = 5 * time.Millisecond, 200 * time.Millisecond
	pause := first
	for {
		err := fn()
		attempts--
		if err == nil || attempts <= 0 || ctx.Err() != nil {
			return err
		}
		switch judge(err) {
		case faultAgain:
		case faultLost:
			attempts = min(attempts, maxAttempts)
		default:
			return err
		}
		timer := time.NewTimer(pause/2 + rand.N(pause))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
		pause = min(2*pause, most)
	}
}
