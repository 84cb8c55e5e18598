package storagetest

import (
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/ticket"
)

// fillDesk gives two inboxes tickets of every kind, and each an entry whose mail lies in the other.
func fillDesk(b *tickets) {
	b.Helper()
	for _, in := range []inbox.ID{"in-1", "in-2"} {
		elsewhere := map[inbox.ID]inbox.ID{"in-1": "in-2", "in-2": "in-1"}[in]
		live, hidden := open(ticket.ID("live "+in), in, 1), open(ticket.ID("hidden "+in), in, 2)
		trashed := open(ticket.ID("trashed "+in), in, 3)
		hidden.Messages, trashed.DeletedAt = 2, at(9)
		name := ticket.EntryID(in)
		save(b,
			ticket.Write{Ticket: live, Entries: []ticket.Entry{
				received("own of "+name, live.ID, in, 1),
				received("merged into "+name, live.ID, elsewhere, 2),
			}},
			ticket.Write{Ticket: hidden, Entries: []ticket.Entry{
				received("hidden of "+name, hidden.ID, in, 3),
			}},
			ticket.Write{Ticket: trashed, Entries: []ticket.Entry{
				{ID: "note of " + name, Ticket: trashed.ID, Inbox: in, Kind: ticket.EntryNoted, At: at(4)},
			}},
		)
		_, err := b.s.SaveMark(b.Context(), in, 7, 0)
		ok(b, "save mark", err)
	}
}

func trash(b *tickets) []ticket.Ticket {
	b.Helper()
	return collect(b, "trash",
		b.s.Tickets(b.Context(), ticket.Query{Deleted: true, AllHidden: true}))
}

func checkPurge(b *tickets) {
	fillDesk(b)
	ok(b, "purge", b.s.PurgeTickets(b.Context(), "in-1"))
	for _, id := range []ticket.ID{"live in-1", "hidden in-1", "trashed in-1"} {
		_, err := b.s.Ticket(b.Context(), id)
		refused(b, "read a purged ticket", err, storage.ErrNotFound)
	}
	for _, t := range append(lookDesk(b).Tickets, trash(b)...) {
		if t.Inbox == "in-1" {
			b.Errorf("tickets after a purge: got %q of the purged inbox", t.ID)
		}
	}
	for _, e := range lookDesk(b).Entries {
		if e.Inbox == "in-1" || e.Ticket == "live in-1" {
			b.Errorf("entries after a purge: got %q of inbox %q in ticket %q", e.ID, e.Inbox, e.Ticket)
		}
	}
	if seq, v, err := b.s.Mark(b.Context(), "in-1"); seq != 0 || v != 0 || err != nil {
		b.Errorf("mark after a purge: got %d of version %d (%v), want 0 of 0", seq, v, err)
	}
	ok(b, "purge again", b.s.PurgeTickets(b.Context(), "in-1"))
	ok(b, "purge an inbox without tickets", b.s.PurgeTickets(b.Context(), "in-3"))
	// The messages are free again.
	save(b, ticket.Write{Ticket: open("t-9", "in-2", 1), Entries: []ticket.Entry{
		received("own of in-1", "t-9", "in-2", 1),
	}})
}

func checkPurgeOthers(b *tickets) {
	fillDesk(b)
	before, beforeTrash := lookDesk(b), trash(b)
	ok(b, "purge", b.s.PurgeTickets(b.Context(), "in-1"))
	after := lookDesk(b)
	equal(b, "tickets of another inbox after a purge", after.Tickets, keepIf(before.Tickets,
		func(t ticket.Ticket) bool { return t.Inbox == "in-2" }))
	equal(b, "entries of another inbox after a purge", after.Entries, keepIf(before.Entries,
		func(e ticket.Entry) bool { return e.Inbox == "in-2" && e.Ticket != "live in-1" }))
	equal(b, "trash of another inbox after a purge", trash(b), keepIf(beforeTrash,
		func(t ticket.Ticket) bool { return t.Inbox == "in-2" }))
	if seq, v, err := b.s.Mark(b.Context(), "in-2"); seq != 7 || v != 1 || err != nil {
		b.Errorf("mark of another inbox after a purge: got %d of version %d (%v), want 7 of 1",
			seq, v, err)
	}
}

func keepIf[V any](list []V, keep func(V) bool) (kept []V) {
	for _, v := range list {
		if keep(v) {
			kept = append(kept, v)
		}
	}
	return kept
}
