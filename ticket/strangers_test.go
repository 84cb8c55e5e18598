package ticket_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/ticket"
)

// answers calls every method of svc that takes an actor and then an id of the type of id, with that id and
// nothing else, and returns what the errors say, by method, with "ID" for the id; also of those that do not
// refuse.
func answers(t *testing.T, svc any, actor acl.Actor, id any) map[string]string {
	t.Helper()
	out := make(map[string]string)
	v := reflect.ValueOf(svc)
	for i := range v.NumMethod() {
		m, f := v.Type().Method(i), v.Method(i)
		in := f.Type()
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
		out[m.Name] = "none"
		if err != nil {
			out[m.Name] = strings.ReplaceAll(err.Error(), reflect.ValueOf(id).String(), "ID")
		}
	}
	require.NotEmpty(t, out)
	return out
}

// What is not for somebody answers them in every method word for word as what is not there.
func TestWhatIsNotForSomebodyAnswersAsWhatIsNotThere(t *testing.T) { // R-ACL-07, R-CHG-07, R-TKT-05
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	w.deliver("Ben <ben@acme.com>", "hidden")
	w.deliver("Ben <ben@acme.com>", "trashed")
	w.pull()
	hidden, trashed := w.bySubject("hidden"), w.bySubject("trashed")
	w.hide(hidden.Last)
	w.trash(trashed.ID)
	foreign := acl.Actor{Site: "site-2", User: "carl", Role: acl.Owner, State: acl.Active}
	for _, row := range []struct {
		what      string
		id, other any
		who       []acl.Actor
	}{
		{"a ticket", offer.ID, ticket.ID("none"), []acl.Actor{w.actor("zoe"), w.actor("adam"), foreign}},
		{"an inbox", w.in.ID, inbox.ID("none"), []acl.Actor{w.actor("zoe"), w.actor("adam"), foreign}},
		{"a hidden ticket", hidden.ID, ticket.ID("none"), []acl.Actor{w.actor("zoe"), w.actor("rob"), w.actor("rita"),
			w.actor("ina"), w.actor("olga"), w.actor("adam"), foreign}},
		{"a ticket in the trash", trashed.ID, ticket.ID("none"), []acl.Actor{w.actor("zoe"), w.actor("adam"), foreign}},
	} {
		for _, actor := range row.who {
			there, absent := answers(t, w.svc, actor, row.id), answers(t, w.svc, actor, row.other)
			require.Equal(t, absent, there, "%s of %s asks for %s", actor.User, actor.Site, row.what)
		}
	}
}
