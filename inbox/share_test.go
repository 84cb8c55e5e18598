package inbox_test

import (
	"context"
	"errors"
	"io"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/inbox/htmlsafe"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/storage"
)

func TestSharingAndItsRefusals(t *testing.T) { // R-ACL-11, R-INB-10, section 8.3 tests 0, 4, 5, 9
	t.Parallel()
	w := newWorld(t, fake.Options{})
	in := w.open(true, filter.Rules{}, acl.Grant{User: "ina", Access: acl.ReadOnly, InboxAdmin: true},
		acl.Grant{User: "rob", Access: acl.ReadAndReply})
	ctx := t.Context()
	for name, c := range map[string]struct {
		actor acl.UserID
		grant acl.Grant
		want  error
	}{
		"own grant":             {"ina", acl.Grant{User: "ina", Access: acl.ReadAndReply, InboxAdmin: true}, acl.ErrSelfGrant},
		"the creator's":         {"ina", acl.Grant{User: "carl", Access: acl.ReadOnly}, acl.ErrCreatorPinned},
		"nobody of the site":    {"ina", acl.Grant{User: "ghost", Access: acl.ReadOnly}, inbox.ErrInvalidGrantee},
		"without the right":     {"rob", acl.Grant{User: "zoe", Access: acl.ReadOnly}, acl.ErrDenied},
		"a site admin, no view": {"adam", acl.Grant{User: "zoe", Access: acl.ReadOnly}, storage.ErrNotFound},
	} {
		_, err := w.svc.Share(ctx, w.actor(c.actor), in.ID, c.grant)
		require.ErrorIs(t, err, c.want, name)
	}
	_, err := w.svc.Share(ctx, w.actor("ina"), in.ID,
		acl.Grant{User: "zoe", Access: acl.ReadOnly}, acl.Grant{User: "ghost", Access: acl.ReadOnly})
	require.ErrorIs(t, err, inbox.ErrInvalidGrantee)
	_, err = w.svc.Inbox(ctx, w.actor("zoe"), in.ID)
	require.ErrorIs(t, err, storage.ErrNotFound, "one bad grant refuses all")

	_, err = w.svc.Share(ctx, w.actor("olga"), in.ID, acl.Grant{User: "olga", Access: acl.ReadAndReply})
	require.NoError(t, err, "the site owner may grant to themselves")
	_, err = w.svc.Unshare(ctx, w.actor("carl"), in.ID, "carl")
	require.ErrorIs(t, err, acl.ErrCreatorPinned)
}

func TestRevokingTakesEverythingWithIt(t *testing.T) { // R-INB-11, section 8.3 test 4
	t.Parallel()
	w := newWorld(t, fake.Options{})
	in := w.open(true, filter.Rules{}, acl.Grant{User: "rob", Access: acl.ReadAndReply})
	ctx := t.Context()
	require.NoError(t, w.svc.Watch(ctx, w.actor("rob"), in.ID, inbox.Watch{Events: []inbox.EventName{inbox.EventRulesChanged}}))
	_, err := w.svc.Unshare(ctx, w.actor("carl"), in.ID, "rob")
	require.NoError(t, err)
	_, err = w.svc.Inbox(ctx, w.actor("rob"), in.ID)
	require.ErrorIs(t, err, storage.ErrNotFound, "the next call")
	got, err := w.store.Inbox(ctx, in.ID)
	require.NoError(t, err)
	require.Empty(t, got.Watches)
	var lines []inbox.Change
	for c, err := range w.store.Log(ctx, in.ID, 0) {
		require.NoError(t, err)
		lines = append(lines, c)
	}
	require.Len(t, lines, 1)
	require.Equal(t, inbox.ChangeAccess, lines[0].Kind, "tickets learn of it through the log")
	require.Equal(t, acl.UserID("rob"), lines[0].User)
}

func TestNoticesGoToWhoOptedInAndMayView(t *testing.T) { // R-FEA-02, R-FEA-08
	t.Parallel()
	w := newWorld(t, fake.Options{})
	in := w.open(true, filter.Rules{}, acl.Grant{User: "rita", Access: acl.ReadOnly}, acl.Grant{User: "rob", Access: acl.ReadOnly})
	ctx := t.Context()
	require.ErrorIs(t, w.svc.Watch(ctx, w.actor("adam"), in.ID, inbox.Watch{Events: []inbox.EventName{inbox.EventImportCompleted}}), storage.ErrNotFound)
	require.NoError(t, w.svc.Watch(ctx, w.actor("rita"), in.ID, inbox.Watch{Events: []inbox.EventName{inbox.EventImportCompleted}}))
	w.sync(in.ID)
	w.notices.fail = errors.New("mail server down")
	_, err := w.svc.Deliver(ctx, 100)
	require.NoError(t, err)
	require.Empty(t, w.notices.names())
	w.notices.fail = nil
	w.advance(2 * time.Minute)
	_, err = w.svc.Deliver(ctx, 100)
	require.NoError(t, err)
	require.Equal(t, []string{"rita inbox.import.completed"}, w.notices.names(), "rob did not opt in; nobody twice")
	_, err = w.svc.Deliver(ctx, 100)
	require.NoError(t, err)
	require.Len(t, w.notices.names(), 1)
}

