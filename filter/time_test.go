package filter_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/filter"
)

// R-CHG-06: rules have a time.
func TestRulesHaveATime(t *testing.T) {
	t.Parallel()
	client, all := filter.Rules{}, filter.Rules{Mode: filter.All}
	noEve := filter.Rules{Mode: filter.All, Exclude: exclusions(t, eve)}
	private := filter.Rules{
		Mode: filter.All, Automated: filter.On,
		Classes: map[filter.Class]filter.ClassPolicy{filter.NoReply: filter.PolicyAcceptPrivate},
	}
	rev := func(version uint64, at time.Time, r filter.Rules) filter.Revision {
		return filter.Revision{Version: version, At: at, Rules: r}
	}
	widened := []filter.Revision{rev(1, day(1), client), rev(2, day(10), all)}
	there := []filter.Revision{rev(1, day(1), all), rev(2, day(10), client), rev(3, day(20), all)}
	for _, c := range []struct {
		what     string
		revs     []filter.Revision
		from     string
		received time.Time
		want     filter.Reason
	}{
		{"widened, received before", widened, eve, day(9), filter.NotClientAssociated},
		{"widened, received at that moment", widened, eve, day(10), filter.ModeAll},
		{"widened, received after", widened, eve, day(11), filter.ModeAll},
		{"widened, a client before", widened, alice, day(9), filter.ModeAll},
		{"the first holds from the beginning of time", widened, alice, time.Time{}, filter.ModeAll},
		{"narrowed at once, mail from before too", []filter.Revision{rev(1, day(1), all), rev(2, day(10), client)},
			eve, day(9), filter.NotClientAssociated},
		{"narrowed for a while, before it", there, eve, day(9), filter.NotClientAssociated},
		{"narrowed for a while, during it", there, eve, day(19), filter.NotClientAssociated},
		{"narrowed for a while, after it", there, eve, day(20), filter.ModeAll},
		{"exclusion dropped, received before", []filter.Revision{rev(1, day(1), noEve), rev(2, day(10), all)},
			eve, day(9), filter.Excluded},
		{"exclusion dropped, received after", []filter.Revision{rev(1, day(1), noEve), rev(2, day(10), all)},
			eve, day(10), filter.ModeAll},
		{"any order, by version", []filter.Revision{rev(2, day(10), all), rev(1, day(1), client)},
			eve, day(9), filter.NotClientAssociated},
		{"a clock ran backwards",
			[]filter.Revision{rev(1, day(1), all), rev(2, day(10), client), rev(3, day(5), all)}, eve, day(7), filter.NotClientAssociated},
	} {
		f := compileConfig(t, filter.Config{
			Revisions: c.revs, Directory: directory(t, office(t)), Own: []string{owner},
		})
		m := in(c.from)
		m.Received = c.received
		v := f.Decide(&m, filter.Thread{})
		require.Equal(t, c.want, v.Reason, "R-CHG-06 %s", c.what)
		require.Equal(t, uint64(len(c.revs)), v.Version, "R-CHG-06 %s: the newest version", c.what)
	}

	m := in(eve)
	m.Class, m.Received = filter.NoReply, day(5)
	f := compileConfig(t, filter.Config{
		Revisions: []filter.Revision{rev(1, day(1), private), rev(2, day(10), all)},
	})
	require.True(t, f.Decide(&m, filter.Thread{}).Private, "what was private stays so")
	m.Received = day(11)
	require.False(t, f.Decide(&m, filter.Thread{}).Private)
}

