package ticket

import (
	"context"
	"time"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
)

// Delete puts a ticket into the trash of its inbox (R-TKT-05, row 7b). Its mail stays stored, mail that
// comes later opens another ticket, and nothing can be done with it but Restore.
func (s *Service) Delete(ctx context.Context, actor acl.Actor, id ID) (Ticket, error) {
	return s.edit(ctx, actor, id, acl.Delete, func(t *Ticket) ([]Entry, []inbox.Event, error) {
		line := s.changed(t, "deleted", "", s.now().Format(time.RFC3339), actor.User)
		t.DeletedAt = line.At
		return []Entry{line}, []inbox.Event{{Name: EventDeleted, Entry: string(line.ID)}}, nil
	})
}

// Restore takes a ticket out of the trash (row 21) as it was. One that is not there changes nothing.
func (s *Service) Restore(ctx context.Context, actor acl.Actor, id ID) (Ticket, error) {
	return s.edit(ctx, actor, id, acl.Restore, func(t *Ticket) ([]Entry, []inbox.Event, error) {
		if t.DeletedAt.IsZero() {
			return nil, nil, nil
		}
		line := s.changed(t, "deleted", t.DeletedAt.Format(time.RFC3339), "", actor.User)
		t.DeletedAt = time.Time{}
		return []Entry{line}, []inbox.Event{{Name: EventEdited, Entry: string(line.ID),
			Facts: map[string]string{"option": "deleted"}}}, nil
	})
}
