package inbox_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/fake"
)

// deliver delivers what is due and returns who was told of what.
func (w *world) deliver() []string {
	w.t.Helper()
	w.notices.mu.Lock()
	w.notices.got = nil
	w.notices.mu.Unlock()
	_, err := w.svc.Deliver(w.t.Context(), 0)
	require.NoError(w.t, err)
	return w.notices.names()
}

// aboutMessage puts an event about a stored message into the outbox, as package ticket does.
func (w *world) aboutMessage(m inbox.Message) {
	w.t.Helper()
	require.NoError(w.t, w.store.SaveEvents(w.t.Context(), inbox.Event{ID: inbox.NewID(w.clock()),
		Name: "ticket.customer.reply", At: w.clock(), Site: site, Inbox: m.Inbox, Message: m.ID, Ticket: "t-1"}))
}

const customerReply inbox.EventName = "ticket.customer.reply"

func TestNoticesAreForThoseWhoMayAndWantThemNow(t *testing.T) { // R-FEA-08, row 41
	t.Parallel()
	w := newWorld(t, fake.Options{SearchOff: true})
	w.client("Acme", "acme.com")
	w.mailFrom("ann@acme.com", "offer", 2)
	w.mailFrom("eve@private.org", "private matter", 1)
	in := w.open(true, filter.Rules{Mode: filter.All}, reader, manager, acl.Grant{User: "rita", Access: acl.ReadOnly})
	w.sync(in.ID)
	w.deliver()
	private, offer := w.messages(in.ID)[0], w.messages(in.ID)[1]
	ctx := t.Context()

	w.aboutMessage(offer)
	require.NoError(t, w.svc.Watch(ctx, w.actor("rob"), in.ID, inbox.Watch{Events: []inbox.EventName{customerReply}}))
	require.NoError(t, w.svc.Watch(ctx, w.actor("rita"), in.ID, inbox.Watch{Events: []inbox.EventName{customerReply}, Private: true}))
	require.NoError(t, w.svc.Watch(ctx, w.actor("ina"), in.ID, inbox.Watch{Events: []inbox.EventName{inbox.EventUnhealthy}}))
	require.ElementsMatch(t, []string{"rob ticket.customer.reply", "rita ticket.customer.reply"}, w.deliver(),
		"opted in before it was delivered")
	for _, n := range w.notices.got {
		if n.To.ID == "rob" {
			require.Equal(t, &inbox.NoticeContent{Subject: "offer", From: "ann@acme.com", Preview: "Body of offer"}, n.Content)
			continue
		}
		require.Nil(t, n.Content, "R-FEA-07: private notices")
	}

	_, err := w.svc.SetRules(ctx, w.actor("carl"), in.ID, filter.Rules{})
	require.NoError(t, err)
	w.deliver()
	w.aboutMessage(private)
	require.Empty(t, w.deliver(), "hidden from them now")

	w.aboutMessage(offer)
	_, err = w.svc.Unshare(ctx, w.actor("carl"), in.ID, "rob")
	require.NoError(t, err)
	rita, err := w.host.Person(ctx, site, "rita")
	require.NoError(t, err)
	rita.State = acl.Deactivated
	w.host.AddPerson(rita)
	require.Empty(t, w.deliver(), "revoked or deactivated meanwhile")
}

func TestNothingInTheTrashIsToldOf(t *testing.T) { // R-FEA-08, R-INB-12
	t.Parallel()
	w := newWorld(t, fake.Options{})
	w.mailFrom("ann@acme.com", "offer", 2)
	in := w.open(true, filter.Rules{Mode: filter.All}, reader)
	w.sync(in.ID)
	w.deliver()
	ctx := t.Context()
	require.NoError(t, w.svc.Watch(ctx, w.actor("rob"), in.ID, inbox.Watch{Events: []inbox.EventName{customerReply, inbox.EventInboxDeleted}}))
	w.aboutMessage(w.messages(in.ID)[0])
	require.NoError(t, w.svc.Delete(ctx, w.actor("carl"), in.ID))
	require.Equal(t, []string{"rob inbox.deleted"}, w.deliver())
	w.advance(31 * 24 * time.Hour)
	require.NoError(t, w.svc.PurgeDeleted(ctx, nil))
	require.NoError(t, w.store.SaveEvents(ctx, inbox.Event{ID: "late", Name: customerReply, Inbox: in.ID, Site: site}))
	require.Empty(t, w.deliver())
	require.Empty(t, w.due(), "and it is forgotten")
}

