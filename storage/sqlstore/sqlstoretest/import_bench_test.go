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

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/provider/mailgen"
	"github.com/workinbox/workinbox/storage/sqlstore/sqlstoretest/importtest"
)

// BenchmarkImport imports 20,000 generated messages from an mbox into SQLite and blobs on disk, and
// next to it does the floor's work on the same mail: read, hash, compress and keep each message, and
// insert the same rows with prepared statements and the same durability. Run it with -benchtime 5x:
// the ratio reported is the median.
func BenchmarkImport(b *testing.B) {
	path, mail := importtest.WriteMail(b, mailgen.Config{Seed: 1, Messages: 20_000})
	var ratios []float64
	var imported, bare spent
	for range b.N {
		dir := b.TempDir()
		parts := importtest.Parts{Provider: importtest.Archive(path, mail)}
		i, err := importtest.Open(b.Context(), dir, mail.Config().End, parts)
		require.NoError(b, err)
		id, err := i.Inbox(b.Context(), filter.Rules{Mode: filter.All}, mail.Config().Clients)
		require.NoError(b, err)
		var one spent
		one.add(func() {
			run, err := i.Service.Sync(b.Context(), id)
			require.NoError(b, err)
			require.Equal(b, mail.Len(), run.Stored)
		})
		page := readPage(b, i.DB, 0)
		require.NoError(b, i.Close())
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
