package rfc822

import (
	"encoding/base64"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/transform"
)

// utf7 reads UTF-7 (RFC 2152). It cannot write it.
type utf7 struct{}

func (utf7) NewDecoder() *encoding.Decoder {
	return &encoding.Decoder{Transformer: utf7Decoder{}}
}

func (utf7) NewEncoder() *encoding.Encoder { return encoding.Nop.NewEncoder() }

type utf7Decoder struct{ transform.NopResetter }

// Transform decodes whole runs only: a run that the source may continue is left for the next call.
func (utf7Decoder) Transform(dst, src []byte, atEOF bool) (nDst, nSrc int, err error) {
	for nSrc < len(src) {
		text, size := utf7Piece(src[nSrc:], atEOF)
		if size == 0 {
			return nDst, nSrc, transform.ErrShortSrc
		}
		if nDst+len(text) > len(dst) {
			return nDst, nSrc, transform.ErrShortDst
		}
		nDst += copy(dst[nDst:], text)
		nSrc += size
	}
	return nDst, nSrc, nil
}

// utf7Piece decodes one character or one base64 run; size is 0 when more input is needed.
func utf7Piece(src []byte, atEOF bool) (text []byte, size int) {
	if src[0] != '+' {
		if src[0] >= utf8.RuneSelf {
			return []byte("\uFFFD"), 1
		}
		return src[:1], 1
	}
	end := 1
	for end < len(src) && isBase64(src[end]) {
		end++
	}
	if end == len(src) && !atEOF {
		return nil, 0
	}
	if end == 1 {
		if end < len(src) && src[end] == '-' {
			return []byte("+"), 2
		}
		return []byte("+"), 1
	}
	size = end
	if end < len(src) && src[end] == '-' {
		size++
	}
	raw := make([]byte, base64.RawStdEncoding.DecodedLen(end-1)+1)
	n, _ := base64.RawStdEncoding.Decode(raw, src[1:end])
	units := make([]uint16, 0, n/2)
	for i := 0; i+1 < n; i += 2 {
		units = append(units, uint16(raw[i])<<8|uint16(raw[i+1]))
	}
	for _, r := range utf16.Decode(units) {
		text = utf8.AppendRune(text, r)
	}
	return text, size
}

func isBase64(c byte) bool {
	return c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '+' || c == '/'
}
