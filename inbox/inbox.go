package inbox

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/binary"
	"slices"
	"strings"
	"time"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/storage"
)

// SiteID names a tenant. Nothing with an actor reads across sites.
type SiteID string

// ID names an inbox. IDs are unique in a store, whatever the site, and compare as bytes.
type ID string

// DefaultWindow is how far back an import reaches (R-IMP-01).
const DefaultWindow = 30 * 24 * time.Hour

// Inbox is one shared mailbox: who made it, who may see it, and what may enter. The zero time means
// not yet. Times are UTC.
type Inbox struct {
	ID       ID            `json:"id"`
	Site     SiteID        `json:"site"`
	Kind     acl.InboxKind `json:"kind"`
	Provider provider.Kind `json:"provider"`
	Name     string        `json:"name"`

	Creator acl.UserID `json:"creator"`
	Grants  acl.Grants `json:"grants,omitempty"`
	Watches []Watch    `json:"watches,omitempty"`
	// SiteWatch is what the site's own endpoints are told; nil is nothing (R-FEA-08).
	SiteWatch *SiteWatch `json:"site_watch,omitempty"`

	State    State      `json:"state"`
	Left     State      `json:"left,omitempty"` // the state a paused or needs_reauth inbox returns to
	PausedBy acl.UserID `json:"paused_by,omitempty"`

	// Account is what the provider said at consent, never user text (R-INB-05).
	Account provider.Account `json:"account"`
	Consent *PendingConsent  `json:"consent,omitempty"`

	// Import says whether mail older than the connection comes in; Window how far back.
	Import bool          `json:"import"`
	Window time.Duration `json:"window"`
	// Revisions is the history of the rules, oldest first, never empty once step 2 is saved. Each
	// message keeps the version it was accepted under (R-CHG-05).
	Revisions []filter.Revision `json:"revisions,omitempty"`

	Settings InboxSettings `json:"settings"`

	CreatedAt   time.Time `json:"created_at"`
	ConnectedAt time.Time `json:"connected_at"` // first consent; never moves (R-IMP-03)
	FinishedAt  time.Time `json:"finished_at"`  // "Finish set up": ingest starts
	DeletedAt   time.Time `json:"deleted_at"`

	Version storage.Version `json:"version"`
}

// InboxSettings are the switches of one inbox. Zero values are the defaults.
type InboxSettings struct {
	// OnlyCreatorWidens keeps others from letting more mail in (c11).
	OnlyCreatorWidens bool `json:"only_creator_widens,omitempty"`
	// GranteesMayStart lets teammates start new mail from this mailbox (c14).
	GranteesMayStart bool `json:"grantees_may_start,omitempty"`
	// TimeLogging lets teammates log time on tickets (c9).
	TimeLogging bool `json:"time_logging,omitempty"`
	// MirrorDeletes removes a message here when it is deleted at the provider (R-IMP-10).
	MirrorDeletes bool `json:"mirror_deletes,omitempty"`
	// DefaultStatus is the code of the status of a new ticket; empty means "active" (R-INB-14). Only its
	// form is checked here (IsCode): where the site's catalog does not offer it, or does no more, new
	// tickets are active.
	DefaultStatus string `json:"default_status,omitempty"`
	// OnClosed says when closed tickets lock: never, when the zero value. A locked ticket takes
	// nothing more and new mail opens another one (R-INB-15).
	OnClosed ClosedLock `json:"on_closed,omitempty"`
	// ClosedDays is, with LockQuiet, after how many days without activity a closed ticket locks:
	// 0 to 36,500.
	ClosedDays int `json:"closed_days,omitempty"`
	// Signature is HTML appended to replies, of at most MaxSignature bytes.
	Signature string `json:"signature,omitempty"`
	// SendAs is whose name stands beside the address of mail sent from here.
	SendAs SendAs `json:"send_as,omitempty"`
}

// SendAs says under whose name a teammate's mail leaves; the address is always the mailbox's own
// (R-MSG-10, 11.12).
type SendAs string

