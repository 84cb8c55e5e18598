package inbox_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/storage"
)

func TestConsentForATakenMailboxLeavesItsHolderWorking(t *testing.T) { // R-INB-06, R-INB-12
	t.Parallel()
	w := newWorld(t, fake.Options{})
	first := w.open(true, filter.Rules{Mode: filter.All})
	second := w.draft(true, filter.Rules{})
	_, err := w.consent(second.ID)
	require.ErrorIs(t, err, inbox.ErrAddressInUse)
	w.mailFrom("ann@acme.com", "one", 1)
	w.sync(first.ID)
	require.Equal(t, []string{"one"}, w.stored(first.ID))

	w.mail.WithholdScopes(fake.ScopeSend)
	_, err = w.consent(first.ID)
	require.ErrorIs(t, err, provider.ErrInsufficientScope, "R-CON-01")
	w.account.Deliver(mailText("ann@acme.com", "me@firm.example", "two"), fake.Delivery{})
	w.sync(first.ID)
	require.Equal(t, []string{"two", "one"}, w.stored(first.ID), "the grant that works is kept")
}

func TestRefusedConsentKeepsTheState(t *testing.T) { // R-CON-01, R-CON-03
	t.Parallel()
	w := newWorld(t, fake.Options{})
	in := w.draft(true, filter.Rules{})
	ctx := t.Context()
	link, err := w.svc.Connect(ctx, w.actor("carl"), in.ID, "https://host.example/back")
	require.NoError(t, err)
	ret := inbox.Return{State: query(t, link, "state"), Error: "access_denied"}
	_, err = w.svc.Consent(ctx, w.actor("carl"), in.ID, ret)
	require.ErrorIs(t, err, provider.ErrAuth)
	require.ErrorContains(t, err, "access_denied")
	got, err := w.store.Inbox(ctx, in.ID)
	require.NoError(t, err)
	require.Equal(t, inbox.StateConnecting, got.State)
	require.Nil(t, got.Consent, "the attempt is used up")
	ret.Error, ret.Code = "", w.account.Address()
	_, err = w.svc.Consent(ctx, w.actor("carl"), in.ID, ret)
	require.ErrorIs(t, err, inbox.ErrConsentExpired)

	w.account.RefuseConsent(true)
	_, err = w.consent(in.ID)
	require.ErrorIs(t, err, provider.ErrAuth)
	w.account.RefuseConsent(false)
	_, err = w.consent(in.ID)
	require.NoError(t, err, "and again")
}

func TestAnErrorOfTheRedirectIsTheProvidersToRead(t *testing.T) { // R-CON-01
	t.Parallel()
	for code, want := range map[string]error{
		"access_denied":    provider.ErrAuth,
		"consent_required": provider.ErrAdminConsent,
	} {
		w := newWorld(t, fake.Options{})
		in := w.draft(true, filter.Rules{Mode: filter.All})
		link, err := w.svc.Connect(t.Context(), w.actor("carl"), in.ID, "https://host.example/back")
		require.NoError(t, err)
		_, err = w.svc.Consent(t.Context(), w.actor("carl"), in.ID,
			inbox.Return{State: query(t, link, "state"), Error: code, Description: "for the operator"})
		require.ErrorIs(t, err, want, code)
	}
}

func TestConsentCutOffAnywhereCanBeGivenAgain(t *testing.T) { // R-CON-03, R-INB-04
	t.Parallel()
	for _, reconnect := range []bool{false, true} {
		done := false
		for n := 1; !done; n++ {
			require.Less(t, n, 60)
			var store *faulty
			w := newWorld(t, fake.Options{}, breakable(&store))
			w.mailFrom("ann@acme.com", "one", 1)
			in := w.draft(true, filter.Rules{Mode: filter.All})
			if reconnect {
				in = w.open(true, filter.Rules{Mode: filter.All})
				require.NoError(t, w.die(in.ID))
			}
			step := fmt.Sprintf("reconnect %v, broken at call %d", reconnect, n)
			store.failAt(n)
			link, err := w.svc.Connect(t.Context(), w.actor("carl"), in.ID, "https://host.example/back")
			if err == nil {
				_, err = w.svc.Consent(t.Context(), w.actor("carl"), in.ID,
					inbox.Return{State: query(t, link, "state"), Code: w.account.Address()})
			}
			store.onCall(nil)
			if done = err == nil; !done {
				require.ErrorIs(t, err, errBroken, step)
			}
			_, err = w.consent(in.ID)
			require.NoError(t, err, step)
			if !reconnect {
				_, err = w.svc.Finish(t.Context(), w.actor("carl"), in.ID)
				require.NoError(t, err, step)
			}
			w.sync(in.ID)
			require.Equal(t, []string{"one"}, w.stored(in.ID), step)
		}
	}
}

