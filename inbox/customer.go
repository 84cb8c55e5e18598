package inbox

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/provider/rfc822"
	"github.com/workinbox/workinbox/storage"
)

// ErrAddressTaken says that another customer of the site has one of the addresses.
var ErrAddressTaken = errors.New("another customer has this address")

// ErrInternalAddress says that an address is the team's own, which is never a customer's (R-CUS-07).
var ErrInternalAddress = errors.New("an address of the team is no customer's")

// CustomerEdit is what a person enters of a customer. The name is one line (OneLine), and each address one
// that mail can be sent to as it stands (rfc822.CheckAddress): what is not is an *InputError for each, by
// its place, but for what is stored of the customer already. Company is picked by hand where it is not
// empty; a customer whose company follows their domain keeps it (ErrDomainLocked otherwise).
type CustomerEdit struct {
	Name         string
	Address      string
	Alternatives []string // at most three (R-CUS-02)
	Company      CompanyID
}

// CreateCustomer enters a person by hand. The team's own addresses are ErrInternalAddress, those of a
// customer the actor may know of ErrAddressTaken. Where the address is that of a customer whom the actor
// cannot know of, nothing tells of them, and nothing of them changes for those who see their mail, but that
// one without company gets the one picked. Who sees no mail of theirs sees what was entered (R-CUS-07).
func (s *Service) CreateCustomer(ctx context.Context, actor acl.Actor, e CustomerEdit) (Customer, error) {
	if err := managesCompanies(actor); err != nil {
		return Customer{}, err
	}
	return s.savedCustomer(ctx, actor, e, func() (Customer, bool, error) {
		fresh := Customer{ID: CustomerID(s.newCustomerID()), Site: SiteID(actor.Site), CreatedAt: s.now(), ByHand: true}
		h, err := s.customerAt(ctx, fresh.Site, filter.AddressKey(e.Address))
		if err != nil || h == nil {
			return fresh, false, err
		}
		if known, err := s.knows(ctx, actor, h, filter.AddressKey(e.Address)); err != nil || known || h.ByHand {
			return fresh, false, err // that it is taken is found when it is saved
		}
		h.ByHand, h.Entered = true, &Entered{At: s.now()}
		return *h, true, nil
	})
}

// UpdateCustomer replaces what is known of a person, by the rules of CreateCustomer: an address of somebody
// whom the actor cannot know of is theirs too from then on, to all who look. Another primary address clears
// Customer.Bounced.
func (s *Service) UpdateCustomer(ctx context.Context, actor acl.Actor, id CustomerID, e CustomerEdit) (Customer, error) {
	return s.savedCustomer(ctx, actor, e, func() (Customer, bool, error) {
		c, seen, err := s.editable(ctx, actor, id)
		return c, !seen && c.Entered != nil, err
	})
}

// editable loads a customer, whole, for somebody who knows of them and may manage clients, and says
// whether they see mail of them.
func (s *Service) editable(ctx context.Context, actor acl.Actor, id CustomerID) (Customer, bool, error) {
	shown, err := s.Customer(ctx, actor, id)
	if err != nil {
		return Customer{}, false, err
	}
	if err := managesCompanies(actor); err != nil {
		return Customer{}, false, err
	}
	c, err := s.Store.Customer(ctx, SiteID(actor.Site), id)
	return c, len(shown.KnownFrom) > 0, err
}

// DeleteCustomer ends a customer: their mail enters by its domain only, what is stored stays. By somebody
// who sees none of their mail it ends what was entered by hand, where the mail of others knows more.
func (s *Service) DeleteCustomer(ctx context.Context, actor acl.Actor, id CustomerID) error {
	c, seen, err := s.editable(ctx, actor, id)
	if err != nil {
		return err
	}
	before := c
	if !seen && c.Entered != nil {
		snap, err := s.snapshot(ctx, c.Site)
		if err != nil {
			return err
		}
		c.leave()
		c, _ = s.associate(c, snap.dir)
	} else {
		c.DeletedAt = s.now()
	}
	out, err := s.storeCustomer(ctx, actor, &before, c)
	if err != nil || before.Company == "" || out.DeletedAt.IsZero() && out.Company == before.Company {
		return err
	}
	return s.flagAssociation(ctx, c.Site, before.Company)
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
	known, err := s.see(ctx, views, &c)
	if err == nil && !known {
		err = notFoundClient("customer", string(id))
	}
	if err != nil {
		return Customer{}, err
	}
	return c, nil
}

