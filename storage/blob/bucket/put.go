package bucket

import (
	"context"
	"errors"
	"io"

	"gocloud.dev/blob"

	"github.com/workinbox/workinbox/inbox"
)

// partSize is what drivers hold in memory of an upload: S3 takes no smaller parts, and the clients of
// the others would by themselves hold 8 and 16 MiB even for a message of one line.
const partSize = 5 << 20

// PutBlob stores what r yields up to io.EOF and returns its key and raw size. Any other error of r, of the
// service or of the disk leaves nothing behind. It holds the first 1 MiB of the message in memory, in a
// buffer of up to twice that, and the rest in a file; the driver may hold 5 MiB more.
func (s *Store) PutBlob(ctx context.Context, id inbox.ID, r io.Reader) (inbox.BlobInfo, error) {
	m := newSpool(s.tempDir)
	info, err := s.put(ctx, id, m, r)
	// A file that does not go away undoes nothing that is stored.
	if closeErr := m.close(); err != nil {
		return inbox.BlobInfo{}, failed(ctx, "put", string(id), errors.Join(err, closeErr))
	}
	return info, nil
}

func (s *Store) put(ctx context.Context, id inbox.ID, m *spool, r io.Reader) (inbox.BlobInfo, error) {
	if err := m.fill(until(ctx, r)); err != nil {
		return inbox.BlobInfo{}, err
	}
	hash := m.hash()
	if err := s.upload(ctx, s.object(id, hash), m); err != nil {
		return inbox.BlobInfo{}, err
	}
	return inbox.BlobInfo{Key: newKey(id, hash), Size: m.size}, nil
}

// upload writes a whole message. A driver completes an object when its writer is closed, unless ctx has
// ended: so it ends before that wherever something failed.
func (s *Store) upload(ctx context.Context, object string, m *spool) error {
	content, err := m.reader()
	if err != nil {
		return err
	}
	ctx, abandon := context.WithCancel(ctx)
	defer abandon()
	w, err := s.bucket.NewWriter(ctx, object, &blob.WriterOptions{
		ContentType:    "message/rfc822",
		ContentMD5:     m.md5(),
		BufferSize:     partSize,
		MaxConcurrency: 1,
	})
	if err != nil {
		return err
	}
	if _, err := io.Copy(w, content); err != nil {
		abandon()
		_ = w.Close() // says that it was abandoned
		return err
	}
	return w.Close()
}

// maxEmptyReads is how often in a row a reader may return nothing, as in bufio.
const maxEmptyReads = 100

// until returns r, ended with ctx and given up when it gets nowhere.
func until(ctx context.Context, r io.Reader) io.Reader {
	empty := 0
	return readerFunc(func(p []byte) (int, error) {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		n, err := r.Read(p)
		if n > 0 || err != nil {
			empty = 0
		} else if empty++; empty == maxEmptyReads {
			err = io.ErrNoProgress
		}
		return n, err
	})
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
