package storagetest_test

import (
	"context"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage/memory"
	"github.com/workinbox/workinbox/ticket"
)

// bentAllowances is a right store of which one thing about allowances is changed.
type bentAllowances struct {
	*memory.Store
	read func(a *ticket.Allowance)
	user func(user acl.UserID) acl.UserID
	save func(ctx context.Context, a ticket.Allowance) (ticket.Allowance, error)
}

func (b *bentAllowances) Allowance(ctx context.Context, site inbox.SiteID, user acl.UserID) (ticket.Allowance, error) {
	if b.user != nil {
		user = b.user(user)
	}
	a, err := b.Store.Allowance(ctx, site, user)
	call(b.read, &a)
	return a, err
}

func (b *bentAllowances) SaveAllowance(ctx context.Context, a ticket.Allowance) (ticket.Allowance, error) {
	if b.save != nil {
		return b.save(ctx, a)
	}
	return b.Store.SaveAllowance(ctx, a)
}

// lastUseWins saves whatever is stored.
func lastUseWins(s *memory.Store) ticket.Store {
	return &bentAllowances{Store: s, save: func(ctx context.Context, a ticket.Allowance) (ticket.Allowance, error) {
		stored, _ := s.Allowance(ctx, a.Site, a.User)
		a.Version = stored.Version
		return s.SaveAllowance(ctx, a)
	}}
}

var brokenAllowances = []broken[ticket.Store]{
	{"Allowances/RoundTrip", "forgets uses", func(s *memory.Store) ticket.Store {
		return &bentAllowances{Store: s, read: func(a *ticket.Allowance) { a.Uses = nil }}
	}},
	{"Allowances/CompareAndSet", "last write wins", lastUseWins},
	{"Allowances/PeopleApart", "one for all", func(s *memory.Store) ticket.Store {
		return &bentAllowances{Store: s, user: func(acl.UserID) acl.UserID { return "pat" }}
	}},
	{"Allowances/AreCopies", "hands out its own", func(s *memory.Store) ticket.Store {
		var own []ticket.Use
		return &bentAllowances{Store: s, read: func(a *ticket.Allowance) {
			if own == nil {
				own = a.Uses
			}
			a.Uses = own
		}}
	}},
	{"Allowances/ExactlyOneWins", "all win", lastUseWins},
}
