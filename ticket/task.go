package ticket

import (
	"context"
	"time"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
)

// TaskID names a task of the host.
type TaskID string

// LinkedTask is a task of the host that is linked to a ticket (R-TKT-09). Whoever may see the ticket
// sees its id, and nothing else of it.
type LinkedTask struct {
	ID       TaskID    `json:"id"`
	LinkedAt time.Time `json:"linked_at"`
	DoneAt   time.Time `json:"done_at"` // zero while it is open
}

// Task is a task as the host shows it to a person.
type Task struct {
	ID     TaskID
	Title  string
	Target string    // as in NewTask
	URL    string    // where the person finds it; may be empty
	DoneAt time.Time // zero while it is open
}

// NewTask is a task to be made from a ticket.
type NewTask struct {
	// Title is what is to be done. Empty is the subject of the ticket, and "Ticket #n" where people read
	// the target who may not view the ticket (R-TKT-09).
	Title string
	Text  string
	// Target is where the host puts it, a project or a list, by a name of the host's own; empty is the
	// host's default.
	Target   string
	Assignee acl.UserID // empty is nobody
	Due      time.Time  // zero is never
	// Key tells one wish from another: a call with the Key of an earlier one by the same person on the
	// same ticket makes no second task. Who does not know whether a call came through makes it again
	// with its Key. Empty is a Key that nobody else has.
	Key string

	// Site and Ticket are the service's own.
	Site   inbox.SiteID
	Ticket ID
}

// Tasks is the host's list of tasks (R-TKT-09). A task remembers the tickets it is linked to; when it
// is completed, or opened again, the host tells Service.TaskCompleted or Service.TaskReopened with
// them, at least once. An implementation must be safe for concurrent use.
type Tasks interface {
	// CreateTask makes a task for a person and links it to n.Ticket, in one step, and returns it. Of
	// several calls with one n.Key, which is never empty, the first makes the task and the others return
	// it as it is. storage.ErrNotFound where the person may not put tasks into the target, and any other
	// error, says that none was made.
	CreateTask(ctx context.Context, by acl.Actor, n NewTask) (Task, error)
	// Task returns a task as the person may see it, or storage.ErrNotFound for one they may not.
	Task(ctx context.Context, by acl.Actor, id TaskID) (Task, error)
	// LinkTask makes a task remember a ticket. Twice is as once. It is told before the ticket has the
	// link, so a task may remember a ticket that does not link it.
	LinkTask(ctx context.Context, site inbox.SiteID, id TaskID, t ID) error
	// UnlinkTask makes it forget the ticket. Absent is fine.
	UnlinkTask(ctx context.Context, site inbox.SiteID, id TaskID, t ID) error
	// Readers returns everybody who may see the tasks of a target; nobody where the host cannot tell,
	// and then no subject goes there by itself.
	Readers(ctx context.Context, by acl.Actor, target string) ([]acl.UserID, error)
}
