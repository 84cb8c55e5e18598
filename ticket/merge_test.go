package ticket_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/inbox/htmlsafe"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/ticket"
)

// ask lets a client's mail open a ticket, one minute later than what is there.
func (w *world) ask(from, subject string, more ...string) ticket.Ticket {
	w.t.Helper()
	w.advance(time.Minute)
	w.deliver(from, subject, more...)
	w.pull()
	return w.bySubject(subject)
}

func (w *world) bySubject(subject string) ticket.Ticket {
	w.t.Helper()
	for _, t := range w.tickets() {
		if t.Subject == subject {
			return t
		}
	}
	require.Fail(w.t, "no ticket", subject)
	return ticket.Ticket{}
}

func (w *world) merge(user acl.UserID, target ticket.ID, sources ...ticket.ID) ticket.Ticket {
	w.t.Helper()
	out, err := w.svc.Merge(w.t.Context(), w.actor(user), target, sources)
	require.NoError(w.t, err)
	return out
}

// history returns the entries of a ticket as somebody sees them.
func (w *world) history(user acl.UserID, id ticket.ID) []ticket.Entry {
	w.t.Helper()
	var out []ticket.Entry
	for e, err := range w.svc.Entries(w.t.Context(), w.actor(user), id) {
		require.NoError(w.t, err)
		out = append(out, e)
	}
	return out
}

// subjects are those of the mail in a ticket, as somebody reads it.
func (w *world) subjects(user acl.UserID, id ticket.ID) []string {
	w.t.Helper()
	out := []string{}
	for _, e := range w.history(user, id) {
		if e.Message == "" {
			continue
		}
		v, err := w.svc.Mail(w.t.Context(), w.actor(user), id, e.ID, htmlsafe.Options{})
		require.NoError(w.t, err)
		require.NotEmpty(w.t, v.Content.Text)
		out = append(out, v.Message.Subject)
	}
	return out
}

func TestMergeFoldsTicketsIntoOne(t *testing.T) { // R-TKT-06
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	w.choices()
	w.host.SetSite(inbox.Settings{ID: site, AgentsMayDelete: true})
	again := w.ask("Ann <ann@acme.com>", "offer again", "Message-ID: <again@acme.com>")
	third := w.ask("Bob <bob@acme.com>", "me too")
	ctx, rita := t.Context(), w.actor("rita")
	_, err := w.svc.Edit(ctx, rita, again.ID, ticket.Edit{AddTags: []string{"red"}, Priority: new("high"), Assignee: new(acl.UserID("carl"))})
	require.NoError(t, err)
	_, err = w.svc.Edit(ctx, rita, offer.ID, ticket.Edit{AddTags: []string{"blue", "red"}})
	require.NoError(t, err)
	_, err = w.svc.Follow(ctx, w.actor("rob"), again.ID, "rob")
	require.NoError(t, err)
	_, err = w.svc.Note(ctx, w.actor("rob"), again.ID, "the same as before")
	require.NoError(t, err)
	before := w.stored(offer.ID)
	before.HeardAt = w.stored(third.ID).HeardAt

	merged := w.merge("rita", offer.ID, again.ID, third.ID)
	require.Equal(t, "offer", merged.Subject)
	require.Equal(t, before.Number, merged.Number)
	require.Equal(t, before.Status, merged.Status)
	require.Empty(t, merged.Priority, "the target keeps its options")
	require.Empty(t, merged.Assignee)
	require.ElementsMatch(t, []string{"red", "blue"}, merged.Tags)
	require.Equal(t, []acl.UserID{"rob"}, merged.Followers)
	require.Equal(t, 3, merged.Messages)
	require.Equal(t, 3, merged.Shown)
	require.Equal(t, w.stored(third.ID).LastMail, merged.LastMail)
	require.Equal(t, []ticket.ID{again.ID, third.ID}, merged.MergedFrom)
	require.Equal(t, []string{"offer", "offer again", "me too"}, w.subjects("rob", offer.ID), "in their order by time")
	require.Contains(t, w.lines(offer.ID), "noted by rob")
	require.Contains(t, w.events(), string(ticket.EventMerged))

	stub, err := w.svc.Ticket(ctx, w.actor("rob"), again.ID)
	require.NoError(t, err, "who has its number is sent on")
	require.Equal(t, offer.ID, stub.MergedInto)
	require.Equal(t, again.Number, stub.Number)
	require.Equal(t, []string{"changed assignee >carl by rita", "changed priority >high by rita", "changed tag >red by rita",
		"changed follower >rob by rob", "changed merged > by rita"}, w.lines(again.ID), "its own lines stay")
	require.Equal(t, []string{"offer"}, w.listed("rita", ticket.Query{}), "it is in no list")
	require.Len(t, w.listed("rita", ticket.Query{Number: again.Number}), 1, "but its number leads to it")
	counts, err := w.svc.Counts(ctx, rita, ticket.Query{})
	require.NoError(t, err)
	require.Equal(t, 1, counts.View("", "rita"))
	hits := w.search("rob", ticket.SearchQuery{Text: "again"})
	require.Len(t, hits, 1)
	require.Equal(t, offer.ID, hits[0].Ticket.ID)

	for _, work := range []func() error{
		func() error { _, err := w.svc.Note(ctx, rita, again.ID, "late"); return err },
		func() error { _, err := w.svc.Reply(ctx, rita, again.ID, ticket.Reply{Text: "late"}); return err },
		func() error { _, err := w.svc.Assign(ctx, rita, again.ID, "rita"); return err },
		func() error { _, err := w.svc.Delete(ctx, w.actor("carl"), again.ID); return err },
		func() error { _, err := w.svc.Merge(ctx, rita, again.ID, []ticket.ID{offer.ID}); return err },
		func() error { _, err := w.svc.Merge(ctx, rita, offer.ID, []ticket.ID{again.ID}); return err },
	} {
		require.ErrorIs(t, work(), ticket.ErrMerged)
	}
	require.Zero(t, w.collect().Opened, "nothing is collected again")
}

