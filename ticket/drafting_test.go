package ticket_test

import (
	"context"
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

func (f *faulty) SaveDraft(ctx context.Context, d ticket.Draft, was ticket.EntryID) (ticket.Draft, error) {
	done, fault := f.fault()
	if !done {
		return ticket.Draft{}, fault
	}
	saved, err := f.Store.SaveDraft(ctx, d, was)
	if err == nil && fault != nil {
		return ticket.Draft{}, fault
	}
	return saved, err
}

func (f *faulty) DeleteDraft(ctx context.Context, entry ticket.EntryID, expect storage.Version) error {
	done, fault := f.fault()
	if !done {
		return fault
	}
	if err := f.Store.DeleteDraft(ctx, entry, expect); err != nil {
		return err
	}
	return fault
}

func (u *unsure) SaveDraft(ctx context.Context, d ticket.Draft, was ticket.EntryID) (ticket.Draft, error) {
	return doubt(u, func() (ticket.Draft, error) { return u.faulty.SaveDraft(ctx, d, was) })
}

// save saves a draft of somebody.
func (w *world) save(user acl.UserID, id ticket.ID, d ticket.Draft) ticket.Draft {
	w.t.Helper()
	out, err := w.svc.SaveDraft(w.t.Context(), w.actor(user), id, d)
	require.NoError(w.t, err)
	return out
}

// draftOf is what somebody's draft on a ticket that was saved last is known by, whatever has become of it.
func (w *world) draftOf(user acl.UserID, id ticket.ID) ticket.EntryID {
	w.t.Helper()
	var last ticket.Draft
	for d, err := range w.store.Drafts(context.Background(), ticket.DraftQuery{Ticket: id, Author: user}) {
		require.NoError(w.t, err)
		if !d.SavedAt.Before(last.SavedAt) {
			last = d
		}
	}
	return last.Entry
}

func (w *world) discard(user acl.UserID, id ticket.ID) error {
	w.t.Helper()
	return w.svc.DiscardDraft(w.t.Context(), w.actor(user), id, w.draftOf(user, id))
}

// drafts lists whose drafts are stored, and their texts.
func (w *world) drafts() []string {
	w.t.Helper()
	out := []string{}
	for d, err := range w.store.Drafts(context.Background(), ticket.DraftQuery{}) {
		require.NoError(w.t, err)
		out = append(out, string(d.Author)+": "+d.Text)
	}
	return out
}

func TestADraftIsItsAuthorsAlone(t *testing.T) { // R-MSG, draft per author
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	got := w.save("rita", offer.ID, ticket.Draft{
		Kind: ticket.EntryReplied, Text: "Dear \x00Ann\xff", SendAt: connected.Add(time.Hour + time.Nanosecond),
		Bcc: []rfc822.Address{{Name: "\xff", Address: "x@y.example"}}, Site: "site-2", Ticket: "elsewhere", Author: "carl",
		Files: []ticket.DraftFile{{ID: "f", Blob: "of another"}}, SavedAt: connected.Add(-time.Hour),
	})
	require.Equal(t, ticket.Draft{
		Site: site, Ticket: offer.ID, Author: "rita", Entry: got.Entry, Kind: ticket.EntryReplied, Text: "Dear Ann\uFFFD", SendAt: connected.Add(time.Hour), Bcc: []rfc822.Address{{Name: "\uFFFD", Address: "x@y.example"}},
		SavedAt: w.clock(), Version: 1,
	}, got)
	w.save("carl", offer.ID, ticket.Draft{Kind: ticket.EntryNoted, Text: "mine"})
	for user, text := range map[acl.UserID]string{"rita": "Dear Ann\uFFFD", "carl": "mine"} {
		d, err := w.svc.Draft(t.Context(), w.actor(user), offer.ID)
		require.NoError(t, err)
		require.Equal(t, text, d.Text)
		n := 0
		for d, err := range w.svc.Drafts(t.Context(), w.actor(user)) {
			require.NoError(t, err)
			require.Equal(t, text, d.Text)
			n++
		}
		require.Equal(t, 1, n, user)
	}
	_, err := w.svc.Draft(t.Context(), w.actor("olga"), offer.ID)
	require.ErrorIs(t, err, storage.ErrNotFound)
	require.Equal(t, []string{"received"}, w.lines(offer.ID))
}

func TestWhoMaySaveADraft(t *testing.T) { // rows 5, 8, 9
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	for _, row := range []struct {
		user acl.UserID
		kind ticket.EntryKind
		err  error
	}{
		{"rob", ticket.EntryNoted, nil}, {"rob", ticket.EntryReplied, acl.ErrDenied},
		{"rob", ticket.EntryForwarded, acl.ErrDenied}, {"olga", ticket.EntryReplied, acl.ErrDenied},
		{"rita", ticket.EntryForwarded, nil}, {"carl", ticket.EntryReplied, nil},
		{"zoe", ticket.EntryNoted, storage.ErrNotFound}, {"zoe", "received", storage.ErrNotFound},
		{"ina", "received", ticket.ErrDraft}, {"ina", "", ticket.ErrDraft},
	} {
		_, err := w.svc.SaveDraft(t.Context(), w.actor(row.user), offer.ID, ticket.Draft{Kind: row.kind, Text: "x"})
		require.ErrorIs(t, err, row.err, "%s saves %q", row.user, row.kind)
	}
	require.Equal(t, []string{"carl: x", "rita: x", "rob: x"}, w.drafts())
	require.NoError(t, func() error { _, err := w.svc.Draft(t.Context(), w.actor("rob"), offer.ID); return err }())
}

func TestTwoWindowsDoNotOverwriteEachOther(t *testing.T) {
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	first := w.save("rita", offer.ID, ticket.Draft{Kind: ticket.EntryNoted, Text: "one"})
	conflict := func(d ticket.Draft) {
		t.Helper()
		before := w.drafts()
		_, err := w.svc.SaveDraft(t.Context(), w.actor("rita"), offer.ID, d)
		require.ErrorIs(t, err, ticket.ErrDraftConflict)
		require.ErrorIs(t, err, storage.ErrConflict)
		require.ErrorContains(t, err, "read it again")
		require.Equal(t, before, w.drafts())
	}
	conflict(ticket.Draft{Kind: ticket.EntryNoted, Text: "another window, empty so far"})
	second := first
	second.Text = "two"
	second = w.save("rita", offer.ID, second)
	require.Equal(t, first.Entry, second.Entry)
	conflict(first)

	require.NoError(t, w.discard("rita", offer.ID))
	require.ErrorIs(t, w.svc.DiscardDraft(t.Context(), w.actor("rita"), offer.ID, first.Entry), storage.ErrNotFound)
	require.ErrorIs(t, w.svc.DiscardDraft(t.Context(), w.actor("rita"), offer.ID, ""), storage.ErrNotFound)
	conflict(second)
	anew := w.save("rita", offer.ID, ticket.Draft{Kind: ticket.EntryNoted, Text: "begun anew"})
	require.Equal(t, first.Version, anew.Version)
	conflict(first) // the version is the same and the draft is not
}

func TestADraftThatCannotBeKeptChangesNothing(t *testing.T) {
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	kept := w.save("rita", offer.ID, ticket.Draft{Kind: ticket.EntryReplied, Text: "kept"})
	for what, d := range map[string]ticket.Draft{
		"the length of the text in bytes is 1048577, at most 1048576": {Text: strings.Repeat("x", 1<<20+1)},
		"the length of the HTML":             {HTML: strings.Repeat("x", 4<<20+1)},
		"the length of the subject":          {Subject: strings.Repeat("x", 1001)},
		"the length of the status":           {Status: ticket.Status(strings.Repeat("x", 1001))},
		"the number of people in Cc is 1001": {Cc: make([]rfc822.Address, 1001)},
		"the length of recipient 2 of To":    {To: []rfc822.Address{{}, {Address: strings.Repeat("x", 1001)}}},
		"the number of people it mentions":   {Mentions: make([]acl.UserID, 101)},
		"the length of person 1 it mentions": {Mentions: []acl.UserID{acl.UserID(strings.Repeat("x", 1001))}},
		"the length of the newest mail's id": {ExpectedLast: ticket.EntryID(strings.Repeat("x", 1001))},
	} {
		d.Kind, d.Version = ticket.EntryReplied, kept.Version
		_, err := w.svc.SaveDraft(t.Context(), w.actor("rita"), offer.ID, d)
		require.ErrorIs(t, err, ticket.ErrDraft, what)
		require.ErrorContains(t, err, what)
	}
	now, err := w.svc.Draft(t.Context(), w.actor("rita"), offer.ID)
	require.NoError(t, err)
	require.Equal(t, kept, now)
}

func TestWhoLostAccessSeesNoDraftAndMayDiscardIt(t *testing.T) { // R-INB-11
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	hers := w.save("rita", offer.ID, ticket.Draft{Kind: ticket.EntryReplied, Text: "hers"})
	w.attach("rita", offer.ID, "a.txt", "file")
	_, err := w.inboxes.Unshare(t.Context(), w.actor("carl"), w.in.ID, "rita")
	require.NoError(t, err)
	rita := w.actor("rita")
	_, err = w.svc.Draft(t.Context(), rita, offer.ID)
	require.ErrorIs(t, err, storage.ErrNotFound)
	for range w.svc.Drafts(t.Context(), rita) {
		t.Fatal("a draft on a ticket she may not see")
	}
	_, _, err = w.svc.SendDraft(t.Context(), rita, offer.ID, hers.Entry)
	require.ErrorIs(t, err, storage.ErrNotFound)
	blobs := w.blobs()
	require.NoError(t, w.svc.DiscardDraft(t.Context(), rita, offer.ID, hers.Entry))
	require.Empty(t, w.drafts())
	require.Equal(t, blobs-1, w.blobs(), "its file is gone too")
}

func TestADraftWhoseAnswerIsLostIsSavedOnce(t *testing.T) {
	t.Parallel()
	for _, done := range []bool{false, true} {
		w, offer := asked(t, fake.Options{})
		u := &unsure{faulty: w.store, at: 1, done: []bool{done}}
		svc := w.onStore(u)
		d, err := svc.SaveDraft(t.Context(), w.actor("rita"), offer.ID, ticket.Draft{Kind: ticket.EntryReplied, Text: "one"})
		require.NoError(t, err)
		require.Equal(t, storage.Version(1), d.Version)
		u.writes = 0
		d, err = svc.AttachToDraft(t.Context(), w.actor("rita"), offer.ID, d.Entry, ticket.DraftFile{Name: "a.txt", Type: "text/plain"}, strings.NewReader("file"))
		require.NoError(t, err)
		require.Equal(t, storage.Version(2), d.Version)
		require.Len(t, d.Files, 1)
		require.Equal(t, "file", w.file("rita", offer.ID, d.Files[0].ID))
	}
}

// Two sites may call two people by one name.
func TestADraftIsOfAPersonOfItsSite(t *testing.T) {
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	his := w.save("carl", offer.ID, ticket.Draft{Kind: ticket.EntryReplied, Text: "his"})
	w.host.SetSite(inbox.Settings{ID: "site-2"})
	other := person("carl", acl.Owner)
	other.Site = "site-2"
	w.host.AddPerson(other)
	carl, err := w.inboxes.Actor(t.Context(), "site-2", "carl")
	require.NoError(t, err)
	require.ErrorIs(t, w.svc.DiscardDraft(t.Context(), carl, offer.ID, his.Entry), storage.ErrNotFound)
	_, err = w.svc.Draft(t.Context(), carl, offer.ID)
	require.ErrorIs(t, err, storage.ErrNotFound)
	for range w.svc.Drafts(t.Context(), carl) {
		t.Fatal("a draft of another site")
	}
	require.Equal(t, []string{"carl: his"}, w.drafts())
}

// meanwhile is a store that lets something else happen right before a draft is written or deleted.
type meanwhile struct {
	*faulty
	then func()
}

func (m *meanwhile) once() {
	if then := m.then; then != nil {
		m.then = nil
		then()
	}
}

func (m *meanwhile) SaveDraft(ctx context.Context, d ticket.Draft, was ticket.EntryID) (ticket.Draft, error) {
	m.once()
	return m.faulty.SaveDraft(ctx, d, was)
}

func (m *meanwhile) DeleteDraft(ctx context.Context, entry ticket.EntryID, expect storage.Version) error {
	m.once()
	return m.faulty.DeleteDraft(ctx, entry, expect)
}

// Another window sends the draft and begins another, of the same version, between a look at it and the write.
func TestADraftBegunAgainIsNotTakenForTheOneBeforeIt(t *testing.T) {
	t.Parallel()
	for what, write := range map[string]func(w *world, svc *ticket.Service, d ticket.Draft) error{
		"discard": func(w *world, svc *ticket.Service, d ticket.Draft) error {
			return svc.DiscardDraft(t.Context(), w.actor("rob"), d.Ticket, d.Entry)
		},
		"save": func(w *world, svc *ticket.Service, d ticket.Draft) error {
			d.Text = "one, late"
			_, err := svc.SaveDraft(t.Context(), w.actor("rob"), d.Ticket, d)
			return err
		},
	} {
		w, offer := asked(t, fake.Options{})
		first := w.save("rob", offer.ID, ticket.Draft{Kind: ticket.EntryNoted, Text: "one"})
		m := &meanwhile{faulty: w.store, then: func() {
			w.sendDraft("rob", offer.ID)
			again := w.save("rob", offer.ID, ticket.Draft{Kind: ticket.EntryNoted, Text: "two"})
			require.Equal(t, first.Version, again.Version)
		}}
		require.ErrorIs(t, write(w, w.onStore(m), first), ticket.ErrDraftConflict, what)
		require.Nil(t, m.then, what)
		require.Equal(t, []string{"rob: two"}, w.drafts(), what)
		require.Equal(t, []string{"received", "noted by rob"}, w.lines(offer.ID), what)
	}
}
