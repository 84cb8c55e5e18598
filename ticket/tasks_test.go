package ticket_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/ticket"
)

// newTask makes a task of the host that no ticket links.
func (w *world) newTask(user acl.UserID) ticket.TaskID {
	w.t.Helper()
	task, err := w.tasks.CreateTask(w.t.Context(), w.actor(user), ticket.NewTask{Site: site, Title: "call"})
	require.NoError(w.t, err)
	return task.ID
}

func (w *world) linked(user acl.UserID, id ticket.ID) ticket.TaskID {
	w.t.Helper()
	task := w.newTask(user)
	_, err := w.svc.LinkTask(w.t.Context(), w.actor(user), id, task)
	require.NoError(w.t, err)
	return task
}

func (w *world) complete(task ticket.TaskID) {
	w.t.Helper()
	require.NoError(w.t, w.tasks.Complete(w.t.Context(), w.svc, site, task, w.clock()))
}

func (w *world) setStatus(id ticket.ID, status ticket.Status) {
	w.t.Helper()
	_, err := w.svc.SetStatus(w.t.Context(), w.actor("rita"), id, status)
	require.NoError(w.t, err)
}

func TestWhoMayCreateAndLinkTasks(t *testing.T) { // R-TKT-09, row 39
	t.Parallel()
	for user, want := range map[acl.UserID]error{
		"carl": nil, "rita": nil, "rob": acl.ErrDenied, "ina": acl.ErrDenied, "olga": acl.ErrDenied,
		"adam": storage.ErrNotFound, "zoe": storage.ErrNotFound,
	} {
		w, offer := asked(t, fake.Options{})
		ctx, actor := t.Context(), w.actor(user)
		task := w.newTask(user)
		_, create := w.svc.CreateTask(ctx, actor, offer.ID, ticket.NewTask{})
		_, link := w.svc.LinkTask(ctx, actor, offer.ID, task)
		_, unlink := w.svc.UnlinkTask(ctx, actor, offer.ID, task)
		for what, err := range map[string]error{"create": create, "link": link, "unlink": unlink} {
			require.ErrorIs(t, err, want, "%s by %s", what, user)
		}
		if want != nil {
			require.Equal(t, offer, w.only(), "%s", user)
			require.Empty(t, w.tasks.Links(site, task), "%s: the host is not told", user)
			continue
		}
		require.Equal(t, []string{"received", "changed task >task-2 by " + string(user), "changed task >task-1 by " + string(user),
			"changed task task-1> by " + string(user)}, w.lines(offer.ID))
		require.Equal(t, []string{"ticket.created", "ticket.task.linked", "ticket.task.linked", "ticket.task.unlinked"}, w.events())
		for _, ev := range w.due()[1:] {
			require.Len(t, ev.Facts, 1, "ids only")
			require.Contains(t, ev.Facts, "task")
		}
		require.Equal(t, []ticket.ID{offer.ID}, w.tasks.Links(site, "task-2"))
		require.Empty(t, w.tasks.Links(site, task))
	}
}

