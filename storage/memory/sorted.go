package memory

import (
	"iter"
	"slices"
)

// sorted is an ordered set of stored values, in chunks, so that an insert moves one chunk at most
// and finding a place looks at few of them. The nil set is empty and may be read.
type sorted[T any] struct {
	compare func(a, b *T) int // total
	chunks  [][]*T            // none of them empty
}

const chunkSize = 512

// find returns where v is or would be inserted.
func (s *sorted[T]) find(v *T) (chunk, at int, found bool) {
	chunk, _ = slices.BinarySearchFunc(s.chunks, v, func(c []*T, v *T) int {
		return s.compare(c[len(c)-1], v)
	})
	if chunk == len(s.chunks) {
		return chunk, 0, false
	}
	at, found = slices.BinarySearchFunc(s.chunks[chunk], v, s.compare)
	return chunk, at, found
}

// put adds v, in place of one that compares equal.
func (s *sorted[T]) put(v *T) {
	chunk, at, found := s.find(v)
	switch {
	case found:
		s.chunks[chunk][at] = v
		return
	case len(s.chunks) == 0:
		s.chunks = append(s.chunks, []*T{v})
		return
	case chunk == len(s.chunks):
		chunk--
		at = len(s.chunks[chunk])
	}
	c := slices.Insert(s.chunks[chunk], at, v)
	if len(c) > chunkSize {
		half := len(c) / 2
		s.chunks = slices.Insert(s.chunks, chunk+1, slices.Clone(c[half:]))
		clear(c[half:])
		c = c[:half]
	}
	s.chunks[chunk] = c
}

// remove takes out what compares equal to v.
func (s *sorted[T]) remove(v *T) {
	chunk, at, found := s.find(v)
	if !found {
		return
	}
	s.chunks[chunk] = slices.Delete(s.chunks[chunk], at, at+1)
	if len(s.chunks[chunk]) == 0 {
		s.chunks = slices.Delete(s.chunks, chunk, chunk+1)
	}
}

func (s *sorted[T]) empty() bool { return s == nil || len(s.chunks) == 0 }

// len counts the values.
func (s *sorted[T]) len() int {
	n := 0
	for _, c := range s.chunks {
		n += len(c)
	}
	return n
}

// all yields every value in order.
func (s *sorted[T]) all() iter.Seq[*T] { return s.behind(nil) }

// behind yields the values behind place, or all of them for nil.
func (s *sorted[T]) behind(place *T) iter.Seq[*T] {
	return func(yield func(*T) bool) {
		if s == nil {
			return
		}
		chunk, at := 0, 0
		if place != nil {
			var found bool
			if chunk, at, found = s.find(place); found {
				at++
			}
		}
		for ; chunk < len(s.chunks); chunk, at = chunk+1, 0 {
			for _, v := range s.chunks[chunk][at:] {
				if !yield(v) {
					return
				}
			}
		}
	}
}
