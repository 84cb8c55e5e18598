package ticket

import (
	"context"
	"fmt"
	"regexp"
	"time"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
)

var statusCode = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,39}$`)

// SetStatus moves a ticket to a status. The same status again changes nothing.
func (s *Service) SetStatus(ctx context.Context, actor acl.Actor, id ID, status Status) (Ticket, error) {
	return s.edit(ctx, actor, id, acl.EditOptions, func(t *Ticket) ([]Entry, []inbox.Event, error) {
		if !statusCode.MatchString(string(status)) {
			return nil, nil, fmt.Errorf("status %q: %w", status, ErrBadStatus)
		}
		if t.Status == status {
			return nil, nil, nil
		}
		e, ev := s.setStatus(t, status, actor.User)
		return []Entry{e}, []inbox.Event{ev}, nil
	})
}

// setStatus changes the status and returns the line and the event that say so.
func (s *Service) setStatus(t *Ticket, to Status, by acl.UserID) (Entry, inbox.Event) {
	e := s.entry(t, EntryChanged, by)
	e.Change = &Change{Field: "status", From: string(t.Status), To: string(to)}
	t.moveTo(to, e.At)
	t.touch(e.At)
	return e, inbox.Event{Name: EventStatus, Entry: string(e.ID),
		Facts: map[string]string{"from": e.Change.From, "to": e.Change.To}}
}

// moveTo sets the status and when the work ended.
func (t *Ticket) moveTo(to Status, at time.Time) {
	switch {
	case !to.Done():
		t.ClosedAt = time.Time{}
	case !t.Status.Done():
		t.ClosedAt = at
	}
	t.Status = to
}

// Assign gives a ticket to a person, or with an empty user to nobody. The person needs read-and-reply
// on the inbox (row 12), else ErrCannotAssign. The same person again changes nothing.
func (s *Service) Assign(ctx context.Context, actor acl.Actor, id ID, user acl.UserID) (Ticket, error) {
	return s.edit(ctx, actor, id, acl.EditOptions, func(t *Ticket) ([]Entry, []inbox.Event, error) {
		if err := s.assignable(ctx, t, user); err != nil {
			return nil, nil, err
		}
		if t.Assignee == user {
			return nil, nil, nil
		}
		e, ev := s.assign(t, user, actor.User)
		return []Entry{e}, []inbox.Event{ev}, nil
	})
}

func (s *Service) assignable(ctx context.Context, t *Ticket, user acl.UserID) error {
	if user == "" {
		return nil
	}
	person, err := s.Inboxes.Actor(ctx, t.Site, user)
	if err == nil {
		_, err = s.Inboxes.Authorize(ctx, person, t.Inbox, acl.BeAssignee, nil)
	}
	if err != nil && refused(err) {
		return fmt.Errorf("assign ticket %q to %q: %w", t.ID, user, ErrCannotAssign)
	}
	return err
}

// assign changes the assignee and returns the line and the event that say so. The event's target is
// who got the ticket, or who lost it.
func (s *Service) assign(t *Ticket, user, by acl.UserID) (Entry, inbox.Event) {
	e := s.entry(t, EntryChanged, by)
	e.Change = &Change{Field: "assignee", From: string(t.Assignee), To: string(user)}
	ev := inbox.Event{Name: EventAssigned, Entry: string(e.ID), Target: user}
	if user == "" {
		ev.Name, ev.Target = EventUnassigned, t.Assignee
	}
	t.Assignee = user
	t.touch(e.At)
	return e, ev
}
