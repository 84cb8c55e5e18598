package ticket_test

import (
	"context"
	"iter"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/ticket"
)

// overtaken calls once, after it was asked which mails are in tickets already.
type overtaken struct {
	*faulty
	once sync.Once
	do   func()
}

func (o *overtaken) Entries(ctx context.Context, q ticket.EntryQuery) iter.Seq2[ticket.Entry, error] {
	return func(yield func(ticket.Entry, error) bool) {
		for e, err := range o.faulty.Entries(ctx, q) {
			if !yield(e, err) {
				return
			}
		}
		if len(q.Messages) > 0 {
			o.once.Do(o.do)
		}
	}
}

// Two that collect at once see the ticket as the other left it, and the mail as it was before.
func TestCollectTwiceAtOnceTakesAMailOnce(t *testing.T) {
	t.Parallel()
	for name, mail := range map[string]func(w *world, id ticket.ID){
		"from a client": func(w *world, _ ticket.ID) {
			w.deliver("Ann <ann@acme.com>", "more", "References: <ask@acme.com>")
		},
		"the copy of an answer": func(w *world, id ticket.ID) { // R-IMP-13
			_, err := w.svc.Reply(w.t.Context(), w.actor("rita"), id, ticket.Reply{Text: "x"})
			require.NoError(w.t, err)
			_, err = w.svc.Dispatch(w.t.Context(), 0)
			require.NoError(w.t, err)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, offer := asked(t, fake.Options{})
			w.advance(time.Minute)
			mail(w, offer.ID)
			_, err := w.inboxes.Sync(t.Context(), w.in.ID)
			require.NoError(t, err)
			o := &overtaken{faulty: w.store, do: func() { w.collect() }}
			_, err = w.onStore(o).Collect(t.Context(), w.in.ID)
			require.NoError(t, err)
			mails := 0
			for _, e := range w.entries(offer.ID) {
				if e.Message != "" {
					mails++
				}
			}
			require.Equal(t, 2, mails, "mails in the history: %v", w.lines(offer.ID))
			require.Equal(t, 2, w.stored(offer.ID).Messages)
		})
	}
}
