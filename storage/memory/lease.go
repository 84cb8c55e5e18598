package memory

import (
	"cmp"
	"context"
	"time"

	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/ticket/desk"
)

// leases holds what desk.Leases keeps.
type leases struct {
	byTask map[desk.Task]*lease
	order  *index[lease]
	token  uint64 // the last one given, of any task
}

// lease is a task and who holds it. A write replaces it.
type lease struct {
	desk.Task
	due, rest time.Time
	rung      bool
	owner     string // nobody when empty
	token     uint64
}

var _ desk.Leases = (*Store)(nil)

func newLeases() *leases {
	return &leases{
		byTask: make(map[desk.Task]*lease),
		order: newIndex(func(a, b *lease) int {
			return cmp.Or(a.due.Compare(b.due), cmp.Compare(a.Inbox, b.Inbox), cmp.Compare(a.Kind, b.Kind))
		}, func(l *lease) []key { return []key{{by: byKind, value: string(l.Kind)}} }),
	}
}

const byKind = "kind"

func (s *leases) put(l *lease) {
	s.order.replace(s.byTask[l.Task], l)
	s.byTask[l.Task] = l
}

// ours returns the lease if it is still its owner's.
func (s *leases) ours(l *desk.Lease) *lease {
	have := s.byTask[l.Task]
	if have == nil || have.owner != l.Owner || have.token != l.Token {
		return nil
	}
	return have
}

// Enroll makes tasks known; see desk.Leases.
func (s *Store) Enroll(ctx context.Context, tasks ...desk.Task) error {
	unlock, err := s.write(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	for _, t := range tasks {
		if s.leases.byTask[t] == nil {
			s.leases.put(&lease{Task: t, due: time.Now()})
		}
	}
	return nil
}

// Ring makes tasks due at once; see desk.Leases.
func (s *Store) Ring(ctx context.Context, tasks ...desk.Task) error {
	unlock, err := s.write(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	now := time.Now()
	for _, t := range tasks {
		l := lease{Task: t, due: now}
		if have := s.leases.byTask[t]; have != nil {
			l = *have
		}
		l.rung = true
		soon := now
		if l.rest.After(now) {
			soon = l.rest
		}
		if l.owner == "" && l.due.After(soon) {
			l.due = soon
		}
		s.leases.put(&l)
	}
	return nil
}

// Claim gives an owner what is due; see desk.Leases.
func (s *Store) Claim(
	ctx context.Context, kind desk.TaskKind, owner string, n int, hold time.Duration,
) ([]desk.Lease, error) {
	unlock, err := s.write(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	now := time.Now()
	var due []*lease
	for l := range s.leases.order.of(key{by: byKind, value: string(kind)}).all() {
		if len(due) >= n || l.due.After(now) {
			break
		}
		due = append(due, l)
	}
	var claimed []desk.Lease
	for _, have := range due {
		l := *have
		s.leases.token++
		claimed = append(claimed, desk.Lease{
			Task: l.Task, Owner: owner, Token: s.leases.token, Rung: l.rung, TakenOver: l.owner != "",
		})
		l.owner, l.token, l.rung, l.due = owner, s.leases.token, false, now.Add(hold)
		s.leases.put(&l)
	}
	return claimed, nil
}

// Renew goes on holding leases; see desk.Leases.
func (s *Store) Renew(ctx context.Context, hold time.Duration, all ...desk.Lease) ([]desk.Lease, error) {
	unlock, err := s.write(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	var kept []desk.Lease
	for i := range all {
		if have := s.leases.ours(&all[i]); have != nil {
			l := *have
			l.due = time.Now().Add(hold)
			s.leases.put(&l)
			kept = append(kept, all[i])
		}
	}
	return kept, nil
}

// Release gives a lease back; see desk.Leases.
func (s *Store) Release(ctx context.Context, back desk.Lease, next, rest time.Duration) error {
	unlock, err := s.write(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	have := s.leases.ours(&back)
	if have == nil {
		return refuse("release", "lease of inbox", back.Inbox, storage.ErrConflict)
	}
	l, now := *have, time.Now()
	l.owner, l.rest, l.due = "", now.Add(rest), now.Add(next)
	if l.rung {
		l.due = l.rest
	}
	s.leases.put(&l)
	return nil
}

// Retire forgets a task; see desk.Leases.
func (s *Store) Retire(ctx context.Context, back desk.Lease) error {
	unlock, err := s.write(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	have := s.leases.ours(&back)
	if have == nil {
		return refuse("retire", "lease of inbox", back.Inbox, storage.ErrConflict)
	}
	s.leases.order.replace(have, nil)
	delete(s.leases.byTask, have.Task)
	return nil
}
