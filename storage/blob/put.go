package blob

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"

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
	t := &temp{d: d, folder: folder(id)}
	begun := d.unsynced.begin()
	hash, size, err := d.copy(ctx, t, r)
	if err == nil {
		err = t.place(hash)
	}
	if err != nil {
		return inbox.BlobInfo{}, errors.Join(err, t.discard())
	}
	d.unsynced.add(id, hash, begun)
	return inbox.BlobInfo{Key: newKey(id, hash), Size: size}, nil
}

// copy writes what r yields into t, chunk by chunk.
func (d *Dir) copy(ctx context.Context, t *temp, r io.Reader) (hash string, size int64, err error) {
	b := d.codec.buffers(smallSize)
	defer func() { d.codec.release(b) }()
	sum := sha256.New()
	for {
		if err := ctx.Err(); err != nil {
			return "", 0, err
		}
		var n int
		b, n, err = d.codec.fill(r, b)
		if err != nil && err != io.EOF {
			return "", 0, err
		}
		sum.Write(b.raw[:n])
		size += int64(n)
		out := d.codec.appendChunk(b.stored[:0], b.raw[:n])
		if err != io.EOF {
			if err := t.write(out); err != nil {
				return "", 0, err
			}
			continue
		}
		hash = hex.EncodeToString(sum.Sum(nil))
		if err := t.claim(hash); err != nil {
			return "", 0, err
		}
		return hash, size, t.write(appendTrailer(out, size))
	}
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
