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
	for i := range ix.entries {
		if wanted(w, &ix.entries[i]) {
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
				return &message{e.reader(f), f}, nil
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

// message is an open message. It keeps its file open.
type message struct {
	io.Reader
	f *os.File
}

func (m *message) Close() error { return m.f.Close() }
