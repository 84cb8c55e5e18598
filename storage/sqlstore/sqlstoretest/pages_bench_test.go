package sqlstoretest_test

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage/sqlstore"
	"github.com/workinbox/workinbox/storage/sqlstore/sqlstoretest"
	"github.com/workinbox/workinbox/ticket"
)

// BenchmarkPages reads pages of fifty from random places of an inbox and a site of 10,000 and 100,000
// rows, and of a million where WORKINBOX_BENCH_MILLION is set. A list is flat when the figures of the
// sizes are alike; growth is that of the middle one over the smallest size.
func BenchmarkPages(b *testing.B) {
	sizes := []int{10_000, 100_000}
	if os.Getenv("WORKINBOX_BENCH_MILLION") != "" {
		sizes = append(sizes, 1_000_000)
	}
	for _, d := range sqlstoretest.Dialects() {
		b.Run(string(d), func(b *testing.B) {
			smallest := make(map[string]time.Duration)
			for _, size := range sizes {
				on := sqlstoretest.New(b, d)
				s := on.Store(b)
				create(b, s, "in-1")
				fillPages(b, on, s, size)
				for _, l := range pageLists(s, size) {
					b.Run(fmt.Sprintf("%s/%d", l.name, size), func(b *testing.B) {
						middle := timePages(b, size, l.page)
						if size == sizes[0] {
							smallest[l.name] = middle
						}
						b.ReportMetric(float64(middle)/float64(smallest[l.name]), "growth")
					})
				}
			}
		})
	}
}

// pageList reads a page behind row n of a list, and says how long it is.
type pageList struct {
	name string
	page func(b *testing.B, n int) int
}

func pageLists(s *sqlstore.Store, size int) []pageList {
	at := func(n int) time.Time { return day.Add(time.Duration(n) * time.Minute) }
	messages := func(q inbox.MessageQuery) func(*testing.B, int) int {
		return func(b *testing.B, n int) int {
			q.Inbox, q.Limit = "in-1", 50
			q.After = &inbox.MessageKey{Received: at(n), ID: inbox.MessageID(fmt.Sprintf("m%d", n))}
			return count(b, s.Messages(b.Context(), q))
		}
	}
	tickets := func(q ticket.Query) func(*testing.B, int) int {
		return func(b *testing.B, n int) int {
			q.Site, q.Limit, q.HiddenIn = "acme", 50, q.Inboxes
			q.After = &ticket.Key{Activity: at(n), ID: ticket.ID(fmt.Sprintf("t%d", n))}
			return count(b, s.Tickets(b.Context(), q))
		}
	}
	return []pageList{
		{"messages", messages(inbox.MessageQuery{})},
		{"messages-of-customer", messages(inbox.MessageQuery{Customer: "cu-7"})},
		{"tickets", tickets(ticket.Query{})},
		{"tickets-of-inboxes", tickets(ticket.Query{Inboxes: []inbox.ID{"in-1", "in-2", "in-3"}})},
		{"tickets-of-assignee", tickets(ticket.Query{Assignee: "p7"})},
	}
}

func count[T any](b *testing.B, seq iter.Seq2[T, error]) (n int) {
	for _, err := range seq {
		require.NoError(b, err)
		n++
	}
	return n
}

// timePages reports the times of pages of one size, and returns that of the middle one.
func timePages(b *testing.B, size int, page func(b *testing.B, n int) int) time.Duration {
	r := rand.New(rand.NewPCG(1, uint64(size)))
	var took []time.Duration
	// The first ones prepare statements and fill caches.
	for range 20 {
		page(b, size/2+r.IntN(size/2))
	}
	for b.Loop() {
		n := size/2 + r.IntN(size/2)
		start := time.Now()
		got := page(b, n)
		took = append(took, time.Since(start))
		require.Equal(b, 50, got, "length of a page")
	}
	slices.Sort(took)
	middle := took[len(took)/2]
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(middle.Microseconds()), "p50-µs")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
	return middle
}

// fillPages copies one message and one ticket many times, by statements of the database.
func fillPages(b *testing.B, on *sqlstoretest.Database, s *sqlstore.Store, size int) {
	b.Helper()
	_, err := s.Commit(b.Context(), inbox.Import{State: state(b, s, "in-1"), Put: mails("in-1", 0, 1)})
	require.NoError(b, err)
	_, err = s.SaveTickets(b.Context(), []ticket.Write{note(0)})
	require.NoError(b, err)
	conn, err := on.Connect(b).Conn(b.Context()) // whose settings no store sees
	require.NoError(b, err)
	defer conn.Close()
	if on.Options.Dialect == sqlstore.MySQL {
		for _, text := range []string{"SET SESSION sql_mode = 'PIPES_AS_CONCAT'", "SET SESSION max_recursive_iterations = 2000000"} {
			_, err := conn.ExecContext(b.Context(), text)
			require.NoError(b, err)
		}
	}
	var message, first int64 // what is copied, by its key: MariaDB looks for it once for each copy
	require.NoError(b, conn.QueryRowContext(b.Context(), "SELECT pk FROM "+on.Table("messages")).Scan(&message))
	require.NoError(b, conn.QueryRowContext(b.Context(), "SELECT pk FROM "+on.Table("tickets")).Scan(&first))
	const step = 50_000 // rows in one transaction
	for from := 1; from <= size; from += step {
		numbers := fmt.Sprintf("WITH RECURSIVE n(n) AS (SELECT %d UNION ALL SELECT n + 1 FROM n WHERE n < %d)",
			from, min(from+step-1, size))
		for into, row := range map[string]string{
			on.Table("messages"): fmt.Sprintf("SELECT m.pk + n, 'm' || n, m.inbox, 'r' || n, 't' || (n %% %d), %d + n * (3000000000 / 50), "+
				"0, 0, m.stored, 'i' || n, NULL, 'cu-' || (n %% 100), m.company, m.folder, m.doc FROM n, %s m "+
				"WHERE m.pk = %d", size/3, day.UnixMicro(), on.Table("messages"), message),
			on.Table("tickets") + " (pk, id, site, inbox, number, activity, trash, hidden, imported, status, assignee, " +
				"customer, company, tags, version, doc, created, heard, priority, type, source)": fmt.Sprintf("SELECT t.pk + n, 't' || n, t.site, 'in-' || (n %% 10), n + 1, %d + n * (3000000000 / 50), 0, "+
				"0, 0, t.status, 'p' || (n %% 100), 'c' || (n %% 200), 'co', t.tags, 1, t.doc, "+
				"t.created, t.heard, t.priority, t.type, t.source FROM n, %s t "+
				"WHERE t.pk = %d", day.UnixMicro(), on.Table("tickets"), first),
		} {
			text := numbers + " INSERT INTO " + into + " " + row
			if on.Options.Dialect == sqlstore.MySQL {
				text = "INSERT INTO " + into + " " + numbers + " " + row
			}
			_, err := conn.ExecContext(b.Context(), text)
			require.NoError(b, err, text)
		}
	}
	if on.Options.Dialect == sqlstore.Postgres { // as its autovacuum does in time
		_, err := conn.ExecContext(b.Context(), "VACUUM ANALYZE "+on.Table("messages")+", "+on.Table("tickets"))
		require.NoError(b, err)
	}
}
