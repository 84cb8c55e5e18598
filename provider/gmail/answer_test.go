package gmail_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/gmail"
	"github.com/workinbox/workinbox/provider/gmail/gmailtest"
)

// A gateway answers JSON that is not Gmail's, for a while.
func TestHollowAnswersAreReadAgain(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		method, body string
		bodies       provider.Bodies
	}{
		{"getProfile", `null`, provider.BodiesWith},
		{"getProfile", `{}`, provider.BodiesWith},
		{"messages.list", `null`, provider.BodiesWith},
		{"messages.list", `{"messages":[null]}`, provider.BodiesWith},
		{"messages.list", `{"messages":[{}]}`, provider.BodiesWith},
		{"messages.get", `null`, provider.BodiesWith},
		{"messages.get", `{"id":"1","raw":"QQ"}`, provider.BodiesWith},
		{"messages.get", `null`, provider.BodiesAsk},
		{"messages.get", `{"id":"1"}`, provider.BodiesAsk},
		{"messages.get", `{"payload":{"headers":[null]}}`, provider.BodiesAsk},
		{"threads.get", `null`, provider.BodiesAsk},
		{"threads.get", `{"messages":[null]}`, provider.BodiesAsk},
		{"history.list", `null`, provider.BodiesWith},
		{"history.list", `{"history":[null],"historyId":"1"}`, provider.BodiesWith},
		{"history.list", `{"history":[{"id":"5","labelsAdded":[null]}],"historyId":"5"}`, provider.BodiesWith},
	} {
		t.Run(c.method+" "+c.body, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := quiet(t, gmail.Options{})
				want := w.fill(2)
				for _, id := range []string{"first", "second", "third"} {
					want = append(want, provider.RemoteID(w.reply(id)))
				}
				m, walk := w.open(t), provider.Walk{Bodies: c.bodies}
				w.s.Fail(gmailtest.Fault{Method: c.method, Times: -1, Reply: &gmailtest.Reply{Status: 200, Body: c.body}})
				got, err := readAll(t, m, walk)
				if c.method == "threads.get" { // then the messages are asked for one by one
					require.NoError(t, err)
					require.ElementsMatch(t, want, idsOf(got))
				} else {
					require.ErrorIs(t, err, provider.ErrRetry)
				}
				w.s.Heal()
				w.s.Fail(gmailtest.Fault{Method: c.method, Reply: &gmailtest.Reply{Status: 200, Body: c.body}})
				got, err = readAll(t, m, walk)
				require.NoError(t, err)
				require.ElementsMatch(t, want, idsOf(got))
			})
		})
	}
}

func readAll(t *testing.T, m provider.Mailbox, w provider.Walk) (all []provider.Batch, err error) {
	t.Helper()
	for b, err := range m.Changes(t.Context(), "", w) {
		if err != nil {
			return nil, err
		}
		require.Empty(t, b.Removed)
		all = append(all, b)
	}
	return all, nil
}

// A page of a list that leads to itself would be read for ever.
func TestListThatLeadsToItselfEnds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ method, body string }{
		{"messages.list", `{"nextPageToken":"x"}`},
		{"history.list", `{"nextPageToken":"x","historyId":"1"}`},
	} {
		t.Run(c.method, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := quiet(t, gmail.Options{})
				w.s.Fail(gmailtest.Fault{Method: c.method, Times: -1, Reply: &gmailtest.Reply{Status: 200, Body: c.body}})
				_, err := readAll(t, w.open(t), provider.Walk{})
				require.ErrorIs(t, err, provider.ErrRetry)
				require.Less(t, w.s.Stats().Requests[c.method], 20)
			})
		})
	}
}

func TestHollowAnswerToASendIsAmbiguous(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := quiet(t, gmail.Options{})
		m := w.open(t)
		w.s.Fail(gmailtest.Fault{Method: "messages.send", Reply: &gmailtest.Reply{Status: 200, Body: `null`}})
		_, err := is[provider.Sender](t, m).Send(t.Context(), outgoing("m1", letter("m1", "Offer", ""), ""))
		require.ErrorIs(t, err, provider.ErrAmbiguous)

		w.s.Fail(gmailtest.Fault{Method: "watch", Times: -1, Reply: &gmailtest.Reply{Status: 200, Body: `null`}})
		_, err = is[provider.Subscriber](t, m).Subscribe(t.Context())
		require.ErrorIs(t, err, provider.ErrRetry)

		time.Sleep(time.Hour) // what is known of the account is out of date
		for _, method := range []string{"getProfile", "settings.sendAs.list"} {
			w.s.Heal()
			w.s.Fail(gmailtest.Fault{Method: method, Times: -1, Reply: &gmailtest.Reply{Status: 200, Body: `null`}})
			_, err = is[provider.Addresses](t, m).Account(t.Context())
			require.ErrorIs(t, err, provider.ErrRetry)
		}
	})
}
