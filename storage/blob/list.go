package blob

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"path/filepath"
	"slices"
	"strings"

	"github.com/workinbox/workinbox/inbox"
)

// Blobs yields the blobs of an inbox by key in byte order, each with its raw size. A damaged blob is
// listed too, with size -1, so that it can be deleted. Blobs put or deleted during the loop may be
// seen or not. The store may be written inside the loop.
func (d *Dir) Blobs(ctx context.Context, id inbox.ID) iter.Seq2[inbox.BlobInfo, error] {
	return func(yield func(inbox.BlobInfo, error) bool) {
		for hash, err := range d.hashes(ctx, folder(id)) {
			size := int64(0)
			if err == nil {
				size, err = d.size(filePath(folder(id), hash))
			}
			switch {
			case errors.Is(err, fs.ErrNotExist):
				continue
			case errors.Is(err, ErrDamaged):
				size = -1
			case err != nil:
				yield(inbox.BlobInfo{}, listFailed(ctx, id, err))
				return
			}
			if !yield(inbox.BlobInfo{Key: newKey(id, hash), Size: size}, nil) {
				return
			}
		}
	}
}

// hashes yields the names of the blobs in a folder, in byte order.
func (d *Dir) hashes(ctx context.Context, folder string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for _, digit := range hexDigits {
			names, err := d.names(filepath.Join(folder, string(digit)))
			if err != nil {
				yield("", err)
				return
			}
			for _, name := range names {
				if err := ctx.Err(); err != nil {
					yield("", err)
					return
				}
				if !isHash(name) || !strings.HasPrefix(name, string(digit)) {
					continue
				}
				if !yield(name, nil) {
					return
				}
			}
		}
		if err := ctx.Err(); err != nil {
			yield("", err)
		}
	}
}

// names returns the sorted names in a folder; a folder that is not there is empty.
func (d *Dir) names(folder string) ([]string, error) {
	f, err := d.root.Open(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	names, err := f.Readdirnames(-1)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil // removed since it was opened
	}
	slices.Sort(names)
	return names, errors.Join(err, f.Close())
}

// size returns the raw size of the blob in a file.
func (d *Dir) size(path string) (int64, error) {
	f, err := d.root.Open(path)
	if err != nil {
		return 0, err
	}
	size, _, err := readTrailer(f)
	return size, errors.Join(err, f.Close())
}

func listFailed(ctx context.Context, id inbox.ID, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return failed("list", string(id), err)
}