// due returns the events that wait, whenever they are due.
func (w *world) due() []inbox.EventName {
	w.t.Helper()
	var out []inbox.EventName
	for d, err := range w.store.DueEvents(w.t.Context(), w.clock().Add(1000*time.Hour), 0) {
		require.NoError(w.t, err)
		out = append(out, d.Name)
	}
	return out
}

func TestReadersAreToldNoTotalsAndNotWhoWasGivenAccess(t *testing.T) { // R-IMP-11, rows 24 and 37
	t.Parallel()
	w := newWorld(t, fake.Options{SearchOff: true})
	w.mailFrom("eve@private.org", "private", 1)
	in := w.open(true, filter.Rules{}, reader, manager, acl.Grant{User: "rita", Access: acl.ReadOnly})
	ctx := t.Context()
	for _, user := range []acl.UserID{"rob", "ina", "rita"} {
		require.NoError(t, w.svc.Watch(ctx, w.actor(user), in.ID, inbox.Watch{
			Events: []inbox.EventName{inbox.EventImportCompleted, inbox.EventShared, inbox.EventRulesChanged}}))
	}
	w.deliver()
	w.sync(in.ID)
	w.deliver()
	facts := map[acl.UserID]int{}
	for _, n := range w.notices.got {
		facts[n.To.ID] = len(n.Event.Facts)
	}
	require.Equal(t, map[acl.UserID]int{"rob": 0, "ina": 4, "rita": 0}, facts, "facts of the import that is done")
	_, err := w.svc.Share(ctx, w.actor("carl"), in.ID, acl.Grant{User: "rita", Access: acl.ReadAndReply})
	require.NoError(t, err)
	require.ElementsMatch(t, []string{"ina inbox.shared", "rita inbox.shared"}, w.deliver())
}

func TestTheCreatorIsToldOfRuleChangesByOthersEvenBeforeFinish(t *testing.T) { // R-CHG-06
	t.Parallel()
	w := newWorld(t, fake.Options{})
	in := w.draft(true, filter.Rules{})
	w.deliver()
	_, err := w.svc.SetRules(t.Context(), w.actor("olga"), in.ID, filter.Rules{Mode: filter.All})
	require.NoError(t, err)
	require.Equal(t, []string{"carl inbox.rules.changed"}, w.deliver())
	_, err = w.svc.SetRules(t.Context(), w.actor("carl"), in.ID, filter.Rules{})
	require.NoError(t, err)
	require.Empty(t, w.deliver(), "not of their own")
}

func TestADeactivatedCreatorGetsNoNotice(t *testing.T) { // R-ROL-07, R-CON-04
	t.Parallel()
	w := newWorld(t, fake.Options{})
	in := w.open(true, filter.Rules{Mode: filter.All}, manager)
	require.NoError(t, w.die(in.ID))
	require.NoError(t, w.svc.Watch(t.Context(), w.actor("ina"), in.ID, inbox.Watch{Events: []inbox.EventName{inbox.EventNeedsReauth}}))
	carl, err := w.host.Person(t.Context(), site, "carl")
	require.NoError(t, err)
	carl.State = acl.Deactivated
	w.host.AddPerson(carl)
	require.Equal(t, []string{"ina inbox.needs_reauth"}, w.deliver(), "those who manage it and asked are told")
	require.Empty(t, w.due())
}

