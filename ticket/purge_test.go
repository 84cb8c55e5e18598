package ticket_test

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/ticket"
)

// trash puts a ticket into the trash.
func (w *world) trash(id ticket.ID) {
	w.t.Helper()
	w.host.SetSite(inbox.Settings{ID: site, AgentsMayDelete: true})
	_, err := w.svc.Delete(w.t.Context(), w.actor("carl"), id)
	require.NoError(w.t, err)
}

func (w *world) purgeTrash() int {
	w.t.Helper()
	n, err := w.svc.PurgeTrash(w.t.Context())
	require.NoError(w.t, err)
	return n
}

// mails are the subjects of what the archive keeps of an inbox, copies too.
func (w *world) mails(id inbox.ID) []string {
	w.t.Helper()
	out := []string{}
	for m, err := range w.store.Messages(context.Background(), inbox.MessageQuery{Inbox: id, Hidden: true}) {
		require.NoError(w.t, err)
		out = append(out, m.Subject)
	}
	return out
}

// kept is how many blobs an inbox has.
func (w *world) kept(id inbox.ID) int {
	w.t.Helper()
	n := 0
	for _, err := range w.store.Blobs(context.Background(), id) {
		require.NoError(w.t, err)
		n++
	}
	return n
}

func (w *world) gone(id ticket.ID) {
	w.t.Helper()
	_, err := w.store.Ticket(context.Background(), id)
	require.ErrorIs(w.t, err, storage.ErrNotFound)
	require.Empty(w.t, w.entries(id))
}

// after lets time pass and then sends what is due.
func (w *world) after(d time.Duration) {
	w.t.Helper()
	w.advance(d)
	_, err := w.svc.Dispatch(w.t.Context(), 0)
	require.NoError(w.t, err)
}

// draftWithFile leaves a draft of somebody's with a file on a ticket.
func (w *world) draftWithFile(id ticket.ID, author acl.UserID) {
	w.t.Helper()
	ctx := w.t.Context()
	b, err := w.store.PutBlob(ctx, w.in.ID, strings.NewReader("file of "+string(id)+" by "+string(author)))
	require.NoError(w.t, err)
	_, err = w.store.SaveDraft(ctx, ticket.Draft{Site: site, Ticket: id, Author: author, Entry: ticket.EntryID("draft of " + author), Kind: ticket.EntryReplied,
		Text: "well", Files: []ticket.DraftFile{{ID: "f", Name: "a.txt", Blob: b.Key, Size: b.Size, Inbox: w.in.ID}}}, "")
	require.NoError(w.t, err)
}

// full is a world with a ticket in the trash that has everything: mail of a client and a copy of it, a
// reply whose copy has come back, one that waits, a draft with a file, a task and a ticket that was
// merged into it. Beside it is a ticket of which everything stays.
func full(t *testing.T) (w *world, offer, extra ticket.Ticket) {
	t.Helper()
	w, offer = asked(t, fake.Options{})
	ctx, rita := t.Context(), w.actor("rita")
	w.advance(time.Minute)
	w.deliver("Ann <ann@acme.com>", "offer", "Message-ID: <ask@acme.com>") // the same again
	w.deliver("Ben <ben@acme.com>", "other")
	w.deliver("Ann <ann@acme.com>", "extra")
	w.pull()
	w.reply(offer.ID)
	w.pull()
	_, err := w.svc.Reply(ctx, rita, offer.ID, ticket.Reply{Text: "later", SendAt: w.clock().Add(1000 * time.Hour)})
	require.NoError(t, err)
	_, err = w.svc.Note(ctx, rita, offer.ID, "a note")
	require.NoError(t, err)
	w.draftWithFile(offer.ID, "rita")
	w.linked("rita", offer.ID)

	extra = w.bySubject("extra")
	_, err = w.svc.Merge(ctx, rita, offer.ID, []ticket.ID{extra.ID})
	require.NoError(t, err)
	w.draftWithFile(extra.ID, "rob")
	w.trash(offer.ID)
	return w, offer, extra
}

