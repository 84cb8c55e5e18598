package archive

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/rfc822"
)

// index is one look at the files. It never changes once it is made.
type index struct {
	gen     uint32
	sources []source
	entries []entry // newest first
	byID    []int32
	refs    []uint64
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
		return bytes.Compare(ix.entries[e].id[:], id[:])
	})
	if !ok {
		return nil, false
	}
	return &ix.entries[ix.byID[at]], true
}

// behind returns how many messages come before the first one behind a place of the walk.
func (ix *index) behind(p place) int {
	i, found := slices.BinarySearchFunc(ix.entries, p, func(e entry, p place) int {
		return e.place().compare(p)
	})
	if found {
		i++
	}
	return i
}

// before returns how many messages come before a place of the walk.
func (ix *index) before(p place) int {
	i, _ := slices.BinarySearchFunc(ix.entries, p, func(e entry, p place) int {
		return e.place().compare(p)
	})
	return i
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
	if a.index != nil && len(a.index.entries) > 0 && info.IsDir() && len(s.ix.sources) == 0 {
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
	ix := s.ix
	slices.SortFunc(ix.entries, func(a, b entry) int { return compareEntries(&a, &b) })
	s.thread()
	ix.byID = make([]int32, len(ix.entries))
	for i := range ix.byID {
		ix.byID[i] = int32(i)
	}
	slices.SortFunc(ix.byID, func(a, b int32) int {
		return bytes.Compare(ix.entries[a].id[:], ix.entries[b].id[:])
	})
	ix.gen = 1
	if s.old != nil {
		ix.gen, ix.removed = s.old.gen+1, slices.Clip(s.old.removed)
	}
	for i := range ix.entries {
		e := &ix.entries[i]
		if before, ok := s.before(e.id); !ok || before.digest() != e.digest() ||
			before.received != e.received {
			e.gen = ix.gen
		} else {
			e.gen = before.gen
		}
		ix.digests[e.id.bucket()] += e.digest()
	}
	if s.old == nil {
		return
	}
	for i := range s.old.entries {
		if _, ok := ix.find(s.old.entries[i].id); !ok {
			ix.removed = append(ix.removed, tombstone{ix.gen, s.old.entries[i].id})
		}
	}
}

func (s *scanner) before(id ident) (*entry, bool) {
	if s.old == nil {
		return nil, false
	}
	return s.old.find(id)
}

// thread names the thread of every message after its oldest message, or after Gmail's own number.
func (s *scanner) thread() {
	ix := s.ix
	refs := make([]rfc822.Ref, len(ix.entries))
	var arena []byte
	for _, h := range ix.refs {
		arena = binary.LittleEndian.AppendUint64(arena, h)
	}
	all, ids := string(arena), make([]string, len(ix.refs))
	for i := range ids {
		ids[i] = all[8*i : 8*i+8]
	}
	for i := range ix.entries {
		r := ix.entries[i].refs
		if ix.refs[r.from] != 0 {
			refs[i].ID = ids[r.from]
		}
		refs[i].References = ids[r.from+1 : r.from+uint32(r.n)]
	}
	roots := rfc822.Threads(refs)
	named := make([]ident, len(roots))
	for i := len(roots) - 1; i >= 0; i-- { // oldest first
		e, root := &ix.entries[i], roots[i]
		switch {
		case e.gmail != 0:
			e.thread = sum(s.mac, "gmail\x00"+strconv.FormatUint(e.gmail, 10))
		case named[root] != ident{}:
			e.thread = named[root]
			continue
		default:
			e.thread = sum(s.mac, "thread\x00"+string(e.id[:]))
		}
		if named[root] == (ident{}) {
			named[root] = e.thread
		}
	}
}