func TestOneEventThatCannotBeToldKeepsNoOther(t *testing.T) { // ARCHITECTURE: at least once
	t.Parallel()
	w := newWorld(t, fake.Options{})
	in := w.open(true, filter.Rules{Mode: filter.All}, reader)
	ctx := t.Context()
	w.deliver()
	require.NoError(t, w.svc.Watch(ctx, w.actor("rob"), in.ID, inbox.Watch{Events: []inbox.EventName{inbox.EventInboxEdited}}))
	gone := in
	gone.ID, gone.Site, gone.Account, gone.Version = "in-lost", "site-gone", in.Account, 0
	gone.Account.ID, gone.Account.Address = "x", "x@y.org"
	_, err := w.store.CreateInbox(ctx, gone)
	require.NoError(t, err)
	require.NoError(t, w.store.SaveEvents(ctx, inbox.Event{ID: "0", Name: inbox.EventInboxEdited, Inbox: "in-lost", Site: "site-gone"}))
	name := "New"
	_, err = w.svc.Edit(ctx, w.actor("carl"), in.ID, inbox.Edit{Name: &name})
	require.NoError(t, err)
	require.Equal(t, []string{"rob inbox.edited"}, w.deliver(), "though the first event's site is unknown")
	require.Equal(t, []inbox.EventName{inbox.EventInboxEdited}, w.due(), "which is tried again later")
}

func TestFailedNoticesAreTriedAgainLater(t *testing.T) { // R-FEA-08
	t.Parallel()
	w := newWorld(t, fake.Options{})
	in := w.open(true, filter.Rules{Mode: filter.All})
	w.deliver()
	require.NoError(t, w.die(in.ID))
	w.notices.fail = errors.New("mail server is down")
	require.Empty(t, w.deliver())
	require.Equal(t, []inbox.EventName{inbox.EventNeedsReauth}, w.due())
	w.notices.fail = nil
	require.Empty(t, w.deliver(), "not before its time")
	w.advance(2 * time.Minute)
	require.Equal(t, []string{"carl inbox.needs_reauth"}, w.deliver())
	require.Empty(t, w.deliver())
}

func TestWithoutANotifierEventsAreForgotten(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fake.Options{}, func(c *inbox.Config) { c.Notifier = nil })
	w.open(true, filter.Rules{Mode: filter.All})
	require.NotEmpty(t, w.due())
	require.Empty(t, w.deliver())
	require.Empty(t, w.due())
}

func TestTheSiteIsToldWhatTheCreatorAllows(t *testing.T) { // R-FEA-08
	t.Parallel()
	var site recorder
	w := newWorld(t, fake.Options{SearchOff: true}, func(c *inbox.Config) { c.SiteNotifier = &site })
	w.client("Acme", "acme.com")
	w.mailFrom("ann@acme.com", "offer", 2)
	w.mailFrom("eve@private.org", "private matter", 1)
	in := w.open(true, filter.Rules{Mode: filter.All}, reader, manager)
	w.sync(in.ID)
	private, offer := w.messages(in.ID)[0], w.messages(in.ID)[1]
	ctx := t.Context()
	told := func() []inbox.Notice {
		t.Helper()
		site.got = nil
		w.deliver()
		return site.got
	}

	w.aboutMessage(offer)
	require.Empty(t, told(), "nothing by default")
	for _, user := range []acl.UserID{"olga", "ina", "rob"} {
		require.ErrorIs(t, w.svc.WatchForSite(ctx, w.actor(user), in.ID, inbox.SiteWatch{
			Events: []inbox.EventName{customerReply}, Content: true}), acl.ErrDenied, user)
	}
	carl := w.actor("carl")
	require.NoError(t, w.svc.WatchForSite(ctx, carl, in.ID, inbox.SiteWatch{
		Events: []inbox.EventName{customerReply, inbox.EventShared, inbox.EventImportCompleted}}))
	w.aboutMessage(offer)
	got := told()
	require.Len(t, got, 1)
	require.Nil(t, got[0].Content, "ids only")
	require.Equal(t, offer.ID, got[0].Event.Message)
	require.Zero(t, got[0].To)

	_, err := w.svc.Share(ctx, carl, in.ID, acl.Grant{User: "rita", Access: acl.ReadOnly})
	require.NoError(t, err)
	require.NoError(t, w.store.SaveEvents(ctx, inbox.Event{ID: "done", Name: inbox.EventImportCompleted, At: w.clock(),
		Site: in.Site, Inbox: in.ID, Facts: map[string]string{"stored": "2"}}))
	got = told()
	require.Len(t, got, 1, "not who was given access")
	require.Equal(t, inbox.EventImportCompleted, got[0].Event.Name)
	require.Empty(t, got[0].Event.Facts, "no totals")

	require.NoError(t, w.svc.WatchForSite(ctx, carl, in.ID, inbox.SiteWatch{Events: []inbox.EventName{customerReply}, Content: true}))
	w.aboutMessage(offer)
	require.Equal(t, "offer", told()[0].Content.Subject)
	_, err = w.svc.SetRules(ctx, carl, in.ID, filter.Rules{})
	require.NoError(t, err)
	w.aboutMessage(private)
	require.Empty(t, told(), "hidden from all but the creator")

	require.NoError(t, w.svc.WatchForSite(ctx, carl, in.ID, inbox.SiteWatch{Content: true}))
	w.aboutMessage(offer)
	require.Empty(t, told(), "taken back")
}

