package storagetest

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
)

var clientChecks = []check[inbox.Store]{
	{"Clients/RoundTrip", checkClientRoundTrip},
	{"Clients/NotFound", checkClientNotFound},
	{"Clients/StaleVersion", checkClientStale},
	{"Clients/DomainTaken", checkDomainTaken},
	{"Clients/ByteOrder", checkClientOrder},
	{"Clients/DeletedLeftOut", checkClientsDeleted},
	{"Clients/SnapshotVersion", checkSnapshotVersion},
	{"Clients/SnapshotLive", checkSnapshotLive},
}

// company returns a company of the site acme that holds these patterns.
func company(id inbox.CompanyID, patterns ...string) inbox.Company {
	c := inbox.Company{ID: id, Site: acme, Name: "Company " + string(id), CreatedAt: at(0)}
	for _, p := range patterns {
		c.Domains = append(c.Domains, inbox.CompanyDomain{Pattern: pattern(p), Since: at(1)})
	}
	return c
}

func saveCompany(b *inboxes, c inbox.Company) inbox.Company {
	b.Helper()
	saved, err := b.s.SaveCompany(b.Context(), c)
	ok(b, fmt.Sprintf("save company %q", c.ID), err)
	return saved
}

// customer returns a customer of the site acme with these addresses, the primary one first.
func customer(id inbox.CustomerID, addresses ...string) inbox.Customer {
	return inbox.Customer{
		ID: id, Site: acme, Address: addresses[0], Alternatives: addresses[1:], CreatedAt: at(0),
	}
}

func saveCustomers(b *inboxes, cs ...inbox.Customer) []inbox.Customer {
	b.Helper()
	saved, err := b.s.SaveCustomers(b.Context(), cs)
	ok(b, "save customers", err)
	if len(saved) != len(cs) {
		b.Fatalf("save customers: got %d back, want %d", len(saved), len(cs))
	}
	return saved
}

func checkClientRoundTrip(b *inboxes) {
	co, cu := full[inbox.Company]("company"), full[inbox.Customer]("customer")
	co.Site, co.Version, cu.Site, cu.Version = acme, 0, acme, 0
	cu.Address = "cleo@example.com"
	gotCo := saveCompany(b, co)
	gotCu := saveCustomers(b, cu)[0]
	co.Version, cu.Version = 1, 1
	equal(b, "saved company", gotCo, co)
	equal(b, "saved customer", gotCu, cu)
	for _, v := range []storage.Version{1, 2} {
		gotCo, err := b.s.Company(b.Context(), acme, co.ID)
		ok(b, "company", err)
		equal(b, fmt.Sprintf("company of version %d", v), gotCo, co)
		gotCu, err := b.s.Customer(b.Context(), acme, cu.ID)
		ok(b, "customer", err)
		equal(b, fmt.Sprintf("customer of version %d", v), gotCu, cu)
		co = inbox.Company{ID: co.ID, Site: acme, Name: "Bare", Version: v}
		cu = inbox.Customer{ID: cu.ID, Site: acme, Address: "cleo@example.com", Version: v}
		saveCompany(b, co)
		saveCustomers(b, cu)
		co.Version, cu.Version = v+1, v+1
	}
}

func checkClientNotFound(b *inboxes) {
	saveCompany(b, company("co-1"))
	saveCustomers(b, customer("cu-1", "cleo@example.com"))
	for _, c := range []struct {
		site inbox.SiteID
		id   string
	}{{acme, "co-2"}, {other, "co-1"}, {other, "cu-1"}, {acme, "CU-1"}} {
		_, err := b.s.Company(b.Context(), c.site, inbox.CompanyID(c.id))
		refused(b, fmt.Sprintf("company %q of site %q", c.id, c.site), err, storage.ErrNotFound)
		_, err = b.s.Customer(b.Context(), c.site, inbox.CustomerID(c.id))
		refused(b, fmt.Sprintf("customer %q of site %q", c.id, c.site), err, storage.ErrNotFound)
	}
}

func checkClientStale(b *inboxes) {
	co := saveCompany(b, saveCompany(b, company("co-1", "acme.example")))
	cu := saveCustomers(b, saveCustomers(b, customer("cu-1", "cleo@example.com"))...)[0]
	before := look(b, "", nil, nil)
	for _, v := range []storage.Version{0, 1, 3} {
		stale := co
		stale.Name, stale.Version = "Stale", v
		_, err := b.s.SaveCompany(b.Context(), stale, happened("e-1"))
		refused(b, fmt.Sprintf("save version %d of company version 2", v), err, storage.ErrConflict)
		late := cu
		late.Name, late.Version = "Stale", v
		_, err = b.s.SaveCustomers(b.Context(), []inbox.Customer{late}, happened("e-1"))
		refused(b, fmt.Sprintf("save version %d of customer version 2", v), err, storage.ErrConflict)
	}
	absent := company("co-2")
	absent.Version = 1
	_, err := b.s.SaveCompany(b.Context(), absent, happened("e-1"))
	refused(b, "save version 1 of a company that is not there", err, storage.ErrConflict)
	equal(b, "clients after refused writes", look(b, "", nil, nil), before)
}

