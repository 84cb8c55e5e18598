package inbox_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/storage"
)

func TestImportWindowIsMeasuredOnTheReceivedTime(t *testing.T) { // R-IMP-03
	t.Parallel()
	w := newWorld(t, fake.Options{Sloppy: true})
	for subject, received := range map[string]string{
		"on the edge":     "2026-03-01T12:00:00Z",
		"a second before": "2026-03-01T11:59:59Z",
	} {
		at, err := time.Parse(time.RFC3339, received)
		require.NoError(t, err)
		w.account.Deliver(mailText("ann@acme.com", "me@firm.example", subject), fake.Delivery{Received: at})
	}
	w.account.Deliver([]byte("From: ann@acme.com\r\nTo: me@firm.example\r\nSubject: forged date\r\n"+
		"Date: Wed, 1 Jan 2020 10:00:00 +0000\r\n\r\nx\r\n"), fake.Delivery{Received: connected.Add(-24 * time.Hour)})
	in := w.open(true, filter.Rules{Mode: filter.All})
	run := w.sync(in.ID)
	require.Equal(t, []string{"forged date", "on the edge"}, w.stored(in.ID))
	require.Equal(t, map[filter.Reason]int{filter.OutsideWindow: 1}, run.Rejected)
}

func TestMailOutsideTheWindowStaysOutInLiveSync(t *testing.T) { // R-IMP-03
	t.Parallel()
	w := newWorld(t, fake.Options{})
	old := w.mailFrom("ann@acme.com", "old", 24*40)
	in := w.open(true, filter.Rules{Mode: filter.All})
	w.sync(in.ID)
	w.account.MarkRead(old) // lists it again
	w.sync(in.ID)
	require.Empty(t, w.stored(in.ID))
}

func TestSyncWithNothingNewIsOneCall(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fake.Options{})
	w.mailFrom("ann@acme.com", "one", 1)
	in := w.open(true, filter.Rules{Mode: filter.All})
	w.sync(in.ID)
	w.account.ForgetCalls()
	run := w.sync(in.ID)
	require.Equal(t, 1, w.account.TotalCalls(), "calls: %v", w.account.Calls())
	require.Zero(t, run.Listed)
}

func TestSyncTwiceStoresOnce(t *testing.T) { // R-IMP-06
	t.Parallel()
	w := newWorld(t, fake.Options{PageSize: 3})
	for i := range 10 {
		w.mailFrom("ann@acme.com", fmt.Sprint("mail ", i), i+1)
	}
	in := w.open(true, filter.Rules{Mode: filter.All})
	require.Equal(t, 10, w.sync(in.ID).Stored)
	w.account.ExpireCursors()
	run := w.sync(in.ID)
	require.Zero(t, run.Stored)
	require.Len(t, w.stored(in.ID), 10)
	for id, n := range w.account.OpenedIDs() {
		require.Equal(t, 1, n, "opens of %q after an expired cursor", id)
	}
}

func TestExpiredCursorStartsADayBeforeTheLastSuccess(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fake.Options{})
	for day := range 20 {
		w.mailFrom("ann@acme.com", fmt.Sprint("day ", day), 24*day+1)
	}
	in := w.open(true, filter.Rules{Mode: filter.All})
	w.sync(in.ID)
	w.account.ExpireCursors()
	run := w.sync(in.ID)
	require.Equal(t, 1, run.Known, "only the mail of the last day is listed again")
}

func TestAFailureThatPassesLosesNothing(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]error{
		"retry": &provider.RetryError{Err: errors.New("429")}, "odd": errors.New("connection reset"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, fake.Options{PageSize: 2})
			var ids []provider.RemoteID
			for i := range 6 {
				ids = append(ids, w.mailFrom("ann@acme.com", fmt.Sprint("mail ", i), i+1))
			}
			w.account.FailOnce(fake.OpOpen, ids[2], fail)
			in := w.open(true, filter.Rules{Mode: filter.All})
			run := w.sync(in.ID)
			require.Equal(t, 5, run.Stored)
			require.Equal(t, 1, run.Queued)
			w.advance(2 * time.Minute)
			run = w.sync(in.ID)
			require.Equal(t, 1, run.Retried)
			require.Equal(t, 1, run.Stored)
			require.Len(t, w.stored(in.ID), 6)
		})
	}
}

