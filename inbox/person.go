package inbox

import (
	"context"
	"iter"
	"time"

	"github.com/workinbox/workinbox/acl"
)

// Person is one user of the host's site. The host owns people; the library asks.
type Person struct {
	ID              acl.UserID
	Site            SiteID
	Role            acl.Role
	State           acl.UserState
	PartTime        bool
	ManageCompanies bool
	Name            string
	Addresses       []string // logins; their domains are internal (11.4)
	Zone            string   // IANA time zone, empty for the site's
	AutoFollowOnCC  bool
}

// Settings are a site's switches. Zero values are the defaults.
type Settings struct {
	ID              SiteID
	AgentsMayEdit   bool // R-ROL-06
	AgentsMayDelete bool // R-ROL-06
	// AgentsMayManageTags lets agents edit the tags of the site's catalog (R-ROL-06).
	AgentsMayManageTags bool
	// OwnerImplicitAccess is read_only (also when empty) or read_and_reply (R-ACL-05).
	OwnerImplicitAccess acl.Access
	// InternalDomains are the site's own domains beside those of logins and mailboxes (11.4).
	InternalDomains []string
	// Exclude holds site-wide exclusions, joined to each inbox's own (11.1).
	Exclude []string
	// UndoSend is how long a mail waits before it leaves, so that its author may take it back
	// (R-MSG-09); zero is not at all.
	UndoSend time.Duration
	// Features are the plan's feature names.
	Features []string
	// CloseWaiting closes tickets that have waited for their customer for 72 hours (R-STA-05).
	CloseWaiting bool
	// KeepStatusOnTasks leaves a ticket's status as it is when the last task linked to it is done
	// (R-STA-02).
	KeepStatusOnTasks bool
	// NumberInSubject writes the ticket's number into the subject of answers and forwarded mail (R-MSG-09).
	NumberInSubject bool
	// NoQuote leaves out of answers the mail they answer (R-MSG-09); ticket.Reply has it for one alone.
	NoQuote bool
	// TrackOpens puts an image into HTML mail written here, which tells that the mail was opened
	// (R-MSG-09), where the host serves it: ticket.Config.PixelURL.
	TrackOpens bool
	Zone       string // IANA time zone; empty means UTC
	// Retention is how long a deleted inbox stays restorable; zero means 30 days (R-INB-12).
	Retention time.Duration
}

// People is the host's user directory; read only.
type People interface {
	// Person returns one user, or storage.ErrNotFound.
	Person(ctx context.Context, site SiteID, id acl.UserID) (Person, error)
	// People yields the users of a site in any order.
	People(ctx context.Context, site SiteID) iter.Seq2[Person, error]
}

// Sites is the host's site directory.
type Sites interface {
	// Site returns the settings of a site, or storage.ErrNotFound.
	Site(ctx context.Context, id SiteID) (Settings, error)
}

// Actor makes the evaluator's view of a person under a site's switches.
func (p Person) Actor(s Settings) acl.Actor {
	return acl.Actor{
		Site:            string(p.Site),
		User:            p.ID,
		Role:            p.Role,
		State:           p.State,
		PartTime:        p.PartTime,
		ManageCompanies: p.ManageCompanies,
		Policy: acl.Policy{
			AgentsMayEdit:       s.AgentsMayEdit,
			AgentsMayDelete:     s.AgentsMayDelete,
			OwnerImplicitAccess: s.OwnerImplicitAccess,
		},
	}
}
