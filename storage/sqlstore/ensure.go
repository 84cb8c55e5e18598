package sqlstore

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
)

// EnsureCustomers returns the customers of these people, creating those that are missing. Where
// nothing is to be written, which is most of the time, it only reads.
func (s *Store) EnsureCustomers(
	ctx context.Context, site inbox.SiteID, from inbox.ID, who []inbox.Known, at time.Time,
	newID func() string,
) ([]inbox.Customer, error) {
	e := &ensuring{site: site, from: from, at: moment(micros(at)), newID: newID}
	o := op{"ensure", "customers", string(site)}
	err := s.read(ctx, o, func(x *session) error { return e.gather(x, who) })
	if err != nil {
		return nil, err
	}
	if e.changes == 0 {
		return e.customers(), nil
	}
	err = s.write(ctx, o, func(x *session) error {
		if err := e.gather(x, who); err != nil {
			return err
		}
		return e.save(x)
	})
	if err != nil {
		return nil, err
	}
	return e.customers(), nil
}

// ensuring is one call of EnsureCustomers.
type ensuring struct {
	site  inbox.SiteID
	from  inbox.ID
	at    time.Time
	newID func() string

	found   []*ensured // in the order of those asked for; the same person is the same pointer
	changes int
}

// ensured is a customer and what there is to write of it.
type ensured struct {
	inbox.Customer
	fresh, associated, noted bool
	asked                    bool // written down as a change
}

// gather reads the customers that are there and works out what to change.
func (e *ensuring) gather(x *session, who []inbox.Known) error {
	keys := make([]string, len(who))
	for i := range who {
		keys[i] = filter.AddressKey(who[i].Address)
	}
	byKey, err := e.stored(x, keys)
	if err != nil {
		return err
	}
	e.found, e.changes = make([]*ensured, len(who)), 0
	for i, k := range who {
		c := byKey[keys[i]]
		if c == nil {
			c = &ensured{fresh: true, Customer: inbox.Customer{
				Site: e.site, Name: k.Name, Address: keys[i], CreatedAt: e.at,
			}}
			if keys[i] != "" {
				byKey[keys[i]] = c
			}
		}
		c.associated = associate(&c.Customer, k, e.at) || c.associated
		c.noted = noteInbox(&c.Customer, e.from) || c.noted
		if !c.asked && (c.fresh || c.associated || c.noted) {
			c.asked = true
			e.changes++
		}
		e.found[i] = c
	}
	return nil
}

// stored reads the live customers with these keys. One with several of them is one pointer.
func (e *ensuring) stored(x *session, keys []string) (map[string]*ensured, error) {
	byKey := make(map[string]*ensured, len(keys))
	byID := make(map[inbox.CustomerID]*ensured, len(keys))
	asked := make(map[string]string, len(keys)) // by what is stored
	for _, key := range keys {
		asked[storedKey(key)] = key
	}
	err := inChunks(slices.Sorted(maps.Keys(asked)), func(marks string, values []any) error {
		text := "SELECT a.address, c.doc FROM {addresses} a CROSS JOIN {customers} c " +
			"WHERE a.site = ? AND a.live = 1 AND a.address IN " + marks +
			" AND c.site = a.site AND c.id = a.customer"
		if x.writes && x.dialect.locksRows {
			text += " ORDER BY a.address"
		}
		return x.every(x.locking(text),
			append([]any{string(e.site)}, values...), func(scan func(...any) error) error {
				var key, doc string
				if err := scan(&key, &doc); err != nil {
					return err
				}
				c, err := stored[inbox.Customer](doc)
				if err != nil {
					return err
				}
				if byID[c.ID] == nil {
					byID[c.ID] = &ensured{Customer: c}
				}
				byKey[asked[key]] = byID[c.ID]
				return nil
			})
	})
	return byKey, err
}

// save writes what gather changed.
func (e *ensuring) save(x *session) error {
	var fresh []*ensured
	var rows customerRows
	raise := false
	for _, c := range e.found {
		if !c.asked {
			continue
		}
		c.asked = false
		c.Version++
		raise = raise || c.fresh || c.associated
		if c.fresh {
			fresh = append(fresh, c)
			continue
		}
		if c.noted {
			rows.know(&c.Customer, e.from)
		}
		if err := e.saveOld(x, c); err != nil {
			return err
		}
	}
	if err := e.saveNew(x, fresh, &rows); err != nil {
		return err
	}
	if !raise {
		return nil
	}
	return x.raiseSnapshot(e.site)
}

