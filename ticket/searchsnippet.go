package ticket

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// Snippet is a part of a field with the words that were found. Text is what the sender wrote: escape
// it before it is shown, each part between the ends of Marks by itself. Neither its ends nor those of
// marks part what a reader sees as one character.
type Snippet struct {
	Field Fields // the one field it is of
	Text  string // at most some 200 bytes
	Marks []Mark // in order, none overlapping
}

// Mark is Text[Start:End] of a Snippet.
type Mark struct{ Start, End int }

const (
	snippetBefore = 60  // bytes in front of the first mark
	snippetLength = 180 // bytes of a snippet, at most
	nearWord      = 30  // how far an end of a snippet is moved to that of a word
)

// snippets shows where the terms are, one snippet for each field.
func snippets(parts *fieldTexts, terms []Term, readable Fields) (out []Snippet) {
	for i, text := range parts {
		field := Fields(1) << i
		if readable&field == 0 || text == "" {
			continue
		}
		marks := marksOf(text, field, terms)
		if len(marks) > 0 {
			out = append(out, cut(text, field, marks))
		}
	}
	return out
}

type placed struct {
	word       string
	start, end int
}

// marksOf finds the terms in the text of one field.
func marksOf(text string, field Fields, terms []Term) (marks []Mark) {
	var words []placed
	eachWord(text, func(word string, start, end int) bool {
		words = append(words, placed{word, start, end})
		return len(words) < MaxWords
	})
	for i := range terms {
		t := &terms[i]
		if t.Not || t.In.or(AllFields)&field == 0 {
			continue
		}
		for at := range words {
			if end, ok := t.at(text, words[at:]); ok {
				marks = append(marks, wholeCharacters(text, Mark{words[at].start, end}))
			}
		}
	}
	slices.SortFunc(marks, func(a, b Mark) int { return a.Start - b.Start })
	kept := marks[:0]
	for _, m := range marks {
		if n := len(kept); n > 0 && m.Start < kept[n-1].End {
			kept[n-1].End = max(kept[n-1].End, m.End)
			continue
		}
		kept = append(kept, m)
	}
	return kept
}

// at says whether the term stands at the beginning of the words, and where it ends in the text.
func (t *Term) at(text string, words []placed) (end int, ok bool) {
	if len(words) < len(t.Words) {
		return 0, false
	}
	last := len(t.Words) - 1
	for i, w := range t.Words {
		if words[i].word != w && !(i == last && t.Prefix && strings.HasPrefix(words[i].word, w)) {
			return 0, false
		}
	}
	w := words[last]
	if first, n := utf8.DecodeRuneInString(t.Words[last]); n == len(t.Words[last]) && unspaced(first) &&
		strings.HasPrefix(text[w.start:], t.Words[last]) {
		return w.start + n, true // one letter of the pair
	}
	return w.end, true
}

// cut takes the part around the first mark, at the ends of words where there are any near.
func cut(text string, field Fields, marks []Mark) Snippet {
	first := marks[0]
	from := max(0, first.Start-snippetBefore)
	for from < first.Start && !begins(text, from) {
		from++
	}
	if from > 0 {
		if space := strings.IndexAny(text[from:min(first.Start, from+nearWord)], " \n\t"); space >= 0 {
			from = cutBefore(text, from, from+space+1)
		}
	}
	to := min(len(text), from+snippetLength)
	if to < len(text) {
		to = cutBefore(text, first.Start, to)
		first.End = min(first.End, to)
		near := max(first.End, to-nearWord)
		if space := strings.LastIndexAny(text[near:to], " \n\t"); space >= 0 {
			to = cutBefore(text, first.End, near+space)
		}
	}
	s := Snippet{Field: field, Text: text[from:to], Marks: []Mark{{first.Start - from, first.End - from}}}
	for _, m := range marks[1:] {
		if m.End <= to {
			s.Marks = append(s.Marks, Mark{m.Start - from, m.End - from})
		}
	}
	return s
}

// cutBefore is the last place of the text up to at where a character begins, behind from where there
// is one; of a character without end it is inside.
func cutBefore(text string, from, at int) int {
	for i := at; i > from; i-- {
		if begins(text, i) {
			return i
		}
	}
	for at < len(text) && !utf8.RuneStart(text[at]) {
		at++
	}
	return at
}
