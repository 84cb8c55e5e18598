package ticket_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/inbox/htmlsafe"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/ticket"
)

func TestARedactedMailLeavesAMarkerAndNothingElse(t *testing.T) { // row 6
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	w.advance(time.Minute)
	w.reply(offer.ID)
	w.pull()
	w.advance(time.Minute)
	before := w.entries(offer.ID)
	got, err := w.svc.Redact(t.Context(), w.actor("carl"), offer.ID, before[0].ID)
	require.NoError(t, err)
	require.Equal(t, ticket.Entry{ID: before[0].ID, Ticket: offer.ID, Inbox: w.in.ID, Kind: ticket.EntryReceived, At: before[0].At,
		Class: before[0].Class, RedactedBy: "carl", RedactedAt: w.clock()}, got)
	again, err := w.svc.Redact(t.Context(), w.actor("carl"), offer.ID, before[0].ID)
	require.NoError(t, err)
	require.Equal(t, got, again)
	require.Equal(t, []string{"thread.edited"}, w.threads())
	_, err = w.store.Message(t.Context(), before[0].Message)
	require.ErrorIs(t, err, storage.ErrNotFound)
	require.Equal(t, "Re: offer", w.only().Subject)
	require.Equal(t, [2]int{2, 2}, [2]int{w.only().Messages, w.only().Shown}, "the marker counts")

	reply := w.outgoing(offer.ID)
	_, err = w.svc.Redact(t.Context(), w.actor("ina"), offer.ID, reply.ID)
	require.NoError(t, err)
	now := w.outgoing(offer.ID)
	require.Empty(t, now.Text)
	require.Empty(t, now.To)
	require.Equal(t, acl.UserID("rita"), now.Author)
	require.Zero(t, w.blobs(), "neither the mail that came nor the one that left")
	w.pull()
	require.Empty(t, w.only().Subject)
	require.Zero(t, w.only().DeletedAt, "the ticket stays")
	require.Empty(t, w.search("carl", ticket.SearchQuery{Text: "hello"}))
	n := 0
	for e, err := range w.svc.Entries(t.Context(), w.actor("rob"), offer.ID) {
		require.NoError(t, err)
		if !e.RedactedAt.IsZero() {
			n++
		}
	}
	require.Equal(t, 2, n, "everybody sees that there was mail")
}

func TestWhoMayRedact(t *testing.T) { // row 6, R-CHG-07
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	mail := w.entries(offer.ID)[0]
	note := w.note("rita", offer.ID, "one")
	for user, want := range map[acl.UserID]error{"rita": acl.ErrDenied, "rob": acl.ErrDenied, "zoe": storage.ErrNotFound, "adam": storage.ErrNotFound} {
		_, err := w.svc.Redact(t.Context(), w.actor(user), offer.ID, mail.ID)
		require.ErrorIs(t, err, want, user)
	}
	carl := w.actor("carl")
	_, err := w.svc.Redact(t.Context(), carl, offer.ID, note.ID)
	require.ErrorIs(t, err, ticket.ErrNotMail)
	_, err = w.svc.Redact(t.Context(), carl, offer.ID, "nowhere")
	require.ErrorIs(t, err, storage.ErrNotFound)
	later, err := w.svc.Reply(t.Context(), w.actor("rita"), offer.ID, ticket.Reply{Text: "later", SendAt: w.clock().Add(time.Hour)})
	require.NoError(t, err)
	_, err = w.svc.Redact(t.Context(), carl, offer.ID, later.ID)
	require.ErrorIs(t, err, ticket.ErrNotMail)

	w.advance(time.Minute)
	w.deliver("Ann <ann@acme.com>", "Re: offer", "References: <ask@acme.com>", "Message-ID: <second@acme.com>")
	w.pull()
	yes := true
	w.change(inbox.MessageChange{ID: mail.Message, Hidden: &yes})
	w.collect()
	_, err = w.svc.Redact(t.Context(), w.actor("ina"), offer.ID, mail.ID)
	require.ErrorIs(t, err, storage.ErrNotFound, "she does not see it")
	before := w.entries(offer.ID)
	_, err = w.svc.Redact(t.Context(), carl, offer.ID, mail.ID)
	require.NoError(t, err)
	require.True(t, w.entries(offer.ID)[0].Hidden, "the marker is for whom the mail was")
	require.Equal(t, before[1:], w.entries(offer.ID)[1:])
}

// The process dies between the marker and the mail. To redact again goes on.
func TestARedactionThatDiedIsRepeated(t *testing.T) {
	t.Parallel()
	for _, lose := range []bool{false, true} {
		for kill := 1; kill <= 3; kill++ {
			w, offer := asked(t, fake.Options{})
			mail := w.entries(offer.ID)[0]
			w.store.failFrom(kill, lose)
			_, _ = w.svc.Redact(t.Context(), w.actor("carl"), offer.ID, mail.ID)
			w.store.heal()
			w.start()
			_, err := w.svc.Redact(t.Context(), w.actor("carl"), offer.ID, mail.ID)
			require.NoError(t, err)
			w.collect()
			got := w.entries(offer.ID)[0]
			require.Equal(t, acl.UserID("carl"), got.RedactedBy)
			require.Empty(t, got.Message)
			require.Zero(t, w.blobs())
			require.Equal(t, []string{"thread.edited"}, w.threads())
			require.Zero(t, w.only().DeletedAt)
		}
	}
}

