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

// CustomerEdit is what a person enters of a customer. Company is picked by hand where it is not
// empty; a customer whose company follows their domain keeps it (ErrDomainLocked otherwise).
type CustomerEdit struct {
	Name         string
	Address      string
	Alternatives []string // at most three (R-CUS-02)
	Company      CompanyID
}

// CreateCustomer enters a person by hand.
func (s *Service) CreateCustomer(ctx context.Context, actor acl.Actor, e CustomerEdit) (Customer, error) {
	return s.saveCustomer(ctx, actor, Customer{
		ID: CustomerID(s.NewID()), Site: SiteID(actor.Site), ByHand: true, CreatedAt: s.now(),
	}, e)
}

// UpdateCustomer replaces what is known of a person.
func (s *Service) UpdateCustomer(ctx context.Context, actor acl.Actor, id CustomerID, e CustomerEdit) (Customer, error) {
	c, err := s.Customer(ctx, actor, id)
	if err != nil {
		return Customer{}, err
	}
	return s.saveCustomer(ctx, actor, c, e)
}

// DeleteCustomer ends a customer: their mail enters by its domain only, what is stored stays.
func (s *Service) DeleteCustomer(ctx context.Context, actor acl.Actor, id CustomerID) error {
	c, err := s.Customer(ctx, actor, id)
	if err != nil {
		return err
	}
	if err := managesCompanies(actor); err != nil {
		return err
	}
	company := c.Company
	c.DeletedAt = s.now()
	if _, err := s.storeCustomer(ctx, actor, c); err != nil || company == "" {
		return err
	}
	snap, err := s.snapshot(ctx, c.Site)
	if err != nil {
		return err
	}
	return s.flagAssociation(ctx, c.Site, company, snap.dir)
}

// Customer returns one live customer the actor may know of: entered by hand, or known from an inbox
// the actor may view (R-CUS-07). Anybody else does not exist.
func (s *Service) Customer(ctx context.Context, actor acl.Actor, id CustomerID) (Customer, error) {
	c, err := s.Store.Customer(ctx, SiteID(actor.Site), id)
	if err != nil {
		return Customer{}, err
	}
	visible, err := s.Visible(ctx, actor)
	if err != nil {
		return Customer{}, err
	}
	known := c.ByHand && actor.State == acl.Active ||
		slices.ContainsFunc(c.KnownFrom, func(id ID) bool { return slices.Contains(visible, id) })
	if !known || !c.DeletedAt.IsZero() {
		return Customer{}, notFoundClient("customer", string(id))
	}
	return redactCustomer(c, visible), nil
}

// Customers yields the live customers the actor may know of, by ID.
func (s *Service) Customers(ctx context.Context, actor acl.Actor, q CustomerQuery) iter.Seq2[Customer, error] {
	return func(yield func(Customer, error) bool) {
		if actor.State != acl.Active {
			return
		}
		visible, err := s.Visible(ctx, actor)
		if err != nil {
			yield(Customer{}, err)
			return
		}
		q.Site, q.Visible, q.Deleted = SiteID(actor.Site), visible, false
		if q.Visible == nil {
			q.Visible = []ID{}
		}
		for c, err := range s.Store.Customers(ctx, q) {
			if !yield(redactCustomer(c, visible), err) || err != nil {
				return
			}
		}
	}
}

// Visible returns the inboxes whose mail the actor may see, by ID: the visible set of every list.
func (s *Service) Visible(ctx context.Context, actor acl.Actor) ([]ID, error) {
	var out []ID
	for in, err := range s.Inboxes(ctx, actor, Query{}) {
		if err != nil {
			return nil, err
		}
		out = append(out, in.ID)
	}
	return out, nil
}

// redactCustomer leaves out the names of inboxes the viewer cannot see.
func redactCustomer(c Customer, visible []ID) Customer {
	c.KnownFrom = slices.DeleteFunc(slices.Clone(c.KnownFrom), func(id ID) bool {
		return !slices.Contains(visible, id)
	})
	return c
}

func (s *Service) saveCustomer(ctx context.Context, actor acl.Actor, c Customer, e CustomerEdit) (Customer, error) {
	if err := managesCompanies(actor); err != nil {
		return Customer{}, err
	}
	if c.Version > 0 { // what the viewer could not see must survive the edit
		whole, err := s.Store.Customer(ctx, c.Site, c.ID)
		if err != nil {
			return Customer{}, err
		}
		c = whole
	}
	if len(e.Alternatives) > 3 {
		return Customer{}, fmt.Errorf("customer: %d alternative addresses, at most 3 (R-CUS-02)", len(e.Alternatives))
	}
	keys, err := addressKeys(append([]string{e.Address}, e.Alternatives...))
	if err != nil {
		return Customer{}, err
	}
	moved := c.Address != keys[0]
	c.Name, c.Address, c.Alternatives = strings.TrimSpace(e.Name), keys[0], keys[1:]
	if err := s.pickCompany(ctx, &c, e.Company, moved); err != nil {
		return Customer{}, err
	}
	return s.storeCustomer(ctx, actor, c)
}

// pickCompany applies a choice made by hand over what the domain says (R-CUS-03).
func (s *Service) pickCompany(ctx context.Context, c *Customer, pick CompanyID, moved bool) error {
	if c.Source == SourceDomain && !moved && pick != "" && pick != c.Company {
		return fmt.Errorf("customer %q: %w", c.ID, ErrDomainLocked)
	}
	if pick == "" || c.Source == SourceDomain && pick == c.Company {
		if c.Source == SourceManual {
			c.Company, c.Source, c.Since = "", SourceNone, time.Time{}
		}
		snap, err := s.snapshot(ctx, c.Site)
		if err != nil {
			return err
		}
		*c, _ = s.associate(*c, snap.dir)
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

// addressKeys makes address keys of addresses, all bad ones named at once.
func addressKeys(addresses []string) ([]string, error) {
	var keys []string
	var bad []error
	for i, a := range addresses {
		if _, ok := filter.AddressDomain(a); !ok {
			bad = append(bad, fmt.Errorf("address %d is not a mail address", i+1))
			continue
		}
		if key := filter.AddressKey(a); !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	return keys, errors.Join(bad...)
}
