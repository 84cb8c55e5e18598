package rfc822

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"sync"
)

const lineBuffer = 64 << 10

var lineBuffers = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, lineBuffer) }}

// lineReader splits a stream into lines and holds no more than its buffer: a longer line comes in
// pieces. Lines end with LF or CRLF; a stream that knows neither is split at CR.
type lineReader struct {
	br    *bufio.Reader
	delim byte
	again bool // hand out the current line once more
	held  []byte

	line  []byte // without its end; valid until the next call of next
	eol   []byte // "\n", "\r\n", "\r", or empty in the midst of a long line and at the end
	start bool   // line is the first piece of its line
	ends  bool   // line is the last piece of its line
	n     int64  // bytes read
	err   error  // what stopped reading, io.EOF left out
}

func newLineReader(r io.Reader) *lineReader {
	br := lineBuffers.Get().(*bufio.Reader)
	br.Reset(r)
	l := &lineReader{br: br, delim: '\n', start: true}
	window, _ := br.Peek(4096)
	if bytes.IndexByte(window, '\n') < 0 && bytes.IndexByte(window, '\r') >= 0 {
		l.delim = '\r'
	}
	return l
}

// free gives the buffer back. The reader and all it handed out must not be used any more.
func (l *lineReader) free() {
	l.br.Reset(nil)
	lineBuffers.Put(l.br)
	l.br = nil
}

// next moves to the next line, or reports that there is none.
func (l *lineReader) next() bool {
	if l.again {
		l.again = false
		return true
	}
	if l.br == nil || l.err != nil {
		return false
	}
	l.start = len(l.eol) > 0 || l.n == 0
	b, err := l.br.ReadSlice(l.delim)
	l.n += int64(len(b))
	l.ends = !errors.Is(err, bufio.ErrBufferFull)
	if err != nil && err != io.EOF && !errors.Is(err, bufio.ErrBufferFull) {
		l.err = err
	}
	if len(b) == 0 {
		l.line, l.eol = nil, nil
		return false
	}
	end := len(b)
	if b[end-1] == l.delim {
		end--
		if l.delim == '\n' && end > 0 && b[end-1] == '\r' {
			end--
		}
	}
	l.line, l.eol = b[:end], b[end:]
	return true
}

// unread makes next hand out the current line again.
func (l *lineReader) unread() { l.again = true }

// peek returns up to n of the bytes after the current line, which stays valid.
func (l *lineReader) peek(n int) []byte {
	if n > lineBuffer {
		n = lineBuffer
	}
	if l.br.Buffered() < n {
		l.held = append(append(l.held[:0], l.line...), l.eol...)
		k := len(l.line)
		l.line, l.eol = l.held[:k], l.held[k:]
	}
	window, _ := l.br.Peek(n)
	return window
}

// peekLine returns the beginning of the line after the current one, and whether there is one.
func (l *lineReader) peekLine() ([]byte, bool) {
	window := l.peek(1024)
	if len(window) == 0 {
		return nil, false
	}
	if i := bytes.IndexByte(window, l.delim); i >= 0 {
		window = window[:i]
	}
	return bytes.TrimRight(window, "\r"), true
}
