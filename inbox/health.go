package inbox

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/storage"
)

// Health is how an inbox is doing: totals only (row 37).
type Health struct {
	State       State
	Importing   bool // the first walk is not done
	LastSync    time.Time
	LastSuccess time.Time
	Failures    int    // syncs in a row that failed
	LastError   string // a code: "auth", "retry", ...
	Queued      int    // mail waiting to be tried again
	Poisoned    int    // mail given up, for a person to look at
	Stored      int
	Threads     int
	Rejected    map[filter.Reason]int
}

// OK says whether nothing needs a person.
func (h Health) OK() bool {
	return (h.State.Live() || h.State == StatePaused) && h.Failures < unhealthyAfter && h.Poisoned == 0
}

// Health returns how the inbox is doing.
func (s *Service) Health(ctx context.Context, actor acl.Actor, id ID) (Health, error) {
	in, err := s.Authorize(ctx, actor, id, acl.ViewHealth, nil)
	if err != nil {
		return Health{}, err
	}
	st, err := s.Store.SyncState(ctx, id)
	if err != nil {
		return Health{}, err
	}
	tally, err := s.Store.Tally(ctx, id)
	if err != nil {
		return Health{}, err
	}
	rejected, err := s.Store.Rejections(ctx, id)
	if err != nil {
		return Health{}, err
	}
	return Health{
		State: in.State, Importing: in.State == StateImporting, LastSync: st.LastSync,
		LastSuccess: st.LastSuccess, Failures: st.Failures, LastError: st.LastError,
		Queued: st.Queued, Poisoned: st.Poisoned, Stored: tally.Messages, Threads: tally.Threads,
		Rejected: rejected,
	}, nil
}

// Runs yields what every sync of the inbox did, newest first.
func (s *Service) Runs(ctx context.Context, actor acl.Actor, id ID, limit int) iter.Seq2[Run, error] {
	return func(yield func(Run, error) bool) {
		if _, err := s.Authorize(ctx, actor, id, acl.ViewHealth, nil); err != nil {
			yield(Run{}, err)
			return
		}
		for r, err := range s.Store.Runs(ctx, id, limit) {
			if !yield(r, err) || err != nil {
				return
			}
		}
	}
}

// Waiting yields the mail that waits to be tried again: opaque ids and codes, and for the creator when it
// was received and where it lies (R-IMP-11).
func (s *Service) Waiting(ctx context.Context, actor acl.Actor, id ID) iter.Seq2[Queued, error] {
	return s.queued(ctx, actor, QueueQuery{Inbox: id})
}

// GivenUp yields the mail that was tried too often and waits for Release, as Waiting does (R-IMP-11).
func (s *Service) GivenUp(ctx context.Context, actor acl.Actor, id ID) iter.Seq2[Queued, error] {
	return s.queued(ctx, actor, QueueQuery{Inbox: id, Poison: true})
}

func (s *Service) queued(ctx context.Context, actor acl.Actor, q QueueQuery) iter.Seq2[Queued, error] {
	return func(yield func(Queued, error) bool) {
		in, err := s.Authorize(ctx, actor, q.Inbox, acl.ViewHealth, nil)
		if err != nil {
			yield(Queued{}, err)
			return
		}
		for q, err := range s.Store.Queue(ctx, q) {
			if in.Creator != actor.User {
				q = Queued{Remote: q.Remote, Attempts: q.Attempts, Code: q.Code, Poison: q.Poison}
			}
			if !yield(q, err) || err != nil {
				return
			}
		}
	}
}

// Release sends a mail that was given up back to be tried, from its first attempt.
func (s *Service) Release(ctx context.Context, actor acl.Actor, id ID, remote provider.RemoteID) error {
	if _, err := s.Authorize(ctx, actor, id, acl.EditSettings, nil); err != nil {
		return err
	}
	return storage.Redo(func() error {
		state, err := s.Store.SyncState(ctx, id)
		if err != nil {
			return err
		}
		seen, err := s.Store.Seen(ctx, id, []provider.RemoteID{remote})
		if err != nil {
			return err
		}
		have := seen[remote]
		if have.State != SeenPoison || have.Queued == nil {
			return &storage.Error{Op: "release", Entity: "message", ID: string(remote), Err: storage.ErrNotFound}
		}
		q := *have.Queued
		q.Poison, q.Attempts, q.NotBefore = false, 0, s.now()
		_, err = s.Store.Commit(ctx, Import{State: state, Queue: []Queued{q}})
		return err
	})
}

// Fate says what became of one remote mail, for its creator (row 33): stored, waiting, gone, or kept
// out and why. storage.ErrNotFound says that it was never listed.
func (s *Service) Fate(ctx context.Context, actor acl.Actor, id ID, remote provider.RemoteID) (Seen, error) {
	if _, err := s.Authorize(ctx, actor, id, acl.ExplainMail, nil); err != nil {
		return Seen{}, err
	}
	seen, err := s.Store.Seen(ctx, id, []provider.RemoteID{remote})
	if err != nil {
		return Seen{}, err
	}
	have, ok := seen[remote]
	if !ok {
		return Seen{}, &storage.Error{Op: "explain", Entity: "message", ID: string(remote), Err: storage.ErrNotFound}
	}
	return have, nil
}

// Progress is how far a first import has come. Total is about how many the walk will list; zero when
// the service cannot say.
type Progress struct{ Listed, Stored, Total int }

// Progress returns how far the import of the inbox has come.
func (s *Service) Progress(ctx context.Context, actor acl.Actor, id ID) (Progress, error) {
	in, err := s.Authorize(ctx, actor, id, acl.ViewHealth, nil)
	if err != nil {
		return Progress{}, err
	}
	var p Progress
	for r, err := range s.Store.Runs(ctx, id, 0) {
		if err != nil {
			return Progress{}, err
		}
		p.Listed += r.Listed - r.Known
		p.Stored += r.Stored
	}
	if in.State != StateImporting {
		p.Total = p.Listed
		return p, nil
	}
	box, err := s.mailbox(ctx, &in)
	if err != nil {
		return p, fmt.Errorf("count mail of inbox %q: %w", id, err)
	}
	c, ok := provider.As[provider.Counter](box)
	if !ok {
		return p, nil
	}
	snap, err := s.snapshot(ctx, in.Site)
	if err != nil {
		return p, err
	}
	f, err := s.compile(&in, snap, filter.Config{Floor: in.Floor()})
	if err != nil {
		return p, err
	}
	walk := s.walk(f)
	walk.Since = in.Floor()
	p.Total, err = c.Count(ctx, walk)
	return p, err
}