func TestMailOfAMergedThreadLandsOnTheTarget(t *testing.T) { // R-TKT-06
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	w.host.SetSite(inbox.Settings{ID: site, AgentsMayDelete: true})
	again := w.ask("Ann <ann@acme.com>", "offer again", "Message-ID: <again@acme.com>")
	third := w.ask("Bob <bob@acme.com>", "me too", "Message-ID: <third@acme.com>")
	w.merge("rita", again.ID, third.ID)
	w.merge("rita", offer.ID, again.ID)

	w.advance(time.Minute)
	w.deliver("Bob <bob@acme.com>", "Re: me too", "References: <third@acme.com>", "Message-ID: <third2@acme.com>")
	w.pull()
	w.advance(time.Minute)
	w.deliver("Bob <bob@acme.com>", "new thread", "References: <third2@acme.com>", "Message-ID: <third3@acme.com>")
	got := w.pull()
	require.Equal(t, ticket.Collected{Extended: 1, Changes: 1}, got)
	require.Equal(t, []string{"offer", "offer again", "me too", "Re: me too", "new thread"}, w.subjects("carl", offer.ID))
	require.Equal(t, "offer", w.stored(offer.ID).Subject)
	require.Equal(t, 5, w.stored(offer.ID).Messages)

	_, err := w.svc.Delete(t.Context(), w.actor("carl"), offer.ID)
	require.NoError(t, err)
	w.advance(time.Minute)
	w.deliver("Bob <bob@acme.com>", "after all", "References: <third3@acme.com>")
	require.Equal(t, 1, w.pull().Opened, "what comes after the trash opens another ticket")
}

