package ticket_test

import (
	"io"
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

func TestStartOpensATicketThatAnswersLandIn(t *testing.T) { // row 10, R-TKT-02, R-STA-03, R-MSG-10
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	carl := w.actor("carl")
	_, err := w.inboxes.Edit(t.Context(), carl, w.in.ID, inbox.Edit{Settings: &inbox.InboxSettings{Signature: "<p>Firm Inc.</p>"}})
	require.NoError(t, err)
	w.advance(time.Minute)
	got, e, err := w.svc.Start(t.Context(), carl, w.in.ID, ticket.Start{
		To: addresses("ann@acme.com"), Cc: addresses("tom"), Subject: "renewal", HTML: "<p>Dear Ann</p>", Assignee: "rita",
		Attachments: []rfc822.Attachment{{Name: "a.txt", Type: "text/plain", Open: func() (io.ReadCloser, error) {
			return io.NopCloser(strings.NewReader("file")), nil
		}}},
	})
	require.NoError(t, err)
	require.Equal(t, ticket.OutgoingSent, e.Outgoing.State)
	require.Equal(t, "renewal", got.Subject)
	require.Equal(t, ticket.SourceManual, got.Source)
	require.Equal(t, ticket.Waiting, got.Status)
	require.Equal(t, acl.UserID("rita"), got.Assignee)
	require.NotEqual(t, offer.Number, got.Number)
	require.NotEmpty(t, offer.Customer)
	require.Equal(t, offer.Customer, got.Customer, "Ann is known")
	m := w.lastSent()
	require.Equal(t, []rfc822.Address{{Name: "Carl", Address: "me@firm.example"}}, m.Envelope.From)
	require.Equal(t, "ann@acme.com", bare(m.Envelope.To))
	require.Equal(t, "renewal", m.Envelope.Subject)
	require.Contains(t, m.Text, "Dear Ann")
	require.Contains(t, m.Text, "Firm Inc.")
	require.Len(t, m.Parts, 1)

	w.advance(time.Minute)
	w.pull()
	w.advance(time.Minute)
	w.deliver("Ann <ann@acme.com>", "Re: renewal", "References: <"+e.RFCID+">")
	w.pull()
	require.Equal(t, []string{"replied sent by carl", "changed status active>waiting by carl", "received", "changed status waiting>active"},
		w.lines(got.ID))
	require.Len(t, w.tickets(), 2)
	require.Contains(t, w.events(), "ticket.assigned")
}

func TestWhoMayStartATicket(t *testing.T) { // row 10, c5, c6, c14, R-ROL-04
	t.Parallel()
	w := newWorld(t, fake.Options{})
	w.open(false)
	start := func(user acl.UserID) error {
		_, _, err := w.svc.Start(t.Context(), w.actor(user), w.in.ID, ticket.Start{To: addresses("tom"), Text: "hello"})
		return err
	}
	for user, want := range map[acl.UserID]error{"carl": nil, "rita": acl.ErrDenied, "rob": acl.ErrDenied,
		"ina": acl.ErrDenied, "olga": acl.ErrDenied, "adam": storage.ErrNotFound, "zoe": storage.ErrNotFound} {
		require.ErrorIs(t, start(user), want, user)
	}
	_, err := w.inboxes.Edit(t.Context(), w.actor("carl"), w.in.ID, inbox.Edit{Settings: &inbox.InboxSettings{GranteesMayStart: true}})
	require.NoError(t, err)
	rita := person("rita", acl.Agent)
	rita.PartTime = true
	w.host.AddPerson(rita)
	for range 10 {
		require.NoError(t, start("rita"))
	}
	require.ErrorIs(t, start("rita"), acl.ErrReplyQuota)
	require.Len(t, w.tickets(), 11)
	_, err = w.inboxes.Pause(t.Context(), w.actor("carl"), w.in.ID)
	require.NoError(t, err)
	require.ErrorIs(t, start("carl"), acl.ErrDenied)
}

func TestAStartThatIsRefusedLeavesNothing(t *testing.T) {
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	_, err := w.inboxes.CreateCustomer(t.Context(), w.actor("olga"), inbox.CustomerEdit{Name: "Tom", Address: "tom@third.org"})
	require.NoError(t, err)
	blobs, events := w.blobs(), len(w.due())
	for what, row := range map[string]struct {
		s   ticket.Start
		err error
	}{
		"empty":         {ticket.Start{To: addresses("tom"), Text: " \n"}, ticket.ErrEmpty},
		"to nobody":     {ticket.Start{Text: "x"}, ticket.ErrNobody},
		"no address":    {ticket.Start{To: []rfc822.Address{{Address: "nonsense"}}, Text: "x"}, rfc822.ErrBadAddress},
		"status":        {ticket.Start{To: addresses("tom"), Text: "x", Status: "nonsense"}, ticket.ErrOption},
		"assignee":      {ticket.Start{To: addresses("tom"), Text: "x", Assignee: "rob"}, ticket.ErrCannotAssign},
		"customer":      {ticket.Start{To: addresses("tom"), Text: "x", Customer: "nobody"}, ticket.ErrOption},
		"no such inbox": {ticket.Start{To: addresses("tom"), Text: "x"}, storage.ErrNotFound},
	} {
		id := w.in.ID
		if what == "no such inbox" {
			id = "nowhere"
		}
		got, e, err := w.svc.Start(t.Context(), w.actor("carl"), id, row.s)
		require.ErrorIs(t, err, row.err, what)
		require.Zero(t, got, what)
		require.Zero(t, e, what)
	}
	require.Equal(t, []ticket.ID{offer.ID}, []ticket.ID{w.only().ID})
	require.Equal(t, blobs, w.blobs())
	require.Len(t, w.due(), events)
	require.Empty(t, w.account.Sends())

	got, _, err := w.svc.Start(t.Context(), w.actor("carl"), w.in.ID, ticket.Start{To: addresses("tom"), Text: "x", Customer: offer.Customer})
	require.NoError(t, err)
	require.Equal(t, offer.Customer, got.Customer, "the one chosen, not the one of the address")
}

// A start is killed at every write, with the write done or not. What was accepted leaves once, what was
// not leaves nothing.
func TestCrashAtEveryStepOfAStart(t *testing.T) {
	t.Parallel()
	for _, lose := range []bool{false, true} {
		for kill := 1; kill <= 3; kill++ {
			w := newWorld(t, fake.Options{})
			w.open(false)
			w.store.failFrom(kill, lose)
			_, e, err := w.svc.Start(t.Context(), w.actor("carl"), w.in.ID, ticket.Start{To: addresses("tom"), Text: "hello"})
			require.Equal(t, kill > 1 || lose, err == nil, "killed at write %d, done %t", kill, lose)
			w.store.heal()
			w.start()
			w.dispatch(11 * time.Minute)
			w.pull()
			if err != nil {
				require.Empty(t, w.tickets())
				require.Zero(t, w.blobs())
				require.Empty(t, w.account.Sends())
				continue
			}
			got := w.outgoing(w.only().ID)
			require.Equal(t, e.ID, got.ID)
			want := ticket.OutgoingSent
			if len(w.account.Sends()) == 0 {
				want = ticket.OutgoingUnknown
			}
			require.Equal(t, want, got.Outgoing.State, "killed at write %d, done %t", kill, lose)
			require.LessOrEqual(t, len(w.account.Sends()), 1)
		}
	}
}
