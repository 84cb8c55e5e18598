package inbox_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/inbox/htmlsafe"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/storage"
)

var reader = acl.Grant{User: "rob", Access: acl.ReadAndReply}
var manager = acl.Grant{User: "ina", Access: acl.ReadOnly, InboxAdmin: true}

// customersOf returns the addresses of the customers a person may know of.
func (w *world) customersOf(user acl.UserID) []string {
	w.t.Helper()
	var out []string
	for c, err := range w.svc.Customers(w.t.Context(), w.actor(user), inbox.CustomerQuery{}) {
		require.NoError(w.t, err)
		out = append(out, c.Address)
	}
	slices.Sort(out)
	return out
}

// customerAt returns the stored customer with an address.
func (w *world) customerAt(address string) inbox.Customer {
	w.t.Helper()
	for c, err := range w.store.Customers(w.t.Context(), inbox.CustomerQuery{Site: site, Address: address}) {
		require.NoError(w.t, err)
		return c
	}
	w.t.Fatalf("no customer at %q", address)
	return inbox.Customer{}
}

func TestACustomerExistsForThoseWhoSeeTheirMail(t *testing.T) { // R-CUS-07, row 40
	t.Parallel()
	w := newWorld(t, fake.Options{})
	w.mailFrom("Dentist <dentist@x.org>", "appointment", 1)
	in := w.open(true, filter.Rules{Mode: filter.All}, reader)
	w.sync(in.ID)
	id := w.customerAt("dentist@x.org").ID
	ctx := t.Context()
	for user, want := range map[acl.UserID]error{
		"carl": nil, "rob": nil, "olga": nil, "adam": storage.ErrNotFound, "zoe": storage.ErrNotFound,
	} {
		_, err := w.svc.Customer(ctx, w.actor(user), id)
		require.ErrorIs(t, err, want, "customer read by %q", user)
		_, err = w.svc.UpdateCustomer(ctx, w.actor(user), "nobody", inbox.CustomerEdit{})
		require.ErrorIs(t, err, storage.ErrNotFound)
	}
	_, err := w.svc.UpdateCustomer(ctx, w.actor("adam"), id, inbox.CustomerEdit{Address: "dentist@x.org"})
	require.ErrorIs(t, err, storage.ErrNotFound, "a site admin who may not know of them")
	require.ErrorIs(t, w.svc.DeleteCustomer(ctx, w.actor("adam"), id), storage.ErrNotFound)
	require.ErrorIs(t, w.svc.DeleteCustomer(ctx, w.actor("rob"), id), acl.ErrDenied)
	require.Empty(t, w.customersOf("adam"))
	require.Equal(t, []string{"dentist@x.org"}, w.customersOf("rob"))
}

func TestHiddenMailTellsOthersOfNoCustomer(t *testing.T) { // R-CHG-07, R-CUS-07
	t.Parallel()
	w := newWorld(t, fake.Options{SearchOff: true})
	w.client("Acme", "acme.com")
	w.mailFrom("ann@acme.com", "offer", 2)
	w.mailFrom("spouse@private.org", "dinner", 1)
	in := w.open(true, filter.Rules{Mode: filter.All}, reader)
	w.sync(in.ID)
	require.Equal(t, []string{"ann@acme.com", "spouse@private.org"}, w.customersOf("rob"))
	_, err := w.svc.SetRules(t.Context(), w.actor("carl"), in.ID, filter.Rules{})
	require.NoError(t, err)
	require.Equal(t, []string{"ann@acme.com"}, w.customersOf("rob"))
	require.Equal(t, []string{"ann@acme.com"}, w.customersOf("olga"))
	require.Equal(t, []string{"ann@acme.com", "spouse@private.org"}, w.customersOf("carl"))
	_, err = w.svc.Customer(t.Context(), w.actor("rob"), w.customerAt("spouse@private.org").ID)
	require.ErrorIs(t, err, storage.ErrNotFound)
}

func TestPagingThroughCustomersSkipsTheUnknown(t *testing.T) { // R-CUS-07
	t.Parallel()
	w := newWorld(t, fake.Options{SearchOff: true})
	w.client("Acme", "acme.com")
	for i := range 6 {
		w.mailFrom(fmt.Sprintf("a%d@acme.com", i), "offer", 2*i+1)
		w.mailFrom(fmt.Sprintf("p%d@private.org", i), "private", 2*i+2)
	}
	in := w.open(true, filter.Rules{Mode: filter.All}, reader)
	w.sync(in.ID)
	_, err := w.svc.SetRules(t.Context(), w.actor("carl"), in.ID, filter.Rules{})
	require.NoError(t, err)
	var got []string
	q := inbox.CustomerQuery{Limit: 2}
	for {
		n := 0
		for c, err := range w.svc.Customers(t.Context(), w.actor("rob"), q) {
			require.NoError(t, err)
			got, q.After = append(got, c.Address), c.ID
			n++
		}
		if n < 2 {
			break
		}
	}
	slices.Sort(got)
	require.Equal(t, []string{"a0@acme.com", "a1@acme.com", "a2@acme.com", "a3@acme.com", "a4@acme.com", "a5@acme.com"}, got)
}

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

