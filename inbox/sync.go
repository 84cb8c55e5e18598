package inbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/storage"
)

// Sync brings an inbox up to date: the first time it imports, later it fetches what changed. It
// resumes by itself after a crash or an error; nothing is lost, and nothing stored or downloaded
// twice but for at most two pages that were under way. It is the engine's own: desk.Run and hosts'
// queues call it, for live inboxes of creators who are not deactivated (ErrInvalidState otherwise).
//
// The Run it returns balances also when it ends with a *SyncError. A dead grant moves the inbox to
// needs_reauth; storage.ErrConflict in the error says that another worker was on the same inbox, or
// that somebody paused it or changed its rules: nothing was stored after that.
func (s *Service) Sync(ctx context.Context, id ID) (Run, error) {
	// The state is read before the inbox, so that whoever changes the inbox later stops this sync
	// (fence).
	state, err := s.Store.SyncState(ctx, id)
	if err != nil {
		return Run{}, err
	}
	in, err := s.Store.Inbox(ctx, id)
	if err != nil {
		return Run{}, err
	}
	if err := s.usable(ctx, &in); err != nil {
		return Run{}, fmt.Errorf("sync: %w", err)
	}
	started := time.Now()
	y, err := s.newSyncer(ctx, in, state)
	if err == nil {
		err = y.sync(ctx)
	}
	if y.refreshedElsewhere(ctx, err) {
		if err = y.reopen(ctx); err == nil {
			err = y.sync(ctx)
		}
	}
	s.Meter.Time("inbox.sync", time.Since(started), "ok", fmt.Sprint(err == nil))
	if err != nil {
		return y.run, y.failed(ctx, err)
	}
	return y.run, nil
}

// failed does what an error of a sync asks for and wraps it with the report.
func (y *syncer) failed(ctx context.Context, cause error) error {
	s, id := y.s, y.in.ID
	err := &SyncError{Report: y.run, Err: cause}
	if ctx.Err() != nil || conflict(cause) {
		return err
	}
	if !s.outdated(ctx, id, y.box) {
		s.deadGrant(ctx, id, cause)
	}
	state, e := y.current(ctx)
	if e == nil {
		e = s.noteFailure(ctx, state, y.run, cause)
	}
	if e != nil && !conflict(e) { // then the next sync counts
		s.Logger.ErrorContext(ctx, "note a failed sync", "inbox", id, "err", e)
	}
	return err
}

// refreshedElsewhere says whether a sync ended only because another process has refreshed the
// credential: then it goes on with that one. A storage.ErrConflict of the state is none of this:
// another has the inbox.
func (y *syncer) refreshedElsewhere(ctx context.Context, cause error) bool {
	if cause == nil || !y.s.superseded(ctx, y.in.ID, y.box, cause) {
		return false
	}
	_, err := y.current(ctx)
	return err == nil
}

// reopen makes the sync go on from what is stored, with the credential as it is now.
func (y *syncer) reopen(ctx context.Context) (err error) {
	y.known = newOverlay()
	y.box, err = y.s.mailbox(ctx, &y.in)
	return err
}

// unhealthyAfter is how many syncs in a row may fail before somebody is told.
const unhealthyAfter = 5

// current reads the state again, for a write it does not guard by itself. storage.ErrConflict says that
// another worker has the inbox, or that somebody changed it: Commit would say so too, but later.
func (y *syncer) current(ctx context.Context) (SyncState, error) {
	state, err := y.s.Store.SyncState(ctx, y.in.ID)
	if err == nil && state.Version != y.state.Version {
		err = &storage.Error{Op: "sync", Entity: "inbox", ID: string(y.in.ID), Err: storage.ErrConflict}
	}
	return state, err
}

