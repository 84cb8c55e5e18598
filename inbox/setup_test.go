package inbox_test

import (
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

func TestFourStepsImportWhatTheClientsSent(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fake.Options{SearchOff: true})
	w.client("Acme", "acme.com")
	w.mailFrom("Ann <ann@acme.com>", "offer", 5)
	w.mailFrom("Eve <eve@elsewhere.org>", "private", 4)
	w.mailFrom("Ann <ann@acme.com>", "too old", 24*31)
	in := w.open(true, filter.Rules{}, acl.Grant{User: "rita", Access: acl.ReadOnly})
	require.Equal(t, inbox.StateImporting, in.State)
	require.Equal(t, "me@firm.example", in.Account.Address, "R-INB-05: the provider says the address")

	run := w.sync(in.ID)
	require.Equal(t, []string{"offer"}, w.stored(in.ID))
	require.Equal(t, 1, run.Stored)
	require.Equal(t, map[filter.Reason]int{filter.NotClientAssociated: 1}, run.Rejected)
	got, err := w.svc.Inbox(t.Context(), w.actor("rita"), in.ID)
	require.NoError(t, err)
	require.Equal(t, inbox.StateActive, got.State, "the import is done")
	require.Nil(t, got.Revisions, "a reader does not see the rules")
}

func TestNothingIsReadBeforeConsentOrStoredBeforeFinish(t *testing.T) { // R-INB-04
	t.Parallel()
	w := newWorld(t, fake.Options{})
	w.mailFrom("ann@acme.com", "early", 1)
	in := w.draft(true, filter.Rules{Mode: filter.All})
	require.Zero(t, w.account.TotalCalls(), "calls before consent")

	_, err := w.svc.Finish(t.Context(), w.actor("carl"), in.ID)
	require.ErrorIs(t, err, inbox.ErrSetup)
	_, err = w.svc.Sync(t.Context(), in.ID)
	require.ErrorIs(t, err, inbox.ErrInvalidState)

	_, err = w.consent(in.ID)
	require.NoError(t, err)
	require.Empty(t, w.account.OpenedIDs())
	_, err = w.svc.Sync(t.Context(), in.ID)
	require.ErrorIs(t, err, inbox.ErrInvalidState, "consented, not finished")
	require.Empty(t, w.stored(in.ID))

	w.advance(time.Hour)
	w.account.Deliver(mailText("ann@acme.com", "me@firm.example", "between"), fake.Delivery{})
	w.advance(time.Hour)
	_, err = w.svc.Finish(t.Context(), w.actor("carl"), in.ID)
	require.NoError(t, err)
	w.sync(in.ID)
	require.Equal(t, []string{"between", "early"}, w.stored(in.ID), "caught up at Finish")
}

func TestStepTwoComesBeforeConsent(t *testing.T) { // R-INB-04
	t.Parallel()
	w := newWorld(t, fake.Options{})
	in, err := w.svc.Create(t.Context(), w.actor("carl"), inbox.Draft{Provider: "fake", Name: " Carl "})
	require.NoError(t, err)
	require.Equal(t, "Carl", in.Name, "R-INB-03: trimmed")
	_, err = w.svc.Connect(t.Context(), w.actor("carl"), in.ID, "https://host.example/back")
	require.ErrorIs(t, err, inbox.ErrSetup)
	_, err = w.svc.Create(t.Context(), w.actor("carl"), inbox.Draft{Provider: "fake", Name: "  "})
	require.ErrorIs(t, err, inbox.ErrMissingName)
	_, err = w.svc.Create(t.Context(), w.actor("carl"), inbox.Draft{Provider: "pop3", Name: "x"})
	require.ErrorIs(t, err, inbox.ErrUnknownProvider)
}

func TestWithoutImportOnlyMailAfterTheConnectionEnters(t *testing.T) { // R-IMP-01
	t.Parallel()
	w := newWorld(t, fake.Options{})
	w.mailFrom("ann@acme.com", "before", 1)
	in := w.open(false, filter.Rules{Mode: filter.All})
	require.Equal(t, inbox.StateActive, in.State)
	w.sync(in.ID)
	require.Empty(t, w.stored(in.ID))
	w.advance(time.Minute)
	w.account.Deliver(mailText("ann@acme.com", "me@firm.example", "after"), fake.Delivery{})
	w.sync(in.ID)
	require.Equal(t, []string{"after"}, w.stored(in.ID))
}

