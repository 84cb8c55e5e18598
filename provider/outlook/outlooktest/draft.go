package outlooktest

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/workinbox/workinbox/provider/rfc822"
)

// messageRequest is a message in a request. What is nil is not there.
type messageRequest struct {
	Subject    *string      `json:"subject"`
	Body       *bodyRequest `json:"body"`
	Importance *string      `json:"importance"`
	From       *recipient   `json:"from"`
	Sender     *recipient   `json:"sender"`
	To         *[]recipient `json:"toRecipients"`
	Cc         *[]recipient `json:"ccRecipients"`
	Bcc        *[]recipient `json:"bccRecipients"`
	ReplyTo    *[]recipient `json:"replyTo"`
	MessageID  *string      `json:"internetMessageId"`
	Headers    []struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	} `json:"internetMessageHeaders"`
	Attachments []attachmentRequest `json:"attachments"`
	Read        *bool               `json:"isRead"`
	Flag        *struct {
		Status string `json:"flagStatus"`
	} `json:"flag"`
	Extended []struct {
		ID    string `json:"id"`
		Value string `json:"value"`
	} `json:"singleValueExtendedProperties"`
}

type bodyRequest struct {
	ContentType string `json:"contentType"`
	Content     string `json:"content"`
}

type recipient struct {
	EmailAddress struct {
		Name    string `json:"name"`
		Address string `json:"address"`
	} `json:"emailAddress"`
}

func (r recipient) address() rfc822.Address {
	return rfc822.Address{Name: r.EmailAddress.Name, Address: r.EmailAddress.Address}
}

func addresses(list []recipient) []rfc822.Address {
	out := make([]rfc822.Address, len(list))
	for i, r := range list {
		out[i] = r.address()
	}
	return out
}

// needsDraft says whether the request changes what only a draft lets change.
//
// Source: https://learn.microsoft.com/graph/api/message-update
func (r *messageRequest) needsDraft() bool {
	return r.Subject != nil || r.Body != nil || r.From != nil || r.Sender != nil || r.To != nil ||
		r.Cc != nil || r.Bcc != nil || r.ReplyTo != nil || r.MessageID != nil
}

// maxHeaders is how many headers of its own a message may have.
//
// Source: https://learn.microsoft.com/graph/api/resources/internetmessageheader
const maxHeaders = 5

// check refuses what cannot be in a message.
func (r *messageRequest) check() *apiError {
	if len(r.Headers) > maxHeaders {
		return refuse(400, "InvalidInternetMessageHeaderCollection",
			"The maximum number of internet message headers is 5.")
	}
	for _, h := range r.Headers {
		if !strings.HasPrefix(strings.ToLower(h.Name), "x-") {
			return refuse(400, "InvalidInternetMessageHeader", "The internet message header name '"+
				h.Name+"' should start with 'x-' or 'X-'.")
		}
	}
	for _, a := range r.Attachments {
		if refusal := a.check(); refusal != nil {
			return refusal
		}
	}
	return nil
}

// apply changes m as the request asks.
func (r *messageRequest) apply(m *message) {
	c := m.parts()
	for _, f := range []struct {
		from *[]recipient
		to   *[]rfc822.Address
	}{{r.To, &c.to}, {r.Cc, &c.cc}, {r.Bcc, &c.bcc}, {r.ReplyTo, &c.replyTo}} {
		if f.from != nil {
			*f.to = addresses(*f.from)
		}
	}
	if r.Subject != nil {
		c.subject = *r.Subject
	}
	if r.Body != nil {
		c.body, c.html = r.Body.Content, strings.EqualFold(r.Body.ContentType, "html")
	}
	if r.From != nil {
		c.from, c.sender = r.From.address(), r.From.address()
	}
	if r.Sender != nil {
		c.sender = r.Sender.address()
	}
	if r.MessageID != nil && *r.MessageID != "" {
		c.messageID = *r.MessageID
	}
	if r.Importance != nil {
		c.importance = strings.ToLower(*r.Importance)
	}
	for _, h := range r.Headers {
		c.headers = append(c.headers, rfc822.HeaderField{Name: h.Name, Value: h.Value})
	}
	if r.Read != nil {
		m.read = *r.Read
	}
	if r.Flag != nil {
		m.flagged = r.Flag.Status == "flagged"
	}
	for _, e := range r.Extended {
		if m.extended == nil {
			m.extended = make(map[string]string)
		}
		m.extended[propertyKey(e.ID)] = e.Value
	}
	m.edited()
	for _, a := range r.Attachments {
		m.attach(a.attachment())
	}
}

