package rfc822

import (
	"bytes"
	"strconv"
	"strings"
)

// Part describes one part of a message that is not its text: an attachment, an inline picture, an
// attached message, an invitation. Everything is as the sender claims it; only Size is measured.
type Part struct {
	Path        string // as IMAP numbers parts: "2", "1.3"; the argument of OpenPart
	Type        string // media type, lower case; "application/octet-stream" when unusable
	Charset     string // lower case; "" when not given
	Name        string // decoded file name without control characters and path separators, or ""
	ContentID   string // without its angles
	Disposition string // "attachment", "inline", another word in lower case, or ""
	Inline      bool   // meant to be shown inside the body rather than listed below it
	Calendar    bool   // text/calendar; never executed
	Method      string // the calendar's method in upper case when the part names it
	Size        int64  // decoded bytes
}

// leaf is a part without parts, with what its place in the tree says about it.
type leaf struct {
	Part
	header   Header
	encoding string
	flowed   bool
	delSp    bool
	first    bool // of its multipart
}

// level is one open multipart.
type level struct {
	boundary                    string
	kind                        string // "mixed", "alternative", "related", "digest", "report" ...
	path                        string
	n                           int // parts begun
	alternative, noText, noHTML bool
	texts, htmls                int // bodies collected before it began
}

// walker yields the leaves of a message in order. It reads each line once and compares lines that
// begin with "--" with the boundaries that are open, so that nesting costs nothing.
type walker struct {
	lr     *lineReader
	lim    Limits
	damage damages
	header Header
	begun  bool
	open   []level // outermost first
	parts  int

	// what ended the current leaf: the index in open, or -1 for the end of the message
	hit     int
	closing bool
	inLeaf  bool
	dec     transferDecoder
	pending []byte // the line end before the line that may be a boundary

	pushed func(*level) // called when a multipart begins and ends; may be nil
	popped func(*level)
}

var (
	lf   = []byte("\n")
	crlf = []byte("\r\n")
	cr   = []byte("\r")
)

func newWalker(lr *lineReader, l Limits) *walker {
	return &walker{lr: lr, lim: l.withDefaults(), hit: -1}
}

// match tells which open boundary a line is; innermost first. The index is -1 for none.
func (w *walker) match(line []byte) (index int, closing bool) {
	if len(w.open) == 0 || len(line) < 3 || line[0] != '-' || line[1] != '-' {
		return -1, false
	}
	line = bytes.TrimRight(line[2:], " \t\r")
	for i := len(w.open) - 1; i >= 0; i-- {
		b := w.open[i].boundary
		if len(line) < len(b) || string(line[:len(b)]) != b {
			continue
		}
		switch rest := line[len(b):]; {
		case len(rest) == 0:
			return i, false
		case len(rest) == 2 && rest[0] == '-' && rest[1] == '-':
			return i, true
		}
	}
	return -1, false
}

func (w *walker) isBoundary(line []byte) bool {
	i, _ := w.match(line)
	return i >= 0
}

// next moves to the next leaf and reports whether there is one. What is left of the current leaf
// is read past.
func (w *walker) next() (leaf, bool) {
	if !w.begun {
		w.begun = true
		w.header = readSection(w.lr, section{limit: w.lim.HeaderBytes, top: true, damage: &w.damage})
		if l, ok := w.enter(w.header, true, ""); ok {
			return l, true
		}
		w.skip()
	} else if w.inLeaf {
		w.skip()
	}
	for {
		if w.hit < 0 {
			w.finish()
			return leaf{}, false
		}
		w.popTo(w.hit + 1)
		if w.closing {
			w.pop()
			w.skip()
			continue
		}
		if w.parts >= w.lim.Parts {
			w.damage.add(DamageParts)
			w.popTo(0)
			w.skip()
			continue
		}
		top := &w.open[len(w.open)-1]
		top.n++
		path := strconv.Itoa(top.n)
		if top.path != "" {
			path = top.path + "." + path
		}
		h := readSection(w.lr, section{
			limit: w.lim.HeaderBytes / 16, boundary: w.isBoundary, damage: &w.damage,
		})
		if l, ok := w.enter(h, top.n == 1, path); ok {
			return l, true
		}
		w.skip()
	}
}

// skip reads to the next boundary or to the end.
func (w *walker) skip() {
	w.hit, w.closing, w.inLeaf = -1, false, false
	for w.lr.next() {
		if w.lr.start {
			if w.hit, w.closing = w.match(w.lr.line); w.hit >= 0 {
				return
			}
		}
	}
}

func (w *walker) pop() {
	if w.popped != nil {
		w.popped(&w.open[len(w.open)-1])
	}
	w.open = w.open[:len(w.open)-1]
}

// popTo closes what is open above the first n levels, though their closing boundary never came.
func (w *walker) popTo(n int) {
	for len(w.open) > n {
		w.pop()
	}
}

func (w *walker) finish() {
	if len(w.open) > 0 {
		w.damage.add(DamageTruncated)
	}
	w.popTo(0)
}

