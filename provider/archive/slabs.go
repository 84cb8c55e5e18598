package archive

// slabSize is how many values a slab holds: 64 KiB of entries.
const slabSize = 1 << 10

// slabs is a list that grows without moving what it holds: a slice of as many values would leave
// several times their size behind for the garbage collector.
type slabs[T any] struct {
	parts [][]T
	n     int
}

func (l *slabs[T]) at(i int) *T { return &l.parts[i/slabSize][i%slabSize] }

// add appends a value. The first slab grows, so that a short list is small.
func (l *slabs[T]) add(v T) {
	last := l.n / slabSize
	switch {
	case last == len(l.parts) && last == 0:
		l.parts = append(l.parts, nil)
	case last == len(l.parts):
		l.parts = append(l.parts, make([]T, 0, slabSize))
	}
	l.parts[last] = append(l.parts[last], v)
	l.n++
}

// cut leaves the first n values.
func (l *slabs[T]) cut(n int) {
	l.n = n
	for i := range l.parts {
		l.parts[i] = l.parts[i][:min(len(l.parts[i]), max(0, n-i*slabSize))]
	}
	l.parts = l.parts[:(n+slabSize-1)/slabSize]
}

// arrange puts the values into an order, in place: at i comes what was at order[i]. Then order is that
// of the list as it is now: 0, 1, 2.
func (l *slabs[T]) arrange(order []int32) {
	for i := range order {
		first, to := *l.at(i), i
		for from := int(order[to]); from != i; from = int(order[to]) {
			*l.at(to) = *l.at(from)
			order[to] = int32(to)
			to = from
		}
		*l.at(to) = first
		order[to] = int32(to)
	}
}

// count returns the numbers from low up to high.
func count(low, high int) []int32 {
	numbers := make([]int32, high-low)
	for i := range numbers {
		numbers[i] = int32(low + i)
	}
	return numbers
}
