package blob

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
)

// OpenBlob returns the raw bytes of a blob, or storage.ErrNotFound. Instead of io.EOF the reader
// answers ErrDamaged when the bytes are not those of the key; a caller that stops before the end has
// not checked them. The reader must be closed and is for one goroutine; it stays whole when the blob
// is deleted or put again meanwhile.
func (d *Dir) OpenBlob(ctx context.Context, key inbox.BlobKey) (io.ReadCloser, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	id, hash, ok := splitKey(key)
	if !ok {
		return nil, failed("read", string(key), storage.ErrNotFound)
	}
	f, err := d.root.Open(filePath(folder(id), hash))
	if errors.Is(err, fs.ErrNotExist) {
		err = storage.ErrNotFound
	}
	if err != nil {
		return nil, failed("read", string(key), err)
	}
	size, chunks, err := readTrailer(f)
	if err != nil {
		return nil, errors.Join(failed("read", string(key), err), f.Close())
	}
	return &reader{
		codec: d.codec, file: f, key: key, want: hash,
		chunks: chunks, size: size, sum: sha256.New(), bufs: d.codec.buffers(size),
	}, nil
}

// reader yields the raw bytes of a file, chunk by chunk.
type reader struct {
	codec  *codec
	file   *os.File
	key    inbox.BlobKey
	want   string // hash the bytes must have
	chunks int64  // stored bytes still to come
	size   int64  // raw bytes still to come
	sum    hash.Hash
	raw    []byte // decompressed and not yet read
	bufs   *buffers
	err    error
}

func (r *reader) Read(p []byte) (int, error) {
	for len(r.raw) == 0 && r.err == nil && len(p) > 0 {
		r.err = r.next()
	}
	if len(r.raw) == 0 {
		if len(p) == 0 {
			return 0, nil
		}
		return 0, r.err
	}
	n := copy(p, r.raw)
	r.raw = r.raw[n:]
	return n, nil
}

// next decompresses the next chunk, or checks the whole at the end.
func (r *reader) next() error {
	if r.chunks == 0 {
		if r.size != 0 || hex.EncodeToString(r.sum.Sum(nil)) != r.want {
			return r.failed(fmt.Errorf("%w: not the bytes that were put", ErrDamaged))
		}
		return io.EOF
	}
	raw, stored, err := r.codec.readChunk(r.file, r.chunks, r.bufs)
	if err != nil {
		return r.failed(err)
	}
	r.chunks -= stored
	r.size -= int64(len(raw))
	if r.size < 0 {
		return r.failed(fmt.Errorf("%w: longer than its trailer says", ErrDamaged))
	}
	r.sum.Write(raw)
	r.raw = raw
	return nil
}

func (r *reader) failed(err error) error { return failed("read", string(r.key), err) }

// Close releases the file. Reading after it answers fs.ErrClosed.
func (r *reader) Close() error {
	if r.bufs == nil {
		return fs.ErrClosed
	}
	r.codec.release(r.bufs)
	r.bufs, r.raw, r.err = nil, nil, fs.ErrClosed
	return r.file.Close()
}
