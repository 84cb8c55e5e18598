package outlook

import (
	"time"

	"github.com/workinbox/workinbox/provider/internal/gate"
)

// Quota is what Graph allows one application in one mailbox
// (https://learn.microsoft.com/graph/throttling-limits#outlook-service-limits). Every call costs one
// unit. A limit of zero is no limit.
type Quota struct {
	Calls    int           // calls in any Window
	Window   time.Duration // zero is 10 minutes
	InFlight int           // calls in flight; zero is 4
	// Interactive is the part of Calls that imports leave to opening and sending.
	Interactive float64
}

// Documented is the published quota: 10,000 calls in 10 minutes, 4 at once. Whether the window is
// fixed or slides is not said; no stretch of 10 minutes has more. What most imports need goes out as
// fast as Graph answers, instead of at the 16.7 a second that a long one comes to. Of a window 300
// calls are left to people: a reply costs four.
func Documented() Quota {
	return Quota{Calls: 10_000, Window: 10 * time.Minute, InFlight: 4, Interactive: 0.03}
}

// Share is the quota of a process that opens and sends beside the one that syncs: a part of the
// calls, 0 to 1, and that many in flight. The one that syncs has the Rest of the same part. Gates
// know nothing of each other across processes; without a share both would spend the whole.
func (q Quota) Share(part float64, inFlight int) Quota {
	return q.with(q.filled().gate().Share(part, inFlight))
}

// Rest is the quota of the process that leaves a Share of the same part and calls to others.
func (q Quota) Rest(part float64, inFlight int) Quota {
	return q.with(q.filled().gate().Rest(part, inFlight))
}

func (q Quota) with(c gate.Config) Quota {
	return Quota{Calls: c.PerSpan, Window: c.Span, InFlight: c.Slots, Interactive: c.Reserve}
}

// check names what cannot work.
func (q Quota) check() []string {
	var bad []string
	if min(q.Calls, q.InFlight) < 0 || q.Window < 0 {
		bad = append(bad, "Quota has a negative limit")
	}
	if !(q.Interactive >= 0 && q.Interactive < 1) {
		bad = append(bad, "Quota.Interactive is not 0 to 1")
	}
	return bad
}

// filled puts the defaults in.
func (q Quota) filled() Quota {
	if q == (Quota{}) {
		return Documented()
	}
	if q.Window == 0 {
		q.Window = Documented().Window
	}
	if q.InFlight == 0 {
		q.InFlight = Documented().InFlight
	}
	return q
}

// gate are the limits of one account. No place in flight is left to Interactive: it is next in any
// case, and of four places one would be a quarter of an import.
func (q Quota) gate() gate.Config {
	return gate.Config{
		PerSpan: q.Calls, Span: q.Window, Slots: q.InFlight, MaxSlots: q.InFlight, Reserve: q.Interactive,
	}
}
