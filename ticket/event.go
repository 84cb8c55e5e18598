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
	EventMerged        inbox.EventName = "ticket.merged"
	EventSplit         inbox.EventName = "ticket.split"
	EventMoved         inbox.EventName = "ticket.moved"
	EventMentioned     inbox.EventName = "ticket.mentioned" // in a note; for the Target alone
	EventTaskLinked    inbox.EventName = "ticket.task.linked"
	EventTaskUnlinked  inbox.EventName = "ticket.task.unlinked"
	EventTaskCompleted inbox.EventName = "ticket.task.completed"
	EventBounced       inbox.EventName = "ticket.bounced"
	EventThreadEdited  inbox.EventName = "thread.edited"  // a note; a mail that was redacted
	EventThreadDeleted inbox.EventName = "thread.deleted" // a note
	EventSendUnknown   inbox.EventName = "ticket.send.unknown"
	EventSendFailed    inbox.EventName = "ticket.send.failed"
)
