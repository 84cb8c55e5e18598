//go:build unix

package sqlstoretest_test

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/provider/mailgen"
)

// BenchmarkImport imports 20,000 generated messages from an mbox into SQLite and blobs on disk, and
// next to it does the floor's work on the same mail: read, hash, compress and keep each message, and
// insert the same rows with prepared statements and the same durability. Run it with -benchtime 5x:
// the ratio reported is the median.
func BenchmarkImport(b *testing.B) {
	path, mail := writeMail(b, mailgen.Config{Seed: 1, Messages: 20_000})
	var ratios []float64
	var imported, bare spent
	for range b.N {
		dir := b.TempDir()
		i, err := openImporter(b.Context(), dir, mail.Config().End, hostParts{provider: archiveOf(path, mail)})
		require.NoError(b, err)
		id, err := i.inbox(b.Context(), filter.Rules{Mode: filter.All}, mail.Config().Clients)
		require.NoError(b, err)
		var one spent
		one.add(func() {
			run, err := i.svc.Sync(b.Context(), id)
			require.NoError(b, err)
			require.Equal(b, mail.Len(), run.Stored)
		})
		page := readPage(b, i.db, 0)
		i.close()
		var base spent
		base.add(func() { importFloor(b, path, page) })
		imported.cpu, imported.wall = imported.cpu+one.cpu, imported.wall+one.wall
		bare.cpu, bare.wall = bare.cpu+base.cpu, bare.wall+base.wall
		ratios = append(ratios, float64(one.cpu)/float64(base.cpu))
	}
	slices.Sort(ratios)
	n := float64(b.N * mail.Len())
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(ratios[len(ratios)/2], "cpu-ratio")
	b.ReportMetric(imported.cpu.Seconds()*1000/n, "cpu-ms/msg")
	b.ReportMetric(bare.cpu.Seconds()*1000/n, "floor-cpu-ms/msg")
	b.ReportMetric(n/imported.wall.Seconds(), "msg/s")
}

// importFloor does the least an import of this mail into these rows can do.
func importFloor(b *testing.B, path string, rows pageRows) {
	dir := b.TempDir()
	folder, err := os.Open(dir)
	require.NoError(b, err)
	defer folder.Close()
	f, err := os.Open(path)
	require.NoError(b, err)
	defer f.Close()
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
	require.NoError(b, err)
	floor := newFloor(b)
	mails := bufio.NewReaderSize(f, 1<<20)
	var raw, packed []byte
	for at := 0; at < len(rows.messages); at += pageOfMail {
		to := min(at+pageOfMail, len(rows.messages))
		for n := at; n < to; n++ {
			raw = nextMail(mails, raw[:0])
			key := sha256.Sum256(raw)
			packed = enc.EncodeAll(raw, packed[:0])
			require.NoError(b, os.WriteFile(filepath.Join(dir, fmt.Sprintf("%x-%d", key, n)), packed, 0o600))
		}
		require.NoError(b, unix.Syncfs(int(folder.Fd())))
		floor.write(b, pageRows{messages: rows.messages[at:to], contents: rows.contents[at:to]})
	}
}

// nextMail appends the next message of an mbox to buf.
func nextMail(r *bufio.Reader, buf []byte) []byte {
	for {
		line, err := r.ReadSlice('\n')
		if len(buf) > 0 && bytes.HasPrefix(line, []byte("From ")) || err != nil && len(line) == 0 {
			return buf
		}
		buf = append(buf, line...)
	}
}

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
		i, err := openImporter(b.Context(), b.TempDir(), mail.Config().End, hostParts{provider: far, inFlight: inFlight, me: account.Address()})
		require.NoError(b, err)
		id, err := i.inbox(b.Context(), filter.Rules{Mode: filter.All}, nil)
		require.NoError(b, err)
		start := time.Now()
		run, err := i.svc.Sync(b.Context(), id)
		require.NoError(b, err)
		require.Equal(b, messages, run.Stored)
		rate := messages / time.Since(start).Seconds()
		share += rate / (inFlight / latency.Seconds())
		i.close()
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
	i, err := openImporter(b.Context(), b.TempDir(), mail.Config().End, hostParts{provider: near, me: account.Address()})
	require.NoError(b, err)
	defer i.close()
	id, err := i.inbox(b.Context(), filter.Rules{Mode: filter.All}, nil)
	require.NoError(b, err)
	_, err = i.svc.Sync(b.Context(), id)
	require.NoError(b, err)
	account.ForgetCalls()
	b.ResetTimer()
	for range b.N {
		_, err := i.svc.Sync(b.Context(), id)
		require.NoError(b, err)
	}
	b.ReportMetric(float64(account.TotalCalls())/float64(b.N), "calls/op")
}

// BenchmarkImportMemory imports in a process of its own and reports the most memory it held. It has
// to be flat: run it with WORKINBOX_BENCH_MESSAGES=100000 too, and with a mail of 40 MB among them.
func BenchmarkImportMemory(b *testing.B) {
	for _, messages := range []int{5_000, envInt("WORKINBOX_BENCH_MESSAGES", 20_000)} {
		b.Run(fmt.Sprint(messages), func(b *testing.B) {
			path, mail := writeMail(b, mailgen.Config{Seed: 4, Messages: messages})
			peak := 0
			for range b.N {
				job := crashJob{Dir: b.TempDir(), Mail: path, Owner: mail.Config().Owner, End: mail.Config().End, PageSize: 100}
				report, lived := runCrashJob(b, job)
				require.True(b, lived)
				require.Equal(b, messages, report.Run.Stored)
				peak = max(peak, report.PeakRSS)
			}
			b.ReportMetric(float64(peak), "peak-MiB")
		})
	}
	b.Run("with 40 MB", func(b *testing.B) {
		path, mail := writeMail(b, mailgen.Config{Seed: 4, Messages: 500})
		f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
		require.NoError(b, err)
		fmt.Fprintf(f, "From x@y.example Sun Mar  1 12:00:00 2026\nFrom: x@y.example\nTo: %s\nSubject: big\nMIME-Version: 1.0\n"+
			"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nbig\n--b\n"+
			"Content-Type: application/pdf\nContent-Transfer-Encoding: base64\n\n", mail.Config().Owner)
		line := append(bytes.Repeat([]byte("QUJD"), 19), '\n')
		for range 40 << 20 / len(line) {
			_, err = f.Write(line)
			require.NoError(b, err)
		}
		fmt.Fprint(f, "--b--\n\n")
		require.NoError(b, f.Close())
		for range b.N {
			job := crashJob{Dir: b.TempDir(), Mail: path, Owner: mail.Config().Owner, End: mail.Config().End, PageSize: 100}
			report, lived := runCrashJob(b, job)
			require.True(b, lived)
			require.Equal(b, 501, report.Run.Stored)
			b.ReportMetric(float64(report.PeakRSS), "peak-MiB")
		}
	})
}
