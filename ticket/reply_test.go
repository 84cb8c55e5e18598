package ticket_test

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/provider/rfc822"
	"github.com/workinbox/workinbox/ticket"
)

// lastSent parses the last mail that left.
func (w *world) lastSent() *rfc822.Message {
	w.t.Helper()
	sends := w.account.Sends()
	require.NotEmpty(w.t, sends, "mail that left")
	m, err := rfc822.Parse(bytes.NewReader(sends[len(sends)-1].Raw), rfc822.Limits{})
	require.NoError(w.t, err)
	return m
}

func bare(as []rfc822.Address) string {
	var out []string
	for _, a := range as {
		out = append(out, a.Address)
	}
	return strings.Join(out, " ")
}

func TestReplyIsAMailInTheThread(t *testing.T) { // R-STA-03, R-MSG-10, PROVIDERS 8.3
	t.Parallel()
	w, offer := asked(t, fake.Options{}, "References: <older@acme.com>")
	w.advance(time.Minute)
	e, err := w.svc.Reply(t.Context(), w.actor("rita"), offer.ID,
		ticket.Reply{Text: "It costs 5.", Status: ticket.OnHold, ExpectedLast: offer.Latest})
	require.NoError(t, err)
	require.Equal(t, ticket.OutgoingSent, e.Outgoing.State)

	m := w.lastSent()
	require.Equal(t, []rfc822.Address{{Name: "Carl", Address: "me@firm.example"}}, m.Envelope.From, "R-MSG-10: the owner's name")
	require.Equal(t, "ann@acme.com", bare(m.Envelope.To))
	require.Equal(t, "Re: offer", m.Envelope.Subject)
	require.Equal(t, []string{"ask@acme.com"}, m.Envelope.InReplyTo)
	require.Equal(t, []string{"older@acme.com", "ask@acme.com"}, m.Envelope.References)
	require.Equal(t, e.RFCID, m.Envelope.MessageID)
	require.Equal(t, e.Outgoing.Marker, m.Header.Get(provider.MarkerHeader))
	require.Len(t, e.Outgoing.Marker, 32)
	require.Contains(t, m.Text, "It costs 5.\n\nOn Tue, 31 Mar 2026 at 10:00 +0000, Ann <ann@acme.com> wrote:\n> Body of offer")
	require.Equal(t, offer.Threads[0], w.account.Sends()[0].Thread)

	require.Equal(t, "It costs 5.", e.Text, "the history holds what was written, not what was quoted")
	require.Equal(t, ticket.OnHold, w.only().Status)
	require.Equal(t, []string{"received", "replied sent by rita", "changed status active>on-hold by rita"}, w.lines(offer.ID))
	require.Equal(t, []string{"ticket.created", "ticket.agent.reply", "ticket.status"}, w.events())
	require.Equal(t, acl.UserID("rita"), w.due()[1].Actor)

	before := w.only()
	w.pull()
	got := w.only()
	require.Equal(t, []string{"received", "replied sent by rita", "changed status active>on-hold by rita"}, w.lines(offer.ID),
		"R-IMP-13: the copy in the sent folder is the same entry")
	require.Equal(t, before.Messages+1, got.Messages)
	require.Equal(t, got.Last, w.entries(offer.ID)[1].Message)
	require.Equal(t, ticket.OnHold, got.Status)
	require.Equal(t, []string{"ticket.created", "ticket.agent.reply", "ticket.status"}, w.events())
}

func TestReplyRecipients(t *testing.T) { // R-MSG-04, PROVIDERS 8.3
	t.Parallel()
	cc := "Cc: Tom <tom@third.org>, me@firm.example, rita@firm.example"
	addr := func(s ...string) (out []rfc822.Address) {
		out = []rfc822.Address{}
		for _, a := range s {
			out = append(out, rfc822.Address{Address: a})
		}
		return out
	}
	for _, row := range []struct {
		name        string
		header      []string
		reply       ticket.Reply
		to, cc, bcc string
	}{
		{"the sender alone", []string{cc}, ticket.Reply{}, "ann@acme.com", "", ""},
		{"Reply-To", []string{"Reply-To: desk@acme.com"}, ticket.Reply{}, "desk@acme.com", "", ""},
		{"everybody but the mailbox and the agent", []string{cc}, ticket.Reply{All: true}, "ann@acme.com", "tom@third.org", ""},
		{"Cc given", []string{cc}, ticket.Reply{All: true, Cc: addr("eve@x.org")}, "ann@acme.com", "eve@x.org", ""},
		{"Cc taken off", []string{cc}, ticket.Reply{All: true, Cc: addr()}, "ann@acme.com", "", ""},
		{"To given", []string{cc}, ticket.Reply{To: addr("boss@acme.com")}, "boss@acme.com", "", ""},
		{"Bcc", nil, ticket.Reply{Bcc: addr("log@firm.example")}, "ann@acme.com", "", "log@firm.example"},
		{"got as a blind copy: the sender alone", []string{"To: tom@third.org", cc[:len(cc)-len(", me@firm.example, rita@firm.example")]},
			ticket.Reply{All: true}, "ann@acme.com", "", ""},
		{"got as a blind copy, confirmed", []string{"To: eve@third.org", "Cc: tom@third.org"},
			ticket.Reply{All: true, Confirmed: true}, "ann@acme.com", "eve@third.org tom@third.org", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w, offer := asked(t, fake.Options{}, row.header...)
			row.reply.Text = "hello"
			e, err := w.svc.Reply(t.Context(), w.actor("rita"), offer.ID, row.reply)
			require.NoError(t, err)
			m := w.lastSent()
			require.Equal(t, [3]string{row.to, row.cc, row.bcc},
				[3]string{bare(m.Envelope.To), bare(m.Envelope.Cc), bare(m.Envelope.Bcc)}, "To, Cc and Bcc of the mail")
			require.Equal(t, [3]string{row.to, row.cc, row.bcc}, [3]string{bare(e.To), bare(e.Cc), bare(e.Bcc)},
				"To, Cc and Bcc of the entry")
		})
	}
}

