package rfc822

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// media is a parsed Content-Type or Content-Disposition (RFC 2045 section 5.1, RFC 2183).
type media struct {
	value  string // "text/plain", "attachment": lower case
	params []param
}

type param struct{ name, value string }

// contentType reads the value of a Content-Type field. A type that is none is "".
func contentType(value string) media {
	m := parseMedia(value)
	main, sub, ok := strings.Cut(m.value, "/")
	switch {
	case m.value == "text" || m.value == "text/":
		m.value = "text/plain"
	case m.value == "html":
		m.value = "text/html"
	case m.value == "multipart" || m.value == "multipart/":
		m.value = "multipart/mixed"
	case !ok || main == "" || sub == "" || strings.ContainsAny(m.value, "<>@,\"()[]\\?=:"):
		m.value = ""
	}
	return m
}

// parseMedia never fails: quotes left open end with the value, and values that should be quoted
// go up to the semicolon. mime.ParseMediaType reads 1,024 of the 1,032 fields of the corpora in
// testdata, with the same result, and refuses the others.
func parseMedia(value string) media {
	var m media
	if value == "" {
		return m
	}
	head, rest := cutParam(value)
	head, _, _ = strings.Cut(head, "(")
	head = strings.ReplaceAll(strings.TrimSpace(head), " / ", "/")
	if i := strings.IndexAny(head, " \t"); i >= 0 {
		head = head[:i]
	}
	m.value = strings.ToLower(strings.Trim(head, "\"'"))
	for rest != "" && len(m.params) < 200 {
		var p string
		p, rest = cutParam(rest)
		name, v, ok := strings.Cut(p, "=")
		name = strings.ToLower(strings.TrimSpace(name))
		if !ok || name == "" {
			continue
		}
		m.params = append(m.params, param{name, unquoteParam(strings.TrimSpace(v))})
	}
	return m
}

// cutParam cuts s at the first semicolon outside quotes.
func cutParam(s string) (before, after string) {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			if quoted {
				i++
			}
		case '"':
			quoted = !quoted
		case ';':
			if !quoted {
				return s[:i], s[i+1:]
			}
		}
	}
	if quoted {
		// The quote is never closed: it ends at the next semicolon, so that one bad name does not
		// take the boundary with it.
		if i := strings.IndexByte(s, ';'); i >= 0 {
			return s[:i], s[i+1:]
		}
	}
	return s, ""
}

func unquoteParam(s string) string {
	if len(s) == 0 || s[0] != '"' {
		return s
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '"':
			return b.String()
		case '\\':
			// Windows paths in file names are not escapes.
			if i+1 < len(s) && (s[i+1] == '"' || s[i+1] == '\\') {
				i++
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// param returns a parameter that holds plain text, such as a charset.
func (m media) param(name string) string {
	for _, p := range m.params {
		if p.name == name {
			return p.value
		}
	}
	return ""
}

// token is param without what some senders write after it: "us-ascii (Plain text)".
func (m media) token(name string) string {
	v, _, _ := strings.Cut(m.param(name), "(")
	return strings.ToLower(strings.Trim(v, " \t'\""))
}

// text returns a parameter decoded: RFC 2231 with its continuations, or, against the RFCs but
// everywhere, encoded words.
func (m media) text(name string) string {
	if v := m.extended(name); v != "" {
		return v
	}
	return decodeWords(m.param(name))
}

// extended joins name*, or name*0, name*1* and so on (RFC 2231 sections 3 and 4).
func (m media) extended(name string) string {
	type piece struct {
		order   int
		percent bool
		value   string
	}
	var pieces []piece
	for _, p := range m.params {
		rest, ok := strings.CutPrefix(p.name, name+"*")
		if !ok {
			continue
		}
		number, percent := strings.CutSuffix(rest, "*")
		order, err := strconv.Atoi(number)
		switch {
		case rest == "":
			pieces = append(pieces, piece{0, true, p.value})
		case err == nil:
			pieces = append(pieces, piece{order, percent, p.value})
		}
	}
	slices.SortStableFunc(pieces, func(a, b piece) int { return cmp.Compare(a.order, b.order) })
	var raw []byte
	charset := ""
	for i, p := range pieces {
		if i > 0 && p.order == pieces[i-1].order {
			continue
		}
		if p.percent && i == 0 {
			if parts := strings.SplitN(p.value, "'", 3); len(parts) == 3 {
				charset, p.value = parts[0], parts[2]
			}
		}
		if p.percent {
			raw = unpercent(raw, p.value)
		} else {
			raw = append(raw, p.value...)
		}
	}
	text, _ := decodeText(raw, charset)
	if strings.Contains(text, "=?") {
		return decodeWords(text)
	}
	return cleanLine(text)
}

func unpercent(dst []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) && hexValue(s[i+1]) >= 0 && hexValue(s[i+2]) >= 0 {
			dst = append(dst, byte(hexValue(s[i+1])<<4|hexValue(s[i+2])))
			i += 2
			continue
		}
		dst = append(dst, s[i])
	}
	return dst
}

// fileName is the name a part claims, cut to something that is shown as it is: no control or
// direction characters and no path separators, at most 1 KB.
func fileName(disposition, contentType media) string {
	name := disposition.text("filename")
	if name == "" {
		name = contentType.text("name")
	}
	name = strings.Map(func(r rune) rune {
		switch {
		case r < ' ' || r == 0x7f || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069:
			return -1
		case r == '/' || r == '\\':
			return '_'
		}
		return r
	}, name)
	return cutText(strings.TrimSpace(name), maxNameBytes)
}

// cutText cuts s to at most n bytes without splitting a character.
func cutText(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xc0 == 0x80 {
		n--
	}
	return s[:n]
}
