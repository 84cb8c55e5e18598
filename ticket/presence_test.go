package ticket_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/ticket"
)

// there writes who the user sees at a ticket.
func (w *world) there(user acl.UserID, id ticket.ID) string {
	w.t.Helper()
	vs, err := w.svc.Visitors(w.t.Context(), w.actor(user), id)
	require.NoError(w.t, err)
	out := ""
	for _, v := range vs {
		out += fmt.Sprintf("%s %s;", v.User, v.Doing)
	}
	return out
}

func TestPeopleSeeEachOtherAtATicket(t *testing.T) { // 11.14
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	visit := func(user acl.UserID, doing ticket.Doing) {
		require.NoError(t, w.svc.Visit(t.Context(), w.actor(user), offer.ID, doing))
	}
	visit("rita", ticket.Viewing)
	visit("rob", ticket.Viewing)
	visit("rita", ticket.Typing)
	require.Equal(t, "rita typing;rob viewing;", w.there("carl", offer.ID))
	require.Equal(t, "rob viewing;", w.there("rita", offer.ID), "not oneself")
	w.advance(30 * time.Second)
	visit("rob", ticket.Viewing)
	w.advance(15 * time.Second)
	require.Equal(t, "rob viewing;", w.there("carl", offer.ID), "rita was not heard of again")
	visit("rob", "")
	require.Empty(t, w.there("carl", offer.ID))

	visit("rob", ticket.Viewing)
	_, err := w.inboxes.Unshare(t.Context(), w.actor("carl"), w.in.ID, "rob")
	require.NoError(t, err)
	require.Empty(t, w.there("carl", offer.ID), "who lost access is not there")
	for _, user := range []acl.UserID{"zoe", "adam", "rob"} {
		require.ErrorIs(t, w.svc.Visit(t.Context(), w.actor(user), offer.ID, ticket.Viewing), storage.ErrNotFound)
	}
}

func TestNobodyIsSeenAtWhatIsHiddenFromThem(t *testing.T) { // R-CHG-07
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	require.NoError(t, w.svc.Visit(t.Context(), w.actor("rita"), offer.ID, ticket.Viewing))
	yes := true
	w.change(inbox.MessageChange{ID: offer.Last, Hidden: &yes})
	w.collect()
	require.Empty(t, w.there("carl", offer.ID))
}

func TestNobodyIsSeenAtATicketOfATrashTheyMayNotSee(t *testing.T) { // R-TKT-05
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	for _, user := range []acl.UserID{"rita", "ina"} {
		require.NoError(t, w.svc.Visit(t.Context(), w.actor(user), offer.ID, ticket.Viewing))
	}
	w.host.SetSite(inbox.Settings{ID: site, AgentsMayDelete: true})
	_, err := w.svc.Delete(t.Context(), w.actor("carl"), offer.ID)
	require.NoError(t, err)
	require.Equal(t, "ina viewing;", w.there("carl", offer.ID))
}

func TestMemoryPresenceDoesNotGrow(t *testing.T) {
	t.Parallel()
	var p ticket.MemoryPresence
	now := connected
	for i := range 1000 {
		now = now.Add(time.Second)
		require.NoError(t, p.Visit(t.Context(), ticket.ID(fmt.Sprint(i)), ticket.Visitor{User: "rita", Until: now.Add(45 * time.Second)}, now))
	}
	left := 0
	for i := range 1000 {
		vs, err := p.Visitors(t.Context(), ticket.ID(fmt.Sprint(i)), connected) // an earlier clock shows what is kept
		require.NoError(t, err)
		left += len(vs)
	}
	require.LessOrEqual(t, left, 106)
}
