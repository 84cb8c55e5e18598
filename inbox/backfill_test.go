package inbox_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider/fake"
)

// olderThanTheFloor puts a thread of a later client and others 50 days back.
func olderThanTheFloor(w *world) {
	day := 24
	w.mailFrom("ann@acme.com", "question", 50*day, "Message-ID: <q@acme.com>")
	w.account.Deliver(mailText("lawyer@law.org", "me@firm.example", "advice",
		"Cc: ann@acme.com", "References: <q@acme.com>"), fake.Delivery{Received: connected.Add(-49 * 24 * time.Hour)})
	w.account.Deliver(mailText("ann@acme.com", "me@firm.example", "away",
		"Auto-Submitted: auto-replied", "References: <q@acme.com>"), fake.Delivery{Received: connected.Add(-48 * 24 * time.Hour)})
	w.account.Deliver(mailText("me@firm.example", "gone@acme.com", "hello", "Message-ID: <mine@firm.example>"),
		fake.Delivery{Received: connected.Add(-47 * 24 * time.Hour), Sent: true})
	w.account.Deliver(bounce("mine@firm.example", "gone@acme.com"), fake.Delivery{Received: connected.Add(-46 * 24 * time.Hour)})
	w.mailFrom("eve@elsewhere.org", "stranger", 45*day)
}

var fromTheBackfill = []string{"Undelivered Mail Returned to Sender", "hello", "away", "advice", "question"}

func TestBackfillBringsTheSameWhateverThePages(t *testing.T) { // R-CHG-06, R-FLT-10, R-IMP-07
	t.Parallel()
	for size := range 4 {
		w := newWorld(t, fake.Options{SearchOff: true, PageSize: size + 1})
		olderThanTheFloor(w)
		in := w.open(true, filter.Rules{})
		w.sync(in.ID)
		w.advance(time.Hour)
		w.client("Acme", "acme.com")
		require.NoError(t, w.svc.Backfill(t.Context(), w.actor("carl"), in.ID, time.Time{}))
		w.sync(in.ID)
		require.Equal(t, fromTheBackfill, w.stored(in.ID), "pages of %d", size+1)
		for _, m := range w.messages(in.ID) {
			require.True(t, m.Imported, "%q is brought by a backfill", m.Subject)
		}
		require.NoError(t, w.svc.Reapply(t.Context(), w.actor("carl"), in.ID))
		require.Equal(t, fromTheBackfill, w.visibleTo("olga", in.ID), "older than the floor, and not hidden for that")
	}
}

func TestBackfillSurvivesAnExpiredCursor(t *testing.T) { // R-CON-07
	t.Parallel()
	w := newWorld(t, fake.Options{SearchOff: true, PageSize: 1})
	olderThanTheFloor(w)
	in := w.open(true, filter.Rules{})
	w.sync(in.ID)
	w.advance(time.Hour)
	w.client("Acme", "acme.com")
	require.NoError(t, w.svc.Backfill(t.Context(), w.actor("carl"), in.ID, time.Time{}))
	ctx, cancel := context.WithCancel(t.Context())
	w.account.ForgetCalls()
	w.account.BeforeCall(func(_ fake.Op, n int) error {
		if n == 5 {
			cancel()
		}
		return ctx.Err()
	})
	_, err := w.svc.Sync(ctx, in.ID)
	require.ErrorIs(t, err, context.Canceled)
	w.account.BeforeCall(nil)
	w.account.ExpireCursors()
	w.sync(in.ID)
	require.Equal(t, fromTheBackfill, w.stored(in.ID))
	require.Equal(t, 0, w.sync(in.ID).Listed, "it is over")
}

func TestPoisonOfABackfillIsReleasedIntoIt(t *testing.T) { // R-CHG-06
	t.Parallel()
	w := newWorld(t, fake.Options{SearchOff: true}, func(c *inbox.Config) { c.Attempts = 2 })
	olderThanTheFloor(w)
	in := w.open(true, filter.Rules{})
	w.sync(in.ID)
	w.advance(time.Hour)
	w.client("Acme", "acme.com")
	w.account.FailAlways(fake.OpOpen, "m1", errors.New("500"))
	require.NoError(t, w.svc.Backfill(t.Context(), w.actor("carl"), in.ID, connected.Add(-60*24*time.Hour)))
	w.sync(in.ID)
	w.advance(time.Hour)
	require.Equal(t, 1, w.sync(in.ID).Poisoned)
	w.account.Heal()
	require.NoError(t, w.svc.Release(t.Context(), w.actor("carl"), in.ID, "m1"))
	w.sync(in.ID)
	require.Equal(t, fromTheBackfill, w.stored(in.ID))
}

