package inbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"

	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/provider/rfc822"
	"github.com/workinbox/workinbox/storage"
)

// ReasonPurged is the reason of Rejected that Erase leaves: the mail was stored, and somebody purged
// it. No sync, rule change or backfill lets it in again.
const ReasonPurged filter.Reason = "purged"

// Erase forgets single mails of an inbox for good, each with its text, its raw bytes and the copies
// linked to it (R-TKT-05). What stays is the remote id, the thread and the received time, so that no
// later sync, rule change or backfill brings the mail back; the mailbox itself is not touched. Another
// mail that has the same raw bytes keeps them. Mails that are not there are passed over; one of
// another inbox is storage.ErrNotFound, and then nothing is erased.
//
// It is the engine's own: package ticket purges its trash with it. What ends with an error is repeated
// until it ends without: some of the mails may be erased by then, and of others only the raw bytes be
// gone. A sync of the inbox that is under way ends in storage.ErrConflict and goes on the next time.
// About four megabytes of raw mail are in memory at a time, or one mail where that is bigger.
func (s *Service) Erase(ctx context.Context, id ID, mails ...MessageID) error {
	todo, err := s.erasable(ctx, id, mails)
	if err != nil {
		return err
	}
	for group := range steps(todo, func(m Message) int64 { return m.Size }) {
		if err := s.eraseGroup(ctx, id, group); err != nil {
			return fmt.Errorf("erase mail of inbox %q: %w", id, err)
		}
	}
	return nil
}

// erasePage is how many mails one step of Erase takes.
const erasePage = 100

// steps yields groups of what is to be erased: a page of stepBytes at most, or one that is bigger.
func steps[T any](all []T, size func(T) int64) iter.Seq[[]T] {
	return func(yield func([]T) bool) {
		for len(all) > 0 {
			n, sum := 1, size(all[0])
			for n < len(all) && n < erasePage && sum+size(all[n]) <= stepBytes {
				sum += size(all[n])
				n++
			}
			if !yield(all[:n]) {
				return
			}
			all = all[n:]
		}
	}
}

// erasable loads the mails that are still there.
func (s *Service) erasable(ctx context.Context, id ID, mails []MessageID) ([]Message, error) {
	var out []Message
	have := make(map[MessageID]bool, len(mails))
	for _, mail := range mails {
		if have[mail] {
			continue
		}
		have[mail] = true
		m, err := s.Store.Message(ctx, mail)
		if errors.Is(err, storage.ErrNotFound) {
			continue
		}
		if err == nil && m.Inbox != id {
			err = notFoundMessage(mail)
		}
		if err != nil {
			return nil, fmt.Errorf("erase mail of inbox %q: %w", id, err)
		}
		out = append(out, m)
	}
	return out, nil
}

// eraseGroup erases mails in one step. The raw bytes go before the mails that name them, or a crash
// would leave bytes that nothing names. That no mail of the same bytes came in meanwhile shows in the
// state: a sync under way is stopped first, and if any other has stored something the step is refused,
// the bytes are put back, and it is done again. Where another erased a mail meanwhile nothing names what was
// put back, and that goes too.
func (s *Service) eraseGroup(ctx context.Context, id ID, group []Message) error {
	ids := make([]MessageID, len(group))
	for i := range group {
		ids[i] = group[i].ID
	}
	var back []BlobInfo // what was put back
	return storage.Redo(func() error {
		if err := s.fence(ctx, id); err != nil {
			return err
		}
		state, err := s.Store.SyncState(ctx, id)
		if err != nil {
			return err
		}
		mails, err := s.withCopies(ctx, id, ids)
		if err != nil {
			return err
		}
		if len(mails) == 0 {
			return s.ForgetRaw(ctx, id, back...)
		}
		state.Inbox = id
		imp := Import{State: state}
		for i := range mails {
			m := &mails[i]
			imp.Erase = append(imp.Erase, m.ID)
			imp.Reject = append(imp.Reject, Rejected{Remote: m.Remote, Thread: m.Thread, Received: m.Received, Reason: ReasonPurged})
		}
		err = s.withoutBlobs(ctx, id, mails, func() error {
			_, err := s.Store.Commit(ctx, imp)
			return err
		})
		if conflict(err) {
			for i := range mails {
				back = append(back, BlobInfo{Key: mails[i].Blob, Size: mails[i].Size})
			}
		}
		if err != nil {
			return err
		}
		return s.ForgetRaw(ctx, id, back...)
	})
}

// withCopies loads the mails that are still there and the copies linked to them.
func (s *Service) withCopies(ctx context.Context, id ID, ids []MessageID) ([]Message, error) {
	mails, err := s.erasable(ctx, id, ids)
	if err != nil {
		return nil, err
	}
	have := make(map[MessageID]bool, len(mails))
	var rfc []string
	for i := range mails {
		have[mails[i].ID] = true
		if mails[i].RFCID != "" {
			rfc = append(rfc, mails[i].RFCID)
		}
	}
	if len(rfc) == 0 {
		return mails, nil
	}
	for m, err := range s.Store.Messages(ctx, MessageQuery{Inbox: id, RFCIDs: rfc, Hidden: true}) {
		if err != nil {
			return nil, err
		}
		if have[m.CopyOf] && !have[m.ID] {
			have[m.ID] = true
			mails = append(mails, m)
		}
	}
	return mails, nil
}

