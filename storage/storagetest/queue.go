package storagetest

import (
	"fmt"
	"time"

	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
)

var queueChecks = []check[inbox.Store]{
	{"Commit/QueueLifecycle", checkQueueLifecycle},
	{"Commit/QueueCounts", checkQueueCounts},
	{"Commit/PutRemovesItem", checkPutRemoves},
	{"Commit/ReopenMovesRejected", checkReopen},
	{"Seen/EveryFate", checkSeen},
	{"Queue/RoundTrip", checkQueueRoundTrip},
	{"Queue/ByNotBefore", checkQueueOrder},
}

// waiting returns an item of the retry queue that may be tried n minutes after day.
func waiting(remote provider.RemoteID, n int) inbox.Queued {
	return inbox.Queued{Remote: remote, Thread: "t", Received: at(-n), NotBefore: at(n), Code: "open"}
}

// fates returns what is known of remote ids in one word each, none for an unknown one.
func fates(b *inboxes, id inbox.ID, remote ...provider.RemoteID) map[provider.RemoteID]string {
	b.Helper()
	seen, err := b.s.Seen(b.Context(), id, remote)
	ok(b, "seen", err)
	words := make(map[provider.RemoteID]string, len(seen))
	for r, s := range seen {
		words[r] = string(s.State)
	}
	return words
}

func queueOf(b *inboxes, q inbox.QueueQuery) []provider.RemoteID {
	b.Helper()
	q.Inbox = "in-1"
	return mapped(collect(b, "queue", b.s.Queue(b.Context(), q)),
		func(q inbox.Queued) provider.RemoteID { return q.Remote })
}

// checkQueueLifecycle takes one item through each way out of the queue and its poison.
func checkQueueLifecycle(b *inboxes) {
	create(b, mailbox("in-1"))
	in := inbox.Import{}
	for _, r := range []provider.RemoteID{"put", "reject", "gone", "dequeue", "poison", "stay"} {
		in.Queue = append(in.Queue, waiting(r, 1))
		dead := waiting("dead "+r, 1)
		dead.Poison = true
		in.Queue = append(in.Queue, dead)
	}
	commit(b, "in-1", in)

	put, deadPut := mail("in-1", "m-1", 1), mail("in-1", "m-2", 1)
	put.Message.Remote, deadPut.Message.Remote = "put", "dead put"
	poison := waiting("poison", 1)
	poison.Poison, poison.Attempts = true, 9
	released := waiting("dead poison", 7)
	later := waiting("stay", 5)
	later.Attempts, later.Code = 3, "thread"
	commit(b, "in-1", inbox.Import{
		Put:     []inbox.Put{put, deadPut},
		Reject:  []inbox.Rejected{{Remote: "reject", Thread: "t"}, {Remote: "dead reject", Thread: "t"}},
		Gone:    []inbox.Gone{{Remote: "gone", Thread: "t"}, {Remote: "dead gone", Thread: "t"}},
		Dequeue: []provider.RemoteID{"dequeue", "dead dequeue", "never queued"},
		Queue:   []inbox.Queued{poison, released, later},
	})
	got := collect(b, "queue", b.s.Queue(b.Context(), inbox.QueueQuery{Inbox: "in-1"}))
	equal(b, "queue", got, []inbox.Queued{later, released})
	equal(b, "poison", queueOf(b, inbox.QueueQuery{Poison: true}),
		[]provider.RemoteID{"dead stay", "poison"})
	equal(b, "fates", fates(b, "in-1", "put", "reject", "gone", "dequeue", "dead dequeue", "poison",
		"dead poison", "never queued"), map[provider.RemoteID]string{
		"put": "stored", "reject": "rejected", "gone": "gone", "poison": "poison",
		"dead poison": "queued",
	})
}

func checkQueueCounts(b *inboxes) {
	create(b, mailbox("in-1"))
	dead := waiting("dead", 1)
	dead.Poison = true
	for _, c := range []struct {
		what             string
		imp              inbox.Import
		queued, poisoned int
	}{
		{"two and one dead",
			inbox.Import{Queue: []inbox.Queued{waiting("a", 1), waiting("b", 1), dead}}, 2, 1},
		{"one updated", inbox.Import{Queue: []inbox.Queued{waiting("a", 2)}}, 2, 1},
		{"one out", inbox.Import{Dequeue: []provider.RemoteID{"a"}}, 1, 1},
		{"the dead one out", inbox.Import{Dequeue: []provider.RemoteID{"dead"}}, 1, 0},
	} {
		c.imp.State.Queued, c.imp.State.Poisoned, c.imp.State.Seq = 77, 78, 79
		returned := commit(b, "in-1", c.imp)
		read, err := b.s.SyncState(b.Context(), "in-1")
		ok(b, "sync state", err)
		for _, st := range []inbox.SyncState{returned, read} {
			if st.Queued != c.queued || st.Poisoned != c.poisoned || st.Seq != 0 {
				b.Errorf("%s: got %d queued, %d poisoned, Seq %d, want %d, %d and 0",
					c.what, st.Queued, st.Poisoned, st.Seq, c.queued, c.poisoned)
			}
		}
	}
}

