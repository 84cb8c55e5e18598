package rfc822

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// quoteMark is a run of lines that says that somebody else's mail follows. A
// hard one (a separator line or a header block) leaves no doubt; below an
// attribution the answer may go on between quoted lines.
type quoteMark struct {
	from, to int
	hard     bool
}

const (
	maxMarkLine    = 400 // bytes of a line that may be part of an attribution
	maxMarkLines   = 6   // lines an attribution may be wrapped over
	maxHeaderLines = 20  // lines of a header block
)

func findMarks(s *splitter) []quoteMark {
	var marks []quoteMark
	floor := 0 // the first line no mark has taken
	for i := 0; i < len(s.lines); i++ {
		if i < floor || s.kinds[i] == kindBlank || s.code[i] {
			continue
		}
		m, ok := quoteMark{}, false
		if s.kinds[i] == kindText {
			m, ok = s.separatorAt(i)
		}
		if !ok {
			m, ok = s.attributionEndingAt(i, floor)
		}
		if ok {
			marks = append(marks, m)
			floor = m.to
		}
	}
	return marks
}

// separatorAt looks for a header block at line i, with or without a separator
// line above it, and for a separator line alone.
func (s *splitter) separatorAt(i int) (quoteMark, bool) {
	l := s.lines[i]
	if to, ok := s.headerBlock(i, false); ok {
		return quoteMark{i, to, true}, true
	}
	named := isSeparator(l)
	if !named && !isRule(strings.TrimSpace(l)) {
		return quoteMark{}, false
	}
	next := i + 1
	for next < len(s.lines) && next < i+3 && s.kinds[next] == kindBlank {
		next++
	}
	if to, ok := s.headerBlock(next, true); ok {
		return quoteMark{i, to, true}, true
	}
	return quoteMark{i, i + 1, true}, named
}

// headerBlock reads the From, Sent, To, Subject lines some mail programs put
// above the mail answered. A list of that kind typed by hand has no subject.
func (s *splitter) headerBlock(i int, separated bool) (to int, ok bool) {
	seen := [headerKinds]bool{}
	count, gap := 0, 0
	for n := i; n < len(s.lines) && n < i+maxHeaderLines && s.kinds[n] != kindBlank; n++ {
		kind, isHeader := headerWord(s.lines[n])
		if !isHeader {
			if n == i || gap > 0 {
				break
			}
			gap++
			continue
		}
		gap = 0
		if !seen[kind] {
			count++
		}
		seen[kind] = true
		to = n + 1
	}
	full := seen[headerFrom] && seen[headerSubject] && count >= 3
	return to, full || separated && seen[headerFrom] && count >= 2
}

// headerWord tells which header a line of a header block names, if any.
func headerWord(l string) (headerKind, bool) {
	l = strings.TrimLeft(l, " *_\t\u00a0")
	end := -1
	for i, r := range l {
		if r == ':' || r == '：' {
			end = i
			break
		}
		if i > 40 {
			break
		}
	}
	if end <= 0 {
		return 0, false
	}
	kind, ok := headerWords[strings.ToLower(strings.TrimRight(l[:end], " *_\t\u00a0"))]
	return kind, ok
}

// isSeparator knows "-----Original Message-----", "Begin forwarded message:"
// and the like in many languages.
func isSeparator(l string) bool {
	if len(l) > 120 {
		return false
	}
	t := strings.Trim(l, " *_>\t\u00a0")
	inner := strings.Trim(t, "-–—_")
	dashed := len(t)-len(inner) >= 4 && (t[0] == '-' || !isASCIILetter(t[0]))
	inner = strings.ToLower(strings.Trim(inner, " *\t\u00a0"))
	if dashed {
		return separatorWords[strings.TrimRight(inner, " :：")]
	}
	return strings.HasSuffix(inner, ":") && forwardWords[strings.TrimRight(inner, " :\u00a0")]
}

func isASCIILetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// attributionEndingAt looks for an attribution whose last line is e, taking as
// few lines above as will do, so that no sentence before it is drawn in.
func (s *splitter) attributionEndingAt(e, floor int) (quoteMark, bool) {
	if len(s.lines[e]) > maxMarkLine || !endsLikeAttribution(s.lines[e]) {
		return quoteMark{}, false
	}
	joined := ""
	for from := e; from >= floor && from > e-maxMarkLines; from-- {
		l := s.lines[from]
		if s.kinds[from] == kindBlank || s.code[from] || len(l) > maxMarkLine {
			break
		}
		joined = strings.TrimSpace(l) + " " + joined
		if s.kinds[from] != kindText || !isAttribution(joined) {
			continue
		}
		if !hasDate(joined) {
			from = s.dateLineAbove(from, floor)
		}
		return quoteMark{from: from, to: e + 1}, true
	}
	if s.isBareAttribution(e) {
		return quoteMark{from: e, to: e + 1}, true
	}
	return quoteMark{}, false
}

// isBareAttribution knows "Ann Lee wrote:", which has neither date nor address,
// by where it stands: on a line of its own with a quote right below.
func (s *splitter) isBareAttribution(i int) bool {
	if s.kinds[i] != kindText || i > 0 && s.kinds[i-1] == kindText {
		return false
	}
	next := i + 1
	if next < len(s.lines) && s.kinds[next] == kindBlank {
		next++
	}
	if next >= len(s.lines) || s.kinds[next] != kindQuote {
		return false
	}
	t := foldMark(s.lines[i])
	return strings.HasSuffix(t, ":") && len(strings.Fields(t)) <= 10 && hasVerb(t)
}

