package sqlstore

import (
	"context"
	"iter"

	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
)

// Company returns one company.
func (s *Store) Company(
	ctx context.Context, site inbox.SiteID, id inbox.CompanyID,
) (c inbox.Company, err error) {
	err = s.read(ctx, op{"read", "company", string(id)}, func(x *session) error {
		var doc string
		err := x.one("SELECT doc FROM {companies} WHERE site = ? AND id = ?",
			[]any{string(site), string(id)}, &doc)
		if err != nil {
			return err
		}
		c, err = stored[inbox.Company](doc)
		return err
	})
	return c, err
}

// SaveCompany creates or replaces a company.
func (s *Store) SaveCompany(
	ctx context.Context, c inbox.Company, ev ...inbox.Event,
) (inbox.Company, error) {
	based := c.Version
	c.Version++
	doc, err := encode(&c)
	if err != nil {
		return inbox.Company{}, refuse("save", "company", c.ID, err)
	}
	err = s.write(ctx, op{"save", "company", string(c.ID)}, func(x *session) error {
		if err := x.replaceCompany(&c, based, doc); err != nil {
			return err
		}
		if err := x.saveDomains(&c); err != nil {
			return err
		}
		if err := x.raiseSnapshot(c.Site); err != nil {
			return err
		}
		return x.saveEvents(ev)
	})
	if err != nil {
		return inbox.Company{}, err
	}
	return stored[inbox.Company](doc)
}

func (x *session) replaceCompany(c *inbox.Company, based storage.Version, doc string) error {
	live := c.DeletedAt.IsZero()
	deleted, group := flag(!live), flag(live && c.Kind == inbox.KindGroup)
	if based == 0 {
		fresh, err := x.create("INSERT INTO {companies} VALUES (?, ?, ?, ?, 1, ?) "+
			"ON CONFLICT (site, id) DO NOTHING", string(c.Site), string(c.ID), deleted, group, doc)
		if err == nil && !fresh {
			err = storage.ErrConflict
		}
		return err
	}
	n, err := x.affected("UPDATE {companies} SET deleted = ?, grp = ?, version = version + 1, doc = ? "+
		"WHERE site = ? AND id = ? AND version = ?",
		deleted, group, doc, string(c.Site), string(c.ID), int64(based))
	if err == nil && n == 0 {
		err = storage.ErrConflict
	}
	return err
}

// saveDomains notes the patterns a company holds, none when it is deleted.
func (x *session) saveDomains(c *inbox.Company) error {
	_, err := x.exec("DELETE FROM {domains} WHERE site = ? AND company = ?", string(c.Site), string(c.ID))
	if err != nil || !c.DeletedAt.IsZero() {
		return err
	}
	seen := make(map[filter.Pattern]bool, len(c.Domains))
	rows := make([][]any, 0, len(c.Domains))
	for _, d := range c.Domains {
		if !seen[d.Pattern] {
			seen[d.Pattern] = true
			rows = append(rows, []any{string(c.Site), d.Pattern.String(), string(c.ID), flag(d.Forced), micros(d.Since)})
		}
	}
	return x.orExists("save", "company", string(c.ID), x.insert("domains", "", rows, ""))
}

// raiseSnapshot says that the next Snapshot of the site differs.
func (x *session) raiseSnapshot(site inbox.SiteID) error {
	_, err := x.exec("INSERT INTO {snapshots} VALUES (?, 1) "+
		"ON CONFLICT (site) DO UPDATE SET version = {snapshots}.version + 1", string(site))
	return err
}

// Companies yields companies by ID.
func (s *Store) Companies(ctx context.Context, q inbox.CompanyQuery) iter.Seq2[inbox.Company, error] {
	return list(ctx, q.Limit, func() func(int) (page[inbox.Company], error) {
		after := q.After
		return func(n int) (p page[inbox.Company], err error) {
			err = s.read(ctx, op{"list", "companies", ""}, func(x *session) error {
				text, args := x.companiesQuery(q, after, n)
				p.items, err = docs[inbox.Company](x, text, args)
				return err
			})
			if p.done = len(p.items) < n; len(p.items) > 0 {
				after = p.items[len(p.items)-1].ID
			}
			return p, err
		}
	})
}

func (s *Store) companiesQuery(q inbox.CompanyQuery, after inbox.CompanyID, n int) (string, []any) {
	text := "SELECT doc FROM {companies} WHERE site = ? AND id > ?"
	if !q.Deleted {
		text += " AND deleted = 0"
	}
	return text + " ORDER BY id LIMIT ?", []any{string(q.Site), s.dialect.placeOf(string(after)), int64(n)}
}
