package storagetest

import (
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
)

var deleteChecks = []check[inbox.Store]{
	{"Delete/LeavesNothing", checkDeleteLeavesNothing},
	{"Delete/OthersUntouched", checkDeleteOthers},
	{"Delete/AbsentIsFine", checkDeleteAbsent},
}

// fillTwo fills two inboxes with the same remote ids and threads, and one more that clients are
// known from.
func fillTwo(b *inboxes) {
	b.Helper()
	for _, id := range []inbox.ID{"in-1", "in-2"} {
		in := update(b, create(b, mailbox(id)), inbox.Change{Kind: inbox.ChangeAccess, At: at(1)})
		update(b, connected(in, "gmail", string(id), string(id)+"@example.com"))
		imp := everything(id, "x")
		for i := range imp.Put {
			imp.Put[i].Message.ID += inbox.MessageID(" of " + id)
			imp.Put[i].Content.Message = imp.Put[i].Message.ID
		}
		imp.Run.ID += " of " + string(id)
		commit(b, id, imp, happened("event of "+string(id)))
		ensure(b, id, inbox.Known{Address: "both@example.com"},
			inbox.Known{Address: string(id) + "@example.org"})
	}
}

func checkDeleteLeavesNothing(b *inboxes) {
	fillTwo(b)
	remote, threads := namesOf("x")
	before := look(b, "in-1", remote, threads)
	ok(b, "delete inbox", b.s.DeleteInbox(b.Context(), "in-1"))
	_, err := b.s.Inbox(b.Context(), "in-1")
	refused(b, "read a deleted inbox", err, storage.ErrNotFound)
	for _, m := range before.Messages {
		_, err = b.s.Message(b.Context(), m.ID)
		refused(b, "read a message of a deleted inbox", err, storage.ErrNotFound)
		_, err = b.s.Content(b.Context(), m.ID)
		refused(b, "read the content of a message of a deleted inbox", err, storage.ErrNotFound)
	}
	after := look(b, "in-1", remote, threads)
	for _, c := range after.Customers {
		for _, id := range c.KnownFrom {
			if id == "in-1" {
				b.Errorf("customer %q after in-1 was deleted: got known from %q, want it without in-1",
					c.ID, c.KnownFrom)
			}
		}
	}
	// Clients and events are not the inbox's own.
	after.Companies, after.Customers, after.Events = nil, nil, nil
	equal(b, "what is left of a deleted inbox", after, picture{State: inbox.SyncState{Inbox: "in-1"}})
	_, err = b.s.Commit(b.Context(), inbox.Import{State: before.State})
	refused(b, "commit to a deleted inbox", err, storage.ErrNotFound)

	made := create(b, mailbox("in-1"))
	equal(b, "inbox made anew under the same ID", look(b, "in-1", remote, threads).State,
		inbox.SyncState{Inbox: "in-1"})
	update(b, connected(made, "gmail", "in-1", "in-1@example.com"))
	commit(b, "in-1", inbox.Import{Put: []inbox.Put{{Message: before.Messages[0]}}})
}

func checkDeleteOthers(b *inboxes) {
	fillTwo(b)
	remote, threads := namesOf("x")
	before := look(b, "in-2", remote, threads)
	ok(b, "delete inbox", b.s.DeleteInbox(b.Context(), "in-1"))
	after := look(b, "in-2", remote, threads)
	equal(b, "customers after an inbox is deleted",
		mapped(after.Customers, func(c inbox.Customer) []inbox.ID { return c.KnownFrom }),
		mapped(before.Customers, func(c inbox.Customer) []inbox.ID {
			var left []inbox.ID
			for _, id := range c.KnownFrom {
				if id != "in-1" {
					left = append(left, id)
				}
			}
			return left
		}))
	before.Customers, after.Customers = nil, nil
	equal(b, "another inbox after one is deleted", after, before)
}

func checkDeleteAbsent(b *inboxes) {
	create(b, mailbox("in-1"))
	ok(b, "delete an inbox that is not there", b.s.DeleteInbox(b.Context(), "in-2"))
	ok(b, "delete", b.s.DeleteInbox(b.Context(), "in-1"))
	ok(b, "delete again", b.s.DeleteInbox(b.Context(), "in-1"))
}
