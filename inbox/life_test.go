package inbox_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/storage"
)

func TestWhoStopsAnInboxStopsTheSyncUnderWay(t *testing.T) { // R-INB-12, R-INB-13, R-CON-08, R-CHG-06
	t.Parallel()
	for name, stop := range map[string]func(*world, inbox.ID) error{
		"pause": func(w *world, id inbox.ID) error {
			_, err := w.svc.Pause(context.Background(), w.actor("carl"), id)
			return err
		},
		"disconnect": func(w *world, id inbox.ID) error {
			_, err := w.svc.Disconnect(context.Background(), w.actor("carl"), id, inbox.KeepMail)
			return err
		},
		"disconnect and purge": func(w *world, id inbox.ID) error {
			_, err := w.svc.Disconnect(context.Background(), w.actor("carl"), id, inbox.PurgeMail)
			return err
		},
		"delete": func(w *world, id inbox.ID) error {
			return w.svc.Delete(context.Background(), w.actor("carl"), id)
		},
		"new rules": func(w *world, id inbox.ID) error {
			_, err := w.svc.SetRules(context.Background(), w.actor("carl"), id,
				filter.Rules{Mode: filter.All, Exclude: []filter.Exclusion{exclusion(w.t, "acme.com")}})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, fake.Options{PageSize: 1}, func(c *inbox.Config) {
				c.Providers = []provider.Provider{grantsStay{c.Providers[0].(*fake.Service)}}
			})
			for i := range 8 {
				w.mailFrom("ann@acme.com", fmt.Sprint("mail ", i), i+1)
			}
			in := w.open(true, filter.Rules{Mode: filter.All})
			stopped := -1
			w.account.BeforeCall(func(op fake.Op, n int) error {
				if op != fake.OpChanges || n < 6 || stopped >= 0 {
					return nil
				}
				stopped = 0
				if err := stop(w, in.ID); err != nil {
					return err
				}
				stopped = len(w.stored(in.ID))
				return nil
			})
			run, err := w.svc.Sync(t.Context(), in.ID)
			require.ErrorIs(t, err, storage.ErrConflict, "the sync that was under way")
			require.NoError(t, run.Balance())
			require.Len(t, w.stored(in.ID), stopped, "nothing more was stored after it")
		})
	}
}

// grantsStay is a mail service that cannot revoke a grant: what stops a sync is then the inbox alone.
type grantsStay struct{ *fake.Service }

func (grantsStay) Revoke(context.Context, provider.Credential) error { return errors.ErrUnsupported }

func TestASyncThatBeganEarlierDoesNotReviveADeletedInbox(t *testing.T) { // R-INB-12
	t.Parallel()
	w := newWorld(t, fake.Options{})
	w.mailFrom("ann@acme.com", "one", 1)
	in := w.open(true, filter.Rules{Mode: filter.All})
	w.account.BeforeCall(func(op fake.Op, _ int) error {
		if op != fake.OpOpen {
			return nil
		}
		if err := w.svc.Delete(context.Background(), w.actor("carl"), in.ID); err != nil {
			return err
		}
		w.advance(31 * 24 * time.Hour)
		return w.svc.PurgeDeleted(context.Background(), nil)
	})
	_, err := w.svc.Sync(t.Context(), in.ID)
	require.Error(t, err)
	_, err = w.store.Inbox(t.Context(), in.ID)
	require.ErrorIs(t, err, storage.ErrNotFound)
	require.Empty(t, w.stored(in.ID))
}

func TestDisconnectCanBeRepeated(t *testing.T) { // R-CON-08
	t.Parallel()
	var store *faulty
	w := newWorld(t, fake.Options{}, breakable(&store))
	w.mailFrom("ann@acme.com", "one", 1)
	in := w.open(true, filter.Rules{Mode: filter.All})
	w.sync(in.ID)
	for n := 1; ; n++ {
		require.Less(t, n, 40)
		store.failAt(n)
		_, err := w.svc.Disconnect(t.Context(), w.actor("carl"), in.ID, inbox.PurgeMail)
		if store.onCall(nil); err == nil {
			break
		}
		require.ErrorIs(t, err, errBroken, "the store broken at call %d", n)
	}
	w.requireForgotten(in.ID)
}

