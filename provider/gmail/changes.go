package gmail

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	api "google.golang.org/api/gmail/v1"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/internal/failure"
	"github.com/workinbox/workinbox/provider/internal/gate"
)

// errStopped says that the caller has left the loop.
var errStopped = errors.New("the caller left the loop")

// Changes walks messages.list with the zero cursor and goes on with history.list
// (https://developers.google.com/workspace/gmail/api/guides/sync). The history id is asked for before
// the first list, so that nothing that happens during the walk is missed.
//
// With Walk.BodiesWith the raw message comes with its header, because Gmail asks the same price for
// either. In a walk messages above 3 MiB come without; the history does not tell sizes.
func (m *mailbox) Changes(
	ctx context.Context, from provider.Cursor, w provider.Walk,
) iter.Seq2[provider.Batch, error] {
	return func(yield func(provider.Batch, error) bool) {
		send := func(b provider.Batch) error {
			if !yield(b, nil) {
				return errStopped
			}
			return ctx.Err()
		}
		if err := m.changes(ctx, from, w, send); err != nil && !errors.Is(err, errStopped) {
			yield(provider.Batch{}, fmt.Errorf("changes: %w", err))
		}
	}
}

// changes is Changes with a function that takes one batch. An error of it ends the stream.
func (m *mailbox) changes(
	ctx context.Context, from provider.Cursor, w provider.Walk, send func(provider.Batch) error,
) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	at, err := m.start(ctx, from, w)
	if err != nil {
		return err
	}
	if at.Walking {
		k := &walker{m: m, w: w, at: at}
		if at, err = k.run(ctx, send); err != nil {
			return err
		}
	}
	if w.Only {
		return nil
	}
	return (&reader{m: m, at: at, whole: w.Bodies == provider.BodiesWith, send: send}).run(ctx)
}

// start finds the place of a cursor. Where a walk goes on, the history has to be there still: it
// would be too late to hear of it when the walk is over.
func (m *mailbox) start(ctx context.Context, from provider.Cursor, w provider.Walk) (place, error) {
	if from == "" {
		id, err := m.historyID(ctx)
		return place{History: id, Walking: true}, err
	}
	at, err := parseCursor(from)
	if err == nil && at.Walking && !w.Only {
		_, err = m.history(ctx, at.History, "", 1)
	}
	return at, err
}

// historyID asks for the id of the account's newest change.
func (m *mailbox) historyID(ctx context.Context) (uint64, error) {
	var profile *api.Profile
	err := m.call(ctx, gate.Bulk, opProfile, m.p.o.Quota.Prices.Profile, func(ctx context.Context) (err error) {
		profile, err = m.api.Users.GetProfile(me).Fields("historyId").Context(ctx).Do()
		return unless(func() bool { return profile != nil && profile.HistoryId != 0 }, err)
	})
	if errors.Is(err, provider.ErrGone) {
		// The profile is gone only with its account, and so is the grant.
		return 0, fmt.Errorf("gmail %s: the account is gone: %w", opProfile, provider.ErrAuth)
	}
	if err != nil {
		return 0, err
	}
	return profile.HistoryId, nil
}

// unnamed is the error of a call that names no message. A 404 to one is no provider.ErrGone: either the
// account is gone, which its profile tells, or it passes.
func (m *mailbox) unnamed(ctx context.Context, err error) error {
	gone, ok := errors.AsType[*failure.Error](err)
	if !ok || gone.Decision != provider.ErrGone {
		return err
	}
	if _, err := m.historyID(ctx); err != nil {
		return err
	}
	passing := *gone
	passing.Decision = nil
	return &provider.RetryError{Err: &passing}
}

// pause waits, or until ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
