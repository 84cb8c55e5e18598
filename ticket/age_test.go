package ticket_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/ticket"
)

const day = 24 * time.Hour

func (w *world) age() ticket.Aged {
	w.t.Helper()
	done, err := w.svc.Age(w.t.Context())
	require.NoError(w.t, err)
	return done
}

// waiting is a world with one ticket that waits for its customer since now.
func waiting(t *testing.T, closes bool) (*world, ticket.Ticket) {
	t.Helper()
	w, offer := asked(t, fake.Options{}, "Message-ID: <ask@acme.com>")
	w.host.SetSite(inbox.Settings{ID: site, CloseWaiting: closes})
	w.advance(time.Minute)
	offer, err := w.svc.SetStatus(t.Context(), w.actor("rita"), offer.ID, ticket.Waiting)
	require.NoError(t, err)
	return w, offer
}

func TestWaitingTicketsCloseAfter72Hours(t *testing.T) { // R-STA-05
	t.Parallel()
	w, offer := waiting(t, true)
	w.advance(72*time.Hour - time.Second)
	_, err := w.svc.Note(t.Context(), w.actor("rob"), offer.ID, "still nothing")
	require.NoError(t, err)
	require.Zero(t, w.age())
	w.advance(time.Second)
	require.Equal(t, ticket.Aged{Closed: 1}, w.age(), "a note is no answer")
	got := w.only()
	require.Equal(t, ticket.Closed, got.Status)
	require.Equal(t, w.clock(), got.ClosedAt)
	require.Equal(t, []string{"received", "changed status active>waiting by rita", "noted by rob", "changed status waiting>closed"}, w.lines(offer.ID))
	require.Equal(t, []string{"ticket.created", "ticket.status", "ticket.note", "ticket.status"}, w.events())
	require.Zero(t, w.age(), "once")

	w.deliver("ann@acme.com", "here", "References: <ask@acme.com>")
	w.pull()
	require.Equal(t, ticket.Active, w.only().Status, "R-STA-08.3")
}

func TestWaitingTicketsStayOpenWhereTheSiteDoesNotCloseThem(t *testing.T) { // R-STA-05: off by default
	t.Parallel()
	w, _ := waiting(t, false)
	w.advance(30 * day)
	require.Zero(t, w.age())
	require.Equal(t, ticket.Waiting, w.only().Status)
}

func TestWhoWritesAgainWaitsAnother72Hours(t *testing.T) { // R-STA-05
	t.Parallel()
	w, _ := waiting(t, true)
	w.advance(71 * time.Hour)
	w.deliverSent("ann@acme.com", "well?", "References: <ask@acme.com>")
	w.pull()
	w.advance(71 * time.Hour)
	require.Zero(t, w.age())
	w.advance(time.Hour)
	require.Equal(t, ticket.Aged{Closed: 1}, w.age())
}

func TestAnsweredJustNowIsNotClosed(t *testing.T) { // R-STA-05: a change at the same time wins
	t.Parallel()
	w, offer := waiting(t, true)
	w.advance(72 * time.Hour)
	w.store.before = func() {
		w.store.before = nil
		_, err := w.svc.SetStatus(t.Context(), w.actor("carl"), offer.ID, ticket.OnHold)
		require.NoError(t, err)
	}
	require.Zero(t, w.age())
	require.Equal(t, ticket.OnHold, w.only().Status)
}

func TestQuietTicketsAreArchived(t *testing.T) { // R-STA-06
	t.Parallel()
	for _, status := range []ticket.Status{ticket.Solved, ticket.Closed} {
		w, offer := asked(t, fake.Options{}, "Message-ID: <ask@acme.com>")
		ctx, rita := t.Context(), w.actor("rita")
		_, err := w.svc.SetStatus(ctx, rita, offer.ID, status)
		require.NoError(t, err)
		w.advance(100 * day)
		_, err = w.svc.Note(ctx, rita, offer.ID, "an interaction")
		require.NoError(t, err)
		last := w.only().Activity
		w.advance(120*day - time.Second)
		require.Zero(t, w.age(), "%s", status)
		w.advance(time.Second)
		require.Equal(t, ticket.Aged{Archived: 1}, w.age(), "%s", status)
		require.Zero(t, w.age(), "once")
		got := w.only()
		require.Equal(t, w.clock(), got.ArchivedAt)
		require.Equal(t, last, got.Activity, "it stays where it is in lists")
		require.Equal(t, []string{"offer"}, w.listed("rob", ticket.Query{}), "still to be found")
		require.Equal(t, status, got.Status)

		_, note := w.svc.Note(ctx, w.actor("carl"), offer.ID, "x")
		_, edit := w.edit(offer.ID, ticket.Edit{Status: new(ticket.Active)})
		require.ErrorIs(t, note, acl.ErrDenied)
		require.ErrorIs(t, edit, acl.ErrDenied, "it cannot be taken out again")

		w.deliver("ann@acme.com", "late", "References: <ask@acme.com>")
		w.pull()
		require.Len(t, w.tickets(), 2, "R-STA-08.4: late mail opens a ticket of its own")
	}
}

