package ticket_test

import (
	"errors"
	"io"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/ticket"
)

// reply sends rita's answer.
func (w *world) reply(id ticket.ID) ticket.Entry {
	w.t.Helper()
	e, err := w.svc.Reply(w.t.Context(), w.actor("rita"), id, ticket.Reply{Text: "hello"})
	require.NoError(w.t, err)
	return e
}

// raw returns the bytes of a blob.
func (w *world) raw(key inbox.BlobKey) string {
	w.t.Helper()
	r, err := w.store.OpenBlob(w.t.Context(), key)
	require.NoError(w.t, err)
	defer r.Close()
	raw, err := io.ReadAll(r)
	require.NoError(w.t, err)
	return string(raw)
}

// outgoing returns the one mail from here as it is stored.
func (w *world) outgoing(id ticket.ID) ticket.Entry {
	w.t.Helper()
	var out []ticket.Entry
	for _, e := range w.entries(id) {
		if e.Outgoing != nil {
			out = append(out, e)
		}
	}
	require.Len(w.t, out, 1, "mails from here in the history")
	return out[0]
}

// dispatch runs Dispatch every two seconds for d, as desk.Run does.
func (w *world) dispatch(d time.Duration) {
	w.t.Helper()
	for end := w.clock().Add(d); !w.clock().After(end); w.advance(2 * time.Second) {
		_, err := w.svc.Dispatch(w.t.Context(), 0)
		require.NoError(w.t, err)
	}
}

func TestSendAfterLostAnswerSendsOnce(t *testing.T) { // PROVIDERS 8.3
	t.Parallel()
	for _, row := range []struct {
		name  string
		late  int // looks that do not see the copy yet
		looks int
		after time.Duration
	}{
		{"seen at the first look", 0, 1, 6 * time.Second},
		// A look in the thread that sees nothing is followed by one everywhere.
		{"seen at the third look", 4, 5, 2*time.Minute + 2*time.Second},
		{"seen at the last look", 6, 7, 10*time.Minute + 2*time.Second},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w, offer := asked(t, fake.Options{RewriteMessageID: true})
			w.account.FindLate(row.late)
			w.account.LoseAnswerOfSend()
			e := w.reply(offer.ID)
			require.Equal(t, ticket.OutgoingSending, e.Outgoing.State)
			require.Equal(t, ticket.Active, w.only().Status, "R-STA-03: not sent so far")
			w.dispatch(row.after)
			got := w.outgoing(offer.ID)
			require.Equal(t, ticket.OutgoingSent, got.Outgoing.State)
			require.Equal(t, 1, got.Outgoing.Attempts)
			require.Equal(t, ticket.Waiting, w.only().Status)
			require.Len(t, w.account.Sends(), 1)
			require.Equal(t, row.looks, w.account.Calls()[fake.OpFind])
			require.Equal(t, w.account.Sends()[0].MessageID, got.RFCID, "the id others will refer to")

			w.pull()
			require.NotEmpty(t, w.outgoing(offer.ID).Message)
			w.dispatch(15 * time.Minute)
			require.Len(t, w.account.Sends(), 1)
			require.Equal(t, []string{"ticket.created", "ticket.agent.reply", "ticket.status"}, w.events())

			w.deliver("tom@third.org", "other", "References: <"+got.RFCID+">", "Message-ID: <tom@third.org>")
			w.pull()
			w.only() // R-MSG-07: an answer to the rewritten id finds the ticket
		})
	}
}