func TestTheTrashIsPurgedAfter30Days(t *testing.T) { // R-TKT-05
	t.Parallel()
	w, offer, extra := full(t)
	require.Len(t, w.mails(w.in.ID), 5, "three mails of clients, a copy, and what we sent")
	w.advance(30*day - time.Second)
	require.Zero(t, w.purgeTrash())
	require.Len(t, w.mails(w.in.ID), 5)
	w.advance(time.Second)
	require.Equal(t, 1, w.purgeTrash())
	require.Zero(t, w.purgeTrash(), "once")
	w.gone(offer.ID)
	w.gone(extra.ID)
	require.Equal(t, []string{"other"}, w.mails(w.in.ID))
	require.Equal(t, 1, w.kept(w.in.ID), "the raw mail of the other ticket alone")
	require.Empty(t, w.tasks.Links(site, "task-1"))
	require.Empty(t, w.account.Sends()[1:], "what waited never leaves")
	w.after(0)
	require.Len(t, w.account.Sends(), 1)

	w.collect() // the log tells that the mail was erased
	w.pull()
	require.Equal(t, []string{"other"}, w.listed("carl", ticket.Query{}))
	require.Empty(t, w.listed("carl", ticket.Query{Deleted: true}))
	require.Equal(t, []string{"other"}, w.mails(w.in.ID), "no sync brings it back")
}

func TestWhatIsRestoredIsNotPurged(t *testing.T) { // R-TKT-05
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	w.trash(offer.ID)
	w.advance(30 * day)
	w.store.before = func() { // at the last moment
		w.store.before = nil
		_, err := w.svc.Restore(w.t.Context(), w.actor("carl"), offer.ID)
		require.NoError(t, err)
	}
	require.Zero(t, w.purgeTrash())
	require.Equal(t, []string{"offer"}, w.mails(w.in.ID))
	require.Equal(t, []string{"offer"}, w.listed("carl", ticket.Query{}))
}

func TestWhatIsHalfPurgedIsGoneForEverybody(t *testing.T) { // R-TKT-05: no restoring of half a ticket
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	w.trash(offer.ID)
	w.advance(time.Hour)
	ctx, carl := t.Context(), w.actor("carl")
	w.store.failFrom(2, false) // the mark is set, and then the process dies
	require.ErrorIs(t, w.svc.Purge(ctx, carl, offer.ID), errFault)
	w.store.heal()
	_, err := w.svc.Restore(ctx, carl, offer.ID)
	require.ErrorIs(t, err, storage.ErrNotFound)
	_, err = w.svc.Ticket(ctx, carl, offer.ID)
	require.ErrorIs(t, err, storage.ErrNotFound)
	for _, user := range []acl.UserID{"carl", "ina", "olga"} {
		require.Empty(t, w.listed(user, ticket.Query{Deleted: true}), user)
		require.Empty(t, w.search(user, ticket.SearchQuery{Text: "body", Filter: ticket.Query{Deleted: true}}), user)
	}
	require.Equal(t, 1, w.purgeTrash(), "it is ended at once, not after 30 days")
	w.gone(offer.ID)
}

// PurgeTicket counts as a write.
func (f *faulty) PurgeTicket(ctx context.Context, id ticket.ID, expect storage.Version) error {
	done, fault := f.fault()
	if !done {
		return fault
	}
	if err := f.Store.PurgeTicket(ctx, id, expect); err != nil {
		return err
	}
	return fault
}

func TestWhoMayPurge(t *testing.T) { // R-TKT-05, R-ACL-10, rows 7b, 20
	t.Parallel()
	for _, row := range []struct {
		user acl.UserID
		want error
	}{
		{"carl", nil}, {"rita", acl.ErrDenied}, {"rob", acl.ErrDenied}, {"ina", acl.ErrDenied},
		{"olga", acl.ErrDenied}, {"adam", storage.ErrNotFound}, {"zoe", storage.ErrNotFound},
	} {
		w, offer := asked(t, fake.Options{})
		ctx, actor := t.Context(), w.actor(row.user)
		require.Error(t, w.svc.Purge(ctx, actor, offer.ID), "%s: it is not in the trash", row.user)
		require.Equal(t, offer, w.only())
		w.trash(offer.ID)
		err := w.svc.Purge(ctx, w.actor(row.user), offer.ID)
		require.ErrorIs(t, err, row.want, row.user)
		if row.want != nil {
			require.Equal(t, []string{"offer"}, w.mails(w.in.ID), row.user)
			continue
		}
		w.gone(offer.ID)
		require.Empty(t, w.mails(w.in.ID))
		require.Zero(t, w.kept(w.in.ID))
		require.ErrorIs(t, w.svc.Purge(ctx, actor, offer.ID), storage.ErrNotFound)
	}
}

func TestAMailOnItsWayHoldsUpThePurge(t *testing.T) { // a mail is never lost between sending and sent
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	w.account.LoseAnswerOfSend()
	w.reply(offer.ID)
	w.trash(offer.ID)
	require.ErrorIs(t, w.svc.Purge(t.Context(), w.actor("carl"), offer.ID), ticket.ErrSending)
	w.advance(31 * day)
	require.Zero(t, w.purgeTrash(), "it waits")
	_, err := w.svc.Dispatch(t.Context(), 0)
	require.NoError(t, err)
	require.Equal(t, 1, w.purgeTrash())
	w.gone(offer.ID)
}

