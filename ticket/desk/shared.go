package desk

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
)

// claimEvery is how often a process with free workers asks what is due.
const claimEvery = time.Second

// giveBackFor is how long a process that stops tries to give back what it holds.
const giveBackFor = 5 * time.Second

// errLost ends the work of a lease that another may have.
var errLost = errors.New("the lease is lost")

// shared is one Run among several.
type shared struct {
	*Desk
	owner    string
	jobs     sync.WaitGroup
	accounts accounts
	wake     chan struct{} // somebody may be due

	mu        sync.Mutex
	held      map[Task]*holding
	steps     int // workers that are busy
	listening map[inbox.ID]bool

	enrolled map[Task]bool // what the last list held
	lists    int
}

// holding is a lease somebody here works on.
type holding struct {
	Lease
	lose  context.CancelCauseFunc
	lapse *time.Timer // loses it when it could not be renewed
}

func (d *Desk) runShared(ctx context.Context) error {
	s := &shared{
		Desk: d, owner: rand.Text(), wake: make(chan struct{}, 1),
		held: make(map[Task]*holding), listening: make(map[inbox.ID]bool),
	}
	defer s.jobs.Wait()
	for _, c := range d.Chores() {
		do := c.Do
		if c.Kind != "" {
			do = func(ctx context.Context) error { return s.alone(ctx, c) }
		}
		d.every(ctx, &s.jobs, c.Every, c.atOnce(), c.Name, do)
	}
	d.every(ctx, &s.jobs, d.poll, 1, "list inboxes", s.enrollAll)
	s.jobs.Go(func() { s.renewing(ctx) })
	s.jobs.Go(func() { s.claiming(ctx) })
	for {
		select {
		case <-ctx.Done():
			return nil
		case first := <-d.rings:
			d.log(ctx, "ring", "", s.ring(ctx, first))
		}
	}
}

// enrollAllEvery is how many lists come between those that enroll inboxes that were known before: one
// may have been retired, by another process, while it was away for less than a list.
const enrollAllEvery = 10

// enrollAll makes every inbox known that is to be looked at, and learns whose accounts they are.
func (s *shared) enrollAll(ctx context.Context) error {
	var tasks []Task
	listed := make(map[Task]bool, len(s.enrolled))
	err := s.accounts.learn(s.Watched(ctx), func(id inbox.ID) {
		t := Task{Kind: TaskStep, Inbox: id}
		listed[t] = true
		if s.lists%enrollAllEvery == 0 || !s.enrolled[t] {
			tasks = append(tasks, t)
		}
	})
	if err == nil && len(tasks) > 0 {
		err = s.leases.Enroll(ctx, tasks...)
	}
	if err == nil {
		s.enrolled = listed
		s.lists++
	}
	s.look()
	return err
}

// ring takes this ring and all that wait to whoever has the inboxes.
func (s *shared) ring(ctx context.Context, r ring) error {
	var tasks []Task
	for {
		for _, id := range s.accounts.meant(r) {
			tasks = append(tasks, Task{Kind: TaskStep, Inbox: id})
		}
		select {
		case r = <-s.rings:
			continue
		default:
		}
		if len(tasks) == 0 {
			return nil
		}
		defer s.look()
		return s.leases.Ring(ctx, tasks...)
	}
}

// look has claiming look at once.
func (s *shared) look() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// claiming takes inboxes that are due while there are workers free.
func (s *shared) claiming(ctx context.Context) {
	tick := time.NewTicker(min(claimEvery, s.poll))
	defer tick.Stop()
	for {
		began := time.Now()
		claimed, err := s.leases.Claim(ctx, TaskStep, s.owner, s.free(), s.hold)
		s.log(ctx, "claim inboxes", "", err)
		for _, l := range claimed {
			s.step(ctx, l, began)
		}
		select {
		case <-ctx.Done():
			return
		case <-s.wake:
		case <-tick.C:
		}
	}
}

func (s *shared) free() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.workers - s.steps
}

func (s *shared) busy(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.steps += n
}

// step looks at one inbox on a worker of its own.
func (s *shared) step(ctx context.Context, l Lease, began time.Time) {
	s.busy(1)
	s.jobs.Go(func() {
		var turn Turn
		s.under(ctx, l, began, func(ctx context.Context) (next time.Duration, retire bool) {
			turn = s.lookLeased(ctx, l)
			return turn.Next, turn.Leave
		})
		s.busy(-1)
		s.look()
		if turn.Listen {
			s.listen(ctx, l.Inbox)
		}
	})
}

// lookLeased looks at an inbox, over which whoever had it before has no power any more.
func (s *shared) lookLeased(ctx context.Context, l Lease) Turn {
	if l.TakenOver {
		err := s.Inboxes.TakeOver(ctx, l.Inbox)
		if err != nil && !errors.Is(err, storage.ErrNotFound) {
			s.log(ctx, "take over", l.Inbox, err)
			return Turn{Next: s.poll}
		}
	}
	turn, err := s.Look(ctx, l.Inbox, Occasion(l.Rung || l.TakenOver))
	s.log(ctx, "look", l.Inbox, err)
	if turn.Again {
		s.log(ctx, "ring", l.Inbox, s.leases.Ring(ctx, l.Task))
	}
	return turn
}

