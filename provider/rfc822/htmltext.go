package rfc822

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// HTMLToText makes readable plain text of HTML: blocks on lines of their own, table cells apart,
// quotes marked with ">", list items with "*", links with their target behind them when the text
// does not show it. What a browser would not show is left out: scripts, styles, comments, also
// those of Microsoft Office. Lines end with LF. It never fails and takes time in proportion to its
// input, however deeply that is nested.
func HTMLToText(source string) string {
	if !utf8.ValidString(source) {
		source = strings.ToValidUTF8(source, "\uFFFD")
	}
	t := textWriter{}
	t.out.Grow(len(source) / 4)
	z := html.NewTokenizer(strings.NewReader(source))
	for {
		switch z.Next() {
		case html.ErrorToken:
			return t.text()
		case html.TextToken:
			if !t.skip {
				t.write(string(z.Text()))
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			name, more := z.TagName()
			t.start(atom.Lookup(name), z, more)
		case html.EndTagToken:
			name, _ := z.TagName()
			t.end(atom.Lookup(name))
		}
	}
}

// textWriter collects text and owes white space, so that runs of it collapse.
type textWriter struct {
	out    strings.Builder
	column bool // the current line has text
	any    bool // something was written
	space  bool // a space is owed
	breaks int  // line ends owed
	cell   bool // a cell separator is owed
	skip   bool // inside an element whose content is not shown
	pre    int
	quotes int
	href   string
	linkAt int // where the text of the open link begins
}

// maxQuotes bounds the marks before a line; nobody reads deeper.
const maxQuotes = 20

func (t *textWriter) start(a atom.Atom, z *html.Tokenizer, more bool) {
	t.skip = false
	switch a {
	case atom.Script, atom.Style, atom.Title, atom.Textarea, atom.Iframe, atom.Noembed, atom.Noframes:
		t.skip = true // to the tokenizer their content is one text, up to their end tag
	case atom.Noscript:
		z.NextIsNotRawText()
	case atom.Br:
		t.breaks = min(t.breaks+1, 2)
		t.space = false
	case atom.Hr:
		t.block(1)
		t.write("---")
		t.block(1)
	case atom.P, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Ul, atom.Ol, atom.Table:
		t.block(blank(a))
	case atom.Pre:
		t.block(2)
		t.pre++
	case atom.Blockquote:
		t.block(2)
		t.quotes++
	case atom.Li:
		t.block(1)
		t.write("* ")
	case atom.Td, atom.Th:
		t.cell = t.cell || t.column && t.breaks == 0
	case atom.A:
		t.link(attribute(z, more, "href"))
	case atom.Img:
		if alt := attribute(z, more, "alt"); strings.TrimSpace(alt) != "" {
			t.write(" " + alt + " ")
		}
	default:
		if isBlock(a) {
			t.block(1)
		}
	}
}

func (t *textWriter) end(a atom.Atom) {
	t.skip = false
	switch a {
	case atom.P, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Ul, atom.Ol, atom.Table:
		t.block(blank(a))
	case atom.Pre:
		t.pre = max(t.pre-1, 0)
		t.block(2)
	case atom.Blockquote:
		t.block(2)
		t.quotes = max(t.quotes-1, 0)
	case atom.A:
		t.endLink()
	default:
		if isBlock(a) {
			t.block(1)
		}
	}
}

// blank is how many line ends stand around a block.
func blank(a atom.Atom) int {
	if a == atom.Table || a == atom.Ul || a == atom.Ol {
		return 1
	}
	return 2
}

func isBlock(a atom.Atom) bool {
	switch a {
	case atom.Div, atom.Tr, atom.Body, atom.Html, atom.Head, atom.Section, atom.Article, atom.Header,
		atom.Footer, atom.Address, atom.Center, atom.Dl, atom.Dt, atom.Dd, atom.Form, atom.Fieldset,
		atom.Caption, atom.Tbody, atom.Thead, atom.Tfoot, atom.Main, atom.Nav, atom.Aside, atom.Figure,
		atom.Li:
		return true
	}
	return false
}

// block owes n line ends at least.
func (t *textWriter) block(n int) {
	t.space, t.cell = false, false
	if t.any {
		t.breaks = max(t.breaks, n)
	}
}

// write adds text, white space collapsed unless inside pre.
func (t *textWriter) write(s string) {
	if t.pre > 0 {
		t.verbatim(s)
		return
	}
	for len(s) > 0 {
		end := strings.IndexFunc(s, isHTMLSpace)
		if end < 0 {
			end = len(s)
		}
		if end > 0 {
			t.word(s[:end])
			s = s[end:]
		}
		trimmed := strings.TrimLeftFunc(s, isHTMLSpace)
		if len(trimmed) < len(s) {
			t.space, s = true, trimmed
		}
	}
}

func (t *textWriter) verbatim(s string) {
	for i, line := range strings.Split(strings.ReplaceAll(s, "\r\n", "\n"), "\n") {
		if i > 0 {
			t.breaks = min(t.breaks+1, 3)
			t.space = false
		}
		if strings.TrimSpace(line) != "" {
			t.space = false
			t.word(line)
		}
	}
}

// word writes one word after the white space that is owed.
func (t *textWriter) word(s string) {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\u00a0':
			return ' '
		case r == '\n', r == '\t':
			return r
		case r < ' ' || r == 0x7f || r == '\u200b' || r == '\u200c' || r == '\ufeff' || r == '\u00ad':
			return -1
		}
		return r
	}, s)
	if s == "" {
		return
	}
	if t.breaks > 0 && t.any {
		for range t.breaks {
			t.out.WriteByte('\n')
		}
		t.column = false
	}
	switch {
	case !t.column:
		t.out.WriteString(strings.Repeat("> ", min(t.quotes, maxQuotes)))
	case t.cell:
		t.out.WriteByte('\t')
	case t.space:
		t.out.WriteByte(' ')
	}
	t.breaks, t.cell, t.space, t.column, t.any = 0, false, false, true, true
	t.out.WriteString(s)
}