// noteFailure stores that a sync failed on the state it worked on.
func (s *Service) noteFailure(ctx context.Context, state SyncState, run Run, cause error) error {
	state.Inbox = run.Inbox
	state.LastSync, state.LastError = s.now(), code(cause)
	state.Failures++
	imp := Import{State: state}
	run.Ended, run.Error = s.now(), code(cause)
	imp.Run = &run
	var ev []Event
	if state.Failures == unhealthyAfter {
		in, err := s.Store.Inbox(ctx, run.Inbox)
		if err != nil {
			return err
		}
		ev = append(ev, s.event(Event{Name: EventUnhealthy, Facts: map[string]string{"code": code(cause)}}, &in, ""))
	}
	_, err := s.Store.Commit(ctx, imp, ev...)
	return err
}

// syncer is one sync of one inbox.
type syncer struct {
	s      *Service
	in     Inbox
	box    *openMailbox
	filter *filter.Filter
	snap   *snapshot
	loose  bool     // snap is a recentSnapshot, by which nothing may be decided
	known  *overlay // what this sync has decided and not stored yet
	state  SyncState
	run    Run
	tried  map[provider.RemoteID]bool // taken from the queue in this sync
	// filling decides what waits because of a backfill, while that goes on.
	filling *filter.Filter
	met     map[string]metCustomer // by address key
}

// newSyncer returns a syncer also with an error, for its report.
func (s *Service) newSyncer(ctx context.Context, in Inbox, state SyncState) (*syncer, error) {
	y := &syncer{
		s: s, in: in, state: state, known: newOverlay(), tried: make(map[provider.RemoteID]bool),
		met: make(map[string]metCustomer),
		run: Run{ID: s.NewID(), Inbox: in.ID, Kind: RunSync, Started: s.now()},
	}
	var err error
	y.state.Inbox = in.ID
	if y.box, err = s.mailbox(ctx, &in); err != nil {
		return y, err
	}
	// A walk, mail that waits and a backfill are decided by what is known from the start.
	y.loose = !state.Begun.IsZero() && !state.Walking && state.Queued == 0 && state.Backfill == nil
	read := s.snapshot
	if y.loose {
		read = s.recentSnapshot
	}
	if y.snap, err = read(ctx, in.Site); err != nil {
		return y, err
	}
	y.filter, err = s.compile(&in, y.snap, filter.Config{Floor: in.Floor()})
	return y, err
}

func (y *syncer) sync(ctx context.Context) error {
	if y.state.Begun.IsZero() {
		y.state.Begun, y.state.Walking = y.s.now(), true
	}
	if err := y.retry(ctx); err != nil {
		return err
	}
	err := y.changes(ctx)
	if errors.Is(err, provider.ErrCursorExpired) {
		y.startOver()
		err = y.changes(ctx)
	}
	if err != nil {
		return err
	}
	if err := y.caughtUp(ctx); err != nil {
		return err
	}
	if y.state.Backfill != nil {
		if err := y.backfill(ctx); err != nil {
			return err
		}
	}
	if err := y.retry(ctx); err != nil {
		return err
	}
	if err := y.subscribe(ctx); err != nil {
		return err
	}
	return y.finish(ctx)
}

// changes reads the live stream from where it stands.
func (y *syncer) changes(ctx context.Context) error {
	walk := y.s.walk(y.filter)
	walk.Since = y.in.Floor()
	if y.state.Resync.After(walk.Since) {
		walk.Since = y.state.Resync
	}
	return y.read(ctx, y.state.Cursor, walk, pageRules{filter: y.filter, code: QueueOpen},
		func(b *provider.Batch) { y.state.Cursor, y.state.Walking = b.Next, b.Walking })
}

// walk asks for what the filter is interested in; nil asks for everything.
func (s *Service) walk(f *filter.Filter) provider.Walk {
	w := provider.Walk{Bodies: provider.BodiesWith}
	if s.Strict {
		w.Bodies = provider.BodiesAsk
	}
	if list, narrow := f.Interest(); narrow {
		w.Interest = append([]string{}, list...)
	}
	return w
}

