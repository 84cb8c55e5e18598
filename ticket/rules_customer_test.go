package ticket_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/provider/rfc822"
	"github.com/workinbox/workinbox/ticket"
)

func TestTheAnswerGoesToTheCustomerOfTheTicket(t *testing.T) { // R-MSG-03
	t.Parallel()
	cc := "Cc: tom@third.org, me@firm.example"
	for _, row := range []struct {
		name   string
		header string
		picked bool
		talk   func(w *world) // afterwards
		reply  ticket.Reply
		to, cc string
	}{
		{"who wrote is the customer", cc, false, nil, ticket.Reply{}, "ann@acme.com", ""},
		{"another was picked", cc, true, nil, ticket.Reply{}, "ben@acme.com", ""},
		{"all: who wrote is on the thread still", cc, true, nil, ticket.Reply{All: true}, "ben@acme.com", "ann@acme.com tom@third.org"},
		{"who was the customer writes again", cc, true, func(w *world) {
			w.deliver("ann@acme.com", "more", "References: <ask@acme.com>")
		}, ticket.Reply{}, "ben@acme.com", ""},
		{"the customer writes from another address of theirs", cc, true, func(w *world) {
			w.deliver("ben@home.example", "more", "References: <ask@acme.com>")
		}, ticket.Reply{}, "ben@home.example", ""},
		{"the owner wrote to somebody else last", cc, true, func(w *world) {
			w.deliverSent("ann@acme.com", "more", "References: <ask@acme.com>")
		}, ticket.Reply{}, "ben@acme.com", ""},
		{"R-MSG-04 got as a blind copy: the sender alone", "To: tom@third.org", true, nil, ticket.Reply{}, "ann@acme.com", ""},
		{"got as a blind copy, confirmed", "To: tom@third.org", true, nil, ticket.Reply{Confirmed: true}, "ben@acme.com", ""},
		{"To given", cc, true, nil, ticket.Reply{To: addresses("eve")}, "eve@third.org", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w, offer := asked(t, fake.Options{}, row.header)
			ben, err := w.inboxes.CreateCustomer(t.Context(), w.actor("olga"), inbox.CustomerEdit{Name: "Ben", Address: "ben@acme.com",
				Alternatives: []string{"ben@home.example"}})
			require.NoError(t, err)
			if row.picked {
				_, err = w.edit(offer.ID, ticket.Edit{Customer: &ben.ID})
				require.NoError(t, err)
			}
			w.advance(time.Minute)
			if row.talk != nil {
				row.talk(w)
				w.pull()
				w.advance(time.Minute)
			}
			row.reply.Text = "hello"
			_, err = w.svc.Reply(t.Context(), w.actor("rita"), offer.ID, row.reply)
			require.NoError(t, err)
			require.Equal(t, [2]string{row.to, row.cc}, [2]string{bare(w.lastSent().Envelope.To), bare(w.lastSent().Envelope.Cc)})
		})
	}
}

// Ben is known from an inbox of zoe's alone: whoever does not know of him does not learn of him here.
func TestAnAnswerTellsNobodyOfACustomerTheyDoNotKnow(t *testing.T) { // R-MSG-03, R-CUS-07
	t.Parallel()
	w, offer, second, other := elsewhere(t)
	first, in := w.account, w.in
	w.account, w.in = second, other
	ben := w.ask("Ben <ben@acme.com>", "private").Customer
	w.account, w.in = first, in
	_, err := w.edit(offer.ID, ticket.Edit{Customer: &ben})
	require.NoError(t, err, "rita reads both")
	w.advance(time.Minute)
	_, err = w.svc.Reply(t.Context(), w.actor("carl"), offer.ID, ticket.Reply{Text: "hello"})
	require.NoError(t, err)
	require.Equal(t, "ann@acme.com", bare(w.lastSent().Envelope.To))
}

func TestACustomerWithAnOldNameIsAnswered(t *testing.T) { // R-MSG-03
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	ben, err := w.inboxes.CreateCustomer(t.Context(), w.actor("olga"), inbox.CustomerEdit{Name: "Ben", Address: "ben@acme.com"})
	require.NoError(t, err)
	ben, err = w.store.Customer(t.Context(), site, ben.ID)
	require.NoError(t, err)
	ben.Name = "Ben\r\nBcc: v@e.ee" // from before names were checked
	_, err = w.store.SaveCustomers(t.Context(), []inbox.Customer{ben})
	require.NoError(t, err)
	_, err = w.edit(offer.ID, ticket.Edit{Customer: &ben.ID})
	require.NoError(t, err)
	_, err = w.svc.Reply(t.Context(), w.actor("rita"), offer.ID, ticket.Reply{Text: "hello"})
	require.NoError(t, err)
	require.Equal(t, []rfc822.Address{{Name: "Ben  Bcc: v@e.ee", Address: "ben@acme.com"}}, w.lastSent().Envelope.To)
	require.Empty(t, w.lastSent().Envelope.Bcc)
}
