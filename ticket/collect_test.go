package ticket_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/provider/rfc822"
	"github.com/workinbox/workinbox/ticket"
)

func TestMailBecomesOneTicketPerThread(t *testing.T) {
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	require.Equal(t, "offer", offer.Subject)
	require.Equal(t, ticket.Active, offer.Status)
	require.Equal(t, ticket.SourceEmail, offer.Source, "R-TKT-02")
	require.EqualValues(t, 1, offer.Number)
	require.NotEmpty(t, offer.Customer)
	require.Equal(t, []string{"ticket.created"}, w.events())

	w.advance(time.Minute)
	w.deliver("Ann <ann@acme.com>", "offer", "Message-ID: <two@acme.com>", "References: <ask@acme.com>")
	w.deliver("Bob <bob@beta.com>", "offer")
	require.Equal(t, ticket.Collected{Opened: 1, Extended: 1, Changes: 2}, w.pull())
	all := w.tickets()
	require.Len(t, all, 2, "R-MSG-07: the subject alone joins nothing")
	require.Equal(t, ticket.Collected{}, w.collect(), "nothing is left to collect")
	require.Equal(t, []string{"ticket.created", "ticket.customer.reply", "ticket.created"}, w.events())
}

func TestMailOfAnotherThreadJoinsTheTicketItRefersTo(t *testing.T) { // R-MSG-07
	t.Parallel()
	for _, row := range []struct{ name, field string }{
		{"References", "References: <unknown@x.org> <ask@acme.com>"},
		{"In-Reply-To alone", "In-Reply-To: <ask@acme.com>"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w, offer := asked(t, fake.Options{})
			w.advance(time.Minute)
			w.account.Deliver(mailText("Tom <tom@third.org>", w.account.Address(), "something else", row.field),
				fake.Delivery{Thread: "elsewhere"})
			w.pull()
			got := w.only()
			require.Equal(t, offer.ID, got.ID)
			require.Equal(t, []inbox.ThreadID{offer.Threads[0], "elsewhere"}, got.Threads)
			require.Equal(t, "offer", got.Subject)
			require.Equal(t, offer.Customer, got.Customer, "the ticket stays its customer's")

			w.advance(time.Minute)
			w.account.Deliver(mailText("Tom <tom@third.org>", w.account.Address(), "more"), fake.Delivery{Thread: "elsewhere"})
			w.pull()
			require.Equal(t, 3, w.only().Messages, "later mail of that thread follows by the thread alone")
		})
	}
}

func TestStatusFollowsTheMail(t *testing.T) { // R-STA-08 through Collect
	t.Parallel()
	answer := []string{"References: <ask@acme.com>", "Message-ID: <second@mail.example>"}
	for _, row := range []struct {
		name    string
		from    ticket.Status
		deliver func(w *world)
		to      ticket.Status
		lines   []string
	}{
		{"R-STA-02 client answers a solved ticket", ticket.Solved,
			func(w *world) { w.deliver("ann@acme.com", "re", answer...) }, ticket.Active,
			[]string{"received", "changed status active>solved by carl", "received", "changed status solved>active"}},
		{"R-STA-08 client writes into spam", ticket.Spam,
			func(w *world) { w.deliver("ann@acme.com", "re", answer...) }, ticket.Spam,
			[]string{"received", "changed status active>spam by carl", "received"}},
		{"R-IMP-12 owner answers in a mail program", ticket.OnHold,
			func(w *world) { w.deliverSent("ann@acme.com", "re", answer...) }, ticket.Waiting,
			[]string{"received", "changed status active>on-hold by carl", "sent by carl", "changed status on-hold>waiting"}},
		{"11.6 out of office", ticket.Waiting, func(w *world) {
			w.deliver("ann@acme.com", "away", append(answer, "Auto-Submitted: auto-replied")...)
		}, ticket.Waiting,
			[]string{"received", "changed status active>waiting by carl", "received"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w, offer := asked(t, fake.Options{})
			w.advance(time.Minute)
			_, err := w.svc.SetStatus(t.Context(), w.actor("carl"), offer.ID, row.from)
			require.NoError(t, err)
			w.advance(time.Minute)
			row.deliver(w)
			w.pull()
			require.Equal(t, row.to, w.only().Status)
			require.Equal(t, row.lines, w.lines(offer.ID))
		})
	}
}

