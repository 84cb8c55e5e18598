// Package sqlstore keeps inboxes, messages, clients, events, secrets and tickets in a database behind
// database/sql: inbox.Store, inbox.Vault and ticket.Store in one type. It imports no driver; the
// host opens its own *sql.DB. Raw messages lie elsewhere (storage/blob). SQLite is the dialect there
// is.
//
//	db, err := sql.Open("sqlite", sqlstore.SQLiteDSN("/var/lib/app/inbox.db")) // modernc.org/sqlite
//	err = sqlstore.Migrate(ctx, db, sqlstore.Options{})
//	store, err := sqlstore.Open(ctx, db, sqlstore.Options{})
//
// Give db about as many idle connections as it has at work (sql.DB.SetMaxIdleConns): the prepared
// statements are kept with the connections, and database/sql keeps only two by itself. One connection
// is enough to work with, though.
//
// What to know of the tables:
//
//  1. A write is one transaction. What Commit returned without an error survives a crash and, with
//     the pragmas of SQLiteDSN, a power cut.
//  2. Times are microseconds since 1970 in UTC. Texts compare as bytes.
//  3. The rows of an inbox lie together: the key of a message or a log line is the number of its
//     inbox followed by its Seq. The log's arrivals are the messages themselves.
//  4. What queries look at is a column, the rest of a value is JSON in the column doc.
//  5. Every list reads a page, closes it, and yields; the next page starts behind the last key.
//  6. SQLite has one writer at a time. Writes of one Store wait for each other in order; between
//     Stores and processes SQLite's busy timeout and a few retries stand.
package sqlstore
