package outlook

import (
	"net/mail"
	"time"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/rfc822"
)

// page is one page of a list or of a delta query.
type page[T any] struct {
	Next  string `json:"@odata.nextLink"`
	Delta string `json:"@odata.deltaLink"`
	Count int    `json:"@odata.count"`
	Value []T    `json:"value"`
}

// message is what is read of a message. The SDK's model of one costs some 900 allocations
// (https://learn.microsoft.com/graph/api/resources/message).
type message struct {
	ID           string      `json:"id"`
	Conversation string      `json:"conversationId"`
	Received     time.Time   `json:"receivedDateTime"`
	Folder       string      `json:"parentFolderId"`
	MessageID    string      `json:"internetMessageId"`
	Draft        bool        `json:"isDraft"`
	Read         bool        `json:"isRead"`
	From         recipient   `json:"from"`
	Sender       recipient   `json:"sender"`
	To           []recipient `json:"toRecipients"`
	Cc           []recipient `json:"ccRecipients"`
	Bcc          []recipient `json:"bccRecipients"`
	ReplyTo      []recipient `json:"replyTo"`
	Headers      fields      `json:"internetMessageHeaders"`

	Removed *struct{} `json:"@removed"`

	raw []byte // the message itself, where it was built; else nil
}

// messageFields are the properties a message is read with. The class of a mail is told by its header
// fields, which come only when they are asked for by name.
const messageFields = "id,conversationId,receivedDateTime,parentFolderId,internetMessageId,isDraft,isRead," +
	"from,sender,toRecipients,ccRecipients,bccRecipients,replyTo,internetMessageHeaders"

type recipient struct {
	EmailAddress mail.Address `json:"emailAddress"` // "name" and "address", whatever their case
}

// folder is what is read of a mail folder
// (https://learn.microsoft.com/graph/api/resources/mailfolder).
type folder struct {
	ID      string    `json:"id"`
	Parent  string    `json:"parentFolderId"`
	Hidden  bool      `json:"isHidden"`
	Removed *struct{} `json:"@removed"`
}

// partial says whether a record of a delta query holds no more than what changed. Every message has
// been received.
func (x *message) partial() bool { return x.Received.IsZero() || x.Folder == "" }

// header makes a Header of a message that lies in a folder of that kind.
func (x *message) header(kind folderKind) provider.Header {
	h := provider.Header{
		ID: provider.RemoteID(x.ID), Thread: provider.ThreadID(x.Conversation), Received: x.Received.UTC(),
		Folder: kind.folder(), Sent: provider.MarkNotSent, Unread: !x.Read,
		From: addresses(x.From), To: addresses(x.To...), Cc: addresses(x.Cc...), Bcc: addresses(x.Bcc...),
		ReplyTo: addresses(x.ReplyTo...), MessageID: inner(x.MessageID), Fields: x.Headers.class(),
		Raw: x.raw,
	}
	if h.Thread == "" {
		h.Thread = provider.ThreadID(x.ID)
	}
	// Graph always names a sender; only one that is not the author tells something.
	if s := x.Sender.EmailAddress; s != x.From.EmailAddress {
		h.Sender = s
	}
	if x.Draft && h.Folder == provider.FolderMail {
		h.Folder = provider.FolderDraft
	}
	switch {
	case kind == kindSent:
		h.Sent = provider.MarkSent
	case !x.Headers.some:
		// Mail that did not come over a network was written here: sent, and filed by its author.
		h.Sent = provider.MarkUnknown
	}
	return h
}

func addresses(list ...recipient) []mail.Address {
	if len(list) == 0 {
		return nil
	}
	out := make([]mail.Address, 0, len(list))
	for _, r := range list {
		if a := r.EmailAddress; a != (mail.Address{}) {
			a.Address = rfc822.QuoteLocal(a.Address) // not all servers write the quotes
			out = append(out, a)
		}
	}
	return out
}
