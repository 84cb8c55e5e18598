package outlooktest

import (
	"bytes"
	"io"
	"strings"

	"github.com/workinbox/workinbox/provider/rfc822"
)

// mime is what $value gives: the mail as it came, or, of what was born in the mailbox, one that is
// made of its properties.
func (m *message) mime() []byte {
	if m.raw == nil {
		m.raw = m.compose()
		for _, a := range m.parts().attachments {
			a.keep(m)
		}
	}
	return m.raw
}

// compose writes the properties as MIME. It never fails: a draft may lack what a mail needs, and
// what cannot be written is left out, as Exchange does.
func (m *message) compose() []byte {
	c := m.parts()
	d := rfc822.Draft{
		From: c.from, To: c.to, Cc: c.cc, Bcc: c.bcc, ReplyTo: c.replyTo, Subject: c.subject,
		MessageID: strings.Trim(c.messageID, "<>"), Date: m.sentAt(),
		InReplyTo: c.inReplyTo, References: c.references,
	}
	if d.From.Address == "" {
		d.From = rfc822.Address{Name: m.owner.name, Address: m.owner.address}
	}
	if len(c.recipients()) == 0 {
		d.Bcc = []rfc822.Address{{Address: "undisclosed-recipients@outlook.invalid"}}
	}
	if c.html {
		d.HTML, d.Text = c.body, c.text
	} else {
		d.Text = c.body
	}
	if c.importance != "normal" {
		d.Headers = append(d.Headers, rfc822.HeaderField{Name: "Importance", Value: c.importance})
	}
	for _, h := range c.headers {
		if strings.HasPrefix(strings.ToLower(h.Name), "x-") {
			d.Headers = append(d.Headers, h)
		}
	}
	for _, a := range c.attachments {
		part := rfc822.Attachment{
			Name: a.name, Type: a.media, ContentID: a.contentID, Size: int64(a.size),
			Open: func() (io.ReadCloser, error) {
				return io.NopCloser(bytes.NewReader(a.bytes(m))), nil
			},
		}
		if a.inline && a.contentID != "" {
			d.Inline = append(d.Inline, part)
		} else {
			part.ContentID = ""
			d.Attachments = append(d.Attachments, part)
		}
	}
	var b bytes.Buffer
	for _, lean := range []func(){
		func() {}, func() { d.Headers = nil }, func() { d.InReplyTo, d.References = nil, nil },
		func() { d.To, d.Cc, d.ReplyTo = nil, nil, nil },
		func() { d.From = rfc822.Address{Address: "sender@outlook.invalid"}; d.MessageID = "" },
	} {
		lean()
		if len(d.To)+len(d.Cc)+len(d.Bcc) == 0 {
			d.Bcc = []rfc822.Address{{Address: "undisclosed-recipients@outlook.invalid"}}
		}
		b.Reset()
		if rfc822.Build(&b, d) == nil {
			break
		}
	}
	return withoutBlank(b.Bytes())
}

// withoutBlank takes out the recipient that stands for none.
func withoutBlank(raw []byte) []byte {
	return bytes.Replace(raw, []byte("Bcc: undisclosed-recipients@outlook.invalid\r\n"), nil, 1)
}

// keep holds the attachment's content before what it was read from goes away.
func (a *attachment) keep(m *message) {
	if a.path != "" {
		a.data = a.bytes(m)
		a.path = ""
	}
}

// bytes is the content of the attachment.
func (a *attachment) bytes(m *message) []byte {
	if a.path == "" {
		return a.data
	}
	_, r, err := rfc822.OpenPart(bytes.NewReader(m.raw), a.path, rfc822.Limits{})
	if err != nil {
		return nil
	}
	b, _ := io.ReadAll(r) // what came before the damage is what there is
	return b
}
