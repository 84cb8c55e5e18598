package gmailtest_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/api/gmail/v1"

	"github.com/workinbox/workinbox/provider/gmail/gmailtest"
)

// mirror is an account as somebody knows it who reads its history alone.
type mirror map[string][]string

func (m mirror) follow(t testing.TB, users *gmail.UsersService, since uint64) uint64 {
	t.Helper()
	err := users.History.List("me").StartHistoryId(since).MaxResults(7).Pages(t.Context(),
		func(r *gmail.ListHistoryResponse) error {
			for _, h := range r.History {
				for _, c := range h.MessagesAdded {
					m[c.Message.Id] = slices.Clone(c.Message.LabelIds)
				}
				for _, c := range h.LabelsAdded {
					m[c.Message.Id] = append(m[c.Message.Id], c.LabelIds...)
				}
				for _, c := range h.LabelsRemoved {
					m[c.Message.Id] = slices.DeleteFunc(m[c.Message.Id], func(l string) bool {
						return slices.Contains(c.LabelIds, l)
					})
				}
				for _, c := range h.MessagesDeleted {
					delete(m, c.Message.Id)
				}
			}
			since = r.HistoryId
			return nil
		})
	require.NoError(t, err)
	return since
}

func (m mirror) requireSame(t testing.TB, a *gmailtest.Account) {
	t.Helper()
	want := mirror{}
	for _, s := range a.Messages() {
		want[s.ID] = slices.Sorted(slices.Values(s.Labels))
	}
	for id := range m {
		slices.Sort(m[id])
	}
	require.Equal(t, want, m)
}

// act does something that people and applications do with an account.
func act(t testing.TB, r *rand.Rand, a *gmailtest.Account, users *gmail.UsersService, drafts *[]string) {
	t.Helper()
	var plain []string
	for _, m := range a.Messages() {
		if !slices.Contains(m.Labels, "DRAFT") {
			plain = append(plain, m.ID)
		}
	}
	pick := func() string { return plain[r.IntN(len(plain))] }
	n := r.IntN(10)
	if len(plain) == 0 {
		n = 0
	}
	switch n {
	case 0, 1:
		a.Deliver(hello(r.IntN(5)), gmailtest.Delivery{})
	case 2:
		a.Move(pick(), []string{"", "INBOX", "TRASH", "SPAM", a.CreateLabel("Work")}[r.IntN(5)])
	case 3:
		a.Trash(pick())
	case 4:
		a.Spam(pick())
	case 5:
		a.Delete(pick())
	case 6:
		_, err := users.Messages.Modify("me", pick(), &gmail.ModifyMessageRequest{
			AddLabelIds: []string{"STARRED", "INBOX"}, RemoveLabelIds: []string{"UNREAD", "TRASH"},
		}).Do()
		require.NoError(t, err)
	case 7:
		d, _ := a.SaveDraft("", hello(9))
		*drafts = append(*drafts, d)
	case 8:
		if len(*drafts) > 0 {
			a.SaveDraft((*drafts)[0], hello(8))
		}
	case 9:
		if len(*drafts) > 0 {
			_, err := users.Drafts.Send("me", &gmail.Draft{Id: (*drafts)[0]}).Do()
			require.NoError(t, err)
			*drafts = (*drafts)[1:]
		}
	}
}

func TestHistoryLeadsToTheStateOfTheAccount(t *testing.T) {
	t.Parallel()
	for seed := range uint64(8) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			s, a := open(t, gmailtest.Config{Seed: seed})
			users := service(t, s, a)
			r := rand.New(rand.NewPCG(seed, 1))
			since, known := a.HistoryID(), mirror{}
			var drafts []string
			for range 20 {
				for range 1 + r.IntN(8) {
					act(t, r, a, users, &drafts)
				}
				since = known.follow(t, users, since)
				known.requireSame(t, a)
			}
		})
	}
}

// TestManyAtOnce reads while others write; with -race it finds what is not locked.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	s, a := open(t, gmailtest.Config{})
	s.Account(bob)
	var all sync.WaitGroup
	for n := range 4 {
		users := service(t, s, a)
		all.Go(func() {
			for i := range 15 {
				id := a.Deliver(withReport(), gmailtest.Delivery{})
				if _, err := users.Messages.Send("me", &gmail.Message{Raw: raw64(mail("x", "To: "+bob+", "+ann))}).Do(); err != nil {
					t.Error(err)
				}
				for _, format := range []string{"raw", "full", "metadata", "minimal"} {
					if _, err := users.Messages.Get("me", id).Format(format).Do(); err != nil {
						t.Error(err)
					}
				}
				if _, err := users.Messages.List("me").Q(fmt.Sprintf("hello OR has:attachment -from:x%d", i+n)).Do(); err != nil {
					t.Error(err)
				}
				if _, err := users.History.List("me").StartHistoryId(1000).Do(); err != nil {
					t.Error(err)
				}
				a.Trash(id)
			}
		})
	}
	all.Wait()
	require.Len(t, a.Messages(), 120)
	require.Len(t, a.Sent(), 60)
	require.Equal(t, 60, s.Stats().Requests["messages.send"])
}