func TestAMailThatLandsInAnotherThreadIsFoundAndFollowed(t *testing.T) { // PROVIDERS 8.1, wrong thread
	t.Parallel()
	for _, row := range []struct {
		name string
		lose func(a *fake.Account)
	}{
		{"answer comes", func(*fake.Account) {}},
		{"answer lost", func(a *fake.Account) { a.LoseAnswerOfSend() }},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w, offer := asked(t, fake.Options{}, "Message-ID:") // nothing to refer to
			w.account.Remove("m1")                              // and the service forgets the thread
			row.lose(w.account)
			w.reply(offer.ID)
			w.dispatch(10 * time.Second)
			require.Equal(t, ticket.OutgoingSent, w.outgoing(offer.ID).Outgoing.State)
			thread := w.account.Sends()[0].Thread
			require.NotEqual(t, offer.Threads[0], thread)
			require.Equal(t, []inbox.ThreadID{offer.Threads[0], thread}, w.only().Threads)
		})
	}
}

func TestACopyThatComesByItselfEndsTheDoubt(t *testing.T) { // R-IMP-13
	t.Parallel()
	for _, row := range []struct {
		name  string
		after time.Duration
	}{{"while it is looked for", 0}, {"after a person was asked", 11 * time.Minute}} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w, offer := asked(t, fake.Options{RewriteMessageID: true})
			w.account.LoseAnswerOfSend()
			w.account.FindLate(1000)
			e := w.reply(offer.ID)
			w.dispatch(row.after)
			w.pull()
			got := w.outgoing(offer.ID)
			require.Equal(t, ticket.OutgoingSent, got.Outgoing.State)
			require.Equal(t, e.ID, got.ID)
			require.NotEmpty(t, got.Message)
			require.Equal(t, ticket.Waiting, w.only().Status)
			require.Contains(t, w.events(), "ticket.agent.reply")
			w.dispatch(15 * time.Minute)
			require.Len(t, w.account.Sends(), 1)
		})
	}
}

func TestOwnSendIsKnownByMessageIDWhereTheMarkerIsLost(t *testing.T) { // R-IMP-13, PROVIDERS 8.2
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	w.account.FailSendBefore() // what the service has instead comes without the marker
	e := w.reply(offer.ID)
	w.deliverSent("ann@acme.com", "Re: offer", "Message-ID: <"+e.RFCID+">", "References: <ask@acme.com>")
	w.pull()
	got := w.outgoing(offer.ID)
	require.Equal(t, ticket.OutgoingSent, got.Outgoing.State)
	require.NotEmpty(t, got.Message)
	require.Equal(t, 2, w.only().Messages)
}

func TestAMarkerInMailFromOutsideProvesNothing(t *testing.T) {
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	w.account.FailSendBefore()
	e := w.reply(offer.ID)
	w.advance(time.Second)
	w.deliver("ann@acme.com", "Re: offer", "Message-ID: <"+e.RFCID+">", "References: <ask@acme.com>",
		provider.MarkerHeader+": "+e.Outgoing.Marker)
	w.pull()
	require.Equal(t, ticket.OutgoingSending, w.outgoing(offer.ID).Outgoing.State)
	require.Equal(t, []string{"received", "replied sending by rita", "received"}, w.lines(offer.ID))
}

func TestAnAnswerMeanwhileKeepsTheTicketActive(t *testing.T) { // R-STA-02 before R-STA-03
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	w.account.FailSendBefore()
	e := w.reply(offer.ID)
	w.advance(3 * time.Second)
	w.deliver("ann@acme.com", "forget it", "References: <ask@acme.com>")
	w.pull()
	w.dispatch(11 * time.Minute)
	_, err := w.svc.Resolve(t.Context(), w.actor("rita"), offer.ID, e.ID, ticket.ResolutionSent)
	require.NoError(t, err)
	require.Equal(t, ticket.OutgoingSent, w.outgoing(offer.ID).Outgoing.State)
	require.Equal(t, ticket.Active, w.only().Status, "what the client wrote since is not buried under waiting")
}

