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

func TestWhoMayFollowWhom(t *testing.T) { // R-TKT-04, rows 15 and 16, c8, R-ROL-05
	t.Parallel()
	for _, row := range []struct {
		actor, user acl.UserID
		want        error
	}{
		{"carl", "carl", nil}, {"rita", "rita", nil}, {"rob", "rob", nil}, {"ina", "ina", nil}, {"olga", "olga", nil},
		{"carl", "rob", nil}, {"rita", "olga", nil}, {"rita", "ina", nil},
		{"rob", "rita", acl.ErrDenied}, {"ina", "rita", acl.ErrDenied}, {"olga", "rita", acl.ErrDenied},
		{"adam", "adam", storage.ErrNotFound}, {"zoe", "zoe", storage.ErrNotFound}, {"zoe", "rita", storage.ErrNotFound},
		{"rita", "adam", ticket.ErrCannotFollow}, {"rita", "zoe", ticket.ErrCannotFollow},
		{"rita", "nobody", ticket.ErrCannotFollow}, {"rita", "pending", ticket.ErrCannotFollow},
	} {
		t.Run(string(row.actor+" adds "+row.user), func(t *testing.T) {
			t.Parallel()
			w, offer := asked(t, fake.Options{})
			p := person("pending", acl.Agent)
			p.State = acl.Pending
			w.host.AddPerson(p)
			_, err := w.inboxes.Share(t.Context(), w.actor("carl"), w.in.ID, acl.Grant{User: "pending", Access: acl.ReadAndReply})
			require.NoError(t, err)
			got, err := w.svc.Follow(t.Context(), w.actor(row.actor), offer.ID, row.user)
			require.ErrorIs(t, err, row.want)
			if row.want != nil {
				require.Equal(t, offer, w.only())
				return
			}
			require.Equal(t, []acl.UserID{row.user}, got.Followers)
			again, err := w.svc.Follow(t.Context(), w.actor(row.actor), offer.ID, row.user)
			require.NoError(t, err)
			require.Equal(t, got, again)
			got, err = w.svc.Unfollow(t.Context(), w.actor(row.actor), offer.ID, row.user)
			require.NoError(t, err)
			require.Empty(t, got.Followers)
			_, err = w.svc.Unfollow(t.Context(), w.actor(row.actor), offer.ID, row.user)
			require.NoError(t, err)
			require.Equal(t, []string{"received", "changed follower >" + string(row.user) + " by " + string(row.actor),
				"changed follower " + string(row.user) + "> by " + string(row.actor)}, w.lines(offer.ID))
		})
	}
}

func TestOnLockedTicketsPeopleFollowForThemselves(t *testing.T) { // R-ACL-10: row 16 is denied, row 15 is not
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	ctx, rita := t.Context(), w.actor("rita")
	_, err := w.svc.SetStatus(ctx, rita, offer.ID, ticket.Closed)
	require.NoError(t, err)
	_, err = w.inboxes.Edit(ctx, w.actor("carl"), w.in.ID, inbox.Edit{Settings: &inbox.InboxSettings{OnClosed: inbox.LockNow}})
	require.NoError(t, err)
	w.advance(time.Minute)
	_, err = w.svc.Follow(ctx, rita, offer.ID, "rita")
	require.NoError(t, err)
	_, err = w.svc.Follow(ctx, rita, offer.ID, "rob")
	require.ErrorIs(t, err, acl.ErrDenied)
}

func TestATicketHasOnlySoManyFollowers(t *testing.T) {
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	for i := range 100 {
		offer.Followers = append(offer.Followers, acl.UserID(rune('a'+i)))
	}
	_, err := w.store.SaveTickets(t.Context(), []ticket.Write{{Ticket: offer}})
	require.NoError(t, err)
	_, err = w.svc.Follow(t.Context(), w.actor("rob"), offer.ID, "rob")
	require.ErrorIs(t, err, ticket.ErrCannotFollow)
}

func TestWhoMayNotSeeAMovedHiddenTicketDoesNotFollowIt(t *testing.T) { // c8, R-CHG-07
	t.Parallel()
	w, offer, _, other := neighbours(t)
	_, err := w.svc.Move(t.Context(), w.actor("carl"), offer.ID, ticket.Move{To: other.ID})
	require.NoError(t, err)
	w.change(inbox.MessageChange{ID: offer.Last, Hidden: new(true)})
	w.collect()
	_, err = w.svc.Ticket(t.Context(), w.actor("zoe"), offer.ID)
	require.ErrorIs(t, err, storage.ErrNotFound)
	_, err = w.svc.Follow(t.Context(), w.actor("carl"), offer.ID, "zoe")
	require.ErrorIs(t, err, ticket.ErrCannotFollow)
}
