package rfc822

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// section says how one header section is to be read.
type section struct {
	limit    int                    // bytes kept
	top      bool                   // the section that begins the message
	boundary func(line []byte) bool // a line that ends the section because a part begins; may be nil
	damage   *damages
}

// sectionReader collects the fields of one section in one buffer.
type sectionReader struct {
	section
	lr     *lineReader
	buf    []byte
	spans  []fieldSpan
	inside bool // the current field goes on; false while a line is skipped
	cut    bool
}

// fieldSpan is one field in the buffer: name from a to b, value from b to c.
type fieldSpan struct{ a, b, c int }

// readSection reads fields up to the empty line, which it consumes, or up to the line where the
// body begins without one, which it leaves.
func readSection(lr *lineReader, s section) Header {
	r := sectionReader{section: s, lr: lr}
	for lr.next() {
		if !lr.start {
			r.more(lr.line)
			continue
		}
		if r.ends() {
			break
		}
	}
	if r.cut {
		r.damage.add(DamageHeaderCut)
	}
	return r.header()
}

// ends takes one line and reports whether the section ends with it.
func (r *sectionReader) ends() bool {
	line := r.lr.line
	if r.boundary != nil && r.boundary(line) {
		r.lr.unread()
		return true
	}
	first := len(r.spans) == 0 && !r.cut
	if len(line) == 0 {
		return !first || !r.top
	}
	if line[0] == ' ' || line[0] == '\t' {
		if !first || !r.top {
			return r.folded(line)
		}
		if line = bytes.TrimLeft(line, " \t"); len(line) == 0 {
			return false
		}
	}
	if n := fieldName(line); n > 0 {
		r.field(line, n)
		return false
	}
	r.inside = false
	if r.top && (first && bytes.HasPrefix(line, []byte("From ")) ||
		bytes.HasPrefix(line, []byte(">From "))) {
		return false
	}
	return r.stray(first)
}

// stray decides about a line that is no field: garbage in the header, or the body without the
// empty line before it. The lines after it tell.
func (r *sectionReader) stray(first bool) bool {
	next, any := r.lr.peekLine()
	garbage := any && fieldName(next) > 0
	if !first && any && !garbage {
		garbage = len(next) == 0 || next[0] == ' ' || next[0] == '\t' || r.knownFollows()
	}
	r.damage.add(DamageHeaderLine)
	if !garbage || bytes.HasPrefix(r.lr.line, []byte("--")) {
		r.lr.unread()
		return true
	}
	return false
}

// knownFollows says whether a field that every header has comes before the next empty line.
func (r *sectionReader) knownFollows() bool {
	window := r.lr.peek(4096)
	for len(window) > 0 {
		var line []byte
		line, window, _ = bytes.Cut(window, []byte{r.lr.delim})
		if line = bytes.TrimRight(line, "\r"); len(line) == 0 {
			return false
		}
		if n := fieldName(line); n > 0 {
			switch strings.ToLower(string(line[:n])) {
			case "from", "to", "subject", "date", "message-id", "received", "mime-version", "content-type":
				return true
			}
		}
	}
	return false
}

// folded takes a line that begins with white space: the continuation of a field. A line of nothing
// but white space ends the section unless a field or a continuation follows.
func (r *sectionReader) folded(line []byte) bool {
	if len(bytes.TrimLeft(line, " \t")) == 0 {
		next, any := r.lr.peekLine()
		goesOn := any && len(next) > 0 && (next[0] == ' ' || next[0] == '\t' || fieldName(next) > 0)
		return !goesOn
	}
	r.more(line)
	return false
}

func (r *sectionReader) field(line []byte, n int) {
	if len(r.buf)+len(line) > r.limit {
		r.cut, r.inside = true, false
		return
	}
	r.inside = true
	colon := n
	for line[colon] != ':' {
		colon++
	}
	a := len(r.buf)
	r.buf = append(r.buf, line[:n]...)
	r.buf = append(r.buf, line[colon+1:]...)
	r.spans = append(r.spans, fieldSpan{a, a + n, len(r.buf)})
}

// more adds to the value of the current field.
func (r *sectionReader) more(b []byte) {
	if !r.inside {
		return
	}
	if len(r.buf)+len(b) > r.limit {
		r.cut, r.inside = true, false
		return
	}
	r.buf = append(r.buf, b...)
	r.spans[len(r.spans)-1].c = len(r.buf)
}

func (r *sectionReader) header() Header {
	if len(r.spans) == 0 {
		return Header{}
	}
	text := string(r.buf)
	h := Header{fields: make([]field, len(r.spans))}
	for i, s := range r.spans {
		h.fields[i] = field{text[s.a:s.b], trimWSP(text[s.b:s.c])}
	}
	if !utf8.Valid(r.buf) || bytes.IndexByte(r.buf, 0) >= 0 || bytes.IndexByte(r.buf, '\r') >= 0 {
		h.repair()
	}
	return h
}

// fieldName returns the length of the field name a line begins with, or 0. White space before the
// colon is tolerated (RFC 5322 section 4.5).
func fieldName(line []byte) int {
	n := 0
	for n < len(line) && line[n] > ' ' && line[n] < 127 && line[n] != ':' {
		n++
	}
	end := n
	for end < len(line) && (line[end] == ' ' || line[end] == '\t') {
		end++
	}
	if end < len(line) && line[end] == ':' {
		return n
	}
	return 0
}
