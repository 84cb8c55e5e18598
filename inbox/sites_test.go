package inbox_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/fake"
)

// elsewhere connects the world's account in another site.
func (w *world) elsewhere() (acl.Actor, inbox.ID) {
	w.t.Helper()
	const far inbox.SiteID = "site-2"
	ctx := w.t.Context()
	w.host.SetSite(inbox.Settings{ID: far})
	w.host.AddPerson(inbox.Person{ID: "fay", Site: far, Role: acl.Agent, State: acl.Active})
	fay, err := w.svc.Actor(ctx, far, "fay")
	require.NoError(w.t, err)
	in, err := w.svc.Create(ctx, fay, inbox.Draft{Provider: "fake", Name: "Fay"})
	require.NoError(w.t, err)
	_, err = w.svc.SetRules(ctx, fay, in.ID, filter.Rules{Mode: filter.All})
	require.NoError(w.t, err)
	link, err := w.svc.Connect(ctx, fay, in.ID, "https://host.example/back")
	require.NoError(w.t, err)
	_, err = w.svc.Consent(ctx, fay, in.ID, inbox.Return{State: query(w.t, link, "state"), Code: w.account.Address()})
	require.NoError(w.t, err)
	_, err = w.svc.Finish(ctx, fay, in.ID)
	require.NoError(w.t, err)
	return fay, in.ID
}

func TestDisconnectLeavesTheSameMailboxInAnotherSiteAlone(t *testing.T) { // R-CON-08
	t.Parallel()
	w := newWorld(t, fake.Options{})
	near := w.open(true, filter.Rules{Mode: filter.All})
	fay, far := w.elsewhere()
	w.sync(near.ID)
	w.sync(far)
	old, _, err := w.store.Credential(t.Context(), inbox.VaultKey{Inbox: far, Use: inbox.UseMailbox})
	require.NoError(t, err)
	_, err = w.svc.Disconnect(t.Context(), w.actor("carl"), near.ID, inbox.KeepMail)
	require.NoError(t, err)
	w.sync(far)

	_, err = w.svc.Disconnect(t.Context(), fay, far, inbox.KeepMail)
	require.NoError(t, err)
	box, err := w.mail.Open(t.Context(), old, nil)
	require.NoError(t, err)
	for _, err = range box.Changes(t.Context(), "", provider.Walk{}) {
		if err != nil {
			break
		}
	}
	require.ErrorIs(t, err, provider.ErrAuth, "the last one ends the grant")
}

// onePush is a mail service that has one subscription for each account, as Gmail has.
type onePush struct{ *fake.Service }

func (p onePush) Open(ctx context.Context, c provider.Credential, save provider.SaveFunc) (provider.Mailbox, error) {
	box, err := p.Service.Open(ctx, c, save)
	return onePushBox{box}, err
}

type onePushBox struct{ provider.Mailbox }

func (b onePushBox) Unwrap() provider.Mailbox { return b.Mailbox }

func (b onePushBox) Subscribe(ctx context.Context) (provider.Subscription, error) {
	s, _ := provider.As[provider.Subscriber](b.Mailbox)
	sub, err := s.Subscribe(ctx)
	sub.ID = "account"
	return sub, err
}

func (b onePushBox) Renew(ctx context.Context, _ provider.Subscription) (provider.Subscription, error) {
	return b.Subscribe(ctx)
}

func (b onePushBox) Unsubscribe(ctx context.Context, sub provider.Subscription) error {
	s, _ := provider.As[provider.Subscriber](b.Mailbox)
	return s.Unsubscribe(ctx, sub)
}

func TestPushOfAnAccountLastsAsLongAsAnInboxOfItDoes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fake.Options{}, func(c *inbox.Config) {
		c.Providers = []provider.Provider{onePush{c.Providers[0].(*fake.Service)}}
	})
	near := w.open(true, filter.Rules{Mode: filter.All})
	fay, far := w.elsewhere()
	w.sync(near.ID)
	w.sync(far)
	w.asked()
	_, err := w.svc.Disconnect(t.Context(), w.actor("carl"), near.ID, inbox.KeepMail)
	require.NoError(t, err)
	require.Empty(t, w.asked(), "the other site is still rung")
	require.False(t, w.pushed(near.ID))
	require.True(t, w.pushed(far))
	_, err = w.svc.Disconnect(t.Context(), fay, far, inbox.KeepMail)
	require.NoError(t, err)
	require.Equal(t, map[fake.Op]int{fake.OpUnsubscribe: 1}, w.asked())
}
