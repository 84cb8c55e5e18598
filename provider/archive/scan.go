package archive

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/workinbox/workinbox/provider"
)

// scanner makes an index. What the look before knows of files that have not changed it takes over.
type scanner struct {
	ctx     context.Context
	a       *Archive
	ix, old *index
	byName  map[string]int32 // sources of old
	kept    []kept
	changed bool
	found   func() error // called for every message, where somebody wants to stop early
	mac     hash.Hash
	buf     []byte
	head    []byte
}

// kept is a file of the look before that has not changed, by its numbers then and now. Its messages
// are copied once it is known that others have changed.
type kept struct{ then, now int32 }

// headBytes is how much of a file is read to tell what it is.
const headBytes = 8 << 10

// Why a file is left out.
const (
	skipHidden  = "hidden"
	skipLink    = "a link to a folder"
	skipSpecial = "not a regular file"
	skipEmpty   = "empty"
	skipGone    = "went away while the folder was read"
	skipOther   = "no header of a mail"
	skipOutside = "neither in cur nor in new of its Maildir"
	skipRead    = "cannot be read: "
)

func newScanner(ctx context.Context, a *Archive) *scanner {
	s := &scanner{ctx: ctx, a: a, old: a.index, ix: &index{}, buf: make([]byte, headBytes),
		mac: hmac.New(sha256.New, a.o.Key)}
	if s.old == nil {
		return s
	}
	s.byName = make(map[string]int32, len(s.old.sources))
	for i, src := range s.old.sources {
		s.byName[src.name] = int32(i)
	}
	return s
}

// add notes a source, and returns its number.
func (s *scanner) add(src source) int32 {
	s.ix.sources = append(s.ix.sources, src)
	return int32(len(s.ix.sources) - 1)
}

func (s *scanner) skip(name, why string) {
	if i, ok := s.byName[name]; !ok || s.old.sources[i].skip != why {
		s.changed = true
	}
	s.add(source{name: name, skip: why})
}

// takeOver keeps a file and its messages from the look before.
func (s *scanner) takeOver(i int32) {
	s.kept = append(s.kept, kept{i, s.add(s.old.sources[i])})
}

// copyKept copies the messages of the files that were kept.
func (s *scanner) copyKept() {
	if len(s.kept) == 0 {
		return
	}
	now := make([]int32, len(s.old.sources)) // 0 where a file is not kept
	for _, k := range s.kept {
		now[k.then] = k.now + 1
	}
	for i := range s.old.entries.n {
		if e := s.old.entries.at(i); now[e.source] != 0 {
			s.copyEntry(e, now[e.source]-1, e.flags)
		}
	}
}

func (s *scanner) copyEntry(e *entry, source int32, flags flags) {
	copied := *e
	copied.source, copied.refs = source, uint32(s.ix.refs.n)
	copied.flags = flags&^hasGmail | e.flags&hasGmail
	for i := range int(e.nrefs) {
		s.ix.refs.add(*s.old.refs.at(int(e.refs) + i))
	}
	s.ix.entries.add(copied)
}

// unread keeps what the look before found in a file that cannot be read now; else the file is left
// out until it can be.
func (s *scanner) unread(name string, err error) {
	if i, ok := s.byName[name]; ok && s.old.sources[i].skip == "" {
		s.takeOver(i)
		return
	}
	s.skip(name, skipRead+bare(err).Error())
}

// single reads an archive that is one file.
func (s *scanner) single(info fs.FileInfo) error {
	if i, ok := s.byName[""]; ok && s.same(i, info) {
		s.takeOver(i)
		return nil
	}
	s.changed = true
	what, f, err := s.open("")
	if err != nil {
		return unavailable(err)
	}
	defer f.Close()
	switch what {
	case looksMbox, looksEmpty:
		return s.mbox(f, source{kind: fileMbox, size: info.Size(), mtime: info.ModTime().UnixNano()})
	case looksMessage:
		return s.message(f, "", info)
	default:
		if strings.EqualFold(path.Ext(s.a.path), ".eml") {
			return s.message(f, "", info)
		}
		return ErrNotMail
	}
}

