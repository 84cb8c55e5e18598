package archive

import (
	"bytes"
	"errors"
	"io"
	"strconv"
)

// piece is one message of an mbox file.
type piece struct {
	mark []byte // the "From " line, without its end; empty when the file begins without one
	head []byte // the header section, or what of it fits into headWindow
	off  int64  // of the message, behind the "From " line
	size int64  // without the empty line before the next message
	// quoted says that lines of the message have a ">" put before "From ". verbatim says that the
	// message holds unquoted "From " lines, which its Content-Length proved to be its own: then no
	// line was quoted (mboxcl2).
	quoted, verbatim bool
}

const (
	headWindow = 64 << 10
	readAhead  = 1 << 20
	lineWindow = 1 << 10 // how much of a line and the line after it decides whether it separates
)

// splitter cuts an mbox into its messages. It reads the file once, from its beginning to its end,
// and holds a window of it.
type splitter struct {
	r    io.ReaderAt
	buf  []byte
	base int64 // place of buf in the file
	eof  bool
	head []byte
}

func newSplitter(r io.ReaderAt) *splitter {
	return &splitter{r: r, buf: make([]byte, 0, readAhead+2*headWindow)}
}

var from = []byte("From ")

// split calls yield for each message, in the order of the file; head and mark are valid until it
// returns. It stops when yield answers an error, which it returns.
func (s *splitter) split(yield func(piece) error) error {
	at, err := s.begin()
	if err != nil || at < 0 {
		return err
	}
	for {
		p, next, err := s.message(at)
		if err != nil {
			return err
		}
		if err := yield(p); err != nil || next < 0 {
			return err
		}
		at = next
	}
}

// begin returns the place of the first message's "From " line, or of the first byte that is no empty
// line; -1 when there is none.
func (s *splitter) begin() (int64, error) {
	for at := int64(0); ; at++ {
		b, err := s.window(at, 3)
		switch {
		case err != nil:
			return 0, err
		case len(b) == 0:
			return -1, nil
		case at == 0 && bytes.HasPrefix(b, []byte("\xef\xbb\xbf")):
			at += 2
		case b[0] != '\n' && b[0] != '\r':
			return at, nil
		}
	}
}

// message cuts the message whose "From " line is at a place, and finds the place of the next one;
// -1 when there is none.
func (s *splitter) message(at int64) (p piece, next int64, err error) {
	head, err := s.window(at, headWindow)
	if err != nil {
		return p, 0, err
	}
	if line, rest := cutLine(head[:min(len(head), headWindow)]); separates(line, rest, true) {
		p.mark = bytes.Clone(line)
		at += int64(min(len(head), headWindow) - len(rest))
	}
	if head, err = s.window(at, headWindow); err != nil {
		return p, 0, err
	}
	p.off = at
	s.head = append(s.head[:0], head[:headerEnd(head[:min(len(head), headWindow)])]...)
	own, follows, err := s.claimed(at, s.head)
	if err != nil {
		return p, 0, err
	}
	end, next, err := s.end(at, own, follows, &p)
	p.size = end - at
	p.head = s.head[:min(int64(len(s.head)), p.size)]
	return p, next, err
}

// headerEnd is the length of a header section with the empty line that ends it. A later line that
// begins like a separator ends it too: no field does.
func headerEnd(b []byte) int {
	for i := 0; i < len(b); {
		if i > 0 && bytes.HasPrefix(b[i:], from) {
			return i
		}
		k := bytes.IndexByte(b[i:], '\n')
		if k < 0 {
			break
		}
		line := b[i : i+k]
		if i += k + 1; (len(line) == 0 || len(line) == 1 && line[0] == '\r') && i > 2 {
			return i
		}
	}
	return len(b)
}

// claimed is where the message ends by its Content-Length (mboxcl), where that is right: the end of
// the file or another message follows, whose "From " line is at next. Else both are 0: nobody keeps
// that field up to date.
func (s *splitter) claimed(at int64, head []byte) (own, next int64, err error) {
	length := int64(-1)
	for line := range bytes.Lines(head) {
		if name, value, ok := bytes.Cut(line, []byte(":")); ok &&
			bytes.EqualFold(name, []byte("Content-Length")) {
			n, err := strconv.ParseInt(string(bytes.TrimSpace(value)), 10, 64)
			if err == nil && n >= 0 && n < 1<<40 {
				length = n
			}
		}
	}
	if length < 0 {
		return 0, 0, nil
	}
	own = at + int64(len(head)) + length
	b := make([]byte, 2*lineWindow)
	n, err := s.r.ReadAt(b, own-1)
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, 0, err
	}
	if n == 0 {
		return 0, 0, nil
	}
	after := b[1:n]
	for range 2 {
		line, rest := cutLine(after)
		if len(line) > 0 || len(rest) == len(after) {
			break
		}
		after = rest
	}
	atStart := b[0] == '\n' || len(after) < n-1
	line, rest := cutLine(after)
	switch {
	case len(after) == 0:
		return own, 0, nil
	case atStart && separates(line, rest, true):
		return own, own + int64(n-1-len(after)), nil
	}
	return 0, 0, nil
}

