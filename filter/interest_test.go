package filter_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/filter"
)

func TestInterestIsSortedAndMinimal(t *testing.T) {
	t.Parallel()
	var data filter.DirectoryData
	claim := func(p string, c filter.CompanyID, forced bool) {
		data.Domains = append(data.Domains, filter.DomainEntry{Pattern: company(t, p), Company: c, Forced: forced})
	}
	claim("acme.com", "A", false)
	claim("*.beta.org", "B", false)
	claim("eu.beta.org", "B", false)     // lies below *.beta.org
	claim("*.x.eu.beta.org", "B", false) // so does this
	claim("*whole.com", "C", false)      // is two entries
	claim("gmail.com", "A", true)
	claim("group.com", "G", false)
	claim("private.org", "A", false)    // excluded
	claim("*.private.org", "A", false)  // excluded
	claim("*deep.wild.org", "A", false) // excluded by a wildcard above it
	claim("us.example", "A", false)     // internal
	data.Groups = []filter.CompanyID{"G"}
	data.Internal = []filter.Domain{domain(t, "us.example")}
	data.InternalAddresses = []string{"in@else.com"}
	for addr, c := range map[string]filter.CompanyID{
		"Alone@else.com": "A", "alice@acme.com": "A", "b@x.beta.org": "B", "none@else.com": "", "g@else.com": "G",
		"in@else.com": "A", "c@us.example": "A", "kid@private.org": "A", "out@else.com": "A", "me@own.com": "A",
		"dave@gmail.com": "A",
	} {
		data.Customers = append(data.Customers, filter.CustomerEntry{
			Address: addr, Customer: filter.CustomerID(addr), Company: c,
		})
	}
	rules := filter.Rules{Exclude: exclusions(t, "private.org", "*.wild.org", "out@else.com")}
	listed, narrow := compile(t, data, rules, "me@own.com").Interest()
	require.True(t, narrow)
	require.Equal(t, []string{
		"*.beta.org", "*.whole.com", "acme.com", "alone@else.com", "dave@gmail.com", "g@else.com", "group.com",
		"whole.com",
	}, listed)

	rules.GroupsCount, rules.AllowPublic = filter.Off, []filter.Domain{domain(t, "gmail.com")}
	listed, _ = compile(t, data, rules, "me@own.com").Interest()
	require.Equal(t, []string{
		"*.beta.org", "*.whole.com", "acme.com", "alone@else.com", "gmail.com", "whole.com",
	}, listed)
}

func TestInterestInEverything(t *testing.T) {
	t.Parallel()
	for _, r := range []filter.Rules{{Mode: filter.All}, {PreferReplyTo: true}} {
		listed, narrow := compile(t, office(t), r, owner).Interest()
		require.False(t, narrow, "%+v", r)
		require.Nil(t, listed)
	}
	listed, narrow := compile(t, filter.DirectoryData{}, filter.Rules{}, owner).Interest()
	require.True(t, narrow, "nobody is a client: nothing is of interest")
	require.NotNil(t, listed)
	require.Empty(t, listed)
}
