package sqlstore

import (
	"slices"
	"strings"
)

// maxList is how many values one IN list may have.
const maxList = 512

// inList returns "(?,?,…)" and the values with the last one repeated up to a power of two, so that
// few texts need preparing. There is at least one value and at most maxList.
func inList[T ~string](values []T) (string, []any) {
	n := padded(len(values))
	args := make([]any, n)
	for i := range args {
		args[i] = string(values[min(i, len(values)-1)])
	}
	return marks(n), args
}

// inKeys is inList for keys.
func inKeys(keys []int64) (string, []any) {
	n := padded(len(keys))
	args := make([]any, n)
	for i := range args {
		args[i] = keys[min(i, len(keys)-1)]
	}
	return marks(n), args
}

func padded(n int) int {
	p := 1
	for p < n {
		p *= 2
	}
	return p
}

func marks(n int) string { return "(?" + strings.Repeat(",?", n-1) + ")" }

// distinct returns the values without repetition, sorted.
func distinct[T ~string](values []T) []T {
	out := slices.Clone(values)
	slices.Sort(out)
	return slices.Compact(out)
}

// inChunks calls each with the marks and values of IN lists that cover all values.
func inChunks[T ~string](values []T, each func(marks string, values []any) error) error {
	for chunk := range slices.Chunk(values, maxList) {
		marks, args := inList(chunk)
		if err := each(marks, args); err != nil {
			return err
		}
	}
	return nil
}

// keysInChunks is inChunks for keys.
func keysInChunks(keys []int64, each func(marks string, keys []any) error) error {
	for chunk := range slices.Chunk(keys, maxList) {
		marks, args := inKeys(chunk)
		if err := each(marks, args); err != nil {
			return err
		}
	}
	return nil
}