func TestAFailureThatStaysBecomesPoisonAndBlocksNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fake.Options{})
	bad := w.mailFrom("ann@acme.com", "bad", 5)
	w.mailFrom("ann@acme.com", "good", 4)
	w.account.FailAlways(fake.OpOpen, bad, errors.New("500"))
	in := w.open(true, filter.Rules{Mode: filter.All})
	w.sync(in.ID)
	require.Equal(t, []string{"good"}, w.stored(in.ID))
	poisoned := 0
	for range 12 {
		w.advance(7 * time.Hour)
		poisoned += w.sync(in.ID).Poisoned
	}
	require.Equal(t, 1, poisoned)
	health, err := w.svc.Health(t.Context(), w.actor("carl"), in.ID)
	require.NoError(t, err)
	require.Equal(t, 1, health.Poisoned)
	require.False(t, health.OK())
	var given []provider.RemoteID
	for q, err := range w.svc.GivenUp(t.Context(), w.actor("carl"), in.ID) {
		require.NoError(t, err)
		require.True(t, q.Poison)
		given = append(given, q.Remote)
	}
	require.Equal(t, []provider.RemoteID{bad}, given)
	for q, err := range w.svc.Waiting(t.Context(), w.actor("carl"), in.ID) {
		require.Fail(t, "what was given up does not wait", "%+v %v", q, err)
	}
	require.Equal(t, 1+8, w.account.Calls()[fake.OpOpen], "the good one, and Config.Attempts tries")

	w.account.Heal()
	require.ErrorIs(t, w.svc.Release(t.Context(), w.actor("carl"), in.ID, "m99"), storage.ErrNotFound)
	require.NoError(t, w.svc.Release(t.Context(), w.actor("carl"), in.ID, bad))
	w.sync(in.ID)
	require.Equal(t, []string{"good", "bad"}, w.stored(in.ID))
}

func TestGoneIsOnlyWhatTheServiceRemoved(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fake.Options{PageSize: 4})
	for i := range 8 {
		w.mailFrom("ann@acme.com", fmt.Sprint("mail ", i), i+1)
	}
	in := w.open(true, filter.Rules{Mode: filter.All})
	w.account.FailOnce(fake.OpOpen, "m3", provider.ErrGone)
	run := w.sync(in.ID)
	require.Equal(t, 1, run.Gone)
	require.Equal(t, 7, run.Stored)
	fate, err := w.svc.Fate(t.Context(), w.actor("carl"), in.ID, "m3")
	require.NoError(t, err)
	require.Equal(t, inbox.SeenGone, fate.State)
}

func TestDeadGrantAsksToReconnectAndFetchesWhatWasMissed(t *testing.T) { // R-CON-04
	t.Parallel()
	w := newWorld(t, fake.Options{})
	in := w.open(true, filter.Rules{Mode: filter.All})
	w.sync(in.ID)
	w.account.Revoke()
	_, err := w.svc.Sync(t.Context(), in.ID)
	require.ErrorIs(t, err, provider.ErrAuth)
	got, err := w.store.Inbox(t.Context(), in.ID)
	require.NoError(t, err)
	require.Equal(t, inbox.StateNeedsReauth, got.State)
	_, err = w.svc.Deliver(t.Context(), 100)
	require.NoError(t, err)
	require.Contains(t, w.notices.names(), "carl inbox.needs_reauth", "told at once, without opting in")

	w.advance(10 * 24 * time.Hour)
	w.account.Deliver(mailText("ann@acme.com", "me@firm.example", "missed"), fake.Delivery{})
	w.advance(24 * time.Hour)
	w.account.Reconnect()
	out, err := w.consent(in.ID)
	require.NoError(t, err)
	require.Equal(t, inbox.StateActive, out.State)
	w.sync(in.ID)
	w.sync(in.ID)
	require.Equal(t, []string{"missed"}, w.stored(in.ID))
	m := w.messages(in.ID)[0]
	require.False(t, m.Imported, "R-IMP-07: mail missed while disconnected is live")
}

