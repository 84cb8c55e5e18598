package inbox

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/filter"
)

// Entered is what somebody entered of a customer whom the site knew before, from mail that this one may
// not see: all that is shown of the customer to those who see no mail of theirs (R-CUS-07).
type Entered struct {
	Name         string          `json:"name,omitempty"`
	Address      string          `json:"address"`
	Alternatives []string        `json:"alternatives,omitempty"`
	Company      CompanyID       `json:"company,omitempty"`
	Source       Source          `json:"source,omitempty"`
	Pattern      *filter.Pattern `json:"pattern,omitempty"`
	Since        time.Time       `json:"since"`
	At           time.Time       `json:"at"`

	// Brought are the addresses that the customer has through this alone, and Picked says that the
	// company is.
	Brought []string `json:"brought,omitempty"`
	Picked  bool     `json:"picked,omitempty"`
}

func (e *Entered) addresses() []string { return append([]string{e.Address}, e.Alternatives...) }

// keys are the addresses by which the customer is found.
func (c *Customer) keys() []string {
	if c.Address == "" {
		return slices.Clone(c.Alternatives)
	}
	return append([]string{c.Address}, c.Alternatives...)
}

// addresses are those that are shown, the primary one first and the others sorted: their order must not
// tell which of them are claimed.
func (c *Customer) addresses() []string {
	all := append(c.keys(), c.Claimed...)
	if c.Address == "" {
		all = append(slices.Clone(c.Claimed), c.Alternatives...)
	}
	if len(all) > 1 {
		slices.Sort(all[1:])
	}
	return all
}

// claims are the addresses that are shown and by which another customer is found.
func (c *Customer) claims() []string {
	if !c.DeletedAt.IsZero() {
		return nil
	}
	out := slices.Clone(c.Claimed)
	if c.Entered != nil {
		have := c.keys()
		for _, a := range c.Entered.addresses() {
			if !slices.Contains(have, a) && !slices.Contains(out, a) {
				out = append(out, a)
			}
		}
	}
	return out
}

// whole is the customer for those who see mail of theirs.
func (c *Customer) whole() Customer {
	out := *c
	if all := c.addresses(); len(all) > 1 {
		out.Address, out.Alternatives = all[0], all[1:]
	} else if len(all) == 1 {
		out.Address, out.Alternatives = all[0], nil
	}
	out.Entered, out.Claimed, out.ClaimedBy = nil, nil, nil
	return out
}

// asEntered is the customer for those who know them by hand alone: nothing of it changes with mail.
func (c *Customer) asEntered() Customer {
	out := c.whole()
	if e := c.Entered; e != nil {
		out = Customer{ID: c.ID, Site: c.Site, Name: e.Name, Address: e.Address, Alternatives: slices.Clone(e.Alternatives),
			Company: e.Company, Source: e.Source, Pattern: e.Pattern, Since: e.Since, ByHand: true, CreatedAt: e.At}
	}
	out.KnownFrom, out.Bounced, out.Version = nil, time.Time{}, 0
	return out
}

// enter keeps v as what was entered. Of what the customer is it changes what was entered before, and
// what they have none of.
func (c *Customer) enter(v *Customer, claimed []string) {
	e := &Entered{Name: v.Name, Address: v.Address, Alternatives: v.Alternatives, Company: v.Company,
		Source: v.Source, Pattern: v.Pattern, Since: v.Since, At: c.Entered.At, Picked: c.Entered.Picked}
	c.Alternatives = without(c.Alternatives, c.Entered.Brought)
	e.Brought = without(v.addresses(), append(c.keys(), claimed...))
	c.Alternatives = append(c.Alternatives, e.Brought...)
	if c.Source != SourceManual || e.Picked {
		e.Picked = v.Source == SourceManual
		switch {
		case e.Picked:
			c.Company, c.Source, c.Since, c.Pattern = v.Company, v.Source, v.Since, nil
		case c.Source == SourceManual:
			c.Company, c.Source, c.Since = "", SourceNone, time.Time{}
		}
	}
	c.Entered = e
}

// replace makes the customer v, but for what was entered by those who do not see mail of theirs.
func (c *Customer) replace(v Customer, claimed []string) {
	have := c.keys()
	v.Claimed = claimed
	if slices.Contains(claimed, v.Address) { // the first of them then
		v.Claimed = append([]string{v.Address}, without(claimed, []string{v.Address})...)
		v.Address = ""
	}
	v.Alternatives = without(v.Alternatives, claimed)
	if c.Entered != nil {
		e := *c.Entered
		e.Brought = nil
		for _, a := range e.addresses() {
			if slices.Contains(have, a) && !slices.Contains(v.keys(), a) {
				e.Brought = append(e.Brought, a)
			}
		}
		e.Picked = e.Picked && v.Source == SourceManual && v.Company == c.Company
		v.Alternatives, v.Entered = append(v.Alternatives, e.Brought...), &e
	}
	*c = v
}

// leave takes back what was entered by those who do not see mail of the customer.
func (c *Customer) leave() {
	c.enter(&Customer{}, nil)
	c.ByHand, c.Entered = false, nil
}

// take gives the customer an address that they claimed.
func (c *Customer) take(address string) {
	if i := slices.Index(c.Claimed, address); i >= 0 {
		first := i == 0 && c.Address == ""
		c.Claimed = slices.Delete(slices.Clone(c.Claimed), i, i+1)
		if first {
			c.Address = address
			return
		}
	} else if c.Entered != nil {
		e := *c.Entered
		e.Brought = append(slices.Clone(e.Brought), address)
		c.Entered = &e
	}
	c.Alternatives = append(slices.Clone(c.Alternatives), address)
}

