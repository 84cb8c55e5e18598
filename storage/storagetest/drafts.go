package storagetest

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"sync"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider/rfc822"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/ticket"
)

var draftChecks = []check[ticket.Store]{
	{"Drafts/RoundTrip", checkDraftRoundTrip},
	{"Drafts/AnyTimeAnyText", checkDraftValues},
	{"Drafts/CompareAndSet", checkDraftVersions},
	{"Drafts/DeleteCompares", checkDraftDelete},
	{"Drafts/Apart", checkDraftsApart},
	{"Drafts/AreCopies", checkDraftCopies},
	{"Drafts/ExactlyOneWins", checkDraftRace},
	{"Drafts/OrderAndFilters", checkDraftList},
	{"Drafts/LongLists", checkLongDrafts},
	{"Drafts/GoneWithTheirTicket", checkDraftsPurged},
	{"Drafts/NoneWithoutATicket", checkDraftsOfNothing},
	{"Drafts/NoneLeftByAPurge", checkDraftPurgeRace},
	{"Drafts/WriteWhileReading", func(b *tickets) { checkWriteWhileReading(b, draftLists(b)) }},
	{"Drafts/CancelledContext", func(b *tickets) { checkCancelled(b, draftLists(b)) }},
	{"Drafts/BreakReleases", func(b *tickets) { checkBreak(b, draftLists(b)) }},
}

// begun returns a new draft of a person on a ticket of acme, which says whose it is.
func begun(id ticket.ID, author acl.UserID) ticket.Draft {
	return ticket.Draft{
		Site: acme, Ticket: id, Author: author, Entry: ticket.EntryID(fmt.Sprintf("%s by %s", id, author)), Kind: ticket.EntryReplied,
		Text: fmt.Sprintf("of %q on %q", author, id), SavedAt: at(1),
	}
}

func saveDraft(b *tickets, d ticket.Draft) ticket.Draft {
	b.Helper()
	saved, err := b.s.SaveDraft(b.Context(), d, d.Entry)
	ok(b, fmt.Sprintf("save draft of %q on %q", d.Author, d.Ticket), err)
	return saved
}

func draftOf(b *tickets, entry ticket.EntryID) ticket.Draft {
	b.Helper()
	d, err := b.s.Draft(b.Context(), entry)
	ok(b, fmt.Sprintf("draft of entry %q", entry), err)
	return d
}

// noDraft demands that a draft is not there.
func noDraft(b *tickets, when string, d ticket.Draft) {
	b.Helper()
	_, err := b.s.Draft(b.Context(), d.Entry)
	refused(b, fmt.Sprintf("read the draft of entry %q %s", d.Entry, when), err, storage.ErrNotFound)
	for d := range b.s.Drafts(b.Context(), ticket.DraftQuery{Ticket: d.Ticket, Author: d.Author}) {
		b.Errorf("drafts of %q on %q %s: got %+v, want none", d.Author, d.Ticket, when, d)
	}
}

// fullDraft is that of pat on t-1 with something in every field.
func fullDraft() ticket.Draft {
	d := full[ticket.Draft]("draft")
	d.Site, d.Ticket, d.Author, d.Entry, d.Version = acme, "t-1", "pat", "e-1", 0
	return d
}

func checkDraftRoundTrip(b *tickets) {
	save(b, ticket.Write{Ticket: open("t-1", "in-1", 1)})
	d := fullDraft()
	noDraft(b, "before the first", d)
	var was ticket.EntryID
	for version := storage.Version(1); version <= 2; version++ {
		saved, err := b.s.SaveDraft(b.Context(), d, was)
		ok(b, fmt.Sprintf("save version %d of a draft", version), err)
		d.Version, was = version, d.Entry
		equal(b, "saved draft", saved, d)
		equal(b, fmt.Sprintf("draft of version %d", version), draftOf(b, d.Entry), d)
		equal(b, fmt.Sprintf("drafts, one of version %d", version),
			collect(b, "drafts", b.s.Drafts(b.Context(), ticket.DraftQuery{})), []ticket.Draft{d})
		d = ticket.Draft{Site: acme, Ticket: "t-1", Author: "pat", Entry: "e-1", Version: version} // everything that can be empty
	}
}

