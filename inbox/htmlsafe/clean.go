package htmlsafe

import (
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// HTML is markup that is safe to put into the body of a page. Only Clean makes it; the zero value
// is empty.
type HTML struct {
	s       string
	blocked int
}

// String returns the markup.
func (h HTML) String() string { return h.s }

// MarshalText lets JSON carry the markup as a string. There is no way back: what was stored or
// sent elsewhere has to be cleaned again.
func (h HTML) MarshalText() ([]byte, error) { return []byte(h.s), nil }

// Blocked says how many images and backgrounds were left out because they would have been loaded
// from outside. A page may offer to clean again with Options.RemoteImages.
func (h HTML) Blocked() int { return h.blocked }

// Options say what Clean lets through. The zero value is the strictest.
type Options struct {
	// RemoteImages lets images load over http and https, which tells their sender that the mail
	// was opened, when, and from where.
	RemoteImages bool
	// Unwanted names images that RemoteImages does not let load and HTML.Blocked does not count. Nil: none.
	Unwanted func(url string) bool
	// DataImages lets images stand in the markup itself (data:image/png and other raster types).
	DataImages bool
	// InlineURL gives the address of an inline part of the message, by its content id without
	// angles: an http, https or relative URL, or "" for none. With nil, cid: URLs stay as they
	// are. The id stays on the image as data-cid.
	InlineURL func(contentID string) string
}

// Clean makes the HTML of a mail, a document or a part of one, safe to show. It never fails, and
// its result is valid UTF-8. Its time is linear in the length of src. It may be called
// concurrently.
func Clean(src string, o Options) HTML {
	c := &cleaner{options: o, open: make(map[string]int)}
	c.run(strings.ReplaceAll(strings.ToValidUTF8(src, "\uFFFD"), "\x00", ""))
	return HTML{s: strings.Trim(policy().Sanitize(c.out.String()), " \t\n"), blocked: c.blocked}
}

// maxDepth bounds how deep elements are nested. Deeper ones lose their tags, not their text.
const maxDepth = 200

// maxStack bounds how many open elements are kept in mind, shown or not.
const maxStack = 1000

// cleaner walks over the tokens of a mail once. It leaves balanced markup of known elements to the
// policy, which has the last word.
type cleaner struct {
	options Options
	out     strings.Builder
	stack   []element
	open    map[string]int // elements on the stack, by name
	depth   int            // shown elements on the stack
	blocked int
}

type element struct {
	name  string
	shown bool
}

func (c *cleaner) run(src string) {
	z := html.NewTokenizer(strings.NewReader(src))
	skipped, skippedDepth := "", 0
	for {
		kind := z.Next()
		if kind == html.ErrorToken {
			break
		}
		t := z.Token()
		if skipped != "" {
			switch {
			case t.Data != skipped:
			case kind == html.StartTagToken:
				skippedDepth++
			case kind == html.EndTagToken:
				if skippedDepth--; skippedDepth == 0 {
					skipped = ""
				}
			}
			continue
		}
		switch kind {
		case html.TextToken:
			c.out.WriteString(html.EscapeString(t.Data))
		case html.StartTagToken, html.SelfClosingTagToken:
			if kind == html.StartTagToken && dropped[t.DataAtom] {
				skipped, skippedDepth = t.Data, 1
				continue
			}
			c.start(t)
		case html.EndTagToken:
			c.end(t.Data)
		}
	}
	for len(c.stack) > 0 {
		c.pop()
	}
}

func (c *cleaner) start(t html.Token) {
	allowed, known := elements[t.DataAtom]
	if !known {
		c.countBackground(t.Attr)
		return
	}
	c.closeImplied(t.DataAtom)
	t.Attr = c.attributes(t.DataAtom, t.Attr, allowed)
	shown := c.depth < maxDepth && (len(t.Attr) > 0 || !needsAttr(t.DataAtom))
	if shown {
		t.Type = html.StartTagToken
		c.out.WriteString(t.String())
	}
	if isVoid(t.DataAtom) {
		return
	}
	if len(c.stack) >= maxStack {
		return
	}
	c.stack = append(c.stack, element{t.Data, shown})
	c.open[t.Data]++
	if shown {
		c.depth++
	}
}

// closeImplied ends what a browser would end before this element.
func (c *cleaner) closeImplied(a atom.Atom) {
	switch a {
	case atom.Li:
		c.popIf("p")
		c.popIf("li")
	case atom.Dd, atom.Dt:
		c.popIf("p")
		c.popIf("dd", "dt")
	case atom.Td, atom.Th:
		c.popToTable()
		c.popIf("td", "th")
	case atom.Tr:
		c.popToTable()
		c.popIf("td", "th")
		c.popIf("tr")
	case atom.Tbody, atom.Thead, atom.Tfoot:
		c.popToTable()
		c.popIf("td", "th")
		c.popIf("tr")
		c.popIf("tbody", "thead", "tfoot")
	case atom.Address, atom.Article, atom.Aside, atom.Blockquote, atom.Center, atom.Details, atom.Div,
		atom.Dl, atom.Figure, atom.Footer, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6,
		atom.Header, atom.Hr, atom.Ol, atom.P, atom.Pre, atom.Section, atom.Table, atom.Ul:
		c.popIf("p")
	}
}

// popToTable ends what is open in the current cell.
func (c *cleaner) popToTable() {
	if c.open["table"] == 0 {
		return
	}
	for !tableParts[c.stack[len(c.stack)-1].name] {
		c.pop()
	}
}

// tableParts hold what is opened inside them: no end tag reaches out.
var tableParts = map[string]bool{
	"table": true, "tbody": true, "thead": true, "tfoot": true, "tr": true, "td": true, "th": true,
}

func (c *cleaner) popIf(names ...string) {
	if len(c.stack) == 0 {
		return
	}
	for _, name := range names {
		if c.stack[len(c.stack)-1].name == name {
			c.pop()
			return
		}
	}
}

// end closes the element and those inside it; an end without a beginning is left out. Inside a
// table only the ends of its own parts reach further than the cell.
func (c *cleaner) end(name string) {
	if c.open[name] == 0 {
		return
	}
	if !tableParts[name] {
		for i := len(c.stack) - 1; c.stack[i].name != name; i-- {
			if tableParts[c.stack[i].name] {
				return
			}
		}
	}
	for c.pop() != name {
	}
}

func (c *cleaner) pop() string {
	top := c.stack[len(c.stack)-1]
	c.stack = c.stack[:len(c.stack)-1]
	c.open[top.name]--
	if top.shown {
		c.depth--
		c.out.WriteString("</" + top.name + ">")
	}
	return top.name
}

// needsAttr is true for elements that mean nothing without an attribute.
func needsAttr(a atom.Atom) bool {
	return a == atom.A || a == atom.Font || a == atom.Img
}

func isVoid(a atom.Atom) bool {
	return a == atom.Br || a == atom.Hr || a == atom.Img || a == atom.Wbr || a == atom.Col
}
