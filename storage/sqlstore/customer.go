package sqlstore

import (
	"context"
	"slices"
	"strings"

	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
)

// Customer returns one customer.
func (s *Store) Customer(
	ctx context.Context, site inbox.SiteID, id inbox.CustomerID,
) (c inbox.Customer, err error) {
	err = s.read(ctx, op{"read", "customer", string(id)}, func(x *session) error {
		found, err := x.customer(site, id)
		if err != nil {
			return err
		}
		c = *found
		return nil
	})
	return c, err
}

// customer reads one customer, or returns sql.ErrNoRows.
func (x *session) customer(site inbox.SiteID, id inbox.CustomerID) (*inbox.Customer, error) {
	var doc string
	err := x.one("SELECT doc FROM {customers} WHERE site = ? AND id = ?",
		[]any{string(site), string(id)}, &doc)
	if err != nil {
		return nil, err
	}
	c, err := stored[inbox.Customer](doc)
	return &c, err
}

// SaveCustomers creates or replaces several customers. Addresses may move from one to another in one
// write: what counts is who has them when it is done.
func (s *Store) SaveCustomers(
	ctx context.Context, cs []inbox.Customer, ev ...inbox.Event,
) ([]inbox.Customer, error) {
	saved := make([]inbox.Customer, len(cs))
	err := s.write(ctx, op{"save", "customers", ""}, func(x *session) error {
		raise, err := x.releaseCustomers(cs)
		if err != nil {
			return err
		}
		for i := range cs {
			c := cs[i]
			c.Version++
			doc, err := x.saveCustomer(&c)
			if err != nil {
				return err
			}
			if saved[i], err = stored[inbox.Customer](doc); err != nil {
				return err
			}
		}
		for _, site := range raise {
			if err := x.raiseSnapshot(site); err != nil {
				return err
			}
		}
		return x.saveEvents(ev)
	})
	if err != nil {
		return nil, err
	}
	return saved, nil
}

// releaseCustomers checks the versions of customers that are about to be replaced, frees their
// addresses, and returns the sites whose snapshot will differ.
func (x *session) releaseCustomers(cs []inbox.Customer) (raise []inbox.SiteID, err error) {
	type place struct {
		site inbox.SiteID
		id   inbox.CustomerID
	}
	seen := make(map[place]bool, len(cs))
	for i := range cs {
		c, at := &cs[i], place{cs[i].Site, cs[i].ID}
		old, err := x.customer(c.Site, c.ID)
		if isNone(err) {
			old, err = new(inbox.Customer), nil
		}
		if err != nil {
			return nil, err
		}
		if old.Version != c.Version || seen[at] {
			return nil, refuse("save", "customer", c.ID, storage.ErrConflict)
		}
		seen[at] = true
		if !sameEntries(old, c) && !slices.Contains(raise, c.Site) {
			raise = append(raise, c.Site)
		}
		for _, table := range []string{"{addresses}", "{known}"} {
			_, err := x.exec("DELETE FROM "+table+" WHERE site = ? AND customer = ?",
				string(c.Site), string(c.ID))
			if err != nil {
				return nil, err
			}
		}
	}
	return raise, nil
}

// sameEntries says whether two states of a customer are one to the filter.
func sameEntries(a, b *inbox.Customer) bool {
	return a.Version > 0 && a.DeletedAt.IsZero() == b.DeletedAt.IsZero() && a.Company == b.Company &&
		micros(a.Since) == micros(b.Since) && slices.Equal(addressKeys(a), addressKeys(b))
}

// addressKeys returns the keys of a customer's addresses, sorted.
func addressKeys(c *inbox.Customer) []string {
	keys := make([]string, 0, 1+len(c.Alternatives))
	for _, a := range append([]string{c.Address}, c.Alternatives...) {
		if a != "" {
			keys = append(keys, filter.AddressKey(a))
		}
	}
	return distinct(keys)
}

// saveCustomer writes a customer whose old addresses are gone, and returns its doc.
func (x *session) saveCustomer(c *inbox.Customer) (string, error) {
	doc, err := x.writeCustomer(c)
	if err != nil {
		return "", err
	}
	live := flag(c.DeletedAt.IsZero())
	for _, key := range addressKeys(c) {
		_, err := x.exec("INSERT INTO {addresses} VALUES (?, ?, ?, ?, ?, ?, ?)", string(c.Site), key,
			string(c.ID), live, string(c.Company), micros(c.Since), reversedHost(key))
		if err != nil {
			return "", x.orExists("save", "customer", string(c.ID), err)
		}
	}
	for _, from := range distinct(c.KnownFrom) {
		if err := x.noteKnown(c, from); err != nil {
			return "", err
		}
	}
	return doc, nil
}

func (x *session) noteKnown(c *inbox.Customer, from inbox.ID) error {
	_, err := x.exec("INSERT INTO {known} VALUES (?, ?, ?)", string(c.Site), string(c.ID), string(from))
	return err
}

// writeCustomer writes the customer's own row alone. One of version 1 is new, and its ID free.
func (x *session) writeCustomer(c *inbox.Customer) (string, error) {
	doc, err := encode(c)
	if err != nil {
		return "", err
	}
	deleted, byHand := flag(!c.DeletedAt.IsZero()), flag(c.ByHand)
	if c.Version == 1 {
		n, err := x.affected("INSERT INTO {customers} VALUES (?, ?, ?, ?, ?, 1, ?) "+
			"ON CONFLICT (site, id) DO NOTHING",
			string(c.Site), string(c.ID), deleted, byHand, string(c.Company), doc)
		if err == nil && n == 0 {
			err = refuse("save", "customer", c.ID, storage.ErrExists)
		}
		return doc, err
	}
	_, err = x.exec("UPDATE {customers} SET deleted = ?, by_hand = ?, company = ?, version = ?, doc = ? "+
		"WHERE site = ? AND id = ?", deleted, byHand, string(c.Company), int64(c.Version), doc,
		string(c.Site), string(c.ID))
	return doc, err
}

// reversedHost is an address's domain with its labels in reverse, so that the domains below one lie
// behind it: "com.acme.eu". Empty for what is at no domain.
func reversedHost(key string) string {
	domain, ok := filter.AddressDomain(key)
	if !ok {
		return ""
	}
	return reversed(domain.String())
}

func reversed(host string) string {
	labels := strings.Split(host, ".")
	slices.Reverse(labels)
	return strings.Join(labels, ".")
}

// isAddress says whether a key has a mailbox name and something behind its "@".
func isAddress(key string) bool {
	at := strings.LastIndexByte(key, '@')
	return at > 0 && at < len(key)-1
}