// knows says whether somebody may know that a customer has an address: as theirs, or as that of another who
// claims it.
func (s *Service) knows(ctx context.Context, actor acl.Actor, c *Customer, address string) (bool, error) {
	for _, id := range []CustomerID{c.ID, c.ClaimedBy[address]} {
		if id == "" {
			continue
		}
		shown, err := s.Customer(ctx, actor, id)
		switch {
		case err == nil && slices.Contains(shown.addresses(), address):
			return true, nil
		case err != nil && !errors.Is(err, storage.ErrNotFound):
			return false, err
		}
	}
	return false, nil
}

// Customers yields the live customers the actor may know of, by ID.
func (s *Service) Customers(ctx context.Context, actor acl.Actor, q CustomerQuery) iter.Seq2[Customer, error] {
	return func(yield func(Customer, error) bool) {
		if acl.Visible(actor).None {
			return
		}
		views, err := s.views(ctx, actor)
		if err != nil {
			yield(Customer{}, err)
			return
		}
		q.Site = SiteID(actor.Site)
		n := 0
		for c, err := range s.found(ctx, views, q) {
			if err != nil {
				yield(Customer{}, err)
				return
			}
			if n++; !yield(c, nil) || n == q.Limit {
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
	v := views{active: !acl.Visible(actor).None, ids: []ID{}, own: make(map[ID]bool)}
	for in, err := range s.Inboxes(ctx, actor, Query{}) {
		if err != nil {
			return views{}, err
		}
		v.ids = append(v.ids, in.ID)
		v.own[in.ID] = in.Creator == actor.User
	}
	return v, nil
}

// see makes a customer what somebody may see of them, and says whether they may know of them at all:
// mail that is hidden or private tells of nobody. KnownFrom then holds the inboxes where they see mail of
// the customer; where that is none, the rest is what was entered by hand.
func (s *Service) see(ctx context.Context, v views, c *Customer) (bool, error) {
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
	switch {
	case len(from) > 0:
		*c = c.whole()
		c.KnownFrom = from
	case c.ByHand:
		*c = c.asEntered()
	default:
		return false, nil
	}
	return true, nil
}

// Visible returns the inboxes whose mail the actor may see, by ID: the visible set of every list.
func (s *Service) Visible(ctx context.Context, actor acl.Actor) ([]ID, error) {
	v, err := s.views(ctx, actor)
	return v.ids, err
}

// savedCustomer makes an edit of what load gives, anew where somebody was faster: a sync that met the
// customer must not show in an error. load says, too, whether only what was entered by hand is edited.
func (s *Service) savedCustomer(ctx context.Context, actor acl.Actor, e CustomerEdit,
	load func() (c Customer, entering bool, err error)) (Customer, error) {
	for try := 0; ; try++ {
		c, entering, err := load()
		if err != nil {
			return Customer{}, err
		}
		out, err := s.saveCustomer(ctx, actor, c, entering, e)
		if try < 9 && (conflict(err) || errors.Is(err, storage.ErrExists)) {
			continue
		}
		if errors.Is(err, storage.ErrExists) {
			err = fmt.Errorf("customer %q: %w", c.ID, ErrAddressTaken)
		}
		return out, err
	}
}

// saveCustomer stores c as the edit makes it and returns it as the actor may see it.
func (s *Service) saveCustomer(ctx context.Context, actor acl.Actor, c Customer, entering bool, e CustomerEdit) (Customer, error) {
	before, v := c, c
	if entering {
		v = c.asEntered()
	}
	if len(e.Alternatives) > 3 {
		return Customer{}, &InputError{Field: "alternatives",
			Reason: fmt.Sprintf("%d alternative addresses, at most 3 (R-CUS-02)", len(e.Alternatives))}
	}
	name := strings.TrimSpace(e.Name)
	snap, err := s.snapshot(ctx, c.Site)
	if err != nil {
		return Customer{}, err
	}
	keys, err := addressKeys(append([]string{e.Address}, e.Alternatives...), v.addresses(), snap.dir)
	if err := errors.Join(checkName(name, v.Name), err); err != nil {
		return Customer{}, err
	}
	slices.Sort(keys[1:])
	claimed, err := s.claimed(ctx, actor, &c, keys)
	if err != nil {
		return Customer{}, err
	}
	fresh, err := s.isNew(ctx, &c, keys[0])
	if err != nil {
		return Customer{}, err
	}
	primary := v.addresses()
	moved := len(primary) == 0 || primary[0] != keys[0]
	if moved {
		v.Bounced = time.Time{}
	}
	v.Name, v.Address, v.Alternatives, v.Claimed = name, keys[0], keys[1:], nil
	if err := s.pickCompany(ctx, &v, e.Company, moved, snap.dir); err != nil {
		return Customer{}, err
	}
	if entering {
		c.enter(&v, claimed)
		c, _ = s.associate(c, snap.dir)
	} else {
		c.replace(v, claimed)
	}
	out, err := s.storeCustomer(ctx, actor, &before, c)
	if err != nil {
		return Customer{}, err
	}
	if err := s.nameCompany(ctx, &out); err != nil {
		return Customer{}, err
	}
	for _, company := range []CompanyID{before.Company, out.Company} {
		if company != "" && before.Company != out.Company && !fresh {
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

// storeCustomer saves what a customer becomes, with those whose addresses that concerns.
func (s *Service) storeCustomer(ctx context.Context, actor acl.Actor, before *Customer, c Customer) (Customer, error) {
	name := EventCustomerEdited
	if c.Version == 0 {
		name = EventCustomerCreated
	}
	ev := Event{ID: s.NewID(), Name: name, At: s.now(), Site: c.Site, Actor: actor.User,
		Facts: map[string]string{"customer": string(c.ID)}}
	others, err := s.relinked(ctx, before, &c)
	if err != nil {
		return Customer{}, err
	}
	out, err := s.Store.SaveCustomers(ctx, append([]Customer{c}, others...), ev)
	if err != nil {
		return Customer{}, err
	}
	return out[0], nil
}

// newCustomerID makes the id of a customer. One that tells when it was made would tell somebody who enters
// a person that they were known before (R-CUS-07).
func (s *Service) newCustomerID() string {
	sum := sha256.Sum256([]byte(s.NewID()))
	return strings.ToLower(idEncoding.EncodeToString(sum[:16]))
}

// addressKeys makes address keys of addresses, all bad ones named at once, by their place. One that is
// stored already came with mail, and may stay whatever it is.
func addressKeys(addresses, stored []string, dir *filter.Directory) ([]string, error) {
	var keys []string
	var bad []error
	for i, a := range addresses {
		key := filter.AddressKey(a)
		err := rfc822.CheckAddress(key)
		if slices.Contains(stored, key) {
			err = nil
		}
		if _, ok := filter.AddressDomain(a); !ok && err == nil {
			err = rfc822.ErrBadAddress
		}
		if err != nil {
			bad = append(bad, badAddress(i+1, err))
			continue
		}
		if dir.Internal(a) {
			bad = append(bad, fmt.Errorf("address %d: %w", i+1, ErrInternalAddress))
			continue
		}
		if !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	return keys, errors.Join(bad...)
}

// badAddress says of the address at a place why nobody can be mailed there.
func badAddress(place int, why error) error {
	reason := "is not an address mail can be sent to: enter one alone, without the name of the person"
	if errors.Is(why, rfc822.ErrUnicodeLocal) {
		reason = why.Error()
	}
	return &InputError{Field: fmt.Sprintf("address %d", place), Reason: reason, Err: why}
}
