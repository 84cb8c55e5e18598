package rfc822

import (
	"fmt"
	"io"
	"iter"
	"strings"
)

// Header is an ordered list of header fields as they came: values are unfolded, trimmed and valid
// UTF-8, but encoded words are left alone. The zero value is an empty header. A Header never
// changes once made.
type Header struct{ fields []field }

type field struct{ name, value string }

// NewHeader makes a header from (name, value) pairs in the order of the message, as mail services
// list them. Raw 8-bit values become UTF-8 as ReadHeader makes them.
func NewHeader(fields iter.Seq2[string, string]) Header {
	var h Header
	for name, value := range fields {
		if strings.ContainsAny(value, "\r\n") {
			value = unfold.Replace(value)
		}
		h.fields = append(h.fields, field{validText(strings.TrimSpace(name)), trimWSP(value)})
	}
	h.repair()
	return h
}

var unfold = strings.NewReplacer("\r\n", "", "\n", "", "\r", " ")

// ReadHeader reads the header section at the beginning of r and salvages what it can. It may read
// past the end of the section. The error is that of r, wrapped; the header read so far comes with
// it.
func ReadHeader(r io.Reader, l Limits) (Header, error) {
	lr := newLineReader(r)
	defer lr.free()
	var d damages
	h := readSection(lr, section{limit: l.withDefaults().HeaderBytes, top: true, damage: &d})
	if lr.err != nil {
		return h, fmt.Errorf("read header: %w", lr.err)
	}
	return h, nil
}

// Get returns the first value of the field, or "" when there is none. Names are compared without
// regard to case.
func (h Header) Get(name string) string {
	for _, f := range h.fields {
		if sameName(f.name, name) {
			return f.value
		}
	}
	return ""
}

// Has reports whether the field is there, with or without a value.
func (h Header) Has(name string) bool {
	for _, f := range h.fields {
		if sameName(f.name, name) {
			return true
		}
	}
	return false
}

// Values returns all values of the field, topmost first.
func (h Header) Values(name string) []string {
	var values []string
	for _, f := range h.fields {
		if sameName(f.name, name) {
			values = append(values, f.value)
		}
	}
	return values
}

// All yields every field, name and value, topmost first.
func (h Header) All() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for _, f := range h.fields {
			if !yield(f.name, f.value) {
				return
			}
		}
	}
}

// Len returns the number of fields.
func (h Header) Len() int { return len(h.fields) }

// Text returns the first value of the field with its encoded words decoded (RFC 2047). It never
// holds a line break or another control character.
func (h Header) Text(name string) string {
	return decodeWords(h.Get(name))
}

func sameName(a, b string) bool {
	return len(a) == len(b) && strings.EqualFold(a, b)
}

// repair makes raw 8-bit values valid UTF-8. All values of a header were most likely written in
// one charset, so they are guessed together; the charset of the body is the first guess.
func (h *Header) repair() {
	var raw []byte
	for i, f := range h.fields {
		if !validUTF8(f.value) {
			raw = append(append(raw, f.value...), ' ')
		} else if strings.ContainsAny(f.value, "\x00\r") {
			h.fields[i].value = validText(f.value)
		}
	}
	if len(raw) == 0 {
		return
	}
	enc := guessEncoding(raw, contentType(h.Get("Content-Type")).param("charset"))
	for i, f := range h.fields {
		if !validUTF8(f.value) {
			h.fields[i].value = validText(decodeBytes([]byte(f.value), enc))
		}
	}
}

func trimWSP(s string) string { return strings.Trim(s, " \t\r\n") }