func TestAPersonalEventIsForItsTargetAlone(t *testing.T) { // R-FEA-08
	t.Parallel()
	const mentioned inbox.EventName = "ticket.mentioned"
	var toSite recorder
	w := newWorld(t, fake.Options{SearchOff: true}, func(c *inbox.Config) { c.SiteNotifier = &toSite })
	w.client("Acme", "acme.com")
	w.mailFrom("ann@acme.com", "offer", 2)
	w.mailFrom("eve@private.org", "private matter", 1)
	in := w.open(true, filter.Rules{Mode: filter.All}, reader, manager, acl.Grant{User: "rita", Access: acl.ReadOnly})
	w.sync(in.ID)
	private, offer := w.messages(in.ID)[0], w.messages(in.ID)[1]
	ctx := t.Context()
	_, err := w.svc.SetRules(ctx, w.actor("carl"), in.ID, filter.Rules{})
	require.NoError(t, err)
	for _, user := range []acl.UserID{"carl", "rob", "ina"} {
		require.NoError(t, w.svc.Watch(ctx, w.actor(user), in.ID, inbox.Watch{Events: []inbox.EventName{mentioned}}))
	}
	require.NoError(t, w.svc.WatchForSite(ctx, w.actor("carl"), in.ID, inbox.SiteWatch{Events: []inbox.EventName{mentioned}, Content: true}))
	w.deliver()
	tell := func(e inbox.Event) []string {
		t.Helper()
		toSite.got = nil
		e.ID, e.Name, e.At, e.Site, e.Inbox, e.Ticket = inbox.NewID(w.clock()), mentioned, w.clock(), site, in.ID, "t-1"
		require.NoError(t, w.store.SaveEvents(ctx, e))
		return w.deliver()
	}
	personal := func(target, actor acl.UserID, m inbox.Message) []string {
		return tell(inbox.Event{Personal: true, Target: target, Actor: actor, Message: m.ID})
	}
	require.Equal(t, []string{"rob ticket.mentioned"}, personal("rob", "ina", offer))
	require.Empty(t, toSite.got, "never for the site")
	require.Equal(t, "offer", w.notices.got[0].Content.Subject)
	require.Empty(t, personal("rob", "rob", offer), "by themselves")
	require.Empty(t, personal("rita", "rob", offer), "not opted in")
	require.Empty(t, personal("zoe", "rob", offer), "without access")
	require.Empty(t, personal("", "rob", offer), "for nobody")
	require.Empty(t, personal("ina", "carl", private), "about mail they may not see")
	require.Equal(t, []string{"carl ticket.mentioned"}, personal("carl", "rob", private))
	require.ElementsMatch(t, []string{"carl ticket.mentioned", "rob ticket.mentioned"},
		tell(inbox.Event{Target: "rob", Actor: "ina", Message: offer.ID}), "of another kind it is for all")
	require.Len(t, toSite.got, 1)
	require.NoError(t, w.store.SaveEvents(ctx, inbox.Event{ID: "x", Name: inbox.EventNeedsReauth, At: w.clock(), Site: site,
		Inbox: in.ID, Personal: true, Target: "rob"}))
	require.Empty(t, w.deliver(), "not the creator either")
	_, err = w.svc.Unshare(ctx, w.actor("carl"), in.ID, "rob")
	require.NoError(t, err)
	w.deliver()
	require.Empty(t, personal("rob", "ina", offer), "revoked")
	require.Empty(t, w.due())
}

