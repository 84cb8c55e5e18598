package storagetest_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/workinbox/workinbox/storage/memory"
	"github.com/workinbox/workinbox/storage/storagetest"
	"github.com/workinbox/workinbox/ticket/desk"
)

func TestLeaseChecksNotice(t *testing.T) {
	t.Parallel()
	prove(t, storagetest.LeaseChecks(), storagetest.LeaseCheck,
		func() desk.Leases { return memory.New() }, brokenLeases)
}

// bentLeases bends what goes into the methods of a right store and what comes out of them.
type bentLeases struct {
	*memory.Store
	tasks    func(tasks []desk.Task) []desk.Task
	ring     func(ctx context.Context, tasks []desk.Task) error
	claim    func(kind *desk.TaskKind, n *int, hold *time.Duration)
	claimed  func(all []desk.Lease) []desk.Lease
	renew    func(all []desk.Lease, hold *time.Duration)
	renewed  func(asked, kept []desk.Lease) []desk.Lease
	release  func(l *desk.Lease, next, rest *time.Duration)
	released func(l desk.Lease, err error) error
	retire   func(ctx context.Context, l desk.Lease) error
}

func (b *bentLeases) Enroll(ctx context.Context, tasks ...desk.Task) error {
	if b.tasks != nil {
		tasks = b.tasks(tasks)
	}
	return b.Store.Enroll(ctx, tasks...)
}

func (b *bentLeases) Ring(ctx context.Context, tasks ...desk.Task) error {
	if b.ring != nil {
		return b.ring(ctx, tasks)
	}
	return b.Store.Ring(ctx, tasks...)
}

func (b *bentLeases) Claim(
	ctx context.Context, kind desk.TaskKind, owner string, n int, hold time.Duration,
) ([]desk.Lease, error) {
	if b.claim != nil {
		b.claim(&kind, &n, &hold)
	}
	got, err := b.Store.Claim(ctx, kind, owner, n, hold)
	if b.claimed != nil {
		got = b.claimed(got)
	}
	return got, err
}

func (b *bentLeases) Renew(ctx context.Context, hold time.Duration, all ...desk.Lease) ([]desk.Lease, error) {
	asked := slices.Clone(all)
	if b.renew != nil {
		b.renew(all, &hold)
	}
	kept, err := b.Store.Renew(ctx, hold, all...)
	if b.renewed != nil {
		kept = b.renewed(asked, kept)
	}
	return kept, err
}

func (b *bentLeases) Release(ctx context.Context, l desk.Lease, next, rest time.Duration) error {
	if b.release != nil {
		b.release(&l, &next, &rest)
	}
	err := b.Store.Release(ctx, l, next, rest)
	if b.released != nil {
		err = b.released(l, err)
	}
	return err
}

func (b *bentLeases) Retire(ctx context.Context, l desk.Lease) error {
	if b.retire != nil {
		return b.retire(ctx, l)
	}
	return b.Store.Retire(ctx, l)
}

func everyLease(change func(*desk.Lease)) func([]desk.Lease) []desk.Lease {
	return func(all []desk.Lease) []desk.Lease {
		for i := range all {
			change(&all[i])
		}
		return all
	}
}

func bendLeases(bend func(b *bentLeases)) func(s *memory.Store) desk.Leases {
	return func(s *memory.Store) desk.Leases {
		b := &bentLeases{Store: s}
		bend(b)
		return b
	}
}

