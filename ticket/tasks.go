package ticket

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
)

// maxTasks is how many tasks one ticket may link.
const maxTasks = 100

// errNoTasks says that the host has no list of tasks.
var errNoTasks = fmt.Errorf("ticket: Config.Tasks is not set: %w", errors.ErrUnsupported)

// CreateTask makes a task of the host from a ticket and links it (R-TKT-09, row 39). An *OptionError says
// that the ticket links 100 tasks already, errors.ErrUnsupported that the host has none.
//
// An error leaves the ticket as it was. Where it came after the host had made the task, or the process
// died there, the same call with the same NewTask.Key links that task and makes no other.
func (s *Service) CreateTask(ctx context.Context, actor acl.Actor, id ID, n NewTask) (Ticket, error) {
	t, err := s.mayLink(ctx, actor, id)
	if err != nil {
		return Ticket{}, err
	}
	if err := roomForTask(&t, ""); err != nil {
		return Ticket{}, err
	}
	if n.Title = validText(strings.TrimSpace(n.Title)); n.Title == "" {
		if n.Title, err = s.taskTitle(ctx, actor, &t, n.Target); err != nil {
			return Ticket{}, err
		}
	}
	asked := n.Key != ""
	if !asked {
		n.Key = s.NewID()
	}
	n.Key = fmt.Sprintf("%q/%q/%q", id, actor.User, n.Key)
	n.Text, n.Site, n.Ticket = validText(n.Text), t.Site, id
	task, err := s.Tasks.CreateTask(ctx, actor, n)
	if err == nil && asked {
		// An earlier call may have made it, and it may have been unlinked since: then the host has
		// forgotten the ticket.
		err = s.Tasks.LinkTask(ctx, t.Site, task.ID, id)
	}
	if err != nil {
		return Ticket{}, err
	}
	return s.link(ctx, actor, id, task)
}

// LinkTask links a task of the host that the actor may see to a ticket (R-TKT-09, row 39). One that is
// linked already changes nothing. A task that is done is linked as done and moves no status. Errors are
// those of CreateTask.
func (s *Service) LinkTask(ctx context.Context, actor acl.Actor, id ID, task TaskID) (Ticket, error) {
	t, err := s.mayLink(ctx, actor, id)
	if err != nil {
		return Ticket{}, err
	}
	if err := roomForTask(&t, task); err != nil {
		return Ticket{}, err
	}
	if _, err := s.Tasks.Task(ctx, actor, task); err != nil {
		return Ticket{}, err
	}
	// The host comes first: a task that was completed before it knew of the ticket would be told to
	// nobody.
	if err := s.Tasks.LinkTask(ctx, t.Site, task, id); err != nil {
		return Ticket{}, err
	}
	now, err := s.Tasks.Task(ctx, actor, task)
	if err != nil {
		return Ticket{}, err
	}
	return s.link(ctx, actor, id, now)
}

// UnlinkTask takes a task off a ticket, also one that the actor may not see (row 39). One that is not
// linked changes nothing. It is no completion: the status stays.
func (s *Service) UnlinkTask(ctx context.Context, actor acl.Actor, id ID, task TaskID) (Ticket, error) {
	if _, err := s.mayLink(ctx, actor, id); err != nil {
		return Ticket{}, err
	}
	t, err := s.update(ctx, actor, id, acl.LinkTask, func(t *Ticket) ([]Entry, []inbox.Event, error) {
		i := t.task(task)
		if i < 0 {
			return nil, nil, nil
		}
		t.Tasks = slices.Delete(t.Tasks, i, i+1)
		line := s.changeLine(t, "task", string(task), "", actor.User)
		return []Entry{line}, []inbox.Event{taskEvent(EventTaskUnlinked, &line, task)}, nil
	})
	if err == nil {
		s.unlinkTasks(ctx, &t, task)
	}
	return t, err
}

// LinkedTasks returns the tasks linked to a ticket that the actor may see, in the order they were
// linked, and how many there are that the actor may not see or that are gone. errors.ErrUnsupported says
// that the host has no tasks.
func (s *Service) LinkedTasks(ctx context.Context, actor acl.Actor, id ID) (seen []Task, unseen int, err error) {
	t, _, err := s.visibleTicket(ctx, actor, id)
	if err != nil {
		return nil, 0, err
	}
	if s.Tasks == nil {
		return nil, 0, errNoTasks
	}
	for _, linked := range t.Tasks {
		task, err := s.Tasks.Task(ctx, actor, linked.ID)
		switch {
		case err == nil:
			seen = append(seen, task)
		case refused(err):
			unseen++
		default:
			return nil, 0, err
		}
	}
	return seen, unseen, nil
}

