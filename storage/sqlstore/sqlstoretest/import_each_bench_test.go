//go:build unix

package sqlstoretest_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider/mailgen"
	"github.com/workinbox/workinbox/storage/memory"
	"github.com/workinbox/workinbox/storage/sqlstore/sqlstoretest"
	"github.com/workinbox/workinbox/storage/sqlstore/sqlstoretest/importtest"
)

// BenchmarkImportEach imports 5,000 generated messages from an mbox into blobs on disk and, side by side,
// into memory and every database. The processor time is that of this process: a server's own is not in
// it. What counts are the ratios to SQLite in one run.
func BenchmarkImportEach(b *testing.B) {
	path, mail := importtest.WriteMail(b, mailgen.Config{Seed: 1, Messages: 5_000})
	stores := []struct {
		name string
		open func(b *testing.B) inbox.Store
	}{{"memory", func(*testing.B) inbox.Store { return memory.New() }}}
	for _, d := range sqlstoretest.Dialects() {
		stores = append(stores, struct {
			name string
			open func(b *testing.B) inbox.Store
		}{string(d), func(b *testing.B) inbox.Store { return sqlstoretest.New(b, d).Store(b) }})
	}
	took := make(map[string]spent)
	for range b.N {
		for _, s := range stores {
			parts := importtest.Parts{
				Provider: importtest.Archive(path, mail),
				Store:    func(inbox.Store) inbox.Store { return s.open(b) },
			}
			i, err := importtest.Open(b.Context(), b.TempDir(), mail.Config().End, parts)
			require.NoError(b, err)
			id, err := i.Inbox(b.Context(), filter.Rules{Mode: filter.All}, mail.Config().Clients)
			require.NoError(b, err)
			sum := took[s.name]
			sum.add(func() {
				run, err := i.Service.Sync(b.Context(), id)
				require.NoError(b, err)
				require.Equal(b, mail.Len(), run.Stored)
			})
			took[s.name] = sum
			require.NoError(b, i.Close())
		}
	}
	b.ReportMetric(0, "ns/op")
	lite := took["sqlite"]
	for _, s := range stores {
		one := took[s.name]
		b.ReportMetric(float64(b.N*mail.Len())/one.wall.Seconds(), s.name+"-msg/s")
		b.ReportMetric(float64(one.wall)/float64(lite.wall), s.name+"-wall/sqlite")
		b.ReportMetric(float64(one.cpu)/float64(lite.cpu), s.name+"-cpu/sqlite")
	}
}
