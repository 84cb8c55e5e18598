// Package acl decides who may do what in a shared inbox. It is a pure function from a person, the
// facts of an inbox and an action to a decision that says why: no I/O, no error, no clock, nothing
// stored. Refusal is the default, and an action it does not know is refused. All of it may be used
// concurrently as long as nobody changes what was passed in.
//
// Check decides in this order, and the first step that refuses gives the reason:
//
//  1. The person: active, with a role of the site (R-ROL-01, R-ROL-05, R-ROL-07).
//  2. The site: an inbox of another site is hidden.
//  3. CreateInbox, and EraseCustomer without an inbox, ask for nothing but the role.
//  4. The standing: creator, the role's automatic access, grant, each a column of the matrix.
//     Without any the inbox is hidden (R-ACL-04, R-ACL-07).
//  5. The action: an unknown one is refused.
//  6. A private thread is hidden from all but the creator and the site owner (11.3). It comes this
//     early so that no other reason tells of it.
//  7. The cell: allowed when it is in any of the columns (R-ACL-09), by itself or because its
//     condition holds. The part-time quota is such a condition (c6).
//  8. The rules beside the matrix: nobody changes the creator's grant or their own (R-INB-10,
//     R-ACL-11), a pause is ended by who made it (row 27), only a deleted ticket is purged.
//  9. The ticket: deleted, archived, locked (R-ACL-10).
//  10. The thread: what is left of a private one to the site owner, and what needs the full level
//     (11.2, 11.3).
//
// The matrix is testdata/matrix.txt for individual inboxes and testdata/team.txt for team inboxes;
// the tests hold Check to every cell of them.
package acl

// noFacts stands for nil. Nobody writes to it.
var noFacts Facts

// Check decides whether the actor may do the action in the inbox, given the facts; nil facts are
// zero facts. A nil inbox is for CreateInbox and EraseCustomer, every other action answers it as an
// inbox the actor cannot see. Check is total: it never panics and has no error. It allocates
// nothing.
func Check(a Actor, in *Inbox, action Action, f *Facts) (d Decision) {
	if f == nil {
		f = &noFacts
	}
	d.Action = action
	d.decide(&a, in, f)
	return
}

// may is Check for those who only ask whether.
func may(a *Actor, in *Inbox, action Action, f *Facts) bool {
	d := Decision{Action: action}
	d.decide(a, in, f)
	return d.Allowed
}

// decide fills in a decision that holds nothing but its action. It works in place because handing
// decisions from step to step was a third of the time of a check.
func (d *Decision) decide(a *Actor, in *Inbox, f *Facts) {
	site := d.Action == CreateInbox || in == nil && d.Action == EraseCustomer
	if why := a.unable(); why != "" {
		d.refuse(why, !site)
		return
	}
	if in != nil && in.Site != a.Site {
		d.refuse(ReasonOtherSite, true)
		return
	}
	if site {
		d.decideOnSite(a, in)
		return
	}
	s := standingOf(a, in)
	if s.none() {
		d.refuse(ReasonNoAccess, true)
		return
	}
	if !d.Action.known() {
		d.refuse(ReasonUnknownAction, false)
		return
	}
	if f.Private && a.Role != Owner && s.own == nothing && onThread.has(d.Action) {
		d.refuse(ReasonPrivate, true)
		return
	}
	d.decideByCell(a, in, f, s)
	if !d.Allowed {
		return
	}
	if why := beside(a, in, d.Action, f, s); why != "" {
		d.refuse(why, false)
		return
	}
	if why := f.Ticket.limits(d.Action); why != "" {
		d.refuse(why, false)
		return
	}
	if why := f.limits(d.Action, s); why != "" {
		d.refuse(why, false)
	}
}

func (d *Decision) allow(via Source) { d.Allowed, d.Via = true, via }

// refuse takes back what a step before has allowed.
func (d *Decision) refuse(why Reason, hidden bool) {
	d.Allowed, d.TotalsOnly, d.Via = false, false, ""
	d.Reason, d.Hidden = why, hidden
}

// decideOnSite decides what needs no standing in an inbox.
func (d *Decision) decideOnSite(a *Actor, in *Inbox) {
	switch {
	case d.Action == EraseCustomer && a.Role == Owner:
		d.allow(ViaOwner)
	case d.Action == EraseCustomer:
		d.refuse(ReasonOwnerOnly, false)
	case in == nil || in.Kind != Team:
		d.allow(ViaSite)
	case a.Role == Agent:
		d.refuse(ReasonNeedsSiteAdmin, false)
	default:
		d.allow(viaRole(a))
	}
}

// standing is the column each source of rights puts the actor in.
type standing struct {
	own, role, grant column // being the creator, the role on the site, the grant
}

func standingOf(a *Actor, in *Inbox) (s standing) {
	if in == nil {
		return s
	}
	team := in.Kind == Team
	if g := in.Grants.of(a.User); g != nil {
		s.grant = g.column(team)
	}
	switch {
	case a.Role == Agent:
	case team && a.Role == Owner:
		s.role = teamOwner
	case team:
		s.role = teamSiteAdmin
	case a.Role == Owner:
		s.role = owner
		if a.Policy.OwnerImplicitAccess == ReadAndReply || s.in(replying) {
			s.role = ownerReply
		}
	}
	if !team && in.Creator != "" && in.Creator.is(a.User) {
		s.own = creator
	}
	return s
}

func (s standing) none() bool { return s.own|s.role|s.grant == nothing }

// in reports whether any source stands in one of the columns.
func (s standing) in(cols uint) bool { return (1<<s.own|1<<s.role|1<<s.grant)&cols != 0 }

// via names the i-th source.
func via(i int, a *Actor) Source {
	switch i {
	case 0:
		return ViaCreator
	case 1:
		return viaRole(a)
	}
	return ViaGrant
}

func viaRole(a *Actor) Source {
	if a.Role == Owner {
		return ViaOwner
	}
	return ViaSiteAdmin
}

// decideByCell looks the action up in the columns of the standing. When all refuse, a condition
// that failed says more than a cell that is plainly no.
func (d *Decision) decideByCell(a *Actor, in *Inbox, f *Facts, s standing) {
	row := &matrix[d.Action]
	failed := Reason("")
	for i, col := range [...]column{s.own, s.role, s.grant} {
		c := row[col]
		if c == no {
			continue
		}
		why := Reason("")
		if c > totals {
			why = failing(c, a, in, d.Action, f, s)
		}
		if why == "" {
			d.TotalsOnly = c == totals
			d.allow(via(i, a))
			return
		}
		if failed == "" {
			failed = why
		}
	}
	if failed == "" {
		failed = lacking(row, in, s)
	}
	d.refuse(failed, failed == ReasonOtherHidden)
}

// lacking says what would have opened the row to somebody who already sees the inbox: the least
// that does.
func lacking(row *[columns]cell, in *Inbox, s standing) Reason {
	switch {
	case in.Kind == Team && row[teamInboxAdmin] != no:
		return ReasonNeedsInboxAdmin
	case in.Kind == Team && row[teamSiteAdmin] != no:
		return ReasonNeedsSiteAdmin
	case in.Kind == Team || row[creator] == no:
		return ReasonOwnerOnly
	case row[adminReply] == no:
		return ReasonCreatorOnly
	case row[replyOnly] == no && !s.in(managing):
		return ReasonNeedsInboxAdmin
	}
	return ReasonNeedsReply
}
