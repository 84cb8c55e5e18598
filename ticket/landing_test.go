package ticket_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/ticket"
)

func TestMailDoesNotFollowTheCopyOfAnAnswerIntoTheTrash(t *testing.T) { // R-TKT-05
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	w.host.SetSite(inbox.Settings{ID: site, AgentsMayDelete: true})
	w.advance(time.Minute)
	e, err := w.svc.Reply(t.Context(), w.actor("carl"), offer.ID, ticket.Reply{Text: "hello"})
	require.NoError(t, err)
	_, err = w.svc.Delete(t.Context(), w.actor("carl"), offer.ID)
	require.NoError(t, err)
	w.advance(time.Minute)
	w.deliver("Ann <ann@acme.com>", "again", "References: <ask@acme.com> "+bracket(e.RFCID), "Message-ID: <two@acme.com>")
	w.pull()
	require.Equal(t, []string{"again"}, w.listed("carl", ticket.Query{}))
	require.Equal(t, []string{"offer", "Re: offer"}, w.subjects("carl", offer.ID))
}

func TestMailDoesNotFollowTheCopyOfAnAnswerIntoAnotherInbox(t *testing.T) { // R-TKT-08
	t.Parallel()
	w, offer, _, other := neighbours(t)
	w.advance(time.Minute)
	w.deliver("Ann <ann@acme.com>", "lunch", "References: <ask@acme.com>", "Message-ID: <two@acme.com>")
	w.pull()
	w.splitOff(offer.ID, "lunch")
	_, err := w.svc.Move(t.Context(), w.actor("carl"), offer.ID, ticket.Move{To: other.ID})
	require.NoError(t, err)
	e, err := w.svc.Reply(t.Context(), w.actor("carl"), offer.ID, ticket.Reply{Text: "hello"})
	require.NoError(t, err)
	w.advance(time.Minute)
	w.deliver("Ann <ann@acme.com>", "private", "References: <ask@acme.com> "+bracket(e.RFCID), "Message-ID: <three@acme.com>")
	w.pull()
	require.NotContains(t, w.subjects("zoe", offer.ID), "private")
	require.Contains(t, w.listed("carl", ticket.Query{Inboxes: []inbox.ID{offer.Inbox}}), "private")
}

// splitOff makes the mail of that subject a ticket of its own.
func (w *world) splitOff(id ticket.ID, subject string) (part ticket.Ticket) {
	w.t.Helper()
	for _, e := range w.entries(id) {
		if e.Message == "" {
			continue
		}
		m, err := w.store.Message(w.t.Context(), e.Message)
		require.NoError(w.t, err)
		if m.Subject == subject {
			part, err = w.svc.Split(w.t.Context(), w.actor("carl"), id, ticket.Split{Entry: e.ID})
			require.NoError(w.t, err)
		}
	}
	require.NotEmpty(w.t, part.ID, "a mail %q of %s", subject, id)
	return part
}
