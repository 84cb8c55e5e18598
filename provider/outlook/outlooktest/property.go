package outlooktest

import (
	"cmp"
	"encoding/base64"
	"net/url"
	"strings"
	"time"

	"github.com/workinbox/workinbox/provider/rfc822"
)

// messageFields are the properties of a message without $select, in Graph's order.
//
// Source: https://learn.microsoft.com/graph/api/resources/message
var messageFields = []string{
	"id", "createdDateTime", "lastModifiedDateTime", "changeKey", "categories",
	"receivedDateTime", "sentDateTime", "hasAttachments", "internetMessageId", "subject",
	"bodyPreview", "importance", "parentFolderId", "conversationId", "conversationIndex",
	"isDeliveryReceiptRequested", "isReadReceiptRequested", "isRead", "isDraft", "webLink",
	"inferenceClassification", "body", "sender", "from", "toRecipients", "ccRecipients",
	"bccRecipients", "replyTo", "flag",
}

// hiddenFields come only when they are selected by name.
var hiddenFields = []string{"internetMessageHeaders", "uniqueBody"}

// bodyFields are refused to those who may read no more than Mail.ReadBasic.
var bodyFields = []string{"body", "bodyPreview", "uniqueBody", "attachments"}

// view is how a caller wants messages.
type view struct {
	sel       selection
	prefer    preferences
	basic     bool     // Mail.ReadBasic alone
	extended  []string // ids of extended properties to expand
	attached  bool     // expand attachments
	entityTyp bool     // always name the type, as delta queries do
	noHeaders bool     // Config.NoListHeaders, in a list
}

func compareValues(x, y any) int {
	switch x := x.(type) {
	case time.Time:
		return x.Compare(y.(time.Time))
	case bool:
		return cmp.Compare(asInt(x), asInt(y.(bool)))
	case exact:
		return strings.Compare(string(x), string(y.(exact)))
	case string:
		return strings.Compare(strings.ToLower(x), strings.ToLower(y.(string)))
	}
	return 0
}

func asInt(t bool) int {
	if t {
		return 1
	}
	return 0
}

func (m *message) etag() string { return `W/"` + changeKey(m.version) + `"` }

func (m *message) sentAt() time.Time {
	if d := m.parts().date; !d.IsZero() {
		return d.UTC().Truncate(time.Second)
	}
	return m.received
}

func (m *message) odataType() string {
	if m.parts().meeting {
		return "#microsoft.graph.eventMessageRequest"
	}
	return "#microsoft.graph.message"
}

// write adds the message to o.
func (m *message) write(o *object, v view) {
	if v.entityTyp || m.parts().meeting {
		o.text("@odata.type", m.odataType())
	}
	o.text("@odata.etag", m.etag())
	o.text("id", m.idOf(v.prefer.immutable))
	for _, name := range messageFields[1:] {
		if v.sel.wants(name) {
			m.property(o, name, v)
		}
	}
	// Drafts and what left the mailbox have none.
	if v.sel.chosen("internetMessageHeaders") && !m.outgoing && !v.noHeaders && len(m.parts().headers) > 0 {
		o.raw("internetMessageHeaders", m.fix("internetMessageHeaders"))
	}
	if v.sel.chosen("uniqueBody") && !v.basic {
		o.object("uniqueBody", m.bodyObject(v, true))
	}
	m.writeExtended(o, v)
	if v.attached && !v.basic {
		list := make([][]byte, 0, len(m.parts().attachments))
		for _, a := range m.parts().attachments {
			e := newObject()
			m.writeAttachment(e, a, selection{})
			list = append(list, e.bytes())
		}
		o.list("attachments", list)
	}
}

func (m *message) writeExtended(o *object, v view) {
	var list [][]byte
	for _, id := range v.extended {
		if value, ok := m.extended[propertyKey(id)]; ok {
			e := newObject()
			e.text("id", id)
			e.text("value", value)
			list = append(list, e.bytes())
		}
	}
	if len(list) > 0 {
		o.list("singleValueExtendedProperties", list)
	}
}

