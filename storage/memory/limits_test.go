package memory_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/storage/memory"
	"github.com/workinbox/workinbox/ticket"
)

func TestSaveTicketsRefusesTooManyAndSeveralSites(t *testing.T) {
	t.Parallel()
	s := memory.New()
	var w []ticket.Write
	for i := range ticket.MaxWrites + 1 {
		w = append(w, ticket.Write{Ticket: ticket.Ticket{ID: ticket.ID(rune('a' + i)), Site: "acme"}})
	}
	_, err := s.SaveTickets(t.Context(), w)
	require.EqualError(t, err, "save tickets: 17 at once, at most 16 are possible")

	w[1].Ticket.Site = "other"
	_, err = s.SaveTickets(t.Context(), w[:2])
	require.EqualError(t, err, `save tickets: "b" is of another site than "a"`)
	for tk := range s.Tickets(t.Context(), ticket.Query{}) {
		t.Errorf("tickets after refused writes: got %q, want none", tk.ID)
	}
}

func TestEventsOfTheSameIDAreRefused(t *testing.T) {
	t.Parallel()
	s := memory.New()
	e := inbox.Event{ID: "e-1"}
	require.ErrorIs(t, s.SaveEvents(t.Context(), e, e), storage.ErrExists)
	require.NoError(t, s.SaveEvents(t.Context(), e))
	_, err := s.CreateInbox(t.Context(), inbox.Inbox{ID: "in-1"}, e)
	require.ErrorIs(t, err, storage.ErrExists)
	_, err = s.Inbox(t.Context(), "in-1")
	require.ErrorIs(t, err, storage.ErrNotFound, "inbox of a refused write")
	require.NoError(t, s.RetryEvent(t.Context(), "gone", nil, e.At), "retry of a delivered event")
}

func TestCommitRefusesWhatIsNotThere(t *testing.T) {
	t.Parallel()
	s := memory.New()
	for _, id := range []inbox.ID{"in-1", "in-2"} {
		_, err := s.CreateInbox(t.Context(), inbox.Inbox{ID: id})
		require.NoError(t, err)
	}
	base := inbox.SyncState{Inbox: "in-1"}
	st, err := s.Commit(t.Context(), inbox.Import{State: base, Put: []inbox.Put{
		{Message: inbox.Message{ID: "m-1", Remote: "r-1"}},
	}})
	require.NoError(t, err)
	foreign := inbox.SyncState{Inbox: "in-2"}
	for what, imp := range map[string]inbox.Import{
		"change of no message":      {State: st, Changed: []inbox.MessageChange{{ID: "m-2"}}},
		"change of another inbox's": {State: foreign, Changed: []inbox.MessageChange{{ID: "m-1"}}},
		"erasure of no message":     {State: st, Erase: []inbox.MessageID{"m-2"}},
		"erasure of another's":      {State: foreign, Erase: []inbox.MessageID{"m-1"}},
	} {
		_, err = s.Commit(t.Context(), imp)
		require.ErrorIs(t, err, storage.ErrNotFound, what)
	}
	_, err = s.Commit(t.Context(), inbox.Import{State: foreign, Put: []inbox.Put{
		{Message: inbox.Message{ID: "m-1", Remote: "r-9"}},
	}})
	require.ErrorIs(t, err, storage.ErrExists, "message ID taken in another inbox")
}

func TestEndedContextStopsEveryCall(t *testing.T) {
	t.Parallel()
	s, h := memory.New(), memory.NewHost()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for what, call := range map[string]func() error{
		"CreateInbox": func() error { _, err := s.CreateInbox(ctx, inbox.Inbox{ID: "in-1"}); return err },
		"Inbox":       func() error { _, err := s.Inbox(ctx, "in-1"); return err },
		"DeleteInbox": func() error { return s.DeleteInbox(ctx, "in-1") },
		"Commit":      func() error { _, err := s.Commit(ctx, inbox.Import{}); return err },
		"SaveTickets": func() error { _, err := s.SaveTickets(ctx, nil); return err },
		"SaveCredential": func() error {
			_, err := s.SaveCredential(ctx, inbox.VaultKey{}, provider.Credential{}, 0)
			return err
		},
		"PutBlob":   func() error { _, err := s.PutBlob(ctx, "in-1", nil); return err },
		"SyncBlobs": func() error { return s.SyncBlobs(ctx, "in-1") },
		"Person":    func() error { _, err := h.Person(ctx, "acme", "ann"); return err },
		"Site":      func() error { _, err := h.Site(ctx, "acme"); return err },
	} {
		require.ErrorIs(t, call(), context.Canceled, what)
	}
	_, err := s.Inbox(t.Context(), "in-1")
	require.ErrorIs(t, err, storage.ErrNotFound, "inbox after a creation with an ended context")
}