// The names mail may leave under.
const (
	SendAsOwner SendAs = ""      // the mailbox's owner
	SendAsAgent SendAs = "agent" // who wrote it
	SendAsInbox SendAs = "inbox" // the inbox's name
)

// ClosedLock says when the closed tickets of an inbox lock, those that are there already included.
type ClosedLock string

// The locks.
const (
	LockNever ClosedLock = ""
	LockQuiet ClosedLock = "quiet"
	LockNow   ClosedLock = "now"
)

// Watch is one person's opt-in to notices of one inbox (R-FEA-02, R-FEA-08). No watch, no notice.
type Watch struct {
	User   acl.UserID  `json:"user"`
	Events []EventName `json:"events"`
	// Private asks for notices without content, only ids (R-FEA-07).
	Private bool `json:"private,omitempty"`
}

// SiteWatch is the creator's leave to tell the site's own endpoints of an inbox (R-FEA-08).
type SiteWatch struct {
	Events []EventName `json:"events"`
	// Content says that notices carry subject, sender and preview; without it ids only.
	Content bool `json:"content,omitempty"`
}

// PendingConsent is an OAuth attempt that has not come back. State is kept as a hash; the PKCE
// verifier lies in the Vault.
type PendingConsent struct {
	StateHash string     `json:"state_hash"`
	User      acl.UserID `json:"user"`
	Expires   time.Time  `json:"expires"`
	Redirect  string     `json:"redirect"`
}

// ACL returns the facts the evaluator looks at.
func (in *Inbox) ACL() *acl.Inbox {
	return &acl.Inbox{
		Site:              string(in.Site),
		Kind:              in.Kind,
		Creator:           in.Creator,
		Grants:            in.Grants,
		Live:              in.State.Live(),
		OnlyCreatorWidens: in.Settings.OnlyCreatorWidens,
		GranteesMayStart:  in.Settings.GranteesMayStart,
		TimeLogging:       in.Settings.TimeLogging,
		PausedBy:          in.PausedBy,
	}
}

// Rules returns the rules in force and their version; the zero Rules before step 2 is saved.
func (in *Inbox) Rules() (filter.Rules, uint64) {
	if len(in.Revisions) == 0 {
		return filter.Rules{}, 0
	}
	last := in.Revisions[len(in.Revisions)-1]
	return last.Rules, last.Version
}

// Floor is the oldest received time that may enter (R-IMP-03).
func (in *Inbox) Floor() time.Time {
	if !in.Import {
		return in.ConnectedAt
	}
	if in.Window < 0 {
		return time.Time{}
	}
	return in.ConnectedAt.Add(-in.Window)
}

// Clone returns a copy that shares nothing changeable with in.
func (in Inbox) Clone() Inbox {
	in.Grants = slices.Clone(in.Grants)
	in.Watches = slices.Clone(in.Watches)
	for i := range in.Watches {
		in.Watches[i].Events = slices.Clone(in.Watches[i].Events)
	}
	if in.SiteWatch != nil {
		w := *in.SiteWatch
		w.Events = slices.Clone(w.Events)
		in.SiteWatch = &w
	}
	in.Account.Aliases = slices.Clone(in.Account.Aliases)
	in.Revisions = slices.Clone(in.Revisions)
	for i := range in.Revisions {
		in.Revisions[i].Rules = in.Revisions[i].Rules.Normalize() // shares nothing
	}
	if in.Consent != nil {
		c := *in.Consent
		in.Consent = &c
	}
	return in
}

// NewID returns a fresh id: 48 bits of time, then 80 random bits, as 26 lower-case letters and
// digits that sort by time. It is the default of every NewID field in this library.
func NewID(now time.Time) string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], uint64(now.UnixMilli())<<16)
	_, _ = rand.Read(b[6:])
	return strings.ToLower(idEncoding.EncodeToString(b[:]))
}

var idEncoding = base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").WithPadding(base32.NoPadding)
