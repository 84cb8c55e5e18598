package inbox

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/workinbox/workinbox/acl"
)

// EventName is the stable name of a kind of event, as webhooks know it (RULES 10).
type EventName string

// The events of this package. Package ticket adds its own.
const (
	EventInboxCreated    EventName = "inbox.created"
	EventInboxEdited     EventName = "inbox.edited"
	EventInboxDeleted    EventName = "inbox.deleted"
	EventInboxRestored   EventName = "inbox.restored"
	EventImportCompleted EventName = "inbox.import.completed"
	EventNeedsReauth     EventName = "inbox.needs_reauth"
	EventUnhealthy       EventName = "inbox.unhealthy"
	EventRulesChanged    EventName = "inbox.rules.changed"
	EventShared          EventName = "inbox.shared"
	EventUnshared        EventName = "inbox.unshared"
	EventMessagePoisoned EventName = "inbox.message.poisoned"
	EventAssociationLost EventName = "inbox.association.lost"
	EventCompanyEdited   EventName = "company.edited"
	EventCustomerCreated EventName = "customer.created"
	EventCustomerEdited  EventName = "customer.edited"
)

// ofInboxes and ofSites are all events there are. Names of package ticket stand here too: webhooks know
// one list, and a process may let people choose from it that works on no tickets.
var (
	ofInboxes = []EventName{
		EventInboxCreated, EventInboxEdited, EventInboxDeleted, EventInboxRestored, EventImportCompleted,
		EventNeedsReauth, EventUnhealthy, EventRulesChanged, EventShared, EventUnshared,
		EventMessagePoisoned, EventAssociationLost,
		"ticket.created", "ticket.customer.reply", "ticket.agent.reply", "ticket.note",
		"ticket.assigned", "ticket.unassigned", "ticket.status", "ticket.priority",
		"ticket.tag.added", "ticket.tag.removed", "ticket.edited", "ticket.deleted",
		"ticket.merged", "ticket.split", "ticket.moved", "ticket.mentioned",
		"ticket.task.linked", "ticket.task.unlinked", "ticket.task.completed",
		"ticket.bounced", "ticket.send.unknown", "ticket.send.failed", "thread.edited", "thread.deleted",
	}
	ofSites = []EventName{
		EventCompanyEdited, EventCustomerCreated, EventCustomerEdited,
		"tag.created", "tag.edited", "tag.deleted",
	}
)

// Events returns the names of the events of inboxes, those of package ticket too: what Watch takes. The caller
// may change the list.
func Events() []EventName { return slices.Clone(ofInboxes) }

// SiteEvents returns the names of the events of a site, which are of no inbox. The caller may change the list.
func SiteEvents() []EventName { return slices.Clone(ofSites) }

// watchable refuses what nobody would ever be told of.
func watchable(id ID, names []EventName) error {
	for _, n := range names {
		if !slices.Contains(ofInboxes, n) {
			return fmt.Errorf("watch inbox %q for %.60q: %w; there are %q", id, n, ErrUnknownEvent, ofInboxes)
		}
	}
	return nil
}

// Event says that something happened to which thing. It holds ids, codes and counts, never content:
// a notice adds content per receiver when it is delivered. Stores keep events in the outbox in the
// same step as what caused them.
type Event struct {
	ID      string     `json:"id"`
	Name    EventName  `json:"name"`
	At      time.Time  `json:"at"`
	Site    SiteID     `json:"site"`
	Inbox   ID         `json:"inbox,omitempty"`
	Actor   acl.UserID `json:"actor,omitempty"` // who did it; empty for the engine
	Message MessageID  `json:"message,omitempty"`
	Thread  ThreadID   `json:"thread,omitempty"`
	Ticket  string     `json:"ticket,omitempty"`
	Entry   string     `json:"entry,omitempty"`
	Target  acl.UserID `json:"target,omitempty"` // whom it concerns: assignee, grantee
	// Personal says that the event is for the Target alone, where they opted in for it: for nobody else
	// and never for the site.
	Personal bool              `json:"personal,omitempty"`
	Facts    map[string]string `json:"facts,omitempty"` // codes and counts
}

// Due is an event of the outbox that waits for delivery.
type Due struct {
	Event
	Attempts int
	// Done lists receivers that have it already, so that a retry does not tell them again.
	Done []acl.UserID
}

// Notice is one event for one receiver. Content is nil where the receiver asked for private notices
// or the event has none; it is what the receiver may see at the moment of delivery. To is the zero
// Person in what Config.SiteNotifier gets.
type Notice struct {
	Event   Event
	To      Person
	Content *NoticeContent
}

// NoticeContent is the readable part of a notice: the subject, the sender and the beginning of the mail the
// event is about, of one about a note or the ticket itself those of its newest mail. Notes are never in it.
type NoticeContent struct {
	Subject string
	From    string
	Preview string
}

// Notifier carries notices to people: mail, push, webhook. It is called from Deliver, never while a
// store transaction is open. An error is retried with backoff for a week, not before the time of a
// *provider.RetryError; a notice may arrive more than once (Event.ID tells).
type Notifier interface {
	Notify(ctx context.Context, n Notice) error
}
