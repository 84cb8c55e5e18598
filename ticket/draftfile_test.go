package ticket_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/ticket"
)

// attach attaches a file to somebody's draft and returns what the draft says of it.
func (w *world) attach(user acl.UserID, id ticket.ID, name, content string) ticket.DraftFile {
	w.t.Helper()
	d, err := w.svc.AttachToDraft(w.t.Context(), w.actor(user), id, w.draftOf(user, id),
		ticket.DraftFile{Name: name, Type: "text/plain; charset=utf-8"}, strings.NewReader(content))
	require.NoError(w.t, err)
	return d.Files[len(d.Files)-1]
}

// file reads a file of somebody's draft.
func (w *world) file(user acl.UserID, id ticket.ID, file ticket.DraftFileID) string {
	w.t.Helper()
	_, r, err := w.svc.OpenDraftFile(w.t.Context(), w.actor(user), id, file)
	require.NoError(w.t, err)
	defer r.Close()
	content, err := io.ReadAll(r)
	require.NoError(w.t, err)
	return string(content)
}

// Two people attach the same file. What one takes off, the other still has.
func TestFilesOfDraftsAreApart(t *testing.T) {
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	blobs := w.blobs()
	w.save("rita", offer.ID, ticket.Draft{Kind: ticket.EntryReplied, Text: "hers"})
	w.save("carl", offer.ID, ticket.Draft{Kind: ticket.EntryForwarded, Text: "his"})
	hers := w.attach("rita", offer.ID, `C:\my docs\..\offer `+"\r\n\u202e"+`.pdf`, "content")
	twice := w.attach("rita", offer.ID, "..", "content")
	his := w.attach("carl", offer.ID, "a/b.txt", "content")
	require.Equal(t, []string{"offer .pdf", "file", "b.txt"}, []string{hers.Name, twice.Name, his.Name})
	require.Equal(t, int64(7), hers.Size)
	require.Equal(t, "text/plain; charset=utf-8", hers.Type)
	require.Equal(t, blobs+3, w.blobs())
	_, _, err := w.svc.OpenDraftFile(t.Context(), w.actor("carl"), offer.ID, hers.ID)
	require.ErrorIs(t, err, storage.ErrNotFound)
	_, err = w.svc.DetachFromDraft(t.Context(), w.actor("carl"), offer.ID, hers.ID)
	require.ErrorIs(t, err, storage.ErrNotFound)

	d, err := w.svc.DetachFromDraft(t.Context(), w.actor("rita"), offer.ID, hers.ID)
	require.NoError(t, err)
	require.Equal(t, []ticket.DraftFile{twice}, d.Files)
	require.Equal(t, blobs+2, w.blobs())
	d.Text, d.Files = "hers, again", nil
	require.Len(t, w.save("rita", offer.ID, d).Files, 1, "a save leaves the files")
	require.Equal(t, "content", w.file("rita", offer.ID, twice.ID))
	require.Equal(t, "content", w.file("carl", offer.ID, his.ID))
	require.NoError(t, w.discard("carl", offer.ID))
	require.Equal(t, "content", w.file("rita", offer.ID, twice.ID))
	require.Equal(t, blobs+1, w.blobs())
}

// zeros yields n zero bytes and then fails, or ends.
type zeros struct {
	n   int64
	err error
}

func (z *zeros) Read(p []byte) (int, error) {
	if z.n == 0 {
		return 0, z.err
	}
	n := min(int64(len(p)), z.n)
	z.n -= n
	return int(n), nil
}

