package outlook

import (
	"bytes"
	"mime/quotedprintable"
	"strings"
	"sync"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/rfc822"
)

// Raw says what the raw messages of a mailbox are.
type Raw uint8

// The kinds of raw messages.
const (
	// RawOriginal is every message as Exchange has it, which costs a call each: 16.7 a second at most,
	// by Documented.
	RawOriginal Raw = iota
	// RawBuilt is a message built from what lists tell of it, a hundred in a call: its header fields
	// and its HTML or its text, marked by provider.BuiltHeader. What lists do not tell all of is the
	// original all the same, with a call each: mail with attachments, inline images or a signature,
	// meetings, reports, drafts, and mail that was written in this mailbox, of which Graph has no
	// header fields. provider.Originals has the original of every message.
	//
	// What is lost is the exact bytes, and with them what proves a signature of DKIM, and the plain
	// text beside HTML. A first walk with provider.BodiesWith is faster by it, and nothing else is.
	//
	// Such a walk has the bodies of all mail pass through memory, also of what a filter then rejects:
	// nothing of it is kept. With provider.BodiesAsk it has none.
	RawBuilt
)

// whole is a message with its body.
type whole struct {
	message
	Fields   wholeFields `json:"internetMessageHeaders"` // in the place of message.Headers
	Body     body        `json:"body"`
	Attached bool        `json:"hasAttachments"`
	Type     string      `json:"@odata.type"`
}

// wholeProperties are the properties a message is read with to be built.
const wholeProperties = messageFields + ",body,hasAttachments"

// unsafeHTML asks for the body as it came: Graph cleans it for browsers, and what is shown here is
// cleaned when it is shown (https://learn.microsoft.com/graph/api/user-list-messages).
const unsafeHTML = "outlook.allow-unsafe-html"

type body struct {
	Type    string `json:"contentType"`
	Content string `json:"content"`
}

// wholeFields are all header fields of a message, as JSON.
type wholeFields struct {
	fields
	text []byte
}

// UnmarshalJSON implements json.Unmarshaler.
func (f *wholeFields) UnmarshalJSON(text []byte) error {
	f.text = bytes.Clone(text)
	return f.fields.UnmarshalJSON(text)
}

// lean is the message with its raw bytes, if they can be built.
func (x *whole) lean() message {
	x.message.Headers = x.Fields.fields
	x.raw = x.build()
	return x.message
}

// build writes the message from its properties. It is nil where they do not tell all of it.
func (x *whole) build() []byte {
	media, ok := x.media()
	if !ok {
		return nil
	}
	content := x.Body.Content
	if media == "text/plain" && strings.EqualFold(x.Body.Type, "html") {
		content = rfc822.HTMLToText(content) // Graph has made HTML of it
	}
	if media != "text/plain" {
		media = "text/html"
		if !strings.EqualFold(x.Body.Type, "html") {
			media = "text/plain"
		}
	}
	var b bytes.Buffer
	b.Grow(len(x.Fields.text) + len(content) + len(content)/16 + 512)
	x.writeFields(&b)
	b.WriteString(provider.BuiltHeader + ": graph\r\nMIME-Version: 1.0\r\nContent-Type: ")
	b.WriteString(media)
	b.WriteString("; charset=utf-8\r\n")
	writeBody(&b, content)
	return b.Bytes()
}

// neverBuilt says that asking for the message again would tell no more. Where lists have no header
// fields it would.
func (x *whole) neverBuilt() bool {
	_, ok := x.media()
	return !ok && x.Fields.some
}

// media is the media type of a message that can be built. hasAttachments is false where all
// attachments are inline, so that one that might have some is not built.
func (x *whole) media() (media string, ok bool) {
	switch {
	case !x.Fields.some, x.Draft, x.Attached, x.ID == "", x.Body.Type == "":
		return "", false
	case x.Type != "" && x.Type != "#microsoft.graph.message": // a meeting
		return "", false
	}
	media = "text/plain" // RFC 2045 section 5.2
	for _, f := range x.Fields.kept {
		if f.Name == "Content-Type" {
			name, _, _ := strings.Cut(f.Value, ";")
			media = strings.ToLower(strings.TrimSpace(name))
		}
	}
	switch media {
	case "text/plain", "text/html", "multipart/alternative":
		return media, !showsParts(x.Body.Content)
	}
	return "", false
}

// idSet is a set of ids that does not grow without end: a full one begins anew.
type idSet struct {
	mu  sync.Mutex
	ids map[string]struct{}
}

