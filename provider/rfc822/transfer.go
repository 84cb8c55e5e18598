package rfc822

import (
	"bytes"
	"encoding/base64"
	"strings"
)

// transferDecoder undoes a Content-Transfer-Encoding line by line. Each call appends to dst.
type transferDecoder interface {
	// line takes a line without its end, or a piece of a long one; ends says that it is the last.
	line(dst, b []byte, ends bool) []byte
	// eol takes the end of a line that is followed by more content.
	eol(dst, b []byte) []byte
	// end takes the end of the content.
	end(dst []byte) []byte
	// broken reports whether something did not fit the encoding.
	broken() bool
}

// newDecoder returns the decoder for an encoding; known is false for a name nobody defined, whose
// content is left as it is.
func newDecoder(name string) (d transferDecoder, known bool) {
	name, _, _ = strings.Cut(name, ";")
	name, _, _ = strings.Cut(strings.Trim(name, " \t\"'"), " ")
	switch strings.ToLower(strings.ReplaceAll(name, "-", "")) {
	case "base64":
		return &base64Decoder{}, true
	case "quotedprintable":
		return &quotedDecoder{}, true
	case "xuuencode", "xuue", "uuencode", "uue":
		return &uuDecoder{}, true
	case "", "7bit", "8bit", "binary":
		return plainDecoder{}, true
	}
	return plainDecoder{}, false
}

type plainDecoder struct{}

func (plainDecoder) line(dst, b []byte, _ bool) []byte { return append(dst, b...) }
func (plainDecoder) eol(dst, b []byte) []byte          { return append(dst, b...) }
func (plainDecoder) end(dst []byte) []byte             { return dst }
func (plainDecoder) broken() bool                      { return false }

// base64Decoder keeps what decodes and skips what is not base64. Once padding was seen, a line
// with other characters in it is taken for text that a relay added below.
type base64Decoder struct {
	quantum [4]byte
	n       int
	padded  bool
	bad     bool
}

func (d *base64Decoder) line(dst, b []byte, _ bool) []byte {
	b = bytes.TrimRight(b, " \t\r")
	if d.n == 0 && len(b)%4 == 0 && len(b) > 0 {
		at := len(dst)
		dst = append(dst, b...) // decoding never needs more room than its input
		n, err := base64.StdEncoding.Decode(dst[at:], b)
		if err == nil {
			d.padded = d.padded || b[len(b)-1] == '='
			return dst[:at+n]
		}
		dst = dst[:at]
	}
	if d.padded && bytes.ContainsFunc(b, notBase64) {
		d.bad = true
		return dst
	}
	for _, c := range b {
		switch {
		case isBase64(c):
			d.quantum[d.n] = c
			if d.n++; d.n == 4 {
				dst = d.flush(dst)
			}
		case c == '=':
			d.padded = true
			dst = d.flush(dst)
		case c != ' ' && c != '\t' && c != '\r':
			d.bad = true
		}
	}
	return dst
}

func notBase64(r rune) bool { return r >= 0x80 || !isBase64(byte(r)) && r != '=' }

// flush decodes what the quantum holds.
func (d *base64Decoder) flush(dst []byte) []byte {
	var out [3]byte
	n, _ := base64.RawStdEncoding.Decode(out[:], d.quantum[:d.n])
	d.bad = d.bad || d.n == 1
	d.n = 0
	return append(dst, out[:n]...)
}

func (d *base64Decoder) eol(dst, _ []byte) []byte { return dst }

func (d *base64Decoder) end(dst []byte) []byte {
	if d.n > 0 {
		dst = d.flush(dst)
	}
	return dst
}

func (d *base64Decoder) broken() bool { return d.bad }

// quotedDecoder reads quoted-printable; an equals sign that begins no escape stays as it is.
type quotedDecoder struct {
	carry []byte // the beginning of an escape at the end of a piece
	soft  bool   // the line end that follows is none
	bad   bool
}

func (d *quotedDecoder) line(dst, b []byte, ends bool) []byte {
	if len(d.carry) > 0 {
		b = append(d.carry, b...)
		d.carry = nil
	}
	if ends {
		b = bytes.TrimRight(b, " \t\r")
	}
	d.soft = false
	for {
		i := bytes.IndexByte(b, '=')
		if i < 0 {
			return append(dst, b...)
		}
		dst = append(dst, b[:i]...)
		b = b[i:]
		switch {
		case len(b) == 1 && ends:
			d.soft = true
			return dst
		case len(b) < 3 && !ends:
			d.carry = bytes.Clone(b)
			return dst
		case len(b) >= 3 && hexValue(b[1]) >= 0 && hexValue(b[2]) >= 0:
			dst = append(dst, byte(hexValue(b[1])<<4|hexValue(b[2])))
			b = b[3:]
		default:
			d.bad = true
			dst = append(dst, '=')
			b = b[1:]
		}
	}
}

func (d *quotedDecoder) eol(dst, b []byte) []byte {
	if d.soft {
		d.soft = false
		return dst
	}
	return append(dst, b...)
}

func (d *quotedDecoder) end(dst []byte) []byte { return append(dst, d.carry...) }

func (d *quotedDecoder) broken() bool { return d.bad }

// uuDecoder reads what lies between the begin and end lines of uuencode (POSIX).
type uuDecoder struct{ begun, ended, bad bool }

func (d *uuDecoder) line(dst, b []byte, ends bool) []byte {
	switch {
	case !ends || d.ended:
		d.bad = d.bad || !ends
		return dst
	case !d.begun:
		d.begun = bytes.HasPrefix(b, []byte("begin "))
		return dst
	case string(bytes.TrimSpace(b)) == "end":
		d.ended = true
		return dst
	case len(b) == 0:
		return dst
	}
	n, at := int(b[0]-' ')&63, len(dst)
	for i := 1; i < len(b); i += 4 {
		var q [4]byte
		for k := 0; k < 4 && i+k < len(b); k++ {
			q[k] = (b[i+k] - ' ') & 63
		}
		dst = append(dst, q[0]<<2|q[1]>>4, q[1]<<4|q[2]>>2, q[2]<<6|q[3])
	}
	if len(dst)-at < n {
		d.bad = true
		return dst
	}
	return dst[:at+n]
}

func (d *uuDecoder) eol(dst, _ []byte) []byte { return dst }
func (d *uuDecoder) end(dst []byte) []byte    { return dst }
func (d *uuDecoder) broken() bool             { return d.bad || !d.begun }