func TestRefusedSendsAreTriedAgainAndGivenUp(t *testing.T) {
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	w.account.Throttle(1, 90*time.Second)
	e := w.reply(offer.ID)
	require.Equal(t, ticket.OutgoingQueued, e.Outgoing.State)
	require.Equal(t, w.clock().Add(90*time.Second), e.Outgoing.NotBefore, "as long as the service says")
	w.dispatch(88 * time.Second)
	require.Empty(t, w.account.Sends())
	w.dispatch(4 * time.Second)
	require.Len(t, w.account.Sends(), 1)
	require.Equal(t, 2, w.outgoing(offer.ID).Outgoing.Attempts)

	w, offer = asked(t, fake.Options{})
	w.account.FailAlways(fake.OpSend, "", provider.ErrRetry)
	w.reply(offer.ID)
	for range 20 {
		w.advance(time.Hour)
		_, err := w.svc.Dispatch(t.Context(), 0)
		require.NoError(t, err)
	}
	got := w.outgoing(offer.ID)
	require.Equal(t, [2]any{ticket.OutgoingFailed, "retry"}, [2]any{got.Outgoing.State, got.Outgoing.Error})
	require.Equal(t, 10, w.account.Calls()[fake.OpSend])
	require.Equal(t, []string{"ticket.created", "ticket.send.failed"}, w.events())
	require.Equal(t, map[string]string{"code": "retry"}, w.due()[1].Facts)
}

func TestAWrongSetUpOfTheHostLosesNoReply(t *testing.T) {
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	w.account.FailAlways(fake.OpSend, "", provider.ErrConfig)
	require.Equal(t, ticket.OutgoingQueued, w.reply(offer.ID).Outgoing.State)
	w.dispatch(10 * time.Minute)
	require.Equal(t, ticket.OutgoingQueued, w.outgoing(offer.ID).Outgoing.State)
	w.account.Heal()
	w.dispatch(10 * time.Minute)
	require.Equal(t, ticket.OutgoingSent, w.outgoing(offer.ID).Outgoing.State)
	require.Len(t, w.account.Sends(), 1)

	w, offer = asked(t, fake.Options{})
	w.account.FailAlways(fake.OpSend, "", provider.ErrConfig)
	w.reply(offer.ID)
	for range 20 {
		w.advance(time.Hour)
		_, err := w.svc.Dispatch(t.Context(), 0)
		require.NoError(t, err)
	}
	got := w.outgoing(offer.ID)
	require.Equal(t, [2]any{ticket.OutgoingFailed, "config"}, [2]any{got.Outgoing.State, got.Outgoing.Error})
}

func TestAMailThatCannotLeaveFailsWithACode(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, code string
		spoil      func(w *world)
	}{
		{"the grant does not cover sending", "unsupported", func(w *world) { w.account.ReadOnly(true) }},
		{"the service refuses the mail", "refused", func(w *world) {
			w.account.FailOnce(fake.OpSend, "", errors.New("400 bad request"))
		}},
		{"the raw mail is gone", "not_found", func(w *world) {
			for _, e := range w.entries(w.only().ID) {
				if e.Outgoing != nil {
					require.NoError(w.t, w.store.DeleteBlob(w.t.Context(), e.Outgoing.Blob))
				}
			}
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w, offer := held(t)
			row.spoil(w)
			w.dispatch(2 * time.Minute)
			got := w.outgoing(offer.ID)
			require.Equal(t, [2]any{ticket.OutgoingFailed, row.code}, [2]any{got.Outgoing.State, got.Outgoing.Error})
			require.Equal(t, []string{"ticket.created", "ticket.send.failed"}, w.events())
			require.Equal(t, ticket.Active, w.only().Status)
			require.Empty(t, w.account.Sends())
		})
	}
}

// held is a world with a reply the service was too busy for.
func held(t *testing.T) (*world, ticket.Ticket) {
	w, offer := asked(t, fake.Options{})
	w.account.Throttle(1, time.Minute)
	require.Equal(t, ticket.OutgoingQueued, w.reply(offer.ID).Outgoing.State)
	return w, offer
}

