// Package riverdesk does the work of a desk as jobs on River (github.com/riverqueue/river) and
// PostgreSQL: for hosts that run several processes and would rather see that work in a queue than in
// desk.Run with leases. What happens when is the same (desk.Desk.Look and Chores); only who calls it
// differs.
//
//  1. Every inbox has one job, unique by its inbox, which never ends: after each look it is snoozed
//     until the next. So an inbox is looked at by one process at a time, and the table of jobs does
//     not grow with the number of looks.
//  2. Replies go before live mail, and that before a first import or a backfill. An import gives its
//     worker back after Config.Slice and goes on where it was when nothing more urgent waits.
//  3. What our errors mean to a job: a wait the mail service asks for snoozes it for as long; a dead
//     grant cancels it, and the job that follows looks at the mailbox no more until the owner has
//     reconnected; any other error is kept with the job, which is tried again at the next poll. The
//     job of an inbox that is deleted completes, and none follows.
//  4. The jobs of a process that died are rescued by River when Config.Slice is over. Whoever gets
//     one makes sure first that the one before can write no more (inbox.Service.TakeOver). One that was
//     only frozen, and wakes up to report on a job that is another's by now, can make River start it a
//     third time: then the version of the inbox's state decides, and whoever is second stores nothing.
//
// The tables are River's own: Migrate makes them. The types of River and pgx in the signatures are on
// purpose: a host that picks this package has both.
package riverdesk

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"

	"github.com/workinbox/workinbox/ticket/desk"
)

// The queues the jobs are in. Chores have their own, so that no import keeps a reply waiting.
const (
	QueueInboxes = "workinbox_inboxes"
	QueueChores  = "workinbox_chores"
)

// slack is how long after a slice a job is taken for that of a dead process.
const slack = 15 * time.Second

// Config is how the jobs run.
type Config struct {
	// River is the host's own configuration: its queues and workers, schema, logger. New adds ours to
	// a copy; Workers is added to. Nil is River's defaults.
	//
	// RescueStuckJobsAfter, where it is zero, becomes somewhat more than Slice and JobTimeout: the
	// host's jobs that run longer have a Timeout of their own, which River respects.
	River *river.Config
	// Workers is how many inboxes this process looks at at the same time. Zero is 4; below zero it
	// works on nothing, and only rings.
	Workers int
	// Slice is how long one look at an inbox, or one turn of a chore, may take. A look that takes
	// longer goes on at its next turn, at a price of at most two pages that are read again. It is also
	// how long a dead process keeps its jobs. Zero is two minutes.
	Slice time.Duration
}

// Queue is a River client that works for a desk. Start and Stop it as any client; it is safe for
// concurrent use.
type Queue struct {
	*river.Client[pgx.Tx]

	desk  *desk.Desk
	pool  *pgxpool.Pool
	slice time.Duration
}

// Migrate brings River's tables in a schema up to date. The empty schema is the first of the
// connection's search_path.
func Migrate(ctx context.Context, pool *pgxpool.Pool, schema string) error {
	m, err := rivermigrate.New(riverpgxv5.New(pool), &rivermigrate.Config{Schema: schema})
	if err != nil {
		return fmt.Errorf("migrate river: %w", err)
	}
	if _, err := m.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return fmt.Errorf("migrate river: %w", err)
	}
	return nil
}

// New makes a client that does the work of d. Nothing runs before Start. The pool is the host's to
// close, after Stop.
func New(d *desk.Desk, pool *pgxpool.Pool, c Config) (*Queue, error) {
	if c.Workers == 0 {
		c.Workers = 4
	}
	if c.Slice <= 0 {
		c.Slice = 2 * time.Minute
	}
	q := &Queue{desk: d, pool: pool, slice: c.Slice}
	rc := river.Config{}
	if c.River != nil {
		rc = *c.River
	}
	if rc.Workers == nil {
		rc.Workers = river.NewWorkers()
	}
	for _, err := range []error{
		river.AddWorkerSafely(rc.Workers, &looker{queue: q}),
		river.AddWorkerSafely(rc.Workers, &choreWorker{queue: q}),
	} {
		if err != nil {
			return nil, fmt.Errorf("river: %w", err)
		}
	}
	if c.Workers > 0 {
		rc.Queues = maps.Clone(rc.Queues)
		if rc.Queues == nil {
			rc.Queues = make(map[string]river.QueueConfig)
		}
		rc.Queues[QueueInboxes] = river.QueueConfig{MaxWorkers: c.Workers}
		rc.Queues[QueueChores] = river.QueueConfig{MaxWorkers: len(q.chores())}
		if !rc.LeaderElectionDisabled {
			rc.PeriodicJobs = append(slices.Clip(rc.PeriodicJobs), q.periodic()...)
		}
	}
	if rc.RescueStuckJobsAfter == 0 {
		rc.RescueStuckJobsAfter = max(c.Slice, rc.JobTimeout, river.JobTimeoutDefault) + slack
	}
	var err error
	if q.Client, err = river.NewClient(riverpgxv5.New(pool), &rc); err != nil {
		return nil, fmt.Errorf("river: %w", err)
	}
	return q, nil
}