func TestEnteringAnUnknownCustomerTellsNothing(t *testing.T) { // R-CUS-07
	t.Parallel()
	w := newWorld(t, fake.Options{})
	w.mailFrom("Dr Who <dentist@x.org>", "appointment", 1)
	in := w.open(true, filter.Rules{Mode: filter.All})
	w.sync(in.ID)
	ctx := t.Context()
	before := w.customerAt("dentist@x.org")
	c, err := w.svc.CreateCustomer(ctx, w.actor("adam"), inbox.CustomerEdit{Name: "D.", Address: "Dentist@x.org"})
	require.NoError(t, err, "not that the address is taken")
	require.Empty(t, c.KnownFrom)
	require.Equal(t, "D.", c.Name)
	after := w.customerAt("dentist@x.org")
	require.Equal(t, before.ID, after.ID, "one customer")
	require.Equal(t, []inbox.ID{in.ID}, after.KnownFrom, "what others know stays")
	c, err = w.svc.UpdateCustomer(ctx, w.actor("adam"), c.ID, inbox.CustomerEdit{Name: "Dentist", Address: "dentist@x.org"})
	require.NoError(t, err)
	require.Empty(t, c.KnownFrom)
	require.Equal(t, []inbox.ID{in.ID}, w.customerAt("dentist@x.org").KnownFrom)
	_, err = w.svc.CreateCustomer(ctx, w.actor("adam"), inbox.CustomerEdit{Name: "again", Address: "dentist@x.org"})
	require.ErrorIs(t, err, inbox.ErrAddressTaken, "by one who is known")
}

func TestWhoIsNoCustomer(t *testing.T) { // R-CUS-07, R-FLT-11, 11.6
	t.Parallel()
	w := newWorld(t, fake.Options{Kind: "gmail", SearchOff: true})
	fail := "Authentication-Results: mx.google.com; dmarc=fail header.from=x.org"
	w.mailFrom("rita@firm.example", "colleague", 1)
	w.mailFrom("spoofed@x.org", "not from x.org", 2, fail)
	w.mailFrom("known@acme.com", "real", 9)
	w.mailFrom("known@acme.com", "spoof of a known one", 3, fail)
	w.mailFrom("news@shop.io", "sale", 4, "List-Id: <news.shop.io>", "Precedence: bulk")
	w.mailFrom("away@x.org", "away", 5, "Auto-Submitted: auto-replied")
	w.mailFrom("me@firm.example", "forged self", 6)
	w.mailFrom("bare@private.org", "party", 7, "Content-Class: urn:content-classes:calendarmessage")
	w.account.Deliver(mailText("me@firm.example", "rita@firm.example", "to a colleague", "Cc: friend@x.org"),
		fake.Delivery{Received: connected.Add(-8 * time.Hour), Sent: true})
	ctx := t.Context()
	in, err := w.svc.Create(ctx, w.actor("carl"), inbox.Draft{Provider: "gmail", Name: "Carl", Import: true})
	require.NoError(t, err)
	_, err = w.svc.SetRules(ctx, w.actor("carl"), in.ID, filter.Rules{Mode: filter.All})
	require.NoError(t, err)
	_, err = w.consent(in.ID)
	require.NoError(t, err)
	_, err = w.svc.Finish(ctx, w.actor("carl"), in.ID)
	require.NoError(t, err)
	w.sync(in.ID)
	require.Len(t, w.stored(in.ID), 9)
	require.Equal(t, []string{"bare@private.org", "friend@x.org", "known@acme.com"}, w.customersOf("carl"))
	for _, m := range w.messages(in.ID) {
		if m.Subject == "spoof of a known one" || m.Subject == "colleague" || m.Subject == "forged self" {
			require.Empty(t, m.Customer, "customer of %q", m.Subject)
		}
	}
	for _, e := range []inbox.CustomerEdit{
		{Name: "Rita", Address: "rita@firm.example"}, {Name: "x", Address: "new@firm.example"},
		{Name: "x", Address: "x@y.org", Alternatives: []string{"me@firm.example"}},
	} {
		_, err := w.svc.CreateCustomer(ctx, w.actor("olga"), e)
		require.ErrorIs(t, err, inbox.ErrInternalAddress)
		require.NotContains(t, err.Error(), "@")
	}
}

func TestLaterSpoofOfAKnownCustomerIsNotTheirs(t *testing.T) { // R-FLT-11
	t.Parallel()
	w := newWorld(t, fake.Options{}, func(c *inbox.Config) {
		c.AuthServers = map[provider.Kind]string{"fake": "mx.fake"}
	})
	w.client("Acme", "acme.com")
	w.mailFrom("ann@acme.com", "real", 9)
	in := w.open(true, filter.Rules{})
	w.sync(in.ID)
	w.advance(time.Hour)
	w.account.Deliver(mailText("ann@acme.com", "me@firm.example", "spoof", "Authentication-Results: mx.fake; dmarc=fail"),
		fake.Delivery{})
	w.sync(in.ID)
	require.Equal(t, []string{"spoof", "real"}, w.stored(in.ID), "shown with a warning")
	require.Empty(t, w.messages(in.ID)[0].Customer)
	require.NotEmpty(t, w.messages(in.ID)[1].Customer)
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
	require.NoError(t, w.svc.Watch(ctx, w.actor("rob"), in.ID, true, inbox.EventUnhealthy))
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
		for q, err := range w.svc.Waiting(t.Context(), w.actor(user), in.ID, false) {
			require.NoError(t, err)
			require.Equal(t, bad, q.Remote)
			require.Equal(t, known, !q.Received.IsZero() && q.Thread != "", "%q sees %+v", user, q)
		}
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
		require.NoError(t, w.svc.Watch(ctx, w.actor(user), in.ID, false, inbox.EventMessagePoisoned, inbox.EventImportCompleted))
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
