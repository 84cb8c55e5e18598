package sqlstore

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"path"
	"strconv"
	"strings"

	"github.com/pressly/goose/v3"
)

//go:embed migrations
var migrations embed.FS

// Migrate brings the tables up to date. It may be called by several goroutines and processes at
// once: one does the work, the others wait for it. Tables of a newer program are left as they are,
// with an error matching ErrNewSchema. On SQLite it also switches the file to WAL. On PostgreSQL the
// tables are made in the first schema of the search path, and the connection must be a session of
// its own, not one of a pool that gives each transaction another.
func Migrate(ctx context.Context, db *sql.DB, o Options) error {
	s, err := newStore(db, o)
	if err != nil {
		return err
	}
	defer s.Close()
	// Before the lock, because it would write to the tables' database too.
	if err := s.refuseNewer(ctx, db); err != nil {
		return err
	}
	if err := s.dialect.prepare(ctx, db); err != nil {
		return op{"migrate", "schema", ""}.fail(ctx, err)
	}
	return s.dialect.lock.hold(ctx, s, func(o ...goose.ProviderOption) error { return s.migrate(ctx, o) })
}

func (s *Store) migrate(ctx context.Context, o []goose.ProviderOption) error {
	files, err := s.migrations()
	if err != nil {
		return err
	}
	engine, err := goose.NewProvider(s.dialect.goose, s.db, files, append(o,
		goose.WithTableName(s.names.Replace("{schema}")),
		goose.WithDisableGlobalRegistry(true),
		goose.WithSlog(slog.New(slog.DiscardHandler)),
	)...)
	if err != nil {
		return err
	}
	if _, err = engine.Up(ctx); err == nil {
		return nil
	}
	// goose looks at the versions before it waits for the lock, and finds a newer one odd.
	if newer := s.refuseNewer(ctx, s.db); errors.Is(newer, ErrNewSchema) {
		return newer
	}
	return op{"migrate", "schema", ""}.fail(ctx, s.dialect.named(err))
}

// querier is a database or one of its connections.
type querier interface {
	QueryRowContext(ctx context.Context, text string, args ...any) *sql.Row
}

func (s *Store) refuseNewer(ctx context.Context, on querier) error {
	have, err := s.schemaVersion(ctx, on)
	if err != nil {
		return op{"migrate", "schema", ""}.fail(ctx, err)
	}
	if want := s.dialect.schemaVersion(); have > want {
		return &SchemaError{Have: have, Want: want}
	}
	return nil
}

// schemaVersion returns the version of the tables, 0 when there are none.
func (s *Store) schemaVersion(ctx context.Context, on querier) (version int64, err error) {
	var tables int
	var newest sql.NullInt64
	newestText := s.names.Replace("SELECT MAX(version_id) FROM {schema} WHERE is_applied = " + s.dialect.applied)
	err = retry(ctx, maxAttempts, s.dialect.judge, func() error {
		row := on.QueryRowContext(ctx, s.translate(s.dialect.hasTable), s.names.Replace("{schema}"))
		if err := row.Scan(&tables); err != nil || tables == 0 {
			return err
		}
		return on.QueryRowContext(ctx, newestText).Scan(&newest)
	})
	return newest.Int64, err
}

// schemaVersion returns the version of the last migration.
func (d dialect) schemaVersion() (newest int64) {
	files, _ := fs.ReadDir(migrations, "migrations/"+string(d.name))
	for _, f := range files {
		number, _, _ := strings.Cut(f.Name(), "_")
		if v, err := strconv.ParseInt(number, 10, 64); err == nil {
			newest = max(newest, v)
		}
	}
	return newest
}

// Migrations returns the migrations as files named as goose names them, with the table names filled
// in, for a host that runs them with its own tool. The version table is prefix + "schema".
func Migrations(o Options) (fs.FS, error) {
	s, err := newStore(new(sql.DB), o)
	if err != nil {
		return nil, err
	}
	return s.migrations()
}

func (s *Store) migrations() (fs.FS, error) {
	files, err := fs.Sub(migrations, "migrations/"+string(s.dialect.name))
	return namedFS{files, s.names}, err
}

// namedFS fills in the table names of the files below.
type namedFS struct {
	below fs.FS
	names *strings.Replacer
}

// ReadDir lists the files.
func (f namedFS) ReadDir(name string) ([]fs.DirEntry, error) { return fs.ReadDir(f.below, name) }

// Open opens one file.
func (f namedFS) Open(name string) (fs.File, error) {
	file, err := f.below.Open(name)
	if err != nil || path.Ext(name) != ".sql" {
		return file, err
	}
	text, err := io.ReadAll(file)
	if err != nil {
		return nil, err
	}
	return &namedFile{File: file, text: strings.NewReader(f.names.Replace(string(text)))}, nil
}

type namedFile struct {
	fs.File
	text *strings.Reader
}

func (f *namedFile) Read(b []byte) (int, error) { return f.text.Read(b) }

// Stat tells the size with the names filled in.
func (f *namedFile) Stat() (fs.FileInfo, error) {
	info, err := f.File.Stat()
	return namedInfo{info, f.text.Size()}, err
}

type namedInfo struct {
	fs.FileInfo
	size int64
}

func (i namedInfo) Size() int64 { return i.size }
