//go:build unix

package gmailimport_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/provider/gmail/gmailtest"
	"github.com/workinbox/workinbox/provider/mailgen"
	"github.com/workinbox/workinbox/storage/sqlstore/sqlstoretest/importtest"
)

// BenchmarkGmailFarAway imports over HTTP from a server that answers each call after 80 ms, ten at a
// time and without a quota: latency allows 125 messages a second. The time counts from Sync to its
// end, with the calls of the lists and of the history in it.
func BenchmarkGmailFarAway(b *testing.B) {
	const latency = 80 * time.Millisecond
	messages := importtest.EnvInt("WORKINBOX_BENCH_MESSAGES", 2000)
	mail, err := mailgen.New(mailgen.Config{Seed: 2, Messages: messages})
	require.NoError(b, err)
	s := gmailtest.New(b, gmailtest.Config{Limits: gmailtest.Unlimited()})
	deliverMail(s, mail)
	var share, rate float64
	for range b.N {
		j := job{Endpoints: endpoints(s)}
		p, err := j.provider(nil)
		require.NoError(b, err)
		i, id, err := importtest.Connect(b.Context(), b.TempDir(), mail.Config().End, importtest.Parts{Provider: p},
			filter.Rules{Mode: filter.All}, nil)
		require.NoError(b, err)
		far := s.Fail(gmailtest.Fault{Times: -1, Delay: latency})
		start := time.Now()
		run, err := i.Service.Sync(b.Context(), id)
		took := time.Since(start)
		require.NoError(b, err)
		require.Equal(b, mail.Len(), run.Stored)
		far.Remove()
		require.NoError(b, i.Close())
		one := float64(messages) / took.Seconds()
		rate += one
		share += one / (inFlight / latency.Seconds())
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(rate/float64(b.N), "msg/s")
	b.ReportMetric(share/float64(b.N), "of-possible")
}

// BenchmarkGmail imports over HTTP from a server that answers at once, and beside it the same mail
// from an mbox. The server is a process of its own, so that what is counted here is the import alone;
// both share the machine all the same. Run it with -benchtime 5x: the ratio reported is the median.
func BenchmarkGmail(b *testing.B) {
	c := mailgen.Config{Seed: 1, Messages: importtest.EnvInt("WORKINBOX_BENCH_MESSAGES", 5000)}
	path, mail := importtest.WriteMail(b, c)
	j := job{Endpoints: serve(b, c)}
	rules := filter.Rules{Mode: filter.All}
	var remote, archive importtest.Spent
	var ratios []float64
	b.ResetTimer()
	for range b.N {
		p, err := j.provider(nil)
		require.NoError(b, err)
		parts := importtest.Parts{Provider: p}
		i, id, err := importtest.Connect(b.Context(), b.TempDir(), mail.Config().End, parts, rules, mail.Config().Clients)
		require.NoError(b, err)
		var here, there importtest.Spent
		there.Add(func() {
			run, err := i.Service.Sync(b.Context(), id)
			require.NoError(b, err)
			require.Equal(b, mail.Len(), run.Stored)
		})
		require.NoError(b, i.Close())

		parts.Provider = importtest.Archive(path, mail)
		i, err = importtest.Open(b.Context(), b.TempDir(), mail.Config().End, parts)
		require.NoError(b, err)
		id, err = i.Inbox(b.Context(), rules, mail.Config().Clients)
		require.NoError(b, err)
		here.Add(func() {
			run, err := i.Service.Sync(b.Context(), id)
			require.NoError(b, err)
			require.Equal(b, mail.Len(), run.Stored)
		})
		require.NoError(b, i.Close())
		remote.CPU, remote.Wall = remote.CPU+there.CPU, remote.Wall+there.Wall
		archive.CPU, archive.Wall = archive.CPU+here.CPU, archive.Wall+here.Wall
		ratios = append(ratios, float64(there.CPU)/float64(here.CPU))
	}
	slices.Sort(ratios)
	n := float64(b.N * mail.Len())
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(n/remote.Wall.Seconds(), "msg/s")
	b.ReportMetric(remote.CPU.Seconds()*1000/n, "cpu-ms/msg")
	b.ReportMetric(archive.CPU.Seconds()*1000/n, "archive-cpu-ms/msg")
	b.ReportMetric(ratios[len(ratios)/2], "cpu-ratio")
	b.ReportMetric(n/archive.Wall.Seconds(), "archive-msg/s")
}
