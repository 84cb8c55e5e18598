package acl

// failing says why the condition of a cell does not hold, or is empty when it does.
func failing(c cell, a *Actor, in *Inbox, action Action, f *Facts, s standing) Reason {
	switch c {
	case c1:
		return unless(a.Role != Agent || a.Policy.AgentsMayEdit, ReasonEditSwitchedOff)
	case c2:
		return unless(a.Role != Agent || a.Policy.AgentsMayDelete, ReasonDeleteSwitchedOff)
	case c3:
		if !f.OwnNote {
			return ReasonNotOwnNote
		}
		return failing(c1, a, in, action, f, s)
	case c6:
		if !in.Live {
			return ReasonNotLive
		}
		return failing(cQuota, a, in, action, f, s)
	case c7:
		return failingOthers(a, in, action, f)
	case c8:
		return unless(f.Follower != nil && may(f.Follower, in, Follow, &noFacts),
			ReasonCannotFollow)
	case c9:
		return unless(in.TimeLogging, ReasonTimeLoggingOff)
	case c10:
		return unless(f.Trigger.UsableByAgents, ReasonNotForAgents)
	case c11:
		return unless(!in.OnlyCreatorWidens, ReasonCreatorWidens)
	case c12:
		return unless(byHand(a, in, f), ReasonTriggerExceeds)
	case c13:
		if why := failingOthers(a, in, action, f); why != "" {
			return why
		}
		return unless(f.TargetReadersSeeOrigin || s.in(managing) || !f.leaves(in),
			ReasonWidensReaders)
	case c14:
		if !in.GranteesMayStart {
			return ReasonStartSwitchedOff
		}
		return failing(c6, a, in, action, f, s)
	case cConsent:
		return unless(!f.AutoReply || in.AutoReplyConsent, ReasonNoConsent)
	case cQuota:
		return unless(!a.PartTime || !f.QuotaSpent, ReasonQuotaSpent)
	}
	return unless(f.InboxAdminElsewhere, ReasonNotAdminElsewhere) // cTrash
}

func unless(holds bool, otherwise Reason) Reason {
	if holds {
		return ""
	}
	return otherwise
}

// failingOthers is c7: read-and-reply in every inbox involved, every party open. A party the actor
// may not know of answers before the state of its ticket can tell anything.
func failingOthers(a *Actor, in *Inbox, action Action, f *Facts) Reason {
	if len(f.Others) == 0 && action != Split {
		return ReasonNoTarget
	}
	for i := range f.Others {
		p := &f.Others[i]
		if p.elsewhere(in) {
			if p.Inbox.Site != a.Site {
				return ReasonOtherHidden
			}
			s := standingOf(a, p.Inbox)
			if s.none() {
				return ReasonOtherHidden
			}
			if !s.in(replying) {
				return ReasonOtherNeedsReply
			}
		}
		if p.Ticket != (Ticket{}) {
			return ReasonOtherClosed
		}
	}
	return ""
}

func (p *Party) elsewhere(in *Inbox) bool { return p.Inbox != nil && p.Inbox != in }

// leaves reports whether a party is in another inbox.
func (f *Facts) leaves(in *Inbox) bool {
	for i := range f.Others {
		if f.Others[i].elsewhere(in) {
			return true
		}
	}
	return false
}

// byHand is c12: each thing the trigger does is one the actor may do here without it, and none
// reaches outside. A trigger that names nothing it does may do anything, so it is refused; so is
// one that runs triggers.
func byHand(a *Actor, in *Inbox, f *Facts) bool {
	if f.Trigger.OutboundCall || len(f.Trigger.Actions) == 0 {
		return false
	}
	for _, does := range f.Trigger.Actions {
		if does == RunTrigger || !may(a, in, does, f) {
			return false
		}
	}
	return true
}
