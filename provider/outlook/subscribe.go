package outlook

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	kiota "github.com/microsoft/kiota-abstractions-go"
	"github.com/microsoftgraph/msgraph-sdk-go/models"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/internal/failure"
	"github.com/workinbox/workinbox/provider/internal/gate"
)

var _ provider.Subscriber = (*mailbox)(nil)

// lives are how long a subscription is asked to live: the most there can be, a little less for clocks
// that differ, and what was the most before
// (https://learn.microsoft.com/graph/api/resources/subscription#subscription-lifetime).
var lives = []time.Duration{(10_080 - 10) * time.Minute, (4_230 - 10) * time.Minute}

// Subscribe has Graph notify Options.NotificationURL when anything changes in the mailbox, which a
// PushHandler reads. Without the address it answers errors.ErrUnsupported. The handler must be served
// already: Graph asks it before it answers here. The subscription lives as long as the answer says,
// up to a week; what happens between the end of one and the beginning of the next is found by
// Changes alone.
func (m *mailbox) Subscribe(ctx context.Context) (provider.Subscription, error) {
	if m.p.o.NotificationURL == "" {
		return provider.Subscription{}, fmt.Errorf("outlook subscribe: Options.NotificationURL is empty: %w", errors.ErrUnsupported)
	}
	return m.lease(ctx, "subscriptions.create", func(ctx context.Context, until time.Time) (models.Subscriptionable, error) {
		x := models.NewSubscription()
		changes, resource, state := "created,updated,deleted", "me/messages", m.p.clientState(m.cred.account())
		x.SetChangeType(&changes)
		x.SetResource(&resource)
		x.SetNotificationUrl(&m.p.o.NotificationURL)
		x.SetLifecycleNotificationUrl(&m.p.o.LifecycleURL)
		x.SetClientState(&state)
		x.SetExpirationDateTime(&until)
		return m.sdk.subscriptions(ctx, kiota.POST, "", x)
	})
}

// Renew lets a subscription live on, and authorizes it again where Graph asked for that. It is a
// provider.ErrGone where there is none any more: Subscribe makes a new one.
func (m *mailbox) Renew(ctx context.Context, s provider.Subscription) (provider.Subscription, error) {
	return m.lease(ctx, "subscriptions.update", func(ctx context.Context, until time.Time) (models.Subscriptionable, error) {
		x := models.NewSubscription()
		x.SetExpirationDateTime(&until)
		return m.sdk.subscriptions(ctx, kiota.PATCH, s.ID, x)
	})
}

// lease asks for the longest life there is, and reads back what was given.
func (m *mailbox) lease(
	ctx context.Context, op string, ask func(context.Context, time.Time) (models.Subscriptionable, error),
) (provider.Subscription, error) {
	var out provider.Subscription
	var err error
	for _, life := range lives {
		err = m.call(ctx, gate.Bulk, op, func(ctx context.Context) error {
			got, err := ask(ctx, time.Now().UTC().Add(life).Truncate(time.Second))
			if err != nil {
				return err
			}
			if got.GetId() == nil || got.GetExpirationDateTime() == nil {
				return errNoAnswer
			}
			out = provider.Subscription{ID: *got.GetId(), Expires: got.GetExpirationDateTime().UTC()}
			return nil
		})
		if failure.Status(err) != http.StatusBadRequest {
			break
		}
	}
	if err != nil {
		return provider.Subscription{}, err
	}
	return out, nil
}

// Unsubscribe ends a subscription. That there is none is no error.
func (m *mailbox) Unsubscribe(ctx context.Context, s provider.Subscription) error {
	err := m.call(ctx, gate.Bulk, "subscriptions.delete", func(ctx context.Context) error {
		_, err := m.sdk.subscriptions(ctx, kiota.DELETE, s.ID, nil)
		return err
	})
	if errors.Is(err, provider.ErrGone) {
		return nil
	}
	return err
}
