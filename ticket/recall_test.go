package ticket_test

import (
	"fmt"
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

// Of what somebody sees and was not written here they hear that, and of what they do not see nothing.
func TestWhatWasNotWrittenHereIsNotTakenBack(t *testing.T) {
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	w.note("carl", offer.ID, "look")
	for _, e := range w.entries(offer.ID) {
		for want, do := range map[error]func(acl.UserID, ticket.EntryID) error{
			ticket.ErrNotQueued: func(user acl.UserID, entry ticket.EntryID) error {
				_, later := w.svc.Reschedule(t.Context(), w.actor(user), offer.ID, entry, time.Time{})
				_, recall := w.svc.Recall(t.Context(), w.actor(user), offer.ID, entry)
				require.Equal(t, later, recall)
				return recall
			},
			ticket.ErrNotFailed: func(user acl.UserID, entry ticket.EntryID) error {
				return second(w.svc.Retry(t.Context(), w.actor(user), offer.ID, entry))
			},
			ticket.ErrNotUnknown: func(user acl.UserID, entry ticket.EntryID) error {
				return second(w.svc.Resolve(t.Context(), w.actor(user), offer.ID, entry, ticket.ResolutionSent))
			},
		} {
			require.ErrorIs(t, do("rita", e.ID), want, "an entry that is %s", e.Kind)
			require.ErrorIs(t, do("rita", "none"), storage.ErrNotFound)
			require.ErrorIs(t, do("zoe", e.ID), storage.ErrNotFound)
		}
	}
	w.hide(w.entries(offer.ID)[0].Message)
	_, err := w.svc.Recall(t.Context(), w.actor("carl"), offer.ID, w.entries(offer.ID)[0].ID)
	require.ErrorIs(t, err, ticket.ErrNotQueued, "hidden from others, not from him")
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
		many[i] = rfc822.Address{Address: fmt.Sprintf("p%d@third.org", i)}
	}
	_, err := w.svc.Reply(t.Context(), w.actor("rita"), offer.ID, ticket.Reply{Text: "x", Bcc: many})
	require.ErrorIs(t, err, ticket.ErrTooManyRecipients)
	require.ErrorContains(t, err, "52")
	require.Equal(t, mails, w.blobs())
	require.Equal(t, []string{"received"}, w.lines(offer.ID))
	again := rfc822.Address{Address: "P1@third.org"}
	e, err := w.svc.Reply(t.Context(), w.actor("rita"), offer.ID, ticket.Reply{Text: "x", Cc: many[:2], Bcc: append(many[:40:40], again)})
	require.NoError(t, err)
	require.Len(t, e.Cc, 2)
	require.Len(t, e.Bcc, 38, "nobody gets it twice")
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

// Whoever takes a mail back, puts it off or decides on it sees of it what its history shows them.
func TestAMailOfAnotherIsHandedOutAsItsHistoryShowsIt(t *testing.T) { // R-MSG-04, R-MSG-06
	t.Parallel()
	w, offer, second, other := elsewhere(t)
	_, err := w.inboxes.Share(t.Context(), w.actor("zoe"), other.ID, acl.Grant{User: "rob", Access: acl.ReadAndReply})
	require.NoError(t, err)
	_, err = w.inboxes.Unshare(t.Context(), w.actor("carl"), w.in.ID, "rob")
	require.NoError(t, err)
	forward := func() ticket.Entry {
		_, e := w.forward("rita", offer.ID, ticket.Forward{To: addresses("tom"), Bcc: addresses("hush"), Text: "plan",
			Inbox: other.ID, SendAt: w.clock().Add(time.Hour)})
		require.NotEmpty(t, e.Bcc)
		return e
	}
	rob := w.actor("rob")
	check := func(what string, got ticket.Entry, err error, want ticket.OutgoingState) {
		t.Helper()
		require.NoError(t, err, what)
		require.Equal(t, want, got.Outgoing.State, what)
		require.Empty(t, got.Bcc, what)
		require.Empty(t, got.Other, "%s: the ticket it was forwarded from", what)
	}
	e := forward()
	got, err := w.svc.Reschedule(t.Context(), rob, e.Ticket, e.ID, w.clock().Add(2*time.Hour))
	check("put off", got, err, ticket.OutgoingQueued)
	got, err = w.svc.Reschedule(t.Context(), rob, e.Ticket, e.ID, time.Time{})
	check("sent now", got, err, ticket.OutgoingSent)
	require.Contains(t, string(second.Sends()[0].Raw), "hush@", "the mail has its blind copies")
	e = forward()
	got, err = w.svc.Recall(t.Context(), rob, e.Ticket, e.ID)
	check("taken back", got, err, ticket.OutgoingRecalled)

	hits := w.search("rob", ticket.SearchQuery{Text: "plan"})
	require.Len(t, hits, 2)
	for _, h := range hits {
		require.Empty(t, h.Entry.Other)
		require.Empty(t, h.Entry.Bcc)
	}
}

func TestAMailIsTakenBackWhereNobodyMayReplyAnyMore(t *testing.T) { // R-INB-15, row 12
	t.Parallel()
	for what, end := range map[string]func(w *world, id ticket.ID) error{
		"locked": func(w *world, id ticket.ID) error {
			_, err := w.inboxes.Edit(t.Context(), w.actor("carl"), w.in.ID, inbox.Edit{Settings: &inbox.InboxSettings{OnClosed: inbox.LockNow}})
			if err == nil {
				_, err = w.svc.SetStatus(t.Context(), w.actor("carl"), id, ticket.Closed)
			}
			return err
		},
		"paused": func(w *world, _ ticket.ID) error {
			_, err := w.inboxes.Pause(t.Context(), w.actor("carl"), w.in.ID)
			return err
		},
	} {
		w, offer := asked(t, fake.Options{})
		e, err := w.svc.Reply(t.Context(), w.actor("rita"), offer.ID, ticket.Reply{Text: "x", SendAt: w.clock().Add(time.Hour)})
		require.NoError(t, err)
		require.NoError(t, end(w, offer.ID), what)
		_, err = w.svc.Reschedule(t.Context(), w.actor("rita"), offer.ID, e.ID, time.Time{})
		require.ErrorIs(t, err, acl.ErrDenied, what)
		_, err = w.svc.Recall(t.Context(), w.actor("rob"), offer.ID, e.ID)
		require.ErrorIs(t, err, acl.ErrDenied, what)
		got, err := w.svc.Recall(t.Context(), w.actor("rita"), offer.ID, e.ID)
		require.NoError(t, err, what)
		require.Equal(t, ticket.OutgoingRecalled, got.Outgoing.State, what)
		w.advance(2 * time.Hour)
		w.dispatch(0)
		require.Empty(t, w.account.Sends(), what)
	}
}

func TestWhoLostAccessLeavesNoMailForLater(t *testing.T) { // R-INB-11, R-ROL-07, row 8
	t.Parallel()
	for what, end := range map[string]func(w *world) error{
		"access taken": func(w *world) error {
			_, err := w.inboxes.Unshare(t.Context(), w.actor("carl"), w.in.ID, "rita")
			return err
		},
		"access lowered": func(w *world) error {
			_, err := w.inboxes.Share(t.Context(), w.actor("carl"), w.in.ID, acl.Grant{User: "rita", Access: acl.ReadOnly})
			return err
		},
		"deactivated": func(w *world) error {
			rita := person("rita", acl.Agent)
			rita.State = acl.Deactivated
			w.host.AddPerson(rita)
			return nil
		},
	} {
		w, offer := asked(t, fake.Options{})
		_, err := w.svc.Reply(t.Context(), w.actor("rita"), offer.ID, ticket.Reply{Text: "x", SendAt: w.clock().Add(time.Hour)})
		require.NoError(t, err)
		require.NoError(t, end(w), what)
		w.advance(2 * time.Hour)
		w.dispatch(0)
		require.Empty(t, w.account.Sends(), what)
		got := w.outgoing(offer.ID)
		require.Equal(t, ticket.OutgoingFailed, got.Outgoing.State, what)
		require.Equal(t, "denied", got.Outgoing.Error, what)
		require.Equal(t, ticket.Active, w.only().Status, what)
	}
}