// without returns what of a list is not among others.
func without(list, others []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(a string) bool { return slices.Contains(others, a) })
}

// claimed returns those of the addresses that belong to another customer, whom the actor cannot know
// of: to be told would be to know of them. ErrAddressTaken where they can.
func (s *Service) claimed(ctx context.Context, actor acl.Actor, c *Customer, keys []string) ([]string, error) {
	var out []string
	for _, key := range keys {
		h, err := s.customerAt(ctx, c.Site, key)
		if err != nil {
			return nil, err
		}
		if h == nil || h.ID == c.ID {
			continue
		}
		if h.ClaimedBy[key] != c.ID {
			known, err := s.knows(ctx, actor, h, key)
			if err == nil && known {
				err = fmt.Errorf("customer %q: %w", c.ID, ErrAddressTaken)
			}
			if err != nil {
				return nil, err
			}
		}
		out = append(out, key)
	}
	return out, nil
}

// relinked are the other customers whom a change of one concerns: those whose addresses it claims or lets
// go, and those who claimed what it gives up.
func (s *Service) relinked(ctx context.Context, before, after *Customer) ([]Customer, error) {
	changed := make(map[CustomerID]*Customer)
	want := after.claims()
	for _, key := range slices.Concat(want, without(before.claims(), want)) {
		h, err := s.customerAt(ctx, after.Site, key)
		if err != nil {
			return nil, err
		}
		wanted := slices.Contains(want, key)
		if h == nil || h.ID == after.ID || wanted == (h.ClaimedBy[key] == after.ID) {
			continue
		}
		if changed[h.ID] == nil {
			h.ClaimedBy = maps.Clone(h.ClaimedBy)
			changed[h.ID] = h
		}
		if h = changed[h.ID]; wanted {
			if h.ClaimedBy == nil {
				h.ClaimedBy = make(map[string]CustomerID)
			}
			h.ClaimedBy[key] = after.ID
		} else {
			delete(h.ClaimedBy, key)
		}
	}
	gone := before.keys()
	if after.DeletedAt.IsZero() {
		gone = without(gone, after.keys())
	}
	for _, key := range gone {
		id, ok := after.ClaimedBy[key]
		if !ok {
			continue
		}
		after.ClaimedBy = maps.Clone(after.ClaimedBy)
		delete(after.ClaimedBy, key)
		if changed[id] == nil {
			by, err := s.Store.Customer(ctx, after.Site, id)
			if err != nil {
				return nil, err
			}
			changed[id] = &by
		}
		if by := changed[id]; slices.Contains(by.claims(), key) {
			by.take(key)
		}
	}
	var out []Customer
	for _, id := range slices.Sorted(maps.Keys(changed)) {
		out = append(out, *changed[id])
	}
	return out, nil
}

// found yields the customers that somebody finds, as they see them, by ID.
func (s *Service) found(ctx context.Context, v views, q CustomerQuery) iter.Seq2[Customer, error] {
	stored := q
	stored.Visible, stored.Deleted, stored.Limit = v.ids, false, 0
	if q.Address != "" || q.Domain != "" {
		return s.foundAt(ctx, v, q, stored)
	}
	return func(yield func(Customer, error) bool) {
		for c, err := range s.Store.Customers(ctx, stored) {
			known := false
			if err == nil {
				known, err = s.see(ctx, v, &c)
			}
			if err != nil {
				yield(Customer{}, err)
				return
			}
			if known && q.fits(&c) && !yield(c, nil) {
				return
			}
		}
	}
}

// foundAt is found where addresses are asked for: who claims one of a customer whom somebody does not find
// is found in their place.
func (s *Service) foundAt(ctx context.Context, v views, q, stored CustomerQuery) iter.Seq2[Customer, error] {
	all := func() (map[CustomerID]Customer, error) {
		out := make(map[CustomerID]Customer)
		find := func(c Customer) error {
			known, err := s.see(ctx, v, &c)
			if known && q.fits(&c) {
				out[c.ID] = c
			}
			return err
		}
		stored.Visible, stored.After = nil, ""
		for c, err := range s.Store.Customers(ctx, stored) {
			if err == nil {
				err = find(c)
			}
			if err != nil {
				return nil, err
			}
			shown, seen := out[c.ID]
			for address, id := range c.ClaimedBy {
				if seen && slices.Contains(shown.addresses(), address) {
					continue
				}
				by, err := s.Store.Customer(ctx, q.Site, id)
				if err == nil {
					err = find(by)
				}
				if err != nil {
					return nil, err
				}
			}
		}
		return out, nil
	}
	return func(yield func(Customer, error) bool) {
		found, err := all()
		if err != nil {
			yield(Customer{}, err)
			return
		}
		for _, id := range slices.Sorted(maps.Keys(found)) {
			if id > q.After && !yield(found[id], nil) {
				return
			}
		}
	}
}

// fits says whether a customer, as somebody sees them, is what was asked for.
func (q *CustomerQuery) fits(c *Customer) bool {
	at := func(address string) bool {
		d, ok := filter.AddressDomain(address)
		want := strings.ToLower(q.Domain)
		if p, err := filter.ParseDomain(q.Domain); err == nil {
			want = p.String()
		}
		return ok && (d.String() == want || strings.HasSuffix(d.String(), "."+want))
	}
	return (q.Company == "" || c.Company == q.Company) &&
		(q.Address == "" || slices.Contains(c.addresses(), filter.AddressKey(q.Address))) &&
		(q.Domain == "" || slices.ContainsFunc(c.addresses(), at))
}
