package ticket_test

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/inbox/htmlsafe"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/ticket"
)

// A sweep with what BlobsInUse says takes what nothing refers to and no mail, no letter that waits and no
// file of a draft.
func TestWhatIsReferredToIsInUse(t *testing.T) {
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	sweep := func() (swept []inbox.BlobKey) {
		t.Helper()
		inUse, err := w.svc.BlobsInUse(t.Context(), w.in.ID)
		require.NoError(t, err)
		for b, err := range w.store.Blobs(t.Context(), w.in.ID) {
			require.NoError(t, err)
			used, err := inUse(b.Key)
			require.NoError(t, err)
			if !used {
				swept = append(swept, b.Key)
				require.NoError(t, w.store.DeleteBlob(t.Context(), b.Key))
			}
		}
		return swept
	}
	require.Empty(t, sweep(), "the client's mail")
	later, err := w.svc.Reply(t.Context(), w.actor("rita"), offer.ID,
		ticket.Reply{Text: "tomorrow", SendAt: w.clock().Add(24 * time.Hour)})
	require.NoError(t, err)
	w.save("carl", offer.ID, ticket.Draft{Kind: ticket.EntryReplied, Text: "his"})
	file := w.attach("carl", offer.ID, "a.txt", "content")
	require.Empty(t, sweep(), "a mail that waits, and a file of a draft")
	require.Equal(t, "content", w.file("carl", offer.ID, file.ID))

	orphan, err := w.store.PutBlob(t.Context(), w.in.ID, strings.NewReader("of a process that died"))
	require.NoError(t, err)
	require.Equal(t, []inbox.BlobKey{orphan.Key}, sweep())

	w.advance(25 * time.Hour)
	w.dispatch(0)
	w.pull()
	require.Empty(t, sweep())
	v, err := w.svc.Mail(t.Context(), w.actor("carl"), offer.ID, later.ID, htmlsafe.Options{})
	require.NoError(t, err)
	require.Equal(t, "tomorrow", v.Body.New)

	_, err = w.svc.BlobsInUse(t.Context(), "no such inbox")
	require.ErrorIs(t, err, storage.ErrNotFound)
}

// brimful is a store that has no room for another blob.
type brimful struct{ *faulty }

func (brimful) PutBlob(context.Context, inbox.ID, io.Reader) (inbox.BlobInfo, error) {
	return inbox.BlobInfo{}, errFault
}

func TestAMailThatIsNotKeptSaysWhy(t *testing.T) {
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	svc, err := ticket.New(ticket.Config{Store: w.store, Inboxes: w.inboxes, Archive: w.store, Blobs: brimful{w.store}, Now: w.clock, NewID: w.id})
	require.NoError(t, err)
	_, err = svc.Reply(t.Context(), w.actor("rita"), offer.ID, ticket.Reply{Text: "hello"})
	require.ErrorIs(t, err, errFault)
	require.Len(t, w.entries(offer.ID), 1, "nothing is left behind")
}
