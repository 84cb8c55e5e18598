package inbox_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/storage"
)

func TestWatchRefusesAnEventThatNoInboxHas(t *testing.T) { // R-FEA-08, section 10
	t.Parallel()
	w := newWorld(t, fake.Options{})
	in := w.open(true, filter.Rules{}, reader)
	ctx, carl := t.Context(), w.actor("carl")
	require.NoError(t, w.svc.Watch(ctx, carl, in.ID, inbox.Watch{Events: []inbox.EventName{inbox.EventUnhealthy}}))
	require.NoError(t, w.svc.WatchForSite(ctx, carl, in.ID, inbox.SiteWatch{Events: []inbox.EventName{customerReply}}))
	before, err := w.store.Inbox(ctx, in.ID)
	require.NoError(t, err)

	for _, name := range []inbox.EventName{"ticket.crated", "Ticket.created", "ticket.created ", "", "tag.created", inbox.EventCompanyEdited} {
		names := []inbox.EventName{customerReply, name}
		for _, err := range []error{
			w.svc.Watch(ctx, carl, in.ID, inbox.Watch{Events: names}),
			w.svc.WatchForSite(ctx, carl, in.ID, inbox.SiteWatch{Events: names}),
		} {
			require.ErrorIs(t, err, inbox.ErrUnknownEvent, "%q", name)
			require.ErrorContains(t, err, `for "`+string(name)+`"`, "which one")
			require.ErrorContains(t, err, `"ticket.created"`, "what there is")
		}
		require.ErrorIs(t, w.svc.Watch(ctx, w.actor("zoe"), in.ID, inbox.Watch{Events: names}), storage.ErrNotFound)
	}
	after, err := w.store.Inbox(ctx, in.ID)
	require.NoError(t, err)
	require.Equal(t, before, after, "what was asked for before stays")
}

func TestWatchTakesEveryEventOfAnInbox(t *testing.T) { // section 10
	t.Parallel()
	w := newWorld(t, fake.Options{})
	in := w.open(true, filter.Rules{}, reader)
	readme, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	all := inbox.Events()
	for _, name := range all {
		require.Contains(t, string(readme), "`"+string(name)+"`", "README names every event")
		watch := inbox.Watch{Events: []inbox.EventName{name}, User: "rob", Private: true}
		require.NoError(t, w.svc.Watch(t.Context(), w.actor("carl"), in.ID, watch))
		got, err := w.store.Inbox(t.Context(), in.ID)
		require.NoError(t, err)
		watch.User = "carl"
		require.Equal(t, []inbox.Watch{watch}, got.Watches, "one's own, and no other")
	}
	for _, name := range inbox.SiteEvents() {
		require.Contains(t, string(readme), "`"+string(name)+"`", "README names every event")
		watch := inbox.Watch{Events: []inbox.EventName{all[0], name}}
		require.ErrorIs(t, w.svc.Watch(t.Context(), w.actor("carl"), in.ID, watch), inbox.ErrUnknownEvent)
	}
	all[0] = "changed"
	require.NotEqual(t, all[0], inbox.Events()[0], "the list is the caller's own")
}
