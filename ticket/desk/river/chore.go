package riverdesk

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/riverqueue/river"

	"github.com/workinbox/workinbox/ticket/desk"
)

// ChoreArgs name the job of a chore (desk.Chore.Name), or the one that gives inboxes their jobs.
type ChoreArgs struct {
	Name string `json:"name" river:"unique"`
}

// Enroll names the chore that gives every inbox its job.
const Enroll = "enroll"

// Kind is how River knows the job.
func (ChoreArgs) Kind() string { return "workinbox_chore" }

// InsertOpts are those of the most urgent chore.
func (ChoreArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: QueueChores, Priority: int(desk.UrgencyReply), UniqueOpts: unique()}
}

// chores are those of the desk, and the jobs of inboxes.
func (q *Queue) chores() []desk.Chore {
	return append(q.desk.Chores(),
		desk.Chore{Name: Enroll, Every: q.desk.Poll(), Urgency: desk.UrgencyLive, Do: q.enroll})
}

// leastPeriod is how often River's leader makes sure that a chore has its job.
const leastPeriod = time.Minute

// periodic puts the jobs of chores in where they are missing. A job goes on by itself.
func (q *Queue) periodic() []*river.PeriodicJob {
	var all []*river.PeriodicJob
	for _, c := range q.chores() {
		all = append(all, river.NewPeriodicJob(river.PeriodicInterval(leastPeriod),
			func() (river.JobArgs, *river.InsertOpts) {
				return ChoreArgs{Name: c.Name}, &river.InsertOpts{Priority: int(c.Urgency)}
			}, &river.PeriodicJobOpts{RunOnStart: true}))
	}
	return all
}

// choreWorker does chores.
type choreWorker struct {
	river.WorkerDefaults[ChoreArgs]
	queue *Queue
}

// Timeout is a slice.
func (w *choreWorker) Timeout(*river.Job[ChoreArgs]) time.Duration { return w.queue.slice }

// NextRetry is when the chore is due again.
func (w *choreWorker) NextRetry(job *river.Job[ChoreArgs]) time.Time {
	c, _ := w.chore(job.Args.Name)
	return time.Now().Add(max(c.Every, time.Second))
}

func (w *choreWorker) chore(name string) (desk.Chore, bool) {
	all := w.queue.chores()
	i := slices.IndexFunc(all, func(c desk.Chore) bool { return c.Name == name })
	if i < 0 {
		return desk.Chore{}, false
	}
	return all[i], true
}

// Work does the chore and says when it is due again.
func (w *choreWorker) Work(ctx context.Context, job *river.Job[ChoreArgs]) error {
	c, ok := w.chore(job.Args.Name)
	if !ok {
		return river.JobCancel(fmt.Errorf("there is no chore %q", job.Args.Name))
	}
	switch err := c.Do(ctx); {
	case ctx.Err() != nil: // the slice is over, or the process stops
		return river.JobSnooze(0)
	case err != nil:
		return err
	}
	return river.JobSnooze(c.Every)
}
