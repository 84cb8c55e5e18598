package desk

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
)

// lookPause is the least pause between two looks at one inbox.
const lookPause = time.Second

// Run keeps every inbox up to date, sends what is queued and delivers notices, until ctx ends; then it
// waits for what it started and returns nil. Each inbox is looked at every Poll, when it is rung, and
// when its mailbox says that there is news; one that fails waits for the next poll and holds up no
// other. Errors are logged, those of inboxes also kept in their health. Run once per process.
//
// With Config.Leases several processes run on one store and share the inboxes: each takes those that
// are due and for which it has workers free, and gives them back when it has looked. What a process
// held that died is taken over when Config.Hold is over.
func (d *Desk) Run(ctx context.Context) error {
	if d.leases != nil {
		return d.runShared(ctx)
	}
	r := &running{Desk: d, slots: make(chan struct{}, d.workers), keepers: make(map[inbox.ID]chan struct{})}
	defer r.jobs.Wait()
	for _, c := range d.Chores() {
		d.every(ctx, &r.jobs, c.Every, c.atOnce(), c.Name, c.Do)
	}
	d.every(ctx, &r.jobs, d.poll, 1, "list inboxes", r.keepAll)
	for {
		select {
		case <-ctx.Done():
			return nil
		case rung := <-d.rings:
			for _, id := range r.accounts.meant(rung) {
				r.ring(ctx, id)
			}
		}
	}
}

// running is one Run: a keeper for every inbox.
type running struct {
	*Desk
	slots    chan struct{}
	jobs     sync.WaitGroup
	accounts accounts

	mu      sync.Mutex
	keepers map[inbox.ID]chan struct{} // their bells
}

// every does a job now and then every so often. A job that takes longer runs up to atOnce times
// side by side, and then skips.
func (d *Desk) every(
	ctx context.Context, jobs *sync.WaitGroup, pause time.Duration, atOnce int, what string, job func(context.Context) error,
) {
	jobs.Go(func() {
		tick := time.NewTicker(pause)
		defer tick.Stop()
		slots := make(chan struct{}, atOnce)
		for {
			select {
			case <-ctx.Done():
				return
			case slots <- struct{}{}:
			}
			jobs.Go(func() {
				defer func() { <-slots }()
				d.log(ctx, what, "", job(ctx))
			})
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	})
}

// keepAll gives every inbox that has none a keeper, and learns whose accounts they are.
func (r *running) keepAll(ctx context.Context) error {
	return r.accounts.learn(r.Watched(ctx), func(id inbox.ID) { r.keeper(ctx, id) })
}

// ring has the keeper of an inbox look soon. A new keeper looks anyway.
func (r *running) ring(ctx context.Context, id inbox.ID) {
	if bell, there := r.keeper(ctx, id); there {
		select {
		case bell <- struct{}{}:
		default: // it is rung already
		}
	}
}

// keeper returns the bell of an inbox's keeper, which it starts when there is none.
func (r *running) keeper(ctx context.Context, id inbox.ID) (bell chan struct{}, there bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if bell = r.keepers[id]; bell != nil {
		return bell, true
	}
	bell = make(chan struct{}, 1)
	r.keepers[id] = bell
	r.jobs.Go(func() {
		r.keep(ctx, id, bell)
		r.mu.Lock()
		delete(r.keepers, id)
		r.mu.Unlock()
	})
	return bell, false
}

// keep looks at one inbox again and again, until it is not to be looked at any more or ctx ends.
func (r *running) keep(ctx context.Context, id inbox.ID, bell <-chan struct{}) {
	rung := true
	for {
		turn := r.look(ctx, id, rung)
		if turn.Leave {
			return
		}
		pause := min(lookPause, r.poll)
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		rung = r.await(ctx, id, bell, turn.Next-pause, turn.Listen) || turn.Again
		if ctx.Err() != nil {
			return
		}
	}
}

// look looks at an inbox when a worker is free.
func (r *running) look(ctx context.Context, id inbox.ID, rung bool) Turn {
	select {
	case r.slots <- struct{}{}:
	case <-ctx.Done():
		return Turn{Leave: true}
	}
	defer func() { <-r.slots }()
	turn, err := r.Look(ctx, id, Occasion(rung))
	r.log(ctx, "look", id, err)
	return turn
}

// await waits for the next poll, the bell, or with listen news in the mailbox. It says whether it was
// rung. A mailbox that cannot ring is polled.
func (r *running) await(ctx context.Context, id inbox.ID, bell <-chan struct{}, poll time.Duration, listen bool) bool {
	ctx, stop := context.WithCancel(ctx)
	news := make(chan struct{}, 1)
	var waiter sync.WaitGroup
	defer waiter.Wait()
	defer stop()
	if listen {
		waiter.Go(func() {
			if r.Inboxes.Wait(ctx, id) == nil {
				news <- struct{}{}
			}
		})
	}
	select {
	case <-ctx.Done():
	case <-bell:
		return true
	case <-news:
		return true
	case <-time.After(poll):
	}
	return false
}

// log tells of an error, but for what is no fault: the end, and another process at the same work.
func (d *Desk) log(ctx context.Context, what string, id inbox.ID, err error) {
	if err == nil || ctx.Err() != nil || errors.Is(err, storage.ErrConflict) || errors.Is(err, inbox.ErrInvalidState) {
		return
	}
	d.logger.ErrorContext(ctx, what, "inbox", id, "err", err)
}
