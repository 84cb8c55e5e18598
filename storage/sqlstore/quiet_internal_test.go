package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/storage"
)

// serverError has the shape of the errors of github.com/go-sql-driver/mysql.
type serverError struct {
	Number  uint16
	Message string
}

func (e *serverError) Error() string { return fmt.Sprintf("Error %d: %s", e.Number, e.Message) }

// stateError has the method of the errors of pgx and lib/pq.
type stateError string

func (e stateError) Error() string    { return "ERROR (SQLSTATE " + string(e) + ")" }
func (e stateError) SQLState() string { return string(e) }

func TestTextsThatQuoteValuesAreWithheld(t *testing.T) {
	t.Parallel()
	const secret = "cleo@example.com"
	for _, err := range []error{
		&serverError{1062, "Duplicate entry '" + secret + "' for key 'addresses'"},
		&serverError{1064, "near '" + secret + "'"},
		&serverError{1366, "Incorrect string value: '" + secret + "'"},
		errors.Join(sql.ErrTxDone, fmt.Errorf("more: %w", &serverError{1062, secret})),
		errors.New("failed to encode args[2]: unable to encode " + secret + " into binary format"),
		fmt.Errorf("sql: Scan error: converting driver.Value type string (%q) to a int64", secret),
	} {
		told := op{"save", "customer", "cu-1"}.fail(t.Context(), err)
		require.NotContains(t, told.Error(), secret)
		require.ErrorIs(t, told, err, "the cause is there for who unwraps it")
	}
	told := op{"read", "inbox", "in-1"}.fail(t.Context(), &serverError{1146, "Table 'a.b' doesn't exist"})
	require.ErrorContains(t, told, "Table 'a.b' doesn't exist")
}

func TestWhatErrorsMean(t *testing.T) {
	t.Parallel()
	down := &net.OpError{Op: "read", Err: errors.New("connection reset by peer")}
	for _, c := range []struct {
		d    *dialect
		err  error
		want fault
	}{
		{&postgres, stateError("23505"), faultTaken},
		{&postgres, stateError("40001"), faultAgain},
		{&postgres, stateError("40P01"), faultAgain},
		{&postgres, stateError("57P01"), faultLost},
		{&postgres, stateError("08006"), faultLost},
		{&postgres, stateError("53300"), faultPassing},
		{&postgres, stateError("53200"), faultPassing},
		{&postgres, stateError("53100"), faultPlain}, // the disk is full
		{&postgres, stateError("25006"), faultPlain}, // read only
		{&postgres, down, faultLost},
		{&mysql, &serverError{Number: 1062}, faultTaken},
		{&mysql, &serverError{Number: 1213}, faultAgain},
		{&mysql, &serverError{Number: 1205}, faultPassing},
		{&mysql, &serverError{Number: 1206}, faultPassing},
		{&mysql, &serverError{Number: 1053}, faultLost},
		{&mysql, &serverError{Number: 1114}, faultPlain}, // the table is full
		{&mysql, errors.New("invalid connection"), faultLost},
		{&mysql, io.ErrUnexpectedEOF, faultLost},
		{&mysql, driver.ErrBadConn, faultLost},
		{&postgres, fmt.Errorf("wrapped: %w", stateError("40001")), faultAgain},
		{&postgres, context.Canceled, faultPlain},
		{&postgres, context.DeadlineExceeded, faultPlain},
		{&postgres, sql.ErrNoRows, faultPlain},
		{&postgres, errAgain, faultAgain},
		{&postgres, refuse("save", "inbox", "in-1", storage.ErrConflict), faultPlain},
		{&sqlite, errors.New("UNIQUE constraint failed: t.a"), faultTaken},
		{&sqlite, errors.New("database is locked"), faultAgain},
		{&sqlite, errors.New("database or disk is full"), faultPlain},
	} {
		require.Equal(t, c.want, c.d.judge(c.err), "%s: %v", c.d.name, c.err)
	}
}

