package gmail

import "github.com/workinbox/workinbox/provider/internal/gate"

// Quota is what a Cloud project may do with one account
// (https://developers.google.com/workspace/gmail/api/reference/quota). Which one a project has
// stands in its Cloud console under "Quotas". A limit of zero is no limit.
type Quota struct {
	PerMinute int // units a minute and user
	PerSecond int // units a second and user
	Burst     int // units to begin with; zero is PerMinute
	InFlight  int // calls in flight at first; zero is 8
	MaxFlight int // calls in flight at most; zero is InFlight
	// Interactive is the part of units and calls that imports leave to opening and sending.
	Interactive float64
	Prices      Prices // the zero Prices are those of NewProject()
}

// Prices are units a call.
type Prices struct {
	List, Get, Threads, History, Profile, Settings, Send, Watch, Stop int
}

// NewProject is the quota of projects since 1 May 2026.
func NewProject() Quota {
	return Quota{
		PerMinute: 6_000, PerSecond: 250, InFlight: 8, MaxFlight: 20, Interactive: 0.1,
		Prices: Prices{List: 5, Get: 20, Threads: 40, History: 2, Profile: 1, Settings: 1, Send: 100, Watch: 100, Stop: 50},
	}
}

// LegacyProject is the quota of projects that used the API between November 2025 and April 2026.
func LegacyProject() Quota {
	return Quota{
		PerMinute: 15_000, PerSecond: 250, InFlight: 8, MaxFlight: 20, Interactive: 0.1,
		Prices: Prices{List: 5, Get: 5, Threads: 10, History: 2, Profile: 1, Settings: 1, Send: 100, Watch: 100, Stop: 50},
	}
}

// Share is the quota of a process that opens and sends beside the one that syncs: a part of the
// units, 0 to 1, and that many calls in flight. The one that syncs has the Rest of the same part.
// Gates know nothing of each other across processes; without a share both would spend the whole.
func (q Quota) Share(part float64, inFlight int) Quota {
	return q.filled().with(q.filled().gate(nil).Share(part, inFlight))
}

// Rest is the quota of the process that leaves a Share of the same part and calls to others.
func (q Quota) Rest(part float64, inFlight int) Quota {
	return q.filled().with(q.filled().gate(nil).Rest(part, inFlight))
}

// with takes limits over from a gate.
func (q Quota) with(c gate.Config) Quota {
	q.PerMinute, q.PerSecond, q.Burst = c.PerMinute, c.PerSecond, c.Burst
	q.InFlight, q.MaxFlight, q.Interactive = c.Slots, c.MaxSlots, c.Reserve
	return q
}

// check names what cannot work.
func (q Quota) check() []string {
	var bad []string
	if min(q.PerMinute, q.PerSecond, q.Burst, q.InFlight, q.MaxFlight) < 0 {
		bad = append(bad, "Quota has a negative limit")
	}
	if !(q.Interactive >= 0 && q.Interactive < 1) {
		bad = append(bad, "Quota.Interactive is not 0 to 1")
	}
	p := q.Prices
	if min(p.List, p.Get, p.Threads, p.History, p.Profile, p.Settings, p.Send, p.Watch, p.Stop) < 0 {
		bad = append(bad, "Quota.Prices has a negative price")
	}
	return bad
}

// filled puts the defaults in.
func (q Quota) filled() Quota {
	if q == (Quota{}) {
		return NewProject()
	}
	if q.InFlight == 0 {
		q.InFlight = NewProject().InFlight
	}
	q.MaxFlight = max(q.MaxFlight, q.InFlight)
	if q.Prices == (Prices{}) {
		q.Prices = NewProject().Prices
	}
	return q
}

// gate are the limits of one account.
func (q Quota) gate(project *gate.Project) gate.Config {
	c := gate.Config{
		PerMinute: q.PerMinute, PerSecond: q.PerSecond, Burst: q.Burst,
		Slots: q.InFlight, MaxSlots: q.MaxFlight, Reserve: q.Interactive, Project: project,
	}
	// With a single call in flight there is none to leave.
	if q.Interactive > 0 && q.InFlight > 1 {
		c.ReserveSlots = 1
	}
	return c
}