func TestAMailWaitsForItsMailbox(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, code  string
		spoil, mend func(w *world)
	}{
		{"the inbox is paused", "inbox_not_live", func(w *world) {
			_, err := w.inboxes.Pause(w.t.Context(), w.actor("carl"), w.in.ID)
			require.NoError(w.t, err)
		}, func(w *world) {
			_, err := w.inboxes.Resume(w.t.Context(), w.actor("carl"), w.in.ID)
			require.NoError(w.t, err)
		}},
		{"the grant is dead", "auth", func(w *world) { w.account.Revoke() }, (*world).reconnect},
		{"an administrator must consent", "auth", func(w *world) {
			w.account.FailOnce(fake.OpSend, "", &provider.ConsentError{URL: "https://admin.example"})
		}, (*world).reconnect},
		{"a permission was taken away", "auth", func(w *world) {
			w.account.FailOnce(fake.OpSend, "", &provider.ScopeError{Missing: []string{"send"}})
		}, (*world).reconnect},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w, offer := held(t)
			row.spoil(w)
			w.dispatch(2 * time.Minute)
			w.dispatch(24 * time.Hour)
			got := w.outgoing(offer.ID).Outgoing
			require.Equal(t, ticket.OutgoingQueued, got.State)
			require.NotEmpty(t, got.Error, "it says why it waits")
			row.mend(w)
			w.dispatch(10 * time.Minute)
			got = w.outgoing(offer.ID).Outgoing
			require.Equal(t, [2]any{ticket.OutgoingSent, ""}, [2]any{got.State, got.Error})
			require.Len(t, w.account.Sends(), 1)

			w, offer = held(t)
			row.spoil(w)
			w.dispatch(2 * time.Minute)
			require.Equal(t, row.code, w.outgoing(offer.ID).Outgoing.Error)
			w.dispatch(72 * time.Hour)
			require.Equal(t, ticket.OutgoingFailed, w.outgoing(offer.ID).Outgoing.State, "not for ever")
			require.Contains(t, w.events(), "ticket.send.failed")
			row.mend(w)
			e, err := w.svc.Retry(t.Context(), w.actor("carl"), offer.ID, w.outgoing(offer.ID).ID)
			require.NoError(t, err)
			require.Equal(t, ticket.OutgoingSent, e.Outgoing.State)
			require.Len(t, w.account.Sends(), 1)
		})
	}
}

// reconnect is what the owner does when the grant is dead.
func (w *world) reconnect() {
	w.t.Helper()
	ctx, carl := w.t.Context(), w.actor("carl")
	w.account.Heal()
	link, err := w.inboxes.Connect(ctx, carl, w.in.ID, "https://host.example/back")
	require.NoError(w.t, err)
	u, err := url.Parse(link)
	require.NoError(w.t, err)
	_, err = w.inboxes.Consent(ctx, carl, w.in.ID, inbox.Return{State: u.Query().Get("state"), Code: w.account.Address()})
	require.NoError(w.t, err)
}

func TestRetryIsForMailThatFailed(t *testing.T) {
	t.Parallel()
	w, offer := held(t)
	id := w.outgoing(offer.ID).ID
	retry := func(user acl.UserID) error {
		_, err := w.svc.Retry(t.Context(), w.actor(user), offer.ID, id)
		return err
	}
	require.ErrorIs(t, retry("rita"), ticket.ErrNotFailed, "it waits")
	w.account.FailOnce(fake.OpSend, "", errors.New("400 bad request"))
	w.dispatch(2 * time.Minute)
	require.Equal(t, ticket.OutgoingFailed, w.outgoing(offer.ID).Outgoing.State)
	require.ErrorIs(t, retry("rob"), acl.ErrDenied)
	require.ErrorIs(t, retry("zoe"), storage.ErrNotFound)
	author := person(w.outgoing(offer.ID).Author, acl.Agent)
	gone := author
	gone.State = acl.Deactivated
	w.host.AddPerson(gone)
	require.ErrorIs(t, retry("carl"), acl.ErrDenied, "nothing of somebody who left speaks for the mailbox")
	w.host.AddPerson(author)
	w.advance(time.Minute)
	w.deliver("Ann <ann@acme.com>", "Re: offer", "References: <ask@acme.com>")
	w.pull()
	seen := w.stored(offer.ID).Latest
	require.NoError(t, retry("rita"))
	_, err := w.svc.Reply(t.Context(), w.actor("carl"), offer.ID, ticket.Reply{Text: "x", ExpectedLast: seen})
	require.ErrorIs(t, err, ticket.ErrStaleThread, "what failed before has left now")
	require.Len(t, w.account.Sends(), 1)
	require.ErrorIs(t, retry("rita"), ticket.ErrNotFailed, "it was sent")
}

