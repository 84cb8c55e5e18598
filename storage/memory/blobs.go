package memory

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"iter"
	"strings"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
)

// blobs are the raw messages of one inbox.
type blobs struct {
	sorted *sorted[blob]
	byKey  map[inbox.BlobKey]*blob
}

type blob struct {
	key inbox.BlobKey
	raw []byte // never changed
}

// PutBlob keeps what r holds and returns its key; see inbox.Blobs.
func (s *Store) PutBlob(ctx context.Context, id inbox.ID, r io.Reader) (inbox.BlobInfo, error) {
	if err := ctx.Err(); err != nil {
		return inbox.BlobInfo{}, err
	}
	raw, err := io.ReadAll(r)
	if err != nil {
		return inbox.BlobInfo{}, fmt.Errorf("put blob of inbox %q: %w", string(id), err)
	}
	sum := sha256.Sum256(raw)
	b := &blob{key: inbox.BlobKey(string(id) + "/" + hex.EncodeToString(sum[:])), raw: raw}
	unlock, err := s.write(ctx)
	if err != nil {
		return inbox.BlobInfo{}, err
	}
	defer unlock()
	of := s.blobs[id]
	if of == nil {
		of = &blobs{
			sorted: &sorted[blob]{compare: func(a, b *blob) int { return cmp.Compare(a.key, b.key) }},
			byKey:  make(map[inbox.BlobKey]*blob),
		}
		s.blobs[id] = of
	}
	if of.byKey[b.key] == nil {
		of.byKey[b.key] = b
		of.sorted.put(b)
	}
	return inbox.BlobInfo{Key: b.key, Size: int64(len(raw))}, nil
}

// SyncBlobs has nothing to do: no blob of this store outlives the process.
func (s *Store) SyncBlobs(ctx context.Context, _ inbox.ID) error { return ctx.Err() }

// OpenBlob returns the raw bytes; see inbox.Blobs.
func (s *Store) OpenBlob(ctx context.Context, key inbox.BlobKey) (io.ReadCloser, error) {
	unlock, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if of := s.blobs[inboxOf(key)]; of != nil {
		if b := of.byKey[key]; b != nil {
			return io.NopCloser(bytes.NewReader(b.raw)), nil
		}
	}
	return nil, refuse("open", "blob", key, storage.ErrNotFound)
}

// DeleteBlob forgets a blob; see inbox.Blobs.
func (s *Store) DeleteBlob(ctx context.Context, key inbox.BlobKey) error {
	unlock, err := s.write(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	of := s.blobs[inboxOf(key)]
	if of == nil || of.byKey[key] == nil {
		return nil
	}
	of.sorted.remove(of.byKey[key])
	delete(of.byKey, key)
	if of.sorted.empty() {
		delete(s.blobs, inboxOf(key))
	}
	return nil
}

// Blobs yields the blobs of an inbox by key in byte order; see inbox.Blobs.
func (s *Store) Blobs(ctx context.Context, id inbox.ID) iter.Seq2[inbox.BlobInfo, error] {
	l := list[blob]{
		from: func() *sorted[blob] {
			if of := s.blobs[id]; of != nil {
				return of.sorted
			}
			return nil
		},
	}
	return func(yield func(inbox.BlobInfo, error) bool) {
		for b, err := range l.yield(ctx, s) {
			if err != nil {
				yield(inbox.BlobInfo{}, err)
				return
			}
			if !yield(inbox.BlobInfo{Key: b.key, Size: int64(len(b.raw))}, nil) {
				return
			}
		}
	}
}

func inboxOf(key inbox.BlobKey) inbox.ID {
	return inbox.ID(key[:max(0, strings.LastIndexByte(string(key), '/'))])
}