func TestTransientErrorsKeepTheState(t *testing.T) { // R-CON-05
	t.Parallel()
	w := newWorld(t, fake.Options{})
	in := w.open(true, filter.Rules{Mode: filter.All})
	w.sync(in.ID)
	for i := range 6 {
		w.account.Throttle(1, time.Minute)
		_, err := w.svc.Sync(t.Context(), in.ID)
		require.ErrorIs(t, err, provider.ErrRetry)
		var report *inbox.SyncError
		require.ErrorAs(t, err, &report)
		health, err := w.svc.Health(t.Context(), w.actor("carl"), in.ID)
		require.NoError(t, err)
		require.Equal(t, inbox.StateActive, health.State)
		require.Equal(t, i+1, health.Failures)
	}
	w.sync(in.ID)
	health, err := w.svc.Health(t.Context(), w.actor("carl"), in.ID)
	require.NoError(t, err)
	require.Zero(t, health.Failures)
	require.True(t, health.OK())
}

func TestOfTwoWorkersOneStoresNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fake.Options{PageSize: 2})
	for i := range 20 {
		w.mailFrom("ann@acme.com", fmt.Sprint("mail ", i), i+1)
	}
	in := w.open(true, filter.Rules{Mode: filter.All})
	errs := make(chan error, 2)
	for range 2 {
		go func() { _, err := w.svc.Sync(context.Background(), in.ID); errs <- err }()
	}
	for range 2 {
		if err := <-errs; err != nil {
			require.ErrorIs(t, err, storage.ErrConflict)
		}
	}
	w.sync(in.ID)
	got := w.stored(in.ID)
	require.Len(t, got, 20)
	slices.Sort(got)
	require.Len(t, slices.Compact(got), 20)
}

func TestRejectedMailLeavesNoTraceAndIsNeverOpened(t *testing.T) { // R-IMP-11
	t.Parallel()
	w := newWorld(t, fake.Options{SearchOff: true})
	w.client("Acme", "acme.com")
	w.mailFrom("ann@acme.com", "offer", 3)
	secret := w.mailFrom("Spouse <spouse@private.org>", "the secret subject", 2)
	in := w.open(true, filter.Rules{})
	run := w.sync(in.ID)
	require.Equal(t, 1, run.RejectedTotal())
	require.Zero(t, w.account.Opens(secret))
	require.NotContains(t, fmt.Sprintf("%+v", w.store), "the secret subject")
	require.NotContains(t, fmt.Sprintf("%+v", w.store), "private.org")
	fate, err := w.svc.Fate(t.Context(), w.actor("carl"), in.ID, secret)
	require.NoError(t, err)
	require.Equal(t, inbox.Seen{State: inbox.SeenRejected, Thread: fate.Thread, Received: fate.Received,
		Reason: filter.NotClientAssociated, Rules: 1}, fate)
}

func TestThirdPartyAnswerBeforeItsClientInTheWalkIsTakenBack(t *testing.T) { // R-FLT-10
	t.Parallel()
	w := newWorld(t, fake.Options{SearchOff: true, PageSize: 1})
	w.client("Acme", "acme.com")
	w.mailFrom("ann@acme.com", "question", 9, "Message-ID: <q@acme.com>")
	w.account.Deliver(mailText("lawyer@law.org", "me@firm.example", "advice",
		"Cc: ann@acme.com", "Message-ID: <a@law.org>", "In-Reply-To: <q@acme.com>", "References: <q@acme.com>"),
		fake.Delivery{Received: connected.Add(-3 * time.Hour)})
	w.account.Deliver(mailText("lawyer@law.org", "me@firm.example", "between us",
		"Message-ID: <b@law.org>", "References: <q@acme.com>"),
		fake.Delivery{Received: connected.Add(-2 * time.Hour)})
	in := w.open(true, filter.Rules{})
	run := w.sync(in.ID)
	require.Equal(t, []string{"advice", "question"}, w.stored(in.ID),
		"the answer with the client enters, the side discussion does not")
	require.Equal(t, 1, run.Retried)
}

func TestSecondCopyOfAMailIsLinked(t *testing.T) { // R-IMP-06
	t.Parallel()
	w := newWorld(t, fake.Options{PageSize: 1})
	w.mailFrom("ann@acme.com", "same", 5, "Message-ID: <x@acme.com>")
	w.mailFrom("ann@acme.com", "same", 4, "Message-ID: <x@acme.com>")
	w.mailFrom("ann@acme.com", "other mail, forged id", 3, "Message-ID: <x@acme.com>")
	in := w.open(true, filter.Rules{Mode: filter.All})
	require.Equal(t, 1, w.sync(in.ID).Copies)
	require.Len(t, w.stored(in.ID), 3, "kept")
	var shown []string
	for m, err := range w.svc.Messages(t.Context(), w.actor("carl"), inbox.MessageQuery{Inbox: in.ID}) {
		require.NoError(t, err)
		shown = append(shown, m.Subject)
	}
	require.Equal(t, []string{"other mail, forged id", "same"}, shown, "shown once")
}

