package storagetest_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"iter"
	"slices"
	"strings"
	"sync"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/storage/memory"
)

// bentVault is a right vault of which one thing is changed.
type bentVault struct {
	*memory.Store
	mu     sync.Mutex
	key    func(k *inbox.VaultKey)
	save   func(k inbox.VaultKey, cred *provider.Credential, expect *storage.Version)
	read   func(version storage.Version, err error) (storage.Version, error)
	delete func(k inbox.VaultKey) error
}

func (b *bentVault) Credential(
	ctx context.Context, k inbox.VaultKey,
) (provider.Credential, storage.Version, error) {
	call(b.key, &k)
	cred, v, err := b.Store.Credential(ctx, k)
	if b.read != nil {
		v, err = b.read(v, err)
	}
	return cred, v, err
}

func (b *bentVault) SaveCredential(
	ctx context.Context, k inbox.VaultKey, cred provider.Credential, expect storage.Version,
) (storage.Version, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	call(b.key, &k)
	if b.save != nil {
		b.save(k, &cred, &expect)
	}
	return b.Store.SaveCredential(ctx, k, cred, expect)
}

func (b *bentVault) DeleteCredential(ctx context.Context, k inbox.VaultKey) error {
	call(b.key, &k)
	if b.delete != nil {
		return b.delete(k)
	}
	return b.Store.DeleteCredential(ctx, k)
}

func overwrite(s *memory.Store) func(inbox.VaultKey, *provider.Credential, *storage.Version) {
	return func(k inbox.VaultKey, _ *provider.Credential, expect *storage.Version) {
		_, *expect, _ = s.Credential(background, k)
	}
}

var brokenVaults = []broken[inbox.Vault]{
	{"Vault/RoundTrip", "text only", func(s *memory.Store) inbox.Vault {
		return &bentVault{Store: s, save: func(
			_ inbox.VaultKey, cred *provider.Credential, _ *storage.Version,
		) {
			*cred = provider.NewCredential(bytes.ToValidUTF8(cred.Reveal(), []byte("?")))
		}}
	}},
	{"Vault/NotFound", "nothing is no error", func(s *memory.Store) inbox.Vault {
		return &bentVault{Store: s, read: func(v storage.Version, _ error) (storage.Version, error) {
			return v, nil
		}}
	}},
	{"Vault/CompareAndSet", "last write wins", func(s *memory.Store) inbox.Vault {
		return &bentVault{Store: s, save: overwrite(s)}
	}},
	{"Vault/SecretsSeparate", "one secret an inbox", func(s *memory.Store) inbox.Vault {
		return &bentVault{Store: s,
			key:  func(k *inbox.VaultKey) { k.Use = inbox.UseMailbox },
			save: overwrite(s)}
	}},
	{"Vault/SecretsSeparate", "all are deleted", func(s *memory.Store) inbox.Vault {
		return &bentVault{Store: s, delete: func(k inbox.VaultKey) error {
			consent := inbox.VaultKey{Inbox: k.Inbox, Use: inbox.UseConsent}
			return errors.Join(s.DeleteCredential(background, k), s.DeleteCredential(background, consent))
		}}
	}},
	{"Vault/DeleteForgets", "forgets nothing", func(s *memory.Store) inbox.Vault {
		return &bentVault{Store: s, delete: func(inbox.VaultKey) error { return nil }}
	}},
	{"Vault/DeleteForgets", "absent is not found", func(s *memory.Store) inbox.Vault {
		return &bentVault{Store: s, delete: func(k inbox.VaultKey) error {
			_, _, err := s.Credential(background, k)
			return errors.Join(err, s.DeleteCredential(background, k))
		}}
	}},
	{"Vault/ConflictExactlyOneWins", "all win", func(s *memory.Store) inbox.Vault {
		return &bentVault{Store: s, save: overwrite(s)}
	}},
}

// bentBlobs is a right blob store of which one thing is changed.
type bentBlobs struct {
	*memory.Store
	put  func(id inbox.ID, raw []byte, err error) (inbox.BlobInfo, error)
	open func(key inbox.BlobKey, r io.ReadCloser, err error) (io.ReadCloser, error)
	drop func(key inbox.BlobKey) error
	sync func(id inbox.ID) error
	list func(iter.Seq2[inbox.BlobInfo, error]) iter.Seq2[inbox.BlobInfo, error]
}

func (b *bentBlobs) PutBlob(ctx context.Context, id inbox.ID, r io.Reader) (inbox.BlobInfo, error) {
	if b.put != nil {
		raw, err := io.ReadAll(r)
		return b.put(id, raw, err)
	}
	return b.Store.PutBlob(ctx, id, r)
}

func (b *bentBlobs) OpenBlob(ctx context.Context, key inbox.BlobKey) (io.ReadCloser, error) {
	r, err := b.Store.OpenBlob(ctx, key)
	if b.open != nil {
		return b.open(key, r, err)
	}
	return r, err
}

