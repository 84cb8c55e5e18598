package storagetest

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/storage"
)

var directoryChecks = []check[inbox.Store]{
	{"Inboxes/RoundTrip", checkInboxRoundTrip},
	{"Inboxes/CreateTwiceRefused", checkCreateTwice},
	{"Inboxes/NotFound", checkInboxNotFound},
	{"Inboxes/StaleVersion", checkInboxStale},
	{"Inboxes/VersionCountsWrites", checkInboxVersion},
	{"Inboxes/AddressTaken", checkAddressTaken},
	{"Inboxes/RefusedLate", checkLateInbox},
	{"Inboxes/AccountTaken", checkAccountTaken},
	{"Inboxes/EmptyAccountFree", checkEmptyAccount},
	{"Inboxes/DeletedReadable", checkDeletedReadable},
	{"Inboxes/LogAppended", checkLogAppended},
	{"Inboxes/ByteOrder", checkInboxOrder},
	{"Inboxes/QueryFields", checkInboxQuery},
	{"Inboxes/ScopeAgreesWithCheck", checkScope},
}

func checkInboxRoundTrip(b *inboxes) {
	want := full[inbox.Inbox]("in")
	want.Version = 0
	made := create(b, want)
	want.Version = 1
	equal(b, "created inbox", made, want)
	got, err := b.s.Inbox(b.Context(), want.ID)
	ok(b, "read inbox", err)
	equal(b, "inbox as read", got, want)

	want = inbox.Inbox{ID: want.ID, Site: want.Site, Version: 1}
	update(b, want)
	want.Version = 2
	got, err = b.s.Inbox(b.Context(), want.ID)
	ok(b, "read inbox", err)
	equal(b, "inbox after its fields were emptied", got, want)
}

func checkCreateTwice(b *inboxes) {
	first := create(b, mailbox("in-1"), happened("e-1"))
	again := mailbox("in-1")
	again.Site, again.Name = other, "Another"
	_, err := b.s.CreateInbox(b.Context(), again, happened("e-2"))
	refused(b, "create an inbox with a taken ID on another site", err, storage.ErrExists)
	got, err := b.s.Inbox(b.Context(), "in-1")
	ok(b, "read inbox", err)
	equal(b, "inbox after a refused creation", got, first)
}

func checkInboxNotFound(b *inboxes) {
	create(b, mailbox("in-1"))
	_, err := b.s.Inbox(b.Context(), "in-2")
	refused(b, "read an inbox that is not there", err, storage.ErrNotFound)
	for _, v := range []storage.Version{0, 1} {
		in := mailbox("in-2")
		in.Version = v
		_, err = b.s.UpdateInbox(b.Context(), in, nil)
		refused(b, fmt.Sprintf("update version %d of an inbox that is not there", v),
			err, storage.ErrNotFound)
	}
}

func checkInboxStale(b *inboxes) {
	first := create(b, mailbox("in-1"))
	second := update(b, first)
	for _, v := range []storage.Version{0, 1, 3} {
		stale := second
		stale.Name, stale.Version = "Stale", v
		_, err := b.s.UpdateInbox(b.Context(), stale,
			[]inbox.Change{{Kind: inbox.ChangeAccess, At: at(1), User: "bob"}}, happened("e-1"))
		refused(b, fmt.Sprintf("update on version %d of a version 2", v), err, storage.ErrConflict)
	}
	got := look(b, "in-1", nil, nil)
	equal(b, "inbox after refused updates", got, picture{
		Inbox: &second, State: inbox.SyncState{Inbox: "in-1"},
	})
}

func checkInboxVersion(b *inboxes) {
	in := mailbox("in-1")
	in.Version = 7
	in = create(b, in)
	for want := storage.Version(1); want <= 4; want++ {
		if in.Version != want {
			b.Errorf("write %d of an inbox: got version %d, want %d", want, in.Version, want)
		}
		in = update(b, in)
	}
	// What people edit and what the importer edits are two values.
	commit(b, "in-1", inbox.Import{})
	if got, err := b.s.Inbox(b.Context(), "in-1"); err != nil || got.Version != in.Version {
		b.Errorf("inbox after a Commit: got version %d (%v), want %d", got.Version, err, in.Version)
	}
	st, err := b.s.SyncState(b.Context(), "in-1")
	update(b, in)
	again, err2 := b.s.SyncState(b.Context(), "in-1")
	if st.Version != 1 || again.Version != 1 || err != nil || err2 != nil {
		b.Errorf("sync state before and after an UpdateInbox: got versions %d (%v) and %d (%v), "+
			"want 1", st.Version, err, again.Version, err2)
	}
}

// connected returns the inbox as it is after consent.
func connected(in inbox.Inbox, kind provider.Kind, id, address string) inbox.Inbox {
	in.Provider, in.Account = kind, provider.Account{ID: id, Address: address}
	return in
}

