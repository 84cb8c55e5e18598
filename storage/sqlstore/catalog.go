package sqlstore

import (
	"context"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/ticket"
)

// Catalog returns the catalog of a site.
func (s *Store) Catalog(ctx context.Context, site inbox.SiteID) (c ticket.Catalog, err error) {
	err = s.read(ctx, op{"read", "catalog", string(site)}, func(x *session) error {
		var doc string
		err := x.one("SELECT doc FROM {catalogs} WHERE site = ?", []any{string(site)}, &doc)
		if isNone(err) {
			c = ticket.Catalog{Site: site}
			return nil
		}
		if err != nil {
			return err
		}
		c, err = stored[ticket.Catalog](doc)
		return err
	})
	return c, err
}

// SaveCatalog replaces the catalog of a site.
func (s *Store) SaveCatalog(ctx context.Context, c ticket.Catalog, ev ...inbox.Event) (saved ticket.Catalog, err error) {
	expect := int64(c.Version)
	c.Version++
	doc, err := encode(&c)
	if err != nil {
		return ticket.Catalog{}, err
	}
	err = s.write(ctx, op{"save", "catalog", string(c.Site)}, func(x *session) (err error) {
		var done bool
		if expect == 0 {
			done, err = x.create("INSERT INTO {catalogs} VALUES (?, 1, ?) ON CONFLICT (site) DO NOTHING",
				string(c.Site), doc)
		} else {
			var n int64
			n, err = x.affected("UPDATE {catalogs} SET version = version + 1, doc = ? WHERE site = ? AND version = ?",
				doc, string(c.Site), expect)
			done = n > 0
		}
		if err == nil && !done {
			err = storage.ErrConflict
		}
		if err != nil {
			return err
		}
		return x.saveEvents(ev)
	})
	if err != nil {
		return ticket.Catalog{}, err
	}
	return stored[ticket.Catalog](doc)
}
