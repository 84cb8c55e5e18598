package inbox_test

import (
	"context"
	"iter"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider/fake"
)

// listed is a store that counts how often the inboxes of a site are listed.
type listed struct {
	inbox.Store
	times atomic.Int64
}

func (l *listed) Inboxes(ctx context.Context, q inbox.Query) iter.Seq2[inbox.Inbox, error] {
	l.times.Add(1)
	return l.Store.Inboxes(ctx, q)
}

// Each of many inboxes finds nothing new again and again: that must not cost a look at all of them.
func TestIdleSyncsDoNotListTheSite(t *testing.T) {
	t.Parallel()
	var store *listed
	w := newWorld(t, fake.Options{}, func(c *inbox.Config) {
		store = &listed{Store: c.Store}
		c.Store = store
	})
	in := w.open(true, filter.Rules{Mode: filter.All})
	w.sync(in.ID)
	before := store.times.Load()
	for range 60 {
		w.advance(10 * time.Second)
		w.sync(in.ID)
	}
	require.EqualValues(t, 10, store.times.Load()-before, "one listing a minute")
}

// Who has just become one of the team is known before the first mail is decided (11.4).
func TestMailIsDecidedByTheTeamAsItIs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fake.Options{})
	in := w.open(true, filter.Rules{Mode: filter.All, InternalGuard: filter.On})
	w.sync(in.ID)
	w.sync(in.ID)
	deliver := func(from, subject string) {
		w.account.Deliver([]byte("From: "+from+"\r\nTo: me@firm.example\r\nSubject: "+subject+"\r\n\r\nHello\r\n"),
			fake.Delivery{Received: w.clock()})
	}
	deliver("nina@outside.example", "before")
	w.sync(in.ID)
	w.sync(in.ID)
	w.host.AddPerson(inbox.Person{ID: "nina", Site: site, Role: acl.Agent, State: acl.Active,
		Addresses: []string{"nina@outside.example"}})
	deliver("nina@outside.example", "after")
	run := w.sync(in.ID)
	require.Equal(t, 1, run.Rejected[filter.InternalOnly])
	require.Equal(t, []string{"before"}, w.stored(in.ID))

	w.sync(in.ID)
	w.host.SetSite(inbox.Settings{ID: site, Exclude: []string{"blocked.org"}})
	deliver("ann@blocked.org", "of the blocked")
	require.Equal(t, 1, w.sync(in.ID).Rejected[filter.Excluded])

	// Also where everything is walked again.
	w.sync(in.ID)
	w.host.AddPerson(inbox.Person{ID: "otto", Site: site, Role: acl.Agent, State: acl.Active,
		Addresses: []string{"otto@elsewhere.example"}})
	deliver("otto@elsewhere.example", "of otto")
	w.account.ExpireCursors()
	require.Equal(t, 1, w.sync(in.ID).Rejected[filter.InternalOnly])
	require.Equal(t, []string{"before"}, w.stored(in.ID))
}
