package ticket_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/ticket"
)

// far is a ticket of zoe's inbox.
func (w *world) far(second *fake.Account, other inbox.Inbox, subject string) ticket.Ticket {
	w.t.Helper()
	first, in := w.account, w.in
	defer func() { w.account, w.in = first, in }()
	w.account, w.in = second, other
	return w.ask("Dan <dan@else.org>", subject, "Message-ID: <"+fmt.Sprintf("%x", subject)+"@else.org>")
}

func TestMergeAfterAMoveDoesNotTakeLaterMail(t *testing.T) { // R-TKT-08
	t.Parallel()
	w, offer, second, other := neighbours(t)
	far := w.far(second, other, "far")
	_, err := w.svc.Move(t.Context(), w.actor("carl"), offer.ID, ticket.Move{To: other.ID})
	require.NoError(t, err)
	w.merge("zoe", far.ID, offer.ID) // zoe does not even know carl's inbox
	w.advance(time.Minute)
	w.deliver("Ann <ann@acme.com>", "private", "References: <ask@acme.com>", "Message-ID: <two@acme.com>")
	w.pull()
	require.NotContains(t, w.subjects("zoe", far.ID), "private")
	require.Equal(t, []string{"private"}, w.listed("carl", ticket.Query{Inboxes: []inbox.ID{offer.Inbox}}))
}

func TestMoveAfterAMergeLeavesLaterMail(t *testing.T) { // R-TKT-08
	t.Parallel()
	w, offer, _, other := neighbours(t)
	again := w.ask("Ann <ann@acme.com>", "again", "Message-ID: <again@acme.com>")
	w.merge("rita", offer.ID, again.ID)
	_, err := w.svc.Move(t.Context(), w.actor("carl"), offer.ID, ticket.Move{To: other.ID})
	require.NoError(t, err)
	w.advance(time.Minute)
	w.deliver("Ann <ann@acme.com>", "private", "References: <again@acme.com>", "Message-ID: <two@acme.com>")
	w.pull()
	require.NotContains(t, w.subjects("zoe", offer.ID), "private")
	require.Equal(t, []string{"private"}, w.listed("carl", ticket.Query{Inboxes: []inbox.ID{offer.Inbox}}))
}

func TestAnswerToAReplyOfAMergedTicket(t *testing.T) { // R-TKT-06
	t.Parallel()
	w, offer, second, other := neighbours(t)
	far := w.far(second, other, "far")
	w.merge("carl", far.ID, offer.ID)
	w.advance(time.Minute)
	w.deliver("Ann <ann@acme.com>", "Re: offer", "References: <ask@acme.com>", "Message-ID: <ask2@acme.com>")
	w.pull()
	w.advance(time.Minute)
	e, err := w.svc.Reply(t.Context(), w.actor("rita"), far.ID, ticket.Reply{Text: "hello"})
	require.NoError(t, err)
	require.Len(t, w.account.Sends(), 1)
	w.pull()
	w.advance(time.Minute)
	w.account.Deliver(mailText("Ann <ann@acme.com>", w.account.Address(), "answer", "Message-ID: <ask3@acme.com>",
		"References: <ask@acme.com> <ask2@acme.com> "+bracket(e.RFCID)), fake.Delivery{Thread: "new-thread"})
	w.pull()
	require.Contains(t, w.subjects("rita", far.ID), "answer")
}

func bracket(id string) string {
	if id != "" && id[0] == '<' {
		return id
	}
	return "<" + id + ">"
}

func TestMailDoesNotFollowIntoADeletedInbox(t *testing.T) {
	t.Parallel()
	w, offer, second, other := neighbours(t)
	far := w.far(second, other, "far")
	w.merge("carl", far.ID, offer.ID)
	require.NoError(t, w.inboxes.Delete(t.Context(), w.actor("zoe"), other.ID))
	w.advance(time.Minute)
	w.deliver("Ann <ann@acme.com>", "later", "References: <ask@acme.com>", "Message-ID: <two@acme.com>")
	w.pull()
	require.Contains(t, w.listed("carl", ticket.Query{}), "later")
}

func TestTargetKeepsItsCustomer(t *testing.T) { // R-TKT-06
	t.Parallel()
	w := newWorld(t, fake.Options{})
	w.open(false)
	w.advance(time.Minute)
	early := w.clock().Add(5 * time.Second)
	w.advance(time.Minute)
	first := w.ask("Ann <ann@acme.com>", "offer", "Message-ID: <ask@acme.com>")
	again := w.ask("Bob <bob@bond.com>", "again", "Message-ID: <again@acme.com>")
	w.merge("rita", first.ID, again.ID)
	w.account.Deliver(mailText("Bob <bob@bond.com>", w.account.Address(), "before", "Message-ID: <b0@acme.com>",
		"References: <again@acme.com>"), fake.Delivery{Received: early})
	w.pull()
	require.Equal(t, []string{"before", "offer", "again"}, w.subjects("rita", first.ID))
	require.Equal(t, first.Customer, w.stored(first.ID).Customer)
}

func TestMergeIntoATicketMovedFromAThirdInbox(t *testing.T) { // R-TKT-06
	t.Parallel()
	w, offer, second, other := neighbours(t)
	far := w.far(second, other, "far")
	first, in := w.account, w.in
	w.account = w.mail.Account("third@firm.example")
	w.connect("zoe", false, acl.Grant{User: "carl", Access: acl.ReadAndReply})
	third := w.in
	w.account, w.in = first, in
	_, err := w.svc.Move(t.Context(), w.actor("zoe"), far.ID, ticket.Move{To: third.ID})
	require.NoError(t, err)
	w.merge("carl", far.ID, offer.ID)
	w.advance(time.Minute)
	w.deliver("Ann <ann@acme.com>", "later", "References: <ask@acme.com>", "Message-ID: <two@acme.com>")
	w.pull()
	require.Contains(t, w.subjects("zoe", far.ID), "later")
}