// newDraft makes an empty draft that is not stored yet.
func (a *Account) newDraft() *message {
	a.s.serial++
	c := &content{importance: "normal"}
	c.messageID = "<" + strings.ToUpper(guid("mid", a.oid, time.Unix(int64(a.s.serial), 0).String())) +
		"@outlook.invalid>"
	return &message{draft: true, outgoing: true, read: true, parsed: c, owner: a}
}

// draftOf reads a draft from the request: JSON, or MIME in base64. wrapped requests have the message
// in a property.
func (c *call) draftOf() (m *message, refusal *apiError) {
	if mediaType(c.r.Header) == "text/plain" {
		raw, refusal := c.mime()
		if refusal != nil {
			return nil, refusal
		}
		c.s.mu.Lock()
		defer c.s.mu.Unlock()
		return c.a.mimeDraft(raw), nil
	}
	var req messageRequest
	if refusal := c.decode(&req); refusal != nil {
		return nil, refusal
	}
	if refusal := req.check(); refusal != nil {
		return nil, refusal
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	m = c.a.newDraft()
	req.apply(m)
	return m, nil
}

// mime reads a MIME message in standard base64. It must be called without the lock.
//
// Source: https://learn.microsoft.com/graph/outlook-send-mime-message
func (c *call) mime() ([]byte, *apiError) {
	b, refusal := c.body()
	if refusal != nil {
		return nil, refusal
	}
	raw, err := base64.StdEncoding.DecodeString(strings.NewReplacer("\r", "", "\n", "").Replace(string(b)))
	if err != nil || len(raw) == 0 {
		return nil, refuse(400, "ErrorMimeContentInvalidBase64String",
			"Invalid base64 string for MIME content.")
	}
	return raw, nil
}

// mimeDraft makes a draft of MIME; it is called with the lock.
func (a *Account) mimeDraft(raw []byte) *message {
	raw = a.filterHeader(raw)
	c := parse(raw)
	m := a.newDraft()
	if c.messageID == "" {
		c.messageID = m.parsed.messageID
	}
	m.raw, m.parsed, m.asMIME = raw, c, true
	return m
}

func createDraft(c *call) (any, *apiError) {
	m, refusal := c.draftOf()
	if refusal != nil {
		return nil, refusal
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	f := c.a.folders["drafts"]
	if c.ids[0] != "" {
		if f, refusal = c.folder(c.ids[0]); refusal != nil {
			return nil, refusal
		}
	}
	c.a.add(m, f)
	return c.draftEntity(m), nil
}

func (c *call) draftEntity(m *message) created {
	v := view{prefer: c.prefer}
	return created{
		body:     c.messageEntity(m, v),
		location: c.s.URL() + "/v1.0/me/messages('" + m.idOf(c.prefer.immutable) + "')",
	}
}

func updateMessage(c *call) (any, *apiError) {
	var req messageRequest
	if refusal := c.decode(&req); refusal != nil {
		return nil, refusal
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	m, refusal := c.message(c.ids[0])
	if refusal != nil {
		return nil, refusal
	}
	if !m.draft && req.needsDraft() {
		return nil, refuse(400, "ErrorInvalidPropertySet",
			"The property can be set only while the message is a draft.")
	}
	if refusal := req.check(); refusal != nil {
		return nil, refusal
	}
	v, refusal := c.view()
	if refusal != nil {
		return nil, refusal
	}
	kind := changeUpdated
	if req.Read != nil && req.Flag == nil && !req.needsDraft() && req.Extended == nil {
		kind = changeRead
	}
	if m.draft {
		c.a.forgetMessageID(m)
		req.apply(m)
		c.a.indexMessageID(m)
	} else {
		raw := m.mime()
		parsed := *m.parts()
		(&messageRequest{Read: req.Read, Flag: req.Flag, Extended: req.Extended}).apply(m)
		m.raw, m.parsed = raw, &parsed // nothing of the mail itself has changed
	}
	c.a.note(m.folder, m, kind)
	return c.messageEntity(m, v), nil
}

// replyRequest is what the calls that answer or forward take.
type replyRequest struct {
	Comment string          `json:"comment"`
	Message *messageRequest `json:"message"`
	To      *[]recipient    `json:"toRecipients"`
}

// replyDraft makes the draft of an answer or a forwarded mail.
//
// Source: https://learn.microsoft.com/graph/api/message-createreply
func (c *call) replyDraft() (*message, *apiError) {
	var req replyRequest
	var raw []byte
	var refusal *apiError
	if mediaType(c.r.Header) == "text/plain" {
		raw, refusal = c.mime()
	} else {
		refusal = c.decode(&req)
	}
	if refusal == nil && req.Message != nil {
		refusal = req.Message.check()
		if req.Message.Body != nil && req.Comment != "" {
			refusal = refuse(400, "ErrorInvalidRequest",
				"Specify either a comment or the body of the message, not both.")
		}
	}
	if refusal != nil {
		return nil, refusal
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	parent, refusal := c.message(c.ids[0])
	if refusal != nil {
		return nil, refusal
	}
	name := strings.ToLower(string(c.route.method))
	m := c.a.newDraft()
	if raw != nil {
		m = c.a.mimeDraft(raw)
	} else {
		c.a.answer(m, parent, name, req.Comment)
		if req.Message != nil {
			req.Message.apply(m)
		}
		if req.To != nil {
			m.parts().to = addresses(*req.To)
			m.edited()
		}
	}
	if !strings.HasSuffix(name, "forward") || raw == nil {
		c.a.join(m, parent)
	}
	return m, nil
}

// answer fills a draft from the mail it answers or forwards.
func (a *Account) answer(m, parent *message, name, comment string) {
	c, p := m.parts(), parent.parts()
	e := rfc822.Envelope{
		MessageID: strings.Trim(p.messageID, "<>"), InReplyTo: p.inReplyTo,
		References: p.references, From: []rfc822.Address{p.from}, ReplyTo: p.replyTo, To: p.to,
		Cc: p.cc, Subject: p.subject, Date: parent.sentAt(),
	}
	c.html = true
	c.inReplyTo, c.references = rfc822.ReplyHeaders(e)
	if strings.HasSuffix(name, "forward") {
		c.subject = "FW: " + p.subject
		c.body = "<p>" + comment + "</p>" + rfc822.ForwardHTML(e, p.htmlBody(false, false))
		for _, at := range p.attachments {
			m.attach(&attachment{
				name: at.name, media: at.media, contentID: at.contentID, inline: at.inline,
				size: at.size, item: at.item, data: at.bytes(parent),
			})
		}
	} else {
		c.subject = "RE: " + p.subject
		if len(p.subject) >= 3 && strings.EqualFold(p.subject[:3], "re:") {
			c.subject = p.subject
		}
		c.to, c.cc = rfc822.ReplyRecipients(e, a.aliases), nil
		if strings.HasSuffix(name, "all") {
			c.to, c.cc = rfc822.ReplyAllRecipients(e, a.aliases)
		}
		c.body = "<p>" + comment + "</p>" + rfc822.QuoteHTML(e, p.htmlBody(false, false))
	}
	m.edited()
}

func createReply(c *call) (any, *apiError) {
	m, refusal := c.replyDraft()
	if refusal != nil {
		return nil, refusal
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	c.a.add(m, c.a.folders["drafts"])
	return c.draftEntity(m), nil
}

// replyNow answers or forwards at once.
func replyNow(c *call) (any, *apiError) {
	m, refusal := c.replyDraft()
	if refusal != nil {
		return nil, refusal
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	return c.post(m, true)
}

// post stores a mail among the drafts and sends it.
func (c *call) post(m *message, save bool) (any, *apiError) {
	if refusal := c.a.sendable(m); refusal != nil {
		return nil, refusal
	}
	c.a.add(m, c.a.folders["drafts"])
	c.a.accept(m, save)
	return noContent{http.StatusAccepted}, nil
}

// xHeaders are the names of the message's own headers, in lower case.
func (m *message) xHeaders() []string {
	var out []string
	for _, h := range m.parts().headers {
		if n := strings.ToLower(h.Name); strings.HasPrefix(n, "x-") && !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out
}
