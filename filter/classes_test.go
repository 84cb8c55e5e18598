package filter_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/filter"
)

// 11.6 and row 8.
func TestClassPolicies(t *testing.T) {
	t.Parallel()
	set := func(mode filter.Mode, on filter.Switch, p filter.ClassPolicy) filter.Rules {
		return filter.Rules{Mode: mode, Automated: on, Classes: map[filter.Class]filter.ClassPolicy{filter.Bulk: p}}
	}
	const (
		client, all    = filter.ClientAssociated, filter.All
		reject, hidden = filter.PolicyReject, filter.PolicyAcceptPrivate
	)
	for _, c := range []struct {
		what    string
		rules   filter.Rules
		from    string
		class   filter.Class
		want    filter.Reason
		private bool
	}{
		{"default policy accepts", set(client, "", ""), alice, filter.Bulk, filter.CustomerCompany, false},
		{"accept", set(client, "", filter.PolicyAccept), alice, filter.Bulk, filter.CustomerCompany, false},
		{"accept_private", set(client, "", hidden), alice, filter.Bulk, filter.CustomerCompany, true},
		{"accept_private of another class", set(client, "", hidden), alice, filter.NoReply,
			filter.CustomerCompany, false},
		{"accept_private is not for people", set(client, "", hidden), alice, "", filter.CustomerCompany, false},
		{"accept_private lets nobody in", set(client, "", hidden), eve, filter.Bulk,
			filter.NotClientAssociated, false},
		{"reject spares clients", set(client, "", reject), alice, filter.Bulk, filter.CustomerCompany, false},
		{"reject", set(client, "", reject), eve, filter.Bulk, filter.Automated, false},
		{"off by the switch", set(client, filter.Off, reject), eve, filter.Bulk, filter.NotClientAssociated, false},
		{"off in mode all", set(all, "", reject), eve, filter.Bulk, filter.ModeAll, false},
		{"off in mode all, private", set(all, "", hidden), eve, filter.Bulk, filter.ModeAll, false},
		{"on in mode all by the switch", set(all, filter.On, reject), eve, filter.Bulk, filter.Automated, false},
		{"on in mode all, private", set(all, filter.On, hidden), eve, filter.Bulk, filter.ModeAll, true},
		{"on in mode all spares clients", set(all, filter.On, reject), bob, filter.Bulk, filter.ModeAll, false},
	} {
		m := in(c.from)
		m.Class = c.class
		v := compile(t, office(t), c.rules, owner).Decide(&m, filter.Thread{})
		require.Equal(t, c.want, v.Reason, "11.6 %s", c.what)
		require.Equal(t, c.private, v.Private, "11.6 %s: private", c.what)
	}
}

// 11.6: METHOD=REPLY and CANCEL only on a known thread.
func TestCalendarRepliesNeedAKnownThread(t *testing.T) {
	t.Parallel()
	f := compile(t, office(t), filter.Rules{}, owner)
	for _, m := range []filter.Facts{in(alice), in(bob), out(alice)} {
		m.Class, m.CalendarReply = filter.Calendar, true
		v := f.Decide(&m, filter.Thread{})
		require.Equal(t, filter.NotClientAssociated, v.Reason, "from %v", m.From)
		require.True(t, v.ClientPresent)
		v = f.Decide(&m, filter.Thread{Opened: day(15)})
		require.Equal(t, filter.KnownThread, v.Reason, "from %v", m.From)
		require.False(t, v.Opens, "it opens no thread of its own")

		m.CalendarReply = false
		require.True(t, f.Decide(&m, filter.Thread{}).Opens, "an invitation enters as if by a person")
	}
	all := compile(t, office(t), filter.Rules{Mode: filter.All}, owner)
	m := in(eve)
	m.Class, m.CalendarReply = filter.Calendar, true
	require.True(t, all.Decide(&m, filter.Thread{}).Accept, "mode all takes every mail")
}

