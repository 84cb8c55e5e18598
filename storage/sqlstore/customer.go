package sqlstore

import (
	"cmp"
	"context"
	"maps"
	"math"
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
		var all customerRows
		for i := range cs {
			c := cs[i]
			c.Version++
			doc, err := x.writeCustomer(&c)
			if err != nil {
				return err
			}
			all.add(&c)
			if saved[i], err = stored[inbox.Customer](doc); err != nil {
				return err
			}
		}
		if err := x.saveCustomerRows(&all); err != nil {
			return err
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
	bySite := make(map[inbox.SiteID][]inbox.CustomerID)
	for i := range cs {
		bySite[cs[i].Site] = append(bySite[cs[i].Site], cs[i].ID)
	}
	for _, site := range slices.Sorted(maps.Keys(bySite)) {
		old, err := x.storedCustomers(site, bySite[site])
		if err != nil {
			return nil, err
		}
		differs := false
		for i := range cs {
			c := &cs[i]
			if c.Site != site {
				continue
			}
			was := old[c.ID]
			if was.Version != c.Version {
				return nil, refuse("save", "customer", c.ID, storage.ErrConflict)
			}
			differs = differs || !sameEntries(&was, c)
			was.Version = storage.Version(math.MaxUint64) // of two in one write the second is too late
			old[c.ID] = was
		}
		if differs {
			raise = append(raise, site)
		}
		if err := x.release(site, bySite[site]); err != nil {
			return nil, err
		}
	}
	return raise, nil
}

// storedCustomers reads the customers that are there. Locks are taken in the order of the IDs, so
// that two writes do not wait for each other in a circle.
func (x *session) storedCustomers(
	site inbox.SiteID, ids []inbox.CustomerID,
) (map[inbox.CustomerID]inbox.Customer, error) {
	old := make(map[inbox.CustomerID]inbox.Customer, len(ids))
	err := inChunks(distinct(ids), func(marks string, values []any) error {
		text := x.locking("SELECT doc FROM {customers} WHERE site = ? AND id IN " + marks + " ORDER BY id")
		found, err := docs[inbox.Customer](x, text, append([]any{string(site)}, values...))
		for _, c := range found {
			old[c.ID] = c
		}
		return err
	})
	return old, err
}

// release deletes the rows of customers beside their own.
func (x *session) release(site inbox.SiteID, ids []inbox.CustomerID) error {
	return inChunks(distinct(ids), func(marks string, values []any) error {
		for _, table := range []string{"{addresses}", "{known}"} {
			_, err := x.exec("DELETE FROM "+table+" WHERE site = ? AND customer IN "+marks,
				append([]any{string(site)}, values...)...)
			if err != nil {
				return err
			}
		}
		return nil
	})
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
			keys = append(keys, addressKey(a))
		}
	}
	return distinct(keys)
}

// customerRows are the rows of customers beside their own.
type customerRows struct {
	addresses, known [][]any
	one              inbox.CustomerID // of the only customer, for errors
	customers        int
}

func (r *customerRows) add(c *inbox.Customer) {
	r.one, r.customers = c.ID, r.customers+1
	live := flag(c.DeletedAt.IsZero())
	for _, key := range addressKeys(c) {
		r.addresses = append(r.addresses, []any{string(c.Site), key, string(c.ID), live,
			string(c.Company), micros(c.Since), reversedHost(key)})
	}
	for _, from := range distinct(c.KnownFrom) {
		r.know(c, from)
	}
}

func (r *customerRows) know(c *inbox.Customer, from inbox.ID) {
	r.known = append(r.known, []any{string(c.Site), string(c.ID), string(from)})
}

// inOrder sorts the addresses: writers who wait for each other's do so in one direction.
func (r *customerRows) inOrder() {
	slices.SortStableFunc(r.addresses, func(a, b []any) int { return cmp.Compare(a[1].(string), b[1].(string)) })
}

const addressColumns = "site, address, customer, live, company, since, host"

// saveCustomerRows writes them, where no older ones are. ErrExists when another live customer has one
// of the addresses.
func (x *session) saveCustomerRows(r *customerRows) error {
	if r.customers != 1 {
		r.one = ""
	}
	r.inOrder()
	err := x.insert("addresses", addressColumns, r.addresses, "")
	if err != nil {
		return x.orExists("save", "customer", string(r.one), err)
	}
	return x.insert("known", "", r.known, "")
}

const newCustomer = "INSERT INTO {customers} VALUES (?, ?, ?, ?, ?, 1, ?) ON CONFLICT (site, id) DO NOTHING"

// writeCustomer writes the customer's own row alone and returns its doc. One of version 1 is new, and
// when its ID is taken somebody else was faster.
func (x *session) writeCustomer(c *inbox.Customer) (string, error) {
	doc, err := encode(c)
	if err != nil {
		return "", err
	}
	deleted, byHand := flag(!c.DeletedAt.IsZero()), flag(c.ByHand)
	if c.Version == 1 {
		fresh, err := x.create(newCustomer,
			string(c.Site), string(c.ID), deleted, byHand, string(c.Company), doc)
		if err == nil && !fresh {
			err = refuse("save", "customer", c.ID, storage.ErrConflict)
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