func TestTasksAreLinkedOnceAndOnlyThoseOneSees(t *testing.T) { // R-TKT-09
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	ctx, rita := t.Context(), w.actor("rita")
	hers, his := w.newTask("rita"), w.newTask("carl")
	_, err := w.svc.LinkTask(ctx, rita, offer.ID, his)
	require.ErrorIs(t, err, storage.ErrNotFound, "a task of somebody else")
	_, err = w.svc.LinkTask(ctx, rita, offer.ID, "")
	require.ErrorIs(t, err, storage.ErrNotFound)
	require.Empty(t, w.tasks.Links(site, his))
	first, err := w.svc.LinkTask(ctx, rita, offer.ID, hers)
	require.NoError(t, err)
	again, err := w.svc.LinkTask(ctx, rita, offer.ID, hers)
	require.NoError(t, err)
	require.Equal(t, first, again)
	require.Equal(t, []ticket.LinkedTask{{ID: hers, LinkedAt: w.clock()}}, again.Tasks)
	_, err = w.svc.LinkTask(ctx, w.actor("carl"), offer.ID, his)
	require.NoError(t, err)

	seen, unseen, err := w.svc.LinkedTasks(ctx, rita, offer.ID)
	require.NoError(t, err)
	require.Equal(t, []ticket.Task{{ID: hers, Title: "call"}}, seen)
	require.Equal(t, 1, unseen, "a count and nothing else")
	seen, unseen, err = w.svc.LinkedTasks(ctx, w.actor("rob"), offer.ID)
	require.NoError(t, err)
	require.Empty(t, seen)
	require.Equal(t, 2, unseen)
	got, err := w.svc.UnlinkTask(ctx, rita, offer.ID, his)
	require.NoError(t, err, "whoever works on the ticket takes off what stands on it")
	require.Len(t, got.Tasks, 1)
	got, err = w.svc.UnlinkTask(ctx, rita, offer.ID, his)
	require.NoError(t, err)
	require.Len(t, got.Tasks, 1, "the second time changes nothing")
	require.Len(t, w.lines(offer.ID), 4)
}

func TestOneTaskTooManyIsRefused(t *testing.T) {
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	stored := w.only()
	for i := range 100 {
		stored.Tasks = append(stored.Tasks, ticket.LinkedTask{ID: ticket.TaskID(fmt.Sprintf("old-%d", i))})
	}
	_, err := w.store.SaveTickets(t.Context(), []ticket.Write{{Ticket: stored}})
	require.NoError(t, err)
	task := w.newTask("rita")
	_, err = w.svc.LinkTask(t.Context(), w.actor("rita"), offer.ID, task)
	var option *ticket.OptionError
	require.ErrorAs(t, err, &option)
	require.Equal(t, ticket.OptionTooMany, option.Reason)
	require.Empty(t, w.tasks.Links(site, task))
	_, err = w.svc.CreateTask(t.Context(), w.actor("rita"), offer.ID, ticket.NewTask{})
	require.ErrorIs(t, err, ticket.ErrOption)
	_, err = w.tasks.Task(t.Context(), w.actor("rita"), "task-2")
	require.ErrorIs(t, err, storage.ErrNotFound, "none was made")
}

func TestWithoutAListOfTasksTheMethodsSaySo(t *testing.T) { // R-TKT-09: optional
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	svc, err := ticket.New(ticket.Config{Store: w.store, Inboxes: w.inboxes, Archive: w.store, Blobs: w.store})
	require.NoError(t, err)
	ctx, carl := t.Context(), w.actor("carl")
	_, create := svc.CreateTask(ctx, carl, offer.ID, ticket.NewTask{})
	_, link := svc.LinkTask(ctx, carl, offer.ID, "x")
	_, unlink := svc.UnlinkTask(ctx, carl, offer.ID, "x")
	_, _, list := svc.LinkedTasks(ctx, carl, offer.ID)
	for what, err := range map[string]error{"create": create, "link": link, "unlink": unlink, "list": list} {
		require.ErrorIs(t, err, errors.ErrUnsupported, what)
		require.ErrorContains(t, err, "Config.Tasks", what)
	}
	_, err = svc.CreateTask(ctx, w.actor("zoe"), offer.ID, ticket.NewTask{})
	require.ErrorIs(t, err, storage.ErrNotFound, "a stranger learns nothing of the ticket")
}