func TestLifeOfAnInbox(t *testing.T) { // R-INB-12, R-INB-13, R-CON-08
	t.Parallel()
	w := newWorld(t, fake.Options{})
	w.mailFrom("ann@acme.com", "kept", 3)
	in := w.open(true, filter.Rules{Mode: filter.All}, acl.Grant{User: "ina", Access: acl.ReadOnly, InboxAdmin: true})
	w.sync(in.ID)
	ctx := t.Context()

	_, err := w.svc.Pause(ctx, w.actor("carl"), in.ID)
	require.NoError(t, err)
	_, err = w.svc.Sync(ctx, in.ID)
	require.ErrorIs(t, err, inbox.ErrInvalidState)
	_, err = w.svc.Resume(ctx, w.actor("ina"), in.ID)
	require.ErrorIs(t, err, acl.ErrDenied, "row 27: a creator's pause is the creator's to end")
	out, err := w.svc.Resume(ctx, w.actor("carl"), in.ID)
	require.NoError(t, err)
	require.Equal(t, inbox.StateActive, out.State)

	_, err = w.svc.Disconnect(ctx, w.actor("ina"), in.ID, inbox.KeepMail)
	require.NoError(t, err)
	require.Equal(t, []string{"kept"}, w.visibleTo("carl", in.ID))
	w.account.Reconnect()
	out, err = w.consent(in.ID)
	require.NoError(t, err)
	require.Equal(t, inbox.StateActive, out.State)
	w.sync(in.ID)

	require.NoError(t, w.svc.Delete(ctx, w.actor("ina"), in.ID))
	_, err = w.svc.Preview(ctx, w.actor("carl"), in.ID, nil)
	require.ErrorIs(t, err, storage.ErrNotFound)
	out, err = w.svc.Restore(ctx, w.actor("carl"), in.ID)
	require.NoError(t, err)
	require.Equal(t, inbox.StateDisconnected, out.State)
	require.NoError(t, w.svc.Delete(ctx, w.actor("olga"), in.ID))
	w.advance(31 * 24 * time.Hour)
	_, err = w.svc.Restore(ctx, w.actor("carl"), in.ID)
	require.ErrorIs(t, err, storage.ErrNotFound)
	purged := 0
	require.NoError(t, w.svc.PurgeDeleted(ctx, func(context.Context, inbox.ID) error { purged++; return nil }))
	require.Equal(t, 1, purged)
	_, err = w.store.Inbox(ctx, in.ID)
	require.ErrorIs(t, err, storage.ErrNotFound)
	for b, err := range w.store.Blobs(ctx, in.ID) {
		require.NoError(t, err)
		t.Errorf("blob %q is left", b.Key)
	}
}

func TestDisconnectAndPurgeForgetsTheMail(t *testing.T) { // R-CON-08
	t.Parallel()
	w := newWorld(t, fake.Options{})
	w.mailFrom("ann@acme.com", "gone", 3)
	in := w.open(true, filter.Rules{Mode: filter.All})
	w.sync(in.ID)
	id := w.messages(in.ID)[0].ID
	_, err := w.svc.Disconnect(t.Context(), w.actor("carl"), in.ID, inbox.PurgeMail)
	require.NoError(t, err)
	require.Empty(t, w.stored(in.ID))
	_, err = w.store.Content(t.Context(), id)
	require.ErrorIs(t, err, storage.ErrNotFound)
}

func TestStatesMoveOnlyAsTheyMay(t *testing.T) { // R-INB-13
	t.Parallel()
	all := []inbox.State{inbox.StateDraft, inbox.StateConnecting, inbox.StateImporting, inbox.StateActive,
		inbox.StatePaused, inbox.StateNeedsReauth, inbox.StateDisconnected, inbox.StateDeleted}
	legal := map[inbox.State][]inbox.State{
		inbox.StateDraft:        {inbox.StateConnecting, inbox.StateDisconnected, inbox.StateDeleted},
		inbox.StateConnecting:   {inbox.StateImporting, inbox.StateActive, inbox.StateDisconnected, inbox.StateDeleted},
		inbox.StateImporting:    {inbox.StateActive, inbox.StatePaused, inbox.StateNeedsReauth, inbox.StateDisconnected, inbox.StateDeleted},
		inbox.StateActive:       {inbox.StatePaused, inbox.StateNeedsReauth, inbox.StateDisconnected, inbox.StateDeleted},
		inbox.StatePaused:       {inbox.StateImporting, inbox.StateActive, inbox.StateNeedsReauth, inbox.StateDisconnected, inbox.StateDeleted},
		inbox.StateNeedsReauth:  {inbox.StateImporting, inbox.StateActive, inbox.StatePaused, inbox.StateDisconnected, inbox.StateDeleted},
		inbox.StateDisconnected: {inbox.StateConnecting, inbox.StateDeleted},
		inbox.StateDeleted:      {inbox.StateDisconnected},
	}
	for _, from := range all {
		for _, to := range all {
			got, err := from.To(to)
			if contains(legal[from], to) {
				require.NoError(t, err, "%s -> %s", from, to)
				require.Equal(t, to, got)
				continue
			}
			require.ErrorIs(t, err, inbox.ErrInvalidState, "%s -> %s", from, to)
			require.Equal(t, from, got)
		}
	}
}

