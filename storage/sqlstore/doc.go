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
//     MySQL; PostgreSQL takes no zero byte in a text and none of its indexed ones beyond 2 KiB. What
//     mail itself brings may have any length. An id that is not UTF-8, or has a zero byte there, finds
//     nothing, and to write it is an error.
//
// Searches find the same on all databases, whole words, words in a row and prefixes, because words come
// in their final form (ticket.Text), and what a write stores or takes out, the search knows in the
// same step:
//
//   - SQLite has them in a table of FTS5, which the driver must have (modernc.org/sqlite has;
//     github.com/mattn/go-sqlite3 wants the build tag sqlite_fts5). What is purged is taken out of the
//     index itself (secure-delete), and overwritten with the pragmas of SQLiteDSN.
//   - PostgreSQL has them in a tsvector with a GIN index. It knows 256 places of a word in one mail:
//     of a phrase with a word that is there more often, the later places are not found, nor does a
//     minus before it leave the mail out by them. As with all
//     that is deleted there, the words of a purged mail lie in dead rows until the next vacuum, and
//     each word stays in the index as such, with no mail.
//   - MySQL and MariaDB have them in a plain table by site and word, not in FULLTEXT, which leaves
//     out short and common words, keeps those of deleted mail until OPTIMIZE TABLE, and shows a
//     transaction nothing of its own. It takes about a hundred small rows for each mail.
//
// What a failed write left is said by its error: ErrAmbiguous when nobody knows, else nothing is
// stored. What matches ErrRetry may be tried again.
package sqlstore
