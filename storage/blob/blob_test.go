package blob_test

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
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/storage/blob"
)

// ways are the two ways to be durable. Where the file system cannot be flushed as a whole the first
// falls back to the second.
var ways = map[string]blob.Options{"flush": {}, "each": {SyncEach: true}}

func eachWay(t *testing.T, test func(t *testing.T, o blob.Options)) {
	t.Parallel()
	for name, o := range ways {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, o)
		})
	}
}

func open(t testing.TB, dir string, o blob.Options) *blob.Dir {
	t.Helper()
	d, err := blob.Open(dir, o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	return d
}

func put(t testing.TB, d *blob.Dir, id inbox.ID, content []byte) inbox.BlobKey {
	t.Helper()
	info, err := d.PutBlob(t.Context(), id, bytes.NewReader(content))
	require.NoError(t, err)
	require.Equal(t, keyOf(id, content), info.Key)
	require.EqualValues(t, len(content), info.Size)
	return info.Key
}

func keyOf(id inbox.ID, content []byte) inbox.BlobKey {
	sum := sha256.Sum256(content)
	return id2key(id, hex.EncodeToString(sum[:]))
}

func id2key(id inbox.ID, hash string) inbox.BlobKey { return inbox.BlobKey(string(id) + "/" + hash) }

func read(d *blob.Dir, key inbox.BlobKey) ([]byte, error) {
	r, err := d.OpenBlob(context.Background(), key)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(r)
	return b, errors.Join(err, r.Close())
}

func list(t testing.TB, d *blob.Dir, id inbox.ID) []inbox.BlobInfo {
	t.Helper()
	var all []inbox.BlobInfo
	for info, err := range d.Blobs(t.Context(), id) {
		require.NoError(t, err)
		all = append(all, info)
	}
	return all
}

// files returns every file below dir but the lock, relative to dir.
func files(t testing.TB, dir string) []string {
	t.Helper()
	var all []string
	require.NoError(t, filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || e.Name() == "lock" {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		all = append(all, rel)
		return err
	}))
	return all
}

// noise is content that does not compress.
func noise(size int, seed uint64) []byte {
	b := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)}).Read(b)
	return b
}

func mails(t testing.TB) [][]byte {
	t.Helper()
	names, err := filepath.Glob("testdata/*.eml")
	require.NoError(t, err)
	require.NotEmpty(t, names)
	var all [][]byte
	for _, name := range names {
		b, err := os.ReadFile(name)
		require.NoError(t, err)
		all = append(all, b)
	}
	return all
}

func TestPutComesBackWhole(t *testing.T) {
	eachWay(t, func(t *testing.T, o blob.Options) {
		dir := t.TempDir()
		contents := append(mails(t), nil, []byte{0},
			noise(32<<10-1, 1), noise(32<<10, 2), noise(32<<10+1, 3),
			noise(128<<10-1, 1), noise(128<<10, 2), noise(128<<10+1, 3), noise(256<<10, 4),
			bytes.Repeat([]byte("line of a long mail\r\n"), 50_000))
		d := open(t, dir, o)
		for _, c := range contents {
			key := put(t, d, "in-1", c)
			got, err := read(d, key)
			require.NoError(t, err, "before sync: %d bytes", len(c))
			require.True(t, bytes.Equal(c, got), "before sync: %d bytes differ", len(c))
		}
		require.NoError(t, d.SyncBlobs(t.Context(), "in-1"))
		again := open(t, dir, o)
		for _, c := range contents {
			got, err := read(again, keyOf("in-1", c))
			require.NoError(t, err, "opened again: %d bytes", len(c))
			require.True(t, bytes.Equal(c, got), "opened again: %d bytes differ", len(c))
		}
		require.Len(t, files(t, dir), len(contents))
	})
}

