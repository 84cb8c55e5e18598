package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"sync"

	"github.com/workinbox/workinbox/inbox"
)

// statements keeps what was made of a text, {names} and all: the statement of the database, and
// where that is ours to do, the same prepared.
type statements struct {
	mu     sync.RWMutex
	byText map[string]*sql.Stmt
	texts  map[string]string
	closed bool
	why    error // instead of errClosed
}

// maxStatements is how many statements are kept prepared. Texts with lists and filters vary, but few
// of them; what is beyond runs unprepared.
const maxStatements = 512

var errClosed = errors.New("the store is closed")

func (p *statements) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var faults []error
	for _, statement := range p.byText {
		faults = append(faults, statement.Close())
	}
	p.byText, p.texts, p.closed = nil, nil, true
	return errors.Join(faults...)
}

// find returns what is kept of a text.
func (p *statements) find(text string) (statement *sql.Stmt, room bool, err error) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if p.closed {
		return nil, false, cmp.Or(p.why, errClosed)
	}
	return p.byText[text], len(p.byText) < maxStatements, nil
}

// translated returns the statement of the database for a text, which is kept.
func (s *Store) translated(text string) string {
	p := s.statements
	p.mu.RLock()
	known, ok := p.texts[text]
	p.mu.RUnlock()
	if ok {
		return known
	}
	known = s.translate(text)
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed && len(p.texts) < maxStatements {
		if p.texts == nil {
			p.texts = make(map[string]string)
		}
		p.texts[text] = known
	}
	return known
}

// prepared returns the statement of a text, or nil when it is one too many to keep.
func (s *Store) prepared(ctx context.Context, text string) (*sql.Stmt, error) {
	p := s.statements
	statement, room, err := p.find(text)
	if err != nil || statement != nil || !room {
		return statement, err
	}
	statement, err = s.db.PrepareContext(ctx, s.translate(text))
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if other := p.byText[text]; other != nil || p.closed {
		err := statement.Close()
		if p.closed {
			err = errClosed
		}
		return other, err
	}
	if p.byText == nil {
		p.byText = make(map[string]*sql.Stmt)
	}
	p.byText[text] = statement
	return statement, nil
}

// session runs statements, in a transaction or, with none, one by one.
type session struct {
	*Store
	ctx  context.Context
	tx   *sql.Tx
	held map[string]*sql.Stmt // the statements of tx
	// missed are texts the transaction had to prepare for itself.
	missed []string
	// writes says that the transaction may change what it reads.
	writes bool
}

// alone returns a session without a transaction of its own.
func (s *Store) alone(ctx context.Context) *session { return &session{Store: s, ctx: ctx, tx: s.tx} }

// locking makes a SELECT lock the rows it reads, when they are read to be changed.
func (x *session) locking(text string) string {
	if x.writes && x.dialect.locksRows {
		return text + " FOR UPDATE"
	}
	return text
}

// statement returns the prepared form of a text, or nil when it runs unprepared.
func (x *session) statement(text string) (*sql.Stmt, error) {
	if !x.dialect.prepares {
		_, _, err := x.statements.find(text)
		return nil, err
	}
	if statement := x.held[text]; statement != nil {
		return statement, nil
	}
	if x.tx == nil {
		return x.prepared(x.ctx, text)
	}
	statement, err := x.inTransaction(text)
	if err == nil && x.held != nil && statement != nil {
		x.held[text] = statement
	}
	return statement, err
}

// inTransaction readies a statement for the transaction. One that is not prepared yet is prepared on
// its connection: asking for another one could wait for ever where the host allows only one.
func (x *session) inTransaction(text string) (*sql.Stmt, error) {
	statement, room, err := x.statements.find(text)
	switch {
	case err != nil:
		return nil, err
	case statement != nil:
		return x.tx.StmtContext(x.ctx, statement), nil
	case !room || x.held == nil:
		return nil, nil
	}
	x.missed = append(x.missed, text)
	return x.tx.PrepareContext(x.ctx, x.translate(text))
}

func (x *session) exec(text string, args ...any) (sql.Result, error) {
	args, err := x.dialect.bind(text, args)
	if err != nil {
		return nil, err
	}
	statement, err := x.statement(text)
	switch {
	case err != nil:
		return nil, err
	case statement != nil:
		return statement.ExecContext(x.ctx, args...)
	case x.tx != nil:
		return x.tx.ExecContext(x.ctx, x.translated(text), args...)
	}
	return x.db.ExecContext(x.ctx, x.translated(text), args...)
}

func (x *session) query(text string, args ...any) (*sql.Rows, error) {
	args, err := x.dialect.bind(text, args)
	if err != nil {
		return nil, err
	}
	statement, err := x.statement(text)
	switch {
	case err != nil:
		return nil, err
	case statement != nil:
		return statement.QueryContext(x.ctx, args...)
	case x.tx != nil:
		return x.tx.QueryContext(x.ctx, x.translated(text), args...)
	}
	return x.db.QueryContext(x.ctx, x.translated(text), args...)
}

// affected runs a statement and returns how many rows it changed.
func (x *session) affected(text string, args ...any) (int64, error) {
	result, err := x.exec(text, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// create runs an INSERT ... DO NOTHING and says whether the row is new.
func (x *session) create(text string, args ...any) (bool, error) {
	n, err := x.affected(text, args...)
	if err != nil && x.dialect.onDuplicate && x.dialect.judge(err) == faultTaken {
		return false, nil
	}
	return n > 0, err
}

// insertKey runs an INSERT of one row and returns the key the database gave it.
func (x *session) insertKey(text string, args ...any) (key int64, err error) {
	if x.dialect.returning {
		err = x.one(text+" RETURNING pk", args, &key)
		return key, err
	}
	result, err := x.exec(text, args...)
	if err != nil {
		return 0, err
	}
	return result.LastInsertId()
}

// one reads a single row, or returns sql.ErrNoRows.
func (x *session) one(text string, args []any, into ...any) error {
	rows, err := x.query(text, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	if !rows.Next() {
		if err := rows.Err(); err != nil {
			return err
		}
		return sql.ErrNoRows
	}
	if err := rows.Scan(into...); err != nil {
		return err
	}
	// A refused INSERT ... RETURNING may say so only here.
	if err := rows.Close(); err != nil {
		return err
	}
	return rows.Err()
}

// every calls each for every row and then closes them.
func (x *session) every(text string, args []any, each func(scan func(...any) error) error) error {
	rows, err := x.query(text, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := each(rows.Scan); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	return rows.Close()
}

func isNone(err error) bool { return errors.Is(err, sql.ErrNoRows) }

// inboxKey returns the key of an inbox, or 0 when there is none.
func (x *session) inboxKey(id inbox.ID) (pk int64, err error) {
	err = x.one(x.locking("SELECT pk FROM {inboxes} WHERE id = ?"), []any{string(id)}, &pk)
	if isNone(err) {
		return 0, nil
	}
	return pk, err
}
