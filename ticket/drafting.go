package ticket

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
)

// SaveDraft keeps what the actor writes on a ticket. Nobody else sees it. It needs the right to do what
// the draft is of: to note, to reply, to forward. What is too large, or of no kind, is ErrDraft.
//
// Version and Entry say which draft the person has before them, Version 0 none: where another is stored
// by now the error is ErrDraftConflict, so that two windows do not overwrite each other. Who has several
// on a ticket (see Draft) names one by Entry. Site, Ticket, Author, Files, Kept, Sent and SavedAt are the
// service's own, whatever d holds; files stay as they are. On a ticket that was merged it is saved on the
// one it was merged into (R-TKT-06).
func (s *Service) SaveDraft(ctx context.Context, actor acl.Actor, id ID, d Draft) (Draft, error) {
	into := id
	if err := s.mergedInto(ctx, actor, &into); err != nil {
		return Draft{}, err
	}
	if into != id {
		if _, _, err := s.visibleTicket(ctx, actor, id); err != nil {
			return Draft{}, err // nobody learns what was merged from what they may not see
		}
		id = into
	}
	t, err := s.mayDraft(ctx, actor, id, d.Kind)
	if err != nil {
		return Draft{}, err
	}
	if err := d.clean(); err != nil {
		return Draft{}, fmt.Errorf("draft on ticket %q: %w", id, err)
	}
	now, err := s.ownDraft(ctx, actor, id, func(h *begun) bool { return d.Entry == "" || h.Entry == d.Entry })
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return Draft{}, err
	}
	if d.Version != now.Version || d.Entry != "" && d.Entry != now.Entry {
		return Draft{}, fmt.Errorf("draft on ticket %q: %w", id, ErrDraftConflict)
	}
	if d.Entry = now.Entry; now.fate != fateOpen || d.Entry == "" {
		d.Entry = EntryID(s.NewID())
	}
	d.Site, d.Ticket, d.Author, d.Files = t.Site, t.ID, actor.User, now.Files
	d.Kept, d.Sent, d.SavedAt = false, 0, s.now()
	return s.saveDraft(ctx, d, now.Entry)
}

// Draft returns what the actor has begun to write on a ticket they may see, or storage.ErrNotFound. Of
// several it is the one that was saved last: somebody has more than one where they began another before
// they took back a mail (Recall), or where a ticket with a draft of theirs was merged into this one. Drafts
// has the others.
func (s *Service) Draft(ctx context.Context, actor acl.Actor, id ID) (Draft, error) {
	if _, _, err := s.visibleTicket(ctx, actor, id); err != nil {
		return Draft{}, err
	}
	d, err := s.ownDraft(ctx, actor, id, func(*begun) bool { return true })
	return d.Draft, err
}

// Drafts yields what the actor has begun to write on tickets they may still see, by ticket.
func (s *Service) Drafts(ctx context.Context, actor acl.Actor) iter.Seq2[Draft, error] {
	return func(yield func(Draft, error) bool) {
		for d, err := range s.ownDrafts(ctx, actor, "") {
			if err == nil {
				err = s.mergedInto(ctx, actor, &d.Ticket)
			}
			if err == nil {
				_, _, err = s.visibleTicket(ctx, actor, d.Ticket)
			}
			if err != nil && refused(err) {
				continue
			}
			if !yield(d.Draft, err) || err != nil {
				return
			}
		}
	}
}

// DiscardDraft forgets the actor's draft of that Entry on a ticket with its files, also where they may not
// see the ticket any more. storage.ErrNotFound says that there is none, ErrDraftConflict that it was sent
// meanwhile.
func (s *Service) DiscardDraft(ctx context.Context, actor acl.Actor, id ID, entry EntryID) error {
	var d begun
	err := storage.Redo(func() error {
		var err error
		if d, err = s.namedDraft(ctx, actor, id, entry); err != nil {
			return err
		}
		return s.deleteDraft(ctx, &d.Draft)
	})
	if err != nil || d.sent != nil {
		return err
	}
	// One that is gone cannot be told from one that was sent first.
	if d.sent, err = s.becameOf(ctx, &d.Draft); d.sent != nil {
		err = fmt.Errorf("draft on ticket %q: %w", id, ErrDraftConflict)
	}
	return err
}