// The process dies after the marker: the mail is there, and nobody is shown it any more.
func TestWhatIsMarkedAsRedactedIsNotShown(t *testing.T) {
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	mail := w.entries(offer.ID)[0]
	svc, _ := w.doomed(1, false)
	_, err := svc.Redact(t.Context(), w.actor("carl"), offer.ID, mail.ID)
	require.ErrorIs(t, err, errFault)
	marked := w.entries(offer.ID)[0]
	require.NotZero(t, marked.RedactedAt)
	require.NotEmpty(t, marked.Message)
	w.pull()
	ctx, rita := t.Context(), w.actor("rita")
	_, err = w.svc.Mail(ctx, rita, offer.ID, mail.ID, htmlsafe.Options{})
	require.ErrorIs(t, err, ticket.ErrNotMail)
	for l, err := range w.svc.Thread(ctx, rita, offer.ID, ticket.ThreadQuery{}) {
		require.NoError(t, err)
		require.Nil(t, l.Mail)
		require.Empty(t, l.Entry.Message)
	}
	require.Equal(t, []string{""}, w.listed("rita", ticket.Query{}), "nor its subject")
	require.Empty(t, w.search("rita", ticket.SearchQuery{Text: "body"}))
	_, _, err = w.svc.Forward(ctx, rita, offer.ID, ticket.Forward{Text: "x", To: addresses("tom")})
	require.ErrorIs(t, err, ticket.ErrNothingToAnswer)
	_, err = w.svc.Reply(ctx, rita, offer.ID, ticket.Reply{Text: "x"})
	require.ErrorIs(t, err, ticket.ErrNothingToAnswer)
	_, err = w.svc.Split(ctx, rita, offer.ID, ticket.Split{Entry: mail.ID})
	require.ErrorIs(t, err, ticket.ErrNotMail)
}

// Housekeeping ends what nobody redacts again, wherever the mail has come to.
func TestARedactionThatDiedIsEnded(t *testing.T) {
	t.Parallel()
	for name, meanwhile := range map[string]func(w *world, offer, other ticket.ID){
		"where it was":  func(*world, ticket.ID, ticket.ID) {},
		"in the trash":  func(w *world, offer, _ ticket.ID) { w.trash(offer) },
		"after a merge": func(w *world, offer, other ticket.ID) { w.merge("rita", other, offer) },
		"after an erase": func(w *world, offer, _ ticket.ID) {
			require.NoError(w.t, w.inboxes.Erase(w.t.Context(), w.in.ID, w.entries(offer)[0].Message))
		},
	} {
		w, offer := asked(t, fake.Options{})
		w.advance(time.Minute)
		w.deliver("Ben <ben@acme.com>", "other")
		w.pull()
		other := w.bySubject("other")
		svc, _ := w.doomed(1, false)
		mail := w.entries(offer.ID)[0]
		_, err := svc.Redact(t.Context(), w.actor("carl"), offer.ID, mail.ID)
		require.ErrorIs(t, err, errFault, name)
		meanwhile(w, offer.ID, other.ID)
		require.Zero(t, w.purgeTrash())
		_, err = w.store.Message(t.Context(), mail.Message)
		require.Equal(t, name == "after an erase", err != nil, "%s: it may be at work still", name)
		w.advance(2 * time.Minute)
		require.Zero(t, w.purgeTrash())
		require.Equal(t, []string{"other"}, w.mails(w.in.ID), name)
		require.Equal(t, 1, w.kept(w.in.ID), name)
		for _, id := range []ticket.ID{offer.ID, other.ID} {
			if now := w.stored(id); now.MergedInto == "" {
				require.Zero(t, now.RedactBegan, name)
			}
			for _, e := range w.entries(id) {
				require.True(t, e.RedactedAt.IsZero() || e.Message == "", "%s: %+v", name, e)
			}
		}
		require.Equal(t, []string{"thread.edited"}, w.threads(), name)
	}
}

// told is who was told of what.
type told struct{ got []string }

func (n *told) Notify(_ context.Context, x inbox.Notice) error {
	n.got = append(n.got, string(x.To.ID)+" "+string(x.Event.Name))
	return nil
}

// tell delivers what waits in the outbox and returns who was told of what.
func (w *world) tell() []string {
	w.t.Helper()
	n := new(told)
	inboxes, err := inbox.New(inbox.Config{
		Store: w.store, Vault: w.store, Blobs: w.store, People: w.host, Sites: w.host,
		Providers: []provider.Provider{w.mail}, Now: w.clock, NewID: w.id, Notifier: n,
	})
	require.NoError(w.t, err)
	_, err = inboxes.Deliver(w.t.Context(), 100)
	require.NoError(w.t, err)
	return n.got
}

