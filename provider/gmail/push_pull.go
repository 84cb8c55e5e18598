package gmail

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/workinbox/workinbox/provider"
)

// Puller hands out the messages of a Pub/Sub pull subscription one by one: a few lines around
// cloud.google.com/go/pubsub. Pull blocks until there is one or ctx ends. data is the message's data;
// ack acknowledges it. A message that is not acknowledged comes again, not before its deadline.
type Puller interface {
	Pull(ctx context.Context) (data []byte, ack func(), err error)
}

// PullPushes reads notifications of Options.Topic and rings for them, until ctx ends or Pull has an
// error, which it returns. A notification is acknowledged when ring has returned nil; one that ring
// fails for comes again. Duplicates, and messages that are no notification, are acknowledged and
// dropped. Ring gets at most 5 seconds.
func PullPushes(ctx context.Context, from Puller, ring Ring) error {
	if from == nil || ring == nil {
		return fmt.Errorf("gmail push: puller or ring is missing: %w", provider.ErrConfig)
	}
	seen := newSeen()
	for {
		data, ack, err := from.Pull(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			return fmt.Errorf("gmail push: pull: %w", err)
		}
		n, err := readNotice(data)
		if err == nil {
			err = within(ctx, ringFor, func(ctx context.Context) error { return seen.ring(ctx, n, ring) })
		}
		if ack != nil && (err == nil || errors.Is(err, errNoNotice)) {
			ack()
		}
	}
}

func within(ctx context.Context, d time.Duration, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	return do(ctx)
}
