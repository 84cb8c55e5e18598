package acl_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
)

func TestActionTextsAreUniqueAndReadBack(t *testing.T) {
	t.Parallel()
	seen := map[string]acl.Action{}
	for _, action := range acl.Actions() {
		text := action.String()
		require.NotEmpty(t, text, "text of action %d", uint8(action))
		require.NotContains(t, seen, text, "action %d and %d", uint8(action), uint8(seen[text]))
		seen[text] = action
		got, err := acl.ParseAction(text)
		require.NoError(t, err)
		require.Equal(t, action, got, "%q read back", text)
	}
}

// Stored decisions name actions by text, so a text never changes once it is out.
func TestActionTextsAreStable(t *testing.T) {
	t.Parallel()
	tests := map[string]acl.Action{
		"create_inbox": acl.CreateInbox, "view_tickets": acl.ViewTickets, "reply": acl.Reply,
		"delete_own_note": acl.DeleteOwnNote, "share": acl.Share, "widen": acl.Widen,
		"enable_sending": acl.EnableSending, "resume_inbox": acl.ResumeInbox,
		"receive_events": acl.ReceiveEvents, "purge": acl.Purge, "redact": acl.Redact,
	}
	for want, action := range tests {
		require.Equal(t, want, action.String())
	}
	require.Empty(t, acl.Action(0).String(), "zero action")
	require.Equal(t, "action(255)", acl.Action(255).String(), "number that names none")
}

func TestActionInJSON(t *testing.T) {
	t.Parallel()
	for _, action := range append(acl.Actions(), 0) {
		text, err := json.Marshal(map[string]acl.Action{"action": action})
		require.NoError(t, err)
		var back map[string]acl.Action
		require.NoError(t, json.Unmarshal(text, &back), "%s", text)
		require.Equal(t, action, back["action"], "%s", text)
	}
	var action acl.Action
	require.EqualError(t, action.UnmarshalText([]byte("fly")), `action "fly" is not known`)
}

// Property: a text is either refused or the very text of the action it gives; the same through
// UnmarshalText, but for the empty text of the zero action.
func FuzzParseAction(f *testing.F) {
	for _, action := range acl.Actions() {
		f.Add(action.String())
	}
	for _, text := range []string{"", "Reply", "reply ", "action(3)", "\x00", "view_ticket"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		action, err := acl.ParseAction(text)
		if err == nil {
			require.Equal(t, text, action.String(), "%q read as action %d", text, uint8(action))
		} else {
			require.Zero(t, action, "%q refused", text)
		}
		var read acl.Action
		if unmarshalErr := read.UnmarshalText([]byte(text)); text != "" {
			require.Equal(t, err == nil, unmarshalErr == nil, "%q through UnmarshalText", text)
		}
		require.Equal(t, action, read, "%q through UnmarshalText", text)
	})
}
