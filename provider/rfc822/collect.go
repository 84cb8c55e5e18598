package rfc822

import (
	"strings"
	"unicode/utf8"
)

// collector builds a Message from the leaves of a walker. Which parts are text is decided as
// RFC 8621 section 4.1.4 does it.
type collector struct {
	w      *walker
	m      *Message
	bodies []body
	texts  []int // indexes in bodies: what the plain view shows
	htmls  []int // what the HTML view shows

	textLeft, htmlLeft int64
	nested             bool
	suspect            bool // it may be a report
	reports            []reportPart
	kept, piece        []byte
	seen               int // leaves
}

type body struct {
	html bool
	text string
}

// begin judges the header, which says what the parts are looked at for.
func (c *collector) begin() {
	c.m.Header = c.w.header
	c.m.Signals = c.m.Header.Signals()
	c.suspect = c.m.Signals.Report || c.m.Signals.Class == ClassBounce
}

func (c *collector) pushed(l *level) { l.texts, l.htmls = len(c.texts), len(c.htmls) }

// popped lets the only version of an alternative stand for the other one too.
func (c *collector) popped(l *level) {
	if l.kind != "alternative" || l.noText || l.noHTML {
		return
	}
	switch noText, noHTML := len(c.texts) == l.texts, len(c.htmls) == l.htmls; {
	case noText && !noHTML:
		c.texts = append(c.texts, c.htmls[l.htmls:]...)
	case noHTML && !noText:
		c.htmls = append(c.htmls, c.texts[l.texts:]...)
	}
}

func (c *collector) leaf(l leaf) {
	if c.suspect && c.seen > 1 && l.header.Has("Message-ID") && l.header.Has("From") {
		// Some mail systems return the message as a part without a type of its own.
		c.returned(l.header)
	}
	if len(c.w.open) == 0 && l.Disposition != "attachment" && !l.Calendar && l.Name == "" &&
		strings.HasPrefix(l.Type, "text/") && l.Type != "text/html" {
		l.Type = "text/plain" // text/enriched and the like: better as it is than not at all
	}
	isText := l.Type == "text/plain" || l.Type == "text/html"
	isMedia := strings.HasPrefix(l.Type, "image/") || strings.HasPrefix(l.Type, "audio/") ||
		strings.HasPrefix(l.Type, "video/")
	inline := l.Disposition != "attachment" && (isText || isMedia) &&
		(l.first || c.w.parent() != "related" && (isMedia || l.Name == ""))
	if inline && isText {
		c.text(l)
		return
	}
	c.part(l)
}

// text takes a body.
func (c *collector) text(l leaf) {
	isHTML := l.Type == "text/html"
	left := &c.textLeft
	if isHTML {
		left = &c.htmlLeft
	}
	raw, size := c.take(*left)
	cut := size > int64(len(raw))
	if cut {
		raw = wholeRunes(raw)
	}
	if isHTML && l.Charset == "" {
		l.Charset = metaCharset(raw)
	}
	text, clean := decodeText(raw, l.Charset)
	if !clean {
		c.w.damage.add(DamageCharset)
	}
	if int64(len(text)) > *left {
		text, cut = cutText(text, int(*left)), true
	}
	*left -= int64(len(text))
	if cut {
		c.w.damage.add(DamageTextCut)
	}
	if !isHTML {
		text = plainText(text, l.flowed, l.delSp)
	}
	index := len(c.bodies)
	c.bodies = append(c.bodies, body{isHTML, text})

	var up *level
	if n := len(c.w.open); n > 0 {
		up = &c.w.open[n-1]
	}
	switch {
	case up != nil && up.kind == "alternative":
		if isHTML {
			c.htmls = append(c.htmls, index)
		} else {
			c.texts = append(c.texts, index)
		}
		return
	case up != nil && up.alternative && isHTML:
		up.noText = true
	case up != nil && up.alternative:
		up.noHTML = true
	}
	if up == nil || !up.noText {
		c.texts = append(c.texts, index)
	}
	if up == nil || !up.noHTML {
		c.htmls = append(c.htmls, index)
	}
}

// wholeRunes drops the character of UTF-8 that a cut went through.
func wholeRunes(b []byte) []byte {
	for n := 1; n < utf8.UTFMax && n <= len(b); n++ {
		if tail := b[len(b)-n:]; utf8.RuneStart(tail[0]) {
			if !utf8.FullRune(tail) {
				return b[:len(b)-n]
			}
			break
		}
	}
	return b
}

// part takes an attachment or an inline part. Its content is counted; only what reports and
// calendars need is looked at.
func (c *collector) part(l leaf) {
	var keep int64
	isReport := strings.HasPrefix(l.Type, "message/") || l.Type == "text/rfc822-headers" ||
		c.suspect && l.Type == "text/plain"
	switch {
	case isReport && len(c.reports) < maxReportParts, l.Calendar && l.Method == "":
		keep = maxReportBytes
	}
	raw, size := c.take(keep)
	l.Size = size
	if isReport && keep > 0 {
		c.reports = append(c.reports, reportPart{l.Type, string(raw)})
	}
	if l.Calendar && l.Method == "" {
		l.Method = methodIn(raw)
	}
	if c.m.Calendar == "" {
		c.m.Calendar = l.Method
	}
	c.m.Parts = append(c.m.Parts, l.Part)
}

// returned keeps a header as a part of the report.
func (c *collector) returned(h Header) {
	if len(c.reports) >= maxReportParts {
		return
	}
	var b strings.Builder
	for name, value := range h.All() {
		b.WriteString(name + ": " + value + "\n")
	}
	c.reports = append(c.reports, reportPart{"text/rfc822-headers", b.String()})
}

// take reads the current leaf to its end and counts it; raw is its first bytes, at most max, and
// valid until the next call.
func (c *collector) take(max int64) (raw []byte, size int64) {
	c.kept = c.kept[:0]
	for more := true; more; {
		c.piece, more = c.w.read(c.piece[:0])
		size += int64(len(c.piece))
		if room := max - int64(len(c.kept)); room > 0 {
			c.kept = append(c.kept, c.piece[:min(room, int64(len(c.piece)))]...)
		}
	}
	return c.kept, size
}

func (c *collector) finish() *Message {
	m := c.m
	m.Size = c.w.lr.n
	m.Envelope = m.Header.Envelope()
	m.Text, m.HTML = c.plainView(), c.htmlView()
	m.Report = readReport(m, c.reports, c.nested)
	m.Signals = m.Signals.withParts(m)
	if m.Header.Len() == 0 {
		c.w.damage.add(DamageNoHeader)
		m.Unreadable = strings.TrimSpace(m.Text) == "" && len(m.Parts) == 0
	}
	m.Damage = c.w.damage
	return m
}