func (s *scanner) same(i int32, info fs.FileInfo) bool {
	src := s.old.sources[i]
	return src.skip == "" && src.size == info.Size() && src.mtime == info.ModTime().UnixNano()
}

// open opens a file and reads its beginning into s.head.
func (s *scanner) open(name string) (looks, *os.File, error) {
	f, err := os.Open(s.a.file(source{name: name}))
	if err != nil {
		return 0, nil, err
	}
	n, err := io.ReadFull(f, s.buf)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		_ = f.Close()
		return 0, nil, err
	}
	s.head = s.buf[:n]
	return sniff(s.head), f, nil
}

// mbox reads all messages of an mbox file.
func (s *scanner) mbox(f *os.File, src source) error {
	from, refs := s.ix.entries.n, s.ix.refs.n
	at := s.add(src)
	in := folderOf(strings.TrimSuffix(src.name, ".mbox"))
	var print []byte
	err := newSplitter(f).split(func(p piece) error {
		k := readKnown(p.head)
		marked, _ := postmark(p.mark)
		print = fingerprint(append(print[:0], "mbox\x00"+src.name+"\x00"...), p)
		e := entry{id: sum(s.mac, string(print)), off: p.off, size: p.size, source: at,
			flags:    k.mboxFlags(in),
			received: k.when(marked, k.date, time.Unix(0, src.mtime))}
		if p.quoted && !p.verbatim {
			e.flags |= isQuoted
		}
		return s.put(e, k)
	})
	if err == nil {
		s.number(from)
		return nil
	}
	if s.ctx.Err() != nil || errors.Is(err, errFound) {
		return err
	}
	s.ix.entries.cut(from)
	s.ix.refs.cut(refs)
	s.ix.sources = s.ix.sources[:at]
	if src.name == "" {
		return unavailable(err)
	}
	s.unread(src.name, err)
	return nil
}

// number tells equal messages of one mbox apart, in the order of the file: all from one place on.
func (s *scanner) number(from int) {
	entries := &s.ix.entries
	order := count(from, entries.n)
	slices.SortFunc(order, func(a, b int32) int {
		if c := bytes.Compare(entries.at(int(a)).id[:], entries.at(int(b)).id[:]); c != 0 {
			return c
		}
		return int(a - b)
	})
	first, n := ident{}, 0
	for _, i := range order {
		e := entries.at(int(i))
		if e.id != first {
			first, n = e.id, 0
			continue
		}
		n++
		e.id = sum(s.mac, "again\x00"+string(first[:])+strconv.Itoa(n))
	}
}

// message reads a file that is one message. s.head is its beginning.
func (s *scanner) message(f *os.File, name string, info fs.FileInfo) error {
	in := folderOf(path.Dir(name))
	mark := provider.MarkUnknown
	if in.sent {
		mark = provider.MarkSent
	}
	e := entry{id: sum(s.mac, "file\x00"+name), flags: flagsOf(in.folder, mark, false)}
	return s.one(f, e, name, info, time.Time{})
}

// one reads the header of a file that is one message, which f is at the beginning of, and completes
// its entry.
func (s *scanner) one(f *os.File, e entry, name string, info fs.FileInfo, named time.Time) error {
	head := s.head[:headerEnd(s.head)]
	if len(head) == headBytes {
		rest := make([]byte, headWindow-headBytes)
		n, err := f.ReadAt(rest, headBytes)
		if err != nil && !errors.Is(err, io.EOF) {
			s.unread(name, err)
			return nil
		}
		head = append(bytes.Clone(head), rest[:n]...)
	}
	k := readKnown(head)
	e.size = info.Size()
	e.source = s.add(source{name: name, kind: fileMessage, size: info.Size(),
		mtime: info.ModTime().UnixNano()})
	e.received = k.when(named, k.date, info.ModTime())
	return s.put(e, k)
}

// put adds a message to the index.
func (s *scanner) put(e entry, k known) error {
	s.refer(&e, k)
	s.ix.entries.add(e)
	if s.found != nil {
		return s.found()
	}
	return s.ctx.Err()
}
