package ticket_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/ticket"
)

func (w *world) sendDraft(user acl.UserID, id ticket.ID) (ticket.Ticket, ticket.Entry) {
	w.t.Helper()
	tk, e, err := w.svc.SendDraft(w.t.Context(), w.actor(user), id, w.draftOf(user, id))
	require.NoError(w.t, err)
	return tk, e
}

func TestADraftIsSentAsItIs(t *testing.T) { // R-MSG-02, R-MSG-06, R-MSG-11
	t.Parallel()
	w, offer := asked(t, fake.Options{}, "Cc: bob@bond.com")
	blobs := w.blobs()
	w.save("rita", offer.ID, ticket.Draft{Kind: ticket.EntryReplied, HTML: `<p>Hi</p><img src="cid:logo">`,
		All: true, Status: ticket.Solved, NoQuote: true})
	w.attach("rita", offer.ID, "terms.txt", "the terms")
	_, err := w.svc.AttachToDraft(t.Context(), w.actor("rita"), offer.ID, w.draftOf("rita", offer.ID),
		ticket.DraftFile{Name: "logo.png", Type: "image/png", ContentID: "logo"}, strings.NewReader("PNG"))
	require.NoError(t, err)
	got, e := w.sendDraft("rita", offer.ID)
	require.Equal(t, ticket.OutgoingSent, e.Outgoing.State)
	require.Equal(t, ticket.Solved, got.Status)
	m := w.lastSent()
	require.Equal(t, "ann@acme.com", bare(m.Envelope.To))
	require.Equal(t, "bob@bond.com", bare(m.Envelope.Cc))
	require.NotContains(t, m.Text, "Body of offer")
	require.Len(t, m.Parts, 2)
	for _, p := range m.Parts {
		require.Equal(t, p.Name == "logo.png", p.Inline, p.Name)
	}
	require.Contains(t, string(w.account.Sends()[0].Raw), "dGhlIHRlcm1z", "the terms, without what stands before them in the blob")
	require.Empty(t, w.drafts())
	require.Equal(t, blobs+1, w.blobs(), "the mail, and no file of the draft")
	_, _, err = w.svc.SendDraft(t.Context(), w.actor("rita"), offer.ID, w.draftOf("rita", offer.ID))
	require.ErrorIs(t, err, storage.ErrNotFound)

	w.save("rita", offer.ID, ticket.Draft{Kind: ticket.EntryReplied, Text: "to Tom alone", To: addresses("tom")})
	w.sendDraft("rita", offer.ID)
	require.Equal(t, "tom@third.org", bare(w.lastSent().Envelope.To))
	require.Empty(t, w.lastSent().Envelope.Cc)

	w.save("rita", offer.ID, ticket.Draft{Kind: ticket.EntryForwarded, Text: "look", To: addresses("tom"), Subject: "help"})
	child, e := w.sendDraft("rita", offer.ID)
	require.Equal(t, "Fwd: help", child.Subject)
	require.Equal(t, child.ID, e.Ticket)

	w.save("rob", offer.ID, ticket.Draft{Kind: ticket.EntryNoted, HTML: "<b>why?</b>", Mentions: []acl.UserID{"carl", "zoe"}})
	_, e = w.sendDraft("rob", offer.ID)
	require.Contains(t, e.Text, "why?")
	require.Equal(t, []acl.UserID{"carl"}, e.Mentions)
	require.Empty(t, w.drafts())
	require.Len(t, w.account.Sends(), 3)
}

func TestARefusedSendLeavesTheDraft(t *testing.T) { // 11.14
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	for what, row := range map[string]struct {
		d   ticket.Draft
		err error
	}{
		"stale":     {ticket.Draft{Kind: ticket.EntryReplied, Text: "x", ExpectedLast: "older"}, ticket.ErrStaleThread},
		"to nobody": {ticket.Draft{Kind: ticket.EntryReplied, Text: "x", Fixed: true}, ticket.ErrNobody},
		"empty":     {ticket.Draft{Kind: ticket.EntryNoted, Text: " "}, ticket.ErrEmpty},
		"status":    {ticket.Draft{Kind: ticket.EntryForwarded, Text: "x", To: addresses("tom"), Status: "nonsense"}, ticket.ErrOption},
	} {
		w.save("rita", offer.ID, row.d)
		if row.d.Kind != ticket.EntryNoted {
			w.attach("rita", offer.ID, "a.txt", "file")
		}
		before, err := w.svc.Draft(t.Context(), w.actor("rita"), offer.ID)
		require.NoError(t, err)
		blobs := w.blobs()
		_, _, err = w.svc.SendDraft(t.Context(), w.actor("rita"), offer.ID, w.draftOf("rita", offer.ID))
		require.ErrorIs(t, err, row.err, what)
		after, err := w.svc.Draft(t.Context(), w.actor("rita"), offer.ID)
		require.NoError(t, err)
		require.Equal(t, before, after, what)
		require.Equal(t, blobs, w.blobs(), what)
		require.NoError(t, w.discard("rita", offer.ID))
	}
	d := w.save("rita", offer.ID, ticket.Draft{Kind: ticket.EntryReplied, Text: "x"})
	w.attach("rita", offer.ID, "a.txt", "file")
	d.Version, d.Kind = d.Version+1, ticket.EntryNoted
	w.save("rita", offer.ID, d)
	_, _, err := w.svc.SendDraft(t.Context(), w.actor("rita"), offer.ID, w.draftOf("rita", offer.ID))
	require.ErrorContains(t, err, "a note has no files")
	require.Equal(t, []string{"received"}, w.lines(offer.ID))
}

