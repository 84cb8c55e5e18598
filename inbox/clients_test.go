package inbox_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/storage"
)

func (w *world) customer(e inbox.CustomerEdit) inbox.Customer {
	w.t.Helper()
	c, err := w.svc.CreateCustomer(w.t.Context(), w.actor("olga"), e)
	require.NoError(w.t, err)
	return c
}

func (w *world) setDomains(c inbox.Company, domains ...string) {
	w.t.Helper()
	_, err := w.svc.UpdateCompany(w.t.Context(), w.actor("olga"), c.ID, inbox.CompanyEdit{Name: c.Name, Domains: domains})
	require.NoError(w.t, err)
}

// requireCompany checks a customer's company and where it comes from.
func (w *world) requireCompany(id inbox.CustomerID, want inbox.CompanyID, source inbox.Source, why string) {
	w.t.Helper()
	c, err := w.store.Customer(w.t.Context(), site, id)
	require.NoError(w.t, err)
	require.Equal(w.t, want, c.Company, why)
	require.Equal(w.t, source, c.Source, why)
}

func TestDomainsBringAndTakeCustomersButNotThosePickedByHand(t *testing.T) { // R-CUS-03, R-CUS-04
	t.Parallel()
	w := newWorld(t, fake.Options{})
	acme, beta := w.client("Acme"), w.client("Beta")
	c := w.customer(inbox.CustomerEdit{Name: "C", Address: "c@acme.com"})
	w.requireCompany(c.ID, "", inbox.SourceNone, "no company has the domain")
	w.setDomains(acme, "acme.com")
	w.requireCompany(c.ID, acme.ID, inbox.SourceDomain, "the domain is added")
	_, err := w.svc.UpdateCustomer(t.Context(), w.actor("olga"), c.ID,
		inbox.CustomerEdit{Name: "C", Address: "c@acme.com", Company: beta.ID})
	require.ErrorIs(t, err, inbox.ErrDomainLocked)
	w.setDomains(acme)
	w.requireCompany(c.ID, "", inbox.SourceNone, "the domain is removed")
	_, err = w.svc.UpdateCustomer(t.Context(), w.actor("olga"), c.ID,
		inbox.CustomerEdit{Name: "C", Address: "c@acme.com", Company: beta.ID})
	require.NoError(t, err)
	w.setDomains(acme, "acme.com")
	w.requireCompany(c.ID, beta.ID, inbox.SourceManual, "by hand beats by domain")
	_, err = w.svc.UpdateCustomer(t.Context(), w.actor("olga"), c.ID, inbox.CustomerEdit{Name: "C", Address: "c@acme.com"})
	require.NoError(t, err)
	w.requireCompany(c.ID, acme.ID, inbox.SourceDomain, "the hand lets go")
	_, err = w.svc.UpdateCustomer(t.Context(), w.actor("olga"), c.ID, inbox.CustomerEdit{Name: "C", Address: "c@else.org"})
	require.NoError(t, err)
	w.requireCompany(c.ID, "", inbox.SourceNone, "the address changes")
}

