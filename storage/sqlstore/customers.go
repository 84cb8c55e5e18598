package sqlstore

import (
	"context"
	"iter"
	"slices"
	"strings"

	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
)

// Customers yields customers by ID.
func (s *Store) Customers(ctx context.Context, q inbox.CustomerQuery) iter.Seq2[inbox.Customer, error] {
	o := op{"list", "customers", ""}
	return list(ctx, q.Limit, func() func(int) (page[inbox.Customer], error) {
		pages := &customerPages{q: q, after: q.After}
		return func(n int) (p page[inbox.Customer], err error) {
			err = s.read(ctx, o, func(x *session) error {
				p, err = pages.next(x, n)
				return err
			})
			return p, err
		}
	})
}

// customerPages is how far a list of customers is read.
type customerPages struct {
	q      inbox.CustomerQuery
	after  inbox.CustomerID
	picked []inbox.CustomerID // what is left of those with the address or domain asked for
	begun  bool               // picked is found
}

func (c *customerPages) next(x *session, n int) (p page[inbox.Customer], err error) {
	byAddress := c.q.Address != "" || c.q.Domain != ""
	if byAddress && !c.begun {
		if c.picked, err = x.pickCustomers(c.q); err != nil {
			return p, err
		}
		c.begun = true
	}
	now := c.picked[:min(n, len(c.picked))]
	if byAddress && len(now) == 0 {
		return page[inbox.Customer]{done: true}, nil
	}
	text, args := x.customersQuery(c.q, c.after, now, n)
	p.items, err = docs[inbox.Customer](x, text, args)
	if err != nil {
		return p, err
	}
	c.picked = c.picked[len(now):]
	if byAddress {
		p.done = len(c.picked) == 0
	} else if p.done = len(p.items) < n; !p.done {
		c.after = p.items[len(p.items)-1].ID
	}
	p.items = slices.DeleteFunc(p.items, func(v inbox.Customer) bool { return !visible(c.q, &v) })
	return p, nil
}

// pickCustomers finds those with the address, or one at the domain, by ID and behind the place.
func (x *session) pickCustomers(q inbox.CustomerQuery) ([]inbox.CustomerID, error) {
	site, after := string(q.Site), x.dialect.placeOf(string(q.After))
	var at []inbox.CustomerID
	var err error
	if q.Address != "" {
		at, err = x.customerIDs(pickByAddress, site, addressKey(q.Address), after)
		if err != nil || q.Domain == "" {
			return at, err
		}
	}
	domain := strings.ToLower(q.Domain)
	if d, err := filter.ParseDomain(q.Domain); err == nil {
		domain = d.String()
	}
	// "/" is the byte after ".": what lies between is below the domain.
	host := reversed(domain)
	below, err := x.customerIDs(pickByDomain, site, host, after, site, host+".", host+"/", after)
	if q.Address != "" {
		below = slices.DeleteFunc(below, func(id inbox.CustomerID) bool { return !slices.Contains(at, id) })
	}
	return below, err
}

func (x *session) customerIDs(text string, args ...any) (ids []inbox.CustomerID, err error) {
	err = x.every(text, args, func(scan func(...any) error) error {
		var id string
		err := scan(&id)
		ids = append(ids, inbox.CustomerID(id))
		return err
	})
	return distinct(ids), err
}

const (
	pickByAddress = "SELECT customer FROM {addresses} WHERE site = ? AND address = ? AND customer > ?"
	pickByDomain  = "SELECT customer FROM {addresses} WHERE site = ? AND host = ? AND customer > ? " +
		"UNION ALL SELECT customer FROM {addresses} " +
		"WHERE site = ? AND host > ? AND host < ? AND customer > ?"
)

// customersQuery returns one page's statement: of the picked customers, or the next n of all.
func (s *Store) customersQuery(
	q inbox.CustomerQuery, after inbox.CustomerID, picked []inbox.CustomerID, n int,
) (string, []any) {
	where := new(conditions)
	where.add("c.site = ?", string(q.Site))
	if len(picked) > 0 {
		addIn(where, "c.id", picked)
	} else {
		where.add("c.id > ?", s.dialect.placeOf(string(after)))
	}
	index := ""
	if q.Company != "" {
		index = "customers_company"
		where.add("c.company = ?", string(q.Company))
	}
	if !q.Deleted {
		where.add("c.deleted = 0")
	}
	switch {
	case q.Visible == nil || len(q.Visible) > maxList:
	case len(q.Visible) == 0:
		where.add("c.by_hand = 1")
	default:
		marks, args := inList(distinct(q.Visible))
		where.add("(c.by_hand = 1 OR EXISTS (SELECT 1 FROM {known} k WHERE k.site = c.site "+
			"AND k.customer = c.id AND k.inbox IN "+marks+"))", args...)
	}
	return "SELECT c.doc FROM {customers} c" + s.using(index) + " WHERE " + where.text() + " ORDER BY c.id LIMIT ?",
		append(where.args, int64(n))
}

// visible checks here what customersQuery leaves out because the list is too long for a statement.
func visible(q inbox.CustomerQuery, c *inbox.Customer) bool {
	if len(q.Visible) <= maxList || c.ByHand {
		return true
	}
	return slices.ContainsFunc(c.KnownFrom, func(id inbox.ID) bool {
		return slices.Contains(q.Visible, id)
	})
}