func TestAnotherProcessRefreshingTheCredentialIsNoFault(t *testing.T) { // R-CON-05
	t.Parallel()
	var config inbox.Config
	w := newWorld(t, fake.Options{}, func(c *inbox.Config) { config = *c })
	other, err := inbox.New(config)
	require.NoError(t, err)
	in := w.open(true, filter.Rules{Mode: filter.All})
	w.sync(in.ID)
	_, err = other.Sync(t.Context(), in.ID)
	require.NoError(t, err)
	for range 3 {
		w.account.Rotate()
		w.sync(in.ID) // refreshes, and wins
		_, err = other.Sync(t.Context(), in.ID)
		require.NoError(t, err, "it reads the vault again")
	}
}

func TestADeadCredentialThatWasReplacedDoesNotAskToReconnect(t *testing.T) { // R-CON-04
	t.Parallel()
	var config inbox.Config
	w := newWorld(t, fake.Options{}, func(c *inbox.Config) { config = *c })
	other, err := inbox.New(config)
	require.NoError(t, err)
	in := w.open(true, filter.Rules{Mode: filter.All})
	_, err = other.Sync(t.Context(), in.ID)
	require.NoError(t, err)
	_, err = w.consent(in.ID) // the owner consents anew, in this process
	require.NoError(t, err)
	_, err = other.Sync(t.Context(), in.ID)
	require.NoError(t, err, "replaced before the sync")

	var once sync.Once
	w.account.BeforeCall(func(op fake.Op, _ int) (err error) {
		if op == fake.OpChanges {
			once.Do(func() {
				_, e := w.consent(in.ID)
				require.NoError(t, e)
				err = provider.ErrAuth // the mailbox is the old one
			})
		}
		return err
	})
	_, err = other.Sync(t.Context(), in.ID)
	require.ErrorIs(t, err, provider.ErrAuth, "replaced while it syncs, by somebody who changed the inbox")
	got, err := w.store.Inbox(t.Context(), in.ID)
	require.NoError(t, err)
	require.Equal(t, inbox.StateActive, got.State)
	_, err = other.Sync(t.Context(), in.ID)
	require.NoError(t, err)
}

// Another process has refreshed a rotating credential and is about to store it: the refusal of the old
// one is no dead grant.
func TestACredentialAboutToBeReplacedDoesNotAskToReconnect(t *testing.T) { // R-CON-04, R-CON-05
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var config inbox.Config
		w := newWorld(t, fake.Options{}, func(c *inbox.Config) { config = *c })
		other, err := inbox.New(config)
		require.NoError(t, err)
		in := w.open(true, filter.Rules{Mode: filter.All})
		_, err = other.Sync(t.Context(), in.ID)
		require.NoError(t, err)
		w.account.FailOnce(fake.OpChanges, "", provider.ErrAuth)
		ended := make(chan error, 1)
		go func() {
			_, err := other.Sync(t.Context(), in.ID)
			ended <- err
		}()
		synctest.Wait() // it wonders
		key := inbox.VaultKey{Inbox: in.ID, Use: inbox.UseMailbox}
		cred, version, err := w.store.Credential(t.Context(), key)
		require.NoError(t, err)
		_, err = w.store.SaveCredential(t.Context(), key, cred, version)
		require.NoError(t, err)
		require.NoError(t, <-ended)

		w.account.FailOnce(fake.OpChanges, "", provider.ErrAuth)
		_, err = other.Sync(t.Context(), in.ID)
		require.ErrorIs(t, err, provider.ErrAuth, "nobody stores another")
		got, err := w.store.Inbox(t.Context(), in.ID)
		require.NoError(t, err)
		require.Equal(t, inbox.StateNeedsReauth, got.State)
	})
}

func TestExpiringDraftsTouchesNothingElse(t *testing.T) { // R-INB-04
	t.Parallel()
	w := newWorld(t, fake.Options{})
	in := w.open(true, filter.Rules{Mode: filter.All})
	require.NoError(t, w.disconnect(in.ID))
	_, err := w.svc.Connect(t.Context(), w.actor("carl"), in.ID, "https://host.example/back")
	require.NoError(t, err)
	w.advance(48 * time.Hour)
	before, err := w.store.Inbox(t.Context(), in.ID)
	require.NoError(t, err)
	require.Equal(t, inbox.StateConnecting, before.State, "a reconnect under way")
	require.NoError(t, w.svc.ExpireDrafts(t.Context()))
	after, err := w.store.Inbox(t.Context(), in.ID)
	require.NoError(t, err)
	require.Equal(t, before, after)
}

