package memory

import (
	"context"
	"iter"
	"slices"
	"time"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
)

// event is an event that waits for delivery. A retry replaces it.
type event struct {
	inbox.Due
	notBefore time.Time
}

// DueEvents yields events due at now, oldest first by ID; see inbox.Outbox.
func (s *Store) DueEvents(
	ctx context.Context, now time.Time, limit int,
) iter.Seq2[inbox.Due, error] {
	l := list[event]{
		from:  func() *sorted[event] { return s.events.of(key{}) },
		keep:  func(e *event) bool { return !e.notBefore.After(now) },
		limit: limit,
	}
	return func(yield func(inbox.Due, error) bool) {
		for e, err := range l.yield(ctx, s) {
			due := e.Due
			due.Event, due.Done = clone(due.Event), slices.Clone(due.Done)
			if !yield(due, err) {
				return
			}
		}
	}
}

// DoneEvent forgets a delivered event; see inbox.Outbox.
func (s *Store) DoneEvent(ctx context.Context, id string) error {
	unlock, err := s.write(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	s.events.replace(s.waiting[id], nil)
	delete(s.waiting, id)
	return nil
}

// RetryEvent hides an event until notBefore; see inbox.Outbox. The receivers in done join those
// noted before. An event that is gone was delivered by somebody else, and nothing is to be done.
func (s *Store) RetryEvent(
	ctx context.Context, id string, done []acl.UserID, notBefore time.Time,
) error {
	unlock, err := s.write(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	old := s.waiting[id]
	if old == nil {
		return nil
	}
	e := *old
	e.Attempts++
	e.notBefore = utc(notBefore)
	e.Done = slices.Clone(e.Done)
	for _, u := range done {
		if !slices.Contains(e.Done, u) {
			e.Done = append(e.Done, u)
		}
	}
	s.setEvent(old, &e)
	return nil
}

// SaveEvents adds events that no other write caused; see inbox.Outbox. ErrExists when one of that ID
// waits already, as with every write that brings events.
func (s *Store) SaveEvents(ctx context.Context, ev ...inbox.Event) error {
	unlock, err := s.write(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if err := s.checkEvents(ev); err != nil {
		return err
	}
	s.addEvents(ev)
	return nil
}

// checkEvents refuses events that wait already.
func (s *Store) checkEvents(ev []inbox.Event) error {
	for i := range ev {
		again := slices.ContainsFunc(ev[:i], func(e inbox.Event) bool { return e.ID == ev[i].ID })
		if again || s.waiting[ev[i].ID] != nil {
			return refuse("save", "event", ev[i].ID, storage.ErrExists)
		}
	}
	return nil
}

func (s *Store) addEvents(ev []inbox.Event) {
	for i := range ev {
		s.setEvent(nil, &event{Due: inbox.Due{Event: clone(ev[i])}})
	}
}

func (s *Store) setEvent(old, e *event) {
	s.events.replace(old, e)
	s.waiting[e.ID] = e
}
