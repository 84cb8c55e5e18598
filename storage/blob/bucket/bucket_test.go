package bucket_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gocloud.dev/blob"
	"gocloud.dev/blob/fileblob"
	"gocloud.dev/blob/memblob"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/storage/blob/bucket"
	"github.com/workinbox/workinbox/storage/storagetest"
)

func inMemory(t testing.TB) *blob.Bucket { return closed(t, memblob.OpenBucket(nil)) }

func inFiles(t testing.TB) *blob.Bucket {
	t.Helper()
	b, err := fileblob.OpenBucket(t.TempDir(), &fileblob.Options{NoTempDir: true, Metadata: fileblob.MetadataDontWrite})
	require.NoError(t, err)
	return closed(t, b)
}

func closed(t testing.TB, b *blob.Bucket) *blob.Bucket {
	t.Cleanup(func() { require.NoError(t, b.Close()) })
	return b
}

func open(t testing.TB, b *blob.Bucket, o bucket.Options) *bucket.Store {
	t.Helper()
	s, err := bucket.Open(t.Context(), b, o)
	require.NoError(t, err)
	return s
}

func put(t testing.TB, s *bucket.Store, id inbox.ID, content []byte) inbox.BlobKey {
	t.Helper()
	info, err := s.PutBlob(t.Context(), id, bytes.NewReader(content))
	require.NoError(t, err)
	require.EqualValues(t, len(content), info.Size)
	return info.Key
}

func read(t testing.TB, s *bucket.Store, key inbox.BlobKey) ([]byte, error) {
	t.Helper()
	r, err := s.OpenBlob(t.Context(), key)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(r)
	return b, errors.Join(err, r.Close())
}

func list(t testing.TB, s *bucket.Store, id inbox.ID) []inbox.BlobInfo {
	t.Helper()
	var all []inbox.BlobInfo
	for info, err := range s.Blobs(t.Context(), id) {
		require.NoError(t, err)
		all = append(all, info)
	}
	return all
}

// objects returns every key of the bucket.
func objects(t testing.TB, b *blob.Bucket) []string {
	t.Helper()
	var keys []string
	for all := b.List(nil); ; {
		o, err := all.Next(t.Context())
		if err == io.EOF {
			return keys
		}
		require.NoError(t, err)
		keys = append(keys, o.Key)
	}
}

func hashOf(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

func noise(size int) []byte {
	b := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{7}).Read(b)
	return b
}

func TestStoreKeepsTheContractOfBlobs(t *testing.T) {
	t.Parallel()
	for name, driver := range map[string]func(testing.TB) *blob.Bucket{"memblob": inMemory, "fileblob": inFiles} {
		for _, prefix := range []string{"", "mail/", "team-A "} {
			t.Run(name+" below "+prefix, func(t *testing.T) {
				t.Parallel()
				storagetest.Blobs(t, func(t *testing.T) inbox.Blobs {
					return open(t, driver(t), bucket.Options{Prefix: prefix, TempDir: t.TempDir()})
				})
			})
		}
	}
}

func TestStoresShareABucket(t *testing.T) {
	t.Parallel()
	b := inMemory(t)
	raw := []byte("raw")
	require.NoError(t, b.WriteAll(t.Context(), "mail/i-in-1/notes.txt", []byte("of the host"), nil))
	one, two := open(t, b, bucket.Options{Prefix: "mail/"}), open(t, b, bucket.Options{Prefix: "mail/i-in-1/"})
	key := put(t, one, "in-1", raw)
	put(t, two, "in-1", raw)
	require.Equal(t, []string{
		"mail/i-in-1/" + hashOf(raw), "mail/i-in-1/i-in-1/" + hashOf(raw), "mail/i-in-1/notes.txt",
	}, objects(t, b))
	want := []inbox.BlobInfo{{Key: key, Size: 3}}
	require.Equal(t, want, list(t, one, "in-1"))
	require.NoError(t, one.DeleteBlob(t.Context(), key))
	require.Empty(t, list(t, one, "in-1"))
	require.Equal(t, want, list(t, two, "in-1"))
}

func TestOpenRefusesWhatCannotWork(t *testing.T) {
	t.Parallel()
	for _, prefix := range []string{"\xff/", strings.Repeat("x", 513)} {
		_, err := bucket.Open(t.Context(), inMemory(t), bucket.Options{Prefix: prefix})
		require.ErrorContains(t, err, "open blobs: prefix")
	}
	b := memblob.OpenBucket(nil)
	require.NoError(t, b.Close())
	_, err := bucket.Open(t.Context(), b, bucket.Options{})
	require.ErrorContains(t, err, "open blobs")
}

