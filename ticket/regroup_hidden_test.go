package ticket_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/ticket"
)

func TestHiddenSubjectOfAMergedSource(t *testing.T) { // R-CHG-07
	t.Parallel()
	for _, erase := range []bool{false, true} {
		t.Run(fmt.Sprint("erase ", erase), func(t *testing.T) {
			w, offer := asked(t, fake.Options{})
			again := w.ask("Ann <ann@acme.com>", "secret salary")
			w.merge("rita", offer.ID, again.ID)
			if erase {
				w.erase(again.Last)
			} else {
				w.change(inbox.MessageChange{ID: again.Last, Hidden: new(true)})
			}
			w.collect()
			stub, err := w.svc.Ticket(t.Context(), w.actor("rob"), again.ID)
			if err == nil {
				require.NotContains(t, stub.Subject, "secret")
			}
			var all []string
			for s, err := range w.svc.Tickets(t.Context(), w.actor("rob"), ticket.Query{Merged: true}) {
				require.NoError(t, err)
				all = append(all, s.Subject)
			}
			require.NotContains(t, all, "secret salary")
		})
	}
}

func TestSplitOfAHiddenMail(t *testing.T) { // R-TKT-07, R-CHG-07
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	w.advance(time.Minute)
	w.deliver("Ann <ann@acme.com>", "hide me", "References: <ask@acme.com>", "Message-ID: <two@acme.com>")
	w.pull()
	var hide ticket.Entry
	for _, e := range w.entries(offer.ID) {
		if e.Message != "" {
			hide = e
		}
	}
	w.change(inbox.MessageChange{ID: hide.Message, Hidden: new(true)})
	w.collect()
	part, err := w.svc.Split(t.Context(), w.actor("carl"), offer.ID, ticket.Split{Entry: hide.ID})
	require.NoError(t, err)
	for _, e := range w.due() {
		if e.Ticket == string(part.ID) {
			require.NotEmpty(t, e.Message, "an event of a hidden ticket that names no mail is told to everybody: %s", e.Name)
		}
	}
	require.Equal(t, "hide me", part.Subject)
	require.False(t, part.CreatedAt.IsZero())
	require.NotEmpty(t, part.Last)
}

func TestSubjectOfWhatIsLeftOfASplit(t *testing.T) { // R-CHG-07
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	w.advance(time.Minute)
	w.deliver("Ann <ann@acme.com>", "lunch", "References: <ask@acme.com>", "Message-ID: <two@acme.com>")
	w.pull()
	part, err := w.svc.Split(t.Context(), w.actor("carl"), offer.ID, ticket.Split{Entry: w.entries(offer.ID)[0].ID})
	require.NoError(t, err)
	w.change(inbox.MessageChange{ID: part.Last, Hidden: new(true)})
	w.collect()
	old, err := w.svc.Ticket(t.Context(), w.actor("rob"), offer.ID)
	require.NoError(t, err)
	require.NotEqual(t, "offer", old.Subject)
}

func TestHiddenMailOfAnotherInboxAlone(t *testing.T) { // R-CHG-07
	t.Parallel()
	w, offer, second, other := neighbours(t)
	far := w.far(second, other, "far")
	w.merge("carl", far.ID, offer.ID)
	var of ticket.Entry
	for _, e := range w.entries(far.ID) {
		if e.Message == offer.Last {
			of = e
		}
	}
	part, err := w.svc.Split(t.Context(), w.actor("zoe"), far.ID, ticket.Split{Entry: of.ID})
	require.NoError(t, err)
	w.change(inbox.MessageChange{ID: offer.Last, Hidden: new(true)})
	w.collect()
	_, err = w.svc.Ticket(t.Context(), w.actor("zoe"), part.ID)
	require.NotContains(t, w.listed("zoe", ticket.Query{}), "offer")
	require.ErrorIs(t, err, storage.ErrNotFound)
}

func TestHiddenFilesOfAnotherInbox(t *testing.T) {
	t.Parallel()
	w, offer, second, other := neighbours(t)
	far := w.far(second, other, "far")
	w.advance(time.Minute)
	raw := "From: Ann <ann@acme.com>\r\nTo: me@firm.example\r\nSubject: with file\r\nMessage-ID: <f@acme.com>\r\nReferences: <ask@acme.com>\r\n" +
		"Date: Tue, 31 Mar 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" +
		"--b\r\nContent-Type: text/plain\r\n\r\nhi\r\n--b\r\nContent-Type: application/pdf; name=a.pdf\r\nContent-Disposition: attachment; filename=a.pdf\r\n\r\nxx\r\n--b--\r\n"
	w.account.Deliver([]byte(raw), fake.Delivery{})
	w.pull()
	last := w.stored(offer.ID).Last
	w.change(inbox.MessageChange{ID: last, Hidden: new(true)})
	w.collect()
	w.merge("carl", far.ID, offer.ID)
	require.Empty(t, w.listed("zoe", ticket.Query{WithFiles: true}), "zoe")
}

func TestShellOfAnErasedMailAfterAMove(t *testing.T) { // R-CHG-07
	t.Parallel()
	for _, how := range []string{"move", "merge"} {
		w, offer, second, other := neighbours(t)
		far := w.far(second, other, "far")
		w.advance(time.Minute)
		w.deliver("Ann <ann@acme.com>", "hide me", "References: <ask@acme.com>", "Message-ID: <two@acme.com>")
		w.pull()
		last := w.stored(offer.ID).Last
		w.change(inbox.MessageChange{ID: last, Hidden: new(true)})
		w.collect()
		w.erase(last)
		w.collect()
		id := offer.ID
		if how == "move" {
			_, err := w.svc.Move(t.Context(), w.actor("carl"), offer.ID, ticket.Move{To: other.ID})
			require.NoError(t, err)
		} else {
			w.merge("carl", far.ID, offer.ID)
			id = far.ID
		}
		for _, e := range w.history("zoe", id) {
			require.False(t, e.Hidden, how)
		}
	}
}