func TestASiteThatFailsIsTriedAgainAlone(t *testing.T) {
	t.Parallel()
	down, tries := true, 0
	w := newWorld(t, fake.Options{}, func(c *inbox.Config) {
		c.SiteNotifier = notifierFunc(func() error {
			if tries++; down {
				return &provider.RetryError{After: 3 * time.Hour, Err: errors.New("down")}
			}
			return nil
		})
	})
	w.mailFrom("ann@acme.com", "offer", 2)
	in := w.open(true, filter.Rules{Mode: filter.All}, reader)
	w.sync(in.ID)
	w.deliver()
	ctx := t.Context()
	require.NoError(t, w.svc.Watch(ctx, w.actor("rob"), in.ID, inbox.Watch{Events: []inbox.EventName{customerReply}}))
	require.NoError(t, w.svc.WatchForSite(ctx, w.actor("carl"), in.ID, inbox.SiteWatch{Events: []inbox.EventName{customerReply}}))
	w.aboutMessage(w.messages(in.ID)[0])
	require.Len(t, w.deliver(), 1)
	w.advance(2 * time.Hour)
	require.Empty(t, w.deliver())
	require.Equal(t, 1, tries, "not before it asked for")
	down = false
	w.advance(2 * time.Hour)
	require.Empty(t, w.deliver(), "rob has it")
	require.Equal(t, 2, tries)
	require.Empty(t, w.due())
}

func TestWhatNobodyTakesIsGivenUp(t *testing.T) {
	t.Parallel()
	tries := 0
	w := newWorld(t, fake.Options{}, func(c *inbox.Config) {
		c.SiteNotifier = notifierFunc(func() error { tries++; return errors.New("down") })
	})
	w.mailFrom("ann@acme.com", "offer", 2)
	in := w.open(true, filter.Rules{Mode: filter.All})
	w.sync(in.ID)
	require.NoError(t, w.svc.WatchForSite(t.Context(), w.actor("carl"), in.ID, inbox.SiteWatch{Events: []inbox.EventName{customerReply}}))
	w.deliver()
	w.aboutMessage(w.messages(in.ID)[0])
	for range 6 * 24 {
		w.deliver()
		w.advance(time.Hour)
	}
	require.NotEmpty(t, w.due(), "within a week")
	for range 3 * 24 {
		w.deliver()
		w.advance(time.Hour)
	}
	require.Empty(t, w.due())
	require.GreaterOrEqual(t, tries, 20)
}

type notifierFunc func() error

func (f notifierFunc) Notify(context.Context, inbox.Notice) error { return f() }

func TestTagsOfTheSiteAreToldToTheSite(t *testing.T) { // RULES 10, R-CUS-07
	t.Parallel()
	var toSite recorder
	w := newWorld(t, fake.Options{SearchOff: true}, func(c *inbox.Config) { c.SiteNotifier = &toSite })
	for _, name := range []inbox.EventName{"tag.created", inbox.EventCustomerCreated, inbox.EventCompanyEdited} {
		e := inbox.Event{ID: string(name), Name: name, At: w.clock(), Site: site, Facts: map[string]string{"code": "red"}}
		require.NoError(t, w.store.SaveEvents(t.Context(), e))
	}
	w.deliver()
	require.Len(t, toSite.got, 1)
	require.Equal(t, inbox.EventName("tag.created"), toSite.got[0].Event.Name)
	require.Empty(t, w.due())
}
