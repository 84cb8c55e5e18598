package ticket

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
)

// forgetSent forgets the drafts on other tickets that have become entries of a ticket which is about to be
// purged: without the entry nothing says that they were sent. One that was saved since stays, and so does
// one whose mail was recalled.
func (s *Service) forgetSent(ctx context.Context, t *Ticket) error {
	for e, err := range s.Store.Entries(ctx, EntryQuery{Ticket: t.ID}) {
		if err != nil {
			return err
		}
		if e.Draft == 0 {
			continue
		}
		d, err := s.Store.Draft(ctx, e.ID)
		switch {
		case errors.Is(err, storage.ErrNotFound) || err == nil && d.Ticket == t.ID:
			continue
		case err != nil:
			return err
		case e.recalled() && d.Kept:
			d.Kept = false
			_, err = s.saveDraft(ctx, d, d.Entry)
		case !e.recalled() && d.isAs(&e):
			err = s.deleteDraft(ctx, &d)
		}
		if err != nil && !errors.Is(err, storage.ErrConflict) && !errors.Is(err, storage.ErrNotFound) {
			return err
		}
	}
	return nil
}

// forgetDraftFiles forgets the files of the drafts on a ticket, wherever they lie. The drafts go with
// the ticket.
func (s *Service) forgetDraftFiles(ctx context.Context, id ID) error {
	for d, err := range s.Store.Drafts(ctx, DraftQuery{Ticket: id}) {
		if err != nil {
			return err
		}
		for _, f := range d.Files {
			if err := s.Blobs.DeleteBlob(ctx, f.Blob); err != nil {
				return err
			}
		}
	}
	return nil
}

// keepDraftFiles copies the files that drafts on tickets elsewhere have in an inbox which is about to be
// forgotten to the inboxes those tickets are in. Its own tickets are gone.
func (s *Service) keepDraftFiles(ctx context.Context, in *inbox.Inbox, own map[ID]bool) error {
	for d, err := range s.Store.Drafts(ctx, DraftQuery{Site: in.Site}) {
		if err != nil {
			return err
		}
		if own[d.Ticket] || !d.liesIn(in.ID) {
			continue
		}
		err := storage.Redo(func() error { return s.takeFiles(ctx, d.Entry, in.ID) })
		if err != nil {
			return fmt.Errorf("keep the files of a draft on ticket %q: %w", d.Ticket, err)
		}
	}
	return nil
}

// liesIn says that a file of the draft lies in an inbox.
func (d *Draft) liesIn(in inbox.ID) bool {
	return slices.ContainsFunc(d.Files, func(f DraftFile) bool { return f.Inbox == in })
}

// handOn puts the drafts on a ticket that was merged, and is about to be forgotten, on the one it was merged
// into.
func (s *Service) handOn(ctx context.Context, t *Ticket, own map[ID]bool) error {
	into, err := s.target(ctx, t.ID)
	if errors.Is(err, storage.ErrNotFound) || err == nil && own[into.ID] {
		return nil
	}
	if err != nil {
		return err
	}
	for d, err := range s.Store.Drafts(ctx, DraftQuery{Ticket: t.ID}) {
		var h begun
		if err == nil {
			h, err = s.begun(ctx, d)
		}
		if err == nil {
			h.Ticket = into.ID
			err = s.rewrite(ctx, h)
		}
		if err != nil && !errors.Is(err, storage.ErrNotFound) {
			return err
		}
	}
	return nil
}

// takeFiles copies what a draft has in an inbox to the inbox its ticket is in. What it leaves behind goes
// with that inbox. A file that is lost stays so.
func (s *Service) takeFiles(ctx context.Context, entry EntryID, from inbox.ID) error {
	d, err := s.Store.Draft(ctx, entry)
	var t Ticket
	if err == nil {
		t, err = s.Store.Ticket(ctx, d.Ticket)
	}
	if errors.Is(err, storage.ErrNotFound) || err == nil && t.Inbox == from {
		return nil // it is gone, or came here meanwhile
	}
	if err != nil {
		return err
	}
	h, err := s.begun(ctx, d)
	switch {
	case err != nil:
		return err
	case h.fate == fateGone:
		return s.deleteDraft(ctx, &d)
	}
	d = h.Draft.Clone()
	var copies []DraftFile
	for i := range d.Files {
		f := &d.Files[i]
		if f.Inbox != from {
			continue
		}
		blob, err := s.copyFile(ctx, f, t.Inbox)
		if errors.Is(err, ErrDraft) || errors.Is(err, storage.ErrDamaged) {
			continue
		}
		if err != nil {
			s.forgetFiles(ctx, &d, copies)
			return err
		}
		f.Blob, f.Inbox = blob, t.Inbox
		copies = append(copies, *f)
	}
	if len(copies) == 0 {
		return nil
	}
	h.Draft = d
	if err = s.rewrite(ctx, h); err != nil {
		s.forgetFiles(ctx, &d, copies)
	}
	return err
}

// rewrite saves a draft that its author has not changed.
func (s *Service) rewrite(ctx context.Context, d begun) error {
	if d.sent != nil && d.sent.Draft == d.Version {
		d.Sent = d.Version
	}
	_, err := s.saveDraft(ctx, d.Draft, d.Entry)
	return err
}

// copyFile keeps a file of a draft in another inbox too.
func (s *Service) copyFile(ctx context.Context, f *DraftFile, to inbox.ID) (inbox.BlobKey, error) {
	r, err := s.openFile(ctx, f)
	if err != nil {
		return "", err
	}
	defer r.Close()
	return s.putFile(ctx, to, r)
}
