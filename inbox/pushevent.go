package inbox

import (
	"context"
	"fmt"
	"time"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/storage"
)

// PushEvents returns what the push handler of a mail service calls when the service tells of a
// subscription itself (outlook.PushOptions.Lifecycle). It is the engine's own, calls no service, and is
// done when the next sync knows: one that is to be renewed is renewed then, one that has ended is made
// anew, and of rings that were missed there is nothing to be kept, since every event rings too. An
// event of a subscription nobody has any more is no error.
func (s *Service) PushEvents(
	kind provider.Kind,
) func(ctx context.Context, account, subscription string, event provider.PushEvent) error {
	return func(ctx context.Context, account, subscription string, event provider.PushEvent) error {
		change := map[provider.PushEvent]func(*Push, time.Time) *Push{
			provider.PushRenew: (*Push).overdue, provider.PushEnded: (*Push).ended,
		}[event]
		if change == nil {
			return nil
		}
		for in, err := range s.sameAccount(ctx, kind, account, "") {
			if err != nil {
				return fmt.Errorf("push event %q: %w", event, err)
			}
			if err := s.changePush(ctx, in.ID, subscription, change); err != nil {
				return fmt.Errorf("push event %q of inbox %q: %w", event, in.ID, err)
			}
		}
		return nil
	}
}

// overdue is p as if more than half of its life was over.
func (p *Push) overdue(now time.Time) *Push {
	if p.due(now) {
		return p
	}
	return &Push{Subscription: p.Subscription, At: now.Add(-p.Expires.Sub(now))}
}

func (*Push) ended(time.Time) *Push { return nil }

// changePush changes what is known of a subscription, unless there is another by now.
func (s *Service) changePush(ctx context.Context, id ID, subscription string, change func(*Push, time.Time) *Push) error {
	return storage.Redo(func() error {
		state, err := s.Store.SyncState(ctx, id)
		if err != nil || state.Push == nil || state.Push.ID != subscription {
			return err
		}
		was := state.Push
		if state.Push = change(was, s.now()); state.Push == was {
			return nil
		}
		_, err = s.Store.Commit(ctx, Import{State: state})
		return err
	})
}
