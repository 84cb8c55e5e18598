package ticket_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider/fake"
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