func checkDraftValues(b *tickets) {
	save(b, ticket.Write{Ticket: open("t-1", "in-1", 1)})
	var d ticket.Draft
	for i, now := range moments() {
		d.Site, d.Ticket, d.Author, d.Entry, d.SendAt, d.SavedAt = acme, "t-1", "pat", "e-1", now, now
		saved := saveDraft(b, d)
		d.Version++
		equal(b, fmt.Sprintf("saved draft with times of %v", now), saved, d)
		equal(b, fmt.Sprintf("draft %d, with times of %v", i, now), draftOf(b, "e-1"), d)
	}
	for i, text := range append(texts, strings.Repeat("Ein längerer Text, 本文, 📨.\r\n", 20_000)) {
		d.Text, d.HTML, d.Subject = text, text, text
		d.To = []rfc822.Address{{Name: text, Address: "x@example.com"}}
		d.Files = []ticket.DraftFile{{Name: text}}
		saveDraft(b, d)
		d.Version++
		equal(b, fmt.Sprintf("draft of text %d", i), draftOf(b, "e-1"), d)
	}
}

func checkDraftVersions(b *tickets) {
	save(b, ticket.Write{Ticket: open("t-1", "in-1", 1)})
	absent := fullDraft()
	absent.Version = 1
	_, err := b.s.SaveDraft(b.Context(), absent, absent.Entry)
	refused(b, "save version 1 of a draft that is not there", err, storage.ErrConflict)
	noDraft(b, "after a refused write", absent)
	two := saveDraft(b, saveDraft(b, fullDraft()))
	for _, v := range []storage.Version{0, 1, 3} {
		stale := two
		stale.Text, stale.Version = "stale", v
		_, err := b.s.SaveDraft(b.Context(), stale, two.Entry)
		refused(b, fmt.Sprintf("save a draft of version 2 over version %d", v), err, storage.ErrConflict)
	}
	for _, was := range []ticket.EntryID{"", "another", two.Entry + " "} {
		stale := two
		stale.Text = "stale"
		_, err := b.s.SaveDraft(b.Context(), stale, was)
		refused(b, fmt.Sprintf("save a draft of entry %q over entry %q", two.Entry, was), err, storage.ErrConflict)
	}
	other := saveDraft(b, begun("t-1", "pat"))
	taken := two
	taken.Entry = other.Entry
	_, err = b.s.SaveDraft(b.Context(), taken, two.Entry)
	refused(b, "save a draft as one of an entry that another has", err, storage.ErrConflict)
	equal(b, "draft after refused writes", draftOf(b, two.Entry), two)
	equal(b, "another draft after refused writes", draftOf(b, other.Entry), other)

	save(b, ticket.Write{Ticket: open("t-2", "in-1", 1)})
	three := two
	three.Entry, three.Ticket = "another", "t-2"
	saved, err := b.s.SaveDraft(b.Context(), three, two.Entry)
	ok(b, "save a draft as one of another entry and ticket", err)
	three.Version = 3
	equal(b, "saved draft of another entry", saved, three)
	equal(b, "draft of another entry", draftOf(b, "another"), three)
	_, err = b.s.Draft(b.Context(), two.Entry)
	refused(b, "read a draft that is of another entry now", err, storage.ErrNotFound)
	equal(b, "drafts on the ticket it was on",
		collect(b, "drafts", b.s.Drafts(b.Context(), ticket.DraftQuery{Ticket: "t-1"})), []ticket.Draft{other})
}

