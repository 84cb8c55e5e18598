package rfc822

import (
	"strings"
	"unicode/utf8"
)

// lineKind is what a line looks like, before its neighbours are looked at.
type lineKind byte

const (
	kindBlank lineKind = iota
	kindText
	kindQuote
	kindMark // belongs to an attribution, a separator line or a header block
)

// maxSignatureLines bounds what may follow a "--" line; more is a divider.
const maxSignatureLines = 40

// maxRuledLines bounds what may follow another kind of rule.
const maxRuledLines = 10

// splitter takes one text apart. parts is its result.
type splitter struct {
	lines []string
	kinds []lineKind
	code  []bool      // inside a fenced code block: always text
	marks []quoteMark // in order, not overlapping
	parts []bodyPart
	left  []int // how many lines that are not blank follow, up to the next mark
}

func newSplitter(lines []string) *splitter {
	s := &splitter{
		lines: lines,
		kinds: make([]lineKind, len(lines)),
		code:  fenced(lines),
		parts: make([]bodyPart, len(lines)),
	}
	for i, l := range lines {
		switch {
		case isBlank(l):
			s.kinds[i] = kindBlank
		case !s.code[i] && isQuote(l):
			s.kinds[i] = kindQuote
		default:
			s.kinds[i] = kindText
		}
	}
	s.marks = findMarks(s)
	for _, m := range s.marks {
		for i := m.from; i < m.to; i++ {
			if s.kinds[i] != kindBlank {
				s.kinds[i] = kindMark
			}
		}
	}
	s.superciteBelowMarks()
	s.left = make([]int, len(lines)+1)
	for i := len(lines) - 1; i >= 0; i-- {
		switch s.kinds[i] {
		case kindMark:
			s.left[i] = 0
		case kindBlank:
			s.left[i] = s.left[i+1]
		default:
			s.left[i] = s.left[i+1] + 1
		}
	}
	return s
}

// fenced says which lines are in a ``` block. A fence nobody closes is none.
func fenced(lines []string) []bool {
	code := make([]bool, len(lines))
	open := -1
	for i, l := range lines {
		if !strings.HasPrefix(strings.TrimLeft(l, " "), "```") {
			continue
		}
		if open < 0 {
			open = i
			continue
		}
		for j := open; j <= i; j++ {
			code[j] = true
		}
		open = -1
	}
	return code
}

// split walks down the text once and then looks at what is left at its ends.
func (s *splitter) split() {
	end := s.walk()
	end = s.takeTrailers(end)
	if s.hasText(0, end) {
		end = s.takeTrailingQuotes(end)
		end = s.takeTrailers(end)
		s.takeLeadingQuote(end)
	}
	if s.hasText(0, end) {
		return
	}
	if len(s.marks) > 0 || s.quotedAttribution(end) {
		s.assign(0, end, partQuoted)
	}
}

// walk sets apart marks, what a mark cuts off, and the signature. It returns
// where the part that may be new ends.
func (s *splitter) walk() int {
	seenText, seenAny := false, false
	next := 0
	for i := 0; i < len(s.lines); i++ {
		switch s.kinds[i] {
		case kindMark:
			for s.marks[next].to <= i {
				next++
			}
			m := s.marks[next]
			if seenText && (m.hard || !s.followedByQuote(m.to)) {
				s.assign(i, len(s.lines), partQuoted)
				return i
			}
			s.assign(m.from, m.to, partQuoted)
			i = m.to - 1
			seenAny = true
		case kindText:
			if seenAny && s.isDelimiter(i) {
				s.takeSignature(i)
				return i
			}
			seenText, seenAny = true, true
		case kindQuote:
			seenAny = true
		}
	}
	return len(s.lines)
}

func (s *splitter) followedByQuote(i int) bool {
	for ; i < len(s.lines); i++ {
		if s.kinds[i] != kindBlank {
			return s.kinds[i] == kindQuote
		}
	}
	return false
}

// isDelimiter says whether line i stands between a text and its signature.
func (s *splitter) isDelimiter(i int) bool {
	if s.code[i] {
		return false
	}
	l := strings.TrimSpace(s.lines[i])
	if l == "--" || l == "—" || l == "–" {
		return s.left[i]-1 <= maxSignatureLines
	}
	if !isRule(l) || s.left[i]-1 > maxRuledLines {
		return false
	}
	// A rule right below text underlines a heading.
	return i > 0 && s.kinds[i-1] != kindText
}