// end finds where the message at a place ends and the next one begins. Before own nothing separates;
// at follows the next one begins whatever else is there.
func (s *splitter) end(at, own, follows int64, p *piece) (end, next int64, err error) {
	for place := at; ; {
		b, err := s.window(place, lineWindow)
		if err != nil {
			return 0, 0, err
		}
		i := bytes.Index(b, from)
		if i < 0 {
			if s.eof {
				return s.last(at, own), -1, nil
			}
			place = max(place, s.base+int64(len(s.buf)-len(from)+1))
			continue
		}
		place += int64(i)
		if b, err = s.window(place, 2*lineWindow); err != nil {
			return 0, 0, err
		}
		begins, quotes := s.lineStart(place, at)
		line, rest := cutLine(b[:min(len(b), 2*lineWindow)])
		switch {
		case !begins:
		case quotes:
			p.quoted = true
		case place < own:
			p.verbatim = true
		case place > at && (place == follows || separates(line, rest, s.emptyBefore(place, at))):
			return s.trimmed(place, at, own), place, nil
		}
		place += int64(len(from))
	}
}

// lineStart says whether the line of a place begins there, and whether with quoting before it.
func (s *splitter) lineStart(place, at int64) (begins, quoted bool) {
	i := place
	for i > at && i > s.base && s.buf[i-1-s.base] == '>' {
		i--
	}
	return i == at || i > s.base && s.buf[i-1-s.base] == '\n', i < place
}

// emptyBefore says whether the line before a place is empty.
func (s *splitter) emptyBefore(place, at int64) bool {
	b := bytes.TrimSuffix(s.behind(place, at), []byte("\n"))
	b = bytes.TrimSuffix(b, []byte("\r"))
	return len(b) == 0 || b[len(b)-1] == '\n'
}

// behind returns the few bytes of the message that stand before a place.
func (s *splitter) behind(place, at int64) []byte {
	low := max(at, place-8, s.base)
	return s.buf[low-s.base : place-s.base]
}

// trimmed is the end of a message, without the empty line that belongs to what follows it. A message
// that is nothing but that line is empty.
func (s *splitter) trimmed(place, at, own int64) int64 {
	if own > at {
		return own
	}
	b := s.behind(place, at)
	if !s.emptyBefore(place, at) {
		return place
	}
	b = bytes.TrimSuffix(b, []byte("\n"))
	return place - 1 - int64(len(b)-len(bytes.TrimSuffix(b, []byte("\r"))))
}

// last is the end of the last message. An empty line at the end of the file is the one that would
// stand before the next message.
func (s *splitter) last(at, own int64) int64 {
	place := s.base + int64(len(s.buf))
	if own <= at && !bytes.HasSuffix(s.behind(place, at), []byte("\n")) {
		return place
	}
	return s.trimmed(place, at, own)
}

// window returns what is at a place, at least n bytes of it where the file has them. It keeps the
// few bytes before the place that tell what line came before.
func (s *splitter) window(at int64, n int) ([]byte, error) {
	for {
		have := s.base + int64(len(s.buf)) - at
		if have >= int64(n) || s.eof {
			return s.buf[max(at-s.base, 0):], nil
		}
		if keep := int(at - s.base - headWindow/2); keep > 0 && cap(s.buf)-len(s.buf) < readAhead/2 {
			s.base += int64(min(keep, len(s.buf)))
			s.buf = append(s.buf[:0], s.buf[min(keep, len(s.buf)):]...)
		}
		k, err := s.r.ReadAt(s.buf[len(s.buf):cap(s.buf)], s.base+int64(len(s.buf)))
		s.buf = s.buf[:len(s.buf)+k]
		if errors.Is(err, io.EOF) {
			s.eof = true
		} else if err != nil {
			return nil, err
		}
	}
}
