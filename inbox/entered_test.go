package inbox_test

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/storage"
)

// secrets are worlds where carl's mailbox knows, or does not know, of people the others do not see mail of.
type secrets struct {
	*world
	in         inbox.Inbox
	acme, beta inbox.Company
	said       []string // all that somebody was told
}

// newSecrets opens carl's inbox. With known its mail has made two customers known, to whom olga, while she
// saw it, gave more addresses and a company. With hidden only carl sees that mail any more.
func newSecrets(t *testing.T, known, hidden bool) *secrets {
	t.Helper()
	w := &secrets{world: newWorld(t, fake.Options{SearchOff: true})}
	w.acme, w.beta = w.client("Acme", "acme.com"), w.client("Beta")
	if known {
		w.mailFrom("Dr Who <dentist@x.org>", "appointment", 2)
		w.mailFrom("Friend <friend@y.org>", "dinner", 1)
		w.mailFrom("Ann <ann@acme.com>", "offer", 3)
	}
	w.in = w.open(true, filter.Rules{Mode: filter.All}, reader, manager)
	w.sync(w.in.ID)
	if known {
		ctx, olga := t.Context(), w.actor("olga")
		_, err := w.svc.UpdateCustomer(ctx, olga, w.customerAt("dentist@x.org").ID, inbox.CustomerEdit{Name: "Dr Who",
			Address: "dentist@x.org", Alternatives: []string{"home@x.org", "p@x.org", "q@x.org"}, Company: w.acme.ID})
		require.NoError(t, err)
		require.NoError(t, w.svc.NoteBounce(ctx, site, connected, "dentist@x.org"))
	}
	if hidden {
		yes := true
		state, err := w.store.SyncState(t.Context(), w.in.ID)
		require.NoError(t, err)
		imp := inbox.Import{State: state}
		for _, m := range w.messages(w.in.ID) {
			imp.Changed = append(imp.Changed, inbox.MessageChange{ID: m.ID, Hidden: &yes})
		}
		_, err = w.store.Commit(t.Context(), imp)
		require.NoError(t, err)
	}
	for _, user := range []acl.UserID{"zoe", "rob", "ina"} {
		p, err := w.host.Person(t.Context(), site, user)
		require.NoError(t, err)
		p.ManageCompanies = true
		w.host.AddPerson(p)
	}
	w.advance(time.Hour)
	return w
}

// say notes what somebody was told, with names in place of ids.
func (w *secrets) say(what string, err error, got ...inbox.Customer) {
	w.t.Helper()
	slices.SortFunc(got, func(a, b inbox.Customer) int {
		return cmp.Or(strings.Compare(a.Address, b.Address), strings.Compare(a.Name, b.Name))
	})
	names := []string{string(w.acme.ID), "acme", string(w.beta.ID), "beta"}
	line := what
	for _, c := range got {
		if c.ID == "" {
			continue
		}
		names = append(names, string(c.ID), "id of "+c.Name)
		text, err := json.Marshal(c)
		require.NoError(w.t, err)
		line += "\n  " + string(text)
	}
	if err != nil {
		for _, known := range []error{inbox.ErrAddressTaken, inbox.ErrDomainLocked, storage.ErrNotFound} {
			if errors.Is(err, known) {
				line += "\n  " + known.Error()
			}
		}
		require.NotContains(w.t, err.Error(), "@")
	}
	w.said = append(w.said, strings.NewReplacer(names...).Replace(line))
}

