package filter

import "time"

// Folder is where a message lies, as far as row 1 asks: empty for the inbox, the archive, sent mail
// and people's own folders. Anything else keeps the message out (R-IMP-08).
type Folder string

// The folders whose mail is skipped.
const (
	FolderDraft  Folder = "draft"
	FolderSpam   Folder = "spam"
	FolderTrash  Folder = "trash"
	FolderChat   Folder = "chat"
	FolderOutbox Folder = "outbox"
)

// Mark says whether the mail service marks a message as sent by the account (5.1).
type Mark uint8

// The marks. Unknown is that of a source without such marks, where From alone decides.
const (
	Unknown Mark = iota
	Sent
	NotSent
)

// Facts are what the filter looks at in one message: facts of its headers, nothing of its body.
// Addresses are bare addr-specs as they came, in any case; what is no address is passed over. The
// filter trusts From (R-FLT-11) and reads ReplyTo only with Rules.PreferReplyTo.
type Facts struct {
	Folder      Folder
	Received    time.Time // the mail service's received time, never the Date header
	From        []string
	Sender      string
	ReplyTo     []string
	To, Cc, Bcc []string
	SentMark    Mark
	Class       Class
	// Report says that the message looks like a delivery report (row 10b).
	Report bool
	// CalendarReply marks a calendar message with METHOD=REPLY or CANCEL: in ClientAssociated it
	// enters only through row 10 (11.6).
	CalendarReply bool
}

// Thread is what is known about the thread of a message.
type Thread struct {
	// Opened is the received time of its oldest stored message that row 11 or 12 accepts
	// (Verdict.Opens); zero while there is none.
	Opened time.Time
}

// Direction says which way a message went.
type Direction string

// The directions.
const (
	Inbound  Direction = "inbound"
	Outbound Direction = "outbound"
)

// Reason is the code of the row that decided. The texts are stored and never change.
type Reason string

// The reasons, with the numbers of the rows in the package comment.
const (
	SkippedFolder       Reason = "skipped_folder"        // 1
	OutsideWindow       Reason = "outside_window"        // 3
	NoSender            Reason = "no_sender"             // 4
	Erased              Reason = "erased"                // 5
	Excluded            Reason = "excluded"              // 6
	InternalOnly        Reason = "internal_only"         // 7
	Automated           Reason = "automated"             // 8
	ModeAll             Reason = "mode_all"              // 9
	KnownThread         Reason = "known_thread"          // 10
	Report              Reason = "report"                // 10b
	CustomerCompany     Reason = "customer_company"      // 11
	CompanyDomain       Reason = "company_domain"        // 12
	NotClientAssociated Reason = "not_client_associated" // 13
)

// Verdict is the decision on one message. Of a rejected message only Reason, Version and
// ClientPresent may be kept (R-IMP-11).
type Verdict struct {
	Accept bool
	// Private says that an accepted message is for the creator alone (PolicyAcceptPrivate).
	Private bool
	Reason  Reason
	// Version is that of the newest revision, under which the message was decided.
	Version   uint64
	Direction Direction
	// ForgedSelf marks an inbound message with the account's own address in From (5.1). It is
	// accepted only in mode All, belongs to nobody and is answered by nothing.
	ForgedSelf bool
	// ClientPresent says that an external client is among From, To and Cc.
	ClientPresent bool
	// Opens says that the message was accepted and that row 11 or 12 would do so without its thread:
	// from its received time on the thread is known (row 10). It does not depend on the mode.
	Opens bool
	// NeedsReport says that no row before 10b decides: the caller opens the message, reads the
	// Message-ID its third part names, and asks DecideReport. Accept is false and Reason is Report.
	NeedsReport bool
	// Customer and Company are those of the counterparty, empty where unknown or rejected.
	Customer CustomerID
	Company  CompanyID
	// Counterparty is the address that decided. Where none did, it is the sender, or for outbound mail
	// the first external address of To and Cc. It may share memory with the facts.
	Counterparty string
}
