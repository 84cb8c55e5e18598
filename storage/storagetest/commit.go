package storagetest

import (
	"fmt"

	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/storage"
)

var commitChecks = []check[inbox.Store]{
	{"Commit/StateRoundTrip", checkStateRoundTrip},
	{"Commit/UnknownInbox", checkCommitUnknown},
	{"Commit/StaleState", checkStaleState},
	{"Commit/AllOrNothing", checkCommitAllOrNothing},
	{"Commit/PutTwiceRefused", checkPutTwice},
	{"Commit/SeqRises", checkSeqRises},
	{"Commit/ChangesTold", checkChangesTold},
	{"Commit/EraseForgets", checkErase},
	{"Commit/ThreadsOnlyLower", checkThreadsLower},
	{"Commit/RunReplaced", checkRunReplaced},
	{"Commit/RefusedLate", checkLateCommit},
}

func checkStateRoundTrip(b *inboxes) {
	create(b, mailbox("in-1"))
	st, err := b.s.SyncState(b.Context(), "in-1")
	ok(b, "sync state before the first commit", err)
	st.Inbox = "in-1"
	equal(b, "state before the first commit", st, inbox.SyncState{Inbox: "in-1"})

	want := full[inbox.SyncState]("state")
	want.Inbox, want.Version = "in-1", 0
	got, err := b.s.Commit(b.Context(), inbox.Import{State: want})
	ok(b, "commit", err)
	// The counts are the store's own: whatever is given, nothing is stored or queued.
	want.Version, want.Seq, want.Queued, want.Poisoned = 1, 0, 0, 0
	equal(b, "state that Commit returned", got, want)
	got, err = b.s.SyncState(b.Context(), "in-1")
	ok(b, "sync state", err)
	equal(b, "state as read", got, want)

	got, err = b.s.Commit(b.Context(),
		inbox.Import{State: inbox.SyncState{Inbox: "in-1", Version: 1}})
	ok(b, "commit", err)
	equal(b, "state after its fields were emptied", got, inbox.SyncState{Inbox: "in-1", Version: 2})
}

func checkCommitUnknown(b *inboxes) {
	create(b, mailbox("in-1"))
	before := look(b, "in-1", nil, nil)
	_, err := b.s.Commit(b.Context(), inbox.Import{
		State: inbox.SyncState{Inbox: "in-2"}, Put: []inbox.Put{mail("in-2", "m-1", 1)},
	}, happened("e-1"))
	refused(b, "commit to an inbox that is not there", err, storage.ErrNotFound)
	equal(b, "another inbox after a refused commit", look(b, "in-1", nil, nil), before)
	_, err = b.s.Message(b.Context(), "m-1")
	refused(b, "read a message of a refused commit", err, storage.ErrNotFound)
}

func checkStaleState(b *inboxes) {
	create(b, mailbox("in-1"))
	remote, threads := namesOf("x")
	imp := everything("in-1", "x")
	commit(b, "in-1", inbox.Import{State: imp.State})
	commit(b, "in-1", inbox.Import{State: imp.State})
	before := look(b, "in-1", remote, threads)
	for _, v := range []storage.Version{0, 1, 3} {
		imp.State.Inbox, imp.State.Version = "in-1", v
		_, err := b.s.Commit(b.Context(), imp, happened("e-1"))
		refused(b, fmt.Sprintf("commit on version %d of a version 2", v), err, storage.ErrConflict)
	}
	equal(b, "inbox after refused commits", look(b, "in-1", remote, threads), before)
}

func checkCommitAllOrNothing(b *inboxes) {
	create(b, mailbox("in-1"))
	old, oldThreads := namesOf("old")
	remote, threads := namesOf("new")
	remote, threads = append(remote, old...), append(threads, oldThreads...)
	commit(b, "in-1", everything("in-1", "old"))
	before := look(b, "in-1", remote, threads)

	imp, yes := everything("in-1", "new"), true
	imp.Changed = []inbox.MessageChange{{ID: "old a", Hidden: &yes}}
	imp.Dequeue = []provider.RemoteID{"old queued"}
	imp.Reopen = []inbox.Reopen{{Thread: "old t", Reason: filter.NotClientAssociated}}
	imp.Threads = append(imp.Threads, inbox.Thread{ID: "old t", Opened: at(1)})
	twice := mail("in-1", "new c", 3)
	twice.Message.Remote = "remote old b"
	imp.Put = append(imp.Put, twice)
	_, err := b.s.Commit(b.Context(), based(b, "in-1", imp), happened("e-1"))
	refused(b, "commit whose last Put is stored already", err, storage.ErrExists)
	equal(b, "inbox after a refused commit", look(b, "in-1", remote, threads), before)

	imp.Put = imp.Put[:2]
	commit(b, "in-1", imp, happened("e-1"))
	if after := look(b, "in-1", remote, threads); alike(after, before) {
		b.Errorf("the same commit without the refused Put changed nothing")
	}
}

