package outlook

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/internal/failure"
)

// errStopped says that the caller has left the loop.
var errStopped = errors.New("the caller left the loop")

// lateFor is how much later than it was received mail may appear in a mailbox and still be found:
// before the walk begins, the changes of every folder are asked for from that long ago. It also
// covers clocks that differ. What is older and new all the same, such as an imported archive, is
// found by the next walk.
const lateFor = 3 * 24 * time.Hour

// Changes walks the list of all messages with the zero cursor and goes on with the delta queries of
// the folders (https://learn.microsoft.com/graph/delta-query-messages). The delta queries begin
// before the first list, so that nothing that happens during the walk is missed.
//
// Walk.Interest is not asked for, because nothing can prove that the answers are all there is, and
// little would be won. Filters know no recipients
// (https://learn.microsoft.com/graph/api/user-list-messages). Searches ask an index that may lag
// behind the mailbox and does not say so, find 1,000 messages at most, and know reports and automatic
// replies by their words alone (https://learn.microsoft.com/graph/search-query-parameter). By the cost
// model of package gmail they would pay where queries < (1 - share) × messages / 100, since one list
// call brings the headers of a hundred messages: a hundred clients and the words of reports are some
// fifteen queries, so that a month of 3,000 messages, which is 30 calls and nine seconds, is not worth
// asking for, and one of 10,000 would be over in ten seconds instead of 25.
//
// Raw messages cost a call each, or a part of one in a batch, and come with their headers only where
// they are built (Options.Raw); Open gets those that are kept.
//
// A change of read state or folder of mail that was received more than three days before the walk
// is told because Graph tells of it whatever the query's filter says.
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
		if at, err = (&walker{m: m, w: w, at: at}).run(ctx, send); err != nil {
			return err
		}
	}
	if w.Only {
		return nil
	}
	return (&reader{m: m, at: at, send: send}).run(ctx)
}

// start finds the place of a cursor. Where a walk goes on, its delta links have to be there still: it
// would be too late to hear of it when the walk is over.
func (m *mailbox) start(ctx context.Context, from provider.Cursor, w provider.Walk) (place, error) {
	if from != "" {
		at, err := parseCursor(from)
		if err == nil && at.Walking && !w.Only {
			err = m.alive(ctx, at.Tree)
		}
		return at, err
	}
	now := time.Now()
	at := place{Round: now.Unix(), Since: second(w.Since), Walking: true}
	var err error
	if at.Tree, err = m.plant(ctx); err != nil || w.Only {
		return at, err
	}
	return at, m.begin(ctx, &at.Tree, now.Add(-lateFor).Unix())
}

// begin starts the delta query of every folder at a received time. What its first round lists is
// left out: the walk lists it too.
func (m *mailbox) begin(ctx context.Context, t *tree, floor int64) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(m.p.o.Quota.InFlight)
	for i := range t.Spots {
		s := &t.Spots[i]
		if !s.Kind.followed() {
			continue
		}
		g.Go(func() error {
			s.Floor = floor
			for next := m.deltaAddress(s); ; {
				p, err := m.delta(ctx, next)
				switch {
				case errors.Is(err, provider.ErrGone):
					return nil // the folder is gone; the tree will say so
				case err != nil:
					return err
				case p.Delta != "":
					s.Link, s.Floor = p.Delta, 0
					return nil
				}
				next = p.Next
			}
		})
	}
	return g.Wait()
}

// alive answers provider.ErrCursorExpired where not one link is of use any more.
func (m *mailbox) alive(ctx context.Context, t tree) error {
	var last error
	for _, s := range t.Spots {
		if s.Link == "" {
			continue
		}
		if _, last = m.delta(ctx, s.Link); last == nil {
			return nil
		}
		if !lostState(last) && !errors.Is(last, provider.ErrGone) {
			return last
		}
	}
	return expired(last)
}

// expired is the error of a cursor of which nothing can be resumed.
func expired(err error) error {
	return fmt.Errorf("outlook %s: %w: %d %s",
		opDelta, provider.ErrCursorExpired, failure.Status(err), failure.Code(err))
}
