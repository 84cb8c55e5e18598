package rfc822

import (
	"strings"
	"unicode/utf8"
)

// word is one encoded word (RFC 2047), cut out of a header value.
type word struct {
	charset string
	base64  bool
	text    string
	size    int // bytes of the whole word
}

const (
	maxCharsetName = 60
	maxWord        = 8192 // an RFC 2047 word has 75 bytes; some senders write the whole value as one
)

// findWord reads the encoded word s begins with. Senders that leave spaces into it, or write a
// language (RFC 2231 section 5), are understood.
func findWord(s string) (word, bool) {
	if !strings.HasPrefix(s, "=?") {
		return word{}, false
	}
	charset, _, ok := strings.Cut(s[2:min(len(s), maxCharsetName+3)], "?")
	if !ok || charset == "" || strings.ContainsAny(charset, "=\"<>@,") {
		return word{}, false
	}
	rest := s[len(charset)+3:]
	kind, rest, ok := strings.Cut(rest, "?")
	kind = strings.TrimSpace(kind)
	if !ok || len(kind) != 1 || !strings.Contains("bBqQ", kind) {
		return word{}, false
	}
	end := strings.Index(rest[:min(len(rest), maxWord)], "?=")
	if end < 0 {
		return word{}, false
	}
	charset, _, _ = strings.Cut(strings.TrimSpace(charset), "*")
	w := word{charset: strings.ToLower(charset), base64: kind == "b" || kind == "B", text: rest[:end]}
	w.size = len(s) - len(rest) + end + 2
	return w, true
}

// bytes appends the decoded bytes of the word.
func (w word) bytes(dst []byte) []byte {
	if w.base64 {
		var d base64Decoder
		dst = d.line(dst, []byte(w.text), true)
		return d.end(dst)
	}
	for i := 0; i < len(w.text); i++ {
		switch c := w.text[i]; {
		case c == '_':
			dst = append(dst, ' ')
		case c == '=' && i+2 < len(w.text) && hexValue(w.text[i+1]) >= 0 && hexValue(w.text[i+2]) >= 0:
			dst = append(dst, byte(hexValue(w.text[i+1])<<4|hexValue(w.text[i+2])))
			i += 2
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// decodeWords decodes the encoded words of a header value. The bytes of neighbours in the same
// charset are joined first, because senders split a character between two words. Control
// characters become spaces. (mime.WordDecoder leaves words as they are whose base64 has no padding,
// that hold a stray "=", or a space before their encoding.)
func decodeWords(s string) string {
	if !strings.Contains(s, "=?") {
		return cleanLine(s)
	}
	var out strings.Builder
	var run []byte
	charset, inRun := "", false
	flush := func() {
		if inRun {
			text, _ := decodeText(run, charset)
			out.WriteString(text)
			run, inRun = run[:0], false
		}
	}
	for i := 0; i < len(s); {
		w, ok := findWord(s[i:])
		if !ok {
			next := strings.Index(s[i+1:], "=?")
			end := len(s)
			if next >= 0 {
				end = i + 1 + next
			}
			plain := s[i:end]
			if _, follows := findWord(s[end:]); !inRun || !follows || strings.TrimSpace(plain) != "" {
				flush()
				out.WriteString(plain)
			}
			i = end
			continue
		}
		if inRun && w.charset != charset {
			flush()
		}
		charset, inRun = w.charset, true
		run = w.bytes(run)
		i += w.size
	}
	flush()
	return cleanLine(out.String())
}

func hexValue(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	}
	return -1
}

// cleanLine makes a string fit for one line: valid UTF-8, control characters turned into spaces.
func cleanLine(s string) string {
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] == 0x7f {
			return strings.TrimSpace(strings.Map(func(r rune) rune {
				if r < ' ' || r == 0x7f {
					return ' '
				}
				return r
			}, s))
		}
	}
	if !utf8.ValidString(s) {
		return strings.ToValidUTF8(s, "\uFFFD")
	}
	return s
}

func validUTF8(s string) bool { return utf8.ValidString(s) }

// validText makes a string valid UTF-8 without NUL, which databases refuse.
func validText(s string) string {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	if strings.IndexByte(s, 0) >= 0 {
		s = strings.ReplaceAll(s, "\x00", "\uFFFD")
	}
	return s
}
