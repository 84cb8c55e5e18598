package gmail_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/gmail"
	"github.com/workinbox/workinbox/provider/gmail/gmailtest"
)

const topic = "projects/acme/topics/mail"

func withTopic(o *gmail.Options) { o.Topic = topic }

func TestSubscribeWithoutTopicIsUnsupported(t *testing.T) {
	t.Parallel()
	o := newOffice(t, gmailtest.Config{})
	_, err := is[provider.Subscriber](t, o.connect(t)).Subscribe(t.Context())
	require.ErrorIs(t, err, errors.ErrUnsupported)
	require.Zero(t, o.requests("watch"))
}

func TestSubscriptionLivesADayAndIsRenewed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t, gmailtest.Config{Pipe: true}, withTopic)
		m := is[provider.Subscriber](t, o.connect(t))
		sub, err := m.Subscribe(t.Context())
		require.NoError(t, err)
		require.Equal(t, o.a.Sub(), sub.ID)
		require.Equal(t, time.Now().Add(24*time.Hour).UTC(), sub.Expires, "Gmail itself says 7 days")
		time.Sleep(24 * time.Hour)
		again, err := m.Renew(t.Context(), sub)
		require.NoError(t, err)
		require.Equal(t, sub.ID, again.ID)
		require.Equal(t, 24*time.Hour, again.Expires.Sub(sub.Expires))
		require.Equal(t, 2, o.requests("watch"))
		require.NoError(t, m.Unsubscribe(t.Context(), again))
		require.NoError(t, m.Unsubscribe(t.Context(), again), "it can be repeated")
	})
}

func TestPushesArriveByPullUntilUnsubscribed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t, gmailtest.Config{Pipe: true}, withTopic)
		queue := o.s.PullPushes()
		m := is[provider.Subscriber](t, o.connect(t))
		sub, err := m.Subscribe(t.Context())
		require.NoError(t, err)

		ctx, cancel := context.WithCancel(t.Context())
		bell := &doorbell{}
		ended := make(chan error, 1)
		go func() {
			ended <- gmail.PullPushes(ctx, queue, func(ctx context.Context, address string) error {
				if err := bell.ring(ctx, address); len(bell.rings()) > 1 {
					return err
				}
				return errors.New("the bell is broken")
			})
		}()
		time.Sleep(time.Minute)
		require.Equal(t, []string{ownAddress, ownAddress}, bell.rings(), "the first comes again because ring failed")
		require.Zero(t, queue.Len())

		o.a.Deliver([]byte(letter("x", "y", "")), gmailtest.Delivery{})
		time.Sleep(time.Minute)
		require.Len(t, bell.rings(), 3)

		require.NoError(t, m.Unsubscribe(t.Context(), sub))
		o.a.Deliver([]byte(letter("x", "y", "")), gmailtest.Delivery{})
		time.Sleep(time.Minute)
		require.Len(t, bell.rings(), 3)
		cancel()
		require.Equal(t, context.Canceled, <-ended)
	})
}

// scripted hands out messages and then an error.
type scripted struct {
	data  [][]byte
	acked []int
	end   error
}

func (s *scripted) Pull(context.Context) ([]byte, func(), error) {
	if len(s.data) == 0 {
		return nil, nil, s.end
	}
	n, data := len(s.acked), s.data[0]
	s.data, s.acked = s.data[1:], append(s.acked, 0)
	return data, func() { s.acked[n]++ }, nil
}

func TestPulledMessagesAreAcknowledgedAsTheyDeserve(t *testing.T) {
	t.Parallel()
	end := errors.New("the subscription is gone")
	from := &scripted{end: end, data: [][]byte{
		[]byte(`{"emailAddress":"ann@acme.example","historyId":7}`),
		[]byte(`{"emailAddress":"Ann@acme.example","historyId":"7"}`), // duplicate, other form
		[]byte(`{"emailAddress":"ann@acme.example","historyId":6}`),   // late
		[]byte(`hello`),
		[]byte(`{"emailAddress":"bob@acme.example","historyId":3}`), // its bell is broken
		[]byte(`{"emailAddress":"ann@acme.example","historyId":8}`),
	}}
	var rung []string
	err := gmail.PullPushes(t.Context(), from, func(_ context.Context, address string) error {
		rung = append(rung, address)
		if address == "bob@acme.example" {
			return errors.New("broken")
		}
		return nil
	})
	require.ErrorIs(t, err, end)
	require.Equal(t, []string{"ann@acme.example", "bob@acme.example", "ann@acme.example"}, rung)
	require.Equal(t, []int{1, 1, 1, 1, 0, 1}, from.acked)

	require.ErrorIs(t, gmail.PullPushes(t.Context(), nil, nil), provider.ErrConfig)
}