func checkDraftDelete(b *tickets) {
	save(b, ticket.Write{Ticket: open("t-1", "in-1", 1)})
	for _, v := range []storage.Version{0, 1} {
		ok(b, "delete a draft that is not there", b.s.DeleteDraft(b.Context(), "any", v))
	}
	two, bob := saveDraft(b, saveDraft(b, fullDraft())), saveDraft(b, begun("t-1", "bob"))
	for _, v := range []storage.Version{0, 1, 3} {
		err := b.s.DeleteDraft(b.Context(), two.Entry, v)
		refused(b, fmt.Sprintf("delete a draft of version 2 on version %d", v), err, storage.ErrConflict)
	}
	equal(b, "draft after refused deletes", draftOf(b, two.Entry), two)
	ok(b, "delete draft", b.s.DeleteDraft(b.Context(), two.Entry, 2))
	noDraft(b, "after it was deleted", two)
	ok(b, "delete draft again", b.s.DeleteDraft(b.Context(), two.Entry, 2))
	equal(b, "draft of somebody else after a delete", draftOf(b, bob.Entry), bob)
	_, err := b.s.SaveDraft(b.Context(), two, two.Entry)
	refused(b, "save a draft that was deleted", err, storage.ErrConflict)
	if again := saveDraft(b, fullDraft()); again.Version != 1 {
		b.Errorf("draft after one was deleted: got version %d, want 1", again.Version)
	}
}

// checkDraftsApart begins drafts whose entries, tickets and authors a collation, or a key put together of
// them, may take for one another.
func checkDraftsApart(b *tickets) {
	var all []ticket.Draft
	for i, id := range []ticket.ID{"t-1", "T-1", "t-1 ", "t-", "té", "te\u0301"} {
		save(b, ticket.Write{Ticket: open(id, "in-1", i)})
		for _, author := range []acl.UserID{"pat", "PAT", "pat ", "pät", "pa\u0308t", "1pat"} {
			all = append(all, saveDraft(b, begun(id, author)))
		}
	}
	for _, d := range all {
		equal(b, fmt.Sprintf("draft of entry %q", d.Entry), draftOf(b, d.Entry), d)
		equal(b, fmt.Sprintf("drafts of %q on %q", d.Author, d.Ticket), collect(b, "drafts",
			b.s.Drafts(b.Context(), ticket.DraftQuery{Ticket: d.Ticket, Author: d.Author})), []ticket.Draft{d})
	}
	noDraft(b, "in other case", begun("t-1", "Pat"))
	ok(b, "delete draft", b.s.DeleteDraft(b.Context(), all[0].Entry, all[0].Version))
	noDraft(b, "after it was deleted", all[0])
	for _, d := range all[1:] {
		equal(b, fmt.Sprintf("draft of entry %q after another was deleted", d.Entry), draftOf(b, d.Entry), d)
	}
}

// checkDraftCopies changes what it gave and what it got, and looks again.
func checkDraftCopies(b *tickets) {
	save(b, ticket.Write{Ticket: open("t-1", "in-1", 1)})
	d := fullDraft()
	saved := saveDraft(b, d)
	scramble(&d)
	scramble(&saved)
	want := fullDraft()
	want.Version = 1
	for range 2 {
		got := draftOf(b, want.Entry)
		equal(b, "draft after what was given or read is changed", got, want)
		scramble(&got)
		list := collect(b, "drafts", b.s.Drafts(b.Context(), ticket.DraftQuery{}))
		equal(b, "drafts after what was given or read is changed", list, []ticket.Draft{want})
		scramble(&list)
	}
}

func checkDraftRace(b *tickets) {
	save(b, ticket.Write{Ticket: open("t-1", "in-1", 1)})
	for version := storage.Version(0); version < 2; version++ {
		winner := race(b, fmt.Sprintf("SaveDraft over version %d", version), storage.ErrConflict,
			func(ctx context.Context, i int) error {
				mine := begun("t-1", "pat")
				mine.Text, mine.Version = fmt.Sprint(i), version
				_, err := b.s.SaveDraft(ctx, mine, mine.Entry)
				return err
			})
		if got := draftOf(b, begun("t-1", "pat").Entry); got.Text != fmt.Sprint(winner) || got.Version != version+1 {
			b.Errorf("draft after a race: got %+v, want that of writer %d, of version %d", got, winner, version+1)
		}
	}
}