// property adds one property.
func (m *message) property(o *object, name string, v view) {
	switch name {
	case "createdDateTime":
		o.instant(name, m.created)
	case "lastModifiedDateTime":
		o.instant(name, m.modified)
	case "changeKey":
		o.text(name, changeKey(m.version))
	case "receivedDateTime":
		o.instant(name, m.received)
	case "sentDateTime":
		o.instant(name, m.sentAt())
	case "parentFolderId":
		o.text(name, m.folder.id)
	case "conversationId":
		o.text(name, m.conversation)
	case "conversationIndex":
		o.text(name, base64.StdEncoding.EncodeToString(m.index))
	case "isDeliveryReceiptRequested":
		o.null(name)
	case "isReadReceiptRequested":
		o.truth(name, false)
	case "isRead":
		o.truth(name, m.read)
	case "isDraft":
		o.truth(name, m.draft)
	case "webLink":
		o.text(name, "https://outlook.office365.com/owa/?ItemID="+url.QueryEscape(m.id)+
			"&exvsurl=1&viewmodel=ReadMessageItem")
	case "inferenceClassification":
		o.text(name, "focused")
	case "flag":
		o.raw(name, []byte(`{"flagStatus":"`+map[bool]string{true: "flagged", false: "notFlagged"}[m.flagged]+`"}`))
	case "body":
		if !v.basic {
			o.object(name, m.bodyObject(v, false))
		}
	case "from", "sender":
		// A draft has none until it is sent.
		if m.parts().from.Address != "" || m.parts().from.Name != "" {
			o.raw(name, m.fix(name))
		}
	case "bodyPreview":
		if !v.basic {
			o.raw(name, m.fix(name))
		}
	default:
		o.raw(name, m.fix(name))
	}
}

// fix returns the JSON of a property that follows from the content alone.
func (m *message) fix(name string) []byte {
	if b, ok := m.fixed[name]; ok {
		return b
	}
	if m.fixed == nil {
		m.fixed = make(map[string][]byte)
	}
	b := m.parts().json(name)
	m.fixed[name] = b
	return b
}

func (c *content) json(name string) []byte {
	switch name {
	case "categories":
		return []byte("[]")
	case "hasAttachments":
		if c.hasAttachments() {
			return []byte("true")
		}
		return []byte("false")
	case "internetMessageId":
		return quote(c.messageID)
	case "subject":
		return quote(c.subject)
	case "bodyPreview":
		return quote(preview(c.text))
	case "importance":
		return quote(c.importance)
	case "sender":
		return addressJSON(c.sender)
	case "from":
		return addressJSON(c.from)
	case "toRecipients":
		return addressesJSON(c.to)
	case "ccRecipients":
		return addressesJSON(c.cc)
	case "bccRecipients":
		return addressesJSON(c.bcc)
	case "replyTo":
		return addressesJSON(c.replyTo)
	case "internetMessageHeaders":
		list := make([][]byte, len(c.headers))
		for i, h := range c.headers {
			o := newObject()
			o.text("name", h.Name)
			o.text("value", h.Value)
			list[i] = o.bytes()
		}
		return array(list)
	}
	panic("outlooktest: no property " + name)
}

// preview is the first 255 characters of the body on few lines.
func preview(text string) string {
	text = strings.ReplaceAll(strings.TrimSpace(text), "\n", "\r\n")
	runes := []rune(text)
	if len(runes) > 255 {
		runes = runes[:255]
	}
	return string(runes)
}

func addressJSON(a rfc822.Address) []byte {
	inner := newObject()
	name := a.Name
	if name == "" {
		name = a.Address
	}
	inner.text("name", name)
	inner.text("address", a.Address)
	o := newObject()
	o.object("emailAddress", inner)
	return o.bytes()
}

func addressesJSON(list []rfc822.Address) []byte {
	out := make([][]byte, len(list))
	for i, a := range list {
		out[i] = addressJSON(a)
	}
	return array(out)
}