func TestPreviewLooksAtTheWholeWindow(t *testing.T) { // row 32
	t.Parallel()
	w := newWorld(t, fake.Options{})
	w.mailFrom("ann@acme.com", "old", 24*400)
	in, err := w.svc.Create(t.Context(), w.actor("carl"), inbox.Draft{Provider: "fake", Name: "Carl", Window: -1})
	require.NoError(t, err)
	_, err = w.svc.SetRules(t.Context(), w.actor("carl"), in.ID, filter.Rules{Mode: filter.All})
	require.NoError(t, err)
	_, err = w.consent(in.ID)
	require.NoError(t, err)
	p, err := w.svc.Preview(t.Context(), w.actor("carl"), in.ID, nil)
	require.NoError(t, err)
	require.Equal(t, 1, p.Accepted, "%+v", p)
}

func TestPreviewOfAnAdminKeepsTheCreatorsExclusions(t *testing.T) { // rows 22b and 32, R-IMP-11
	t.Parallel()
	w := newWorld(t, fake.Options{})
	own := exclusion(t, "spouse@private.org")
	own.Personal = true
	in := w.open(true, filter.Rules{Mode: filter.All, Exclude: []filter.Exclusion{own}},
		acl.Grant{User: "ina", Access: acl.ReadOnly, InboxAdmin: true})
	w.mailFrom("spouse@private.org", "dinner", 1)
	p, err := w.svc.Preview(t.Context(), w.actor("ina"), in.ID, &filter.Rules{Mode: filter.All})
	require.NoError(t, err)
	require.Equal(t, inbox.Preview{Listed: 1, Reasons: map[filter.Reason]int{filter.Excluded: 1}}, p,
		"what SetRules with these rules would do")
}

func TestImportCompletedComesAlsoAfterACrash(t *testing.T) { // R-IMP-07, R-INB-13
	t.Parallel()
	var store *faulty
	w := newWorld(t, fake.Options{PageSize: 1, SearchOff: true}, breakable(&store))
	w.client("Acme", "acme.com")
	w.mailFrom("ann@acme.com", "one", 3)
	w.mailFrom("ann@acme.com", "two", 2)
	w.mailFrom("eve@elsewhere.org", "stranger", 1)
	in := w.open(true, filter.Rules{})
	require.NoError(t, w.svc.Watch(t.Context(), w.actor("carl"), in.ID, inbox.Watch{Events: []inbox.EventName{inbox.EventImportCompleted}}))
	var pages atomic.Int32
	w.account.BeforeCall(func(op fake.Op, _ int) error {
		if op == fake.OpChanges && pages.Add(1) == 3 {
			return errBroken
		}
		return nil
	})
	_, err := w.svc.Sync(t.Context(), in.ID) // the walk is cut off
	require.ErrorIs(t, err, errBroken)
	w.account.BeforeCall(nil)
	store.onCall(func(op string, _ int) error { // then the move to active
		if op == "UpdateInbox" {
			return errBroken
		}
		return nil
	})
	_, err = w.svc.Sync(t.Context(), in.ID)
	require.ErrorIs(t, err, errBroken)
	store.onCall(nil)
	w.sync(in.ID)
	got, err := w.store.Inbox(t.Context(), in.ID)
	require.NoError(t, err)
	require.Equal(t, inbox.StateActive, got.State)
	_, err = w.svc.Deliver(t.Context(), 0)
	require.NoError(t, err)
	require.Equal(t, []string{"carl inbox.import.completed"}, w.notices.names(), "once")
	require.Equal(t, map[string]string{"stored": "2", "rejected": "1", "queued": "0", "unreadable": "0"},
		w.notices.got[0].Event.Facts, "of the whole import")
}
