package filter

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// CompanyID names a company. The filter only compares it.
type CompanyID string

// CustomerID names a customer. The filter only compares it.
type CustomerID string

// DomainEntry says that mail of a pattern is mail of a company.
type DomainEntry struct {
	Pattern Pattern
	Company CompanyID
	// Forced marks a domain of a public mail provider that was forced in: it never passes row 12
	// unless Rules.AllowPublic has it.
	Forced bool
	Since  time.Time // when the company got it; zero is for ever
}

// CustomerEntry says that an address, primary or alternative, is a customer's (R-FLT-07).
type CustomerEntry struct {
	Address  string
	Customer CustomerID
	Company  CompanyID // empty: a customer without a company
	Since    time.Time // when the association with the company began; zero is for ever
}

// DirectoryData is what a site knows about people at one moment: only what is live, nothing deleted.
// The lists may come in any order.
type DirectoryData struct {
	Domains   []DomainEntry
	Customers []CustomerEntry
	// Groups lists the companies of the kind "group".
	Groups []CompanyID

	// Internal lists the domains the site configured as its own. They are exact: a subdomain is listed
	// by itself. Domains of public mail providers among them do not count.
	Internal []Domain
	// Logins lists the domains of users' logins and of connected mailboxes. They are internal too,
	// except those of public mail providers and those that a company's pattern names (11.4).
	Logins []Domain
	// InternalAddresses lists addresses that are internal whatever their domain: those of users and of
	// connected mailboxes.
	InternalAddresses []string
	// Public holds the public mail providers; nil means PublicProviders().
	Public *DomainSet

	// Erased says whether the customer with this AddressKey was erased (11.9); nil means nobody was.
	// It must be a pure function, safe for concurrent use, and may not keep the key.
	Erased func(addressKey string) bool
}

// Directory is a compiled DirectoryData. It never changes and is safe for concurrent use; the filters
// of all inboxes of a site share it. A nil *Directory knows nobody.
type Directory struct {
	domains map[string]domainNode
	depths  depths
	claims  []claim // claims[0] is no claim
	people  map[string]person
	groups  map[CompanyID]struct{}
	erased  func(string) bool
}

// domainNode holds what there is for one base: indexes into claims by the kind of pattern.
type domainNode struct {
	claims   [3]int32
	internal bool
}

// claim is a company's hold on one pattern.
type claim struct {
	pattern       Pattern
	company       CompanyID
	since         int64
	forced, group bool
}

// person is what is known about one address.
type person struct {
	customer CustomerID
	company  CompanyID
	since    int64
	group    bool
	internal bool
}

