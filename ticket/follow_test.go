package ticket_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/provider/rfc822"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/ticket"
)

func TestTwoCollectorsMakeOneTicket(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		there bool // the ticket is there already
	}{{"of a new thread", false}, {"of a known thread", true}} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, fake.Options{})
			w.open(false)
			c := talk(newRand(3), 1, false, false)
			for len(c) < 3 {
				c = append(c, talk(newRand(uint64(len(c))), 1, false, false)[len(c):]...)
			}
			if row.there {
				w.put(c[0])
				w.collect()
				c = c[1:]
			}
			w.put(c...)
			first := w.svc
			w.start() // the second worker
			w.store.before = func() {
				w.store.before = nil
				w.collect()
			}
			_, err := first.Collect(t.Context(), w.in.ID)
			require.NoError(t, err)
			got := w.only()
			mails := 0
			for _, e := range w.entries(got.ID) {
				if e.Message != "" {
					mails++
				}
			}
			require.Equal(t, got.Messages, mails, "every mail once")
			ids := map[string]bool{}
			for _, e := range w.due() {
				require.False(t, ids[string(e.Name)+string(e.Message)], "event %s twice", e.Name)
				ids[string(e.Name)+string(e.Message)] = true
			}
		})
	}
}

func TestCollectGoesOnWhenAnotherMovedTheMark(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fake.Options{})
	w.open(false)
	w.put(talk(newRand(1), 1, false, false)...)
	w.store.before = func() { // another worker, which dies before its mark is of use
		w.store.before = nil
		mark, version, err := w.store.Mark(t.Context(), w.in.ID)
		require.NoError(t, err)
		_, err = w.store.Store.SaveMark(t.Context(), w.in.ID, mark, version)
		require.NoError(t, err)
	}
	require.Equal(t, 1, w.collect().Opened)
	w.only()
	require.Equal(t, ticket.Collected{}, w.collect(), "the mark is moved")
}

func TestHiddenMailIsTheCreatorsAlone(t *testing.T) { // R-CHG-03, R-CHG-07
	t.Parallel()
	w := newWorld(t, fake.Options{})
	w.open(false)
	c := talk(newRand(1), 1, false, false)
	hidden, other := c[0], talk(newRand(1), 2, false, false)[0]
	for _, m := range []*inbox.Message{&hidden, &other} {
		m.Direction, m.Class, m.Private = filter.Inbound, rfc822.ClassHuman, m == &hidden
	}
	w.put(hidden, other)
	w.collect()
	require.Equal(t, []string{"ticket.created"}, w.events(), "nobody is told of hidden mail")
	var secret ticket.Ticket
	for _, tk := range w.tickets() {
		if tk.Hidden() {
			secret = tk
		}
	}
	require.Equal(t, hidden.Subject, secret.Subject)

	ctx := t.Context()
	for _, user := range []acl.UserID{"olga", "rita", "rob", "ina"} {
		for name, q := range map[string]ticket.Query{
			"all": {}, "by inbox": {Inboxes: []inbox.ID{w.in.ID}}, "by number": {Number: secret.Number},
			"by thread": {Threads: secret.Threads}, "by status": {Statuses: []ticket.Status{secret.Status}},
			"unassigned": {Unassigned: true}, "asking for hidden": {AllHidden: true, HiddenIn: []inbox.ID{w.in.ID}},
		} {
			require.NotContains(t, w.listed(user, q), hidden.Subject, "%s lists %s", user, name)
		}
		actor := w.actor(user)
		_, err := w.svc.Ticket(ctx, actor, secret.ID)
		require.ErrorIs(t, err, storage.ErrNotFound, "%s reads", user)
		_, err = w.svc.Note(ctx, actor, secret.ID, "x")
		require.ErrorIs(t, err, storage.ErrNotFound, "%s notes", user)
		_, err = w.svc.Reply(ctx, actor, secret.ID, ticket.Reply{Text: "x"})
		require.ErrorIs(t, err, storage.ErrNotFound, "%s replies: even a refusal would tell", user)
		for _, err := range w.svc.Entries(ctx, actor, secret.ID) {
			require.ErrorIs(t, err, storage.ErrNotFound, "%s reads the history", user)
		}
	}
	require.ElementsMatch(t, []string{hidden.Subject, other.Subject}, w.listed("carl", ticket.Query{}))
	got, err := w.svc.Ticket(ctx, w.actor("carl"), secret.ID)
	require.NoError(t, err)
	require.Equal(t, secret.ID, got.ID)
}

