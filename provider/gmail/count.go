package gmail

import (
	"context"
	"fmt"

	"github.com/workinbox/workinbox/provider"
)

var _ provider.Counter = (*mailbox)(nil)

// Count lists what a walk would get and gets nothing: five units for 500 messages, and the searches
// of a narrowed walk.
func (m *mailbox) Count(ctx context.Context, w provider.Walk) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	w.Bodies = provider.BodiesNever
	k := &walker{m: m, w: w, at: place{Walking: true}}
	n, err := k.count(ctx)
	if err != nil {
		return 0, fmt.Errorf("count: %w", err)
	}
	return n, nil
}

func (k *walker) count(ctx context.Context) (n int, err error) {
	if err := k.begin(ctx); err != nil {
		return 0, err
	}
	if err := k.plan(ctx); err != nil {
		return 0, err
	}
	for k.at.Walking {
		want, next, err := k.take(ctx)
		if err != nil {
			return 0, err
		}
		n += len(want)
		k.at = next
	}
	return n, nil
}