func TestTheSubjectIsTheTitleOnlyAmongThoseWhoSeeTheTicket(t *testing.T) { // R-TKT-09
	t.Parallel()
	for _, row := range []struct {
		name    string
		readers []acl.UserID
		task    ticket.NewTask
		want    string
	}{
		{"one's own tasks", nil, ticket.NewTask{}, "offer"},
		{"readers of the inbox", []acl.UserID{"rita", "rob", "carl", "olga"}, ticket.NewTask{Target: "project"}, "offer"},
		{"somebody else too", []acl.UserID{"rita", "zoe"}, ticket.NewTask{Target: "project"}, "Ticket #1"},
		{"a site admin too", []acl.UserID{"rita", "adam"}, ticket.NewTask{Target: "project"}, "Ticket #1"},
		{"somebody nobody knows", []acl.UserID{"rita", "ghost"}, ticket.NewTask{Target: "project"}, "Ticket #1"},
		{"a title by hand", []acl.UserID{"rita", "zoe"}, ticket.NewTask{Target: "project", Title: " call Ann "}, "call Ann"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w, offer := asked(t, fake.Options{})
			w.tasks.SetReaders(site, "project", row.readers...)
			got, err := w.svc.CreateTask(t.Context(), w.actor("rita"), offer.ID, row.task)
			require.NoError(t, err)
			task, err := w.tasks.Task(t.Context(), w.actor("rita"), got.Tasks[0].ID)
			require.NoError(t, err)
			require.Equal(t, row.want, task.Title)
		})
	}
}

func TestTheSubjectOfHiddenMailIsNoTitleOthersRead(t *testing.T) { // R-TKT-09, R-CHG-07
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	carl := w.actor("carl")
	yes := true
	w.change(inbox.MessageChange{ID: offer.Last, Hidden: &yes})
	w.collect()
	hidden := w.only()
	require.True(t, hidden.Hidden())
	w.tasks.SetReaders(site, "project", "carl", "rita")
	for target, want := range map[string]string{"project": "Ticket #1", "": "offer"} {
		got, err := w.svc.CreateTask(t.Context(), carl, offer.ID, ticket.NewTask{Target: target})
		require.NoError(t, err)
		task, err := w.tasks.Task(t.Context(), carl, got.Tasks[len(got.Tasks)-1].ID)
		require.NoError(t, err)
		require.Equal(t, want, task.Title)
	}
}

func TestCreatingATaskDiesAnywhere(t *testing.T) { // R-TKT-09: neither lost nor made twice
	t.Parallel()
	for _, lose := range []bool{false, true} {
		w, offer := asked(t, fake.Options{})
		ctx, rita := t.Context(), w.actor("rita")
		wish := ticket.NewTask{Title: "call", Key: "form-1"}
		w.store.failFrom(1, lose)
		_, err := w.svc.CreateTask(ctx, rita, offer.ID, wish)
		require.ErrorIs(t, err, errFault)
		w.store.heal()
		w.start()
		got, err := w.svc.CreateTask(ctx, rita, offer.ID, wish)
		require.NoError(t, err)
		require.Len(t, got.Tasks, 1)
		require.Equal(t, []string{"received", "changed task >task-1 by rita"}, w.lines(offer.ID))
		_, err = w.tasks.Task(ctx, rita, "task-2")
		require.ErrorIs(t, err, storage.ErrNotFound, "one task")

		other, err := w.svc.CreateTask(ctx, w.actor("carl"), offer.ID, wish)
		require.NoError(t, err)
		require.Len(t, other.Tasks, 2, "another person's key is another's")
	}
}

func TestTheLastTaskDoneMakesTheTicketActive(t *testing.T) { // R-STA-02
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	one, two := w.linked("rita", offer.ID), w.linked("rita", offer.ID)
	w.setStatus(offer.ID, ticket.Waiting)
	w.advance(time.Minute)
	w.complete(one)
	require.Equal(t, ticket.Waiting, w.only().Status, "one is open")
	w.advance(time.Minute)
	w.complete(two)
	got := w.only()
	require.Equal(t, ticket.Active, got.Status)
	require.Equal(t, w.clock(), got.Tasks[1].DoneAt)
	lines := w.lines(offer.ID)
	require.Equal(t, []string{"changed task.done >task-1", "changed task.done >task-2", "changed status waiting>active"}, lines[4:])
	events := w.events()
	require.Equal(t, []string{"ticket.task.completed", "ticket.task.completed", "ticket.status"}, events[len(events)-3:])

	w.setStatus(offer.ID, ticket.Waiting)
	w.complete(two)
	require.Equal(t, ticket.Waiting, w.only().Status, "told twice is as once")
	require.NoError(t, w.tasks.Reopen(t.Context(), w.svc, site, two))
	require.NoError(t, w.tasks.Reopen(t.Context(), w.svc, site, two))
	require.Zero(t, w.only().Tasks[1].DoneAt)
	w.complete(two)
	require.Equal(t, ticket.Active, w.only().Status, "done again")
	require.Len(t, w.lines(offer.ID), len(lines)+4)
}

