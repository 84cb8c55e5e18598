package blob

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
)

// errLost says that the disk took a blob and later did not write it.
var errLost = errors.New("blobs were not written to the disk")

// SyncBlobs makes every blob of the inbox that this Dir put before the call durable. After an error
// the caller must not refer to them: it puts them again, or calls SyncBlobs again, which writes anew
// what can still be read. What was lost for good keeps it failing until it is put again, deleted or
// swept.
func (d *Dir) SyncBlobs(ctx context.Context, id inbox.ID) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := d.rewriteSuspects(ctx, id); err != nil {
		return failed("sync", string(id), err)
	}
	batch := d.unsynced.batch(id)
	if len(batch) == 0 {
		return nil
	}
	var err error
	if d.flush != nil {
		err = d.flush.do(d.flush.next(), func() error { return d.at("flush") })
	} else if err = d.syncFolders(id, batch); err != nil {
		d.unsynced.suspect(id, batch)
	}
	if err == nil && !d.unsynced.synced(id, batch) {
		err = errLost // another inbox's flush met the write error
	}
	if err != nil {
		return failed("sync", string(id), err)
	}
	return nil
}

// rewriteSuspects puts again what an earlier flush failed to write: the system may have dropped the
// dirty pages and call the next flush a success.
func (d *Dir) rewriteSuspects(ctx context.Context, id inbox.ID) error {
	for hash, mark := range d.unsynced.batch(id) {
		if !mark.suspect {
			continue
		}
		key := newKey(id, hash)
		r, err := d.OpenBlob(ctx, key)
		if errors.Is(err, storage.ErrNotFound) {
			d.unsynced.forget(id, hash, mark) // another process deleted it
			continue
		}
		if err != nil {
			return fmt.Errorf("%w: %w", errLost, err)
		}
		_, err = d.put(ctx, id, r)
		if err := errors.Join(err, r.Close()); err != nil {
			return fmt.Errorf("%w: %w", errLost, err)
		}
	}
	return nil
}

// syncFolders makes the names of a batch durable; the files are already.
func (d *Dir) syncFolders(id inbox.ID, batch map[string]mark) error {
	if err := d.at("flush"); err != nil {
		return err
	}
	own := folder(id)
	folders := map[string]bool{own: true, ".": true}
	for hash := range batch {
		folders[shard(own, hash)] = true
	}
	for name := range folders {
		f, err := d.root.Open(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue // its blobs were deleted and the folder swept
		}
		if err != nil {
			return err
		}
		if err := errors.Join(syncFolder(f), f.Close()); err != nil {
			return err
		}
	}
	return nil
}

// syncFolder makes the names in a folder durable. Windows has no such call and needs none: NTFS keeps
// a journal of its names.
func syncFolder(f *os.File) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	return f.Sync()
}

// flusher flushes the file system. Callers that come while one flush runs share the next one.
type flusher struct {
	mu      sync.Mutex
	started atomic.Uint64
	// dir was opened before anything was written: the system reports a write error once to every
	// file that was open when it happened. Because it is once, lost runs for all inboxes.
	dir  *os.File
	lost func()
}

// next returns the number of the first flush that begins from now on.
func (f *flusher) next() uint64 { return f.started.Load() + 1 }

// do returns when the flush of that number, or a later one, is done. A flush that fails is an error
// for the caller that ran it; lost has run before any other returns.
func (f *flusher) do(want uint64, before func() error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.started.Load() >= want {
		return nil
	}
	f.started.Add(1)
	err := before()
	if err == nil {
		err = flushFileSystem(f.dir)
	}
	if err != nil {
		f.lost()
	}
	return err
}