func TestMailWhoseSenderIsInDoubtReopensNothing(t *testing.T) { // R-FLT-11
	t.Parallel()
	w := newWorld(t, fake.Options{Kind: "gmail"})
	w.open(false)
	w.advance(time.Minute)
	w.deliver("ann@acme.com", "offer", "Message-ID: <ask@acme.com>")
	w.pull()
	offer := w.only()
	_, err := w.svc.SetStatus(t.Context(), w.actor("carl"), offer.ID, ticket.Solved)
	require.NoError(t, err)
	before := w.events()
	w.advance(time.Minute)
	w.account.Deliver(mailText("ann@acme.com", w.account.Address(), "pay here", "References: <ask@acme.com>",
		"Authentication-Results: mx.google.com; dmarc=fail header.from=acme.com"), fake.Delivery{})
	w.pull()
	got := w.only()
	require.Equal(t, 2, got.Messages, "it is shown")
	require.Equal(t, ticket.Solved, got.Status)
	require.Equal(t, before, w.events(), "and triggers nothing")
}

func TestImportIsSilentAndTakesTheStatusOfTheLastMail(t *testing.T) { // R-IMP-05, R-IMP-07, R-IMP-09
	t.Parallel()
	w := newWorld(t, fake.Options{PageSize: 2})
	hour := func(h int) fake.Delivery { return fake.Delivery{Received: connected.Add(time.Duration(h) * time.Hour)} }
	sent := func(h int) fake.Delivery { d := hour(h); d.Sent = true; return d }
	me := w.account.Address()
	w.account.Deliver(mailText("ann@acme.com", me, "first", "Message-ID: <a1@acme.com>"), hour(-50))
	w.account.Deliver(mailText(me, "ann@acme.com", "Re: first", "References: <a1@acme.com>"), sent(-40))
	w.account.Deliver(mailText("ann@acme.com", me, "away", "References: <a1@acme.com>", "Auto-Submitted: auto-replied"), hour(-39))
	w.account.Deliver(mailText("bob@beta.com", me, "second", "Message-ID: <b1@beta.com>"), hour(-30))
	w.account.Deliver(mailText(me, "bob@beta.com", "Re: second", "References: <b1@beta.com>"), sent(-20))
	w.account.Deliver(mailText("bob@beta.com", me, "Re: second again", "References: <b1@beta.com>"), hour(-10))
	w.open(true)
	w.pull()

	got := map[string]ticket.Status{}
	for _, tk := range w.tickets() {
		got[tk.Subject] = tk.Status
		require.True(t, tk.Imported)
		require.NotContains(t, strings.Join(w.lines(tk.ID), "\n"), "changed", "an import tells no changes")
	}
	require.Equal(t, map[string]ticket.Status{"first": ticket.Waiting, "second": ticket.Active}, got,
		"of each thread the oldest mail names the ticket and the last one a person wrote decides")
	require.Empty(t, w.events(), "imported mail is silent")
}

func TestBackfilledMailLeavesAloneWhatAPersonMayHaveSet(t *testing.T) { // R-IMP-07, R-IMP-09
	t.Parallel()
	for from, to := range map[ticket.Status]ticket.Status{
		ticket.Solved: ticket.Solved, ticket.Spam: ticket.Spam, "in-review": "in-review",
		ticket.Waiting: "triage", ticket.Active: "triage", "triage": "triage",
	} {
		w := newWorld(t, fake.Options{})
		w.open(false)
		w.choices()
		_, err := w.inboxes.Edit(t.Context(), w.actor("carl"), w.in.ID,
			inbox.Edit{Settings: &inbox.InboxSettings{DefaultStatus: "triage"}})
		require.NoError(t, err)
		c := talk(newRand(2), 1, false, false)[0]
		c.Private = false
		w.put(c)
		w.collect()
		_, err = w.svc.SetStatus(t.Context(), w.actor("carl"), w.only().ID, from)
		require.NoError(t, err)
		before := w.events()

		found := c
		found.ID, found.Remote, found.RFCID, found.Imported = "found", "found", "found", true
		found.Direction, found.Class = filter.Inbound, rfc822.ClassHuman
		found.Received = c.Received.Add(time.Hour)
		w.put(found)
		w.collect()
		require.Equal(t, to, w.only().Status, "imported mail on a ticket that is %s", from)
		require.Equal(t, before, w.events())
	}
}

