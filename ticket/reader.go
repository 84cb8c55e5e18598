package ticket

import (
	"context"
	"errors"
	"slices"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
)

// reader is one person who reads the entries of a ticket they may see. The mail of a moved or merged
// ticket may lie in other inboxes than the ticket, and what is hidden of it, or went as a blind copy,
// is for the creator of its own.
type reader struct {
	s     *Service
	actor acl.Actor
	homes map[inbox.ID]home
}

// home is an inbox as the reader stands to it.
type home struct{ own, known bool }

func (s *Service) reader(actor acl.Actor, in *inbox.Inbox) *reader {
	return &reader{s: s, actor: actor, homes: map[inbox.ID]home{
		in.ID: {own: in.Creator == actor.User, known: true},
	}}
}

func (r *reader) home(ctx context.Context, id inbox.ID) (home, error) {
	if h, ok := r.homes[id]; ok {
		return h, nil
	}
	var h home
	in, err := r.s.engineInbox(ctx, id)
	switch {
	case errors.Is(err, storage.ErrNotFound): // purged meanwhile
	case err != nil:
		return home{}, err
	default:
		h.own = in.Creator == r.actor.User && string(in.Site) == r.actor.Site
		h.known = acl.Check(r.actor, in.ACL(), acl.SeeInbox, nil).Allowed
	}
	r.homes[id] = h
	return h, nil
}

// show returns an entry as the reader may see it, and whether they may at all.
func (r *reader) show(ctx context.Context, e Entry) (Entry, bool, error) {
	h, err := r.home(ctx, e.Inbox)
	if err != nil || e.Hidden && !h.own {
		return Entry{}, false, err
	}
	if e.Author != r.actor.User && !h.own {
		e.Bcc = nil // R-MSG-04
	}
	if !h.known {
		e.Inbox = ""
	}
	if !e.RedactedAt.IsZero() {
		e.Message, e.RFCID = "", "" // also where the mail is not erased yet
	}
	if e.Change != nil && e.Change.Field == changeInbox {
		c := *e.Change
		for _, side := range []*string{&c.From, &c.To} {
			h, err := r.home(ctx, inbox.ID(*side))
			if err != nil {
				return Entry{}, false, err
			}
			if !h.known {
				*side = ""
			}
		}
		e.Change = &c
	}
	linked := e.Other != ""
	if e, err = r.s.unlink(ctx, r.actor, e); err != nil {
		return Entry{}, false, err
	}
	// A link to what the reader may not see tells of nothing else.
	return e, !linked || e.Other != "" || e.Change == nil || e.Change.Field != changeLinked, nil
}

// seenEntry reads an entry of a ticket that the actor may see, with its inbox: as it is stored, and as they
// may see it. storage.ErrNotFound where they may not.
func (s *Service) seenEntry(ctx context.Context, actor acl.Actor, in *inbox.Inbox, id ID, entry EntryID) (
	stored, shown Entry, err error) {
	if stored, err = s.storedEntry(ctx, id, entry); err != nil {
		return Entry{}, Entry{}, err
	}
	shown, seen, err := s.reader(actor, in).show(ctx, stored)
	if err == nil && !seen {
		err = noEntry(entry)
	}
	if err != nil {
		return Entry{}, Entry{}, err
	}
	return stored, shown, nil
}

// storedEntry reads one entry of a ticket, or storage.ErrNotFound.
func (s *Service) storedEntry(ctx context.Context, id ID, entry EntryID) (Entry, error) {
	for e, err := range s.Store.Entries(ctx, EntryQuery{Ticket: id, IDs: []EntryID{entry}}) {
		return e, err
	}
	return Entry{}, noEntry(entry)
}

func noEntry(id EntryID) error {
	return &storage.Error{Op: "read", Entity: "entry", ID: string(id), Err: storage.ErrNotFound}
}

// left is show for an entry that a write has left: what cannot be looked up is not shown, since an error
// would say that nothing was written.
func (s *Service) left(ctx context.Context, actor acl.Actor, in *inbox.Inbox, e Entry) Entry {
	out, _, err := s.reader(actor, in).show(context.WithoutCancel(ctx), e)
	if err != nil {
		e.Bcc, e.Other, e.Merged, e.Inbox = nil, "", "", ""
		return e
	}
	return out
}

// unlink takes the ids of other tickets off an entry where the actor may not see those (R-MSG-06).
func (s *Service) unlink(ctx context.Context, actor acl.Actor, e Entry) (Entry, error) {
	for _, id := range []*ID{&e.Other, &e.Merged} {
		if err := s.keepSeen(ctx, actor, id); err != nil {
			return Entry{}, err
		}
	}
	return e, nil
}

// unlinkTicket takes the ids of other tickets, and of an inbox, off a ticket where the actor may not see
// those.
func (s *Service) unlinkTicket(ctx context.Context, actor acl.Actor, t Ticket) (Ticket, error) {
	if err := s.keepSeen(ctx, actor, &t.MergedInto); err != nil {
		return Ticket{}, err
	}
	if len(t.MergedFrom) > 0 {
		kept := make([]ID, 0, len(t.MergedFrom))
		for _, id := range t.MergedFrom {
			if err := s.keepSeen(ctx, actor, &id); err != nil {
				return Ticket{}, err
			}
			if id != "" {
				kept = append(kept, id)
			}
		}
		t.MergedFrom = slices.Clip(kept)
	}
	if t.Origin != "" {
		_, err := s.Inboxes.Authorize(ctx, actor, t.Origin, acl.SeeInbox, nil)
		if err != nil && !refused(err) {
			return Ticket{}, err
		}
		if err != nil {
			t.Origin, t.Threads = "", nil
		}
	}
	return t, nil
}

// leftTicket is unlinkTicket for a ticket that a write has left.
func (s *Service) leftTicket(ctx context.Context, actor acl.Actor, t Ticket) Ticket {
	out, err := s.unlinkTicket(context.WithoutCancel(ctx), actor, t)
	if err != nil {
		t.MergedInto, t.MergedFrom, t.Origin, t.Threads = "", nil, "", nil
		return t
	}
	return out
}

// keepSeen empties the id of a ticket the actor may not see.
func (s *Service) keepSeen(ctx context.Context, actor acl.Actor, id *ID) error {
	if *id == "" {
		return nil
	}
	_, _, err := s.visibleTicket(ctx, actor, *id)
	if err != nil && !refused(err) {
		return err
	}
	if err != nil {
		*id = ""
	}
	return nil
}
