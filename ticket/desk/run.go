package desk

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
)

// How often Run does what is for all inboxes, and the least pause between two looks at one.
const (
	mailEvery  = 2 * time.Second
	houseEvery = time.Hour
	lookPause  = time.Second
)

// watched are the states of an inbox that is looked at. One that is not live is still collected: its
// tickets follow when access is taken away or its mail is erased.
var watched = []inbox.State{inbox.StateImporting, inbox.StateActive, inbox.StatePaused,
	inbox.StateNeedsReauth, inbox.StateDisconnected}

// Run keeps every inbox up to date, sends what is queued and delivers notices, until ctx ends; then it
// waits for what it started and returns nil. Each inbox is looked at every Poll, when it is rung, and
// when its mailbox says that there is news; one that fails waits for the next poll and holds up no
// other. Errors are logged, those of inboxes also kept in their health. Run once per process.
func (d *Desk) Run(ctx context.Context) error {
	r := &running{Desk: d, slots: make(chan struct{}, d.workers), keepers: make(map[inbox.ID]chan struct{})}
	defer r.jobs.Wait()
	r.every(ctx, mailEvery, "dispatch", func(ctx context.Context) error {
		_, err := d.Tickets.Dispatch(ctx, 50)
		return err
	})
	r.every(ctx, mailEvery, "deliver", func(ctx context.Context) error {
		_, err := d.Inboxes.Deliver(ctx, 200)
		return err
	})
	r.every(ctx, houseEvery, "housekeeping", d.Housekeep)
	r.every(ctx, d.poll, "list inboxes", r.keepAll)
	for {
		select {
		case <-ctx.Done():
			return nil
		case id := <-d.rings:
			r.ring(ctx, id)
		}
	}
}

// running is one Run: a keeper for every inbox.
type running struct {
	*Desk
	slots chan struct{}
	jobs  sync.WaitGroup

	mu      sync.Mutex
	keepers map[inbox.ID]chan struct{} // their bells
}

// every does a job now and then every so often. A job that takes longer skips.
func (r *running) every(ctx context.Context, d time.Duration, what string, job func(context.Context) error) {
	r.jobs.Go(func() {
		tick := time.NewTicker(d)
		defer tick.Stop()
		for {
			r.log(ctx, what, "", job(ctx))
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	})
}

// keepAll gives every inbox that has none a keeper.
func (r *running) keepAll(ctx context.Context) error {
	for in, err := range r.Inboxes.Store.Inboxes(ctx, inbox.Query{States: watched}) {
		if err != nil {
			return err
		}
		r.keeper(ctx, in.ID)
	}
	return nil
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
	for {
		listen, leave := r.look(ctx, id)
		if leave {
			return
		}
		pause := min(lookPause, r.poll)
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		if !r.await(ctx, id, bell, r.poll-pause, listen) {
			return
		}
	}
}

// look brings one inbox up to date when a worker is free. listen says that its mailbox may be asked
// to ring: it is live and has answered.
func (r *running) look(ctx context.Context, id inbox.ID) (listen, leave bool) {
	select {
	case r.slots <- struct{}{}:
	case <-ctx.Done():
		return false, true
	}
	defer func() { <-r.slots }()
	in, err := r.Inboxes.Store.Inbox(ctx, id)
	switch {
	case errors.Is(err, storage.ErrNotFound), err == nil && !slices.Contains(watched, in.State):
		return false, true
	case err != nil:
		r.log(ctx, "read inbox", id, err)
		return false, false
	}
	if in.State.Live() {
		_, err = r.Inboxes.Sync(ctx, id)
		r.log(ctx, "sync", id, err)
		listen = err == nil
	}
	if ctx.Err() == nil {
		r.log(ctx, "collect", id, r.collect(ctx, id))
	}
	return listen, false
}

// await waits for the next poll, the bell, or with listen news in the mailbox. False says that ctx
// has ended. A mailbox that cannot ring is polled.
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
		return false
	case <-bell:
	case <-news:
	case <-time.After(poll):
	}
	return true
}

// log tells of an error, but for what is no fault: the end, and another process at the same work.
func (r *running) log(ctx context.Context, what string, id inbox.ID, err error) {
	if err == nil || ctx.Err() != nil || errors.Is(err, storage.ErrConflict) || errors.Is(err, inbox.ErrInvalidState) {
		return
	}
	r.logger.ErrorContext(ctx, what, "inbox", id, "err", err)
}
