package ticket_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/provider/rfc822"
	"github.com/workinbox/workinbox/ticket"
)

func TestResolveNeedsTheMailbox(t *testing.T) { // R-TKT-08
	t.Parallel()
	w, offer, _, other := neighbours(t)
	w.account.FailSendBefore()
	e, err := w.svc.Reply(t.Context(), w.actor("rita"), offer.ID, ticket.Reply{Text: "hello"})
	require.NoError(t, err)
	w.dispatch(9*time.Minute + 50*time.Second)
	w.dispatch(12 * time.Second)
	require.Equal(t, ticket.OutgoingUnknown, w.outgoing(offer.ID).Outgoing.State)
	_, err = w.svc.Move(t.Context(), w.actor("carl"), offer.ID, ticket.Move{To: other.ID})
	require.NoError(t, err)
	_, err = w.svc.Resolve(t.Context(), w.actor("zoe"), offer.ID, e.ID, ticket.ResolutionSendAgain)
	require.Empty(t, w.account.Sends(), "zoe may not send from carl's mailbox")
	require.ErrorIs(t, err, acl.ErrDenied)
}

func TestRescheduleNeedsTheMailbox(t *testing.T) { // R-TKT-08
	t.Parallel()
	w, offer, _, other := neighbours(t)
	e, err := w.svc.Reply(t.Context(), w.actor("rita"), offer.ID, ticket.Reply{Text: "hello", SendAt: w.clock().Add(time.Hour)})
	require.NoError(t, err)
	_, err = w.svc.Move(t.Context(), w.actor("carl"), offer.ID, ticket.Move{To: other.ID})
	require.NoError(t, err)
	_, err = w.svc.Reschedule(t.Context(), w.actor("zoe"), offer.ID, e.ID, time.Time{})
	require.Empty(t, w.account.Sends(), "zoe may not send from carl's mailbox")
	require.ErrorIs(t, err, acl.ErrDenied)
}

func TestFollowersOfASourceElsewhere(t *testing.T) { // R-TKT-04
	t.Parallel()
	w, offer, second, other := neighbours(t)
	far := w.far(second, other, "far")
	_, err := w.svc.Follow(t.Context(), w.actor("rob"), offer.ID, "rob")
	require.NoError(t, err)
	w.merge("carl", far.ID, offer.ID)
	require.Empty(t, w.stored(far.ID).Followers)
}

func TestMergeGivesNoReplyBack(t *testing.T) { // R-ROL-04
	t.Parallel()
	for _, split := range []bool{true, false} {
		w, ids := partTime(t, 14)
		for _, id := range ids[:10] {
			require.NoError(t, w.tryReply(id))
			w.advance(time.Minute)
		}
		w.pull()
		w.advance(2 * time.Minute)
		require.ErrorIs(t, w.tryReply(ids[10]), acl.ErrReplyQuota)
		if split {
			var last ticket.EntryID
			for _, e := range w.entries(ids[0]) {
				if e.Kind == ticket.EntryReplied {
					last = e.ID
				}
			}
			_, err := w.svc.Split(t.Context(), w.actor("rita"), ids[0], ticket.Split{Entry: last, Later: true})
			require.NoError(t, err)
		} else {
			w.merge("rita", ids[13], ids[0])
		}
		require.ErrorIs(t, w.tryReply(ids[10]), acl.ErrReplyQuota, "split %t", split)
	}
}

func TestChildrenOfAMergedChild(t *testing.T) {
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	child, _ := w.forward("rita", offer.ID, ticket.Forward{To: []rfc822.Address{{Address: "tom@third.org"}}, Text: "see"})
	w.pull()
	w.merge("rita", offer.ID, child.ID)
	seen, unseen, err := w.svc.Children(t.Context(), w.actor("rob"), offer.ID)
	require.NoError(t, err)
	require.Empty(t, seen)
	require.Zero(t, unseen)
}

func TestThreadInEventsOfAMovedTicket(t *testing.T) {
	t.Parallel()
	w, offer, _, other := neighbours(t)
	_, err := w.svc.Move(t.Context(), w.actor("carl"), offer.ID, ticket.Move{To: other.ID})
	require.NoError(t, err)
	for _, e := range w.due() {
		if e.Inbox == other.ID {
			require.Empty(t, e.Thread, e.Name)
		}
	}
}
