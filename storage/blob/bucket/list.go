package bucket

import (
	"context"
	"io"
	"iter"
	"strings"

	"gocloud.dev/blob"

	"github.com/workinbox/workinbox/inbox"
)

// Blobs yields the blobs of an inbox by key in byte order, each with the size of its object, which is
// its raw size unless it was damaged. Blobs put or deleted during the loop may be seen or not. The store
// may be written inside the loop.
func (s *Store) Blobs(ctx context.Context, id inbox.ID) iter.Seq2[inbox.BlobInfo, error] {
	return func(yield func(inbox.BlobInfo, error) bool) {
		folder := s.folder(id)
		objects := s.bucket.List(&blob.ListOptions{Prefix: folder})
		for {
			err := ctx.Err()
			var object *blob.ListObject
			if err == nil {
				object, err = objects.Next(ctx)
			}
			if err == io.EOF {
				return
			}
			if err != nil {
				yield(inbox.BlobInfo{}, failed(ctx, "list", string(id), err))
				return
			}
			hash := strings.TrimPrefix(object.Key, folder)
			if !isHash(hash) {
				continue // somebody else's
			}
			if !yield(inbox.BlobInfo{Key: newKey(id, hash), Size: object.Size}, nil) {
				return
			}
		}
	}
}
