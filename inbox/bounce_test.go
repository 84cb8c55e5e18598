package inbox_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/storage/memory"
)

func (w *world) storedCustomer(id inbox.CustomerID) inbox.Customer {
	w.t.Helper()
	c, err := w.store.Customer(w.t.Context(), site, id)
	require.NoError(w.t, err)
	return c
}

// edits counts the events about edited customers that wait, and forgets all events.
func (w *world) edits() int {
	w.t.Helper()
	n := 0
	for d, err := range w.store.DueEvents(w.t.Context(), w.clock(), 0) {
		require.NoError(w.t, err)
		if d.Name == inbox.EventCustomerEdited {
			n++
		}
		require.NoError(w.t, w.store.DoneEvent(w.t.Context(), d.ID))
	}
	return n
}

func TestAHardBounceMarksTheCustomerOfTheAddress(t *testing.T) { // R-CUS-02, R-CUS-06
	t.Parallel()
	w := newWorld(t, fake.Options{})
	ctx := t.Context()
	ann, err := w.svc.CreateCustomer(ctx, w.actor("olga"), inbox.CustomerEdit{Name: "Ann", Address: "ann@acme.com",
		Alternatives: []string{"ann@home.example"}})
	require.NoError(t, err)
	bob, err := w.svc.CreateCustomer(ctx, w.actor("olga"), inbox.CustomerEdit{Address: "bob@acme.com"})
	require.NoError(t, err)
	was, other := w.storedCustomer(ann.ID), w.storedCustomer(bob.ID)
	w.edits()

	at := connected.Add(time.Hour + 3*time.Nanosecond)
	require.NoError(t, w.svc.NoteBounce(ctx, site, at, "nobody@acme.com", "", "ANN@home.example", "ann@ACME.com"))
	marked := w.storedCustomer(ann.ID)
	require.Equal(t, connected.Add(time.Hour), marked.Bounced)
	require.Equal(t, was.Version+1, marked.Version, "written once, though both addresses bounced")
	require.Equal(t, other, w.storedCustomer(bob.ID))
	require.Equal(t, 1, w.edits())

	for _, row := range []struct {
		what     string
		at, want time.Time
		writes   storage.Version
	}{
		{"the same again", at, connected.Add(time.Hour), 0},
		{"an older one", connected, connected.Add(time.Hour), 0},
		{"a later one", connected.Add(2 * time.Hour), connected.Add(2 * time.Hour), 1},
	} {
		before := w.storedCustomer(ann.ID)
		require.NoError(t, w.svc.NoteBounce(ctx, site, row.at, "ann@acme.com"))
		after := w.storedCustomer(ann.ID)
		require.Equal(t, row.want, after.Bounced, row.what)
		require.Equal(t, before.Version+row.writes, after.Version, row.what)
		require.Zero(t, w.edits(), row.what)
	}
	require.NoError(t, w.svc.NoteBounce(ctx, "site-2", connected.Add(9*time.Hour), "ann@acme.com"))
	require.Equal(t, connected.Add(2*time.Hour), w.storedCustomer(ann.ID).Bounced, "another site's")
	require.EqualError(t, w.svc.NoteBounce(ctx, site, time.Time{}, "ann@acme.com"), "note a bounce: its time is required")

	require.NoError(t, w.svc.DeleteCustomer(ctx, w.actor("olga"), bob.ID))
	w.edits()
	require.NoError(t, w.svc.NoteBounce(ctx, site, at, "bob@acme.com"))
	require.Zero(t, w.storedCustomer(bob.ID).Bounced, "deleted")
}

func TestANewPrimaryAddressClearsTheBounce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fake.Options{})
	w.client("Acme", "acme.com")
	w.mailFrom("Ann <ann@acme.com>", "offer", 1)
	in := w.open(true, filter.Rules{})
	w.sync(in.ID)
	ctx := t.Context()
	ann := w.messages(in.ID)[0].Customer
	require.NotEmpty(t, ann)
	require.NoError(t, w.svc.NoteBounce(ctx, site, connected, "ann@acme.com"))
	w.account.Deliver(mailText("Ann <ann@acme.com>", "me@firm.example", "more"), fake.Delivery{})
	w.sync(in.ID)
	require.Equal(t, connected, w.storedCustomer(ann).Bounced, "her mail says nothing of whether she can be reached")
	for _, row := range []struct {
		what string
		edit inbox.CustomerEdit
		want time.Time
	}{
		{"another name and alternative", inbox.CustomerEdit{Name: "Anne", Address: "Ann@acme.com",
			Alternatives: []string{"a@acme.com"}}, connected},
		{"another primary address", inbox.CustomerEdit{Address: "anne@acme.com"}, time.Time{}},
	} {
		got, err := w.svc.UpdateCustomer(ctx, w.actor("olga"), ann, row.edit)
		require.NoError(t, err)
		require.Equal(t, row.want, got.Bounced, row.what)
	}
}

// busyClients is a store whose customers somebody else writes just before each of the first saves.
type busyClients struct {
	*memory.Store
	first *int
}

func (s busyClients) SaveCustomers(ctx context.Context, cs []inbox.Customer, ev ...inbox.Event) ([]inbox.Customer, error) {
	if *s.first > 0 && len(cs) == 1 && cs[0].Version > 0 {
		*s.first--
		now, err := s.Store.Customer(ctx, cs[0].Site, cs[0].ID)
		if err != nil {
			return nil, err
		}
		now.Name += "!"
		if _, err := s.Store.SaveCustomers(ctx, []inbox.Customer{now}); err != nil {
			return nil, err
		}
	}
	return s.Store.SaveCustomers(ctx, cs, ev...)
}

func TestABounceLosesNoEditOfSomebodyElse(t *testing.T) {
	t.Parallel()
	busy := 0
	w := newWorld(t, fake.Options{}, func(c *inbox.Config) { c.Store = busyClients{c.Store.(*memory.Store), &busy} })
	ctx := t.Context()
	ann, err := w.svc.CreateCustomer(ctx, w.actor("olga"), inbox.CustomerEdit{Name: "Ann", Address: "ann@acme.com"})
	require.NoError(t, err)
	w.edits()
	busy = 3
	require.NoError(t, w.svc.NoteBounce(ctx, site, connected, "ann@acme.com"))
	got := w.storedCustomer(ann.ID)
	require.Equal(t, "Ann!!!", got.Name)
	require.Equal(t, connected, got.Bounced)
	require.Equal(t, 1, w.edits())
	busy = 100
	require.ErrorIs(t, w.svc.NoteBounce(ctx, site, connected.Add(time.Hour), "ann@acme.com"), storage.ErrConflict)
	require.Equal(t, connected, w.storedCustomer(ann.ID).Bounced)
}