func TestMergeRefusesAndChangesNothing(t *testing.T) { // R-TKT-06, R-ACL-10, row 13
	t.Parallel()
	w, offer, _, other := elsewhere(t)
	w.host.SetSite(inbox.Settings{ID: site, AgentsMayDelete: true})
	again := w.ask("Ann <ann@acme.com>", "offer again")
	w.deliver("Ann <ann@acme.com>", "gone")
	w.pull()
	gone := w.bySubject("gone")
	_, err := w.svc.Delete(t.Context(), w.actor("carl"), gone.ID)
	require.NoError(t, err)
	far, _ := w.forward("rita", offer.ID, ticket.Forward{To: addresses("tom"), Text: "see", Inbox: other.ID})
	before := w.tickets()
	for _, c := range []struct {
		name    string
		user    acl.UserID
		target  ticket.ID
		sources []ticket.ID
		want    error
	}{
		{"nothing", "rita", offer.ID, nil, nil},
		{"itself", "rita", offer.ID, []ticket.ID{offer.ID}, ticket.ErrSameTicket},
		{"twice", "rita", offer.ID, []ticket.ID{again.ID, again.ID}, ticket.ErrSameTicket},
		{"read only", "rob", offer.ID, []ticket.ID{again.ID}, acl.ErrDenied},
		{"inbox admin who reads", "ina", offer.ID, []ticket.ID{again.ID}, acl.ErrDenied},
		{"site owner", "olga", offer.ID, []ticket.ID{again.ID}, acl.ErrDenied},
		{"a stranger", "zoe", offer.ID, []ticket.ID{again.ID}, storage.ErrNotFound},
		{"a source in the trash that is for admins to see", "rita", offer.ID, []ticket.ID{gone.ID}, acl.ErrDenied},
		{"a source in the trash", "carl", offer.ID, []ticket.ID{gone.ID}, acl.ErrDenied},
		{"a target in the trash", "carl", gone.ID, []ticket.ID{offer.ID}, acl.ErrDenied},
		{"a source elsewhere", "carl", offer.ID, []ticket.ID{far.ID}, storage.ErrNotFound},
		{"readers of the target who do not see the source", "rita", far.ID, []ticket.ID{offer.ID}, acl.ErrDenied}, // c13
		{"no such ticket", "rita", offer.ID, []ticket.ID{"none"}, storage.ErrNotFound},
		{"one of two", "rita", offer.ID, []ticket.ID{again.ID, "none"}, storage.ErrNotFound},
	} {
		_, err := w.svc.Merge(t.Context(), w.actor(c.user), c.target, c.sources)
		require.Error(t, err, c.name)
		if c.want != nil {
			require.ErrorIs(t, err, c.want, c.name)
		}
		require.Equal(t, before, w.tickets(), c.name)
	}
	many := make([]ticket.ID, ticket.MaxWrites)
	_, err = w.svc.Merge(t.Context(), w.actor("rita"), offer.ID, many)
	require.ErrorContains(t, err, "at most 15")
}

func TestMergeDoesNotLoseMailOnItsWay(t *testing.T) {
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	again := w.ask("Ann <ann@acme.com>", "offer again", "Message-ID: <again@acme.com>")
	later := w.clock().Add(time.Hour)
	e, err := w.svc.Reply(t.Context(), w.actor("rita"), again.ID, ticket.Reply{Text: "tomorrow", SendAt: later})
	require.NoError(t, err)
	w.merge("rita", offer.ID, again.ID)
	w.advance(2 * time.Hour)
	n, err := w.svc.Dispatch(t.Context(), 0)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.Len(t, w.account.Sends(), 1)
	w.pull()
	lines := w.lines(offer.ID)
	require.Contains(t, lines, "replied sent by rita")
	require.Equal(t, 3, w.stored(offer.ID).Messages, "the copy is the entry")
	require.Equal(t, ticket.Waiting, w.stored(offer.ID).Status)
	_, err = w.svc.Recall(t.Context(), w.actor("rita"), offer.ID, e.ID)
	require.ErrorIs(t, err, ticket.ErrNotQueued)
}

// A merge that comes between the mark of a mail as sending and the word that it was sent moves the entry.
func TestMailSentDuringAMergeIsSentOnce(t *testing.T) {
	t.Parallel()
	for n := 1; n <= 3; n++ {
		w, offer := asked(t, fake.Options{})
		again := w.ask("Ann <ann@acme.com>", "offer again", "Message-ID: <again@acme.com>")
		_, err := w.svc.Reply(t.Context(), w.actor("rita"), again.ID, ticket.Reply{Text: "x", SendAt: w.clock().Add(time.Hour)})
		require.NoError(t, err)
		w.advance(2 * time.Hour)
		writes := 0
		w.store.before = func() {
			if writes++; writes == n {
				w.store.before = nil
				w.merge("rita", offer.ID, again.ID)
			}
		}
		_, err = w.svc.Dispatch(t.Context(), 0)
		require.NoError(t, err)
		if w.store.before != nil {
			w.store.before = nil
			w.merge("rita", offer.ID, again.ID)
		}
		w.dispatch(time.Minute)
		w.pull()
		require.Len(t, w.account.Sends(), 1)
		require.Contains(t, w.lines(offer.ID), "replied sent by rita", "merge at write %d", n)
		require.NotContains(t, w.lines(again.ID), "replied sent by rita")
	}
}

