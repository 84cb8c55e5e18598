package htmlsafe

import (
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// dropped elements go with all they contain.
var dropped = map[atom.Atom]bool{
	atom.Script: true, atom.Style: true, atom.Title: true, atom.Textarea: true, atom.Iframe: true,
	atom.Noembed: true, atom.Noframes: true, atom.Noscript: true, atom.Plaintext: true,
	atom.Xmp: true, atom.Svg: true, atom.Math: true, atom.Template: true, atom.Object: true,
	atom.Applet: true, atom.Audio: true, atom.Video: true, atom.Canvas: true, atom.Select: true,
	atom.Datalist: true, atom.Frameset: true,
}

// elements that stay, with the attributes that only they may have. Others lose their tags; their
// text stays.
var elements = func() map[atom.Atom]string {
	const cell = " align valign width height bgcolor colspan rowspan nowrap "
	known := map[atom.Atom]string{
		atom.A:     " href ",
		atom.Img:   " src alt width height border align data-cid ",
		atom.Font:  " color face size ",
		atom.Table: " width height align bgcolor border cellpadding cellspacing ",
		atom.Td:    cell,
		atom.Th:    cell,
		atom.Col:   " align valign width span ",
		atom.Ol:    " start type ",
		atom.Ul:    " type ",
		atom.Li:    " value type ",
		atom.Hr:    " width align size ",
	}
	for _, a := range []atom.Atom{atom.Tr, atom.Tbody, atom.Thead, atom.Tfoot} {
		known[a] = " align valign bgcolor "
	}
	for _, a := range []atom.Atom{atom.Div, atom.P, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6} {
		known[a] = " align "
	}
	for _, a := range []atom.Atom{
		atom.Abbr, atom.Acronym, atom.Address, atom.Article, atom.Aside, atom.B, atom.Bdi, atom.Bdo,
		atom.Big, atom.Blockquote, atom.Br, atom.Caption, atom.Center, atom.Cite, atom.Code, atom.Dd,
		atom.Del, atom.Details, atom.Dfn, atom.Dl, atom.Dt, atom.Em, atom.Figcaption, atom.Figure,
		atom.Footer, atom.Header, atom.I, atom.Ins, atom.Kbd, atom.Mark, atom.Pre, atom.Q, atom.Rp,
		atom.Rt, atom.Ruby, atom.S, atom.Samp, atom.Section, atom.Small, atom.Span, atom.Strike,
		atom.Strong, atom.Sub, atom.Summary, atom.Sup, atom.Tt, atom.U, atom.Var, atom.Wbr,
	} {
		known[a] = ""
	}
	return known
}()

// attributes returns what may stay, each name once.
func (c *cleaner) attributes(a atom.Atom, attrs []html.Attribute, allowed string) []html.Attribute {
	c.countBackground(attrs)
	var kept []html.Attribute
	seen := ""
	for _, at := range attrs {
		if at.Namespace != "" || strings.Contains(seen, " "+at.Key+" ") {
			continue
		}
		global := at.Key == "style" || at.Key == "dir" || at.Key == "lang" || at.Key == "title"
		if !global && !strings.Contains(allowed, " "+at.Key+" ") || strings.Contains(at.Key, " ") {
			continue
		}
		if a == atom.Img && (at.Key == "src" || at.Key == "data-cid") {
			continue // together, below
		}
		if value, ok := c.value(at.Key, at.Val); ok {
			kept = append(kept, html.Attribute{Key: at.Key, Val: value})
			seen += " " + at.Key + " "
		}
	}
	switch a {
	case atom.Img:
		kept = append(c.source(attrs), kept...)
	case atom.A:
		if !strings.Contains(seen, " href ") {
			return nil
		}
		kept = append(kept, html.Attribute{Key: "rel", Val: linkRel}, html.Attribute{Key: "target", Val: "_blank"})
	}
	return kept
}

const linkRel = "noopener noreferrer nofollow"

// value checks one attribute and brings it into its one form.
func (c *cleaner) value(key, v string) (string, bool) {
	v = strings.TrimSpace(v)
	switch key {
	case "style":
		v = c.style(v)
		return v, v != ""
	case "href":
		return cleanLink(v)
	case "title", "alt":
		return v, v != "" && len(v) < 1000
	case "dir":
		v = strings.ToLower(v)
		return v, v == "ltr" || v == "rtl"
	case "lang":
		return v, isName(v, "-") && len(v) <= 20
	case "bgcolor", "color":
		return v, isColour(v)
	case "face":
		return v, isFontList(v)
	case "align", "valign", "type":
		return v, isName(v, "") && len(v) <= 10
	case "nowrap":
		return "nowrap", true
	case "size":
		digits := strings.TrimLeft(v, "+-")
		return v, len(v)-len(digits) <= 1 && isNumber(digits)
	case "width", "height":
		v = strings.TrimSuffix(strings.ToLower(v), "px")
		return v, isNumber(strings.TrimSuffix(v, "%"))
	}
	return v, isNumber(v)
}

func isNumber(v string) bool {
	for i := 0; i < len(v); i++ {
		if v[i] < '0' || v[i] > '9' {
			return false
		}
	}
	return v != "" && len(v) <= 5
}

// isName wants ASCII letters, digits and the characters of extra.
func isName(v, extra string) bool {
	for i := 0; i < len(v); i++ {
		if !isLetter(v[i]) && (v[i] < '0' || v[i] > '9') && strings.IndexByte(extra, v[i]) < 0 {
			return false
		}
	}
	return v != ""
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
