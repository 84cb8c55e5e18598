package desk

import (
	"context"
	"errors"
	"time"
)

// Chore is what must happen for all inboxes together, again and again. Beside the chores each inbox
// wants its Step, every Config.Poll and when it is rung for.
type Chore struct {
	// Kind is empty where several processes may do it at the same time.
	Kind TaskKind
	// Every is how often.
	Every time.Duration
	Do    func(ctx context.Context) error

	name string
}

// Chores returns what Run does for all inboxes together. A host with a queue of its own does the same.
func (d *Desk) Chores() []Chore {
	return []Chore{
		{Every: 2 * time.Second, Do: d.dispatch, name: "dispatch"},
		{Kind: TaskDeliver, Every: 2 * time.Second, Do: d.deliver, name: "deliver"},
		{Kind: TaskHousekeep, Every: time.Hour, Do: d.Housekeep, name: "housekeeping"},
	}
}

func (d *Desk) dispatch(ctx context.Context) error {
	_, err := d.Tickets.Dispatch(ctx, 50)
	return err
}

func (d *Desk) deliver(ctx context.Context) error {
	_, err := d.Inboxes.Deliver(ctx, 200)
	return err
}

// Housekeep ends abandoned set-ups and empties the trash of inboxes.
func (d *Desk) Housekeep(ctx context.Context) error {
	return errors.Join(d.Inboxes.ExpireDrafts(ctx),
		d.Inboxes.PurgeDeleted(ctx, d.Tickets.Store.PurgeTickets))
}
