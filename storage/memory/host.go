package memory

import (
	"context"
	"iter"
	"maps"
	"slices"
	"sync"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
)

// Host is a user and site directory in memory. It stands in for the host's own, which implements
// inbox.People and inbox.Sites over what it has. Only NewHost makes one. All methods may be called
// concurrently, and values are copies.
type Host struct {
	mu     sync.RWMutex
	people map[inbox.SiteID]map[acl.UserID]inbox.Person
	sites  map[inbox.SiteID]inbox.Settings
}

var (
	_ inbox.People = (*Host)(nil)
	_ inbox.Sites  = (*Host)(nil)
)

// NewHost returns a directory without people and sites.
func NewHost() *Host {
	return &Host{
		people: make(map[inbox.SiteID]map[acl.UserID]inbox.Person),
		sites:  make(map[inbox.SiteID]inbox.Settings),
	}
}

// AddPerson adds a person to the site p.Site, or replaces the one with that ID.
func (h *Host) AddPerson(p inbox.Person) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.people[p.Site] == nil {
		h.people[p.Site] = make(map[acl.UserID]inbox.Person)
	}
	h.people[p.Site][p.ID] = clone(p)
}

// RemovePerson forgets a person. Absent is fine.
func (h *Host) RemovePerson(site inbox.SiteID, id acl.UserID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.people[site], id)
}

// SetSite adds a site, or replaces the settings of the one with that ID.
func (h *Host) SetSite(st inbox.Settings) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.sites[st.ID] = clone(st)
}

// Person returns one user; see inbox.People.
func (h *Host) Person(
	ctx context.Context, site inbox.SiteID, id acl.UserID,
) (inbox.Person, error) {
	if err := ctx.Err(); err != nil {
		return inbox.Person{}, err
	}
	h.mu.RLock()
	defer h.mu.RUnlock()
	p, ok := h.people[site][id]
	if !ok {
		return inbox.Person{}, refuse("read", "person", id, storage.ErrNotFound)
	}
	return clone(p), nil
}

// People yields the users of a site by ID, those that are there when it begins.
func (h *Host) People(ctx context.Context, site inbox.SiteID) iter.Seq2[inbox.Person, error] {
	return func(yield func(inbox.Person, error) bool) {
		h.mu.RLock()
		people := maps.Clone(h.people[site])
		h.mu.RUnlock()
		for _, id := range slices.Sorted(maps.Keys(people)) {
			if ctx.Err() != nil {
				break
			}
			if !yield(clone(people[id]), nil) {
				return
			}
		}
		if err := ctx.Err(); err != nil {
			yield(inbox.Person{}, err)
		}
	}
}

// Site returns the settings of a site; see inbox.Sites.
func (h *Host) Site(ctx context.Context, id inbox.SiteID) (inbox.Settings, error) {
	if err := ctx.Err(); err != nil {
		return inbox.Settings{}, err
	}
	h.mu.RLock()
	defer h.mu.RUnlock()
	st, ok := h.sites[id]
	if !ok {
		return inbox.Settings{}, refuse("read", "site", id, storage.ErrNotFound)
	}
	return clone(st), nil
}
