package ticket_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/ticket"
)

// twoInboxes is a world with carl's mailbox and rita's. Ann's mail came into carl's: "moved" lies in a
// ticket of rita's inbox, "merged" beside a mail of rita's in her ticket "hers", with a note and a reply
// that waits; "stays" in carl's. Of rita's mail "guest" lies in a ticket of carl's.
func twoInboxes(t *testing.T) (w *world, carls, ritas inbox.ID) {
	t.Helper()
	w = newWorld(t, fake.Options{})
	w.open(false)
	carls = w.in.ID
	first := w.account
	for _, subject := range []string{"moved", "merged", "stays"} {
		w.advance(time.Second)
		w.deliver("Ann <ann@acme.com>", subject)
	}
	w.pull()
	w.account = w.mail.Account("rita@firm.example")
	w.connect("rita", false, acl.Grant{User: "carl", Access: acl.ReadAndReply})
	ritas = w.in.ID
	for _, subject := range []string{"hers", "guest"} {
		w.advance(time.Second)
		w.deliver("Ben <ben@acme.com>", subject)
	}
	w.pull()
	w.account = first

	ctx, rita := t.Context(), w.actor("rita")
	_, err := w.svc.Reply(ctx, rita, w.bySubject("merged").ID, ticket.Reply{Text: "secret answer", SendAt: w.clock().Add(1000 * day)})
	require.NoError(t, err)
	_, err = w.svc.Note(ctx, w.actor("carl"), w.bySubject("moved").ID, "a note")
	require.NoError(t, err)
	_, err = w.svc.Move(ctx, w.actor("carl"), w.bySubject("moved").ID, ticket.Move{To: ritas})
	require.NoError(t, err)
	_, err = w.svc.Merge(ctx, w.actor("carl"), w.bySubject("hers").ID, []ticket.ID{w.bySubject("merged").ID})
	require.NoError(t, err)
	_, err = w.svc.Merge(ctx, rita, w.bySubject("stays").ID, []ticket.ID{w.bySubject("guest").ID})
	require.NoError(t, err)
	return w, carls, ritas
}

func TestPurgingAnInboxTakesItsMailOffTheTicketsOfOthers(t *testing.T) { // R-INB-12, R-TKT-06, R-TKT-08
	t.Parallel()
	w, carls, ritas := twoInboxes(t)
	moved, hers := w.bySubject("moved"), w.bySubject("hers")
	require.NoError(t, w.svc.PurgeInbox(t.Context(), carls))

	got, err := w.store.Ticket(t.Context(), hers.ID)
	require.NoError(t, err)
	require.Equal(t, "hers", got.Subject, "what is left says what it is about")
	require.Equal(t, 1, got.Messages)
	require.Equal(t, 1, got.Shown)
	require.Empty(t, got.MergedFrom)
	require.ElementsMatch(t, []string{"received", "replied failed by rita", "received", "changed merged > by carl"}, w.lines(hers.ID))
	for _, e := range w.entries(hers.ID) {
		require.Equal(t, ritas, e.Inbox)
		require.NotContains(t, e.Text, "secret")
		require.True(t, e.Message == "" || e.Message == got.Last)
		if e.Message == "" {
			require.Empty(t, e.To)
			require.Empty(t, e.RFCID)
		}
	}
	got, err = w.store.Ticket(t.Context(), moved.ID)
	require.NoError(t, err)
	require.Empty(t, got.Origin)
	require.Empty(t, got.Threads)
	require.Empty(t, got.Subject)
	require.NotZero(t, got.DeletedAt, "no mail is left of it")
	require.Equal(t, []string{"received", "noted by carl", "changed inbox " + string(carls) + ">" + string(ritas) + " by carl"}, w.lines(moved.ID))

	require.Equal(t, []string{"guest", "hers"}, w.mails(ritas), "what it held of hers goes back to her")
	guest := w.bySubject("guest")
	require.Equal(t, ritas, guest.Inbox)
	require.Empty(t, guest.MergedInto)
	require.Equal(t, 1, guest.Shown)
	require.Equal(t, []string{"guest"}, w.subjects("rita", guest.ID))
	require.Len(t, w.tickets(), 2)
	require.NoError(t, w.svc.PurgeInbox(t.Context(), carls), "again changes nothing")
	w.after(2000 * day)
	require.Empty(t, w.account.Sends())
}

