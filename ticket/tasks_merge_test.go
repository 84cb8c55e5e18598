package ticket_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/ticket"
)

// What a task of the host remembers is what links it.
func TestATaskRemembersTheTicketThatItsOwnWasMergedInto(t *testing.T) { // R-TKT-06, R-TKT-09
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	second, third := w.ask("ann@acme.com", "second"), w.ask("ann@acme.com", "third")
	task := w.linked("rita", offer.ID)
	w.merge("carl", second.ID, offer.ID)
	require.Equal(t, []ticket.ID{second.ID}, w.tasks.Links(site, task))
	w.merge("carl", third.ID, second.ID)
	require.Equal(t, []ticket.ID{third.ID}, w.tasks.Links(site, task))
	_, err := w.svc.UnlinkTask(t.Context(), w.actor("rita"), third.ID, task)
	require.NoError(t, err)
	require.Empty(t, w.tasks.Links(site, task), "what is unlinked is forgotten by every name")

	_, err = w.svc.LinkTask(t.Context(), w.actor("rita"), third.ID, task)
	require.NoError(t, err)
	w.trash(third.ID)
	require.NoError(t, w.svc.Purge(t.Context(), w.actor("carl"), third.ID))
	require.Empty(t, w.tasks.Links(site, task))
}

// deafTasks is a list of tasks that does not answer when a ticket is to be linked.
type deafTasks struct{ *ticket.MemoryTasks }

var errDeaf = errors.New("the list of tasks does not answer")

func (deafTasks) LinkTask(context.Context, inbox.SiteID, ticket.TaskID, ticket.ID) error {
	return errDeaf
}

func TestAMergeIsDoneWhateverTheHostOfItsTasksAnswers(t *testing.T) { // R-TKT-06, R-TKT-09
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	second := w.ask("ann@acme.com", "second")
	task := w.linked("rita", offer.ID)
	w.setStatus(second.ID, ticket.Waiting)
	svc, err := ticket.New(ticket.Config{Store: w.store, Inboxes: w.inboxes, Archive: w.store, Blobs: w.store, Tasks: deafTasks{w.tasks}})
	require.NoError(t, err)
	_, err = svc.Merge(t.Context(), w.actor("carl"), second.ID, []ticket.ID{offer.ID})
	require.NoError(t, err)
	require.Equal(t, []ticket.ID{offer.ID}, w.tasks.Links(site, task), "it is led on from there")
	w.complete(task)
	require.Equal(t, ticket.Active, w.only().Status)
}

// The inbox of a ticket that was merged into one elsewhere goes; the task is still open there.
func TestATaskOutlivesTheInboxOfAMergedTicket(t *testing.T) { // R-STA-02, R-INB-12
	t.Parallel()
	w, carls, _ := twoInboxes(t)
	hers := w.bySubject("hers").ID
	task := w.linked("carl", w.bySubject("stays").ID)
	w.merge("carl", hers, w.bySubject("stays").ID)
	w.setStatus(hers, ticket.Waiting)
	require.NoError(t, w.svc.PurgeInbox(t.Context(), carls))
	w.complete(task)
	got, err := w.store.Ticket(t.Context(), hers)
	require.NoError(t, err)
	require.NotZero(t, got.Tasks[0].DoneAt)
	require.Equal(t, ticket.Active, got.Status)
}

func TestATaskThatWasUnlinkedIsLinkedAgainByItsKey(t *testing.T) { // R-TKT-09
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	ctx, rita := t.Context(), w.actor("rita")
	wish := ticket.NewTask{Title: "call", Key: "form-1"}
	got, err := w.svc.CreateTask(ctx, rita, offer.ID, wish)
	require.NoError(t, err)
	task := got.Tasks[0].ID
	_, err = w.svc.UnlinkTask(ctx, rita, offer.ID, task)
	require.NoError(t, err)
	got, err = w.svc.CreateTask(ctx, rita, offer.ID, wish)
	require.NoError(t, err)
	require.Equal(t, task, got.Tasks[0].ID)
	require.Equal(t, []ticket.ID{offer.ID}, w.tasks.Links(site, task))
	w.setStatus(offer.ID, ticket.Waiting)
	w.complete(task)
	require.Equal(t, ticket.Active, w.only().Status, "the ticket hears of the task it links")
}
