package ticket_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/ticket"
)

// neighbours is elsewhere where zoe's inbox is carl's to reply from too.
func neighbours(t *testing.T) (w *world, offer ticket.Ticket, second *fake.Account, other inbox.Inbox) {
	w, offer, second, other = elsewhere(t)
	_, err := w.inboxes.Share(t.Context(), w.actor("zoe"), other.ID, acl.Grant{User: "carl", Access: acl.ReadAndReply})
	require.NoError(t, err)
	return w, offer, second, other
}

func TestMovePutsATicketIntoAnotherInbox(t *testing.T) { // R-TKT-08
	t.Parallel()
	w, offer, second, other := neighbours(t)
	ctx := t.Context()
	_, err := w.svc.Follow(ctx, w.actor("rob"), offer.ID, "rob")
	require.NoError(t, err)
	_, err = w.svc.Note(ctx, w.actor("rob"), offer.ID, "for zoe")
	require.NoError(t, err)
	_, err = w.svc.Assign(ctx, w.actor("carl"), offer.ID, "rita")
	require.NoError(t, err)
	moved, err := w.svc.Move(ctx, w.actor("carl"), offer.ID, ticket.Move{To: other.ID})
	require.NoError(t, err)
	require.Equal(t, other.ID, moved.Inbox)
	require.Equal(t, offer.Number, moved.Number)
	require.Equal(t, acl.UserID("rita"), moved.Assignee, "she works there too")
	require.Empty(t, moved.Followers, "rob does not see it there")
	require.Contains(t, w.lines(offer.ID), "changed inbox "+string(offer.Inbox)+">"+string(other.ID)+" by carl")
	require.Contains(t, w.events(), string(ticket.EventMoved))

	_, err = w.svc.Ticket(ctx, w.actor("rob"), offer.ID)
	require.ErrorIs(t, err, storage.ErrNotFound)
	require.Equal(t, []string{"offer"}, w.subjects("zoe", offer.ID))
	require.Equal(t, []string{"offer"}, w.listed("zoe", ticket.Query{}))
	seen, err := w.svc.Ticket(ctx, w.actor("zoe"), offer.ID)
	require.NoError(t, err)
	require.Empty(t, seen.Origin, "zoe does not know the inbox it came from")
	require.Empty(t, seen.Threads)
	for _, e := range w.history("zoe", offer.ID) {
		require.NotEqual(t, offer.Inbox, e.Inbox)
		if e.Change != nil && e.Change.Field == "inbox" {
			require.Empty(t, e.Change.From)
			require.Equal(t, string(other.ID), e.Change.To)
		}
	}

	// Its answers leave from the mailbox they came into.
	_, err = w.svc.Reply(ctx, w.actor("zoe"), offer.ID, ticket.Reply{Text: "hello"})
	require.ErrorIs(t, err, acl.ErrDenied)
	_, err = w.svc.Reply(ctx, w.actor("rita"), offer.ID, ticket.Reply{Text: "hello"})
	require.NoError(t, err)
	require.Len(t, w.account.Sends(), 1)
	require.Empty(t, second.Sends())
	w.pull()
	require.Equal(t, 2, w.stored(offer.ID).Messages)
	require.Len(t, w.tickets(), 1, "the copy of what was sent is no new ticket")

	// New mail of the thread stays where it came in, linked.
	w.advance(time.Minute)
	w.deliver("Ann <ann@acme.com>", "Re: offer", "References: <ask@acme.com>", "Message-ID: <two@acme.com>")
	w.pull()
	fresh := w.bySubject("Re: offer")
	require.Equal(t, offer.Inbox, fresh.Inbox)
	require.Equal(t, []string{"Re: offer"}, w.listed("rob", ticket.Query{}))
	link := func(user acl.UserID, id ticket.ID) ticket.ID {
		for _, e := range w.history(user, id) {
			if e.Change != nil && e.Change.Field == "linked" {
				return e.Other
			}
		}
		return "no line"
	}
	require.Equal(t, offer.ID, link("rita", fresh.ID))
	require.Equal(t, fresh.ID, link("rita", offer.ID))
	require.Equal(t, ticket.ID("no line"), link("rob", fresh.ID))
	require.Equal(t, ticket.ID("no line"), link("zoe", offer.ID))
	w.advance(time.Minute)
	w.deliver("Ann <ann@acme.com>", "Re: Re: offer", "References: <ask@acme.com> <two@acme.com>")
	w.pull()
	require.Equal(t, 2, w.stored(fresh.ID).Messages, "the third mail joins the second")

	// And back.
	_, err = w.svc.Move(ctx, w.actor("rita"), offer.ID, ticket.Move{To: offer.Inbox})
	require.ErrorIs(t, err, acl.ErrDenied, "rob would read what only those of zoe's inbox did")
	back, err := w.svc.Move(ctx, w.actor("zoe"), offer.ID, ticket.Move{To: offer.Inbox})
	require.ErrorIs(t, err, storage.ErrNotFound, "zoe does not know that inbox")
	require.Empty(t, back.ID)
}

