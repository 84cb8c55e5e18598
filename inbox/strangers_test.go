package inbox_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider/fake"
)

// answers calls every method of svc that takes an actor and then an id of the type of id, with that id and
// nothing else, and returns what the errors say, by method, with "ID" for the id.
func answers(t *testing.T, svc any, actor acl.Actor, id any) map[string]string {
	t.Helper()
	out := make(map[string]string)
	v := reflect.ValueOf(svc)
	for i := range v.NumMethod() {
		m, f := v.Type().Method(i), v.Method(i)
		in := f.Type()
		if strings.HasPrefix(m.Name, "Shown") { // package ticket has decided before it calls these
			continue
		}
		if in.NumIn() < 3 || in.In(1) != reflect.TypeFor[acl.Actor]() || in.In(2) != reflect.TypeOf(id) {
			continue
		}
		args := []reflect.Value{reflect.ValueOf(t.Context()), reflect.ValueOf(actor), reflect.ValueOf(id)}
		for j := 3; j < in.NumIn(); j++ {
			if !in.IsVariadic() || j < in.NumIn()-1 {
				args = append(args, reflect.Zero(in.In(j)))
			}
		}
		results := f.Call(args)
		err, _ := results[len(results)-1].Interface().(error)
		if list := results[0]; list.Kind() == reflect.Func {
			list.Call([]reflect.Value{reflect.MakeFunc(list.Type().In(0), func(pair []reflect.Value) []reflect.Value {
				err, _ = pair[1].Interface().(error)
				return []reflect.Value{reflect.ValueOf(false)}
			})})
		}
		require.Error(t, err, m.Name)
		out[m.Name] = strings.ReplaceAll(err.Error(), reflect.ValueOf(id).String(), "ID")
	}
	require.NotEmpty(t, out)
	return out
}

// What is not for somebody answers them in every method word for word as what is not there.
func TestWhatIsNotForSomebodyAnswersAsWhatIsNotThere(t *testing.T) { // R-ACL-07, R-CUS-07, R-CHG-07
	t.Parallel()
	w := newWorld(t, fake.Options{SearchOff: true})
	acme := w.client("Acme", "acme.com")
	w.mailFrom("Ann <ann@acme.com>", "offer", 2)
	w.mailFrom("Friend <friend@y.org>", "dinner", 1)
	in := w.open(true, filter.Rules{Mode: filter.All}, reader, manager)
	w.sync(in.ID)
	_, err := w.svc.SetRules(t.Context(), w.actor("carl"), in.ID, filter.Rules{}) // hides the dinner
	require.NoError(t, err)
	for _, user := range []acl.UserID{"zoe", "rob", "ina"} {
		p, err := w.host.Person(t.Context(), site, user)
		require.NoError(t, err)
		p.ManageCompanies = true
		w.host.AddPerson(p)
	}
	foreign := func(user acl.UserID, role acl.Role) acl.Actor {
		return acl.Actor{Site: "site-2", User: user, Role: role, State: acl.Active}
	}
	all := []acl.Actor{w.actor("zoe"), w.actor("adam"), foreign("carl", acl.Owner), foreign("olga", acl.Owner)}
	others := append(slices.Clone(all), w.actor("rob"), w.actor("ina"), w.actor("olga"))
	mails := w.messages(in.ID)
	require.Equal(t, "dinner", mails[0].Subject)
	for _, row := range []struct {
		who       []acl.Actor
		id, other any
	}{
		{all, in.ID, inbox.ID("none")},
		{all, mails[1].ID, inbox.MessageID("none")},
		{all, w.customerAt("ann@acme.com").ID, inbox.CustomerID("none")},
		{others, mails[0].ID, inbox.MessageID("none")},
		{others, w.customerAt("friend@y.org").ID, inbox.CustomerID("none")},
		{all[2:], acme.ID, inbox.CompanyID("none")},
	} {
		for _, actor := range row.who {
			there, absent := answers(t, w.svc, actor, row.id), answers(t, w.svc, actor, row.other)
			require.Equal(t, absent, there, "%s of %s asks for %q", actor.User, actor.Site, row.id)
		}
	}
}

// Of mail that is hidden only its creator is told that its client was lost, and not how many there are.
func TestALostClientOfHiddenMailIsTheCreatorsToKnow(t *testing.T) { // R-CHG-07
	t.Parallel()
	w := newWorld(t, fake.Options{SearchOff: true})
	acme, beta := w.client("Acme", "acme.com"), w.client("Beta", "beta.com")
	w.mailFrom("ann@acme.com", "offer", 3)
	w.mailFrom("ann@acme.com", "private", 2)
	w.mailFrom("bob@beta.com", "private", 1)
	in := w.open(true, filter.Rules{Mode: filter.All}, manager)
	w.sync(in.ID)
	yes := true
	state, err := w.store.SyncState(t.Context(), in.ID)
	require.NoError(t, err)
	imp := inbox.Import{State: state}
	for _, m := range w.messages(in.ID) {
		if m.Subject == "private" {
			imp.Changed = append(imp.Changed, inbox.MessageChange{ID: m.ID, Hidden: &yes})
		}
	}
	_, err = w.store.Commit(t.Context(), imp)
	require.NoError(t, err)
	for due, err := range w.store.DueEvents(t.Context(), w.clock().Add(time.Hour), 0) {
		require.NoError(t, err)
		require.NoError(t, w.store.DoneEvent(t.Context(), due.ID))
	}
	w.setDomains(acme)
	w.setDomains(beta)
	got := make(map[string]int)
	for due, err := range w.store.DueEvents(t.Context(), w.clock().Add(time.Hour), 0) {
		require.NoError(t, err)
		if due.Name != inbox.EventAssociationLost {
			continue
		}
		who := "all"
		if due.Personal {
			who = string(due.Target)
		}
		got[who+" "+due.Facts["messages"]+" "+map[string]string{string(acme.ID): "acme", string(beta.ID): "beta"}[due.Facts["company"]]]++
	}
	require.Equal(t, map[string]int{"all 1 acme": 1, "carl 1 acme": 1, "carl 1 beta": 1}, got)
}
