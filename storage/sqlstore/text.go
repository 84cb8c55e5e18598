package sqlstore

import (
	"errors"
	"slices"
	"strings"
	"unicode/utf8"
)

// Why a text cannot be stored. The text itself is not told: it may be of a mail.
var (
	errZeroByte = errors.New("a text has a zero byte, which the database cannot hold")
	errNotUTF8  = errors.New("a text is not valid UTF-8, which is all the database can hold")
)

// refuses says why the database cannot hold a text; nil for one it can. Columns of some could hold more
// than UTF-8, but not the JSON beside them.
func (d *dialect) refuses(text string) error {
	switch {
	case !d.zeroBytes && strings.IndexByte(text, 0) >= 0:
		return errZeroByte
	case !utf8.ValidString(text):
		return errNotUTF8
	}
	return nil
}

// bind returns the values of a statement as the database takes them. A text it cannot hold is refused
// where it would be written. Anywhere else it is compared with what is stored, which it is never equal to:
// it becomes NULL, and the row is not there. So a term of ours must not turn round what it says when a
// value is NULL.
func (d *dialect) bind(text string, args []any) ([]any, error) {
	bound, written := args, -1
	for i, v := range args {
		value, ok := v.(string)
		if !ok {
			continue
		}
		why := d.refuses(value)
		if why == nil {
			continue
		}
		if written < 0 {
			written = writtenMarks(text)
			bound = slices.Clone(args)
		}
		if i < written {
			return nil, why
		}
		bound[i] = nil
	}
	return bound, nil
}

// writtenMarks is how many values of a statement, from the first, are written into rows.
func writtenMarks(text string) int {
	switch verb, _, _ := strings.Cut(text, " "); verb {
	case "INSERT":
		return strings.Count(text, "?")
	case "UPDATE":
		set, _, _ := strings.Cut(text, " WHERE ")
		return strings.Count(set, "?")
	}
	return 0
}

// highRunes is a text that no id goes on with.
var highRunes = strings.Repeat(string(utf8.MaxRune), 8)

// placeOf returns where a list by id goes on behind a text or before it. For a text that the database
// cannot hold it is another that stands in its place: no id lies between the two.
func (d *dialect) placeOf(text string) string {
	if d.refuses(text) == nil {
		return text
	}
	end := len(text)
	if !d.zeroBytes {
		if zero := strings.IndexByte(text, 0); zero >= 0 {
			end = zero
		}
	}
	for i := 0; i < end; {
		r, size := utf8.DecodeRuneInString(text[i:])
		if r == utf8.RuneError && size == 1 {
			return text[:i] + runeBefore(text[i:]) + highRunes
		}
		i += size
	}
	return text[:end] + "\x01"
}

// runeBefore returns the last rune that comes before a text that begins with none.
func runeBefore(text string) string {
	low, high := rune(0), utf8.MaxRune // runes are in the order of their bytes
	for low < high {
		middle := low + (high-low+1)/2
		// Halves of pairs are no runes: the last before them stands for them.
		r := middle
		if !utf8.ValidRune(r) {
			r = 0xd7ff
		}
		if string(r) < text {
			low = middle
		} else {
			high = middle - 1
		}
	}
	if !utf8.ValidRune(low) {
		low = 0xd7ff
	}
	return string(low)
}