// enter begins the part with the header h: a leaf, or a multipart whose first part is next.
func (w *walker) enter(h Header, first bool, path string) (leaf, bool) {
	w.parts++
	typ := contentType(h.Get("Content-Type"))
	if kind, ok := strings.CutPrefix(typ.value, "multipart/"); ok {
		switch boundary := w.boundary(typ); {
		case boundary == "":
			w.damage.add(DamageBoundary)
			typ = media{value: "text/plain"}
		case len(w.open) >= w.lim.Depth:
			w.damage.add(DamageDepth)
		default:
			w.push(level{boundary: boundary, kind: kind, path: path})
			return leaf{}, false
		}
	}
	if path == "" {
		path = "1"
	}
	l := describe(h, typ, w.parent())
	l.Path, l.first = path, first
	var known bool
	if w.dec, known = newDecoder(l.encoding); !known {
		w.damage.add(DamageEncoding)
	}
	w.inLeaf, w.pending = true, nil
	return l, true
}

func (w *walker) push(l level) {
	l.alternative = l.kind == "alternative"
	if n := len(w.open); n > 0 {
		up := w.open[n-1]
		l.alternative = l.alternative || up.alternative
		l.noText, l.noHTML = up.noText, up.noHTML
	}
	w.open = append(w.open, l)
	if w.pushed != nil {
		w.pushed(&w.open[len(w.open)-1])
	}
}

// parent is the kind of the innermost open multipart.
func (w *walker) parent() string {
	if len(w.open) == 0 {
		return ""
	}
	return w.open[len(w.open)-1].kind
}

// boundary returns the boundary of a multipart that is about to be read: the declared one when it
// occurs, else the first line that looks like one, else "".
func (w *walker) boundary(typ media) string {
	declared := strings.TrimRight(typ.text("boundary"), " \t")
	for _, size := range []int{w.lr.br.Buffered(), lineBuffer} {
		window := w.lr.peek(size)
		if declared != "" && hasDelimiter(window, declared) {
			return declared
		}
	}
	window := w.lr.peek(lineBuffer)
	for len(window) > 0 {
		var line []byte
		line, window, _ = bytes.Cut(window, lf)
		line = bytes.TrimRight(line, " \t\r")
		if len(line) < 3 || len(line) > 120 || !bytes.HasPrefix(line, []byte("--")) {
			continue
		}
		if i, _ := w.match(line); i >= 0 {
			return ""
		}
		if next, _, _ := bytes.Cut(window, lf); fieldName(next) > 0 {
			w.damage.add(DamageBoundary)
			return string(line[2:])
		}
	}
	return ""
}

// hasDelimiter says whether a line of the window begins or ends a part.
func hasDelimiter(window []byte, boundary string) bool {
	mark := []byte("--" + boundary)
	for {
		i := bytes.Index(window, mark)
		if i < 0 {
			return false
		}
		begins := i == 0 || window[i-1] == '\n' || window[i-1] == '\r'
		window = window[i+len(mark):]
		rest := bytes.TrimPrefix(window, []byte("--"))
		if begins && (len(rest) == 0 || rest[0] <= ' ') {
			return true
		}
	}
}

// describe makes a leaf of a header.
func describe(h Header, typ media, parent string) leaf {
	disposition := parseMedia(h.Get("Content-Disposition"))
	l := leaf{header: h, encoding: h.Get("Content-Transfer-Encoding")}
	l.Part = Part{
		Type:        typ.value,
		Charset:     typ.token("charset"),
		Name:        fileName(disposition, typ),
		ContentID:   messageID(h.Get("Content-ID")),
		Disposition: disposition.value,
	}
	if l.Type == "" {
		switch {
		case parent == "digest" && !h.Has("Content-Type"):
			l.Type = "message/rfc822"
		case h.Has("Content-Type") && (l.Name != "" || l.Disposition == "attachment"):
			l.Type = "application/octet-stream"
		default:
			l.Type = "text/plain"
		}
	}
	l.flowed = typ.token("format") == "flowed"
	l.delSp = typ.token("delsp") == "yes"
	l.Calendar = l.Type == "text/calendar"
	if l.Calendar {
		l.Method = strings.ToUpper(typ.token("method"))
	}
	l.Inline = l.Disposition == "inline" ||
		l.ContentID != "" && parent == "related" && l.Disposition != "attachment"
	return l
}

// read appends the next piece of the current leaf, decoded, to dst; more is false at its end.
func (w *walker) read(dst []byte) (out []byte, more bool) {
	if !w.inLeaf {
		return dst, false
	}
	if !w.lr.next() {
		w.hit, w.closing, w.inLeaf = -1, false, false
		if w.pending != nil {
			dst = w.dec.eol(dst, w.pending)
		}
		return w.end(dst), false
	}
	if w.lr.start {
		if w.hit, w.closing = w.match(w.lr.line); w.hit >= 0 {
			w.inLeaf = false
			return w.end(dst), false
		}
	}
	if w.pending != nil {
		dst = w.dec.eol(dst, w.pending)
		w.pending = nil
	}
	dst = w.dec.line(dst, w.lr.line, w.lr.ends)
	switch len(w.lr.eol) {
	case 2:
		w.pending = crlf
	case 1:
		w.pending = lf
		if w.lr.delim == '\r' {
			w.pending = cr
		}
	}
	return dst, true
}

func (w *walker) end(dst []byte) []byte {
	dst = w.dec.end(dst)
	if w.dec.broken() {
		w.damage.add(DamageEncoding)
	}
	return dst
}