func TestReplyAnswersTheNewestMailAPersonWrote(t *testing.T) {
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	w.advance(time.Minute)
	w.deliverSent("Ann <ann@acme.com>", "Re: offer", "Message-ID: <mine@firm.example>", "References: <ask@acme.com>")
	w.advance(time.Minute)
	w.deliver("ann@acme.com", "Away", "References: <mine@firm.example>", "Auto-Submitted: auto-replied")
	w.pull()
	w.advance(time.Minute)
	_, err := w.svc.Reply(t.Context(), w.actor("carl"), offer.ID, ticket.Reply{Text: "And also this.", NoQuote: true})
	require.NoError(t, err)
	m := w.lastSent()
	require.Equal(t, "ann@acme.com", bare(m.Envelope.To), "the answer to one's own mail goes where that went")
	require.Equal(t, []string{"mine@firm.example"}, m.Envelope.InReplyTo)
	require.Equal(t, "And also this.", strings.TrimSpace(m.Text), "no quote")
}

func TestASiteLeavesOutWhatIsAnswered(t *testing.T) { // R-MSG-09
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	w.host.SetSite(inbox.Settings{ID: site, NoQuote: true})
	w.reply(offer.ID)
	require.Equal(t, "hello", strings.TrimSpace(w.lastSent().Text))
	w.forward("rita", offer.ID, ticket.Forward{To: addresses("tom")})
	require.Contains(t, w.lastSent().Text, "Body of offer", "what is forwarded is no quote")
}

func TestReplyNeverQuotesHiddenMail(t *testing.T) { // R-CHG-07
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	w.advance(time.Minute)
	w.deliver("tom@third.org", "secret", "References: <ask@acme.com>")
	w.pull()
	yes := true
	w.change(inbox.MessageChange{ID: w.only().Last, Hidden: &yes})
	w.collect()
	for _, user := range []acl.UserID{"rita", "carl"} {
		_, err := w.svc.Reply(t.Context(), w.actor(user), offer.ID, ticket.Reply{Text: "hello"})
		require.NoError(t, err)
		m := w.lastSent()
		require.Equal(t, "ann@acme.com", bare(m.Envelope.To))
		require.NotContains(t, m.Text, "secret")
	}

	// Where all is hidden the ticket is the creator's alone, and so is the answer.
	w.change(inbox.MessageChange{ID: w.only().Last, Hidden: &yes})
	w.collect()
	hidden := w.only()
	require.True(t, hidden.Hidden())
	_, err := w.svc.Reply(t.Context(), w.actor("carl"), offer.ID, ticket.Reply{Text: "hello"})
	require.NoError(t, err)
	require.Contains(t, w.lastSent().Text, "secret")
}

func TestReplyInHTMLWithSignatureAndFile(t *testing.T) { // R-MSG-11
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	_, err := w.inboxes.Edit(t.Context(), w.actor("carl"), w.in.ID,
		inbox.Edit{Settings: &inbox.InboxSettings{Signature: "<b>Carl</b> of Firm"}})
	require.NoError(t, err)
	e, err := w.svc.Reply(t.Context(), w.actor("rita"), offer.ID, ticket.Reply{HTML: "<p>Costs <i>5</i></p>",
		Attachments: []rfc822.Attachment{{Name: "price.txt", Type: "text/plain",
			Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("5")), nil }}}})
	require.NoError(t, err)
	require.Equal(t, "Costs 5", strings.TrimSpace(e.Text))
	m := w.lastSent()
	require.Contains(t, m.HTML, "<p>Costs <i>5</i></p><br><b>Carl</b> of Firm<br>")
	require.Contains(t, m.HTML, "Body of offer")
	require.Contains(t, m.Text, "Costs 5\n\n-- \nCarl of Firm\n\nOn Tue")
	require.Len(t, m.Parts, 1)
	require.Equal(t, "price.txt", m.Parts[0].Name)
}