func TestMailOfATicketInTheTrashDoesNotLeave(t *testing.T) { // R-TKT-05
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	ctx := t.Context()
	e, err := w.svc.Reply(ctx, w.actor("rita"), offer.ID, ticket.Reply{Text: "later", SendAt: w.clock().Add(time.Hour)})
	require.NoError(t, err)
	w.trash(offer.ID)
	_, err = w.svc.Restore(ctx, w.actor("carl"), offer.ID)
	require.NoError(t, err)
	w.after(2 * time.Hour)
	require.Empty(t, w.account.Sends(), "what was deleted does not leave when it is restored")
	now := w.entries(offer.ID)[1]
	require.Equal(t, e.ID, now.ID)
	require.Equal(t, ticket.OutgoingRecalled, now.Outgoing.State)
	require.Equal(t, "later", now.Text)
	require.Equal(t, 1, w.blobs(), "its raw mail is forgotten")
}

func TestAMailDoesNotLeaveWhoseTicketIsDeletedAtThatMoment(t *testing.T) { // R-TKT-05
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	_, err := w.svc.Reply(t.Context(), w.actor("rita"), offer.ID, ticket.Reply{Text: "later", SendAt: w.clock().Add(time.Hour)})
	require.NoError(t, err)
	w.advance(time.Hour)
	w.store.before = func() {
		w.store.before = nil
		w.trash(offer.ID)
	}
	w.after(0)
	require.Empty(t, w.account.Sends())
}

func TestALateReplyDoesNotMoveAnArchivedTicket(t *testing.T) { // R-STA-06
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	_, err := w.svc.Reply(t.Context(), w.actor("rita"), offer.ID,
		ticket.Reply{Text: "later", SendAt: w.clock().Add(200 * day), Status: ticket.Waiting})
	require.NoError(t, err)
	w.setStatus(offer.ID, ticket.Solved)
	w.advance(121 * day)
	require.Equal(t, ticket.Aged{Archived: 1}, w.age())
	w.after(100 * day)
	require.Len(t, w.account.Sends(), 1, "it was promised")
	require.Equal(t, ticket.Solved, w.only().Status)
}

// dying is a store that does n more writes and then no more; with lose it does one more and keeps the
// answer to itself.
type dying struct {
	*faulty
	n    int
	lose bool
}

func (d *dying) write(do func() error) error {
	if d.n--; d.n < 0 {
		if d.n == -1 && d.lose {
			_ = do()
		}
		return errFault
	}
	return do()
}

func (d *dying) Commit(ctx context.Context, imp inbox.Import, ev ...inbox.Event) (st inbox.SyncState, err error) {
	err = d.write(func() (err error) { st, err = d.faulty.Commit(ctx, imp, ev...); return err })
	return st, err
}

func (d *dying) DeleteBlob(ctx context.Context, key inbox.BlobKey) error {
	return d.write(func() error { return d.faulty.DeleteBlob(ctx, key) })
}

func (d *dying) PutBlob(ctx context.Context, id inbox.ID, r io.Reader) (b inbox.BlobInfo, err error) {
	err = d.write(func() (err error) { b, err = d.faulty.PutBlob(ctx, id, r); return err })
	return b, err
}

func (d *dying) SaveTickets(ctx context.Context, w []ticket.Write, ev ...inbox.Event) (out []ticket.Ticket, err error) {
	err = d.write(func() (err error) { out, err = d.faulty.SaveTickets(ctx, w, ev...); return err })
	return out, err
}

func (d *dying) PurgeTicket(ctx context.Context, id ticket.ID, v storage.Version) error {
	return d.write(func() error { return d.faulty.PurgeTicket(ctx, id, v) })
}

func (d *dying) PurgeTickets(ctx context.Context, id inbox.ID) error {
	return d.write(func() error { return d.faulty.PurgeTickets(ctx, id) })
}

// doomed is the ticket service over a store that dies after n writes.
func (w *world) doomed(n int, lose bool) (*ticket.Service, *dying) {
	w.t.Helper()
	d := &dying{faulty: w.store, n: n, lose: lose}
	inboxes, err := inbox.New(inbox.Config{
		Store: d, Vault: w.store, Blobs: d, People: w.host, Sites: w.host,
		Providers: []provider.Provider{w.mail}, Now: w.clock, NewID: w.id,
	})
	require.NoError(w.t, err)
	svc, err := ticket.New(ticket.Config{Store: d, Inboxes: inboxes, Archive: d, Blobs: d, Tasks: w.tasks,
		Now: w.clock, NewID: w.id})
	require.NoError(w.t, err)
	return svc, d
}

