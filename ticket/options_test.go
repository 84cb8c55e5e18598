package ticket_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/ticket"
)

func TestWhoMayDoWhatOnATicket(t *testing.T) { // rows 3, 5, 8, 11; 8.3 (1), (2), (3)
	t.Parallel()
	for _, row := range []struct {
		user                       acl.UserID
		read, note, options, reply error
	}{
		{"carl", nil, nil, nil, nil},
		{"rita", nil, nil, nil, nil},
		{"rob", nil, nil, acl.ErrDenied, acl.ErrDenied},
		{"ina", nil, nil, acl.ErrDenied, acl.ErrDenied},
		{"olga", nil, nil, acl.ErrDenied, acl.ErrDenied},
		{"adam", storage.ErrNotFound, storage.ErrNotFound, storage.ErrNotFound, storage.ErrNotFound},
		{"zoe", storage.ErrNotFound, storage.ErrNotFound, storage.ErrNotFound, storage.ErrNotFound},
	} {
		t.Run(string(row.user), func(t *testing.T) {
			t.Parallel()
			w, offer := asked(t, fake.Options{})
			ctx, actor := t.Context(), w.actor(row.user)
			_, read := w.svc.Ticket(ctx, actor, offer.ID)
			_, note := w.svc.Note(ctx, actor, offer.ID, "note")
			_, status := w.svc.SetStatus(ctx, actor, offer.ID, ticket.OnHold)
			_, assign := w.svc.Assign(ctx, actor, offer.ID, "rita")
			_, reply := w.svc.Reply(ctx, actor, offer.ID, ticket.Reply{Text: "hello"})
			for what, got := range map[string][2]error{"read": {row.read, read}, "note": {row.note, note},
				"status": {row.options, status}, "assign": {row.options, assign}, "reply": {row.reply, reply}} {
				require.ErrorIs(t, got[1], got[0], "%s may %s", row.user, what)
				if got[1] != nil {
					require.NotContains(t, got[1].Error(), "offer", "the error of %s tells the subject", what)
				}
			}
			require.Equal(t, row.reply == nil, len(w.account.Sends()) == 1)
		})
	}
}

func TestPeopleWhoMayNotWorkNowMayNothing(t *testing.T) { // R-ROL-05, R-ROL-07
	t.Parallel()
	for _, st := range []acl.UserState{acl.Pending, acl.Deactivated} {
		w, offer := asked(t, fake.Options{})
		p := person("rita", acl.Agent)
		p.State = st
		w.host.AddPerson(p)
		_, err := w.svc.Reply(t.Context(), w.actor("rita"), offer.ID, ticket.Reply{Text: "hello"})
		require.ErrorIs(t, err, storage.ErrNotFound, "%s", st)
		require.Empty(t, w.listed("rita", ticket.Query{}), "%s", st)
		_, err = w.svc.Assign(t.Context(), w.actor("carl"), offer.ID, "rita")
		require.ErrorIs(t, err, ticket.ErrCannotAssign, "%s", st)
	}
	w, offer := asked(t, fake.Options{})
	p := person("rita", acl.Agent)
	p.PartTime = true
	w.host.AddPerson(p)
	_, err := w.svc.Reply(t.Context(), w.actor("rita"), offer.ID, ticket.Reply{Text: "hello"})
	require.NoError(t, err, "R-ROL-03: a part-timer with an unspent quota replies")
}

func TestOptionsAreWrittenWithTheLineThatExplainsThem(t *testing.T) {
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	ctx, rita := t.Context(), w.actor("rita")
	w.advance(time.Minute)
	got, err := w.svc.SetStatus(ctx, rita, offer.ID, ticket.Solved)
	require.NoError(t, err)
	require.Equal(t, ticket.Solved, got.Status)
	require.Equal(t, w.clock(), got.ClosedAt)
	require.Equal(t, w.clock(), got.Activity)
	closed := w.clock()
	w.advance(time.Minute)
	got, err = w.svc.SetStatus(ctx, rita, offer.ID, ticket.Closed)
	require.NoError(t, err)
	require.Equal(t, closed, got.ClosedAt, "the work ended when it was solved")
	same, err := w.svc.SetStatus(ctx, rita, offer.ID, ticket.Closed)
	require.NoError(t, err)
	require.Equal(t, got, same, "the same again changes nothing")
	w.choices()
	_, err = w.svc.SetStatus(ctx, rita, offer.ID, "in-review")
	require.NoError(t, err, "R-STA-01: a site's own status")
	require.True(t, w.only().ClosedAt.IsZero(), "open again")

	for _, to := range []acl.UserID{"rita", "rita", "carl", ""} {
		got, err = w.svc.Assign(ctx, rita, offer.ID, to)
		require.NoError(t, err)
		require.Equal(t, to, got.Assignee)
	}
	require.Equal(t, []string{"received",
		"changed status active>solved by rita", "changed status solved>closed by rita",
		"changed status closed>in-review by rita", "changed assignee >rita by rita",
		"changed assignee rita>carl by rita", "changed assignee carl> by rita"}, w.lines(offer.ID))
	require.Equal(t, []string{"ticket.created", "ticket.status", "ticket.status", "ticket.status",
		"ticket.assigned", "ticket.assigned", "ticket.unassigned"}, w.events())
	last := w.due()[6]
	require.Equal(t, [2]acl.UserID{"rita", "carl"}, [2]acl.UserID{last.Actor, last.Target}, "who took it from whom")
	require.Equal(t, string(offer.ID), last.Ticket)
	require.Equal(t, offer.Last, last.Message, "a notice goes to those who may see the newest mail")
}