// Row 10b.
func TestDeliveryReportsAreOpened(t *testing.T) {
	t.Parallel()
	report := func(m filter.Facts) filter.Facts {
		m.Class, m.Report = filter.Bounce, true
		return m
	}
	rejecting := filter.Rules{Classes: map[filter.Class]filter.ClassPolicy{filter.Bounce: filter.PolicyReject}}
	for _, c := range []struct {
		what                   string
		rules                  filter.Rules
		m                      filter.Facts
		asks                   bool
		unread, found, foreign filter.Reason
	}{
		{"from a mail system", filter.Rules{}, report(in("mailer-daemon@mx.example")), true,
			filter.Report, filter.Report, filter.NotClientAssociated},
		{"from a client's mail system", filter.Rules{}, report(in("postmaster@acme.com")), true,
			filter.Report, filter.Report, filter.CompanyDomain},
		{"mode all opens nothing", filter.Rules{Mode: filter.All}, report(in(eve)), false,
			filter.ModeAll, filter.ModeAll, filter.ModeAll},
		{"row 8 comes first", rejecting, report(in(eve)), false,
			filter.Automated, filter.Automated, filter.Automated},
		{"among colleagues", filter.Rules{}, report(in(anna)), false,
			filter.InternalOnly, filter.InternalOnly, filter.InternalOnly},
		{"sent by the owner, who opens nothing", filter.Rules{OutboundOpensTicket: filter.Off}, report(out(eve)),
			false, filter.NotClientAssociated, filter.NotClientAssociated, filter.NotClientAssociated},
	} {
		f := compile(t, office(t), c.rules, owner)
		v := f.Decide(&c.m, filter.Thread{})
		require.Equal(t, c.asks, v.NeedsReport, "10b %s", c.what)
		require.Equal(t, c.unread, v.Reason, "10b %s", c.what)
		require.False(t, v.NeedsReport && v.Accept, "10b %s: undecided", c.what)
		for found, want := range map[bool]filter.Reason{true: c.found, false: c.foreign} {
			v = f.DecideReport(&c.m, filter.Thread{}, found)
			require.Equal(t, want, v.Reason, "10b %s, found %v", c.what, found)
			require.False(t, v.NeedsReport, "10b %s, found %v: decided", c.what, found)
		}
	}
}

// R-FLT-07
func TestGroupsCountUnlessSwitchedOff(t *testing.T) {
	t.Parallel()
	data := filter.DirectoryData{
		Groups: []filter.CompanyID{"G"},
		Domains: []filter.DomainEntry{
			{Pattern: company(t, "group.com"), Company: "G"},
			{Pattern: company(t, "acme.com"), Company: "A"},
		},
		Customers: []filter.CustomerEntry{
			{Address: "x@some.com", Customer: "x", Company: "G"},
			{Address: "y@acme.com", Customer: "y", Company: "G"},
		},
	}
	for _, c := range []struct {
		from    string
		on, off filter.Reason
	}{
		{"a@group.com", filter.CompanyDomain, filter.NotClientAssociated},
		{"x@some.com", filter.CustomerCompany, filter.NotClientAssociated},
		{"y@acme.com", filter.CustomerCompany, filter.CompanyDomain},
		{"b@acme.com", filter.CompanyDomain, filter.CompanyDomain},
	} {
		m := in(c.from)
		v := compile(t, data, filter.Rules{}, owner).Decide(&m, filter.Thread{})
		require.Equal(t, c.on, v.Reason, "R-FLT-07 %s", c.from)
		v = compile(t, data, filter.Rules{GroupsCount: filter.Off}, owner).Decide(&m, filter.Thread{})
		require.Equal(t, c.off, v.Reason, "R-FLT-07 %s, groups off", c.from)
	}
}

// R-FLT-09: no memory is taken, whichever way a decision goes.
func TestDecideAllocatesNothing(t *testing.T) {
	rules := filter.Rules{
		Exclude: exclusions(t, "private.org", "x@y.com"), PreferReplyTo: true, Scope: filter.AnyParticipant,
		Classes:     map[filter.Class]filter.ClassPolicy{filter.Bulk: filter.PolicyReject},
		AllowPublic: []filter.Domain{domain(t, "gmail.com")},
	}
	data := office(t)
	data.Erased = nil
	f := compileConfig(t, filter.Config{
		Revisions: []filter.Revision{{Version: 1}, {Version: 2, At: day(20), Rules: rules}},
		Directory: directory(t, data), Own: []string{owner, "Alias@US.example"},
	})
	for _, m := range []filter.Facts{
		in(alice), in("Bob.Smith@EU.Acme.com", "Some@One.example", "alias@us.example"), in(eve, spouse), in(anna),
		out(eve, alice), out("Alice@Acme.com"), in("NEW@Gmail.com."), in(`"x@evil.io"@acme.com`),
		with(in(eve), func(m *filter.Facts) { m.ReplyTo = []string{"Alice@acme.com"} }),
		with(in(eve), func(m *filter.Facts) { m.Class = filter.Bulk }),
		with(in(eve), func(m *filter.Facts) { m.From, m.Sender = []string{eve, anna}, "Bob@acme.com" }),
	} {
		n := testing.AllocsPerRun(20, func() {
			f.Decide(&m, filter.Thread{Opened: day(1)})
			f.DecideReport(&m, filter.Thread{}, true)
		})
		require.Zero(t, n, "deciding on %v to %v", m.From, m.To)
	}
}
