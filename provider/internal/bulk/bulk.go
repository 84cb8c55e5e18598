// Package bulk opens many messages for services that hand them over one by one, or a few at a time.
package bulk

import (
	"bytes"
	"context"
	"io"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/workinbox/workinbox/provider"
)

// Each takes an opened message, as provider.BulkOpener says.
type Each = func(provider.RemoteID, io.Reader, error) error

// Hand passes a message on, or why there is none. An error of it ends everything.
type Hand func(id provider.RemoteID, raw []byte, err error) error

// Open opens messages, up to limit at a time, and hands each to each, one at a time and in any order,
// as provider.BulkOpener wants it. limit messages are in memory at most.
func Open(
	ctx context.Context, ids []provider.RemoteID, limit int,
	open func(context.Context, provider.RemoteID) ([]byte, error), each Each,
) error {
	return Groups(ctx, ids, 1, limit, func(ctx context.Context, ids []provider.RemoteID, hand Hand) error {
		raw, err := open(ctx, ids[0])
		return hand(ids[0], raw, err)
	}, each)
}

// Groups is Open for services that hand over up to size messages at once: open gets a group of ids and
// hands over every one of them. limit groups are on their way at a time.
func Groups(
	ctx context.Context, ids []provider.RemoteID, size, limit int,
	open func(context.Context, []provider.RemoteID, Hand) error, each Each,
) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	g, inner := errgroup.WithContext(ctx)
	g.SetLimit(limit)
	turn := make(chan struct{}, 1)
	hand := func(id provider.RemoteID, raw []byte, err error) error {
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
	}
	for group := range slices.Chunk(ids, size) {
		g.Go(func() error {
			if err := inner.Err(); err != nil {
				return err
			}
			return open(inner, group, hand)
		})
	}
	return g.Wait()
}
