package storagetest_test

import (
	"context"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage/memory"
	"github.com/workinbox/workinbox/ticket"
)

// bentCatalogs is a right store of which one thing about catalogs is changed.
type bentCatalogs struct {
	*memory.Store
	read func(c *ticket.Catalog)
	site func(site inbox.SiteID) inbox.SiteID
	save func(ctx context.Context, c ticket.Catalog, ev []inbox.Event) (ticket.Catalog, error)
}

func (b *bentCatalogs) Catalog(ctx context.Context, site inbox.SiteID) (ticket.Catalog, error) {
	if b.site != nil {
		site = b.site(site)
	}
	c, err := b.Store.Catalog(ctx, site)
	call(b.read, &c)
	return c, err
}

func (b *bentCatalogs) SaveCatalog(
	ctx context.Context, c ticket.Catalog, ev ...inbox.Event,
) (ticket.Catalog, error) {
	if b.save != nil {
		return b.save(ctx, c, ev)
	}
	return b.Store.SaveCatalog(ctx, c, ev...)
}

// lastWins saves whatever is stored.
func lastWins(s *memory.Store) ticket.Store {
	return &bentCatalogs{Store: s, save: func(
		ctx context.Context, c ticket.Catalog, ev []inbox.Event,
	) (ticket.Catalog, error) {
		stored, _ := s.Catalog(ctx, c.Site)
		c.Version = stored.Version
		return s.SaveCatalog(ctx, c, ev...)
	}}
}

var brokenCatalogs = []broken[ticket.Store]{
	{"Catalogs/RoundTrip", "forgets choices", func(s *memory.Store) ticket.Store {
		return &bentCatalogs{Store: s, read: func(c *ticket.Catalog) {
			for i := range c.Fields {
				c.Fields[i].Choices = nil
			}
		}}
	}},
	{"Catalogs/CompareAndSet", "last write wins", lastWins},
	{"Catalogs/SitesApart", "one for all", func(s *memory.Store) ticket.Store {
		return &bentCatalogs{Store: s, site: func(inbox.SiteID) inbox.SiteID { return "acme" }}
	}},
	{"Catalogs/AreCopies", "hands out its own", func(s *memory.Store) ticket.Store {
		var own []ticket.Label
		return &bentCatalogs{Store: s, read: func(c *ticket.Catalog) {
			if own == nil {
				own = c.Tags
			}
			c.Tags = own
		}}
	}},
	{"Catalogs/EventsWithTheirCause", "before the write", func(s *memory.Store) ticket.Store {
		return &bentCatalogs{Store: s, save: func(
			ctx context.Context, c ticket.Catalog, ev []inbox.Event,
		) (ticket.Catalog, error) {
			_ = s.SaveEvents(ctx, ev...)
			return s.SaveCatalog(ctx, c)
		}}
	}},
	{"Catalogs/ExactlyOneWins", "all win", lastWins},
}