// NewDirectory compiles the data. Everything that is wrong with it comes back at once (errors.Join):
// errors that are ErrDomainTaken or ErrAddressTaken for two claims on one pattern or address, and
// entries that are empty. The same claim twice is one, from its earlier moment on. The directory
// keeps no memory of d but its strings.
func NewDirectory(d DirectoryData) (*Directory, error) {
	dir := &Directory{
		domains: make(map[string]domainNode, len(d.Domains)),
		claims:  make([]claim, 1, len(d.Domains)+1),
		people:  make(map[string]person, len(d.Customers)),
		groups:  make(map[CompanyID]struct{}, len(d.Groups)),
		erased:  d.Erased,
	}
	for _, id := range d.Groups {
		dir.groups[id] = struct{}{}
	}
	var faults []error
	for i := range d.Domains {
		if err := dir.addDomain(&d.Domains[i]); err != nil {
			faults = append(faults, fmt.Errorf("domain entry %d: %w", i+1, err))
		}
	}
	for i := range d.Customers {
		if err := dir.addCustomer(&d.Customers[i]); err != nil {
			faults = append(faults, fmt.Errorf("customer entry %d: %w", i+1, err))
		}
	}
	public := d.Public.orDefault()
	for _, own := range d.Logins {
		if _, claimed := dir.claim(hostAddress(own), math.MaxInt64); !claimed {
			dir.addInternal(own, public)
		}
	}
	for _, own := range d.Internal {
		dir.addInternal(own, public)
	}
	for _, addr := range d.InternalAddresses {
		key := AddressKey(addr)
		p := dir.people[key]
		p.internal = true
		dir.people[key] = p
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	return dir, nil
}

func (d *Directory) addDomain(e *DomainEntry) error {
	if e.Pattern.IsZero() || e.Company == "" {
		return errors.New("has no pattern or no company")
	}
	node := d.domains[e.Pattern.base.name]
	at := &node.claims[e.Pattern.kind]
	_, group := d.groups[e.Company]
	c := claim{e.Pattern, e.Company, nanos(e.Since), e.Forced, group}
	if *at > 0 {
		old := &d.claims[*at]
		if old.company != c.company {
			return ErrDomainTaken
		}
		old.since = min(old.since, c.since)
		old.forced = old.forced || c.forced
		return nil
	}
	*at = int32(len(d.claims))
	d.claims = append(d.claims, c)
	d.domains[e.Pattern.base.name] = node
	d.depths.add(e.Pattern)
	return nil
}

func (d *Directory) addCustomer(e *CustomerEntry) error {
	var a address
	a.read(e.Address)
	if a.at < 0 || e.Customer == "" {
		return errors.New("has no address or no customer")
	}
	_, group := d.groups[e.Company]
	p := person{customer: e.Customer, company: e.Company, since: nanos(e.Since), group: group}
	if old, ok := d.people[a.key()]; ok {
		if old.customer != p.customer || old.company != p.company {
			return ErrAddressTaken
		}
		p.since = min(p.since, old.since)
	}
	d.people[a.key()] = p
	return nil
}

func (d *Directory) addInternal(own Domain, public *DomainSet) {
	if own.IsZero() || public.Contains(own) {
		return
	}
	node := d.domains[own.name]
	node.internal = true
	d.domains[own.name] = node
	d.depths.add(Pattern{exact, own})
}

// Company returns the company whose pattern names the domain of addr, and the pattern: an exact one
// before a wildcard, more labels before fewer, "*.x" before "*x" (R-DOM-04, R-DOM-06). Forced domains
// count here.
func (d *Directory) Company(addr string) (CompanyID, Pattern, bool) {
	var a address
	a.read(addr)
	if d == nil {
		return "", Pattern{}, false
	}
	i, ok := d.claim(&a, math.MaxInt64)
	if !ok {
		return "", Pattern{}, false
	}
	return d.claims[i].company, d.claims[i].pattern, true
}

// Customer returns the customer who has the address, and their company or "".
func (d *Directory) Customer(addr string) (CustomerID, CompanyID, bool) {
	var a address
	a.read(addr)
	if d == nil {
		return "", "", false
	}
	p, _ := find(d.people, &a, 0)
	return p.customer, p.company, p.customer != ""
}

// Internal says whether the address is internal (11.4): listed itself, or at an internal domain.
func (d *Directory) Internal(addr string) bool {
	var a address
	a.read(addr)
	if d == nil {
		return false
	}
	p, _ := find(d.people, &a, 0)
	return p.internal || d.look(&a, math.MinInt64).internal
}

// claim returns the index of the claim on the host that wins among those made by the moment at.
func (d *Directory) claim(a *address, at int64) (index int32, ok bool) {
	found := d.look(a, at)
	return found.claim, found.claim > 0
}

// hostView is what the directory's domains say about a host.
type hostView struct {
	claim    int32
	internal bool
}

// look walks up the host once, the strongest claim first.
func (d *Directory) look(a *address, at int64) (v hostView) {
	for s := d.depths.first(a); s.labels > 0; s = d.depths.next(a, s) {
		node, ok := find(d.domains, a, s.from)
		if !ok {
			continue
		}
		first := below
		if s.apex {
			first, v.internal = exact, node.internal
		}
		for _, i := range [...]int32{node.claims[first], node.claims[whole]} {
			if i > 0 && d.claims[i].since <= at {
				v.claim = i
				return v
			}
		}
	}
	return v
}

// hostAddress makes the address under which a domain can be looked up.
func hostAddress(d Domain) *address {
	labels, _ := splitHost(d.name)
	return &address{text: d.name, at: -1, labels: labels}
}

// nanos is the moment as a number; moments before 1678 and after 2262 are those years.
func nanos(t time.Time) int64 {
	const last = math.MaxInt64/int64(time.Second) - 1
	switch sec := t.Unix(); {
	case sec < -last:
		return math.MinInt64
	case sec > last:
		return math.MaxInt64
	}
	return t.UnixNano()
}
