package inbox

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/storage"
)

// Share gives people access to the inbox, or changes what they have (step 4 and later). Each grant
// is checked on its own and all are stored together, or none: nobody changes their own grant but
// the site owner (acl.ErrSelfGrant), the creator's is not anybody's to change
// (acl.ErrCreatorPinned), and a grantee is a user of the site (ErrInvalidGrantee). A grant to
// somebody whose invite is pending is stored and does nothing yet (R-ROL-05). Who is lowered from
// read-and-reply loses the tickets assigned to them (R-INB-11).
func (s *Service) Share(ctx context.Context, actor acl.Actor, id ID, grants ...acl.Grant) (Inbox, error) {
	if _, err := s.Authorize(ctx, actor, id, acl.Share, nil); err != nil {
		return Inbox{}, err
	}
	for _, g := range grants {
		if err := s.mayGrant(ctx, actor, id, g.User); err != nil {
			return Inbox{}, err
		}
		if a := g.Normalize().Access; a != acl.ReadOnly && a != acl.ReadAndReply {
			return Inbox{}, fmt.Errorf("grant to %q gives %q, not %q or %q; use Unshare to take access away",
				g.User, a, acl.ReadOnly, acl.ReadAndReply)
		}
	}
	out, err := s.edit(ctx, actor, id, acl.Share, nil, func(in *Inbox) ([]Change, []Event, error) {
		var log []Change
		var ev []Event
		for _, g := range grants {
			g = g.Normalize()
			before, had := in.Grants.Of(g.User)
			if had && before == g {
				continue
			}
			in.Grants = in.Grants.With(g)
			if had && before.Access == acl.ReadAndReply && g.Access != acl.ReadAndReply {
				log = append(log, Change{Kind: ChangeAccess, User: g.User})
			}
			ev = append(ev, Event{Name: EventShared, Target: g.User, Facts: map[string]string{
				"access": string(g.Access), "inbox_admin": fmt.Sprint(g.InboxAdmin)}})
		}
		if ev == nil {
			return nil, nil, errUnchanged
		}
		return log, ev, nil
	})
	return redactInbox(actor, out), err
}

// Unshare takes people's access away, with their opt-ins to notices. What was assigned to them
// becomes unassigned, and they follow no ticket of the inbox any more (R-INB-11). Their next call
// is answered storage.ErrNotFound.
func (s *Service) Unshare(ctx context.Context, actor acl.Actor, id ID, users ...acl.UserID) (Inbox, error) {
	if _, err := s.Authorize(ctx, actor, id, acl.Share, nil); err != nil {
		return Inbox{}, err
	}
	for _, u := range users {
		f := &acl.Facts{Target: u}
		if _, err := s.Authorize(ctx, actor, id, acl.Share, f); err != nil {
			return Inbox{}, err
		}
	}
	out, err := s.edit(ctx, actor, id, acl.Share, nil, func(in *Inbox) ([]Change, []Event, error) {
		var log []Change
		var ev []Event
		for _, u := range users {
			if _, had := in.Grants.Of(u); !had {
				continue
			}
			in.Grants = in.Grants.Without(u)
			in.Watches = slices.DeleteFunc(in.Watches, func(w Watch) bool { return w.User == u })
			log = append(log, Change{Kind: ChangeAccess, User: u})
			ev = append(ev, Event{Name: EventUnshared, Target: u})
		}
		if ev == nil {
			return nil, nil, errUnchanged
		}
		return log, ev, nil
	})
	return redactInbox(actor, out), err
}

// mayGrant checks one grant: the actor's right to make it, and that its user exists.
func (s *Service) mayGrant(ctx context.Context, actor acl.Actor, id ID, user acl.UserID) error {
	in, err := s.Authorize(ctx, actor, id, acl.Share, &acl.Facts{Target: user})
	if err != nil {
		return err
	}
	p, err := s.People.Person(ctx, in.Site, user)
	if errors.Is(err, storage.ErrNotFound) || err == nil && p.Site != in.Site {
		return fmt.Errorf("grant to %q: %w", user, ErrInvalidGrantee)
	}
	return err
}

// Edit changes what an inbox is called and its switches; nil fields stay.
type Edit struct {
	Name     *string
	Settings *InboxSettings
}

// Edit changes the inbox's name and switches (row 22). Only the creator may switch
// OnlyCreatorWidens. What cannot be is an *InputError for each, but for what is stored already: a form that
// sends all settings back can always change one of them.
func (s *Service) Edit(ctx context.Context, actor acl.Actor, id ID, e Edit) (Inbox, error) {
	out, err := s.edit(ctx, actor, id, acl.EditSettings, nil, func(in *Inbox) ([]Change, []Event, error) {
		var wrong error
		if e.Name != nil {
			name := strings.TrimSpace(*e.Name)
			if name == "" {
				return nil, nil, fmt.Errorf("inbox %q: %w", id, ErrMissingName)
			}
			wrong = checkName(name, in.Name)
			in.Name = name
		}
		if e.Settings != nil {
			if e.Settings.OnlyCreatorWidens != in.Settings.OnlyCreatorWidens && actor.User != in.Creator {
				return nil, nil, acl.Check(actor, in.ACL(), acl.PersonalExclusions, &acl.Facts{}).Err()
			}
			wrong = errors.Join(wrong, e.Settings.check(&in.Settings))
			in.Settings = *e.Settings
		}
		if wrong != nil {
			return nil, nil, wrong
		}
		return nil, []Event{{Name: EventInboxEdited}}, nil
	})
	return redactInbox(actor, out), err
}

// Watch sets which events of the inbox the actor wants notices of, in place of what they wanted before;
// none by default, and none without Events (R-FEA-02, R-FEA-08). ErrUnknownEvent where one of them is of
// no inbox. Watch.User is the service's own, whatever w holds.
func (s *Service) Watch(ctx context.Context, actor acl.Actor, id ID, w Watch) error {
	_, err := s.edit(ctx, actor, id, acl.ReceiveEvents, nil, func(in *Inbox) ([]Change, []Event, error) {
		if err := watchable(id, w.Events); err != nil {
			return nil, nil, err
		}
		in.Watches = slices.DeleteFunc(in.Watches, func(w Watch) bool { return w.User == actor.User })
		if len(w.Events) > 0 {
			w.User, w.Events = actor.User, slices.Clone(w.Events)
			in.Watches = append(in.Watches, w)
		}
		return nil, nil, nil
	})
	return err
}

// WatchForSite sets which events of the inbox the site's own endpoints are told of, in place of those
// before; none by default, and none without Events. It is the creator's alone to say (R-FEA-08); others
// are told acl.ErrDenied. ErrUnknownEvent where one of them is of no inbox.
func (s *Service) WatchForSite(ctx context.Context, actor acl.Actor, id ID, w SiteWatch) error {
	_, err := s.edit(ctx, actor, id, acl.ReceiveEvents, nil, func(in *Inbox) ([]Change, []Event, error) {
		if actor.User != in.Creator {
			return nil, nil, fmt.Errorf("what the site is told of inbox %q is its creator's to say: %w", id, acl.ErrDenied)
		}
		if err := watchable(id, w.Events); err != nil {
			return nil, nil, err
		}
		if in.SiteWatch = nil; len(w.Events) > 0 {
			in.SiteWatch = &SiteWatch{Events: slices.Clone(w.Events), Content: w.Content}
		}
		return nil, []Event{{Name: EventInboxEdited}}, nil
	})
	return err
}