func TestChangesOfStoredMailAreFollowed(t *testing.T) { // R-IMP-08, R-IMP-10
	t.Parallel()
	w := newWorld(t, fake.Options{})
	id := w.mailFrom("ann@acme.com", "offer", 3)
	spam := w.account.Deliver(mailText("ann@acme.com", "me@firm.example", "rescued"),
		fake.Delivery{Received: connected.Add(-time.Hour), Folder: provider.FolderSpam})
	in := w.open(true, filter.Rules{Mode: filter.All})
	w.sync(in.ID)
	require.True(t, w.messages(in.ID)[0].Unread)
	w.account.MarkRead(id)
	w.account.Move(spam, provider.FolderMail)
	w.sync(in.ID)
	require.Equal(t, []string{"rescued", "offer"}, w.stored(in.ID), "moved out of spam: picked up")
	require.False(t, w.messages(in.ID)[1].Unread)

	w.account.Remove(id)
	w.sync(in.ID)
	require.False(t, w.messages(in.ID)[1].Removed, "deleted there, kept here by default")
	settings := inbox.InboxSettings{MirrorDeletes: true}
	_, err := w.svc.Edit(t.Context(), w.actor("carl"), in.ID, inbox.Edit{Settings: &settings})
	require.NoError(t, err)
	w.account.Remove(spam)
	w.sync(in.ID)
	require.True(t, w.messages(in.ID)[0].Removed, "mirror mode")
}

func TestDeliveryReportOfOurOwnMailEnters(t *testing.T) { // R-FLT-04 row 10b
	t.Parallel()
	w := newWorld(t, fake.Options{SearchOff: true, PageSize: 1})
	w.client("Acme", "acme.com")
	w.account.Deliver(mailText("me@firm.example", "gone@acme.com", "hello", "Message-ID: <mine@firm.example>"),
		fake.Delivery{Received: connected.Add(-5 * time.Hour), Sent: true})
	w.account.Deliver(bounce("mine@firm.example", "gone@acme.com"), fake.Delivery{Received: connected.Add(-4 * time.Hour)})
	foreign := w.account.Deliver(bounce("other@firm.example", "gone@elsewhere.org"), fake.Delivery{Received: connected.Add(-3 * time.Hour)})
	in := w.open(true, filter.Rules{})
	w.sync(in.ID)
	require.Equal(t, []string{"Undelivered Mail Returned to Sender", "hello"}, w.stored(in.ID))
	m := w.messages(in.ID)[0]
	require.NotNil(t, m.Report)
	require.Equal(t, w.messages(in.ID)[1].ID, m.Report.Of)
	require.True(t, m.Report.Hard)
	fate, err := w.svc.Fate(t.Context(), w.actor("carl"), in.ID, foreign)
	require.NoError(t, err)
	require.Equal(t, inbox.SeenRejected, fate.State)
}

func bounce(of, to string) []byte {
	return []byte("Return-Path: <>\r\nFrom: MAILER-DAEMON@mx.example\r\nTo: me@firm.example\r\n" +
		"Subject: Undelivered Mail Returned to Sender\r\nDate: Mon, 30 Mar 2026 11:00:00 +0000\r\n" +
		"Message-ID: <bounce." + of + ">\r\nMIME-Version: 1.0\r\n" +
		"Content-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\r\n\r\n" +
		"--b\r\nContent-Type: text/plain\r\n\r\nCould not be delivered.\r\n" +
		"--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n" +
		"Final-Recipient: rfc822; " + to + "\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n" +
		"--b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: <" + of + ">\r\nSubject: hello\r\n\r\nx\r\n--b--\r\n")
}

// messages returns what is stored, newest first.
func (w *world) messages(id inbox.ID) []inbox.Message {
	w.t.Helper()
	var out []inbox.Message
	for m, err := range w.store.Messages(w.t.Context(), inbox.MessageQuery{Inbox: id, Hidden: true}) {
		require.NoError(w.t, err)
		out = append(out, m)
	}
	return out
}
