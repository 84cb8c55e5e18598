// Package customstore is the tutorial for teams that bring a store of their own: inbox.Store on one
// plain file, proved by the suite that proves the library's own stores. It is 250 lines of code, most
// of them in writes.go, where each of the ten writes looks like the first.
//
// The file is a journal. Every write is first appended to it as one line of JSON and synced, and only
// then done in memory; opening the store does all lines again. It suits a program of one process
// whose mail fits in memory. What you write over your own database looks different inside, but the
// way there is the same:
//
//  1. Read inbox.Store. It is five small interfaces, and their comments are the whole contract.
//     A CRM of your own may supply Clients alone, and storage/sqlstore the rest.
//  2. Begin from something that is right. Here storage/memory holds what is read and decides what is
//     refused (ErrConflict, ErrExists, ErrNotFound), because no team would want to change that; the
//     file adds that it lasts. Over SQL you would begin from a copy of storage/sqlstore.
//  3. Make every write all or nothing. A line that is not whole is not there: a crash in the middle
//     of appending loses a write that nobody was told had succeeded. A call that the memory refuses
//     stays in the file and is refused again, so that it changes nothing then either.
//  4. Write in one order. Versions and Seq come out the same when the file is read again only
//     because the lines stand in the order in which the calls were done: hence the lock.
//  5. Answer cancelled contexts before anything is written, and never after: a call that has
//     reached the file is done.
//  6. Know what you cannot hold, which in JSON is all that is not UTF-8: refuse to write it, and find
//     nothing by it.
//  7. Run storagetest.Inboxes on it. See store_test.go, which runs it twice: on the store, and on
//     one that is closed and read again after every write.
//
// Not here, and yours to add where you need it: writing a short file in place of a long one from time
// to time (to a new file, synced, then renamed over the old one), and a lock against a second
// process. Raw messages and credentials are other interfaces, inbox.Blobs and inbox.Vault.
package customstore

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage/memory"
)

// ErrDamaged says that a line of the file is not what was written.
var ErrDamaged = errors.New("the file of the store is damaged")

// Store is an inbox.Store on one file. All methods may be called concurrently. The reads are those
// of the embedded store; every write is a method of its own, in writes.go.
type Store struct {
	inbox.Store // in memory

	mu     sync.Mutex // held while a write is appended and done
	file   *os.File
	size   int64 // of the whole lines
	broken error // why nothing can be written any more
}

var _ inbox.Store = (*Store)(nil)

// line is one line of the file: which write, and its arguments.
type line struct {
	Write string          `json:"write"`
	Args  json.RawMessage `json:"args"`
}

// write is a call that changes something. It holds its arguments, and afterwards its results in
// fields that are not exported.
type write interface {
	do(ctx context.Context, s inbox.Store) error
}

// Open opens the store in the file at path, which is made when it is not there. A torn last line is
// cut off; ErrDamaged says that another one cannot be read.
func Open(ctx context.Context, path string) (*Store, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	s := &Store{Store: memory.New(), file: f}
	if err := s.replay(ctx); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return s, nil
}

// replay does all whole lines again, and cuts off what follows them.
func (s *Store) replay(ctx context.Context) error {
	r := bufio.NewReaderSize(s.file, 1<<16)
	for n := 1; ; n++ {
		text, err := r.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return s.cut()
		}
		if err != nil {
			return err
		}
		var l line
		if err := json.Unmarshal(text, &l); err != nil || writes[l.Write] == nil {
			return fmt.Errorf("line %d: %w", n, ErrDamaged)
		}
		w := writes[l.Write]()
		if err := json.Unmarshal(l.Args, w); err != nil {
			return fmt.Errorf("line %d: %w", n, ErrDamaged)
		}
		_ = w.do(context.WithoutCancel(ctx), s.Store) // what was refused then is refused again
		s.size += int64(len(text))
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}

var errNotUTF8 = errors.New("what is not UTF-8 cannot be kept")

// whole says whether JSON holds the texts it was made of. For bytes that are not UTF-8 it has an escape
// that it uses for nothing else, and the file would tell another text than the memory.
func whole(text []byte) bool {
	return !bytes.Contains(bytes.ReplaceAll(text, []byte(`\\`), nil), []byte(`\ufffd`))
}

// do makes a write last, and then does it.
func (s *Store) do(ctx context.Context, name string, w write) error {
	args, err := json.Marshal(w)
	if err != nil {
		return err
	}
	if !whole(args) {
		return errNotUTF8
	}
	text, err := json.Marshal(line{name, args})
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := errors.Join(ctx.Err(), s.broken); err != nil {
		return err
	}
	if err := s.append(append(text, '\n')); err != nil {
		s.broken = s.cut()
		return err
	}
	return w.do(context.WithoutCancel(ctx), s.Store)
}

func (s *Store) append(text []byte) error {
	if _, err := io.Copy(s.file, bytes.NewReader(text)); err != nil {
		return err
	}
	if err := s.file.Sync(); err != nil {
		return err
	}
	s.size += int64(len(text))
	return nil
}

// cut takes away what follows the whole lines.
func (s *Store) cut() error {
	if err := s.file.Truncate(s.size); err != nil {
		return err
	}
	_, err := s.file.Seek(s.size, io.SeekStart)
	return err
}

// Close closes the file. Nothing is lost without it.
func (s *Store) Close() error { return s.file.Close() }
