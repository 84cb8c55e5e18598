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

// write runs fn in a transaction: all of it or nothing. fn may run more than once.
func (s *Store) write(ctx context.Context, o op, fn func(*session) error) error {
	if err := ctx.Err(); err != nil {
		return err
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
	err := retry(ctx, maxAttempts, s.dialect.busy, func() (err error) {
		missed, err = s.transact(ctx, nil, fn)
		return err
	})
	if err != nil {
		return o.fail(ctx, err)
	}
	s.keep(ctx, missed)
	return nil
}

// snapshot runs fn in a transaction that only reads, so that everything it sees is of one moment.
func (s *Store) snapshot(ctx context.Context, o op, fn func(*session) error) error {
	err := retry(ctx, maxAttempts, s.dialect.busy, func() error {
		_, err := s.transact(ctx, &sql.TxOptions{ReadOnly: true}, fn)
		return err
	})
	return o.fail(ctx, err)
}

// read runs fn, whose statements see a moment each.
func (s *Store) read(ctx context.Context, o op, fn func(*session) error) error {
	err := retry(ctx, maxAttempts, s.dialect.busy, func() error { return fn(s.alone(ctx)) })
	return o.fail(ctx, err)
}

func (s *Store) transact(ctx context.Context, o *sql.TxOptions, fn func(*session) error) ([]string, error) {
	tx, err := s.db.BeginTx(ctx, o)
	if err != nil {
		return nil, err
	}
	defer func() { _ = tx.Rollback() }() // does nothing after Commit

	// Each statement with a context that may end costs a goroutine in the driver. The transaction
	// itself watches ctx, and is rolled back when it ends.
	x := &session{
		Store: s, ctx: context.WithoutCancel(ctx), tx: tx, held: make(map[string]*sql.Stmt, 16),
	}
	if err := fn(x); err != nil {
		return nil, err
	}
	return x.missed, tx.Commit()
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

// retry calls fn until it returns no error that again allows, at most attempts times, and waits a
// little longer before each call.
func retry(ctx context.Context, attempts int, again func(error) bool, fn func() error) error {
	const first, most = 5 * time.Millisecond, 200 * time.Millisecond
	pause := first
	for {
		err := fn()
		attempts--
		if err == nil || attempts <= 0 || ctx.Err() != nil || !again(err) {
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
