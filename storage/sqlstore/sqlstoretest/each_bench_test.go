//go:build unix

package sqlstoretest_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/storage/sqlstore/sqlstoretest"
	"github.com/workinbox/workinbox/ticket"
)

// BenchmarkEach does what an import and a desk do most on every database, side by side.
func BenchmarkEach(b *testing.B) {
	for _, d := range sqlstoretest.Dialects() {
		b.Run("commit-100/"+string(d), func(b *testing.B) {
			s := sqlstoretest.New(b, d).Store(b)
			create(b, s, "in-1")
			st := state(b, s, "in-1")
			for i := range b.N {
				var err error
				st, err = s.Commit(b.Context(), inbox.Import{State: st, Put: mails("in-1", i*pageOfMail, pageOfMail)})
				require.NoError(b, err)
			}
			b.ReportMetric(float64(b.N*pageOfMail)/b.Elapsed().Seconds(), "msg/s")
		})
		b.Run("seen-100/"+string(d), func(b *testing.B) {
			s := sqlstoretest.New(b, d).Store(b)
			create(b, s, "in-1")
			_, err := s.Commit(b.Context(), inbox.Import{State: state(b, s, "in-1"), Put: mails("in-1", 0, 2000)})
			require.NoError(b, err)
			ids := make([]provider.RemoteID, pageOfMail)
			for i := range ids {
				ids[i] = remote(i * 40)
			}
			for b.Loop() {
				seen, err := s.Seen(b.Context(), "in-1", ids)
				require.NoError(b, err)
				require.Len(b, seen, pageOfMail/2)
			}
		})
		b.Run("save-ticket/"+string(d), func(b *testing.B) {
			s := sqlstoretest.New(b, d).Store(b)
			for i := range b.N {
				_, err := s.SaveTickets(b.Context(), []ticket.Write{note(i)})
				require.NoError(b, err)
			}
		})
		b.Run("known-customers-200/"+string(d), func(b *testing.B) {
			s := sqlstoretest.New(b, d).Store(b)
			who := make([]inbox.Known, 200)
			for i := range who {
				who[i] = inbox.Known{Address: fmt.Sprintf("person.%d@client.example", i)}
			}
			n := 0
			for b.Loop() {
				_, err := s.EnsureCustomers(b.Context(), "acme", "in-1", who, day, func() string {
					n++
					return fmt.Sprintf("cu-%d", n)
				})
				require.NoError(b, err)
			}
		})
	}
}