func checkDomainTaken(b *inboxes) {
	holder := saveCompany(b, company("co-1", "acme.example", "*.acme.example"))
	late := saveCompany(b, company("co-2", "late.example"))
	late.Domains = company("", "late.example", "acme.example").Domains
	_, err := b.s.SaveCompany(b.Context(), late, happened("e-1"))
	refused(b, "take a pattern that is held", err, storage.ErrExists)
	_, err = b.s.SaveCompany(b.Context(), company("co-3", "new.example", "*.acme.example"))
	refused(b, "create a company with a pattern that is held", err, storage.ErrExists)
	if _, err = b.s.Company(b.Context(), acme, "co-3"); err == nil {
		b.Errorf("a company of a refused write is there")
	}
	got, err := b.s.Company(b.Context(), acme, "co-2")
	ok(b, "company", err)
	equal(b, "company after a refused write", got, saved(late, "late.example"))

	// Another form is another pattern, another site another world, and one's own is not taken.
	saveCompany(b, company("co-4", "*acme.example", "eu.acme.example"))
	abroad := company("co-5", "acme.example")
	abroad.Site = other
	saveCompany(b, abroad)
	holder = saveCompany(b, holder)

	holder.DeletedAt = at(5)
	holder = saveCompany(b, holder)
	late = saveCompany(b, late)
	holder.Name = "Renamed in the trash"
	back := saveCompany(b, holder)
	back.DeletedAt = time.Time{}
	_, err = b.s.SaveCompany(b.Context(), back)
	refused(b, "restore a company whose pattern was taken meanwhile", err, storage.ErrExists)
	late.Domains = nil
	saveCompany(b, late)
	saveCompany(b, back)
}

// saved is what is stored of a company whose later write was refused.
func saved(c inbox.Company, patterns ...string) inbox.Company {
	c.Domains = company("", patterns...).Domains
	return c
}

func checkClientOrder(b *inboxes) {
	want := []string{"B", "Z", "a", "a!", "b", "ä"}
	for _, i := range []int{3, 5, 0, 4, 2, 1} {
		saveCompany(b, company(inbox.CompanyID(want[i])))
		saveCustomers(b, customer(inbox.CustomerID(want[i]), fmt.Sprintf("c%d@example.com", i)))
	}
	for size := 1; size <= len(want)+1; size++ {
		cos := pages(b, size, func(after *inbox.Company) []inbox.Company {
			q := inbox.CompanyQuery{Site: acme, Limit: size}
			if after != nil {
				q.After = after.ID
			}
			return collect(b, "companies", b.s.Companies(b.Context(), q))
		})
		equal(b, fmt.Sprintf("companies in byte order, paging %d at a time", size),
			mapped(cos, func(c inbox.Company) string { return string(c.ID) }), want)
		cus := pages(b, size, func(after *inbox.Customer) []inbox.Customer {
			q := inbox.CustomerQuery{Site: acme, Limit: size}
			if after != nil {
				q.After = after.ID
			}
			return collect(b, "customers", b.s.Customers(b.Context(), q))
		})
		equal(b, fmt.Sprintf("customers in byte order, paging %d at a time", size),
			mapped(cus, func(c inbox.Customer) string { return string(c.ID) }), want)
	}
}

func checkClientsDeleted(b *inboxes) {
	co, cu := company("co-1"), customer("cu-1", "cleo@example.com")
	co.DeletedAt, cu.DeletedAt = at(5), at(5)
	saveCompany(b, co)
	saveCustomers(b, cu)
	saveCompany(b, company("co-2"))
	saveCustomers(b, customer("cu-2", "dan@example.com"))
	abroad := company("co-3")
	abroad.Site = other
	saveCompany(b, abroad)
	if _, err := b.s.Company(b.Context(), acme, "co-1"); err != nil {
		b.Errorf("read a deleted company: got %v, want no error", err)
	}
	if _, err := b.s.Customer(b.Context(), acme, "cu-1"); err != nil {
		b.Errorf("read a deleted customer: got %v, want no error", err)
	}
	for _, deleted := range []bool{false, true} {
		cos, cus := []inbox.CompanyID{"co-1", "co-2"}, []inbox.CustomerID{"cu-1", "cu-2"}
		if !deleted {
			cos, cus = cos[1:], cus[1:]
		}
		gotCos := collect(b, "companies",
			b.s.Companies(b.Context(), inbox.CompanyQuery{Site: acme, Deleted: deleted}))
		equal(b, fmt.Sprintf("companies of a site, Deleted %v", deleted),
			mapped(gotCos, func(c inbox.Company) inbox.CompanyID { return c.ID }), cos)
		gotCus := collect(b, "customers",
			b.s.Customers(b.Context(), inbox.CustomerQuery{Site: acme, Deleted: deleted}))
		equal(b, fmt.Sprintf("customers of a site, Deleted %v", deleted),
			mapped(gotCus, func(c inbox.Customer) inbox.CustomerID { return c.ID }), cus)
	}
}

