// Package bucket keeps raw messages in a bucket of a cloud: an inbox.Blobs on S3, Google Cloud Storage,
// Azure Blob Storage, and whatever else has a driver for gocloud.dev/blob. The host imports the driver
// it wants, opens the bucket, and closes it after the last use of the store.
//
// A blob is one object. Its key is the prefix, the folder of its inbox and the SHA-256 of the raw bytes;
// its content is the raw bytes as they are. What follows from that:
//
//  1. An object is whole or not there. A message is read to its end before anything of it is sent, an
//     upload that breaks off is abandoned, and the service checks an MD5 of what reached it.
//  2. Reading checks the size and the hash: an object that was cut or changed is ErrDamaged, never
//     served as whole. Putting the message again repairs it.
//  3. A put that has returned is durable, as the service defines it. SyncBlobs has nothing to do. The
//     driver fileblob syncs nothing: on a disk of your own use storage/blob.
//  4. Sizes come with the listing, a thousand in one call. For that nothing is compressed: a bucket
//     takes 2.3 times the bytes of storage/blob.
//  5. Absent is only what the bucket does not list. Some drivers answer "not found" also for a bucket
//     that is gone and for an object moved to an archive tier; here those are errors of their own.
//  6. Several processes may share the bucket and the prefix. Putting always writes, also what is there:
//     that repairs, and a rule of the bucket that ends old objects counts from the last put.
//
// Keys hold ids and hashes, no names and no addresses. The raw bytes are encrypted by nobody here: turn
// on the encryption of the service, with a key of yours where that matters. storage/seal is for
// credentials and does not come into it. A bucket that keeps versions keeps deleted mail until its rules
// end them.
package bucket

import (
	"context"
	"errors"
	"fmt"
	"unicode/utf8"

	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
)

// ErrDamaged says that the object of a blob is not what was put: cut or changed. Putting the message
// again repairs it.
var ErrDamaged = fmt.Errorf("blob is %w", storage.ErrDamaged)

// Options of a store. The zero value is ready to use.
type Options struct {
	// Prefix is what every key begins with, for a bucket that has other things in it: "mail/". UTF-8 of
	// at most 512 bytes. Default: none.
	Prefix string
	// TempDir is where what a message has beyond 1 MiB waits while it is put, in a file that loses its
	// name at once where the system allows that. Default os.TempDir.
	TempDir string
}

// Store is an inbox.Blobs in a bucket. It may be used concurrently.
type Store struct {
	bucket  *blob.Bucket
	prefix  string
	tempDir string
}

var _ inbox.Blobs = (*Store)(nil)

// maxPrefix leaves room for folder and hash: services take keys of 1,024 bytes.
const maxPrefix = 512

// Open returns the store in b. It asks for a listing first, so that a bucket that is not there, or may
// not be listed, is noticed at the start. Errors of the service can be told apart with gcerrors.Code.
func Open(ctx context.Context, b *blob.Bucket, o Options) (*Store, error) {
	if !utf8.ValidString(o.Prefix) || len(o.Prefix) > maxPrefix {
		return nil, fmt.Errorf("open blobs: prefix %q is not UTF-8 of at most %d bytes", o.Prefix, maxPrefix)
	}
	s := &Store{bucket: b, prefix: o.Prefix, tempDir: o.TempDir}
	if _, err := s.lists(ctx, s.prefix); err != nil {
		return nil, fmt.Errorf("open blobs: %w", err)
	}
	return s, nil
}

// SyncBlobs has nothing to do: a blob is durable when PutBlob has returned.
func (s *Store) SyncBlobs(ctx context.Context, _ inbox.ID) error { return ctx.Err() }

// DeleteBlob removes the object of a blob. That there is none is fine.
func (s *Store) DeleteBlob(ctx context.Context, key inbox.BlobKey) error {
	id, hash, ok := splitKey(key)
	if !ok {
		return ctx.Err()
	}
	object := s.object(id, hash)
	err := s.bucket.Delete(ctx, object)
	if err = s.absent(ctx, object, err); errors.Is(err, storage.ErrNotFound) {
		return nil
	}
	return failed(ctx, "delete", string(key), err)
}

// absent turns the error of a driver that did not find an object into storage.ErrNotFound, if the bucket
// does not list the object either. Other errors stay as they are.
func (s *Store) absent(ctx context.Context, object string, err error) error {
	if gcerrors.Code(err) != gcerrors.NotFound {
		return err
	}
	there, listErr := s.lists(ctx, object)
	switch {
	case listErr != nil:
		return listErr
	case there:
		return err
	}
	return storage.ErrNotFound
}

// lists says whether the bucket lists an object whose key begins with prefix.
func (s *Store) lists(ctx context.Context, prefix string) (bool, error) {
	found, _, err := s.bucket.ListPage(ctx, blob.FirstPageToken, 1, &blob.ListOptions{Prefix: prefix})
	return len(found) > 0, err
}

// failed says what was being done. The end of ctx is told as it is, whatever a driver made of it.
func failed(ctx context.Context, op, id string, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	}
	return &storage.Error{Op: op, Entity: "blob", ID: id, Err: err}
}
