package desk_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/ticket"
	"github.com/workinbox/workinbox/ticket/desk"
)

func TestHousekeepingPurgesTheTrashOfTickets(t *testing.T) { // R-TKT-05
	t.Parallel()
	bubble(t, func(c *desk.Config) { c.Poll = 24 * time.Hour }, func(t *testing.T, w *world) {
		account, id := w.open("me@firm.example")
		deliver(account, "offer")
		w.desk.Ring(id)
		after(2 * time.Second)
		w.stop()
		offer := w.only(id)
		offer.DeletedAt = time.Now().UTC()
		_, err := w.store.SaveTickets(t.Context(), []ticket.Write{{Ticket: offer}})
		require.NoError(t, err)
		for _, want := range []error{nil, storage.ErrNotFound} {
			require.NoError(t, w.desk.Housekeep(t.Context()))
			_, err := w.store.Ticket(t.Context(), offer.ID)
			require.ErrorIs(t, err, want)
			after(30 * 24 * time.Hour)
		}
		for m, err := range w.store.Messages(t.Context(), inbox.MessageQuery{Inbox: id, Hidden: true}) {
			require.NoError(t, err)
			require.Fail(t, "mail is left", m.ID)
		}
		w.run()
	})
}
