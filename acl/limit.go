package acl

// What R-ACL-10 takes away. Redact goes with row 6. LinkTask has the rights of row 11 (R-TKT-09),
// so it has its limits too. Row 31 is never blocked by a ticket.
var (
	notLocked = setOf(AddNote, EditNote, Redact, Reply, Forward, EditOptions, BeAssignee, Merge,
		Split, Move, AddFollower, LogTime, LinkTask)
	notArchived = notLocked | setOf(Delete, Restore)
	inTrash     = setOf(ViewTrash, Restore, Purge, EraseCustomer)
)

// What 11.2 and 11.3 take away.
var (
	needFull = setOf(Reply, Forward, Merge, Split, Move, ViewRaw, Export)
	// Actions that are about a thread and so end where it is private.
	onThread = setOf(ViewTickets, CountInReports, AddNote, EditNote, Redact, DeleteOwnNote, Delete,
		Reply, Forward, EditOptions, BeAssignee, Merge, Split, Move, Follow, AddFollower, LogTime,
		InsertCanned, RunTrigger, ViewTrash, Restore, Purge, ViewRaw, Export, Search, LinkTask,
		SeeCustomer, ReceiveEvents)
	// What the site owner keeps on a private thread: who and when, no content.
	ownerKeeps = setOf(ViewTickets, CountInReports, Search, SeeCustomer)
)

// limits says why a ticket in that state refuses the action, or is empty.
func (t Ticket) limits(action Action) Reason {
	switch {
	case t.Deleted && !inTrash.has(action):
		return ReasonTicketDeleted
	case t.Archived && notArchived.has(action):
		return ReasonTicketArchived
	case t.Locked && notLocked.has(action):
		return ReasonTicketLocked
	}
	return ""
}

// beside applies the rules that stand beside the matrix to what a cell has allowed.
func beside(a *Actor, in *Inbox, action Action, f *Facts, s standing) Reason {
	switch action {
	case Share:
		return besideShare(a, in, f)
	case ResumeInbox:
		switch {
		case in.Kind == Team || s.in(1<<creator) || in.PausedBy == "" || in.PausedBy == a.User:
			return ""
		case in.PausedBy == in.Creator:
			return ReasonPausedByCreator
		}
		return ReasonPausedByAnother
	case Purge:
		return unless(f.Ticket.Deleted, ReasonNotDeleted)
	case RunTrigger:
		// A trigger is no way round the limits of a ticket either.
		for _, does := range f.Trigger.Actions {
			if why := f.Ticket.limits(does); why != "" {
				return why
			}
		}
	}
	return ""
}

func besideShare(a *Actor, in *Inbox, f *Facts) Reason {
	switch {
	case f.Target == "":
		return ""
	case f.Target == in.Creator && in.Kind != Team:
		return ReasonCreatorPinned
	case f.Target == a.User && a.Role != Owner:
		return ReasonSelfGrant
	}
	return ""
}

// limits says why the level or the privacy of the thread refuses the action, or is empty. The
// creator's level is always full and their own mark does not bind them; where the thread is
// private to others, only the site owner comes this far.
func (f *Facts) limits(action Action, s standing) Reason {
	switch {
	case s.own != nothing:
		return ""
	case f.Private && onThread.has(action) && !ownerKeeps.has(action):
		return ReasonPrivate
	case f.BelowFull && (needFull.has(action) || action == EditNote && !f.OwnNote):
		return ReasonBelowFull
	}
	return ""
}
