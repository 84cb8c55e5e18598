package acl

// Role is what a person is on the whole site (R-ROL-01). Unknown texts may do nothing: customers,
// for one, have no role.
type Role string

// The roles.
const (
	Owner Role = "owner"
	Admin Role = "admin"
	Agent Role = "agent"
)

// UserState says whether a person may act at all. Only Active may; grants of the others are kept
// and do nothing (R-ROL-05, R-ROL-07).
type UserState string

// The states.
const (
	Active      UserState = "active"
	Pending     UserState = "pending" // the invite is not accepted
	Deactivated UserState = "deactivated"
)

// Actor is a person as the evaluator sees them: who they are, what they are on the site, and the
// site's switches at this moment. Hosts do not make one themselves; it comes from inbox.Person.
// The zero Actor may do nothing.
type Actor struct {
	Site            string
	User            UserID
	Role            Role
	State           UserState
	PartTime        bool // replies are counted (R-ROL-04)
	ManageCompanies bool // the agent's own flag (R-ROL-06); see ManagesCompanies
	Policy          Policy
}

// Policy holds the site's switches (R-ROL-06, R-ACL-05). Zero: both switches are off and the owner
// reads every individual inbox without being able to reply from it.
type Policy struct {
	AgentsMayEdit   bool // notes
	AgentsMayDelete bool // notes of others, messages, tickets
	// OwnerImplicitAccess is what the site owner has without a grant: ReadAndReply, or ReadOnly
	// for every other value. There is no "none" (R-ACL-03).
	OwnerImplicitAccess Access
}

// ManagesCompanies reports whether the actor may create, edit and delete companies and assign
// customers to them: owner, admins, and agents with the flag (R-CUS-05). It is no action of an
// inbox, so Check does not know it.
func (a Actor) ManagesCompanies() bool {
	return a.unable() == "" && (a.ManageCompanies || a.Role != Agent)
}

// unable says why the actor may do nothing anywhere, or is empty.
func (a *Actor) unable() Reason {
	switch {
	case a.State != Active || a.User == "":
		return ReasonInactive
	case a.Role != Agent && a.Role != Admin && a.Role != Owner:
		return ReasonUnknownRole
	}
	return ""
}
