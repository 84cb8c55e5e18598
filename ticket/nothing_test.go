package ticket_test

import (
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/provider/rfc822"
	"github.com/workinbox/workinbox/ticket"
)

// A file without content is refused, and neither sent nor kept.
func TestAFileWithNothingToReadIsRefused(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func() (io.ReadCloser, error){
		"no function": nil,
		"no reader":   func() (io.ReadCloser, error) { return nil, nil },
	} {
		for wait, undo := range map[string]time.Duration{"at once": 0, "later": time.Minute} {
			t.Run(name+", "+wait, func(t *testing.T) {
				t.Parallel()
				w, offer := asked(t, fake.Options{})
				w.undo(undo)
				before, kept := w.lines(offer.ID), w.blobs()
				_, err := w.svc.Reply(t.Context(), w.actor("rita"), offer.ID,
					ticket.Reply{Text: "see there", Attachments: []rfc822.Attachment{{Name: "secret.txt", Open: open}}})
				require.ErrorIs(t, err, rfc822.ErrMissing)
				require.NotContains(t, err.Error(), "secret")
				require.Equal(t, before, w.lines(offer.ID))
				require.Equal(t, kept, w.blobs())
				require.Empty(t, w.drafts())
			})
		}
	}
	w, offer := asked(t, fake.Options{})
	d := w.save("rita", offer.ID, ticket.Draft{Kind: ticket.EntryReplied, Text: "see there"})
	_, err := w.svc.AttachToDraft(t.Context(), w.actor("rita"), offer.ID, d.Entry, ticket.DraftFile{Name: "a.txt"}, nil)
	require.ErrorIs(t, err, ticket.ErrDraft)
}
