package inbox_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/storage"
)

func exclusion(t *testing.T, text string) filter.Exclusion {
	t.Helper()
	e, err := filter.ParseExclusion(text)
	require.NoError(t, err)
	return e
}

func TestWideningHoldsForMailReceivedLater(t *testing.T) { // R-CHG-06
	t.Parallel()
	w := newWorld(t, fake.Options{SearchOff: true})
	w.client("Acme", "acme.com")
	w.mailFrom("ann@acme.com", "client", 5)
	w.mailFrom("eve@elsewhere.org", "stranger", 4)
	in := w.open(true, filter.Rules{})
	w.sync(in.ID)
	before := w.stored(in.ID)

	w.advance(time.Hour)
	_, err := w.svc.SetRules(t.Context(), w.actor("carl"), in.ID, filter.Rules{Mode: filter.All})
	require.NoError(t, err)
	w.account.ExpireCursors()
	w.sync(in.ID)
	require.Equal(t, before, w.stored(in.ID), "client -> all, cursor expired: the same set")

	w.advance(time.Hour)
	w.account.Deliver(mailText("eve@elsewhere.org", "me@firm.example", "new stranger"), fake.Delivery{})
	w.sync(in.ID)
	require.Equal(t, []string{"new stranger", "client"}, w.stored(in.ID))
}

func TestClientDataAddedLaterNeedsABackfill(t *testing.T) { // R-CHG-04, R-CHG-06
	t.Parallel()
	w := newWorld(t, fake.Options{SearchOff: true})
	w.mailFrom("ann@acme.com", "old", 24*3)
	in := w.open(true, filter.Rules{})
	w.sync(in.ID)
	require.Empty(t, w.stored(in.ID))
	w.advance(time.Hour)
	w.client("Acme", "acme.com")
	w.account.ExpireCursors()
	w.sync(in.ID)
	require.Empty(t, w.stored(in.ID), "listed again: still rejected")

	ctx := t.Context()
	since := connected.Add(-10 * 24 * time.Hour)
	require.ErrorIs(t, w.svc.Backfill(ctx, w.actor("olga"), in.ID, since), acl.ErrDenied)
	require.NoError(t, w.svc.Backfill(ctx, w.actor("carl"), in.ID, since))
	require.ErrorIs(t, w.svc.Backfill(ctx, w.actor("carl"), in.ID, since), inbox.ErrMustWait)
	run := w.sync(in.ID)
	require.Equal(t, inbox.RunBackfill, run.Kind)
	require.Equal(t, []string{"old"}, w.stored(in.ID))
	require.True(t, w.messages(in.ID)[0].Imported, "R-IMP-07: brought by a backfill")
	w.advance(time.Hour)
	w.account.Deliver(mailText("ann@acme.com", "me@firm.example", "new"), fake.Delivery{})
	w.sync(in.ID)
	require.Equal(t, []string{"new", "old"}, w.stored(in.ID))
}

func TestExclusionBlocksFutureMailAndLeavesTheStored(t *testing.T) { // R-CHG-01, R-FLT-03
	t.Parallel()
	w := newWorld(t, fake.Options{})
	w.mailFrom("eve@private.org", "before", 1)
	in := w.open(true, filter.Rules{Mode: filter.All})
	w.sync(in.ID)
	w.advance(time.Hour)
	_, err := w.svc.SetRules(t.Context(), w.actor("carl"), in.ID,
		filter.Rules{Mode: filter.All, Exclude: []filter.Exclusion{exclusion(t, "private.org")}})
	require.NoError(t, err)
	w.account.Deliver(mailText("eve@private.org", "me@firm.example", "after"), fake.Delivery{})
	run := w.sync(in.ID)
	require.Equal(t, map[filter.Reason]int{filter.Excluded: 1}, run.Rejected)
	require.Equal(t, []string{"before"}, w.stored(in.ID))
}