func TestARefusedReplyLeavesNothingBehind(t *testing.T) { // 11.14
	t.Parallel()
	for _, row := range []struct {
		name  string
		reply ticket.Reply
		first func(w *world)
		err   error
	}{
		{"stale before it is written", ticket.Reply{Text: "x", ExpectedLast: "old"}, nil, ticket.ErrStaleThread},
		{"stale while it is written", ticket.Reply{Text: "x"}, func(w *world) {
			w.store.before = func() {
				w.store.before = nil
				w.advance(time.Minute)
				w.deliver("ann@acme.com", "wait", "References: <ask@acme.com>")
				w.pull()
			}
		}, ticket.ErrStaleThread},
		{"access lost while it is written", ticket.Reply{Text: "x"}, func(w *world) {
			w.store.before = func() {
				w.store.before = nil
				_, err := w.inboxes.Share(w.t.Context(), w.actor("carl"), w.in.ID, acl.Grant{User: "rita", Access: acl.ReadOnly})
				require.NoError(w.t, err)
				_, err = w.svc.Note(w.t.Context(), w.actor("rob"), w.only().ID, "so that it conflicts")
				require.NoError(w.t, err)
			}
		}, acl.ErrDenied},
		{"nothing written", ticket.Reply{Text: " \n", HTML: " "}, nil, ticket.ErrEmpty},
		{"nobody to send it to", ticket.Reply{Text: "x", To: []rfc822.Address{}}, nil, nil},
		{"an address that is none", ticket.Reply{Text: "x", To: []rfc822.Address{{Address: "nobody"}}}, nil, nil},
		{"a file that cannot be read", ticket.Reply{Text: "x", Attachments: []rfc822.Attachment{{Name: "a",
			Open: func() (io.ReadCloser, error) { return nil, errFault }}}}, nil, errFault},
		{"the store refuses", ticket.Reply{Text: "x"}, func(w *world) { w.store.failFrom(1, false) }, errFault},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w, offer := asked(t, fake.Options{})
			mails := w.blobs()
			if row.first != nil {
				row.first(w)
			}
			if row.reply.ExpectedLast == "" {
				row.reply.ExpectedLast = offer.Latest
			}
			e, err := w.svc.Reply(t.Context(), w.actor("rita"), offer.ID, row.reply)
			require.Error(t, err)
			if row.err != nil {
				require.ErrorIs(t, err, row.err)
			}
			require.Zero(t, e.ID)
			w.store.heal()
			for _, e := range w.entries(offer.ID) {
				require.Nil(t, e.Outgoing, "an entry is left")
				if e.Kind == ticket.EntryReceived && e.RFCID != "ask@acme.com" {
					mails++
				}
			}
			require.Equal(t, mails, w.blobs(), "raw mails that are kept")
			_, err = w.svc.Dispatch(t.Context(), 0)
			require.NoError(t, err)
			require.Empty(t, w.account.Sends())
		})
	}
}

func TestAReplyWhoseStoreLostItsAnswerIsNotRefused(t *testing.T) {
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	w.store.failFrom(1, true) // the entry is written, and nothing works after
	e, err := w.svc.Reply(t.Context(), w.actor("rita"), offer.ID, ticket.Reply{Text: "x"})
	require.NoError(t, err, "it is queued, so a person who wrote it again would send it twice")
	require.Equal(t, ticket.OutgoingQueued, e.Outgoing.State)
	w.store.heal()
	_, err = w.svc.Dispatch(t.Context(), 0)
	require.NoError(t, err)
	require.Len(t, w.account.Sends(), 1)
}

func TestNothingToAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fake.Options{})
	w.open(false)
	w.advance(time.Minute)
	w.deliver("mailer-daemon@acme.com", "Undelivered", "Auto-Submitted: auto-replied")
	w.pull()
	_, err := w.svc.Reply(t.Context(), w.actor("rita"), w.only().ID, ticket.Reply{Text: "x"})
	require.ErrorIs(t, err, ticket.ErrNothingToAnswer)
}

