package desk

import (
	"context"
	"time"

	"github.com/workinbox/workinbox/inbox"
)

// TaskKind says what a task is.
type TaskKind string

// The kinds of task that one process at a time does. Mail is sent by all of them at once: each mail
// is guarded by the version of its ticket.
const (
	TaskStep      TaskKind = "step"      // sync and collect one inbox
	TaskDeliver   TaskKind = "deliver"   // take events to the notifier
	TaskHousekeep TaskKind = "housekeep" // set-ups that were abandoned, and the trash
)

// Task is a piece of work that comes again and again.
type Task struct {
	Kind  TaskKind
	Inbox inbox.ID // empty where it is for all
}

// Lease is the right of one owner to one task for a while. Only Claim makes one.
type Lease struct {
	Task
	Owner string
	// Token is greater than that of every lease the task had before.
	Token uint64
	// Rung says that the task was rung for since the lease before.
	Rung bool
	// TakenOver says that the owner before did not give the lease back: what it did last is not
	// known, and it may live and still be at it.
	TakenOver bool
}

// Leases shares tasks between processes. It is a small store of its own, beside the inboxes.
//
// All moments are those of the store's one clock, in microseconds, and callers tell durations only:
// processes whose clocks differ agree on what is due and on who holds what. A caller that counts the
// duration by its own clock from before the call never believes longer than the store that it holds a
// lease. A duration may be negative.
//
// A write is all or nothing, and all methods may be called concurrently and by several processes.
type Leases interface {
	// Enroll makes tasks known that are not, due at once. Those that are known stay as they are.
	Enroll(ctx context.Context, tasks ...Task) error
	// Ring makes tasks due at once, but not before their rest is over, and enrolls those that are not
	// known. A task somebody holds is due when its rest is over after it is released.
	Ring(ctx context.Context, tasks ...Task) error
	// Claim gives the owner up to n tasks of a kind that are due, those due longest first, and holds
	// them for that long. A task that is held is due when that is over: a lease that was not given back
	// is taken over. What another claims at the same moment may be passed over.
	Claim(ctx context.Context, kind TaskKind, owner string, n int, hold time.Duration) ([]Lease, error)
	// Renew holds leases for that long from now and returns those that are still their owner's, in the
	// order given. One that ran out and that nobody has claimed is still its owner's.
	Renew(ctx context.Context, hold time.Duration, leases ...Lease) ([]Lease, error)
	// Release gives a lease back. The task is due again in next, and if it was rung for, in rest.
	// storage.ErrConflict when it is not the owner's any more.
	Release(ctx context.Context, l Lease, next, rest time.Duration) error
	// Retire gives a lease back and forgets the task. storage.ErrConflict when it is not the owner's
	// any more.
	Retire(ctx context.Context, l Lease) error
}