// dateLineAbove finds the line an attribution starts with when its name and
// address stand on lines of their own. It returns from when there is none.
func (s *splitter) dateLineAbove(from, floor int) int {
	for n := from - 1; n >= floor && n >= from-4; n-- {
		l := strings.TrimSpace(s.lines[n])
		switch {
		case s.kinds[n] == kindBlank:
			if !strings.HasPrefix(strings.TrimSpace(s.lines[n+1]), "<") {
				return from
			}
		case s.kinds[n] != kindText || s.code[n] || len(l) > maxMarkLine:
			return from
		case hasDate(l) && startsLikeAttribution(foldMark(l)):
			return n
		case strings.ContainsAny(l, ".!?:"):
			return from
		}
	}
	return from
}

// endsLikeAttribution is the cheap test most lines fail.
func endsLikeAttribution(l string) bool {
	l = strings.TrimRight(l, " \t\u00a0\u200e\u200f\u202c\u2069*_")
	return strings.HasSuffix(l, ":") || strings.HasSuffix(l, "：") || strings.HasSuffix(l, "----") ||
		strings.HasSuffix(l, ">") || strings.Contains(l, "GMT")
}

// isAttribution says whether the text, one line or several joined, is of the
// kind "On <date>, <somebody> wrote:".
func isAttribution(joined string) bool {
	if len(joined) > maxMarkLine || !strings.ContainsAny(joined, "0123456789@") {
		return false
	}
	t := foldMark(joined)
	inner := strings.Trim(t, "- ")
	if strings.HasPrefix(t, "--") && strings.HasSuffix(t, "--") {
		return startsLikeAttribution(inner) && hasDate(inner) && hasVerb(inner)
	}
	date := hasDate(t)
	address := hasAngleAddress(t)
	if !strings.HasSuffix(t, ":") {
		return startsWithYear(t) &&
			(strings.HasSuffix(t, ">") && address || strings.Contains(t, " gmt") && date)
	}
	if hasVerb(t) {
		return address || date && startsLikeAttribution(t)
	}
	return address && date && startsWithDate(t)
}

// foldMark brings an attribution into one form: lower case, single spaces, no
// direction marks, an ASCII colon.
func foldMark(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	space := false
	for _, r := range s {
		switch {
		case unicode.IsSpace(r):
			space = b.Len() > 0
			continue
		case unicode.Is(unicode.Cf, r), r == '*':
			continue
		case r == '：':
			r = ':'
		}
		if space {
			b.WriteByte(' ')
			space = false
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// hasAngleAddress wants "<...@...>", or the "(...@...)" of some programs.
func hasAngleAddress(t string) bool {
	for _, pair := range [...]string{"<>", "()"} {
		open := strings.IndexByte(t, pair[0])
		if open < 0 {
			continue
		}
		if end := strings.LastIndexByte(t, pair[1]); end > open && strings.Contains(t[open:end], "@") {
			return true
		}
	}
	return false
}

func hasVerb(t string) bool {
	for _, v := range wroteWords {
		at := strings.Index(t, v)
		if at < 0 {
			continue
		}
		before, _ := utf8.DecodeLastRuneInString(t[:at])
		after, _ := utf8.DecodeRuneInString(t[at+len(v):])
		if firstRune(v) >= 0x2e80 || !unicode.IsLetter(before) && !unicode.IsLetter(after) {
			return true
		}
	}
	return false
}

func startsLikeAttribution(t string) bool {
	if startsWithDate(t) {
		return true
	}
	first, _, _ := strings.Cut(t, " ")
	return openingWords[strings.TrimRight(first, ",.:")]
}

// startsWithDate is true for a digit and for the name of a week day.
func startsWithDate(t string) bool {
	if t == "" {
		return false
	}
	if t[0] >= '0' && t[0] <= '9' {
		return true
	}
	first, _, _ := strings.Cut(t, " ")
	return weekDays[strings.TrimRight(first, ",.")]
}

// startsWithYear is true for a date such as 2016-03-03 or 2013/7/20.
func startsWithYear(t string) bool {
	return len(t) > 8 && isYear(t) && (t[4] == '-' || t[4] == '/')
}

func isYear(t string) bool {
	return len(t) >= 4 && (t[:2] == "19" || t[:2] == "20") && isDigit(t[2]) && isDigit(t[3])
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// hasDate wants a year of four digits, or a time of day.
func hasDate(t string) bool {
	for i := 0; i < len(t); i++ {
		if !isDigit(t[i]) || i > 0 && isDigit(t[i-1]) {
			continue
		}
		n := i
		for n < len(t) && isDigit(t[n]) {
			n++
		}
		switch {
		case n-i == 4 && isYear(t[i:]):
			return true
		case n-i <= 2 && n+2 < len(t) && strings.IndexByte(":.h", t[n]) >= 0 &&
			isDigit(t[n+1]) && isDigit(t[n+2]):
			return true
		}
	}
	return false
}