func TestADeadGrantMovesTheInboxAndRefusesTheNext(t *testing.T) { // R-CON-04, c6
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	w.account.Revoke()
	require.Equal(t, "auth", w.reply(offer.ID).Outgoing.Error, "it waits")
	in, err := w.store.Inbox(t.Context(), w.in.ID)
	require.NoError(t, err)
	require.Equal(t, inbox.StateNeedsReauth, in.State)
	_, err = w.svc.Reply(t.Context(), w.actor("rita"), offer.ID, ticket.Reply{Text: "again"})
	require.ErrorIs(t, err, acl.ErrDenied)
}

func TestOneMailThatFailsHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	orphan := ticket.Entry{ID: "a", Ticket: offer.ID, Inbox: w.in.ID, Kind: ticket.EntryReplied, At: connected,
		Outgoing: &ticket.Outgoing{State: ticket.OutgoingQueued, Marker: "m", Blob: "nothing"}}
	_, err := w.store.SaveTickets(t.Context(), []ticket.Write{{Ticket: offer, Entries: []ticket.Entry{orphan}}})
	require.NoError(t, err)
	w.account.Throttle(1, time.Second)
	w.reply(offer.ID)
	w.dispatch(2 * time.Minute)
	require.Len(t, w.account.Sends(), 1)
}

func TestTwoWorkersSendOnce(t *testing.T) {
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	w.account.Throttle(1, time.Second)
	w.reply(offer.ID)
	w.advance(2 * time.Minute)
	first := w.svc
	w.start()
	w.store.before = func() { // the second worker is faster by a write
		w.store.before = nil
		n, err := w.svc.Dispatch(t.Context(), 0)
		require.NoError(t, err)
		require.Equal(t, 1, n)
	}
	n, err := first.Dispatch(t.Context(), 0)
	require.NoError(t, err)
	require.Zero(t, n, "the first found it taken")
	require.Len(t, w.account.Sends(), 1)

	workers := make(chan error, 8)
	w, offer = asked(t, fake.Options{})
	w.account.Throttle(1, time.Second)
	w.reply(offer.ID)
	w.advance(2 * time.Minute)
	for range cap(workers) {
		go func() {
			_, err := w.svc.Dispatch(t.Context(), 0)
			workers <- err
		}()
	}
	for range cap(workers) {
		require.NoError(t, <-workers)
	}
	require.Len(t, w.account.Sends(), 1)
}

func TestAReplyTakenByAnotherWorkerIsNoError(t *testing.T) {
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	first := w.svc
	w.start()
	writes := 0
	var before func()
	before = func() {
		w.store.before = nil
		if writes++; writes == 2 { // queued by the first, now the second takes it
			_, err := w.svc.Dispatch(t.Context(), 0)
			require.NoError(t, err)
		}
		w.store.before = before
	}
	w.store.before = before
	e, err := first.Reply(t.Context(), w.actor("rita"), offer.ID, ticket.Reply{Text: "hello"})
	require.NoError(t, err)
	require.Equal(t, ticket.OutgoingSent, e.Outgoing.State)
	require.Len(t, w.account.Sends(), 1)
}
