//go:build unix

package blob

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/inbox"
)

const (
	pageMails = 100
	mailSize  = 15_000
)

// page returns a page of mails of 15 kB, made of real ones.
func page(b *testing.B) [][]byte {
	names, err := filepath.Glob("testdata/*.eml")
	require.NoError(b, err)
	var text []byte
	for _, name := range names {
		mail, err := os.ReadFile(name)
		require.NoError(b, err)
		text = append(text, mail...)
	}
	text = append(text, text...)
	mails := make([][]byte, pageMails)
	for i := range mails {
		from := i * 997
		mails[i] = append(fmt.Appendf(nil, "Message-ID: <%d@x>\r\n", i), text[from:from+mailSize-30]...)
	}
	return mails
}

// cost is what a piece of work took.
type cost struct{ wall, cpu time.Duration }

func (c *cost) add(b *testing.B, work func() error) {
	wall, cpu := time.Now(), cpuTime(b)
	err := work()
	c.wall += time.Since(wall)
	c.cpu += cpuTime(b) - cpu
	require.NoError(b, err)
}

func cpuTime(b *testing.B) time.Duration {
	var r syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &r))
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// The floor is the least that could do the same: read, hash, compress, one plain file for each mail,
// and the same sync at the end; no temporary names, no folders, no bookkeeping.
func BenchmarkPageOfHundredMails(b *testing.B) {
	for name, o := range map[string]Options{"flush": {}, "each": {SyncEach: true}} {
		b.Run(name, func(b *testing.B) {
			dir := b.TempDir()
			d, err := Open(dir, o)
			require.NoError(b, err)
			defer func() { require.NoError(b, d.Close()) }()
			enc, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderCRC(false))
			require.NoError(b, err)
			mails := page(b)
			var ours, floor cost
			for n := 0; b.Loop(); n++ {
				id := inbox.ID(fmt.Sprint("in-", n))
				ours.add(b, func() error {
					for _, mail := range mails {
						if _, err := d.PutBlob(b.Context(), id, bytes.NewReader(mail)); err != nil {
							return err
						}
					}
					return d.SyncBlobs(b.Context(), id)
				})
				plain := filepath.Join(dir, fmt.Sprint("floor-", n))
				require.NoError(b, os.Mkdir(plain, dirMode))
				floor.add(b, func() error { return floorPage(d, enc, plain, mails) })
			}
			mailsPut := float64(b.N * pageMails)
			b.ReportMetric(float64(ours.wall)/float64(floor.wall), "wall/floor")
			b.ReportMetric(float64(ours.cpu)/float64(floor.cpu), "cpu/floor")
			b.ReportMetric(float64(ours.cpu.Microseconds())/mailsPut, "cpu-us/mail")
			b.ReportMetric(float64(ours.wall.Microseconds())/mailsPut, "wall-us/mail")
		})
	}
}

func floorPage(d *Dir, enc *zstd.Encoder, dir string, mails [][]byte) error {
	var out []byte
	for _, mail := range mails {
		raw, err := io.ReadAll(bytes.NewReader(mail))
		if err != nil {
			return err
		}
		sum := sha256.Sum256(raw)
		out = enc.EncodeAll(raw, out[:0])
		f, err := os.OpenFile(filepath.Join(dir, hex.EncodeToString(sum[:])), os.O_WRONLY|os.O_CREATE, fileMode)
		if err != nil {
			return err
		}
		if _, err := f.Write(out); err != nil {
			return err
		}
		if d.flush == nil {
			if err := f.Sync(); err != nil {
				return err
			}
		}
		if err := f.Close(); err != nil {
			return err
		}
	}
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	if d.flush == nil {
		return f.Sync()
	}
	return flushFileSystem(f)
}

func BenchmarkRead(b *testing.B) {
	d, err := Open(b.TempDir(), Options{})
	require.NoError(b, err)
	defer func() { require.NoError(b, d.Close()) }()
	info, err := d.PutBlob(b.Context(), "in-1", bytes.NewReader(page(b)[0]))
	require.NoError(b, err)
	b.SetBytes(info.Size)
	for b.Loop() {
		r, err := d.OpenBlob(b.Context(), info.Key)
		require.NoError(b, err)
		_, err = io.Copy(io.Discard, r)
		require.NoError(b, err)
		require.NoError(b, r.Close())
	}
}