func TestMoveWithTheMailThatFollows(t *testing.T) { // R-TKT-08
	t.Parallel()
	w, offer, _, other := neighbours(t)
	_, err := w.inboxes.Share(t.Context(), w.actor("carl"), offer.Inbox, acl.Grant{User: "rita", Access: acl.ReadAndReply, InboxAdmin: true})
	require.NoError(t, err)
	_, err = w.svc.Move(t.Context(), w.actor("rita"), offer.ID, ticket.Move{To: other.ID, TakesMail: true})
	require.ErrorIs(t, err, acl.ErrDenied, "that is for who connected the mailbox")
	_, err = w.svc.Move(t.Context(), w.actor("carl"), offer.ID, ticket.Move{To: other.ID, TakesMail: true})
	require.NoError(t, err)
	w.advance(time.Minute)
	w.deliver("Ann <ann@acme.com>", "Re: offer", "References: <ask@acme.com>")
	w.pull()
	require.Equal(t, []string{"offer", "Re: offer"}, w.subjects("zoe", offer.ID))
	require.Equal(t, ticket.Active, w.stored(offer.ID).Status)

	// A rule change hides all of it: it is there for carl alone.
	for _, e := range w.entries(offer.ID) {
		if e.Message != "" {
			w.change(inbox.MessageChange{ID: e.Message, Hidden: new(true)})
		}
	}
	w.collect()
	_, err = w.svc.Ticket(t.Context(), w.actor("zoe"), offer.ID)
	require.ErrorIs(t, err, storage.ErrNotFound)
	require.Empty(t, w.listed("zoe", ticket.Query{}))
	require.Empty(t, w.search("zoe", ticket.SearchQuery{Text: "offer"}))
	_, err = w.svc.Ticket(t.Context(), w.actor("carl"), offer.ID)
	require.NoError(t, err)
}

func TestMoveRefusesAndChangesNothing(t *testing.T) { // R-TKT-08, c13, 8.3 (0)
	t.Parallel()
	w, offer, _, other := neighbours(t)
	before := w.tickets()
	for _, c := range []struct {
		name string
		user acl.UserID
		to   inbox.ID
		want error
	}{
		{"read only", "rob", other.ID, storage.ErrNotFound},
		{"a grantee whose readers would be more", "rita", other.ID, acl.ErrDenied},
		{"the site owner", "olga", other.ID, acl.ErrDenied},
		{"a stranger", "adam", other.ID, storage.ErrNotFound},
		{"who knows the target alone", "zoe", other.ID, storage.ErrNotFound},
		{"no such inbox", "carl", "none", storage.ErrNotFound},
		{"where it is", "carl", offer.Inbox, nil},
	} {
		_, err := w.svc.Move(t.Context(), w.actor(c.user), offer.ID, ticket.Move{To: c.to})
		require.Error(t, err, c.name)
		if c.want != nil {
			require.ErrorIs(t, err, c.want, c.name)
		}
		require.Equal(t, before, w.tickets(), c.name)
	}
	w.change(inbox.MessageChange{ID: offer.Last, Hidden: new(true)})
	w.collect()
	_, err := w.svc.Move(t.Context(), w.actor("carl"), offer.ID, ticket.Move{To: other.ID})
	require.ErrorIs(t, err, ticket.ErrHidden)
}

func TestWhatWasMovedIsFoundThere(t *testing.T) { // R-TKT-08, row 38
	t.Parallel()
	w, offer, _, other := neighbours(t)
	_, err := w.svc.Note(t.Context(), w.actor("rob"), offer.ID, "urgent matter")
	require.NoError(t, err)
	_, err = w.svc.Move(t.Context(), w.actor("carl"), offer.ID, ticket.Move{To: other.ID})
	require.NoError(t, err)
	for _, text := range []string{"offer", "urgent", `"body of"`} {
		require.Len(t, w.search("zoe", ticket.SearchQuery{Text: text}), 1, text)
		require.Len(t, w.search("rita", ticket.SearchQuery{Text: text}), 1, text)
		require.Empty(t, w.search("rob", ticket.SearchQuery{Text: text}), text)
	}
	for _, e := range w.entries(offer.ID) {
		if e.Message != "" {
			w.change(inbox.MessageChange{ID: e.Message, Hidden: new(true)})
		}
	}
	w.collect()
	require.Empty(t, w.search("zoe", ticket.SearchQuery{Text: "offer"}))
}
