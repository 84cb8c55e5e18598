package ticket_test

import (
	"cmp"
	"fmt"
	"io"
	"reflect"
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

// attachment is a file for a mail that is no draft.
func attachment(name, contentID, content string) rfc822.Attachment {
	return rfc822.Attachment{Name: name, Type: "text/plain", ContentID: contentID, Size: int64(len(content)),
		Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(content)), nil }}
}

// ownDrafts are somebody's drafts as they see them.
func (w *world) ownDrafts(user acl.UserID) []ticket.Draft {
	w.t.Helper()
	var out []ticket.Draft
	for d, err := range w.svc.Drafts(w.t.Context(), w.actor(user)) {
		require.NoError(w.t, err)
		out = append(out, d)
	}
	return out
}

// noDraft demands that somebody has none on a ticket.
func (w *world) noDraft(user acl.UserID, id ticket.ID) {
	w.t.Helper()
	_, err := w.svc.Draft(w.t.Context(), w.actor(user), id)
	require.ErrorIs(w.t, err, storage.ErrNotFound)
	require.Empty(w.t, w.ownDrafts(user))
}

// whole is the content of a draft, whatever it is known by and whenever it was saved.
func whole(d ticket.Draft) ticket.Draft {
	d = d.Clone()
	d.Entry, d.Version, d.SavedAt = "", 0, time.Time{}
	for i := range d.Files {
		d.Files[i].ID, d.Files[i].Blob = "", ""
	}
	return d
}

func (w *world) recall(user acl.UserID, e ticket.Entry) {
	w.t.Helper()
	got, err := w.svc.Recall(w.t.Context(), w.actor(user), e.Ticket, e.ID)
	require.NoError(w.t, err)
	require.Equal(w.t, ticket.OutgoingRecalled, got.Outgoing.State)
}

// A draft with something in all of it is sent and taken back, by whoever: its author has it again as it was.
func TestARecalledDraftIsBackWhole(t *testing.T) { // R-MSG-09
	t.Parallel()
	for _, by := range []acl.UserID{"rita", "carl"} {
		for what, d := range map[string]ticket.Draft{
			"reply":   {Kind: ticket.EntryReplied, Fixed: true, All: true, Confirmed: true},
			"forward": {Kind: ticket.EntryForwarded, Subject: "help", NoFiles: true, Assignee: "carl"},
		} {
			w, offer := asked(t, fake.Options{})
			w.undo(time.Minute)
			d.Text, d.HTML, d.NoQuote, d.Status = "Hi", `<p>Hi</p><img src="cid:logo">`, true, ticket.Solved
			d.To, d.Cc, d.Bcc = addresses("tom"), addresses("cleo"), addresses("hush")
			d.ExpectedLast, d.SendAt = offer.Latest, w.clock().Add(time.Hour)
			kim, err := w.inboxes.CreateCustomer(t.Context(), w.actor("olga"), inbox.CustomerEdit{Name: "Kim", Address: "kim@third.org"})
			require.NoError(t, err)
			if what == "forward" {
				d.Customer = kim.ID
			}
			entry := w.save("rita", offer.ID, d).Entry
			w.attach("rita", offer.ID, "terms.txt", "the terms")
			_, err = w.svc.AttachToDraft(t.Context(), w.actor("rita"), offer.ID, entry,
				ticket.DraftFile{Name: "logo.png", Type: "image/png", ContentID: "logo"}, strings.NewReader("PNG"))
			require.NoError(t, err)
			before, err := w.svc.Draft(t.Context(), w.actor("rita"), offer.ID)
			require.NoError(t, err)
			blobs := w.blobs()

			_, e := w.sendDraft("rita", offer.ID)
			require.Equal(t, ticket.OutgoingQueued, e.Outgoing.State)
			w.noDraft("rita", offer.ID)
			_, again, err := w.svc.SendDraft(t.Context(), w.actor("rita"), offer.ID, entry)
			require.NoError(t, err)
			require.Equal(t, e.ID, again.ID, "%s: it waits already", what)
			late := before
			late.Text = "from a window that does not know"
			_, err = w.svc.SaveDraft(t.Context(), w.actor("rita"), offer.ID, late)
			require.ErrorIs(t, err, ticket.ErrDraftConflict, what)
			w.recall(by, e)
			require.Equal(t, blobs, w.blobs(), what)
			w.noDraft("carl", offer.ID)
			after, err := w.svc.Draft(t.Context(), w.actor("rita"), offer.ID)
			require.NoError(t, err)
			require.Equal(t, before.Files, after.Files, what)
			if what == "reply" {
				require.Equal(t, e.ID, after.ExpectedLast, "nobody else has written since")
				before.ExpectedLast = e.ID
			}
			require.Equal(t, whole(before), whole(after), what)
			require.Len(t, w.ownDrafts("rita"), 1)
			require.Equal(t, "the terms", w.file("rita", offer.ID, after.Files[0].ID))
			_, _, err = w.svc.SendDraft(t.Context(), w.actor("rita"), offer.ID, e.ID)
			require.ErrorIs(t, err, storage.ErrNotFound, "%s: it is a draft of its own now", what)

			w.dispatch(2 * time.Minute)
			require.Empty(t, w.account.Sends(), what)
			after.HTML, after.SendAt = `<p>Hello</p><img src="cid:logo">`, time.Time{}
			w.save("rita", offer.ID, after)
			_, e = w.sendDraft("rita", offer.ID)
			w.dispatch(2 * time.Minute)
			require.Len(t, w.account.Sends(), 1, what)
			sent := w.lastSent()
			require.Contains(t, sent.HTML, "Hello")
			require.Equal(t, "tom@third.org", bare(sent.Envelope.To))
			require.Len(t, sent.Parts, 2)
			require.Empty(t, w.drafts())
			require.Equal(t, blobs-2+1, w.blobs(), "%s: the mail, and no file", what)
			if what == "forward" {
				child := w.stored(e.Ticket)
				require.Equal(t, acl.UserID("carl"), child.Assignee)
				require.Equal(t, kim.ID, child.Customer)
			}
		}
	}
}

