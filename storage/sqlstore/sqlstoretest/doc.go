// Package sqlstoretest runs the store suites and what only real databases show on sqlstore, and hands
// out stores to tests: New for any database, Open for a SQLite file. Only it, the packages below
// it and the examples import database drivers.
//
// WORKINBOX_TEST_POSTGRES and WORKINBOX_TEST_MYSQL say where servers are; by default they are those
// of this machine, with a database "test" for everybody. On a server only schemas (PostgreSQL) or
// databases (MySQL) are made and dropped whose names begin with workinbox_test_. Where no server
// answers, tests are skipped and say so, unless WORKINBOX_TEST_REQUIRE ("postgres,mysql") names it:
// then they fail. WORKINBOX_BENCH_MILLION makes BenchmarkPages fill a million rows.
package sqlstoretest