func (t *textWriter) link(href string) {
	t.endLink()
	lower := strings.ToLower(href)
	for _, scheme := range []string{"http:", "https:", "ftp:", "mailto:", "tel:"} {
		if strings.HasPrefix(lower, scheme) {
			t.href, t.linkAt = href, t.out.Len()
		}
	}
}

// endLink writes the target of a link that its text does not tell.
func (t *textWriter) endLink() {
	href := t.href
	if t.href = ""; href == "" {
		return
	}
	shown := strings.TrimSpace(t.out.String()[t.linkAt:])
	_, bare, _ := strings.Cut(href, ":")
	bare = strings.Trim(bare, "/")
	if shown == "" || strings.Contains(shown, bare) {
		return
	}
	t.space = true
	t.word("<" + strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || r == '<' || r == '>' {
			return -1
		}
		return r
	}, href) + ">")
}

func (t *textWriter) text() string {
	t.endLink()
	if !t.any {
		return ""
	}
	lines := strings.Split(t.out.String(), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(line, " \t")
	}
	return strings.TrimLeft(strings.Join(lines, "\n"), "\n") + "\n"
}

func isHTMLSpace(r rune) bool {
	return r == ' ' || r == '\n' || r == '\t' || r == '\r' || r == '\f'
}

// attribute reads one attribute of the current tag.
func attribute(z *html.Tokenizer, more bool, name string) string {
	for more {
		var key, value []byte
		key, value, more = z.TagAttr()
		if string(key) == name {
			return strings.TrimSpace(string(value))
		}
	}
	return ""
}

// metaCharset finds the charset that HTML names itself, near its beginning.
func metaCharset(b []byte) string {
	head := strings.ToLower(string(b[:min(len(b), 2048)]))
	for {
		i := strings.Index(head, "<meta")
		if i < 0 {
			return ""
		}
		tag, rest, _ := strings.Cut(head[i:], ">")
		if _, value, ok := strings.Cut(tag, "charset="); ok {
			value = strings.TrimLeft(value, " '\"")
			if end := strings.IndexAny(value, " '\";/>"); end >= 0 {
				value = value[:end]
			}
			return value
		}
		head = rest
	}
}
