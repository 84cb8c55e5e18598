package acl

// Decision is the answer of Check with its reason. It holds no id, address or content and may be
// logged, stored and shown as it is, unless it is Hidden.
type Decision struct {
	Action  Action `json:"action"`
	Allowed bool   `json:"allowed"`
	// Hidden: the actor may not know that the thing exists, be it this inbox, the other inbox of
	// a move or merge, or a private thread. Services answer storage.ErrNotFound (R-ACL-07).
	// Only ever set on a refusal.
	Hidden bool `json:"hidden,omitempty"`
	// TotalsOnly: allowed, but what the action returns is cut to totals: no domains, addresses or
	// single messages (row 32, R-IMP-11).
	TotalsOnly bool `json:"totalsOnly,omitempty"`
	// Via is what allowed it; empty on a refusal.
	Via Source `json:"via,omitempty"`
	// Reason is what refused it; empty when allowed.
	Reason Reason `json:"reason,omitempty"`
}

// String says the decision in one line, such as "reply: refused (needs_read_and_reply)".
func (d Decision) String() string {
	switch {
	case d.TotalsOnly:
		return d.Action.String() + ": totals, via " + string(d.Via)
	case d.Allowed:
		return d.Action.String() + ": allowed, via " + string(d.Via)
	}
	return d.Action.String() + ": refused (" + string(d.Reason) + ")"
}

// Needed returns what the actor would have to have. It is empty when having more would not help:
// when allowed, and when a switch, a quota or the state of a ticket refused.
func (d Decision) Needed() Need {
	switch d.Reason {
	case ReasonNoAccess:
		return NeedAccess
	case ReasonNeedsReply:
		return NeedReply
	case ReasonNeedsInboxAdmin:
		return NeedInboxAdmin
	case ReasonNeedsSiteAdmin:
		return NeedSiteAdmin
	case ReasonCreatorOnly:
		return NeedCreator
	case ReasonOwnerOnly:
		return NeedOwner
	}
	return ""
}

// Source is what a right comes from. Rights of several sources add up (R-ACL-09); the decision
// names the first that is enough, in the order below.
type Source string

// The sources.
const (
	ViaSite      Source = "site"       // any active person of the site
	ViaCreator   Source = "creator"    // it is their mailbox (R-ACL-06)
	ViaOwner     Source = "owner"      // the site owner's automatic access (R-ACL-03)
	ViaSiteAdmin Source = "site_admin" // team inboxes only (R-ACL-04)
	ViaGrant     Source = "grant"
)

// Need is what an actor lacks.
type Need string

// The needs.
const (
	NeedAccess     Need = "access"
	NeedReply      Need = "read_and_reply"
	NeedInboxAdmin Need = "inbox_admin"
	NeedCreator    Need = "creator"
	NeedSiteAdmin  Need = "site_admin"
	NeedOwner      Need = "owner"
)

// Reason is why an action was refused. The texts never change; new ones may be added.
type Reason string

// The reasons, in the order in which the evaluator comes to them.
const (
	// The actor.
	ReasonInactive    Reason = "inactive"     // pending, deactivated, or nobody
	ReasonUnknownRole Reason = "unknown_role" // neither owner, admin nor agent

	// The standing in the inbox.
	ReasonOtherSite     Reason = "other_site"
	ReasonNoAccess      Reason = "no_access"
	ReasonUnknownAction Reason = "unknown_action"

	// The cell of the matrix.
	ReasonNeedsReply      Reason = "needs_read_and_reply"
	ReasonNeedsInboxAdmin Reason = "needs_inbox_admin"
	ReasonNeedsSiteAdmin  Reason = "needs_site_admin"
	ReasonCreatorOnly     Reason = "creator_only"
	ReasonOwnerOnly       Reason = "owner_only"

	// The condition of the cell.
	ReasonEditSwitchedOff   Reason = "agents_may_not_edit"      // c1
	ReasonDeleteSwitchedOff Reason = "agents_may_not_delete"    // c2
	ReasonNotOwnNote        Reason = "not_own_note"             // c3
	ReasonNotLive           Reason = "inbox_not_live"           // c6
	ReasonQuotaSpent        Reason = "quota_spent"              // c6
	ReasonNoTarget          Reason = "no_target"                // c7: no other party named
	ReasonOtherHidden       Reason = "other_inbox_hidden"       // c7
	ReasonOtherNeedsReply   Reason = "other_needs_reply"        // c7
	ReasonOtherClosed       Reason = "other_ticket_closed"      // c7: locked, archived or deleted
	ReasonCannotFollow      Reason = "target_cannot_follow"     // c8
	ReasonTimeLoggingOff    Reason = "time_logging_off"         // c9
	ReasonNotForAgents      Reason = "trigger_not_for_agents"   // c10
	ReasonCreatorWidens     Reason = "only_creator_widens"      // c11
	ReasonTriggerExceeds    Reason = "trigger_exceeds_rights"   // c12
	ReasonWidensReaders     Reason = "target_has_other_readers" // c13
	ReasonStartSwitchedOff  Reason = "grantees_may_not_start"   // c14
	ReasonNoConsent         Reason = "creator_has_not_agreed"   // R-ACL-11
	ReasonNotAdminElsewhere Reason = "not_admin_of_any_inbox"   // R-TKT-05

	// The rules beside the matrix.
	ReasonCreatorPinned   Reason = "creator_pinned"    // R-INB-10
	ReasonSelfGrant       Reason = "self_grant"        // R-ACL-11
	ReasonPausedByCreator Reason = "paused_by_creator" // row 27
	ReasonPausedByAnother Reason = "paused_by_another" // row 27
	ReasonNotDeleted      Reason = "ticket_not_deleted"

	// The limits of the ticket.
	ReasonTicketDeleted  Reason = "ticket_deleted"
	ReasonTicketArchived Reason = "ticket_archived"
	ReasonTicketLocked   Reason = "ticket_locked"
	ReasonBelowFull      Reason = "level_below_full" // 11.2
	ReasonPrivate        Reason = "thread_private"   // 11.3
)
