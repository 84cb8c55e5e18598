package memory

import (
	"context"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/ticket"
)

// Catalog returns the catalog of a site; see ticket.Catalogs.
func (s *Store) Catalog(ctx context.Context, site inbox.SiteID) (ticket.Catalog, error) {
	unlock, err := s.read(ctx)
	if err != nil {
		return ticket.Catalog{}, err
	}
	defer unlock()
	c := clone(s.desk.catalog[site])
	c.Site = site
	return c, nil
}

// SaveCatalog replaces the catalog of a site; see ticket.Catalogs.
func (s *Store) SaveCatalog(ctx context.Context, c ticket.Catalog, ev ...inbox.Event) (ticket.Catalog, error) {
	unlock, err := s.write(ctx)
	if err != nil {
		return ticket.Catalog{}, err
	}
	defer unlock()
	if s.desk.catalog[c.Site].Version != c.Version {
		return ticket.Catalog{}, refuse("save", "catalog", c.Site, storage.ErrConflict)
	}
	if err := s.checkEvents(ev); err != nil {
		return ticket.Catalog{}, err
	}
	c = clone(c)
	c.Version++
	s.desk.catalog[c.Site] = c
	s.addEvents(ev)
	return clone(c), nil
}