// takeSignature gives away everything from i: the signature, and the mail
// quoted below it.
func (s *splitter) takeSignature(i int) {
	p := partSignature
	next := 0
	for ; i < len(s.lines); i++ {
		switch s.kinds[i] {
		case kindMark:
			for s.marks[next].to <= i {
				next++
			}
			p = partSignature
			if m := s.marks[next]; m.hard || !s.followedByQuote(m.to) {
				p = partQuoted
			}
			s.parts[i] = partQuoted
		case kindQuote:
			s.parts[i] = partQuoted
		default:
			s.parts[i] = p
		}
	}
}

// takeTrailers gives away what phones and mail programs write at the end.
func (s *splitter) takeTrailers(end int) int {
	for end > 0 {
		i := end - 1
		if s.kinds[i] != kindBlank && (s.kinds[i] != kindText || s.code[i] || !isTrailer(s.lines[i])) {
			break
		}
		if s.kinds[i] == kindText {
			s.parts[i] = partSignature
		}
		end = i
	}
	return end
}

func (s *splitter) takeTrailingQuotes(end int) int {
	for end > 0 && s.kinds[end-1] != kindText {
		end--
	}
	for i := end; i < len(s.lines); i++ {
		if s.kinds[i] == kindQuote && s.parts[i] == partNew {
			s.parts[i] = partQuoted
		}
	}
	return end
}

// takeLeadingQuote gives away the quote at the top when an attribution says
// whose it is and the whole answer stands below it.
func (s *splitter) takeLeadingQuote(end int) {
	i, marked, quoted := 0, false, false
	for i < end && s.kinds[i] != kindText {
		marked = marked || s.kinds[i] == kindMark
		quoted = quoted || s.kinds[i] == kindQuote
		i++
	}
	if !marked || !quoted {
		return
	}
	for j := i; j < end; j++ {
		if s.kinds[j] == kindQuote || s.kinds[j] == kindMark {
			return
		}
	}
	s.assign(0, i, partQuoted)
}

// quotedAttribution says whether a text of quotes alone starts with an
// attribution that is itself quoted.
func (s *splitter) quotedAttribution(end int) bool {
	for i := 0; i < end; i++ {
		if s.kinds[i] == kindQuote {
			return isAttribution(unquote(s.lines[i]))
		}
	}
	return false
}

func (s *splitter) hasText(from, to int) bool {
	for i := from; i < to; i++ {
		if s.kinds[i] == kindText && s.parts[i] == partNew {
			return true
		}
	}
	return false
}

func (s *splitter) assign(from, to int, p bodyPart) {
	for i := from; i < to; i++ {
		s.parts[i] = p
	}
}

// superciteBelowMarks takes "Bob> text" for a quote, but only below an
// attribution: elsewhere it is the prompt of some shell.
func (s *splitter) superciteBelowMarks() {
	if len(s.marks) == 0 {
		return
	}
	for i := s.marks[0].to; i < len(s.lines); i++ {
		if s.kinds[i] == kindText && !s.code[i] && isSupercite(s.lines[i]) {
			s.kinds[i] = kindQuote
		}
	}
}

func isSupercite(l string) bool {
	n := 0
	for n < len(l) && (l[n]|0x20 >= 'a' && l[n]|0x20 <= 'z') {
		n++
	}
	if n == 0 || n > 12 || n >= len(l) || l[n] != '>' {
		return false
	}
	return n+1 == len(l) || l[n+1] == ' ' || l[n+1] == '>'
}

// isQuote says whether the line starts with ">". Four spaces make it code.
func isQuote(l string) bool {
	t := strings.TrimLeft(l, " ")
	return len(l)-len(t) < 4 && strings.HasPrefix(t, ">")
}

func unquote(l string) string { return strings.TrimLeft(l, "> \t") }

// isRule says whether the line is three or more of one drawing character.
func isRule(l string) bool {
	if len(l) < 3 || !strings.ContainsRune("_-=*#~+–—", firstRune(l)) {
		return false
	}
	return strings.Trim(l, string(firstRune(l))) == "" && utf8.RuneCountInString(l) >= 3
}

func firstRune(s string) rune {
	r, _ := utf8.DecodeRuneInString(s)
	return r
}
