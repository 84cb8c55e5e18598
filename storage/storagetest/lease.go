package storagetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
	work "github.com/workinbox/workinbox/ticket/desk"
)

// Leases checks a store against desk.Leases.
func Leases(t *testing.T, open func(t *testing.T) work.Leases) { runAll(t, leaseChecks, open) }

// LeaseChecks returns the names of the checks of Leases, in the order they run.
func LeaseChecks() []string { return names(leaseChecks) }

// LeaseCheck runs one check of Leases on an empty store.
func LeaseCheck(t T, name string, s work.Leases) { runOne(t, leaseChecks, name, s) }

var leaseChecks = []check[work.Leases]{
	{"Leases/EnrollOnce", checkEnroll},
	{"Leases/KindsAndIDsApart", checkTasksApart},
	{"Leases/OldestDueFirst", checkOldestFirst},
	{"Leases/HeldIsPassedOver", checkHeld},
	{"Leases/TakenOver", checkTakenOver},
	{"Leases/TokenRises", checkToken},
	{"Leases/RenewHolds", checkRenew},
	{"Leases/StaleChangesNothing", checkStaleLease},
	{"Leases/ReleaseSaysWhen", checkRelease},
	{"Leases/RetireForgets", checkRetire},
	{"Leases/RingMakesDue", checkRing},
	{"Leases/RingWhileHeld", checkRingHeld},
	{"Leases/RestHolds", checkRest},
	{"Leases/OneHolder", checkOneHolder},
	{"Leases/BatchesExactlyOneGets", checkBatches},
}

type leases = bench[work.Leases]

// hour is longer than any check takes, so that no clock decides.
const hour = time.Hour

func step(id inbox.ID) work.Task { return work.Task{Kind: work.TaskStep, Inbox: id} }

func enroll(b *leases, ids ...inbox.ID) {
	b.Helper()
	ok(b, "enroll", b.s.Enroll(b.Context(), mapped(ids, step)...))
}

func claim(b *leases, owner string, n int, hold time.Duration) []work.Lease {
	b.Helper()
	got, err := b.s.Claim(b.Context(), work.TaskStep, owner, n, hold)
	ok(b, "claim", err)
	return got
}

// claimSome claims up to n tasks and must get that many.
func claimSome(b *leases, owner string, n, want int, hold time.Duration) []work.Lease {
	b.Helper()
	got := claim(b, owner, n, hold)
	if len(got) != want {
		b.Fatalf("claim by %q of up to %d: got %+v, want %d leases", owner, n, got, want)
	}
	return got
}

// claimOne claims a task that must be the only one due.
func claimOne(b *leases, owner string, id inbox.ID, hold time.Duration) work.Lease {
	b.Helper()
	got := claim(b, owner, 10, hold)
	if len(got) != 1 || got[0].Task != step(id) || got[0].Owner != owner {
		b.Fatalf("claim by %q: got %+v, want the one lease of %q", owner, got, id)
	}
	return got[0]
}

func wantNothing(b *leases, when string) {
	b.Helper()
	if got := claim(b, "nobody", 10, hour); len(got) > 0 {
		b.Errorf("claim %s: got %+v, want nothing", when, got)
	}
}

func release(b *leases, l work.Lease, next, rest time.Duration) {
	b.Helper()
	ok(b, "release", b.s.Release(b.Context(), l, next, rest))
}

func inboxesOf(all []work.Lease) []inbox.ID {
	return mapped(all, func(l work.Lease) inbox.ID { return l.Inbox })
}

func checkEnroll(b *leases) {
	wantNothing(b, "of an empty store")
	enroll(b, "in-1", "in-2", "in-1")
	got := claim(b, "ann", 10, hour)
	ids := inboxesOf(got)
	slices.Sort(ids)
	equal(b, "inboxes that are due when enrolled", ids, []inbox.ID{"in-1", "in-2"})
	for _, l := range got {
		if l.Rung || l.TakenOver || l.Token == 0 {
			b.Errorf("first lease of %q: got %+v, want a token, not rung, not taken over", l.Inbox, l)
		}
	}
	enroll(b, "in-1", "in-2")
	wantNothing(b, "after held tasks were enrolled again")
	for _, l := range got {
		release(b, l, hour, 0)
	}
	enroll(b, "in-1", "in-2")
	wantNothing(b, "after tasks that are due later were enrolled again")
	ok(b, "enroll nothing", b.s.Enroll(b.Context()))
}

