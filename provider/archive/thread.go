package archive

import (
	"slices"
	"strconv"
)

// thread names the thread of every message after its oldest message, or after Gmail's own number.
func (s *scanner) thread() {
	ix := s.ix
	roots := ix.roots()
	named := make([]int32, len(roots))     // by root: 1 + the number of its thread
	for i := len(roots) - 1; i >= 0; i-- { // oldest first
		e, name := ix.entries.at(i), &named[roots[i]]
		gmail := ix.gmail(e)
		if gmail == 0 && *name != 0 {
			e.thread = *name - 1
			continue
		}
		thread := ident{}
		if gmail != 0 {
			thread = sum(s.mac, "gmail\x00"+strconv.FormatUint(gmail, 10))
		} else {
			thread = sum(s.mac, "thread\x00"+string(e.id[:]))
		}
		if *name != 0 && *ix.threads.at(int(*name - 1)) == thread {
			e.thread = *name - 1
			continue
		}
		e.thread = int32(ix.threads.n)
		ix.threads.add(thread)
		if *name == 0 {
			*name = e.thread + 1
		}
	}
}

// roots groups the messages into conversations as rfc822.Threads does, from the hashes of their ids:
// for each message it is the first one of its conversation. It takes 4 bytes for a message, 4 for an
// id and 8 for each time an id is named, where a map of ids takes ten times that.
func (ix *index) roots() []int32 {
	n := ix.entries.n
	ids := make([]uint64, 0, ix.refs.n)
	for i := range n {
		ids = ix.entries.at(i).appendIDs(ids, ix)
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	f := forest(count(0, n+len(ids))) // the messages, then the ids
	var buf []uint64
	for i := range n {
		buf = ix.entries.at(i).appendIDs(buf[:0], ix)
		for _, id := range buf {
			k, _ := slices.BinarySearch(ids, id)
			f.join(int32(i), int32(n+k))
		}
	}
	roots := make([]int32, n)
	for i := range roots {
		roots[i] = f.find(int32(i))
	}
	return roots
}

// forest is a union-find: the root of what was joined is its lowest number.
type forest []int32

func (f forest) find(n int32) int32 {
	for f[n] != n {
		f[n] = f[f[n]]
		n = f[n]
	}
	return n
}

func (f forest) join(a, b int32) {
	a, b = f.find(a), f.find(b)
	f[max(a, b)] = min(a, b)
}
