package ticket_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/ticket"
)

// What somebody has begun on a ticket is found on the one it was merged into, and goes on there: the one
// that was saved last first.
func TestADraftFollowsItsTicketIntoAnother(t *testing.T) { // R-TKT-06
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	again := w.ask("Ann <ann@acme.com>", "offer again")
	third := w.ask("Ann <ann@acme.com>", "me too")
	ctx, rita := t.Context(), w.actor("rita")
	onTarget := w.save("rita", offer.ID, ticket.Draft{Kind: ticket.EntryReplied, Text: "on the target"})
	w.advance(time.Second)
	onSource := w.save("rita", third.ID, ticket.Draft{Kind: ticket.EntryReplied, Text: "on the source"})
	w.attach("rita", third.ID, "a.txt", "file")
	w.save("rob", third.ID, ticket.Draft{Kind: ticket.EntryNoted, Text: "his"})
	blobs := w.blobs()
	w.merge("carl", again.ID, third.ID)
	w.merge("carl", offer.ID, again.ID)

	for _, id := range []ticket.ID{offer.ID, again.ID, third.ID} {
		d, err := w.svc.Draft(ctx, rita, id)
		require.NoError(t, err)
		require.Equal(t, "on the source", d.Text, "it was saved last")
		require.Equal(t, offer.ID, d.Ticket)
		require.Equal(t, "file", w.file("rita", id, d.Files[0].ID))
		d, err = w.svc.Draft(ctx, w.actor("rob"), id)
		require.NoError(t, err)
		require.Equal(t, "his", d.Text)
		_, err = w.svc.Draft(ctx, w.actor("carl"), id)
		require.ErrorIs(t, err, storage.ErrNotFound)
	}
	both := w.ownDrafts("rita")
	require.Len(t, both, 2)
	for _, d := range both {
		require.Equal(t, offer.ID, d.Ticket)
	}
	_, err := w.svc.SaveDraft(ctx, rita, offer.ID, ticket.Draft{Kind: ticket.EntryReplied, Text: "a new window"})
	require.ErrorIs(t, err, ticket.ErrDraftConflict)
	_, _, err = w.svc.SendDraft(ctx, rita, third.ID, onSource.Entry)
	require.ErrorIs(t, err, ticket.ErrMerged, "a window that shows the source does not show whom it would answer")

	d, err := w.svc.AttachToDraft(ctx, rita, third.ID, onSource.Entry, ticket.DraftFile{Name: "b.txt"}, strings.NewReader("more"))
	require.NoError(t, err, "a window that is open saves on")
	require.Equal(t, offer.ID, d.Ticket)
	d.Text = "on the target now"
	d, err = w.svc.SaveDraft(ctx, rita, third.ID, d)
	require.NoError(t, err)
	require.Equal(t, offer.ID, d.Ticket)
	require.Len(t, d.Files, 2)
	_, e, err := w.svc.SendDraft(ctx, rita, offer.ID, onSource.Entry)
	require.NoError(t, err)
	require.Equal(t, offer.ID, e.Ticket)
	require.Contains(t, string(w.account.Sends()[0].Raw), "ZmlsZQ")
	require.Equal(t, blobs-1+1, w.blobs())
	now, err := w.svc.Draft(ctx, rita, offer.ID)
	require.NoError(t, err)
	require.Equal(t, onTarget, now)
	require.NoError(t, w.svc.DiscardDraft(ctx, rita, offer.ID, onTarget.Entry))
	_, e, err = w.svc.SendDraft(ctx, w.actor("rob"), offer.ID, w.draftOf("rob", third.ID))
	require.NoError(t, err, "it is still stored on the source")
	require.Equal(t, offer.ID, e.Ticket)
	require.Empty(t, w.drafts())
	require.Len(t, w.account.Sends(), 1)
}

