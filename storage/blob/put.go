package blob

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/workinbox/workinbox/inbox"
)

// maxEmptyReads is how often in a row a reader may return nothing, as in bufio.
const maxEmptyReads = 100

// PutBlob stores what r yields up to io.EOF and returns its key and raw size. Any other error of r,
// or of the disk, leaves nothing behind. It takes 64 KiB of memory for a message of up to 32 KiB, and
// 0.3 MiB for any other, however long. The blob survives a kill of the process at once, and a power
// loss once SyncBlobs returned nil.
func (d *Dir) PutBlob(ctx context.Context, id inbox.ID, r io.Reader) (inbox.BlobInfo, error) {
	info, err := d.put(ctx, id, r)
	if err != nil && ctx.Err() != nil {
		return inbox.BlobInfo{}, ctx.Err()
	}
	if err != nil {
		return inbox.BlobInfo{}, failed("put", string(id), err)
	}
	return info, nil
}

func (d *Dir) put(ctx context.Context, id inbox.ID, r io.Reader) (inbox.BlobInfo, error) {
	b := d.codec.buffers(smallSize)
	defer func() { d.codec.release(b) }()
	t := &temp{d: d, folder: folder(id)}
	begun := d.unsynced.begin()
	sum, size := sha256.New(), int64(0)
	for last := false; !last; {
		if err := ctx.Err(); err != nil {
			return inbox.BlobInfo{}, errors.Join(err, t.discard())
		}
		var n int
		var err error
		if b, n, err = d.codec.fill(r, b); err != nil && err != io.EOF {
			return inbox.BlobInfo{}, errors.Join(err, t.discard())
		}
		last = err == io.EOF
		sum.Write(b.raw[:n])
		size += int64(n)
		out := d.codec.appendChunk(b.stored[:0], b.raw[:n])
		if last {
			out = appendTrailer(out, size)
		}
		if err := t.write(out); err != nil {
			return inbox.BlobInfo{}, errors.Join(err, t.discard())
		}
	}
	hash := hex.EncodeToString(sum.Sum(nil))
	if err := t.place(hash); err != nil {
		return inbox.BlobInfo{}, errors.Join(err, t.discard())
	}
	d.unsynced.add(id, hash, begun)
	return inbox.BlobInfo{Key: newKey(id, hash), Size: size}, nil
}

// fill reads until b is full or r ends. Other than io.ReadFull it tells the end, io.EOF, from a reader
// that broke off with io.ErrUnexpectedEOF, as a cut network answer does.
func fill(r io.Reader, b []byte) (n int, err error) {
	for empty := 0; n < len(b); {
		got, err := r.Read(b[n:])
		n += got
		if err != nil {
			return n, err
		}
		if got > 0 {
			empty = 0
		} else if empty++; empty == maxEmptyReads {
			return n, io.ErrNoProgress
		}
	}
	return n, nil
}

// temp is a blob that has no name yet. Its file is made with the first write.
type temp struct {
	d      *Dir
	folder string
	name   string
	file   *os.File
}

func (t *temp) write(b []byte) error {
	if t.file == nil {
		if err := t.create(); err != nil {
			return err
		}
	}
	if err := t.d.at("write"); err != nil {
		return err
	}
	_, err := t.file.Write(b)
	return err
}

func (t *temp) create() error {
	if err := t.d.at("create"); err != nil {
		return err
	}
	err := t.open()
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	// Inside the gate no Sweep removes the folder while it is empty.
	if err := t.d.gate.enter(); err != nil {
		return err
	}
	defer t.d.gate.leave()
	if err := t.d.root.MkdirAll(t.folder, dirMode); err != nil {
		return err
	}
	return t.open()
}

func (t *temp) open() (err error) {
	name := filepath.Join(t.folder, tempPrefix+rand.Text())
	t.file, err = t.d.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if err == nil {
		t.name = name
	}
	return err
}

// place gives the file its name. Before that, unless the whole file system is flushed later, it makes
// the content durable.
func (t *temp) place(hash string) error {
	if err := t.d.at("sync"); err != nil {
		return err
	}
	if t.d.flush == nil {
		if err := t.file.Sync(); err != nil {
			return err
		}
	}
	err := t.file.Close()
	t.file = nil
	if err != nil {
		return err
	}
	if err := t.d.at("rename"); err != nil {
		return err
	}
	if err := t.rename(hash); err != nil {
		return err
	}
	t.name = ""
	return t.d.at("renamed")
}

func (t *temp) rename(hash string) error {
	if err := t.d.gate.enter(); err != nil {
		return err
	}
	defer t.d.gate.leave()
	err := t.d.root.Rename(t.name, filePath(t.folder, hash))
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	err = t.d.root.Mkdir(shard(t.folder, hash), dirMode)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return t.d.root.Rename(t.name, filePath(t.folder, hash))
}

// discard closes and removes the file, if there is one.
func (t *temp) discard() error {
	var errs []error
	if t.file != nil {
		errs = append(errs, t.file.Close())
	}
	if t.name != "" {
		errs = append(errs, t.d.root.Remove(t.name))
	}
	return errors.Join(errs...)
}