func checkDraftList(b *tickets) {
	for i, c := range []struct {
		site   inbox.SiteID
		ticket ticket.ID
	}{{acme, "b"}, {acme, "B"}, {other, "a"}, {"ACME", "c"}} {
		t := open(c.ticket, "in-1", i)
		t.Site = c.site
		save(b, ticket.Write{Ticket: t})
		for j, author := range []acl.UserID{"pat", "ann", "Pat"} {
			d := begun(c.ticket, author)
			d.Site, d.SavedAt, d.Entry = c.site, at(9-i), ticket.EntryID(fmt.Sprint(9-3*i-j))
			saveDraft(b, d)
		}
	}
	for _, entry := range []ticket.EntryID{"z", "Z", "y"} { // more of one author on one ticket
		d := begun("b", "ann")
		d.Entry = entry
		saveDraft(b, d)
	}
	for _, c := range []struct {
		what string
		q    ticket.DraftQuery
		want string
	}{
		{"everything", ticket.DraftQuery{}, "B Pat, B ann, B pat, a Pat, a ann, a pat, b Pat, b ann, b ann Z, b ann y, b ann z, b pat, c Pat, c ann, c pat"},
		{"a site", ticket.DraftQuery{Site: acme}, "B Pat, B ann, B pat, b Pat, b ann, b ann Z, b ann y, b ann z, b pat"},
		{"another site", ticket.DraftQuery{Site: other}, "a Pat, a ann, a pat"},
		{"a ticket", ticket.DraftQuery{Ticket: "b"}, "b Pat, b ann, b ann Z, b ann y, b ann z, b pat"},
		{"an author", ticket.DraftQuery{Author: "pat"}, "B pat, a pat, b pat, c pat"},
		{"an author of a site", ticket.DraftQuery{Site: acme, Author: "ann"}, "B ann, b ann, b ann Z, b ann y, b ann z"},
		{"an author on a ticket", ticket.DraftQuery{Ticket: "b", Author: "Pat"}, "b Pat"},
		{"all three", ticket.DraftQuery{Site: acme, Ticket: "B", Author: "ann"}, "B ann"},
		{"a ticket of another site", ticket.DraftQuery{Site: other, Ticket: "b"}, ""},
		{"a ticket without drafts", ticket.DraftQuery{Ticket: "C"}, ""},
	} {
		got := mapped(collect(b, "drafts", b.s.Drafts(b.Context(), c.q)), func(d ticket.Draft) string {
			name := string(d.Ticket) + " " + string(d.Author)
			if d.Entry > "9" {
				name += " " + string(d.Entry)
			}
			return name
		})
		equal(b, fmt.Sprintf("drafts: %s (%+v)", c.what, c.q), strings.Join(got, ", "), c.want)
	}
}

func checkLongDrafts(b *tickets) {
	save(b, ticket.Write{Ticket: open("t-1", "in-1", 1)})
	want := make([]string, long)
	for i := range want {
		want[i] = fmt.Sprintf("%04d", i)
		saveDraft(b, begun("t-1", acl.UserID(want[i])))
	}
	equal(b, "many drafts", mapped(collect(b, "drafts", b.s.Drafts(b.Context(), ticket.DraftQuery{})),
		func(d ticket.Draft) string { return string(d.Author) }), want)
}

func checkDraftsPurged(b *tickets) {
	for i, c := range []struct {
		id ticket.ID
		in inbox.ID
	}{{"a", "in-1"}, {"b", "in-1"}, {"c", "in-2"}, {"d", "in-3"}} {
		t := open(c.id, c.in, i)
		if c.id == "b" {
			t.DeletedAt = at(9)
		}
		save(b, ticket.Write{Ticket: t})
		saveDraft(b, begun(c.id, "pat"))
		saveDraft(b, begun(c.id, "ann"))
	}
	ok(b, "purge tickets", b.s.PurgeTickets(b.Context(), "in-1"))
	ok(b, "purge ticket", b.s.PurgeTicket(b.Context(), "c", 1))
	for _, id := range []ticket.ID{"a", "b", "c"} {
		noDraft(b, "after its ticket was purged", begun(id, "pat"))
		noDraft(b, "after its ticket was purged", begun(id, "ann"))
	}
	left := mapped(collect(b, "drafts", b.s.Drafts(b.Context(), ticket.DraftQuery{})),
		func(d ticket.Draft) string { return string(d.Ticket) + " " + string(d.Author) })
	equal(b, "drafts of other tickets after a purge", left, []string{"d ann", "d pat"})
	for _, id := range []ticket.ID{"a", "c"} {
		save(b, ticket.Write{Ticket: open(id, "in-1", 1)})
		noDraft(b, "of a purged ticket made anew", begun(id, "pat"))
		saveDraft(b, begun(id, "pat"))
	}
}