// A mail can be a draft first, whatever is asked of it.
func TestADraftHoldsWhateverAMailIsAskedFor(t *testing.T) {
	t.Parallel()
	named := map[string]string{"NoHistory": "NoQuote", "Attachments": "Files", "Inline": "Files"}
	for _, mail := range []reflect.Type{reflect.TypeFor[ticket.Reply](), reflect.TypeFor[ticket.Forward]()} {
		for _, f := range reflect.VisibleFields(mail) {
			if !f.IsExported() {
				continue
			}
			_, holds := reflect.TypeFor[ticket.Draft]().FieldByName(cmp.Or(named[f.Name], f.Name))
			require.True(t, holds, "%s.%s: put it into Draft, and into what makes a draft of the mail and a mail of the draft", mail, f.Name)
		}
	}
}

// What Reply and Forward were asked for comes back as a draft, when it waits.
func TestARecalledMailThatWasNoDraftBecomesOne(t *testing.T) { // R-MSG-09
	t.Parallel()
	files := []rfc822.Attachment{attachment("terms.txt", "", "the terms")}
	inline := []rfc822.Attachment{attachment("logo.png", "logo", "PNG")}
	wantFiles := []ticket.DraftFile{
		{Name: "terms.txt", Type: "text/plain", Size: 9}, {Name: "logo.png", Type: "text/plain", Size: 3, ContentID: "logo"},
	}
	page := `<p>Hi</p><img src="cid:logo">`
	later := connected.Add(48 * time.Hour)
	for what, row := range map[string]struct {
		send func(w *world, id ticket.ID) (ticket.Entry, error)
		want ticket.Draft
	}{
		"words alone": {func(w *world, id ticket.ID) (ticket.Entry, error) {
			return w.svc.Reply(t.Context(), w.actor("rita"), id, ticket.Reply{Text: "Hi", SendAt: later})
		}, ticket.Draft{Kind: ticket.EntryReplied, Text: "Hi", SendAt: later}},
		"reply": {func(w *world, id ticket.ID) (ticket.Entry, error) {
			return w.svc.Reply(t.Context(), w.actor("rita"), id, ticket.Reply{HTML: page, All: true, Confirmed: true,
				Cc: []rfc822.Address{}, Bcc: addresses("hush"), NoQuote: true, Status: ticket.Solved, SendAt: later,
				Attachments: files, Inline: inline})
		}, ticket.Draft{Kind: ticket.EntryReplied, HTML: page, All: true, Confirmed: true, Fixed: true,
			To: []rfc822.Address{{Name: "Ann", Address: "ann@acme.com"}}, Bcc: addresses("hush"), NoQuote: true, Status: ticket.Solved,
			SendAt: later, Files: wantFiles}},
		"forward": {func(w *world, id ticket.ID) (ticket.Entry, error) {
			_, e, err := w.svc.Forward(t.Context(), w.actor("rita"), id, ticket.Forward{HTML: page, Subject: "help", To: addresses("tom"),
				Cc: addresses("cleo"), Bcc: addresses("hush"), Assignee: "carl", NoHistory: true, NoFiles: true,
				Status: ticket.OnHold, SendAt: later, Attachments: files, Inline: inline})
			return e, err
		}, ticket.Draft{Kind: ticket.EntryForwarded, HTML: page, Subject: "help", To: addresses("tom"), Cc: addresses("cleo"),
			Bcc: addresses("hush"), Assignee: "carl", NoQuote: true, NoFiles: true, Status: ticket.OnHold, SendAt: later, Files: wantFiles}},
	} {
		w, offer := asked(t, fake.Options{})
		e, err := row.send(w, offer.ID)
		require.NoError(t, err, what)
		w.noDraft("rita", offer.ID)
		w.recall("carl", e)
		d, err := w.svc.Draft(t.Context(), w.actor("rita"), offer.ID)
		require.NoError(t, err, what)
		require.False(t, d.Kept)
		if len(d.Files) > 0 {
			require.Equal(t, "the terms", w.file("rita", offer.ID, d.Files[0].ID))
		}
		row.want.Site, row.want.Ticket, row.want.Author = site, offer.ID, "rita"
		got := whole(d)
		if len(got.Cc) == 0 {
			got.Cc = nil
		}
		for i := range got.Files {
			require.Equal(t, w.in.ID, got.Files[i].Inbox)
			got.Files[i].Inbox = ""
		}
		require.Equal(t, row.want, got, what)
		require.Equal(t, 1+len(d.Files), w.blobs(), what)

		_, err = row.send(w, offer.ID) // and what is not recalled leaves nothing behind
		require.NoError(t, err, what)
		w.advance(47 * time.Hour)
		w.dispatch(2 * time.Hour)
		require.Len(t, w.account.Sends(), 1, what)
		require.Len(t, w.drafts(), 1, "%s: the one that was recalled", what)
		require.Equal(t, 2+len(d.Files), w.blobs(), what)
	}
}

