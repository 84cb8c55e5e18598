package archive

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"

	"github.com/workinbox/workinbox/provider"
)

// mailbox is the archive as the one account of its service.
type mailbox struct{ a *Archive }

var (
	_ provider.Addresses = (*mailbox)(nil)
	_ provider.Counter   = (*mailbox)(nil)
)

func (m *mailbox) Account(ctx context.Context) (provider.Account, error) {
	return m.a.self(), ctx.Err()
}

func (m *mailbox) Count(ctx context.Context, w provider.Walk) (int, error) {
	ix, err := m.a.refresh(ctx)
	if err != nil {
		return 0, wrap("count", err)
	}
	n := 0
	for i := range ix.entries.n {
		if wanted(w, ix.entries.at(i)) {
			n++
		}
	}
	return n, nil
}

// Open streams the message from its file. Where the file is not what it was at the last look, it
// looks again before it says that a message is gone.
func (m *mailbox) Open(ctx context.Context, id provider.RemoteID) (io.ReadCloser, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	hash, ok := parseIdent(string(id))
	if !ok {
		return nil, wrap("open", provider.ErrGone)
	}
	ix, err := m.a.known(ctx)
	for try := 0; err == nil; try++ {
		e, there := ix.find(hash)
		if there {
			var f *os.File
			if f, err = openSource(m.a, ix.sources[e.source]); err == nil {
				return &message{e.reader(f, ix.sources[e.source].kind), f}, nil
			}
			if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, errStale) {
				err = &provider.RetryError{Err: bare(err)}
				break
			}
		}
		switch {
		case try == 0:
			ix, err = m.a.refresh(ctx)
		case there:
			err = &provider.RetryError{Err: errStale}
		default:
			err = provider.ErrGone
		}
	}
	return nil, wrap("open", err)
}

// reader is the message in its file. A message in a file of its own is all that is in the file now.
func (e *entry) reader(f *os.File, kind fileKind) io.Reader {
	if kind == fileMessage {
		return io.NewSectionReader(f, 0, 1<<62)
	}
	r := &whole{r: io.NewSectionReader(f, e.off, e.size), left: e.size}
	if e.flags&isQuoted != 0 {
		return newUnquoter(r)
	}
	return r
}

// whole is a reader that must not end before its time, as it does when the file is cut.
type whole struct {
	r    io.Reader
	left int64
}

func (w *whole) Read(p []byte) (int, error) {
	n, err := w.r.Read(p)
	if w.left -= int64(n); errors.Is(err, io.EOF) && w.left > 0 {
		err = errStale
	}
	return n, err
}

// message is an open message. What fails while it is read may work later.
type message struct {
	r io.Reader
	f *os.File
}

func (m *message) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = wrap("read", &provider.RetryError{Err: bare(err)})
	}
	return n, err
}

func (m *message) Close() error { return m.f.Close() }
