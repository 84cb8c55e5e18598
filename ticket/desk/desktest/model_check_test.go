package desktest_test

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/ticket"
)

// check compares what everybody sees with what the reference says.
func (m *model) check() {
	m.t.Helper()
	for _, who := range modelPeople {
		for _, trash := range []bool{false, true} {
			m.checkList(who, trash)
		}
		m.checkCounts(who)
		m.checkTicket(who, m.at)
		if len(m.words) > 0 {
			m.checkSearch(who, pick(m, m.words))
		}
	}
	m.checkLinks()
	who := pick(m, modelPeople)
	for _, t := range m.ref.tickets {
		m.checkTicket(who, t)
	}
}

// after names the moment of a failure.
func (m *model) after() string { return "after " + m.script[len(m.script)-1] }

func (m *model) checkList(who acl.UserID, trash bool) {
	m.t.Helper()
	var got, want []string
	var before *ticket.Ticket
	activity, subject := make(map[ticket.ID]string), make(map[ticket.ID]string)
	for t, err := range m.svc.Tickets(m.t.Context(), m.actor(who), ticket.Query{Deleted: trash}) {
		require.NoError(m.t, err, m.after())
		unread, err := m.svc.Unread(m.t.Context(), m.actor(who), t.ID)
		require.NoError(m.t, err, m.after())
		got = append(got, describeTicket(&t, unread))
		activity[t.ID], subject[t.ID] = t.Activity.Format("15:04:05"), t.Subject
		require.False(m.t, before != nil && before.Activity.Before(t.Activity), "newest activity first: %s", m.after())
		before = &t
	}
	for _, t := range m.ref.list(who, trash) {
		want = append(want, m.ref.describe(who, t))
	}
	slices.Sort(got)
	slices.Sort(want)
	require.Equal(m.t, want, got, "list of %s, trash %v, %s", who, trash, m.after())
	for _, t := range m.ref.list(who, trash) {
		if e := t.eldest(); e != nil && !t.unnamed && !t.redacted {
			require.Equal(m.t, e.subject, subject[t.id], "subject of %s as %s sees it, %s", t.id, who, m.after())
		}
		if !t.uncertain && !t.redacted {
			require.Equal(m.t, t.activity.Format("15:04:05"), activity[t.id], "activity of %s as %s sees it, %s", t.id, who, m.after())
		}
	}
}

func describeTicket(t *ticket.Ticket, unread bool) string {
	return fmt.Sprintf("%s in %s of %q and %v: %s, assignee %q, followers %v, priority %q, tags %s, deleted %v, unread %v, mails %d, shown %d, tasks %s",
		t.ID, t.Inbox, t.Origin, t.MergedFrom, t.Status, t.Assignee, t.Followers, t.Priority,
		strings.Join(slices.Sorted(slices.Values(t.Tags)), "+"), !t.DeletedAt.IsZero(), unread, t.Messages, t.Shown,
		describeTasks(t.Tasks))
}

func (m *model) checkCounts(who acl.UserID) {
	m.t.Helper()
	got, err := m.svc.Counts(m.t.Context(), m.actor(who), ticket.Query{})
	require.NoError(m.t, err, m.after())
	views, inboxes := make(map[ticket.View]int), make(map[inbox.ID]int)
	for _, t := range m.ref.list(who, false) {
		inboxes[t.in.id]++
		if t.unread(who) {
			views[ticket.ViewUnread]++
		}
		switch by := t.assigned(); {
		case by == who:
			views[ticket.ViewMine]++
		case by != "":
			views[ticket.ViewAssigned]++
		case t.status == ticket.Active:
			views[ticket.ViewNew]++
		}
	}
	for _, v := range []ticket.View{ticket.ViewNew, ticket.ViewMine, ticket.ViewAssigned, ticket.ViewUnread} {
		require.Equal(m.t, views[v], got.View(v, who), "view %s of %s, %s", v, who, m.after())
	}
	for _, in := range m.ref.inboxes {
		require.Equal(m.t, inboxes[in.id], got.Inbox(in.id), "inbox %s counted for %s, %s", in.id, who, m.after())
	}
}

func (m *model) checkTicket(who acl.UserID, t *refTicket) {
	m.t.Helper()
	if t == nil {
		return
	}
	ctx, actor := m.t.Context(), m.actor(who)
	_, err := m.svc.Ticket(ctx, actor, t.id)
	lines := []string{}
	var failed error
	for e, err := range m.svc.Entries(ctx, actor, t.id) {
		if err != nil {
			failed = err
			break
		}
		lines = append(lines, describeEntry(&e))
	}
	if !m.ref.sees(who, t) {
		if !m.ref.knows(who, t) {
			require.ErrorIs(m.t, err, storage.ErrNotFound, "%s by %s, %s", t.id, who, m.after())
			require.ErrorIs(m.t, failed, storage.ErrNotFound, "history of %s by %s, %s", t.id, who, m.after())
		}
		require.Error(m.t, err, "%s by %s, %s", t.id, who, m.after())
		require.Error(m.t, failed, "history of %s by %s, %s", t.id, who, m.after())
		require.Empty(m.t, lines)
		return
	}
	require.NoError(m.t, err, "%s by %s, %s", t.id, who, m.after())
	require.NoError(m.t, failed, "history of %s by %s, %s", t.id, who, m.after())
	slices.Sort(lines)
	require.Equal(m.t, m.ref.history(who, t), lines, "history of %s by %s, %s", t.id, who, m.after())

	seen, unseen, err := m.svc.Children(ctx, actor, t.id)
	require.NoError(m.t, err, m.after())
	want, apart := []ticket.ID{}, 0
	for _, e := range t.entries {
		switch {
		case e.kind != ticket.EntryForwarded || e.state != "" || e.other.into == t:
		case m.ref.sees(who, e.other):
			want = append(want, e.other.id)
		case !e.other.gone && !e.other.hidden():
			apart++ // R-MSG-06: a count and nothing else
		}
	}
	got := []ticket.ID{}
	for _, c := range seen {
		got = append(got, c.ID)
	}
	require.ElementsMatch(m.t, want, got, "children of %s by %s, %s", t.id, who, m.after())
	require.Equal(m.t, apart, unseen, "other children of %s by %s, %s", t.id, who, m.after())
	m.checkTasks(who, t)
}

func describeEntry(e *ticket.Entry) string {
	var field string
	var state ticket.OutgoingState
	if e.Change != nil {
		field = e.Change.Field
	}
	if e.Outgoing != nil {
		state = e.Outgoing.State
	}
	mark := ""
	switch {
	case !e.DeletedAt.IsZero():
		mark = "deleted"
	case !e.EditedAt.IsZero():
		mark = "edited"
	case !e.RedactedAt.IsZero():
		mark = "redacted"
	}
	return lineText(e.Kind, field, state, e.Author, e.Inbox, e.Other, e.Merged, mark, e.Pinned)
}

func (m *model) checkSearch(who acl.UserID, word string) {
	m.t.Helper()
	got := []ticket.ID{}
	for h, err := range m.svc.Search(m.t.Context(), m.actor(who), ticket.SearchQuery{Text: word}) {
		require.NoError(m.t, err, m.after())
		got = append(got, h.Ticket.ID)
	}
	slices.Sort(got)
	require.Equal(m.t, m.ref.finds(who, word), got, "search of %s for %s, %s", who, word, m.after())
}