// What no draft may be is sent all the same.
func TestAMailThatIsTooLargeForADraftIsNotKeptAsOne(t *testing.T) {
	t.Parallel()
	w, offer := asked(t, fake.Options{MaxSend: 100 << 20})
	w.undo(time.Minute)
	large := rfc822.Attachment{Name: "a.bin", Open: func() (io.ReadCloser, error) {
		return io.NopCloser(&zeros{26_000_000, io.EOF}), nil
	}}
	for what, r := range map[string]ticket.Reply{
		"text":  {Text: strings.Repeat("x", 1<<20+1)},
		"files": {Text: "x", Attachments: []rfc822.Attachment{attachment("a.txt", "", "file"), large}},
	} {
		e, err := w.svc.Reply(t.Context(), w.actor("rita"), offer.ID, r)
		require.NoError(t, err, what)
		require.Empty(t, w.drafts(), what)
		require.Equal(t, 2, w.blobs(), "%s: the mail, and no file", what)
		w.recall("rita", e)
		w.noDraft("rita", offer.ID)
	}
}

// A reply that is refused leaves nothing, and neither does one whose author cannot read it to the end.
func TestARefusedMailThatWasToWaitLeavesNoDraft(t *testing.T) {
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	w.undo(time.Minute)
	lost := fmt.Errorf("the disk is gone")
	for what, r := range map[string]ticket.Reply{
		"file": {Text: "x", Attachments: []rfc822.Attachment{attachment("a.txt", "", "file"),
			{Name: "b.txt", Open: func() (io.ReadCloser, error) { return io.NopCloser(&zeros{1000, lost}), nil }}}},
		"cannot be opened": {Text: "x", Attachments: []rfc822.Attachment{
			{Name: "b.txt", Open: func() (io.ReadCloser, error) { return nil, lost }}}},
		"address": {Text: "x", To: []rfc822.Address{{Address: "no address"}}, Attachments: []rfc822.Attachment{attachment("a.txt", "", "file")}},
	} {
		_, err := w.svc.Reply(t.Context(), w.actor("rita"), offer.ID, r)
		require.Error(t, err, what)
		require.Empty(t, w.drafts(), what)
		require.Equal(t, 1, w.blobs(), what)
	}
}