func TestPurgingAnInboxDiesAnywhere(t *testing.T) {
	t.Parallel()
	for _, lose := range []bool{false, true} {
		for n, died := 0, true; died; n++ {
			w, carls, ritas := twoInboxes(t)
			hers := w.bySubject("hers")
			svc, _ := w.doomed(n, lose)
			died = svc.PurgeInbox(t.Context(), carls) != nil
			require.NoError(t, w.svc.PurgeInbox(t.Context(), carls))
			got, err := w.store.Ticket(t.Context(), hers.ID)
			require.NoError(t, err)
			require.Equal(t, "hers", got.Subject)
			require.Equal(t, 1, got.Messages, "died after %d writes", n)
			require.Equal(t, []string{"guest", "hers"}, w.mails(ritas))
			require.Equal(t, []string{"guest"}, w.subjects("rita", w.bySubject("guest").ID))
			for _, e := range w.entries(hers.ID) {
				require.NotEqual(t, carls, e.Inbox)
			}
			require.Less(t, n, 60)
		}
	}
}

func TestPurgingAnInboxThatIsGoneForgetsWhatIsLeft(t *testing.T) {
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	require.NoError(t, w.store.DeleteInbox(t.Context(), w.in.ID))
	require.NoError(t, w.svc.PurgeInbox(t.Context(), w.in.ID))
	_, err := w.store.Ticket(t.Context(), offer.ID)
	require.ErrorIs(t, err, storage.ErrNotFound)
}

func TestATicketThatWasMovedGoesHomeWhenItsInboxIsPurged(t *testing.T) { // R-TKT-08, R-INB-12
	t.Parallel()
	w, carls, ritas := twoInboxes(t)
	moved := w.bySubject("moved")
	before := len(w.due())
	require.NoError(t, w.svc.PurgeInbox(t.Context(), ritas))
	told := w.due()[before:]
	require.Len(t, told, 1)
	require.Equal(t, ticket.EventMoved, told[0].Name)
	require.Equal(t, carls, told[0].Inbox)
	got := w.stored(moved.ID)
	require.Equal(t, carls, got.Inbox)
	require.Equal(t, moved.Number, got.Number)
	require.False(t, got.Moved())
	require.Equal(t, []string{"moved"}, w.subjects("rob", moved.ID), "its readers read it again")
	require.Contains(t, w.lines(moved.ID), "noted by carl")
	merged := w.bySubject("merged")
	require.Equal(t, carls, merged.Inbox)
	require.Contains(t, w.lines(merged.ID), "replied queued by rita", "what waits leaves from the mailbox it was written in")
	require.ElementsMatch(t, []string{"merged", "moved", "stays"}, w.mails(carls))
	w.advance(time.Minute)
	w.deliver("Ann <ann@acme.com>", "again", "References: <"+w.entries(merged.ID)[0].RFCID+">")
	_, err := w.inboxes.Sync(t.Context(), carls)
	require.NoError(t, err)
	_, err = w.svc.Collect(t.Context(), carls)
	require.NoError(t, err)
	require.Equal(t, []string{"merged", "again"}, w.subjects("rob", merged.ID))
}

func TestPurgingAnInboxForgetsTheFilesOfDraftsElsewhere(t *testing.T) { // R-TKT-08
	t.Parallel()
	w, carls, ritas := twoInboxes(t)
	ctx, stays := t.Context(), w.bySubject("stays")
	before := w.kept(carls)
	w.save("carl", stays.ID, ticket.Draft{Kind: ticket.EntryReplied, Text: "x"})
	w.attach("carl", stays.ID, "a.txt", "file")
	require.Equal(t, before+1, w.kept(carls))
	_, err := w.svc.Move(ctx, w.actor("carl"), stays.ID, ticket.Move{To: ritas})
	require.NoError(t, err)
	w.trash(stays.ID)
	mails := len(w.mails(carls))
	require.NoError(t, w.svc.PurgeInbox(ctx, ritas))
	_, err = w.store.Ticket(ctx, stays.ID)
	require.ErrorIs(t, err, storage.ErrNotFound)
	require.NotContains(t, w.drafts(), "carl: x")
	require.Equal(t, before-(mails-len(w.mails(carls))), w.kept(carls), "no file of a draft that is gone stays")
}

func TestPurgingAnInboxUnlinksTasks(t *testing.T) { // R-TKT-09
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	task := w.linked("rita", offer.ID)
	require.NotEmpty(t, w.tasks.Links(site, task))
	require.NoError(t, w.svc.PurgeInbox(t.Context(), w.in.ID))
	require.Empty(t, w.tasks.Links(site, task))
}
