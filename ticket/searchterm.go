package ticket

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"
)

// What can be wrong with the text of a search.
var (
	// ErrNoWords says that a search has no word that is to be found.
	ErrNoWords = errors.New("a search needs a word to be found")
	// ErrLongSearch says that a search has more than 1,000 bytes or 16 terms.
	ErrLongSearch = errors.New("the search is too long")
)

const (
	maxSearch = 1000
	maxTerms  = 16
)

// Term is one thing a search asks for: words that stand in a row in one field.
type Term struct {
	Words []string // in the form of Text.Words; never empty
	// Prefix says that the last word may go on.
	Prefix bool
	// Not says that an entry with it is left out.
	Not bool
	// In are the fields it may stand in; zero is all the search looks at.
	In Fields
}

// ParseTerms reads what a person typed into a search box:
//
//	offer price        both words, in any order and any field
//	"annual report"    words in a row
//	invo*              words that begin so: invoice, invoices; of two letters or more
//	-draft             not with this word; -"in draft" too
//	subject:offer      in the subject; people:ann in names and addresses; file:pdf in names of files
//
// Quotes may be those of any language. Case and accents do not count, nor how letters are composed:
// "STRASSE" is "Straße", "елка" is "ёлка", wide and half-wide letters are plain ones. Where a script puts
// no space between words (Chinese, Japanese, Korean, Thai, Lao, Khmer, Burmese) any part of a run is a
// word. A word with punctuation inside is a phrase: ann@acme.com finds the address, 2026-0042 the number.
// Signs and emoji are no words. Nothing typed is a mistake: a quote that is left open ends with the text,
// what is no word is left out, and a name before a colon that is none of these is a word of the phrase.
//
// Errors are ErrLongSearch, and ErrNoWords where no word is to be found.
func ParseTerms(text string) ([]Term, error) {
	if len(text) > maxSearch {
		return nil, ErrLongSearch
	}
	var terms []Term
	found := false
	for p := (termParser{rest: text}); ; {
		t, more := p.next()
		if !more {
			break
		}
		if len(t.Words) == 0 {
			continue
		}
		if terms = append(terms, t); len(terms) > maxTerms {
			return nil, ErrLongSearch
		}
		found = found || !t.Not
	}
	if !found {
		return nil, ErrNoWords
	}
	return terms, nil
}

type termParser struct{ rest string }

// termFields are the names of fields that may stand before a term.
var termFields = []struct {
	name   string
	fields Fields
}{{"subject:", InSubject}, {"people:", InPeople}, {"file:", InFiles}}

func isQuote(r rune) bool { return strings.ContainsRune("\"“”„‟«»＂「」『』", r) }

// next reads one term, which may come out without words.
func (p *termParser) next() (t Term, more bool) {
	p.rest = strings.TrimLeftFunc(p.rest, unicode.IsSpace)
	if p.rest == "" {
		return Term{}, false
	}
	if p.rest[0] == '-' {
		t.Not, p.rest = true, p.rest[1:]
	}
	for _, f := range termFields {
		if len(p.rest) > len(f.name) && strings.EqualFold(p.rest[:len(f.name)], f.name) {
			t.In, p.rest = f.fields, p.rest[len(f.name):]
			break
		}
	}
	said, ok := p.quoted()
	if !ok {
		end := strings.IndexFunc(p.rest, func(r rune) bool { return unicode.IsSpace(r) || isQuote(r) })
		if end < 0 {
			end = len(p.rest)
		}
		said, p.rest = p.rest[:end], p.rest[end:]
	}
	if strings.HasPrefix(p.rest, "*") {
		said, p.rest = strings.TrimRightFunc(said, unicode.IsSpace)+"*", p.rest[1:]
	}
	t.Words, t.Prefix = termWords(said)
	return t, true
}

// quoted takes what stands between quotes, if that is what comes.
func (p *termParser) quoted() (said string, ok bool) {
	r, n := utf8.DecodeRuneInString(p.rest)
	if !isQuote(r) {
		return "", false
	}
	said = p.rest[n:]
	end := strings.IndexFunc(said, isQuote)
	if end < 0 {
		p.rest = ""
		return said, true
	}
	_, n = utf8.DecodeRuneInString(said[end:])
	said, p.rest = said[:end], said[end+n:]
	return said, true
}

// termWords are the words of a term. A run of a script without spaces is found by its pairs: its last
// letter, which a text has alone only at the end of a run, goes without saying where the term ends
// with it.
func termWords(said string) (words []string, prefix bool) {
	trimmed := strings.TrimRightFunc(said, unicode.IsSpace)
	prefix = strings.HasSuffix(trimmed, "*")
	lastEnd := 0
	eachWord(trimmed, func(word string, _, end int) bool {
		words = append(words, word)
		lastEnd = end
		return true
	})
	if len(words) == 0 {
		return nil, false
	}
	last := words[len(words)-1]
	first, size := utf8.DecodeRuneInString(last)
	single := unspaced(first) && size == len(last)
	switch {
	case single && len(words) > 1 && pairEndsIn(words[len(words)-2], last):
		return words[:len(words)-1], false
	case single:
		return words, true
	case unspaced(first):
		return words, false
	}
	return words, prefix && utf8.RuneCountInString(last) > 1 && lastEnd == len(strings.TrimRight(trimmed, "*"))
}

func pairEndsIn(pair, letter string) bool {
	first, size := utf8.DecodeRuneInString(pair)
	return unspaced(first) && pair[size:] == letter
}
