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

func TestWhoMayDeleteAndRestore(t *testing.T) { // R-TKT-05, rows 7b, 20, 21, c2, c5; 8.3 (7)
	t.Parallel()
	for _, row := range []struct {
		name     string
		user     acl.UserID
		switched bool // agents may delete
		remove   error
		restore  error
	}{
		{"the creator without the switch", "carl", false, acl.ErrDenied, nil},
		{"the creator", "carl", true, nil, nil},
		{"a teammate", "rita", true, nil, acl.ErrDenied},
		{"a teammate without the switch", "rita", false, acl.ErrDenied, acl.ErrDenied},
		{"a reader", "rob", true, acl.ErrDenied, acl.ErrDenied},
		{"an inbox admin who reads", "ina", true, acl.ErrDenied, nil},
		{"the site owner", "olga", true, acl.ErrDenied, nil},
		{"a site admin", "adam", true, storage.ErrNotFound, storage.ErrNotFound},
		{"a stranger", "zoe", true, storage.ErrNotFound, storage.ErrNotFound},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w, offer := asked(t, fake.Options{})
			w.host.SetSite(inbox.Settings{ID: site, AgentsMayDelete: row.switched})
			ctx := t.Context()
			_, err := w.svc.Delete(ctx, w.actor(row.user), offer.ID)
			require.ErrorIs(t, err, row.remove)
			if row.remove != nil {
				require.Equal(t, offer, w.only())
				w.host.SetSite(inbox.Settings{ID: site, AgentsMayDelete: true})
				_, err = w.svc.Delete(ctx, w.actor("carl"), offer.ID)
				require.NoError(t, err)
			}
			_, err = w.svc.Restore(ctx, w.actor(row.user), offer.ID)
			require.ErrorIs(t, err, row.restore)
			if row.restore == nil {
				require.True(t, w.only().DeletedAt.IsZero())
			}
		})
	}
}

func TestATrashedTicketRestsUntilItIsRestored(t *testing.T) { // R-TKT-05, R-ACL-10
	t.Parallel()
	w, offer := asked(t, fake.Options{}, "Message-ID: <ask@acme.com>")
	w.host.SetSite(inbox.Settings{ID: site, AgentsMayDelete: true})
	ctx, carl := t.Context(), w.actor("carl")
	w.advance(time.Minute)
	got, err := w.svc.Delete(ctx, carl, offer.ID)
	require.NoError(t, err)
	require.Equal(t, w.clock(), got.DeletedAt)
	require.Empty(t, w.listed("carl", ticket.Query{}))
	require.Equal(t, []string{"offer"}, w.listed("carl", ticket.Query{Deleted: true}), "row 20")
	require.Empty(t, w.listed("rita", ticket.Query{Deleted: true}))
	_, err = w.svc.Ticket(ctx, w.actor("rita"), offer.ID)
	require.Error(t, err)
	_, note := w.svc.Note(ctx, carl, offer.ID, "x")
	_, reply := w.svc.Reply(ctx, carl, offer.ID, ticket.Reply{Text: "x"})
	_, edit := w.svc.SetStatus(ctx, carl, offer.ID, ticket.Solved)
	_, again := w.svc.Delete(ctx, carl, offer.ID)
	for what, err := range map[string]error{"note": note, "reply": reply, "edit": edit, "delete": again} {
		require.ErrorIs(t, err, acl.ErrDenied, what)
	}

	w.advance(time.Minute)
	w.deliver("ann@acme.com", "more", "References: <ask@acme.com>")
	w.pull()
	require.Equal(t, []string{"more"}, w.listed("carl", ticket.Query{}), "mail that comes later opens another")

	got, err = w.svc.Restore(ctx, carl, offer.ID)
	require.NoError(t, err)
	require.Equal(t, ticket.Active, got.Status)
	same, err := w.svc.Restore(ctx, carl, offer.ID)
	require.NoError(t, err)
	require.Equal(t, got, same, "the second time changes nothing")
	require.Len(t, w.listed("rita", ticket.Query{}), 2)
	require.Contains(t, w.events(), "ticket.deleted")
	w.advance(time.Minute)
	w.deliver("ann@acme.com", "and more", "References: <ask@acme.com>")
	w.pull()
	require.Len(t, w.listed("rita", ticket.Query{}), 2, "it joins one of the two")
}
