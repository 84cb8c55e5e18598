// Package desk wires inboxes and tickets for a host that wants both, and has the one loop of the
// library: Run. Everything Run does a host can also call itself, from its own queue: Step for one
// inbox, Dispatch, Deliver and Housekeep for all.
package desk

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/storage"
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

	// Poll is how often each live inbox is looked at. Zero is one minute.
	Poll time.Duration
	// Workers is how many inboxes are synced at the same time. Zero is 4.
	Workers int
}

// Desk is the wired library. Its services are used directly; Run keeps it going.
type Desk struct {
	Inboxes *inbox.Service
	Tickets *ticket.Service

	poll    time.Duration
	workers chan struct{}
	rings   chan inbox.ID
	logger  *slog.Logger

	mu       sync.Mutex
	busy     map[inbox.ID]bool
	again    map[inbox.ID]bool
	watching map[inbox.ID]bool
	jobs     sync.WaitGroup
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
		Inboxes: inboxes, Tickets: tickets, poll: c.Poll, logger: c.Logger,
		workers: make(chan struct{}, c.Workers), rings: make(chan inbox.ID, 64),
		busy: make(map[inbox.ID]bool), again: make(map[inbox.ID]bool),
		watching: make(map[inbox.ID]bool),
	}, nil
}

// Step brings one inbox up to date: sync, then collect. What was synced is collected also when the
// sync ended with an error.
func (d *Desk) Step(ctx context.Context, id inbox.ID) (inbox.Run, error) {
	run, err := d.Inboxes.Sync(ctx, id)
	if ctx.Err() != nil {
		return run, err
	}
	if _, cerr := d.Tickets.Collect(ctx, id); cerr != nil {
		err = errors.Join(err, fmt.Errorf("collect inbox %q: %w", id, cerr))
	}
	return run, err
}

// Housekeep ends abandoned set-ups and empties the trash.
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

// Run keeps every live inbox up to date, sends what is queued and delivers notices, until ctx ends;
// then it waits for what it started and returns nil. Errors of single inboxes are logged and kept in
// their health. Run once per process.
func (d *Desk) Run(ctx context.Context) error {
	defer d.jobs.Wait()
	poll, mail, house := time.NewTicker(d.poll), time.NewTicker(2*time.Second), time.NewTicker(time.Hour)
	defer poll.Stop()
	defer mail.Stop()
	defer house.Stop()
	d.startAll(ctx)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-poll.C:
			d.startAll(ctx)
		case id := <-d.rings:
			d.start(ctx, id, true)
		case <-mail.C:
			d.inBackground(ctx, "\x00mail", false, d.mail)
		case <-house.C:
			d.inBackground(ctx, "\x00house", false, d.house)
		}
	}
}

// mail sends what is due and delivers notices.
func (d *Desk) mail(ctx context.Context) {
	_, err := d.Tickets.Dispatch(ctx, 50)
	d.log(ctx, "dispatch", "", err)
	_, err = d.Inboxes.Deliver(ctx, 200)
	d.log(ctx, "deliver", "", err)
}

func (d *Desk) house(ctx context.Context) { d.log(ctx, "housekeeping", "", d.Housekeep(ctx)) }

// startAll starts every live inbox that is not under way.
func (d *Desk) startAll(ctx context.Context) {
	d.inBackground(ctx, "\x00poll", false, func(ctx context.Context) {
		q := inbox.Query{States: []inbox.State{inbox.StateImporting, inbox.StateActive}}
		for in, err := range d.Inboxes.Store.Inboxes(ctx, q) {
			if err != nil {
				d.log(ctx, "list inboxes", "", err)
				return
			}
			d.start(ctx, in.ID, false)
			d.watch(ctx, in.ID)
		}
	})
}

// start syncs one inbox. Where that is under way, a ring has it done once more after; a poll does not.
func (d *Desk) start(ctx context.Context, id inbox.ID, rung bool) {
	d.inBackground(ctx, id, rung, func(ctx context.Context) {
		select {
		case d.workers <- struct{}{}:
		case <-ctx.Done():
			return
		}
		defer func() { <-d.workers }()
		_, err := d.Step(ctx, id)
		d.log(ctx, "sync", id, err)
	})
}

// watch waits for the doorbell of one inbox, where its mailbox has one.
func (d *Desk) watch(ctx context.Context, id inbox.ID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.watching[id] {
		return
	}
	d.watching[id] = true
	d.jobs.Go(func() {
		for {
			err := d.Inboxes.Wait(ctx, id)
			if errors.Is(err, errors.ErrUnsupported) {
				return // polling serves it
			}
			if err != nil {
				d.mu.Lock()
				delete(d.watching, id) // the next poll tries again
				d.mu.Unlock()
				return
			}
			d.Ring(id)
		}
	})
}

// inBackground runs job unless one of the same name runs; with again that one is then run once more.
func (d *Desk) inBackground(ctx context.Context, name inbox.ID, again bool, job func(context.Context)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.busy[name] {
		if again {
			d.again[name] = true
		}
		return
	}
	d.busy[name] = true
	d.jobs.Go(func() {
		for {
			job(ctx)
			d.mu.Lock()
			if !d.again[name] || ctx.Err() != nil {
				delete(d.busy, name)
				delete(d.again, name)
				d.mu.Unlock()
				return
			}
			delete(d.again, name)
			d.mu.Unlock()
		}
	})
}

func (d *Desk) log(ctx context.Context, what string, id inbox.ID, err error) {
	if err == nil || ctx.Err() != nil || errors.Is(err, storage.ErrConflict) || errors.Is(err, inbox.ErrInvalidState) {
		return
	}
	d.logger.ErrorContext(ctx, what, "inbox", id, "err", err)
}