func checkTasksApart(b *leases) {
	deliver := work.Task{Kind: work.TaskDeliver}
	ok(b, "enroll", b.s.Enroll(b.Context(), deliver, step("in-1"), step("IN-1"), step("in-1 ")))
	got, err := b.s.Claim(b.Context(), work.TaskDeliver, "ann", 10, hour)
	ok(b, "claim of another kind", err)
	if len(got) != 1 || got[0].Task != deliver {
		b.Fatalf("claim of another kind: got %+v, want the one that is enrolled", got)
	}
	ids := inboxesOf(claim(b, "ann", 10, hour))
	slices.Sort(ids)
	equal(b, "inboxes whose ids differ by case and space", ids, []inbox.ID{"IN-1", "in-1", "in-1 "})
	release(b, got[0], hour, 0)
	wantNothing(b, "after a release of another kind")
}

func checkOldestFirst(b *leases) {
	enroll(b, "a", "b", "c", "d")
	since := map[inbox.ID]time.Duration{"a": 2, "b": 4, "c": 1, "d": 3}
	for _, l := range claim(b, "ann", 10, hour) {
		release(b, l, -since[l.Inbox]*hour, -hour)
	}
	equal(b, "a claim of none", claim(b, "ann", 0, hour), []work.Lease(nil))
	first := claimSome(b, "ann", 3, 3, hour)
	equal(b, "those due longest", inboxesOf(first), []inbox.ID{"b", "d", "a"})
	release(b, first[0], -2*hour, -hour)
	equal(b, "those due longest, after one came back",
		inboxesOf(claim(b, "ann", 3, hour)), []inbox.ID{"b", "c"})
}

func checkHeld(b *leases) {
	enroll(b, "in-1")
	l := claimOne(b, "ann", "in-1", hour)
	wantNothing(b, "while another holds it")
	if got := claim(b, "ann", 10, hour); len(got) > 0 {
		b.Errorf("claim by its own holder: got %+v, want nothing", got)
	}
	release(b, l, 0, 0)
	claimOne(b, "bob", "in-1", hour)
}

func checkTakenOver(b *leases) {
	enroll(b, "in-1")
	dead := claimOne(b, "ann", "in-1", -hour)
	l := claimOne(b, "bob", "in-1", hour)
	if !l.TakenOver || l.Token <= dead.Token {
		b.Errorf("lease after one that ran out: got %+v, want it taken over and a token above %d", l, dead.Token)
	}
	wantNothing(b, "of what was taken over")
	release(b, l, 0, 0)
	if l = claimOne(b, "ann", "in-1", hour); l.TakenOver {
		b.Errorf("lease after one that was given back: got %+v, want it not taken over", l)
	}
}

func checkToken(b *leases) {
	last := uint64(0)
	for i := range 6 {
		enroll(b, "in-1")
		l := claimOne(b, "ann", "in-1", -hour)
		if l.Token <= last {
			b.Errorf("token of lease %d: got %d, want more than %d", i, l.Token, last)
		}
		last = l.Token
		switch i % 3 {
		case 0:
			release(b, l, 0, 0)
		case 1:
			ok(b, "retire", b.s.Retire(b.Context(), l))
		}
	}
}

func checkRenew(b *leases) {
	enroll(b, "a", "b", "c")
	mine := claimSome(b, "ann", 10, 3, -hour) // ran out at once
	kept, err := b.s.Renew(b.Context(), -2*hour, mine[2], mine[0], mine[1])
	ok(b, "renew", err)
	equal(b, "leases that ran out, renewed", kept, []work.Lease{mine[2], mine[0], mine[1]})
	theirs := claimSome(b, "bob", 1, 1, hour)
	kept, err = b.s.Renew(b.Context(), hour, mine...)
	ok(b, "renew", err)
	equal(b, "leases that are left after one was taken over", kept,
		slices.DeleteFunc(slices.Clone(mine), func(l work.Lease) bool { return l.Task == theirs[0].Task }))
	wantNothing(b, "of what was renewed")
	for _, l := range kept {
		release(b, l, hour, 0)
	}
	kept, err = b.s.Renew(b.Context(), hour, mine...)
	ok(b, "renew", err)
	equal(b, "leases that are left after all were given back", len(kept), 0)
}

