package filter

import "slices"

// Widens says whether r may let in, or show to more people, anything that the rules from would not:
// then the change is the creator's to make or to be told about (row 23 of the permissions), and it
// holds for future mail only (R-CHG-06). It is true when in doubt: false is a promise, true is not.
func (r Rules) Widens(from Rules) bool {
	r, from = r.Normalize(), from.Normalize()
	switch {
	case r.Mode == All && from.Mode != All,
		from.guard() && !r.guard(),
		r.PreferReplyTo != from.PreferReplyTo,
		r.OutboundOpensTicket.or(true) && !from.OutboundOpensTicket.or(true),
		r.GroupsCount.or(true) && !from.GroupsCount.or(true),
		len(from.Exclude) > 0 && r.Scope.rank() < from.Scope.rank():
		return true
	}
	for class := range from.Classes {
		// Even from accept_private to reject: what a client sent then enters for everybody.
		if was := from.policy(class); was != PolicyAccept && was != r.policy(class) {
			return true
		}
	}
	for _, d := range r.AllowPublic {
		if !slices.Contains(from.AllowPublic, d) {
			return true
		}
	}
	return slices.ContainsFunc(from.Exclude, func(e Exclusion) bool {
		return !r.excludes(e, from.ExactExclude)
	})
}

// excludes says whether the rules exclude all that e excludes under rules with that ExactExclude.
func (r *Rules) excludes(e Exclusion, exactOnly bool) bool {
	host, _ := AddressDomain(e.Address)
	return slices.ContainsFunc(r.Exclude, func(own Exclusion) bool {
		switch p := own.Pattern.asExcluded(r.ExactExclude); {
		case own.Address != "":
			return own.Address == e.Address
		case e.Address != "":
			return p.Matches(host)
		default:
			return p.covers(e.Pattern.asExcluded(exactOnly))
		}
	})
}