func TestNamesFitEveryService(t *testing.T) {
	t.Parallel()
	b := inMemory(t)
	s := open(t, b, bucket.Options{Prefix: strings.Repeat("p", 512)})
	long := inbox.ID(strings.Repeat("É", 500))
	for _, id := range []inbox.ID{"", "A/b.", long, long + "x", "\xff"} {
		key := put(t, s, id, []byte("raw"))
		require.Equal(t, []inbox.BlobInfo{{Key: key, Size: 3}}, list(t, s, id))
	}
	keys := objects(t, b)
	require.Len(t, keys, 5, "no two of them share an object")
	for _, key := range keys {
		require.LessOrEqual(t, len(key), 1024)
		require.Regexp(t, `^p{512}[ih]-[a-z0-9=_-]*/[0-9a-f]{64}$`, key)
	}
}

func TestLongMessagesWaitInAFileWithoutName(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, inFiles(t), bucket.Options{TempDir: dir})
	for _, size := range []int{1<<20 - 1, 1 << 20, 1<<20 + 1, 3<<20 + 5} {
		content := noise(size)
		seen := watched{r: bytes.NewReader(content), dir: dir}
		info, err := s.PutBlob(t.Context(), "in-1", &seen)
		require.NoError(t, err)
		require.Equal(t, inbox.BlobInfo{Key: inbox.BlobKey("in-1/" + hashOf(content)), Size: int64(size)}, info)
		got, err := read(t, s, info.Key)
		require.NoError(t, err)
		require.True(t, bytes.Equal(content, got), "%d bytes differ", size)
		require.Empty(t, seen.names, "while %d bytes were put", size)
		require.Empty(t, files(t, dir), "after %d bytes were put", size)
	}
	s = open(t, inFiles(t), bucket.Options{TempDir: filepath.Join(dir, "missing")})
	_, err := s.PutBlob(t.Context(), "in-1", bytes.NewReader(noise(2<<20)))
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.Empty(t, list(t, s, "in-1"))
	put(t, s, "in-1", noise(1<<19))
}

// watched is a reader that looks what lies in a directory while it is read.
type watched struct {
	r     io.Reader
	dir   string
	names []string
}

func (w *watched) Read(p []byte) (int, error) {
	entries, err := os.ReadDir(w.dir)
	for _, e := range entries {
		w.names = append(w.names, e.Name())
	}
	if err != nil {
		return 0, err
	}
	return w.r.Read(p)
}

func files(t testing.TB, dir string) []fs.DirEntry {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	return entries
}

func TestDamagedObjectIsNeverServedAsWhole(t *testing.T) {
	t.Parallel()
	whole := []byte("Subject: hello\r\n\r\nworld\r\n")
	for name, damaged := range map[string][]byte{
		"cut":     whole[:10],
		"empty":   {},
		"changed": append([]byte("subject"), whole[7:]...),
		"longer":  append(bytes.Clone(whole), 'x'),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := inMemory(t)
			s := open(t, b, bucket.Options{})
			key := put(t, s, "in-1", whole)
			require.NoError(t, b.WriteAll(t.Context(), "i-in-1/"+hashOf(whole), damaged, nil))
			_, err := read(t, s, key)
			require.ErrorIs(t, err, bucket.ErrDamaged)
			var told *storage.Error
			require.ErrorAs(t, err, &told)
			require.Equal(t, string(key), told.ID)
			require.NotContains(t, err.Error(), "hello")
			put(t, s, "in-1", whole)
			got, err := read(t, s, key)
			require.NoError(t, err, "put again")
			require.Equal(t, whole, got)
		})
	}
}

func TestReaderThatGetsNowhereIsGivenUp(t *testing.T) {
	t.Parallel()
	s := open(t, inMemory(t), bucket.Options{})
	_, err := s.PutBlob(t.Context(), "in-1", stuck{})
	require.ErrorIs(t, err, io.ErrNoProgress)
	ctx, cancel := context.WithCancel(t.Context())
	_, err = s.PutBlob(ctx, "in-1", io.MultiReader(strings.NewReader("x"), after{cancel}, strings.NewReader("y")))
	require.Equal(t, context.Canceled, err, "as it is")
	require.Empty(t, list(t, s, "in-1"))
}

type stuck struct{}

func (stuck) Read([]byte) (int, error) { return 0, nil }

// after is an empty reader that does something when it is reached.
type after struct{ do func() }

func (a after) Read([]byte) (int, error) {
	a.do()
	return 0, io.EOF
}

func TestClosedReaderReadsNoMore(t *testing.T) {
	t.Parallel()
	s := open(t, inMemory(t), bucket.Options{})
	r, err := s.OpenBlob(t.Context(), put(t, s, "in-1", []byte("raw")))
	require.NoError(t, err)
	require.NoError(t, r.Close())
	_, err = r.Read(make([]byte, 1))
	require.ErrorIs(t, err, fs.ErrClosed)
	require.ErrorIs(t, r.Close(), fs.ErrClosed)
}
