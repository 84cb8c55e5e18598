package storagetest

import (
	"context"
	"fmt"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/ticket"
)

var catalogChecks = []check[ticket.Store]{
	{"Catalogs/RoundTrip", checkCatalogRoundTrip},
	{"Catalogs/CompareAndSet", checkCatalogVersions},
	{"Catalogs/SitesApart", checkCatalogSites},
	{"Catalogs/AreCopies", checkCatalogCopies},
	{"Catalogs/EventsWithTheirCause", checkCatalogEvents},
	{"Catalogs/ExactlyOneWins", checkCatalogRace},
}

func catalogOf(b *tickets, site inbox.SiteID) ticket.Catalog {
	b.Helper()
	c, err := b.s.Catalog(b.Context(), site)
	ok(b, fmt.Sprintf("catalog of %q", site), err)
	return c
}

// fullCatalog is the catalog of acme with something in every field.
func fullCatalog() ticket.Catalog {
	c := full[ticket.Catalog]("catalog")
	c.Site, c.Version = acme, 0
	return c
}

func checkCatalogRoundTrip(b *tickets) {
	equal(b, "catalog before the first", catalogOf(b, acme), ticket.Catalog{Site: acme})
	c := fullCatalog()
	for version := storage.Version(1); version <= 2; version++ {
		saved, err := b.s.SaveCatalog(b.Context(), c)
		ok(b, "save catalog", err)
		c.Version = version
		equal(b, "saved catalog", saved, c)
		equal(b, fmt.Sprintf("catalog of version %d", version), catalogOf(b, acme), c)
		c = ticket.Catalog{Site: acme, Version: version} // everything that can be empty
	}
}

func checkCatalogVersions(b *tickets) {
	absent := fullCatalog()
	absent.Version = 1
	_, err := b.s.SaveCatalog(b.Context(), absent)
	refused(b, "save version 1 of a catalog that is not there", err, storage.ErrConflict)
	equal(b, "catalog after a refused write", catalogOf(b, acme), ticket.Catalog{Site: acme})
	one, err := b.s.SaveCatalog(b.Context(), fullCatalog())
	ok(b, "save catalog", err)
	two, err := b.s.SaveCatalog(b.Context(), one)
	ok(b, "save catalog again", err)
	for _, v := range []storage.Version{0, 1, 3} {
		stale := ticket.Catalog{Site: acme, Version: v}
		_, err := b.s.SaveCatalog(b.Context(), stale)
		refused(b, fmt.Sprintf("save a catalog of version 2 over version %d", v), err, storage.ErrConflict)
	}
	equal(b, "catalog after refused writes", catalogOf(b, acme), two)
}

func checkCatalogSites(b *tickets) {
	for _, site := range []inbox.SiteID{acme, other, "ACME"} {
		c := fullCatalog()
		c.Site, c.Tags = site, []ticket.Label{{Code: "of", Name: string(site)}}
		_, err := b.s.SaveCatalog(b.Context(), c)
		ok(b, "save catalog", err)
	}
	for _, site := range []inbox.SiteID{acme, other, "ACME"} {
		got := catalogOf(b, site)
		if got.Site != site || len(got.Tags) != 1 || got.Tags[0].Name != string(site) {
			b.Errorf("catalog of %q: got that of %q with tags %v", site, got.Site, got.Tags)
		}
	}
}

// checkCatalogCopies changes what it gave and what it got, and looks again.
func checkCatalogCopies(b *tickets) {
	c := fullCatalog()
	saved, err := b.s.SaveCatalog(b.Context(), c)
	ok(b, "save catalog", err)
	scramble(&c)
	scramble(&saved)
	want := fullCatalog()
	want.Version = 1
	for range 2 {
		got := catalogOf(b, acme)
		equal(b, "catalog after what was given or read is changed", got, want)
		scramble(&got)
	}
}

// checkCatalogEvents looks into the outbox where the store has one.
func checkCatalogEvents(b *tickets) {
	stale := fullCatalog()
	stale.Version = 7
	_, err := b.s.SaveCatalog(b.Context(), stale, happened("e-1"))
	refused(b, "save a stale catalog with an event", err, storage.ErrConflict)
	_, err = b.s.SaveCatalog(b.Context(), fullCatalog(), happened("e-2"), happened("e-3"))
	ok(b, "save a catalog with two events", err)
	outbox, has := b.s.(inbox.Outbox)
	if !has {
		return
	}
	equal(b, "events after a refused write and one that was not",
		eventIDs(collect(b, "events", outbox.DueEvents(b.Context(), at(1), 0))), []string{"e-2", "e-3"})
}

func checkCatalogRace(b *tickets) {
	for version := storage.Version(0); version < 2; version++ {
		winner := race(b, fmt.Sprintf("SaveCatalog over version %d", version), storage.ErrConflict,
			func(ctx context.Context, i int) error {
				_, err := b.s.SaveCatalog(ctx, ticket.Catalog{Site: acme, Version: version,
					Tags: []ticket.Label{{Code: "by", Name: fmt.Sprint(i)}}})
				return err
			})
		got := catalogOf(b, acme)
		if len(got.Tags) != 1 || got.Tags[0].Name != fmt.Sprint(winner) || got.Version != version+1 {
			b.Errorf("catalog after a race: got %+v, want that of writer %d, of version %d", got, winner, version+1)
		}
	}
}
