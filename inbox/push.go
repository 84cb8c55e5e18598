package inbox

import (
	"context"
	"errors"
	"time"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/storage"
)

// Push is what an importer remembers of being rung by the service. It is a hint and never more: an
// inbox that is pushed is polled all the same, only less often (R-CON-07).
type Push struct {
	provider.Subscription
	// At is when it was made, renewed, or last tried in vain: then the Subscription is empty.
	At time.Time `json:"at"`
}

// pushRetry is how long after a refusal the service is asked again.
const pushRetry = 10 * time.Minute

// due says whether there is none, or half of its life is over: a host that is away for a while, or a
// renewal that fails once, then costs nothing.
func (p *Push) due(now time.Time) bool {
	switch {
	case p == nil:
		return true
	case p.Expires.IsZero():
		return now.Sub(p.At) >= pushRetry
	}
	return now.Sub(p.At) >= p.Expires.Sub(p.At)/2
}

// Pushed says whether the inbox's service rings when something changes, so that polling it seldom is
// enough. It is the engine's own.
func (s *Service) Pushed(ctx context.Context, id ID) (bool, error) {
	state, err := s.Store.SyncState(ctx, id)
	return err == nil && state.Pushed(s.now()), err
}

// Pushed says whether something rings at that time when the mailbox changes.
func (st *SyncState) Pushed(now time.Time) bool {
	return st.Push != nil && now.Before(st.Push.Expires)
}

// subscribe asks the service to ring, or goes on asking. Where it cannot nothing is lost, because the
// inbox is polled; only a dead grant is an error here (R-CON-04).
func (y *syncer) subscribe(ctx context.Context) error {
	box, ok := provider.As[provider.Subscriber](y.box)
	if !ok || !y.state.Push.due(y.s.now()) {
		return nil
	}
	sub, err := y.renewed(ctx, box)
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		y.state.Push = nil
		return nil
	case err != nil && (ctx.Err() != nil || dead(err)):
		return err
	case err != nil:
		y.s.Logger.WarnContext(ctx, "subscribe to push", "inbox", y.in.ID, "err", err)
		if p := y.state.Push; p != nil && y.s.now().Before(p.Expires) {
			sub = p.Subscription // it still rings: tried again after half of what is left
		}
	}
	y.state.Push = &Push{Subscription: sub, At: y.s.now()}
	return nil
}

// renewed renews a subscription that lives, and makes one where there is none any more.
func (y *syncer) renewed(ctx context.Context, box provider.Subscriber) (provider.Subscription, error) {
	if p := y.state.Push; p != nil && y.s.now().Before(p.Expires) {
		sub, err := box.Renew(ctx, p.Subscription)
		if !errors.Is(err, provider.ErrGone) {
			return sub, err
		}
		y.state.Push = nil // nothing rings, whatever becomes of the next
	}
	return box.Subscribe(ctx)
}

// unsubscribe ends push, best effort: the grant is about to end, and a subscription ends by itself.
func (s *Service) unsubscribe(ctx context.Context, in *Inbox) {
	state, err := s.Store.SyncState(ctx, in.ID)
	if err != nil || state.Push == nil {
		return
	}
	if s.now().Before(state.Push.Expires) && !s.sharesPush(ctx, in, state.Push.ID) {
		if err := s.endPush(ctx, in, state.Push.Subscription); err != nil {
			s.Logger.WarnContext(ctx, "end push", "inbox", in.ID, "err", err)
		}
	}
	if err := s.forgetPush(ctx, in.ID); err != nil {
		s.Logger.WarnContext(ctx, "forget push", "inbox", in.ID, "err", err)
	}
}

// sharesPush says whether an inbox of another site lives by the same subscription: some services have
// one for each account.
func (s *Service) sharesPush(ctx context.Context, in *Inbox, subscription string) bool {
	for other, err := range s.sameAccount(ctx, in.Provider, in.Account.ID, in.ID) {
		if err != nil {
			return true // left alone: it ends by itself
		}
		state, err := s.Store.SyncState(ctx, other.ID)
		if err != nil || state.Push != nil && state.Push.ID == subscription {
			return true
		}
	}
	return false
}

func (s *Service) endPush(ctx context.Context, in *Inbox, sub provider.Subscription) error {
	box, err := s.mailbox(ctx, in)
	if err != nil {
		return err
	}
	if b, ok := provider.As[provider.Subscriber](box); ok {
		return b.Unsubscribe(ctx, sub)
	}
	return nil
}

// forgetPush makes the next sync subscribe anew: a new grant does not carry the old subscription
// (R-CON-06).
func (s *Service) forgetPush(ctx context.Context, id ID) error {
	return storage.Redo(func() error {
		state, err := s.Store.SyncState(ctx, id)
		if err != nil || state.Push == nil {
			return err
		}
		state.Push = nil
		_, err = s.Store.Commit(ctx, Import{State: state})
		return err
	})
}
