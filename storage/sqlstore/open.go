package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/ticket"
)

// DefaultPrefix stands before the name of every table and index.
const DefaultPrefix = "workinbox_"

// maxPrefix is the longest prefix: names of PostgreSQL end at 63 bytes.
const maxPrefix = 32

// Options say where the tables are. The zero Options are the defaults. Open and Migrate want the
// same ones.
type Options struct {
	// Dialect is the kind of database; SQLite when empty.
	Dialect Dialect
	// Prefix stands before the name of every table and index: up to 32 letters, digits and "_", the
	// first one no digit. Empty means DefaultPrefix. PostgreSQL takes it in lower case.
	Prefix string
}

// Store keeps everything but raw messages. Only Open makes one. All methods may be called
// concurrently, and by several processes on one database.
type Store struct {
	db         *sql.DB
	tx         *sql.Tx // of the host; nil where the store has its own
	dialect    dialect
	names      *strings.Replacer
	writer     chan struct{} // holds the writer's place; nil where many may write
	statements *statements
}

var (
	_ inbox.Store  = (*Store)(nil)
	_ inbox.Vault  = (*Store)(nil)
	_ ticket.Store = (*Store)(nil)
)

// Open returns the store in db, which stays the host's: to configure, and to close after the Store.
// The schema must be the one Migrate makes: else it is an error matching ErrOldSchema or
// ErrNewSchema, and nothing is touched.
func Open(ctx context.Context, db *sql.DB, o Options) (*Store, error) {
	s, err := newStore(db, o)
	if err != nil {
		return nil, err
	}
	have, err := s.schemaVersion(ctx, db)
	if err != nil {
		return nil, op{"open", "schema", ""}.fail(ctx, s.dialect.named(err))
	}
	if want := s.dialect.schemaVersion(); have != want {
		return nil, &SchemaError{Have: have, Want: want}
	}
	return s, nil
}

func newStore(db *sql.DB, o Options) (*Store, error) {
	if db == nil {
		return nil, errors.New("no database is given")
	}
	d, err := o.Dialect.find()
	if err != nil {
		return nil, err
	}
	if o.Prefix == "" {
		o.Prefix = DefaultPrefix
	}
	if !validPrefix(o.Prefix) {
		return nil, errors.New("the prefix may hold up to 32 letters, digits and underscores, and begins with no digit")
	}
	if d.folds {
		o.Prefix = strings.ToLower(o.Prefix)
	}
	s := &Store{db: db, dialect: d, names: tableNames(o.Prefix), statements: new(statements)}
	if d.oneWriter {
		s.writer = make(chan struct{}, 1)
	}
	return s, nil
}

func validPrefix(prefix string) bool {
	if len(prefix) > maxPrefix {
		return false
	}
	for i, c := range prefix {
		digit := c >= '0' && c <= '9'
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_'
		if !letter && (!digit || i == 0) {
			return false
		}
	}
	return true
}

// tableNames turns the {names} of our SQL into those of the database.
func tableNames(prefix string) *strings.Replacer { return strings.NewReplacer("{", prefix, "}", "") }

// Close lets go of the prepared statements. It does not close the database. Closing what With
// returned does nothing.
func (s *Store) Close() error {
	if s.tx != nil {
		return nil
	}
	return s.statements.close()
}
