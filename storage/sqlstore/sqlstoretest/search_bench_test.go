package sqlstoretest_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage/sqlstore"
	"github.com/workinbox/workinbox/storage/sqlstore/sqlstoretest"
	"github.com/workinbox/workinbox/ticket"
)

// BenchmarkSearch finds the first twenty of 100,000 mails of about a hundred words each, in tickets of
// four mails and one of two hundred, and reads what a desk reads most beside it: a page of the list,
// the long thread, the counts of all views. Words are as rare as those of a language: the n-th is in
// one place of n.
func BenchmarkSearch(b *testing.B) {
	const mails = 100_000
	for _, d := range sqlstoretest.Dialects() {
		b.Run(string(d), func(b *testing.B) {
			on := sqlstoretest.New(b, d)
			s := on.Store(b)
			start := time.Now()
			fillSearch(b, s, mails)
			b.Logf("%s: %d mails saved in %v", d, mails, time.Since(start).Round(time.Second))
			if d == sqlstore.Postgres { // as its autovacuum does in time
				_, err := on.Connect(b).ExecContext(b.Context(), "VACUUM ANALYZE "+on.Table("search")+", "+on.Table("tickets")+", "+on.Table("entries"))
				require.NoError(b, err)
			}
			site := ticket.Query{Site: "acme", Inboxes: []inbox.ID{"in-0", "in-1", "in-2", "in-3", "in-4"}}
			small := ticket.Query{Site: "acme", Inboxes: []inbox.ID{"in-small"}}
			r := rand.New(rand.NewPCG(3, 5))
			rare := func() string { return word(500 + r.IntN(4000)) }
			common := func() string { return word(r.IntN(10)) }
			for _, c := range []struct {
				name  string
				q     ticket.Query
				terms func() []ticket.Term
			}{
				{"rare-word", site, func() []ticket.Term { return []ticket.Term{{Words: []string{rare()}}} }},
				{"common-word", site, func() []ticket.Term { return []ticket.Term{{Words: []string{common()}}} }},
				{"two-words", site, func() []ticket.Term {
					return []ticket.Term{{Words: []string{common()}}, {Words: []string{rare()}}}
				}},
				{"phrase", site, func() []ticket.Term { return []ticket.Term{{Words: []string{word(r.IntN(50)), word(r.IntN(50))}}} }},
				{"prefix", site, func() []ticket.Term { return []ticket.Term{{Words: []string{rare()[:3]}, Prefix: true}} }},
				{"without", site, func() []ticket.Term {
					n := r.IntN(10)
					return []ticket.Term{{Words: []string{word(n)}}, {Words: []string{word((n + 1 + r.IntN(9)) % 10)}, Not: true}}
				}},
				{"small-inbox", small, func() []ticket.Term { return []ticket.Term{{Words: []string{common()}}} }},
				{"not-there", site, func() []ticket.Term { return []ticket.Term{{Words: []string{common()}}, {Words: []string{"nowhere"}}} }},
			} {
				for rank, fields := range map[string]ticket.Fields{"": 0, "-in-subject": ticket.InSubject} {
					b.Run(c.name+rank, func(b *testing.B) {
						timeEach(b, func() {
							count(b, s.Matches(b.Context(), ticket.MatchQuery{Tickets: c.q, Terms: c.terms(), Fields: fields, Limit: 20}))
						})
					})
				}
			}
			b.Run("list-page", func(b *testing.B) {
				q := site
				q.Limit = 50
				timeEach(b, func() { require.Equal(b, 50, count(b, s.Tickets(b.Context(), q))) })
			})
			b.Run("thread-of-200", func(b *testing.B) {
				timeEach(b, func() {
					require.Equal(b, 200, count(b, s.Entries(b.Context(), ticket.EntryQuery{Ticket: "long"})))
				})
			})
			b.Run("counts", func(b *testing.B) {
				timeEach(b, func() {
					_, err := s.CountTickets(b.Context(), site, "ann")
					require.NoError(b, err)
				})
			})
		})
	}
}

func timeEach(b *testing.B, f func()) {
	var took []time.Duration
	for range 10 {
		f() // prepares statements
	}
	for b.Loop() {
		start := time.Now()
		f()
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
}

// word is the n-th word of a language that has no meaning.
func word(n int) string {
	const letters = "etaoinshrdlucmfw"
	text := ""
	for n += 256; n > 0; n /= len(letters) {
		text += string(letters[n%len(letters)])
	}
	return text
}

// someText draws words by Zipf's law.
func someText(r *rand.Rand, n int) []string {
	words := make([]string, n)
	for i := range words {
		words[i] = word(int(math.Pow(20_000, r.Float64())) - 1)
	}
	return words
}

func fillSearch(b *testing.B, s *sqlstore.Store, mails int) {
	b.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	var writes []ticket.Write
	save := func() {
		_, err := s.SaveTickets(b.Context(), writes)
		require.NoError(b, err)
		writes = nil
	}
	add := func(id ticket.ID, in inbox.ID, first, n int) {
		if writes = append(writes, mailWrite(r, id, in, first, n)); len(writes) == ticket.MaxWrites {
			save()
		}
	}
	add("long", "in-0", mails/2, 200)
	for i := 0; i < 40; i += 4 {
		add(ticket.ID(fmt.Sprint("small-", i)), "in-small", i*mails/40, 4)
	}
	for i := 240; i < mails; i += 4 {
		add(ticket.ID(fmt.Sprint("t-", i)), inbox.ID(fmt.Sprint("in-", i%5)), i, 4)
	}
	save()
}

// mailWrite is a ticket of n mails of about a hundred words each, the first one of minute first.
func mailWrite(r *rand.Rand, id ticket.ID, in inbox.ID, first, n int) ticket.Write {
	w := ticket.Write{Ticket: ticket.Ticket{ID: id, Site: "acme", Inbox: in, Status: ticket.Active, Messages: n, Shown: n,
		Activity: day.Add(time.Duration(first+n) * time.Minute)}}
	for i := range n {
		e := ticket.Entry{ID: ticket.EntryID(fmt.Sprintf("%s-%d", id, i)), Ticket: id, Inbox: in, Kind: ticket.EntryReceived,
			At: day.Add(time.Duration(first+i) * time.Minute), Message: inbox.MessageID(fmt.Sprintf("m-%s-%d", id, i))}
		t := ticket.Text{Entry: e.ID}
		t.Words = [ticket.FieldCount][]string{someText(r, 6), someText(r, 8), nil, someText(r, 60), someText(r, 30)}
		w.Entries, w.Texts = append(w.Entries, e), append(w.Texts, t)
	}
	return w
}

// BenchmarkSaveTexts saves sixteen tickets of four new mails each, with the words they are found by and
// without: what a Collect pays for the search.
func BenchmarkSaveTexts(b *testing.B) {
	for _, d := range sqlstoretest.Dialects() {
		for _, with := range []bool{false, true} {
			b.Run(fmt.Sprintf("%s/words=%t", d, with), func(b *testing.B) {
				s := sqlstoretest.New(b, d).Store(b)
				r := rand.New(rand.NewPCG(1, 2))
				n := 0
				for b.Loop() {
					b.StopTimer()
					var w []ticket.Write
					for range ticket.MaxWrites {
						x := mailWrite(r, ticket.ID(fmt.Sprint("t-", n)), "in-1", n*4, 4)
						if !with {
							x.Texts = nil
						}
						w, n = append(w, x), n+1
					}
					b.StartTimer()
					_, err := s.SaveTickets(b.Context(), w)
					require.NoError(b, err)
				}
				b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(4*n), "µs/mail")
			})
		}
	}
}
