package desk

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/storage"
)

// watched are the states of an inbox that is looked at. One that is not live is still collected: its
// tickets follow when access is taken away or its mail is erased.
var watched = []inbox.State{inbox.StateImporting, inbox.StateActive, inbox.StatePaused,
	inbox.StateNeedsReauth, inbox.StateDisconnected}

// Urgency says what goes first where work waits for a worker. Less is more urgent.
type Urgency int

// The urgencies.
const (
	UrgencyReply    Urgency = 1 + iota // mail that waits to be sent, and notices
	UrgencyLive                        // what comes in
	UrgencyBackfill                    // a first import, a creator's backfill, housekeeping
)

// UrgencyOf says how urgent the first Look at an inbox is; later each Turn says it of the next.
func UrgencyOf(in *inbox.Inbox) Urgency {
	if in.State == inbox.StateImporting {
		return UrgencyBackfill
	}
	return UrgencyLive
}

// Turn says what an inbox wants after a Look.
type Turn struct {
	// Next is the time to the next Look, unless the inbox is rung for: to the moment that is its own in
	// every Config.Poll, so that inboxes are never in step, or longer where its mail service has asked
	// for a longer wait.
	Next time.Duration
	// Urgency is that of the next Look.
	Urgency Urgency
	// Listen says that its mailbox may be asked to ring (inbox.Service.Wait): it is live and answers.
	Listen bool
	// Again says that the sync ended because another worker was on the inbox, or somebody changed it:
	// the next Look is as if rung for, since nobody rings twice for the same mail.
	Again bool
	// Leave says that it wants no Look any more: it is deleted, or was never set up.
	Leave bool
}

// Watched yields the inboxes that want a Look every Config.Poll, by ID, of all sites.
func (d *Desk) Watched(ctx context.Context) iter.Seq2[inbox.Inbox, error] {
	return d.Inboxes.Store.Inboxes(ctx, inbox.Query{States: watched})
}

// Occasion is why an inbox is looked at.
type Occasion bool

// The occasions. Of what is not known say ByRing: a sync too many does no harm.
const (
	ByTimer Occasion = false // its time has come
	ByRing  Occasion = true  // its mail service has rung, or another worker has left it
)

// Look brings one inbox up to date as Run does, and says what it wants next. It syncs what is live,
// which renews push and tries again what waits to be tried again, and collects the tickets. Where the
// mail service rings, it syncs ByRing, when the last sync left something to do, or when Config.PushedPoll
// is over, and only collects otherwise. For one inbox, one Look at a time: whoever takes an inbox over
// from a worker that was not heard of calls inbox.Service.TakeOver before.
//
// What is no fault is no error: another worker on the same inbox, a creator who is deactivated. An
// error that means that the owner must reconnect (provider.ErrAuth and the like) has moved the inbox
// to needs_reauth already. The Turn is valid also with an error.
func (d *Desk) Look(ctx context.Context, id inbox.ID, why Occasion) (Turn, error) {
	in, err := d.Inboxes.Store.Inbox(ctx, id)
	switch {
	case errors.Is(err, storage.ErrNotFound), err == nil && !slices.Contains(watched, in.State):
		return Turn{Leave: true}, nil
	case err != nil:
		return Turn{Next: d.next(id), Urgency: UrgencyLive}, fmt.Errorf("read inbox %q: %w", id, err)
	}
	t := Turn{Next: d.next(id), Urgency: UrgencyOf(&in)}
	if in.State.Live() {
		t, err = d.lookIn(ctx, &in, why)
	}
	if ctx.Err() != nil {
		return t, ctx.Err()
	}
	return t, errors.Join(err, d.collect(ctx, id))
}

// lookIn syncs a live inbox if that is due.
func (d *Desk) lookIn(ctx context.Context, in *inbox.Inbox, why Occasion) (Turn, error) {
	t := Turn{Next: d.next(in.ID), Urgency: UrgencyOf(in)}
	state, err := d.Inboxes.Store.SyncState(ctx, in.ID)
	if err != nil {
		return t, err
	}
	if state.Backfill != nil {
		t.Urgency = UrgencyBackfill
	}
	now := d.Inboxes.Now()
	if why == ByTimer && rings(&state, now) && !turnOver(in.ID, d.pushedPoll, state.LastSync, now) {
		t.Listen = true
		return t, nil
	}
	_, err = d.Inboxes.Sync(ctx, in.ID)
	t.Next = d.next(in.ID) // a sync may take its time
	var retry *provider.RetryError
	switch {
	case err == nil:
		t.Listen, t.Urgency = true, UrgencyLive
	case errors.Is(err, storage.ErrConflict):
		t.Again = true
		return t, nil
	case errors.Is(err, inbox.ErrInvalidState):
		return t, nil
	case errors.As(err, &retry):
		t.Next = max(t.Next, retry.After)
	}
	return t, err
}

// rings says whether a ring will tell of all that is to be done: what a sync began or could not do
// nobody rings for again.
func rings(state *inbox.SyncState, now time.Time) bool {
	return state.Pushed(now) && state.LastError == "" && !state.Walking && state.Backfill == nil
}

// next is the time to the next poll of an inbox.
func (d *Desk) next(id inbox.ID) time.Duration { return untilTurn(id, d.poll, d.Inboxes.Now()) }
