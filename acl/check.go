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
//  6. The cell: allowed when it is in any of the columns (R-ACL-09), by itself or because its
//     condition holds. The part-time quota is such a condition (c6).
//  7. The rules beside the matrix: nobody changes the creator's grant or their own (R-INB-10,
//     R-ACL-11), a pause is ended by who made it (row 27), only a deleted ticket is purged.
//  8. The ticket: deleted, archived, locked (R-ACL-10).
//  9. The thread: private, or shared below the full level (11.2, 11.3).
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
func Check(a Actor, in *Inbox, action Action, f *Facts) Decision {
	if f == nil {
		f = &noFacts
	}
	return check(&a, in, action, f)
}

func check(a *Actor, in *Inbox, action Action, f *Facts) Decision {
	site := action == CreateInbox || in == nil && action == EraseCustomer
	if why := a.unable(); why != "" {
		return Decision{Action: action, Reason: why, Hidden: !site}
	}
	if in != nil && in.Site != a.Site {
		return Decision{Action: action, Reason: ReasonOtherSite, Hidden: true}
	}
	if site {
		return checkSite(a, in, action)
	}
	s := standingOf(a, in)
	if s.none() {
		return Decision{
			Action: action, Reason: ReasonNoAccess, Needed: NeedAccess, Hidden: true,
		}
	}
	if !action.known() {
		return Decision{Action: action, Reason: ReasonUnknownAction}
	}
	d := cellOf(a, in, action, f, &s)
	if !d.Allowed {
		return d
	}
	if why := beside(a, in, action, f, &s); why != "" {
		return Decision{Action: action, Reason: why}
	}
	if why := f.Ticket.limits(action); why != "" {
		return Decision{Action: action, Reason: why}
	}
	if f.Private || f.BelowFull {
		return checkThread(a, action, f, &s, d)
	}
	return d
}

// checkSite decides what needs no standing in an inbox.
func checkSite(a *Actor, in *Inbox, action Action) Decision {
	switch {
	case action == EraseCustomer && a.Role == Owner:
		return Decision{Action: action, Allowed: true, Via: ViaOwner}
	case action == EraseCustomer:
		return Decision{Action: action, Reason: ReasonOwnerOnly, Needed: NeedOwner}
	case in == nil || in.Kind != Team:
		return Decision{Action: action, Allowed: true, Via: ViaSite}
	case a.Role == Agent:
		return Decision{Action: action, Reason: ReasonNeedsSiteAdmin, Needed: NeedSiteAdmin}
	}
	return Decision{Action: action, Allowed: true, Via: viaRole(a)}
}

// standing is the column each source of rights puts the actor in: being the creator, the role on
// the site, the grant.
type standing [3]column

func standingOf(a *Actor, in *Inbox) (s standing) {
	if in == nil {
		return s
	}
	team := in.Kind == Team
	if g, ok := in.Grants.Of(a.User); ok {
		s[2] = g.column(team)
	}
	switch {
	case team && a.Role == Owner:
		s[1] = teamOwner
	case team && a.Role == Admin:
		s[1] = teamSiteAdmin
	case a.Role == Owner:
		s[1] = owner
		if a.Policy.OwnerImplicitAccess == ReadAndReply || s.in(replying) {
			s[1] = ownerReply
		}
	}
	if !team && in.Creator == a.User {
		s[0] = creator
	}
	return s
}

func (s *standing) none() bool { return *s == standing{} }

// in reports whether any source stands in one of the columns.
func (s *standing) in(cols uint) bool {
	return (1<<s[0]|1<<s[1]|1<<s[2])&cols != 0
}

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

// cellOf looks the action up in the columns of the standing. When all refuse, a condition that
// failed says more than a cell that is plainly no.
func cellOf(a *Actor, in *Inbox, action Action, f *Facts, s *standing) Decision {
	row := &matrix[action]
	failed := Reason("")
	for i, col := range s {
		c := row[col]
		if c == no {
			continue
		}
		why := Reason("")
		if c > totals {
			why = failing(c, a, in, action, f, s)
		}
		if why == "" {
			return Decision{
				Action: action, Allowed: true, Via: via(i, a), TotalsOnly: c == totals,
			}
		}
		if failed == "" {
			failed = why
		}
	}
	if failed == "" {
		why, need := lacking(row, in, s)
		return Decision{Action: action, Reason: why, Needed: need}
	}
	return Decision{Action: action, Reason: failed, Hidden: failed == ReasonOtherHidden}
}

// lacking says what would have opened the row to somebody who already sees the inbox: the least
// that does.
func lacking(row *[columns]cell, in *Inbox, s *standing) (Reason, Need) {
	switch {
	case in.Kind == Team && row[teamInboxAdmin] != no:
		return ReasonNeedsInboxAdmin, NeedInboxAdmin
	case in.Kind == Team && row[teamSiteAdmin] != no:
		return ReasonNeedsSiteAdmin, NeedSiteAdmin
	case in.Kind == Team || row[creator] == no:
		return ReasonOwnerOnly, NeedOwner
	case row[adminReply] == no:
		return ReasonCreatorOnly, NeedCreator
	case row[replyOnly] == no && !s.in(managing):
		return ReasonNeedsInboxAdmin, NeedInboxAdmin
	}
	return ReasonNeedsReply, NeedReply
}
