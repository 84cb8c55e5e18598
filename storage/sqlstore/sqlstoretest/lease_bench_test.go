package sqlstoretest_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage/memory"
	"github.com/workinbox/workinbox/storage/sqlstore"
	"github.com/workinbox/workinbox/storage/sqlstore/sqlstoretest"
	"github.com/workinbox/workinbox/ticket/desk"
)

// BenchmarkLeases claims and releases what 8 owners share of 10,000 tasks, all of them due: one by
// one, and 20 at a time with each released by itself. "claims/s" counts tasks.
func BenchmarkLeases(b *testing.B) {
	stores := map[string]func(b *testing.B) desk.Leases{
		"memory": func(*testing.B) desk.Leases { return memory.New() },
	}
	names := []string{"memory"}
	for _, d := range sqlstoretest.Dialects() {
		names = append(names, string(d))
		stores[string(d)] = func(b *testing.B) desk.Leases { return sqlstoretest.New(b, d).Store(b) }
	}
	for _, name := range names {
		for _, n := range []int{1, 20} {
			b.Run(fmt.Sprintf("%s/by=%d", name, n), func(b *testing.B) { benchLeases(b, stores[name](b), n) })
		}
		b.Run(name+"/idle", func(b *testing.B) { benchIdle(b, stores[name](b)) })
	}
}

var _ desk.Leases = (*sqlstore.Store)(nil)

func benchTasks(b *testing.B, s desk.Leases) {
	var tasks []desk.Task
	for i := range 10_000 {
		tasks = append(tasks, desk.Task{Kind: desk.TaskStep, Inbox: inbox.ID(fmt.Sprintf("06em7gyj0%017d", i))})
	}
	require.NoError(b, s.Enroll(b.Context(), tasks...))
}

func benchLeases(b *testing.B, s desk.Leases, n int) {
	benchTasks(b, s)
	const owners = 8
	b.ResetTimer()
	var all sync.WaitGroup
	for i := range owners {
		all.Go(func() {
			for done := 0; done < b.N/owners+1; {
				got, err := s.Claim(b.Context(), desk.TaskStep, fmt.Sprint("owner ", i), n, time.Minute)
				if err != nil {
					b.Error(err)
					return
				}
				for _, l := range got {
					if err := s.Release(b.Context(), l, 0, 0); err != nil {
						b.Error(err)
						return
					}
				}
				done += len(got)
			}
		})
	}
	all.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "claims/s")
}

// benchIdle asks what is due when nothing is, as every process does each second.
func benchIdle(b *testing.B, s desk.Leases) {
	benchTasks(b, s)
	for {
		got, err := s.Claim(b.Context(), desk.TaskStep, "owner", 500, time.Minute)
		require.NoError(b, err)
		if len(got) == 0 {
			break
		}
		for _, l := range got {
			require.NoError(b, s.Release(b.Context(), l, time.Hour, 0))
		}
	}
	b.ResetTimer()
	for b.Loop() {
		if got, err := s.Claim(b.Context(), desk.TaskStep, "owner", 20, time.Minute); err != nil || len(got) > 0 {
			b.Fatal(got, err)
		}
	}
}
