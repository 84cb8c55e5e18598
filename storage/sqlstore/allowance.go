package sqlstore

import (
	"context"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/ticket"
)

// Allowance returns what a part-time agent has used.
func (s *Store) Allowance(ctx context.Context, site inbox.SiteID, user acl.UserID) (a ticket.Allowance, err error) {
	err = s.read(ctx, op{"read", "allowance", string(user)}, func(x *session) error {
		var doc string
		err := x.one("SELECT doc FROM {allowances} WHERE site = ? AND person = ?",
			[]any{string(site), string(user)}, &doc)
		if isNone(err) {
			a = ticket.Allowance{Site: site, User: user}
			return nil
		}
		if err != nil {
			return err
		}
		a, err = stored[ticket.Allowance](doc)
		return err
	})
	return a, err
}

// SaveAllowance replaces what a part-time agent has used.
func (s *Store) SaveAllowance(ctx context.Context, a ticket.Allowance) (ticket.Allowance, error) {
	expect := int64(a.Version)
	a.Version++
	doc, err := encode(&a)
	if err != nil {
		return ticket.Allowance{}, err
	}
	err = s.write(ctx, op{"save", "allowance", string(a.User)}, func(x *session) (err error) {
		var done bool
		if expect == 0 {
			done, err = x.create("INSERT INTO {allowances} VALUES (?, ?, 1, ?) ON CONFLICT (site, person) DO NOTHING",
				string(a.Site), string(a.User), doc)
		} else {
			var n int64
			n, err = x.affected("UPDATE {allowances} SET version = version + 1, doc = ? "+
				"WHERE site = ? AND person = ? AND version = ?", doc, string(a.Site), string(a.User), expect)
			done = n > 0
		}
		if err == nil && !done {
			err = storage.ErrConflict
		}
		return err
	})
	if err != nil {
		return ticket.Allowance{}, err
	}
	return stored[ticket.Allowance](doc)
}
