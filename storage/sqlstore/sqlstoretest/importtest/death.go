//go:build unix

package importtest

import (
	"context"
	"io"
	"math/rand/v2"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/workinbox/workinbox/inbox"
)

// Op is a kind of calls at which a process may die.
type Op string

// The kinds: to the mailbox, writes to the store, writes to the blobs.
const (
	OpProvider Op = "provider"
	OpStore    Op = "store"
	OpBlobs    Op = "blobs"
)

// Death is the call at which a process kills itself: the At'th, from 1, of one kind. The zero value
// is none.
type Death struct {
	Op Op
	At int64
}

// Kill runs children one to three times, each to die at a call that r draws, and returns how many
// did. It ends with a child that lived, since that one was done before. calls says how many calls of
// each kind to draw from; all three must be there.
func Kill(r *rand.Rand, calls map[Op]int64, run func(Death) (lived bool)) (deaths int) {
	for range 1 + r.IntN(3) {
		op := []Op{OpProvider, OpStore, OpBlobs}[r.IntN(3)]
		if run(Death{Op: op, At: 1 + r.Int64N(calls[op])}) {
			break
		}
		deaths++
	}
	return deaths
}

// Dying counts the calls of a process and kills it at the one it was told. It is safe for concurrent
// use.
type Dying struct {
	death Death
	calls atomic.Int64
}

// NewDying returns a Dying that has counted nothing yet.
func NewDying(d Death) *Dying { return &Dying{death: d} }

// Call counts a call, and does not return from the one to die at.
func (d *Dying) Call(op Op) {
	if op == d.death.Op && d.calls.Add(1) == d.death.At {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {} // the signal may take a moment
	}
}

// Store counts an import's writes to a store, commits before and after.
func (d *Dying) Store(s inbox.Store) inbox.Store { return dyingStore{s, d} }

// Blobs counts the writes to blobs.
func (d *Dying) Blobs(b inbox.Blobs) inbox.Blobs { return dyingBlobs{b, d} }

type dyingStore struct {
	inbox.Store
	d *Dying
}

func (s dyingStore) Commit(ctx context.Context, imp inbox.Import, ev ...inbox.Event) (inbox.SyncState, error) {
	s.d.Call(OpStore)
	state, err := s.Store.Commit(ctx, imp, ev...)
	s.d.Call(OpStore)
	return state, err
}

func (s dyingStore) EnsureCustomers(
	ctx context.Context, site inbox.SiteID, from inbox.ID, who []inbox.Known, at time.Time, newID func() string,
) ([]inbox.Customer, error) {
	s.d.Call(OpStore)
	return s.Store.EnsureCustomers(ctx, site, from, who, at, newID)
}

func (s dyingStore) UpdateInbox(
	ctx context.Context, in inbox.Inbox, log []inbox.Change, ev ...inbox.Event,
) (inbox.Inbox, error) {
	s.d.Call(OpStore)
	return s.Store.UpdateInbox(ctx, in, log, ev...)
}

type blobs = inbox.Blobs // a field of an interface may not be called like its method

type dyingBlobs struct {
	blobs
	d *Dying
}

func (b dyingBlobs) PutBlob(ctx context.Context, id inbox.ID, r io.Reader) (inbox.BlobInfo, error) {
	b.d.Call(OpBlobs)
	return b.blobs.PutBlob(ctx, id, r)
}

func (b dyingBlobs) SyncBlobs(ctx context.Context, id inbox.ID) error {
	b.d.Call(OpBlobs)
	return b.blobs.SyncBlobs(ctx, id)
}
