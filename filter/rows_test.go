package filter_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/filter"
)

const (
	owner   = "owner@us.example"
	anna    = "anna@us.example"  // a colleague
	alice   = "alice@acme.com"   // customer c1 of Acme, whose domain is acme.com too
	bob     = "bob@acme.com"     // nobody's customer, at Acme's domain
	dave    = "dave@gmail.com"   // customer c2 of Beta, at a public provider
	eve     = "eve@stranger.com" // nobody
	fred    = "fred@nowhere.com" // customer c3 without a company
	spouse  = "spouse@private.org"
	gone    = "gone@acme.com" // erased
	forcedG = "new@gmail.com" // at a public provider that was forced in for Beta
)

// office is the directory of the table tests.
func office(t testing.TB) filter.DirectoryData {
	return filter.DirectoryData{
		Domains: []filter.DomainEntry{
			{Pattern: company(t, "acme.com"), Company: "Acme"},
			{Pattern: company(t, "gmail.com"), Company: "Beta", Forced: true},
		},
		Customers: []filter.CustomerEntry{
			{Address: alice, Customer: "c1", Company: "Acme"},
			{Address: dave, Customer: "c2", Company: "Beta"},
			{Address: fred, Customer: "c3"},
		},
		Internal: []filter.Domain{domain(t, "us.example")},
		Erased:   func(key string) bool { return key == gone },
	}
}

func in(from string, to ...string) filter.Facts {
	return filter.Facts{
		Received: day(15), From: []string{from}, To: append(to, owner), SentMark: filter.NotSent,
	}
}

func out(to ...string) filter.Facts {
	return filter.Facts{Received: day(15), From: []string{owner}, To: to, SentMark: filter.Sent}
}

func with(m filter.Facts, change func(*filter.Facts)) filter.Facts {
	change(&m)
	return m
}

// R-FLT-04: the rows in order, each where the ones before it do not apply and the ones after it would
// say something else.
func TestRowsInOrder(t *testing.T) {
	t.Parallel()
	known := filter.Thread{Opened: day(10)}
	none := filter.Thread{}
	reject := func(c filter.Class) filter.Rules {
		return filter.Rules{Classes: map[filter.Class]filter.ClassPolicy{c: filter.PolicyReject}}
	}
	excluding := filter.Rules{Mode: filter.All, Exclude: exclusions(t, "acme.com")}
	all := filter.Rules{Mode: filter.All}
	classed := func(m filter.Facts, c filter.Class) filter.Facts {
		return with(m, func(m *filter.Facts) { m.Class = c })
	}
	folder := func(f filter.Folder) filter.Facts {
		return with(in(alice), func(m *filter.Facts) { m.Folder, m.Received = f, day(1) })
	}
	received := func(at time.Time) filter.Facts {
		return with(in(alice), func(m *filter.Facts) { m.Received = at })
	}
	report := func(from string) filter.Facts {
		return with(in(from), func(m *filter.Facts) { m.Class, m.Report = filter.Bounce, true })
	}
	for _, c := range []struct {
		row    string
		what   string
		rules  filter.Rules
		m      filter.Facts
		thread filter.Thread
		want   filter.Reason
	}{
		{"1", "draft", all, folder(filter.FolderDraft), none, filter.SkippedFolder},
		{"1", "spam", all, folder(filter.FolderSpam), none, filter.SkippedFolder},
		{"1", "trash", all, folder(filter.FolderTrash), none, filter.SkippedFolder},
		{"1", "chat", all, folder(filter.FolderChat), none, filter.SkippedFolder},
		{"1", "outbox", all, folder(filter.FolderOutbox), none, filter.SkippedFolder},
		{"3", "R-IMP-03 before the floor", all, received(day(5).Add(-time.Second)), none, filter.OutsideWindow},
		{"3", "R-IMP-03 at the floor", all, received(day(5)), none, filter.ModeAll},
		{"4", "no From", all, with(in(alice), func(m *filter.Facts) { m.From = nil }), none, filter.NoSender},
		{"4", "From is no address", all, in("mailer-daemon"), none, filter.NoSender},
		{"4", "Sender does not help", all,
			with(in(""), func(m *filter.Facts) { m.Sender = alice }), none, filter.NoSender},
		{"5", "erased, before excluded", excluding, in(gone), known, filter.Erased},
		{"5", "erased recipient only", all, out(gone), none, filter.ModeAll},
		{"6", "excluded, before all else", excluding, in(alice), known, filter.Excluded},
		{"6", "R-FLT-08 in a known thread", filter.Rules{Exclude: exclusions(t, eve)}, in(eve, alice), known,
			filter.Excluded},
		{"7", "among colleagues", filter.Rules{}, in(anna), known, filter.InternalOnly},
		{"7", "guard off in mode all", all, in(anna), none, filter.ModeAll},
		{"8", "bulk of a stranger", reject(filter.Bulk), classed(in(eve), filter.Bulk), none, filter.Automated},
		{"8", "bulk of a client", reject(filter.Bulk), classed(in(alice), filter.Bulk), none,
			filter.CustomerCompany},
		{"8", "bulk in a known thread", reject(filter.Bulk), classed(in(eve, alice), filter.Bulk), known,
			filter.KnownThread},
		{"8", "before 10b", reject(filter.Bounce), report("mailer-daemon@mx.example"), none, filter.Automated},
		{"9", "stranger in mode all", all, in(eve), none, filter.ModeAll},
		{"9", "client in mode all", all, in(alice), known, filter.ModeAll},
		{"10", "third party, client in Cc", filter.Rules{},
			with(in(eve), func(m *filter.Facts) { m.Cc = []string{bob} }), known, filter.KnownThread},
		{"10", "third party, client not on it", filter.Rules{}, in(eve), known, filter.NotClientAssociated},
		{"10", "third party, client in Bcc only", filter.Rules{},
			with(in(eve), func(m *filter.Facts) { m.Bcc = []string{bob} }), known, filter.NotClientAssociated},
		{"10", "auto-reply needs no client", filter.Rules{}, classed(in(eve), filter.AutoReply), known,
			filter.KnownThread},
		{"10", "thread opened at the same moment", filter.Rules{}, in(eve, alice),
			filter.Thread{Opened: day(15)}, filter.KnownThread},
		{"10", "thread opened later", filter.Rules{}, in(eve, alice),
			filter.Thread{Opened: day(15).Add(1)}, filter.NotClientAssociated},
		{"10", "before 11", filter.Rules{}, in(alice), known, filter.KnownThread},
		{"10", "colleague with a client", filter.Rules{}, in(anna, alice), known, filter.KnownThread},
		{"10b", "before 12", filter.Rules{}, report("mailer-daemon@acme.com"), none, filter.Report},
		{"11", "customer with a company", filter.Rules{}, in(alice), none, filter.CustomerCompany},
		{"11", "at a public provider", filter.Rules{}, in(dave), none, filter.CustomerCompany},
		{"12", "company's domain", filter.Rules{}, in(bob), none, filter.CompanyDomain},
		{"12", "R-DOM-05 forced public domain", filter.Rules{}, in(forcedG), none, filter.NotClientAssociated},
		{"12", "R-DOM-05 allowed by the creator",
			filter.Rules{AllowPublic: []filter.Domain{domain(t, "gmail.com")}}, in("NEW@Gmail.com"), none,
			filter.CompanyDomain},
		{"13", "stranger", filter.Rules{}, in(eve), none, filter.NotClientAssociated},
		{"13", "R-FLT-05 client among the recipients only", filter.Rules{}, in(eve, alice), none,
			filter.NotClientAssociated},
		{"13", "customer without a company", filter.Rules{}, in(fred), none, filter.NotClientAssociated},
		{"13", "colleague, client in the thread's first mail later", filter.Rules{}, in(anna, alice), none,
			filter.NotClientAssociated},
	} {
		f := compileConfig(t, filter.Config{
			Revisions: []filter.Revision{{Version: 3, Rules: c.rules}},
			Directory: directory(t, office(t)), Own: []string{owner}, Floor: day(5),
		})
		v := f.Decide(&c.m, c.thread)
		require.Equal(t, c.want, v.Reason, "row %s, %s: %+v", c.row, c.what, c.m)
		accepting := map[filter.Reason]bool{
			filter.ModeAll: true, filter.KnownThread: true, filter.CustomerCompany: true, filter.CompanyDomain: true,
		}
		require.Equal(t, accepting[c.want], v.Accept, "row %s, %s", c.row, c.what)
		require.Equal(t, c.want == filter.Report, v.NeedsReport, "row %s, %s", c.row, c.what)
		require.Equal(t, uint64(3), v.Version)
	}
}

