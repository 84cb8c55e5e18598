package ticket_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/provider/rfc822"
	"github.com/workinbox/workinbox/ticket"
)

func TestTheNumberStandsInTheSubjectOnceWhereTheSiteWantsIt(t *testing.T) { // R-MSG-09
	t.Parallel()
	for _, row := range []struct {
		name, subject, reply, forward string
		number                        bool
	}{
		{"by default", "offer", "Re: offer", "Fwd: offer", false},
		{"wanted", "offer", "[#1] Re: offer", "[#1] Fwd: offer", true},
		{"there already", "Re: [#1] Re: offer", "[#1] Re: offer", "[#1] Fwd: offer", true},
		{"of another ticket", "[#12] offer", "[#1] Re: [#12] offer", "[#1] Fwd: [#12] offer", true},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w, offer := asked(t, fake.Options{}, "Subject: "+row.subject)
			w.host.SetSite(inbox.Settings{ID: site, NumberInSubject: row.number})
			w.reply(offer.ID)
			_, _, err := w.svc.Forward(t.Context(), w.actor("rita"), offer.ID, ticket.Forward{To: addresses("tom"), Text: "look"})
			require.NoError(t, err)
			require.Len(t, w.account.Sends(), 2)
			require.Contains(t, string(w.account.Sends()[0].Raw), "Subject: "+row.reply+"\r\n")
			require.Contains(t, string(w.account.Sends()[1].Raw), "Subject: "+row.forward+"\r\n")
		})
	}
}

func TestALongSubjectThatCameInIsCutForTheTicketAlone(t *testing.T) { // R-MSG-06; RFC 5322 section 2.1.1
	t.Parallel()
	long := "x" + strings.Repeat("ü", 100_000)
	short := "x" + strings.Repeat("ü", 498)
	w, offer := asked(t, fake.Options{}, "Subject: "+long)
	require.Equal(t, short, offer.Subject, "what the ticket is called")
	m, err := w.store.Message(t.Context(), offer.Last)
	require.NoError(t, err)
	require.Equal(t, long, m.Subject, "the mail is whole")
	w.reply(offer.ID)
	child, _ := w.forward("rita", offer.ID, ticket.Forward{To: addresses("tom"), Text: "look"})
	require.Equal(t, "Fwd: "+short, child.Subject)
	for i, want := range []string{"Re: " + short, "Fwd: " + short} {
		m, err := rfc822.Parse(strings.NewReader(string(w.account.Sends()[i].Raw)), rfc822.Limits{})
		require.NoError(t, err)
		require.Equal(t, want, m.Envelope.Subject)
	}
	w.advance(time.Minute)
	w.deliver("Ann <ann@acme.com>", "Re: "+long, "References: <ask@acme.com>")
	w.pull()
	part, err := w.svc.Split(t.Context(), w.actor("rita"), offer.ID, ticket.Split{Entry: w.entries(offer.ID)[0].ID})
	require.NoError(t, err)
	require.Equal(t, short, part.Subject, "the mail split off")
}

func TestASubjectSomebodyWritesIsRefusedWhereItIsTooLong(t *testing.T) { // R-MSG-06; RFC 5322 section 2.1.1
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	_, err := w.inboxes.Edit(t.Context(), w.actor("carl"), w.in.ID, inbox.Edit{Settings: &inbox.InboxSettings{GranteesMayStart: true}})
	require.NoError(t, err)
	stored, blobs := w.tickets(), w.blobs()
	forward := func(subject string) error {
		_, _, err := w.svc.Forward(t.Context(), w.actor("rita"), offer.ID, ticket.Forward{To: addresses("tom"), Text: "look", Subject: subject})
		return err
	}
	start := func(subject string) error {
		_, _, err := w.svc.Start(t.Context(), w.actor("rita"), w.in.ID, ticket.Start{To: addresses("tom"), Text: "look", Subject: subject})
		return err
	}
	for name, send := range map[string]func(string) error{"forward": forward, "start": start} {
		for _, n := range []int{999, 1 << 20} {
			err := send(strings.Repeat("a", n))
			var bad *ticket.OptionError
			require.ErrorAs(t, err, &bad, "%s of %d bytes", name, n)
			require.Equal(t, ticket.OptionError{Option: "subject", Reason: ticket.OptionTooLong}, *bad)
			require.ErrorContains(t, err, "at most 998")
		}
	}
	_, err = w.svc.SaveDraft(t.Context(), w.actor("rita"), offer.ID, ticket.Draft{Kind: ticket.EntryForwarded, Subject: strings.Repeat("a", 999)})
	require.ErrorIs(t, err, ticket.ErrDraft, "what could not be sent is not saved")
	require.Equal(t, stored, w.tickets(), "nothing is left behind")
	require.Equal(t, blobs, w.blobs(), "blobs")
	require.NoError(t, forward(strings.Repeat("a", 998)))
	require.NoError(t, start(strings.Repeat("a", 998)))
}