// alone does a chore unless another process does or has just done it.
func (s *shared) alone(ctx context.Context, c Chore) error {
	if err := s.leases.Enroll(ctx, Task{Kind: c.Kind}); err != nil {
		return err
	}
	began := time.Now()
	claimed, err := s.leases.Claim(ctx, c.Kind, s.owner, 1, s.hold)
	for _, l := range claimed {
		s.under(ctx, l, began, func(ctx context.Context) (time.Duration, bool) {
			if err = c.Do(ctx); ctx.Err() != nil {
				err = nil // under says so
			}
			// Half, so that the turn of one process is not just missed by the next.
			return c.Every / 2, false
		})
	}
	return err
}

// listen waits for news in the mailbox of an inbox until it is due again, and rings. It holds nothing:
// whoever is free looks.
func (s *shared) listen(ctx context.Context, id inbox.ID) {
	s.mu.Lock()
	there := s.listening[id]
	s.listening[id] = true
	s.mu.Unlock()
	if there {
		return
	}
	waiting, stop := context.WithTimeout(ctx, s.poll)
	err := s.Inboxes.Wait(waiting, id)
	stop()
	s.mu.Lock()
	delete(s.listening, id)
	s.mu.Unlock()
	if err == nil {
		s.log(ctx, "ring", id, s.leases.Ring(ctx, Task{Kind: TaskStep, Inbox: id}))
		s.look()
	}
}

// under works while the lease holds and then gives it back. Work that was cut short is due at once.
func (s *shared) under(
	ctx context.Context, l Lease, began time.Time, work func(context.Context) (next time.Duration, retire bool),
) {
	held, lose := context.WithCancelCause(ctx)
	defer lose(nil)
	h := s.take(l, began, lose)
	if h == nil {
		// Work of ours that lost the lease is still winding down.
		s.log(ctx, "give back", l.Inbox, s.leases.Release(ctx, l, min(s.hold, s.poll), 0))
		return
	}
	next, retire := work(held)
	s.drop(h)
	if errors.Is(context.Cause(held), errLost) {
		s.logger.WarnContext(ctx, "lost a lease while at work", "task", l.Kind, "inbox", l.Inbox)
		return
	}
	s.log(ctx, "give back", l.Inbox, s.giveBack(ctx, l, next, retire))
}

func (s *shared) giveBack(ctx context.Context, l Lease, next time.Duration, retire bool) error {
	rest := lookPause
	if ctx.Err() != nil {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeout(context.WithoutCancel(ctx), giveBackFor)
		defer stop()
		next, rest = 0, 0
		// So that the next one does not take it for a turn at which nothing needs syncing.
		if err := s.leases.Ring(ctx, l.Task); err != nil {
			return fmt.Errorf("%s: %w", l.Kind, err)
		}
		retire = false
	}
	if retire {
		return s.leases.Retire(ctx, l)
	}
	return s.leases.Release(ctx, l, next, min(rest, next))
}

// take notes a lease as ours until it lapses. Nil when its task is still at work here.
func (s *shared) take(l Lease, began time.Time, lose context.CancelCauseFunc) *holding {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held[l.Task] != nil {
		return nil
	}
	// By our own clock from before the claim: never longer than the store believes.
	lapse := time.AfterFunc(s.hold-time.Since(began), func() { lose(errLost) })
	h := &holding{Lease: l, lose: lose, lapse: lapse}
	s.held[l.Task] = h
	return h
}

func (s *shared) drop(h *holding) {
	h.lapse.Stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.held, h.Task)
}

// renewing keeps what is being worked on. What another has taken over is stopped at once, what could
// not be renewed when its time is over.
func (s *shared) renewing(ctx context.Context) {
	tick := time.NewTicker(max(s.hold/3, time.Millisecond))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			s.log(ctx, "renew leases", "", s.renew(ctx))
		}
	}
}

func (s *shared) renew(ctx context.Context) error {
	s.mu.Lock()
	mine := make(map[Lease]*holding, len(s.held))
	var all []Lease
	for _, h := range s.held {
		mine[h.Lease] = h
		all = append(all, h.Lease)
	}
	s.mu.Unlock()
	if len(all) == 0 {
		return nil
	}
	began := time.Now()
	ctx, stop := context.WithTimeout(ctx, s.hold/3)
	defer stop()
	kept, err := s.leases.Renew(ctx, s.hold, all...)
	if err != nil {
		return err
	}
	for _, l := range kept {
		mine[l].lapse.Reset(s.hold - time.Since(began))
		delete(mine, l)
	}
	for _, h := range mine {
		h.lose(errLost)
	}
	return nil
}
