// Package desk wires inboxes and tickets for a host that wants both, and has the one loop of the
// library: Run. Everything Run does a host can also call itself, from its own queue: a Look for each
// inbox that is Watched; what Chores returns for all. Package river does so on River.
//
// One process runs by itself. Several share the work by leases on tasks (Leases):
//
//  1. A task is one inbox, or a chore. At most one process works on it, as long as its lease holds.
//  2. A process that stops gives back what it holds. What one held that died is due when its lease
//     has run out.
//  3. No lease keeps a process from writing that was only slow and wakes up when it has lost it. So
//     every write of a step is guarded besides: those of a sync by the version of its state, which
//     whoever takes an inbox over moves first, those of tickets by their versions.
package desk

import (
	"cmp"
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

	// Inbox and Ticket hold the further settings of the services; where a field above is set, it wins
	// over theirs.
	Inbox  inbox.Config
	Ticket ticket.Config

	// Poll is how often each inbox is looked at for mail. Zero is one minute. Run sends what is due and tells
	// of events more often, whatever it is.
	Poll time.Duration
	// PushedPoll is how often an inbox is looked at whose service rings when something changes; it
	// makes up for rings that were lost. Zero is five times Poll.
	PushedPoll time.Duration
	// Workers is how many inboxes are looked at at the same time. Zero is 4.
	Workers int

	// Leases lets Run share the inboxes with other processes on the same Store. Nil: this process is
	// the only one that runs.
	Leases Leases
	// Hold is how long a process that is not heard of keeps what it works on from the others. Zero is
	// 30 seconds.
	Hold time.Duration
}

// Desk is the wired library. Its services are used directly; Run keeps it going.
type Desk struct {
	Inboxes *inbox.Service
	Tickets *ticket.Service

	poll, pushedPoll time.Duration

	workers int
	leases  Leases
	hold    time.Duration
	rings   chan ring
	asked   askedAccounts
	logger  *slog.Logger
}

// New wires the services.
func New(c Config) (*Desk, error) {
	if c.Store == nil {
		return nil, errors.New("desk: Config.Store is required")
	}
	ic := c.Inbox
	ic.Store, ic.Vault, ic.Blobs = c.Store, c.Vault, c.Blobs
	ic.People, ic.Sites, ic.Providers = c.People, c.Sites, c.Providers
	if c.Notifier != nil {
		ic.Notifier = c.Notifier
	}
	if c.Meter != nil {
		ic.Meter = c.Meter
	}
	if c.Logger == nil {
		c.Logger = cmp.Or(ic.Logger, c.Ticket.Logger)
	}
	if c.Now == nil {
		c.Now = firstOf(ic.Now, c.Ticket.Now)
	}
	if c.NewID == nil {
		c.NewID = firstOf(ic.NewID, c.Ticket.NewID)
	}
	ic.Logger, ic.Now, ic.NewID = c.Logger, c.Now, c.NewID
	inboxes, err := inbox.New(ic)
	if err != nil {
		return nil, err
	}
	tc := c.Ticket
	tc.Store, tc.Inboxes, tc.Archive, tc.Blobs = c.Store, inboxes, c.Store, c.Blobs
	tc.Logger, tc.Now, tc.NewID = c.Logger, c.Now, c.NewID
	tickets, err := ticket.New(tc)
	if err != nil {
		return nil, err
	}
	if c.Poll <= 0 {
		c.Poll = time.Minute
	}
	if c.PushedPoll <= 0 {
		c.PushedPoll = 5 * c.Poll
	}
	if c.Workers <= 0 {
		c.Workers = 4
	}
	if c.Hold <= 0 {
		c.Hold = 30 * time.Second
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return &Desk{
		Inboxes: inboxes, Tickets: tickets, poll: c.Poll, pushedPoll: max(c.PushedPoll, c.Poll),
		workers: c.Workers, leases: sure(c.Leases), hold: c.Hold, logger: c.Logger, rings: make(chan ring, 64),
	}, nil
}

// firstOf returns the first function that is one.
func firstOf[F func() time.Time | func() string](fs ...F) F {
	for _, f := range fs {
		if f != nil {
			return f
		}
	}
	return nil
}

// Poll is Config.Poll: how often each inbox is looked at.
func (d *Desk) Poll() time.Duration { return d.poll }

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

// Ring asks for a look at one inbox soon: what a webhook calls. It never blocks; a ring that is lost
// because too many wait is made up for by the next poll. With Config.Leases whichever process is free
// looks, and any process may be rung that runs; one that does not rings with Leases.Ring.
func (d *Desk) Ring(id inbox.ID) { d.rung(ring{id: id}) }

// RingAccount is Ring for the inboxes of an account of a mail service, as its push names it: the
// account's id or primary address. Whatever is no inbox here is passed over.
func (d *Desk) RingAccount(kind provider.Kind, account string) {
	d.rung(ring{kind: kind, account: account})
}

// Ringer is RingAccount for one kind, as the push handlers of providers call it: gmail.PushHandler.
func (d *Desk) Ringer(kind provider.Kind) func(ctx context.Context, account string) error {
	return func(_ context.Context, account string) error {
		d.RingAccount(kind, account)
		return nil
	}
}

func (d *Desk) rung(r ring) {
	select {
	case d.rings <- r:
	default:
	}
}