// Somebody goes on writing while a mail waits. It stays theirs to see first, and no call about it is taken
// for one about the mail that came back.
func TestARecalledDraftDoesNotTakeThePlaceOfTheNextOne(t *testing.T) {
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	w.undo(time.Minute)
	w.save("rita", offer.ID, ticket.Draft{Kind: ticket.EntryReplied, Text: "first"})
	w.attach("rita", offer.ID, "a.txt", "file of the first")
	_, e := w.sendDraft("rita", offer.ID)
	w.advance(time.Second)
	next := w.save("rita", offer.ID, ticket.Draft{Kind: ticket.EntryNoted, Text: "next"})
	w.advance(time.Second)
	w.recall("rita", e)
	now, err := w.svc.Draft(t.Context(), w.actor("rita"), offer.ID)
	require.NoError(t, err)
	require.Equal(t, next, now)
	both := w.ownDrafts("rita")
	require.Len(t, both, 2)
	first := both[0]
	if first.Entry == next.Entry {
		first = both[1]
	}
	require.Equal(t, "first", first.Text)

	rita := w.actor("rita")
	for range 2 { // twice, as by somebody who got no answer
		_, _, err = w.svc.SendDraft(t.Context(), rita, offer.ID, next.Entry)
	}
	require.ErrorIs(t, err, storage.ErrNotFound)
	require.ErrorIs(t, w.svc.DiscardDraft(t.Context(), rita, offer.ID, next.Entry), storage.ErrNotFound)
	_, err = w.svc.AttachToDraft(t.Context(), rita, offer.ID, next.Entry, ticket.DraftFile{Name: "b.txt"}, strings.NewReader("b"))
	require.ErrorIs(t, err, storage.ErrNotFound)
	now, err = w.svc.Draft(t.Context(), rita, offer.ID)
	require.NoError(t, err)
	require.Equal(t, first, now)
	require.Equal(t, "file of the first", w.file("rita", offer.ID, now.Files[0].ID))
	require.Equal(t, []string{"received", "replied recalled by rita", "noted by rita"}, w.lines(offer.ID))
	require.NoError(t, w.svc.DiscardDraft(t.Context(), rita, offer.ID, first.Entry))
	w.noDraft("rita", offer.ID)
	require.Equal(t, 1, w.blobs())
}