func TestNarrowingTheModeHidesFromAllButTheCreator(t *testing.T) { // R-CHG-03, R-CHG-07
	t.Parallel()
	w := newWorld(t, fake.Options{SearchOff: true})
	w.client("Acme", "acme.com")
	w.mailFrom("ann@acme.com", "client", 5)
	w.mailFrom("eve@elsewhere.org", "stranger", 4)
	in := w.open(true, filter.Rules{Mode: filter.All}, acl.Grant{User: "ina", Access: acl.ReadAndReply, InboxAdmin: true})
	w.sync(in.ID)
	ctx := t.Context()
	w.advance(time.Hour)
	_, err := w.svc.SetRules(ctx, w.actor("ina"), in.ID, filter.Rules{})
	require.NoError(t, err)
	require.Equal(t, []string{"client"}, w.visibleTo("ina", in.ID))
	require.Equal(t, []string{"client"}, w.visibleTo("olga", in.ID))
	require.Equal(t, []string{"stranger", "client"}, w.visibleTo("carl", in.ID))
	_, err = w.svc.Deliver(ctx, 100)
	require.NoError(t, err)
	require.Contains(t, w.notices.names(), "carl inbox.rules.changed", "the creator is told at once")

	_, err = w.svc.SetRules(ctx, w.actor("ina"), in.ID, filter.Rules{Mode: filter.All})
	require.NoError(t, err)
	require.Equal(t, []string{"stranger", "client"}, w.visibleTo("olga", in.ID), "going back unhides")
}

// Somebody changes the rules while another's change is applied to stored mail, at each step of that: what
// is hidden in the end is what the later rules keep out, whoever is slower.
func TestTheLaterOfTwoChangesOfRulesDecides(t *testing.T) { // R-CHG-03
	t.Parallel()
	for _, later := range []filter.Mode{filter.All, filter.ClientAssociated} {
		for nth := 1; nth <= 8; nth++ {
			t.Run(fmt.Sprint(later, " ", nth), func(t *testing.T) {
				t.Parallel()
				var store *faulty
				w := newWorld(t, fake.Options{SearchOff: true}, breakable(&store))
				w.client("Acme", "acme.com")
				w.mailFrom("ann@acme.com", "client", 5)
				w.mailFrom("eve@elsewhere.org", "stranger", 4)
				in := w.open(true, filter.Rules{Mode: filter.All})
				w.sync(in.ID)
				set := func(mode filter.Mode) error {
					_, err := w.svc.SetRules(context.Background(), w.actor("carl"), in.ID, filter.Rules{Mode: mode})
					return err
				}
				first := filter.ClientAssociated
				if later == first {
					require.NoError(t, set(first)) // the stranger is hidden
					first = filter.All
				}
				calls, edited, done := 0, false, false
				store.onCall(func(called string, _ int) error {
					if called == "UpdateInbox" {
						edited = true // when this call is through
						return nil
					}
					if edited {
						calls++
					}
					if calls != nth {
						return nil
					}
					done = true
					store.onCall(nil)
					return set(later)
				})
				require.NoError(t, set(first))
				store.onCall(nil)
				require.True(t, done, "a change takes fewer steps")
				want := []string{"client"}
				if later == filter.All {
					want = []string{"stranger", "client"}
				}
				require.Equal(t, want, w.visibleTo("olga", in.ID))
			})
		}
	}
}

func TestOnlyTheCreatorWidensWhereSwitchedOn(t *testing.T) { // c11
	t.Parallel()
	w := newWorld(t, fake.Options{})
	in := w.open(true, filter.Rules{}, acl.Grant{User: "ina", Access: acl.ReadOnly, InboxAdmin: true})
	ctx := t.Context()
	settings := inbox.InboxSettings{OnlyCreatorWidens: true}
	_, err := w.svc.Edit(ctx, w.actor("ina"), in.ID, inbox.Edit{Settings: &settings})
	require.ErrorIs(t, err, acl.ErrDenied, "the switch is the creator's")
	_, err = w.svc.Edit(ctx, w.actor("carl"), in.ID, inbox.Edit{Settings: &settings})
	require.NoError(t, err)
	_, err = w.svc.SetRules(ctx, w.actor("ina"), in.ID, filter.Rules{Mode: filter.All})
	require.ErrorIs(t, err, acl.ErrDenied)
	_, err = w.svc.SetRules(ctx, w.actor("ina"), in.ID, filter.Rules{Exclude: []filter.Exclusion{exclusion(t, "x.org")}})
	require.NoError(t, err, "others may narrow")
}

