package ticket_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/provider/rfc822"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/ticket"
)

func TestLostSendIsDecidedByAPerson(t *testing.T) { // PROVIDERS 8.3
	t.Parallel()
	for _, decision := range []ticket.Resolution{ticket.ResolutionSent, ticket.ResolutionSendAgain} {
		t.Run(string(decision), func(t *testing.T) {
			t.Parallel()
			w, offer := asked(t, fake.Options{})
			w.account.FailSendBefore()
			e, err := w.svc.Reply(t.Context(), w.actor("rita"), offer.ID,
				ticket.Reply{Text: "hello", Bcc: []rfc822.Address{{Address: "log@firm.example"}}})
			require.NoError(t, err)
			mails := w.blobs()
			first := w.raw(e.Outgoing.Blob)
			_, err = w.svc.Resolve(t.Context(), w.actor("carl"), offer.ID, e.ID, decision)
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
				_, err := w.svc.Resolve(t.Context(), w.actor(user), offer.ID, e.ID, decision)
				require.ErrorIs(t, err, want, "%s decides", user)
			}
			for _, none := range []ticket.Resolution{"", "SENT"} {
				_, err := w.svc.Resolve(t.Context(), w.actor("carl"), offer.ID, e.ID, none)
				require.ErrorContains(t, err, "send-again", "what there is to decide")
				require.Equal(t, got, w.outgoing(offer.ID), "nothing is decided by %q", none)
			}
			out, err := w.svc.Resolve(t.Context(), w.actor("carl"), offer.ID, e.ID, decision)
			require.NoError(t, err)
			require.Equal(t, ticket.OutgoingSent, out.Outgoing.State)
			require.Equal(t, ticket.Waiting, w.only().Status)
			require.Equal(t, mails, w.blobs(), "the raw mail is kept once")
			_, err = w.svc.Resolve(t.Context(), w.actor("carl"), offer.ID, e.ID, decision)
			require.ErrorIs(t, err, ticket.ErrNotUnknown, "decided")
			if decision == ticket.ResolutionSent {
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
	out, err := w.svc.Resolve(t.Context(), w.actor("rita"), offer.ID, e.ID, ticket.ResolutionSendAgain)
	require.NoError(t, err)
	require.Empty(t, out.Bcc)
	require.Equal(t, "log@firm.example", bare(w.lastSent().Envelope.Bcc))
}

// hasRaw demands the raw bytes of every mail of the archive.
func (w *world) hasRaw() {
	w.t.Helper()
	for m, err := range w.store.Messages(w.t.Context(), inbox.MessageQuery{Inbox: w.in.ID, Hidden: true}) {
		require.NoError(w.t, err)
		r, err := w.store.OpenBlob(w.t.Context(), m.Blob)
		require.NoError(w.t, err, "raw bytes of %q", m.Subject)
		require.NoError(w.t, r.Close())
	}
}

// The copy in the sent folder may have the very bytes that were sent, and so the same blob.
func TestSendingAgainLeavesTheStoredCopyItsBytes(t *testing.T) {
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	w.account.LoseAnswerOfSend()
	w.account.FailAlways(fake.OpFind, "", errors.New("the search does not answer"))
	e := w.reply(offer.ID)
	for range 6 {
		w.dispatch(5 * time.Minute)
	}
	require.Equal(t, ticket.OutgoingUnknown, w.outgoing(offer.ID).Outgoing.State)
	w.account.Heal()
	_, err := w.inboxes.Sync(t.Context(), w.in.ID)
	require.NoError(t, err)
	_, err = w.svc.Resolve(t.Context(), w.actor("rita"), offer.ID, e.ID, ticket.ResolutionSendAgain)
	require.NoError(t, err)
	w.hasRaw()
	w.pull()
	w.hasRaw()
}