// change stores a change of a message, as the inbox service does.
func (w *world) change(c inbox.MessageChange) {
	w.t.Helper()
	st, err := w.store.SyncState(w.t.Context(), w.in.ID)
	require.NoError(w.t, err)
	_, err = w.store.Commit(w.t.Context(), inbox.Import{State: st, Changed: []inbox.MessageChange{c}})
	require.NoError(w.t, err)
}

func TestAHiddenMailShowsNowhereInATicketOthersSee(t *testing.T) { // R-CHG-07
	t.Parallel()
	w := newWorld(t, fake.Options{})
	w.open(false)
	var c conversation
	for seed := uint64(0); len(c) < 3; seed++ {
		c = talk(newRand(seed), 1, true, false)
	}
	c = c[:3]
	for i := range c {
		c[i].Private = false
	}
	w.put(c...)
	w.collect()
	yes, no := true, false
	w.change(inbox.MessageChange{ID: c[0].ID, Hidden: &yes})
	w.change(inbox.MessageChange{ID: c[2].ID, Hidden: &yes})
	w.collect()
	got := w.only()
	require.Equal(t, c[1].Subject, got.Subject)
	require.Equal(t, c[1].ID, got.Last)
	require.Equal(t, c[1].Received, got.Activity)
	require.Equal(t, [2]int{3, 1}, [2]int{got.Messages, got.Shown})

	seen := func(user acl.UserID) (out []inbox.MessageID) {
		for e, err := range w.svc.Entries(t.Context(), w.actor(user), got.ID) {
			require.NoError(t, err)
			out = append(out, e.Message)
		}
		return out
	}
	require.Equal(t, []inbox.MessageID{c[1].ID}, seen("rita"))
	require.Equal(t, []inbox.MessageID{c[0].ID, c[1].ID, c[2].ID}, seen("carl"))

	w.change(inbox.MessageChange{ID: c[1].ID, Removed: &yes})
	w.collect()
	require.True(t, w.tickets()[0].Hidden(), "none is left to see")
	require.Empty(t, w.listed("rita", ticket.Query{}))

	w.change(inbox.MessageChange{ID: c[0].ID, Hidden: &no})
	w.change(inbox.MessageChange{ID: c[2].ID, Hidden: &no})
	w.collect()
	got = w.only()
	require.Equal(t, [2]int{3, 2}, [2]int{got.Messages, got.Shown})
	require.Equal(t, c[0].Subject, got.Subject)
	require.Equal(t, c[2].ID, got.Last)
}

// erase forgets messages for good, as a purge does.
func (w *world) erase(ids ...inbox.MessageID) {
	w.t.Helper()
	st, err := w.store.SyncState(w.t.Context(), w.in.ID)
	require.NoError(w.t, err)
	_, err = w.store.Commit(w.t.Context(), inbox.Import{State: st, Erase: ids})
	require.NoError(w.t, err)
}

func TestErasedMailLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	w, offer := asked(t, fake.Options{}, "Cc: tom@third.org")
	w.advance(time.Minute)
	_, err := w.svc.Reply(t.Context(), w.actor("rita"), offer.ID, ticket.Reply{Text: "our secret price"})
	require.NoError(t, err)
	w.pull()
	mails := func() (out []ticket.Entry) {
		return slices.DeleteFunc(w.entries(offer.ID), func(e ticket.Entry) bool { return e.Kind == ticket.EntryChanged })
	}
	before := mails()
	require.Len(t, before, 2)
	blob := w.outgoing(offer.ID).Outgoing.Blob
	require.Contains(t, w.raw(blob), "our secret price")
	yes := true
	w.change(inbox.MessageChange{ID: before[0].Message, Hidden: &yes})
	w.collect()
	w.erase(before[0].Message)
	w.collect()
	got := w.only()
	require.Equal(t, [2]int{1, 1}, [2]int{got.Messages, got.Shown}, "a hidden mail counts once")
	require.Equal(t, "Re: offer", got.Subject)

	w.erase(before[1].Message)
	w.collect()
	require.Empty(t, w.tickets(), "a ticket without mail is in the trash")
	trash, err := w.store.Ticket(t.Context(), offer.ID)
	require.NoError(t, err)
	require.False(t, trash.DeletedAt.IsZero())
	require.Empty(t, trash.Subject)
	for _, e := range mails() {
		require.Empty(t, e.Text)
		require.Empty(t, e.RFCID)
		require.Empty(t, e.Message)
		require.Nil(t, slices.Concat(e.To, e.Cc, e.Bcc))
	}
	_, err = w.store.OpenBlob(t.Context(), blob)
	require.ErrorIs(t, err, storage.ErrNotFound, "the raw mail we sent")
	_, _, err = w.store.Mark(t.Context(), w.in.ID)
	require.NoError(t, err)
	require.Equal(t, ticket.Collected{}, w.collect())
}

func TestErasureIsCollectedOnceHoweverOften(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fake.Options{})
	w.open(false)
	a, b := talk(newRand(1), 1, true, false)[0], talk(newRand(1), 2, true, false)[0]
	a.Private, b.Private = false, false
	b.Thread = a.Thread
	w.put(a, b)
	w.collect()
	w.erase(a.ID)
	w.store.failFrom(2, false) // between ticket and mark
	_, err := w.svc.Collect(t.Context(), w.in.ID)
	require.ErrorIs(t, err, errFault)
	w.store.heal()
	w.collect()
	got := w.only()
	require.Equal(t, [2]int{1, 1}, [2]int{got.Messages, got.Shown})
	require.Equal(t, b.Subject, got.Subject)
}

func TestHidingIsCollectedOnceHoweverOften(t *testing.T) {
	t.Parallel()
	w, _ := asked(t, fake.Options{})
	w.advance(time.Minute)
	w.deliver("ann@acme.com", "more", "References: <ask@acme.com>")
	w.pull()
	yes := true
	w.change(inbox.MessageChange{ID: w.only().Last, Hidden: &yes})
	w.store.failFrom(2, false) // between ticket and mark
	_, err := w.svc.Collect(t.Context(), w.in.ID)
	require.ErrorIs(t, err, errFault)
	w.store.heal()
	w.collect()
	got := w.only()
	require.Equal(t, [2]int{2, 1}, [2]int{got.Messages, got.Shown})
	require.Equal(t, "offer", got.Subject)
}

func TestLostAccessTakesTicketsAndFollows(t *testing.T) { // R-INB-11, R-TKT-04, 8.3 (4)
	t.Parallel()
	for _, row := range []struct {
		name     string
		lose     func(w *world) error
		assignee acl.UserID
		follows  []acl.UserID
	}{
		{"revoked", func(w *world) error {
			_, err := w.inboxes.Unshare(w.t.Context(), w.actor("carl"), w.in.ID, "rita")
			return err
		}, "", []acl.UserID{"rob"}},
		{"lowered to read-only", func(w *world) error {
			_, err := w.inboxes.Share(w.t.Context(), w.actor("carl"), w.in.ID, acl.Grant{User: "rita", Access: acl.ReadOnly})
			return err
		}, "", []acl.UserID{"rita", "rob"}},
		{"lowered and raised again", func(w *world) error {
			for _, access := range []acl.Access{acl.ReadOnly, acl.ReadAndReply} {
				if _, err := w.inboxes.Share(w.t.Context(), w.actor("carl"), w.in.ID, acl.Grant{User: "rita", Access: access}); err != nil {
					return err
				}
			}
			return nil
		}, "rita", []acl.UserID{"rita", "rob"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w, offer := asked(t, fake.Options{})
			ctx := t.Context()
			_, err := w.svc.Assign(ctx, w.actor("rita"), offer.ID, "rita")
			require.NoError(t, err)
			stored := w.only()
			stored.Followers = []acl.UserID{"rita", "rob"}
			_, err = w.store.SaveTickets(ctx, []ticket.Write{{Ticket: stored}})
			require.NoError(t, err)

			require.NoError(t, row.lose(w))
			read, err := w.svc.Ticket(ctx, w.actor("carl"), offer.ID)
			require.NoError(t, err)
			require.Equal(t, row.assignee, read.Assignee, "it reads so before it is collected")
			require.Equal(t, row.follows, read.Followers)
			for listed, err := range w.svc.Tickets(ctx, w.actor("carl"), ticket.Query{}) {
				require.NoError(t, err)
				require.Equal(t, row.assignee, listed.Assignee)
			}

			w.collect()
			got := w.only()
			require.Equal(t, row.assignee, got.Assignee)
			require.Equal(t, row.follows, got.Followers)
			require.Equal(t, row.assignee == "", slices.Contains(w.events(), "ticket.unassigned"))
			require.Equal(t, row.assignee == "", slices.Contains(w.lines(offer.ID), "changed assignee rita>"))
			require.Equal(t, len(row.follows) == 1, slices.Contains(w.lines(offer.ID), "changed follower rita>"))
		})
	}
}