func TestMergeAcrossInboxes(t *testing.T) { // R-TKT-06, c13
	t.Parallel()
	w, offer, second, other := elsewhere(t)
	_, err := w.inboxes.Share(t.Context(), w.actor("zoe"), other.ID, acl.Grant{User: "carl", Access: acl.ReadAndReply})
	require.NoError(t, err)
	far, _ := w.forward("rita", offer.ID, ticket.Forward{To: addresses("tom"), Text: "see", Inbox: other.ID})
	w.merge("carl", far.ID, offer.ID)

	// zoe, who does not know carl's inbox, reads the mail in her ticket, but not where it lies.
	require.Equal(t, []string{"offer"}, w.subjects("zoe", far.ID))
	for _, e := range w.history("zoe", far.ID) {
		if e.Message != "" {
			require.Empty(t, e.Inbox)
			require.Empty(t, e.Merged)
			require.Empty(t, e.Bcc)
		}
	}
	at, err := w.svc.Ticket(t.Context(), w.actor("zoe"), far.ID)
	require.NoError(t, err)
	require.Empty(t, at.MergedFrom)
	// rob, who does not know zoe's, sees that the ticket went, but not where.
	stub, err := w.svc.Ticket(t.Context(), w.actor("rob"), offer.ID)
	require.NoError(t, err)
	require.Empty(t, stub.MergedInto)
	_, err = w.svc.Note(t.Context(), w.actor("rob"), offer.ID, "hm")
	require.ErrorIs(t, err, ticket.ErrMerged)

	w.advance(time.Minute)
	w.deliver("Ann <ann@acme.com>", "Re: offer", "References: <ask@acme.com>")
	w.pull()
	require.Equal(t, []string{"offer", "Re: offer"}, w.subjects("zoe", far.ID), "late mail follows")

	// The answer to carl's mail leaves from carl's mailbox, by who may reply there.
	_, err = w.svc.Reply(t.Context(), w.actor("zoe"), far.ID, ticket.Reply{Text: "hello"})
	require.ErrorIs(t, err, acl.ErrDenied)
	sent := len(second.Sends())
	_, err = w.svc.Reply(t.Context(), w.actor("rita"), far.ID, ticket.Reply{Text: "hello"})
	require.NoError(t, err)
	require.Len(t, w.account.Sends(), 1)
	require.Len(t, second.Sends(), sent)
	w.pull()
	require.Equal(t, ticket.Waiting, w.stored(far.ID).Status)

	// What carl's rules hide is his alone, in zoe's ticket too.
	w.change(inbox.MessageChange{ID: w.entries(far.ID)[0].Message, Hidden: new(true)})
	w.collect()
	require.Equal(t, []string{"Re: offer", "Re: offer"}, w.subjects("zoe", far.ID))
	require.Equal(t, []string{"offer", "Re: offer", "Re: offer"}, w.subjects("carl", far.ID))
}

func TestHiddenTicketsMergeOnlyWithEachOther(t *testing.T) { // R-CHG-07
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	again := w.ask("Ann <ann@acme.com>", "offer again")
	_, err := w.svc.Note(t.Context(), w.actor("carl"), again.ID, "between us")
	require.NoError(t, err)
	w.change(inbox.MessageChange{ID: w.stored(again.ID).Last, Hidden: new(true)})
	w.collect()
	_, err = w.svc.Merge(t.Context(), w.actor("carl"), offer.ID, []ticket.ID{again.ID})
	require.ErrorIs(t, err, ticket.ErrHidden)
	_, err = w.svc.Merge(t.Context(), w.actor("rita"), offer.ID, []ticket.ID{again.ID})
	require.ErrorIs(t, err, storage.ErrNotFound)
	w.change(inbox.MessageChange{ID: w.stored(offer.ID).Last, Hidden: new(true)})
	w.collect()
	w.merge("carl", offer.ID, again.ID)
	for _, id := range []ticket.ID{offer.ID, again.ID} {
		_, err = w.svc.Ticket(t.Context(), w.actor("rita"), id)
		require.ErrorIs(t, err, storage.ErrNotFound)
	}
}

func TestAMergeWhoseAnswerIsLostIsDoneOnce(t *testing.T) {
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	again := w.ask("Ann <ann@acme.com>", "offer again")
	for _, lose := range []bool{false, true} {
		w.store.failFrom(1, lose)
		_, err := w.svc.Merge(t.Context(), w.actor("rita"), offer.ID, []ticket.ID{again.ID})
		require.ErrorIs(t, err, errFault)
		w.store.heal()
		if !lose {
			require.Empty(t, w.stored(again.ID).MergedInto)
			require.Len(t, w.entries(offer.ID), 1)
			continue
		}
		_, err = w.svc.Merge(t.Context(), w.actor("rita"), offer.ID, []ticket.ID{again.ID})
		require.ErrorIs(t, err, ticket.ErrMerged)
		require.Equal(t, 2, w.stored(offer.ID).Messages)
	}
}