func checkPutTwice(b *inboxes) {
	create(b, mailbox("in-1"))
	create(b, mailbox("in-2"))
	first := mail("in-1", "m-1", 1)
	commit(b, "in-1", inbox.Import{Put: []inbox.Put{first}})
	same, again := mail("in-1", "m-2", 2), mail("in-1", "m-3", 3)
	same.Message.Remote = first.Message.Remote
	_, err := b.s.Commit(b.Context(), based(b, "in-1", inbox.Import{Put: []inbox.Put{same}}))
	refused(b, "put a remote id that is stored", err, storage.ErrExists)

	again.Message.Remote = "remote of two"
	same.Message.Remote = "remote of two"
	_, err = b.s.Commit(b.Context(),
		based(b, "in-1", inbox.Import{Put: []inbox.Put{same, again}}))
	refused(b, "put one remote id twice in a commit", err, storage.ErrExists)

	elsewhere := mail("in-2", "m-4", 1)
	elsewhere.Message.Remote = first.Message.Remote
	commit(b, "in-2", inbox.Import{Put: []inbox.Put{elsewhere}})
	got := collect(b, "messages", b.s.Messages(b.Context(), inbox.MessageQuery{Inbox: "in-1"}))
	if len(got) != 1 || got[0].ID != "m-1" {
		b.Errorf("messages after refused puts: got %v, want m-1 alone", got)
	}
}

func checkSeqRises(b *inboxes) {
	in := create(b, mailbox("in-1"))
	first := commit(b, "in-1", inbox.Import{Put: []inbox.Put{
		mail("in-1", "m-2", 2), mail("in-1", "m-3", 9), mail("in-1", "m-1", 1),
	}})
	update(b, in, inbox.Change{Kind: inbox.ChangeAccess, At: at(1), User: "bob"})
	last := commit(b, "in-1", inbox.Import{Put: []inbox.Put{mail("in-1", "m-0", 4)}})
	log := collect(b, "log", b.s.Log(b.Context(), "in-1", 0))
	var ids []inbox.MessageID
	seq := uint64(0)
	for _, c := range log {
		ids = append(ids, c.Message)
		if c.Seq <= seq {
			b.Errorf("log: got Seq %d behind %d, want it to rise", c.Seq, seq)
		}
		seq = c.Seq
		if c.Message == "" {
			continue
		}
		m, err := b.s.Message(b.Context(), c.Message)
		ok(b, "message", err)
		if c.Kind != inbox.ChangeArrived || c.Thread != m.Thread || m.Seq != c.Seq {
			b.Errorf("log: got %+v for message %q of thread %q with Seq %d", c, m.ID, m.Thread, m.Seq)
		}
	}
	equal(b, "log of puts in the order given", ids,
		[]inbox.MessageID{"m-2", "m-3", "m-1", "", "m-0"})
	if len(log) == 5 && (first.Seq != log[2].Seq || last.Seq != log[4].Seq) {
		b.Errorf("states: got Seq %d and %d, want those of the last lines, %d and %d",
			first.Seq, last.Seq, log[2].Seq, log[4].Seq)
	}
}

func checkChangesTold(b *inboxes) {
	create(b, mailbox("in-1"))
	yes, no, folder := true, false, provider.FolderTrash
	company := inbox.CompanyID("co-1")
	commit(b, "in-1", inbox.Import{Put: []inbox.Put{mail("in-1", "m-1", 1), mail("in-1", "m-2", 2)}})
	want, err := b.s.Message(b.Context(), "m-1")
	ok(b, "message", err)
	for _, c := range []struct {
		change inbox.MessageChange
		want   inbox.ChangeKind
		apply  func(m *inbox.Message)
	}{
		{inbox.MessageChange{Unread: &yes}, inbox.ChangeChanged,
			func(m *inbox.Message) { m.Unread = true }},
		{inbox.MessageChange{Folder: &folder, AssociationLost: &yes}, inbox.ChangeChanged,
			func(m *inbox.Message) { m.Folder, m.AssociationLost = folder, true }},
		{inbox.MessageChange{Hidden: &yes, Unread: &no}, inbox.ChangeHidden,
			func(m *inbox.Message) { m.Hidden, m.Unread = true, false }},
		{inbox.MessageChange{Hidden: &no}, inbox.ChangeShown,
			func(m *inbox.Message) { m.Hidden = false }},
		{inbox.MessageChange{Removed: &yes}, inbox.ChangeRemoved,
			func(m *inbox.Message) { m.Removed = true }},
		{inbox.MessageChange{Company: &company}, "",
			func(m *inbox.Message) { m.Company = company }},
	} {
		c.change.ID = "m-1"
		before, _ := b.s.SyncState(b.Context(), "in-1")
		commit(b, "in-1", inbox.Import{Changed: []inbox.MessageChange{c.change}})
		c.apply(&want)
		got, err := b.s.Message(b.Context(), "m-1")
		ok(b, "message", err)
		equal(b, fmt.Sprintf("message after a change told as %q", c.want), got, want)
		log := collect(b, "log", b.s.Log(b.Context(), "in-1", before.Seq))
		if len(log) != 1 || log[0].Message != "m-1" || log[0].Thread != want.Thread ||
			c.want != "" && log[0].Kind != c.want {
			b.Errorf("log of a change: got %+v, want one line of kind %q", log, c.want)
		}
	}
	untouched, err := b.s.Message(b.Context(), "m-2")
	ok(b, "message", err)
	if untouched.Removed || untouched.Company != "" {
		b.Errorf("another message: got %+v, want it as it was", untouched)
	}
}

