package filter_test

import (
	"slices"
	"time"

	"github.com/workinbox/workinbox/filter"
)

// reference decides as the rules are written, slowly and from lists: it shares nothing with the filter
// but the reading of addresses and patterns.
type reference struct {
	data            filter.DirectoryData
	own             []string
	revs            []filter.Revision // by version
	floor, baseline time.Time
	backfill        bool
}

// outcome is the part of a verdict that the reference gives.
type outcome struct {
	Accept, Needs, Private, Opens, Client, Forged bool
	Reason                                        filter.Reason
	Direction                                     filter.Direction
	Customer                                      filter.CustomerID
	Company                                       filter.CompanyID
}

func outcomeOf(v filter.Verdict) outcome {
	return outcome{v.Accept, v.NeedsReport, v.Private, v.Opens, v.ClientPresent, v.ForgedSelf,
		v.Reason, v.Direction, v.Customer, v.Company}
}

// decide asks every revision that was in force at any time since the message came. found is nil while
// its report is unread.
func (f reference) decide(m filter.Facts, t filter.Thread, found *bool) outcome {
	last := len(f.revs) - 1
	first := last
	for !f.backfill && first > 0 && f.revs[first].At.After(f.moment(m)) {
		first--
	}
	all := make([]outcome, 0, len(f.revs))
	for i := last; i >= first; i-- {
		all = append(all, refCase{f, f.revs[i].Rules.Normalize(), m, t, found}.decide())
	}
	sum := all[0]
	for _, one := range all {
		if !one.Accept && !one.Needs {
			one.Client = all[0].Client
			return one
		}
		sum.Needs = sum.Needs || one.Needs
		sum.Private = sum.Private || one.Private
		sum.Opens = sum.Opens && one.Opens
	}
	if sum.Needs {
		return outcome{Needs: true, Reason: filter.Report, Client: sum.Client, Direction: sum.Direction}
	}
	return sum
}

func (f reference) moment(m filter.Facts) time.Time {
	if m.Received.Before(f.baseline) {
		return f.baseline
	}
	return m.Received
}

// refCase is one message under one revision.
type refCase struct {
	reference
	rules  filter.Rules
	m      filter.Facts
	thread filter.Thread
	found  *bool
}

func (c refCase) decide() outcome {
	out := outcome{Direction: filter.Inbound, Forged: c.forged(), Client: c.clientOn(c.fromToCc())}
	if c.outbound() {
		out.Direction = filter.Outbound
	}
	row, who := c.match()
	opens := row > 0 && !c.m.CalendarReply && c.mayOpen()
	known := !c.forged() && !c.thread.Opened.IsZero() && !c.thread.Opened.After(c.m.Received) &&
		(out.Client || c.m.Class == filter.AutoReply)
	policy := c.policy()
	switch {
	case c.m.Folder != "":
		out.Reason = filter.SkippedFolder
	case c.m.Received.Before(c.floor):
		out.Reason = filter.OutsideWindow
	case c.sender() == "":
		out.Reason = filter.NoSender
	case c.erased():
		out.Reason = filter.Erased
	case c.excluded():
		out.Reason = filter.Excluded
	case c.guard() && c.allInternal():
		out.Reason = filter.InternalOnly
	case policy == filter.PolicyReject && !known && !opens:
		out.Reason = filter.Automated
	case c.rules.Mode == filter.All:
		out.Accept, out.Reason = true, filter.ModeAll
	case c.forged():
		out.Reason = filter.NotClientAssociated
	case known:
		out.Accept, out.Reason = true, filter.KnownThread
	case c.m.Report && c.mayOpen() && c.found == nil:
		out.Needs, out.Reason = true, filter.Report
	case c.m.Report && c.mayOpen() && *c.found:
		out.Accept, out.Reason = true, filter.Report
	case opens && row == 11:
		out.Accept, out.Reason = true, filter.CustomerCompany
	case opens && row == 12:
		out.Accept, out.Reason = true, filter.CompanyDomain
	default:
		out.Reason = filter.NotClientAssociated
	}
	if out.Accept || out.Needs {
		out.Client = out.Client || row > 0
	}
	if out.Accept {
		out.Opens, out.Private = opens, policy == filter.PolicyAcceptPrivate
		out.Customer, out.Company = c.credit(row, who)
	}
	return out
}

