// Package bulk opens many messages for services that hand them over one by one.
package bulk

import (
	"bytes"
	"context"
	"io"

	"golang.org/x/sync/errgroup"

	"github.com/workinbox/workinbox/provider"
)

// Open opens messages, up to limit at a time, and hands each to each, one at a time and in any order,
// as provider.BulkOpener wants it. limit messages are in memory at most.
func Open(
	ctx context.Context, ids []provider.RemoteID, limit int,
	open func(context.Context, provider.RemoteID) ([]byte, error), each func(provider.RemoteID, io.Reader, error) error,
) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	g, inner := errgroup.WithContext(ctx)
	g.SetLimit(limit)
	turn := make(chan struct{}, 1)
	for _, id := range ids {
		g.Go(func() error {
			if err := inner.Err(); err != nil {
				return err
			}
			raw, err := open(inner, id)
			select {
			case turn <- struct{}{}:
				defer func() { <-turn }()
			case <-inner.Done():
				return inner.Err()
			}
			if inner.Err() != nil {
				return inner.Err()
			}
			if err != nil {
				return each(id, nil, err)
			}
			return each(id, bytes.NewReader(raw), nil)
		})
	}
	return g.Wait()
}
