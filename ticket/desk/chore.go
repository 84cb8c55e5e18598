package desk

import (
	"context"
	"errors"
	"time"
)

// Chore is what must happen for all inboxes together, again and again.
type Chore struct {
	// Name tells chores apart. It is stable.
	Name string
	// Kind is empty where several processes may do it at the same time.
	Kind TaskKind
	// Every is how often.
	Every   time.Duration
	Urgency Urgency
	Do      func(ctx context.Context) error
}

// atOnce is how many times Run does a chore at the same time, where it takes longer than Every: a mail
// service that does not answer holds up the mail of its inbox, and not what is due after it.
func (c *Chore) atOnce() int {
	if c.Kind == "" {
		return 4
	}
	return 1
}

// Chores returns what Run does for all inboxes together. Beside them each inbox that is Watched wants
// its Look, every Config.Poll and when it is rung for: that is all that must happen. A host with a
// queue of its own does the same.
func (d *Desk) Chores() []Chore {
	return []Chore{
		{Name: "dispatch", Every: 2 * time.Second, Urgency: UrgencyReply, Do: d.dispatch},
		{Name: "deliver", Kind: TaskDeliver, Every: 2 * time.Second, Urgency: UrgencyReply, Do: d.deliver},
		{Name: "housekeeping", Kind: TaskHousekeep, Every: time.Hour, Urgency: UrgencyBackfill, Do: d.Housekeep},
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

// Housekeep ends abandoned set-ups, empties the trash of inboxes and of tickets, and closes and archives
// tickets that have been quiet for long.
func (d *Desk) Housekeep(ctx context.Context) error {
	_, aged := d.Tickets.Age(ctx)
	_, purged := d.Tickets.PurgeTrash(ctx)
	return errors.Join(aged, purged, d.Inboxes.ExpireDrafts(ctx),
		d.Inboxes.PurgeDeleted(ctx, d.Tickets.PurgeInbox))
}