func TestWhatACompletedTaskLeavesAlone(t *testing.T) { // R-STA-02, R-STA-06, R-STA-08
	t.Parallel()
	for _, row := range []struct {
		name  string
		set   func(w *world, id ticket.ID)
		want  ticket.Status
		noted bool
	}{
		{"spam", func(w *world, id ticket.ID) { w.setStatus(id, ticket.Spam) }, ticket.Spam, true},
		{"where the site keeps statuses", func(w *world, id ticket.ID) {
			w.host.SetSite(inbox.Settings{ID: site, KeepStatusOnTasks: true})
			w.setStatus(id, ticket.Waiting)
		}, ticket.Waiting, true},
		{"locked", func(w *world, id ticket.ID) {
			w.setStatus(id, ticket.Closed)
			_, err := w.inboxes.Edit(w.t.Context(), w.actor("carl"), w.in.ID,
				inbox.Edit{Settings: &inbox.InboxSettings{OnClosed: inbox.LockNow}})
			require.NoError(w.t, err)
		}, ticket.Closed, true},
		{"in the trash", func(w *world, id ticket.ID) {
			w.setStatus(id, ticket.Waiting)
			w.host.SetSite(inbox.Settings{ID: site, AgentsMayDelete: true})
			_, err := w.svc.Delete(w.t.Context(), w.actor("carl"), id)
			require.NoError(w.t, err)
		}, ticket.Waiting, true},
		{"archived", func(w *world, id ticket.ID) {
			w.setStatus(id, ticket.Solved)
			w.advance(121 * day)
			require.Equal(w.t, ticket.Aged{Archived: 1}, w.age())
		}, ticket.Solved, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w, offer := asked(t, fake.Options{})
			task := w.linked("rita", offer.ID)
			row.set(w, offer.ID)
			w.complete(task)
			got, err := w.store.Ticket(t.Context(), offer.ID)
			require.NoError(t, err)
			require.Equal(t, row.want, got.Status)
			require.Equal(t, row.noted, !got.Tasks[0].DoneAt.IsZero())
		})
	}
}

func TestCompletionsOfUnknownThingsArePassedOver(t *testing.T) {
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	task := w.linked("rita", offer.ID)
	before := w.only()
	ctx := t.Context()
	require.NoError(t, w.svc.TaskCompleted(ctx, site, "task-9", offer.ID))
	require.NoError(t, w.svc.TaskCompleted(ctx, site, task, "gone"))
	require.NoError(t, w.svc.TaskCompleted(ctx, "site-2", task, offer.ID), "a task of another site with that id")
	require.Equal(t, before, w.only())
}

func TestACompletionOutlivesAFailedWrite(t *testing.T) { // told again after an error
	t.Parallel()
	for _, lose := range []bool{false, true} {
		w, offer := asked(t, fake.Options{})
		task := w.linked("rita", offer.ID)
		w.setStatus(offer.ID, ticket.OnHold)
		w.store.failFrom(1, lose)
		require.ErrorIs(t, w.tasks.Complete(t.Context(), w.svc, site, task, w.clock()), errFault)
		w.store.heal()
		w.complete(task)
		require.Equal(t, ticket.Active, w.only().Status)
		require.Len(t, w.lines(offer.ID), 5)
	}
}