func TestDefaultStatusOfTheInbox(t *testing.T) { // R-INB-14, R-STA-08
	t.Parallel()
	w := newWorld(t, fake.Options{})
	w.choices()
	w.open(false)
	_, err := w.inboxes.Edit(t.Context(), w.actor("carl"), w.in.ID,
		inbox.Edit{Settings: &inbox.InboxSettings{DefaultStatus: "triage"}})
	require.NoError(t, err)
	w.advance(time.Minute)
	w.deliver("ann@acme.com", "offer", "Message-ID: <ask@acme.com>")
	w.pull()
	require.Equal(t, ticket.Status("triage"), w.only().Status)
	w.advance(time.Minute)
	w.deliver("ann@acme.com", "more", "References: <ask@acme.com>")
	w.pull()
	require.Equal(t, ticket.Active, w.only().Status)
}

func TestLateMailReopensWhatWasSolvedMeanwhile(t *testing.T) { // R-STA-02
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	w.advance(time.Minute)
	w.deliver("ann@acme.com", "one more thing", "References: <ask@acme.com>")
	w.advance(time.Minute)
	_, err := w.svc.SetStatus(t.Context(), w.actor("rita"), offer.ID, ticket.Solved)
	require.NoError(t, err)
	w.pull()
	require.Equal(t, ticket.Active, w.only().Status, "the client wrote before it was solved, but nobody had read it")
}

func TestACopyIsShownOnce(t *testing.T) { // R-IMP-06
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	w.advance(time.Minute)
	w.deliver("Ann <ann@acme.com>", "offer", "Message-ID: <ask@acme.com>")
	w.pull()
	require.Equal(t, 1, w.only().Messages)
	require.Len(t, w.entries(offer.ID), 1)
}

func TestMailOnAnArchivedTicketOpensANewOne(t *testing.T) { // R-STA-06, R-STA-08
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	old := offer.Clone()
	old.Status, old.ArchivedAt = ticket.Closed, w.clock()
	_, err := w.store.SaveTickets(t.Context(), []ticket.Write{{Ticket: old}})
	require.NoError(t, err)

	for _, subject := range []string{"again", "and again"} {
		w.advance(time.Minute)
		w.deliver("ann@acme.com", subject, "References: <ask@acme.com>")
		w.pull()
	}
	// Mail older than the archived ticket's own must not send the thread back to it.
	w.account.Deliver(mailText("ann@acme.com", w.account.Address(), "delayed", "References: <ask@acme.com>"),
		fake.Delivery{Received: connected.Add(time.Second)})
	w.pull()
	w.advance(time.Minute)
	w.deliver("ann@acme.com", "last", "References: <ask@acme.com>")
	w.pull()

	all := w.tickets()
	require.Len(t, all, 2)
	require.Equal(t, 4, all[0].Messages, "the new ticket takes what comes later")
	require.Equal(t, ticket.Active, all[0].Status)
	require.Equal(t, offer.ID, all[1].ID)
	require.Equal(t, 1, all[1].Messages)
	require.Equal(t, ticket.Closed, all[1].Status, "the archived one stays as it was")

	again := all[0].Clone()
	again.ArchivedAt = w.clock()
	_, err = w.store.SaveTickets(t.Context(), []ticket.Write{{Ticket: again}})
	require.NoError(t, err)
	w.advance(time.Minute)
	w.deliver("ann@acme.com", "years later", "References: <ask@acme.com>")
	w.pull()
	require.Len(t, w.tickets(), 3, "both are archived")
}

func TestMailOnADeletedTicketOpensANewOne(t *testing.T) {
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	gone := offer.Clone()
	gone.DeletedAt = w.clock()
	_, err := w.store.SaveTickets(t.Context(), []ticket.Write{{Ticket: gone}})
	require.NoError(t, err)
	w.advance(time.Minute)
	w.deliver("ann@acme.com", "again", "References: <ask@acme.com>")
	w.pull()
	require.NotEqual(t, offer.ID, w.only().ID)
}

func TestEachInboxHasItsOwnTicketOfTheSameMail(t *testing.T) { // R-MSG-08
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	first := w.in
	w.account = w.mail.Account("sales@firm.example")
	w.open(false)
	w.advance(time.Minute)
	w.account.Deliver(mailText("ann@acme.com", "me@firm.example", "offer", "Message-ID: <ask@acme.com>"), fake.Delivery{})
	w.pull()
	all := w.tickets()
	require.Len(t, all, 2)
	require.NotEqual(t, all[0].Inbox, all[1].Inbox)
	require.Equal(t, first.ID, offer.Inbox)
}
