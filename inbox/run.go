package inbox

import (
	"fmt"
	"maps"
	"time"

	"github.com/workinbox/workinbox/filter"
)

// Run is the ledger of one sync: what was looked at and what became of it. It holds counts and
// codes only.
type Run struct {
	ID      string    `json:"id"`
	Inbox   ID        `json:"inbox"`
	Kind    RunKind   `json:"kind"`
	Started time.Time `json:"started"`
	Ended   time.Time `json:"ended"` // zero while it runs, or when it was cut off

	Listed   int `json:"listed"`  // headers the provider yielded
	Retried  int `json:"retried"` // items taken from the retry queue
	Stored   int `json:"stored"`
	Known    int `json:"known"` // seen before
	Gone     int `json:"gone"`  // not there any more, in the provider's own word
	Queued   int `json:"queued"`
	Poisoned int `json:"poisoned"`

	Rejected map[filter.Reason]int `json:"rejected,omitempty"`

	Unreadable int    `json:"unreadable"` // of the stored ones: kept raw, flagged
	Copies     int    `json:"copies"`     // of the stored ones: a second copy of the same mail
	Changed    int    `json:"changed"`    // of the known ones: read, moved, removed
	Bytes      int64  `json:"bytes"`      // raw bytes stored
	Error      string `json:"error,omitempty"`
}

// RunKind says why a sync ran.
type RunKind string

// The kinds of run.
const (
	RunSync     RunKind = "sync"
	RunBackfill RunKind = "backfill"
	RunPreview  RunKind = "preview"
)

// RejectedTotal is the sum over all reasons.
func (r *Run) RejectedTotal() int {
	n := 0
	for _, c := range r.Rejected {
		n += c
	}
	return n
}

// Balance returns nil when every mail looked at is accounted for:
// listed + retried = stored + known + rejected + gone + queued + poisoned.
func (r *Run) Balance() error {
	in := r.Listed + r.Retried
	out := r.Stored + r.Known + r.RejectedTotal() + r.Gone + r.Queued + r.Poisoned
	if in == out {
		return nil
	}
	return fmt.Errorf("run %q of inbox %q does not balance: %d listed + %d retried, but %d accounted for",
		r.ID, r.Inbox, r.Listed, r.Retried, out)
}

func (r Run) clone() Run {
	r.Rejected = maps.Clone(r.Rejected)
	return r
}

// plus returns the run with what a step adds to it.
func (r Run) plus(d *Run) Run {
	r = r.clone()
	r.Listed += d.Listed
	r.Retried += d.Retried
	r.Stored += d.Stored
	r.Known += d.Known
	r.Gone += d.Gone
	r.Queued += d.Queued
	r.Poisoned += d.Poisoned
	r.Unreadable += d.Unreadable
	r.Copies += d.Copies
	r.Changed += d.Changed
	r.Bytes += d.Bytes
	for reason, n := range d.Rejected {
		if r.Rejected == nil {
			r.Rejected = make(map[filter.Reason]int)
		}
		r.Rejected[reason] += n
	}
	return r
}

func (r *Run) reject(reason filter.Reason) {
	if r.Rejected == nil {
		r.Rejected = make(map[filter.Reason]int)
	}
	r.Rejected[reason]++
}
