package filter

import "math/bits"

// sieve answers most questions for a name that a table does not hold, which are most of all, without
// a look-up: one bit for each of 1/16 of the values of a hash. It stays small enough for the caches
// where the table does not. The zero value lets nothing through.
type sieve struct {
	bits  []uint64
	shift int
}

// newSieve returns a sieve for n names.
func newSieve(n int) sieve {
	size := max(bits.Len(uint(16*n)), 6)
	return sieve{make([]uint64, 1<<(size-6)), 64 - size}
}

func (s *sieve) add(name string) {
	i := sieveHash(name) >> s.shift
	s.bits[i/64] |= 1 << (i % 64)
}

// mayHold says whether the part of the key from an index on may have been added.
func (s *sieve) mayHold(a *address, from int) bool {
	if s.bits == nil {
		return false
	}
	var h uint64
	if a.n > 0 {
		h = sieveHash(a.buf[from:a.n])
	} else {
		h = sieveHash(a.text[from:])
	}
	i := h >> s.shift
	return s.bits[i/64]&(1<<(i%64)) != 0
}

// sieveHash mixes the length, the first and the last eight bytes of a name. Names that agree in these
// cost a look-up, no more.
func sieveHash[T string | []byte](s T) uint64 {
	h := uint64(len(s))
	if len(s) < 8 {
		for i := range len(s) {
			h = h<<8 | h>>56 ^ uint64(s[i])
		}
	} else {
		h = (h ^ eight(s[:8])) * 0x9e3779b97f4a7c15
		h ^= h>>32 ^ eight(s[len(s)-8:])
	}
	return h * 0xd6e8feb86659fd93
}

func eight[T string | []byte](s T) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}
