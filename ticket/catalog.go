package ticket

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
)

// Catalog is what the people of a site choose from when they set the options of a ticket (R-STA-01,
// R-TKT-03). Each list is in the order in which it is shown. Tickets keep codes, so a name may
// change at any time.
//
// Nothing that tickets may refer to is ever lost: what is left out of a list when the catalog is
// saved stays there as retired. Tickets that have it keep it and it can be shown and searched; it
// cannot be set any more. Saved again without the mark it is back.
type Catalog struct {
	Site inbox.SiteID `json:"site"`
	// Statuses begin as the six built-in ones and Sources as the four, which can be put into another
	// order and nothing else.
	Statuses   []Label         `json:"statuses,omitempty"`
	Priorities []Label         `json:"priorities,omitempty"`
	Types      []Type          `json:"types,omitempty"`
	Sources    []Label         `json:"sources,omitempty"`
	Tags       []Label         `json:"tags,omitempty"`
	Fields     []Field         `json:"fields,omitempty"`
	Version    storage.Version `json:"version"`
}

// Label is one thing to choose.
type Label struct {
	// Code is what tickets keep: 1 to 40 letters a-z, digits and hyphens. Left empty in a new label
	// it is made up.
	Code  string `json:"code"`
	Name  string `json:"name"`            // at most 100 characters, unlike the others of its list
	Color string `json:"color,omitempty"` // "#rrggbb", or empty
	Icon  string `json:"icon,omitempty"`  // the host's own name of it, at most 100 characters
	// Retired says that it is on old tickets at most.
	Retired bool `json:"retired,omitempty"`
}

func (l *Label) label() *Label { return l }

// Type is a kind of ticket.
type Type struct {
	Label
	Scope
	// Default makes it the type of new tickets where it is offered; of several the first one counts.
	Default bool `json:"default,omitempty"`
}

// Scope says in which inboxes something is offered. The zero Scope is everywhere.
type Scope struct {
	// Limited: in Inboxes alone.
	Limited bool       `json:"limited,omitempty"`
	Inboxes []inbox.ID `json:"inboxes,omitempty"`
	// Future adds the inboxes made after Since; the service sets Since when Future is switched on.
	Future bool      `json:"future,omitempty"`
	Since  time.Time `json:"since,omitzero"`
	// Elsewhere counts, for whoever reads it, the further inboxes of the list that they may not know
	// of. When they save the catalog these stay, whatever is in it.
	Elsewhere int `json:"elsewhere,omitempty"`
}

// Offers says whether the scope has the inbox.
func (sc *Scope) Offers(in *inbox.Inbox) bool {
	return !sc.Limited || slices.Contains(sc.Inboxes, in.ID) || sc.Future && in.CreatedAt.After(sc.Since)
}

// builtInStatuses are the labels of R-STA-01, builtInSources those of R-TKT-02.
var (
	builtInStatuses = []Label{
		{Code: string(Active), Name: "Active"}, {Code: string(Waiting), Name: "Waiting on customer"},
		{Code: string(OnHold), Name: "On hold"}, {Code: string(Solved), Name: "Solved"},
		{Code: string(Closed), Name: "Closed"}, {Code: string(Spam), Name: "Spam"},
	}
	builtInSources = []Label{
		{Code: SourceEmail, Name: "Email"}, {Code: SourceManual, Name: "Email (Manual)"},
		{Code: SourcePhone, Name: "Phone"}, {Code: SourceDocs, Name: "Docs"},
	}
)

// The built-in sources (R-TKT-02). Mail that came in is SourceEmail.
const (
	SourceEmail  = "email"
	SourceManual = "email-manual"
	SourcePhone  = "phone"
	SourceDocs   = "docs"
)

// Catalogs keeps the catalog of each site.
type Catalogs interface {
	// Catalog returns the catalog of a site. Before the first SaveCatalog it has nothing but its
	// Site.
	Catalog(ctx context.Context, site inbox.SiteID) (Catalog, error)
	// SaveCatalog replaces the catalog of c.Site with the events that causes: both or nothing.
	// ErrConflict unless c.Version is the stored one, zero for none. It returns what is stored, of
	// the next version.
	SaveCatalog(ctx context.Context, c Catalog, ev ...inbox.Event) (Catalog, error)
}

// Catalog returns the catalog of the actor's site, for everybody who works there; others get
// storage.ErrNotFound. Inboxes the actor may not know of are counted and not named, and what is
// offered in such inboxes alone is left out for all but those who may save the catalog.
func (s *Service) Catalog(ctx context.Context, actor acl.Actor) (Catalog, error) {
	c, err := s.siteCatalog(ctx, actor)
	if err != nil {
		return Catalog{}, err
	}
	return s.redactCatalog(ctx, actor, c)
}

