package filter_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/filter"
)

// R-DOM-04, R-DOM-06: which of several companies a domain is.
func TestStrongestPatternWins(t *testing.T) {
	t.Parallel()
	var data filter.DirectoryData
	for _, s := range []string{
		"*acme.com", "*.acme.com", "eu.acme.com", "*.eu.acme.com", "*de.eu.acme.com", "x.eu.acme.com", "*beta.org",
	} {
		data.Domains = append(data.Domains, filter.DomainEntry{
			Pattern: company(t, s), Company: filter.CompanyID(s),
		})
	}
	dir := directory(t, data)
	for addr, want := range map[string]string{
		"a@acme.com":         "*acme.com",
		"a@us.acme.com":      "*.acme.com",
		"a@eu.acme.com":      "eu.acme.com",
		"a@fr.eu.acme.com":   "*.eu.acme.com",
		"a@x.eu.acme.com":    "x.eu.acme.com",
		"a@y.x.eu.acme.com":  "*.eu.acme.com",
		"a@de.eu.acme.com":   "*de.eu.acme.com",
		"a@m.de.EU.acme.com": "*de.eu.acme.com",
		"a@beta.org":         "*beta.org",
		"a@x.y.beta.org":     "*beta.org",
	} {
		id, p, ok := dir.Company(addr)
		require.True(t, ok, "R-DOM-04 %s", addr)
		require.Equal(t, want, string(id), "R-DOM-04 %s", addr)
		require.Equal(t, want, p.String(), "R-DOM-04 %s", addr)
	}
	for _, addr := range []string{"a@notacme.com", "a@com", "a@acme.com..", "a@[10.0.0.1]", "acme.com", ""} {
		_, _, ok := dir.Company(addr)
		require.False(t, ok, "R-DOM-06 %q", addr)
	}
}

func TestDirectoryAnswers(t *testing.T) {
	t.Parallel()
	data := office(t)
	data.Logins = []filter.Domain{domain(t, "acme.com"), domain(t, "login.example")}
	data.InternalAddresses = []string{"Guest@Hotel.example", alice}
	dir := directory(t, data)
	customer, company, ok := dir.Customer("Alice@ACME.com.")
	require.True(t, ok)
	require.Equal(t, "c1 Acme", fmt.Sprint(customer, " ", company))
	customer, company, ok = dir.Customer(fred)
	require.True(t, ok)
	require.Equal(t, "c3 ", fmt.Sprint(customer, " ", company))
	for _, addr := range []string{eve, "", "guest@hotel.example"} {
		_, _, ok = dir.Customer(addr)
		require.False(t, ok, "customer %q", addr)
	}
	_, _, ok = dir.Company("x@gmail.com")
	require.True(t, ok, "a forced domain is the company's")
	for addr, want := range map[string]bool{
		anna: true, "guest@hotel.example": true, alice: true, "x@login.example": true, bob: false, eve: false,
		"x@eu.us.example": false, "": false, "a@us.example..": false,
	} {
		require.Equal(t, want, dir.Internal(addr), "11.4 %q", addr)
	}

	var nobody *filter.Directory
	_, _, ok = nobody.Customer(alice)
	require.False(t, ok)
	_, _, ok = nobody.Company(alice)
	require.False(t, ok)
	require.False(t, nobody.Internal(alice))
}

// R-DOM-04
func TestConflictingClaimsAreRefusedAllAtOnce(t *testing.T) {
	t.Parallel()
	acme, wild := company(t, "acme.com"), company(t, "*.acme.com")
	entry := func(p filter.Pattern, c filter.CompanyID) filter.DomainEntry {
		return filter.DomainEntry{Pattern: p, Company: c}
	}
	who := func(addr string, id filter.CustomerID, c filter.CompanyID) filter.CustomerEntry {
		return filter.CustomerEntry{Address: addr, Customer: id, Company: c}
	}
	_, err := filter.NewDirectory(filter.DirectoryData{
		Domains: []filter.DomainEntry{
			entry(acme, "A"), entry(wild, "B"), entry(acme, "B"), entry(wild, "A"), {Pattern: acme}, {Company: "A"},
		},
		Customers: []filter.CustomerEntry{
			who(alice, "1", "A"), who("Alice@acme.com", "2", "A"), who(alice, "1", "B"),
			who("", "3", ""), who(bob, "", ""),
		},
	})
	require.ErrorIs(t, err, filter.ErrDomainTaken)
	require.ErrorIs(t, err, filter.ErrAddressTaken)
	require.EqualError(t, err, `domain entry 3: pattern is held by another company
domain entry 4: pattern is held by another company
domain entry 5: has no pattern or no company
domain entry 6: has no pattern or no company
customer entry 2: address is held by another customer
customer entry 3: address is held by another customer
customer entry 4: has no address or no customer
customer entry 5: has no address or no customer`)
}

func TestSameClaimTwiceHoldsFromTheEarlierMoment(t *testing.T) {
	t.Parallel()
	acme := company(t, "acme.com")
	f := compile(t, filter.DirectoryData{
		Domains: []filter.DomainEntry{
			{Pattern: acme, Company: "A", Since: day(20)}, {Pattern: acme, Company: "A", Since: day(10)},
		},
		Customers: []filter.CustomerEntry{
			{Address: eve, Customer: "e", Company: "E", Since: day(20)},
			{Address: "EVE@stranger.com", Customer: "e", Company: "E", Since: day(10)},
		},
	}, filter.Rules{}, owner)
	for _, from := range []string{bob, eve} {
		m := in(from) // received on day 15
		require.True(t, f.Decide(&m, filter.Thread{}).Accept, "from %s", from)
	}
}