func (b *bentBlobs) DeleteBlob(ctx context.Context, key inbox.BlobKey) error {
	if b.drop != nil {
		if err := b.drop(key); err != nil {
			return err
		}
	}
	return b.Store.DeleteBlob(ctx, key)
}

func (b *bentBlobs) SyncBlobs(ctx context.Context, id inbox.ID) error {
	if b.sync != nil {
		return b.sync(id)
	}
	return b.Store.SyncBlobs(ctx, id)
}

func (b *bentBlobs) Blobs(ctx context.Context, id inbox.ID) iter.Seq2[inbox.BlobInfo, error] {
	return through(b.list, b.Store.Blobs(ctx, id))
}

func putRaw(s *memory.Store, id inbox.ID, raw []byte) (inbox.BlobInfo, error) {
	return s.PutBlob(background, id, bytes.NewReader(raw))
}

var brokenBlobs = []broken[inbox.Blobs]{
	{"Blobs/RoundTrip", "turns line ends", func(s *memory.Store) inbox.Blobs {
		return &bentBlobs{Store: s, put: func(id inbox.ID, raw []byte, _ error) (inbox.BlobInfo, error) {
			return putRaw(s, id, bytes.ReplaceAll(raw, []byte("\r\n"), []byte("\n")))
		}}
	}},
	{"Blobs/ContentAddressed", "every put is new", func(s *memory.Store) inbox.Blobs {
		return &bentBlobs{Store: s, put: func(id inbox.ID, raw []byte, _ error) (inbox.BlobInfo, error) {
			_, _ = putRaw(s, id, append(raw, '!'))
			return putRaw(s, id, raw)
		}}
	}},
	{"Blobs/NotFound", "opens by the hash alone", func(s *memory.Store) inbox.Blobs {
		return &bentBlobs{Store: s, open: func(
			key inbox.BlobKey, r io.ReadCloser, err error,
		) (io.ReadCloser, error) {
			if err == nil {
				return r, nil
			}
			_, hash, _ := strings.Cut(string(key), "/")
			return s.OpenBlob(background, inbox.BlobKey("in-1/"+hash))
		}}
	}},
	{"Blobs/ReaderFails", "keeps the beginning", func(s *memory.Store) inbox.Blobs {
		return &bentBlobs{Store: s, put: func(id inbox.ID, raw []byte, err error) (inbox.BlobInfo, error) {
			info, _ := putRaw(s, id, raw)
			return info, err
		}}
	}},
	{"Blobs/InboxesApart", "one delete for all", func(s *memory.Store) inbox.Blobs {
		return &bentBlobs{Store: s, drop: func(key inbox.BlobKey) error {
			_, hash, _ := strings.Cut(string(key), "/")
			return s.DeleteBlob(background, inbox.BlobKey("in-1/"+hash))
		}}
	}},
	{"Blobs/DeleteForgets", "absent is not found", func(s *memory.Store) inbox.Blobs {
		return &bentBlobs{Store: s, drop: func(key inbox.BlobKey) error {
			_, err := s.OpenBlob(background, key)
			return err
		}}
	}},
	{"Blobs/ByteOrder", "as they came", func(s *memory.Store) inbox.Blobs {
		return &bentBlobs{Store: s, list: resorted(func(a, b inbox.BlobInfo) int {
			return int(a.Size - b.Size)
		})}
	}},
	{"Blobs/SyncKeeps", "sweeps other inboxes", func(s *memory.Store) inbox.Blobs {
		return &bentBlobs{Store: s, sync: func(inbox.ID) error {
			for b := range s.Blobs(background, "in-2") {
				_ = s.DeleteBlob(background, b.Key)
			}
			return nil
		}}
	}},
	{"Blobs/BigBlob", "short", func(s *memory.Store) inbox.Blobs {
		return &bentBlobs{Store: s, open: func(
			_ inbox.BlobKey, r io.ReadCloser, err error,
		) (io.ReadCloser, error) {
			if err != nil {
				return nil, err
			}
			return io.NopCloser(io.LimitReader(r, 1<<20)), nil
		}}
	}},
	{"Blobs/SameAtOnce", "the second one fails", func(s *memory.Store) inbox.Blobs {
		return &bentBlobs{Store: s, put: func(id inbox.ID, raw []byte, _ error) (inbox.BlobInfo, error) {
			there := slices.Collect(firsts(s.Blobs(background, id)))
			if len(there) > 0 {
				return inbox.BlobInfo{}, storage.ErrExists
			}
			return putRaw(s, id, raw)
		}}
	}},
	{"Blobs/WriteWhileReading", "one connection", func(s *memory.Store) inbox.Blobs {
		return single(s, 1, true)
	}},
	{"Blobs/CancelledContext", "does not hear", func(s *memory.Store) inbox.Blobs {
		return &deaf{s, false}
	}},
	{"Blobs/BreakReleases", "keeps a connection", func(s *memory.Store) inbox.Blobs {
		return single(s, 8, false)
	}},
}

func firsts[V any](seq iter.Seq2[V, error]) iter.Seq[V] {
	return func(yield func(V) bool) {
		for v := range seq {
			if !yield(v) {
				return
			}
		}
	}
}
