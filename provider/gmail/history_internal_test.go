package gmail

import (
	"testing"

	"github.com/stretchr/testify/require"
	api "google.golang.org/api/gmail/v1"
)

// The rows of https://developers.google.com/workspace/gmail/api/reference/rest/v1/users.history/list.
func TestFoldTellsWhatMatters(t *testing.T) {
	t.Parallel()
	msg := func(labels ...string) *api.Message { return &api.Message{Id: "1", ThreadId: "2", LabelIds: labels} }
	added := func(labels ...string) *api.History {
		return &api.History{MessagesAdded: []*api.HistoryMessageAdded{{Message: msg(labels...)}}}
	}
	deleted := func(labels ...string) *api.History {
		return &api.History{MessagesDeleted: []*api.HistoryMessageDeleted{{Message: msg(labels...)}}}
	}
	on := func(labels ...string) *api.History {
		return &api.History{LabelsAdded: []*api.HistoryLabelAdded{{Message: msg(), LabelIds: labels}}}
	}
	off := func(labels ...string) *api.History {
		return &api.History{LabelsRemoved: []*api.HistoryLabelRemoved{{Message: msg(), LabelIds: labels}}}
	}
	for _, c := range []struct {
		name                      string
		records                   []*api.History
		matters, get, whole, late bool
	}{
		{"mail arrives", []*api.History{added("INBOX", "UNREAD")}, true, true, true, true},
		{"mail is sent", []*api.History{added("SENT")}, true, true, true, true},
		{"arrives archived", []*api.History{added()}, true, true, true, true},
		{"arrives and is read", []*api.History{added("INBOX", "UNREAD"), off("UNREAD")}, true, true, true, true},
		{"a draft is saved", []*api.History{added("DRAFT")}, false, false, false, false},
		{"a draft is saved again", []*api.History{added("DRAFT"), deleted("DRAFT")}, false, false, false, false},
		{"a draft of before is saved again", []*api.History{deleted("DRAFT")}, false, false, false, false},
		{"a draft becomes sent mail under its id", []*api.History{added("DRAFT"), off("DRAFT"), on("SENT")}, true, true, true, false},
		{"spam arrives", []*api.History{added("SPAM", "UNREAD")}, false, false, false, false},
		{"spam is read where it lies", []*api.History{added("SPAM", "UNREAD"), off("UNREAD")}, false, false, false, false},
		{"spam is rescued at once", []*api.History{added("SPAM"), off("SPAM"), on("INBOX")}, true, true, true, false},
		{"spam of before is rescued", []*api.History{off("SPAM")}, true, true, true, false},
		{"spam is emptied", []*api.History{added("SPAM"), deleted("SPAM")}, false, false, false, false},
		{"rescued and deleted", []*api.History{added("SPAM"), off("SPAM"), deleted()}, true, false, false, false},
		{"a chat", []*api.History{added("CHAT")}, false, false, false, false},
		{"to the trash", []*api.History{on("TRASH"), off("INBOX")}, true, true, false, false},
		{"out of the trash", []*api.History{off("TRASH")}, true, true, true, false},
		{"to spam", []*api.History{on("SPAM")}, true, true, false, false},
		{"read", []*api.History{off("UNREAD")}, true, true, false, false},
		{"unread", []*api.History{on("UNREAD")}, true, true, false, false},
		{"archived", []*api.History{off("INBOX")}, false, false, false, false},
		{"starred", []*api.History{on("STARRED", "IMPORTANT", "Label_4")}, false, false, false, false},
		{"deleted for good", []*api.History{deleted("TRASH")}, true, false, false, false},
		{"deleted, without labels", []*api.History{deleted()}, true, false, false, false},
		{"arrives and is deleted", []*api.History{added("INBOX"), deleted("INBOX")}, true, false, false, false},
		{"no message in the record", []*api.History{{MessagesAdded: []*api.HistoryMessageAdded{{}}}}, false, false, false, false},
	} {
		changes, upTo := fold(c.records)
		require.Len(t, upTo, len(c.records), c.name)
		got := new(change)
		if len(changes) > 0 {
			require.Len(t, changes, 1, c.name)
			got = changes[0]
			require.Equal(t, "1", got.id, c.name)
			require.Equal(t, "2", got.thread, c.name)
		}
		require.Equal(t, c.matters, got.matters(), c.name)
		if !c.matters {
			continue
		}
		require.Equal(t, c.get, !got.removed, c.name)
		if c.get {
			require.Equal(t, c.whole, got.arrived || got.back, "%s: with its raw bytes", c.name)
			require.Equal(t, c.late, got.arrived, "%s: may be too early", c.name)
		}
	}
}

func TestFoldCountsChangesOfEachRecord(t *testing.T) {
	t.Parallel()
	add := func(ids ...string) *api.History {
		h := new(api.History)
		for _, id := range ids {
			h.MessagesAdded = append(h.MessagesAdded, &api.HistoryMessageAdded{Message: &api.Message{Id: id}})
		}
		return h
	}
	changes, upTo := fold([]*api.History{add("a", "b"), add("a"), add(), add("c", "b"), add("d")})
	require.Equal(t, []int{2, 2, 2, 3, 4}, upTo)
	var ids []string
	for _, c := range changes {
		ids = append(ids, c.id)
	}
	require.Equal(t, []string{"a", "b", "c", "d"}, ids, "each once, in the order they are first named")
}
