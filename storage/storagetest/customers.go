package storagetest

import (
	"fmt"

	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
)

var customerChecks = []check[inbox.Store]{
	{"Clients/AddressTaken", checkCustomerAddress},
	{"Clients/AddressMoves", checkAddressMoves},
	{"Clients/SaveAllOrNothing", checkSaveCustomers},
	{"Clients/RefusedLate", checkLateClients},
	{"Clients/EnsureIdempotent", checkEnsureIdempotent},
	{"Clients/EnsureFindsByKey", checkEnsureFinds},
	{"Clients/EnsureNotesInbox", checkEnsureNotes},
	{"Clients/ManualBeatsDomain", checkManualBeats},
	{"Clients/QueryFields", checkCustomerQuery},
}

// ensure asks for the customers of people whose mail came to the inbox. New ones are named by the
// first address asked for.
func ensure(b *inboxes, from inbox.ID, who ...inbox.Known) []inbox.Customer {
	b.Helper()
	n := 0
	got, err := b.s.EnsureCustomers(b.Context(), acme, from, who, at(20), func() string {
		n++
		return fmt.Sprintf("new %s %d", who[0].Address, n)
	})
	ok(b, "ensure customers", err)
	if len(got) != len(who) {
		b.Fatalf("ensure %d customers: got %d", len(who), len(got))
	}
	return got
}

func checkCustomerAddress(b *inboxes) {
	holder := saveCustomers(b, customer("cu-1", "cleo@example.com", "c@example.org"))[0]
	late := saveCustomers(b, customer("cu-2", "dan@example.com"))[0]
	for _, a := range []string{"cleo@example.com", "c@example.org", "CLEO@Example.COM"} {
		c := late
		c.Alternatives = []string{a}
		_, err := b.s.SaveCustomers(b.Context(), []inbox.Customer{c}, happened("e-1"))
		refused(b, fmt.Sprintf("take the address %q as an alternative", a), err, storage.ErrExists)
		c = late
		c.Address = a
		_, err = b.s.SaveCustomers(b.Context(), []inbox.Customer{c}, happened("e-1"))
		refused(b, fmt.Sprintf("take the address %q as the primary one", a), err, storage.ErrExists)
	}
	got, err := b.s.Customer(b.Context(), acme, "cu-2")
	ok(b, "customer", err)
	equal(b, "customer after refused writes", got, late)
	_, err = b.s.SaveCustomers(b.Context(), []inbox.Customer{
		customer("cu-3", "new@example.com"), customer("cu-4", "x@example.com", "new@example.com"),
	})
	refused(b, "save two new customers with one address", err, storage.ErrExists)

	abroad := customer("cu-5", "cleo@example.com")
	abroad.Site = other
	saveCustomers(b, abroad)
	holder = saveCustomers(b, holder)[0]
	holder.DeletedAt = at(5)
	saveCustomers(b, holder)
	late.Alternatives = []string{"cleo@example.com"}
	saveCustomers(b, late)
}

// checkAddressMoves moves addresses within one write, as a merge of two customers does. Whoever is
// written first, only what stands when the write is done counts.
func checkAddressMoves(b *inboxes) {
	cs := saveCustomers(b, customer("cu-1", "a@example.com"), customer("cu-2", "b@example.com"))
	cs[0].Address, cs[1].Address = cs[1].Address, cs[0].Address
	cs = saveCustomers(b, cs...)
	cs[0].Alternatives = []string{cs[1].Address}
	cs[1].DeletedAt = at(5)
	saveCustomers(b, cs...)
	got := collect(b, "customers", b.s.Customers(b.Context(),
		inbox.CustomerQuery{Site: acme, Address: "a@example.com"}))
	if len(got) != 1 || got[0].ID != "cu-1" {
		b.Errorf("who has an address after a swap and a merge: got %v, want cu-1 alone", got)
	}
	if known := ensure(b, "in-1", inbox.Known{Address: "a@example.com"}); known[0].ID != "cu-1" {
		b.Errorf("ensure a moved address: got customer %q, want cu-1", known[0].ID)
	}
}

func checkSaveCustomers(b *inboxes) {
	old := saveCustomers(b, customer("cu-2", "dan@example.com"))[0]
	before := look(b, "", nil, nil)
	stale := old
	stale.Version = 7
	_, err := b.s.SaveCustomers(b.Context(), []inbox.Customer{
		customer("cu-1", "cleo@example.com"), stale, customer("cu-3", "eve@example.com"),
	}, happened("e-1"))
	refused(b, "save three customers, one of them stale", err, storage.ErrConflict)
	_, err = b.s.SaveCustomers(b.Context(), []inbox.Customer{
		customer("cu-1", "cleo@example.com"), old, customer("cu-3", "dan@example.com"),
	}, happened("e-1"))
	refused(b, "save three customers, one with a taken address", err, storage.ErrExists)
	equal(b, "clients after refused writes", look(b, "", nil, nil), before)

	got := saveCustomers(b, customer("cu-3", "eve@example.com"), old, customer("cu-1", "cleo@example.com"))
	equal(b, "versions of saved customers in the order given", mapped(got, func(c inbox.Customer) string {
		return fmt.Sprintf("%s %d", c.ID, c.Version)
	}), []string{"cu-3 1", "cu-2 2", "cu-1 1"})
}

