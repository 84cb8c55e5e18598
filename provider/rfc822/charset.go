package rfc822

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/gogs/chardet"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/ianaindex"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
)

// detectBytes is how much of a text the guess of its charset looks at.
const detectBytes = 4096

// encodings holds the names that mail uses and the two indexes do not know, or know as something
// that does not read mail.
//
// go-message/charset asks the same two indexes, but cannot stand in for this table: it asks that of
// IANA first, where iso-8859-1 is not windows-1252, so that the quotation marks of Windows become
// control characters; it takes iso-2022-kr, which nobody decodes, for one U+FFFD in place of the
// text; its readers do not tell what they decode, which findEncoding's callers need; and one costs
// 9 KB and 7 us, where a decoder costs 0.1 KB and 0.4 us for the encoded word of a header.
var encodings = map[string]encoding.Encoding{
	"cp932":               japanese.ShiftJIS,
	"windows-932":         japanese.ShiftJIS,
	"iso-2022-jp-1":       japanese.ISO2022JP,
	"iso-2022-jp-2":       japanese.ISO2022JP,
	"iso-2022-jp-ms":      japanese.ISO2022JP,
	"cp50220":             japanese.ISO2022JP,
	"cp50221":             japanese.ISO2022JP,
	"eucjp-ms":            japanese.EUCJP,
	"cp51932":             japanese.EUCJP,
	"cp949":               korean.EUCKR,
	"ms949":               korean.EUCKR,
	"uhc":                 korean.EUCKR,
	"gb-2312":             simplifiedchinese.GBK,
	"hz":                  simplifiedchinese.HZGB2312,
	"cp858":               charmap.CodePage858,
	"latin-1":             charmap.Windows1252,
	"iso8859_1":           charmap.Windows1252,
	"iso-8859-1-i":        charmap.Windows1252,
	"ansi_x3.110-1983":    charmap.Windows1252,
	"utf-16":              unicode.UTF16(unicode.BigEndian, unicode.UseBOM),
	"utf-16le":            unicode.UTF16(unicode.LittleEndian, unicode.UseBOM),
	"utf-16be":            unicode.UTF16(unicode.BigEndian, unicode.UseBOM),
	"utf-7":               utf7{},
	"unicode-1-1-utf-7":   utf7{},
	"x-unicode-2-0-utf-7": utf7{},
}

// utf8Names are charsets that are UTF-8 or a part of it. An unknown-8bit text is guessed.
var utf8Names = []string{
	"", "utf-8", "utf8", "us-ascii", "ascii", "646", "iso646-us", "ansi_x3.4-1968", "x-utf_8j", "utf-8mb4",
	"unknown-8bit", "x-unknown", "unknown", "x-user-defined", "binary", "8bit", "7bit", "default", "none",
	"unicode-1-1-utf-8",
}

// findEncoding returns the encoding of a charset name. known is false when nobody knows the name;
// a nil encoding of a known name is UTF-8.
func findEncoding(name string) (enc encoding.Encoding, known bool) {
	name = strings.ToLower(strings.Trim(name, " \t'\"`;,"))
	if slices.Contains(utf8Names, name) {
		return nil, true
	}
	if enc, known = encodings[name]; known {
		return enc, true
	}
	if enc, _ = htmlindex.Get(name); enc != nil && enc != encoding.Replacement {
		return enc, true
	}
	if enc, _ = ianaindex.MIME.Encoding(name); enc != nil && enc != encoding.Replacement {
		return enc, true
	}
	if enc, _ = ianaindex.MIME.Encoding("cs" + name); enc != nil && enc != encoding.Replacement {
		return enc, true
	}
	return nil, false
}

// decodeText makes text of bytes in the named charset. clean is false when the name is unknown or
// the bytes do not fit it, so that the charset had to be guessed.
func decodeText(b []byte, name string) (text string, clean bool) {
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	enc, known := findEncoding(name)
	switch {
	case enc == nil && utf8.Valid(b):
		if known && hasJISEscape(b) {
			return validText(decodeBytes(b, japanese.ISO2022JP)), true
		}
		return validText(string(b)), known || isASCII(b)
	case enc == nil:
		return validText(decodeBytes(b, guessEncoding(b, ""))), false
	case isSingleByte(enc) && utf8.Valid(b):
		// UTF-8 under another name is common; the reverse accident needs rare letter pairs.
		return validText(string(b)), true
	}
	text = decodeBytes(b, enc)
	if lost := strings.Count(text, "\uFFFD"); lost > 0 {
		other := string(b)
		if !utf8.Valid(b) {
			other = decodeBytes(b, guessEncoding(b, ""))
		}
		if strings.Count(other, "\uFFFD") < lost && (lost > 2 || lost*4 > utf8.RuneCountInString(text)) {
			text = other
		}
		return validText(text), false
	}
	return validText(text), true
}

// guessEncoding tells the most likely encoding of bytes that are not valid UTF-8: the hint when it
// fits, else what the statistics say, else windows-1252, which is never unreadable for long.
func guessEncoding(b []byte, hint string) encoding.Encoding {
	if enc, _ := findEncoding(hint); enc != nil && !strings.Contains(decodeBytes(b, enc), "\uFFFD") {
		return enc
	}
	if i := bytes.IndexFunc(b, func(r rune) bool { return r >= 0x80 }); i > detectBytes/2 {
		b = b[i-detectBytes/4:]
	}
	b = b[:min(len(b), detectBytes)]
	high := 0
	for _, c := range b {
		if c >= utf8.RuneSelf {
			high++
		}
	}
	if high < 4 || high*100 < len(b) {
		// Too few for statistics: a stray quotation mark or accent.
		return charmap.Windows1252
	}
	found, err := chardet.NewTextDetector().DetectAll(b)
	if err != nil {
		return charmap.Windows1252
	}
	// Ties come in random order.
	slices.SortFunc(found, func(a, b chardet.Result) int {
		return cmp.Or(cmp.Compare(b.Confidence, a.Confidence), strings.Compare(a.Charset, b.Charset))
	})
	for _, f := range found {
		if f.Confidence <= 10 {
			break
		}
		if enc, known := findEncoding(f.Charset); known && enc != nil {
			return enc
		}
	}
	return charmap.Windows1252
}

// decodeBytes decodes b; a nil encoding is UTF-8. What does not fit becomes U+FFFD.
func decodeBytes(b []byte, enc encoding.Encoding) string {
	if enc == nil {
		return strings.ToValidUTF8(string(b), "\uFFFD")
	}
	out, err := enc.NewDecoder().Bytes(b)
	if err != nil {
		return strings.ToValidUTF8(string(b), "\uFFFD")
	}
	return string(out)
}

func isSingleByte(enc encoding.Encoding) bool {
	_, ok := enc.(*charmap.Charmap)
	return ok
}

func isASCII(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// hasJISEscape finds ISO-2022-JP that nobody declared: its escape sequences occur in no other text.
func hasJISEscape(b []byte) bool {
	if bytes.IndexByte(b, 0x1b) < 0 {
		return false
	}
	return bytes.Contains(b, []byte("\x1b$B")) || bytes.Contains(b, []byte("\x1b$@"))
}