// checkDraftsOfNothing saves drafts on tickets that are gone, or going.
func checkDraftsOfNothing(b *tickets) {
	going := open("t-2", "in-1", 2)
	going.DeletedAt, going.PurgeBegan = at(8), at(9)
	merged := open("t-3", "in-1", 3)
	merged.MergedInto, merged.PurgeBegan = "t-2", at(9)
	save(b, ticket.Write{Ticket: open("t-1", "in-1", 1)})
	stored := saveDraft(b, begun("t-1", "pat"))
	save(b, ticket.Write{Ticket: going}, ticket.Write{Ticket: merged})
	for _, id := range []ticket.ID{"t-2", "t-3", "t-4"} {
		d := begun(id, "pat")
		_, err := b.s.SaveDraft(b.Context(), d, "")
		refused(b, fmt.Sprintf("save a draft on ticket %q, which is gone or going", id), err, storage.ErrNotFound)
		noDraft(b, "after a refused write", d)
		moved := stored
		moved.Ticket = id
		_, err = b.s.SaveDraft(b.Context(), moved, moved.Entry)
		refused(b, fmt.Sprintf("put a draft on ticket %q, which is gone or going", id), err, storage.ErrNotFound)
	}
	equal(b, "draft after refused writes", draftOf(b, stored.Entry), stored)
}

// checkDraftPurgeRace purges a ticket while people save drafts on it. Either they are refused, or their
// drafts go with it.
func checkDraftPurgeRace(b *tickets) {
	for round := range 4 {
		id := ticket.ID(fmt.Sprintf("t-%d", round))
		purge := func() error { return b.s.PurgeTicket(b.Context(), id, 1) }
		if round%2 == 1 {
			purge = func() error { return b.s.PurgeTickets(b.Context(), "in-1") }
		}
		save(b, ticket.Write{Ticket: open(id, "in-1", round)})
		saveDraft(b, begun(id, "ann"))
		var jobs sync.WaitGroup
		for _, author := range []acl.UserID{"ann", "bob", "pat"} {
			jobs.Go(func() {
				d := begun(id, author)
				if author == "ann" {
					d.Version = 1
				}
				for {
					saved, err := b.s.SaveDraft(b.Context(), d, d.Entry)
					if err != nil {
						refused(b, fmt.Sprintf("save a draft on ticket %q while it is purged", id), err, storage.ErrNotFound)
						return
					}
					d = saved
				}
			})
		}
		ok(b, fmt.Sprintf("purge ticket %q while drafts are saved", id), purge())
		jobs.Wait()
		for d := range b.s.Drafts(b.Context(), ticket.DraftQuery{}) {
			b.Errorf("drafts after ticket %q was purged: got %+v, want none", id, d)
		}
	}
}

// draftLists fills the store and returns its list of drafts.
func draftLists(b *tickets) []listing {
	b.Helper()
	s := b.s
	save(b, ticket.Write{Ticket: open("t-1", "in-1", 1)})
	for _, author := range []acl.UserID{"ann", "bob", "pat"} {
		saveDraft(b, begun("t-1", author))
	}
	return []listing{listOf("Drafts", func(ctx context.Context) iter.Seq2[ticket.Draft, error] {
		return s.Drafts(ctx, ticket.DraftQuery{Ticket: "t-1"})
	}, func(ctx context.Context, d ticket.Draft) error {
		stored, err := s.Draft(ctx, d.Entry)
		if err == nil {
			_, err = s.SaveDraft(ctx, stored, stored.Entry)
		}
		return err
	})}
}
