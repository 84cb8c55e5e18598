package gmailtest

import (
	"bytes"
	"io"
	"mime"
	"strings"
	"sync"
	"time"

	"golang.org/x/text/encoding/htmlindex"

	"github.com/workinbox/workinbox/provider/rfc822"
)

// message is one message of one account. The raw mail and what is read from it never change; the
// rest changes under the server's lock.
type message struct {
	owner    *Account
	id       string
	threadID string
	raw      []byte
	internal time.Time
	size     int
	original string // the Message-ID before sending replaced it, without angles
	draft    string // id of the draft whose present text this is

	labels    map[string]bool // label ids
	historyID uint64
	serial    uint64 // order of arrival among equal times

	head   sync.Once
	header rfc822.Header
	body   sync.Once
	parsed *rfc822.Message
}

// fields returns the header as it came.
func (m *message) fields() rfc822.Header {
	m.head.Do(func() {
		// A bytes.Reader does not fail, and nothing else makes ReadHeader fail.
		m.header, _ = rfc822.ReadHeader(bytes.NewReader(m.raw), rfc822.Limits{})
	})
	return m.header
}

func (m *message) parse() *rfc822.Message {
	m.body.Do(func() {
		m.parsed, _ = rfc822.Parse(bytes.NewReader(m.raw), rfc822.Limits{})
	})
	return m.parsed
}

// field returns the values of all header fields of that name, decoded.
func (m *message) field(name string) []string {
	values := m.fields().Values(name)
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = decodeWords(v)
	}
	return out
}

// addresses returns the addresses in all header fields of that name.
func (m *message) addresses(name string) []rfc822.Address {
	var all []rfc822.Address
	for _, v := range m.fields().Values(name) {
		all = append(all, rfc822.ParseAddresses(v)...)
	}
	return all
}

// text is what plain words are searched in, in lower case: subject and body.
func (m *message) text() string {
	p := m.parse()
	return strings.ToLower(p.Envelope.Subject + "\n" + p.Text)
}

// attachments returns the parts that are listed below the message.
func (m *message) attachments() []rfc822.Part {
	var out []rfc822.Part
	for _, p := range m.parse().Parts {
		if !p.Inline || p.Name != "" {
			out = append(out, p)
		}
	}
	return out
}

func (m *message) hasAttachment() bool { return len(m.attachments()) > 0 }

// labelNames returns the names of the message's labels: of system labels their ids.
func (m *message) labelNames() []string {
	var out []string
	for id := range m.labels {
		if l := m.owner.labels[id]; l != nil {
			out = append(out, l.name)
		}
	}
	return out
}

// messageID is the Message-ID without angles.
func (m *message) messageID() string { return m.fields().Envelope().MessageID }

// baseSubject is what threads are compared by.
func (m *message) baseSubject() string {
	return strings.ToLower(rfc822.BaseSubject(m.fields().Text("Subject")))
}

// snippetLength is about how many characters Gmail gives.
const snippetLength = 200

func (m *message) snippet() string { return rfc822.Preview(m.parse().Text, snippetLength) }

// decodeWords decodes encoded words (RFC 2047); what cannot be decoded stays as it is.
func decodeWords(s string) string {
	if !strings.Contains(s, "=?") {
		return s
	}
	d := mime.WordDecoder{CharsetReader: charsetReader}
	out, err := d.DecodeHeader(s)
	if err != nil {
		return s
	}
	return out
}

func charsetReader(charset string, r io.Reader) (io.Reader, error) {
	e, err := htmlindex.Get(charset)
	if err != nil {
		return nil, err
	}
	return e.NewDecoder().Reader(r), nil
}