// mayDraft returns a ticket on which somebody may do what a draft is of.
func (s *Service) mayDraft(ctx context.Context, actor acl.Actor, id ID, kind EntryKind) (Ticket, error) {
	t, err := s.Store.Ticket(ctx, id)
	if err != nil {
		return Ticket{}, err
	}
	action, known := map[EntryKind]acl.Action{
		EntryNoted: acl.AddNote, EntryReplied: acl.Reply, EntryForwarded: acl.Forward,
	}[kind]
	if !known {
		action = acl.ViewTickets
	}
	if _, err := s.allow(ctx, actor, &t, action); err != nil {
		return Ticket{}, err
	}
	if !known {
		return Ticket{}, fmt.Errorf("draft on ticket %q: kind %.40q is none of replied, forwarded and noted: %w",
			id, kind, ErrDraft)
	}
	return t, nil
}

// fate is what has become of a draft.
type fate int

const (
	fateOpen fate = iota // it was never sent
	fatePart             // an earlier version of it was
	fateBack             // it was, and the mail was recalled
	fateAway             // it was, and the mail has not left, or not surely
	fateGone             // it was, and is of no use any more
)

// keptFor is how long a mail may take from when Reply keeps what it was written as until it is queued.
const keptFor = time.Hour

// begun is a draft of somebody with what has become of it, and the entry it was sent as, if it was.
type begun struct {
	Draft
	fate fate
	sent *Entry
}

// open says that the draft can be worked on.
func (b *begun) open() bool { return b.fate < fateAway }

func (s *Service) begun(ctx context.Context, d Draft) (begun, error) {
	sent, err := s.becameOf(ctx, &d)
	h := begun{Draft: d, sent: sent}
	switch {
	case err != nil:
		return begun{}, err
	case sent == nil && d.Kept && s.now().Sub(d.SavedAt) > keptFor:
		h.fate = fateGone // the process died before the mail was queued
	case sent == nil && d.Kept:
		h.fate = fateAway
	case sent == nil:
	case sent.recalled():
		h.fate = fateBack
	case !d.isAs(sent):
		h.fate = fatePart
	case sent.Outgoing == nil || sent.Outgoing.State == OutgoingSent:
		h.fate = fateGone
	default:
		h.fate = fateAway
	}
	return h, nil
}

// ownDrafts yields the actor's drafts that can be worked on, of one ticket where that is named. Those that
// have done what they were for, and were not forgotten, are forgotten.
func (s *Service) ownDrafts(ctx context.Context, actor acl.Actor, id ID) iter.Seq2[begun, error] {
	return func(yield func(begun, error) bool) {
		if actor.User == "" || actor.Site == "" {
			return
		}
		for d, err := range s.Store.Drafts(ctx, DraftQuery{Site: inbox.SiteID(actor.Site), Ticket: id, Author: actor.User}) {
			var h begun
			if err == nil {
				h, err = s.begun(ctx, d)
			}
			switch {
			case err == nil && h.fate == fateGone:
				s.forgetDraft(ctx, &d)
			case err == nil && !h.open():
			case !yield(h, err) || err != nil:
				return
			}
		}
	}
}

// ownDraft returns the actor's draft on a ticket, or on one that was merged into it: of those that are
// meant the one that was saved last. storage.ErrNotFound where there is none to work on.
func (s *Service) ownDraft(ctx context.Context, actor acl.Actor, id ID, meant func(*begun) bool) (last begun, err error) {
	t, err := s.target(ctx, id)
	if errors.Is(err, storage.ErrNotFound) {
		return begun{}, noDraft(id) // as where there is a ticket that is not for them
	}
	if err != nil {
		return begun{}, err
	}
	among := t.ID
	if len(t.MergedFrom) > 0 {
		among = ""
	}
	found := false
	for h, err := range s.ownDrafts(ctx, actor, among) {
		if err != nil {
			return begun{}, err
		}
		if !meant(&h) {
			continue
		}
		if h.Ticket != t.ID {
			into, err := s.target(ctx, h.Ticket)
			if err != nil && !errors.Is(err, storage.ErrNotFound) {
				return begun{}, err
			}
			if err != nil || into.ID != t.ID {
				continue
			}
		}
		if c := h.SavedAt.Compare(last.SavedAt); !found || c > 0 || c == 0 && h.Entry > last.Entry {
			last, found = h, true
		}
	}
	if !found {
		return begun{}, noDraft(id)
	}
	return last, s.mergedInto(ctx, actor, &last.Ticket)
}

