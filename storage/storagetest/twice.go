package storagetest

import (
	"fmt"

	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/storage"
)

var twiceChecks = []check[inbox.Store]{
	{"Commit/RemoteIDTwice", checkRemoteTwice},
	{"Commit/ChangedTwice", checkChangedTwice},
}

// checkRemoteTwice names one remote id twice in a step, as a mail service does whose pages overlap.
func checkRemoteTwice(b *inboxes) {
	create(b, mailbox("in-1"))
	const r provider.RemoteID = "remote m-1"
	later := waiting(r, 2)
	later.Attempts, later.Code = 3, inbox.QueueReport
	rejected := func(reason filter.Reason) inbox.Rejected {
		return inbox.Rejected{Remote: r, Thread: "t", Received: at(1), Reason: reason, Rules: 1}
	}
	for _, c := range []struct {
		what  string
		imp   inbox.Import
		fate  string
		queue []inbox.Queued
		kept  map[filter.Reason]int
	}{
		{"queued twice", inbox.Import{Queue: []inbox.Queued{waiting(r, 1), later}},
			"queued", []inbox.Queued{later}, map[filter.Reason]int{}},
		{"rejected twice", inbox.Import{
			Reject: []inbox.Rejected{rejected(filter.NotClientAssociated), rejected(filter.Excluded)},
		}, "rejected", nil, map[filter.Reason]int{filter.Excluded: 1}},
		{"gone twice", inbox.Import{Gone: []inbox.Gone{{Remote: r, Thread: "t"}, {Remote: r, Thread: "t"}}},
			"gone", nil, map[filter.Reason]int{}},
	} {
		commit(b, "in-1", c.imp)
		equal(b, "fate of what was "+c.what, fates(b, "in-1", r), map[provider.RemoteID]string{r: c.fate})
		equal(b, "queue after one was "+c.what,
			collect(b, "queue", b.s.Queue(b.Context(), inbox.QueueQuery{Inbox: "in-1"})), c.queue)
		kept, err := b.s.Rejections(b.Context(), "in-1")
		ok(b, "rejections", err)
		equal(b, "rejections after one was "+c.what, kept, c.kept)
	}
	before := look(b, "in-1", []provider.RemoteID{r, "remote m-2"}, nil)
	one, two := mail("in-1", "m-1", 1), mail("in-1", "m-2", 2)
	two.Message.Remote = r
	_, err := b.s.Commit(b.Context(), based(b, "in-1", inbox.Import{
		Put: []inbox.Put{one, mail("in-1", "m-3", 3), two}, Dequeue: []provider.RemoteID{r, r},
	}), happened("e-1"))
	refused(b, "put one remote id twice in a step", err, storage.ErrExists)
	equal(b, "inbox after a refused step", look(b, "in-1", []provider.RemoteID{r, "remote m-2"}, nil), before)
	st := commit(b, "in-1", inbox.Import{Put: []inbox.Put{one}, Dequeue: []provider.RemoteID{r, r}})
	equal(b, "fate of what was put and taken from the queue twice", fates(b, "in-1", r),
		map[provider.RemoteID]string{r: "stored"})
	if st.Queued != 0 || st.Poisoned != 0 {
		b.Errorf("state after the last was put: got %d queued and %d poisoned, want none", st.Queued, st.Poisoned)
	}
}

// checkChangedTwice changes one message twice in a step, as a service does that tells of each change:
// both count, the later one where they differ, and both are told.
func checkChangedTwice(b *inboxes) {
	create(b, mailbox("in-1"))
	before := commit(b, "in-1", inbox.Import{Put: []inbox.Put{mail("in-1", "m-1", 1), mail("in-1", "m-2", 2)}})
	want, err := b.s.Message(b.Context(), "m-1")
	ok(b, "message", err)
	yes, no, spam, trash := true, false, provider.FolderSpam, provider.FolderTrash
	commit(b, "in-1", inbox.Import{Changed: []inbox.MessageChange{
		{ID: "m-1", Unread: &yes, Folder: &spam, AssociationLost: &yes},
		{ID: "m-2", Unread: &yes},
		{ID: "m-1", Unread: &no, Hidden: &yes},
		{ID: "m-1", Folder: &trash},
	}})
	want.Folder, want.AssociationLost, want.Hidden = trash, true, true
	got, err := b.s.Message(b.Context(), "m-1")
	ok(b, "message", err)
	equal(b, "message changed three times in a step", got, want)
	equal(b, "hidden and shown messages", listed(b, inbox.MessageQuery{}), []inbox.MessageID{"m-2"})
	log := collect(b, "log", b.s.Log(b.Context(), "in-1", before.Seq))
	equal(b, "log of a step with three changes of one message", mapped(log, func(c inbox.Change) string {
		return fmt.Sprint(c.Kind, " ", c.Message)
	}), []string{"changed m-1", "changed m-2", "hidden m-1", "changed m-1"})
}