func TestConsentIsSingleUseBoundAndShortLived(t *testing.T) { // R-CON-02, R-CON-03
	t.Parallel()
	w := newWorld(t, fake.Options{})
	ctx := t.Context()
	in := w.draft(true, filter.Rules{})

	_, err := w.svc.Connect(ctx, w.actor("olga"), in.ID, "x")
	require.ErrorIs(t, err, acl.ErrDenied, "only the mailbox owner may consent")

	link, err := w.svc.Connect(ctx, w.actor("carl"), in.ID, "https://host.example/back")
	require.NoError(t, err)
	ret := inbox.Return{State: query(t, link, "state"), Code: w.account.Address()}
	_, err = w.svc.Consent(ctx, w.actor("carl"), in.ID, inbox.Return{State: "other", Code: ret.Code})
	require.ErrorIs(t, err, inbox.ErrConsentExpired)
	w.advance(11 * time.Minute)
	_, err = w.svc.Consent(ctx, w.actor("carl"), in.ID, ret)
	require.ErrorIs(t, err, inbox.ErrConsentExpired)

	_, err = w.consent(in.ID)
	require.NoError(t, err)
	_, err = w.svc.Consent(ctx, w.actor("carl"), in.ID, ret)
	require.ErrorIs(t, err, inbox.ErrConsentExpired, "used")
}

func TestMissingScopeLeavesTheInboxConnecting(t *testing.T) { // R-CON-01
	t.Parallel()
	w := newWorld(t, fake.Options{})
	w.mail.WithholdScopes(fake.ScopeSend)
	in := w.draft(true, filter.Rules{})
	_, err := w.consent(in.ID)
	require.ErrorIs(t, err, provider.ErrInsufficientScope)
	require.ErrorContains(t, err, fake.ScopeSend)
	got, err := w.store.Inbox(t.Context(), in.ID)
	require.NoError(t, err)
	require.Equal(t, inbox.StateConnecting, got.State)
	require.Empty(t, got.Account.ID)
	_, _, err = w.store.Credential(t.Context(), inbox.VaultKey{Inbox: in.ID, Use: inbox.UseMailbox})
	require.ErrorIs(t, err, storage.ErrNotFound, "the token is dropped")
}

func TestOneLiveInboxPerAddress(t *testing.T) { // R-INB-06
	t.Parallel()
	w := newWorld(t, fake.Options{})
	first := w.open(true, filter.Rules{})
	second := w.draft(true, filter.Rules{})
	_, err := w.consent(second.ID)
	require.ErrorIs(t, err, inbox.ErrAddressInUse)
	require.NoError(t, w.svc.Delete(t.Context(), w.actor("carl"), first.ID))
	w.account.Reconnect()
	_, err = w.consent(second.ID)
	require.NoError(t, err, "a deleted inbox gives its address free")
}

func TestReconnectWithAnotherAccountIsRefused(t *testing.T) { // R-CON-02
	t.Parallel()
	w := newWorld(t, fake.Options{})
	in := w.open(true, filter.Rules{Mode: filter.All})
	other := w.mail.Account("else@firm.example")
	link, err := w.svc.Connect(t.Context(), w.actor("carl"), in.ID, "https://host.example/back")
	require.NoError(t, err)
	_, err = w.svc.Consent(t.Context(), w.actor("carl"), in.ID, inbox.Return{State: query(t, link, "state"), Code: other.Address()})
	require.ErrorIs(t, err, inbox.ErrAccountMismatch)
	w.mailFrom("ann@acme.com", "still here", 1)
	w.sync(in.ID)
	require.Equal(t, []string{"still here"}, w.stored(in.ID), "the old token is kept")
}

func TestAbandonedDraftLosesItsToken(t *testing.T) { // R-INB-04
	t.Parallel()
	w := newWorld(t, fake.Options{})
	in := w.draft(true, filter.Rules{})
	_, err := w.consent(in.ID)
	require.NoError(t, err)
	w.advance(23 * time.Hour)
	require.NoError(t, w.svc.ExpireDrafts(t.Context()))
	key := inbox.VaultKey{Inbox: in.ID, Use: inbox.UseMailbox}
	_, _, err = w.store.Credential(t.Context(), key)
	require.NoError(t, err)
	w.advance(2 * time.Hour)
	require.NoError(t, w.svc.ExpireDrafts(t.Context()))
	_, _, err = w.store.Credential(t.Context(), key)
	require.ErrorIs(t, err, storage.ErrNotFound)
}
