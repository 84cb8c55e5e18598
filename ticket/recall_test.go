package ticket_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/provider/rfc822"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/ticket"
)

// undo gives the site an undo window.
func (w *world) undo(d time.Duration) {
	w.host.SetSite(inbox.Settings{ID: site, UndoSend: d})
}

func TestAReplyWaitsForTheUndoWindow(t *testing.T) { // R-MSG-09
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	w.undo(10 * time.Second)
	e := w.reply(offer.ID)
	require.Equal(t, ticket.OutgoingQueued, e.Outgoing.State)
	require.Equal(t, w.clock().Add(10*time.Second), e.Outgoing.NotBefore)
	w.dispatch(8 * time.Second)
	require.Empty(t, w.account.Sends())
	w.start() // durable: another process sends it
	w.dispatch(4 * time.Second)
	require.Len(t, w.account.Sends(), 1)
	_, err := w.svc.Recall(t.Context(), w.actor("rita"), offer.ID, e.ID)
	require.ErrorIs(t, err, ticket.ErrNotQueued)
}

func TestARecalledMailLeavesNoMailBehind(t *testing.T) { // R-MSG-09
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	w.undo(10 * time.Second)
	mails := w.blobs()
	e := w.reply(offer.ID)
	require.Equal(t, mails+1, w.blobs())
	_, err := w.svc.Recall(t.Context(), w.actor("rob"), offer.ID, e.ID)
	require.ErrorIs(t, err, acl.ErrDenied)
	_, err = w.svc.Recall(t.Context(), w.actor("zoe"), offer.ID, e.ID)
	require.ErrorIs(t, err, storage.ErrNotFound)
	got, err := w.svc.Recall(t.Context(), w.actor("carl"), offer.ID, e.ID)
	require.NoError(t, err)
	require.Equal(t, ticket.OutgoingRecalled, got.Outgoing.State)
	require.Equal(t, mails, w.blobs())
	w.dispatch(time.Minute)
	require.Empty(t, w.account.Sends())
	require.Equal(t, []string{"received", "replied recalled by rita"}, w.lines(offer.ID))
	require.Equal(t, ticket.Active, w.only().Status, "nothing was sent")
	_, err = w.svc.Recall(t.Context(), w.actor("carl"), offer.ID, e.ID)
	require.ErrorIs(t, err, ticket.ErrNotQueued)
	_, err = w.svc.Reschedule(t.Context(), w.actor("carl"), offer.ID, e.ID, time.Time{})
	require.ErrorIs(t, err, ticket.ErrNotQueued)
}

func TestAMailForLaterLeavesThen(t *testing.T) {
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	at := w.clock().Add(24*time.Hour + 1500*time.Nanosecond)
	e, err := w.svc.Reply(t.Context(), w.actor("rita"), offer.ID, ticket.Reply{Text: "tomorrow", SendAt: at})
	require.NoError(t, err)
	require.Equal(t, at.Truncate(time.Microsecond), e.Outgoing.NotBefore)
	w.advance(24 * time.Hour)
	w.dispatch(0)
	require.Empty(t, w.account.Sends())
	w.advance(time.Second)
	w.dispatch(0)
	require.Len(t, w.account.Sends(), 1)
	require.Equal(t, ticket.Waiting, w.only().Status)
}

func TestAMailForLaterIsPutOffOrSentAtOnce(t *testing.T) {
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	in := func(d time.Duration) time.Time { return w.clock().Add(d) }
	e, err := w.svc.Reply(t.Context(), w.actor("rita"), offer.ID, ticket.Reply{Text: "later", SendAt: in(time.Hour)})
	require.NoError(t, err)
	got, err := w.svc.Reschedule(t.Context(), w.actor("rita"), offer.ID, e.ID, in(2*time.Hour))
	require.NoError(t, err)
	require.Equal(t, in(2*time.Hour), got.Outgoing.NotBefore)
	w.advance(90 * time.Minute)
	w.dispatch(0)
	require.Empty(t, w.account.Sends())
	got, err = w.svc.Reschedule(t.Context(), w.actor("rita"), offer.ID, e.ID, time.Time{})
	require.NoError(t, err)
	require.Equal(t, ticket.OutgoingSent, got.Outgoing.State)
	require.Len(t, w.account.Sends(), 1)
}

func TestAnAnswerOfTheClientMeanwhileKeepsTheTicketActive(t *testing.T) { // R-STA-02, R-STA-03
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	_, err := w.svc.Reply(t.Context(), w.actor("rita"), offer.ID, ticket.Reply{Text: "x", SendAt: w.clock().Add(time.Hour)})
	require.NoError(t, err)
	w.advance(time.Minute)
	w.deliver("ann@acme.com", "Re: offer", "References: <ask@acme.com>")
	w.pull()
	w.advance(time.Hour)
	w.dispatch(0)
	require.Len(t, w.account.Sends(), 1)
	require.Equal(t, ticket.Active, w.only().Status)
}

func TestTooManyRecipients(t *testing.T) { // R-MSG-05
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	mails := w.blobs()
	many := make([]rfc822.Address, 51)
	for i := range many {
		many[i] = rfc822.Address{Address: string(rune('a'+i%26)) + "@third.org"}
	}
	_, err := w.svc.Reply(t.Context(), w.actor("rita"), offer.ID, ticket.Reply{Text: "x", Bcc: many})
	require.ErrorIs(t, err, ticket.ErrTooManyRecipients)
	require.ErrorContains(t, err, "52")
	require.Equal(t, mails, w.blobs())
	require.Equal(t, []string{"received"}, w.lines(offer.ID))
}

func TestMailLeavesUnderTheNameTheInboxChose(t *testing.T) { // R-MSG-10, 11.12
	t.Parallel()
	for as, want := range map[inbox.SendAs]string{
		inbox.SendAsOwner: "Carl", inbox.SendAsAgent: "Rita", inbox.SendAsInbox: "Mail",
	} {
		w, offer := asked(t, fake.Options{})
		_, err := w.inboxes.Edit(t.Context(), w.actor("carl"), w.in.ID, inbox.Edit{Settings: &inbox.InboxSettings{SendAs: as}})
		require.NoError(t, err)
		w.reply(offer.ID)
		require.Equal(t, []rfc822.Address{{Name: want, Address: "me@firm.example"}}, w.lastSent().Envelope.From)
	}
}
