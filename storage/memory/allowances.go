package memory

import (
	"context"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/ticket"
)

// agent names one person of a site.
type agent struct {
	site inbox.SiteID
	user acl.UserID
}

// Allowance returns what an agent has used; see ticket.Allowances.
func (s *Store) Allowance(ctx context.Context, site inbox.SiteID, user acl.UserID) (ticket.Allowance, error) {
	unlock, err := s.read(ctx)
	if err != nil {
		return ticket.Allowance{}, err
	}
	defer unlock()
	a := clone(s.desk.allowance[agent{site, user}])
	a.Site, a.User = site, user
	return a, nil
}

// SaveAllowance replaces what an agent has used; see ticket.Allowances.
func (s *Store) SaveAllowance(ctx context.Context, a ticket.Allowance) (ticket.Allowance, error) {
	unlock, err := s.write(ctx)
	if err != nil {
		return ticket.Allowance{}, err
	}
	defer unlock()
	who := agent{a.Site, a.User}
	if s.desk.allowance[who].Version != a.Version {
		return ticket.Allowance{}, refuse("save", "allowance", a.User, storage.ErrConflict)
	}
	a = clone(a)
	a.Version++
	s.desk.allowance[who] = a
	return clone(a), nil
}