// withoutBlobs deletes the raw bytes that only these mails have and then calls do. When nothing came of
// it, what was deleted is put back; where that is not known it stays deleted, or it could be there with
// nothing that names it.
func (s *Service) withoutBlobs(ctx context.Context, id ID, mails []Message, do func() error) error {
	keys, err := s.onlyBlobs(ctx, id, mails)
	if err != nil {
		return err
	}
	var gone [][]byte
	for _, key := range keys {
		raw, e := s.readBlob(ctx, key)
		switch {
		case e == nil:
			gone = append(gone, raw)
		case !lost(e):
			err = e // what cannot be read now could not be put back
		}
		if err == nil {
			err = s.Blobs.DeleteBlob(ctx, key)
		}
		if err != nil {
			break
		}
	}
	if err == nil {
		err = do()
	}
	if err == nil || len(gone) == 0 || errors.Is(err, storage.ErrAmbiguous) {
		return err
	}
	ctx = context.WithoutCancel(ctx)
	for _, raw := range gone {
		if _, e := s.Blobs.PutBlob(ctx, id, bytes.NewReader(raw)); e != nil {
			return errors.Join(err, e)
		}
	}
	if e := s.Blobs.SyncBlobs(ctx, id); e != nil {
		return errors.Join(err, e)
	}
	return err
}

// lost says that there is nothing to be had of a blob any more, for good.
func lost(err error) bool {
	return errors.Is(err, storage.ErrNotFound) || errors.Is(err, storage.ErrDamaged)
}

func (s *Service) readBlob(ctx context.Context, key BlobKey) ([]byte, error) {
	r, err := s.Blobs.OpenBlob(ctx, key)
	if err != nil {
		return nil, err
	}
	raw, err := io.ReadAll(r)
	return raw, errors.Join(err, r.Close())
}

// ForgetRaw forgets raw mails of an inbox that were kept to be sent. What a stored mail has is passed
// over: the copy in the sent folder may have the very bytes, and so the same blob. Absent is fine.
//
// It is the engine's own. After an error some may be gone; it is repeated until it ends without. A sync
// of the inbox that is under way ends in storage.ErrConflict and goes on the next time.
func (s *Service) ForgetRaw(ctx context.Context, id ID, raws ...BlobInfo) error {
	for group := range steps(raws, func(r BlobInfo) int64 { return r.Size }) {
		if err := s.forgetGroup(ctx, id, group); err != nil {
			return fmt.Errorf("forget raw mail of inbox %q: %w", id, err)
		}
	}
	return nil
}

// forgetGroup is ForgetRaw in one step, which is to raw mail what eraseGroup is to stored mail.
func (s *Service) forgetGroup(ctx context.Context, id ID, raws []BlobInfo) error {
	var mails []Message
	for _, r := range raws {
		m := Message{Blob: r.Key}
		var err error
		if m.RFCID, err = s.rawID(ctx, r.Key); errors.Is(err, storage.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		mails = append(mails, m)
	}
	return storage.Redo(func() error {
		keys, err := s.onlyBlobs(ctx, id, mails)
		if err != nil || len(keys) == 0 {
			return err
		}
		if err = s.fence(ctx, id); errors.Is(err, storage.ErrNotFound) { // the inbox is gone
			return s.deleteBlobs(ctx, keys)
		}
		var state SyncState
		if err == nil {
			state, err = s.Store.SyncState(ctx, id)
		}
		if err == nil {
			state.Inbox = id
			err = s.withoutBlobs(ctx, id, mails, func() error {
				_, err := s.Store.Commit(ctx, Import{State: state})
				return err
			})
		}
		return err
	})
}

func (s *Service) deleteBlobs(ctx context.Context, keys []BlobKey) error {
	for _, key := range keys {
		if err := s.Blobs.DeleteBlob(ctx, key); err != nil {
			return err
		}
	}
	return nil
}

// rawID reads the Message-ID of a raw mail; none where it has none, or is damaged.
func (s *Service) rawID(ctx context.Context, key BlobKey) (string, error) {
	r, err := s.Blobs.OpenBlob(ctx, key)
	if err == nil {
		var h rfc822.Header
		h, err = rfc822.ReadHeader(r, s.Limits)
		if err = errors.Join(err, r.Close()); err == nil {
			return h.Envelope().MessageID, nil
		}
	}
	if errors.Is(err, storage.ErrDamaged) {
		return "", nil
	}
	return "", err
}

// onlyBlobs returns the blobs of these mails that no other mail of the inbox has. Mails of the same
// bytes have the same Message-ID; where one has none, all mail is looked at.
func (s *Service) onlyBlobs(ctx context.Context, id ID, mails []Message) ([]BlobKey, error) {
	q := MessageQuery{Inbox: id, Hidden: true}
	erased := make(map[MessageID]bool, len(mails))
	var keys []BlobKey
	nameless := false
	for i := range mails {
		m := &mails[i]
		erased[m.ID] = true
		if m.Blob == "" || slices.Contains(keys, m.Blob) {
			continue
		}
		keys = append(keys, m.Blob)
		nameless = nameless || m.RFCID == ""
		q.RFCIDs = append(q.RFCIDs, m.RFCID)
	}
	if len(keys) == 0 {
		return nil, nil
	}
	if nameless {
		q.RFCIDs = nil
	}
	for m, err := range s.Store.Messages(ctx, q) {
		if err != nil {
			return nil, err
		}
		if i := slices.Index(keys, m.Blob); i >= 0 && !erased[m.ID] {
			keys = slices.Delete(keys, i, i+1)
		}
	}
	return keys, nil
}
