package acl

// Facts are what an action is about beyond its inbox; a field is zero where nothing applies. A
// field that can only allow (OwnNote, Follower, Others, TargetReadersSeeOrigin, Trigger's
// UsableByAgents and Actions, InboxAdminElsewhere) is refused when forgotten. A field that can only
// refuse (all the rest) is not missed when forgotten, so a write must fill it. Check reads Facts
// and keeps nothing of them.
type Facts struct {
	// Ticket is the state of the ticket the action is about.
	Ticket Ticket
	// QuotaSpent: a part-timer's window is used up and this would be one more ticket (R-ROL-04).
	// It says nothing of full-timers.
	QuotaSpent bool
	// OwnNote: the actor wrote the note that EditNote or DeleteOwnNote is about (c3).
	OwnNote bool

	// Target is the person whose grant Share changes. Empty asks whether the actor may share at
	// all; a write names the person (R-ACL-11).
	Target UserID
	// Follower is the person AddFollower is about (c8). Nil is refused.
	Follower *Actor

	// Others are the further parties of Merge, Split and Move. Merge and Move without any are
	// refused: what they would need cannot be known.
	Others []Party
	// TargetReadersSeeOrigin: everybody who may view the inbox the ticket goes to may also view
	// the one it leaves (c13).
	TargetReadersSeeOrigin bool

	// Trigger is what RunTrigger is about.
	Trigger Trigger
	// AutoReply: EnableSending is about the auto reply, which needs the creator's consent too.
	AutoReply bool
	// InboxAdminElsewhere: the actor is inbox admin of at least one team inbox (R-TKT-05).
	InboxAdminElsewhere bool

	// BelowFull: the sharing level of this thread for this actor is below full (11.2).
	BelowFull bool
	// Private: the creator marked the thread private (11.3).
	Private bool
}

// Ticket is the state of a ticket as far as it limits actions (R-ACL-10).
type Ticket struct {
	Locked, Archived, Deleted bool
}

// Party is another ticket, or another inbox, that an action touches. For Move it is the inbox the
// ticket goes to, with no ticket; for Merge every other ticket with its inbox, the one that stays
// and the ones that go.
type Party struct {
	Inbox  *Inbox // nil: the inbox the action is asked for
	Ticket Ticket
}

// Trigger says what a manual trigger is and does (c10, c12).
type Trigger struct {
	UsableByAgents bool
	Actions        []Action // what it does, each as if done by hand
	OutboundCall   bool     // it calls something outside
}
