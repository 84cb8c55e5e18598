package gmail

import (
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/workinbox/workinbox/provider"
)

// outgoingReader reads the mail that leaves. The client reads it in a goroutine of its own, which
// may still be at it when the call has ended; Close waits for the read under way, and what is read
// afterwards is an error.
type outgoingReader struct {
	mu     sync.Mutex
	r      io.ReadCloser
	want   int64 // bytes; zero: unknown
	read   int64
	whole  bool
	err    error // of the source
	closed bool
}

func openOutgoing(out provider.Outgoing) (*outgoingReader, error) {
	r, err := out.Open()
	if err != nil {
		return nil, fmt.Errorf("gmail %s: open the mail: %w", opSend, err)
	}
	return &outgoingReader{r: r, want: out.Size}, nil
}

// Read implements io.Reader. A mail of another size than was said is an error, so that none is sent
// cut short.
func (o *outgoingReader) Read(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return 0, errors.New("the mail is closed")
	}
	n, err := o.r.Read(p)
	o.read += int64(n)
	switch {
	case o.read > maxMail:
		err = errTooBig
	case o.want > 0 && (o.read > o.want || err == io.EOF && o.read < o.want):
		err = fmt.Errorf("gmail %s: the mail has another size than %d bytes", opSend, o.want)
	case err != nil && err != io.EOF:
		err = fmt.Errorf("gmail %s: read the mail: %w", opSend, err)
	}
	o.whole = err == io.EOF
	if err != nil && err != io.EOF {
		o.err = err
		n = 0
	}
	return n, err
}

// state says whether the mail was read to its end, and what went wrong with reading it.
func (o *outgoingReader) state() (whole bool, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.whole, o.err
}

// Close implements io.Closer.
func (o *outgoingReader) Close() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	return o.r.Close()
}