func (w *world) watches(user acl.UserID, names ...inbox.EventName) {
	w.t.Helper()
	require.NoError(w.t, w.inboxes.Watch(w.t.Context(), w.actor(user), w.in.ID, inbox.Watch{Events: names}))
}

// hide does what a rule change does to a mail.
func (w *world) hide(id inbox.MessageID) {
	w.t.Helper()
	yes := true
	w.change(inbox.MessageChange{ID: id, Hidden: &yes})
	w.collect()
}

func (w *world) redact(user acl.UserID, id ticket.ID, entry ticket.EntryID) {
	w.t.Helper()
	_, err := w.svc.Redact(w.t.Context(), w.actor(user), id, entry)
	require.NoError(w.t, err)
}

// twoMails is asked with a second mail of Ann's.
func twoMails(t *testing.T) (*world, ticket.Ticket) {
	t.Helper()
	w, offer := asked(t, fake.Options{})
	w.advance(time.Minute)
	w.deliver("Ann <ann@acme.com>", "Re: offer", "References: <ask@acme.com>", "Message-ID: <second@acme.com>")
	w.pull()
	return w, offer
}

func TestWhoWatchesIsToldOfARedaction(t *testing.T) {
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	w.watches("rob", ticket.EventThreadEdited)
	w.tell()
	w.redact("carl", offer.ID, w.entries(offer.ID)[0].ID)
	require.Equal(t, []string{"rob thread.edited"}, w.tell(), "of the only mail")

	w, offer = twoMails(t)
	w.watches("rob", ticket.EventThreadEdited)
	w.tell()
	w.redact("carl", offer.ID, w.entries(offer.ID)[1].ID)
	require.Equal(t, []string{"rob thread.edited"}, w.tell(), "of the newest one")
}

func TestOfTheRedactionOfHiddenMailOthersAreToldNothing(t *testing.T) { // R-CHG-07
	t.Parallel()
	w, offer := twoMails(t)
	w.hide(w.entries(offer.ID)[0].Message)
	w.watches("rob", ticket.EventThreadEdited)
	w.tell()
	w.redact("carl", offer.ID, w.entries(offer.ID)[0].ID)
	require.Empty(t, w.tell())
}

// A hidden ticket whose mail was redacted stays the creator's alone, and so do its events.
func TestAHiddenTicketWithoutMailTellsItsCreatorAlone(t *testing.T) { // R-CHG-07
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	w.hide(offer.Last)
	w.watches("rob", ticket.EventNote, ticket.EventThreadEdited, ticket.EventStatus)
	w.tell()
	w.redact("carl", offer.ID, w.entries(offer.ID)[0].ID)
	require.Empty(t, w.tell())
	_, err := w.svc.Ticket(t.Context(), w.actor("rob"), offer.ID)
	require.ErrorIs(t, err, storage.ErrNotFound, "rob does not see the ticket")
	w.note("carl", offer.ID, "between me and me")
	_, err = w.svc.SetStatus(t.Context(), w.actor("carl"), offer.ID, ticket.Solved)
	require.NoError(t, err)
	due := w.due()
	require.Len(t, due, 2)
	for _, e := range due {
		require.True(t, e.Personal, e.Name)
		require.Equal(t, acl.UserID("carl"), e.Target, e.Name)
	}
	require.Empty(t, w.tell())
}

func TestATicketWhoseOnlyMailWasRedactedIsCalledByTheNext(t *testing.T) {
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	w.redact("carl", offer.ID, w.entries(offer.ID)[0].ID)
	require.Empty(t, w.only().Subject)
	w.advance(time.Minute)
	w.account.Deliver(mailText("Ann <ann@acme.com>", "me@firm.example", "Re: offer", "References: <ask@acme.com>", "Message-ID: <second@acme.com>"),
		fake.Delivery{Thread: offer.Threads[0]})
	w.pull()
	got := w.only()
	require.Equal(t, [2]int{2, 2}, [2]int{got.Messages, got.Shown})
	require.Equal(t, "Re: offer", got.Subject)
	require.Equal(t, w.entries(offer.ID)[1].Message, got.Last)
}

// What is hidden of a ticket stays the creator's, and what is not stays with the team, though the only
// mail of that was redacted.
func TestATicketStaysWithTheTeamWhenItsOnlyShownMailIsRedacted(t *testing.T) { // R-CHG-07
	t.Parallel()
	w, offer := twoMails(t)
	es := w.entries(offer.ID)
	w.hide(es[0].Message)
	w.note("rita", offer.ID, "team note")
	w.redact("carl", offer.ID, es[1].ID)
	got, err := w.svc.Ticket(t.Context(), w.actor("rita"), offer.ID)
	require.NoError(t, err)
	require.Empty(t, got.Subject, "that of the hidden mail does not come back")
	require.Empty(t, got.Last)
	require.Equal(t, [2]int{2, 1}, [2]int{got.Messages, got.Shown})
	w.watches("rob", ticket.EventNote)
	w.tell()
	w.note("rita", offer.ID, "another")
	require.Equal(t, []string{"rob ticket.note"}, w.tell())
}