// startOver walks again after an expired cursor, from a day before the last success: what was
// stored by then is known and neither stored nor downloaded twice. Where deletions are mirrored it walks
// from the beginning: mail of any age may have come back from the trash meanwhile.
func (y *syncer) startOver() {
	y.state.Cursor, y.state.Walking = "", true
	y.state.Resync = time.Time{}
	if !y.state.LastSuccess.IsZero() && !y.state.Imported.IsZero() && !y.in.Settings.MirrorDeletes {
		y.state.Resync = y.state.LastSuccess.Add(-24 * time.Hour)
	}
}

// caughtUp ends the first walk.
func (y *syncer) caughtUp(ctx context.Context) error {
	y.state.Walking, y.state.Resync = false, time.Time{}
	if !y.state.Imported.IsZero() && y.in.State != StateImporting {
		return nil
	}
	if y.state.Imported.IsZero() {
		y.state.Imported = y.s.now()
		if err := y.commit(ctx, Import{}); err != nil {
			return err
		}
	}
	if err := y.retry(ctx); err != nil {
		return err
	}
	facts, err := y.importFacts(ctx)
	if err != nil {
		return err
	}
	return y.s.importDone(ctx, y.in.ID, facts)
}

// importFacts are the counts of the whole first import, which may have taken several syncs.
func (y *syncer) importFacts(ctx context.Context) (map[string]string, error) {
	stored, unreadable, rejected := 0, 0, 0
	for r, err := range y.s.Store.Runs(ctx, y.in.ID, 0) {
		if err != nil {
			return nil, err
		}
		stored += r.Stored
		unreadable += r.Unreadable
	}
	reasons, err := y.s.Store.Rejections(ctx, y.in.ID)
	if err != nil {
		return nil, err
	}
	for _, n := range reasons {
		rejected += n
	}
	return map[string]string{
		"stored": fmt.Sprint(stored), "rejected": fmt.Sprint(rejected),
		"queued": fmt.Sprint(y.state.Queued), "unreadable": fmt.Sprint(unreadable),
	}, nil
}

// finish notes the success. A sync that looked at nothing leaves its time and no run.
func (y *syncer) finish(ctx context.Context) error {
	y.run.Ended = y.s.now()
	y.state.LastSync, y.state.LastSuccess = y.run.Ended, y.run.Ended
	y.state.Failures, y.state.LastError = 0, ""
	return y.commit(ctx, Import{})
}

// commit stores one step with the state and the ledger as they stand now.
func (y *syncer) commit(ctx context.Context, imp Import, ev ...Event) error {
	imp.State = y.state
	if y.run.Listed+y.run.Retried+y.run.Changed > 0 {
		run := y.run.clone()
		imp.Run = &run
	}
	next, err := y.s.Store.Commit(ctx, imp, ev...)
	if err != nil {
		return err
	}
	y.state = next
	return nil
}

// backfill carries out the creator's backfill from where it stands. What waits because of it is tried
// before it ends, while it is known that it belongs to it.
func (y *syncer) backfill(ctx context.Context) error {
	b := *y.state.Backfill
	f, err := y.wideFilter(b.Since)
	if err != nil {
		return err
	}
	walk := y.s.walk(f)
	walk.Since, walk.Until, walk.Only = b.Since, b.Until, true
	y.run.Kind = RunBackfill
	read := func() error {
		return y.read(ctx, b.Cursor, walk, pageRules{filter: f, code: QueueBackfill, again: true},
			func(batch *provider.Batch) {
				b.Cursor = batch.Next
				next := b
				y.state.Backfill = &next
			})
	}
	if err = read(); errors.Is(err, provider.ErrCursorExpired) {
		b.Cursor = ""
		err = read()
	}
	if err != nil {
		return err
	}
	y.filling = f
	err = y.retry(ctx)
	y.filling = nil
	if err != nil {
		return err
	}
	y.state.Backfill = nil
	return y.commit(ctx, Import{})
}

// wideFilter decides what a backfill since then brings: by the newest rules and all clients.
func (y *syncer) wideFilter(since time.Time) (*filter.Filter, error) {
	return y.s.compile(&y.in, y.snap, filter.Config{Backfill: true, Floor: since})
}
