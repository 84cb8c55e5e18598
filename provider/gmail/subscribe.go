package gmail

import (
	"context"
	"errors"
	"fmt"
	"time"

	api "google.golang.org/api/gmail/v1"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/internal/gate"
)

var _ provider.Subscriber = (*mailbox)(nil)

// renewAfter is the life of a subscription. Gmail's own is up to 7 days, and it asks to watch again
// every day (https://developers.google.com/workspace/gmail/api/guides/push#renew_mailbox_watch).
// Whoever renews when this one ends still has six days of Gmail's.
const renewAfter = 24 * time.Hour

// Subscribe has Gmail publish to Options.Topic when anything changes, which PushHandler and
// PullPushes read. Without a topic it answers errors.ErrUnsupported. There is one subscription to an
// account and application; asking again renews it. No labels are chosen: a move out of spam would be
// missed.
func (m *mailbox) Subscribe(ctx context.Context) (provider.Subscription, error) {
	if m.p.o.Topic == "" {
		return provider.Subscription{}, fmt.Errorf("gmail watch: Options.Topic is empty: %w", errors.ErrUnsupported)
	}
	var expires time.Time
	err := m.call(ctx, gate.Bulk, "watch", m.p.o.Quota.Prices.Watch, func(ctx context.Context) error {
		got, err := m.api.Users.Watch(me, &api.WatchRequest{TopicName: m.p.o.Topic}).Context(ctx).Do()
		err = unless(func() bool { return got != nil && got.Expiration > 0 }, err)
		if err == nil {
			expires = time.UnixMilli(got.Expiration).UTC()
		}
		return err
	})
	if err != nil {
		return provider.Subscription{}, err
	}
	if daily := time.Now().UTC().Add(renewAfter); expires.After(daily) {
		expires = daily
	}
	return provider.Subscription{ID: m.cred.ID, Expires: expires}, nil
}

// Renew is Subscribe: Gmail has no other way.
func (m *mailbox) Renew(ctx context.Context, _ provider.Subscription) (provider.Subscription, error) {
	return m.Subscribe(ctx)
}

// Unsubscribe ends push to this account. That there is none is no error.
func (m *mailbox) Unsubscribe(ctx context.Context, _ provider.Subscription) error {
	err := m.call(ctx, gate.Bulk, "stop", m.p.o.Quota.Prices.Stop, func(ctx context.Context) error {
		return m.api.Users.Stop(me).Context(ctx).Do()
	})
	if errors.Is(err, provider.ErrGone) {
		return nil
	}
	return err
}