// checkPutRemoves stores mail that was rejected, or gone, before.
func checkPutRemoves(b *inboxes) {
	create(b, mailbox("in-1"))
	commit(b, "in-1", inbox.Import{
		Reject: []inbox.Rejected{{Remote: "r-1", Thread: "t", Reason: filter.Excluded, Client: true}},
		Gone:   []inbox.Gone{{Remote: "r-2", Thread: "t"}, {Remote: "r-3", Thread: "t"}},
	})
	one, two := mail("in-1", "m-1", 1), mail("in-1", "m-2", 1)
	one.Message.Remote, two.Message.Remote = "r-1", "r-2"
	commit(b, "in-1", inbox.Import{
		Put:    []inbox.Put{one, two},
		Reject: []inbox.Rejected{{Remote: "r-3", Thread: "t", Reason: filter.Erased}},
	})
	equal(b, "fates", fates(b, "in-1", "r-1", "r-2", "r-3"), map[provider.RemoteID]string{
		"r-1": "stored", "r-2": "stored", "r-3": "rejected",
	})
	got, err := b.s.Rejections(b.Context(), "in-1")
	ok(b, "rejections", err)
	equal(b, "rejections", got, map[filter.Reason]int{filter.Erased: 1})
	commit(b, "in-1", inbox.Import{Reopen: []inbox.Reopen{{Thread: "t", Reason: filter.Excluded}}})
	equal(b, "queue after what was rejected is stored", queueOf(b, inbox.QueueQuery{}),
		[]provider.RemoteID(nil))
}

// checkReopen asks for a thread's rejected mail again. What is rejected by the very step that opens
// the thread counts too: newest first, a third party's answer comes before the mail it answers
// (R-FLT-10).
func checkReopen(b *inboxes) {
	create(b, mailbox("in-1"))
	no := func(remote provider.RemoteID, change func(r *inbox.Rejected)) inbox.Rejected {
		r := inbox.Rejected{
			Remote: remote, Thread: "t", Received: at(10), Client: true,
			Reason: filter.NotClientAssociated, Rules: 1,
			Folder: provider.FolderTrash, Sent: provider.MarkNotSent, Unread: true,
		}
		if change != nil {
			change(&r)
		}
		return r
	}
	dead := waiting("dead", 1)
	dead.Poison = true
	commit(b, "in-1", inbox.Import{
		Reject: []inbox.Rejected{
			no("match", nil),
			no("at since", func(r *inbox.Rejected) { r.Received = at(5) }),
			no("before since", func(r *inbox.Rejected) { r.Received = at(5).Add(-1000) }),
			no("no client", func(r *inbox.Rejected) { r.Client = false }),
			no("other reason", func(r *inbox.Rejected) { r.Reason = filter.Excluded }),
			no("other thread", func(r *inbox.Rejected) { r.Thread = "T" }),
		},
		Gone:  []inbox.Gone{{Remote: "gone", Thread: "t"}},
		Queue: []inbox.Queued{dead},
	})
	st := commit(b, "in-1", inbox.Import{
		Reject: []inbox.Rejected{no("same step", nil)},
		Reopen: []inbox.Reopen{
			{Thread: "t", Since: at(5), Reason: filter.NotClientAssociated},
			{Thread: "unknown", Since: at(5), Reason: filter.NotClientAssociated},
		},
	})
	again := func(remote provider.RemoteID, received time.Time) inbox.Queued {
		return inbox.Queued{
			Remote: remote, Thread: "t", Received: received, NotBefore: received,
			Folder: provider.FolderTrash, Sent: provider.MarkNotSent, Unread: true,
			Code: inbox.QueueThread,
		}
	}
	got := collect(b, "queue", b.s.Queue(b.Context(), inbox.QueueQuery{Inbox: "in-1"}))
	equal(b, "reopened items", got, []inbox.Queued{
		again("at since", at(5)), again("match", at(10)), again("same step", at(10)),
	})
	if st.Queued != 3 || st.Poisoned != 1 {
		b.Errorf("state: got %d queued and %d poisoned, want 3 and 1", st.Queued, st.Poisoned)
	}
	equal(b, "fates", fates(b, "in-1", "match", "before since", "no client", "other reason",
		"other thread", "gone", "dead"), map[provider.RemoteID]string{
		"match": "queued", "before since": "rejected", "no client": "rejected",
		"other reason": "rejected", "other thread": "rejected", "gone": "gone", "dead": "poison",
	})
	left, err := b.s.Rejections(b.Context(), "in-1")
	ok(b, "rejections", err)
	equal(b, "rejections left", left,
		map[filter.Reason]int{filter.NotClientAssociated: 3, filter.Excluded: 1})
}

