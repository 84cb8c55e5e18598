package gmailtest_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/api/gmail/v1"

	"github.com/workinbox/workinbox/provider/gmail/gmailtest"
)

// changes reads the history since that id as lines "added INBOX,UNREAD id".
func changes(t testing.TB, users *gmail.UsersService, since uint64, kinds ...string) (lines []string, last uint64) {
	t.Helper()
	call := users.History.List("me").StartHistoryId(since).HistoryTypes(kinds...).MaxResults(2)
	before := since
	err := call.Pages(t.Context(), func(r *gmail.ListHistoryResponse) error {
		for _, h := range r.History {
			require.Greater(t, h.Id, before, "ids rise")
			require.Len(t, h.Messages, 1)
			before = h.Id
			for _, c := range h.MessagesAdded {
				lines = append(lines, "added "+c.Message.Id)
			}
			for _, c := range h.MessagesDeleted {
				lines = append(lines, "deleted "+c.Message.Id)
			}
			for _, c := range h.LabelsAdded {
				require.Len(t, c.LabelIds, 1)
				require.Contains(t, c.Message.LabelIds, c.LabelIds[0])
				lines = append(lines, "+"+c.LabelIds[0]+" "+c.Message.Id)
			}
			for _, c := range h.LabelsRemoved {
				require.Len(t, c.LabelIds, 1)
				require.NotContains(t, c.Message.LabelIds, c.LabelIds[0])
				lines = append(lines, "-"+c.LabelIds[0]+" "+c.Message.Id)
			}
		}
		last = r.HistoryId
		return nil
	})
	require.NoError(t, err)
	require.GreaterOrEqual(t, last, before)
	return lines, last
}

func TestHistoryTellsWhatHappens(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		do   func(a *gmailtest.Account, id string)
		want []string // "ID" stands for the message
	}{
		{"nothing", func(*gmailtest.Account, string) {}, nil},
		{"read", func(a *gmailtest.Account, id string) { a.RemoveLabels(id, "UNREAD") }, []string{"-UNREAD ID"}},
		{"read twice", func(a *gmailtest.Account, id string) {
			a.RemoveLabels(id, "UNREAD")
			a.RemoveLabels(id, "UNREAD")
		}, []string{"-UNREAD ID"}},
		{"archive", func(a *gmailtest.Account, id string) { a.Move(id, "") }, []string{"-INBOX ID"}},
		{"move", func(a *gmailtest.Account, id string) { a.Move(id, a.CreateLabel("Work")) },
			[]string{"+Label_1 ID", "-INBOX ID"}},
		{"trash", func(a *gmailtest.Account, id string) { a.Trash(id) }, []string{"+TRASH ID", "-INBOX ID"}},
		{"spam", func(a *gmailtest.Account, id string) { a.Spam(id) }, []string{"+SPAM ID", "-INBOX ID"}},
		{"spam and rescue", func(a *gmailtest.Account, id string) {
			a.Spam(id)
			a.Move(id, "INBOX")
		}, []string{"+SPAM ID", "-INBOX ID", "+INBOX ID", "-SPAM ID"}},
		{"delete", func(a *gmailtest.Account, id string) { a.Delete(id) }, []string{"deleted ID"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, a := open(t, gmailtest.Config{})
			users := service(t, s, a, scopeReadonly)
			id := a.Deliver(hello(1), gmailtest.Delivery{})
			since := a.HistoryID()
			c.do(a, id)
			var want []string
			for _, w := range c.want {
				want = append(want, w[:len(w)-2]+id)
			}
			got, last := changes(t, users, since)
			require.Equal(t, want, got)
			again, _ := changes(t, users, last)
			require.Empty(t, again)
		})
	}
}

func TestEverySaveOfADraftIsANewMessage(t *testing.T) {
	t.Parallel()
	s, a := open(t, gmailtest.Config{})
	users := service(t, s, a)
	since := a.HistoryID()
	draft, one := a.SaveDraft("", hello(1))
	same, two := a.SaveDraft(draft, hello(1))
	require.Equal(t, draft, same)
	sent := a.SendDraft(draft)
	got, _ := changes(t, users, since)
	require.Equal(t, []string{"added " + one, "added " + two, "deleted " + one,
		"added " + sent, "deleted " + two}, got)
	added, _ := changes(t, users, since, "messageDeleted")
	require.Equal(t, []string{"deleted " + one, "deleted " + two}, added)
	_, err := users.Drafts.Get("me", draft).Do()
	requireStatus(t, err, 404, "notFound")
}

func TestOldAndForeignHistoryIDsAreNotFound(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, a := open(t, gmailtest.Config{Pipe: true, TokenLife: 1000 * time.Hour})
		users := service(t, s, a, scopeReadonly)
		since := a.HistoryID()
		_, err := users.History.List("me").StartHistoryId(since + 1_000_000).Do()
		requireStatus(t, err, 404, "notFound")
		_, err = users.History.List("me").Do()
		requireStatus(t, err, 400, "invalidArgument")

		a.Deliver(hello(1), gmailtest.Delivery{})
		middle := a.HistoryID()
		time.Sleep(4 * 24 * time.Hour)
		a.Deliver(hello(2), gmailtest.Delivery{})
		got, _ := changes(t, users, since)
		require.Len(t, got, 2)
		// After a week the first change is forgotten, and with it what came before.
		time.Sleep(4 * 24 * time.Hour)
		_, err = users.History.List("me").StartHistoryId(since).Do()
		requireStatus(t, err, 404, "notFound")
		got, _ = changes(t, users, middle)
		require.Len(t, got, 1)

		a.ExpireHistory()
		_, err = users.History.List("me").StartHistoryId(middle).Do()
		requireStatus(t, err, 404, "notFound")
		profile, err := users.GetProfile("me").Do()
		require.NoError(t, err)
		got, _ = changes(t, users, profile.HistoryId)
		require.Empty(t, got)
	})
}

func TestHistoryOfALabelLeavesOutTheRest(t *testing.T) {
	t.Parallel()
	s, a := open(t, gmailtest.Config{})
	users := service(t, s, a, scopeReadonly)
	since := a.HistoryID()
	a.Deliver(hello(1), gmailtest.Delivery{Labels: []string{}})
	in := a.Deliver(hello(2), gmailtest.Delivery{})
	r, err := users.History.List("me").StartHistoryId(since).LabelId("INBOX").Do()
	require.NoError(t, err)
	require.Len(t, r.History, 1)
	require.Equal(t, in, r.History[0].MessagesAdded[0].Message.Id)
}
