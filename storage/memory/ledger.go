package memory

import (
	"context"
	"iter"
	"maps"

	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
)

// Queue yields the retry queue; see inbox.Ledger. It yields what was there when it began, so that
// an item put back for later does not come again.
func (s *Store) Queue(
	ctx context.Context, q inbox.QueueQuery,
) iter.Seq2[inbox.Queued, error] {
	return func(yield func(inbox.Queued, error) bool) {
		for _, it := range s.waitingItems(q) {
			if ctx.Err() != nil {
				break
			}
			if !yield(*it.seen.Queued, nil) {
				return
			}
		}
		if err := ctx.Err(); err != nil {
			yield(inbox.Queued{}, err)
		}
	}
}

func (s *Store) waitingItems(q inbox.QueueQuery) (items []*item) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	b := s.boxes[q.Inbox]
	if b == nil {
		return nil
	}
	from, due := b.queue, utc(q.Due)
	if q.Poison {
		from = b.poison
	}
	for it := range from.all() {
		if !due.IsZero() && it.seen.Queued.NotBefore.After(due) {
			break
		}
		if items = append(items, it); len(items) == q.Limit {
			break
		}
	}
	return items
}

// Runs yields what every sync did; see inbox.Ledger.
func (s *Store) Runs(ctx context.Context, id inbox.ID, limit int) iter.Seq2[inbox.Run, error] {
	return list[inbox.Run]{
		from: func() *sorted[inbox.Run] {
			if b := s.boxes[id]; b != nil {
				return b.runs
			}
			return nil
		},
		copy:  clone[inbox.Run],
		limit: limit,
	}.yield(ctx, s)
}

// Rejections counts what is kept out, by reason; see inbox.Ledger.
func (s *Store) Rejections(ctx context.Context, id inbox.ID) (map[filter.Reason]int, error) {
	unlock, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if b := s.boxes[id]; b != nil {
		return maps.Clone(b.reasons), nil
	}
	return map[filter.Reason]int{}, nil
}
