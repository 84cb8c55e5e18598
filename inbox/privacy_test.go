package inbox_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/inbox/htmlsafe"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/storage"
)

var reader = acl.Grant{User: "rob", Access: acl.ReadAndReply}
var manager = acl.Grant{User: "ina", Access: acl.ReadOnly, InboxAdmin: true}

func TestPagingThroughMessagesSkipsTheHidden(t *testing.T) { // R-CHG-07
	t.Parallel()
	w := newWorld(t, fake.Options{SearchOff: true})
	w.client("Acme", "acme.com")
	for i := range 6 {
		w.mailFrom("ann@acme.com", fmt.Sprint("offer ", i), 2*i+1)
		w.mailFrom("eve@private.org", fmt.Sprint("private ", i), 2*i+2)
	}
	in := w.open(true, filter.Rules{Mode: filter.All}, reader)
	w.sync(in.ID)
	_, err := w.svc.SetRules(t.Context(), w.actor("carl"), in.ID, filter.Rules{})
	require.NoError(t, err)
	for user, want := range map[acl.UserID]int{"rob": 6, "olga": 6, "carl": 12} {
		q := inbox.MessageQuery{Inbox: in.ID, Limit: 2, Hidden: true}
		got := 0
		for {
			n := 0
			for m, err := range w.svc.Messages(t.Context(), w.actor(user), q) {
				require.NoError(t, err)
				q.After = m.Key()
				n++
			}
			if got += n; n < 2 {
				break
			}
		}
		require.Equal(t, want, got, "messages %q pages through", user)
	}
}

func TestWhatIsTheCreatorsAloneIsNotFoundByOthers(t *testing.T) { // 11.6 accept_private, R-CHG-07, R-IMP-10
	t.Parallel()
	w := newWorld(t, fake.Options{SearchOff: true})
	w.client("Acme", "acme.com")
	w.mailFrom("ann@acme.com", "shared", 9)
	w.mailFrom("ann@acme.com", "private", 8, "Auto-Submitted: auto-generated")
	w.mailFrom("eve@private.org", "hidden", 7)
	removed := w.mailFrom("ann@acme.com", "removed", 6)
	rules := filter.Rules{Mode: filter.All, Automated: filter.On, Classes: map[filter.Class]filter.ClassPolicy{
		filter.Bulk: filter.PolicyAcceptPrivate, filter.AutoReply: filter.PolicyAcceptPrivate,
		filter.NoReply: filter.PolicyAcceptPrivate}}
	in := w.open(true, rules, reader, manager)
	settings := inbox.InboxSettings{MirrorDeletes: true}
	_, err := w.svc.Edit(t.Context(), w.actor("carl"), in.ID, inbox.Edit{Settings: &settings})
	require.NoError(t, err)
	w.sync(in.ID)
	rules.Mode = filter.ClientAssociated
	_, err = w.svc.SetRules(t.Context(), w.actor("carl"), in.ID, rules)
	require.NoError(t, err)
	w.account.Remove(removed)
	w.sync(in.ID)
	require.Len(t, w.stored(in.ID), 4)
	for _, m := range w.messages(in.ID) {
		for _, user := range []acl.UserID{"rob", "ina", "olga", "carl"} {
			want := storage.ErrNotFound
			if user == "carl" || m.Subject == "shared" {
				want = nil
			}
			_, err := w.svc.View(t.Context(), w.actor(user), m.ID, htmlsafe.Options{})
			require.ErrorIs(t, err, want, "view of %q by %q", m.Subject, user)
			r, err := w.svc.Raw(t.Context(), w.actor(user), m.ID)
			require.ErrorIs(t, err, want, "raw of %q by %q", m.Subject, user)
			if err == nil {
				require.NoError(t, r.Close())
			}
			_, _, err = w.svc.Part(t.Context(), w.actor(user), m.ID, "9.9")
			if want != nil {
				require.ErrorIs(t, err, want, "part of %q by %q", m.Subject, user)
			}
		}
	}
	require.Equal(t, []string{"shared"}, w.visibleTo("rob", in.ID))
}

