package outlooktest

import (
	"bytes"
	"slices"
	"strings"
	"time"

	"github.com/workinbox/workinbox/provider/rfc822"
)

// message is one message of one account. All under the server's lock.
type message struct {
	owner         *Account
	serial        uint64 // order of arrival among equal times
	number        uint64 // in the account; ids are made of it
	generation    uint64 // of the default id
	renew         bool   // the next move changes the immutable id too
	id, immutable string
	folder        *folder
	gone          bool

	// raw is the mail as it came, or nil when it was made of properties. parsed is what it says.
	raw    []byte
	parsed *content
	fixed  map[string][]byte // properties as JSON that follow from parsed

	received, created, modified time.Time
	read, draft, flagged        bool
	outgoing                    bool // made here: a draft or what was one
	asMIME                      bool // raw is what the application gave
	sending                     bool // accepted, and not yet gone out
	conversation                string
	index                       []byte
	version                     uint64
	indexed                     string            // Message-ID it is found by
	extended                    map[string]string // single-value extended properties
}

// content is what a message says.
type content struct {
	subject               string
	body                  string
	html                  bool
	text                  string // the body as plain text
	from                  rfc822.Address
	sender                rfc822.Address
	to, cc, bcc, replyTo  []rfc822.Address
	messageID             string // with its angles
	inReplyTo, references []string
	date                  time.Time
	importance            string
	headers               []rfc822.HeaderField
	attachments           []*attachment
	meeting               bool
	threadIndex           string
}

// attachment is one attachment.
type attachment struct {
	name, media, contentID string
	inline                 bool
	size                   int
	path                   string // in the message's raw
	data                   []byte // when path is ""
	item                   bool   // an attached message
	modified               time.Time
}

// parts returns what the message says.
func (m *message) parts() *content {
	if m.parsed == nil {
		m.parsed = parse(m.raw)
		if m.parsed.messageID == "" {
			// Exchange gives a message that has no Message-ID one of its own.
			m.parsed.messageID = "<" + guid(m.id, m.immutable, string(m.raw)) + "@outlook.invalid>"
		}
	}
	return m.parsed
}

func parse(raw []byte) *content {
	// Memory does not fail, and nothing else makes Parse fail.
	p, _ := rfc822.Parse(bytes.NewReader(raw), rfc822.Limits{})
	e := p.Envelope
	c := &content{
		subject: e.Subject, text: p.Text, to: e.To, cc: e.Cc, bcc: e.Bcc, replyTo: e.ReplyTo,
		inReplyTo: e.InReplyTo, references: e.References, date: e.Date, importance: "normal",
		threadIndex: p.Header.Get("Thread-Index"),
	}
	c.body, c.html = p.Text, false
	if p.HTML != "" {
		c.body, c.html = p.HTML, true
	}
	if e.MessageID != "" {
		c.messageID = "<" + e.MessageID + ">"
	}
	if len(e.From) > 0 {
		c.from, c.sender = e.From[0], e.From[0]
	}
	if e.Sender.Address != "" {
		c.sender = e.Sender
	}
	switch strings.ToLower(p.Header.Get("Importance")) {
	case "high":
		c.importance = "high"
	case "low":
		c.importance = "low"
	}
	for name, value := range p.Header.All() {
		c.headers = append(c.headers, rfc822.HeaderField{Name: name, Value: value})
	}
	for _, part := range p.Parts {
		c.meeting = c.meeting || part.Calendar
		c.attachments = append(c.attachments, &attachment{
			name: part.Name, media: part.Type, contentID: part.ContentID, inline: part.Inline,
			size: int(part.Size), path: part.Path, item: part.Type == "message/rfc822",
		})
	}
	return c
}

// size is about how much room the message takes.
func (m *message) size() int {
	if m.raw != nil {
		return len(m.raw)
	}
	n := len(m.parts().body) + 1024
	for _, a := range m.parts().attachments {
		n += a.size
	}
	return n
}

// edited forgets what was derived from the content before it changed.
func (m *message) edited() {
	for _, a := range m.parts().attachments {
		a.keep(m)
	}
	m.raw, m.fixed, m.asMIME = nil, nil, false
	m.parts().text = m.parts().body
	if m.parts().html {
		m.parts().text = rfc822.HTMLToText(m.parts().body)
	}
}

func (c *content) recipients() []string {
	var out []string
	for _, a := range slices.Concat(c.to, c.cc, c.bcc) {
		address := strings.ToLower(a.Address)
		if address != "" && !slices.Contains(out, address) {
			out = append(out, address)
		}
	}
	return out
}

func (c *content) hasAttachments() bool {
	return slices.ContainsFunc(c.attachments, func(a *attachment) bool { return !a.inline })
}