func TestExpiringADraftGoesOnAfterEveryFault(t *testing.T) { // R-INB-04
	t.Parallel()
	var store *faulty
	w := newWorld(t, fake.Options{}, breakable(&store))
	in := w.draft(true, filter.Rules{Mode: filter.All})
	_, err := w.consent(in.ID)
	require.NoError(t, err)
	w.advance(25 * time.Hour)
	for n := 1; ; n++ {
		require.Less(t, n, 40)
		store.failAt(n)
		err := w.svc.ExpireDrafts(t.Context())
		if store.onCall(nil); err == nil {
			break
		}
		require.ErrorIs(t, err, errBroken, "the store broken at call %d", n)
	}
	w.requireForgotten(in.ID)
	got, err := w.store.Inbox(t.Context(), in.ID)
	require.NoError(t, err)
	require.Equal(t, inbox.StateDraft, got.State)
	require.Zero(t, got.Account)
	w.account.Reconnect()
	_, err = w.consent(in.ID)
	require.NoError(t, err, "the person may begin again")
}

func TestFinishWhileTheDraftExpiresWinsOrLosesWhole(t *testing.T) { // R-INB-04
	t.Parallel()
	var store *faulty
	w := newWorld(t, fake.Options{}, breakable(&store))
	in := w.draft(true, filter.Rules{Mode: filter.All})
	_, err := w.consent(in.ID)
	require.NoError(t, err)
	w.advance(25 * time.Hour)
	finished := false
	store.onCall(func(op string, _ int) error {
		if op != "UpdateInbox" || finished {
			return nil
		}
		finished = true
		_, err := w.svc.Finish(context.Background(), w.actor("carl"), in.ID)
		return err
	})
	require.NoError(t, w.svc.ExpireDrafts(t.Context()))
	require.True(t, finished)
	got, err := w.store.Inbox(t.Context(), in.ID)
	require.NoError(t, err)
	require.Equal(t, inbox.StateImporting, got.State)
	require.NotEmpty(t, got.Account.ID)
	w.sync(in.ID)
}

func TestEditsAtTheSameTimeAllCount(t *testing.T) { // storage.ErrConflict is tried three times
	t.Parallel()
	w := newWorld(t, fake.Options{})
	in := w.open(true, filter.Rules{})
	var wg sync.WaitGroup
	users := []acl.UserID{"rita", "rob", "ina"}
	errs := make([]error, len(users))
	carl := w.actor("carl")
	for i, user := range users {
		wg.Go(func() {
			for range 20 {
				_, errs[i] = w.svc.Share(context.Background(), carl, in.ID, acl.Grant{User: user, Access: acl.ReadOnly})
				if errs[i] == nil {
					return
				}
			}
		})
	}
	wg.Wait()
	require.Equal(t, make([]error, len(users)), errs)
	got, err := w.store.Inbox(t.Context(), in.ID)
	require.NoError(t, err)
	for _, user := range users {
		_, ok := got.Grants.Of(user)
		require.True(t, ok, "grant of %q in %v", user, got.Grants)
	}
}

func TestAnEditGivesUpAfterTenConflicts(t *testing.T) {
	t.Parallel()
	var store *faulty
	w := newWorld(t, fake.Options{}, breakable(&store))
	in := w.open(true, filter.Rules{})
	for conflicts, want := range map[int]error{9: nil, 10: storage.ErrConflict} {
		var ops []string
		store.onCall(func(op string, _ int) error {
			if op != "UpdateInbox" {
				return nil
			}
			if ops = append(ops, op); len(ops) <= conflicts {
				return storage.ErrConflict
			}
			return nil
		})
		name := fmt.Sprint("Name ", conflicts)
		_, err := w.svc.Edit(t.Context(), w.actor("carl"), in.ID, inbox.Edit{Name: &name})
		require.ErrorIs(t, err, want, "%d conflicts", conflicts)
		require.Len(t, ops, 10)
		store.onCall(nil)
	}
	got, err := w.store.Inbox(t.Context(), in.ID)
	require.NoError(t, err)
	require.Equal(t, "Name 9", got.Name)
}