func TestBlindCopiesAreForTheCreator(t *testing.T) { // row 35, R-MSG-04
	t.Parallel()
	for name, field := range map[string]string{
		"plain": "Bcc: secret@x.org", "unreadable": "Bcc: <<<secret@x.org", "resent": "Resent-Bcc: secret@x.org",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, fake.Options{})
			w.account.Deliver(mailText("me@firm.example", "ann@acme.com", "offer", field),
				fake.Delivery{Received: connected.Add(-time.Hour), Sent: true})
			in := w.open(true, filter.Rules{Mode: filter.All}, reader)
			w.sync(in.ID)
			id := w.messages(in.ID)[0].ID
			v, err := w.svc.View(t.Context(), w.actor("rob"), id, htmlsafe.Options{})
			require.NoError(t, err)
			require.Empty(t, v.Message.Bcc)
			_, err = w.svc.Raw(t.Context(), w.actor("rob"), id)
			require.ErrorIs(t, err, acl.ErrDenied)
			r, err := w.svc.Raw(t.Context(), w.actor("carl"), id)
			require.NoError(t, err)
			raw, err := io.ReadAll(r)
			require.NoError(t, err)
			require.NoError(t, r.Close())
			require.Contains(t, string(raw), "secret@x.org")
		})
	}
}

func TestASecondCopyIsSeenWhereTheFirstIsHidden(t *testing.T) { // R-IMP-06, R-CHG-07
	t.Parallel()
	w := newWorld(t, fake.Options{SearchOff: true})
	w.mailFrom("ann@acme.com", "same", 5, "Message-ID: <x@acme.com>")
	in := w.open(true, filter.Rules{Mode: filter.All}, reader)
	w.sync(in.ID)
	_, err := w.svc.SetRules(t.Context(), w.actor("carl"), in.ID, filter.Rules{})
	require.NoError(t, err)
	require.Empty(t, w.visibleTo("rob", in.ID))
	w.advance(time.Hour)
	w.client("Acme", "acme.com")
	w.advance(time.Hour)
	w.account.Deliver(mailText("ann@acme.com", "me@firm.example", "same", "Message-ID: <x@acme.com>"), fake.Delivery{})
	w.sync(in.ID)
	require.Equal(t, []string{"same"}, w.visibleTo("rob", in.ID))
}

func TestManagersGetInboxesWithoutWhatIsTheCreators(t *testing.T) { // rows 20, 22b
	t.Parallel()
	w := newWorld(t, fake.Options{})
	own := exclusion(t, "spouse@private.org")
	own.Personal = true
	in := w.open(true, filter.Rules{Exclude: []filter.Exclusion{own}}, manager, reader)
	ctx := t.Context()
	require.NoError(t, w.svc.Watch(ctx, w.actor("rob"), in.ID, inbox.Watch{Events: []inbox.EventName{inbox.EventUnhealthy}, Private: true}))
	ina := w.actor("ina")
	name := " New "
	for _, step := range []func() (inbox.Inbox, error){
		func() (inbox.Inbox, error) { return w.svc.Inbox(ctx, ina, in.ID) },
		func() (inbox.Inbox, error) { return w.svc.Edit(ctx, ina, in.ID, inbox.Edit{Name: &name}) },
		func() (inbox.Inbox, error) { return w.svc.Pause(ctx, ina, in.ID) },
		func() (inbox.Inbox, error) { return w.svc.Resume(ctx, ina, in.ID) },
		func() (inbox.Inbox, error) { return w.svc.Disconnect(ctx, ina, in.ID, inbox.KeepMail) },
		func() (inbox.Inbox, error) {
			_, err := w.svc.Connect(ctx, w.actor("carl"), in.ID, "https://host.example/back")
			require.NoError(t, err)
			require.NoError(t, w.svc.Delete(ctx, ina, in.ID))
			return w.svc.Inbox(ctx, ina, in.ID)
		},
		func() (inbox.Inbox, error) {
			_, err := w.svc.Inbox(ctx, w.actor("rob"), in.ID)
			require.ErrorIs(t, err, storage.ErrNotFound, "the trash is for those who manage")
			for range w.svc.Inboxes(ctx, w.actor("rob"), inbox.Query{States: []inbox.State{inbox.StateDeleted}}) {
				t.Error("rob lists an inbox in the trash")
			}
			return w.svc.Restore(ctx, ina, in.ID)
		},
	} {
		got, err := step()
		require.NoError(t, err)
		rules, version := got.Rules()
		require.Equal(t, uint64(1), version)
		require.Empty(t, rules.Exclude, "personal exclusions in state %s", got.State)
		require.Nil(t, got.Consent)
		require.Empty(t, got.Watches, "what others want notices of")
	}
	got, err := w.store.Inbox(ctx, in.ID)
	require.NoError(t, err)
	require.Equal(t, "New", got.Name, "R-INB-03: trimmed")
	blank := "  "
	_, err = w.svc.Edit(ctx, w.actor("carl"), in.ID, inbox.Edit{Name: &blank})
	require.ErrorIs(t, err, inbox.ErrMissingName)
	_, err = w.svc.Share(ctx, w.actor("carl"), in.ID, acl.Grant{User: "zoe", Access: "everything"})
	require.Error(t, err, "an access nobody knows")
}

