package archive

import (
	"bufio"
	"bytes"
	"io"
)

// unquoter undoes the quoting of mboxrd: a line of ">"s and "From " loses one ">". Of mboxo, which
// quotes "From " alone and leaves ">From " as it is, that restores all but the lines that had a ">"
// from the beginning.
type unquoter struct {
	br    *bufio.Reader
	left  []byte // of the current line
	start bool
	err   error
}

func newUnquoter(r io.Reader) *unquoter {
	return &unquoter{br: bufio.NewReaderSize(r, 64<<10), start: true}
}

func (u *unquoter) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	n := 0
	for n < len(p) {
		if len(u.left) == 0 {
			if u.err != nil {
				break
			}
			// A slice of the buffer; it stays valid until the next one is read.
			u.left, u.err = u.br.ReadSlice('\n')
			if u.err == bufio.ErrBufferFull {
				u.err = nil
			}
			line := u.left
			if u.start && len(line) > 0 && line[0] == '>' &&
				bytes.HasPrefix(bytes.TrimLeft(line, ">"), from) {
				u.left = line[1:]
			}
			u.start = bytes.HasSuffix(line, []byte("\n"))
			continue
		}
		k := copy(p[n:], u.left)
		u.left = u.left[k:]
		n += k
	}
	if n == 0 {
		return 0, u.err
	}
	return n, nil
}
