package ticket

import (
	"context"
	"time"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
)

// Delete puts a ticket into the trash of its inbox (R-TKT-05, row 7b). Its mail stays stored, mail that
// comes later opens another ticket, and nothing can be done with it but Restore and Purge. What waits to
// be sent is taken back, as by Recall: nothing that was deleted is to leave weeks later. A mail that is
// just being sent is not.
func (s *Service) Delete(ctx context.Context, actor acl.Actor, id ID) (Ticket, error) {
	var blobs []inbox.BlobKey
	t, err := s.update(ctx, actor, id, acl.Delete, func(t *Ticket) ([]Entry, []inbox.Event, error) {
		line := s.changeLine(t, "deleted", "", s.now().Format(time.RFC3339), actor.User)
		t.DeletedAt = line.At
		lines := []Entry{line}
		blobs = nil
		for e, err := range s.Store.Entries(ctx, EntryQuery{Ticket: id}) {
			if err != nil {
				return nil, nil, err
			}
			if e.Outgoing == nil || e.Outgoing.State != OutgoingQueued {
				continue
			}
			o := *e.Outgoing
			blobs = append(blobs, o.Blob)
			o.State, o.Blob, o.Size = OutgoingRecalled, "", 0
			e.Outgoing = &o
			lines = append(lines, e)
		}
		return lines, []inbox.Event{{Name: EventDeleted, Entry: string(line.ID)}}, nil
	})
	if err != nil {
		return Ticket{}, err
	}
	for _, b := range blobs {
		s.forget(ctx, b)
	}
	return t, nil
}

// Restore takes a ticket out of the trash (row 21) as it was. One that is not in the trash stays as it is,
// and is returned to whoever may see it.
func (s *Service) Restore(ctx context.Context, actor acl.Actor, id ID) (Ticket, error) {
	return s.update(ctx, actor, id, acl.Restore, func(t *Ticket) ([]Entry, []inbox.Event, error) {
		if t.DeletedAt.IsZero() {
			_, err := s.allow(ctx, actor, t, acl.ViewTickets)
			return nil, nil, err
		}
		line := s.changeLine(t, "deleted", t.DeletedAt.Format(time.RFC3339), "", actor.User)
		t.DeletedAt = time.Time{}
		return []Entry{line}, []inbox.Event{{Name: EventEdited, Entry: string(line.ID),
			Facts: map[string]string{"option": "deleted"}}}, nil
	})
}
