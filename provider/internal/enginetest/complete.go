package enginetest

import (
	"bytes"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/rfc822"
	"github.com/workinbox/workinbox/ticket"
)

// Complete fails when a ledger does not balance, when mail is missing or there twice, or when one was
// sent twice. With gone, the service has said of some mail that it is gone.
func (e *Engine) Complete(gone bool) {
	e.t.Helper()
	ctx := e.t.Context()
	for _, r := range e.Runs() {
		require.NoError(e.t, r.Balance())
	}
	have := make(map[provider.RemoteID]inbox.Message)
	for m, err := range e.Store.Messages(ctx, inbox.MessageQuery{Inbox: e.ID, Hidden: true}) {
		require.NoError(e.t, err)
		require.NotContains(e.t, have, m.Remote, "stored twice")
		have[m.Remote] = m
		n := 0
		for _, err := range e.Store.Entries(ctx, ticket.EntryQuery{Inbox: e.ID, Messages: []inbox.MessageID{m.ID}}) {
			require.NoError(e.t, err)
			n++
		}
		require.Equal(e.t, 1, n, "entries of one mail")
	}
	e.nothingMissing(have, gone)
	e.nothingSentTwice()
}

// nothingMissing fails when mail of the account is not stored as it is there.
func (e *Engine) nothingMissing(have map[provider.RemoteID]inbox.Message, gone bool) {
	e.t.Helper()
	for _, m := range e.c.Account.Mail() {
		got, stored := have[m.ID]
		if !stored {
			seen, err := e.Store.Seen(e.t.Context(), e.ID, []provider.RemoteID{m.ID})
			require.NoError(e.t, err)
			state := seen[m.ID].State
			require.True(e.t, m.Aside || gone && (state == inbox.SeenGone || state == ""), "mail is missing: %v", state)
			continue
		}
		// What the service calls gone is not asked for again.
		require.True(e.t, gone || m.Unread == got.Unread, "read or not")
	}
}

func (e *Engine) nothingSentTwice() {
	e.t.Helper()
	sent := e.c.Account.Sent()
	markers := make(map[string]bool)
	for _, raw := range sent {
		h, err := rfc822.ReadHeader(bytes.NewReader(raw), rfc822.Limits{})
		require.NoError(e.t, err)
		marker := h.Get(provider.MarkerHeader)
		require.False(e.t, markers[marker], "sent twice")
		markers[marker] = true
	}
	if out := e.Outgoing(); len(out) > 0 {
		require.Len(e.t, sent, 1, "what the person wrote")
		require.Equal(e.t, ticket.OutgoingSent, out[len(out)-1].Outgoing.State)
	}
}
