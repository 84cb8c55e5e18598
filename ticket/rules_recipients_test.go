package ticket_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/provider/rfc822"
	"github.com/workinbox/workinbox/ticket"
)

func TestTheHostSaysHowManyRecipientsAMailMayHave(t *testing.T) { // R-MSG-05
	t.Parallel()
	for _, row := range []struct{ most, people int }{{0, 50}, {10, 10}, {1, 1}, {-1, 200}} {
		w, offer := asked(t, fake.Options{})
		svc, err := ticket.New(ticket.Config{Store: w.store, Inboxes: w.inboxes, Archive: w.store, Blobs: w.store,
			MaxRecipients: row.most, Now: w.clock, NewID: w.id})
		require.NoError(t, err)
		var to []rfc822.Address
		for i := range row.people {
			to = append(to, rfc822.Address{Address: fmt.Sprintf("p%d@third.org", i)})
		}
		_, err = svc.Reply(t.Context(), w.actor("rita"), offer.ID, ticket.Reply{Text: "hello", To: to[:1], Cc: to[1:]})
		require.NoError(t, err, "%d people, at most %d", row.people, row.most)
		if row.most < 0 {
			continue
		}
		_, err = svc.Reply(t.Context(), w.actor("rita"), offer.ID, ticket.Reply{Text: "hello", To: to[:1], Cc: to[1:], Bcc: addresses("one-more")})
		require.ErrorIs(t, err, ticket.ErrTooManyRecipients, "one more than %d", row.people)
	}
}

func TestOneAddressOfARecipientIsOneMailbox(t *testing.T) { // R-MSG-03, R-MSG-04; RFC 5322 section 3.4.1
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	stored, blobs := w.tickets(), w.blobs()
	for _, address := range []string{"a@b.cc, d@e.ff", "a b@c.dd", "Eve <e@e.ee>@x.yy", "<e@e.ee>"} {
		for field, r := range map[string]ticket.Reply{
			"To":  {To: []rfc822.Address{{Address: address}}},
			"Cc":  {Cc: []rfc822.Address{{Address: address}}},
			"Bcc": {Bcc: []rfc822.Address{{Address: address}}},
		} {
			r.Text = "hello"
			_, err := w.svc.Reply(t.Context(), w.actor("rita"), offer.ID, r)
			var bad *rfc822.DraftError
			require.ErrorAs(t, err, &bad, "%s: %q", field, address)
			require.Equal(t, field, bad.Field, "%q", address)
			require.ErrorIs(t, err, rfc822.ErrBadAddress, "%s: %q", field, address)
		}
	}
	require.Equal(t, stored, w.tickets(), "nothing is left behind")
	require.Equal(t, blobs, w.blobs(), "blobs")
	e, err := w.svc.Reply(t.Context(), w.actor("rita"), offer.ID,
		ticket.Reply{Text: "hello", To: []rfc822.Address{{Address: `"a@b.cc, d"@e.ff`}}})
	require.NoError(t, err, "in quotes it is one")
	require.Equal(t, ticket.OutgoingSent, e.Outgoing.State)
}

func TestMailFromAnOddAddressIsAnswered(t *testing.T) { // R-MSG-03
	t.Parallel()
	for _, row := range []struct{ from, to string }{
		{`Ann <"ann lee"@acme.com>`, `Ann <"ann lee"@acme.com>`},
		{`"ann@b.cc, lee"@acme.com`, `<"ann@b.cc, lee"@acme.com>`},
		{"ann lee@acme.com", "ann <lee@acme.com>"},
		{"<ann:lee@acme.com>", `<"ann:lee"@acme.com>`},
		{"ann..lee.@acme.com", `<"ann..lee."@acme.com>`},
		{`=?utf-8?q?Ann=0D=0ABcc:_Lee?= <ann@acme.com>`, "=?utf-8?q?Ann__Bcc=3A_Lee?= <ann@acme.com>"},
	} {
		w, odd := asked(t, fake.Options{}, "From: "+row.from)
		_, err := w.svc.Reply(t.Context(), w.actor("rita"), odd.ID, ticket.Reply{Text: "hello", All: true})
		require.NoError(t, err, "answer to a mail from %q", row.from)
		sent := w.account.Sends()
		require.Len(t, sent, 1)
		require.Contains(t, string(sent[0].Raw), "\r\nTo: "+row.to+"\r\n", "answer to a mail from %q", row.from)
	}
}

func TestTheNameMailLeavesUnderIsCleaned(t *testing.T) { // R-MSG-10
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	p := person("carl", acl.Agent)
	p.Name = "\tCarl\r\nBcc: v@e.ee\x00 Lee\x7f"
	w.host.AddPerson(p)
	in, err := w.store.Inbox(t.Context(), offer.Inbox)
	require.NoError(t, err)
	in.Name = "Desk\r\nBcc: v@e.ee" // from before names were checked
	in, err = w.store.UpdateInbox(t.Context(), in, nil)
	require.NoError(t, err)
	for as, want := range map[inbox.SendAs]string{inbox.SendAsOwner: "Carl  Bcc: v@e.ee  Lee", inbox.SendAsInbox: "Desk  Bcc: v@e.ee"} {
		_, err := w.inboxes.Edit(t.Context(), w.actor("carl"), in.ID, inbox.Edit{Settings: &inbox.InboxSettings{SendAs: as}})
		require.NoError(t, err)
		_, err = w.svc.Reply(t.Context(), w.actor("rita"), offer.ID, ticket.Reply{Text: "hello"})
		require.NoError(t, err)
		sent := w.account.Sends()
		m, err := rfc822.Parse(bytes.NewReader(sent[len(sent)-1].Raw), rfc822.Limits{})
		require.NoError(t, err)
		require.Equal(t, []rfc822.Address{{Name: want, Address: "me@firm.example"}}, m.Envelope.From)
		require.Empty(t, m.Envelope.Bcc)
	}
}