// TaskCompleted is for the host to tell that a task is done, with the tickets the task remembers. Each
// ticket that links it notes that; one whose last open task this was becomes active, unless it is spam,
// locked or in the trash, or the site keeps statuses (R-STA-02, inbox.Settings.KeepStatusOnTasks). What
// a ticket knows already, a ticket that does not link the task and one that is gone or archived are
// passed over: told twice is as once. A ticket that was merged stands for the one it was merged into.
// Every ticket is tried, and all errors are returned: tell again then.
func (s *Service) TaskCompleted(ctx context.Context, site inbox.SiteID, id TaskID, tickets ...ID) error {
	return s.noteTask(ctx, site, id, tickets, true)
}

// TaskReopened is TaskCompleted for a task that is open again. No status changes.
func (s *Service) TaskReopened(ctx context.Context, site inbox.SiteID, id TaskID, tickets ...ID) error {
	return s.noteTask(ctx, site, id, tickets, false)
}

// mayLink loads a ticket for row 39.
func (s *Service) mayLink(ctx context.Context, actor acl.Actor, id ID) (Ticket, error) {
	t, err := s.Store.Ticket(ctx, id)
	if err == nil {
		_, err = s.allow(ctx, actor, &t, acl.LinkTask)
	}
	if err == nil && s.Tasks == nil {
		err = errNoTasks
	}
	if err != nil {
		return Ticket{}, err
	}
	return t, nil
}

// task is the place of a task among those linked, or -1.
func (t *Ticket) task(id TaskID) int {
	return slices.IndexFunc(t.Tasks, func(l LinkedTask) bool { return l.ID == id })
}

// roomForTask refuses one task too many.
func roomForTask(t *Ticket, id TaskID) error {
	if len(t.Tasks) < maxTasks || t.task(id) >= 0 {
		return nil
	}
	return &OptionError{Option: "task", Value: string(id), Reason: OptionTooMany}
}

// taskTitle is the title of a task nobody gave one: the subject stays among those who may view the
// ticket.
func (s *Service) taskTitle(ctx context.Context, actor acl.Actor, t *Ticket, target string) (string, error) {
	number := fmt.Sprintf("Ticket #%d", t.Number)
	readers, err := s.Tasks.Readers(ctx, actor, target)
	if err != nil || len(readers) == 0 || strings.TrimSpace(t.Subject) == "" {
		return number, err
	}
	for _, r := range readers {
		sees, err := s.seenBy(ctx, t, r)
		if err != nil {
			return "", err
		}
		if !sees {
			return number, nil
		}
	}
	return t.Subject, nil
}

// link saves the link to a task whose host knows of it.
func (s *Service) link(ctx context.Context, actor acl.Actor, id ID, task Task) (Ticket, error) {
	t, err := s.update(ctx, actor, id, acl.LinkTask, func(t *Ticket) ([]Entry, []inbox.Event, error) {
		if t.task(task.ID) >= 0 {
			return nil, nil, nil
		}
		if err := roomForTask(t, task.ID); err != nil {
			return nil, nil, err
		}
		line := s.changeLine(t, "task", "", string(task.ID), actor.User)
		t.Tasks = append(t.Tasks, LinkedTask{ID: task.ID, LinkedAt: line.At, DoneAt: task.DoneAt.UTC().Truncate(time.Microsecond)})
		return []Entry{line}, []inbox.Event{taskEvent(EventTaskLinked, &line, task.ID)}, nil
	})
	if err != nil {
		return Ticket{}, err
	}
	return s.upToDate(context.WithoutCancel(ctx), actor, t, task.ID), nil
}

// upToDate makes up for a completion that was told before the ticket had the link. What goes wrong is
// no refusal of the link: linking again looks again.
func (s *Service) upToDate(ctx context.Context, actor acl.Actor, t Ticket, id TaskID) Ticket {
	task, err := s.Tasks.Task(ctx, actor, id)
	if i := t.task(id); err == nil && i >= 0 && t.Tasks[i].DoneAt.IsZero() == task.DoneAt.IsZero() {
		return t
	}
	if err == nil {
		err = s.noteTask(ctx, t.Site, id, []ID{t.ID}, !task.DoneAt.IsZero())
	}
	var now Ticket
	if err == nil {
		now, err = s.Store.Ticket(ctx, t.ID)
	}
	if err != nil {
		s.Logger.WarnContext(ctx, "look at a linked task again", "ticket", t.ID, "err", err)
		return t
	}
	return s.leftTicket(ctx, actor, now)
}

