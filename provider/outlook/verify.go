package outlook

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/internal/gate"
)

// batchWidth is how many parts of a batch Graph has in work at once, where Outlook allows no more
// (https://learn.microsoft.com/graph/throttling-limits#outlook-service-limits).
const batchWidth = 4

// verify reads messages as they are now, in the order of ids. What is not there is nil. Many are asked
// for in batches, one at a time: when somebody empties a folder the way to Graph would be most of it.
func (m *mailbox) verify(ctx context.Context, ids []string) ([]*message, error) {
	got := make([]*message, len(ids))
	left := make([]int, len(ids)) // places in ids
	for i := range ids {
		left[i] = i
	}
	if q := m.p.o.Quota; len(ids) > batchWidth && q.InFlight >= batchWidth && m.p.o.Batch > batchWidth {
		var rest []int
		for some := range slices.Chunk(left, m.p.o.Batch) {
			rest = append(rest, m.verifyBatch(ctx, ids, some, got)...)
			if err := ctx.Err(); err != nil {
				return nil, err
			}
		}
		left = rest
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(m.p.o.Quota.InFlight)
	for _, i := range left {
		g.Go(func() error {
			x, err := get[message](ctx, m, gate.Bulk, opGet, m.address(verified, "messages", ids[i]))
			if errors.Is(err, provider.ErrGone) {
				return nil
			}
			got[i] = &x
			return err
		})
	}
	return got, g.Wait()
}

var verified = url.Values{"$select": {messageFields}}

// verifyBatch reads the messages at some places of ids. It returns those of which it does not know what
// they are: whoever reads them one by one will.
func (m *mailbox) verifyBatch(ctx context.Context, ids []string, some []int, got []*message) (left []int) {
	left = some
	err := m.gate.DoWide(ctx, gate.Bulk, len(some), batchWidth, func(ctx context.Context) error {
		paths := make([]string, len(left))
		for i, at := range left {
			paths[i] = "/messages/" + url.PathEscape(ids[at]) + "?$select=" + url.QueryEscape(messageFields)
		}
		answers, err := m.batch(ctx, paths, false)
		if err != nil {
			return m.explain(opBatch, repeatable(ctx, opBatch, err))
		}
		var refused error
		var rest []int
		for i := range answers {
			a, at := &answers[i], left[i]
			if a.Status == http.StatusOK {
				var x message
				if json.Unmarshal(a.Body, &x) == nil && x.ID != "" {
					got[at] = &x
					continue
				}
			} else if err := answered(opGet, a.failed()); errors.Is(err, provider.ErrGone) {
				continue
			} else if _, ok := errors.AsType[*gate.Refusal](err); ok {
				refused = err
			}
			rest = append(rest, at)
		}
		left = rest
		return refused
	})
	if err != nil {
		m.p.o.Logger.DebugContext(ctx, "outlook: a batch", "messages", len(some), "left", len(left), "err", err)
	}
	return left
}
