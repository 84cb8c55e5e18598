package ticket_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/ticket"
)

// threefold is a ticket of three mails of Ann's in one thread, with a note after the second.
func threefold(t *testing.T) (*world, ticket.Ticket, []ticket.Entry) {
	w, offer := asked(t, fake.Options{})
	w.advance(time.Minute)
	w.deliver("Ann <ann@acme.com>", "Re: offer", "References: <ask@acme.com>", "Message-ID: <two@acme.com>")
	w.pull()
	w.advance(time.Minute)
	_, err := w.svc.Note(t.Context(), w.actor("rob"), offer.ID, "this is another matter")
	require.NoError(t, err)
	w.advance(time.Minute)
	w.deliver("Ann <ann@acme.com>", "Re: Re: offer", "References: <ask@acme.com> <two@acme.com>", "Message-ID: <three@acme.com>")
	w.pull()
	require.Equal(t, 3, w.stored(offer.ID).Messages)
	return w, offer, w.entries(offer.ID)
}

func TestSplitMakesAMailATicketOfItsOwn(t *testing.T) { // R-TKT-07
	t.Parallel()
	w, offer, lines := threefold(t)
	part, err := w.svc.Split(t.Context(), w.actor("rita"), offer.ID, ticket.Split{Entry: lines[1].ID})
	require.NoError(t, err)
	require.Equal(t, "Re: offer", part.Subject)
	require.Equal(t, ticket.Active, part.Status)
	require.Equal(t, offer.Inbox, part.Inbox)
	require.Equal(t, offer.Customer, part.Customer)
	require.NotEqual(t, offer.Number, part.Number)
	require.Equal(t, []string{"Re: offer"}, w.subjects("rob", part.ID))
	require.Equal(t, []string{"offer", "Re: Re: offer"}, w.subjects("rob", offer.ID))
	require.Equal(t, []string{"received", "noted by rob", "received", "changed split > by rita"}, w.lines(offer.ID))
	require.Equal(t, part.ID, w.entries(offer.ID)[3].Other)
	require.Equal(t, 2, w.stored(offer.ID).Messages)

	for _, late := range []struct{ subject, refs, id string }{
		{"answer to the part", "<ask@acme.com> <two@acme.com>", "<four@acme.com>"},
		{"answer to the rest", "<ask@acme.com>", "<five@acme.com>"},
		{"answer to the answer", "<four@acme.com>", "<six@acme.com>"},
	} {
		w.advance(time.Minute)
		w.deliver("Ann <ann@acme.com>", late.subject, "References: "+late.refs, "Message-ID: "+late.id)
		w.pull()
	}
	require.Equal(t, []string{"Re: offer", "answer to the part", "answer to the answer"}, w.subjects("rob", part.ID))
	require.Equal(t, []string{"offer", "Re: Re: offer", "answer to the rest"}, w.subjects("rob", offer.ID))
}

func TestSplitWithWhatCameLater(t *testing.T) { // R-TKT-07
	t.Parallel()
	w, offer, lines := threefold(t)
	part, err := w.svc.Split(t.Context(), w.actor("rita"), offer.ID, ticket.Split{Entry: lines[1].ID, Later: true})
	require.NoError(t, err)
	require.Equal(t, []string{"received", "noted by rob", "received", "changed split > by rita"}, w.lines(part.ID))
	require.Equal(t, []string{"received", "changed split > by rita"}, w.lines(offer.ID))
	require.Equal(t, lines[3].Message, part.Last)
	require.Equal(t, lines[0].Message, w.stored(offer.ID).Last)

	w.advance(time.Minute)
	w.deliver("Ann <ann@acme.com>", "answer to the first", "References: <ask@acme.com>")
	w.pull()
	require.Equal(t, []string{"offer", "answer to the first"}, w.subjects("rob", offer.ID))
	hits := w.search("rob", ticket.SearchQuery{Text: "another matter"})
	require.Len(t, hits, 1)
	require.Equal(t, part.ID, hits[0].Ticket.ID)
	// The reply goes on in the thread.
	_, err = w.svc.Reply(t.Context(), w.actor("rita"), part.ID, ticket.Reply{Text: "yes"})
	require.NoError(t, err)
	require.Equal(t, "three@acme.com", w.lastSent().Envelope.InReplyTo[0])
	w.pull()
	require.Equal(t, 3, w.stored(part.ID).Messages)
}

func TestSplitRefusesAndChangesNothing(t *testing.T) { // R-TKT-07, R-ACL-10
	t.Parallel()
	w, offer, lines := threefold(t)
	before := w.tickets()
	for _, c := range []struct {
		name  string
		user  acl.UserID
		entry ticket.EntryID
		later bool
		want  error
	}{
		{"read only", "rob", lines[1].ID, false, acl.ErrDenied},
		{"a stranger", "zoe", lines[1].ID, false, storage.ErrNotFound},
		{"a note", "rita", lines[2].ID, false, ticket.ErrNotMail},
		{"no such entry", "rita", "none", false, storage.ErrNotFound},
		{"everything", "rita", lines[0].ID, true, ticket.ErrNothingLeft},
	} {
		_, err := w.svc.Split(t.Context(), w.actor(c.user), offer.ID, ticket.Split{Entry: c.entry, Later: c.later})
		require.ErrorIs(t, err, c.want, c.name)
		require.Equal(t, before, w.tickets(), c.name)
	}
	// What others do not see they cannot split off, nor leave nothing but that behind.
	w.change(inbox.MessageChange{ID: lines[0].Message, Hidden: new(true)})
	w.collect()
	_, err := w.svc.Split(t.Context(), w.actor("rita"), offer.ID, ticket.Split{Entry: lines[0].ID})
	require.ErrorIs(t, err, storage.ErrNotFound)
	_, err = w.svc.Split(t.Context(), w.actor("rita"), offer.ID, ticket.Split{Entry: lines[1].ID, Later: true})
	require.ErrorIs(t, err, ticket.ErrNothingLeft)
}