// Sending a draft is killed at every write, with the write done or not. A new process is asked to send it
// again, by somebody who cannot know. It becomes one entry, and one mail leaves.
func TestCrashAtEveryStepOfSendingADraft(t *testing.T) {
	t.Parallel()
	for _, kind := range []ticket.EntryKind{ticket.EntryReplied, ticket.EntryForwarded, ticket.EntryNoted} {
		for _, lose := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, write done: %t", kind, lose), func(t *testing.T) {
				t.Parallel()
				for kill, writes := 1, 9; kill <= writes; kill++ {
					w, offer := asked(t, fake.Options{})
					w.save("rita", offer.ID, ticket.Draft{Kind: kind, Text: "hello", To: addresses("tom")})
					if kind != ticket.EntryNoted {
						w.attach("rita", offer.ID, "a.txt", "file")
					}
					w.store.failFrom(kill, lose)
					_, first, err := w.svc.SendDraft(t.Context(), w.actor("rita"), offer.ID, w.draftOf("rita", offer.ID))
					require.Equal(t, kill > 1 || lose && kind != ticket.EntryNoted, err == nil, "killed at write %d", kill)
					if n := w.store.heal(); n < kill {
						writes = kill
					}

					w.start()
					d, _ := w.svc.Draft(t.Context(), w.actor("rita"), offer.ID)
					_, second, err := w.svc.SendDraft(t.Context(), w.actor("rita"), offer.ID, w.draftOf("rita", offer.ID))
					switch {
					case d.Version > 0:
						require.NoError(t, err, "killed at write %d: the draft was not sent", kill)
						first = second
					case err == nil:
						require.Equal(t, first.ID, second.ID, "killed at write %d: its mail has not left", kill)
					default:
						require.ErrorIs(t, err, storage.ErrNotFound, "killed at write %d: the draft was sent", kill)
					}
					w.dispatch(11 * time.Minute)
					var became []ticket.Entry
					for _, tk := range w.tickets() {
						for _, e := range w.entries(tk.ID) {
							if e.Draft > 0 {
								became = append(became, e)
							}
						}
					}
					require.Len(t, became, 1, "killed at write %d", kill)
					if first.ID != "" {
						require.Equal(t, first.ID, became[0].ID)
					}
					if kind == ticket.EntryNoted {
						require.Empty(t, w.drafts())
						require.Equal(t, 1, w.blobs())
						continue
					}
					if len(w.account.Sends()) == 0 {
						require.Equal(t, ticket.OutgoingUnknown, became[0].Outgoing.State, "killed at write %d", kill)
						require.Len(t, w.drafts(), 1, "killed at write %d: kept until somebody decides", kill)
						require.Equal(t, 3, w.blobs(), "killed at write %d", kill)
						continue
					}
					require.Empty(t, w.drafts())
					require.Equal(t, 2, w.blobs(), "killed at write %d: what came, what left and no file", kill)
					require.Len(t, w.account.Sends(), 1, "killed at write %d", kill)
					require.Equal(t, ticket.OutgoingSent, became[0].Outgoing.State, "killed at write %d", kill)
				}
			})
		}
	}
}

