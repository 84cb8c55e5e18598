package gmail

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/internal/bulk"
	"github.com/workinbox/workinbox/provider/internal/gate"
)

var _ provider.BulkOpener = (*mailbox)(nil)

// openMany is how many messages OpenMany holds in memory at most.
const openMany = 8

// Open returns the message as Gmail keeps it. It goes before every import on this account that waits
// for quota. The whole message is in memory, once.
func (m *mailbox) Open(ctx context.Context, id provider.RemoteID) (io.ReadCloser, error) {
	raw, err := m.open(ctx, gate.Interactive, id)
	if err != nil {
		return nil, err
	}
	return io.NopCloser(bytes.NewReader(raw)), nil
}

// OpenMany gets messages one by one, several at a time: Gmail's batches save no quota and run into
// the limit of concurrent calls (https://developers.google.com/workspace/gmail/api/guides/batch).
func (m *mailbox) OpenMany(
	ctx context.Context, ids []provider.RemoteID, each func(provider.RemoteID, io.Reader, error) error,
) error {
	open := func(ctx context.Context, id provider.RemoteID) ([]byte, error) {
		return m.open(ctx, gate.Bulk, id)
	}
	return bulk.Open(ctx, ids, openMany, open, each)
}

func (m *mailbox) open(ctx context.Context, lane gate.Lane, id provider.RemoteID) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	_, raw, err := m.whole(ctx, lane, string(id))
	switch {
	case errors.Is(err, errBadRaw), errors.Is(err, errNoRaw), errors.Is(err, errTooFar):
		return nil, fmt.Errorf("gmail open: %w", &provider.RetryError{Err: err})
	case err != nil:
		return nil, fmt.Errorf("open: %w", err)
	}
	return raw, nil
}
