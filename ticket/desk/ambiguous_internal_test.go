package desk

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/storage"
)

// oneLease is a lease store with one task, which answers its first write with ErrAmbiguous.
type oneLease struct {
	Leases
	done   bool // whether that write is done
	held   bool
	rung   int
	writes int
}

func (o *oneLease) write(change func() error) error {
	if o.writes++; o.writes > 1 {
		return change()
	}
	if o.done {
		if err := change(); err != nil {
			return err
		}
	}
	return &storage.Error{Op: "save", Entity: "lease", Err: storage.ErrAmbiguous}
}

func (o *oneLease) give() error {
	if !o.held {
		return &storage.Error{Op: "release", Entity: "lease", Err: storage.ErrConflict}
	}
	o.held = false
	return nil
}

func (o *oneLease) Release(context.Context, Lease, time.Duration, time.Duration) error {
	return o.write(o.give)
}

func (o *oneLease) Retire(context.Context, Lease) error { return o.write(o.give) }

func (o *oneLease) Ring(context.Context, ...Task) error {
	return o.write(func() error { o.rung++; return nil })
}

func (o *oneLease) Enroll(ctx context.Context, tasks ...Task) error { return o.Ring(ctx, tasks...) }

func (o *oneLease) Renew(_ context.Context, _ time.Duration, leases ...Lease) ([]Lease, error) {
	return leases, o.write(func() error { o.rung++; return nil })
}

func TestALeaseWhoseAnswerIsLostIsGivenBack(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	for name, give := range map[string]func(Leases) error{
		"release": func(l Leases) error { return l.Release(ctx, Lease{}, 0, 0) },
		"retire":  func(l Leases) error { return l.Retire(ctx, Lease{}) },
	} {
		for _, done := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, done: %t", name, done), func(t *testing.T) {
				t.Parallel()
				o := &oneLease{done: done, held: true}
				require.NoError(t, give(sure(o)))
				require.False(t, o.held)
				require.Equal(t, 2, o.writes)
				require.ErrorIs(t, give(sure(o)), storage.ErrConflict, "a lease that was lost before")
			})
		}
	}
	for name, write := range map[string]func(Leases) error{
		"ring":   func(l Leases) error { return l.Ring(ctx, Task{Kind: TaskStep}) },
		"enroll": func(l Leases) error { return l.Enroll(ctx, Task{Kind: TaskStep}) },
		"renew": func(l Leases) error {
			kept, err := l.Renew(ctx, time.Minute, Lease{})
			require.Len(t, kept, 1)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := &oneLease{}
			require.NoError(t, write(sure(o)))
			require.Equal(t, 1, o.rung)
		})
	}
	require.Nil(t, sure(nil))
}
