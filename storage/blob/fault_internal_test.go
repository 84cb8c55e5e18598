package blob

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/inbox"
)

func openTest(t *testing.T, o Options) (*Dir, string) {
	t.Helper()
	dir := t.TempDir()
	d, err := Open(dir, o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	return d, dir
}

func putTest(t *testing.T, d *Dir, id inbox.ID, content string) inbox.BlobKey {
	t.Helper()
	info, err := d.PutBlob(t.Context(), id, strings.NewReader(content))
	require.NoError(t, err)
	return info.Key
}

func readTest(t *testing.T, d *Dir, key inbox.BlobKey) string {
	t.Helper()
	r, err := d.OpenBlob(t.Context(), key)
	require.NoError(t, err)
	b, err := io.ReadAll(r)
	require.NoError(t, errors.Join(err, r.Close()))
	return string(b)
}

// tempFiles returns the temporary files of an inbox.
func tempFiles(t *testing.T, dir string, id inbox.ID) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, folder(id), tempPrefix+"*"))
	require.NoError(t, err)
	return names
}

func TestADiskThatRefusesIsToldAndLosesNothing(t *testing.T) {
	t.Parallel()
	big := strings.Repeat("0123456789abcdef", 20_000) // three chunks
	for _, refusal := range []syscall.Errno{syscall.ENOSPC, syscall.EROFS} {
		for _, step := range []string{"create", "write", "third write", "sync", "rename"} {
			t.Run(refusal.Error()+" at "+step, func(t *testing.T) {
				t.Parallel()
				d, dir := openTest(t, Options{})
				before := putTest(t, d, "in-1", "put before")
				writes := 0
				d.step = func(name string) error {
					if name == "write" {
						writes++
					}
					if name == step || step == "third write" && writes == 3 {
						return refusal
					}
					return nil
				}
				_, err := d.PutBlob(t.Context(), "in-1", strings.NewReader(big))
				require.ErrorIs(t, err, refusal)
				require.ErrorContains(t, err, `put blob "in-1"`)
				require.Empty(t, tempFiles(t, dir, "in-1"))
				d.step = nil
				require.NoError(t, d.SyncBlobs(t.Context(), "in-1"))
				require.Equal(t, "put before", readTest(t, d, before))
				require.Equal(t, big, readTest(t, d, putTest(t, d, "in-1", big)), "once there is room again")
			})
		}
	}
}

func TestAMessageThatGetsItsNameAtOnceIsWholeOrNotThere(t *testing.T) {
	t.Parallel()
	for _, step := range []string{"create", "write", "sync"} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			d, dir := openTest(t, Options{})
			fail := func(name string) error {
				if name == step {
					return syscall.ENOSPC
				}
				return nil
			}
			d.step = fail
			_, err := d.PutBlob(t.Context(), "in-1", strings.NewReader("mail"))
			require.ErrorIs(t, err, syscall.ENOSPC)
			require.Empty(t, listTest(t, d, "in-1"))

			// Another put of the same content comes in before this one fails.
			other, err := Open(dir, Options{})
			require.NoError(t, err)
			defer func() { require.NoError(t, other.Close()) }()
			var key inbox.BlobKey
			d.step = func(name string) error {
				if name == step {
					key = putTest(t, other, "in-1", "mail")
				}
				return fail(name)
			}
			_, err = d.PutBlob(t.Context(), "in-1", strings.NewReader("mail"))
			require.ErrorIs(t, err, syscall.ENOSPC)
			require.Equal(t, "mail", readTest(t, d, key), "the blob of the put that worked")
			require.Empty(t, tempFiles(t, dir, "in-1"))
		})
	}
}

func listTest(t *testing.T, d *Dir, id inbox.ID) (all []inbox.BlobInfo) {
	t.Helper()
	for info, err := range d.Blobs(t.Context(), id) {
		require.NoError(t, err)
		all = append(all, info)
	}
	return all
}

// failFlush makes the next flush fail, as after a write error of the disk.
func failFlush(d *Dir) {
	var once sync.Once
	d.step = func(name string) (err error) {
		if name == "flush" {
			once.Do(func() { err = syscall.EIO })
		}
		return err
	}
}

func TestAFailedSyncIsNotForgotten(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]Options{"flush": {}, "each": {SyncEach: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, dir := openTest(t, o)
			key := putTest(t, d, "in-1", "mail")
			path := filepath.Join(dir, filePath(folder("in-1"), string(key[5:])))
			first, err := os.Stat(path)
			require.NoError(t, err)
			failFlush(d)
			require.ErrorIs(t, d.SyncBlobs(t.Context(), "in-1"), syscall.EIO)

			require.NoError(t, d.SyncBlobs(t.Context(), "in-1"), "what can be read is written anew")
			second, err := os.Stat(path)
			require.NoError(t, err)
			require.False(t, os.SameFile(first, second), "the next sync must not trust the old file")
			require.Equal(t, "mail", readTest(t, d, key))
			require.Empty(t, d.unsynced.batch("in-1"))
		})
	}
}

