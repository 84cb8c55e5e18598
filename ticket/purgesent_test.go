package ticket_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/ticket"
)

// The copy of a mail that was sent a moment ago opens no ticket once what it was sent from is purged.
func TestAPurgeWaitsForWhatIsNotBackFromTheMailbox(t *testing.T) { // R-TKT-05
	t.Parallel()
	for name, row := range map[string]struct {
		left  func(w *world, offer ticket.ID)
		waits bool
	}{
		"sent":                            {func(w *world, offer ticket.ID) { w.reply(offer) }, true},
		"synced and not collected":        {func(w *world, offer ticket.ID) { w.reply(offer); w.sync() }, false},
		"back":                            {func(w *world, offer ticket.ID) { w.reply(offer); w.pull() }, false},
		"in doubt":                        {func(w *world, offer ticket.ID) { w.doubt(offer) }, true},
		"in doubt, synced, not collected": {func(w *world, offer ticket.ID) { w.doubt(offer); w.sync() }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, offer := asked(t, fake.Options{})
			row.left(w, offer.ID)
			w.trash(offer.ID)
			ctx, carl := t.Context(), w.actor("carl")
			if row.waits {
				require.ErrorIs(t, w.svc.Purge(ctx, carl, offer.ID), ticket.ErrSending)
				require.Zero(t, w.stored(offer.ID).PurgeBegan)
				w.hasRaw()
				w.pull()
			}
			require.NoError(t, w.svc.Purge(ctx, carl, offer.ID))
			w.gone(offer.ID)
			w.pull()
			require.Empty(t, w.tickets())
			require.Empty(t, w.mails(w.in.ID))
			require.Zero(t, w.blobs())
		})
	}
}

func (w *world) sync() {
	w.t.Helper()
	_, err := w.inboxes.Sync(w.t.Context(), w.in.ID)
	require.NoError(w.t, err)
}

// doubt answers a ticket, and nobody knows whether the mail left, which it did.
func (w *world) doubt(id ticket.ID) {
	w.t.Helper()
	w.account.LoseAnswerOfSend()
	w.account.FailAlways(fake.OpFind, "", errFault)
	w.reply(id)
	for range 6 {
		w.dispatch(5 * time.Minute)
	}
	require.Equal(w.t, ticket.OutgoingUnknown, w.outgoing(id).Outgoing.State)
	w.account.Heal()
}

func TestAPurgeDoesNotWaitForACopyThatDoesNotCome(t *testing.T) { // R-TKT-05
	t.Parallel()
	for name, pass := range map[string]func(w *world){
		"a sync has not brought it": func(w *world) { w.advance(11 * time.Minute); w.pull() },
		"nobody syncs":              func(w *world) { w.advance(7 * day) },
	} {
		w, offer := asked(t, fake.Options{})
		w.account.FailSendBefore()
		e := w.reply(offer.ID)
		w.dispatch(11 * time.Minute)
		_, err := w.svc.Resolve(t.Context(), w.actor("rita"), offer.ID, e.ID, ticket.ResolutionSent)
		require.NoError(t, err)
		w.trash(offer.ID)
		require.ErrorIs(t, w.svc.Purge(t.Context(), w.actor("carl"), offer.ID), ticket.ErrSending, name)
		pass(w)
		require.NoError(t, w.svc.Purge(t.Context(), w.actor("carl"), offer.ID), name)
		w.gone(offer.ID)
	}
}