func TestBlindCopiesAreTheCreatorsAndTheAuthors(t *testing.T) { // R-MSG-04
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	_, err := w.svc.Reply(t.Context(), w.actor("rita"), offer.ID,
		ticket.Reply{Text: "x", Bcc: []rfc822.Address{{Address: "log@firm.example"}}})
	require.NoError(t, err)
	w.advance(time.Minute)
	w.deliverSent("Ann <ann@acme.com>", "Re: offer", "References: <ask@acme.com>", "Bcc: secret@firm.example")
	w.pull()
	for user, want := range map[acl.UserID][]string{
		"carl": {"log@firm.example", "secret@firm.example"}, "rita": {"log@firm.example"},
		"rob": nil, "olga": nil, "ina": nil,
	} {
		var got []string
		for e, err := range w.svc.Entries(t.Context(), w.actor(user), offer.ID) {
			require.NoError(t, err)
			for _, a := range e.Bcc {
				got = append(got, a.Address)
			}
		}
		require.Equal(t, want, got, "%s sees", user)
	}
	w.advance(time.Minute)
	_, err = w.svc.Reply(t.Context(), w.actor("rita"), offer.ID, ticket.Reply{Text: "y", All: true})
	require.NoError(t, err)
	require.NotContains(t, string(w.account.Sends()[1].Raw), "log@", "never quoted, never answered")
	require.NotContains(t, string(w.account.Sends()[1].Raw), "secret@")
}

func TestAMailThatIsTooLargeIsRefusedAndNothingStays(t *testing.T) { // R-MSG-11: up to the provider's limit
	t.Parallel()
	w, offer := asked(t, fake.Options{MaxSend: 10_000})
	before, kept := w.lines(offer.ID), w.blobs()
	reply := func(size int) error {
		_, err := w.svc.Reply(t.Context(), w.actor("rita"), offer.ID, ticket.Reply{Text: "see file", Attachments: []rfc822.Attachment{{
			Name: "a.bin", Size: int64(size), Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(make([]byte, size))), nil },
		}}})
		return err
	}
	require.ErrorIs(t, reply(9_000), ticket.ErrMailTooLarge)
	require.Equal(t, before, w.lines(offer.ID))
	require.Equal(t, kept, w.blobs())
	require.NoError(t, reply(5_000))
	require.Len(t, w.account.Sends(), 1)
}

func TestWhatWasTakenBackIsNoNews(t *testing.T) { // 11.14
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	reply := func(user acl.UserID, seen ticket.EntryID) (ticket.Entry, error) {
		w.advance(time.Second)
		return w.svc.Reply(t.Context(), w.actor(user), offer.ID, ticket.Reply{Text: "from " + string(user), ExpectedLast: seen})
	}
	w.undo(time.Minute)
	first, err := reply("rita", offer.Latest)
	require.NoError(t, err)
	_, err = reply("carl", offer.Latest)
	require.ErrorIs(t, err, ticket.ErrStaleThread, "it may leave yet")
	w.recall("rita", first)
	second, err := reply("carl", offer.Latest)
	require.NoError(t, err, "who saw the client's mail")
	w.recall("carl", second)
	third, err := reply("rita", first.ID)
	require.NoError(t, err, "who saw the first that was recalled")
	w.recall("rita", third)
	w.deliver("Ann <ann@acme.com>", "Re: offer", "References: <ask@acme.com>")
	w.pull()
	fourth, err := reply("rita", w.stored(offer.ID).Latest)
	require.NoError(t, err)
	w.recall("rita", fourth)
	for _, seen := range []ticket.EntryID{offer.Latest, first.ID, third.ID, "of no ticket"} {
		_, err = reply("carl", seen)
		require.ErrorIs(t, err, ticket.ErrStaleThread, "Ann wrote again after %s", seen)
	}
	_, err = reply("carl", fourth.ID)
	require.NoError(t, err)
}

func TestOfTwoAnswersAtOnceTheSecondIsAskedToLookAgain(t *testing.T) { // 11.14
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	reply := func(user acl.UserID, seen ticket.EntryID) (ticket.Entry, error) {
		return w.svc.Reply(t.Context(), w.actor(user), offer.ID, ticket.Reply{Text: "from " + string(user), ExpectedLast: seen})
	}
	first, err := reply("rita", offer.Latest)
	require.NoError(t, err)
	_, err = reply("carl", offer.Latest)
	require.ErrorIs(t, err, ticket.ErrStaleThread, "before the copy is back")
	require.Len(t, w.account.Sends(), 1)
	_, err = reply("rita", first.ID)
	require.NoError(t, err, "her own p.s.")
	w.pull()
	now := w.stored(offer.ID).Latest
	require.NotEqual(t, first.ID, now)
	_, err = reply("carl", now)
	require.NoError(t, err, "the copies that came back are no news")
	w.advance(time.Minute)
	w.deliver("Ann <ann@acme.com>", "Re: offer", "References: <ask@acme.com>")
	w.pull()
	_, err = reply("rita", w.entries(offer.ID)[2].ID)
	require.ErrorIs(t, err, ticket.ErrStaleThread)
}
