package acl

// InboxKind tells a person's own mailbox from a team's. Whatever is not Team is judged as
// Individual, where a site admin has no right of their own.
type InboxKind string

// The kinds. Individual is the one name in code for what people call individual inbox, work email
// or personal inbox.
const (
	Individual InboxKind = "individual"
	Team       InboxKind = "team"
)

// Inbox holds the facts of one inbox the evaluator needs. Check reads it and keeps nothing of it.
type Inbox struct {
	Site    string
	Kind    InboxKind
	Creator UserID // whose mailbox it is; says nothing in a team inbox
	Grants  Grants

	Live              bool   // importing or active: replies can go out (c6)
	OnlyCreatorWidens bool   // c11
	GranteesMayStart  bool   // c14
	TimeLogging       bool   // c9
	AutoReplyConsent  bool   // the creator once agreed to an auto reply (R-ACL-11)
	PausedBy          UserID // who paused it, row 27; empty when no person did
}
