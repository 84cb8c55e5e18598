package ticket_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/provider/rfc822"
	"github.com/workinbox/workinbox/ticket"
)

// bounce is the report that a mail could not be delivered to somebody.
func bounce(of, status string, to ...string) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "Return-Path: <>\r\nFrom: MAILER-DAEMON@mx.example\r\nTo: me@firm.example\r\n"+
		"Subject: Undelivered Mail Returned to Sender\r\nDate: Tue, 31 Mar 2026 13:00:00 +0000\r\n"+
		"Message-ID: <bounce.%s>\r\nMIME-Version: 1.0\r\n"+
		"Content-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\r\n\r\n"+
		"--b\r\nContent-Type: text/plain\r\n\r\nCould not be delivered.\r\n"+
		"--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n", of)
	for _, a := range to {
		fmt.Fprintf(&b, "Final-Recipient: rfc822; %s\r\nAction: failed\r\nStatus: %s\r\n\r\n", a, status)
	}
	fmt.Fprintf(&b, "--b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: <%s>\r\nSubject: hello\r\n\r\nx\r\n--b--\r\n", of)
	return []byte(b.String())
}

// marked says when a bounce marked the customer with the address; zero when none has.
func (w *world) marked(address string) time.Time {
	w.t.Helper()
	for c, err := range w.store.Customers(w.t.Context(), inbox.CustomerQuery{Site: site, Address: address}) {
		require.NoError(w.t, err)
		return c.Bounced
	}
	require.Fail(w.t, "no customer", address)
	return time.Time{}
}

// answered is a world where Ann was answered, with Ben in copy; Eve is a customer with another ticket.
// It returns the ticket and the Message-ID of the answer.
func answered(t *testing.T) (*world, ticket.Ticket, string) {
	t.Helper()
	w, offer := asked(t, fake.Options{})
	w.deliver("Eve <eve@acme.com>", "other")
	w.deliver("Ben <ben@acme.com>", "third")
	w.pull()
	e, err := w.svc.Reply(t.Context(), w.actor("rita"), offer.ID,
		ticket.Reply{Text: "hello", Bcc: []rfc822.Address{{Address: "ben@acme.com"}}})
	require.NoError(t, err)
	w.pull()
	offer, err = w.store.Ticket(t.Context(), offer.ID)
	require.NoError(t, err)
	w.advance(time.Hour)
	return w, offer, e.RFCID
}

func TestABounceLandsOnTheTicketOfItsMailAndMarksTheAddress(t *testing.T) { // issue 6, R-STA-08
	t.Parallel()
	w, offer, sent := answered(t)
	w.account.Deliver(bounce(sent, "5.1.1", "ANN@acme.com", "ben@acme.com", "eve@acme.com"), fake.Delivery{Thread: "elsewhere"})
	w.pull()
	require.Len(t, w.tickets(), 3, "no ticket of its own")
	got, err := w.store.Ticket(t.Context(), offer.ID)
	require.NoError(t, err)
	require.Equal(t, offer.Messages+1, got.Messages)
	require.Equal(t, ticket.Waiting, got.Status, "it does not reopen the ticket")
	require.Contains(t, w.events(), "ticket.bounced")
	require.Equal(t, w.clock(), w.marked("ann@acme.com"))
	require.Equal(t, w.clock(), w.marked("ben@acme.com"), "a blind copy too")
	require.Zero(t, w.marked("eve@acme.com"), "the mail did not go to her: anybody may have written that")
}

func TestWhatMarksNoAddress(t *testing.T) { // issue 6
	t.Parallel()
	for name, raw := range map[string]func(sent string) []byte{
		"a bounce that may pass":      func(sent string) []byte { return bounce(sent, "4.2.2", "ann@acme.com") },
		"a mail that never left here": func(string) []byte { return bounce("other@firm.example", "5.1.1", "ann@acme.com") },
		"a mail that came in":         func(string) []byte { return bounce("ask@acme.com", "5.1.1", "ann@acme.com") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, _, sent := answered(t)
			w.account.Deliver(raw(sent), fake.Delivery{Thread: "elsewhere"})
			w.pull()
			require.Zero(t, w.marked("ann@acme.com"))
		})
	}
}

func TestABounceIsNotedAlsoWhenItIsCollectedAgain(t *testing.T) {
	t.Parallel()
	for _, lose := range []bool{false, true} {
		w, offer, sent := answered(t)
		w.account.Deliver(bounce(sent, "5.1.1", "ann@acme.com"), fake.Delivery{})
		_, err := w.inboxes.Sync(t.Context(), w.in.ID)
		require.NoError(t, err)
		w.store.failFrom(1, lose)
		_, err = w.svc.Collect(t.Context(), w.in.ID)
		require.ErrorIs(t, err, errFault)
		w.store.heal()
		w.collect()
		require.Equal(t, w.clock(), w.marked("ann@acme.com"))
		got, err := w.store.Ticket(t.Context(), offer.ID)
		require.NoError(t, err)
		require.Equal(t, offer.Messages+1, got.Messages, "once")
	}
}