func (c refCase) guard() bool {
	return c.rules.InternalGuard == filter.On ||
		c.rules.InternalGuard == "" && c.rules.Mode == filter.ClientAssociated
}

func (c refCase) policy() filter.ClassPolicy {
	on := c.rules.Automated == filter.On ||
		c.rules.Automated == "" && c.rules.Mode == filter.ClientAssociated
	if p, ok := c.rules.Classes[c.m.Class]; ok && on {
		return p
	}
	return filter.PolicyAccept
}

func (c refCase) mayOpen() bool {
	return !c.outbound() || c.rules.OutboundOpensTicket != filter.Off
}

func (c refCase) isOwn(addr string) bool {
	return slices.ContainsFunc(c.own, func(own string) bool {
		return filter.AddressKey(own) == filter.AddressKey(addr)
	})
}

func (c refCase) fromOwn() bool  { return slices.ContainsFunc(c.m.From, c.isOwn) }
func (c refCase) outbound() bool { return c.fromOwn() && c.m.SentMark != filter.NotSent }
func (c refCase) forged() bool   { return c.fromOwn() && c.m.SentMark == filter.NotSent }

// sender is the address in From that stands for the message.
func (c refCase) sender() string {
	from := usable(c.m.From)
	if len(from) == 0 {
		return ""
	}
	if sender := usable([]string{c.m.Sender}); len(c.m.From) > 1 && len(sender) > 0 {
		return sender[0]
	}
	return from[0]
}

// counterparty of an inbound message.
func (c refCase) counterparty() string {
	if c.rules.PreferReplyTo && !c.fromOwn() {
		for _, addr := range usable(c.m.ReplyTo) {
			if !c.internal(addr) {
				return addr
			}
		}
	}
	return c.sender()
}

func (c refCase) fromToCc() []string {
	return slices.Concat(c.m.From, []string{c.sender(), c.counterparty()}, c.m.To, c.m.Cc)
}

func (c refCase) internal(addr string) bool {
	key := filter.AddressKey(addr)
	if c.isOwn(addr) || slices.ContainsFunc(c.data.InternalAddresses, func(s string) bool {
		return filter.AddressKey(s) == key
	}) {
		return true
	}
	d, ok := filter.AddressDomain(addr)
	if !ok || filter.IsPublicProvider(d) {
		return false
	}
	companys := slices.ContainsFunc(c.data.Domains, func(e filter.DomainEntry) bool {
		return e.Pattern.Matches(d)
	})
	return slices.Contains(c.data.Internal, d) || slices.Contains(c.data.Logins, d) && !companys
}

func (c refCase) erased() bool {
	if c.outbound() {
		return false
	}
	return c.data.Erased(filter.AddressKey(c.sender())) ||
		c.data.Erased(filter.AddressKey(c.counterparty()))
}

func (c refCase) isExcluded(addr string) bool {
	return slices.ContainsFunc(c.rules.Exclude, func(e filter.Exclusion) bool {
		if e.Address != "" {
			return e.Address == filter.AddressKey(addr)
		}
		d, ok := filter.AddressDomain(addr)
		if !ok || e.Pattern.Matches(d) {
			return ok
		}
		var sub filter.Pattern
		plain := e.Pattern.String() == e.Pattern.Base().String()
		return plain && !c.rules.ExactExclude &&
			sub.UnmarshalText([]byte("*."+e.Pattern.String())) == nil && sub.Matches(d)
	})
}