func TestACompletionBesideAnEditIsNotLost(t *testing.T) { // another writer at the same moment
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	task := w.linked("rita", offer.ID)
	w.store.before = func() {
		w.store.before = nil
		w.setStatus(offer.ID, ticket.Waiting)
	}
	w.complete(task)
	require.Equal(t, ticket.Active, w.only().Status)
}

func TestATaskCompletedWhileItIsLinkedIsNoted(t *testing.T) { // the ticket does not have the link yet
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	w.setStatus(offer.ID, ticket.Waiting)
	task := w.newTask("rita")
	w.store.before = func() {
		w.store.before = nil
		w.complete(task)
	}
	got, err := w.svc.LinkTask(t.Context(), w.actor("rita"), offer.ID, task)
	require.NoError(t, err)
	require.NotZero(t, got.Tasks[0].DoneAt)
	require.Equal(t, ticket.Active, got.Status)
	require.Equal(t, got, w.only())

	done := w.newTask("rita")
	w.complete(done)
	w.setStatus(offer.ID, ticket.Waiting)
	got, err = w.svc.LinkTask(t.Context(), w.actor("rita"), offer.ID, done)
	require.NoError(t, err)
	require.NotZero(t, got.Tasks[1].DoneAt)
	require.Equal(t, ticket.Waiting, got.Status, "it was done before: nothing is completed")
}

func TestALinkThatIsNotedAgainTellsOfNoOtherInbox(t *testing.T) { // R-TKT-08, R-ACL-07
	t.Parallel()
	w, offer, _, other := neighbours(t)
	_, err := w.svc.Move(t.Context(), w.actor("carl"), offer.ID, ticket.Move{To: other.ID})
	require.NoError(t, err)
	task := w.newTask("zoe")
	w.store.before = func() {
		w.store.before = nil
		w.complete(task)
	}
	got, err := w.svc.LinkTask(t.Context(), w.actor("zoe"), offer.ID, task)
	require.NoError(t, err)
	require.NotZero(t, got.Tasks[0].DoneAt, "it was completed while it was linked")
	require.Empty(t, got.Origin, "zoe does not know the inbox the ticket came from")
	require.Empty(t, got.Threads)
}

func TestACompletionFollowsAMerge(t *testing.T) { // R-TKT-06
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	task := w.linked("rita", offer.ID)
	target := ticket.Ticket{ID: "target", Site: site, Inbox: w.in.ID, Status: ticket.Waiting, Tasks: w.only().Tasks, MergedFrom: []ticket.ID{offer.ID}}
	source := w.only()
	source.MergedInto = "target"
	_, err := w.store.SaveTickets(t.Context(), []ticket.Write{{Ticket: target}, {Ticket: source}})
	require.NoError(t, err)
	w.complete(task)
	got, err := w.store.Ticket(context.Background(), "target")
	require.NoError(t, err)
	require.Equal(t, ticket.Active, got.Status)
	require.Equal(t, []string{"changed task.done >task-1", "changed status waiting>active"}, w.lines("target"))
}

// Whatever people are called and whatever keys they choose.
func TestATaskKeyIsOfOnePersonOnOneTicket(t *testing.T) { // R-TKT-09
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	for user, address := range map[acl.UserID]string{"org": "org@firm.example", "org/amy": "amy@firm.example"} {
		w.host.AddPerson(inbox.Person{ID: user, Site: site, Role: acl.Agent, State: acl.Active, Name: string(user), Addresses: []string{address}})
		_, err := w.inboxes.Share(t.Context(), w.actor("carl"), w.in.ID, acl.Grant{User: user, Access: acl.ReadAndReply})
		require.NoError(t, err)
	}
	_, err := w.svc.CreateTask(t.Context(), w.actor("org/amy"), offer.ID, ticket.NewTask{Title: "amy's", Key: "1"})
	require.NoError(t, err)
	got, err := w.svc.CreateTask(t.Context(), w.actor("org"), offer.ID, ticket.NewTask{Title: "org's", Key: "amy/1"})
	require.NoError(t, err)
	require.Len(t, got.Tasks, 2)
}
