package importtest_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/provider/mailgen"
	"github.com/workinbox/workinbox/storage/sqlstore/sqlstoretest/importtest"
)

// BenchmarkImportFarAway imports from a mailbox that answers each call after 80 ms, ten at a time:
// latency allows 125 messages a second, and fetching has to overlap storing to come near.
func BenchmarkImportFarAway(b *testing.B) {
	const messages, latency, inFlight = 1000, 80 * time.Millisecond, 10
	var share float64
	for range b.N {
		mail, err := mailgen.New(mailgen.Config{Seed: 2, Messages: messages})
		require.NoError(b, err)
		far := fake.New(fake.Options{PageSize: 100, Now: func() time.Time { return mail.Config().End }})
		account := far.Account(mail.Config().Owner)
		for m := range mail.Oldest() {
			account.Deliver(m.Raw, fake.Delivery{Received: m.Received, Sent: m.Outbound})
		}
		account.Latency(latency)
		parts := importtest.Parts{Provider: far, InFlight: inFlight, Me: account.Address()}
		i, err := importtest.Open(b.Context(), b.TempDir(), mail.Config().End, parts)
		require.NoError(b, err)
		id, err := i.Inbox(b.Context(), filter.Rules{Mode: filter.All}, nil)
		require.NoError(b, err)
		start := time.Now()
		run, err := i.Service.Sync(b.Context(), id)
		require.NoError(b, err)
		require.Equal(b, messages, run.Stored)
		rate := messages / time.Since(start).Seconds()
		share += rate / (inFlight / latency.Seconds())
		require.NoError(b, i.Close())
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(share/float64(b.N), "of-possible")
}

// BenchmarkSyncNothingNew is what looking at an idle mailbox costs.
func BenchmarkSyncNothingNew(b *testing.B) {
	mail, err := mailgen.New(mailgen.Config{Seed: 3, Messages: 100})
	require.NoError(b, err)
	near := fake.New(fake.Options{Now: func() time.Time { return mail.Config().End }})
	account := near.Account(mail.Config().Owner)
	for m := range mail.Oldest() {
		account.Deliver(m.Raw, fake.Delivery{Received: m.Received, Sent: m.Outbound})
	}
	parts := importtest.Parts{Provider: near, Me: account.Address()}
	i, err := importtest.Open(b.Context(), b.TempDir(), mail.Config().End, parts)
	require.NoError(b, err)
	defer i.Close()
	id, err := i.Inbox(b.Context(), filter.Rules{Mode: filter.All}, nil)
	require.NoError(b, err)
	_, err = i.Service.Sync(b.Context(), id)
	require.NoError(b, err)
	account.ForgetCalls()
	b.ResetTimer()
	for range b.N {
		_, err := i.Service.Sync(b.Context(), id)
		require.NoError(b, err)
	}
	b.ReportMetric(float64(account.TotalCalls())/float64(b.N), "calls/op")
}
