package desk

import (
	"context"
	"time"

	"github.com/workinbox/workinbox/storage"
)

// sureLeases are Leases whose writes are made sure of where their outcome was not known
// (storage.ErrAmbiguous). Claim is left as it is: what it may have claimed lies still until the hold is
// over, and is taken over then like the lease of a worker that died.
type sureLeases struct{ Leases }

// sure leaves no leases as none.
func sure(l Leases) Leases {
	if l == nil {
		return nil
	}
	return sureLeases{l}
}

func (s sureLeases) Enroll(ctx context.Context, tasks ...Task) error {
	return again(ctx, func() error { return s.Leases.Enroll(ctx, tasks...) })
}

func (s sureLeases) Ring(ctx context.Context, tasks ...Task) error {
	return again(ctx, func() error { return s.Leases.Ring(ctx, tasks...) })
}

func (s sureLeases) Renew(ctx context.Context, hold time.Duration, leases ...Lease) ([]Lease, error) {
	return storage.Settle(ctx, func() ([]Lease, error) { return s.Leases.Renew(ctx, hold, leases...) }, nil)
}

func (s sureLeases) Release(ctx context.Context, l Lease, next, rest time.Duration) error {
	return given(ctx, func() error { return s.Leases.Release(ctx, l, next, rest) })
}

func (s sureLeases) Retire(ctx context.Context, l Lease) error {
	return given(ctx, func() error { return s.Leases.Retire(ctx, l) })
}

// given settles the giving back of a lease: that it is not its owner's any more the second time is what
// was wanted.
func given(ctx context.Context, write func() error) error {
	_, err := storage.Settle(ctx,
		func() (struct{}, error) { return struct{}{}, write() },
		func() (struct{}, bool, error) { return struct{}{}, true, nil })
	return err
}

// again settles a write that does the same when made twice.
func again(ctx context.Context, write func() error) error {
	_, err := storage.Settle(ctx, func() (struct{}, error) { return struct{}{}, write() }, nil)
	return err
}
