// Package sqlstoretest runs the store suites and what only real databases show on sqlstore, and hands
// out stores to tests. It is the one place outside the examples that imports a database driver.
package sqlstoretest
