package storagetest

import (
	"fmt"

	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
)

var ledgerChecks = []check[inbox.Store]{
	{"Runs/NewestFirst", checkRuns},
	{"Rejections/ByReason", checkRejections},
}

func checkRuns(b *inboxes) {
	create(b, mailbox("in-1"))
	create(b, mailbox("in-2"))
	for id, n := range map[string]int{"a": 1, "B": 2, "b": 2, "z": 2, "c": 3} {
		commit(b, "in-1", inbox.Import{Run: &inbox.Run{
			ID: id, Inbox: "in-1", Kind: inbox.RunSync, Started: at(n),
		}})
	}
	commit(b, "in-2", inbox.Import{Run: &inbox.Run{ID: "foreign", Inbox: "in-2", Started: at(2)}})
	want := []string{"c", "z", "b", "B", "a"}
	for limit := 0; limit <= len(want)+1; limit++ {
		got := collect(b, "runs", b.s.Runs(b.Context(), "in-1", limit))
		cut := want
		if limit > 0 && limit < len(want) {
			cut = want[:limit]
		}
		equal(b, fmt.Sprintf("runs with limit %d", limit),
			mapped(got, func(r inbox.Run) string { return r.ID }), cut)
	}
}

func checkRejections(b *inboxes) {
	create(b, mailbox("in-1"))
	create(b, mailbox("in-2"))
	commit(b, "in-1", inbox.Import{Reject: []inbox.Rejected{
		{Remote: "a", Thread: "t", Reason: filter.Excluded},
		{Remote: "b", Thread: "t", Reason: filter.Excluded},
		{Remote: "c", Thread: "t", Reason: filter.InternalOnly},
		{Remote: "d", Thread: "t", Reason: filter.SkippedFolder},
	}})
	commit(b, "in-1", inbox.Import{
		Reject: []inbox.Rejected{{Remote: "b", Thread: "t", Reason: filter.InternalOnly}},
		Gone:   []inbox.Gone{{Remote: "d", Thread: "t"}},
	})
	got, err := b.s.Rejections(b.Context(), "in-1")
	ok(b, "rejections", err)
	equal(b, "rejections after one was rejected for another reason and one is gone", got,
		map[filter.Reason]int{filter.Excluded: 1, filter.InternalOnly: 2})
	got, err = b.s.Rejections(b.Context(), "in-2")
	ok(b, "rejections", err)
	equal(b, "rejections of another inbox", got, map[filter.Reason]int{})
}
