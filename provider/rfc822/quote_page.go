package rfc822

import (
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// pageReader walks over the tokens of a page and finds its quotes.
type pageReader struct {
	page
	source string
	at     int // offset of the current token
	stack  []openTag
	counts map[string]int // open elements by name

	outer    int // index of the quote the token is in, or -1
	inner    int // depth of blockquotes and attributions inside a container
	skip     string
	rule     int // offset of a ruler with nothing visible behind it, or -1
	ruleOpen int // how many elements were open there
	border   int // offset of a bordered block whose first text is awaited, or -1
	borderIn int
	done     bool
}

func readPage(source string) page {
	r := &pageReader{source: source, counts: make(map[string]int), outer: -1, rule: -1, border: -1}
	z := html.NewTokenizer(strings.NewReader(source))
	for !r.done {
		kind := z.Next()
		if kind == html.ErrorToken {
			break
		}
		size := len(z.Raw())
		switch kind {
		case html.TextToken:
			r.text(string(z.Text()))
		case html.StartTagToken, html.SelfClosingTagToken:
			r.start(z.Token(), size)
		case html.EndTagToken:
			name, _ := z.TagName()
			r.end(string(name), size)
		}
		r.at += size
	}
	for i := range r.spans {
		if r.spans[i].to < 0 {
			r.spans[i].to = len(source)
		}
	}
	return r.page
}

func (r *pageReader) text(text string) {
	if r.skip != "" || isBlank(text) || strings.Trim(text, "\u200b\u200c\ufeff \r\n\t") == "" {
		return
	}
	if r.outer < 0 {
		if r.border >= 0 {
			if kind, ok := headerWord(text); ok && (kind == headerFrom || kind == headerDate) {
				r.cut(r.border, r.borderIn)
				return
			}
			r.border = -1
		}
		if len(text) <= 120 && isSeparator(strings.TrimSpace(text)) {
			r.cut(r.at, len(r.stack))
			return
		}
	}
	r.see()
}

// see notes that something can be seen here.
func (r *pageReader) see() {
	r.rule, r.border = -1, -1
	if r.outer < 0 {
		r.visible = append(r.visible, r.at)
		return
	}
	s := &r.spans[r.outer]
	if r.inner > 0 || s.block || s.header {
		return
	}
	s.seen = append(s.seen, r.at)
	s.answered = s.answered || s.quoted
}

func (r *pageReader) start(t html.Token, size int) {
	if r.skip != "" {
		return
	}
	switch t.DataAtom {
	case atom.Img:
		r.see()
	case atom.Hr:
		if r.outer < 0 {
			r.rule, r.ruleOpen = r.at, len(r.stack)
		}
	}
	kind, bordered := findQuote(t.Data, t.Attr)
	if r.outer < 0 {
		if kind == untilEnd {
			r.cut(r.at, len(r.stack))
			return
		}
		if bordered {
			r.border, r.borderIn = r.at, len(r.stack)
		}
	}
	if isVoid(t.DataAtom) || t.Type == html.SelfClosingTagToken && t.DataAtom == 0 {
		return
	}
	if isRawText(t.DataAtom) {
		r.skip = t.Data
	}
	r.stack = append(r.stack, openTag{t.Data, r.source[r.at : r.at+size], r.open(kind)})
	r.counts[t.Data]++
}

// Spans are named by their index; those inside a container by innerSpan.
const (
	noSpan    = -1
	innerSpan = -2
)

// open begins a quote and returns which.
func (r *pageReader) open(kind quoteElement) int {
	if kind == noQuote || kind == untilEnd {
		return noSpan
	}
	s := span{from: r.at, to: -1, block: kind == blockCite, header: kind == citeLine}
	if r.outer < 0 {
		r.spans = append(r.spans, s)
		r.outer = len(r.spans) - 1
		return r.outer
	}
	around := &r.spans[r.outer]
	if around.block || around.header || kind == quoteBox {
		return noSpan
	}
	if r.inner == 0 {
		around.inner = append(around.inner, s)
		around.quoted = around.quoted || s.block
	}
	r.inner++
	return innerSpan
}

func (r *pageReader) end(name string, size int) {
	if r.skip != "" {
		if name != r.skip {
			return
		}
		r.skip = ""
	}
	if r.counts[name] == 0 {
		return
	}
	for {
		top := r.stack[len(r.stack)-1]
		r.stack = r.stack[:len(r.stack)-1]
		r.counts[top.name]--
		to := r.at
		if top.name == name {
			to += size
		}
		r.close(top.quote, to)
		if top.name == name {
			break
		}
	}
	// A place to cut is of use only while all that was open there still is.
	if len(r.stack) < r.ruleOpen {
		r.rule = -1
	}
	if len(r.stack) < r.borderIn {
		r.border = -1
	}
}

func (r *pageReader) close(quote, to int) {
	switch {
	case quote >= 0:
		r.spans[quote].to = to
		for i := range r.spans[quote].inner {
			if s := &r.spans[quote].inner[i]; s.to < 0 {
				s.to = to
			}
		}
		r.outer, r.inner = -1, 0
	case quote == innerSpan:
		if r.inner--; r.inner == 0 {
			inner := r.spans[r.outer].inner
			inner[len(inner)-1].to = to
		}
	}
}

// cut makes everything from here to the end a quote, with the ruler above it.
func (r *pageReader) cut(at, open int) {
	if r.rule >= 0 && r.rule < at {
		at, open = r.rule, r.ruleOpen
	}
	tags := append([]openTag{}, r.stack[:open]...)
	r.spans = append(r.spans, span{from: at, to: len(r.source), open: tags})
	r.done = true
}

func isVoid(a atom.Atom) bool {
	switch a {
	case atom.Area, atom.Base, atom.Br, atom.Col, atom.Embed, atom.Hr, atom.Img, atom.Input,
		atom.Keygen, atom.Link, atom.Meta, atom.Param, atom.Source, atom.Track, atom.Wbr:
		return true
	}
	return false
}

// isRawText is true for elements whose content is not markup.
func isRawText(a atom.Atom) bool {
	switch a {
	case atom.Script, atom.Style, atom.Title, atom.Textarea, atom.Iframe, atom.Noembed,
		atom.Noframes, atom.Noscript, atom.Plaintext, atom.Xmp:
		return true
	}
	return false
}

// fragment returns what is in the body of a document, its tags balanced so
// that it can stand inside other markup. Scripts, styles and comments go.
func fragment(source string) string {
	var b strings.Builder
	var stack []string
	counts := make(map[string]int)
	skip := ""
	z := html.NewTokenizer(strings.NewReader(source))
	for {
		kind := z.Next()
		if kind == html.ErrorToken {
			break
		}
		raw := string(z.Raw())
		switch kind {
		case html.TextToken:
			// Escaped anew: a lone "<" must not join what comes to follow it.
			if skip == "" {
				b.WriteString(html.EscapeString(string(z.Text())))
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			tag, _ := z.TagName()
			name := string(tag)
			a := atom.Lookup(tag)
			switch {
			case skip != "" || isDocumentTag(a):
			case isRawText(a):
				skip = name
			case isVoid(a):
				b.WriteString(raw)
			default:
				b.WriteString(raw)
				stack = append(stack, name)
				counts[name]++
			}
		case html.EndTagToken:
			tag, _ := z.TagName()
			name := string(tag)
			if skip != "" {
				if name == skip {
					skip = ""
				}
				continue
			}
			for counts[name] > 0 {
				top := stack[len(stack)-1]
				stack = stack[:len(stack)-1]
				counts[top]--
				b.WriteString("</" + top + ">")
				if top == name {
					break
				}
			}
		}
	}
	for i := len(stack) - 1; i >= 0; i-- {
		b.WriteString("</" + stack[i] + ">")
	}
	return b.String()
}

func isDocumentTag(a atom.Atom) bool {
	switch a {
	case atom.Html, atom.Head, atom.Body, atom.Meta, atom.Base, atom.Link, atom.Frameset:
		return true
	}
	return false
}