// namedDraft is ownDraft for the draft of an Entry: a call that is made again must not be about the next one.
func (s *Service) namedDraft(ctx context.Context, actor acl.Actor, id ID, entry EntryID) (begun, error) {
	return s.ownDraft(ctx, actor, id, func(h *begun) bool { return h.Entry == entry })
}

// mergedInto makes the id of a ticket that was merged that of the one it was merged into, where the actor
// may see that.
func (s *Service) mergedInto(ctx context.Context, actor acl.Actor, id *ID) error {
	t, err := s.target(ctx, *id)
	if err != nil || t.ID == *id {
		return err
	}
	_, _, err = s.visibleTicket(ctx, actor, t.ID)
	switch {
	case err == nil:
		*id = t.ID
	case refused(err):
		err = nil
	}
	return err
}

func noDraft(id ID) error {
	return &storage.Error{Op: "read", Entity: "draft", ID: string(id), Err: storage.ErrNotFound}
}

// becameOf finds the entry a draft, or an earlier version of it, was sent as; nil is none.
func (s *Service) becameOf(ctx context.Context, d *Draft) (*Entry, error) {
	for e, err := range s.Store.Entries(ctx, EntryQuery{IDs: []EntryID{d.Entry}}) {
		if err != nil {
			return nil, err
		}
		return &e, nil
	}
	return nil, nil
}

// saveDraft writes a draft over the version it has, which was to become the entry was.
func (s *Service) saveDraft(ctx context.Context, d Draft, was EntryID) (Draft, error) {
	out, err := storage.Settle(ctx,
		func() (Draft, error) { return s.Store.SaveDraft(ctx, d, was) },
		func() (Draft, bool, error) {
			now, err := s.Store.Draft(ctx, d.Entry)
			if errors.Is(err, storage.ErrNotFound) {
				return Draft{}, false, nil
			}
			want := d
			want.Version++
			return now, same(want, now), err
		})
	if errors.Is(err, storage.ErrConflict) {
		return Draft{}, fmt.Errorf("draft on ticket %q: %w", d.Ticket, ErrDraftConflict)
	}
	return out, err
}

// deleteDraft forgets a draft, if it is still the one stored, and then its files.
func (s *Service) deleteDraft(ctx context.Context, d *Draft) error {
	_, err := storage.Settle(ctx,
		func() (struct{}, error) { return struct{}{}, s.Store.DeleteDraft(ctx, d.Entry, d.Version) }, nil)
	if err != nil && !errors.Is(err, storage.ErrConflict) {
		// A store may lose its answer: the files of a draft that is gone are nobody's.
		_, unknown := s.Store.Draft(context.WithoutCancel(ctx), d.Entry)
		if errors.Is(unknown, storage.ErrNotFound) {
			err = nil
		}
	}
	if err != nil {
		return err
	}
	s.forgetFiles(ctx, d, d.Files)
	return nil
}

// forgetDraft is deleteDraft for one that was sent: whatever goes wrong here, it is never sent again. One
// that was saved meanwhile stays, and so do the files.
func (s *Service) forgetDraft(ctx context.Context, d *Draft) {
	ctx = context.WithoutCancel(ctx)
	if err := s.deleteDraft(ctx, d); err != nil && !errors.Is(err, storage.ErrConflict) {
		s.Logger.WarnContext(ctx, "forget a draft that was sent", "ticket", d.Ticket, "err", err)
	}
}

// forgetLeft forgets the draft an entry was written as, where nothing brings it back any more.
func (s *Service) forgetLeft(ctx context.Context, e *Entry) {
	if e.Draft == 0 || e.Outgoing != nil && e.Outgoing.State != OutgoingSent {
		return
	}
	ctx = context.WithoutCancel(ctx)
	d, err := s.Store.Draft(ctx, e.ID)
	switch {
	case err == nil && d.isAs(e):
		s.forgetDraft(ctx, &d)
	case err != nil && !errors.Is(err, storage.ErrNotFound):
		s.Logger.WarnContext(ctx, "forget a draft that was sent", "entry", e.ID, "err", err)
	}
}
