package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/pressly/goose/v3"
)

// Dialect names the kind of database.
type Dialect string

// The dialects. The zero Dialect is SQLite.
const (
	SQLite   Dialect = "sqlite"
	Postgres Dialect = "postgres" // PostgreSQL 13 and later
	MySQL    Dialect = "mysql"    // MariaDB 10.6 and later, MySQL 8.0.1 and later: both for SKIP LOCKED
)

// dialect holds what differs from database to database. The statements themselves are the same text
// for all: names in {braces}, "?" for values, and ON CONFLICT with the row in "excluded".
type dialect struct {
	name  Dialect // also the directory of its migrations
	goose goose.Dialect

	// oneWriter says that the database lets only one transaction write at a time.
	oneWriter bool
	// locksRows says that rows read to be changed must be locked first, because others write at the
	// same time.
	locksRows bool
	// prepares says that statements are kept prepared here. Where not, the driver does so.
	prepares bool
	// detached runs the statements of a transaction without the caller's context, which costs some
	// drivers a goroutine each; the transaction itself watches it.
	detached bool
	// rows is how many rows one INSERT may have.
	rows int
	// write and read are how transactions begin.
	write, read *sql.TxOptions
	// zeroBytes says that a text may have a zero byte.
	zeroBytes bool
	// folds says that the database takes names in lower case, whatever is written.
	folds bool

	// numbered stands for values as $1, $2.
	numbered bool
	// onDuplicate writes an upsert as ON DUPLICATE KEY UPDATE.
	onDuplicate bool
	// returning asks for the key of a new row in the INSERT itself.
	returning bool
	// inOrder joins tables in the order they are written in.
	inOrder string
	// rowValues says that a comparison of two columns as one value can use an index.
	rowValues bool
	// using stands behind a table and names the index that must serve the query. Lists have several
	// to choose from, and a planner without statistics guesses.
	using string
	// byID stands behind {inboxes} when it is read by id.
	byID string
	// byKey stands there to say that rows are looked up by their key.
	byKey string
	// contains is a condition: the first text has the second in it.
	contains string
	// words finds entries by their words.
	words wordIndex
	// arm is one of several parts of a list that are merged, each in order already.
	arm string
	// hasTable counts the tables of a name.
	hasTable string
	// applied is how goose notes that a migration was applied.
	applied string

	// lock is the migration lock.
	lock schemaLock
	// prepare readies a database before its first migration.
	prepare func(ctx context.Context, db *sql.DB) error
	// kind says what an error of the driver means.
	kind func(error) fault
}

func (d Dialect) find() (dialect, error) {
	switch d {
	case "", SQLite:
		return sqlite, nil
	case Postgres:
		return postgres, nil
	case MySQL:
		return mysql, nil
	}
	return dialect{}, fmt.Errorf("dialect %q is unknown", d)
}

var (
	doNothing  = regexp.MustCompile(` ON CONFLICT \([^)]*\) DO NOTHING`)
	doUpdate   = regexp.MustCompile(` ON CONFLICT \([^)]*\) DO UPDATE SET `)
	excludedAs = regexp.MustCompile(`\bexcluded\.(\w+)`)
)

// translate turns one of our texts into a statement of the database.
func (s *Store) translate(text string) string {
	d := &s.dialect
	text = s.names.Replace(text)
	if d.inOrder != "" {
		text = strings.ReplaceAll(text, " CROSS JOIN ", d.inOrder)
	}
	if d.onDuplicate {
		text = doNothing.ReplaceAllString(text, "")
		text = doUpdate.ReplaceAllString(text, " ON DUPLICATE KEY UPDATE ")
		text = excludedAs.ReplaceAllString(text, "VALUES($1)")
	}
	if d.numbered {
		text = numberMarks(text)
	}
	return text
}

// numberMarks turns "?" into $1, $2. No text of ours has one inside a literal.
func numberMarks(text string) string {
	var b strings.Builder
	b.Grow(len(text) + 16)
	n := 0
	for {
		i := strings.IndexByte(text, '?')
		if i < 0 {
			b.WriteString(text)
			return b.String()
		}
		n++
		b.WriteString(text[:i])
		b.WriteByte('$')
		b.WriteString(strconv.Itoa(n))
		text = text[i+1:]
	}
}

// using names the index that must serve a query, behind its table.
func (s *Store) using(index string) string {
	if index == "" || s.dialect.using == "" {
		return ""
	}
	return fmt.Sprintf(s.dialect.using, index)
}

// contains is the condition that the column has a text in it.
func (s *Store) contains(column string) string { return fmt.Sprintf(s.dialect.contains, column) }

// behind adds a condition: the row comes before or behind a place of a list by time and id.
func (s *Store) behind(where *conditions, time, id, sign string, micros int64, key string) {
	key = s.dialect.placeOf(key)
	if s.dialect.rowValues {
		where.add("("+time+", "+id+") "+sign+" (?, ?)", micros, key)
		return
	}
	where.add(time+" "+sign+"= ? AND ("+time+" "+sign+" ? OR "+id+" "+sign+" ?)", micros, micros, key)
}