// Who does not see the ticket another was merged into learns nothing of it, and keeps what they wrote.
func TestADraftOfWhomTheTargetIsHiddenStaysTheirs(t *testing.T) { // R-ACL-07
	t.Parallel()
	w, carls, ritas := twoInboxes(t)
	ctx, rob := t.Context(), w.actor("rob")
	id, target := w.bySubject("stays").ID, w.bySubject("hers").ID
	w.save("rob", id, ticket.Draft{Kind: ticket.EntryNoted, Text: "mine"})
	w.merge("carl", target, id)
	d, err := w.svc.Draft(ctx, rob, id)
	require.NoError(t, err)
	require.Equal(t, id, d.Ticket)
	_, err = w.svc.Draft(ctx, rob, target)
	require.ErrorIs(t, err, storage.ErrNotFound)
	require.Equal(t, id, w.ownDrafts("rob")[0].Ticket)
	_, err = w.svc.SaveDraft(ctx, rob, id, d)
	require.ErrorIs(t, err, ticket.ErrMerged)
	_, err = w.inboxes.Share(ctx, w.actor("rita"), ritas, acl.Grant{User: "rob", Access: acl.ReadOnly})
	require.NoError(t, err)
	_, err = w.inboxes.Unshare(ctx, w.actor("carl"), carls, "rob")
	require.NoError(t, err)
	d, err = w.svc.Draft(ctx, rob, target)
	require.NoError(t, err)
	require.Equal(t, target, d.Ticket)
	_, err = w.svc.SaveDraft(ctx, rob, id, d)
	require.ErrorIs(t, err, storage.ErrNotFound, "he does not learn what was merged")
	require.Len(t, w.ownDrafts("rob"), 1)
	require.NoError(t, w.svc.DiscardDraft(ctx, rob, target, d.Entry))
	require.NotContains(t, w.drafts(), "rob: mine")
}

// The inbox of a ticket that was merged is deleted, and its purge killed at every write: what was begun on
// the ticket is on the one it was merged into, with its files, whether it waits to be recalled or not.
func TestADraftOfAMergedTicketStaysWhenItsInboxIsPurged(t *testing.T) { // R-TKT-06, R-INB-12
	t.Parallel()
	for _, waits := range []bool{false, true} {
		for _, lose := range []bool{false, true} {
			for kill, died := 1, true; died; kill++ {
				w, carls, ritas := twoInboxes(t)
				target := w.bySubject("stays") // carl's, with one of rita's
				id := target.MergedFrom[0]
				w.undo(time.Minute)
				_, err := w.store.SaveDraft(t.Context(), ticket.Draft{Site: site, Ticket: id, Author: "carl", Entry: "x",
					Kind: ticket.EntryForwarded, Text: "mine", To: addresses("tom"), SavedAt: w.clock()}, "")
				require.NoError(t, err)
				f := w.attachIn(ritas, "x", "a.txt", "file")
				var e ticket.Entry
				if waits {
					d, err := w.svc.Draft(t.Context(), w.actor("carl"), target.ID)
					require.NoError(t, err)
					d.SendAt = w.clock().Add(60 * day)
					d, err = w.svc.SaveDraft(t.Context(), w.actor("carl"), target.ID, d)
					require.NoError(t, err)
					_, e, err = w.svc.SendDraft(t.Context(), w.actor("carl"), target.ID, d.Entry)
					require.NoError(t, err)
				}
				died = w.purgedInbox("rita", ritas, carls, kill, lose)
				if waits {
					w.noDraft("carl", target.ID)
					w.recall("carl", e)
				}
				d, err := w.svc.Draft(t.Context(), w.actor("carl"), target.ID)
				require.NoError(t, err, "killed at write %d", kill)
				require.Equal(t, "mine", d.Text)
				require.Equal(t, "file", w.file("carl", target.ID, f.ID))
				require.Len(t, w.ownDrafts("carl"), 1, "killed at write %d", kill)
			}
		}
	}
}

// attachIn gives a stored draft a file that lies in an inbox.
func (w *world) attachIn(in inbox.ID, entry ticket.EntryID, name, content string) ticket.DraftFile {
	w.t.Helper()
	b, err := w.store.PutBlob(w.t.Context(), in, strings.NewReader(strings.Repeat("s", 16)+content))
	require.NoError(w.t, err)
	f := ticket.DraftFile{ID: "f", Name: name, Type: "text/plain", Blob: b.Key, Size: int64(len(content)), Inbox: in}
	d, err := w.store.Draft(w.t.Context(), entry)
	require.NoError(w.t, err)
	d.Files = append(d.Files, f)
	_, err = w.store.SaveDraft(w.t.Context(), d, entry)
	require.NoError(w.t, err)
	return f
}

// purging is a store that begins to forget something right before a draft is saved.
func (w *world) purging(what func()) *ticket.Service {
	return w.onStore(&meanwhile{faulty: w.store, then: what})
}

