package ticket

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
)

// MemoryTasks is Tasks within one process, for tests and small hosts. Its zero value is ready, and it
// is safe for concurrent use. A task is seen by who made it and by the readers of its target.
type MemoryTasks struct {
	mu      sync.Mutex
	tasks   []*memoryTask
	targets map[memoryTarget][]acl.UserID
}

type memoryTask struct {
	Task
	site  inbox.SiteID
	by    acl.UserID
	key   string
	links []ID
}

type memoryTarget struct {
	site inbox.SiteID
	name string
}

var _ Tasks = (*MemoryTasks)(nil)

// SetReaders says who sees the tasks of a target and may put tasks there. The target without a name is
// everybody's own.
func (m *MemoryTasks) SetReaders(site inbox.SiteID, target string, readers ...acl.UserID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.targets == nil {
		m.targets = make(map[memoryTarget][]acl.UserID)
	}
	m.targets[memoryTarget{site, target}] = slices.Clone(readers)
}

// CreateTask makes a task; see Tasks.
func (m *MemoryTasks) CreateTask(_ context.Context, by acl.Actor, n NewTask) (Task, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, t := range m.tasks {
		if t.site == n.Site && t.key == n.Key && n.Key != "" {
			return t.Task, nil
		}
	}
	if n.Target != "" && !slices.Contains(m.targets[memoryTarget{n.Site, n.Target}], by.User) {
		return Task{}, &storage.Error{Op: "read", Entity: "target", ID: n.Target, Err: storage.ErrNotFound}
	}
	t := &memoryTask{Task: Task{ID: TaskID(fmt.Sprintf("task-%d", len(m.tasks)+1)), Title: n.Title, Target: n.Target},
		site: n.Site, by: by.User, key: n.Key}
	if n.Ticket != "" {
		t.links = []ID{n.Ticket}
	}
	m.tasks = append(m.tasks, t)
	return t.Task, nil
}

// Task returns a task; see Tasks.
func (m *MemoryTasks) Task(_ context.Context, by acl.Actor, id TaskID) (Task, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	t, err := m.find(inbox.SiteID(by.Site), id)
	if err != nil {
		return Task{}, err
	}
	if t.by != by.User && !slices.Contains(m.targets[memoryTarget{t.site, t.Target}], by.User) {
		return Task{}, noTask(id)
	}
	return t.Task, nil
}

// LinkTask makes a task remember a ticket; see Tasks.
func (m *MemoryTasks) LinkTask(_ context.Context, site inbox.SiteID, id TaskID, ticket ID) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	t, err := m.find(site, id)
	if err == nil && !slices.Contains(t.links, ticket) {
		t.links = append(t.links, ticket)
	}
	return err
}

// UnlinkTask makes it forget the ticket; see Tasks.
func (m *MemoryTasks) UnlinkTask(_ context.Context, site inbox.SiteID, id TaskID, ticket ID) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if t, err := m.find(site, id); err == nil {
		t.links = slices.DeleteFunc(t.links, func(l ID) bool { return l == ticket })
	}
	return nil
}

// Readers returns who sees the tasks of a target; see Tasks.
func (m *MemoryTasks) Readers(_ context.Context, by acl.Actor, target string) ([]acl.UserID, error) {
	if target == "" {
		return []acl.UserID{by.User}, nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.targets[memoryTarget{inbox.SiteID(by.Site), target}]), nil
}

// Links returns the tickets a task remembers.
func (m *MemoryTasks) Links(site inbox.SiteID, id TaskID) []ID {
	m.mu.Lock()
	defer m.mu.Unlock()
	t, err := m.find(site, id)
	if err != nil {
		return nil
	}
	return slices.Clone(t.links)
}

// Complete marks a task as done at a time and tells the tickets it remembers. After an error it may be
// called again.
func (m *MemoryTasks) Complete(ctx context.Context, s *Service, site inbox.SiteID, id TaskID, at time.Time) error {
	links, err := m.mark(site, id, at)
	if err != nil {
		return err
	}
	return s.TaskCompleted(ctx, site, id, links...)
}

// Reopen opens a task again and tells the tickets it remembers.
func (m *MemoryTasks) Reopen(ctx context.Context, s *Service, site inbox.SiteID, id TaskID) error {
	links, err := m.mark(site, id, time.Time{})
	if err != nil {
		return err
	}
	return s.TaskReopened(ctx, site, id, links...)
}

func (m *MemoryTasks) mark(site inbox.SiteID, id TaskID, done time.Time) ([]ID, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	t, err := m.find(site, id)
	if err != nil {
		return nil, err
	}
	t.DoneAt = done
	return slices.Clone(t.links), nil
}

func (m *MemoryTasks) find(site inbox.SiteID, id TaskID) (*memoryTask, error) {
	for _, t := range m.tasks {
		if t.site == site && t.ID == id {
			return t, nil
		}
	}
	return nil, noTask(id)
}

func noTask(id TaskID) error {
	return &storage.Error{Op: "read", Entity: "task", ID: string(id), Err: storage.ErrNotFound}
}