// A mail that waits, from a draft or not, is recalled, and what was written is sent again. The process
// dies at every write of that, with the write done or not, and another goes on: either the mail leaves
// as it waits, or its author has the draft with its file; never both, and never neither.
func TestCrashAtEveryStepOfARecall(t *testing.T) { // R-MSG-09
	t.Parallel()
	for what, queue := range map[string]func(w *world, id ticket.ID) (ticket.Entry, error){
		"draft": func(w *world, id ticket.ID) (ticket.Entry, error) {
			_, e, err := w.svc.SendDraft(t.Context(), w.actor("rita"), id, w.draftOf("rita", id))
			return e, err
		},
		"reply": func(w *world, id ticket.ID) (ticket.Entry, error) {
			return w.svc.Reply(t.Context(), w.actor("rita"), id, ticket.Reply{Text: "hello",
				Attachments: []rfc822.Attachment{attachment("a.txt", "", "file")}})
		},
		"forward": func(w *world, id ticket.ID) (ticket.Entry, error) {
			_, e, err := w.svc.Forward(t.Context(), w.actor("rita"), id, ticket.Forward{Text: "hello", To: addresses("tom"),
				Attachments: []rfc822.Attachment{attachment("a.txt", "", "file")}})
			return e, err
		},
	} {
		for _, lose := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, write done: %t", what, lose), func(t *testing.T) {
				t.Parallel()
				for kill, died := 1, true; died; kill++ {
					w, offer := asked(t, fake.Options{})
					w.undo(time.Minute)
					if what == "draft" {
						w.save("rita", offer.ID, ticket.Draft{Kind: ticket.EntryReplied, Text: "hello"})
						w.attach("rita", offer.ID, "a.txt", "file")
					}
					w.store.failFrom(kill, lose)
					e, err := queue(w, offer.ID)
					if err == nil {
						_, err = w.svc.Recall(t.Context(), w.actor("carl"), e.Ticket, e.ID)
					}
					if err == nil {
						_, _, err = w.svc.SendDraft(t.Context(), w.actor("rita"), offer.ID, w.draftOf("rita", offer.ID))
					}
					died = w.store.heal() >= kill
					require.True(t, died || err == nil, "killed at write %d", kill)

					w.start()
					w.advance(2 * time.Second)
					drafts := w.ownDrafts("rita")
					for _, d := range drafts {
						require.Equal(t, "hello", d.Text)
						require.Equal(t, "file", w.file("rita", offer.ID, d.Files[0].ID), "killed at write %d", kill)
					}
					waiting := 0
					for e, err := range w.store.Entries(t.Context(), ticket.EntryQuery{Outgoing: []ticket.OutgoingState{ticket.OutgoingQueued}}) {
						require.NoError(t, err)
						require.NotZero(t, e.Draft)
						waiting++
					}
					if e.ID != "" || what == "draft" {
						require.Equal(t, 1, waiting+len(drafts), "killed at write %d: it waits, or is back", kill)
					}
					for _, d := range drafts {
						_, _, err := w.svc.SendDraft(t.Context(), w.actor("rita"), offer.ID, d.Entry)
						require.NoError(t, err)
					}
					w.dispatch(2 * time.Minute)
					require.Len(t, w.account.Sends(), waiting+len(drafts), "killed at write %d", kill)
					for _, sent := range w.account.Sends() {
						require.Contains(t, string(sent.Raw), "ZmlsZQ", "killed at write %d", kill)
					}
					w.advance(2 * time.Hour)
					w.noDraft("rita", offer.ID)
					require.Empty(t, w.drafts(), "killed at write %d", kill)
					require.Equal(t, 1+len(w.account.Sends()), w.blobs(), "killed at write %d: what came, what left and no file", kill)
				}
			})
		}
	}
}

// A mail that was to wait is in the trash, and its ticket forgotten: what its author wrote on another
// ticket is theirs again.
func TestADraftComesBackWhenItsMailGoesWithItsTicket(t *testing.T) { // R-TKT-05
	t.Parallel()
	for _, kept := range []bool{false, true} {
		w, offer := asked(t, fake.Options{})
		w.undo(time.Hour)
		if kept {
			w.forward("rita", offer.ID, ticket.Forward{Text: "look", To: addresses("tom"),
				Attachments: []rfc822.Attachment{attachment("a.txt", "", "file")}})
		} else {
			w.save("rita", offer.ID, ticket.Draft{Kind: ticket.EntryForwarded, Text: "look", To: addresses("tom")})
			w.attach("rita", offer.ID, "a.txt", "file")
			w.sendDraft("rita", offer.ID)
		}
		child := w.bySubject("Fwd: offer").ID
		w.trash(child)
		require.NoError(t, w.svc.Purge(t.Context(), w.actor("carl"), child))
		w.advance(2 * time.Hour)
		d, err := w.svc.Draft(t.Context(), w.actor("rita"), offer.ID)
		require.NoError(t, err)
		require.Equal(t, "look", d.Text)
		require.Equal(t, "file", w.file("rita", offer.ID, d.Files[0].ID))
		w.undo(0)
		w.sendDraft("rita", offer.ID)
		require.Len(t, w.account.Sends(), 1)
		require.Equal(t, 2, w.blobs())
	}
}

// The process dies when the service has taken the mail, before that is noted. Its copy in the sent folder
// tells that it has left, and the draft is not needed any more.
func TestTheCopyOfAMailEndsItsDraft(t *testing.T) {
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	w.save("rita", offer.ID, ticket.Draft{Kind: ticket.EntryReplied, Text: "hello"})
	w.attach("rita", offer.ID, "a.txt", "file")
	w.store.failFrom(3, false) // queued, and marked as sending
	_, e := w.sendDraft("rita", offer.ID)
	w.store.heal()
	require.Equal(t, ticket.OutgoingSending, e.Outgoing.State)
	require.Len(t, w.drafts(), 1)
	w.start()
	w.advance(time.Minute)
	w.pull()
	require.Equal(t, ticket.OutgoingSent, w.outgoing(offer.ID).Outgoing.State)
	require.Empty(t, w.drafts())
	require.Equal(t, 2, w.blobs())
}