// requireForgotten fails while anything of an inbox's mail or secrets is left.
func (w *world) requireForgotten(id inbox.ID) {
	w.t.Helper()
	require.Empty(w.t, w.stored(id))
	for _, use := range []inbox.VaultUse{inbox.UseMailbox, inbox.UseConsent} {
		_, _, err := w.store.Credential(w.t.Context(), inbox.VaultKey{Inbox: id, Use: use})
		require.ErrorIs(w.t, err, storage.ErrNotFound, "secret %q", use)
	}
	for b, err := range w.store.Blobs(w.t.Context(), id) {
		require.NoError(w.t, err)
		w.t.Errorf("blob %q is left", b.Key)
	}
}

func TestPurgeGoesOnAfterEveryFault(t *testing.T) { // R-INB-12
	t.Parallel()
	var store *faulty
	w := newWorld(t, fake.Options{}, breakable(&store))
	w.mailFrom("ann@acme.com", "one", 1)
	in := w.open(true, filter.Rules{Mode: filter.All})
	w.sync(in.ID)
	store.onCall(func(op string, _ int) error {
		if op == "DeleteCredential" {
			return errBroken
		}
		return nil
	})
	require.ErrorIs(t, w.svc.Delete(t.Context(), w.actor("carl"), in.ID), errBroken, "the secret is still there")
	w.advance(31 * 24 * time.Hour)
	for n := 1; ; n++ {
		require.Less(t, n, 40)
		store.failAt(n)
		err := w.svc.PurgeDeleted(t.Context(), nil)
		if store.onCall(nil); err == nil {
			break
		}
		require.ErrorIs(t, err, errBroken, "the store broken at call %d", n)
	}
	_, err := w.store.Inbox(t.Context(), in.ID)
	require.ErrorIs(t, err, storage.ErrNotFound)
	w.requireForgotten(in.ID)
	require.NoError(t, w.svc.PurgeDeleted(t.Context(), nil), "nothing is left to do")
}

func TestOneInboxThatCannotBePurgedKeepsNoOther(t *testing.T) { // R-INB-12
	t.Parallel()
	w := newWorld(t, fake.Options{})
	first := w.open(true, filter.Rules{})
	require.NoError(t, w.svc.Delete(t.Context(), w.actor("carl"), first.ID))
	w.account.Reconnect()
	second := w.open(true, filter.Rules{})
	require.NoError(t, w.svc.Delete(t.Context(), w.actor("carl"), second.ID))
	w.advance(31 * 24 * time.Hour)
	odd := errors.New("tickets are stuck")
	err := w.svc.PurgeDeleted(t.Context(), func(_ context.Context, id inbox.ID) error {
		if id == first.ID {
			return odd
		}
		return nil
	})
	require.ErrorIs(t, err, odd)
	_, err = w.store.Inbox(t.Context(), first.ID)
	require.NoError(t, err)
	_, err = w.store.Inbox(t.Context(), second.ID)
	require.ErrorIs(t, err, storage.ErrNotFound)
}

func TestRestoreOfAnAddressTakenMeanwhileIsRefused(t *testing.T) { // R-INB-06, R-INB-13
	t.Parallel()
	w := newWorld(t, fake.Options{})
	first := w.open(true, filter.Rules{})
	require.NoError(t, w.svc.Delete(t.Context(), w.actor("carl"), first.ID))
	w.account.Reconnect()
	w.open(true, filter.Rules{})
	_, err := w.svc.Restore(t.Context(), w.actor("carl"), first.ID)
	require.ErrorIs(t, err, inbox.ErrAddressInUse)
}

func TestDeactivatedCreatorSuspendsTheGrant(t *testing.T) { // R-ROL-07
	t.Parallel()
	w := newWorld(t, fake.Options{})
	w.mailFrom("ann@acme.com", "one", 1)
	in := w.open(true, filter.Rules{Mode: filter.All}, acl.Grant{User: "ina", Access: acl.ReadOnly, InboxAdmin: true})
	carl, err := w.host.Person(t.Context(), site, "carl")
	require.NoError(t, err)
	gone := carl
	gone.State = acl.Deactivated
	w.host.AddPerson(gone)
	w.account.ForgetCalls()
	_, err = w.svc.Sync(t.Context(), in.ID)
	require.ErrorIs(t, err, inbox.ErrInvalidState)
	_, err = w.svc.Send(t.Context(), in.ID, inbox.BlobInfo{}, "", "")
	require.ErrorIs(t, err, inbox.ErrInvalidState)
	require.Zero(t, w.account.TotalCalls(), "calls to the mail service: %v", w.account.Calls())
	_, err = w.svc.Pause(t.Context(), w.actor("ina"), in.ID)
	require.NoError(t, err, "inbox admins still manage it")
	_, err = w.svc.Resume(t.Context(), w.actor("ina"), in.ID)
	require.NoError(t, err)
	w.host.AddPerson(carl)
	w.sync(in.ID)
	require.Equal(t, []string{"one"}, w.stored(in.ID))
}

