//go:build unix

package sqlstoretest_test

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/storage/sqlstore"
	"github.com/workinbox/workinbox/storage/sqlstore/sqlstoretest"
	"github.com/workinbox/workinbox/ticket"
)

const pageOfMail = 100

// BenchmarkCommit stores pages of a hundred messages of 15 kB text, and next to each the same rows
// by bare prepared inserts into another file: the floor. What counts is their ratio in one run.
func BenchmarkCommit(b *testing.B) {
	path := filepath.Join(b.TempDir(), "store.db")
	s := sqlstoretest.OpenIn(b, path)
	create(b, s, "in-1")
	rows := open(b, path)
	floor := newFloor(b)
	var stored, bare spent
	for i := range b.N {
		imp := inbox.Import{State: state(b, s, "in-1"), Put: mails("in-1", i*pageOfMail, pageOfMail)}
		before := imp.State.Seq
		stored.add(func() {
			_, err := s.Commit(b.Context(), imp)
			require.NoError(b, err)
		})
		page := readPage(b, rows, before)
		bare.add(func() { floor.write(b, page) })
	}
	messages := float64(b.N * pageOfMail)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(stored.cpu.Microseconds())/messages, "cpu-µs/msg")
	b.ReportMetric(float64(bare.cpu.Microseconds())/messages, "floor-cpu-µs/msg")
	b.ReportMetric(float64(stored.cpu)/float64(bare.cpu), "cpu-ratio")
	b.ReportMetric(float64(stored.wall)/float64(bare.wall), "wall-ratio")
	b.ReportMetric(float64(stored.wall.Microseconds())/messages, "wall-µs/msg")
}

// BenchmarkCommitEmpty stores a step without mail: what one durable write costs.
func BenchmarkCommitEmpty(b *testing.B) {
	for _, mode := range []string{"FULL", "NORMAL"} {
		b.Run(mode, func(b *testing.B) {
			dsn := sqlstore.SQLiteDSN(filepath.Join(b.TempDir(), "store.db"))
			s := openDSN(b, strings.Replace(dsn, "synchronous(FULL)", "synchronous("+mode+")", 1))
			create(b, s, "in-1")
			for b.Loop() {
				_, err := s.Commit(b.Context(), inbox.Import{State: state(b, s, "in-1")})
				require.NoError(b, err)
			}
		})
	}
}

// BenchmarkSeen asks for a page of a hundred remote ids, half of them stored, in an inbox of ten
// thousand messages.
func BenchmarkSeen(b *testing.B) {
	s := filled(b, 10_000)
	ids := make([]provider.RemoteID, pageOfMail)
	for i := range ids {
		ids[i] = remote(i * 200)
	}
	b.ReportAllocs()
	for b.Loop() {
		seen, err := s.Seen(b.Context(), "in-1", ids)
		require.NoError(b, err)
		require.Len(b, seen, pageOfMail/2)
	}
}

// BenchmarkMessagesPage reads fifty messages from the middle of an inbox of ten thousand.
func BenchmarkMessagesPage(b *testing.B) {
	s := filled(b, 10_000)
	middle := mails("in-1", 5_000, 1)[0].Message
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		for _, err := range s.Messages(b.Context(), inbox.MessageQuery{Inbox: "in-1", After: middle.Key(), Limit: 50}) {
			require.NoError(b, err)
			n++
		}
		require.Equal(b, 50, n)
	}
}

// BenchmarkEnsureCustomers asks for two hundred people who are known already, as a page of mail does.
func BenchmarkEnsureCustomers(b *testing.B) {
	s := sqlstoretest.Open(b)
	who := make([]inbox.Known, 200)
	for i := range who {
		who[i] = inbox.Known{Address: fmt.Sprintf("person.%d@client-%d.example", i, i%40), Name: "A Person"}
	}
	n := 0
	ensure := func() {
		_, err := s.EnsureCustomers(b.Context(), "acme", "in-1", who, day, func() string {
			n++
			return fmt.Sprintf("cu-%d", n)
		})
		require.NoError(b, err)
	}
	ensure()
	b.ReportAllocs()
	for b.Loop() {
		ensure()
	}
	require.Equal(b, len(who), n, "customers made")
}

