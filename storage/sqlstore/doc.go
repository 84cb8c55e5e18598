// Package sqlstore keeps inboxes, messages, clients, events, secrets and tickets in a database behind
// database/sql: inbox.Store, inbox.Vault and ticket.Store in one type. It imports no driver; the
// host opens its own *sql.DB. Raw messages lie elsewhere (storage/blob).
//
//	db, err := sql.Open("sqlite", sqlstore.SQLiteDSN("/var/lib/app/inbox.db")) // modernc.org/sqlite
//	err = sqlstore.Migrate(ctx, db, sqlstore.Options{})
//	store, err := sqlstore.Open(ctx, db, sqlstore.Options{})
//
// The databases are SQLite, PostgreSQL and MySQL or MariaDB (Options.Dialect):
//
//   - SQLite: give db about as many idle connections as it has at work (sql.DB.SetMaxIdleConns): the
//     prepared statements are kept with the connections, and database/sql keeps only two by itself.
//   - PostgreSQL with the driver "pgx" of github.com/jackc/pgx/v5/stdlib, which keeps statements
//     prepared; behind a pool that gives each transaction another session, say
//     default_query_exec_mode=exec in its data source. The database's encoding must be UTF-8.
//   - MySQL and MariaDB with github.com/go-sql-driver/mysql and interpolateParams=true in its data
//     source: without it a statement is three round trips instead of one. A message's text and HTML
//     each must be smaller than max_allowed_packet.
//
// One connection is enough to work with, on all of them.
//
// What to know of the tables:
//
//  1. A write is one transaction. What Commit returned without an error survives a crash and, with
//     the pragmas of SQLiteDSN and the servers' own defaults, a power cut.
//  2. Times are microseconds since 1970 in UTC. Texts compare as bytes.
//  3. The rows of an inbox lie together: the key of a message or a log line is the number of its
//     inbox followed by its Seq. The log's arrivals are the messages themselves.
//  4. What queries look at is a column, the rest of a value is JSON in the column doc.
//  5. Every list reads a page, closes it, and yields; the next page starts behind the last key.
//  6. SQLite has one writer at a time. Writes of one Store wait for each other in order; between
//     Stores and processes SQLite's busy timeout and a few retries stand. On a server, writers wait
//     only for those of the same rows: a write locks what it has read before it changes it, and is
//     made again when the server breaks a deadlock.
//  7. IDs, the importer's and the host's, are at most 255 bytes, and 512 those of a mail service, on
//     MySQL; PostgreSQL takes no NUL in a text and none of its indexed ones beyond 2 KiB. What mail
//     itself brings may have any length.
//
// What a failed write left is said by its error: ErrAmbiguous when nobody knows, else nothing is
// stored. What matches ErrRetry may be tried again.
package sqlstore