// snapshot returns a site's snapshot and its version, sorted.
func snapshot(b *inboxes, after storage.Version) (*filter.DirectoryData, storage.Version) {
	b.Helper()
	d, v, err := b.s.Snapshot(b.Context(), acme, after)
	ok(b, "snapshot", err)
	if d != nil {
		slices.SortFunc(d.Domains, func(x, y filter.DomainEntry) int {
			return cmp.Compare(x.Pattern.String(), y.Pattern.String())
		})
		slices.SortFunc(d.Customers, func(x, y filter.CustomerEntry) int {
			return cmp.Compare(x.Address, y.Address)
		})
	}
	return d, v
}

func checkSnapshotVersion(b *inboxes) {
	if d, v := snapshot(b, 0); d != nil || v != 0 {
		b.Errorf("snapshot of a site without clients: got %v of version %d, want nil of 0", d, v)
	}
	abroad := company("co-9", "abroad.example")
	abroad.Site = other
	saveCompany(b, abroad)
	if d, v := snapshot(b, 0); d != nil || v != 0 {
		b.Errorf("snapshot when another site has a client: got %v of version %d, want nil of 0", d, v)
	}
	version := storage.Version(0)
	var co inbox.Company
	var cu inbox.Customer
	for _, step := range []struct {
		what string
		do   func()
	}{
		{"a company", func() { co = saveCompany(b, company("co-1", "acme.example")) }},
		{"a domain", func() {
			co.Domains = company("", "acme.example", "*.acme.example").Domains
			co = saveCompany(b, co)
		}},
		{"a forced domain", func() { co.Domains[0].Forced = true; co = saveCompany(b, co) }},
		{"a group", func() { co.Kind = inbox.KindGroup; co = saveCompany(b, co) }},
		{"a customer", func() { cu = saveCustomers(b, customer("cu-1", "cleo@example.com"))[0] }},
		{"an association", func() {
			cu.Company, cu.Source, cu.Since = "co-1", inbox.SourceManual, at(9)
			cu = saveCustomers(b, cu)[0]
		}},
		{"an address", func() {
			cu.Alternatives = []string{"c@example.com"}
			cu = saveCustomers(b, cu)[0]
		}},
		{"a new customer by mail", func() { ensure(b, "in-1", inbox.Known{Address: "dan@example.com"}) }},
		{"an association by mail", func() {
			ensure(b, "in-1", inbox.Known{Address: "dan@example.com", Company: "co-1"})
		}},
		{"a deleted customer", func() { cu.DeletedAt = at(9); cu = saveCustomers(b, cu)[0] }},
		{"a deleted company", func() { co.DeletedAt = at(9); co = saveCompany(b, co) }},
	} {
		step.do()
		d, v := snapshot(b, version)
		if d == nil || v <= version {
			b.Errorf("snapshot after %s: got version %d (data: %v), want data of one above %d",
				step.what, v, d != nil, version)
		}
		version = v
		if d, v = snapshot(b, version); d != nil || v != version {
			b.Errorf("snapshot after version %d, the stored one: got %v of version %d, want nil of it",
				version, d, v)
		}
	}
}

func checkSnapshotLive(b *inboxes) {
	co := company("co-1", "acme.example", "*.acme.example")
	co.Domains[1].Forced = true
	co = saveCompany(b, co)
	gone, group := company("co-2", "gone.example"), company("co-3", "group.example")
	gone.DeletedAt, group.Kind = at(5), inbox.KindGroup
	saveCompany(b, gone)
	saveCompany(b, group)
	one := customer("cu-1", "cleo@example.com", "c@example.org")
	one.Company, one.Since = co.ID, at(7)
	two, three := customer("cu-2", "dan@example.com"), customer("cu-3", "eve@example.com")
	two.DeletedAt, three.Company = at(5), "co-2"
	saveCustomers(b, one, two, three)
	got, _ := snapshot(b, 0)
	if got == nil {
		b.Fatalf("snapshot of a site with clients: got nil, want data")
	}
	type live struct {
		Domains   []filter.DomainEntry
		Customers []filter.CustomerEntry
		Groups    []inbox.CompanyID
	}
	equal(b, "snapshot", live{got.Domains, got.Customers, got.Groups}, live{
		Domains: []filter.DomainEntry{
			{Pattern: pattern("*.acme.example"), Company: "co-1", Forced: true, Since: at(1)},
			{Pattern: pattern("acme.example"), Company: "co-1", Since: at(1)},
			{Pattern: pattern("group.example"), Company: "co-3", Since: at(1)},
		},
		Customers: []filter.CustomerEntry{
			{Address: "c@example.org", Customer: "cu-1", Company: "co-1", Since: at(7)},
			{Address: "cleo@example.com", Customer: "cu-1", Company: "co-1", Since: at(7)},
			{Address: "eve@example.com", Customer: "cu-3"},
		},
		Groups: []inbox.CompanyID{"co-3"},
	})
}
