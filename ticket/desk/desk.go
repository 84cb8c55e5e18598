// Package desk wires inboxes and tickets for a host that wants both, and has the one loop of the
// library: Run. Everything Run does a host can also call itself, from its own queue: Step for one
// inbox; Tickets.Dispatch, Inboxes.Deliver and Housekeep for all.
package desk

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/ticket"
)

// Store is what one database supplies for the whole desk.
type Store interface {
	inbox.Store
	ticket.Store
}

// Config is what a Desk is made of. Store, Vault, Blobs, People, Sites and Providers are required.
type Config struct {
	Store     Store
	Vault     inbox.Vault
	Blobs     inbox.Blobs
	People    inbox.People
	Sites     inbox.Sites
	Providers []provider.Provider
	Notifier  inbox.Notifier // optional

	Logger *slog.Logger
	Meter  inbox.Meter
	Now    func() time.Time
	NewID  func() string

	// Inbox holds the further settings of the inbox service; the fields above win over its own.
	Inbox inbox.Config

	// Poll is how often each inbox is looked at. Zero is one minute.
	Poll time.Duration
	// Workers is how many inboxes are looked at at the same time. Zero is 4.
	Workers int
}

// Desk is the wired library. Its services are used directly; Run keeps it going.
type Desk struct {
	Inboxes *inbox.Service
	Tickets *ticket.Service

	poll    time.Duration
	workers int
	rings   chan inbox.ID
	logger  *slog.Logger
}

// New wires the services.
func New(c Config) (*Desk, error) {
	if c.Store == nil {
		return nil, errors.New("desk: Config.Store is required")
	}
	ic := c.Inbox
	ic.Store, ic.Vault, ic.Blobs = c.Store, c.Vault, c.Blobs
	ic.People, ic.Sites, ic.Providers, ic.Notifier = c.People, c.Sites, c.Providers, c.Notifier
	ic.Logger, ic.Meter, ic.Now, ic.NewID = c.Logger, c.Meter, c.Now, c.NewID
	inboxes, err := inbox.New(ic)
	if err != nil {
		return nil, err
	}
	tickets, err := ticket.New(ticket.Config{
		Store: c.Store, Inboxes: inboxes, Archive: c.Store, Blobs: c.Blobs,
		Logger: c.Logger, Now: c.Now, NewID: c.NewID,
	})
	if err != nil {
		return nil, err
	}
	if c.Poll <= 0 {
		c.Poll = time.Minute
	}
	if c.Workers <= 0 {
		c.Workers = 4
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return &Desk{
		Inboxes: inboxes, Tickets: tickets, poll: c.Poll, workers: c.Workers, logger: c.Logger,
		rings: make(chan inbox.ID, 64),
	}, nil
}

// Step brings one inbox up to date: sync, then collect. What was synced is collected also when the
// sync ended with an error, and on an inbox that is not live, which answers inbox.ErrInvalidState.
func (d *Desk) Step(ctx context.Context, id inbox.ID) (inbox.Run, error) {
	run, err := d.Inboxes.Sync(ctx, id)
	if ctx.Err() != nil {
		return run, err
	}
	return run, errors.Join(err, d.collect(ctx, id))
}

func (d *Desk) collect(ctx context.Context, id inbox.ID) error {
	if _, err := d.Tickets.Collect(ctx, id); err != nil {
		return fmt.Errorf("collect inbox %q: %w", id, err)
	}
	return nil
}

// Housekeep ends abandoned set-ups and empties the trash of inboxes.
func (d *Desk) Housekeep(ctx context.Context) error {
	return errors.Join(d.Inboxes.ExpireDrafts(ctx),
		d.Inboxes.PurgeDeleted(ctx, d.Tickets.Store.PurgeTickets))
}

// Ring asks for a look at one inbox soon: what a webhook calls. It never blocks; a ring that is lost
// because too many wait is made up for by the next poll.
func (d *Desk) Ring(id inbox.ID) {
	select {
	case d.rings <- id:
	default:
	}
}
