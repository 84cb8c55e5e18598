package inbox_test

import (
	"io"
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

// inboxOf makes an inbox that zoe created, connected to no mailbox.
func (w *world) inboxOf(id inbox.ID, of inbox.SiteID, grants ...acl.Grant) inbox.Inbox {
	w.t.Helper()
	in, err := w.store.CreateInbox(w.t.Context(), inbox.Inbox{ID: id, Site: of, Kind: acl.Individual, Creator: "zoe",
		Name: "Zoe", State: inbox.StateActive, Grants: grants})
	require.NoError(w.t, err)
	return in
}

// kinds fills the inbox of carl with mail of every visibility, and returns it with its messages.
func kinds(w *world, grants ...acl.Grant) (inbox.Inbox, []inbox.Message) {
	w.t.Helper()
	w.client("Acme", "acme.com")
	w.account.Deliver(withFile("ann@acme.com", "shared"), fake.Delivery{Received: connected.Add(-9 * time.Hour)})
	w.mailFrom("ann@acme.com", "private", 8, "Auto-Submitted: auto-generated")
	w.mailFrom("eve@private.org", "hidden", 7)
	removed := w.mailFrom("ann@acme.com", "removed", 6)
	rules := filter.Rules{Mode: filter.All, Automated: filter.On, Classes: map[filter.Class]filter.ClassPolicy{
		filter.Bulk: filter.PolicyAcceptPrivate, filter.AutoReply: filter.PolicyAcceptPrivate,
		filter.NoReply: filter.PolicyAcceptPrivate}}
	in := w.open(true, rules, grants...)
	settings := inbox.InboxSettings{MirrorDeletes: true}
	_, err := w.svc.Edit(w.t.Context(), w.actor("carl"), in.ID, inbox.Edit{Settings: &settings})
	require.NoError(w.t, err)
	w.sync(in.ID)
	rules.Mode = filter.ClientAssociated
	_, err = w.svc.SetRules(w.t.Context(), w.actor("carl"), in.ID, rules)
	require.NoError(w.t, err)
	w.account.Remove(removed)
	w.sync(in.ID)
	all := w.messages(in.ID)
	require.Len(w.t, all, 4)
	return in, all
}

// withFile is a mail with an attachment as part 2.
func withFile(from, subject string) []byte {
	return []byte("From: " + from + "\r\nTo: me@firm.example\r\nBcc: secret@x.org\r\nSubject: " + subject +
		"\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" +
		"--b\r\nContent-Type: text/plain\r\n\r\nBody of " + subject + "\r\n" +
		"--b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=\"../offer.pdf\"\r\n" +
		"Content-Transfer-Encoding: base64\r\n\r\nVGhlIG9mZmVy\r\n--b--\r\n")
}

func TestMailOfATicketIsShownToThoseWhoSeeTheTicket(t *testing.T) { // R-TKT-06, R-TKT-08, R-CHG-07, R-MSG-04
	t.Parallel()
	w := newWorld(t, fake.Options{SearchOff: true})
	_, all := kinds(w, reader)
	ctx := t.Context()
	for _, m := range all {
		for _, user := range []acl.UserID{"carl", "rob", "zoe", "adam", "olga"} {
			want := storage.ErrNotFound
			if user == "carl" || m.Subject == "shared" {
				want = nil
			}
			v, err := w.svc.Shown(ctx, w.actor(user), m.ID, htmlsafe.Options{})
			require.ErrorIs(t, err, want, "%q shown to %q", m.Subject, user)
			require.Equal(t, user == "carl" && m.Subject == "shared", len(v.Message.Bcc) > 0, "Bcc of %q for %q", m.Subject, user)
			_, r, err := w.svc.ShownPart(ctx, w.actor(user), m.ID, "2")
			if want != nil {
				require.EqualError(t, err, `read message "`+string(m.ID)+`": not found`)
				continue
			}
			require.Equal(t, m.ID, v.Message.ID)
			require.Contains(t, v.Body.New, "Body of")
			if m.Subject == "shared" {
				require.NoError(t, err)
				file, err := io.ReadAll(r)
				require.NoError(t, err)
				require.NoError(t, r.Close())
				require.Equal(t, "The offer", string(file))
			}
		}
	}
}

func TestMailIsShownToNobodyOutsideItsSite(t *testing.T) { // R-ACL-07, R-INB-12, R-ROL-07
	t.Parallel()
	w := newWorld(t, fake.Options{SearchOff: true})
	in, all := kinds(w, reader)
	ctx := t.Context()
	refused := func(why string, actor acl.Actor) {
		t.Helper()
		for _, m := range all {
			_, err := w.svc.Shown(ctx, actor, m.ID, htmlsafe.Options{})
			require.ErrorIs(t, err, storage.ErrNotFound, "%s: %q", why, m.Subject)
			_, _, err = w.svc.ShownPart(ctx, actor, m.ID, "2")
			require.ErrorIs(t, err, storage.ErrNotFound, "%s: part of %q", why, m.Subject)
		}
	}
	elsewhere := w.actor("carl")
	elsewhere.Site = "site-2"
	refused("another site", elsewhere)
	gone := w.actor("carl")
	gone.State = acl.Deactivated
	refused("deactivated", gone)
	require.NoError(t, w.svc.Delete(ctx, w.actor("carl"), in.ID))
	refused("in the trash", w.actor("carl"))
	_, err := w.svc.Shown(ctx, w.actor("carl"), "none", htmlsafe.Options{})
	require.ErrorIs(t, err, storage.ErrNotFound)
}

func TestOfAMovedTicketOnlyTheMailsOwnCreatorIsToldOfHiddenMail(t *testing.T) { // R-TKT-08, R-CHG-07, R-FEA-08
	t.Parallel()
	var toSite recorder
	w := newWorld(t, fake.Options{SearchOff: true}, func(c *inbox.Config) { c.SiteNotifier = &toSite })
	in, all := kinds(w, reader)
	other := w.inboxOf("in-zoe", site, acl.Grant{User: "carl", Access: acl.ReadOnly}, reader)
	ctx := t.Context()
	for _, user := range []acl.UserID{"zoe", "carl", "rob"} {
		require.NoError(t, w.svc.Watch(ctx, w.actor(user), other.ID, inbox.Watch{Events: []inbox.EventName{customerReply}}))
	}
	require.NoError(t, w.svc.WatchForSite(ctx, w.actor("zoe"), other.ID, inbox.SiteWatch{Events: []inbox.EventName{customerReply}, Content: true}))
	told := func(m inbox.Message) []string {
		t.Helper()
		toSite.got = nil
		m.Inbox = other.ID // where the ticket is
		w.aboutMessage(m)
		return w.deliver()
	}
	w.deliver()
	for _, m := range all {
		want := []string{"carl ticket.customer.reply"}
		if m.Subject == "shared" {
			want = append(want, "zoe ticket.customer.reply", "rob ticket.customer.reply")
		}
		require.ElementsMatch(t, want, told(m), m.Subject)
		require.Empty(t, toSite.got, "the creator of the mail's inbox allowed nothing")
	}
	require.NoError(t, w.svc.WatchForSite(ctx, w.actor("carl"), in.ID, inbox.SiteWatch{Events: []inbox.EventName{customerReply}}))
	for _, m := range all {
		told(m)
		require.Len(t, toSite.got, map[bool]int{true: 1}[m.Subject == "shared"], m.Subject)
		for _, n := range toSite.got {
			require.Nil(t, n.Content, "ids only, as the one who allows less says")
		}
	}
	require.NoError(t, w.svc.Delete(ctx, w.actor("carl"), in.ID))
	for _, m := range all {
		require.Empty(t, told(m), "its inbox is in the trash")
		require.Empty(t, toSite.got)
	}
}

func TestSeeableOfAnotherInboxIsOnlyWhatEverybodySees(t *testing.T) { // R-CHG-07
	t.Parallel()
	in := inbox.Inbox{ID: "in-1", Creator: "carl"}
	for _, m := range []inbox.Message{{Hidden: true}, {Private: true}, {Removed: true}} {
		m.Inbox = "in-1"
		require.True(t, inbox.Seeable(&in, acl.Actor{User: "carl"}, &m))
		require.False(t, inbox.Seeable(&in, acl.Actor{User: "rob"}, &m))
		m.Inbox = "in-2"
		require.False(t, inbox.Seeable(&in, acl.Actor{User: "carl"}, &m), "carl created another inbox")
	}
	require.True(t, inbox.Seeable(&in, acl.Actor{User: "rob"}, &inbox.Message{Inbox: "in-2"}))
}