func checkSeen(b *inboxes) {
	create(b, mailbox("in-1"))
	create(b, mailbox("in-2"))
	imp := everything("in-1", "x")
	commit(b, "in-1", imp)
	remote, _ := namesOf("x")
	got, err := b.s.Seen(b.Context(), "in-1", append(remote, "unknown", "X REJECTED"))
	ok(b, "seen", err)
	if len(got) != len(remote) {
		b.Errorf("seen: got %d entries for %d known ids and two unknown ones", len(got), len(remote))
	}
	stored, rejected, queued, gone := got["remote x a"], got["x rejected"], got["x queued"], got["x gone"]
	equal(b, "fate of a stored mail",
		inbox.Seen{
			State: stored.State, Message: stored.Message, Thread: stored.Thread,
			Received: stored.Received,
		},
		inbox.Seen{State: inbox.SeenStored, Message: "x a", Thread: "thread x a", Received: at(1)})
	r := imp.Reject[0]
	equal(b, "fate of a rejected mail", rejected, inbox.Seen{
		State: inbox.SeenRejected, Thread: r.Thread, Received: r.Received, Reason: r.Reason, Rules: r.Rules,
	})
	equal(b, "fate of a queued mail", queued, inbox.Seen{
		State: inbox.SeenQueued, Thread: "x t", Received: at(4), Queued: &imp.Queue[0],
	})
	equal(b, "fate of a given up mail", got["x poison"], inbox.Seen{
		State: inbox.SeenPoison, Thread: "x t", Received: at(4), Queued: &imp.Queue[1],
	})
	equal(b, "fate of a mail that is gone", inbox.Seen{State: gone.State, Thread: gone.Thread},
		inbox.Seen{State: inbox.SeenGone, Thread: "x t"})
	equal(b, "fates in another inbox", fates(b, "in-2", remote...), map[provider.RemoteID]string{})
	many := make([]provider.RemoteID, 1200)
	for i := range many {
		many[i] = provider.RemoteID(fmt.Sprintf("unknown %d", i))
	}
	equal(b, "one known id among 1200", fates(b, "in-1", append(many, "x gone")...),
		map[provider.RemoteID]string{"x gone": "gone"})
}

func checkQueueRoundTrip(b *inboxes) {
	create(b, mailbox("in-1"))
	poison, live := full[inbox.Queued]("poison"), full[inbox.Queued]("queued")
	live.Poison = false
	bare := inbox.Queued{Remote: "bare", Thread: "t"}
	commit(b, "in-1", inbox.Import{Queue: []inbox.Queued{poison, live, bare}})
	for _, want := range [][]inbox.Queued{{bare, live}, {poison}} {
		q := inbox.QueueQuery{Inbox: "in-1", Poison: want[0].Poison}
		equal(b, fmt.Sprintf("queue (%+v)", q), collect(b, "queue", b.s.Queue(b.Context(), q)), want)
		for _, item := range want {
			seen, err := b.s.Seen(b.Context(), "in-1", []provider.RemoteID{item.Remote})
			ok(b, "seen", err)
			equal(b, fmt.Sprintf("fate of %q", item.Remote), seen[item.Remote].Queued, &item)
		}
	}
}

func checkQueueOrder(b *inboxes) {
	create(b, mailbox("in-1"))
	dead := waiting("A dead", 1)
	dead.Poison = true
	sooner := waiting("later by a microsecond", 2)
	sooner.NotBefore = sooner.NotBefore.Add(1000)
	commit(b, "in-1", inbox.Import{Queue: []inbox.Queued{
		waiting("c", 3), sooner, waiting("b", 2), waiting("B", 2), dead, waiting("z", 1),
		{Remote: "zz", Thread: "t", Code: "released"},
	}})
	all := []provider.RemoteID{"zz", "z", "B", "b", "later by a microsecond", "c"}
	for _, c := range []struct {
		what string
		q    inbox.QueueQuery
		want []provider.RemoteID
	}{
		{"everything", inbox.QueueQuery{}, all},
		{"due", inbox.QueueQuery{Due: at(2)}, all[:4]},
		{"a limit", inbox.QueueQuery{Limit: 3}, all[:3]},
		{"due, with a limit", inbox.QueueQuery{Due: at(2), Limit: 1}, all[:1]},
		{"poison", inbox.QueueQuery{Poison: true}, []provider.RemoteID{"A dead"}},
	} {
		equal(b, fmt.Sprintf("queue, %s (%+v)", c.what, c.q), queueOf(b, c.q), c.want)
	}
}
