package gmailtest_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider/gmail"
	"github.com/workinbox/workinbox/provider/gmail/gmailtest"
	"github.com/workinbox/workinbox/provider/internal/enginetest"
	"github.com/workinbox/workinbox/ticket"
)

const (
	pushEndpoint = "https://host.example/push"
	pushAccount  = "push@p.iam.gserviceaccount.com"
)

// withPush runs a test with an engine whose mail is pushed: it is polled every half an hour.
func withPush(t *testing.T, test func(t *testing.T, e *engine)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		enginetest.November()
		e := newEngine(t, engineConfig{poll: 5 * time.Minute})
		h, err := gmail.PushHandler(gmail.PushOptions{
			Audience: pushEndpoint, ServiceAccount: pushAccount,
			KeysURL: e.s.Endpoints().CertsURL, HTTP: e.s.Client(),
		}, func(_ context.Context, address string) error {
			e.Desk.RingAccount(gmail.Kind, address)
			return nil
		})
		require.NoError(t, err)
		e.s.PushTo(gmailtest.PushTarget{URL: pushEndpoint, Handler: h, ServiceAccount: pushAccount})
		e.Connect()
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- e.Desk.Run(ctx) }()
		time.Sleep(time.Minute)
		yes, err := e.Desk.Inboxes.Pushed(t.Context(), e.ID)
		require.NoError(t, err)
		require.True(t, yes, "the first sync subscribes")
		test(t, e)
		stop()
		require.NoError(t, <-ended)
		e.Silent()
	})
}

// tickets counts the tickets there are.
func (e *engine) tickets() (n int) {
	e.t.Helper()
	for _, err := range e.Store.Tickets(e.t.Context(), ticket.Query{AllHidden: true}) {
		require.NoError(e.t, err)
		n++
	}
	return n
}

func TestPushedMailIsATicketAtOnce(t *testing.T) {
	t.Parallel()
	withPush(t, func(t *testing.T, e *engine) {
		polls := e.s.Stats().Requests["history.list"]
		for i := range 3 {
			e.Letter(1+i, 0)
			time.Sleep(2 * time.Second)
			require.Equal(t, 1+i, e.tickets())
		}
		require.LessOrEqual(t, e.s.Stats().Requests["history.list"]-polls, 4, "a ring is one look")
		require.Positive(t, e.s.Pushes().Delivered)
	})
}

func TestMailWhosePushIsLostIsFoundByThePoll(t *testing.T) {
	t.Parallel()
	withPush(t, func(t *testing.T, e *engine) {
		e.s.FailPush(gmailtest.PushFault{Times: -1, Lose: true})
		e.Letter(1, 0)
		time.Sleep(10 * time.Minute)
		require.Zero(t, e.tickets(), "it is polled seldom")
		time.Sleep(21 * time.Minute)
		require.Equal(t, 1, e.tickets())
		require.Positive(t, e.s.Pushes().Lost)
	})
}

func TestPushesTwiceLateAndOutOfOrderMakeOneTicketEach(t *testing.T) {
	t.Parallel()
	withPush(t, func(t *testing.T, e *engine) {
		for i, f := range []gmailtest.PushFault{{Copies: 3}, {Delay: time.Minute}, {Late: true}, {}} {
			e.s.FailPush(f)
			e.Letter(1+i, 0)
			time.Sleep(3 * time.Second)
		}
		require.Equal(t, 4, e.tickets(), "the last push brings what the others were late for")
		time.Sleep(2 * time.Minute)
		require.Equal(t, 4, e.tickets())
		e.Complete(enginetest.Damage{})
		require.False(t, strings.Contains(e.Said.String(), "level=ERROR"), e.Said.String())
	})
}
