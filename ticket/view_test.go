package ticket_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/ticket"
)

func TestMarkUnreadLastsUntilThePersonReads(t *testing.T) { // section 7, views
	t.Parallel()
	w := newWorld(t, fake.Options{})
	w.account.Deliver(mailText("ann@acme.com", w.account.Address(), "imported", "Message-ID: <a1@acme.com>"),
		fake.Delivery{Received: connected.Add(-time.Hour)})
	w.open(true)
	w.pull()
	id := w.only().ID
	require.Zero(t, w.only().HeardAt, "an import is nobody's news")
	unread := func(user acl.UserID) bool {
		t.Helper()
		got, err := w.svc.Unread(t.Context(), w.actor(user), id)
		require.NoError(t, err)
		n := map[bool]int{true: 1}[got]
		counts, err := w.svc.Counts(t.Context(), w.actor(user), ticket.Query{})
		require.NoError(t, err)
		require.Equal(t, n, counts.View(ticket.ViewUnread, user), "counts as %s sees them", user)
		require.Len(t, w.listed(user, ticket.ViewUnread.Query(user)), n, "list as %s sees it", user)
		return got
	}
	read := func(user acl.UserID) {
		t.Helper()
		_, err := w.svc.MarkRead(t.Context(), w.actor(user), id, w.only().HeardAt)
		require.NoError(t, err)
	}
	markUnread := func(user acl.UserID) error {
		_, err := w.svc.MarkUnread(t.Context(), w.actor(user), id)
		return err
	}
	require.False(t, unread("rita"))
	require.NoError(t, markUnread("rita"))
	require.True(t, unread("rita"))
	require.False(t, unread("rob"), "for oneself alone")
	require.NoError(t, markUnread("rita"), "again")
	require.True(t, unread("rita"))
	read("rita")
	require.False(t, unread("rita"))

	w.advance(time.Minute)
	w.deliver("ann@acme.com", "Re: imported", "References: <a1@acme.com>")
	w.pull()
	require.NotZero(t, w.only().HeardAt)
	require.True(t, unread("rita"))
	read("rita")
	require.False(t, unread("rita"))
	require.NoError(t, markUnread("rita"))
	require.True(t, unread("rita"))
	read("rita")
	require.False(t, unread("rita"))
	require.ErrorIs(t, markUnread("zoe"), storage.ErrNotFound)
}
