package outlooktest

import (
	"bytes"
	"html"
	"slices"
	"strings"

	nethtml "golang.org/x/net/html"

	"github.com/workinbox/workinbox/provider/rfc822"
)

// bodyObject is an itemBody: HTML unless the caller prefers text.
func (m *message) bodyObject(v view, unique bool) *object {
	o := newObject()
	c := m.parts()
	switch {
	case v.prefer.text:
		text := c.text
		if unique {
			text = rfc822.SplitText(text).New
		}
		o.text("contentType", "text")
		o.text("content", strings.ReplaceAll(text, "\n", "\r\n"))
	default:
		o.text("contentType", "html")
		o.text("content", c.htmlBody(v.prefer.unsafeHTML, unique))
	}
	return o
}

func (c *content) htmlBody(unsafe, unique bool) string {
	body := c.body
	if !c.html {
		if unique {
			body = rfc822.SplitText(body).New
		}
		return plainHTML(body)
	}
	if unique {
		body, _ = rfc822.SplitHTML(body)
	}
	if unsafe {
		return body
	}
	return safeHTML(body)
}

// plainHTML is how Exchange shows plain text as HTML.
func plainHTML(text string) string {
	lines := strings.ReplaceAll(html.EscapeString(text), "\n", "<br>\r\n")
	return `<html><head>` + "\r\n" +
		`<meta http-equiv="Content-Type" content="text/html; charset=utf-8">` +
		`<meta name="Generator" content="Microsoft Exchange Server">` + "\r\n" +
		`</head>` + "\r\n" + `<body><font size="2"><span style="font-size:11pt;">` +
		`<div class="PlainText">` + lines + `</div></span></font></body></html>`
}

// Elements that are left out with what is in them, and attributes that are left out.
var (
	unsafeElements   = []string{"script", "iframe", "object", "embed", "applet", "form"}
	unsafeAttributes = []string{"srcdoc", "formaction"}
)

// safeHTML leaves out what could be executed, as Graph does unless it is told otherwise. Markup
// without such elements comes back as it was, byte for byte.
//
// Source: https://learn.microsoft.com/graph/api/resources/message, "allow-unsafe-html"
func safeHTML(source string) string {
	if harmless(source) {
		return source
	}
	return cleaned(source)
}

func cleaned(source string) string {
	var out bytes.Buffer
	z := nethtml.NewTokenizer(strings.NewReader(source))
	skip := ""
	for {
		kind := z.Next()
		if kind == nethtml.ErrorToken {
			return out.String() // the end: a strings.Reader gives no other error
		}
		raw := slices.Clone(z.Raw())
		t := z.Token()
		switch {
		case skip != "":
			if kind == nethtml.EndTagToken && t.Data == skip {
				skip = ""
			}
		case (kind == nethtml.StartTagToken || kind == nethtml.SelfClosingTagToken) &&
			slices.Contains(unsafeElements, t.Data):
			if kind == nethtml.StartTagToken && t.Data != "embed" {
				skip = t.Data
			}
		case kind == nethtml.EndTagToken && slices.Contains(unsafeElements, t.Data):
		case slices.ContainsFunc(t.Attr, unsafeAttribute):
			t.Attr = slices.DeleteFunc(t.Attr, unsafeAttribute)
			out.WriteString(t.String())
		default:
			out.Write(raw)
		}
	}
}

// harmless says that there is nothing to leave out, for most mail and at a fraction of the cost of
// reading all tags. It may fail to say so.
func harmless(source string) bool {
	for i := 0; i < len(source); i++ {
		rest := source[i+1:]
		switch source[i] {
		case '<':
			rest = strings.TrimPrefix(rest, "/")
			if slices.ContainsFunc(unsafeElements, func(e string) bool { return beginsWith(rest, e) }) {
				return false
			}
		case ' ', '\t', '\n', '\r', '\f', '"', '\'', '/':
			if beginsWith(rest, "on") && handles(rest[2:]) ||
				slices.ContainsFunc(unsafeAttributes, func(a string) bool { return beginsWith(rest, a) }) {
				return false
			}
		case 't':
			if beginsWith(rest, ":") { // javascript:
				return false
			}
		case 'T', '&':
			// Values may be written with references, "&#106;avascript:", and in capitals.
			if beginsWith(rest, ":") || beginsWith(rest, "#") || beginsWith(rest, "colon") ||
				beginsWith(rest, "tab") || beginsWith(rest, "newline") {
				return false
			}
		}
	}
	return true
}

// beginsWith compares with regard to neither case nor what comes after.
func beginsWith(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

// handles says whether what follows "on" makes it an attribute with a value.
func handles(s string) bool {
	if end := strings.IndexAny(s, "= \t\r\n\f/><"); end >= 0 {
		s = strings.TrimLeft(s[end:], " \t\r\n\f")
	}
	return s == "" || s[0] == '='
}

func unsafeAttribute(a nethtml.Attribute) bool {
	value := strings.ToLower(strings.TrimSpace(a.Val))
	return strings.HasPrefix(a.Key, "on") && a.Val != "" || slices.Contains(unsafeAttributes, a.Key) ||
		strings.HasPrefix(value, "javascript:") || strings.HasPrefix(value, "vbscript:")
}