// probe does as user whatever can be done with people others know of.
func (w *secrets) probe(user acl.UserID) {
	w.t.Helper()
	ctx, actor := w.t.Context(), w.actor(user)
	ids := make(map[string]inbox.CustomerID)
	create := func(e inbox.CustomerEdit) {
		w.t.Helper()
		c, err := w.svc.CreateCustomer(ctx, actor, e)
		w.say("create "+e.Name, err, c)
		if err == nil {
			ids[e.Name] = c.ID
		}
	}
	update := func(name string, e inbox.CustomerEdit) {
		w.t.Helper()
		c, err := w.svc.UpdateCustomer(ctx, actor, ids[name], e)
		w.say("update "+name, err, c)
	}
	remove := func(name string) {
		w.t.Helper()
		w.say("delete "+name, w.svc.DeleteCustomer(ctx, actor, ids[name]))
	}
	look := func() {
		w.t.Helper()
		for _, q := range []inbox.CustomerQuery{
			{}, {Address: "dentist@x.org"}, {Address: "home@x.org"}, {Address: "friend@y.org"}, {Address: "ann@acme.com"},
			{Address: "v@z.org"}, {Domain: "x.org"}, {Domain: "z.org"}, {Company: w.acme.ID},
		} {
			var got []inbox.Customer
			for c, err := range w.svc.Customers(ctx, actor, q) {
				require.NoError(w.t, err)
				one, err := w.svc.Customer(ctx, actor, c.ID)
				require.NoError(w.t, err)
				require.Equal(w.t, c, one)
				got = append(got, c)
			}
			w.say(fmt.Sprintf("list by %q %q", q.Address, q.Domain), nil, got...)
		}
	}
	look()
	create(inbox.CustomerEdit{Name: "D.", Address: "Dentist@x.org"})
	look()
	create(inbox.CustomerEdit{Name: "again", Address: "dentist@x.org"})
	update("D.", inbox.CustomerEdit{Name: "D.", Address: "dentist@x.org", Company: w.beta.ID})
	update("D.", inbox.CustomerEdit{Name: "D.", Address: "dentist@x.org", Alternatives: []string{"home@x.org", "new@x.org", "a@x.org"}})
	look()
	update("D.", inbox.CustomerEdit{Name: "D.", Address: "other@x.org", Alternatives: []string{"new@x.org"}})
	look()
	create(inbox.CustomerEdit{Name: "V", Address: "v@z.org", Alternatives: []string{"friend@y.org"}})
	look()
	create(inbox.CustomerEdit{Name: "F", Address: "friend@y.org"})
	create(inbox.CustomerEdit{Name: "F", Address: "f@y.org", Alternatives: []string{"friend@y.org"}})
	update("D.", inbox.CustomerEdit{Name: "D.", Address: "friend@y.org"})
	update("V", inbox.CustomerEdit{Name: "V", Address: "friend@y.org", Alternatives: []string{"v@z.org"}})
	look()
	update("V", inbox.CustomerEdit{Name: "V", Address: "v@z.org"})
	create(inbox.CustomerEdit{Name: "F", Address: "friend@y.org"})
	update("V", inbox.CustomerEdit{Name: "V", Address: "v@z.org", Alternatives: []string{"ann@acme.com", "home@x.org"}})
	create(inbox.CustomerEdit{Name: "Ann", Address: "ann@acme.com", Company: w.beta.ID})
	look()
	remove("V")
	create(inbox.CustomerEdit{Name: "Ann", Address: "ann@acme.com", Company: w.beta.ID})
	create(inbox.CustomerEdit{Name: "three", Address: "three@x.org", Alternatives: []string{"p@x.org", "q@x.org", "r@x.org"}})
	look()
	require.NoError(w.t, w.svc.NoteBounce(ctx, site, w.clock(), "nobody@x.org"))
	for _, name := range []string{"D.", "F", "Ann", "three"} {
		remove(name)
	}
	look()
}

// kept is what carl sees of the customers of his mail, but for what a company that was picked by hand and
// let go leaves: since when they have theirs.
func (w *secrets) kept() []inbox.Customer {
	w.t.Helper()
	var out []inbox.Customer
	for c, err := range w.svc.Customers(w.t.Context(), w.actor("carl"), inbox.CustomerQuery{}) {
		require.NoError(w.t, err)
		if len(c.KnownFrom) > 0 {
			c.Version, c.Since = 0, time.Time{}
			out = append(out, c)
		}
	}
	return out
}

// Who sees no mail of somebody is told the same, whatever they do, as in a world where nobody knows of them;
// and for those who see it nothing has changed when it is over.
func TestNothingTellsOfACustomerWhoIsNotToBeKnown(t *testing.T) { // R-CUS-07, R-CHG-07, rows 2, 40
	t.Parallel()
	for _, row := range []struct {
		user   acl.UserID
		hidden bool
	}{
		{"adam", false}, {"zoe", false}, // no grant
		{"adam", true}, {"zoe", true}, {"rob", true}, {"ina", true}, {"olga", true}, // hidden: carl's alone
	} {
		t.Run(fmt.Sprintf("%s hidden=%t", row.user, row.hidden), func(t *testing.T) {
			t.Parallel()
			w, other := newSecrets(t, true, row.hidden), newSecrets(t, false, row.hidden)
			before := w.kept()
			require.Len(t, before, 3)
			w.probe(row.user)
			other.probe(row.user)
			for i, said := range other.said {
				require.Equal(t, said, w.said[i], "call %d", i)
			}
			require.Len(t, w.said, len(other.said))
			require.Equal(t, before, w.kept())
		})
	}
}
