package rfc822

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Body is the text of a message taken apart. Every line of the input that is
// not blank is in exactly one field, in its old order. New is what the sender
// wrote this time; answers between quoted lines keep the quotes they answer.
// Quoted is the mail answered or forwarded, with its attribution line or
// header block. Signature is what follows a "-- " line, and lines such as
// "Sent from my phone".
type Body struct {
	New       string
	Quoted    string
	Signature string
}

// SplitText takes the plain text of a message apart. It never fails: text it
// cannot make sense of is all New. Splitting New again gives New again. Line
// ends come out as LF, and blank lines around each field are dropped. A
// message that holds nothing but a forwarded mail has that mail's text in New,
// since there is nothing else to show. Time is linear in the length of text.
func SplitText(text string) Body {
	text = unixLines(text)
	lines := strings.Split(text, "\n")
	parts := make([]bodyPart, len(lines))
	rest := make([]int, len(lines))
	for i := range rest {
		rest[i] = i
	}
	// Taking lines out may bring together lines that read as an attribution.
	// A text that has not settled after a few rounds was made to be like that.
	for range 4 {
		rest = trimBlank(lines, rest)
		left := splitRound(lines, rest, parts)
		if len(left) == len(rest) {
			return assemble(lines, rest, parts)
		}
		rest = left
	}
	all := make([]int, len(lines))
	for i := range all {
		all[i] = i
	}
	return Body{New: joinLines(lines, trimBlank(lines, all))}
}

// bodyPart says which field of Body a line goes to.
type bodyPart byte

const (
	partNew bodyPart = iota
	partQuoted
	partSignature
)

// splitRound marks in parts what is not new among the lines at, and returns
// those that are left.
func splitRound(lines []string, at []int, parts []bodyPart) []int {
	window := make([]string, len(at))
	for i, n := range at {
		window[i] = lines[n]
	}
	s := newSplitter(window)
	s.split()
	left := make([]int, 0, len(at))
	for i, n := range at {
		parts[n] = s.parts[i]
		if s.parts[i] == partNew {
			left = append(left, n)
		}
	}
	return left
}

func assemble(lines []string, fresh []int, parts []bodyPart) Body {
	var quoted, signature []int
	for i, p := range parts {
		switch p {
		case partQuoted:
			quoted = append(quoted, i)
		case partSignature:
			signature = append(signature, i)
		}
	}
	return Body{
		New:       joinLines(lines, fresh),
		Quoted:    joinLines(lines, trimBlank(lines, quoted)),
		Signature: joinLines(lines, trimBlank(lines, signature)),
	}
}

func joinLines(lines []string, at []int) string {
	var b strings.Builder
	for i, n := range at {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(lines[n])
	}
	return b.String()
}

func trimBlank(lines []string, at []int) []int {
	for len(at) > 0 && isBlank(lines[at[0]]) {
		at = at[1:]
	}
	for len(at) > 0 && isBlank(lines[at[len(at)-1]]) {
		at = at[:len(at)-1]
	}
	return at
}

func isBlank(s string) bool { return strings.TrimSpace(s) == "" }

// Preview returns one line for a message list: the beginning of the new text,
// or of the quoted text when there is none, with white space folded and
// invisible characters left out. It has at most limit runes, the last an
// ellipsis when text was cut, and is always valid UTF-8. A limit below one
// gives "". Only the first 8 KB or so of a long text are looked at.
func Preview(text string, limit int) string {
	if limit < 1 {
		return ""
	}
	// Most mail says enough for the line in its first lines. Only where those do not fill it, more
	// has to be taken apart.
	head := cutText(text, 8*limit)
	line := foldLine(SplitText(head).New, limit)
	if len(head) == len(text) && line != "" || strings.HasSuffix(line, "…") {
		return line
	}
	body := SplitText(cutText(text, max(8<<10, 8*limit)))
	if line = foldLine(body.New, limit); line == "" {
		line = foldLine(body.Quoted, limit)
	}
	return line
}

func foldLine(s string, limit int) string {
	out := make([]rune, 0, min(limit, 256)+1)
	space := false
	for _, r := range s {
		switch {
		case unicode.IsSpace(r):
			space = len(out) > 0
			continue
		case !unicode.IsGraphic(r), r == '\u00ad', r == '\u034f', r == '\u115f', r == '\u3164':
			// Newsletters pad their hidden first line with such characters.
			continue
		}
		if space {
			out = append(out, ' ')
			space = false
		}
		out = append(out, r)
		if len(out) > limit {
			out = append(out[:limit-1], '…')
			break
		}
	}
	return strings.ToValidUTF8(string(out), string(utf8.RuneError))
}