// mostIDs are the messages of a long walk, with a hundred bytes each.
const mostIDs = 20_000

func (s *idSet) add(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ids == nil || len(s.ids) >= mostIDs {
		s.ids = make(map[string]struct{})
	}
	s.ids[id] = struct{}{}
}

func (s *idSet) has(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.ids[id]
	return ok
}

// showsParts says whether HTML shows other parts of its message (RFC 2392).
func showsParts(html string) bool {
	for at := 0; ; {
		i := strings.IndexByte(html[at:], ':')
		if i < 0 {
			return false
		}
		at += i + 1
		if at >= 4 && strings.EqualFold(html[at-4:at-1], "cid") {
			return true
		}
	}
}

// writeFields writes the header fields, but for those that tell of the body as it was.
func (x *whole) writeFields(b *bytes.Buffer) {
	named := false
	for object := range objects(x.Fields.text) {
		name, ok := member(object, nameKey)
		if !ok || !fieldName(name) || ofBody(name) {
			continue
		}
		value, ok := member(object, valueKey)
		if !ok {
			continue
		}
		named = named || bytes.EqualFold(name, messageID)
		b.Write(name)
		writeValue(b, len(name), value)
	}
	if !named && x.MessageID != "" {
		b.Write(messageID)
		writeValue(b, len(messageID), []byte(x.MessageID))
	}
}

var (
	messageID   = []byte("Message-ID")
	built       = []byte(provider.BuiltHeader)
	mimeVersion = []byte("MIME-Version")
	contentOf   = []byte("Content-")
)

// ofBody says whether a field tells of the body.
func ofBody(name []byte) bool {
	return bytes.EqualFold(name, mimeVersion) || bytes.EqualFold(name, built) ||
		len(name) > len(contentOf) && bytes.EqualFold(name[:len(contentOf)], contentOf)
}

// fieldName says whether name is one (RFC 5322 section 3.6.8).
func fieldName(name []byte) bool {
	for _, c := range name {
		if c <= ' ' || c >= 0x7f || c == ':' {
			return false
		}
	}
	return len(name) > 0
}

// maxField is how long a line of a field gets before it is folded (RFC 5322 section 2.1.1).
const maxField = 900

// writeValue writes what stands behind the name of a field: on one line, folded where it is too long
// for one, with nothing in it that could end the header.
func writeValue(b *bytes.Buffer, width int, value []byte) {
	b.WriteString(": ")
	for i := range value {
		switch c := value[i]; {
		case c == '\r' && i+1 < len(value) && value[i+1] == '\n', c == '\n' && i > 0 && value[i-1] == '\r':
			continue // the space of the fold follows (RFC 5322 section 2.2.3)
		case c == '\r' || c == '\n' || c == '\t' || c == ' ':
			if width > maxField && i+1 < len(value) && value[i+1] > ' ' {
				b.WriteString("\r\n")
				width = 0
			}
			b.WriteByte(' ')
		case c < ' ' || c == 0x7f:
			continue
		default:
			b.WriteByte(c)
		}
		width++
	}
	b.WriteString("\r\n")
}

// writeBody writes the blank line and what is behind it, as it is where its lines allow that.
func writeBody(b *bytes.Buffer, content string) {
	if plainLines(content) {
		b.WriteString("Content-Transfer-Encoding: 8bit\r\n\r\n")
		for line := range strings.Lines(content) {
			b.WriteString(strings.TrimRight(line, "\r\n"))
			b.WriteString("\r\n")
		}
		return
	}
	b.WriteString("Content-Transfer-Encoding: quoted-printable\r\n\r\n")
	w := quotedprintable.NewWriter(b)
	_, _ = w.Write([]byte(content)) // memory does not fail
	_ = w.Close()
}

// plainLines says whether all lines are of at most 998 octets without a NUL or a lone CR (RFC 2045
// section 2.8).
func plainLines(content string) bool {
	for line := range strings.Lines(content) {
		line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
		if len(line) > 998 || strings.ContainsAny(line, "\x00\r") {
			return false
		}
	}
	return true
}

// leanPage is a page of messages with their raw bytes.
func leanPage(p page[whole]) page[message] {
	out := page[message]{Next: p.Next, Count: p.Count, Value: make([]message, len(p.Value))}
	for i := range p.Value {
		out.Value[i] = p.Value[i].lean()
	}
	return out
}
