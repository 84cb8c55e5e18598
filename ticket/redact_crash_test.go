package ticket_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/inbox/htmlsafe"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/ticket"
)

// readable are the ways in which somebody gets at a mail by package inbox, and whether a notice of it has
// words.
func (w *world) readable(user acl.UserID, mail inbox.MessageID) []string {
	w.t.Helper()
	ctx, actor := w.t.Context(), w.actor(user)
	n := new(told)
	svc, err := inbox.New(inbox.Config{Store: w.store, Vault: w.store, Blobs: w.store, People: w.host, Sites: w.host,
		Providers: []provider.Provider{w.mail}, Now: w.clock, NewID: w.id, Notifier: n})
	require.NoError(w.t, err)
	_, err = ticket.New(ticket.Config{Store: w.store, Inboxes: svc, Archive: w.store, Blobs: w.store, Now: w.clock, NewID: w.id})
	require.NoError(w.t, err)

	var out []string
	can := func(how string, err error) {
		if err == nil {
			out = append(out, how)
		} else {
			require.ErrorIs(w.t, err, storage.ErrNotFound, how)
		}
	}
	_, err = svc.View(ctx, actor, mail, htmlsafe.Options{})
	can("view", err)
	raw, err := svc.Raw(ctx, actor, mail)
	can("raw", err)
	if err == nil {
		require.NoError(w.t, raw.Close())
	}
	raw, err = svc.Original(ctx, actor, mail)
	can("original", err)
	if err == nil {
		require.NoError(w.t, raw.Close())
	}
	_, part, err := svc.Part(ctx, actor, mail, "1")
	can("part", err)
	if err == nil {
		require.NoError(w.t, part.Close())
	}
	for _, limit := range []int{0, 1, 2} {
		for m, err := range svc.Messages(ctx, actor, inbox.MessageQuery{Inbox: w.in.ID, Limit: limit}) {
			require.NoError(w.t, err)
			if m.ID == mail {
				out = append(out, fmt.Sprintf("list of %d", limit))
			}
		}
	}
	require.NoError(w.t, w.store.SaveEvents(ctx, inbox.Event{ID: w.id(), Name: ticket.EventCustomerReply, At: w.clock(), Site: site,
		Inbox: w.in.ID, Message: mail}))
	_, err = svc.Deliver(ctx, 100)
	require.NoError(w.t, err)
	if slices.Contains(n.got, string(user)+" "+string(ticket.EventCustomerReply)) {
		out = append(out, "notice")
	}
	return out
}

// The process dies anywhere in a redaction. At each moment the mail is for all to read as before, or nobody
// gets at it, by no door.
func TestARedactionThatDiesAnywhereLeavesNoDoorOpen(t *testing.T) { // row 6
	t.Parallel()
	for _, lose := range []bool{false, true} {
		for n, died := 0, true; died; n++ {
			require.Less(t, n, 20)
			w, offer := asked(t, fake.Options{})
			w.advance(time.Minute)
			w.deliver("Ann <ann@acme.com>", "offer", "Message-ID: <ask@acme.com>") // a copy of it
			w.deliver("Ben <ben@acme.com>", "other")
			w.pull()
			mail := w.entries(offer.ID)[0]
			var copied inbox.MessageID
			for m, err := range w.store.Messages(t.Context(), inbox.MessageQuery{Inbox: w.in.ID, Hidden: true}) {
				require.NoError(t, err)
				if m.CopyOf == mail.Message {
					copied = m.ID
				}
			}
			require.NotEmpty(t, copied)
			w.watches("rita", ticket.EventCustomerReply)
			w.watches("carl", ticket.EventCustomerReply)
			all := []string{"view", "raw", "original", "part", "list of 0", "notice"}
			require.Subset(t, w.readable("rita", mail.Message), all)

			svc, _ := w.doomed(n, lose)
			_, err := svc.Redact(t.Context(), w.actor("carl"), offer.ID, mail.ID)
			died = err != nil
			begun := !w.entries(offer.ID)[0].RedactedAt.IsZero()
			require.Equal(t, n > 0 || lose, begun, "died after %d writes", n)
			for _, user := range []acl.UserID{"rita", "carl", "olga"} {
				if !begun {
					require.NotEmpty(t, w.readable(user, mail.Message))
					continue
				}
				require.Empty(t, w.readable(user, mail.Message), "%s, died after %d writes", user, n)
				require.Empty(t, w.readable(user, copied), "%s, the copy, died after %d writes", user, n)
				require.Empty(t, w.search(user, ticket.SearchQuery{Text: "offer"}), "%s, died after %d writes", user, n)
			}
			if !begun {
				continue
			}
			w.advance(2 * time.Minute)
			w.purgeTrash()
			require.Equal(t, []string{"other"}, w.mails(w.in.ID), "died after %d writes", n)
			require.Equal(t, 1, w.kept(w.in.ID), "died after %d writes", n)
		}
	}
}
