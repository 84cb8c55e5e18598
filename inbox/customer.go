package inbox

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/storage"
)

// ErrAddressTaken says that another customer of the site has one of the addresses.
var ErrAddressTaken = errors.New("another customer has this address")

// ErrInternalAddress says that an address is the team's own, which is never a customer's (R-CUS-07).
var ErrInternalAddress = errors.New("an address of the team is no customer's")

// CustomerEdit is what a person enters of a customer. Company is picked by hand where it is not
// empty; a customer whose company follows their domain keeps it (ErrDomainLocked otherwise).
type CustomerEdit struct {
	Name         string
	Address      string
	Alternatives []string // at most three (R-CUS-02)
	Company      CompanyID
}

// CreateCustomer enters a person by hand. Where the address belongs to a customer whom the actor
// could not know of, that one becomes known, and nothing tells that they existed (R-CUS-07). The
// team's own addresses are ErrInternalAddress.
func (s *Service) CreateCustomer(ctx context.Context, actor acl.Actor, e CustomerEdit) (Customer, error) {
	if err := managesCompanies(actor); err != nil {
		return Customer{}, err
	}
	c := Customer{ID: CustomerID(s.NewID()), Site: SiteID(actor.Site), CreatedAt: s.now()}
	hidden, err := s.unknownTo(ctx, actor, e.Address)
	if err != nil {
		return Customer{}, err
	}
	if hidden != nil {
		c = *hidden
		if e.Company == "" && c.Source == SourceManual {
			e.Company = c.Company
		}
		for _, key := range append([]string{c.Address}, c.Alternatives...) {
			if key != filter.AddressKey(e.Address) {
				e.Alternatives = append(slices.Clone(e.Alternatives), key)
			}
		}
	}
	c.ByHand = true
	return s.saveCustomer(ctx, actor, c, e)
}

// unknownTo returns the customer with that address if there is one the actor cannot know of.
func (s *Service) unknownTo(ctx context.Context, actor acl.Actor, address string) (*Customer, error) {
	q := CustomerQuery{Site: SiteID(actor.Site), Address: filter.AddressKey(address), Limit: 1}
	for c, err := range s.Store.Customers(ctx, q) {
		if err != nil {
			return nil, err
		}
		if _, err = s.Customer(ctx, actor, c.ID); errors.Is(err, storage.ErrNotFound) {
			return &c, nil
		}
		return nil, err
	}
	return nil, nil
}

// UpdateCustomer replaces what is known of a person.
func (s *Service) UpdateCustomer(ctx context.Context, actor acl.Actor, id CustomerID, e CustomerEdit) (Customer, error) {
	c, err := s.editable(ctx, actor, id)
	if err != nil {
		return Customer{}, err
	}
	return s.saveCustomer(ctx, actor, c, e)
}

// editable loads a customer, whole, for somebody who knows of them and may manage clients.
func (s *Service) editable(ctx context.Context, actor acl.Actor, id CustomerID) (Customer, error) {
	if _, err := s.Customer(ctx, actor, id); err != nil {
		return Customer{}, err
	}
	if err := managesCompanies(actor); err != nil {
		return Customer{}, err
	}
	return s.Store.Customer(ctx, SiteID(actor.Site), id)
}

// DeleteCustomer ends a customer: their mail enters by its domain only, what is stored stays.
func (s *Service) DeleteCustomer(ctx context.Context, actor acl.Actor, id CustomerID) error {
	c, err := s.editable(ctx, actor, id)
	if err != nil {
		return err
	}
	company := c.Company
	c.DeletedAt = s.now()
	if _, err := s.storeCustomer(ctx, actor, c); err != nil || company == "" {
		return err
	}
	return s.flagAssociation(ctx, c.Site, company)
}

// Customer returns one live customer the actor may know of: entered by hand, or known from mail the
// actor may see (R-CUS-07). Anybody else does not exist.
func (s *Service) Customer(ctx context.Context, actor acl.Actor, id CustomerID) (Customer, error) {
	c, err := s.Store.Customer(ctx, SiteID(actor.Site), id)
	if err != nil {
		return Customer{}, err
	}
	views, err := s.views(ctx, actor)
	if err != nil {
		return Customer{}, err
	}
	known, err := s.knownTo(ctx, views, &c)
	if err == nil && !known {
		err = notFoundClient("customer", string(id))
	}
	if err != nil {
		return Customer{}, err
	}
	return c, nil
}

// Customers yields the live customers the actor may know of, by ID.
func (s *Service) Customers(ctx context.Context, actor acl.Actor, q CustomerQuery) iter.Seq2[Customer, error] {
	return func(yield func(Customer, error) bool) {
		if actor.State != acl.Active {
			return
		}
		views, err := s.views(ctx, actor)
		if err != nil {
			yield(Customer{}, err)
			return
		}
		limit, n := q.Limit, 0
		q.Site, q.Visible, q.Deleted, q.Limit = SiteID(actor.Site), views.ids, false, 0
		for c, err := range s.Store.Customers(ctx, q) {
			known := false
			if err == nil {
				known, err = s.knownTo(ctx, views, &c)
			}
			if err != nil {
				yield(Customer{}, err)
				return
			}
			if !known {
				continue
			}
			if n++; !yield(c, nil) || n == limit {
				return
			}
		}
	}
}

// views are the inboxes whose mail somebody may see.
type views struct {
	active bool
	ids    []ID
	own    map[ID]bool // those they created, of which they see all mail
}

func (s *Service) views(ctx context.Context, actor acl.Actor) (views, error) {
	v := views{active: actor.State == acl.Active, ids: []ID{}, own: make(map[ID]bool)}
	for in, err := range s.Inboxes(ctx, actor, Query{}) {
		if err != nil {
			return views{}, err
		}
		v.ids = append(v.ids, in.ID)
		v.own[in.ID] = in.Creator == actor.User
	}
	return v, nil
}

