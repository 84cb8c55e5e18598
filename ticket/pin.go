package ticket

import (
	"context"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
)

// Pin marks a mail or a note of a ticket as one that everybody should see first (R-MSG-01). It is for
// whoever may edit options (row 11); what is pinned already changes nothing. storage.ErrNotFound where the
// ticket has no such entry the actor may see, it is a line about options, or nothing of it is left.
func (s *Service) Pin(ctx context.Context, actor acl.Actor, id ID, entry EntryID) (Entry, error) {
	return s.setPinned(ctx, actor, id, entry, true)
}

// Unpin takes the mark off, also where nothing else of the entry is left. What is not pinned changes
// nothing; rights and refusals are those of Pin.
func (s *Service) Unpin(ctx context.Context, actor acl.Actor, id ID, entry EntryID) (Entry, error) {
	return s.setPinned(ctx, actor, id, entry, false)
}

func (s *Service) setPinned(ctx context.Context, actor acl.Actor, id ID, entry EntryID, pinned bool) (Entry, error) {
	var out Entry
	var in inbox.Inbox
	_, err := s.update(ctx, actor, id, acl.EditOptions, func(t *Ticket) ([]Entry, []inbox.Event, error) {
		var err error
		if in, err = s.engineInbox(ctx, t.Inbox); err != nil {
			return nil, nil, err
		}
		if out, _, err = s.seenEntry(ctx, actor, &in, id, entry); err != nil {
			return nil, nil, err
		}
		gone := !out.DeletedAt.IsZero() || !out.RedactedAt.IsZero()
		if out.Kind == EntryChanged || gone && pinned {
			return nil, nil, noEntry(entry)
		}
		if out.Pinned == pinned {
			return nil, nil, nil
		}
		out.Pinned = pinned
		return []Entry{out}, []inbox.Event{{Name: EventThreadEdited, Entry: string(out.ID), Message: out.Message}}, nil
	})
	if err != nil {
		return Entry{}, err
	}
	return s.left(ctx, actor, &in, out), nil
}
