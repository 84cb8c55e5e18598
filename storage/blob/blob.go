// Package blob keeps raw messages in a directory: an inbox.Blobs on plain files.
//
// A blob is one file, named by the SHA-256 of the raw bytes, in the folder of its inbox, under one of
// sixteen sub-folders by the first digit of the hash. What is inside: chunks of at most 128 KiB, each a
// zstd frame of its own, and a trailer with the raw size. One chunk is in memory at a time, however
// long the message; reading checks the hash, so a torn or changed file is ErrDamaged and never served
// as whole.
//
// A message of one chunk is written at once under its name, where nothing has that name yet; any other
// under a temporary name, and renamed when whole. So a process that is killed within PutBlob leaves a
// temporary file or a damaged blob, whose key nobody was given: Sweep takes both. Putting the same
// content again replaces the file by an equal one, which also repairs a damaged blob.
//
// Choices that were measured, on ext4 with pages of 100 mails of 7 kB stored (15 kB raw):
//
//  1. Compression is zstd at its fastest level: 50 µs for a mail of 10 kB, to 0.44 of its size. The
//     default level takes 1.8 times as long for 0.42. What is compressed already costs next to
//     nothing (0.1 µs per kB: it is noticed and stored as it is), so there is no switch for it.
//  2. Durability of a page is one syncfs(2) in SyncBlobs, which waits for all that the file system
//     has not yet written: 2 ms and no measurable CPU. An fsync of every file and folder costs
//     20 ms and 0.11 ms CPU per mail; the same started early or in parallel 10 ms and 0.04 ms CPU.
//  3. A rename costs as much as the file itself, and more where others rename: the kernel lets one at
//     a time go from folder to folder, and one make a file in a folder. Hence the names at once: they
//     save a fifth of the CPU of a whole import.
//  4. One append-only file per page would save another 0.04 ms CPU per mail (of about 0.7 ms for a
//     whole import), and ask for an index, and for rewriting to delete. Not worth it.
//
// syncfs is used where it is known to be durable and to report write errors: Linux 5.8 and later on
// ext, XFS, Btrfs, F2FS and tmpfs. Anywhere else, and with Options.SyncEach, every file is synced
// before it gets its name, and SyncBlobs syncs the folders. Choose SyncEach when the directory shares
// a slow disk with heavy writers: syncfs waits for their data as well.
//
// Nothing holds a name or an address: ids and hashes are all there is outside of the files. The files
// are compressed, not encrypted; where that matters put the directory on an encrypted volume.
package blob

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
)

// ErrDamaged says that the file of a blob is not what was put: torn, cut or changed. Putting the
// message again repairs it.
var ErrDamaged = fmt.Errorf("blob is %w", storage.ErrDamaged)

// Options of a directory. The zero value is ready to use.
type Options struct {
	// Now tells the time by which Sweep judges age. Default time.Now.
	Now func() time.Time
	// SyncEach syncs every file by itself while it is put, instead of the whole file system once in
	// SyncBlobs. Default false: the file system, where that is known to be durable.
	SyncEach bool
}

// Dir is an inbox.Blobs in a directory. It may be used concurrently, and several processes may share
// the directory (on Unix; elsewhere only one of them may Sweep while others put).
type Dir struct {
	root     *os.Root
	now      func() time.Time
	codec    *codec
	gate     *gate
	flush    *flusher // nil: every file is synced as it is put
	unsynced unsynced
	step     func(name string) error // tests fail or die here; nil otherwise
}

var _ inbox.Blobs = (*Dir)(nil)

const (
	lockName = "lock"
	dirMode  = 0o700
	fileMode = 0o600
)

// Open opens the store in dir and makes the directory when there is none. Nothing but this package
// may write below dir. Close it after use.
func Open(dir string, o Options) (*Dir, error) {
	if err := makeDurably(dir); err != nil {
		return nil, fmt.Errorf("open blobs: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open blobs: %w", err)
	}
	d := &Dir{root: root, now: o.Now}
	if d.now == nil {
		d.now = time.Now
	}
	if err := d.init(o); err != nil {
		return nil, errors.Join(fmt.Errorf("open blobs: %w", err), d.Close())
	}
	return d, nil
}

func (d *Dir) init(o Options) (err error) {
	if d.codec, err = newCodec(); err != nil {
		return err
	}
	// Reading first, so that a store on a disk gone read-only still opens.
	lock, err := d.root.Open(lockName)
	if errors.Is(err, fs.ErrNotExist) {
		lock, err = d.root.OpenFile(lockName, os.O_RDONLY|os.O_CREATE, fileMode)
	}
	if err != nil {
		return err
	}
	d.gate = &gate{file: lock}
	if o.SyncEach {
		return nil
	}
	top, err := d.root.Open(".")
	if err != nil {
		return err
	}
	if !flushable(top) {
		return top.Close()
	}
	d.flush = &flusher{dir: top, lost: d.unsynced.suspectAll}
	return nil
}

// Close releases the directory. Blobs put and not synced stay, but may be lost in a crash.
func (d *Dir) Close() error {
	var errs []error
	if d.codec != nil {
		d.codec.close()
	}
	if d.gate != nil {
		errs = append(errs, d.gate.file.Close())
	}
	if d.flush != nil {
		errs = append(errs, d.flush.dir.Close())
	}
	return errors.Join(append(errs, d.root.Close())...)
}

// DeleteBlob removes the file of a blob. That there is none is fine. A delete may be undone by a power
// loss right after it; Sweep then finds the blob as an orphan.
func (d *Dir) DeleteBlob(ctx context.Context, key inbox.BlobKey) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	id, hash, ok := splitKey(key)
	if !ok {
		return nil
	}
	m := d.unsynced.last(id, hash)
	if err := d.root.Remove(filePath(folder(id), hash)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return failed("delete", string(key), err)
	}
	d.unsynced.forget(id, hash, m)
	return nil
}

// at is a place where a test may stop the work or the process.
func (d *Dir) at(name string) error {
	if d.step == nil {
		return nil
	}
	return d.step(name)
}

// makeDurably makes dir with its parents, each synced into the folder above it.
func makeDurably(dir string) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	if _, err := os.Stat(dir); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	above := filepath.Dir(dir)
	if err := makeDurably(above); err != nil {
		return err
	}
	if err := os.Mkdir(dir, dirMode); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	f, err := os.Open(above)
	if err != nil {
		return err
	}
	return errors.Join(syncFolder(f), f.Close())
}

func failed(op, id string, err error) error {
	return &storage.Error{Op: op, Entity: "blob", ID: id, Err: err}
}