func TestReaderGivesTheSameInAnySteps(t *testing.T) {
	t.Parallel()
	d := open(t, t.TempDir(), blob.Options{})
	content := bytes.Join(mails(t), nil)
	content = append(content, noise(200<<10, 9)...)
	info, err := d.PutBlob(t.Context(), "in-1", iotest.OneByteReader(bytes.NewReader(content)))
	require.NoError(t, err)
	r, err := d.OpenBlob(t.Context(), info.Key)
	require.NoError(t, err)
	require.NoError(t, iotest.TestReader(r, content))
	require.NoError(t, r.Close())
	_, err = r.Read(make([]byte, 1))
	require.ErrorIs(t, err, fs.ErrClosed)
	require.ErrorIs(t, r.Close(), fs.ErrClosed)
}

func TestSameContentTwiceIsOneBlob(t *testing.T) {
	eachWay(t, func(t *testing.T, o blob.Options) {
		dir := t.TempDir()
		d := open(t, dir, o)
		mail := mails(t)[0]
		require.Equal(t, put(t, d, "in-1", mail), put(t, d, "in-1", mail))
		require.Len(t, files(t, dir), 1)
		require.Len(t, list(t, d, "in-1"), 1)
		require.NoError(t, d.SyncBlobs(t.Context(), "in-1"))
	})
}

func TestAPutWhoseReaderFailsLeavesNothing(t *testing.T) {
	t.Parallel()
	broken := errors.New("connection reset")
	cases := []struct {
		name string
		r    io.Reader
		want error
	}{
		{"at once", iotest.ErrReader(broken), broken},
		{"in the first chunk", io.MultiReader(strings.NewReader("Subject: x"), iotest.ErrReader(broken)), broken},
		{"after two chunks", io.MultiReader(bytes.NewReader(noise(300<<10, 1)), iotest.ErrReader(broken)), broken},
		{"cut answer", iotest.ErrReader(io.ErrUnexpectedEOF), io.ErrUnexpectedEOF},
		{"reader that never ends", endless{}, io.ErrNoProgress},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			d := open(t, dir, blob.Options{})
			_, err := d.PutBlob(t.Context(), "in-1", c.r)
			require.ErrorIs(t, err, c.want)
			require.Empty(t, files(t, dir))
			require.Empty(t, list(t, d, "in-1"))
			require.NoError(t, d.SyncBlobs(t.Context(), "in-1"))
		})
	}
}

// endless never returns anything.
type endless struct{}

func (endless) Read([]byte) (int, error) { return 0, nil }

