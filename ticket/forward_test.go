package ticket_test

import (
	"slices"
	"strings"
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

// elsewhere is a world with a ticket in carl's inbox, and a second inbox of zoe's that rita may reply from
// and rob may not see.
func elsewhere(t *testing.T) (w *world, offer ticket.Ticket, second *fake.Account, other inbox.Inbox) {
	w, offer = asked(t, fake.Options{})
	first, in := w.account, w.in
	w.account = w.mail.Account("zoe@firm.example")
	w.connect("zoe", false, acl.Grant{User: "rita", Access: acl.ReadAndReply})
	second, other = w.account, w.in
	w.account, w.in = first, in
	return w, offer, second, other
}

func (w *world) forward(user acl.UserID, id ticket.ID, f ticket.Forward) (ticket.Ticket, ticket.Entry) {
	w.t.Helper()
	child, e, err := w.svc.Forward(w.t.Context(), w.actor(user), id, f)
	require.NoError(w.t, err)
	return child, e
}

func TestForwardOpensAChildThatAnswersLandIn(t *testing.T) { // R-MSG-06
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	w.advance(time.Minute)
	w.deliver("Ann <ann@acme.com>", "Re: offer", "References: <ask@acme.com>", "Message-ID: <second@acme.com>")
	w.pull()
	w.advance(time.Minute)
	child, e := w.forward("rita", offer.ID, ticket.Forward{To: addresses("tom"), Text: "Can you help?"})
	require.Equal(t, ticket.OutgoingSent, e.Outgoing.State)
	require.Equal(t, "Fwd: offer", child.Subject)
	require.Equal(t, ticket.Waiting, child.Status)
	require.NotEqual(t, offer.Number, child.Number)

	m := w.lastSent()
	require.Equal(t, "tom@third.org", bare(m.Envelope.To))
	require.Empty(t, m.Envelope.References, "a thread of its own")
	require.True(t, strings.HasPrefix(m.Text, "Can you help?\n"))
	require.Regexp(t, `(?s)Forwarded message.*Body of Re: offer.*Forwarded message.*Body of offer`, m.Text)

	w.advance(time.Minute)
	w.pull()
	w.advance(time.Minute)
	w.deliver("tom@third.org", "Re: Fwd: offer", "References: <"+e.RFCID+">")
	w.pull()
	require.Equal(t, []string{"forwarded sent by rita", "changed status active>waiting by rita", "received", "changed status waiting>active"},
		w.lines(child.ID))
	require.Equal(t, []string{"received", "received", "forwarded by rita"}, w.lines(offer.ID))
	seen, unseen, err := w.svc.Children(t.Context(), w.actor("rob"), offer.ID)
	require.NoError(t, err)
	require.Zero(t, unseen)
	require.Equal(t, child.ID, seen[0].ID)
}

func TestAChildElsewhereIsACountToWhoMayNotSeeIt(t *testing.T) { // R-MSG-06, 8.3 (8)
	t.Parallel()
	w, offer, second, other := elsewhere(t)
	child, _ := w.forward("rita", offer.ID, ticket.Forward{To: addresses("tom"), Text: "secret plan", Inbox: other.ID, Assignee: "zoe"})
	require.Equal(t, other.ID, child.Inbox)
	require.Equal(t, acl.UserID("zoe"), child.Assignee)
	require.Empty(t, w.account.Sends())
	require.Len(t, second.Sends(), 1, "it leaves from the child's mailbox")

	for user, sees := range map[acl.UserID]bool{"rita": true, "rob": false, "carl": false, "olga": true} {
		seen, unseen, err := w.svc.Children(t.Context(), w.actor(user), offer.ID)
		require.NoError(t, err)
		var links []ticket.ID
		for e, err := range w.svc.Entries(t.Context(), w.actor(user), offer.ID) {
			require.NoError(t, err)
			if e.Other != "" {
				links = append(links, e.Other)
			}
		}
		if sees {
			require.Len(t, seen, 1, user)
			require.Equal(t, []ticket.ID{child.ID}, links)
			continue
		}
		require.Empty(t, seen, user)
		require.Equal(t, 1, unseen, user)
		require.Empty(t, links, user)
	}
	var back []ticket.ID
	for e, err := range w.svc.Entries(t.Context(), w.actor("zoe"), child.ID) {
		require.NoError(t, err)
		back = append(back, e.Other)
	}
	require.Equal(t, ticket.ID(""), back[0], "zoe may not see where it came from")
	_, _, err := w.svc.Children(t.Context(), w.actor("zoe"), offer.ID)
	require.ErrorIs(t, err, storage.ErrNotFound)
}

func TestForwardNeedsTheRightInBothInboxes(t *testing.T) { // rows 9, c7
	t.Parallel()
	w, offer, second, other := elsewhere(t)
	for _, row := range []struct {
		user acl.UserID
		in   inbox.ID
		err  error
	}{
		{"rob", "", acl.ErrDenied}, {"zoe", "", storage.ErrNotFound}, {"olga", "", acl.ErrDenied},
		{"carl", other.ID, storage.ErrNotFound}, {"rita", "nowhere", storage.ErrNotFound},
	} {
		_, _, err := w.svc.Forward(t.Context(), w.actor(row.user), offer.ID, ticket.Forward{To: addresses("tom"), Text: "x", Inbox: row.in})
		require.ErrorIs(t, err, row.err, "%s into %q", row.user, row.in)
	}
	for name, f := range map[string]ticket.Forward{
		"nobody":             {Text: "x"},
		"nothing":            {To: addresses("tom"), NoHistory: true},
		"a stale view":       {To: addresses("tom"), Text: "x", ExpectedLast: "old"},
		"no status":          {To: addresses("tom"), Text: "x", Status: "No Such"},
		"who may not assign": {To: addresses("tom"), Text: "x", Assignee: "rob"},
	} {
		_, _, err := w.svc.Forward(t.Context(), w.actor("rita"), offer.ID, f)
		require.Error(t, err, name)
	}
	require.Len(t, w.tickets(), 1, "no child is left")
	require.Equal(t, 1, w.blobs())
	require.Equal(t, []string{"received"}, w.lines(offer.ID))
	require.Empty(t, append(w.account.Sends(), second.Sends()...))
}

func TestForwardTakesTheFilesAlong(t *testing.T) { // R-MSG-06, R-MSG-11
	t.Parallel()
	w := newWorld(t, fake.Options{})
	w.open(false)
	w.advance(time.Minute)
	raw := "From: ann@acme.com\r\nTo: me@firm.example\r\nSubject: plan\r\nMessage-ID: <plan@acme.com>\r\nMIME-Version: 1.0\r\n" +
		"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nsee file\r\n" +
		"--b\r\nContent-Type: application/pdf; name=plan.pdf\r\nContent-Disposition: attachment; filename=plan.pdf\r\n" +
		"Content-Transfer-Encoding: base64\r\n\r\nSGVsbG8=\r\n--b--\r\n"
	w.account.Deliver([]byte(raw), fake.Delivery{})
	w.pull()
	w.forward("rita", w.only().ID, ticket.Forward{To: addresses("tom"), Text: "x"})
	m := w.lastSent()
	require.Len(t, m.Parts, 1)
	require.Equal(t, "plan.pdf", m.Parts[0].Name)
	require.Equal(t, int64(5), m.Parts[0].Size)

	plan := w.tickets()[1]
	w.forward("rita", plan.ID, ticket.Forward{To: addresses("tom"), HTML: "<p>look</p>", NoFiles: true})
	m = w.lastSent()
	require.Empty(t, m.Parts)
	require.Contains(t, m.HTML, "<p>look</p>")
	require.Contains(t, m.HTML, "see file")
	w.forward("rita", plan.ID, ticket.Forward{To: addresses("tom"), Text: "only this", NoHistory: true})
	require.Equal(t, "only this", strings.TrimSpace(w.lastSent().Text))

	own := make([]rfc822.Attachment, 0, 1)
	w.forward("rita", plan.ID, ticket.Forward{To: addresses("tom"), Text: "x", Attachments: own})
	require.Empty(t, own[:1][0].Name, "what is forwarded goes into no slice of the caller's")
}

func TestForwardRepeatsNoHiddenMailAndNoBlindCopy(t *testing.T) { // R-CHG-07, R-MSG-04
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	w.advance(time.Minute)
	w.deliver("tom@third.org", "secret", "References: <ask@acme.com>")
	w.deliverSent("Ann <ann@acme.com>", "Re: offer", "References: <ask@acme.com>", "Bcc: blind@firm.example")
	w.pull()
	yes := true
	for _, e := range w.entries(offer.ID) {
		m, err := w.store.Message(t.Context(), e.Message)
		require.NoError(t, err)
		if m.Subject == "secret" {
			w.change(inbox.MessageChange{ID: m.ID, Hidden: &yes})
		}
	}
	w.collect()
	for _, user := range []acl.UserID{"rita", "carl"} {
		_, e := w.forward(user, offer.ID, ticket.Forward{To: addresses("bob"), Text: "x"})
		raw := w.raw(e.Outgoing.Blob)
		require.Contains(t, raw, "Body of Re: offer")
		require.NotContains(t, raw, "secret")
		require.NotContains(t, raw, "blind@")
	}
}

func TestAForwardThatWasNotSavedIsNotSent(t *testing.T) {
	t.Parallel()
	for n := 1; n <= 3; n++ {
		for _, lose := range []bool{false, true} {
			w, offer := asked(t, fake.Options{})
			w.store.failFrom(n, lose)
			_, e, err := w.svc.Forward(t.Context(), w.actor("rita"), offer.ID, ticket.Forward{To: addresses("tom"), Text: "x"})
			w.store.heal()
			w.dispatch(11 * time.Minute)
			if err != nil {
				require.Len(t, w.tickets(), 1, "write %d, lost %v", n, lose)
				require.Empty(t, w.account.Sends())
				continue
			}
			require.Len(t, w.tickets(), 2, "write %d, lost %v", n, lose)
			if w.outgoing(e.Ticket).Outgoing.State != ticket.OutgoingUnknown { // it may have left: a person decides
				require.Len(t, w.account.Sends(), 1, "write %d, lost %v", n, lose)
			}
		}
	}
}

func TestAChildOfASecondTryIsNotOpenedTwice(t *testing.T) {
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	w.store.before = func() { // somebody notes while the forward is written
		w.store.before = nil
		_, err := w.svc.Note(w.t.Context(), w.actor("rob"), offer.ID, "so that it conflicts")
		require.NoError(w.t, err)
	}
	w.forward("rita", offer.ID, ticket.Forward{To: addresses("tom"), Text: "x"})
	require.Len(t, w.tickets(), 2)
	require.Len(t, w.account.Sends(), 1)
	require.Equal(t, []string{"received", "noted by rob", "forwarded by rita"}, w.lines(offer.ID))
}

func TestAHiddenChildIsNotEvenCounted(t *testing.T) { // R-CHG-07
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	child, _ := w.forward("rita", offer.ID, ticket.Forward{To: addresses("tom"), Text: "x"})
	w.advance(time.Minute)
	w.pull()
	yes := true
	got, err := w.store.Ticket(t.Context(), child.ID)
	require.NoError(t, err)
	w.change(inbox.MessageChange{ID: got.Last, Hidden: &yes})
	w.collect()
	seen, unseen, err := w.svc.Children(t.Context(), w.actor("rob"), offer.ID)
	require.NoError(t, err)
	require.Empty(t, seen)
	require.Zero(t, unseen)
	seen, _, err = w.svc.Children(t.Context(), w.actor("carl"), offer.ID)
	require.NoError(t, err)
	require.Len(t, seen, 1)
}

func TestWhatIsNotValidTextIsMadeSo(t *testing.T) {
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	to := []rfc822.Address{{Name: "Tom\xff", Address: "tom@third.org"}}
	child, forwarded, err := w.svc.Forward(t.Context(), w.actor("rita"), offer.ID,
		ticket.Forward{Subject: "b\xff", Text: "x\xff", HTML: "<p>x\xff</p>", To: to, Cc: to, Bcc: to})
	require.NoError(t, err)
	started, first, err := w.svc.Start(t.Context(), w.actor("carl"), w.in.ID, ticket.Start{Subject: "b\xff", Text: "x\xff", To: to})
	require.NoError(t, err)
	answer, err := w.svc.Reply(t.Context(), w.actor("rita"), offer.ID, ticket.Reply{Text: "x\xff", To: to})
	require.NoError(t, err)
	require.Equal(t, []string{"Fwd: b\uFFFD", "b\uFFFD"}, []string{child.Subject, started.Subject})
	for _, e := range []ticket.Entry{forwarded, first, answer} {
		require.Equal(t, "x\uFFFD", e.Text)
		for _, a := range slices.Concat(e.To, e.Cc, e.Bcc) {
			require.Equal(t, rfc822.Address{Name: "Tom\uFFFD", Address: "tom@third.org"}, a)
		}
	}
	require.Equal(t, "Tom\xff", to[0].Name, "what was given is the caller's")
	_, _, err = w.svc.Start(t.Context(), w.actor("carl"), w.in.ID, ticket.Start{Text: "x", To: []rfc822.Address{{Address: "t\xff@third.org"}}})
	require.Error(t, err, "an address is not mended")
	require.Len(t, w.account.Sends(), 3)
}

// The child is of whom the mail goes to, where they are known, or of the customer somebody picks, who
// must be one they may know (R-MSG-06, R-CUS-07).
func TestAChildHasACustomer(t *testing.T) {
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	tom, err := w.inboxes.CreateCustomer(t.Context(), w.actor("olga"), inbox.CustomerEdit{Name: "Tom", Address: "tom@third.org"})
	require.NoError(t, err)
	for what, row := range map[string]struct {
		f    ticket.Forward
		want inbox.CustomerID
	}{
		"of the address": {ticket.Forward{To: addresses("tom")}, tom.ID},
		"unknown":        {ticket.Forward{To: []rfc822.Address{{Address: "who@ever.org"}}}, ""},
		"picked":         {ticket.Forward{To: addresses("tom"), Customer: offer.Customer}, offer.Customer},
	} {
		child, _ := w.forward("carl", offer.ID, row.f)
		require.Equal(t, row.want, child.Customer, what)
	}
	before := len(w.tickets())
	_, _, err = w.svc.Forward(t.Context(), w.actor("carl"), offer.ID, ticket.Forward{To: addresses("tom"), Customer: "nobody"})
	var wrong *ticket.OptionError
	require.ErrorAs(t, err, &wrong)
	require.Equal(t, "customer", wrong.Option)
	require.Len(t, w.tickets(), before, "nothing was opened")
}
