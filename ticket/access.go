package ticket

import (
	"context"
	"errors"
	"fmt"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
)

// allow checks an action on a ticket and returns the ticket's inbox. A ticket whose mail is hidden
// exists for the creator of the mailbox it came from only, whatever the action.
func (s *Service) allow(ctx context.Context, actor acl.Actor, t *Ticket, action acl.Action) (inbox.Inbox, error) {
	return s.allowWith(ctx, actor, t, action, acl.Facts{})
}

// allowWith is allow for an action that asks for more facts than those of the ticket, which it adds.
func (s *Service) allowWith(ctx context.Context, actor acl.Actor, t *Ticket, action acl.Action, facts acl.Facts) (
	inbox.Inbox, error) {
	if !t.PurgeBegan.IsZero() && action != acl.Purge {
		return inbox.Inbox{}, notFound(t.ID)
	}
	if t.Hidden() {
		mailbox, err := s.engineInbox(ctx, t.Mailbox())
		if errors.Is(err, storage.ErrNotFound) || err == nil && mailbox.Creator != actor.User {
			return inbox.Inbox{}, notFound(t.ID)
		}
		if err != nil {
			return inbox.Inbox{}, err
		}
	}
	facts.Ticket = acl.Ticket{Archived: !t.ArchivedAt.IsZero(), Deleted: !t.DeletedAt.IsZero()}
	if t.Status == Closed { // no other is locked without being archived
		in, err := s.engineInbox(ctx, t.Inbox)
		if errors.Is(err, storage.ErrNotFound) {
			return inbox.Inbox{}, notFound(t.ID)
		}
		if err != nil {
			return inbox.Inbox{}, err
		}
		facts.Ticket = t.limits(&in, s.now())
	}
	in, err := s.Inboxes.Authorize(ctx, actor, t.Inbox, action, &facts)
	if errors.Is(err, storage.ErrNotFound) {
		return inbox.Inbox{}, notFound(t.ID)
	}
	if err == nil && t.MergedInto != "" && action != acl.ViewTickets {
		return inbox.Inbox{}, fmt.Errorf("ticket %q: %w", t.ID, ErrMerged)
	}
	return in, err
}

// allowView is allow for seeing a ticket, in the trash too.
func (s *Service) allowView(ctx context.Context, actor acl.Actor, t *Ticket) (inbox.Inbox, error) {
	action := acl.ViewTickets
	if !t.DeletedAt.IsZero() {
		action = acl.ViewTrash
	}
	return s.allow(ctx, actor, t, action)
}

// seenBy says whether somebody may see a ticket at this moment. Whoever is not there any more may not.
func (s *Service) seenBy(ctx context.Context, t *Ticket, user acl.UserID) (bool, error) {
	person, err := s.Inboxes.Actor(ctx, t.Site, user)
	if err == nil {
		_, err = s.allowView(ctx, person, t)
	}
	if err != nil && refused(err) {
		return false, nil
	}
	return err == nil, err
}

// personMay says whether somebody may do what needs no facts in an inbox. Whoever is not there any more
// may nothing.
func (s *Service) personMay(ctx context.Context, in *inbox.Inbox, user acl.UserID, action acl.Action) (bool, error) {
	person, err := s.Inboxes.Actor(ctx, in.Site, user)
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return false, err
	}
	return err == nil && acl.Check(person, in.ACL(), action, nil).Allowed, nil
}

// refused tells a refusal from a store that did not answer.
func refused(err error) bool {
	return errors.Is(err, storage.ErrNotFound) || errors.Is(err, acl.ErrDenied)
}

// lost remembers who may still work on and view which inbox, for the length of one read. Between the
// moment access is taken away and the next Collect, an assignee or follower without access reads as
// none (R-INB-11).
type lost struct {
	s     *Service
	known map[lostKey]bool
}

type lostKey struct {
	inbox  inbox.ID
	user   acl.UserID
	action acl.Action
}

func (s *Service) lostAccess() *lost { return &lost{s: s, known: make(map[lostKey]bool)} }

// takeOff takes off a ticket its assignee and those of its followers who have lost access.
func (l *lost) takeOff(ctx context.Context, t *Ticket) error {
	if t.Assignee != "" {
		gone, err := l.has(ctx, t, t.Assignee, acl.BeAssignee)
		if err != nil {
			return err
		}
		if gone {
			t.Assignee = ""
		}
	}
	kept := t.Followers[:0:0]
	for _, f := range t.Followers {
		gone, err := l.has(ctx, t, f, acl.ViewTickets)
		if err != nil {
			return err
		}
		if !gone {
			kept = append(kept, f)
		}
	}
	t.Followers = kept
	return nil
}

// has says whether the person has lost the right to the action.
func (l *lost) has(ctx context.Context, t *Ticket, user acl.UserID, action acl.Action) (bool, error) {
	key := lostKey{t.Inbox, user, action}
	if gone, ok := l.known[key]; ok {
		return gone, nil
	}
	person, err := l.s.Inboxes.Actor(ctx, t.Site, user)
	if err == nil {
		_, err = l.s.Inboxes.Authorize(ctx, person, t.Inbox, action, nil)
	}
	if err != nil && !refused(err) {
		return false, err
	}
	l.known[key] = err != nil
	return err != nil, nil
}