func TestAFileThatCannotBeAttachedLeavesNothing(t *testing.T) {
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	attach := func(user acl.UserID, contentID string, r io.Reader) error {
		_, err := w.svc.AttachToDraft(t.Context(), w.actor(user), offer.ID, w.draftOf(user, offer.ID),
			ticket.DraftFile{Name: "a.txt", Type: "nonsense", ContentID: contentID}, r)
		return err
	}
	one := strings.NewReader("x")
	require.ErrorIs(t, attach("rita", "", one), storage.ErrNotFound, "no draft")
	require.ErrorIs(t, attach("zoe", "", one), storage.ErrNotFound)
	w.save("rita", offer.ID, ticket.Draft{Kind: ticket.EntryReplied})
	w.save("rob", offer.ID, ticket.Draft{Kind: ticket.EntryNoted})
	d, err := w.svc.AttachToDraft(t.Context(), w.actor("rita"), offer.ID, w.draftOf("rita", offer.ID),
		ticket.DraftFile{Name: "a.png", Type: "nonsense", ContentID: "logo"}, &zeros{20_000_000, io.EOF})
	require.NoError(t, err)
	require.Equal(t, "application/octet-stream", d.Files[0].Type)
	blobs := w.blobs()
	lost := errors.New("the browser is gone")
	for what, row := range map[string]struct {
		err error
		is  error
	}{
		"a note":           {attach("rob", "", one), ticket.ErrDraft},
		"too much":         {attach("rita", "", &zeros{5_000_001, io.EOF}), ticket.ErrDraft},
		"reader fails":     {attach("rita", "", &zeros{1000, lost}), lost},
		"no content id":    {attach("rita", "a b", one), ticket.ErrDraft},
		"content id twice": {attach("rita", "logo", one), ticket.ErrDraft},
	} {
		require.ErrorIs(t, row.err, row.is, what)
		require.ErrorContains(t, row.err, `"a.txt"`, what)
	}
	for _, lose := range []bool{false, true} {
		w.store.failFrom(1, lose)
		err = attach("rita", "", strings.NewReader("x"))
		w.store.heal()
		require.Equal(t, lose, err == nil, "the store lost its answer: %t", lose)
	}
	require.Equal(t, blobs+1, w.blobs())
	now, err := w.svc.Draft(t.Context(), w.actor("rita"), offer.ID)
	require.NoError(t, err)
	require.Len(t, now.Files, 2)
	require.NoError(t, attach("rita", "", &zeros{4_999_999, io.EOF}), "to the last byte")
	require.ErrorIs(t, attach("rita", "", strings.NewReader("x")), ticket.ErrDraft)
	for i := 4; i <= 100; i++ {
		require.NoError(t, attach("rita", fmt.Sprint(i), strings.NewReader("")))
	}
	require.ErrorContains(t, attach("rita", "", strings.NewReader("")), "at most 100 files")
}

// Two windows attach at once, and one of them saves: nothing is lost.
func TestAFileIsAttachedToWhatTheDraftIsByThen(t *testing.T) {
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	d := w.save("rita", offer.ID, ticket.Draft{Kind: ticket.EntryReplied, Text: "one"})
	meanwhile := &hook{r: strings.NewReader("slow"), then: func() {
		d.Text = "two"
		d = w.save("rita", offer.ID, d)
		w.attach("rita", offer.ID, "b.txt", "quick")
	}}
	got, err := w.svc.AttachToDraft(t.Context(), w.actor("rita"), offer.ID, w.draftOf("rita", offer.ID), ticket.DraftFile{Name: "a.txt", Type: "text/plain"}, meanwhile)
	require.NoError(t, err)
	require.Equal(t, "two", got.Text)
	require.Len(t, got.Files, 2)
	require.Equal(t, "slow", w.file("rita", offer.ID, got.Files[1].ID))

	blobs := w.blobs()
	gone := &hook{r: strings.NewReader("slow"), then: func() {
		require.NoError(t, w.discard("rita", offer.ID))
	}}
	_, err = w.svc.AttachToDraft(t.Context(), w.actor("rita"), offer.ID, w.draftOf("rita", offer.ID), ticket.DraftFile{Name: "a.txt", Type: "text/plain"}, gone)
	require.ErrorIs(t, err, storage.ErrNotFound)
	require.Equal(t, blobs-2, w.blobs())
}

func TestTwoFilesAtOnceAreNotMoreThanADraftHolds(t *testing.T) {
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	w.save("rita", offer.ID, ticket.Draft{Kind: ticket.EntryReplied, Text: "one"})
	attach := func(name string, r io.Reader) error {
		_, err := w.svc.AttachToDraft(t.Context(), w.actor("rita"), offer.ID, w.draftOf("rita", offer.ID), ticket.DraftFile{Name: name}, r)
		return err
	}
	blobs := w.blobs()
	err := attach("late.txt", &hook{r: &zeros{13_000_000, io.EOF}, then: func() {
		require.NoError(t, attach("first.txt", &zeros{13_000_000, io.EOF}))
	}})
	require.ErrorIs(t, err, ticket.ErrDraft)
	require.ErrorContains(t, err, `"late.txt"`)
	require.Equal(t, blobs+1, w.blobs())
}

