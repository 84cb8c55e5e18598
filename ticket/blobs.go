package ticket

import (
	"context"
	"io"

	"github.com/workinbox/workinbox/inbox"
)

// BlobsInUse says which of an inbox's blobs something still refers to: its stored mail, mail written
// here, or the file of a draft. It is what blob.Dir.Sweep asks for. The answer is that of the moment of
// the call: a blob put later is not in it, so only blobs that are older than the call may be removed.
// It is the engine's own, and reads all mail of the inbox, of which it holds the keys.
func (s *Service) BlobsInUse(ctx context.Context, id inbox.ID) (func(inbox.BlobKey) (bool, error), error) {
	in, err := s.engineInbox(ctx, id)
	if err != nil {
		return nil, err
	}
	used := make(map[inbox.BlobKey]struct{})
	// In the order in which bytes pass from one to the next: what is sent meanwhile is met twice, not never.
	for d, err := range s.Store.Drafts(ctx, DraftQuery{Site: in.Site}) {
		if err != nil {
			return nil, err
		}
		for _, f := range d.Files {
			used[f.Blob] = struct{}{}
		}
	}
	for e, err := range s.Store.Entries(ctx, EntryQuery{Inbox: id}) {
		if err != nil {
			return nil, err
		}
		if e.Outgoing != nil && e.Outgoing.Blob != "" {
			used[e.Outgoing.Blob] = struct{}{}
		}
	}
	for m, err := range s.Archive.Messages(ctx, inbox.MessageQuery{Inbox: id, Hidden: true}) {
		if err != nil {
			return nil, err
		}
		if m.Blob != "" {
			used[m.Blob] = struct{}{}
		}
	}
	return func(key inbox.BlobKey) (bool, error) {
		_, ok := used[key]
		return ok, nil
	}, nil
}

// put keeps a raw mail, or the file of a draft, durably.
func (s *Service) put(ctx context.Context, id inbox.ID, raw io.Reader) (inbox.BlobInfo, error) {
	blob, err := s.Blobs.PutBlob(ctx, id, raw)
	if err != nil {
		return inbox.BlobInfo{}, err
	}
	if err := s.Blobs.SyncBlobs(ctx, id); err != nil {
		s.forget(ctx, blob.Key)
		return inbox.BlobInfo{}, err
	}
	return blob, nil
}

// forget deletes what was kept and that nothing names any more, best effort. A raw mail that may have left
// is for inbox.Service.ForgetRaw.
func (s *Service) forget(ctx context.Context, key inbox.BlobKey) {
	if err := s.Blobs.DeleteBlob(context.WithoutCancel(ctx), key); err != nil {
		s.Logger.WarnContext(ctx, "forget a blob", "err", err)
	}
}
