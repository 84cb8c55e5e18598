package htmlsafe

import "strings"

// styleKind says what values a property may have.
type styleKind byte

const (
	styleColour styleKind = iota + 1
	styleLengths
	styleWords
	styleFont
	styleMixed // lengths, words and colours
	styleDisplay
	styleBackground
)

// maxStyle bounds a style attribute; longer ones are dropped.
const maxStyle = 8 << 10

// styles lists what may be set. Nothing here moves an element out of its place, so position,
// transform, z-index, negative margins and content are not among them.
var styles = func() map[string]styleKind {
	known := make(map[string]styleKind)
	for kind, names := range map[styleKind]string{
		styleColour: "color background-color border-color border-top-color border-right-color " +
			"border-bottom-color border-left-color text-decoration-color outline-color",
		styleLengths: "font-size line-height width height max-width min-width max-height min-height " +
			"margin margin-top margin-right margin-bottom margin-left padding padding-top " +
			"padding-right padding-bottom padding-left border-width border-top-width " +
			"border-right-width border-bottom-width border-left-width border-spacing " +
			"border-radius text-indent letter-spacing word-spacing",
		styleWords: "font-weight font-style font-variant text-align text-decoration text-transform " +
			"text-decoration-line text-decoration-style vertical-align white-space direction " +
			"list-style-type list-style-position border-collapse border-style border-top-style " +
			"border-right-style border-bottom-style border-left-style float clear word-break " +
			"overflow-wrap word-wrap table-layout caption-side unicode-bidi text-overflow",
		styleFont:       "font-family font",
		styleMixed:      "border border-top border-right border-bottom border-left",
		styleDisplay:    "display",
		styleBackground: "background",
	} {
		for name := range strings.FieldsSeq(names) {
			known[name] = kind
		}
	}
	return known
}()

// style keeps the declarations that are known to be harmless, in one form.
func (c *cleaner) style(v string) string {
	if len(v) > maxStyle {
		return ""
	}
	var b strings.Builder
	for v != "" {
		var declaration string
		declaration, v = cutDeclaration(v)
		name, value, found := strings.Cut(declaration, ":")
		if !found {
			continue
		}
		name = strings.ToLower(strings.TrimSpace(name))
		value = strings.Join(strings.Fields(value), " ")
		if i := strings.IndexByte(value, '!'); i >= 0 {
			value = strings.TrimSpace(value[:i])
		}
		lower := strings.ToLower(value)
		if i := strings.Index(lower, "url("); i >= 0 && isRemote(strings.Trim(lower[i+4:], " '\"")) {
			c.blocked++
		}
		kind := styles[name]
		if kind == styleBackground {
			name, kind = "background-color", styleColour
		}
		if !validStyle(kind, value, lower) {
			continue
		}
		if kind != styleFont {
			value = lower
		}
		if b.Len() > 0 {
			b.WriteString("; ")
		}
		b.WriteString(name + ": " + value)
	}
	return b.String()
}

// cutDeclaration splits at the first semicolon outside of quotes and parentheses.
func cutDeclaration(v string) (declaration, rest string) {
	quote, depth := byte(0), 0
	for i := 0; i < len(v); i++ {
		switch c := v[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case c == '(':
			depth++
		case c == ')':
			depth = max(0, depth-1)
		case c == ';' && depth == 0:
			return v[:i], v[i+1:]
		}
	}
	return v, ""
}

func validStyle(kind styleKind, value, lower string) bool {
	if value == "" || len(value) > 300 {
		return false
	}
	switch kind {
	case styleColour:
		return isColour(lower)
	case styleLengths:
		return allFields(lower, 4, isLength)
	case styleWords:
		return allFields(lower, 4, isWord)
	case styleFont:
		return isFontList(value)
	case styleMixed:
		return isColour(lower) || allFields(joinColour(lower), 3, func(f string) bool {
			return isLength(f) || isWord(f) || isColour(f)
		})
	case styleDisplay:
		switch lower {
		case "none", "block", "inline", "inline-block", "list-item", "table", "inline-table",
			"table-row", "table-cell", "table-row-group", "table-header-group":
			return true
		}
	}
	return false
}

// joinColour takes the spaces out of rgb(1, 2, 3), so that it counts as one value.
func joinColour(v string) string {
	open := strings.IndexByte(v, '(')
	end := strings.LastIndexByte(v, ')')
	if open < 0 || end < open {
		return v
	}
	return v[:open] + strings.ReplaceAll(v[open:end], " ", "") + v[end:]
}

func allFields(v string, most int, ok func(string) bool) bool {
	fields := strings.Fields(v)
	for _, f := range fields {
		if !ok(f) {
			return false
		}
	}
	return len(fields) > 0 && len(fields) <= most
}

// isLength knows "12px", "1.5", "80%", and the words sizes may have. It is never negative: a
// negative margin would cover what stands around the mail.
func isLength(f string) bool {
	n := 0
	for n < len(f) && (f[n] >= '0' && f[n] <= '9' || f[n] == '.') {
		n++
	}
	if n > 8 || strings.Count(f[:n], ".") > 1 {
		return false
	}
	switch unit := f[n:]; unit {
	case "px", "pt", "em", "rem", "ex", "%", "cm", "mm", "in", "pc", "ch", "":
		return n > 0 && f[:n] != "."
	default:
		return n == 0 && isWord(unit)
	}
}

func isWord(f string) bool {
	return isName(f, "-") && isLetter(f[0]) && len(f) <= 24 && f != "expression"
}

// isColour knows names, #rgb and its longer forms (also without #, as old mail has it) and rgb().
func isColour(v string) bool {
	if open := strings.IndexByte(v, '('); open > 0 {
		switch strings.ToLower(v[:open]) {
		case "rgb", "rgba", "hsl", "hsla":
		default:
			return false
		}
		inside, ok := strings.CutSuffix(v[open+1:], ")")
		return ok && len(inside) <= 40 && inside != "" && strings.Trim(inside, "0123456789., %/") == ""
	}
	return isName(strings.TrimPrefix(v, "#"), "") && len(v) <= 24
}

// isFontList knows names of fonts with sizes among them, as the font property has it.
func isFontList(v string) bool {
	if v == "" || len(v) > 300 || strings.Count(v, "'")%2 != 0 || strings.Count(v, `"`)%2 != 0 {
		return false
	}
	for _, r := range v {
		switch {
		case r >= '0' && r <= '9', r < 0x80 && isLetter(byte(r)), strings.ContainsRune(" ,-_.%/'\"", r):
		case r >= 0xc0 && r != 0xd7 && r != 0xf7 && r < 0xfff0 && r != '\u2028' && r != '\u2029':
		default:
			return false
		}
	}
	return true
}
