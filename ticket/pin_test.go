package ticket_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/ticket"
)

func TestPinMarksAMailOrANote(t *testing.T) { // R-MSG-01, row 11
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	note, err := w.svc.Note(t.Context(), w.actor("rob"), offer.ID, "read this first")
	require.NoError(t, err)
	_, err = w.svc.SetStatus(t.Context(), w.actor("rita"), offer.ID, ticket.OnHold)
	require.NoError(t, err)
	lines := w.entries(offer.ID)
	pin := func(user acl.UserID, id ticket.EntryID) error {
		_, err := w.svc.Pin(t.Context(), w.actor(user), offer.ID, id)
		return err
	}
	unpin := func(user acl.UserID, id ticket.EntryID) error {
		_, err := w.svc.Unpin(t.Context(), w.actor(user), offer.ID, id)
		return err
	}
	require.ErrorIs(t, pin("rob", note.ID), acl.ErrDenied)
	require.ErrorIs(t, pin("zoe", note.ID), storage.ErrNotFound)
	require.ErrorIs(t, pin("rita", lines[2].ID), storage.ErrNotFound, "a line about options")
	require.ErrorIs(t, pin("rita", "none"), storage.ErrNotFound)
	require.ErrorIs(t, unpin("rob", note.ID), acl.ErrDenied)
	require.ErrorIs(t, unpin("zoe", note.ID), storage.ErrNotFound)
	require.NoError(t, unpin("rita", note.ID), "it is not pinned")
	require.NoError(t, pin("rita", note.ID))
	require.NoError(t, pin("rita", lines[0].ID))
	require.NoError(t, pin("rita", lines[0].ID), "again")
	got := w.history("rob", offer.ID)
	require.Equal(t, []bool{true, true, false}, []bool{got[0].Pinned, got[1].Pinned, got[2].Pinned})
	require.Equal(t, "read this first", got[1].Text)
	require.NoError(t, unpin("carl", note.ID))
	require.False(t, w.history("rob", offer.ID)[1].Pinned)
	require.Len(t, w.search("rob", ticket.SearchQuery{Text: "first"}), 1, "it is found as before")

	w.change(inbox.MessageChange{ID: lines[0].Message, Hidden: new(true)})
	w.collect()
	require.ErrorIs(t, unpin("rita", lines[0].ID), storage.ErrNotFound)
}
