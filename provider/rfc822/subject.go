package rfc822

import (
	"strings"
	"unicode/utf8"
)

// BaseSubject strips a subject of what mail programs add to it: "Re:", "Fwd:"
// and their translations, with or without a counter, list tags in brackets, a
// trailing "(fwd)", and runs of white space (RFC 5256 section 2.1, with more
// words). A subject that is nothing but a list tag keeps it. Letters keep
// their case, so compare with strings.EqualFold. It is idempotent. Use it for
// search and display, never to join threads: strangers share subjects.
func BaseSubject(s string) string {
	s = foldSpace(s)
	for {
		before := s
		if n := len(s) - len("(fwd)"); n >= 0 && strings.EqualFold(s[n:], "(fwd)") {
			s = strings.TrimSpace(s[:n])
		}
		if _, n := subjectPrefix(s); n > 0 {
			s = strings.TrimSpace(s[n:])
		}
		if n := subjectTag(s); n > 0 && n < len(s) {
			s = strings.TrimSpace(s[n:])
		}
		if len(s) > 6 && strings.EqualFold(s[:5], "[fwd:") && s[len(s)-1] == ']' {
			s = strings.TrimSpace(s[5 : len(s)-1])
		}
		if s == before {
			return s
		}
	}
}

// ReplySubject returns the subject of an answer: "Re: " once, in place of the
// reply prefixes in any language that were there. List tags and forward
// prefixes stay. It is idempotent.
func ReplySubject(s string) string {
	return strings.TrimSpace("Re: " + withoutPrefixes(s, false))
}

// ForwardSubject returns the subject of a forwarded mail: "Fwd: " once, in
// place of the reply and forward prefixes that were there. It is idempotent.
func ForwardSubject(s string) string {
	return strings.TrimSpace("Fwd: " + withoutPrefixes(s, true))
}

// withoutPrefixes takes out prefixes at the beginning, also behind list tags.
func withoutPrefixes(s string, forwards bool) string {
	s = foldSpace(s)
	var tags strings.Builder
	for {
		forward, n := subjectPrefix(s)
		if n > 0 && (forwards || !forward) {
			s = strings.TrimSpace(s[n:])
			continue
		}
		n = subjectTag(s)
		if n == 0 || n == len(s) {
			return tags.String() + s
		}
		tags.WriteString(s[:n])
		s = s[n:]
		if trimmed := strings.TrimSpace(s); len(trimmed) < len(s) {
			tags.WriteByte(' ')
			s = trimmed
		}
	}
}

func foldSpace(s string) string { return strings.Join(strings.Fields(s), " ") }

// subjectPrefix measures the prefix s begins with: a known word, perhaps a
// counter as in "Re[2]:" or "Re (3):", and a colon.
func subjectPrefix(s string) (forward bool, n int) {
	end := strings.IndexAny(s[:min(len(s), 24)], ":([^ ")
	if wide := strings.Index(s[:min(len(s), 24)], "："); wide >= 0 && (end < 0 || wide < end) {
		end = wide
	}
	if end <= 0 {
		return false, 0
	}
	word := strings.ToLower(s[:end])
	forward = forwardPrefixes[word]
	if !forward && !replyPrefixes[word] {
		return false, 0
	}
	rest := strings.TrimLeft(s[end:], " ")
	if rest != "" && strings.IndexByte("([^", rest[0]) >= 0 {
		digits := 1
		for digits < len(rest) && isDigit(rest[digits]) {
			digits++
		}
		if digits == 1 {
			return false, 0
		}
		if rest[0] != '^' {
			if digits == len(rest) || strings.IndexByte(")]", rest[digits]) < 0 {
				return false, 0
			}
			digits++
		}
		rest = strings.TrimLeft(rest[digits:], " ")
	}
	switch r, size := utf8.DecodeRuneInString(rest); r {
	case ':', '：':
		return forward, len(s) - len(rest) + size
	}
	return false, 0
}

// subjectTag measures the "[tag]" s begins with.
func subjectTag(s string) int {
	if s == "" || s[0] != '[' {
		return 0
	}
	end := strings.IndexAny(s[1:], "[]")
	if end < 0 || s[1+end] != ']' {
		return 0
	}
	return end + 2
}

var replyPrefixes = wordSet("re|aw|antw|antwort|sv|vs|rif|r|odp|ref|res|resp|ynt|yan|vá|bls|atb|ats|" +
	"отв|ответ|відп|σχετ|απ|回复|答复|回覆|回信|返信|回答|답장|회신|re회신|רד|השב|תשובה|رد|trả lời")

var forwardPrefixes = wordSet("fw|fwd|wg|tr|rv|enc|i|vl|vb|vid|pd|ilt|továbbítás|fs|trs|doorst|" +
	"пересл|пер|πρθ|转发|轉寄|轉發|転送|전달|fw전달|הועבר|إعادة توجيه|nf|pk|chuyển tiếp")
