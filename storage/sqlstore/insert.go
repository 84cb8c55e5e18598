package sqlstore

import "strings"

// How much one INSERT may carry: rows for the server's parser, bytes for its limit on a packet (16 MiB
// by default at MariaDB) and for our own memory.
const (
	maxRows  = 128
	maxBytes = 1 << 20
)

// insert adds rows to a table, many in one statement where the database gains by that. Columns may
// be empty for all in their order; tail stands behind the values.
func (x *session) insert(table, columns string, rows [][]any, tail string) error {
	if len(rows) == 0 {
		return nil
	}
	if columns != "" {
		columns = " (" + columns + ")"
	}
	head := "INSERT INTO {" + table + "}" + columns + " VALUES "
	one := marks(len(rows[0]))
	for len(rows) > 0 {
		n := batch(rows, x.dialect.rows)
		if n == 1 {
			if _, err := x.exec(head+one+tail, rows[0]...); err != nil {
				return err
			}
			rows = rows[1:]
			continue
		}
		args := make([]any, 0, n*len(rows[0]))
		for _, row := range rows[:n] {
			args = append(args, row...)
		}
		if _, err := x.exec(head+one+strings.Repeat(","+one, n-1)+tail, args...); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

// batch is how many of the rows go into the next statement: a power of two, so that there are few
// texts to prepare.
func batch(rows [][]any, most int) int {
	fit, size := 0, 0
	for fit < min(len(rows), most) {
		for _, v := range rows[fit] {
			if text, ok := v.(string); ok {
				size += len(text)
			}
		}
		if fit++; size > maxBytes {
			fit--
			break
		}
	}
	n := 1
	for 2*n <= fit {
		n *= 2
	}
	return n
}

// lastOf leaves out rows whose key comes again later: one statement may change a row only once.
func lastOf[T any, K comparable](rows []T, key func(*T) K) []T {
	if len(rows) < 2 {
		return rows
	}
	at := make(map[K]int, len(rows))
	for i := range rows {
		at[key(&rows[i])] = i
	}
	if len(at) == len(rows) {
		return rows
	}
	kept := make([]T, 0, len(at))
	for i := range rows {
		if at[key(&rows[i])] == i {
			kept = append(kept, rows[i])
		}
	}
	return kept
}
