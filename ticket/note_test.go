package ticket_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/ticket"
)

func (w *world) note(user acl.UserID, id ticket.ID, text string, mentions ...acl.UserID) ticket.Entry {
	w.t.Helper()
	e, err := w.svc.Note(w.t.Context(), w.actor(user), id, text, mentions...)
	require.NoError(w.t, err)
	return e
}

// threads returns the events of notes: their names, and whom they are for alone.
func (w *world) threads() (out []string) {
	w.t.Helper()
	for e, err := range w.store.DueEvents(context.Background(), w.clock(), 0) {
		require.NoError(w.t, err)
		if strings.HasPrefix(string(e.Name), "thread.") || e.Name == ticket.EventMentioned {
			require.Equal(w.t, e.Name == ticket.EventMentioned, e.Personal)
			out = append(out, strings.TrimSpace(string(e.Name)+" "+string(e.Target)))
		}
	}
	return out
}

func TestMentionsTellThoseWhoMaySeeTheTicket(t *testing.T) { // R-MSG-02
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	w.host.AddPerson(inbox.Person{ID: "ivy", Site: site, Role: acl.Agent, State: acl.Pending})
	e := w.note("rita", offer.ID, "see this", "carl", "zoe", "adam", "rita", "nobody", "", "carl", "rob", "ivy")
	require.Equal(t, []acl.UserID{"carl", "rita", "rob"}, e.Mentions)
	require.Equal(t, []string{"ticket.mentioned carl", "ticket.mentioned rob"}, w.threads())
	require.Equal(t, []ticket.Entry{e}, w.entries(offer.ID)[1:])
	require.Empty(t, w.only().Followers)

	many := make([]acl.UserID, 101)
	_, err := w.svc.Note(t.Context(), w.actor("rita"), offer.ID, "all", many...)
	require.ErrorIs(t, err, ticket.ErrTooManyMentions)
	require.Len(t, w.entries(offer.ID), 2)

	yes := true
	w.change(inbox.MessageChange{ID: offer.Last, Hidden: &yes})
	w.collect()
	e = w.note("carl", offer.ID, "between us", "rita", "olga")
	require.Empty(t, e.Mentions, "R-CHG-07: the mail is carl's alone by now")
	require.Len(t, w.threads(), 2)
}

func TestWhoMayEditANote(t *testing.T) { // rows 6, 7a, 7b, c1, c2, c3
	t.Parallel()
	for _, row := range []struct {
		switches string // on
		author   acl.UserID
		user     acl.UserID
		edit     error
		remove   error
	}{
		{"", "rita", "rita", acl.ErrDenied, nil},
		{"", "rita", "carl", acl.ErrDenied, acl.ErrDenied},
		{"", "rob", "rob", acl.ErrDenied, acl.ErrDenied},
		{"", "olga", "olga", nil, nil},
		{"", "rita", "olga", acl.ErrDenied, acl.ErrDenied},
		{"", "rita", "zoe", storage.ErrNotFound, storage.ErrNotFound},
		{"edit", "rita", "rita", nil, nil},
		{"edit", "rob", "rita", nil, acl.ErrDenied},
		{"edit", "rob", "rob", nil, nil},
		{"edit", "rita", "rob", acl.ErrDenied, acl.ErrDenied},
		{"delete", "rob", "rita", acl.ErrDenied, nil},
		{"delete", "rita", "ina", acl.ErrDenied, acl.ErrDenied},
	} {
		w, offer := asked(t, fake.Options{})
		w.host.SetSite(inbox.Settings{ID: site, AgentsMayEdit: row.switches == "edit", AgentsMayDelete: row.switches == "delete"})
		e := w.note(row.author, offer.ID, "one")
		_, err := w.svc.EditNote(t.Context(), w.actor(row.user), offer.ID, e.ID, "two")
		require.ErrorIs(t, err, row.edit, "%+v edits", row)
		_, err = w.svc.DeleteNote(t.Context(), w.actor(row.user), offer.ID, e.ID)
		require.ErrorIs(t, err, row.remove, "%+v deletes", row)
		if row.edit != nil && row.remove != nil {
			require.Equal(t, e, w.entries(offer.ID)[1])
			require.Empty(t, w.threads())
		}
	}
}

