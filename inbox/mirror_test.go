package inbox_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/fake"
)

// Old mail that came back from the trash while nobody could be told of it comes back here too.
func TestMailRescuedBehindAnExpiredCursorComesBack(t *testing.T) { // R-CON-07, R-IMP-10
	t.Parallel()
	w := newWorld(t, fake.Options{PageSize: 2})
	w.mailFrom("ann@acme.com", "old", 20*24)
	rescued := w.mailFrom("ann@acme.com", "rescued", 15*24)
	gone := w.mailFrom("ann@acme.com", "gone", 10*24)
	in := w.open(true, filter.Rules{Mode: filter.All})
	settings := inbox.InboxSettings{MirrorDeletes: true}
	_, err := w.svc.Edit(t.Context(), w.actor("carl"), in.ID, inbox.Edit{Settings: &settings})
	require.NoError(t, err)
	w.sync(in.ID)
	w.account.Move(rescued, provider.FolderTrash)
	w.account.Move(gone, provider.FolderTrash)
	w.sync(in.ID)
	removed := func() (all []string) {
		for _, m := range w.messages(in.ID) {
			if m.Removed {
				all = append(all, m.Subject)
			}
		}
		return all
	}
	require.Equal(t, []string{"gone", "rescued"}, removed())

	w.account.Move(rescued, provider.FolderMail)
	w.account.ExpireCursors()
	w.sync(in.ID)
	require.Equal(t, []string{"gone"}, removed())
	require.Len(t, w.messages(in.ID), 3, "nothing is stored twice")
}