func checkAddressTaken(b *inboxes) {
	for _, pair := range [][2]string{
		{"ann@example.com", "ann@example.com"},
		{"Bob@example.com", "bOB@EXAMPLE.com"},
		{"änne@example.com", "ÄNNE@example.com"},
	} {
		holder := inbox.ID("holder of " + pair[0])
		in := update(b, connected(create(b, mailbox(holder)), "gmail", "", pair[0]))
		late := create(b, mailbox("late for "+holder))
		_, err := b.s.UpdateInbox(b.Context(), connected(late, "outlook", "x", pair[1]), nil)
		refused(b, fmt.Sprintf("take %q while %q is taken", pair[1], pair[0]),
			err, storage.ErrExists)
		got, err := b.s.Inbox(b.Context(), late.ID)
		ok(b, "read inbox", err)
		equal(b, "inbox after a refused address", got, late)

		abroad := mailbox("abroad of " + holder)
		abroad.Site = other
		update(b, connected(create(b, abroad), "gmail", "", pair[1]))

		in.Name = "Renamed"
		in = update(b, in) // its own address is not taken
		in.State = inbox.StateDeleted
		in = update(b, in)
		update(b, connected(late, "gmail", "", pair[1]))
		in.Name = "Renamed in the trash"
		in = update(b, in)
		in.State = inbox.StateDisconnected
		_, err = b.s.UpdateInbox(b.Context(), in, nil)
		refused(b, "restore an inbox whose address was taken meanwhile", err, storage.ErrExists)
	}
}

func checkAccountTaken(b *inboxes) {
	in := update(b, connected(create(b, mailbox("in-1")), "gmail", "17", "ann@example.com"))
	late := create(b, mailbox("in-2"))
	_, err := b.s.UpdateInbox(b.Context(), connected(late, "gmail", "17", "new@example.com"), nil)
	refused(b, "take account 17 while it is taken", err, storage.ErrExists)

	update(b, connected(create(b, mailbox("in-3")), "outlook", "17", "carl@example.com"))
	abroad := mailbox("in-4")
	abroad.Site = other
	update(b, connected(create(b, abroad), "gmail", "17", "dan@example.com"))

	in.State = inbox.StateDeleted
	update(b, in)
	update(b, connected(late, "gmail", "17", "new@example.com"))
}

func checkEmptyAccount(b *inboxes) {
	for _, id := range []inbox.ID{"in-1", "in-2"} {
		update(b, create(b, mailbox(id)))
	}
	// An id alone, and an address alone, leave the other one empty.
	update(b, connected(create(b, mailbox("in-3")), "gmail", "17", ""))
	update(b, connected(create(b, mailbox("in-4")), "gmail", "18", ""))
	update(b, connected(create(b, mailbox("in-5")), "gmail", "", "ann@example.com"))
	update(b, connected(create(b, mailbox("in-6")), "gmail", "", "bob@example.com"))
}

func checkDeletedReadable(b *inboxes) {
	in := create(b, mailbox("in-1"))
	in.State, in.DeletedAt = inbox.StateDeleted, at(9)
	in = update(b, in)
	got, err := b.s.Inbox(b.Context(), "in-1")
	ok(b, "read an inbox in the trash", err)
	equal(b, "inbox in the trash", got, in)
	listed := collect(b, "inboxes", b.s.Inboxes(b.Context(), inbox.Query{}))
	equal(b, "list with an inbox in the trash", listed, []inbox.Inbox{in})
}

func checkLogAppended(b *inboxes) {
	in := create(b, mailbox("in-1"))
	create(b, mailbox("in-2"))
	commit(b, "in-1", inbox.Import{Put: []inbox.Put{mail("in-1", "m-1", 1)}})
	lines := []inbox.Change{
		{Seq: 99, Kind: inbox.ChangeAccess, At: at(5), User: "bob"},
		{Seq: 99, Kind: inbox.ChangeTrashed, At: at(4)},
	}
	update(b, in, lines...)
	log := collect(b, "log", b.s.Log(b.Context(), "in-1", 0))
	if len(log) != 3 {
		b.Fatalf("log after an arrival and an update with two lines: got %v, want 3 lines", log)
	}
	for i := range lines {
		lines[i].Seq = log[i+1].Seq
	}
	equal(b, "lines of the update", log[1:], lines)
	if log[0].Seq >= log[1].Seq || log[1].Seq >= log[2].Seq {
		b.Errorf("log: got Seq %d, %d, %d, want them to rise", log[0].Seq, log[1].Seq, log[2].Seq)
	}
	if st, err := b.s.SyncState(b.Context(), "in-1"); err != nil || st.Seq != log[2].Seq {
		b.Errorf("sync state: got Seq %d (%v), want that of the last line, %d", st.Seq, err, log[2].Seq)
	}
	if foreign := collect(b, "log", b.s.Log(b.Context(), "in-2", 0)); len(foreign) > 0 {
		b.Errorf("log of another inbox: got %v, want no line", foreign)
	}
}

