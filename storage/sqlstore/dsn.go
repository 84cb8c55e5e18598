package sqlstore

import "net/url"

// SQLiteDSN returns the data source name of a SQLite file for the driver modernc.org/sqlite:
//
//   - synchronous=FULL: a write that returned survives a power cut. NORMAL would save one fsync per
//     write and may lose the last writes then, a note or a sent reply among them, though it never
//     damages the file.
//   - transactions take the write lock when they begin, so that none fails half way.
//   - secure_delete: what is erased or purged is overwritten in the file, not only let go of.
//   - ten seconds of waiting for another process that writes.
//   - a page cache of 512 KiB for each connection instead of SQLite's 2 MiB, since the system caches
//     the file anyway: an import holds 8 MiB less, for five more calls to the system per mail, which
//     is some 2 % of its processor time. A host may append "&_pragma=cache_size(-8000)": the last one
//     counts.
//
// WAL is no part of it: Migrate switches it on, once, and the file keeps it. The path is taken as it
// is, whatever bytes it has.
func SQLiteDSN(path string) string {
	file := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath()}
	file.RawQuery = "_pragma=busy_timeout(10000)&_pragma=synchronous(FULL)" +
		"&_pragma=foreign_keys(1)&_pragma=secure_delete(1)&_pragma=cache_size(-512)&_txlock=immediate"
	return file.String()
}
