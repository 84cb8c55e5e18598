package ticket_test

import (
	"context"
	"fmt"
	"iter"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/provider/rfc822"
	"github.com/workinbox/workinbox/ticket"
)

// counted counts how often the people of a site are listed.
type counted struct {
	inner inbox.People
	lists int
}

func (c *counted) Person(ctx context.Context, site inbox.SiteID, id acl.UserID) (inbox.Person, error) {
	return c.inner.Person(ctx, site, id)
}

func (c *counted) People(ctx context.Context, site inbox.SiteID) iter.Seq2[inbox.Person, error] {
	c.lists++
	return c.inner.People(ctx, site)
}

// wantsToFollow lets people follow what names them.
func (w *world) wantsToFollow(users ...acl.UserID) {
	for _, u := range users {
		p := person(u, acl.Agent)
		if u == "carl" {
			p.Addresses = append(p.Addresses, w.account.Address())
		}
		p.AutoFollowOnCC = true
		w.host.AddPerson(p)
	}
}

func TestWhoIsNamedInAMailFollowsIfTheyWantTo(t *testing.T) { // R-TKT-04
	t.Parallel()
	w := newWorld(t, fake.Options{})
	w.open(false)
	w.wantsToFollow("carl", "rob", "zoe")
	w.advance(time.Minute)
	w.deliver("Ann <ann@acme.com>", "offer", "Message-ID: <ask@acme.com>",
		"To: me@firm.example, ROB@firm.example", "Cc: rita@firm.example, zoe@firm.example, rob@firm.example")
	w.pull()
	offer := w.only()
	require.Equal(t, []acl.UserID{"rob"}, offer.Followers, "not rita who did not ask, zoe who sees nothing, nor the mailbox itself")
	require.ElementsMatch(t, []string{"received", "changed follower >rob"}, w.lines(offer.ID))
	require.Equal(t, []string{"ticket.created", "ticket.edited"}, w.events())
	require.Equal(t, acl.UserID("rob"), w.due()[1].Target)

	w.wantsToFollow("rita")
	w.deliver("Ann <ann@acme.com>", "more", "References: <ask@acme.com>", "Cc: rita@firm.example, rob@firm.example")
	w.pull()
	require.Equal(t, []acl.UserID{"rob", "rita"}, w.only().Followers, "once")
}

func TestWhoTookThemselvesOffIsNotPutOnAgain(t *testing.T) { // R-TKT-04
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	w.wantsToFollow("rob", "rita")
	ctx := t.Context()
	_, err := w.svc.Assign(ctx, w.actor("rita"), offer.ID, "rita")
	require.NoError(t, err)
	w.deliver("Ann <ann@acme.com>", "more", "References: <ask@acme.com>", "Cc: rob@firm.example, rita@firm.example")
	w.pull()
	require.Equal(t, []acl.UserID{"rob"}, w.only().Followers, "the assignee follows anyway")
	_, err = w.svc.Unfollow(ctx, w.actor("rob"), offer.ID, "rob")
	require.NoError(t, err)
	w.deliver("Ann <ann@acme.com>", "again", "References: <ask@acme.com>", "Cc: rob@firm.example")
	w.pull()
	require.Empty(t, w.only().Followers)
}

func TestImportedAndForgedMailMakesNobodyFollow(t *testing.T) { // R-IMP-07
	t.Parallel()
	w := newWorld(t, fake.Options{})
	w.open(true)
	w.wantsToFollow("rob")
	w.account.Deliver(mailText("Ann <ann@acme.com>", "me@firm.example", "old", "Cc: rob@firm.example"),
		fake.Delivery{Received: connected.Add(-time.Hour)})
	w.pull()
	require.Empty(t, w.only().Followers)
	require.Empty(t, w.events())
	w.advance(time.Minute)
	w.deliver("me@firm.example", "forged", "Cc: rob@firm.example")
	w.pull()
	for _, got := range w.tickets() {
		require.Empty(t, got.Followers, got.Subject)
	}
}

func TestWhomATeammateCopiesFollowsToo(t *testing.T) { // R-TKT-04: when the copy comes back
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	w.wantsToFollow("rob")
	_, err := w.svc.Reply(t.Context(), w.actor("rita"), offer.ID,
		ticket.Reply{Text: "hello", Cc: []rfc822.Address{{Address: "rob@firm.example"}}})
	require.NoError(t, err)
	w.pull()
	require.Equal(t, []acl.UserID{"rob"}, w.only().Followers)
	before := w.lines(offer.ID)
	w.collect()
	require.Equal(t, before, w.lines(offer.ID))
}

func TestPeopleAreReadOnceForAPageAndOnlyWhereSomebodyIsNamed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fake.Options{})
	w.open(false)
	w.advance(time.Minute)
	people := &counted{inner: w.host}
	w.inboxes.People = people
	for extra, want := range map[string]int{"Reply-To: ann@acme.com": 0, "Cc: rob@firm.example": 1} {
		for i := range 5 {
			w.deliver("Ann <ann@acme.com>", fmt.Sprintf("mail %d of %d", i, want), extra)
		}
		_, err := w.inboxes.Sync(t.Context(), w.in.ID)
		require.NoError(t, err)
		people.lists = 0
		require.Equal(t, 5, w.collect().Opened)
		require.Equal(t, want, people.lists, extra)
	}
}

func TestNobodyIsMadeToFollowAnArchivedTicket(t *testing.T) { // R-STA-06: when the copy of a late reply comes back
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	w.wantsToFollow("rob")
	_, err := w.svc.Reply(t.Context(), w.actor("rita"), offer.ID, ticket.Reply{Text: "hi", To: addresses("ann"),
		Cc: []rfc822.Address{{Address: "rob@firm.example"}}, SendAt: w.clock().Add(130 * day), Status: ticket.Solved})
	require.NoError(t, err)
	w.setStatus(offer.ID, ticket.Solved)
	w.advance(125 * day)
	require.Equal(t, 1, w.age().Archived)
	w.after(10 * day)
	require.Len(t, w.account.Sends(), 1)
	w.pull()
	require.NotEmpty(t, w.outgoing(offer.ID).Message, "the copy is back")
	require.Empty(t, w.only().Followers)
}
