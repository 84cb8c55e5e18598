package riverdesk

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/ticket/desk"
)

// Ring makes the jobs of inboxes due at once: what a webhook calls, in a process that works or in one
// that does not. A job that is at work looks again. No more than a hint: a ring that ends with an
// error is made up for by polling.
func (q *Queue) Ring(ctx context.Context, ids ...inbox.ID) error {
	var errs []error
	for _, id := range ids {
		err := q.ring(ctx, id)
		if err != nil && ctx.Err() == nil {
			err = q.ring(ctx, id) // the job was replaced meanwhile
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func (q *Queue) ring(ctx context.Context, id inbox.ID) error {
	ring := rand.Text()
	got, err := q.Insert(ctx, LookArgs{Inbox: id}, &river.InsertOpts{Metadata: metadata(ring, lookNote{})})
	if err != nil || !got.UniqueSkippedAsDuplicate {
		return err
	}
	// The mark first: a job that begins or ends meanwhile sees it.
	if _, err := q.JobUpdate(ctx, got.Job.ID, &river.JobUpdateParams{Output: ringNote{ring}}); err != nil {
		return err
	}
	_, err = q.JobRetry(ctx, got.Job.ID)
	return err
}

// RingAccount is Ring for the inboxes of an account of a mail service, as its push names it: the
// account's id or primary address. Whatever is no inbox here is passed over.
func (q *Queue) RingAccount(ctx context.Context, kind provider.Kind, account string) error {
	ids, err := q.desk.InboxesOf(ctx, kind, account)
	return errors.Join(err, q.Ring(ctx, ids...))
}

// Ringer is RingAccount for one kind, as the push handlers of providers call it: gmail.PushHandler.
func (q *Queue) Ringer(kind provider.Kind) func(ctx context.Context, account string) error {
	return func(ctx context.Context, account string) error { return q.RingAccount(ctx, kind, account) }
}

// The last ring is kept as the job's output, which River lets anybody change at any time, and the
// last look in a key of the job's metadata, which is the worker's alone.
const lookKey = "workinbox_look"

type ringNote struct {
	Ring string `json:"ring"`
}

// lookNote is what a job remembers of its last look: the ring it answered, and when.
type lookNote struct {
	Ring string    `json:"ring,omitempty"`
	At   time.Time `json:"at"`
}

// notes are what we keep in the metadata of a job.
type notes struct {
	Output ringNote `json:"output"`
	Look   lookNote `json:"workinbox_look"`
}

func metadata(ring string, look lookNote) []byte {
	text, err := json.Marshal(notes{Output: ringNote{ring}, Look: look})
	if err != nil {
		return nil // it is of strings and a time
	}
	return text
}

// read reads the notes. What cannot be read is none.
func read(row *rivertype.JobRow) (n notes) {
	if json.Unmarshal(row.Metadata, &n) != nil {
		return notes{}
	}
	return n
}

func ringOf(row *rivertype.JobRow) string { return read(row).Output.Ring }

func lastLook(row *rivertype.JobRow) lookNote { return read(row).Look }

// enroll gives every inbox that is to be looked at a job, where it has none.
func (q *Queue) enroll(ctx context.Context) error {
	var batch []river.InsertManyParams
	put := func() error {
		if len(batch) == 0 {
			return nil
		}
		_, err := q.InsertManyFast(ctx, batch)
		batch = batch[:0]
		return err
	}
	for in, err := range q.desk.Watched(ctx) {
		if err != nil {
			return err
		}
		batch = append(batch, river.InsertManyParams{
			Args: LookArgs{Inbox: in.ID}, InsertOpts: &river.InsertOpts{Priority: int(desk.UrgencyOf(&in))},
		})
		if len(batch) == 500 {
			if err := put(); err != nil {
				return err
			}
		}
	}
	return put()
}