func TestLostAccessReachesTheTrash(t *testing.T) { // R-INB-11
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	_, err := w.svc.Assign(t.Context(), w.actor("rita"), offer.ID, "rita")
	require.NoError(t, err)
	gone := w.only()
	gone.DeletedAt = w.clock()
	_, err = w.store.SaveTickets(t.Context(), []ticket.Write{{Ticket: gone}})
	require.NoError(t, err)
	_, err = w.inboxes.Unshare(t.Context(), w.actor("carl"), w.in.ID, "rita")
	require.NoError(t, err)
	w.collect()
	got, err := w.store.Ticket(t.Context(), offer.ID)
	require.NoError(t, err)
	require.Empty(t, got.Assignee)
}

func TestATicketFollowsItsCustomersCompany(t *testing.T) { // R-CUS-04
	t.Parallel()
	w := newWorld(t, fake.Options{})
	w.open(false)
	w.advance(time.Minute)
	w.deliver("Ann <ann@later.example>", "question")
	w.pull()
	require.Empty(t, w.only().Company)
	acme, err := w.inboxes.CreateCompany(t.Context(), w.actor("olga"),
		inbox.CompanyEdit{Name: "Later", Domains: []string{"later.example"}})
	require.NoError(t, err)
	w.collect()
	require.Equal(t, acme.ID, w.only().Company)
	w.collect()
	lines := 0
	for _, e := range w.entries(w.only().ID) {
		if e.Change != nil && e.Change.Field == "company" {
			lines++
		}
	}
	require.Equal(t, 1, lines, "one line says so")
}

func TestWhatWasWrittenAboutHiddenMailStaysHidden(t *testing.T) { // R-CHG-07
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	yes := true
	w.change(inbox.MessageChange{ID: offer.Last, Hidden: &yes})
	w.collect()
	_, err := w.svc.Note(t.Context(), w.actor("carl"), offer.ID, "about the secret")
	require.NoError(t, err)
	w.erase(offer.Last)
	w.collect()
	left, err := w.store.Ticket(t.Context(), offer.ID)
	require.NoError(t, err)
	require.True(t, left.Hidden())
	for _, user := range []acl.UserID{"ina", "olga"} {
		_, err := w.svc.Ticket(t.Context(), w.actor(user), offer.ID)
		require.ErrorIs(t, err, storage.ErrNotFound, "%s, who may see the trash", user)
		require.Empty(t, w.listed(user, ticket.Query{Deleted: true}))
	}
	_, err = w.svc.Ticket(t.Context(), w.actor("carl"), offer.ID)
	require.NoError(t, err)
}

func TestHiddenMailMakesATicketUnreadForNobody(t *testing.T) { // R-CHG-07
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	rob := w.actor("rob")
	read := func(want bool) {
		t.Helper()
		unread, err := w.svc.Unread(t.Context(), rob, offer.ID)
		require.NoError(t, err)
		require.Equal(t, want, unread)
	}
	_, err := w.svc.MarkRead(t.Context(), rob, offer.ID, w.stored(offer.ID).HeardAt)
	require.NoError(t, err)
	read(false)
	w.advance(time.Hour)
	w.deliver("Ann <ann@acme.com>", "Re: offer", "References: <ask@acme.com>")
	w.pull()
	read(true)
	w.change(inbox.MessageChange{ID: w.stored(offer.ID).Last, Hidden: new(true)})
	w.collect()
	read(false)
}

