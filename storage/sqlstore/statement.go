package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/workinbox/workinbox/inbox"
)

// statements keeps prepared statements by their text, {names} and all.
type statements struct {
	mu     sync.RWMutex
	byText map[string]*sql.Stmt
	closed bool
}

// maxStatements is how many statements are kept. Texts with lists and filters vary, but few of
// them; what is beyond runs unprepared.
const maxStatements = 512

var errClosed = errors.New("the store is closed")

func (p *statements) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var faults []error
	for _, statement := range p.byText {
		faults = append(faults, statement.Close())
	}
	p.byText, p.closed = nil, true
	return errors.Join(faults...)
}

// prepared returns the statement of a text, or nil when it is one too many to keep.
func (s *Store) prepared(ctx context.Context, text string) (*sql.Stmt, error) {
	p := &s.statements
	p.mu.RLock()
	statement, n, closed := p.byText[text], len(p.byText), p.closed
	p.mu.RUnlock()
	switch {
	case closed:
		return nil, errClosed
	case statement != nil:
		return statement, nil
	case n >= maxStatements:
		return nil, nil
	}
	statement, err := s.db.PrepareContext(ctx, s.names.Replace(text))
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
}

// alone returns a session without a transaction.
func (s *Store) alone(ctx context.Context) *session { return &session{Store: s, ctx: ctx} }

func (x *session) statement(text string) (*sql.Stmt, error) {
	if statement := x.held[text]; statement != nil {
		return statement, nil
	}
	if x.tx == nil {
		return x.prepared(x.ctx, text)
	}
	statement, err := x.inTransaction(text)
	if err == nil {
		x.held[text] = statement
	}
	return statement, err
}

// inTransaction readies a statement for the transaction. One that is not prepared yet is prepared on
// its connection: asking for another one could wait for ever where the host allows only one.
func (x *session) inTransaction(text string) (*sql.Stmt, error) {
	p := &x.statements
	p.mu.RLock()
	statement, closed := p.byText[text], p.closed
	p.mu.RUnlock()
	if closed {
		return nil, errClosed
	}
	if statement != nil {
		return x.tx.StmtContext(x.ctx, statement), nil
	}
	x.missed = append(x.missed, text)
	return x.tx.PrepareContext(x.ctx, x.names.Replace(text))
}

// using names the index that must serve a query, behind its table.
func (s *Store) using(index string) string {
	if index == "" {
		return ""
	}
	return fmt.Sprintf(s.dialect.using, index)
}

func (x *session) exec(text string, args ...any) (sql.Result, error) {
	statement, err := x.statement(text)
	if err != nil {
		return nil, err
	}
	if statement == nil {
		return x.db.ExecContext(x.ctx, x.names.Replace(text), args...)
	}
	return statement.ExecContext(x.ctx, args...)
}

// affected runs a statement and returns how many rows it changed.
func (x *session) affected(text string, args ...any) (int64, error) {
	result, err := x.exec(text, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

func (x *session) query(text string, args ...any) (*sql.Rows, error) {
	statement, err := x.statement(text)
	if err != nil {
		return nil, err
	}
	if statement == nil {
		return x.db.QueryContext(x.ctx, x.names.Replace(text), args...)
	}
	return statement.QueryContext(x.ctx, args...)
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
	return rows.Close()
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

// maxList is how many values one IN list may have.
const maxList = 512

// inList returns "(?,?,…)" and the values with the last one repeated up to a power of two, so that
// few texts need preparing. There is at least one value and at most maxList.
func inList[T ~string](values []T) (string, []any) {
	n := padded(len(values))
	args := make([]any, n)
	for i := range args {
		args[i] = string(values[min(i, len(values)-1)])
	}
	return marks(n), args
}

// inKeys is inList for keys.
func inKeys(keys []int64) (string, []any) {
	n := padded(len(keys))
	args := make([]any, n)
	for i := range args {
		args[i] = keys[min(i, len(keys)-1)]
	}
	return marks(n), args
}

func padded(n int) int {
	p := 1
	for p < n {
		p *= 2
	}
	return p
}

func marks(n int) string { return "(?" + strings.Repeat(",?", n-1) + ")" }

// distinct returns the values without repetition, sorted.
func distinct[T ~string](values []T) []T {
	out := slices.Clone(values)
	slices.Sort(out)
	return slices.Compact(out)
}

// inChunks calls each with the marks and values of IN lists that cover all values.
func inChunks[T ~string](values []T, each func(marks string, values []any) error) error {
	for chunk := range slices.Chunk(values, maxList) {
		marks, args := inList(chunk)
		if err := each(marks, args); err != nil {
			return err
		}
	}
	return nil
}

func isNone(err error) bool { return errors.Is(err, sql.ErrNoRows) }

// inboxKey returns the key of an inbox, or 0 when there is none.
func (x *session) inboxKey(id inbox.ID) (pk int64, err error) {
	err = x.one("SELECT pk FROM {inboxes} WHERE id = ?", []any{string(id)}, &pk)
	if isNone(err) {
		return 0, nil
	}
	return pk, err
}
