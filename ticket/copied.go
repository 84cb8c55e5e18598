package ticket

import (
	"context"
	"errors"
	"slices"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider/rfc822"
	"github.com/workinbox/workinbox/storage"
)

// copied is who is on a ticket's thread beside the one who is answered, in the order they came to it
// (R-MSG-04). Somebody a teammate took off stays off until they write themselves; nobody gets lost
// because a mail of somebody else left them out.
type copied struct {
	people []rfc822.Address
	off    map[string]bool // taken off by a teammate
	blind  map[string]bool // got a blind copy only; their answer does not show that
}

// copied reads who is on a ticket's thread, from the mail that is shown.
func (s *Service) copied(ctx context.Context, t *Ticket) (*copied, error) {
	c := &copied{off: make(map[string]bool), blind: make(map[string]bool)}
	for e, err := range s.Store.Entries(ctx, EntryQuery{Ticket: t.ID}) {
		if err != nil {
			return nil, err
		}
		switch {
		case e.Hidden && !t.Hidden():
		case e.Outgoing != nil && (e.Outgoing.State == OutgoingFailed || e.Outgoing.State == OutgoingRecalled):
		case e.Outgoing != nil:
			c.wrote(&e)
		case e.Message != "" && e.Outbound:
			c.sent(e.To, e.Cc, e.Bcc)
		case e.byPerson():
			m, err := s.Archive.Message(ctx, e.Message)
			if errors.Is(err, storage.ErrNotFound) {
				continue // erased since
			}
			if err != nil {
				return nil, err
			}
			c.received(&m)
		}
	}
	return c, nil
}

// received follows a mail from outside: who writes is on the thread, and so is whom they name, but for
// those a teammate took off.
func (c *copied) received(m *inbox.Message) {
	for _, a := range m.From {
		key := rfc822.AddressKey(a.Address)
		if c.blind[key] {
			continue
		}
		delete(c.off, key)
		c.add(a)
	}
	for _, a := range slices.Concat(m.To, m.Cc) {
		if !c.off[rfc822.AddressKey(a.Address)] {
			c.add(a)
		}
	}
}

// wrote follows a mail of a teammate. Whom an answer to all leaves out is off the thread.
func (c *copied) wrote(e *Entry) {
	if e.Outgoing.All {
		to := slices.Concat(e.To, e.Cc)
		c.people = slices.DeleteFunc(c.people, func(a rfc822.Address) bool {
			key := rfc822.AddressKey(a.Address)
			gone := !slices.ContainsFunc(to, func(b rfc822.Address) bool { return rfc822.AddressKey(b.Address) == key })
			if gone {
				c.off[key] = true
			}
			return gone
		})
	}
	c.sent(e.To, e.Cc, e.Bcc)
}

// sent follows whom a mail from the mailbox went to.
func (c *copied) sent(to, cc, bcc []rfc822.Address) {
	for _, a := range slices.Concat(to, cc) {
		key := rfc822.AddressKey(a.Address)
		delete(c.off, key)
		delete(c.blind, key)
		c.add(a)
	}
	for _, a := range bcc {
		key := rfc822.AddressKey(a.Address)
		if !slices.ContainsFunc(c.people, func(b rfc822.Address) bool { return rfc822.AddressKey(b.Address) == key }) {
			c.blind[key] = true
		}
	}
}

func (c *copied) add(a rfc822.Address) {
	key := rfc822.AddressKey(a.Address)
	if key != "" && !slices.ContainsFunc(c.people, func(b rfc822.Address) bool { return rfc822.AddressKey(b.Address) == key }) {
		c.people = append(c.people, a)
	}
}

// without is who is on the thread but those given.
func (c *copied) without(addresses ...string) []rfc822.Address {
	var out []rfc822.Address
	for _, a := range c.people {
		key := rfc822.AddressKey(a.Address)
		if !slices.ContainsFunc(addresses, func(b string) bool { return rfc822.AddressKey(b) == key }) {
			out = append(out, a)
		}
	}
	return out
}

// mailboxes are the addresses of the site's inboxes: mail from one into another would come round again.
func (s *Service) mailboxes(ctx context.Context, site inbox.SiteID) ([]string, error) {
	var out []string
	for in, err := range s.Inboxes.Store.Inboxes(ctx, inbox.Query{Site: site}) {
		if err != nil {
			return nil, err
		}
		if in.State != inbox.StateDeleted {
			out = append(out, in.Account.Own()...)
		}
	}
	return out, nil
}