func TestThePurgeDiesAnywhere(t *testing.T) { // R-TKT-05: repeated to the end, and nothing is left
	t.Parallel()
	for _, lose := range []bool{false, true} {
		for n, died := 0, true; died; n++ {
			w, offer, extra := full(t)
			w.advance(30 * day)
			svc, _ := w.doomed(n, lose)
			_, err := svc.PurgeTrash(t.Context())
			died = err != nil
			w.collect()
			w.purgeTrash()
			w.gone(offer.ID)
			w.gone(extra.ID)
			require.Equal(t, []string{"other"}, w.mails(w.in.ID), "died after %d writes", n)
			require.Equal(t, 1, w.kept(w.in.ID), "died after %d writes", n)
			w.pull()
			require.Equal(t, []string{"other"}, w.mails(w.in.ID))
			require.Less(t, n, 60)
		}
	}
}

// keepsDrafts is a store that forgets no draft.
type keepsDrafts struct{ *faulty }

func (*keepsDrafts) DeleteDraft(context.Context, ticket.EntryID, storage.Version) error {
	return errFault
}

// A version of a draft is sent once, also where what says that it was sent is purged.
func TestADraftThatWasSentGoesWithTheEntryItBecame(t *testing.T) {
	t.Parallel()
	for _, whole := range []bool{false, true} {
		w, offer := asked(t, fake.Options{})
		w.save("rita", offer.ID, ticket.Draft{Kind: ticket.EntryForwarded, Text: "look", To: addresses("tom")})
		w.attach("rita", offer.ID, "a.txt", "file")
		w.save("rob", offer.ID, ticket.Draft{Kind: ticket.EntryNoted, Text: "stays"})
		child, _, err := w.onStore(&keepsDrafts{w.store}).SendDraft(t.Context(), w.actor("rita"), offer.ID, w.draftOf("rita", offer.ID))
		require.NoError(t, err)
		w.pull()
		w.trash(child.ID)
		if whole {
			require.NoError(t, w.svc.PurgeInbox(t.Context(), w.in.ID))
			require.Empty(t, w.drafts())
			continue
		}
		w.store.failFrom(2, false) // the process dies when the purge has begun
		require.ErrorIs(t, w.svc.Purge(t.Context(), w.actor("carl"), child.ID), errFault)
		w.store.heal()
		require.NoError(t, w.svc.Purge(t.Context(), w.actor("carl"), child.ID))
		require.Equal(t, []string{"rob: stays"}, w.drafts())
		_, _, err = w.svc.SendDraft(t.Context(), w.actor("rita"), offer.ID, w.draftOf("rita", offer.ID))
		require.ErrorIs(t, err, storage.ErrNotFound)
		require.Len(t, w.account.Sends(), 1)
	}
}

func TestPurgeNeedsTheRightWhereTheMailLies(t *testing.T) { // R-TKT-08, rows 7b, 20
	t.Parallel()
	w, carls, _ := twoInboxes(t)
	ctx, moved := t.Context(), w.bySubject("moved").ID
	w.host.SetSite(inbox.Settings{ID: site, AgentsMayDelete: true})
	_, err := w.svc.Delete(ctx, w.actor("rita"), moved)
	require.NoError(t, err)
	require.ErrorIs(t, w.svc.Purge(ctx, w.actor("rita"), moved), acl.ErrDenied, "she does not see the trash of carl's inbox")
	_, err = w.inboxes.Unshare(ctx, w.actor("carl"), carls, "rita")
	require.NoError(t, err)
	err = w.svc.Purge(ctx, w.actor("rita"), moved)
	require.ErrorIs(t, err, acl.ErrDenied, "she does not know of it")
	require.NotErrorIs(t, err, storage.ErrNotFound)
	require.Zero(t, w.stored(moved).PurgeBegan)
	require.Contains(t, w.mails(carls), "moved")

	_, err = w.inboxes.Share(ctx, w.actor("carl"), carls, acl.Grant{User: "rita", Access: acl.ReadAndReply, InboxAdmin: true})
	require.NoError(t, err)
	require.NoError(t, w.svc.Purge(ctx, w.actor("rita"), moved))
	require.NotContains(t, w.mails(carls), "moved")
}
