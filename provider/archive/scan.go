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
	first   []int32          // of each source of old, the first of its messages in order
	order   []int32
	changed bool
	found   func() error // called for every message, where somebody wants to stop early
	mac     hash.Hash
	buf     []byte
	head    []byte
}

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
	s.first = make([]int32, len(s.old.sources)+1)
	for i := range s.old.entries {
		s.first[s.old.entries[i].source+1]++
	}
	for i := 1; i < len(s.first); i++ {
		s.first[i] += s.first[i-1]
	}
	s.order = make([]int32, len(s.old.entries))
	next := slices.Clone(s.first)
	for i := range s.old.entries {
		src := s.old.entries[i].source
		s.order[next[src]] = int32(i)
		next[src]++
	}
	s.ix.entries = make([]entry, 0, len(s.old.entries)+16)
	s.ix.refs = make([]uint64, 0, len(s.old.refs)+64)
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

// takeOver copies a file and its messages from the look before.
func (s *scanner) takeOver(i int32) {
	at := s.add(s.old.sources[i])
	for _, k := range s.order[s.first[i]:s.first[i+1]] {
		s.copyEntry(&s.old.entries[k], at)
	}
}

func (s *scanner) copyEntry(e *entry, at int32) *entry {
	refs := s.old.refs[e.refs.from : e.refs.from+uint32(e.refs.n)]
	copied := *e
	copied.source, copied.refs.from = at, uint32(len(s.ix.refs))
	s.ix.refs = append(s.ix.refs, refs...)
	s.ix.entries = append(s.ix.entries, copied)
	return &s.ix.entries[len(s.ix.entries)-1]
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
	from, refs := len(s.ix.entries), len(s.ix.refs)
	at := s.add(src)
	in := folderOf(strings.TrimSuffix(src.name, ".mbox"))
	var print []byte
	err := newSplitter(f).split(func(p piece) error {
		k := readKnown(p.head)
		marked, _ := postmark(p.mark)
		print = fingerprint(append(print[:0], "mbox\x00"+src.name+"\x00"...), p)
		e := entry{id: sum(s.mac, string(print)), off: p.off, size: p.size, source: at,
			gmail: k.gmail, flags: k.mboxFlags(in),
			received: k.when(marked, k.date, time.Unix(0, src.mtime))}
		if p.quoted && !p.verbatim {
			e.flags |= isQuoted
		}
		return s.put(e, k)
	})
	if err == nil {
		s.number(s.ix.entries[from:])
		return nil
	}
	if s.ctx.Err() != nil || errors.Is(err, errFound) {
		return err
	}
	s.ix.entries, s.ix.refs = s.ix.entries[:from], s.ix.refs[:refs]
	s.ix.sources = s.ix.sources[:at]
	if src.name == "" {
		return unavailable(err)
	}
	s.unread(src.name, err)
	return nil
}

// number tells equal messages of one mbox apart, in the order of the file.
func (s *scanner) number(entries []entry) {
	order := make([]int32, len(entries))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int {
		if c := bytes.Compare(entries[a].id[:], entries[b].id[:]); c != 0 {
			return c
		}
		return int(a - b)
	})
	first, n := ident{}, 0
	for _, i := range order {
		e := &entries[i]
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
	e.size, e.gmail = info.Size(), k.gmail
	e.source = s.add(source{name: name, kind: fileMessage, size: info.Size(),
		mtime: info.ModTime().UnixNano()})
	e.received = k.when(named, k.date, info.ModTime())
	return s.put(e, k)
}

// put adds a message to the index.
func (s *scanner) put(e entry, k known) error {
	s.ix.refs, e.refs = s.a.hashes(s.ix.refs, k)
	s.ix.entries = append(s.ix.entries, e)
	if s.found != nil {
		return s.found()
	}
	return s.ctx.Err()
}