func TestTheStrongestPatternHasTheCustomer(t *testing.T) { // R-DOM-04, R-DOM-06, R-CUS-06
	t.Parallel()
	w := newWorld(t, fake.Options{})
	whole, below, exact := w.client("Whole"), w.client("Below"), w.client("Exact")
	c := w.customer(inbox.CustomerEdit{Name: "C", Address: "c@eu.acme.com"})
	pattern := func() string {
		c, err := w.store.Customer(t.Context(), site, c.ID)
		require.NoError(t, err)
		return c.Pattern.String()
	}
	w.setDomains(whole, "*acme.com")
	w.requireCompany(c.ID, whole.ID, inbox.SourceDomain, "*acme.com")
	w.setDomains(below, "*.acme.com")
	w.requireCompany(c.ID, below.ID, inbox.SourceDomain, "*.x beats *x")
	w.setDomains(exact, "eu.acme.com")
	w.requireCompany(c.ID, exact.ID, inbox.SourceDomain, "exact beats wildcard")
	require.Equal(t, "eu.acme.com", pattern())
	_, err := w.svc.UpdateCompany(t.Context(), w.actor("olga"), whole.ID,
		inbox.CompanyEdit{Name: "Whole", Domains: []string{"*acme.com", "eu.acme.com"}})
	require.ErrorIs(t, err, inbox.ErrDomainTaken)
	w.setDomains(exact)
	w.requireCompany(c.ID, below.ID, inbox.SourceDomain, "back to the wildcard")
	w.setDomains(below, "*.acme.com", "eu.acme.com")
	require.Equal(t, "eu.acme.com", pattern(), "the pattern that matches now")
	require.NoError(t, w.svc.DeleteCompany(t.Context(), w.actor("olga"), below.ID))
	w.requireCompany(c.ID, whole.ID, inbox.SourceDomain, "the company is deleted")
	require.NoError(t, w.svc.RestoreCompany(t.Context(), w.actor("olga"), below.ID))
	w.requireCompany(c.ID, below.ID, inbox.SourceDomain, "and restored")
}

func TestAssociationIsLostAndFoundAgain(t *testing.T) { // R-CHG-07
	t.Parallel()
	olga := func(w *world) acl.Actor { return w.actor("olga") }
	for name, c := range map[string]struct {
		lose, restore func(*world, inbox.Company, inbox.Customer) error
	}{
		"domain removed": {
			func(w *world, co inbox.Company, _ inbox.Customer) error { w.setDomains(co); return nil },
			func(w *world, co inbox.Company, _ inbox.Customer) error { w.setDomains(co, "acme.com"); return nil },
		},
		"company deleted": {
			func(w *world, co inbox.Company, _ inbox.Customer) error {
				return w.svc.DeleteCompany(w.t.Context(), olga(w), co.ID)
			},
			func(w *world, co inbox.Company, _ inbox.Customer) error {
				return w.svc.RestoreCompany(w.t.Context(), olga(w), co.ID)
			},
		},
		"customer deleted": {
			func(w *world, co inbox.Company, c inbox.Customer) error {
				w.setDomains(co)
				_, err := w.svc.UpdateCustomer(w.t.Context(), olga(w), c.ID,
					inbox.CustomerEdit{Address: c.Address, Company: co.ID})
				require.NoError(w.t, err)
				require.False(w.t, w.messages(c.KnownFrom[0])[0].AssociationLost, "they are the client by hand")
				return w.svc.DeleteCustomer(w.t.Context(), olga(w), c.ID)
			},
			func(w *world, co inbox.Company, c inbox.Customer) error {
				_, err := w.svc.CreateCustomer(w.t.Context(), olga(w), inbox.CustomerEdit{Address: c.Address, Company: co.ID})
				return err
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, fake.Options{})
			co := w.client("Acme", "acme.com")
			w.mailFrom("ann@acme.com", "offer", 1)
			in := w.open(true, filter.Rules{})
			w.sync(in.ID)
			require.NoError(t, w.svc.Watch(t.Context(), w.actor("carl"), in.ID, inbox.Watch{Events: []inbox.EventName{inbox.EventAssociationLost}}))
			require.NoError(t, c.lose(w, co, w.customerAt("ann@acme.com")))
			require.True(t, w.messages(in.ID)[0].AssociationLost)
			_, err := w.svc.Deliver(t.Context(), 0)
			require.NoError(t, err)
			require.Contains(t, w.notices.names(), "carl inbox.association.lost")
			w.advance(time.Hour)
			w.account.Deliver(mailText("ann@acme.com", "me@firm.example", "no client any more"), fake.Delivery{})
			w.sync(in.ID)
			require.Equal(t, []string{"offer"}, w.visibleTo("carl", in.ID), "stored mail stays, new mail by the live rules")
			old := inbox.Customer{Address: "ann@acme.com"}
			w.advance(time.Hour)
			require.NoError(t, c.restore(w, co, old))
			require.False(t, w.messages(in.ID)[0].AssociationLost)
			w.account.ExpireCursors()
			w.sync(in.ID)
			require.Equal(t, []string{"offer"}, w.visibleTo("carl", in.ID), "R-CHG-06: not what came in between")
		})
	}
}

