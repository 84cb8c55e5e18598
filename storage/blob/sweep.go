package blob

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/workinbox/workinbox/inbox"
)

// DefaultSweepAge is the age Sweep uses when it is given none.
const DefaultSweepAge = 24 * time.Hour

// SweepReport says what Sweep did.
type SweepReport struct {
	Kept    int   // blobs that are referred to
	Young   int   // blobs and temporary files too young to be judged
	Orphans int   // blobs removed
	Temps   int   // temporary files removed
	Bytes   int64 // disk space freed, before rounding by the file system
}

// Sweep removes the orphans of an inbox: blobs that nothing refers to, and temporary files of dead
// writers, both only when they are older than olderThan by Options.Now (zero or less means
// DefaultSweepAge). olderThan must be longer than the time from a put to the commit that refers to
// it. referenced, which ticket.Service.BlobsInUse makes, is asked once for every blob that is old enough,
// without any lock held, and may write to the store; its error ends the sweep. The report counts what was
// done until then.
func (d *Dir) Sweep(
	ctx context.Context, id inbox.ID,
	referenced func(inbox.BlobKey) (bool, error), olderThan time.Duration,
) (SweepReport, error) {
	if olderThan <= 0 {
		olderThan = DefaultSweepAge
	}
	s := &sweep{d: d, id: id, folder: folder(id), before: d.now().Add(-olderThan), asks: referenced}
	err := s.run(ctx)
	if err != nil && ctx.Err() != nil {
		return s.report, ctx.Err()
	}
	if err != nil {
		return s.report, failed("sweep", string(id), err)
	}
	return s.report, nil
}

type sweep struct {
	d      *Dir
	id     inbox.ID
	folder string
	before time.Time
	asks   func(inbox.BlobKey) (bool, error)
	report SweepReport
}

func (s *sweep) run(ctx context.Context) error {
	for hash, err := range s.d.hashes(ctx, s.folder) {
		if err == nil {
			err = s.blob(hash)
		}
		if err != nil {
			return err
		}
	}
	names, err := s.d.names(s.folder)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := s.inFolder(name); err != nil {
			return err
		}
	}
	return s.removeEmpty(s.folder)
}

func (s *sweep) blob(hash string) error {
	path := filePath(s.folder, hash)
	st, err := s.old(path)
	if st == nil || err != nil {
		return err
	}
	used, err := s.asks(newKey(s.id, hash))
	if err != nil {
		return err
	}
	if used {
		s.report.Kept++
		return nil
	}
	m := s.d.unsynced.last(s.id, hash)
	removed, err := s.remove(path, st)
	if removed {
		s.d.unsynced.forget(s.id, hash, m)
		s.report.Orphans++
	}
	return err
}

// inFolder takes a temporary file, or a sub-folder when it is empty.
func (s *sweep) inFolder(name string) error {
	path := filepath.Join(s.folder, name)
	if len(name) == 1 && strings.Contains(hexDigits, name) {
		return s.removeEmpty(path)
	}
	if !strings.HasPrefix(name, tempPrefix) {
		return nil
	}
	st, err := s.old(path)
	if st == nil || err != nil {
		return err
	}
	removed, err := s.remove(path, st)
	if removed {
		s.report.Temps++
	}
	return err
}

// old looks at a file and returns nil when it is gone or too young.
func (s *sweep) old(path string) (os.FileInfo, error) {
	st, err := s.d.root.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if !st.ModTime().Before(s.before) {
		s.report.Young++
		return nil, nil
	}
	return st, nil
}

// remove removes the file if it still is the one that was judged.
func (s *sweep) remove(path string, judged os.FileInfo) (removed bool, err error) {
	err = s.d.gate.alone(func() error {
		st, err := s.d.root.Lstat(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		if !os.SameFile(st, judged) || !st.ModTime().Equal(judged.ModTime()) {
			s.report.Young++
			return nil
		}
		if err := s.d.root.Remove(path); err != nil {
			return err
		}
		s.report.Bytes += st.Size()
		removed = true
		return nil
	})
	return removed, err
}

// removeEmpty removes a folder if nothing is in it.
func (s *sweep) removeEmpty(path string) error {
	names, err := s.d.names(path)
	if err != nil || len(names) > 0 {
		return err
	}
	return s.d.gate.alone(func() error {
		// A put may have come in between; then the folder is not empty and stays.
		_ = s.d.root.Remove(path)
		return nil
	})
}
