package sqlstore

import (
	"slices"
	"strings"
)

// conditions gathers what stands behind WHERE.
type conditions struct {
	terms []string
	args  []any
}

func (c *conditions) add(term string, args ...any) {
	c.terms = append(c.terms, term)
	c.args = append(c.args, args...)
}

// addIn adds a condition that the column is one of the values; there are some, and at most maxList.
func addIn[T ~string](c *conditions, column string, values []T) {
	marks, args := inList(distinct(values))
	c.add(column+" IN "+marks, args...)
}

func (c *conditions) text() string {
	if len(c.terms) == 0 {
		return "1 = 1"
	}
	return c.join(" AND ")
}

func (c *conditions) join(by string) string { return strings.Join(c.terms, by) }

// eachIn calls pick with the conditions and one more, that the column is one of the values; more
// than once when there are many.
func (c *conditions) eachIn(column string, values []string, pick func(*conditions) error) error {
	return inChunks(distinct(values), func(marks string, args []any) error {
		return pick(c.with(column+" IN "+marks, args...))
	})
}

// with returns the conditions and one more.
func (c *conditions) with(term string, args ...any) *conditions {
	more := &conditions{terms: slices.Clone(c.terms), args: slices.Clone(c.args)}
	more.add(term, args...)
	return more
}

// and is eachIn where there are values to pick by, and pick alone where there are none.
func (c *conditions) and(column string, values []string, pick func(*conditions) error) error {
	if len(values) == 0 {
		return pick(c)
	}
	return c.eachIn(column, values, pick)
}

func plainTexts[T ~string](values []T) []string {
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = string(v)
	}
	return texts
}