func contains(list []inbox.State, s inbox.State) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// TestNoMethodTellsAStrangerAnything calls every exported method of the service that takes an actor,
// found by reflection so that a new one cannot be forgotten, as people without access (R-ACL-07).
func TestNoMethodTellsAStrangerAnything(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fake.Options{})
	w.client("Acme", "acme.com")
	w.mailFrom("Ann <ann@acme.com>", "the secret subject", 3)
	in := w.open(true, filter.Rules{}, acl.Grant{User: "rob", Access: acl.ReadAndReply})
	w.sync(in.ID)
	m := w.messages(in.ID)[0]
	other := acl.Actor{Site: "site-2", User: "olga", Role: acl.Owner, State: acl.Active}
	for _, actor := range []acl.Actor{w.actor("zoe"), w.actor("adam"), other, {}} {
		calls := 0
		v := reflect.ValueOf(w.svc)
		for i := range v.NumMethod() {
			method := v.Type().Method(i)
			ft := v.Method(i).Type()
			if ft.NumIn() < 2 || ft.In(1) != reflect.TypeOf(acl.Actor{}) {
				continue
			}
			switch method.Name {
			case "Create", "Inboxes", "Visible", "Company", "Companies", "CreateCompany", "UpdateCompany",
				"DeleteCompany", "RestoreCompany", "CreateCustomer": // about the site, or the actor's own lists
				continue
			case "Shown", "ShownPart": // package ticket asks them, and has decided who sees the ticket
				continue
			}
			calls++
			args := []reflect.Value{reflect.ValueOf(t.Context()), reflect.ValueOf(actor)}
			for j := 2; j < ft.NumIn(); j++ {
				args = append(args, argument(ft.In(j), in.ID, m))
			}
			var out []reflect.Value
			if ft.IsVariadic() {
				out = v.Method(i).CallSlice(args)
			} else {
				out = v.Method(i).Call(args)
			}
			requireNothingTold(t, method.Name, actor.User, out)
		}
		require.Greater(t, calls, 20, "methods called")
		for range w.svc.Inboxes(t.Context(), actor, inbox.Query{}) {
			t.Errorf("Inboxes yields something to %q", actor.User)
		}
	}
}

// argument makes a telling argument: the ids of what is really there.
func argument(typ reflect.Type, id inbox.ID, m inbox.Message) reflect.Value {
	switch typ {
	case reflect.TypeOf(id):
		return reflect.ValueOf(id)
	case reflect.TypeOf(m.ID):
		return reflect.ValueOf(m.ID)
	case reflect.TypeOf(m.Remote):
		return reflect.ValueOf(m.Remote)
	case reflect.TypeOf(m.Customer):
		return reflect.ValueOf(m.Customer)
	case reflect.TypeOf(inbox.MessageQuery{}):
		return reflect.ValueOf(inbox.MessageQuery{Inbox: id})
	case reflect.TypeOf([]acl.UserID{}):
		return reflect.ValueOf([]acl.UserID{"rob"})
	case reflect.TypeOf([]acl.Grant{}):
		return reflect.ValueOf([]acl.Grant{{User: "zoe", Access: acl.ReadOnly}})
	case reflect.TypeOf(htmlsafe.Options{}):
		return reflect.ValueOf(htmlsafe.Options{})
	}
	return reflect.Zero(typ)
}

// requireNothingTold fails unless the answer is "not found", or for a list nothing but that.
func requireNothingTold(t *testing.T, name string, user acl.UserID, out []reflect.Value) {
	t.Helper()
	last := out[len(out)-1]
	if last.Kind() == reflect.Func { // a list
		items := 0
		yield := reflect.MakeFunc(last.Type().In(0), func(args []reflect.Value) []reflect.Value {
			if args[1].IsNil() {
				items++
			} else {
				require.ErrorIs(t, args[1].Interface().(error), storage.ErrNotFound, "%s as %q", name, user)
			}
			return []reflect.Value{reflect.ValueOf(true)}
		})
		last.Call([]reflect.Value{yield})
		require.Zero(t, items, "%s as %q", name, user)
		return
	}
	require.False(t, last.IsNil(), "%s as %q: no error", name, user)
	err := last.Interface().(error)
	require.ErrorIs(t, err, storage.ErrNotFound, "%s as %q", name, user)
	for _, v := range out[:len(out)-1] {
		if c, ok := v.Interface().(io.Closer); ok && c != nil {
			t.Errorf("%s as %q returned something to read", name, user)
		}
	}
}
