package storagetest

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/workinbox/workinbox/storage"
)

// unheld are texts that some databases cannot hold: with a zero byte, or not UTF-8. What is stored under "a"
// must not be found by one.
var unheld = []string{
	"\x00", "a\x00", "\x00a", "a\x00b", "\xff", "a\xff", "\xffa", "a\xc3", "a\xc0\x80", "a\xed\xa0\x80",
}

// near are texts that some databases take for "a", or for a pattern it is one of.
var near = []string{
	"A", "a ", " a", "a\t", "a\n", "a.", "á", "a\u0301", "ａ", "a\u200b", "%", "_", "*", "a%", "a*", `\a`, "'a'", "a' OR 'a' = 'a",
	"a\x1f", "a\x01", "a" + strings.Repeat(" ", 1<<16),
}

// finding is one way to look things up by a text: how many there are.
type finding struct {
	what string
	find func(text string) (int, error)
	// ofA is how many the text "a" finds, ofOthers any other. No store is asked for nearby texts where the
	// contract itself folds them.
	ofA, ofOthers int
	folds         bool
}

// by finds one thing by "a" and none by other texts.
func by(what string, find func(text string) (int, error)) finding {
	return finding{what: what, find: find, ofA: 1}
}

// beside finds one thing, whatever the text, because "a" is asked for too.
func beside(what string, find func(text string) (int, error)) finding {
	return finding{what: what, find: find, ofA: 1, ofOthers: 1}
}

// but finds one thing unless the text is "a".
func but(what string, find func(text string) (int, error)) finding {
	return finding{what: what, find: find, ofOthers: 1}
}

func checkFindings(t T, all []finding) {
	t.Helper()
	for _, f := range all {
		look := func(text string, want int) {
			t.Helper()
			if n, err := f.find(text); err != nil || n != want {
				t.Errorf("%s %.40q: got %d (%v), want %d and no other error than that it is not there", f.what, text, n, err, want)
			}
		}
		look("a", f.ofA)
		for _, text := range unheld {
			look(text, f.ofOthers)
		}
		if f.folds {
			continue
		}
		for _, text := range near {
			look(text, f.ofOthers)
		}
	}
}

// one counts what a lookup by id found.
func one[V any](_ V, err error) (int, error) {
	if errors.Is(err, storage.ErrNotFound) {
		return 0, nil
	}
	return 1, err
}

// size counts what a map holds.
func size[K comparable, V any](m map[K]V, err error) (int, error) { return len(m), err }

// length counts what a list yields.
func length[V any](all iter.Seq2[V, error]) (n int, err error) {
	for _, err := range all {
		if err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// when is 1 where something holds.
func when(holds bool, err error) (int, error) {
	if holds {
		return 1, err
	}
	return 0, err
}

// writing is one way to store a text, and to find it again.
type writing struct {
	what  string
	write func(text string) error
	kept  func(text string) (int, error)
}

// checkWritings demands that a text is kept as it is, or refused with nothing of the write stored. look
// returns everything the store tells.
func checkWritings(t T, all []writing, look func() any) {
	t.Helper()
	for _, w := range all {
		for _, text := range []string{"a\x00", "a\xff", "a\xed\xa0\x80"} {
			before, what := look(), fmt.Sprintf("%s %q", w.what, text)
			err := w.write(text)
			if err != nil {
				if decides(err) {
					t.Errorf("%s: got the error %v, want one of its own", what, err)
				}
				equal(t, "what is stored after a refusal of "+what, look(), before)
				continue
			}
			if n, err := w.kept(text); n != 1 || err != nil {
				t.Errorf("%s, kept: got %d of it by the same text (%v), want 1", what, n, err)
			}
		}
	}
}

// decides says whether an error is one of those a service takes a decision on.
func decides(err error) bool {
	return slices.ContainsFunc([]error{
		storage.ErrNotFound, storage.ErrExists, storage.ErrConflict, storage.ErrAmbiguous, storage.ErrDamaged,
	}, func(known error) bool { return errors.Is(err, known) })
}

// places are where a list may be asked to go on: texts that are no id.
func places() []string { return slices.Concat([]string{""}, unheld, near) }

// placed are ids around the places, in byte order.
var placed = slices.Sorted(slices.Values([]string{
	"\x02", "A", "a", "ab", "a\x7f", "a\u0080", "aÿ", "a\ud7ff", "a\ue000", "b", "á", "\U0010fffd",
}))

// behindPlace returns those of placed that come behind a place.
func behindPlace(place string) []string {
	return slices.DeleteFunc(slices.Clone(placed), func(id string) bool { return id <= place })
}
