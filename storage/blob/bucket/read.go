package bucket

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"io/fs"

	"gocloud.dev/blob"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
)

// OpenBlob returns the raw bytes of a blob, or storage.ErrNotFound. Instead of io.EOF the reader answers
// ErrDamaged when the bytes are not those of the key, and io.ErrUnexpectedEOF when the service sent fewer
// than it has; a caller that stops before the end has not checked them. The reader must be closed, is for
// one goroutine, and ends with ctx.
func (s *Store) OpenBlob(ctx context.Context, key inbox.BlobKey) (io.ReadCloser, error) {
	id, digits, ok := splitKey(key)
	if !ok {
		return nil, failed(ctx, "read", string(key), storage.ErrNotFound)
	}
	object := s.object(id, digits)
	r, err := s.bucket.NewReader(ctx, object, nil)
	if err != nil {
		return nil, failed(ctx, "read", string(key), s.absent(ctx, object, err))
	}
	return &reader{object: r, key: key, want: digits, left: r.Size(), sum: sha256.New()}, nil
}

// reader yields the raw bytes of an object and checks them.
type reader struct {
	object *blob.Reader
	key    inbox.BlobKey
	want   string // hash the bytes must have
	left   int64  // bytes still to come
	sum    hash.Hash
	err    error
}

func (r *reader) Read(p []byte) (int, error) {
	if r.err != nil {
		return 0, r.err
	}
	n, err := r.object.Read(p)
	r.sum.Write(p[:n])
	r.left -= int64(n)
	switch {
	case err == io.EOF:
		err = r.check()
	case err != nil:
		err = r.failed(err)
	}
	r.err = err
	return n, err
}

// check returns io.EOF for the bytes that were put.
func (r *reader) check() error {
	switch {
	case r.left > 0:
		return r.failed(io.ErrUnexpectedEOF)
	case hex.EncodeToString(r.sum.Sum(nil)) != r.want:
		return r.failed(fmt.Errorf("%w: not the bytes that were put", ErrDamaged))
	}
	return io.EOF
}

func (r *reader) failed(err error) error {
	return &storage.Error{Op: "read", Entity: "blob", ID: string(r.key), Err: err}
}

// Close ends the reading. Reading after it answers fs.ErrClosed.
func (r *reader) Close() error {
	if r.object == nil {
		return fs.ErrClosed
	}
	err := r.object.Close()
	r.object, r.err = nil, fs.ErrClosed
	if err != nil {
		return r.failed(err)
	}
	return nil
}
