package filter

import (
	"errors"
	"fmt"
	"math"
	"strings"
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
	domains   map[string]domainNode
	depths    depths
	hosts     sieve     // of domains
	more      [][]claim // further claims on one base, by domainNode.more
	companies []CompanyID
	people    map[string]int32 // by AddressKey: index into persons
	keys      sieve            // of people
	persons   []person
	erased    func(string) bool
}

// domainNode holds what there is for one base. The one claim most bases have lies in it, so that a
// look-up touches no other memory.
type domainNode struct {
	claim    claim
	more     int32 // index into Directory.more, 0 for none
	internal bool
}

// claim is a company's hold on one pattern.
type claim struct {
	since         int64
	company       int32 // index into Directory.companies
	kind          patternKind
	held          bool // false: this is no claim
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
	b := builder{
		dir: &Directory{
			domains: make(map[string]domainNode, len(d.Domains)),
			more:    make([][]claim, 1),
			people:  make(map[string]int32, len(d.Customers)),
			persons: make([]person, 0, len(d.Customers)),
			erased:  d.Erased,
		},
		groups: make(map[CompanyID]struct{}, len(d.Groups)),
		places: map[CompanyID]int32{},
	}
	for _, id := range d.Groups {
		b.groups[id] = struct{}{}
	}
	var faults []error
	for i := range d.Domains {
		if err := b.addDomain(&d.Domains[i]); err != nil {
			faults = append(faults, fmt.Errorf("domain entry %d: %w", i+1, err))
		}
	}
	for i := range d.Customers {
		if err := b.addCustomer(&d.Customers[i]); err != nil {
			faults = append(faults, fmt.Errorf("customer entry %d: %w", i+1, err))
		}
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	b.dir.hosts = newSieve(len(b.dir.domains) + len(d.Logins) + len(d.Internal))
	for name := range b.dir.domains {
		b.dir.hosts.add(name)
	}
	public := d.Public.orDefault()
	for _, own := range d.Logins {
		if !b.dir.look(hostAddress(own), math.MaxInt64).claim.held {
			b.addInternal(own, public)
		}
	}
	for _, own := range d.Internal {
		b.addInternal(own, public)
	}
	for _, addr := range d.InternalAddresses {
		b.person(AddressKey(addr)).internal = true
	}
	b.dir.keys = newSieve(len(b.dir.people))
	for key := range b.dir.people {
		b.dir.keys.add(key)
	}
	return b.dir, nil
}

// builder is a directory in the making.
type builder struct {
	dir    *Directory
	groups map[CompanyID]struct{}
	places map[CompanyID]int32 // indexes into Directory.companies
}

func (b *builder) addDomain(e *DomainEntry) error {
	if e.Pattern.IsZero() || e.Company == "" {
		return errors.New("has no pattern or no company")
	}
	place, ok := b.places[e.Company]
	if !ok {
		place = int32(len(b.dir.companies))
		b.places[e.Company] = place
		b.dir.companies = append(b.dir.companies, e.Company)
	}
	_, group := b.groups[e.Company]
	c := claim{nanos(e.Since), place, e.Pattern.kind, true, e.Forced, group}
	node := b.dir.domains[e.Pattern.base.name]
	old := b.dir.claimOf(&node, c.kind)
	switch {
	case old != nil && old.company != c.company:
		return ErrDomainTaken
	case old != nil:
		old.since = min(old.since, c.since)
		old.forced = old.forced || c.forced
	case !node.claim.held:
		node.claim = c
	case node.more == 0:
		node.more = int32(len(b.dir.more))
		b.dir.more = append(b.dir.more, []claim{c})
	default:
		b.dir.more[node.more] = append(b.dir.more[node.more], c)
	}
	b.dir.domains[e.Pattern.base.name] = node
	b.dir.depths.add(e.Pattern)
	return nil
}

func (b *builder) addCustomer(e *CustomerEntry) error {
	var a address
	a.read(e.Address)
	if a.at < 0 || e.Customer == "" {
		return errors.New("has no address or no customer")
	}
	since := nanos(e.Since)
	p := b.person(a.key())
	switch {
	case p.customer == "":
		_, group := b.groups[e.Company]
		*p = person{customer: e.Customer, company: e.Company, since: since, group: group}
	case p.customer != e.Customer || p.company != e.Company:
		return ErrAddressTaken
	default:
		p.since = min(p.since, since)
	}
	return nil
}

// person returns the person with the address, a new one if need be.
func (b *builder) person(key string) *person {
	i, ok := b.dir.people[key]
	if !ok {
		i = int32(len(b.dir.persons))
		b.dir.people[key] = i
		b.dir.persons = append(b.dir.persons, person{})
	}
	return &b.dir.persons[i]
}

func (b *builder) addInternal(own Domain, public *DomainSet) {
	if own.IsZero() || public.Contains(own) {
		return
	}
	node := b.dir.domains[own.name]
	node.internal = true
	b.dir.domains[own.name] = node
	b.dir.depths.add(Pattern{exact, own})
	b.dir.hosts.add(own.name)
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
	v := d.look(&a, math.MaxInt64)
	if !v.claim.held {
		return "", Pattern{}, false
	}
	base := Domain{strings.Clone(a.key()[v.from:])}
	return d.companies[v.claim.company], Pattern{v.claim.kind, base}, true
}

// Customer returns the customer who has the address, and their company or "".
func (d *Directory) Customer(addr string) (CustomerID, CompanyID, bool) {
	var a address
	a.read(addr)
	if d == nil {
		return "", "", false
	}
	p := d.personOf(&a)
	return p.customer, p.company, p.customer != ""
}

// Internal says whether the address is internal (11.4): listed itself, or at an internal domain.
func (d *Directory) Internal(addr string) bool {
	var a address
	a.read(addr)
	if d == nil {
		return false
	}
	return d.personOf(&a).internal || d.look(&a, math.MinInt64).internal
}

// nobody is the person behind an address without one; it is never written to.
var nobody person

// personOf returns the person with the address, only to be read.
func (d *Directory) personOf(a *address) *person {
	if !d.keys.mayHold(a, 0) {
		return &nobody
	}
	if i, ok := find(d.people, a, 0); ok {
		return &d.persons[i]
	}
	return &nobody
}

// hostView is what the directory's domains say about a host.
type hostView struct {
	claim    claim // the strongest
	from     int   // where the base of its pattern starts in the key
	internal bool
}

// look walks up the host once; only claims made by the moment at count.
func (d *Directory) look(a *address, at int64) (v hostView) {
	for s := d.depths.first(a); s.labels > 0; s = d.depths.next(a, s) {
		if !d.hosts.mayHold(a, s.from) {
			continue
		}
		node, _ := find(d.domains, a, s.from)
		first := below
		if s.apex {
			first, v.internal = exact, node.internal
		}
		for _, kind := range [...]patternKind{first, whole} {
			if c := d.claimOf(&node, kind); c != nil && c.since <= at {
				v.claim, v.from = *c, s.from
				return v
			}
		}
	}
	return v
}

// claimOf returns the claim of a kind on one base, or nil.
func (d *Directory) claimOf(n *domainNode, kind patternKind) *claim {
	if n.claim.held && n.claim.kind == kind {
		return &n.claim
	}
	if n.more == 0 {
		return nil
	}
	for i := range d.more[n.more] {
		if c := &d.more[n.more][i]; c.kind == kind {
			return c
		}
	}
	return nil
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
