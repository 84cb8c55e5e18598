package ticket_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/provider/rfc822"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/ticket"
)

func TestLostSendIsDecidedByAPerson(t *testing.T) { // PROVIDERS 8.3
	t.Parallel()
	for _, wasSent := range []bool{true, false} {
		t.Run(fmt.Sprintf("was sent: %t", wasSent), func(t *testing.T) {
			t.Parallel()
			w, offer := asked(t, fake.Options{})
			w.account.FailSendBefore()
			e, err := w.svc.Reply(t.Context(), w.actor("rita"), offer.ID,
				ticket.Reply{Text: "hello", Bcc: []rfc822.Address{{Address: "log@firm.example"}}})
			require.NoError(t, err)
			mails := w.blobs()
			first := w.raw(e.Outgoing.Blob)
			_, err = w.svc.Resolve(t.Context(), w.actor("carl"), offer.ID, e.ID, wasSent)
			require.ErrorIs(t, err, ticket.ErrNotUnknown, "the engine is still looking")
			w.dispatch(9*time.Minute + 50*time.Second)
			require.Equal(t, ticket.OutgoingSending, w.outgoing(offer.ID).Outgoing.State)
			w.dispatch(12 * time.Second)
			got := w.outgoing(offer.ID)
			require.Equal(t, ticket.OutgoingUnknown, got.Outgoing.State)
			require.Equal(t, "not_found", got.Outgoing.Error)
			require.Equal(t, 8, w.account.Calls()[fake.OpFind], "four looks: in the thread, then everywhere")
			require.Equal(t, []string{"ticket.created", "ticket.send.unknown"}, w.events())
			require.Equal(t, acl.UserID("rita"), w.due()[1].Target)
			w.dispatch(time.Hour)
			require.Empty(t, w.account.Sends(), "never sent again by itself")

			for user, want := range map[acl.UserID]error{"rob": acl.ErrDenied, "zoe": storage.ErrNotFound} {
				_, err := w.svc.Resolve(t.Context(), w.actor(user), offer.ID, e.ID, wasSent)
				require.ErrorIs(t, err, want, "%s decides", user)
			}
			out, err := w.svc.Resolve(t.Context(), w.actor("carl"), offer.ID, e.ID, wasSent)
			require.NoError(t, err)
			require.Equal(t, ticket.OutgoingSent, out.Outgoing.State)
			require.Equal(t, ticket.Waiting, w.only().Status)
			require.Equal(t, mails, w.blobs(), "the raw mail is kept once")
			_, err = w.svc.Resolve(t.Context(), w.actor("carl"), offer.ID, e.ID, wasSent)
			require.ErrorIs(t, err, ticket.ErrNotUnknown, "decided")
			if wasSent {
				require.Empty(t, w.account.Sends())
				return
			}
			require.Len(t, w.account.Sends(), 1)
			again := w.account.Sends()[0]
			require.NotEqual(t, e.Outgoing.Marker, again.Marker, "a new marker")
			require.Equal(t, e.RFCID, again.MessageID, "the same Message-ID")
			require.Equal(t, strings.Replace(first, e.Outgoing.Marker, again.Marker, 1), string(again.Raw),
				"nothing else is changed")
			w.pull()
			require.Equal(t, 2, w.only().Messages)
		})
	}
}

func TestResolveShowsBlindCopiesToTheirOwnOnly(t *testing.T) { // R-MSG-04
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	w.account.FailSendBefore()
	e, err := w.svc.Reply(t.Context(), w.actor("carl"), offer.ID,
		ticket.Reply{Text: "hello", Bcc: []rfc822.Address{{Address: "log@firm.example"}}})
	require.NoError(t, err)
	w.dispatch(11 * time.Minute)
	out, err := w.svc.Resolve(t.Context(), w.actor("rita"), offer.ID, e.ID, false)
	require.NoError(t, err)
	require.Empty(t, out.Bcc)
	require.Equal(t, "log@firm.example", bare(w.lastSent().Envelope.Bcc))
}
