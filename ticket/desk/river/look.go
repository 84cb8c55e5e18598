package riverdesk

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivertype"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/ticket/desk"
)

// LookArgs name the job of one inbox.
type LookArgs struct {
	Inbox inbox.ID `json:"inbox" river:"unique"`
}

// Kind is how River knows the job.
func (LookArgs) Kind() string { return "workinbox_look" }

// InsertOpts are those of live mail.
func (LookArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: QueueInboxes, Priority: int(desk.UrgencyLive), UniqueOpts: unique()}
}

// unique allows one job of the same arguments that has not ended.
func unique() river.UniqueOpts {
	return river.UniqueOpts{ByArgs: true, ByState: []rivertype.JobState{
		rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRetryable,
		rivertype.JobStateRunning, rivertype.JobStateScheduled,
	}}
}

// looker looks at inboxes.
type looker struct {
	river.WorkerDefaults[LookArgs]
	queue *Queue
}

// Timeout is a slice.
func (w *looker) Timeout(*river.Job[LookArgs]) time.Duration { return w.queue.slice }

// NextRetry is the next poll.
func (w *looker) NextRetry(*river.Job[LookArgs]) time.Time {
	return time.Now().Add(w.queue.desk.Poll())
}

// lookPause is the least pause between two looks at one inbox.
const lookPause = time.Second

// unheard is no ring there can be, so that the last one counts as not answered.
const unheard = "none"

// Work looks at the inbox and says when the job is due again.
func (w *looker) Work(ctx context.Context, job *river.Job[LookArgs]) error {
	d, id := w.queue.desk, job.Args.Inbox
	before, rung := lastLook(job.JobRow), ringOf(job.JobRow)
	now := lookNote{Ring: rung, At: time.Now()}
	// A storm of rings.
	rest := lookPause - now.At.Sub(before.At)
	if job.Attempt == 1 && rung != before.Ring && rest > 0 && rest <= lookPause {
		return river.JobSnooze(rest)
	}
	// Snoozing does not count as an attempt: this one follows a failure, or was rescued from a process
	// that may only have been slow.
	follows := job.Attempt > 1
	if follows {
		if err := d.Inboxes.TakeOver(ctx, id); err != nil && !errors.Is(err, storage.ErrNotFound) {
			return fmt.Errorf("take over: %w", err)
		}
	}
	turn, err := d.Look(ctx, id, desk.Occasion(follows || rung != before.Ring))
	switch {
	case ctx.Err() != nil: // the slice is over, or the process stops
		turn.Next, now = 0, before
	case turn.Leave:
		return nil
	case reconnect(err):
		return river.JobCancel(err)
	case err != nil && !errors.Is(err, provider.ErrRetry):
		return err
	case turn.Again:
		now.Ring = unheard
	}
	if err := river.MetadataSet(ctx, lookKey, now); err != nil {
		return err
	}
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), slack/2)
	defer stop()
	if follows || turn.Urgency != desk.Urgency(job.Priority) {
		return w.replace(ctx, job, turn, now)
	}
	row, err := w.queue.JobGet(ctx, job.ID)
	if err != nil {
		return err
	}
	return river.JobSnooze(dueIn(row, turn.Next, rung))
}

// reconnect says whether somebody must act before the mailbox can be read again.
func reconnect(err error) bool {
	return errors.Is(err, provider.ErrAuth) || errors.Is(err, provider.ErrAdminConsent) ||
		errors.Is(err, provider.ErrInsufficientScope)
}

// dueIn is when the job is due: soon, where it was rung for while it was at work.
func dueIn(row *rivertype.JobRow, next time.Duration, rung string) time.Duration {
	if ringOf(row) != rung {
		return min(next, lookPause)
	}
	return next
}

// replace ends the job and puts in the next, which counts its attempts anew and is as urgent as the
// inbox is now: River keeps the priority of a job.
func (w *looker) replace(ctx context.Context, job *river.Job[LookArgs], turn desk.Turn, note lookNote) error {
	tx, err := w.queue.pool.Begin(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback(ctx) }()
	done, err := river.JobCompleteTx[*riverpgxv5.Driver](ctx, tx, job)
	if errors.Is(err, rivertype.ErrNotFound) {
		return nil // it was rescued: another has the inbox
	}
	if err != nil {
		return err
	}
	_, err = w.queue.InsertTx(ctx, tx, job.Args, &river.InsertOpts{
		Priority:    int(turn.Urgency),
		ScheduledAt: time.Now().Add(dueIn(done.JobRow, turn.Next, note.Ring)),
		Metadata:    metadata(ringOf(done.JobRow), note),
	})
	if err != nil {
		return err
	}
	return tx.Commit(ctx)
}