func checkEnsureIdempotent(b *inboxes) {
	p := pattern("acme.example")
	who := []inbox.Known{
		{Address: "Cleo@Example.com", Name: "Cleo", Company: "co-1", Pattern: &p},
		{Address: "dan@example.com", Name: "Dan"},
		{Address: "cleo@example.com", Name: "Someone Else"},
	}
	first := ensure(b, "in-1", who...)
	want := inbox.Customer{
		ID: first[0].ID, Site: acme, Name: "Cleo", Address: "cleo@example.com", Company: "co-1",
		Source: inbox.SourceDomain, Pattern: &p, Since: at(20), KnownFrom: []inbox.ID{"in-1"},
		CreatedAt: at(20), Version: first[0].Version,
	}
	equal(b, "new customer", first[0], want)
	if first[0].ID != first[2].ID || first[0].ID == first[1].ID || first[1].ID == "" {
		b.Errorf("customers of one address, another one, and the first again: got %q, %q, %q",
			first[0].ID, first[1].ID, first[2].ID)
	}
	again, err := b.s.EnsureCustomers(b.Context(), acme, "in-1", who, at(99),
		func() string { return "should not be asked for" })
	ok(b, "ensure customers", err)
	equal(b, "the same customers again", again, []inbox.Customer{first[2], first[1], first[2]})
	stored := collect(b, "customers", b.s.Customers(b.Context(), inbox.CustomerQuery{Site: acme}))
	if len(stored) != 2 {
		b.Errorf("customers after two people mailed twice: got %d, want 2", len(stored))
	}
	abroad, err := b.s.EnsureCustomers(b.Context(), other, "in-9", who[:1], at(20),
		func() string { return "abroad" })
	ok(b, "ensure customers of another site", err)
	if len(abroad) != 1 || abroad[0].ID != "abroad" || abroad[0].Site != other {
		b.Errorf("customer of another site: got %+v, want a new one there", abroad)
	}
}

func checkEnsureFinds(b *inboxes) {
	trashed := customer("cu-0", "dan@example.com")
	trashed.DeletedAt = at(5)
	saveCustomers(b, trashed, customer("cu-1", "cleo@example.com", "c@example.org"))
	got := ensure(b, "in-1", inbox.Known{Address: "C@EXAMPLE.org"}, inbox.Known{Address: "Dan@example.com"},
		inbox.Known{Address: "cleo+tag@example.com"})
	if got[0].ID != "cu-1" {
		b.Errorf("ensure an alternative address: got customer %q, want cu-1", got[0].ID)
	}
	if got[1].ID == "cu-0" || got[1].Address != "dan@example.com" {
		b.Errorf("ensure the address of a deleted customer: got %+v, want a new one", got[1])
	}
	if got[2].ID == "cu-1" {
		b.Errorf("ensure an address with a tag: got cu-1, want a new one, as nothing is folded (R-CUS-06)")
	}
}

func checkEnsureNotes(b *inboxes) {
	for _, from := range []inbox.ID{"in-2", "in-1", "in-3", "in-1"} {
		ensure(b, from, inbox.Known{Address: "cleo@example.com"})
	}
	got := ensure(b, "in-2", inbox.Known{Address: "cleo@example.com"})[0]
	equal(b, "inboxes a customer is known from, sorted", got.KnownFrom,
		[]inbox.ID{"in-1", "in-2", "in-3"})
	if got.ByHand {
		b.Errorf("customer made by mail: got ByHand, want it not set")
	}
}

