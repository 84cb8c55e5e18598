package acl

import (
	"slices"
	"strings"
)

// UserID names a person of the host. The empty id is nobody.
type UserID string

// Access is how far a grant lets somebody into an inbox (R-ACL-01). Unknown texts give nothing.
type Access string

// The levels of access, lowest first.
const (
	NoAccess     Access = ""
	ReadOnly     Access = "read_only"      // view tickets, add notes
	ReadAndReply Access = "read_and_reply" // also reply, forward, edit ticket options
)

// Grant is what one person was given in one inbox: an access and, apart from it, the right to
// manage the inbox.
type Grant struct {
	User       UserID `json:"user"`
	Access     Access `json:"access"`
	InboxAdmin bool   `json:"inboxAdmin,omitempty"`
}

// Normalize returns the grant as it is to be stored: the admin flag without access becomes
// read-only with the flag (R-ACL-01).
func (g Grant) Normalize() Grant {
	if g.InboxAdmin && g.Access == NoAccess {
		g.Access = ReadOnly
	}
	return g
}

// column returns the column of the matrix the grant stands for, in an individual or a team inbox.
func (g *Grant) column(team bool) column {
	reply := g.Access == ReadAndReply
	known := reply || g.Access == ReadOnly || g.Access == NoAccess && g.InboxAdmin
	switch {
	case !known:
		return nothing
	case team && g.InboxAdmin:
		return teamInboxAdmin
	case team:
		return teamMember
	case reply && g.InboxAdmin:
		return adminReply
	case reply:
		return replyOnly
	case g.InboxAdmin:
		return adminRead
	}
	return readOnly
}

// Grants are the grants of one inbox, sorted by user in byte order, one per user and each
// normalised. NewGrants and With keep it so. The zero value holds none.
type Grants []Grant

// NewGrants returns the list sorted and normalised. Of several grants for one user the last
// counts; a grant that gives nothing, or is for nobody, is left out.
func NewGrants(list ...Grant) Grants {
	var gs Grants
	for _, g := range list {
		gs = gs.With(g)
	}
	return gs
}

// short is the length up to which looking at each grant beats a binary search.
const short = 8

// Of returns the grant of that user. It does not allocate.
func (gs Grants) Of(user UserID) (Grant, bool) {
	if g := gs.of(user); g != nil {
		return *g, true
	}
	return Grant{}, false
}

// of returns where the grant of that user is, or nil.
func (gs Grants) of(user UserID) *Grant {
	if user == "" {
		return nil
	}
	if len(gs) > short {
		i, found := gs.find(user)
		if !found {
			return nil
		}
		gs = gs[i : i+1]
	}
	for i := range gs {
		if gs[i].User.is(user) {
			return &gs[i]
		}
	}
	return nil
}

// is compares two ids that are not empty. Ids of one host tend to begin alike, so that the last
// byte tells most of them apart.
func (u UserID) is(other UserID) bool {
	return len(u) == len(other) && u[len(u)-1] == other[len(u)-1] && u == other
}

// With returns a copy in which g, normalised, is the grant of its user. A grant that gives nothing
// removes the user's.
func (gs Grants) With(g Grant) Grants {
	g = g.Normalize()
	if g.Access == NoAccess || g.User == "" {
		return gs.Without(g.User)
	}
	i, found := gs.find(g.User)
	if found {
		next := slices.Clone(gs)
		next[i] = g
		return next
	}
	return slices.Insert(slices.Clone(gs), i, g)
}

// Without returns a copy that holds no grant of that user.
func (gs Grants) Without(user UserID) Grants {
	next := slices.Clone(gs)
	if i, found := gs.find(user); found {
		next = slices.Delete(next, i, i+1)
	}
	return next
}

func (gs Grants) find(user UserID) (int, bool) {
	return slices.BinarySearchFunc(gs, user, func(g Grant, u UserID) int {
		return strings.Compare(string(g.User), string(u))
	})
}
