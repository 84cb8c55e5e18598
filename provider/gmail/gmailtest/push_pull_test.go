package gmailtest_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/api/gmail/v1"

	"github.com/workinbox/workinbox/provider/gmail/gmailtest"
)

func TestPullHandsOutWhatIsNotAcknowledgedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, a := open(t, gmailtest.Config{Pipe: true})
		queue := s.PullPushes()
		go func() {
			time.Sleep(time.Minute)
			watch(t, s, a, &gmail.WatchRequest{TopicName: topic})
			time.Sleep(2 * time.Second)
			a.Deliver(hello(1), gmailtest.Delivery{})
		}()
		began := time.Now()
		first, _, err := queue.Pull(t.Context())
		require.NoError(t, err)
		require.Equal(t, time.Minute, time.Since(began), "it waits for news")
		require.Contains(t, string(first), `{"emailAddress":"ann@acme.example","historyId":`)
		second, ack, err := queue.Pull(t.Context())
		require.NoError(t, err)
		require.NotEqual(t, first, second)
		ack()
		again, ack, err := queue.Pull(t.Context())
		require.NoError(t, err)
		require.Equal(t, first, again)
		require.Equal(t, time.Minute+10*time.Second, time.Since(began))
		require.Equal(t, 1, queue.Len())
		ack()
		ack()
		require.Zero(t, queue.Len())
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		_, _, err = queue.Pull(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
}