// checkErase erases one mail for good, and one that is rejected in the same step.
func checkErase(b *inboxes) {
	create(b, mailbox("in-1"))
	var imp inbox.Import
	for i := range 3 {
		p := mail("in-1", fmt.Sprintf("m-%d", i), i)
		p.Message.Thread = "t"
		imp.Put = append(imp.Put, p)
	}
	before := commit(b, "in-1", imp)
	yes := true
	commit(b, "in-1", inbox.Import{
		Changed: []inbox.MessageChange{{ID: "m-0", Unread: &yes}},
		Erase:   []inbox.MessageID{"m-0", "m-1"},
		Reject:  []inbox.Rejected{{Remote: "remote m-1", Thread: "t", Reason: filter.Erased}},
	})
	for _, id := range []inbox.MessageID{"m-0", "m-1"} {
		_, err := b.s.Message(b.Context(), id)
		refused(b, "read an erased message", err, storage.ErrNotFound)
		_, err = b.s.Content(b.Context(), id)
		refused(b, "read the content of an erased message", err, storage.ErrNotFound)
	}
	equal(b, "messages of the thread", listed(b, inbox.MessageQuery{Thread: "t", Hidden: true}),
		[]inbox.MessageID{"m-2"})
	equal(b, "fates", fates(b, "in-1", "remote m-0", "remote m-1", "remote m-2"),
		map[provider.RemoteID]string{"remote m-1": "rejected", "remote m-2": "stored"})
	tally, err := b.s.Tally(b.Context(), "in-1")
	ok(b, "tally", err)
	equal(b, "tally", tally, inbox.Tally{Messages: 1, Threads: 1})
	log := collect(b, "log", b.s.Log(b.Context(), "in-1", before.Seq))
	equal(b, "log of a change and two erasures", mapped(log, func(c inbox.Change) string {
		return fmt.Sprint(c.Kind, " ", c.Message, " ", c.Thread)
	}), []string{"changed m-0 t", "purged m-0 t", "purged m-1 t"})
	again := mail("in-1", "m-9", 1)
	again.Message.Remote = "remote m-0"
	commit(b, "in-1", inbox.Import{Put: []inbox.Put{again}})
}

func checkThreadsLower(b *inboxes) {
	create(b, mailbox("in-1"))
	create(b, mailbox("in-2"))
	for _, c := range []struct {
		what      string
		set, want inbox.Thread
	}{
		{"a thread without time", inbox.Thread{ID: "t"}, inbox.Thread{ID: "t"}},
		{"a first time", inbox.Thread{ID: "t", Opened: at(5)}, inbox.Thread{ID: "t", Opened: at(5)}},
		{"a later time", inbox.Thread{ID: "t", Opened: at(9)}, inbox.Thread{ID: "t", Opened: at(5)}},
		{"no time", inbox.Thread{ID: "t"}, inbox.Thread{ID: "t", Opened: at(5)}},
		{"an earlier time", inbox.Thread{ID: "t", Opened: at(2)}, inbox.Thread{ID: "t", Opened: at(2)}},
	} {
		commit(b, "in-1", inbox.Import{Threads: []inbox.Thread{c.set}})
		got, err := b.s.Threads(b.Context(), "in-1", []inbox.ThreadID{"t", "unknown"})
		ok(b, "threads", err)
		if _, known := got["unknown"]; known || !alike(got["t"].Opened, c.want.Opened) {
			b.Errorf("threads after %s: got %v, want %v alone", c.what, got, c.want)
		}
	}
	elsewhere, err := b.s.Threads(b.Context(), "in-2", []inbox.ThreadID{"t"})
	ok(b, "threads", err)
	equal(b, "thread of the same id in another inbox", elsewhere, map[inbox.ThreadID]inbox.Thread{})
}

func checkRunReplaced(b *inboxes) {
	create(b, mailbox("in-1"))
	run := full[inbox.Run]("run")
	run.Inbox = "in-1"
	begun := inbox.Run{ID: run.ID, Inbox: "in-1", Kind: run.Kind, Started: run.Started, Listed: 1}
	commit(b, "in-1", inbox.Import{Run: &begun})
	commit(b, "in-1", inbox.Import{})
	commit(b, "in-1", inbox.Import{Run: &run})
	got := collect(b, "runs", b.s.Runs(b.Context(), "in-1", 0))
	equal(b, "runs after one was written twice", got, []inbox.Run{run})
}