func (e *ensuring) saveOld(x *session, c *ensured) error {
	if _, err := x.writeCustomer(&c.Customer); err != nil || !c.associated {
		return err
	}
	_, err := x.exec("UPDATE {addresses} SET company = ?, since = ? WHERE site = ? AND customer = ?",
		string(c.Company), micros(c.Since), string(c.Site), string(c.ID))
	return err
}

// saveNew writes new customers and all other rows. When somebody else has just stored one of them,
// the transaction runs again and finds it.
func (e *ensuring) saveNew(x *session, fresh []*ensured, rows *customerRows) error {
	if err := e.name(x, fresh); err != nil {
		return err
	}
	own := make([][]any, len(fresh))
	for i, c := range fresh {
		doc, err := encode(&c.Customer)
		if err != nil {
			return err
		}
		own[i] = []any{string(c.Site), string(c.ID), int64(0), flag(c.ByHand), string(c.Company), int64(1), doc}
		rows.add(&c.Customer)
	}
	rows.inOrder()
	for _, t := range []struct {
		table, columns string
		rows           [][]any
	}{{"customers", "", own}, {"addresses", addressColumns, rows.addresses}, {"known", "", rows.known}} {
		err := x.insert(t.table, t.columns, t.rows, "")
		if err != nil && x.dialect.judge(err) == faultTaken {
			err = errAgain
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// maxNewIDs is how many new IDs are tried for one customer where others have them already.
const maxNewIDs = 8

// name gives new customers IDs that are free.
func (e *ensuring) name(x *session, fresh []*ensured) error {
	for tries := 1; len(fresh) > 0; tries++ {
		ids := make([]inbox.CustomerID, len(fresh))
		for i, c := range fresh {
			c.ID = inbox.CustomerID(e.newID())
			ids[i] = c.ID
		}
		taken := make(map[inbox.CustomerID]bool)
		err := inChunks(ids, func(marks string, values []any) error {
			return x.every("SELECT id FROM {customers} WHERE site = ? AND id IN "+marks,
				append([]any{string(e.site)}, values...), func(scan func(...any) error) error {
					var id string
					err := scan(&id)
					taken[inbox.CustomerID(id)] = true
					return err
				})
		})
		if err != nil {
			return err
		}
		again := fresh[:0:0]
		for _, c := range fresh {
			if taken[c.ID] {
				again = append(again, c)
			}
			taken[c.ID] = true
		}
		if len(again) > 0 && tries == maxNewIDs {
			return refuse("ensure", "customer", again[0].ID, storage.ErrExists)
		}
		fresh = again
	}
	return nil
}

// customers returns copies of what was found, each its own.
func (e *ensuring) customers() []inbox.Customer {
	all := make([]inbox.Customer, len(e.found))
	for i, c := range e.found {
		all[i] = c.Customer
		all[i].Alternatives = slices.Clone(c.Alternatives)
		all[i].KnownFrom = slices.Clone(c.KnownFrom)
		all[i].Claimed, all[i].ClaimedBy = slices.Clone(c.Claimed), maps.Clone(c.ClaimedBy)
		if c.Entered != nil {
			entered := *c.Entered
			entered.Alternatives, entered.Brought = slices.Clone(entered.Alternatives), slices.Clone(entered.Brought)
			all[i].Entered = &entered
		}
		if c.Pattern != nil {
			pattern := *c.Pattern
			all[i].Pattern = &pattern
		}
	}
	return all
}

// associate gives c the company that k offers, unless c has one by hand (R-CUS-03), and says whether
// that changed anything.
func associate(c *inbox.Customer, k inbox.Known, at time.Time) bool {
	byHand := c.Company != "" && c.Source != inbox.SourceDomain
	same := c.Company == k.Company &&
		(k.Pattern == nil || c.Pattern != nil && *c.Pattern == *k.Pattern)
	if k.Company == "" || byHand || same {
		return false
	}
	if c.Company != k.Company {
		c.Since = at
	}
	c.Company, c.Source, c.Pattern = k.Company, inbox.SourceDomain, k.Pattern
	return true
}

// noteInbox adds the inbox to those a customer is known from.
func noteInbox(c *inbox.Customer, from inbox.ID) bool {
	if from == "" || slices.Contains(c.KnownFrom, from) {
		return false
	}
	i, _ := slices.BinarySearch(c.KnownFrom, from)
	c.KnownFrom = slices.Insert(c.KnownFrom, i, from)
	return true
}
