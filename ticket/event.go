package ticket

import "github.com/workinbox/workinbox/inbox"

// The events of this package, by the names webhooks know (RULES 10).
const (
	EventCreated       inbox.EventName = "ticket.created"
	EventCustomerReply inbox.EventName = "ticket.customer.reply"
	EventAgentReply    inbox.EventName = "ticket.agent.reply"
	EventNote          inbox.EventName = "ticket.note"
	EventAssigned      inbox.EventName = "ticket.assigned"
	EventUnassigned    inbox.EventName = "ticket.unassigned"
	EventStatus        inbox.EventName = "ticket.status"
	EventDeleted       inbox.EventName = "ticket.deleted"
	EventPriority      inbox.EventName = "ticket.priority"
	EventTagAdded      inbox.EventName = "ticket.tag.added"
	EventTagRemoved    inbox.EventName = "ticket.tag.removed"
	EventEdited        inbox.EventName = "ticket.edited" // an option without an event of its own
	EventTagCreated    inbox.EventName = "tag.created"   // of the site's catalog
	EventTagEdited     inbox.EventName = "tag.edited"
	EventTagDeleted    inbox.EventName = "tag.deleted"
	EventBounced       inbox.EventName = "ticket.bounced"
	EventSendUnknown   inbox.EventName = "ticket.send.unknown"
	EventSendFailed    inbox.EventName = "ticket.send.failed"
)
