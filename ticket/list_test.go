package ticket_test

import (
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

// two is a world with two inboxes: carl's, shared, and zoe's own, shared with rob. Each has two
// tickets; the newest activity is in zoe's.
func two(t *testing.T) (w *world, carls, zoes inbox.Inbox) {
	t.Helper()
	w = newWorld(t, fake.Options{})
	w.open(false)
	carls = w.in
	for _, subject := range []string{"c1", "c2"} {
		w.advance(time.Minute)
		w.deliver("ann@acme.com", subject)
	}
	w.pull()
	w.account = w.mail.Account("zoe@firm.example")
	w.connect("zoe", false, acl.Grant{User: "rob", Access: acl.ReadOnly})
	zoes = w.in
	for _, subject := range []string{"z1", "z2"} {
		w.advance(time.Minute)
		w.deliver("bob@beta.com", subject)
	}
	w.pull()
	return w, carls, zoes
}

func TestListsHoldTheVisibleSetOnly(t *testing.T) { // R-ACL-03, R-ACL-04, R-ACL-07, row 3
	t.Parallel()
	w, carls, zoes := two(t)
	for _, row := range []struct {
		user acl.UserID
		want []string
	}{
		{"olga", []string{"z2", "z1", "c2", "c1"}},
		{"carl", []string{"c2", "c1"}},
		{"rita", []string{"c2", "c1"}},
		{"rob", []string{"z2", "z1", "c2", "c1"}},
		{"zoe", []string{"z2", "z1"}},
		{"adam", []string{}},
	} {
		require.Equal(t, row.want, w.listed(row.user, ticket.Query{}), "%s lists everything", row.user)
	}
	require.Equal(t, []string{}, w.listed("carl", ticket.Query{Inboxes: []inbox.ID{zoes.ID}}), "an inbox not seen is empty")
	require.Equal(t, []string{"c2", "c1"}, w.listed("rob", ticket.Query{Inboxes: []inbox.ID{carls.ID, "nowhere"}}))
	require.Equal(t, []string{}, w.listed("rob", ticket.Query{Inboxes: []inbox.ID{}}), "no inboxes, no tickets")
	require.Equal(t, []string{"c2", "c1"}, w.listed("carl", ticket.Query{Site: "site-2"}), "the site is the actor's own")

	w.host.SetSite(inbox.Settings{ID: "site-2"})
	other := person("carl", acl.Owner)
	other.Site = "site-2"
	w.host.AddPerson(other)
	stranger, err := w.inboxes.Actor(t.Context(), "site-2", "carl")
	require.NoError(t, err)
	for range w.svc.Tickets(t.Context(), stranger, ticket.Query{Site: site}) {
		t.Fatal("an owner of another site lists tickets of this one")
	}
	_, err = w.svc.Ticket(t.Context(), stranger, w.tickets()[0].ID)
	require.ErrorIs(t, err, storage.ErrNotFound)
}

func TestListFilters(t *testing.T) {
	t.Parallel()
	w, carls, _ := two(t)
	ctx := t.Context()
	by := map[string]ticket.Ticket{}
	for _, tk := range w.tickets() {
		by[tk.Subject] = tk
	}
	w.advance(time.Minute)
	_, err := w.svc.Assign(ctx, w.actor("carl"), by["c1"].ID, "rita")
	require.NoError(t, err)
	_, err = w.svc.SetStatus(ctx, w.actor("carl"), by["c1"].ID, ticket.OnHold)
	require.NoError(t, err)
	yes, no := true, false
	for name, row := range map[string]struct {
		q    ticket.Query
		want []string
	}{
		"status":          {ticket.Query{Statuses: []ticket.Status{ticket.OnHold, ticket.Spam}}, []string{"c1"}},
		"assignee":        {ticket.Query{Assignee: "rita"}, []string{"c1"}},
		"unassigned":      {ticket.Query{Unassigned: true}, []string{"z2", "z1", "c2"}},
		"customer":        {ticket.Query{Customers: []inbox.CustomerID{by["z1"].Customer}}, []string{"z2", "z1"}},
		"number":          {ticket.Query{Number: by["c2"].Number}, []string{"c2"}},
		"thread":          {ticket.Query{Threads: by["z1"].Threads, Inboxes: []inbox.ID{by["z1"].Inbox}}, []string{"z1"}},
		"inbox":           {ticket.Query{Inboxes: []inbox.ID{carls.ID}}, []string{"c1", "c2"}},
		"imported":        {ticket.Query{Imported: &yes}, []string{}},
		"not imported":    {ticket.Query{Imported: &no, Limit: 1}, []string{"c1"}},
		"status and user": {ticket.Query{Statuses: []ticket.Status{ticket.Active}, Assignee: "rita"}, []string{}},
	} {
		require.Equal(t, row.want, w.listed("rob", row.q), name)
	}
}

func TestPagesMissAndRepeatNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fake.Options{})
	w.open(false)
	var want []string
	for i := range 9 {
		m := talk(newRand(1), i, true, false)[0]
		m.Private = i%4 == 3                             // the creator's alone
		m.Received = connected.Add(time.Duration(i / 3)) // ties, told apart by id
		m.Subject = fmt.Sprint(i)
		w.put(m)
		w.collect()
	}
	want = w.listed("rita", ticket.Query{})
	require.Len(t, want, 7)
	for size := 1; size <= 8; size++ {
		var got []string
		q := ticket.Query{Limit: size}
		for {
			n := 0
			for tk, err := range w.svc.Tickets(t.Context(), w.actor("rita"), q) {
				require.NoError(t, err)
				got = append(got, tk.Subject)
				q.After = tk.Key()
				n++
			}
			if n < size {
				break
			}
		}
		require.Equal(t, want, got, "pages of %d", size)
	}
}