// Hidden is hidden at once, as a revoked grant is, and not when the log is collected.
func TestMailHiddenByARuleShowsInNoTicketFromThenOn(t *testing.T) { // R-CHG-03, R-CHG-07
	t.Parallel()
	w, offer := asked(t, fake.Options{SearchOff: true})
	_, err := w.inboxes.SetRules(t.Context(), w.actor("carl"), w.in.ID, filter.Rules{Mode: filter.ClientAssociated})
	require.NoError(t, err)
	for _, who := range []acl.UserID{"rita", "olga"} {
		require.Empty(t, w.listed(who, ticket.Query{}), who)
		_, err = w.svc.Ticket(t.Context(), w.actor(who), offer.ID)
		require.ErrorIs(t, err, storage.ErrNotFound)
	}
}

// Of two tickets of a thread the one opened later takes its mail, also where a copy of what was sent
// from the other one comes back with it.
func TestTheCopyOfAnAnswerDoesNotDrawTheThreadToItsTicket(t *testing.T) {
	t.Parallel()
	w, first := asked(t, fake.Options{SearchOff: true})
	w.host.SetSite(inbox.Settings{ID: site, AgentsMayDelete: true})
	carl := w.actor("carl")
	_, err := w.svc.Delete(t.Context(), carl, first.ID)
	require.NoError(t, err)
	w.ask("Ann <ann@acme.com>", "again", "References: <ask@acme.com>", "Message-ID: <again@acme.com>")
	_, err = w.svc.Restore(t.Context(), carl, first.ID)
	require.NoError(t, err)
	w.advance(time.Minute)
	_, err = w.svc.Reply(t.Context(), carl, first.ID, ticket.Reply{Text: "hello"})
	require.NoError(t, err)
	w.advance(time.Minute)
	w.deliver("Ann <ann@acme.com>", "third", "References: <again@acme.com>", "Message-ID: <third@acme.com>")
	w.pull()
	require.NotContains(t, w.lines(first.ID)[1:], "received", "the later ticket has the thread")
}

func TestAThreadIsReadAsItsEntriesAndMailAre(t *testing.T) { // R-CHG-07, R-MSG-04
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	for n := range 30 {
		w.advance(time.Minute)
		w.deliver("Ann <ann@acme.com>", fmt.Sprint("mail ", n), "References: <ask@acme.com>", "Bcc: spy@acme.com")
	}
	w.pull()
	_, err := w.svc.Note(t.Context(), w.actor("rob"), offer.ID, "a note")
	require.NoError(t, err)
	w.change(inbox.MessageChange{ID: w.entries(offer.ID)[7].Message, Hidden: new(true)})
	w.collect()
	for user, want := range map[acl.UserID]int{"rob": 31, "carl": 32} {
		var entries []ticket.Entry
		var subjects []string
		for l, err := range w.svc.Thread(t.Context(), w.actor(user), offer.ID, ticket.ThreadQuery{}) {
			require.NoError(t, err)
			require.Equal(t, l.Entry.Message == "", l.Mail == nil)
			if entries = append(entries, l.Entry); l.Mail != nil {
				subjects = append(subjects, l.Mail.Message.Subject)
			}
		}
		require.Len(t, entries, want)
		require.Equal(t, w.history(user, offer.ID), entries)
		require.Equal(t, w.subjects(user, offer.ID), subjects)
	}
	var page []ticket.Entry
	for l, err := range w.svc.Thread(t.Context(), w.actor("rob"), offer.ID, ticket.ThreadQuery{After: w.entries(offer.ID)[29].Key(), Limit: 2}) {
		require.NoError(t, err)
		page = append(page, l.Entry)
	}
	require.Equal(t, w.history("rob", offer.ID)[29:], page)
	for _, err := range w.svc.Thread(t.Context(), w.actor("zoe"), offer.ID, ticket.ThreadQuery{}) {
		require.ErrorIs(t, err, storage.ErrNotFound)
	}
}