func TestSingleMailsThatWaitAreTheCreatorsToKnow(t *testing.T) { // R-IMP-11, row 37
	t.Parallel()
	w := newWorld(t, fake.Options{})
	bad := w.mailFrom("ann@acme.com", "offer", 5)
	w.account.FailAlways(fake.OpOpen, bad, errors.New("500"))
	in := w.open(true, filter.Rules{Mode: filter.All}, manager)
	w.sync(in.ID)
	for user, known := range map[acl.UserID]bool{"carl": true, "ina": false, "olga": false} {
		n := 0
		for q, err := range w.svc.Waiting(t.Context(), w.actor(user), in.ID) {
			n++
			require.NoError(t, err)
			require.Equal(t, bad, q.Remote)
			require.Equal(t, known, !q.Received.IsZero() && q.Thread != "", "%q sees %+v", user, q)
		}
		require.Equal(t, 1, n)
	}
}

// TestLogsAndErrorsHoldNoContent runs into every kind of trouble with telling names and looks for
// them in what was logged at Info and above, in errors, and in the outbox.
func TestLogsAndErrorsHoldNoContent(t *testing.T) {
	t.Parallel()
	var logged bytes.Buffer
	w := newWorld(t, fake.Options{PageSize: 2, SearchOff: true}, func(c *inbox.Config) {
		c.Logger = slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelInfo}))
		c.Attempts = 1
	})
	w.client("Acme", "acme.com")
	w.mailFrom("Ann Telltale <telltale@acme.com>", "telltale subject", 5)
	w.mailFrom("telltale@private.org", "telltale subject", 4)
	bad := w.mailFrom("telltale@acme.com", "telltale broken", 3)
	w.account.Deliver([]byte("From: telltale@acme.com\r\nSubject: telltale =?utf-8?q?=ZZ\r\nContent-Type: multipart/mixed; "+
		"boundary=telltale\r\n\r\n--telltale\r\nContent-Type: telltale"), fake.Delivery{Received: connected.Add(-2 * time.Hour)})
	w.account.FailAlways(fake.OpOpen, bad, errors.New("500"))
	in := w.open(true, filter.Rules{}, manager, reader)
	ctx := t.Context()
	for _, user := range []acl.UserID{"carl", "rob"} {
		require.NoError(t, w.svc.Watch(ctx, w.actor(user), in.ID, inbox.Watch{
			Events: []inbox.EventName{inbox.EventMessagePoisoned, inbox.EventImportCompleted}}))
	}
	w.sync(in.ID)
	var errs []error
	for due, err := range w.store.DueEvents(ctx, w.clock(), 0) {
		require.NoError(t, err)
		errs = append(errs, fmt.Errorf("%+v", due))
	}
	w.notices.fail = errors.New("550 telltale@firm.example is unknown")
	_, err := w.svc.Deliver(ctx, 0)
	require.NoError(t, err)
	w.account.Throttle(1, time.Minute)
	_, err = w.svc.Sync(ctx, in.ID)
	errs = append(errs, err)
	w.account.Revoke()
	_, err = w.svc.Sync(ctx, in.ID)
	errs = append(errs, err)
	_, err = w.svc.CreateCustomer(ctx, w.actor("olga"), inbox.CustomerEdit{Address: "telltale@"})
	errs = append(errs, err)
	_, err = w.svc.CreateCustomer(ctx, w.actor("olga"), inbox.CustomerEdit{Address: "telltale@acme.com"})
	errs = append(errs, err)
	_, err = w.svc.View(ctx, w.actor("adam"), w.messages(in.ID)[0].ID, htmlsafe.Options{})
	errs = append(errs, err)
	for _, err := range errs {
		require.Error(t, err)
		require.NotContains(t, err.Error(), "telltale")
		require.NotContains(t, err.Error(), "@")
	}
	require.NotEmpty(t, logged.String())
	require.NotContains(t, logged.String(), "telltale")
	require.NotContains(t, logged.String(), "@")
}

func TestAStrangerIsNotToldWhichInboxAMessageIsIn(t *testing.T) { // R-ACL-07
	t.Parallel()
	w := newWorld(t, fake.Options{})
	w.mailFrom("ann@acme.com", "offer", 5)
	in := w.open(true, filter.Rules{Mode: filter.All})
	w.sync(in.ID)
	for _, id := range []inbox.MessageID{w.messages(in.ID)[0].ID, "none"} {
		_, err := w.svc.View(context.Background(), w.actor("zoe"), id, htmlsafe.Options{})
		require.EqualError(t, err, fmt.Sprintf("read message %q: not found", id), "the same for mail that is there and not")
	}
}
