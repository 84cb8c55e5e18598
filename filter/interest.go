package filter

import "slices"

// Interest returns whose mail the filter may accept, for a mail service that can search: domains
// ("acme.com" for exactly that one, "*.acme.com" for what is below it) and addresses, sorted by
// bytes, none of them contained in another. Every message that Decide accepts has one of them in
// From, To or Cc, except delivery reports and automatic replies in a known thread: a narrowed walk
// asks for those beside the list. Excluded and internal ones are left out. It is false when
// everything is of interest: in mode All, and with PreferReplyTo, which no search can follow.
//
// It follows the newest revision, whose consent every message needs, and the directory as a whole.
func (f *Filter) Interest() ([]string, bool) {
	r := &f.rulings[len(f.rulings)-1]
	if r.rules.Mode == All || r.rules.PreferReplyTo {
		return nil, false
	}
	domains := f.interestingDomains(r)
	out := []string{}
	for name, kinds := range domains.kinds {
		if domains.namesAbove(hostAddress(Domain{name})) {
			continue
		}
		if kinds.has(below) {
			out = append(out, kindPrefix[below]+name)
		}
		if kinds.has(exact) {
			out = append(out, name)
		}
	}
	var a address
	for key, i := range f.dir.people {
		p := &f.dir.persons[i]
		if p.company == "" || p.internal || (p.group && !r.groups) {
			continue
		}
		a.read(key)
		if !slices.Contains(f.own, key) && !r.blocked.has(&a) && !domains.names(&a) && !f.dir.look(&a, 0).internal {
			out = append(out, key)
		}
	}
	slices.Sort(out)
	return out, true
}

// interestingDomains collects the exact domains and the wildcards of companies that count.
func (f *Filter) interestingDomains(r *ruling) *patternTable {
	t := &patternTable{}
	for name, node := range f.dir.domains {
		for _, kind := range [...]patternKind{exact, below, whole} {
			c := f.dir.claimOf(&node, kind)
			if c == nil || (c.group && !r.groups) {
				continue
			}
			if c.forced && !r.allows(hostAddress(Domain{name}), 0) {
				continue
			}
			for _, p := range (Pattern{kind, Domain{name}}).parts() {
				if !f.barred(r, p) {
					t.add(p)
				}
			}
		}
	}
	t.seal()
	return t
}

// parts splits a pattern into those that a search understands.
func (p Pattern) parts() []Pattern {
	if p.kind == whole {
		return []Pattern{{exact, p.base}, {below, p.base}}
	}
	return []Pattern{p}
}

// barred says whether nobody a pattern names can be a client: all are excluded, or it is one domain
// and that is internal.
func (f *Filter) barred(r *ruling, p Pattern) bool {
	base := hostAddress(p.base)
	if p.kind == exact {
		return f.dir.look(base, 0).internal || r.blocked.names(base)
	}
	return r.blocked.namesBelow(base)
}
