package ticket

import (
	"context"
	"fmt"
	"slices"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
)

// maxFollowers is how many people may follow one ticket.
const maxFollowers = 100

// Follow makes somebody follow a ticket: the actor themselves, who may view it (row 15), or another
// person who may, for somebody who works on the inbox (row 16, c8). Who may not is ErrCannotFollow. To
// follow again changes nothing.
func (s *Service) Follow(ctx context.Context, actor acl.Actor, id ID, user acl.UserID) (Ticket, error) {
	return s.editFollowers(ctx, actor, id, user, func(t *Ticket) error {
		if slices.Contains(t.Followers, user) {
			return nil
		}
		if len(t.Followers) >= maxFollowers {
			return fmt.Errorf("ticket %q has %d followers: %w", id, len(t.Followers), ErrCannotFollow)
		}
		t.Followers = append(t.Followers, user)
		return nil
	})
}

// Unfollow takes somebody off the followers: the actor themselves, or another with the rights of
// Follow. Who does not follow changes nothing.
func (s *Service) Unfollow(ctx context.Context, actor acl.Actor, id ID, user acl.UserID) (Ticket, error) {
	return s.editFollowers(ctx, actor, id, user, func(t *Ticket) error {
		t.Followers = slices.DeleteFunc(t.Followers, func(f acl.UserID) bool { return f == user })
		return nil
	})
}

// editFollowers is Edit for one person's following. The line names the person as who came or went.
func (s *Service) editFollowers(ctx context.Context, actor acl.Actor, id ID, user acl.UserID,
	change func(t *Ticket) error) (Ticket, error) {
	return s.update(ctx, actor, id, acl.Follow, func(t *Ticket) ([]Entry, []inbox.Event, error) {
		follows := slices.Contains(t.Followers, user)
		if err := s.mayAdd(ctx, actor, t, user, follows); err != nil {
			return nil, nil, err
		}
		if err := change(t); err != nil {
			return nil, nil, err
		}
		if slices.Contains(t.Followers, user) == follows {
			return nil, nil, nil
		}
		from, to := user, acl.UserID("")
		if !follows {
			from, to = to, user
		}
		line := s.quietLine(t, changeFollower, string(from), string(to), actor.User)
		return []Entry{line}, []inbox.Event{{Name: EventEdited, Entry: string(line.ID), Target: user,
			Facts: map[string]string{"option": changeFollower}}}, nil
	})
}

// mayAdd asks for row 16 where the actor means another. Who follows already may be taken off whatever
// they may view by now.
func (s *Service) mayAdd(ctx context.Context, actor acl.Actor, t *Ticket, user acl.UserID, follows bool) error {
	if user == actor.User {
		return nil
	}
	in, err := s.allow(ctx, actor, t, acl.EditOptions)
	if err != nil || follows {
		return err
	}
	person, err := s.Inboxes.Actor(ctx, t.Site, user)
	if err == nil {
		_, err = s.allow(ctx, person, t, acl.ViewTickets)
	}
	if err != nil && !refused(err) {
		return err
	}
	if err != nil ||
		!acl.Check(actor, in.ACL(), acl.AddFollower, &acl.Facts{Follower: &person}).Allowed {
		return fmt.Errorf("follower %q of ticket %q: %w", user, t.ID, ErrCannotFollow)
	}
	return nil
}