func TestListsMayBeWrittenToAndBrokenOff(t *testing.T) {
	t.Parallel()
	w, _, _ := two(t)
	n := 0
	for tk, err := range w.svc.Tickets(t.Context(), w.actor("rob"), ticket.Query{}) {
		require.NoError(t, err)
		_, err = w.svc.Note(t.Context(), w.actor("rob"), tk.ID, "seen")
		require.NoError(t, err, "writing to the list that is read")
		if n++; n == 2 {
			break
		}
	}
	for tk, err := range w.svc.Entries(t.Context(), w.actor("rob"), w.tickets()[0].ID) {
		require.NoError(t, err)
		require.NotEmpty(t, tk.ID)
		break
	}
}

func TestTheTrashIsForThoseWhoManage(t *testing.T) { // R-TKT-05, row 20
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	gone := offer.Clone()
	gone.DeletedAt = w.clock()
	_, err := w.store.SaveTickets(t.Context(), []ticket.Write{{Ticket: gone}})
	require.NoError(t, err)
	for user, sees := range map[acl.UserID]bool{"carl": true, "olga": true, "ina": true, "rita": false, "rob": false} {
		require.Empty(t, w.listed(user, ticket.Query{}), "%s lists the live ones", user)
		require.Equal(t, sees, len(w.listed(user, ticket.Query{Deleted: true})) == 1, "%s lists the trash", user)
		_, err := w.svc.Ticket(t.Context(), w.actor(user), offer.ID)
		require.Equal(t, sees, err == nil, "%s reads it", user)
		_, err = w.svc.Note(t.Context(), w.actor(user), offer.ID, "x")
		require.ErrorIs(t, err, acl.ErrDenied, "%s notes on it", user)
	}
}

func TestAStoreThatDoesNotAnswerIsNoRefusal(t *testing.T) { // R-ACL-07 hides what there is, not an outage
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	yes := true
	w.change(inbox.MessageChange{ID: offer.Last, Hidden: &yes})
	w.collect()
	carl := w.actor("carl")
	w.store.inbox = errFault
	_, err := w.svc.Ticket(t.Context(), carl, offer.ID)
	require.ErrorIs(t, err, errFault, "a ticket whose mail is hidden")
}