var brokenLeases = []broken[desk.Leases]{
	{"Leases/EnrollOnce", "makes known tasks due", bendLeases(func(b *bentLeases) {
		b.tasks = func(tasks []desk.Task) []desk.Task {
			_ = b.Store.Ring(background, tasks...)
			return tasks
		}
	})},
	{"Leases/EnrollOnce", "begins with token 0", bendLeases(func(b *bentLeases) {
		b.claimed = everyLease(func(l *desk.Lease) { l.Token-- })
	})},
	{"Leases/KindsAndIDsApart", "one list for all kinds", bendLeases(func(b *bentLeases) {
		b.claim = func(kind *desk.TaskKind, _ *int, _ *time.Duration) { *kind = desk.TaskStep }
	})},
	{"Leases/KindsAndIDsApart", "ids of a collation", bendLeases(func(b *bentLeases) {
		b.tasks = func(tasks []desk.Task) []desk.Task { return tasks[:min(2, len(tasks))] }
	})},
	{"Leases/OldestDueFirst", "newest first", bendLeases(func(b *bentLeases) {
		b.release = func(_ *desk.Lease, next, _ *time.Duration) { *next = -10*time.Hour - *next }
	})},
	{"Leases/OldestDueFirst", "no limit", bendLeases(func(b *bentLeases) {
		b.claim = func(_ *desk.TaskKind, n *int, _ *time.Duration) { *n = 10 }
	})},
	{"Leases/HeldIsPassedOver", "holds nothing", bendLeases(func(b *bentLeases) {
		b.claim = func(_ *desk.TaskKind, _ *int, hold *time.Duration) { *hold = -time.Hour }
	})},
	{"Leases/TakenOver", "never", bendLeases(func(b *bentLeases) {
		b.claim = func(_ *desk.TaskKind, _ *int, hold *time.Duration) { *hold = time.Hour }
	})},
	{"Leases/TakenOver", "does not say so", bendLeases(func(b *bentLeases) {
		b.claimed = everyLease(func(l *desk.Lease) { l.TakenOver = false })
	})},
	{"Leases/TokenRises", "counts down", bendLeases(func(b *bentLeases) {
		b.claimed = everyLease(func(l *desk.Lease) { l.Token = 1000 - l.Token })
	})},
	{"Leases/RenewHolds", "holds no longer", bendLeases(func(b *bentLeases) {
		b.renew = func(_ []desk.Lease, hold *time.Duration) { *hold = -time.Hour }
	})},
	{"Leases/RenewHolds", "returns what was lost", bendLeases(func(b *bentLeases) {
		b.renewed = func(asked, _ []desk.Lease) []desk.Lease { return asked }
	})},
	{"Leases/RenewHolds", "in another order", bendLeases(func(b *bentLeases) {
		b.renewed = func(_, kept []desk.Lease) []desk.Lease {
			slices.Reverse(kept)
			return kept
		}
	})},
	{"Leases/StaleChangesNothing", "says nothing", bendLeases(func(b *bentLeases) {
		b.released = func(desk.Lease, error) error { return nil }
	})},
	{"Leases/StaleChangesNothing", "goes by the task alone", bendLeases(func(b *bentLeases) {
		var last desk.Lease
		b.claimed = everyLease(func(l *desk.Lease) { last = *l })
		b.renew = func(all []desk.Lease, _ *time.Duration) { all[0] = last }
	})},
	{"Leases/StaleChangesNothing", "forgets for anybody", bendLeases(func(b *bentLeases) {
		b.retire = func(context.Context, desk.Lease) error { return nil }
	})},
	{"Leases/ReleaseSaysWhen", "at once", bendLeases(func(b *bentLeases) {
		b.release = func(_ *desk.Lease, next, _ *time.Duration) { *next = 0 }
	})},
	{"Leases/ReleaseSaysWhen", "rests without a ring", bendLeases(func(b *bentLeases) {
		b.release = func(_ *desk.Lease, next, rest *time.Duration) { *next = max(*next, *rest) }
	})},
	{"Leases/RetireForgets", "only gives back", bendLeases(func(b *bentLeases) {
		b.retire = func(ctx context.Context, l desk.Lease) error { return b.Store.Release(ctx, l, 0, 0) }
	})},
	{"Leases/RetireForgets", "keeps it held", bendLeases(func(b *bentLeases) {
		b.retire = func(ctx context.Context, l desk.Lease) error {
			_, err := b.Store.Renew(ctx, time.Hour, l)
			return err
		}
	})},
	{"Leases/RingMakesDue", "enrolls and no more", bendLeases(func(b *bentLeases) {
		b.ring = func(ctx context.Context, tasks []desk.Task) error { return b.Store.Enroll(ctx, tasks...) }
	})},
	{"Leases/RingMakesDue", "for ever", bendLeases(func(b *bentLeases) {
		b.claimed = everyLease(func(l *desk.Lease) { l.Rung = true })
	})},
	{"Leases/RingWhileHeld", "is lost", bendLeases(func(b *bentLeases) {
		held := make(map[desk.Task]bool)
		b.claimed = everyLease(func(l *desk.Lease) { held[l.Task] = true })
		b.ring = func(ctx context.Context, tasks []desk.Task) error {
			tasks = slices.DeleteFunc(slices.Clone(tasks), func(t desk.Task) bool { return held[t] })
			return b.Store.Ring(ctx, tasks...)
		}
	})},
	{"Leases/RingWhileHeld", "does not rest", bendLeases(func(b *bentLeases) {
		b.release = func(_ *desk.Lease, _, rest *time.Duration) { *rest = 0 }
	})},
	{"Leases/RestHolds", "a ring ends it", bendLeases(func(b *bentLeases) {
		b.release = func(_ *desk.Lease, _, rest *time.Duration) { *rest = -time.Hour }
	})},
	{"Leases/OneHolder", "gives out what is held", bendLeases(func(b *bentLeases) {
		b.claim = func(_ *desk.TaskKind, _ *int, hold *time.Duration) { *hold = 0 }
		b.renew = func(_ []desk.Lease, hold *time.Duration) { *hold = 0 }
	})},
	{"Leases/BatchesExactlyOneGets", "gives out what is held", bendLeases(func(b *bentLeases) {
		b.claim = func(_ *desk.TaskKind, _ *int, hold *time.Duration) { *hold = 0 }
	})},
	{"Leases/BatchesExactlyOneGets", "loses one", bendLeases(func(b *bentLeases) {
		b.claimed = func(all []desk.Lease) []desk.Lease { return all[min(1, len(all)):] }
	})},
}
