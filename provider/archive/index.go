package archive

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sort"

	"github.com/workinbox/workinbox/provider"
)

// index is one look at the files. It never changes once it is made.
type index struct {
	gen     uint32
	sources []source
	entries slabs[entry] // newest first
	byID    []int32
	threads slabs[ident]
	refs    slabs[uint64] // what the next look threads by; empty when it would not
	removed []tombstone
	digests [buckets]uint32
}

// source is one file, or a folder that could not be read.
type source struct {
	name  string // path below the archive's, with slashes; empty when the archive is one file
	skip  string // why it was left out; empty when there is mail in it
	kind  fileKind
	size  int64
	mtime int64
}

type fileKind uint8

const (
	_ fileKind = iota // left out, or of no kind
	fileMbox
	fileMessage
)

// tombstone is a message that was there at one look and not at a later one.
type tombstone struct {
	gen uint32
	id  ident
}

// buckets is into how many parts the digest of an index falls.
const buckets = 128

func (i ident) bucket() int { return int(i[0]) % buckets }

// find returns the message with an id.
func (ix *index) find(id ident) (*entry, bool) {
	at, ok := slices.BinarySearchFunc(ix.byID, id, func(e int32, id ident) int {
		return bytes.Compare(ix.entries.at(int(e)).id[:], id[:])
	})
	if !ok {
		return nil, false
	}
	return ix.entries.at(int(ix.byID[at])), true
}

// behind returns how many messages come before the first one behind a place of the walk.
func (ix *index) behind(p place) int {
	i, found := ix.seek(p)
	if found {
		i++
	}
	return i
}

// before returns how many messages come before a place of the walk.
func (ix *index) before(p place) int {
	i, _ := ix.seek(p)
	return i
}

func (ix *index) seek(p place) (int, bool) {
	return sort.Find(ix.entries.n, func(i int) int { return p.compare(ix.entries.at(i).place()) })
}

func (a *Archive) file(s source) string { return filepath.Join(a.path, filepath.FromSlash(s.name)) }

// known returns the index as it was at the last look, and looks when nobody has yet.
func (a *Archive) known(ctx context.Context) (*index, error) {
	if err := a.enter(ctx); err != nil {
		return nil, err
	}
	defer a.leave()
	if a.index != nil {
		return a.index, nil
	}
	return a.look(ctx)
}

// refresh looks at the files again.
func (a *Archive) refresh(ctx context.Context) (*index, error) {
	if err := a.enter(ctx); err != nil {
		return nil, err
	}
	defer a.leave()
	return a.look(ctx)
}

func (a *Archive) enter(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case a.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (a *Archive) leave() { <-a.turn }

// look reads what is new or has changed. Mail that cannot be read for now is not taken for removed.
func (a *Archive) look(ctx context.Context) (*index, error) {
	info, err := os.Stat(a.path)
	if err != nil {
		return nil, unavailable(err)
	}
	s := newScanner(ctx, a)
	if info.IsDir() {
		err = s.dir("")
	} else {
		err = s.single(info)
	}
	if err != nil {
		return nil, err
	}
	if a.index != nil && a.index.entries.n > 0 && info.IsDir() && len(s.ix.sources) == 0 {
		// A drive that is not mounted looks like this.
		return nil, &provider.RetryError{Err: ErrEmpty}
	}
	if a.index != nil && !s.changed && len(s.ix.sources) == len(a.index.sources) {
		return a.index, nil
	}
	s.finish()
	a.index = s.ix
	return a.index, nil
}

// unavailable makes the error of an archive that cannot be read now. It holds no path.
func unavailable(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return &provider.RetryError{Err: ErrNotThere}
	}
	return &provider.RetryError{Err: bare(err)}
}

// bare strips the path from an error of package os: names of files may be subjects.
func bare(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// finish sorts, threads and compares with the look before.
func (s *scanner) finish() {
	s.copyKept()
	ix := s.ix
	ix.byID = count(0, ix.entries.n)
	slices.SortFunc(ix.byID, func(a, b int32) int {
		return compareEntries(ix.entries.at(int(a)), ix.entries.at(int(b)))
	})
	ix.entries.arrange(ix.byID)
	s.thread()
	slices.SortFunc(ix.byID, func(a, b int32) int {
		return bytes.Compare(ix.entries.at(int(a)).id[:], ix.entries.at(int(b)).id[:])
	})
	s.compare()
	if len(ix.sources) == 1 && ix.sources[0].name == "" {
		// An archive that is one file is read as a whole or not at all.
		ix.refs = slabs[uint64]{}
	}
}

// compare notes which messages are new or changed since the look before, and which are gone.
func (s *scanner) compare() {
	ix := s.ix
	ix.gen = 1
	if s.old != nil {
		ix.gen, ix.removed = s.old.gen+1, slices.Clip(s.old.removed)
	}
	for i := range ix.entries.n {
		e := ix.entries.at(i)
		digest := ix.digest(e)
		if before, ok := s.before(e.id); !ok || s.old.digest(before) != digest ||
			before.received != e.received {
			e.gen = ix.gen
		} else {
			e.gen = before.gen
		}
		ix.digests[e.id.bucket()] += digest
	}
	for i := 0; s.old != nil && i < s.old.entries.n; i++ {
		id := s.old.entries.at(i).id
		if _, ok := ix.find(id); !ok {
			ix.removed = append(ix.removed, tombstone{ix.gen, id})
		}
	}
}

func (s *scanner) before(id ident) (*entry, bool) {
	if s.old == nil {
		return nil, false
	}
	return s.old.find(id)
}
