package ticket_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/provider/rfc822"
	"github.com/workinbox/workinbox/ticket"
)

func TestTheHostSaysHowManyRecipientsAMailMayHave(t *testing.T) { // R-MSG-05
	t.Parallel()
	for _, row := range []struct{ most, people int }{{0, 50}, {10, 10}, {1, 1}, {-1, 200}} {
		w, offer := asked(t, fake.Options{})
		svc, err := ticket.New(ticket.Config{Store: w.store, Inboxes: w.inboxes, Archive: w.store, Blobs: w.store,
			MaxRecipients: row.most, Now: w.clock, NewID: w.id})
		require.NoError(t, err)
		var to []rfc822.Address
		for i := range row.people {
			to = append(to, rfc822.Address{Address: fmt.Sprintf("p%d@third.org", i)})
		}
		_, err = svc.Reply(t.Context(), w.actor("rita"), offer.ID, ticket.Reply{Text: "hello", To: to[:1], Cc: to[1:]})
		require.NoError(t, err, "%d people, at most %d", row.people, row.most)
		if row.most < 0 {
			continue
		}
		_, err = svc.Reply(t.Context(), w.actor("rita"), offer.ID, ticket.Reply{Text: "hello", To: to[:1], Cc: to[1:], Bcc: addresses("one-more")})
		require.ErrorIs(t, err, ticket.ErrTooManyRecipients, "one more than %d", row.people)
	}
}