func TestBadStatusesAndAssignees(t *testing.T) {
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	for _, st := range []ticket.Status{"", "Active", "in-review", "a\n", ticket.Status(strings.Repeat("x", 41))} {
		_, err := w.svc.SetStatus(t.Context(), w.actor("rita"), offer.ID, st)
		require.ErrorIs(t, err, ticket.ErrOption, "status %q", st)
		if st != "" {
			_, err = w.svc.Reply(t.Context(), w.actor("rita"), offer.ID, ticket.Reply{Text: "x", Status: st})
			require.ErrorIs(t, err, ticket.ErrOption, "reply with status %q", st)
		}
	}
	for user, why := range map[acl.UserID]string{"rob": "reads only", "adam": "has no grant", "nobody": "is unknown", "olga": "row 12: reads only"} {
		_, err := w.svc.Assign(t.Context(), w.actor("rita"), offer.ID, user)
		require.ErrorIs(t, err, ticket.ErrCannotAssign, "%s %s", user, why)
	}
	require.Equal(t, []string{"received"}, w.lines(offer.ID))
	require.Empty(t, w.account.Sends())
}

func TestNotesStayInside(t *testing.T) { // R-MSG-02, row 5
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	w.advance(time.Minute)
	e, err := w.svc.Note(t.Context(), w.actor("rob"), offer.ID, "they \x00paid\xff late")
	require.NoError(t, err)
	require.Equal(t, "they paid\uFFFD late", e.Text, "fit for every store")
	require.Equal(t, ticket.EntryNoted, e.Kind)
	got := w.only()
	require.Equal(t, offer.Status, got.Status, "R-STA-08: a note moves nothing")
	require.Equal(t, w.clock(), got.Activity)
	_, err = w.svc.Note(t.Context(), w.actor("rob"), offer.ID, " \n")
	require.ErrorIs(t, err, ticket.ErrEmpty)
	_, err = w.svc.Dispatch(t.Context(), 0)
	require.NoError(t, err)
	require.Empty(t, w.account.Sends())
	_, err = w.svc.Reply(t.Context(), w.actor("rita"), offer.ID, ticket.Reply{Text: "hello"})
	require.NoError(t, err)
	require.NotContains(t, string(w.account.Sends()[0].Raw), "paid")
}

func TestAnArchivedTicketIsReadOnly(t *testing.T) { // R-STA-06, R-ACL-10
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	offer.ArchivedAt = w.clock()
	_, err := w.store.SaveTickets(t.Context(), []ticket.Write{{Ticket: offer}})
	require.NoError(t, err)
	ctx, carl := t.Context(), w.actor("carl")
	_, note := w.svc.Note(ctx, carl, offer.ID, "x")
	_, status := w.svc.SetStatus(ctx, carl, offer.ID, ticket.Solved)
	_, reply := w.svc.Reply(ctx, carl, offer.ID, ticket.Reply{Text: "x"})
	for what, err := range map[string]error{"note": note, "status": status, "reply": reply} {
		require.ErrorIs(t, err, acl.ErrDenied, what)
	}
	_, err = w.svc.Ticket(ctx, carl, offer.ID)
	require.NoError(t, err)
}

func TestEditsRedoneOnConflict(t *testing.T) {
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	w.store.before = func() {
		w.store.before = nil
		_, err := w.svc.Note(t.Context(), w.actor("rob"), offer.ID, "first")
		require.NoError(t, err)
	}
	_, err := w.svc.SetStatus(t.Context(), w.actor("rita"), offer.ID, ticket.Solved)
	require.NoError(t, err)
	require.Equal(t, []string{"received", "noted by rob", "changed status active>solved by rita"}, w.lines(offer.ID))
	require.Equal(t, ticket.Solved, w.only().Status)
}
