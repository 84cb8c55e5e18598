package memory

import (
	"context"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
)

// SaveCustomers creates or replaces several customers; see inbox.Clients. Addresses may move from one
// to another in one write: what counts is who has them when it is done.
func (s *Store) SaveCustomers(
	ctx context.Context, list []inbox.Customer, ev ...inbox.Event,
) ([]inbox.Customer, error) {
	unlock, err := s.write(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if err := s.checkCustomers(list); err != nil {
		return nil, err
	}
	if err := s.checkEvents(ev); err != nil {
		return nil, err
	}
	for i := range list {
		s.ensureClients(list[i].Site).release(list[i].ID)
	}
	saved := make([]inbox.Customer, len(list))
	for i := range list {
		c := clone(list[i])
		c.Version++
		cs := s.ensureClients(c.Site)
		cs.setCustomer(&c)
		cs.version++
		saved[i] = clone(c)
	}
	s.addEvents(ev)
	return saved, nil
}

// checkCustomers refuses customers that cannot be saved together.
func (s *Store) checkCustomers(list []inbox.Customer) error {
	type id struct {
		site inbox.SiteID
		id   inbox.CustomerID
	}
	type address struct {
		site inbox.SiteID
		key  string
	}
	saved := make(map[id]bool, len(list))
	for _, c := range list {
		var stored storage.Version
		if old := s.clientsOf(c.Site).customer[c.ID]; old != nil {
			stored = old.Version
		}
		if stored != c.Version || saved[id{c.Site, c.ID}] {
			return refuse("save", "customer", c.ID, storage.ErrConflict)
		}
		saved[id{c.Site, c.ID}] = true
	}
	claimed := make(map[address]inbox.CustomerID, len(list))
	for i := range list {
		c := &list[i]
		for _, k := range liveKeys(c) {
			at := address{c.Site, k}
			holder, taken := s.clientsOf(c.Site).addresses[k]
			taken = taken && !saved[id{c.Site, holder}]
			if other, twice := claimed[at]; taken || twice && other != c.ID {
				return refuse("save", "customer", c.ID, storage.ErrExists)
			}
			claimed[at] = c.ID
		}
	}
	return nil
}

// liveKeys returns the address keys a customer holds, none when it is deleted.
func liveKeys(c *inbox.Customer) []string {
	if !c.DeletedAt.IsZero() {
		return nil
	}
	return addressKeys(c)
}

// release frees the addresses of a customer that is about to be replaced.
func (cs *clients) release(id inbox.CustomerID) {
	if old := cs.customer[id]; old != nil {
		for _, k := range liveKeys(old) {
			delete(cs.addresses, k)
		}
	}
}

func (cs *clients) setCustomer(c *inbox.Customer) {
	for _, k := range liveKeys(c) {
		cs.addresses[k] = c.ID
	}
	cs.customers.replace(cs.customer[c.ID], c)
	cs.customer[c.ID] = c
}

// EnsureCustomers returns the customers of these people, creating those that are missing; see
// inbox.Clients.
func (s *Store) EnsureCustomers(
	ctx context.Context, site inbox.SiteID, from inbox.ID, who []inbox.Known, at time.Time,
	newID func() string,
) ([]inbox.Customer, error) {
	unlock, err := s.write(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	all := make([]inbox.Customer, len(who))
	for i, k := range who {
		cs := s.ensureClients(site)
		address := filter.AddressKey(k.Address)
		old := cs.customer[cs.addresses[address]]
		var c inbox.Customer
		if old == nil {
			c = inbox.Customer{
				ID: inbox.CustomerID(newID()), Site: site, Name: k.Name, Address: address,
				CreatedAt: utc(at),
			}
		} else {
			c = clone(*old)
		}
		associated := associate(&c, k, utc(at))
		if noted := noteInbox(&c, from); noted || associated || old == nil {
			c.Version++
			stored := clone(c)
			cs.setCustomer(&stored)
		}
		if associated || old == nil {
			cs.version++
		}
		all[i] = c
	}
	return all, nil
}

// associate gives c the company that k offers, unless c has one by hand (R-CUS-03), and says whether
// that changed anything.
func associate(c *inbox.Customer, k inbox.Known, at time.Time) bool {
	byHand := c.Company != "" && c.Source != inbox.SourceDomain
	known := c.Company == k.Company &&
		(k.Pattern == nil || c.Pattern != nil && *c.Pattern == *k.Pattern)
	if k.Company == "" || byHand || known {
		return false
	}
	if c.Company != k.Company {
		c.Since = at
	}
	c.Company, c.Source, c.Pattern = k.Company, inbox.SourceDomain, clone(k.Pattern)
	return true
}

// noteInbox adds the inbox to those a customer is known from.
func noteInbox(c *inbox.Customer, from inbox.ID) bool {
	i, known := slices.BinarySearch(c.KnownFrom, from)
	if known || from == "" {
		return false
	}
	c.KnownFrom = slices.Insert(c.KnownFrom, i, from)
	return true
}

// forget takes an inbox out of all customers' KnownFrom.
func (cs *clients) forget(id inbox.ID) {
	for _, old := range cs.customer {
		if i := slices.Index(old.KnownFrom, id); i >= 0 {
			c := clone(*old)
			c.KnownFrom = slices.Delete(c.KnownFrom, i, i+1)
			c.Version++
			cs.setCustomer(&c)
		}
	}
}

// Customers yields customers by ID in byte order; see inbox.Clients.
func (s *Store) Customers(
	ctx context.Context, q inbox.CustomerQuery,
) iter.Seq2[inbox.Customer, error] {
	k := key{}
	address, domain := filter.AddressKey(q.Address), strings.ToLower(q.Domain)
	if d, err := filter.ParseDomain(q.Domain); err == nil {
		domain = d.String()
	}
	switch {
	case q.Address != "":
		k = key{by: byAddress, value: address}
	case q.Company != "":
		k = key{by: byCompany, value: string(q.Company)}
	}
	return list[inbox.Customer]{
		from: func() *sorted[inbox.Customer] {
			return s.clientsOf(q.Site).customers.of(k)
		},
		after: &inbox.Customer{ID: q.After},
		keep: func(c *inbox.Customer) bool {
			return (q.Deleted || c.DeletedAt.IsZero()) &&
				(q.Company == "" || c.Company == q.Company) &&
				(q.Domain == "" || isAt(c, domain)) &&
				(q.Visible == nil || c.ByHand || knownFrom(c, q.Visible))
		},
		copy:  clone[inbox.Customer],
		limit: q.Limit,
	}.yield(ctx, s)
}

// isAt says whether one of the customer's addresses is at the domain or below it.
func isAt(c *inbox.Customer, domain string) bool {
	return slices.ContainsFunc(addressKeys(c), func(a string) bool {
		d, ok := filter.AddressDomain(a)
		return ok && (d.String() == domain || strings.HasSuffix(d.String(), "."+domain))
	})
}

func knownFrom(c *inbox.Customer, visible []inbox.ID) bool {
	return slices.ContainsFunc(visible, func(id inbox.ID) bool {
		return slices.Contains(c.KnownFrom, id)
	})
}