func TestOpenTicketsAreNeverArchived(t *testing.T) { // R-STA-06
	t.Parallel()
	for _, status := range []ticket.Status{ticket.Active, ticket.Waiting, ticket.OnHold, ticket.Spam, "in-review"} {
		w, offer := asked(t, fake.Options{})
		w.choices()
		_, err := w.svc.SetStatus(t.Context(), w.actor("rita"), offer.ID, status)
		require.NoError(t, err)
		w.advance(1000 * day)
		require.Zero(t, w.age(), "%s", status)
	}
}

func TestClosedTicketsLock(t *testing.T) { // R-INB-15, R-STA-08.4, R-ACL-10
	t.Parallel()
	for _, row := range []struct {
		name     string
		settings inbox.InboxSettings
		status   ticket.Status
		quiet    time.Duration
		locked   bool
	}{
		{"never, by default", inbox.InboxSettings{}, ticket.Closed, 1000 * day, false},
		{"at once", inbox.InboxSettings{OnClosed: inbox.LockNow}, ticket.Closed, 0, true},
		{"at once, but it is solved", inbox.InboxSettings{OnClosed: inbox.LockNow}, ticket.Solved, 0, false},
		{"after three days, just before", inbox.InboxSettings{OnClosed: inbox.LockQuiet, ClosedDays: 3}, ticket.Closed, 3*day - time.Second, false},
		{"after three days", inbox.InboxSettings{OnClosed: inbox.LockQuiet, ClosedDays: 3}, ticket.Closed, 3 * day, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w, offer := asked(t, fake.Options{}, "Message-ID: <ask@acme.com>")
			ctx, rita := t.Context(), w.actor("rita")
			_, err := w.svc.SetStatus(ctx, rita, offer.ID, row.status)
			require.NoError(t, err)
			_, err = w.inboxes.Edit(ctx, w.actor("carl"), w.in.ID, inbox.Edit{Settings: &row.settings})
			require.NoError(t, err, "tickets that are closed already lock too")
			w.advance(row.quiet)

			w.deliver("ann@acme.com", "more", "References: <ask@acme.com>")
			w.pull()
			if !row.locked {
				require.Equal(t, ticket.Active, w.only().Status)
				return
			}
			_, note := w.svc.Note(ctx, rita, offer.ID, "x")
			_, reply := w.svc.Reply(ctx, rita, offer.ID, ticket.Reply{Text: "x"})
			_, edit := w.edit(offer.ID, ticket.Edit{Status: new(ticket.Active)})
			for what, err := range map[string]error{"note": note, "reply": reply, "edit": edit} {
				require.ErrorIs(t, err, acl.ErrDenied, what)
			}
			_, err = w.svc.Ticket(ctx, rita, offer.ID)
			require.NoError(t, err, "it can be read")
			all := w.tickets()
			require.Len(t, all, 2, "mail that comes opens another")
			require.Equal(t, "more", all[0].Subject)
			w.advance(time.Minute)
			w.deliver("ann@acme.com", "and more", "References: <ask@acme.com>")
			w.pull()
			require.Len(t, w.tickets(), 2, "and what follows joins that one")
		})
	}
}

func TestAnEntryRestartsTheWaitForTheLock(t *testing.T) { // R-INB-15: the counter restarts on each activity
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	ctx, rita := t.Context(), w.actor("rita")
	_, err := w.svc.SetStatus(ctx, rita, offer.ID, ticket.Closed)
	require.NoError(t, err)
	_, err = w.inboxes.Edit(ctx, w.actor("carl"), w.in.ID,
		inbox.Edit{Settings: &inbox.InboxSettings{OnClosed: inbox.LockQuiet, ClosedDays: 3}})
	require.NoError(t, err)
	for range 3 {
		w.advance(2 * day)
		_, err = w.svc.Note(ctx, rita, offer.ID, "still here")
		require.NoError(t, err)
	}
	w.advance(3 * day)
	_, err = w.svc.Note(ctx, rita, offer.ID, "too late")
	require.ErrorIs(t, err, acl.ErrDenied)
}

func TestAgeDiesAnywhere(t *testing.T) { // ambiguous and failed writes: what was missed is done by the next
	t.Parallel()
	for _, lose := range []bool{false, true} {
		w, offer := waiting(t, true)
		w.advance(72 * time.Hour)
		w.store.failFrom(1, lose)
		_, err := w.svc.Age(t.Context())
		require.ErrorIs(t, err, errFault)
		w.store.heal()
		w.age()
		require.Equal(t, ticket.Closed, w.only().Status)
		require.Equal(t, []string{"received", "changed status active>waiting by rita", "changed status waiting>closed"}, w.lines(offer.ID))
	}
}
