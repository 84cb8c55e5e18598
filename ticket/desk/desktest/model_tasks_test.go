package desktest_test

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/ticket"
)

// The tasks of the host (R-TKT-09).

// teamTasks is a target of the host, which these people read.
const teamTasks = "team"

var teamReaders = []acl.UserID{"carl", "rita", "rob"}

type refTask struct {
	id     ticket.TaskID
	by     acl.UserID
	target string
	key    string
	done   bool
	links  []*refTicket // that it was linked to
}

// seenBy says that the host shows the task to somebody.
func (k *refTask) seenBy(u acl.UserID) bool {
	return k.by == u || k.target == teamTasks && slices.Contains(teamReaders, u)
}

func (m *model) task(who acl.UserID, t *refTicket) {
	switch m.rand.IntN(6) {
	case 0, 1:
		m.createTask(who, t)
	case 2:
		m.linkTask(who, t)
	case 3:
		m.unlinkTask(who, t)
	default:
		m.endTask(t)
	}
}

func (m *model) createTask(who acl.UserID, t *refTicket) {
	n := ticket.NewTask{Title: pick(m, []string{"", "call"}), Target: pick(m, []string{"", teamTasks}), Key: pick(m, []string{"", "form"})}
	key := fmt.Sprintf("%s %s %s", t.id, who, n.Key)
	i := slices.IndexFunc(m.ref.tasks, func(k *refTask) bool { return n.Key != "" && k.key == key })
	m.say("%s makes a task of %s: %q in %q by %q", who, t.id, n.Title, n.Target, n.Key)
	stored, _ := m.store.Ticket(m.t.Context(), t.id)
	got, err := m.svc.CreateTask(m.t.Context(), m.actor(who), t.id, n)
	want := m.ref.may(who, t, t.in.works(who)) // row 39
	if want == done && i < 0 && n.Target == teamTasks && !slices.Contains(teamReaders, who) {
		want = notFound
	}
	m.expect(want, err)
	if want != done {
		return
	}
	if i >= 0 {
		m.ref.link(who, t, m.ref.tasks[i])
		return
	}
	k := &refTask{id: got.Tasks[len(got.Tasks)-1].ID, by: who, target: n.Target, key: key}
	m.ref.tasks = append(m.ref.tasks, k)
	m.ref.link(who, t, k)
	shown, err := m.tasks.Task(m.t.Context(), m.actor(who), k.id)
	require.NoError(m.t, err)
	title := stored.Subject
	wide := n.Target == teamTasks && slices.ContainsFunc(teamReaders, func(u acl.UserID) bool { return !m.ref.sees(u, t) })
	if wide || strings.TrimSpace(title) == "" {
		title = fmt.Sprintf("Ticket #%d", stored.Number)
	}
	if n.Title != "" {
		title = n.Title
	}
	require.Equal(m.t, title, shown.Title, "title of %s, %s", k.id, m.after())
}

func (r *reference) link(by acl.UserID, t *refTicket, k *refTask) {
	if !slices.Contains(k.links, t) {
		k.links = append(k.links, t)
	}
	if !slices.Contains(t.tasks, k) {
		t.tasks = append(t.tasks, k)
		r.add(t, refEntry{kind: ticket.EntryChanged, field: "task", author: by})
	}
}

func (m *model) linkTask(who acl.UserID, t *refTicket) {
	if len(m.ref.tasks) == 0 {
		return
	}
	k := pick(m, m.ref.tasks)
	m.say("%s links %s to %s", who, k.id, t.id)
	_, err := m.svc.LinkTask(m.t.Context(), m.actor(who), t.id, k.id)
	want := m.ref.may(who, t, t.in.works(who))
	if want == done && !k.seenBy(who) {
		want = notFound
	}
	m.expect(want, err)
	if want == done {
		m.ref.link(who, t, k)
	}
}

// unlinkTask takes a task off, one the person need not see. The host forgets the ticket.
func (m *model) unlinkTask(who acl.UserID, t *refTicket) {
	k := m.taskOf(t)
	if k == nil {
		return
	}
	m.say("%s takes %s off %s", who, k.id, t.id)
	_, err := m.svc.UnlinkTask(m.t.Context(), m.actor(who), t.id, k.id)
	want := m.ref.may(who, t, t.in.works(who))
	m.expect(want, err)
	if want != done {
		return
	}
	k.forget(t)
	if i := slices.Index(t.tasks, k); i >= 0 {
		t.tasks = slices.Delete(t.tasks, i, i+1)
		m.ref.add(t, refEntry{kind: ticket.EntryChanged, field: "task", author: who})
	}
}

