package outlooktest

import (
	"fmt"
	"slices"
	"time"
)

// Lifecycle is an event in the life of a subscription.
//
// Source: https://learn.microsoft.com/graph/change-notifications-lifecycle-events
type Lifecycle string

// The lifecycle events.
const (
	// ReauthorizationRequired stops the notifications until the subscription is reauthorized or
	// renewed.
	ReauthorizationRequired Lifecycle = "reauthorizationRequired"
	// SubscriptionRemoved ends the subscription.
	SubscriptionRemoved Lifecycle = "subscriptionRemoved"
	// Missed says that notifications were lost.
	Missed Lifecycle = "missed"
)

// Subscription is a subscription as the server holds it.
type Subscription struct {
	ID, Resource, ChangeType, NotificationURL, LifecycleURL, ClientState string

	Expires   time.Time
	Immutable bool // its notifications have immutable ids
	Paused    bool // waits for reauthorization
}

// Subscriptions returns the account's subscriptions that have not expired, oldest first.
func (a *Account) Subscriptions() []Subscription {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	var out []Subscription
	for _, s := range a.active(a.s.now()) {
		out = append(out, Subscription{
			ID: s.id, Resource: s.resource, ChangeType: s.typeText, NotificationURL: s.target,
			LifecycleURL: s.lifecycle, ClientState: s.state, Expires: s.expires,
			Immutable: s.immutable, Paused: s.paused,
		})
	}
	return out
}

// Lifecycle makes an event happen to the account's subscription with that id, and tells its
// lifecycleNotificationUrl, if it has one. It panics when there is no such subscription.
func (a *Account) Lifecycle(id string, event Lifecycle) {
	a.do(func() {
		at := slices.IndexFunc(a.active(a.s.now()), func(s *subscription) bool { return s.id == id })
		if at < 0 {
			panic(fmt.Sprintf("outlooktest: no subscription %q", id))
		}
		sub := a.subs[at]
		switch event {
		case ReauthorizationRequired:
			sub.paused = true
		case SubscriptionRemoved:
			a.subs = slices.Delete(a.subs, at, at+1)
		}
		if sub.lifecycle == "" {
			return
		}
		o := sub.head()
		o.text("lifecycleEvent", string(event))
		a.s.push.add(notice{sub.lifecycle, o.bytes()})
	})
}
