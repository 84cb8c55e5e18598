package acl

import "fmt"

// Action is something a person may want to do, one per row of the matrix (section 8.1 of the
// product rules). The zero Action is unknown and always refused. Stored and sent as its text,
// which never changes; the number is not stable.
type Action uint8

// The number behind each name is the row of the matrix.
const (
	CreateInbox        Action = iota + 1 // 1: connect one's own mailbox
	SeeInbox                             // 2: know that the inbox exists
	ViewTickets                          // 3: list and read tickets, messages, attachments
	CountInReports                       // 4: have the inbox counted in one's own search and reports
	AddNote                              // 5
	EditNote                             // 6: never a received or sent mail
	Redact                               // 6: take content out of a mail, leaving a marker
	DeleteOwnNote                        // 7a
	Delete                               // 7b: another's note, a message or a ticket
	Reply                                // 8
	Forward                              // 9
	StartTicket                          // 10: write first
	EditOptions                          // 11: status, assignee, tags, type, customer, fields, ...
	BeAssignee                           // 12: asked for the person who is to be assigned
	Merge                                // 13: asked for each inbox a ticket is merged away from
	Split                                // 13
	Move                                 // 14: asked for the inbox the ticket leaves
	Follow                               // 15: for oneself
	AddFollower                          // 16
	LogTime                              // 17
	InsertCanned                         // 18: canned responses and templates
	RunTrigger                           // 19: by hand
	ViewTrash                            // 20
	Restore                              // 21
	Purge                                // R-ACL-10: end a deleted ticket early; takes rows 7b and 20
	EditSettings                         // 22: name, filters, shared exclusions, signature, defaults
	PersonalExclusions                   // 22b: read and edit the creator's own
	Widen                                // 23: show more mail, or drop an exclusion
	Share                                // 24: grant, change, revoke
	ManageAutomation                     // 25: triggers, auto reply, canned responses
	EnableSending                        // R-ACL-11: switch on what sends by itself
	Connect                              // 26: connect or re-authorise the mailbox
	PauseInbox                           // 27
	ResumeInbox                          // 27
	DisconnectInbox                      // 27
	DeleteInbox                          // 28
	MarkPrivate                          // 29: mark a thread private, change its level
	ReadAudit                            // 30
	EraseCustomer                        // 31: an action on the site, so the inbox may be nil
	PreviewRules                         // 32
	ExplainMail                          // 33: why a mail is not here
	Backfill                             // 34: and a reapply that widens
	ViewRaw                              // 35
	Export                               // 36
	ViewHealth                           // 37: health and ledger, totals
	Search                               // 38
	LinkTask                             // 39: create or link a task
	SeeCustomer                          // 40: a customer known only from this inbox
	ReceiveEvents                        // 41: events with content

	actions // one more than the last
)

var actionTexts = [actions]string{
	CreateInbox: "create_inbox", SeeInbox: "see_inbox", ViewTickets: "view_tickets",
	CountInReports: "count_in_reports", AddNote: "add_note", EditNote: "edit_note",
	Redact: "redact", DeleteOwnNote: "delete_own_note", Delete: "delete", Reply: "reply",
	Forward: "forward", StartTicket: "start_ticket", EditOptions: "edit_options",
	BeAssignee: "be_assignee", Merge: "merge", Split: "split", Move: "move", Follow: "follow",
	AddFollower: "add_follower", LogTime: "log_time", InsertCanned: "insert_canned",
	RunTrigger: "run_trigger", ViewTrash: "view_trash", Restore: "restore", Purge: "purge",
	EditSettings: "edit_settings", PersonalExclusions: "personal_exclusions", Widen: "widen",
	Share: "share", ManageAutomation: "manage_automation", EnableSending: "enable_sending",
	Connect: "connect", PauseInbox: "pause_inbox", ResumeInbox: "resume_inbox",
	DisconnectInbox: "disconnect_inbox", DeleteInbox: "delete_inbox", MarkPrivate: "mark_private",
	ReadAudit: "read_audit", EraseCustomer: "erase_customer", PreviewRules: "preview_rules",
	ExplainMail: "explain_mail", Backfill: "backfill", ViewRaw: "view_raw", Export: "export",
	ViewHealth: "view_health", Search: "search", LinkTask: "link_task",
	SeeCustomer: "see_customer", ReceiveEvents: "receive_events",
}

// Actions returns every known action in the order of the matrix. The caller owns the slice.
func Actions() []Action {
	all := make([]Action, 0, actions-1)
	for a := Action(1); a < actions; a++ {
		all = append(all, a)
	}
	return all
}

// ParseAction returns the action with that text. The text must match exactly; anything else, the
// empty text too, is an error that quotes it.
func ParseAction(text string) (Action, error) {
	for a := Action(1); a < actions; a++ {
		if actionTexts[a] == text {
			return a, nil
		}
	}
	return 0, fmt.Errorf("action %q is not known", text)
}

// String returns the text of the action: empty for the zero Action, "action(n)" for a number that
// names none.
func (a Action) String() string {
	if a.known() || a == 0 {
		return actionTexts[a]
	}
	return fmt.Sprintf("action(%d)", uint8(a))
}

// MarshalText returns String and never an error, so that a refused unknown action can be recorded.
func (a Action) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads what MarshalText wrote for a known or the zero Action; see ParseAction.
func (a *Action) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*a = 0
		return nil
	}
	parsed, err := ParseAction(string(text))
	if err != nil {
		return err
	}
	*a = parsed
	return nil
}

func (a Action) known() bool { return a > 0 && a < actions }

// set is a set of actions, one bit each.
type set uint64

func setOf(list ...Action) set {
	var s set
	for _, a := range list {
		s |= 1 << a
	}
	return s
}

func (s set) has(a Action) bool { return s>>a&1 == 1 }