// BenchmarkSnapshot reads ten thousand customers, as the first page of a sync does after a change.
func BenchmarkSnapshot(b *testing.B) {
	s := sqlstoretest.Open(b)
	for first := 0; first < 10_000; first += 500 {
		who := make([]inbox.Known, 500)
		for i := range who {
			who[i] = inbox.Known{Address: fmt.Sprintf("person.%d@client-%d.example", first+i, i%40)}
		}
		n := first
		_, err := s.EnsureCustomers(b.Context(), "acme", "in-1", who, day, func() string {
			n++
			return fmt.Sprintf("cu-%d", n)
		})
		require.NoError(b, err)
	}
	b.ReportAllocs()
	for b.Loop() {
		data, _, err := s.Snapshot(b.Context(), "acme", 0)
		require.NoError(b, err)
		require.Len(b, data.Customers, 10_000)
	}
}

// BenchmarkSaveTicket writes one ticket with one entry, as every mail, note and reply does.
func BenchmarkSaveTicket(b *testing.B) {
	s := sqlstoretest.Open(b)
	var took spent
	for i := range b.N {
		w := note(i)
		took.add(func() {
			_, err := s.SaveTickets(b.Context(), []ticket.Write{w})
			require.NoError(b, err)
		})
	}
	b.ReportMetric(float64(took.cpu.Microseconds())/float64(b.N), "cpu-µs/op")
}

// spent sums up what calls took.
type spent struct{ wall, cpu time.Duration }

func (s *spent) add(f func()) {
	cpu, wall := processor(), time.Now()
	f()
	s.cpu += processor() - cpu
	s.wall += time.Since(wall)
}

// processor is the processor time of this process.
func processor() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// floor writes rows that are given, with statements prepared once.
type floor struct {
	db                     *sql.DB
	message, content, sync *sql.Stmt
}

func newFloor(b *testing.B) *floor {
	path := filepath.Join(b.TempDir(), "floor.db")
	create(b, sqlstoretest.OpenIn(b, path), "in-1")
	f := &floor{db: open(b, path)}
	prepare := func(text string) *sql.Stmt {
		statement, err := f.db.PrepareContext(b.Context(), text)
		require.NoError(b, err)
		return statement
	}
	f.message = prepare("INSERT INTO workinbox_messages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
	f.content = prepare("INSERT INTO workinbox_contents VALUES (?, ?, ?, ?)")
	f.sync = prepare("UPDATE workinbox_syncs SET version = version + 1, seq = seq + ?")
	return f
}

func (f *floor) write(b *testing.B, p pageRows) {
	ctx := context.Background()
	tx, err := f.db.BeginTx(ctx, nil)
	require.NoError(b, err)
	message, content := tx.StmtContext(ctx, f.message), tx.StmtContext(ctx, f.content)
	for i := range p.messages {
		if _, err := message.ExecContext(ctx, p.messages[i]...); err != nil {
			b.Fatal(err)
		}
		if _, err := content.ExecContext(ctx, p.contents[i]...); err != nil {
			b.Fatal(err)
		}
	}
	_, err = tx.StmtContext(ctx, f.sync).ExecContext(ctx, len(p.messages))
	require.NoError(b, err)
	require.NoError(b, tx.Commit())
}

// pageRows are rows as they lie in the tables.
type pageRows struct{ messages, contents [][]any }

func readPage(b *testing.B, db *sql.DB, after uint64) pageRows {
	const first = 1 << 36
	return pageRows{
		messages: readRows(b, db, "SELECT * FROM workinbox_messages WHERE pk > ?", first+after),
		contents: readRows(b, db, "SELECT * FROM workinbox_contents WHERE pk > ?", first+after),
	}
}