// The process dies before the draft is forgotten, the mail is in doubt, and a person has it sent again
// under another marker. The draft still does not send it once more.
func TestADraftThatWasSentIsKnownWhateverBecameOfItsMail(t *testing.T) {
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	w.save("rita", offer.ID, ticket.Draft{Kind: ticket.EntryReplied, Text: "hello"})
	w.account.FailSendBefore()
	w.store.failFrom(3, false) // queued, and marked as sending
	_, e := w.sendDraft("rita", offer.ID)
	w.store.heal()
	require.Equal(t, []string{"rita: hello"}, w.drafts())
	w.start()
	w.dispatch(11 * time.Minute)
	_, again := w.sendDraft("rita", offer.ID)
	require.Equal(t, e.ID, again.ID)
	require.Equal(t, ticket.OutgoingUnknown, again.Outgoing.State)
	_, err := w.svc.Resolve(t.Context(), w.actor("rita"), offer.ID, e.ID, ticket.ResolutionSendAgain)
	require.NoError(t, err)
	require.Empty(t, w.drafts())
	_, _, err = w.svc.SendDraft(t.Context(), w.actor("rita"), offer.ID, e.ID)
	require.ErrorIs(t, err, storage.ErrNotFound)
	require.Len(t, w.account.Sends(), 1)
}

func TestADraftSentTwiceAtOnceIsOneMail(t *testing.T) {
	t.Parallel()
	for _, kind := range []ticket.EntryKind{ticket.EntryReplied, ticket.EntryForwarded, ticket.EntryNoted} {
		w, offer := asked(t, fake.Options{})
		w.save("rita", offer.ID, ticket.Draft{Kind: kind, Text: "hello", To: addresses("tom")})
		var other ticket.Entry
		w.store.before = func() { // another process is faster at the last moment
			w.store.before = nil
			_, other = w.sendDraft("rita", offer.ID)
		}
		_, e := w.sendDraft("rita", offer.ID)
		require.Equal(t, other.ID, e.ID, kind)
		n := 0
		for _, tk := range w.tickets() {
			for _, e := range w.entries(tk.ID) {
				if e.Draft > 0 {
					n++
				}
			}
		}
		require.Equal(t, 1, n, kind)
		require.LessOrEqual(t, len(w.account.Sends()), 1, kind)
		require.Equal(t, 1+len(w.account.Sends()), w.blobs(), "%s: nothing is left of the second", kind)
	}
}

func TestADraftSavedWhileItIsSentStays(t *testing.T) {
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	d := w.save("rita", offer.ID, ticket.Draft{Kind: ticket.EntryReplied, Text: "one"})
	w.store.before = func() {
		w.store.before = nil
		d.Text = "one and a half"
		d = w.save("rita", offer.ID, d)
		w.attach("rita", offer.ID, "a.txt", "file")
	}
	w.sendDraft("rita", offer.ID)
	now, err := w.svc.Draft(t.Context(), w.actor("rita"), offer.ID)
	require.NoError(t, err)
	require.Equal(t, "one and a half", now.Text)
	require.Equal(t, "file", w.file("rita", offer.ID, now.Files[0].ID))
	_, _, err = w.svc.SendDraft(t.Context(), w.actor("rita"), offer.ID, w.draftOf("rita", offer.ID))
	require.ErrorIs(t, err, ticket.ErrDraftSent)
	require.Len(t, w.account.Sends(), 1)
	w.save("rita", offer.ID, now)
	_, e := w.sendDraft("rita", offer.ID)
	require.Equal(t, "one and a half", e.Text)
	require.Len(t, w.account.Sends(), 2)
}

// A window that does not know that the draft was sent cannot bring it back.
func TestADraftThatWasSentIsNotSavedAgain(t *testing.T) {
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	d := w.save("rita", offer.ID, ticket.Draft{Kind: ticket.EntryReplied, Text: "hello"})
	w.store.failFrom(4, false) // the draft is not forgotten
	w.sendDraft("rita", offer.ID)
	w.store.heal()
	require.NotEmpty(t, w.drafts())
	_, err := w.svc.SaveDraft(t.Context(), w.actor("rita"), offer.ID, d)
	require.ErrorIs(t, err, ticket.ErrDraftConflict)
	require.Empty(t, w.drafts())
	next := w.save("rita", offer.ID, ticket.Draft{Kind: ticket.EntryReplied, Text: "next"})
	require.NotEqual(t, d.Entry, next.Entry)
}

func TestADraftBegunWhileAnotherIsSentStays(t *testing.T) {
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	w.save("rita", offer.ID, ticket.Draft{Kind: ticket.EntryReplied, Text: "one"})
	w.store.before = func() {
		w.store.before = nil
		require.NoError(t, w.discard("rita", offer.ID))
		w.save("rita", offer.ID, ticket.Draft{Kind: ticket.EntryReplied, Text: "two"})
	}
	_, e := w.sendDraft("rita", offer.ID)
	require.Equal(t, "one", e.Text)
	require.Equal(t, []string{"rita: two"}, w.drafts(), "of the same version as the one that was sent")
	_, e = w.sendDraft("rita", offer.ID)
	require.Equal(t, "two", e.Text)
	require.Len(t, w.account.Sends(), 2)
}