// SaveCatalog replaces the catalog of the actor's site, for its admins and owner; where the site lets
// agents manage tags (inbox.Settings.AgentsMayManageTags), they may save theirs with other tags and
// nothing else. Others get an error matching acl.ErrDenied. storage.ErrConflict says that somebody else
// has saved it since c was read. What is wrong with it comes as joined errors of type *CatalogError, one
// for each thing.
func (s *Service) SaveCatalog(ctx context.Context, actor acl.Actor, c Catalog) (Catalog, error) {
	old, err := s.siteCatalog(ctx, actor)
	if err != nil {
		return Catalog{}, err
	}
	tagsAlone := !managesSite(actor)
	if tagsAlone {
		if err := s.mayManageTags(ctx, actor, &old, &c); err != nil {
			return Catalog{}, err
		}
	}
	if c.Version != old.Version {
		return Catalog{}, &storage.Error{Op: "save", Entity: "catalog", ID: actor.Site, Err: storage.ErrConflict}
	}
	known, err := s.knownInboxes(ctx, actor)
	if err != nil {
		return Catalog{}, err
	}
	ch := catalogChange{now: s.now(), newID: s.NewID, known: known}
	next := old
	if tagsAlone {
		next.Tags = ch.labels("tags", old.Tags, c.Tags, nil)
	} else {
		next = ch.apply(&old, &c)
	}
	if err := errors.Join(ch.wrong...); err != nil {
		return Catalog{}, err
	}
	ev := ch.tagEvents(old.Tags, next.Tags)
	for i := range ev {
		ev[i].ID, ev[i].At, ev[i].Site, ev[i].Actor = s.NewID(), s.now(), next.Site, actor.User
	}
	saved, err := s.storeCatalog(ctx, next, ev...)
	if err != nil {
		return Catalog{}, err
	}
	return s.redactCatalog(ctx, actor, saved)
}

// mayManageTags refuses a catalog that an agent may not save: all but its tags must be as they read it
// (R-ROL-06).
func (s *Service) mayManageTags(ctx context.Context, actor acl.Actor, old, c *Catalog) error {
	settings, err := s.settings(ctx, inbox.SiteID(actor.Site))
	if err != nil {
		return err
	}
	read, err := s.redactCatalog(ctx, actor, *old)
	if err != nil {
		return err
	}
	read.Tags, read.Version = c.Tags, c.Version
	if !settings.AgentsMayManageTags || !same(read, *c) {
		return fmt.Errorf("save the catalog: %w", acl.ErrDenied)
	}
	return nil
}

// storeCatalog is SaveCatalog of the store, made sure of like every write (ambiguous.go).
func (s *Service) storeCatalog(ctx context.Context, c Catalog, ev ...inbox.Event) (Catalog, error) {
	return storage.Settle(ctx,
		func() (Catalog, error) { return s.Store.SaveCatalog(ctx, c, ev...) },
		func() (Catalog, bool, error) {
			stored, err := s.Store.Catalog(ctx, c.Site)
			want := c
			want.Version++
			return stored, err == nil && same(want, stored), err
		})
}

// managesSite says whether the actor may edit what holds for the whole site.
func managesSite(actor acl.Actor) bool { return actor.Role == acl.Owner || actor.Role == acl.Admin }

// siteCatalog loads the whole catalog for somebody who works on the site: row 1 is for all of them.
func (s *Service) siteCatalog(ctx context.Context, actor acl.Actor) (Catalog, error) {
	if !acl.Check(actor, nil, acl.CreateInbox, nil).Allowed {
		return Catalog{}, &storage.Error{Op: "read", Entity: "catalog", Err: storage.ErrNotFound}
	}
	return s.catalogOf(ctx, inbox.SiteID(actor.Site))
}

// catalogOf loads the catalog of a site with what is built in.
func (s *Service) catalogOf(ctx context.Context, site inbox.SiteID) (Catalog, error) {
	c, err := s.Store.Catalog(ctx, site)
	if err != nil {
		return Catalog{}, err
	}
	if c.Version == 0 {
		c.Statuses, c.Sources = slices.Clone(builtInStatuses), slices.Clone(builtInSources)
	}
	return c, nil
}

// knownInboxes returns the inboxes the actor may know of.
func (s *Service) knownInboxes(ctx context.Context, actor acl.Actor) (map[inbox.ID]bool, error) {
	known := make(map[inbox.ID]bool)
	for in, err := range s.Inboxes.Inboxes(ctx, actor, inbox.Query{}) {
		if err != nil {
			return nil, err
		}
		known[in.ID] = true
	}
	return known, nil
}

func (s *Service) redactCatalog(ctx context.Context, actor acl.Actor, c Catalog) (Catalog, error) {
	if !slices.ContainsFunc(c.Types, func(t Type) bool { return t.Limited }) &&
		!slices.ContainsFunc(c.Fields, func(f Field) bool { return f.Limited }) {
		return c, nil
	}
	known, err := s.knownInboxes(ctx, actor)
	if err != nil {
		return Catalog{}, err
	}
	keep := func(sc *Scope) bool { return sc.redact(known) || managesSite(actor) }
	kept := c.Types[:0:0]
	for _, t := range c.Types {
		if keep(&t.Scope) {
			kept = append(kept, t)
		}
	}
	fields := c.Fields[:0:0]
	for _, f := range c.Fields {
		if keep(&f.Scope) {
			fields = append(fields, f)
		}
	}
	c.Types, c.Fields = kept, fields
	return c, nil
}

// redact counts the inboxes that are not known instead of naming them, and says whether any other is
// left.
func (sc *Scope) redact(known map[inbox.ID]bool) bool {
	var left []inbox.ID
	for _, id := range sc.Inboxes {
		if known[id] {
			left = append(left, id)
		}
	}
	sc.Elsewhere, sc.Inboxes = len(sc.Inboxes)-len(left), left
	return !sc.Limited || sc.Future || len(left) > 0
}