// checkManualBeats offers companies by domain (R-CUS-03).
func checkManualBeats(b *inboxes) {
	one, two := pattern("one.example"), pattern("two.example")
	hand := customer("cu-1", "hand@example.com")
	hand.Company, hand.Source, hand.Since = "co-hand", inbox.SourceManual, at(1)
	by := customer("cu-2", "by@example.com")
	by.Company, by.Source, by.Pattern, by.Since = "co-one", inbox.SourceDomain, &one, at(1)
	none := customer("cu-3", "none@example.com")
	hand.KnownFrom, by.KnownFrom = []inbox.ID{"in-1"}, []inbox.ID{"in-1"}
	none.KnownFrom = []inbox.ID{"in-1"}
	saved := saveCustomers(b, hand, by, none)
	for _, c := range []struct {
		what  string
		i     int
		known inbox.Known
		want  func(c *inbox.Customer)
	}{
		{"a company by hand", 0,
			inbox.Known{Address: "hand@example.com", Company: "co-two", Pattern: &two},
			func(*inbox.Customer) {}},
		{"another domain", 1,
			inbox.Known{Address: "by@example.com", Company: "co-two", Pattern: &two},
			func(c *inbox.Customer) { c.Company, c.Pattern, c.Since = "co-two", &two, at(20) }},
		{"no company before", 2,
			inbox.Known{Address: "none@example.com", Company: "co-one", Pattern: &one},
			func(c *inbox.Customer) {
				c.Company, c.Source, c.Pattern, c.Since = "co-one", inbox.SourceDomain, &one, at(20)
			}},
	} {
		got, want := ensure(b, "in-1", c.known)[0], saved[c.i]
		c.want(&want)
		want.Version = got.Version
		equal(b, "customer with "+c.what, got, want)
		read, err := b.s.Customer(b.Context(), acme, want.ID)
		ok(b, "customer", err)
		equal(b, "stored customer with "+c.what, read, want)
	}
}

func checkCustomerQuery(b *inboxes) {
	for i, c := range []inbox.Customer{
		{Address: "a@acme.example", Company: "co-1", KnownFrom: []inbox.ID{"in-1"}},
		{Address: "b@eu.acme.example", Company: "co-1", KnownFrom: []inbox.ID{"in-1", "in-2"}},
		{Address: "c@notacme.example", Alternatives: []string{"c2@acme.example"}, ByHand: true},
		{Address: "d@example.com", Company: "co-2", KnownFrom: []inbox.ID{"in-3"}},
		{Address: "e@example.com"},
		{Address: "f@acme.example", DeletedAt: at(5), ByHand: true, Company: "co-1"},
	} {
		c.ID, c.Site = inbox.CustomerID(fmt.Sprint("cu-", i)), acme
		saveCustomers(b, c)
	}
	for _, c := range []struct {
		what string
		q    inbox.CustomerQuery
		want []inbox.CustomerID
	}{
		{"everybody", inbox.CustomerQuery{}, []inbox.CustomerID{"cu-0", "cu-1", "cu-2", "cu-3", "cu-4"}},
		{"a company", inbox.CustomerQuery{Company: "co-1"}, []inbox.CustomerID{"cu-0", "cu-1"}},
		{"a company, deleted too", inbox.CustomerQuery{Company: "co-1", Deleted: true},
			[]inbox.CustomerID{"cu-0", "cu-1", "cu-5"}},
		{"an address", inbox.CustomerQuery{Address: "A@Acme.Example"}, []inbox.CustomerID{"cu-0"}},
		{"an alternative address", inbox.CustomerQuery{Address: filter.AddressKey("C2@acme.example")},
			[]inbox.CustomerID{"cu-2"}},
		{"an unknown address", inbox.CustomerQuery{Address: "acme.example"}, nil},
		{"a domain", inbox.CustomerQuery{Domain: "acme.example"},
			[]inbox.CustomerID{"cu-0", "cu-1", "cu-2"}},
		{"a subdomain", inbox.CustomerQuery{Domain: "eu.acme.example"}, []inbox.CustomerID{"cu-1"}},
		{"half a label", inbox.CustomerQuery{Domain: "me.example"}, nil},
		{"who may be seen from an inbox", inbox.CustomerQuery{Visible: []inbox.ID{"in-2", "in-3"}},
			[]inbox.CustomerID{"cu-1", "cu-2", "cu-3"}},
		{"who may be seen from none", inbox.CustomerQuery{Visible: []inbox.ID{}},
			[]inbox.CustomerID{"cu-2"}},
		{"a domain, seen from an inbox",
			inbox.CustomerQuery{Domain: "acme.example", Visible: []inbox.ID{"in-1"}, Limit: 2},
			[]inbox.CustomerID{"cu-0", "cu-1"}},
		{"from a place", inbox.CustomerQuery{After: "cu-2", Limit: 1}, []inbox.CustomerID{"cu-3"}},
		{"another site", inbox.CustomerQuery{Site: other}, nil},
	} {
		if c.q.Site == "" {
			c.q.Site = acme
		}
		got := collect(b, c.what, b.s.Customers(b.Context(), c.q))
		equal(b, fmt.Sprintf("customers: %s (%+v)", c.what, c.q),
			mapped(got, func(c inbox.Customer) inbox.CustomerID { return c.ID }), c.want)
	}
}
