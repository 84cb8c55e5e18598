package inbox

import (
	"time"

	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/rfc822"
)

// MessageID names a stored message.
type MessageID string

// ThreadID names a conversation inside one inbox: the provider's own thread id.
type ThreadID = provider.ThreadID

// Message is one stored mail without its text. Every string is valid UTF-8. Times are UTC.
type Message struct {
	ID     MessageID         `json:"id"`
	Site   SiteID            `json:"site"`
	Inbox  ID                `json:"inbox"`
	Remote provider.RemoteID `json:"remote"`
	Thread ThreadID          `json:"thread"`
	// Seq is the place in the inbox's log where the message arrived; the store assigns it.
	Seq uint64 `json:"seq"`

	RFCID      string           `json:"rfc_id,omitempty"` // Message-ID without <>
	References []string         `json:"references,omitempty"`
	From       []rfc822.Address `json:"from,omitempty"`
	Sender     rfc822.Address   `json:"sender"`
	ReplyTo    []rfc822.Address `json:"reply_to,omitempty"`
	To         []rfc822.Address `json:"to,omitempty"`
	Cc         []rfc822.Address `json:"cc,omitempty"`
	Bcc        []rfc822.Address `json:"bcc,omitempty"` // for the creator and the sender only
	Subject    string           `json:"subject"`
	Preview    string           `json:"preview"`

	Received time.Time `json:"received"` // the provider's received time
	Date     time.Time `json:"date"`     // the Date field; zero when missing or unparsable
	StoredAt time.Time `json:"stored_at"`

	Direction  filter.Direction `json:"direction"`
	ForgedSelf bool             `json:"forged_self,omitempty"`
	Class      rfc822.Class     `json:"class"`
	Auth       rfc822.Auth      `json:"auth"`
	Unread     bool             `json:"unread,omitempty"`
	// Imported marks mail that came in silently: no notice, auto reply or trigger (R-IMP-07).
	Imported bool `json:"imported,omitempty"`

	// Reason and Rules say under which rule and rule version the message was accepted (R-CHG-05).
	Reason  filter.Reason `json:"reason"`
	Rules   uint64        `json:"rules"`
	Private bool          `json:"private,omitempty"` // class policy accept_private: creator only

	Customer CustomerID `json:"customer,omitempty"`
	Company  CompanyID  `json:"company,omitempty"`
	// AssociationLost says that the client this mail came in for is not one any more (R-CHG-07).
	AssociationLost bool `json:"association_lost,omitempty"`

	// Report is set on a delivery report: what it says of which message.
	Report *DeliveryReport `json:"report,omitempty"`
	// CopyOf links a second copy of the same mail to the first (R-IMP-06); shown once.
	CopyOf MessageID `json:"copy_of,omitempty"`
	// Marker is the send marker of a mail this library sent.
	Marker string `json:"marker,omitempty"`

	Attachments int             `json:"attachments,omitempty"`
	Size        int64           `json:"size"` // raw bytes
	Blob        BlobKey         `json:"blob,omitempty"`
	Damage      []rfc822.Damage `json:"damage,omitempty"`
	Unreadable  bool            `json:"unreadable,omitempty"`
	Hidden      bool            `json:"hidden,omitempty"`  // by a rule change (R-CHG-03)
	Removed     bool            `json:"removed,omitempty"` // deleted at the provider, mirror mode
	Folder      provider.Folder `json:"folder,omitempty"`
	Calendar    string          `json:"calendar,omitempty"` // METHOD of a text/calendar part
}

// DeliveryReport is what a bounce says of a message sent from here.
type DeliveryReport struct {
	Of         MessageID `json:"of,omitempty"` // the stored message it is about
	OriginalID string    `json:"original_id,omitempty"`
	Recipients []string  `json:"recipients,omitempty"`
	Hard       bool      `json:"hard,omitempty"`
	Status     string    `json:"status,omitempty"` // RFC 3463
}

// Content is the text of a message. HTML is kept as it came; htmlsafe.Clean makes it safe to show.
type Content struct {
	Message MessageID     `json:"message"`
	Text    string        `json:"text"`
	HTML    string        `json:"html,omitempty"`
	Parts   []rfc822.Part `json:"parts,omitempty"` // attachments and inline parts
}