// hook is a reader that does something before its first byte.
type hook struct {
	r    io.Reader
	then func()
}

func (h *hook) Read(p []byte) (int, error) {
	if h.then != nil {
		h.then()
		h.then = nil
	}
	return h.r.Read(p)
}

// A ticket comes to another inbox, or goes home, and the inbox its drafts had their files in is deleted.
// The purge is killed at every write, with the write done or not, and called again.
func TestTheFilesOfDraftsStayWhenTheInboxTheyLieInIsPurged(t *testing.T) { // R-TKT-08, R-INB-12
	t.Parallel()
	for _, lose := range []bool{false, true} {
		for kill, died := 1, true; died; kill++ {
			w, carls, ritas := twoInboxes(t)
			id := w.bySubject("moved").ID
			w.save("carl", id, ticket.Draft{Kind: ticket.EntryForwarded, Text: "x", To: addresses("tom")})
			f := w.attach("carl", id, "a.txt", "file")
			died = w.purgedInbox("rita", ritas, carls, kill, lose)
			require.Equal(t, carls, w.stored(id).Inbox)
			require.Equal(t, "file", w.file("carl", id, f.ID))
			_, e := w.sendDraft("carl", id)
			require.Equal(t, ticket.OutgoingSent, e.Outgoing.State)
			require.Contains(t, string(w.account.Sends()[0].Raw), "ZmlsZQ")

			w, carls, ritas = twoInboxes(t)
			id = w.bySubject("stays").ID
			w.save("carl", id, ticket.Draft{Kind: ticket.EntryForwarded, Text: "x", To: addresses("tom")})
			f = w.attach("carl", id, "a.txt", "file")
			_, err := w.svc.Move(t.Context(), w.actor("carl"), id, ticket.Move{To: ritas})
			require.NoError(t, err)
			died = w.purgedInbox("carl", carls, ritas, kill, lose) || died
			require.Equal(t, "file", w.file("carl", id, f.ID), "its mail is gone, and what was written is not")
		}
	}
}

// purgedInbox deletes an inbox and purges it, killed at a write and called again: one file comes to the
// inbox that is left. It says whether there was that write.
func (w *world) purgedInbox(owner acl.UserID, gone, left inbox.ID, kill int, lose bool) bool {
	w.t.Helper()
	ctx, before := w.t.Context(), w.kept(left)
	require.NoError(w.t, w.inboxes.Delete(ctx, w.actor(owner), gone))
	w.advance(31 * day)
	w.store.failFrom(kill, lose)
	_ = w.inboxes.PurgeDeleted(ctx, w.svc.PurgeInbox)
	died := w.store.heal() >= kill
	require.NoError(w.t, w.inboxes.PurgeDeleted(ctx, w.svc.PurgeInbox))
	require.Zero(w.t, w.kept(gone))
	require.Equal(w.t, before+1, w.kept(left), "killed at write %d", kill)
	return died
}

// storage.ErrNotFound would say that there is no draft.
func TestADraftWhoseFileIsLostSaysSo(t *testing.T) {
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	w.save("rita", offer.ID, ticket.Draft{Kind: ticket.EntryReplied, Text: "x"})
	f := w.attach("rita", offer.ID, "a.txt", "file")
	require.NoError(t, w.store.DeleteBlob(t.Context(), f.Blob))
	_, _, sent := w.svc.SendDraft(t.Context(), w.actor("rita"), offer.ID, w.draftOf("rita", offer.ID))
	_, _, opened := w.svc.OpenDraftFile(t.Context(), w.actor("rita"), offer.ID, f.ID)
	for _, err := range []error{sent, opened} {
		require.ErrorIs(t, err, ticket.ErrDraft)
		require.NotErrorIs(t, err, storage.ErrNotFound)
		require.ErrorContains(t, err, `"a.txt"`)
	}
	require.Equal(t, []string{"received"}, w.lines(offer.ID))
	_, err := w.svc.DetachFromDraft(t.Context(), w.actor("rita"), offer.ID, f.ID)
	require.NoError(t, err)
	w.sendDraft("rita", offer.ID)
	require.Len(t, w.account.Sends(), 1)
}
