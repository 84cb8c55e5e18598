package rfc822

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// ErrNoPart says that the message has no part with that path.
var ErrNoPart = errors.New("no such part")

// OpenPart returns the decoded content of one part as a stream that reads r as it is read itself,
// so an attachment costs no memory. The path is that of Part.Path; the parts that carry the text
// of the message can be opened too. Size of the part is zero: nothing was measured. The error is
// ErrNoPart, or that of r, wrapped.
func OpenPart(r io.Reader, path string, l Limits) (Part, io.Reader, error) {
	lr := newLineReader(r)
	w := newWalker(lr, l)
	for {
		leaf, ok := w.next()
		switch {
		case !ok && lr.err != nil:
			err := lr.err
			lr.free()
			return Part{}, nil, fmt.Errorf("open part %q: %w", path, err)
		case !ok:
			lr.free()
			return Part{}, nil, fmt.Errorf("open part %q: %w", path, ErrNoPart)
		case leaf.Path == path:
			return leaf.Part, &partReader{w: w}, nil
		}
	}
}

// partReader is the content of the current leaf of its walker.
type partReader struct {
	w    *walker
	buf  []byte
	rest []byte
	err  error
}

func (p *partReader) Read(b []byte) (int, error) {
	for len(p.rest) == 0 && p.err == nil {
		var more bool
		p.buf, more = p.w.read(p.buf[:0])
		p.rest = p.buf
		if more {
			continue
		}
		p.err = io.EOF
		if p.w.lr.err != nil {
			p.err = fmt.Errorf("read part: %w", p.w.lr.err)
		}
		p.w.lr.free()
	}
	if len(p.rest) == 0 {
		return 0, p.err
	}
	n := copy(b, p.rest)
	p.rest = p.rest[n:]
	return n, nil
}

// methodIn finds the METHOD property of a calendar (RFC 5545 section 3.7.2) in its beginning.
func methodIn(calendar []byte) string {
	for line := range strings.Lines(string(calendar)) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), ":")
		if ok && strings.EqualFold(name, "METHOD") {
			return strings.ToUpper(cutText(strings.TrimSpace(cleanLine(value)), 40))
		}
		if ok && strings.EqualFold(name, "BEGIN") && !strings.EqualFold(value, "VCALENDAR") {
			break
		}
	}
	return ""
}
