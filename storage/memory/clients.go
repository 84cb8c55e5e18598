package memory

import (
	"cmp"
	"context"
	"iter"
	"slices"

	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
)

// clients are the companies and customers of one site.
type clients struct {
	version   storage.Version // of the snapshot
	companies *index[inbox.Company]
	company   map[inbox.CompanyID]*inbox.Company
	patterns  map[filter.Pattern]inbox.CompanyID // held by live companies
	customers *index[inbox.Customer]
	customer  map[inbox.CustomerID]*inbox.Customer
	addresses map[string]inbox.CustomerID // keys of live customers
}

func newClients() *clients {
	return &clients{
		companies: newIndex(
			func(a, b *inbox.Company) int { return cmp.Compare(a.ID, b.ID) }, nil),
		company:  make(map[inbox.CompanyID]*inbox.Company),
		patterns: make(map[filter.Pattern]inbox.CompanyID),
		customers: newIndex(
			func(a, b *inbox.Customer) int { return cmp.Compare(a.ID, b.ID) }, customerKeys),
		customer:  make(map[inbox.CustomerID]*inbox.Customer),
		addresses: make(map[string]inbox.CustomerID),
	}
}

func customerKeys(c *inbox.Customer) []key {
	var keys []key
	if c.Company != "" {
		keys = append(keys, key{by: byCompany, value: string(c.Company)})
	}
	for _, a := range addressKeys(c) {
		keys = append(keys, key{by: byAddress, value: a})
	}
	return keys
}

// addressKeys returns the keys of a customer's addresses, the primary one first.
func addressKeys(c *inbox.Customer) []string {
	keys := make([]string, 0, 1+len(c.Alternatives))
	if c.Address != "" {
		keys = append(keys, filter.AddressKey(c.Address))
	}
	for _, a := range c.Alternatives {
		keys = append(keys, filter.AddressKey(a))
	}
	return keys
}

// of returns the clients of a site, to be read only.
func (s *Store) clientsOf(site inbox.SiteID) *clients {
	if cs := s.clients[site]; cs != nil {
		return cs
	}
	return newClients()
}

// ensureClients returns the clients of a site, to be written.
func (s *Store) ensureClients(site inbox.SiteID) *clients {
	cs := s.clients[site]
	if cs == nil {
		cs = newClients()
		s.clients[site] = cs
	}
	return cs
}

// Company returns one company; see inbox.Clients.
func (s *Store) Company(
	ctx context.Context, site inbox.SiteID, id inbox.CompanyID,
) (inbox.Company, error) {
	unlock, err := s.read(ctx)
	if err != nil {
		return inbox.Company{}, err
	}
	defer unlock()
	c := s.clientsOf(site).company[id]
	if c == nil {
		return inbox.Company{}, refuse("read", "company", id, storage.ErrNotFound)
	}
	return clone(*c), nil
}

// Customer returns one customer; see inbox.Clients.
func (s *Store) Customer(
	ctx context.Context, site inbox.SiteID, id inbox.CustomerID,
) (inbox.Customer, error) {
	unlock, err := s.read(ctx)
	if err != nil {
		return inbox.Customer{}, err
	}
	defer unlock()
	c := s.clientsOf(site).customer[id]
	if c == nil {
		return inbox.Customer{}, refuse("read", "customer", id, storage.ErrNotFound)
	}
	return clone(*c), nil
}

// SaveCompany creates or replaces a company; see inbox.Clients.
func (s *Store) SaveCompany(
	ctx context.Context, c inbox.Company, ev ...inbox.Event,
) (inbox.Company, error) {
	unlock, err := s.write(ctx)
	if err != nil {
		return inbox.Company{}, err
	}
	defer unlock()
	cs := s.clientsOf(c.Site)
	if versionOf(cs.company[c.ID]) != c.Version {
		return inbox.Company{}, refuse("save", "company", c.ID, storage.ErrConflict)
	}
	for _, p := range livePatterns(&c) {
		if holder, taken := cs.patterns[p]; taken && holder != c.ID {
			return inbox.Company{}, refuse("save", "company", c.ID, storage.ErrExists)
		}
	}
	if err := s.checkEvents(ev); err != nil {
		return inbox.Company{}, err
	}
	c = clone(c)
	c.Version++
	s.ensureClients(c.Site).setCompany(&c)
	s.addEvents(ev)
	return clone(c), nil
}

func versionOf(c *inbox.Company) storage.Version {
	if c == nil {
		return 0
	}
	return c.Version
}

// livePatterns returns the patterns a company holds, none when it is deleted.
func livePatterns(c *inbox.Company) []filter.Pattern {
	if !c.DeletedAt.IsZero() {
		return nil
	}
	ps := make([]filter.Pattern, len(c.Domains))
	for i, d := range c.Domains {
		ps[i] = d.Pattern
	}
	return ps
}

func (cs *clients) setCompany(c *inbox.Company) {
	old := cs.company[c.ID]
	if old != nil {
		for _, p := range livePatterns(old) {
			delete(cs.patterns, p)
		}
	}
	for _, p := range livePatterns(c) {
		cs.patterns[p] = c.ID
	}
	cs.company[c.ID] = c
	cs.companies.replace(old, c)
	cs.version++
}

// Companies yields companies by ID in byte order; see inbox.Clients.
func (s *Store) Companies(
	ctx context.Context, q inbox.CompanyQuery,
) iter.Seq2[inbox.Company, error] {
	return list[inbox.Company]{
		from: func() *sorted[inbox.Company] {
			return s.clientsOf(q.Site).companies.of(key{})
		},
		after: &inbox.Company{ID: q.After},
		keep:  func(c *inbox.Company) bool { return q.Deleted || c.DeletedAt.IsZero() },
		copy:  clone[inbox.Company],
		limit: q.Limit,
	}.yield(ctx, s)
}

// Snapshot returns what the filter needs of a site's live companies and customers; see
// inbox.Clients. A live customer of a deleted company is one without company.
func (s *Store) Snapshot(
	ctx context.Context, site inbox.SiteID, after storage.Version,
) (*filter.DirectoryData, storage.Version, error) {
	unlock, err := s.read(ctx)
	if err != nil {
		return nil, 0, err
	}
	defer unlock()
	cs := s.clientsOf(site)
	if cs.version == after {
		return nil, after, nil
	}
	d := new(filter.DirectoryData)
	for c := range cs.companies.of(key{}).all() {
		if !c.DeletedAt.IsZero() {
			continue
		}
		if c.Kind == inbox.KindGroup {
			d.Groups = append(d.Groups, c.ID)
		}
		for _, dom := range c.Domains {
			d.Domains = append(d.Domains, filter.DomainEntry{
				Pattern: dom.Pattern, Company: c.ID, Forced: dom.Forced, Since: dom.Since,
			})
		}
	}
	for c := range cs.customers.of(key{}).all() {
		if !c.DeletedAt.IsZero() {
			continue
		}
		entry := filter.CustomerEntry{Customer: c.ID, Company: c.Company, Since: c.Since}
		if co := cs.company[c.Company]; co != nil && !co.DeletedAt.IsZero() {
			entry.Company = ""
		}
		keys := addressKeys(c)
		slices.Sort(keys)
		for _, a := range slices.Compact(keys) {
			entry.Address = a
			d.Customers = append(d.Customers, entry)
		}
	}
	return d, cs.version, nil
}