func (k *refTask) forget(t *refTicket) {
	k.links = slices.DeleteFunc(k.links, func(l *refTicket) bool { return l == t })
}

// taskOf picks a task, mostly one that the ticket links.
func (m *model) taskOf(t *refTicket) *refTask {
	if len(t.tasks) > 0 && m.rand.IntN(4) > 0 {
		return pick(m, t.tasks)
	}
	if len(m.ref.tasks) == 0 {
		return nil
	}
	return pick(m, m.ref.tasks)
}

// endTask lets the host complete a task, or open it again, and tell of that.
func (m *model) endTask(t *refTicket) {
	k := m.taskOf(t)
	if k == nil {
		return
	}
	if k.done && m.rand.IntN(2) == 0 {
		m.say("%s is opened again", k.id)
		require.NoError(m.t, m.tasks.Reopen(m.t.Context(), m.svc, site, k.id))
		m.ref.endTask(k, false)
		return
	}
	m.say("%s is done", k.id)
	require.NoError(m.t, m.tasks.Complete(m.t.Context(), m.svc, site, k.id, m.clock().Truncate(time.Second)))
	m.ref.endTask(k, true)
}

// endTask notes on each ticket that a task is done or open again. The last one makes the ticket active
// (R-STA-02).
func (r *reference) endTask(k *refTask, ends bool) {
	if k.done == ends {
		return // told twice is as once
	}
	k.done = ends
	for _, t := range r.tickets {
		if !slices.Contains(t.tasks, k) {
			continue
		}
		r.add(t, refEntry{kind: ticket.EntryChanged, field: "task.done"})
		open := slices.ContainsFunc(t.tasks, func(k *refTask) bool { return !k.done })
		if ends && !open && !t.deleted && t.status != ticket.Spam && !r.keepStatus {
			r.setStatus(t, ticket.Active, "")
		}
	}
}

// joinTasks gives a ticket the tasks of one that is merged into it, and lets them remember it instead.
func (t *refTicket) joinTasks(s *refTicket) {
	for _, k := range s.tasks {
		if k.forget(s); !slices.Contains(k.links, t) {
			k.links = append(k.links, t)
		}
		if !slices.Contains(t.tasks, k) {
			t.tasks = append(t.tasks, k)
		}
	}
	s.tasks = nil
}

// describeTasks are the tasks of a ticket as whoever sees it sees them.
func describeTasks(tasks []ticket.LinkedTask) (out string) {
	for _, k := range tasks {
		out += fmt.Sprintf("%s done %v ", k.ID, !k.DoneAt.IsZero())
	}
	return out
}

func (t *refTicket) linkedTasks() (out []ticket.LinkedTask) {
	for _, k := range t.tasks {
		l := ticket.LinkedTask{ID: k.id}
		if k.done {
			l.DoneAt = time.Unix(1, 0)
		}
		out = append(out, l)
	}
	return out
}

// checkTasks compares the tasks of a ticket somebody sees.
func (m *model) checkTasks(who acl.UserID, t *refTicket) {
	m.t.Helper()
	seen, unseen, err := m.svc.LinkedTasks(m.t.Context(), m.actor(who), t.id)
	require.NoError(m.t, err, m.after())
	want, apart, got := []ticket.TaskID{}, 0, []ticket.TaskID{}
	for _, k := range t.tasks {
		if k.seenBy(who) {
			want = append(want, k.id)
		} else {
			apart++
		}
	}
	for _, k := range seen {
		got = append(got, k.ID)
	}
	require.Equal(m.t, want, got, "tasks of %s by %s, %s", t.id, who, m.after())
	require.Equal(m.t, apart, unseen, "other tasks of %s by %s, %s", t.id, who, m.after())
}

// checkLinks compares what the tasks remember.
func (m *model) checkLinks() {
	m.t.Helper()
	for _, k := range m.ref.tasks {
		want := []ticket.ID{}
		for _, t := range k.links {
			want = append(want, t.id)
		}
		require.ElementsMatch(m.t, want, m.tasks.Links(site, k.id), "tickets of %s, %s", k.id, m.after())
	}
}