func TestWhatTheDiskLostKeepsSyncFailing(t *testing.T) {
	t.Parallel()
	heal := map[string]func(t *testing.T, d *Dir, key inbox.BlobKey){
		"put again": func(t *testing.T, d *Dir, _ inbox.BlobKey) { putTest(t, d, "in-1", "mail") },
		"deleted": func(t *testing.T, d *Dir, key inbox.BlobKey) {
			require.NoError(t, d.DeleteBlob(t.Context(), key))
		},
		"swept": func(t *testing.T, d *Dir, key inbox.BlobKey) {
			none := func(inbox.BlobKey) (bool, error) { return false, nil }
			now := d.now()
			d.now = func() time.Time { return now.Add(2 * DefaultSweepAge) }
			report, err := d.Sweep(t.Context(), "in-1", none, 0)
			require.NoError(t, err)
			require.Equal(t, 1, report.Orphans)
		},
		"removed by another process": func(t *testing.T, d *Dir, key inbox.BlobKey) {
			require.NoError(t, d.root.Remove(filePath(folder("in-1"), string(key[5:]))))
		},
	}
	for name, healed := range heal {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, dir := openTest(t, Options{})
			key := putTest(t, d, "in-1", "mail")
			failFlush(d)
			require.ErrorIs(t, d.SyncBlobs(t.Context(), "in-1"), syscall.EIO)
			path := filepath.Join(dir, filePath(folder("in-1"), string(key[5:])))
			require.NoError(t, os.Truncate(path, 3))
			for range 2 {
				err := d.SyncBlobs(t.Context(), "in-1")
				require.ErrorIs(t, err, errLost)
				require.ErrorIs(t, err, ErrDamaged)
			}
			require.NoError(t, d.SyncBlobs(t.Context(), "in-2"), "another inbox is not held up")
			healed(t, d, key)
			require.NoError(t, d.SyncBlobs(t.Context(), "in-1"))
		})
	}
}

func TestAFailedFlushIsAnErrorForEveryInboxThatWaits(t *testing.T) {
	t.Parallel()
	d, _ := openTest(t, Options{})
	if d.flush == nil {
		require.False(t, flushable(d.gate.file), "only without a flush for all")
		return
	}
	putTest(t, d, "in-1", "one")
	putTest(t, d, "in-2", "two")
	failFlush(d)
	require.ErrorIs(t, d.SyncBlobs(t.Context(), "in-1"), syscall.EIO)
	for id, blobs := range map[inbox.ID]string{"in-1": "one", "in-2": "two"} {
		for _, m := range d.unsynced.batch(id) {
			require.True(t, m.suspect, "blob %q of %s may have been in the failed flush", blobs, id)
		}
	}

	// A put that was under way is suspect as well: its data may have been in the flush.
	begun := false
	r := io.MultiReader(strings.NewReader(strings.Repeat("x", chunkSize)), readerFunc(func([]byte) (int, error) {
		if !begun {
			begun = true
			failFlush(d)
			require.ErrorIs(t, d.SyncBlobs(t.Context(), "in-1"), syscall.EIO)
		}
		return 0, io.EOF
	}))
	_, err := d.PutBlob(t.Context(), "in-3", r)
	require.NoError(t, err)
	for _, m := range d.unsynced.batch("in-3") {
		require.True(t, m.suspect)
	}
	for _, id := range []inbox.ID{"in-1", "in-2", "in-3"} {
		require.NoError(t, d.SyncBlobs(t.Context(), id))
		require.Empty(t, d.unsynced.batch(id))
	}
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestContentIsSyncedBeforeItsNameWhereNotFlushed(t *testing.T) {
	t.Parallel()
	d, _ := openTest(t, Options{SyncEach: true})
	require.Nil(t, d.flush)
	var steps []string
	d.step = func(name string) error {
		steps = append(steps, name)
		return nil
	}
	putTest(t, d, "in-1", "mail")
	require.NoError(t, d.SyncBlobs(t.Context(), "in-1"))
	require.NoError(t, d.SyncBlobs(t.Context(), "in-1"), "nothing left to do")
	require.Equal(t, []string{"create", "write", "sync", "rename", "placed", "flush"}, steps)
}

func TestCallersOfOneMomentShareAFlush(t *testing.T) {
	t.Parallel()
	d, _ := openTest(t, Options{})
	if d.flush == nil {
		require.False(t, flushable(d.gate.file), "only without a flush for all")
		return
	}
	flushes := 0
	count := func() error {
		flushes++
		return nil
	}
	var tickets []uint64
	require.NoError(t, d.flush.do(d.flush.next(), func() error {
		for range 10 { // ten come while the first flush runs; it may have missed their blobs
			tickets = append(tickets, d.flush.next())
		}
		return count()
	}))
	var wg sync.WaitGroup
	for _, ticket := range tickets {
		wg.Go(func() { assert.NoError(t, d.flush.do(ticket, count)) })
	}
	wg.Wait()
	require.Equal(t, 2, flushes, "one more flush is enough for the ten")
	require.NoError(t, d.flush.do(d.flush.next(), count))
	require.Equal(t, 3, flushes, "who comes later needs one of its own")
}

func TestTheSmallestBlobIsItsTrailer(t *testing.T) {
	t.Parallel()
	require.Len(t, appendTrailer(nil, 0), trailerSize)
	d, _ := openTest(t, Options{})
	chunk := d.codec.appendChunk(nil, bytes.Repeat([]byte{1}, chunkSize))
	require.Less(t, len(chunk), 100)
	require.Empty(t, d.codec.appendChunk(nil, nil))
}
