package filter

import (
	"bytes"
	"strings"
)

// depths says for which numbers of labels a table of patterns has keys, so that a walk up the labels
// of a host looks only where something can be: in practice once or twice.
type depths struct {
	apex uint64 // keys that may name a host itself
	wild uint64 // keys that may name hosts below them
}

func (d *depths) add(p Pattern) {
	bit := depthBit(strings.Count(p.base.name, ".") + 1)
	if p.kind != below {
		d.apex |= bit
	}
	if p.kind != exact {
		d.wild |= bit
	}
}

// depthBit gives all hosts of more than 62 labels one bit.
func depthBit(labels int) uint64 { return 1 << min(labels, 63) }

// suffix is one step of the walk: the part of the key from an index on, its labels, and whether it is
// the whole host. A suffix without labels is the end.
type suffix struct {
	from, labels int
	apex         bool
}

// first returns the longest suffix of the host of a that the table may hold.
func (d *depths) first(a *address) suffix {
	s := suffix{a.at + 1, a.labels, true}
	if s.labels > 0 && d.apex&depthBit(s.labels) == 0 {
		return d.next(a, s)
	}
	return s
}

// next returns the next shorter one.
func (d *depths) next(a *address, s suffix) suffix {
	for s.labels > 1 && d.wild&(depthBit(s.labels)-1) != 0 {
		s = suffix{a.afterDot(s.from), s.labels - 1, false}
		if d.wild&depthBit(s.labels) != 0 {
			return s
		}
	}
	return suffix{}
}

// afterDot returns the index behind the next dot of the host.
func (a *address) afterDot(from int) int {
	if a.n > 0 {
		return from + bytes.IndexByte(a.buf[from:a.n], '.') + 1
	}
	return from + strings.IndexByte(a.text[from:], '.') + 1
}

// find looks up the part of the key from an index on.
func find[V any](m map[string]V, a *address, from int) (V, bool) {
	if a.n > 0 {
		v, ok := m[string(a.buf[from:a.n])]
		return v, ok
	}
	v, ok := m[a.text[from:]]
	return v, ok
}

// kindSet holds the kinds of patterns there are for one base.
type kindSet uint8

func (k kindSet) has(kind patternKind) bool { return k&(1<<kind) != 0 }

// patternTable is a set of patterns to match hosts with. The zero value is empty.
type patternTable struct {
	kinds  map[string]kindSet
	depths depths
	sieve  sieve
}

func (t *patternTable) add(p Pattern) {
	if t.kinds == nil {
		t.kinds = map[string]kindSet{}
	}
	t.kinds[p.base.name] |= 1 << p.kind
	t.depths.add(p)
}

// seal makes the table ready for names.
func (t *patternTable) seal() {
	t.sieve = newSieve(len(t.kinds))
	for name := range t.kinds {
		t.sieve.add(name)
	}
}

// names says whether a pattern names the host of the address.
func (t *patternTable) names(a *address) bool {
	for s := t.depths.first(a); s.labels > 0; s = t.depths.next(a, s) {
		if !t.sieve.mayHold(a, s.from) {
			continue
		}
		kinds, _ := find(t.kinds, a, s.from)
		if kinds.has(whole) || s.apex && kinds.has(exact) || !s.apex && kinds.has(below) {
			return true
		}
	}
	return false
}

// namesBelow says whether a pattern names every subdomain of the host.
func (t *patternTable) namesBelow(a *address) bool {
	kinds, _ := find(t.kinds, a, a.at+1)
	return kinds.has(whole) || kinds.has(below) || t.namesAbove(a)
}

// namesAbove says whether a wildcard over a parent of the host names it.
func (t *patternTable) namesAbove(a *address) bool {
	s := suffix{a.at + 1, a.labels, true}
	for s = t.depths.next(a, s); s.labels > 0; s = t.depths.next(a, s) {
		if kinds, _ := find(t.kinds, a, s.from); kinds.has(below) || kinds.has(whole) {
			return true
		}
	}
	return false
}
