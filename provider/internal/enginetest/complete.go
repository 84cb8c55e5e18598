package enginetest

import (
	"bytes"
	"io"
	"reflect"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/rfc822"
	"github.com/workinbox/workinbox/ticket"
)

// Damage is what nobody can do anything about. The zero Damage is none.
type Damage struct {
	Gone  bool // the service has said of some mail that it is gone
	Short bool // the service has given half of some mail, as if it were the whole
}

// Complete fails when a ledger does not balance, when mail is missing, there twice or not as it came,
// or when one was sent twice or without what was attached to it.
func (e *Engine) Complete(d Damage) {
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
	e.nothingMissing(have, d)
	e.nothingSentTwice()
}

// nothingMissing fails when mail of the account is not stored as it is there.
func (e *Engine) nothingMissing(have map[provider.RemoteID]inbox.Message, d Damage) {
	e.t.Helper()
	for _, m := range e.c.Account.Mail() {
		got, stored := have[m.ID]
		if !stored {
			seen, err := e.Store.Seen(e.t.Context(), e.ID, []provider.RemoteID{m.ID})
			require.NoError(e.t, err)
			state := seen[m.ID].State
			require.True(e.t, m.Aside || d.Gone && (state == inbox.SeenGone || state == ""), "mail is missing: %v", state)
			continue
		}
		// What the service calls gone is not asked for again.
		require.True(e.t, d.Gone || m.Unread == got.Unread, "read or not")
		require.True(e.t, d.Short || e.same(m.Raw, e.raw(got)), "the raw mail is another")
	}
}

// same says whether what is stored of a mail is that mail, or was built of all it says.
func (e *Engine) same(there, stored []byte) bool {
	e.t.Helper()
	if bytes.Equal(there, stored) {
		return true
	}
	if !e.c.Built || !bytes.Contains(stored, []byte("\n"+provider.BuiltHeader+":")) {
		return false
	}
	want, err := rfc822.Parse(bytes.NewReader(there), rfc822.Limits{})
	require.NoError(e.t, err)
	got, err := rfc822.Parse(bytes.NewReader(stored), rfc822.Limits{})
	require.NoError(e.t, err)
	return got.Text == want.Text && got.HTML == want.HTML && reflect.DeepEqual(got.Envelope, want.Envelope)
}

// raw is what is stored of a mail.
func (e *Engine) raw(m inbox.Message) []byte {
	e.t.Helper()
	r, err := e.Store.OpenBlob(e.t.Context(), m.Blob)
	require.NoError(e.t, err)
	defer r.Close()
	b, err := io.ReadAll(r)
	require.NoError(e.t, err)
	return b
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
		mail, err := rfc822.Parse(bytes.NewReader(sent[0]), rfc822.Limits{})
		require.NoError(e.t, err)
		var attached []int
		for _, p := range mail.Parts {
			attached = append(attached, int(p.Size))
		}
		require.Equal(e.t, e.attached, attached, "what was attached")
		require.Equal(e.t, ticket.OutgoingSent, out[len(out)-1].Outgoing.State)
	}
}
