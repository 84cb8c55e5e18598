package rfc822

import (
	"encoding/base64"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	maxLine        = 998 // octets of a line, without CRLF (RFC 5322 section 2.1.1)
	maxFolded      = 78
	maxEncodedWord = 75  // characters of an encoded word (RFC 2047 section 2)
	maxPlainWord   = 400 // a longer run without a space is encoded, so that it can be folded
	maxAddress     = 320
)

// headerWriter makes fields, folded and with their CRLF, and keeps the first error. The header that
// takes them is go-message's. Its own folding and encoding are not used: one token longer than a
// line, such as the id of an Exchange message or the first encoded word of a subject, makes it
// write up to 998 octets on that line, encoded words among them, which RFC 2047 section 2 limits to
// 76; a word longer than that it breaks by a space; and it leaves text that looks encoded as it is,
// so that readers decode what nobody encoded. TestGoMessageCannotWriteOurHeaders shows each.
type headerWriter struct {
	fields [][]byte
	err    error
}

func (h *headerWriter) fail(field string, err error) {
	if h.err == nil {
		h.err = &DraftError{Field: field, Err: err}
	}
}

// line writes a short field as it is.
func (h *headerWriter) line(name, value string) {
	h.fields = append(h.fields, []byte(name+": "+value+"\r\n"))
}

// tokens writes a field, folding it between tokens. The first token stays on
// the line of the name: some programs take an empty first line for an empty
// field.
func (h *headerWriter) tokens(name string, tokens []string) {
	line := []byte(name + ":")
	width := len(line)
	for i, t := range tokens {
		if i > 0 && width+1+len(t) > maxFolded {
			line = append(line, "\r\n"...)
			width = 0
		}
		line = append(append(line, ' '), t...)
		width += 1 + len(t)
	}
	h.fields = append(h.fields, append(line, "\r\n"...))
}

// text writes unstructured text, encoded where it must be. Empty text is left
// out.
func (h *headerWriter) text(name, value string) {
	if hasBreak(value) {
		h.fail(name, ErrHeaderInjection)
		return
	}
	value = strings.TrimSpace(strings.ToValidUTF8(value, string(utf8.RuneError)))
	if value == "" {
		return
	}
	if isPlain(value) {
		h.tokens(name, strings.Split(value, " "))
		return
	}
	h.tokens(name, encodeWords(value, 76-len(name)-2))
}

func (h *headerWriter) ids(name string, ids []string) {
	var tokens []string
	for i, id := range ids {
		switch {
		case hasBreak(id):
			h.fail(numbered(name, i, len(ids)), ErrHeaderInjection)
			return
		case !isMessageID(id):
			h.fail(numbered(name, i, len(ids)), ErrBadID)
			return
		}
		tokens = append(tokens, "<"+id+">")
	}
	if len(tokens) > 0 {
		h.tokens(name, tokens)
	}
}

func (h *headerWriter) addresses(name string, list []Address) {
	var tokens []string
	for i, a := range list {
		spec, err := wireAddress(a.Address)
		if err == nil && hasBreak(a.Name) {
			err = ErrHeaderInjection
		}
		if err != nil {
			h.fail(numbered(name, i, len(list)), err)
			return
		}
		width := maxEncodedWord
		if i == 0 {
			width = 76 - len(name) - 2
		}
		tokens = append(tokens, phrase(a.Name, width)...)
		if i < len(list)-1 {
			spec += ","
		}
		tokens = append(tokens, spec)
	}
	if len(tokens) > 0 {
		h.tokens(name, tokens)
	}
}

func numbered(name string, i, n int) string {
	if n < 2 {
		return name
	}
	return name + " " + strconv.Itoa(i+1)
}

func hasBreak(s string) bool { return strings.ContainsAny(s, "\r\n\x00") }

// isPlain says whether text can stand in a header as it is: printable ASCII,
// words that can be folded, single spaces, nothing that looks encoded.
func isPlain(s string) bool {
	word := 0
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == ' ':
			if word == 0 {
				return false
			}
			word = 0
		case s[i] < ' ' || s[i] >= 0x7f:
			return false
		default:
			if word++; word > maxPlainWord {
				return false
			}
		}
	}
	return word > 0 && !strings.Contains(s, "=?")
}

// phrase writes a display name: atoms, a quoted string, or encoded words.
func phrase(name string, first int) []string {
	name = strings.TrimSpace(strings.ToValidUTF8(name, string(utf8.RuneError)))
	if name == "" {
		return nil
	}
	if !isPlain(name) || len(name) > 60 {
		return encodeWords(name, first)
	}
	for i := 0; i < len(name); i++ {
		if !isAtomByte(name[i]) && name[i] != ' ' {
			return []string{quoteString(name)}
		}
	}
	return strings.Split(name, " ")
}

// isAtomByte knows atext of RFC 5322 section 3.2.3.
func isAtomByte(c byte) bool {
	return isASCIILetter(c) || isDigit(c) || strings.IndexByte("!#$%&'*+-/=?^_`{|}~", c) >= 0
}

func quoteString(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// encodeWords cuts text into encoded words (RFC 2047), Q or B, whichever is
// shorter, never inside a character. first is the room for the first word.
func encodeWords(s string, first int) []string {
	const overhead = len("=?utf-8?q??=")
	qSize := 0
	for i := 0; i < len(s); i++ {
		qSize += len(qByte(s[i]))
	}
	useQ := qSize <= base64.StdEncoding.EncodedLen(len(s))
	var words []string
	room := max(first, overhead+12) - overhead
	for len(s) > 0 {
		n, size := 0, 0
		for n < len(s) {
			_, width := utf8.DecodeRuneInString(s[n:])
			add := 0
			for i := n; i < n+width; i++ {
				add += len(qByte(s[i]))
			}
			if useQ && size+add > room || !useQ && base64.StdEncoding.EncodedLen(n+width) > room {
				break
			}
			n += width
			size += add
		}
		if useQ {
			var b strings.Builder
			for i := range n {
				b.WriteString(qByte(s[i]))
			}
			words = append(words, "=?utf-8?q?"+b.String()+"?=")
		} else {
			words = append(words, "=?utf-8?b?"+base64.StdEncoding.EncodeToString([]byte(s[:n]))+"?=")
		}
		s = s[n:]
		room = maxEncodedWord - overhead
	}
	return words
}

// qByte encodes one byte of an encoded word for any place, phrases included.
func qByte(c byte) string {
	switch {
	case c == ' ':
		return "_"
	case isASCIILetter(c) || isDigit(c) || strings.IndexByte("!*+-/", c) >= 0:
		return string(rune(c))
	}
	const digits = "0123456789ABCDEF"
	return string([]byte{'=', digits[c>>4], digits[c&15]})
}