func TestCancelledContextEndsEveryCall(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d := open(t, dir, blob.Options{})
	key := put(t, d, "in-1", []byte("kept"))
	ctx, cancel := context.WithCancel(t.Context())
	halfway := readerFunc(func(p []byte) (int, error) {
		cancel()
		return len(p), nil
	})
	_, err := d.PutBlob(ctx, "in-1", halfway)
	require.Equal(t, context.Canceled, err, "an endless put ends between two chunks")
	_, err = d.OpenBlob(ctx, key)
	require.Equal(t, context.Canceled, err)
	require.Equal(t, context.Canceled, d.SyncBlobs(ctx, "in-1"))
	require.Equal(t, context.Canceled, d.DeleteBlob(ctx, key))
	for _, err = range d.Blobs(ctx, "in-1") {
	}
	require.Equal(t, context.Canceled, err)
	_, err = d.Sweep(ctx, "in-1", nil, 0)
	require.Equal(t, context.Canceled, err)
	require.Len(t, files(t, dir), 1)
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestAbsentBlobsAreNotFound(t *testing.T) {
	t.Parallel()
	d := open(t, t.TempDir(), blob.Options{})
	put(t, d, "in-1", []byte("one"))
	hash := string(keyOf("", []byte("other"))[1:])
	for _, key := range []inbox.BlobKey{
		"", "/", "in-1", "in-1/", "in-1/xyz", id2key("in-1", hash), id2key("in-2", hash),
		id2key("in-1", strings.ToUpper(hash)), inbox.BlobKey("in-1" + hash),
		id2key("..", hash), id2key("in-1", "../../../../../../../../../../../../../../../../../../etc/passwd"),
	} {
		_, err := d.OpenBlob(t.Context(), key)
		require.ErrorIs(t, err, storage.ErrNotFound, "open %q", key)
		require.NoError(t, d.DeleteBlob(t.Context(), key), "delete %q: absent is fine", key)
	}
	require.Len(t, list(t, d, "in-1"), 1)
}

func TestInboxesNeverTouchEachOther(t *testing.T) {
	t.Parallel()
	ids := []inbox.ID{
		"", "a", "A", ".", "..", "a/b", "a/../b", "i-a", "=61", "con", "nul.txt", "a b", "ä", "\x00\xff\n",
		inbox.ID(strings.Repeat("x", 198)), inbox.ID(strings.Repeat("x", 199)),
		inbox.ID(strings.Repeat("X", 5000)), "lock", "*", `a\b`, "new-1",
	}
	dir := t.TempDir()
	d := open(t, dir, blob.Options{})
	mail := mails(t)[0]
	folded := map[string]bool{}
	for _, id := range ids {
		put(t, d, id, mail)
	}
	all := files(t, dir)
	require.Len(t, all, len(ids), "each of %d ids has a file of its own", len(ids))
	for _, f := range all {
		require.Equal(t, 2, strings.Count(f, string(filepath.Separator)), "%q is at folder/shard/hash", f)
		folded[strings.ToLower(f)] = true
	}
	require.Len(t, folded, len(ids), "also where the file system ignores case")
	for i, id := range ids {
		require.NoError(t, d.DeleteBlob(t.Context(), keyOf(id, mail)))
		require.Empty(t, list(t, d, id), "inbox %q after its delete", id)
		for _, other := range ids[i+1:] {
			require.Len(t, list(t, d, other), 1, "inbox %q after deleting in %q", other, id)
		}
	}
}

func TestBlobsAreListedByKeyInByteOrder(t *testing.T) {
	t.Parallel()
	d := open(t, t.TempDir(), blob.Options{})
	sizes := map[inbox.BlobKey]int64{}
	for i := range 100 {
		content := noise(i*37, uint64(i))
		sizes[put(t, d, "in-1", content)] = int64(len(content))
	}
	put(t, d, "in-10", []byte("of another"))
	got := list(t, d, "in-1")
	require.Len(t, got, 100)
	for i, info := range got {
		require.Equal(t, sizes[info.Key], info.Size, "raw size of %s", info.Key)
		if i > 0 {
			require.Less(t, got[i-1].Key, info.Key, "place %d", i)
		}
	}
	for info, err := range d.Blobs(t.Context(), "in-1") {
		require.NoError(t, err)
		require.NoError(t, d.DeleteBlob(t.Context(), info.Key), "writing while reading")
	}
	require.Empty(t, list(t, d, "in-1"))
	for range d.Blobs(t.Context(), "in-10") {
		break
	}
}

func TestABlobBeingReadOutlivesItsDelete(t *testing.T) {
	t.Parallel()
	d := open(t, t.TempDir(), blob.Options{})
	content := noise(400<<10, 1)
	key := put(t, d, "in-1", content)
	r, err := d.OpenBlob(t.Context(), key)
	require.NoError(t, err)
	require.NoError(t, d.DeleteBlob(t.Context(), key))
	got, err := io.ReadAll(r)
	require.NoError(t, err)
	require.True(t, bytes.Equal(content, got))
	require.NoError(t, r.Close())
}

func TestOpenMakesItsFolderAndTellsWhyNot(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "a", "b", "c")
	put(t, open(t, dir, blob.Options{SyncEach: true}), "in-1", []byte("x"))
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err := blob.Open(file, blob.Options{})
	require.ErrorContains(t, err, "open blobs")
	_, err = blob.Open(filepath.Join(file, "below"), blob.Options{})
	require.ErrorContains(t, err, "open blobs")
}
