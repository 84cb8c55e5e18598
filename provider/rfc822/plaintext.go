package rfc822

import "strings"

// plainText makes lines end with LF and joins flowed lines.
func plainText(s string, flowed, delSp bool) string {
	if strings.IndexByte(s, '\r') >= 0 {
		s = strings.ReplaceAll(s, "\r\n", "\n")
		s = strings.ReplaceAll(s, "\r", "\n")
	}
	if flowed {
		s = unflow(s, delSp)
	}
	return s
}

// unflow joins the lines of format=flowed (RFC 3676 section 4): a line that ends with a space goes
// on in the next one of the same quote depth. With delSp that space is no part of the text.
func unflow(s string, delSp bool) string {
	var b strings.Builder
	b.Grow(len(s))
	depth, flowing := 0, false
	for line := range strings.Lines(s) {
		text := strings.TrimSuffix(line, "\n")
		ended := len(text) < len(line)
		quotes := 0
		for quotes < len(text) && text[quotes] == '>' {
			quotes++
		}
		content := text[quotes:]
		content = strings.TrimPrefix(content, " ") // space stuffing
		signature := content == "-- "
		if flowing && (quotes != depth || signature) {
			b.WriteByte('\n')
			flowing = false
		}
		if !flowing && quotes > 0 {
			b.WriteString(text[:quotes])
			b.WriteByte(' ')
		}
		soft := strings.HasSuffix(content, " ") && !signature
		if soft && delSp {
			content = content[:len(content)-1]
		}
		b.WriteString(content)
		depth, flowing = quotes, soft && ended
		if !flowing && ended {
			b.WriteByte('\n')
		}
	}
	return b.String()
}