func TestPersonalExclusionsAreTheCreatorsOwn(t *testing.T) { // row 22b, 11.1
	t.Parallel()
	w := newWorld(t, fake.Options{})
	own := exclusion(t, "spouse@private.org")
	own.Personal = true
	in := w.open(true, filter.Rules{Exclude: []filter.Exclusion{own}}, acl.Grant{User: "ina", Access: acl.ReadOnly, InboxAdmin: true})
	ctx := t.Context()
	got, err := w.svc.Inbox(ctx, w.actor("ina"), in.ID)
	require.NoError(t, err)
	rules, _ := got.Rules()
	require.Empty(t, rules.Exclude, "not shown to an inbox admin")
	_, err = w.svc.SetRules(ctx, w.actor("ina"), in.ID, filter.Rules{Exclude: []filter.Exclusion{exclusion(t, "other.org")}})
	require.NoError(t, err)
	got, err = w.svc.Inbox(ctx, w.actor("carl"), in.ID)
	require.NoError(t, err)
	rules, version := got.Rules()
	require.Equal(t, uint64(2), version, "R-CHG-05")
	require.Len(t, rules.Exclude, 2, "another's edit keeps it")
}

func TestPreviewStoresAndOpensNothing(t *testing.T) { // row 32
	t.Parallel()
	w := newWorld(t, fake.Options{SearchOff: true, PageSize: 2})
	w.client("Acme", "acme.com")
	w.mailFrom("ann@acme.com", "question", 9, "Message-ID: <q@acme.com>")
	w.account.Deliver(mailText("lawyer@law.org", "me@firm.example", "advice", "Cc: ann@acme.com", "References: <q@acme.com>"),
		fake.Delivery{Received: connected.Add(-3 * time.Hour)})
	w.mailFrom("eve@elsewhere.org", "stranger", 4)
	in := w.open(true, filter.Rules{Mode: filter.All}, acl.Grant{User: "ina", Access: acl.ReadOnly, InboxAdmin: true})
	ctx := t.Context()
	client := filter.Rules{}
	p, err := w.svc.Preview(ctx, w.actor("carl"), in.ID, &client)
	require.NoError(t, err)
	require.Equal(t, inbox.Preview{Listed: 3, Accepted: 2,
		Reasons: map[filter.Reason]int{filter.CompanyDomain: 1, filter.KnownThread: 1, filter.NotClientAssociated: 1},
		Domains: map[string]inbox.DomainCount{"acme.com": {Accepted: 1}, "law.org": {Accepted: 1}, "elsewhere.org": {Rejected: 1}},
	}, p)
	require.Empty(t, w.account.OpenedIDs())
	require.Empty(t, w.stored(in.ID))
	p, err = w.svc.Preview(ctx, w.actor("ina"), in.ID, nil)
	require.NoError(t, err)
	require.Nil(t, p.Domains, "totals only for others")
	require.Equal(t, 3, p.Accepted)
	_, err = w.svc.Preview(ctx, w.actor("adam"), in.ID, nil)
	require.ErrorIs(t, err, storage.ErrNotFound)
}

func TestSiteExclusionsAndInternalDomainsReachTheFilter(t *testing.T) { // 11.1, 11.4
	t.Parallel()
	w := newWorld(t, fake.Options{SearchOff: true})
	w.host.SetSite(inbox.Settings{ID: site, Exclude: []string{"blocked.org"}, InternalDomains: []string{"sister.example"}})
	w.mailFrom("a@blocked.org", "blocked", 1)
	w.mailFrom("b@sister.example", "sister", 2)
	w.mailFrom("rita@firm.example", "colleague", 3)
	in := w.open(true, filter.Rules{Mode: filter.All, InternalGuard: filter.On})
	run := w.sync(in.ID)
	require.Equal(t, map[filter.Reason]int{filter.Excluded: 1, filter.InternalOnly: 2}, run.Rejected)
}

func TestReapplyBeforeAnyRulesIsRefused(t *testing.T) { // R-CHG-06
	t.Parallel()
	w := newWorld(t, fake.Options{})
	in, err := w.svc.Create(t.Context(), w.actor("carl"), inbox.Draft{Provider: "fake", Name: "Carl"})
	require.NoError(t, err)
	require.ErrorIs(t, w.svc.Reapply(t.Context(), w.actor("carl"), in.ID), inbox.ErrSetup)
}

// visibleTo returns the subjects a person sees, newest first.
func (w *world) visibleTo(user acl.UserID, id inbox.ID) []string {
	w.t.Helper()
	var out []string
	for m, err := range w.svc.Messages(w.t.Context(), w.actor(user), inbox.MessageQuery{Inbox: id}) {
		require.NoError(w.t, err)
		out = append(out, m.Subject)
	}
	return out
}