func TestReconnectReturnsToTheStateThatWasLeft(t *testing.T) { // R-INB-13
	t.Parallel()
	for name, c := range map[string]struct {
		importing bool
		leave     func(*world, inbox.ID) error
		want      inbox.State
	}{
		"importing, grant dies":  {true, (*world).die, inbox.StateImporting},
		"active, grant dies":     {false, (*world).die, inbox.StateActive},
		"importing, disconnect":  {true, (*world).disconnect, inbox.StateImporting},
		"active, disconnect":     {false, (*world).disconnect, inbox.StateActive},
		"paused, disconnect":     {true, (*world).pauseAndDisconnect, inbox.StateImporting},
		"grant dies, disconnect": {true, (*world).dieAndDisconnect, inbox.StateImporting},
		"paused":                 {true, (*world).pause, inbox.StatePaused},
		"deleted and restored":   {true, (*world).deleteAndRestore, inbox.StateImporting},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, fake.Options{})
			w.mailFrom("ann@acme.com", "one", 1)
			in := w.open(c.importing, filter.Rules{Mode: filter.All})
			require.NoError(t, c.leave(w, in.ID))
			w.advance(time.Hour)
			w.account.Reconnect()
			out, err := w.consent(in.ID)
			require.NoError(t, err)
			require.Equal(t, c.want, out.State)
			require.Equal(t, connected, out.ConnectedAt, "R-IMP-03: never moves")
		})
	}
}

func (w *world) die(id inbox.ID) error {
	w.account.Revoke()
	if _, err := w.svc.Sync(w.t.Context(), id); !errors.Is(err, provider.ErrAuth) {
		return fmt.Errorf("sync without a grant: %w", err)
	}
	return nil
}

func (w *world) disconnect(id inbox.ID) error {
	_, err := w.svc.Disconnect(w.t.Context(), w.actor("carl"), id, inbox.KeepMail)
	return err
}

func (w *world) pause(id inbox.ID) error {
	_, err := w.svc.Pause(w.t.Context(), w.actor("carl"), id)
	return err
}

func (w *world) pauseAndDisconnect(id inbox.ID) error {
	return errors.Join(w.pause(id), w.disconnect(id))
}

func (w *world) dieAndDisconnect(id inbox.ID) error {
	return errors.Join(w.die(id), w.disconnect(id))
}

func (w *world) deleteAndRestore(id inbox.ID) error {
	err := w.svc.Delete(w.t.Context(), w.actor("carl"), id)
	_, e := w.svc.Restore(w.t.Context(), w.actor("carl"), id)
	return errors.Join(err, e)
}

func TestMovesThatAreRefusedChangeNothing(t *testing.T) { // R-INB-13
	t.Parallel()
	w := newWorld(t, fake.Options{})
	ctx := t.Context()
	in := w.open(true, filter.Rules{Mode: filter.All})
	finish := func() error { _, err := w.svc.Finish(ctx, w.actor("carl"), in.ID); return err }
	resume := func() error { _, err := w.svc.Resume(ctx, w.actor("carl"), in.ID); return err }
	restore := func() error { _, err := w.svc.Restore(ctx, w.actor("carl"), in.ID); return err }
	pause := func() error { return w.pause(in.ID) }
	for _, c := range []struct {
		name    string
		prepare func(inbox.ID) error
		refused []func() error
	}{
		{"importing", func(inbox.ID) error { return nil }, []func() error{finish, resume, restore}},
		{"paused", w.pause, []func() error{finish, pause, restore}},
		{"disconnected", w.disconnect, []func() error{finish, pause, resume, restore}},
	} {
		require.NoError(t, c.prepare(in.ID), c.name)
		before, err := w.store.Inbox(ctx, in.ID)
		require.NoError(t, err)
		for i, refused := range c.refused {
			require.ErrorIs(t, refused(), inbox.ErrInvalidState, "%s, move %d", c.name, i)
		}
		after, err := w.store.Inbox(ctx, in.ID)
		require.NoError(t, err)
		require.Equal(t, before, after, c.name)
	}
}
