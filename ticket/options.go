package ticket

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
)

// ErrCannotAssign says that the person may not work on tickets of this inbox: no read-and-reply, or
// the invite is not accepted.
var ErrCannotAssign = errors.New("this person cannot be assigned tickets of this inbox")

// ErrBadStatus says that a status is no status code.
var ErrBadStatus = errors.New("a status is a short code of letters, digits and hyphens")

var statusCode = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,39}$`)

// SetStatus moves a ticket to a status. The same status again changes nothing.
func (s *Service) SetStatus(ctx context.Context, actor acl.Actor, id ID, status Status) (Ticket, error) {
	if !statusCode.MatchString(string(status)) {
		return Ticket{}, fmt.Errorf("status %q: %w", status, ErrBadStatus)
	}
	return s.edit(ctx, actor, id, acl.EditOptions, nil, func(t *Ticket) ([]Entry, []inbox.Event, error) {
		e, ok := s.setStatus(t, status, actor.User)
		if !ok {
			return nil, nil, nil
		}
		return []Entry{e}, []inbox.Event{{Name: EventStatus, Facts: map[string]string{
			"from": e.Change.From, "to": e.Change.To}}}, nil
	})
}

// setStatus changes the status and returns the line that says so.
func (s *Service) setStatus(t *Ticket, to Status, by acl.UserID) (Entry, bool) {
	if t.Status == to {
		return Entry{}, false
	}
	e := s.entry(t, EntryChanged, by)
	e.Change = &Change{Field: "status", From: string(t.Status), To: string(to)}
	t.moveTo(to, e.At)
	t.touch(e.At)
	return e, true
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
// on the inbox (row 12).
func (s *Service) Assign(ctx context.Context, actor acl.Actor, id ID, user acl.UserID) (Ticket, error) {
	return s.edit(ctx, actor, id, acl.EditOptions, nil, func(t *Ticket) ([]Entry, []inbox.Event, error) {
		if t.Assignee == user {
			return nil, nil, nil
		}
		if user != "" {
			if err := s.assignable(ctx, t, user); err != nil {
				return nil, nil, err
			}
		}
		e, ev := s.assign(t, user, actor.User)
		return []Entry{e}, []inbox.Event{ev}, nil
	})
}

func (s *Service) assignable(ctx context.Context, t *Ticket, user acl.UserID) error {
	person, err := s.Inboxes.Actor(ctx, t.Site, user)
	if err == nil {
		_, err = s.Inboxes.Authorize(ctx, person, t.Inbox, acl.BeAssignee, nil)
	}
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("assign ticket %q to %q: %w", t.ID, user, ErrCannotAssign)
	}
	return err
}

func (s *Service) assign(t *Ticket, user, by acl.UserID) (Entry, inbox.Event) {
	e := s.entry(t, EntryChanged, by)
	e.Change = &Change{Field: "assignee", From: string(t.Assignee), To: string(user)}
	name := EventAssigned
	if user == "" {
		name = EventUnassigned
	}
	ev := inbox.Event{Name: name, Target: user}
	if user == "" {
		ev.Target = t.Assignee
	}
	t.Assignee = user
	t.touch(e.At)
	return e, ev
}

// validText makes text fit for every store: valid UTF-8 without NUL.
func validText(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "")
}