// Somebody saves while the ticket is forgotten, at each moment of that: there is no draft of a ticket that
// is not there, and no file of such a draft.
func TestADraftSavedWhileItsTicketIsForgottenLeavesNothing(t *testing.T) { // R-TKT-05, R-INB-12
	t.Parallel()
	forget := map[string]func(w *world, offer, extra ticket.ID) error{
		"the ticket": func(w *world, offer, _ ticket.ID) error {
			return w.svc.Purge(context.Background(), w.actor("carl"), offer)
		},
		"its inbox": func(w *world, _, _ ticket.ID) error { return w.svc.PurgeInbox(context.Background(), w.in.ID) },
	}
	for what, purge := range forget {
		for _, where := range []string{"target", "source"} {
			for writes := 0; writes <= 6; writes++ { // after which the purge is cut, to be ended later
				for _, attach := range []bool{false, true} {
					w, offer := asked(t, fake.Options{})
					extra := w.ask("Ann <ann@acme.com>", "extra").ID
					id := offer.ID
					if where == "source" {
						id = extra
					}
					d := w.save("rita", id, ticket.Draft{Kind: ticket.EntryReplied, Text: "well"})
					w.merge("carl", offer.ID, extra)
					begin := func() {
						w.trash(offer.ID)
						if writes > 0 {
							w.store.failFrom(writes, false)
						}
						_ = purge(w, offer.ID, extra)
						w.store.heal()
					}
					svc := w.purging(begin)
					var err error
					if attach {
						_, err = svc.AttachToDraft(t.Context(), w.actor("rita"), offer.ID, d.Entry, ticket.DraftFile{Name: "a.txt"}, strings.NewReader("file"))
					} else {
						d.Text = "well, then"
						_, err = svc.SaveDraft(t.Context(), w.actor("rita"), offer.ID, d)
					}
					if writes == 0 || what == "the ticket" && writes > 1 {
						require.ErrorIs(t, err, storage.ErrNotFound, "%s, %s, cut at write %d", what, where, writes)
					}
					if err := purge(w, offer.ID, extra); err != nil {
						require.ErrorIs(t, err, storage.ErrNotFound, "it is gone")
					}
					require.Empty(t, w.drafts(), "%s, %s, cut at write %d", what, where, writes)
					if what == "the ticket" {
						require.Zero(t, w.blobs(), "%s, %s, cut at write %d", what, where, writes)
					}
				}
			}
		}
	}
}

// lastMoment is a store that holds up the purge of one ticket when everything is done but that.
type lastMoment struct {
	*faulty
	id            ticket.ID
	reached, goOn chan struct{}
}

func (m *lastMoment) PurgeTicket(ctx context.Context, id ticket.ID, expect storage.Version) error {
	if id == m.id {
		close(m.reached)
		<-m.goOn
	}
	return m.faulty.PurgeTicket(ctx, id, expect)
}

// A file is about to be named by a draft on a ticket, which is merged meanwhile, and forgotten but for the
// last step: nobody would look for that file again.
func TestAFileIsNotAttachedToADraftThatIsJustForgotten(t *testing.T) { // R-TKT-05
	t.Parallel()
	for _, merged := range []bool{false, true} {
		w, offer := asked(t, fake.Options{})
		extra := w.ask("Ann <ann@acme.com>", "extra")
		d := w.save("rita", extra.ID, ticket.Draft{Kind: ticket.EntryReplied, Text: "well"})
		at := &lastMoment{faulty: w.store, id: extra.ID, reached: make(chan struct{}), goOn: make(chan struct{})}
		purged := make(chan error, 1)
		svc := w.purging(func() {
			gone := extra.ID
			if merged {
				gone = offer.ID
				w.merge("carl", gone, extra.ID)
			}
			w.trash(gone)
			carl := w.actor("carl")
			go func() { purged <- w.onStore(at).Purge(context.Background(), carl, gone) }()
			<-at.reached
		})
		_, err := svc.AttachToDraft(t.Context(), w.actor("rita"), extra.ID, d.Entry, ticket.DraftFile{Name: "a.txt"}, strings.NewReader("file"))
		close(at.goOn)
		require.ErrorIs(t, err, storage.ErrNotFound)
		require.NoError(t, <-purged)
		require.Empty(t, w.drafts())
		left := 1 // the mail of the other ticket
		if merged {
			left = 0
		}
		require.Equal(t, left, w.blobs())
	}
}
