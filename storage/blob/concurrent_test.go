package blob_test

import (
	"bytes"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage/blob"
)

func TestSixtyFourWritersOfSharedAndOwnContent(t *testing.T) {
	eachWay(t, func(t *testing.T, o blob.Options) {
		dir := t.TempDir()
		stores := []*blob.Dir{open(t, dir, o), open(t, dir, o)} // as two processes
		shared := append(mails(t), noise(300<<10, 7))
		var wg sync.WaitGroup
		for w := range 64 {
			wg.Go(func() {
				d, id := stores[w%2], inbox.ID([]string{"in-1", "in-2", "in-3"}[w%3])
				for i := range shared {
					for _, content := range [][]byte{shared[(i+w)%len(shared)], noise(100+i, uint64(w))} {
						info, err := d.PutBlob(t.Context(), id, bytes.NewReader(content))
						if !assert.NoError(t, err) {
							return
						}
						got, err := read(d, info.Key)
						assert.NoError(t, err)
						assert.True(t, bytes.Equal(content, got), "%d bytes differ", len(content))
					}
				}
				assert.NoError(t, d.SyncBlobs(t.Context(), id))
			})
		}
		wg.Wait()
		total := 0
		for _, id := range []inbox.ID{"in-1", "in-2", "in-3"} {
			total += len(list(t, stores[0], id))
		}
		require.Equal(t, 3*len(shared)+64*len(shared), total, "shared content once an inbox, own content each")
		require.Len(t, files(t, dir), total, "and no temporary file is left")
	})
}

func TestSweepAndDeleteBesideWritersLoseNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	later := time.Now().Add(time.Hour) // everything that is stored is old
	d := open(t, dir, blob.Options{Now: func() time.Time { return later }})
	other := open(t, dir, blob.Options{Now: func() time.Time { return later }})
	kept := func(key inbox.BlobKey) (bool, error) { return true, nil }
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := range 30 {
				content := noise(50+i, uint64(w))
				info, err := d.PutBlob(t.Context(), "in-1", bytes.NewReader(content))
				if !assert.NoError(t, err) {
					return
				}
				if i%3 > 0 {
					assert.NoError(t, d.DeleteBlob(t.Context(), info.Key))
				}
			}
		})
		wg.Go(func() {
			for range 10 {
				// Old enough for no temporary file, so only folders that fall empty are removed.
				_, err := other.Sweep(t.Context(), "in-1", kept, 2*time.Hour)
				assert.NoError(t, err)
			}
		})
	}
	wg.Wait()
	require.Len(t, list(t, d, "in-1"), 8*10)
	require.NoError(t, d.SyncBlobs(t.Context(), "in-1"))
}
