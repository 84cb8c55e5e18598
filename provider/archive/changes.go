package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"time"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/internal/rawheader"
)

// stream is one call of Changes.
type stream struct {
	a     *Archive
	ctx   context.Context
	w     provider.Walk
	ix    *index
	yield func(provider.Batch, error) bool
	files files
	looks int // in a row, because files had changed
}

func (m *mailbox) Changes(
	ctx context.Context, from provider.Cursor, w provider.Walk,
) iter.Seq2[provider.Batch, error] {
	return func(yield func(provider.Batch, error) bool) {
		s := &stream{a: m.a, ctx: ctx, w: w, yield: yield}
		defer s.files.close()
		if err := s.run(from); err != nil && !errors.Is(err, errLeft) {
			yield(provider.Batch{}, wrap("changes", err))
		}
	}
}

// errLeft says that the caller has left the loop.
var errLeft = errors.New("left")

func wrap(op string, err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return fmt.Errorf("archive: %s: %w", op, err)
}

func (s *stream) run(from provider.Cursor) error {
	p, ok := position{walking: true}, true
	if from != "" {
		if p, ok = parseCursor(from); !ok {
			return provider.ErrCursorExpired
		}
	}
	if err := s.look(); err != nil {
		return err
	}
	if from == "" {
		p.target = s.a.state(s.ix)
	}
	if p.walking {
		if err := s.walk(&p); err != nil {
			return err
		}
		if s.w.Only {
			return nil
		}
		if err := s.look(); err != nil {
			return err
		}
	}
	for !s.w.Only {
		if !p.begun {
			if p.since, p.target = p.target, s.a.state(s.ix); p.since.same(p.target) {
				return nil
			}
		}
		if err := s.live(&p); err != nil {
			return err
		}
		if err := s.look(); err != nil {
			return err
		}
	}
	return nil
}

// same says that nobody has anything to tell.
func (s state) same(t state) bool {
	return s.digests == t.digests && (s.nonce != t.nonce || s.gen == t.gen)
}

func (s *stream) look() (err error) {
	s.files.close()
	s.ix, err = s.a.refresh(s.ctx)
	return err
}

// wanted is whether a walk lists a message; nothing in an archive can be searched.
func wanted(w provider.Walk, e *entry) bool {
	t := time.Unix(0, e.received)
	return (w.Since.IsZero() || !t.Before(w.Since)) && (w.Until.IsZero() || !t.After(w.Until))
}

// walk tells all messages behind a position, newest first, and leaves the position at the state the
// archive had when the walk began.
func (s *stream) walk(p *position) error {
	var put []provider.Header
	next := func() *entry {
		i := 0
		if p.begun {
			i = s.ix.behind(p.at)
		}
		for ; i < s.ix.entries.n; i++ {
			if e := s.ix.entries.at(i); wanted(s.w, e) {
				return e
			}
		}
		return nil
	}
	for e := next(); e != nil; e = next() {
		if len(put) == s.a.o.PageSize {
			if !s.yield(provider.Batch{Put: put, Next: p.cursor(), Walking: true}, nil) {
				return errLeft
			}
			put = nil
		}
		told, err := s.tell(&put, e)
		if err != nil {
			return err
		}
		if told {
			p.begun, p.at = true, e.place()
		}
	}
	*p = position{target: p.target}
	if !s.yield(provider.Batch{Put: put, Next: p.cursor(), Walking: true}, nil) {
		return errLeft
	}
	return nil
}

// live tells what changed between the two states of a position, oldest first.
func (s *stream) live(p *position) error {
	b := provider.Batch{}
	if !p.begun {
		b.Removed = p.since.removed(s.a, s.ix)
	}
	next := func() *entry {
		i := s.ix.entries.n
		if p.begun {
			i = s.ix.before(p.at)
		}
		for i--; i >= 0; i-- {
			if e := s.ix.entries.at(i); p.since.news(s.a, s.ix, e) {
				return e
			}
		}
		return nil
	}
	for e := next(); e != nil; e = next() {
		if len(b.Put) == s.a.o.PageSize {
			b.Next = p.cursor()
			if !s.yield(b, nil) {
				return errLeft
			}
			b = provider.Batch{}
		}
		told, err := s.tell(&b.Put, e)
		if err != nil {
			return err
		}
		if told {
			p.begun, p.at = true, e.place()
		}
	}
	*p = position{target: p.target}
	b.Next = p.cursor()
	if (len(b.Put) > 0 || len(b.Removed) > 0) && !s.yield(b, nil) {
		return errLeft
	}
	return nil
}

// maxLooks is how often in a row files may turn out to have changed since they were looked at.
const maxLooks = 20

// tell adds the header of a message. Where its file is gone or is not what it was, it looks at the
// files again and tells nothing: the caller goes on in the new index, at the same place.
func (s *stream) tell(put *[]provider.Header, e *entry) (bool, error) {
	if err := s.ctx.Err(); err != nil {
		return false, err
	}
	h := provider.Header{
		ID: provider.RemoteID(e.id.String()), Thread: provider.ThreadID(s.ix.threads.at(int(e.thread)).String()),
		Received: time.Unix(0, e.received).UTC(), Size: e.size,
		Folder: e.flags.folder(), Sent: e.flags.mark(), Unread: e.flags&isUnread != 0,
	}
	f, err := s.files.open(s.a, s.ix.sources[e.source], e.source)
	if err == nil {
		_, err = rawheader.Fill(&h, &sparing{e.reader(f, s.ix.sources[e.source].kind)})
	}
	if err == nil {
		*put = append(*put, h)
		s.looks = 0
		return true, nil
	}
	if s.looks++; s.looks > maxLooks || !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, errStale) {
		return false, &provider.RetryError{Err: bare(err)}
	}
	return false, s.look()
}

// sparing reads no more at a time than a header section mostly takes.
type sparing struct{ r io.Reader }

func (s *sparing) Read(p []byte) (int, error) { return s.r.Read(p[:min(len(p), 4<<10)]) }

// errStale says that a file has changed since it was looked at.
var errStale = errors.New("the file has changed")

// files keeps the file open that was read last: in an mbox the next message is in the same.
type files struct {
	f  *os.File
	at int32
}

func (c *files) open(a *Archive, src source, at int32) (*os.File, error) {
	if c.f != nil && c.at == at {
		return c.f, nil
	}
	c.close()
	f, err := openSource(a, src)
	if err != nil {
		return nil, err
	}
	c.f, c.at = f, at
	return f, nil
}

func (c *files) close() {
	if c.f != nil {
		_ = c.f.Close()
		c.f = nil
	}
}

// openSource opens a file; an mbox that has changed is errStale, since its offsets are no good.
func openSource(a *Archive, src source) (*os.File, error) {
	f, err := os.Open(a.file(src))
	if err != nil || src.kind != fileMbox {
		return f, err
	}
	info, err := f.Stat()
	if err == nil && (info.Size() != src.size || info.ModTime().UnixNano() != src.mtime) {
		err = errStale
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}
