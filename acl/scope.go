package acl

// Scope is Visible as data: which inboxes of a site an actor may see, in a form a store can turn
// into a condition of a query. An inbox is in the scope when it is of Site and
//
//   - All is set, or
//   - AllTeam is set and the inbox is a team inbox, or
//   - the inbox is not a team inbox and User is its creator, or
//   - User has a grant in it.
//
// With None set nothing is. Grants are normalised before they are stored, so that each gives
// access; should one hold an unknown access, Includes leaves it out. The zero Scope holds nothing
// either, because nobody is the empty user.
type Scope struct {
	Site    string
	User    UserID
	All     bool // the site owner
	AllTeam bool // a site admin
	None    bool // somebody who may do nothing
}

// Visible returns the scope of the inboxes the actor may see. It never holds more or less than
// Check allows SeeInbox for.
func Visible(a Actor) Scope {
	if a.unable() != "" {
		return Scope{Site: a.Site, User: a.User, None: true}
	}
	return Scope{Site: a.Site, User: a.User, All: a.Role == Owner, AllTeam: a.Role == Admin}
}

// Includes reports whether the inbox is in the scope. A nil inbox is in none.
func (s Scope) Includes(in *Inbox) bool {
	if in == nil || s.None || in.Site != s.Site {
		return false
	}
	team := in.Kind == Team
	if s.All || s.AllTeam && team {
		return true
	}
	if !team && s.User != "" && in.Creator == s.User {
		return true
	}
	g := in.Grants.of(s.User)
	return g != nil && g.column(team) != nothing
}