// knownTo says whether somebody may know of a customer, and leaves of KnownFrom the inboxes where
// they see mail of them: mail that is hidden or private tells of nobody.
func (s *Service) knownTo(ctx context.Context, v views, c *Customer) (bool, error) {
	if !v.active || !c.DeletedAt.IsZero() {
		return false, nil
	}
	var from []ID
	for _, id := range c.KnownFrom {
		if !slices.Contains(v.ids, id) {
			continue
		}
		seen := v.own[id]
		if !seen {
			for _, err := range s.Store.Messages(ctx, MessageQuery{Inbox: id, Customer: c.ID, Limit: 1}) {
				if err != nil {
					return false, err
				}
				seen = true
			}
		}
		if seen {
			from = append(from, id)
		}
	}
	c.KnownFrom = from
	return c.ByHand || len(from) > 0, nil
}

// Visible returns the inboxes whose mail the actor may see, by ID: the visible set of every list.
func (s *Service) Visible(ctx context.Context, actor acl.Actor) ([]ID, error) {
	v, err := s.views(ctx, actor)
	return v.ids, err
}

// saveCustomer stores c as the edit makes it and returns it as the actor may see it.
func (s *Service) saveCustomer(ctx context.Context, actor acl.Actor, c Customer, e CustomerEdit) (Customer, error) {
	if len(e.Alternatives) > 3 {
		return Customer{}, fmt.Errorf("customer: %d alternative addresses, at most 3 (R-CUS-02)", len(e.Alternatives))
	}
	snap, err := s.snapshot(ctx, c.Site)
	if err != nil {
		return Customer{}, err
	}
	keys, err := addressKeys(append([]string{e.Address}, e.Alternatives...), snap.dir)
	if err != nil {
		return Customer{}, err
	}
	fresh, err := s.isNew(ctx, &c, keys[0])
	if err != nil {
		return Customer{}, err
	}
	before, moved := c.Company, c.Address != keys[0]
	c.Name, c.Address, c.Alternatives = strings.TrimSpace(e.Name), keys[0], keys[1:]
	if err := s.pickCompany(ctx, &c, e.Company, moved, snap.dir); err != nil {
		return Customer{}, err
	}
	out, err := s.storeCustomer(ctx, actor, c)
	if err != nil {
		return Customer{}, err
	}
	if err := s.nameCompany(ctx, &out); err != nil {
		return Customer{}, err
	}
	for _, company := range []CompanyID{before, out.Company} {
		if company != "" && before != out.Company && !fresh {
			if err := s.flagAssociation(ctx, c.Site, company); err != nil {
				return Customer{}, err
			}
		}
	}
	return s.Customer(ctx, actor, out.ID)
}

// isNew says whether no customer, not even a deleted one, had the address: then no mail is flagged for
// want of them.
func (s *Service) isNew(ctx context.Context, c *Customer, address string) (bool, error) {
	if c.Version > 0 {
		return false, nil
	}
	for _, err := range s.Store.Customers(ctx, CustomerQuery{Site: c.Site, Address: address, Deleted: true, Limit: 1}) {
		return false, err
	}
	return true, nil
}

// pickCompany applies a choice made by hand over what the domain says (R-CUS-03).
func (s *Service) pickCompany(ctx context.Context, c *Customer, pick CompanyID, moved bool, dir *filter.Directory) error {
	if c.Source == SourceDomain && !moved && pick != "" && pick != c.Company {
		return fmt.Errorf("customer %q: %w", c.ID, ErrDomainLocked)
	}
	if pick == "" || c.Source == SourceDomain && pick == c.Company {
		if c.Source == SourceManual {
			c.Company, c.Source, c.Since = "", SourceNone, time.Time{}
		}
		*c, _ = s.associate(*c, dir)
		return nil
	}
	company, err := s.Store.Company(ctx, c.Site, pick)
	if err != nil {
		return err
	}
	if !company.DeletedAt.IsZero() {
		return notFoundClient("company", string(pick))
	}
	if c.Source != SourceManual || c.Company != pick {
		c.Since = s.now()
	}
	c.Company, c.Source, c.Pattern = pick, SourceManual, nil
	return nil
}

func (s *Service) storeCustomer(ctx context.Context, actor acl.Actor, c Customer) (Customer, error) {
	name := EventCustomerEdited
	if c.Version == 0 {
		name = EventCustomerCreated
	}
	ev := Event{ID: s.NewID(), Name: name, At: s.now(), Site: c.Site, Actor: actor.User,
		Facts: map[string]string{"customer": string(c.ID)}}
	out, err := s.Store.SaveCustomers(ctx, []Customer{c}, ev)
	if errors.Is(err, storage.ErrExists) {
		return Customer{}, fmt.Errorf("customer %q: %w", c.ID, ErrAddressTaken)
	}
	if err != nil {
		return Customer{}, err
	}
	return out[0], nil
}

// addressKeys makes address keys of addresses, all bad ones named at once, by their place.
func addressKeys(addresses []string, dir *filter.Directory) ([]string, error) {
	var keys []string
	var bad []error
	for i, a := range addresses {
		if _, ok := filter.AddressDomain(a); !ok {
			bad = append(bad, fmt.Errorf("address %d is not a mail address", i+1))
			continue
		}
		if dir.Internal(a) {
			bad = append(bad, fmt.Errorf("address %d: %w", i+1, ErrInternalAddress))
			continue
		}
		if key := filter.AddressKey(a); !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	return keys, errors.Join(bad...)
}