// unlinkTasks makes the host forget that tasks are linked to a ticket, best effort: a task that still
// remembers it tells of itself in vain.
func (s *Service) unlinkTasks(ctx context.Context, t *Ticket, tasks ...TaskID) {
	for _, id := range tasks {
		if err := s.Tasks.UnlinkTask(context.WithoutCancel(ctx), t.Site, id, t.ID); err != nil {
			s.Logger.WarnContext(ctx, "unlink a task at the host", "ticket", t.ID, "err", err)
		}
	}
}

// relinkTasks makes the host remember a ticket in place of those that were merged into it just now, best
// effort: a task that still remembers one of those is led on from there, as long as that is there.
func (s *Service) relinkTasks(ctx context.Context, into *Ticket, merged []Ticket) {
	if s.Tasks == nil {
		return
	}
	for i := range merged {
		for _, l := range merged[i].Tasks {
			if err := s.Tasks.LinkTask(context.WithoutCancel(ctx), into.Site, l.ID, into.ID); err != nil {
				s.Logger.WarnContext(ctx, "link a task of a merged ticket at the host", "ticket", into.ID, "err", err)
				continue
			}
			s.unlinkTasks(ctx, &merged[i], l.ID)
		}
	}
}

// unlinkAll is unlinkTasks for all tasks of a ticket that goes.
func (s *Service) unlinkAll(ctx context.Context, t *Ticket) {
	if s.Tasks == nil {
		return
	}
	for _, l := range t.Tasks {
		s.unlinkTasks(ctx, t, l.ID)
	}
}

func (s *Service) noteTask(ctx context.Context, site inbox.SiteID, id TaskID, tickets []ID, done bool) error {
	settings, err := s.settings(ctx, site)
	if err != nil {
		return err
	}
	var failed []error
	for _, t := range tickets {
		if err := s.noteTaskOn(ctx, site, t, id, done, settings.KeepStatusOnTasks); err != nil {
			failed = append(failed, fmt.Errorf("task %q of ticket %q: %w", id, t, err))
		}
	}
	return errors.Join(failed...)
}

// noteTaskOn notes on one ticket that a task is done, or open again.
func (s *Service) noteTaskOn(ctx context.Context, site inbox.SiteID, ticket ID, id TaskID, done, keep bool) error {
	return storage.Redo(func() error {
		t, err := s.target(ctx, ticket)
		if errors.Is(err, storage.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		i := t.task(id)
		if t.Site != site || i < 0 || t.Tasks[i].DoneAt.IsZero() != done || !t.ArchivedAt.IsZero() {
			return nil
		}
		lines, ev, err := s.taskNoted(ctx, &t, i, done, keep)
		if err != nil {
			return err
		}
		for i := range ev {
			ev[i] = s.event(ev[i], &t, "")
		}
		_, err = s.saveTickets(ctx, []Write{{Ticket: t, Entries: lines}}, ev...)
		return err
	})
}

// taskNoted changes the ticket and returns the lines and events that say so.
func (s *Service) taskNoted(ctx context.Context, t *Ticket, i int, done, keep bool) ([]Entry, []inbox.Event, error) {
	task := t.Tasks[i].ID
	if !done {
		t.Tasks[i].DoneAt = time.Time{}
		line := s.changeLine(t, "task.done", string(task), "", "")
		return []Entry{line}, []inbox.Event{{Name: EventEdited, Entry: string(line.ID),
			Facts: map[string]string{"option": "task.done", "task": string(task)}}}, nil
	}
	in, err := s.engineInbox(ctx, t.Inbox)
	if err != nil {
		return nil, nil, err
	}
	locked := t.lockedAt(&in, s.now())
	line := s.changeLine(t, "task.done", "", string(task), "")
	t.Tasks[i].DoneAt = line.At
	lines, ev := []Entry{line}, []inbox.Event{taskEvent(EventTaskCompleted, &line, task)}
	open := slices.ContainsFunc(t.Tasks, func(l LinkedTask) bool { return l.DoneAt.IsZero() })
	if open || keep || !t.DeletedAt.IsZero() {
		return lines, ev, nil
	}
	if to, _ := next(CauseTaskDone, t.Status, Active, locked); to != t.Status {
		line, changed := s.changeStatus(t, to, "")
		lines, ev = append(lines, line), append(ev, changed)
	}
	return lines, ev, nil
}

// taskEvent is the event of a line about a task. It names the task and says nothing of it.
func taskEvent(name inbox.EventName, line *Entry, task TaskID) inbox.Event {
	return inbox.Event{Name: name, Entry: string(line.ID), Facts: map[string]string{"task": string(task)}}
}