// R-FLT-06: client mode, inbound.
func TestTruthTable(t *testing.T) {
	t.Parallel()
	yesNo := []bool{true, false}
	for _, excluded := range yesNo {
		for _, customer := range yesNo {
			for _, company := range yesNo {
				for _, assigned := range yesNo {
					if company && !customer {
						continue
					}
					want, all := filter.NotClientAssociated, filter.ModeAll
					switch {
					case excluded:
						want, all = filter.Excluded, filter.Excluded
					case customer && company:
						want = filter.CustomerCompany
					case assigned:
						want = filter.CompanyDomain
					}
					checkTruth(t, excluded, customer, company, assigned, want, all)
				}
			}
		}
	}
}

func checkTruth(t *testing.T, excluded, customer, hasCompany, assigned bool, want, all filter.Reason) {
	t.Helper()
	const who = "who@some.com"
	var data filter.DirectoryData
	var rules filter.Rules
	var wantCustomer filter.CustomerID
	var wantCompany filter.CompanyID
	if excluded {
		rules.Exclude = exclusions(t, "some.com")
	}
	if customer {
		e := filter.CustomerEntry{Address: who, Customer: "c"}
		if hasCompany {
			e.Company, wantCompany = "Hand", "Hand"
		}
		data.Customers, wantCustomer = []filter.CustomerEntry{e}, "c"
	}
	if assigned {
		data.Domains = []filter.DomainEntry{{Pattern: company(t, "some.com"), Company: "Domain"}}
		if wantCompany == "" {
			wantCompany = "Domain"
		}
	}
	m := in(who)
	rules.Mode = filter.ClientAssociated
	v := compile(t, data, rules, owner).Decide(&m, filter.Thread{})
	row := []any{"R-FLT-06 excluded %v, customer %v, company %v, assigned %v",
		excluded, customer, hasCompany, assigned}
	require.Equal(t, want, v.Reason, row...)
	if v.Accept {
		require.Equal(t, wantCustomer, v.Customer, row...)
		require.Equal(t, wantCompany, v.Company, row...)
	} else {
		require.Empty(t, v.Customer, row...)
	}
	rules.Mode = filter.All
	v = compile(t, data, rules, owner).Decide(&m, filter.Thread{})
	require.Equal(t, all, v.Reason, row...)
	require.Equal(t, !excluded, v.Accept, row...)
}