// R-CHG-06: so has the directory.
func TestDirectoryHasATime(t *testing.T) {
	t.Parallel()
	data := filter.DirectoryData{
		Domains: []filter.DomainEntry{
			{Pattern: company(t, "*acme.com"), Company: "Old"},
			{Pattern: company(t, "acme.com"), Company: "New", Since: day(10)},
			{Pattern: company(t, "beta.org"), Company: "Beta", Since: day(10)},
		},
		Customers: []filter.CustomerEntry{
			{Address: "c@some.com", Customer: "c", Company: "Hand", Since: day(10)},
		},
	}
	base := filter.Config{
		Revisions: []filter.Revision{{Version: 1}}, Directory: directory(t, data), Own: []string{owner},
	}
	finish, backfill := base, base
	finish.Baseline = day(10)
	backfill.Backfill = true
	for _, c := range []struct {
		what     string
		config   filter.Config
		from     string
		received time.Time
		want     filter.Reason
		company  filter.CompanyID
	}{
		{"domain added later", base, "b@beta.org", day(9), filter.NotClientAssociated, ""},
		{"domain added at that moment", base, "b@beta.org", day(10), filter.CompanyDomain, "Beta"},
		{"before Finish", finish, "b@beta.org", day(1), filter.CompanyDomain, "Beta"},
		{"backfill", backfill, "b@beta.org", day(1), filter.CompanyDomain, "Beta"},
		{"association later", base, "c@some.com", day(9), filter.NotClientAssociated, ""},
		{"association in time", base, "c@some.com", day(10), filter.CustomerCompany, "Hand"},
		{"association before Finish", finish, "c@some.com", day(9), filter.CustomerCompany, "Hand"},
		{"the older claim holds for older mail", base, "a@acme.com", day(9), filter.CompanyDomain, "Old"},
		{"the newer claim for newer mail", base, "a@acme.com", day(11), filter.CompanyDomain, "New"},
	} {
		m := in(c.from)
		m.Received = c.received
		v := compileConfig(t, c.config).Decide(&m, filter.Thread{})
		require.Equal(t, c.want, v.Reason, "R-CHG-06 %s", c.what)
		require.Equal(t, c.company, v.Company, "R-CHG-06 %s", c.what)
	}
}

// R-CHG-06: the first import uses the rules as they stand at Finish, a backfill the newest.
func TestBaselineAndBackfillChooseTheRules(t *testing.T) {
	t.Parallel()
	config := filter.Config{
		Revisions: []filter.Revision{
			{Version: 1, At: day(1), Rules: filter.Rules{Exclude: exclusions(t, alice)}},
			{Version: 2, At: day(10)},
			{Version: 3, At: day(20), Rules: filter.Rules{Mode: filter.All}},
		},
		Directory: directory(t, office(t)),
		Own:       []string{owner},
	}
	decide := func(c filter.Config, from string) filter.Reason {
		m := in(from)
		m.Received = day(5)
		return compileConfig(t, c).Decide(&m, filter.Thread{}).Reason
	}
	require.Equal(t, filter.Excluded, decide(config, alice))
	config.Baseline = day(10)
	require.Equal(t, filter.ModeAll, decide(config, alice), "version 1 was gone at Finish")
	require.Equal(t, filter.NotClientAssociated, decide(config, eve), "version 2 holds for the import")
	config.Baseline, config.Backfill = time.Time{}, true
	require.Equal(t, filter.ModeAll, decide(config, eve), "a backfill goes by the newest")
	config.Floor = day(6)
	require.Equal(t, filter.OutsideWindow, decide(config, eve), "but not below its floor")
}

func TestMomentsOutsideTheClock(t *testing.T) {
	t.Parallel()
	far := time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
	data := filter.DirectoryData{Domains: []filter.DomainEntry{
		{Pattern: company(t, "acme.com"), Company: "A", Since: far},
	}}
	f := compile(t, data, filter.Rules{}, owner)
	m := in(bob)
	require.False(t, f.Decide(&m, filter.Thread{}).Accept)
	m.Received = far
	require.True(t, f.Decide(&m, filter.Thread{}).Accept)
}

func TestCompileRefuses(t *testing.T) {
	t.Parallel()
	rev := filter.Revision{Version: 1}
	for what, revs := range map[string][]filter.Revision{
		"filter without rules":                    nil,
		"rules version 1: given twice":            {rev, rev},
		`rules version 2: mode "half" is unknown`: {rev, {Version: 2, Rules: filter.Rules{Mode: "half"}}},
	} {
		_, err := filter.Compile(filter.Config{Revisions: revs})
		require.EqualError(t, err, what)
	}
	m := in(eve)
	f := compileConfig(t, filter.Config{Revisions: []filter.Revision{rev}, Own: []string{"", "nobody"}})
	v := f.Decide(&m, filter.Thread{})
	require.Equal(t, filter.NotClientAssociated, v.Reason, "without a directory nobody is a client")
	for _, from := range []string{"", "nobody"} {
		m.From = []string{from}
		v = f.Decide(&m, filter.Thread{})
		require.Equal(t, filter.NoSender, v.Reason, "%q is not the mailbox", from)
		require.Equal(t, filter.Inbound, v.Direction, "%q is not the mailbox", from)
	}
}
