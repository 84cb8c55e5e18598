package outlook

import "github.com/workinbox/workinbox/provider/internal/gate"

// Quota is what Graph allows one application in one mailbox
// (https://learn.microsoft.com/graph/throttling-limits#outlook-service-limits). Every call costs one
// unit. A limit of zero is no limit.
type Quota struct {
	PerMinute int // calls a minute, steadily
	Burst     int // calls to begin with; zero is PerMinute
	InFlight  int // calls in flight; zero is 4
	// Interactive is the part of Burst that imports leave to opening and sending.
	Interactive float64
}

// Documented is the published quota: 10,000 calls in 10 minutes, 4 at once. The window is fixed, so
// that Burst and ten minutes of PerMinute together stay below it.
func Documented() Quota {
	return Quota{PerMinute: 960, Burst: 400, InFlight: 4, Interactive: 0.1}
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
	return Quota{PerMinute: c.PerMinute, Burst: c.Burst, InFlight: c.Slots, Interactive: c.Reserve}
}

// check names what cannot work.
func (q Quota) check() []string {
	var bad []string
	if min(q.PerMinute, q.Burst, q.InFlight) < 0 {
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
	if q.InFlight == 0 {
		q.InFlight = Documented().InFlight
	}
	return q
}

// gate are the limits of one account. No place in flight is left to Interactive: it is next in any
// case, and of four places one would be a quarter of an import.
func (q Quota) gate() gate.Config {
	return gate.Config{
		PerMinute: q.PerMinute, Burst: q.Burst, Slots: q.InFlight, MaxSlots: q.InFlight, Reserve: q.Interactive,
	}
}
