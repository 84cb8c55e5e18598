package outlooktest

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// maxInline is how large an attachment may be that comes in one request; larger ones need an upload
// session, which takes nothing smaller.
//
// Source: https://learn.microsoft.com/graph/outlook-large-attachments
const maxInline = 3 << 20

type attachmentRequest struct {
	Type         string `json:"@odata.type"`
	Name         string `json:"name"`
	ContentType  string `json:"contentType"`
	ContentBytes string `json:"contentBytes"`
	ContentID    string `json:"contentId"`
	Inline       bool   `json:"isInline"`
}

func (a *attachmentRequest) check() *apiError {
	if a.Type != "#microsoft.graph.fileAttachment" && a.Type != "microsoft.graph.fileAttachment" {
		return badRequest("The property '@odata.type' must be '#microsoft.graph.fileAttachment'.")
	}
	b, err := base64.StdEncoding.DecodeString(a.ContentBytes)
	switch {
	case a.Name == "":
		return refuse(400, "ErrorInvalidRequest", "Required property 'name' is missing.")
	case err != nil:
		return badRequest("Cannot convert the literal of 'contentBytes' to the expected type 'Edm.Binary'.")
	case len(b) > maxInline:
		return tooLarge()
	}
	return nil
}

// attachment makes the attachment of a request that was checked.
func (a *attachmentRequest) attachment() *attachment {
	data, _ := base64.StdEncoding.DecodeString(a.ContentBytes) // checked
	media := a.ContentType
	if media == "" {
		media = "application/octet-stream"
	}
	return &attachment{
		name: a.Name, media: media, contentID: a.ContentID, inline: a.Inline,
		size: len(data), data: data,
	}
}

// attach adds an attachment to a draft.
func (m *message) attach(a *attachment) {
	m.edited()
	a.modified = m.owner.s.now()
	c := m.parts()
	c.attachments = append(slices.Clone(c.attachments), a)
}

// attachmentID is opaque and belongs to the id of the message in either format.
func (m *message) attachmentID(a *attachment, immutable bool) string {
	at := slices.Index(m.parts().attachments, a)
	return strings.TrimRight(m.idOf(immutable), "=") + "BEgAQ" +
		base64.RawURLEncoding.EncodeToString([]byte(strconv.Itoa(at)+a.name))
}

func (m *message) findAttachment(id string) *attachment {
	for _, a := range m.parts().attachments {
		if id == m.attachmentID(a, false) || id == m.attachmentID(a, true) {
			return a
		}
	}
	return nil
}

var attachmentFields = []string{
	"id", "lastModifiedDateTime", "name", "contentType", "size", "isInline", "contentId",
	"contentLocation", "contentBytes",
}

func (m *message) writeAttachment(o *object, a *attachment, sel selection) {
	m.writeAttachmentAs(o, a, sel, false)
}

func (m *message) writeAttachmentAs(o *object, a *attachment, sel selection, immutable bool) {
	modified := a.modified
	if modified.IsZero() {
		modified = m.modified
	}
	if a.item {
		o.text("@odata.type", "#microsoft.graph.itemAttachment")
	} else {
		o.text("@odata.type", "#microsoft.graph.fileAttachment")
		o.text("@odata.mediaContentType", a.media)
	}
	o.text("id", m.attachmentID(a, immutable))
	for _, name := range attachmentFields[1:] {
		if !sel.wants(name) || a.item && strings.HasPrefix(name, "content") && name != "contentType" {
			continue
		}
		switch name {
		case "lastModifiedDateTime":
			o.instant(name, modified)
		case "name":
			o.text(name, a.name)
		case "contentType":
			o.text(name, a.media)
		case "size":
			o.number(name, a.size)
		case "isInline":
			o.truth(name, a.inline)
		case "contentId":
			if a.contentID == "" {
				o.null(name)
			} else {
				o.text(name, a.contentID)
			}
		case "contentLocation":
			o.null(name)
		case "contentBytes":
			o.text(name, base64.StdEncoding.EncodeToString(a.bytes(m)))
		}
	}
}

func listAttachments(c *call) (any, *apiError) {
	m, refusal := c.message(c.ids[0])
	if refusal != nil {
		return nil, refusal
	}
	sel, refusal := parseSelect(c.query, "attachment", attachmentFields)
	if refusal != nil {
		return nil, refusal
	}
	values := [][]byte{}
	for _, a := range m.parts().attachments {
		o := newObject()
		m.writeAttachmentAs(o, a, sel, c.prefer.immutable)
		values = append(values, o.bytes())
	}
	c.items = len(values)
	out := newObject()
	out.text("@odata.context", c.context("/messages('"+c.ids[0]+"')/attachments", sel))
	out.list("value", values)
	return out, nil
}

// attachmentOf finds the attachment that the path names.
func (c *call) attachmentOf() (*message, *attachment, *apiError) {
	m, refusal := c.message(c.ids[0])
	if refusal != nil {
		return nil, nil, refusal
	}
	a := m.findAttachment(c.ids[1])
	if a == nil {
		return nil, nil, itemNotFound()
	}
	return m, a, nil
}

func getAttachment(c *call) (any, *apiError) {
	m, a, refusal := c.attachmentOf()
	if refusal != nil {
		return nil, refusal
	}
	sel, refusal := parseSelect(c.query, "attachment", attachmentFields)
	if refusal != nil {
		return nil, refusal
	}
	return c.attachmentEntity(m, a, sel), nil
}

func (c *call) attachmentEntity(m *message, a *attachment, sel selection) *object {
	o := newObject()
	o.text("@odata.context", c.context("/messages('"+c.ids[0]+"')/attachments", sel)+"/$entity")
	m.writeAttachmentAs(o, a, sel, c.prefer.immutable)
	return o
}

func getAttachmentValue(c *call) (any, *apiError) {
	m, a, refusal := c.attachmentOf()
	if refusal != nil {
		return nil, refusal
	}
	return text{a.media, a.bytes(m)}, nil
}

func addAttachment(c *call) (any, *apiError) {
	var req attachmentRequest
	if refusal := c.decode(&req); refusal != nil {
		return nil, refusal
	}
	if refusal := req.check(); refusal != nil {
		return nil, refusal
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	m, refusal := c.draft()
	if refusal != nil {
		return nil, refusal
	}
	a := req.attachment()
	m.attach(a)
	c.a.note(m.folder, m, changeUpdated)
	return created{body: c.attachmentEntity(m, a, selection{})}, nil
}

// draft is the message that the path names, which must be a draft.
func (c *call) draft() (*message, *apiError) {
	m, refusal := c.message(c.ids[0])
	if refusal != nil {
		return nil, refusal
	}
	if !m.draft {
		return nil, accessDenied()
	}
	return m, nil
}

func deleteAttachment(c *call) (any, *apiError) {
	m, refusal := c.draft()
	if refusal != nil {
		return nil, refusal
	}
	a := m.findAttachment(c.ids[1])
	if a == nil {
		return nil, itemNotFound()
	}
	m.edited()
	list := slices.Clone(m.parts().attachments)
	m.parts().attachments = slices.DeleteFunc(list, func(x *attachment) bool { return x == a })
	c.a.note(m.folder, m, changeUpdated)
	return noContent{http.StatusNoContent}, nil
}