func TestAnEditedNoteSaysWhoEditedIt(t *testing.T) { // row 6
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	w.host.SetSite(inbox.Settings{ID: site, AgentsMayEdit: true})
	first := w.note("rita", offer.ID, "call heidelberg", "carl")
	w.advance(time.Hour)
	got, err := w.svc.EditNote(t.Context(), w.actor("carl"), offer.ID, first.ID, "call \x00mannheim")
	require.NoError(t, err)
	want := first
	want.Text, want.EditedBy, want.EditedAt = "call mannheim", "carl", w.clock()
	require.Equal(t, want, got)
	require.Equal(t, want, w.entries(offer.ID)[1])
	require.Equal(t, []string{"ticket.mentioned carl", "thread.edited"}, w.threads())
	require.Empty(t, w.search("rob", ticket.SearchQuery{Text: "heidelberg"}))
	require.Len(t, w.search("rob", ticket.SearchQuery{Text: "mannheim"}), 1)

	w.advance(time.Hour)
	got, err = w.svc.EditNote(t.Context(), w.actor("rita"), offer.ID, first.ID, "call mannheim")
	require.NoError(t, err)
	require.Equal(t, want, got, "the same text is no change")
	_, err = w.svc.EditNote(t.Context(), w.actor("rita"), offer.ID, first.ID, " \n")
	require.ErrorIs(t, err, ticket.ErrEmpty)
	mail := w.entries(offer.ID)[0]
	for _, id := range []ticket.EntryID{mail.ID, "nowhere"} {
		_, err = w.svc.EditNote(t.Context(), w.actor("carl"), offer.ID, id, "forged")
		require.ErrorIs(t, err, storage.ErrNotFound)
		_, err = w.svc.DeleteNote(t.Context(), w.actor("carl"), offer.ID, id)
		require.ErrorIs(t, err, storage.ErrNotFound)
	}
	require.Equal(t, []ticket.Entry{mail, want}, w.entries(offer.ID))
	require.Len(t, w.threads(), 2)
}

func TestADeletedNoteLeavesAMarkerAndNothingElse(t *testing.T) { // row 7a
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	first := w.note("rita", offer.ID, "call heidelberg", "carl")
	w.advance(time.Hour)
	got, err := w.svc.DeleteNote(t.Context(), w.actor("rita"), offer.ID, first.ID)
	require.NoError(t, err)
	want := first
	want.Text, want.Mentions, want.DeletedBy, want.DeletedAt = "", nil, "rita", w.clock()
	require.Equal(t, want, got)
	require.Equal(t, want, w.entries(offer.ID)[1])
	require.Equal(t, []string{"ticket.mentioned carl", "thread.deleted"}, w.threads())
	require.Empty(t, w.search("rita", ticket.SearchQuery{Text: "heidelberg"}))
	_, err = w.svc.DeleteNote(t.Context(), w.actor("rita"), offer.ID, first.ID)
	require.ErrorIs(t, err, storage.ErrNotFound)
	w.host.SetSite(inbox.Settings{ID: site, AgentsMayEdit: true})
	_, err = w.svc.EditNote(t.Context(), w.actor("rita"), offer.ID, first.ID, "back")
	require.ErrorIs(t, err, storage.ErrNotFound)
}

func TestANoteOfALockedTicketIsNotEdited(t *testing.T) { // R-ACL-10
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	w.host.SetSite(inbox.Settings{ID: site, AgentsMayEdit: true})
	e := w.note("rita", offer.ID, "one")
	_, err := w.inboxes.Edit(t.Context(), w.actor("carl"), w.in.ID, inbox.Edit{Settings: &inbox.InboxSettings{OnClosed: inbox.LockNow}})
	require.NoError(t, err)
	_, err = w.svc.SetStatus(t.Context(), w.actor("rita"), offer.ID, ticket.Closed)
	require.NoError(t, err)
	_, err = w.svc.EditNote(t.Context(), w.actor("rita"), offer.ID, e.ID, "two")
	require.ErrorIs(t, err, acl.ErrDenied)
	_, err = w.svc.DeleteNote(t.Context(), w.actor("rita"), offer.ID, e.ID)
	require.NoError(t, err, "deleting is not limited by the lock")
}

func TestANoteIsAtMostOneMebibyte(t *testing.T) {
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	most := strings.Repeat("x", 1<<20)
	e := w.note("rob", offer.ID, most)
	_, err := w.svc.Note(t.Context(), w.actor("rob"), offer.ID, most+"x")
	require.ErrorIs(t, err, ticket.ErrTooLong)
	require.ErrorContains(t, err, "the text has 1048577 bytes, at most 1048576")
	w.host.SetSite(inbox.Settings{ID: site, AgentsMayEdit: true})
	_, err = w.svc.EditNote(t.Context(), w.actor("carl"), offer.ID, e.ID, most+"x")
	require.ErrorIs(t, err, ticket.ErrTooLong)
	_, err = w.svc.Note(t.Context(), w.actor("rob"), offer.ID, " \x00")
	require.ErrorIs(t, err, ticket.ErrEmpty)
	require.Len(t, w.entries(offer.ID), 2)
	require.Equal(t, most, w.entries(offer.ID)[1].Text)
}