func checkStaleLease(b *leases) {
	enroll(b, "in-1")
	stale := []work.Lease{claimOne(b, "ann", "in-1", -hour), claimOne(b, "bob", "in-1", -hour)}
	l := claimOne(b, "ann", "in-1", hour)
	other := l
	other.Owner = "bob"
	for _, old := range append(stale, other) {
		refused(b, "release of a lease that was lost", b.s.Release(b.Context(), old, 0, 0), storage.ErrConflict)
		refused(b, "retirement of a lease that was lost", b.s.Retire(b.Context(), old), storage.ErrConflict)
		kept, err := b.s.Renew(b.Context(), -hour, old)
		ok(b, "renew a lease that was lost", err)
		equal(b, "leases that were lost, renewed", len(kept), 0)
	}
	wantNothing(b, "after those who lost it wrote")
	release(b, l, hour, 0)
	refused(b, "a second release", b.s.Release(b.Context(), l, 0, 0), storage.ErrConflict)
	wantNothing(b, "after a second release")
	unknown := work.Lease{Task: step("in-2"), Owner: "ann", Token: 1}
	refused(b, "release of what is not known", b.s.Release(b.Context(), unknown, 0, 0), storage.ErrConflict)
}

func checkRelease(b *leases) {
	enroll(b, "in-1")
	release(b, claimOne(b, "ann", "in-1", hour), 0, 0)
	release(b, claimOne(b, "ann", "in-1", hour), -hour, hour)
	release(b, claimOne(b, "ann", "in-1", hour), hour, -hour)
	wantNothing(b, "before it is due")
}

func checkRetire(b *leases) {
	enroll(b, "in-1", "in-2")
	for _, l := range claim(b, "ann", 10, -hour) {
		if l.Inbox == "in-1" {
			ok(b, "retire", b.s.Retire(b.Context(), l))
		}
	}
	claimOne(b, "bob", "in-2", hour)
	enroll(b, "in-1")
	if l := claimOne(b, "bob", "in-1", hour); l.TakenOver || l.Rung {
		b.Errorf("lease of a task that came again: got %+v, want nothing left of the one before", l)
	}
}

func checkRing(b *leases) {
	enroll(b, "in-1", "in-2")
	for _, l := range claim(b, "ann", 10, hour) {
		release(b, l, hour, -hour)
	}
	ok(b, "ring", b.s.Ring(b.Context(), step("in-1"), step("in-1")))
	l := claimOne(b, "ann", "in-1", hour)
	if !l.Rung {
		b.Errorf("lease of what was rung for: got %+v, want it rung", l)
	}
	release(b, l, 0, -hour)
	if l = claimOne(b, "ann", "in-1", hour); l.Rung {
		b.Errorf("second lease of what was rung for: got %+v, want it not rung", l)
	}
	release(b, l, -2*hour, -hour)
	ok(b, "ring for what is due", b.s.Ring(b.Context(), step("in-1"), step("in-3")))
	equal(b, "what is due and what is rung for, unknown before", inboxesOf(claim(b, "ann", 10, hour)),
		[]inbox.ID{"in-1", "in-3"})
}

func checkRingHeld(b *leases) {
	enroll(b, "in-1")
	l := claimOne(b, "ann", "in-1", hour)
	ok(b, "ring", b.s.Ring(b.Context(), step("in-1")))
	wantNothing(b, "of what is held and rung for")
	release(b, l, hour, 0)
	if l = claimOne(b, "bob", "in-1", -hour); !l.Rung {
		b.Errorf("lease of what was rung for while it was held: got %+v, want it rung", l)
	}
	ok(b, "ring", b.s.Ring(b.Context(), step("in-1")))
	l = claimOne(b, "bob", "in-1", hour)
	if !l.Rung || !l.TakenOver {
		b.Errorf("lease of what was rung for while it was held and lost: got %+v, want it rung, taken over", l)
	}
	ok(b, "ring", b.s.Ring(b.Context(), step("in-1")))
	release(b, l, 0, hour)
	wantNothing(b, "before the rest is over")
}

func checkRest(b *leases) {
	enroll(b, "in-1", "in-2")
	for _, l := range claim(b, "ann", 10, hour) {
		release(b, l, 2*hour, hour)
	}
	ok(b, "ring", b.s.Ring(b.Context(), step("in-1")))
	wantNothing(b, "of what is rung for, before its rest is over")
	enroll(b, "in-3")
	release(b, claimOne(b, "ann", "in-3", hour), -hour, hour)
	ok(b, "ring", b.s.Ring(b.Context(), step("in-3")))
	claimOne(b, "ann", "in-3", hour) // it was due already
}

// leaseName is for the checks that many claim at once.
func leaseName(i int) inbox.ID { return inbox.ID(fmt.Sprintf("in-%03d", i)) }
