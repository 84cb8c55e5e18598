package ticket

import (
	"context"
	"slices"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider/rfc822"
)

// autoFollow makes people follow a ticket whom a live mail of it names in To or Cc and who asked for that
// (inbox.Person.AutoFollowOnCC, R-TKT-04). They must be able to view it; the assignee follows anyway, and
// who took themselves off stays off. The mailbox's own address names nobody. Imported mail is silent
// (R-IMP-07), and so is mail that is not for everybody or not who it says it is from; an archived ticket
// stays as it is (R-STA-06).
func (c *collector) autoFollow(ctx context.Context, d *pending, m *inbox.Message) error {
	if m.Imported || hidden(m) || m.ForgedSelf || m.Auth == rfc822.AuthFail ||
		!d.ticket.ArchivedAt.IsZero() || len(m.To)+len(m.Cc) == 0 {
		return nil
	}
	named, err := c.named(ctx, m)
	if err != nil {
		return err
	}
	for _, user := range named {
		if user == d.ticket.Assignee || slices.Contains(d.ticket.Followers, user) || len(d.ticket.Followers) >= maxFollowers {
			continue
		}
		follows, err := c.mayFollow(ctx, d, user)
		if err != nil {
			return err
		}
		if follows {
			c.s.addFollower(d, user)
		}
	}
	return nil
}

// addFollower adds a follower without anybody having done it. It is no activity.
func (s *Service) addFollower(d *pending, user acl.UserID) {
	t := &d.ticket
	t.Followers = append(t.Followers, user)
	line := s.quietLine(t, changeFollower, "", string(user), "")
	d.put(line)
	d.events = append(d.events, s.event(inbox.Event{Name: EventEdited, Entry: string(line.ID), Target: user,
		Facts: map[string]string{"option": changeFollower}}, t, ""))
}

// named are the people a mail names who want to follow what names them, in the order it does.
func (c *collector) named(ctx context.Context, m *inbox.Message) (out []acl.UserID, err error) {
	for _, a := range slices.Concat(m.To, m.Cc) {
		key := rfc822.AddressKey(a.Address)
		if key == "" || slices.ContainsFunc(c.in.Account.Own(), func(own string) bool { return rfc822.AddressKey(own) == key }) {
			continue
		}
		if c.followers == nil {
			if c.followers, err = c.s.autoFollowers(ctx, c.in.Site); err != nil {
				return nil, err
			}
		}
		for _, user := range c.followers[key] {
			if !slices.Contains(out, user) {
				out = append(out, user)
			}
		}
	}
	return out, nil
}

// autoFollowers are the people of a site who want to follow what names them, by address key.
func (s *Service) autoFollowers(ctx context.Context, site inbox.SiteID) (map[string][]acl.UserID, error) {
	out := make(map[string][]acl.UserID)
	for p, err := range s.Inboxes.People.People(ctx, site) {
		if err != nil {
			return nil, err
		}
		if !p.AutoFollowOnCC {
			continue
		}
		for _, a := range p.Addresses {
			key := rfc822.AddressKey(a)
			out[key] = append(out[key], p.ID)
		}
	}
	return out, nil
}

// mayFollow says whether somebody may view the ticket and has not taken themselves off it.
func (c *collector) mayFollow(ctx context.Context, d *pending, user acl.UserID) (bool, error) {
	in, err := c.inboxOf(ctx, &d.ticket)
	if err != nil {
		return false, err
	}
	may, err := c.s.personMay(ctx, in, user, acl.Follow)
	if err != nil || !may || d.opened {
		return may, err
	}
	for e, err := range c.s.Store.Entries(ctx, EntryQuery{Ticket: d.ticket.ID}) {
		if err != nil {
			return false, err
		}
		if e.Author == user && e.Change != nil && e.Change.Field == changeFollower && e.Change.From == string(user) {
			return false, nil
		}
	}
	return true, nil
}