func TestADomainNamesTheMailThatWasThereBefore(t *testing.T) { // R-CUS-04
	t.Parallel()
	w := newWorld(t, fake.Options{})
	w.mailFrom("ann@acme.com", "offer", 1)
	w.mailFrom("eve@else.org", "other", 2)
	in := w.open(true, filter.Rules{Mode: filter.All})
	w.sync(in.ID)
	co := w.client("Acme", "acme.com")
	require.Equal(t, co.ID, w.messages(in.ID)[0].Company)
	require.Empty(t, w.messages(in.ID)[1].Company)
	kinds := map[inbox.ChangeKind]int{}
	for c, err := range w.store.Log(t.Context(), in.ID, 0) {
		require.NoError(t, err)
		kinds[c.Kind]++
	}
	require.Equal(t, 1, kinds[inbox.ChangeClient])
}

func TestCompaniesAreChangedByThoseWhoMay(t *testing.T) { // R-CUS-05
	t.Parallel()
	w := newWorld(t, fake.Options{})
	co := w.client("Acme", "acme.com")
	ctx := t.Context()
	zoe, err := w.host.Person(ctx, site, "zoe")
	require.NoError(t, err)
	zoe.ManageCompanies = true
	w.host.AddPerson(zoe)
	for user, want := range map[acl.UserID]error{"zoe": nil, "adam": nil, "olga": nil, "rob": acl.ErrDenied} {
		_, err := w.svc.UpdateCompany(ctx, w.actor(user), co.ID, inbox.CompanyEdit{Name: "Acme", Domains: []string{"acme.com"}})
		require.ErrorIs(t, err, want, "update by %q", user)
		_, err = w.svc.CreateCustomer(ctx, w.actor(user), inbox.CustomerEdit{Address: string(user) + "@acme.com"})
		require.ErrorIs(t, err, want, "customer by %q", user)
	}
	other := acl.Actor{Site: "site-2", User: "olga", Role: acl.Owner, State: acl.Active}
	_, err = w.svc.UpdateCompany(ctx, other, co.ID, inbox.CompanyEdit{Name: "x"})
	require.ErrorIs(t, err, storage.ErrNotFound, "another site")
	require.NoError(t, w.svc.DeleteCompany(ctx, w.actor("olga"), co.ID))
	_, err = w.svc.UpdateCompany(ctx, w.actor("olga"), co.ID, inbox.CompanyEdit{Name: "x"})
	require.ErrorIs(t, err, storage.ErrNotFound, "in the trash")
	_, err = w.svc.Company(ctx, w.actor("olga"), co.ID)
	require.ErrorIs(t, err, storage.ErrNotFound)
}

func TestAForcedPublicDomainAssociatesAndLetsNobodyIn(t *testing.T) { // R-DOM-05
	t.Parallel()
	w := newWorld(t, fake.Options{SearchOff: true})
	ctx := t.Context()
	_, err := w.svc.CreateCompany(ctx, w.actor("olga"), inbox.CompanyEdit{Name: "G", Domains: []string{"gmail.com", "ok.org", "*"}})
	require.ErrorIs(t, err, filter.ErrPublicDomain)
	var bad *filter.DomainError
	require.ErrorAs(t, err, &bad, "and every other bad line")
	co, err := w.svc.CreateCompany(ctx, w.actor("olga"), inbox.CompanyEdit{Name: "G", Domains: []string{"gmail.com"}, ForcePublic: true})
	require.NoError(t, err)
	c := w.customer(inbox.CustomerEdit{Address: "known@gmail.com"})
	w.requireCompany(c.ID, co.ID, inbox.SourceDomain, "forced domains associate")
	w.mailFrom("stranger@gmail.com", "stranger", 1)
	in := w.open(true, filter.Rules{}, manager)
	w.sync(in.ID)
	require.Empty(t, w.stored(in.ID))
	gmail, err := filter.ParseDomain("gmail.com")
	require.NoError(t, err)
	allow := filter.Rules{AllowPublic: []filter.Domain{gmail}}
	_, err = w.svc.SetRules(ctx, w.actor("ina"), in.ID, allow)
	require.ErrorIs(t, err, acl.ErrDenied, "the creator alone says so")
	_, err = w.svc.SetRules(ctx, w.actor("carl"), in.ID, allow)
	require.NoError(t, err)
	_, err = w.svc.SetRules(ctx, w.actor("ina"), in.ID, allow)
	require.NoError(t, err, "what the creator said may stay")
	w.advance(time.Hour)
	w.account.Deliver(mailText("stranger@gmail.com", "me@firm.example", "later"), fake.Delivery{})
	w.sync(in.ID)
	require.Equal(t, []string{"later"}, w.stored(in.ID))
}