func (c refCase) excluded() bool {
	recipients := slices.Concat(c.m.To, c.m.Cc, c.m.Bcc)
	everybody := slices.Concat(c.m.From, []string{c.m.Sender}, recipients)
	switch {
	case c.outbound() && c.allExcluded(recipients):
		return true
	case !c.outbound() && slices.ContainsFunc(
		slices.Concat(c.m.From, []string{c.m.Sender, c.counterparty()}), c.isExcluded):
		return true
	case c.rules.Scope == filter.AllCounterparties:
		return c.allExcluded(everybody)
	case c.rules.Scope == filter.AnyParticipant:
		return slices.ContainsFunc(everybody, func(s string) bool { return !c.isOwn(s) && c.isExcluded(s) })
	}
	return false
}

// allExcluded looks at the external ones, or if there are none at the others but the mailbox.
func (c refCase) allExcluded(addrs []string) bool {
	var external, others []string
	for _, addr := range usable(addrs) {
		if !c.internal(addr) {
			external = append(external, addr)
		} else if !c.isOwn(addr) {
			others = append(others, addr)
		}
	}
	if len(external) == 0 {
		external = others
	}
	return len(external) > 0 && !slices.ContainsFunc(external, func(s string) bool { return !c.isExcluded(s) })
}

func (c refCase) allInternal() bool {
	everybody := slices.Concat(c.m.From, []string{c.sender()}, c.m.To, c.m.Cc, c.m.Bcc)
	return !slices.ContainsFunc(usable(everybody), func(s string) bool { return !c.internal(s) })
}

// row says which of the rows 11 and 12 holds for an address.
func (c refCase) row(addr string) int {
	if len(usable([]string{addr})) == 0 || c.internal(addr) || c.isExcluded(addr) {
		return 0
	}
	if _, company := c.customer(addr); company != "" {
		return 11
	}
	if c.domainCompany(addr) != "" {
		return 12
	}
	return 0
}

func (c refCase) counts(company filter.CompanyID, since time.Time) bool {
	late := since.After(c.moment(c.m)) && !c.backfill
	return !late && (c.rules.GroupsCount != filter.Off || !slices.Contains(c.data.Groups, company))
}

func (c refCase) customer(addr string) (filter.CustomerID, filter.CompanyID) {
	for _, e := range c.data.Customers {
		if filter.AddressKey(e.Address) == filter.AddressKey(addr) {
			if e.Company != "" && c.counts(e.Company, e.Since) {
				return e.Customer, e.Company
			}
			return e.Customer, ""
		}
	}
	return "", ""
}

// domainCompany gives the company whose pattern is the strongest that was there in time.
func (c refCase) domainCompany(addr string) filter.CompanyID {
	d, ok := filter.AddressDomain(addr)
	if !ok {
		return ""
	}
	var best *filter.DomainEntry
	for i, e := range c.data.Domains {
		late := e.Since.After(c.moment(c.m)) && !c.backfill
		if !late && e.Pattern.Matches(d) && (best == nil || strength(e.Pattern) > strength(best.Pattern)) {
			best = &c.data.Domains[i]
		}
	}
	if best == nil || !c.counts(best.Company, best.Since) ||
		best.Forced && !slices.Contains(c.rules.AllowPublic, best.Pattern.Base()) {
		return ""
	}
	return best.Company
}

func (c refCase) clientOn(addrs []string) bool {
	return slices.ContainsFunc(addrs, func(s string) bool { return c.row(s) > 0 })
}

// match finds the counterparty and the row that holds for it.
func (c refCase) match() (row int, who string) {
	if c.forged() {
		return 0, ""
	}
	if !c.outbound() {
		return c.row(c.counterparty()), c.counterparty()
	}
	external := slices.DeleteFunc(usable(slices.Concat(c.m.To, c.m.Cc)), func(s string) bool {
		return c.internal(s) || c.isExcluded(s)
	})
	for _, want := range []int{11, 12, 0} {
		for _, addr := range external {
			if c.row(addr) == want {
				return want, addr
			}
		}
	}
	return 0, ""
}

func (c refCase) credit(row int, who string) (filter.CustomerID, filter.CompanyID) {
	if who == "" || c.internal(who) {
		return "", ""
	}
	customer, company := c.customer(who)
	if row == 12 {
		company = c.domainCompany(who)
	}
	return customer, company
}
