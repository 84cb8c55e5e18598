package ticket_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider/fake"
)

// Collecting an import, newest first as it comes in. ns/mail should not grow with the number of mails.
func BenchmarkCollect(b *testing.B) {
	for _, threads := range []int{300, 3000} {
		b.Run(fmt.Sprintf("%d threads", threads), func(b *testing.B) {
			var all []inbox.Message
			for n := range threads {
				all = append(all, talk(newRand(uint64(n)), n, true, false)...)
			}
			slices.SortFunc(all, byReceived)
			slices.Reverse(all)
			for b.Loop() {
				b.StopTimer()
				w := newWorld(b, fake.Options{})
				w.open(false)
				w.put(all...)
				b.StartTimer()
				got, err := w.svc.Collect(b.Context(), w.in.ID)
				require.NoError(b, err)
				require.Equal(b, threads, got.Opened)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(all)), "ns/mail")
		})
	}
}