func TestWhatNobodyKnowsOfACommit(t *testing.T) {
	t.Parallel()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for _, c := range []struct {
		what      string
		d         *dialect
		ctx       context.Context
		err       error
		ambiguous bool
	}{
		{"no answer", &postgres, t.Context(), io.ErrUnexpectedEOF, true},
		{"a closed connection", &postgres, t.Context(), errors.New("conn closed"), true},
		{"a server that shuts down", &postgres, t.Context(), stateError("57P01"), true},
		{"a refusal", &postgres, t.Context(), stateError("40001"), false},
		{"a refusal", &mysql, t.Context(), &serverError{Number: 1213}, false},
		{"a server that is killed", &mysql, t.Context(), &serverError{Number: 1053}, true},
		{"never asked", &postgres, t.Context(), sql.ErrTxDone, false},
		{"never asked, the context ended", &postgres, ended, context.Canceled, false},
		{"asked when the context ended", &postgres, ended, fmt.Errorf("timeout: %w", context.Canceled), true},
		{"a file", &sqlite, t.Context(), errors.New("disk I/O error"), false},
	} {
		err := op{"commit", "inbox", "in-1"}.fail(c.ctx, c.d.named(c.d.inCommit(c.ctx, c.err)))
		require.Equal(t, c.ambiguous, errors.Is(err, ErrAmbiguous), "%s on %s: %v", c.what, c.d.name, err)
		require.False(t, c.ambiguous && errors.Is(err, ErrRetry), "%s: %v", c.what, err)
		if c.ctx == ended {
			require.ErrorIs(t, err, context.Canceled, c.what)
		}
	}
}

func TestStatementsOfTheDialects(t *testing.T) {
	t.Parallel()
	const text = "INSERT INTO {t} VALUES (?, ?) ON CONFLICT (a, b) DO UPDATE SET n = excluded.n, m = {t}.m"
	for _, c := range []struct {
		d    Dialect
		text string
		want string
	}{
		{SQLite, text, "INSERT INTO p_t VALUES (?, ?) ON CONFLICT (a, b) DO UPDATE SET n = excluded.n, m = p_t.m"},
		{Postgres, text, "INSERT INTO p_t VALUES ($1, $2) ON CONFLICT (a, b) DO UPDATE SET n = excluded.n, m = p_t.m"},
		{MySQL, text, "INSERT INTO p_t VALUES (?, ?) ON DUPLICATE KEY UPDATE n = VALUES(n), m = p_t.m"},
		{MySQL, "INSERT INTO {t} VALUES (?) ON CONFLICT (a) DO NOTHING", "INSERT INTO p_t VALUES (?)"},
		{MySQL, "SELECT 1 FROM {t} a CROSS JOIN {u} b", "SELECT 1 FROM p_t a STRAIGHT_JOIN p_u b"},
		{Postgres, "SELECT 1", "SELECT 1"},
	} {
		s, err := newStore(new(sql.DB), Options{Dialect: c.d, Prefix: "p_"})
		require.NoError(t, err)
		require.Equal(t, c.want, s.translate(c.text), c.d)
	}
}

func TestBatchesAreBounded(t *testing.T) {
	t.Parallel()
	rows := func(n, size int) [][]any {
		all := make([][]any, n)
		for i := range all {
			all[i] = []any{int64(i), string(make([]byte, size))}
		}
		return all
	}
	for _, c := range []struct{ n, size, most, want int }{
		{1, 0, maxRows, 1}, {2, 0, maxRows, 2}, {3, 0, maxRows, 2}, {100, 0, maxRows, 64},
		{1000, 0, maxRows, maxRows}, {1000, 0, 1, 1}, {100, maxBytes / 4, maxRows, 4},
		{100, maxBytes/4 + 1, maxRows, 2}, {2, 2 * maxBytes, maxRows, 1},
	} {
		require.Equal(t, c.want, batch(rows(c.n, c.size), c.most), "%d rows of %d bytes, at most %d", c.n, c.size, c.most)
	}
}