func checkInboxOrder(b *inboxes) {
	want := []inbox.ID{"", "B", "Z", "_", "a", "a!", "aa", "b", "ä", "本"}[1:]
	for _, i := range []int{4, 0, 8, 2, 6, 1, 7, 3, 5} {
		create(b, mailbox(want[i]))
	}
	for size := 1; size <= len(want)+1; size++ {
		got := pages(b, size, func(after *inbox.Inbox) []inbox.Inbox {
			q := inbox.Query{Limit: size}
			if after != nil {
				q.After = after.ID
			}
			return collect(b, "inboxes", b.s.Inboxes(b.Context(), q))
		})
		equal(b, fmt.Sprintf("byte order of IDs, paging %d at a time", size),
			mapped(got, func(in inbox.Inbox) inbox.ID { return in.ID }), want)
	}
}

func checkInboxQuery(b *inboxes) {
	states := []inbox.State{inbox.StateActive, inbox.StatePaused, inbox.StateDraft}
	for i, site := range []inbox.SiteID{acme, acme, acme, other, other, other} {
		in := mailbox(inbox.ID(fmt.Sprintf("in-%d", i)))
		in.Site, in.State = site, states[i%3]
		create(b, in)
	}
	all := []inbox.ID{"in-0", "in-1", "in-2", "in-3", "in-4", "in-5"}
	for _, c := range []struct {
		what string
		q    inbox.Query
		want []inbox.ID
	}{
		{"everything", inbox.Query{}, all},
		{"one site", inbox.Query{Site: other}, all[3:]},
		{"a site without inboxes", inbox.Query{Site: "nobody"}, nil},
		{"one state", inbox.Query{States: states[1:2]}, []inbox.ID{"in-1", "in-4"}},
		{"two states of a site", inbox.Query{Site: acme, States: states[:2]}, all[:2]},
		{"a limit", inbox.Query{Limit: 2}, all[:2]},
		{"behind an ID", inbox.Query{After: "in-2"}, all[3:]},
		{"behind an ID that is not there", inbox.Query{After: "in-22"}, all[3:]},
		{"behind an ID of another site", inbox.Query{Site: acme, After: "in-4"}, nil},
		{"a limit that counts what is kept", inbox.Query{States: states[2:], Limit: 2},
			[]inbox.ID{"in-2", "in-5"}},
	} {
		got := collect(b, c.what, b.s.Inboxes(b.Context(), c.q))
		equal(b, fmt.Sprintf("%s (%+v)", c.what, c.q),
			mapped(got, func(in inbox.Inbox) inbox.ID { return in.ID }), c.want)
	}
}

// checkScope draws inboxes and people and compares the list with the permission check, inbox by
// inbox.
func checkScope(b *inboxes) {
	r := rand.New(rand.NewPCG(7, 11))
	users := []acl.UserID{"ann", "Ann", "bob", "cleo", "dan", ""}
	sites := []inbox.SiteID{acme, other}
	var all []inbox.Inbox
	for i := range 40 {
		in := mailbox(inbox.ID(fmt.Sprintf("in-%02d", i)))
		in.Site, in.Creator = sites[r.IntN(2)], users[r.IntN(len(users))]
		in.Kind = []acl.InboxKind{acl.Individual, acl.Team}[r.IntN(2)]
		for range r.IntN(4) {
			in.Grants = in.Grants.With(acl.Grant{
				User:       users[r.IntN(len(users)-1)],
				Access:     []acl.Access{acl.ReadOnly, acl.ReadAndReply}[r.IntN(2)],
				InboxAdmin: r.IntN(3) == 0,
			})
		}
		all = append(all, create(b, in))
	}
	for _, user := range users {
		for _, role := range []acl.Role{acl.Owner, acl.Admin, acl.Agent, "customer"} {
			for _, state := range []acl.UserState{acl.Active, acl.Deactivated} {
				actor := acl.Actor{Site: string(acme), User: user, Role: role, State: state}
				scope := acl.Visible(actor)
				want := slices.DeleteFunc(slices.Clone(all), func(in inbox.Inbox) bool {
					return !acl.Check(actor, in.ACL(), acl.SeeInbox, nil).Allowed
				})
				got := collect(b, "scope", b.s.Inboxes(b.Context(), inbox.Query{Scope: &scope}))
				equal(b, fmt.Sprintf("what %+v may know of", actor), got, want)
			}
		}
	}
}

// pages reads a list page by page and returns all of it. A page longer than its size, or a list that
// does not end, ends the check.
func pages[V any](t T, size int, page func(after *V) []V) (all []V) {
	t.Helper()
	for after := (*V)(nil); ; after = &all[len(all)-1] {
		got := page(after)
		if len(got) > size || len(all) > 1000 {
			t.Fatalf("page with limit %d behind %d values: got %d values", size, len(all), len(got))
		}
		if all = append(all, got...); len(got) == 0 {
			return all
		}
	}
}

func mapped[V, W any](list []V, f func(V) W) []W {
	out := make([]W, len(list))
	for i, v := range list {
		out[i] = f(v)
	}
	return out
}
