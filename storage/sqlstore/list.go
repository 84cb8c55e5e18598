package sqlstore

import (
	"cmp"
	"context"
	"iter"
	"slices"
)

// pageSize is how many rows of a list are read at a time.
const pageSize = 200

// page is a part of a list. Done says that there is no further one.
type page[T any] struct {
	items []T
	done  bool
}

// list yields what the pages hold. Each call of start begins the list anew; the function it returns
// reads the next page of at most n rows. Nothing is open while the list yields.
func list[T any](
	ctx context.Context, limit int, start func() func(n int) (page[T], error),
) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		next, left := start(), limit
		for {
			n := pageSize
			if limit > 0 {
				n = min(n, left)
			}
			if err := ctx.Err(); err != nil {
				yield(none, err)
				return
			}
			p, err := next(n)
			if err != nil {
				yield(none, err)
				return
			}
			for _, v := range p.items {
				if err := ctx.Err(); err != nil {
					yield(none, err)
					return
				}
				if !yield(v, nil) {
					return
				}
				if left--; left == 0 {
					return
				}
			}
			if p.done {
				return
			}
		}
	}
}

// place is where a row stands in a list by time and id, and its key.
type place struct {
	key  int64
	time int64
	id   string
}

func comparePlaces(a, b place) int {
	return cmp.Or(cmp.Compare(a.time, b.time), cmp.Compare(a.id, b.id))
}

// places reads the places of rows that match, in any order, without repetition.
func (x *session) places(text string, args []any) (found []place, err error) {
	err = x.every(text, args, func(scan func(...any) error) error {
		var p place
		if err := scan(&p.key, &p.time, &p.id); err != nil {
			return err
		}
		found = append(found, p)
		return nil
	})
	return found, err
}

// listed pages through places that were found and put in order before: rows picked out by their
// values, of which there are few, whatever the size of the table. load reads rows by key; those that
// are not there any more are left out.
func listed[T any](
	find func() ([]place, error), load func(keys []int64) (map[int64]T, error),
) func() func(n int) (page[T], error) {
	return func() func(n int) (page[T], error) {
		var left []place
		found := false
		return func(n int) (page[T], error) {
			if !found {
				var err error
				if left, err = find(); err != nil {
					return page[T]{}, err
				}
				found = true
			}
			now := left[:min(n, len(left))]
			left = left[len(now):]
			if len(now) == 0 {
				return page[T]{done: true}, nil
			}
			keys := make([]int64, len(now))
			for i, p := range now {
				keys[i] = p.key
			}
			rows, err := load(keys)
			if err != nil {
				return page[T]{}, err
			}
			p := page[T]{items: make([]T, 0, len(now)), done: len(left) == 0}
			for _, key := range keys {
				if v, ok := rows[key]; ok {
					p.items = append(p.items, v)
				}
			}
			return p, nil
		}
	}
}

// inOrder sorts places and takes out repetitions.
func inOrder(found []place, descending bool) []place {
	slices.SortFunc(found, comparePlaces)
	found = slices.CompactFunc(found, func(a, b place) bool { return a.key == b.key })
	if descending {
		slices.Reverse(found)
	}
	return found
}
