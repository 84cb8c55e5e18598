package ticket_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/ticket"
)

// shared is a world where one mail of Ann's came to carl and to rita. Carl may read rita's inbox, rob
// and rita may read carl's.
func shared(t *testing.T) (w *world, carls, ritas ticket.Ticket) {
	t.Helper()
	w, carls = asked(t, fake.Options{}, "To: me@firm.example, rita@firm.example")
	first, firstAccount := w.in, w.account
	w.account = w.mail.Account("rita@firm.example")
	w.connect("rita", false, acl.Grant{User: "carl", Access: acl.ReadOnly})
	w.advance(time.Minute)
	w.deliver("Ann <ann@acme.com>", "offer", "Message-ID: <ask@acme.com>")
	w.deliver("Ann <ann@acme.com>", "offer", "Message-ID: <another@acme.com>", "References:")
	w.pull()
	for _, got := range w.tickets() {
		if e := w.entries(got.ID); got.Inbox == w.in.ID && e[0].RFCID == "ask@acme.com" {
			ritas = got
		}
	}
	w.in, w.account = first, firstAccount
	return w, carls, ritas
}

func (w *world) related(user acl.UserID, id ticket.ID) []ticket.ID {
	w.t.Helper()
	all, err := w.svc.Related(w.t.Context(), w.actor(user), id)
	require.NoError(w.t, err)
	out := []ticket.ID{}
	for _, t := range all {
		out = append(out, t.ID)
	}
	return out
}

func TestOneMailInTwoInboxesIsLinkedForWhoSeesBoth(t *testing.T) { // R-MSG-08
	t.Parallel()
	w, carls, ritas := shared(t)
	for _, user := range []acl.UserID{"carl", "rita", "olga"} {
		require.Equal(t, []ticket.ID{ritas.ID}, w.related(user, carls.ID), user)
		require.Equal(t, []ticket.ID{carls.ID}, w.related(user, ritas.ID), user)
	}
	require.Empty(t, w.related("rob", carls.ID), "who sees one learns nothing of the other")
	_, err := w.svc.Related(t.Context(), w.actor("rob"), ritas.ID)
	require.ErrorIs(t, err, storage.ErrNotFound)
}

func TestHiddenMailLinksForItsOwnCreatorAlone(t *testing.T) { // R-MSG-08, R-CHG-07
	t.Parallel()
	w, carls, ritas := shared(t)
	w.deliver("Ann <ann@acme.com>", "more", "References: <ask@acme.com>")
	w.pull() // so that the ticket itself stays visible
	yes := true
	w.change(inbox.MessageChange{ID: carls.Last, Hidden: &yes})
	w.collect()
	require.Equal(t, []ticket.ID{ritas.ID}, w.related("carl", carls.ID))
	require.Empty(t, w.related("rita", carls.ID))
	require.Equal(t, []ticket.ID{carls.ID}, w.related("carl", ritas.ID))
	require.Empty(t, w.related("rita", ritas.ID), "that the mail is there is hidden too")
}

func TestAMailThatHasNotLeftLinksNothing(t *testing.T) { // R-MSG-08
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	e, err := w.svc.Reply(t.Context(), w.actor("rita"), offer.ID, ticket.Reply{Text: "later", SendAt: w.clock().Add(time.Hour)})
	require.NoError(t, err)
	w.deliver("Ben <ben@acme.com>", "same id", "Message-ID: <"+e.RFCID+">")
	w.pull()
	require.Len(t, w.tickets(), 2)
	require.Empty(t, w.related("carl", offer.ID))
}
