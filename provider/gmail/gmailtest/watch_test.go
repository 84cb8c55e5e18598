package gmailtest_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/api/gmail/v1"

	"github.com/workinbox/workinbox/provider/gmail/gmailtest"
)

func TestWatchLivesAWeekAndStopEndsIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, a := open(t, gmailtest.Config{Pipe: true, TokenLife: 1000 * time.Hour})
		users := service(t, s, a, scopeReadonly)
		published := func() int {
			synctest.Wait()
			return s.Pushes().Published
		}
		w, err := users.Watch("me", &gmail.WatchRequest{TopicName: "projects/p/topics/t"}).Do()
		require.NoError(t, err)
		require.Equal(t, time.Now().Add(7*24*time.Hour).UnixMilli(), w.Expiration)
		require.Equal(t, a.HistoryID(), w.HistoryId)
		require.Equal(t, 1, published(), "a first one at once")

		time.Sleep(7*24*time.Hour - 2*time.Second)
		a.Deliver(hello(1), gmailtest.Delivery{})
		require.Equal(t, 2, published())
		time.Sleep(2 * time.Second)
		a.Deliver(hello(2), gmailtest.Delivery{})
		require.Equal(t, 2, published(), "the week is over")

		_, err = users.Watch("me", &gmail.WatchRequest{TopicName: "projects/p/topics/t", LabelIds: []string{"INBOX"}}).Do()
		require.NoError(t, err)
		require.Equal(t, 3, published())
		require.NoError(t, users.Stop("me").Do())
		time.Sleep(time.Minute)
		a.Deliver(hello(3), gmailtest.Delivery{})
		require.Equal(t, 3, published())

		for _, req := range []gmail.WatchRequest{
			{}, {TopicName: "t"}, {TopicName: "projects/p/topics/t", LabelIds: []string{"None"}},
		} {
			_, err := users.Watch("me", &req).Do()
			requireStatus(t, err, 400, "invalidArgument")
		}
	})
}
