package gmail

import "strconv"

// idSet is a set of message or thread ids. Gmail's are 64-bit numbers in hexadecimal, which take an
// eighth of the memory of text; what does not look so is kept as it is. The zero set is empty. It is
// not safe for concurrent use.
type idSet struct {
	numbers map[uint64]struct{}
	texts   map[string]struct{}
}

func (s *idSet) add(id string) {
	if n, ok := idNumber(id); ok {
		if s.numbers == nil {
			s.numbers = make(map[uint64]struct{})
		}
		s.numbers[n] = struct{}{}
		return
	}
	if s.texts == nil {
		s.texts = make(map[string]struct{})
	}
	s.texts[id] = struct{}{}
}

func (s *idSet) has(id string) bool {
	if n, ok := idNumber(id); ok {
		_, ok := s.numbers[n]
		return ok
	}
	_, ok := s.texts[id]
	return ok
}

func (s *idSet) len() int { return len(s.numbers) + len(s.texts) }

// idNumber reads an id that is exactly what the number is written as.
func idNumber(id string) (uint64, bool) {
	if len(id) == 0 || len(id) > 16 || id[0] == '0' {
		return 0, false
	}
	for _, c := range []byte(id) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return 0, false
		}
	}
	n, err := strconv.ParseUint(id, 16, 64)
	return n, err == nil
}
