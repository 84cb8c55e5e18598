package bucket_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage/blob"
	"github.com/workinbox/workinbox/storage/blob/bucket"
)

// benchStores opens the stores that are held side by side. What a cloud adds is its latency, and the
// upload of the bytes.
func benchStores(b *testing.B) map[string]inbox.Blobs {
	dir, err := blob.Open(b.TempDir(), blob.Options{})
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, dir.Close()) })
	return map[string]inbox.Blobs{
		"dir":      dir,
		"fileblob": open(b, inFiles(b), bucket.Options{}),
		"memblob":  open(b, inMemory(b), bucket.Options{}),
	}
}

// benchMails returns a hundred mails of 15 kB, made of real ones.
func benchMails(b *testing.B) [][]byte {
	names, err := filepath.Glob("../testdata/*.eml")
	require.NoError(b, err)
	var text []byte
	for _, name := range names {
		mail, err := os.ReadFile(name)
		require.NoError(b, err)
		text = append(text, mail...)
	}
	text = append(text, text...)
	mails := make([][]byte, 100)
	for i := range mails {
		mails[i] = append(fmt.Appendf(nil, "Message-ID: <%d@x>\r\n", i), text[i*997:i*997+15_000]...)
	}
	return mails
}

// BenchmarkPut stores a page of a hundred mails and syncs, as an import does.
func BenchmarkPut(b *testing.B) {
	mails := benchMails(b)
	for name, s := range benchStores(b) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for n := 0; b.Loop(); n++ {
				id := inbox.ID(fmt.Sprint("in-", n))
				for _, mail := range mails {
					_, err := s.PutBlob(b.Context(), id, bytes.NewReader(mail))
					require.NoError(b, err)
				}
				require.NoError(b, s.SyncBlobs(b.Context(), id))
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*len(mails)), "µs/mail")
		})
	}
}

// BenchmarkRead opens a mail, reads and checks it.
func BenchmarkRead(b *testing.B) {
	mail := benchMails(b)[0]
	for name, s := range benchStores(b) {
		b.Run(name, func(b *testing.B) {
			info, err := s.PutBlob(b.Context(), "in-1", bytes.NewReader(mail))
			require.NoError(b, err)
			b.SetBytes(info.Size)
			b.ReportAllocs()
			for b.Loop() {
				r, err := s.OpenBlob(b.Context(), info.Key)
				require.NoError(b, err)
				_, err = io.Copy(io.Discard, r)
				require.NoError(b, err)
				require.NoError(b, r.Close())
			}
		})
	}
}

// BenchmarkList lists an inbox of a thousand blobs with their sizes.
func BenchmarkList(b *testing.B) {
	for name, s := range benchStores(b) {
		b.Run(name, func(b *testing.B) {
			for i := range 1000 {
				_, err := s.PutBlob(b.Context(), "in-1", bytes.NewReader(fmt.Appendf(nil, "mail %d", i)))
				require.NoError(b, err)
			}
			for b.Loop() {
				n := 0
				for _, err := range s.Blobs(b.Context(), "in-1") {
					require.NoError(b, err)
					n++
				}
				require.Equal(b, 1000, n)
			}
		})
	}
}
