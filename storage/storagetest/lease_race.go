package storagetest

import (
	"errors"
	"fmt"
	"sync"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
	work "github.com/workinbox/workinbox/ticket/desk"
)

// holders notes who holds what.
type holders struct {
	mu    sync.Mutex
	now   map[work.Task]string
	token map[work.Task]uint64
	turns int
}

func (h *holders) take(l work.Lease) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch other := h.now[l.Task]; {
	case other != "":
		return fmt.Errorf("lease of %q: got it while %q holds it, want one holder", l.Inbox, other)
	case l.Token <= h.token[l.Task]:
		return fmt.Errorf("token of %q: got %d, want more than %d", l.Inbox, l.Token, h.token[l.Task])
	}
	h.now[l.Task], h.token[l.Task] = l.Owner, l.Token
	h.turns++
	return nil
}

func (h *holders) leave(l work.Lease) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.now, l.Task)
}

// together runs f by many at once and notes their errors.
func together(t T, f func(owner string) error) {
	t.Helper()
	var done sync.WaitGroup
	start, errs := make(chan struct{}), make([]error, writers)
	for i := range writers {
		done.Go(func() {
			<-start
			errs[i] = f(fmt.Sprint("owner ", i))
		})
	}
	close(start)
	done.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Errorf("%d owners at once: got %v, want no error", writers, err)
	}
}

// checkOneHolder has many claim, renew, ring for and release a few tasks, some of which they lose.
func checkOneHolder(b *leases) {
	const tasks, rounds = 6, 12
	ids := make([]inbox.ID, tasks)
	for i := range ids {
		ids[i] = leaseName(i)
	}
	enroll(b, ids...)
	h := &holders{now: make(map[work.Task]string), token: make(map[work.Task]uint64)}
	var asked sync.WaitGroup // nobody gives back before all have asked
	asked.Add(writers)
	together(b, func(owner string) error {
		ask := sync.OnceFunc(asked.Done)
		defer ask()
		for round := range rounds {
			got, err := b.s.Claim(b.Context(), work.TaskStep, owner, 2, hour)
			if err != nil {
				return err
			}
			for _, l := range got {
				if err := h.take(l); err != nil {
					return err
				}
			}
			ask()
			asked.Wait()
			for _, l := range got {
				if err := oneTurn(b, h, l, round); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if h.turns < tasks {
		b.Errorf("leases of %d tasks: got %d, want one of each at least", tasks, h.turns)
	}
	for _, l := range claim(b, "last", 2*tasks, hour) {
		if err := h.take(l); err != nil {
			b.Errorf("after all: got %v", err)
		}
	}
	if len(h.now) != tasks {
		b.Errorf("tasks that could be claimed in the end: got %d, want all %d", len(h.now), tasks)
	}
}

// oneTurn holds a lease for a moment and gives it back, or lets it run out.
func oneTurn(b *leases, h *holders, l work.Lease, round int) error {
	if err := b.s.Ring(b.Context(), l.Task); err != nil {
		return err
	}
	kept, err := b.s.Renew(b.Context(), hour, l)
	if err != nil {
		return err
	}
	if len(kept) != 1 {
		return fmt.Errorf("renew the lease of %q: got it lost, want it kept", l.Inbox)
	}
	h.leave(l)
	if round%4 > 0 {
		return b.s.Release(b.Context(), l, 0, 0)
	}
	if _, err = b.s.Renew(b.Context(), -hour, l); err != nil {
		return err
	}
	if err = b.s.Release(b.Context(), l, 0, 0); errors.Is(err, storage.ErrConflict) {
		return nil // it ran out, and somebody was faster
	}
	return err
}

// checkBatches has many claim all there is in batches.
func checkBatches(b *leases) {
	const tasks = 120
	ids := make([]inbox.ID, tasks)
	for i := range ids {
		ids[i] = leaseName(i)
	}
	enroll(b, ids...)
	h := &holders{now: make(map[work.Task]string), token: make(map[work.Task]uint64)}
	together(b, func(owner string) error {
		for range tasks {
			got, err := b.s.Claim(b.Context(), work.TaskStep, owner, 7, hour)
			if err != nil {
				return err
			}
			if len(got) > 7 {
				return fmt.Errorf("claim of 7: got %d", len(got))
			}
			for _, l := range got {
				if err := h.take(l); err != nil {
					return err
				}
			}
			if len(got) == 0 {
				return nil
			}
		}
		return nil
	})
	for _, l := range claim(b, "last", tasks, hour) { // what all passed over at the same moment
		if err := h.take(l); err != nil {
			b.Errorf("after all: got %v", err)
		}
	}
	if h.turns != tasks {
		b.Errorf("tasks claimed by many: got %d, want each of %d once", h.turns, tasks)
	}
}
