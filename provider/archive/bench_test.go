//go:build unix

package archive_test

import (
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/archive"
	"github.com/workinbox/workinbox/provider/mailgen"
)

// messages is how many messages the benchmarks read; the environment can ask for more.
func messages(b *testing.B) int {
	n, err := strconv.Atoi(os.Getenv("ARCHIVE_MESSAGES"))
	if err != nil {
		return 2000
	}
	return n
}

// processor is the processor time this process has used: the clock of the wall says more about what
// else the machine does.
func processor(b *testing.B) time.Duration {
	var use syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &use))
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}

func write15kB(b *testing.B, maildir bool) string {
	b.Helper()
	g, err := mailgen.New(mailgen.Config{Seed: 1, Messages: messages(b)})
	require.NoError(b, err)
	dir := filepath.Join(b.TempDir(), "mail")
	if maildir {
		require.NoError(b, g.WriteMaildir(dir))
		return dir
	}
	f, err := os.Create(dir)
	require.NoError(b, err)
	require.NoError(b, g.WriteMbox(f))
	require.NoError(b, f.Close())
	return dir
}

// BenchmarkImport does what an import does: index, all headers, all raw messages.
func BenchmarkImport(b *testing.B) {
	for name, maildir := range map[string]bool{"mbox": false, "maildir": true} {
		b.Run(name, func(b *testing.B) {
			path := write15kB(b, maildir)
			n, size := 0, int64(0)
			before := processor(b)
			for b.Loop() {
				m, all := openAll(b, path)
				for _, h := range all {
					r, err := m.Open(b.Context(), h.ID)
					require.NoError(b, err)
					k, err := io.Copy(io.Discard, r)
					require.NoError(b, err)
					require.NoError(b, r.Close())
					size += k
				}
				n += len(all)
			}
			b.ReportMetric(float64(processor(b)-before)/1e3/float64(n), "cpu-µs/message")
			b.ReportMetric(float64(size)/float64(n), "bytes/message")
		})
	}
}

// BenchmarkIndex is the first look alone, and what stays in memory of it.
func BenchmarkIndex(b *testing.B) {
	for name, maildir := range map[string]bool{"mbox": false, "maildir": true} {
		b.Run(name, func(b *testing.B) {
			path := write15kB(b, maildir)
			var before, after runtime.MemStats
			n := 0
			start := processor(b)
			var last *archive.Archive
			for b.Loop() {
				runtime.GC()
				runtime.ReadMemStats(&before)
				last = archive.New(path, archive.Options{})
				count, _ := provider.As[provider.Counter](mailbox(b, last))
				k, err := count.Count(b.Context(), provider.Walk{})
				require.NoError(b, err)
				n += k
			}
			b.ReportMetric(float64(processor(b)-start)/1e3/float64(n), "cpu-µs/message")
			runtime.GC()
			runtime.ReadMemStats(&after)
			b.ReportMetric((float64(after.HeapAlloc)-float64(before.HeapAlloc))/float64(messages(b)),
				"kept-B/message")
			runtime.KeepAlive(last)
		})
	}
}