func TestACompanyEditCutOffAnywhereIsFinishedByRepeatingIt(t *testing.T) { // R-CUS-04, R-CHG-07
	t.Parallel()
	done := false
	for n := 1; !done; n++ {
		require.Less(t, n, 60)
		var store *faulty
		w := newWorld(t, fake.Options{}, breakable(&store))
		co := w.client("Acme", "acme.com", "acme.org")
		w.mailFrom("ann@acme.com", "offer", 1)
		in := w.open(true, filter.Rules{})
		w.sync(in.ID)
		edit := func() error {
			_, err := w.svc.UpdateCompany(t.Context(), w.actor("olga"), co.ID,
				inbox.CompanyEdit{Name: "Acme", Domains: []string{"acme.org"}})
			return err
		}
		store.failAt(n)
		err := edit()
		store.onCall(nil)
		if done = err == nil; !done {
			require.ErrorIs(t, err, errBroken, "the store broken at call %d", n)
			require.NoError(t, edit())
		}
		w.requireCompany(w.customerAt("ann@acme.com").ID, "", inbox.SourceNone, "the domain is removed")
		require.True(t, w.messages(in.ID)[0].AssociationLost, "the store broken at call %d", n)
	}
}

func TestCustomersFollowWhileASyncMeetsThem(t *testing.T) { // R-CUS-04
	t.Parallel()
	var store *faulty
	w := newWorld(t, fake.Options{}, breakable(&store))
	c := w.customer(inbox.CustomerEdit{Address: "ann@acme.com"})
	met := false
	store.onCall(func(op string, _ int) error {
		if op == "SaveCustomers" && !met {
			met = true // a sync notes its inbox on the customer at this very moment
			_, err := w.store.EnsureCustomers(t.Context(), site, "in-9", []inbox.Known{{Address: "ann@acme.com"}}, connected,
				func() string { return "x" })
			return err
		}
		return nil
	})
	co := w.client("Acme", "acme.com")
	require.True(t, met)
	w.requireCompany(c.ID, co.ID, inbox.SourceDomain, "found by the second try")
	require.Equal(t, []inbox.ID{"in-9"}, w.customerAt("ann@acme.com").KnownFrom)
}

func TestGroupsCountUnlessSwitchedOff(t *testing.T) { // R-FLT-07
	t.Parallel()
	for sw, want := range map[filter.Switch][]string{"": {"offer"}, filter.On: {"offer"}, filter.Off: nil} {
		w := newWorld(t, fake.Options{})
		_, err := w.svc.CreateCompany(t.Context(), w.actor("olga"),
			inbox.CompanyEdit{Name: "Group", Kind: inbox.KindGroup, Domains: []string{"group.org"}})
		require.NoError(t, err)
		w.mailFrom("g@group.org", "offer", 1)
		in := w.open(true, filter.Rules{GroupsCount: sw})
		w.sync(in.ID)
		require.Equal(t, want, w.stored(in.ID), "groups count %q", sw)
	}
}
