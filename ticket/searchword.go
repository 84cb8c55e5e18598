package ticket

import (
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// maxWord is how many bytes of a word count. What is longer is hardly a word, and databases have
// limits of their own.
const maxWord = 60

// eachWord yields the words of a text as every store knows them, with the bytes of the text they were
// made of, until yield says false:
//
//   - A word is a run of letters, digits and the signs that go with them. All else parts words, so
//     that an address or "left-handed" is several of them in a row.
//   - Case and accents do not count: "Straße" is strasse, "Łódź" is lodz, "Ａ" is a. Signs that are
//     vowels, as those of India have, stay.
//   - Scripts that put no space between words (Chinese, Japanese, Korean, Thai, Lao, Khmer, Burmese)
//     are taken two letters at a time, each letter beginning one: 東京都 is 東京, 京都 and 都. Any part
//     of such a run is found by its pairs.
func eachWord(text string, yield func(word string, start, end int) bool) {
	for at := 0; at < len(text); {
		start, ascii := at, true
		for at < len(text) {
			r, n := rune(text[at]), 1
			if r >= utf8.RuneSelf {
				r, n = utf8.DecodeRuneInString(text[at:])
				ascii = ascii && !inWord(r)
			}
			if !inWord(r) || at == start && !startsWord(r) {
				break
			}
			at += n
		}
		if at == start {
			_, n := utf8.DecodeRuneInString(text[at:])
			at += n
			continue
		}
		run := text[start:at]
		if ascii {
			if !yield(cutWord(strings.ToLower(run)), start, at) {
				return
			}
			continue
		}
		if !eachInRun(run, start, yield) {
			return
		}
	}
}

func startsWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }

func inWord(r rune) bool {
	if r < utf8.RuneSelf {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
	}
	return startsWord(r) || unicode.IsMark(r) || joins(r)
}

// joins tells the signs that say how letters are drawn and stand for nothing: the soft hyphen, and
// what joins letters of Persian or of India, or keeps them apart.
func joins(r rune) bool { return r == '\u00ad' || r == '\u200c' || r == '\u200d' }

// eachInRun yields the words of a run that is not ASCII alone.
func eachInRun(run string, at int, yield func(word string, start, end int) bool) bool {
	plain, places := compose(run)
	part := func(from, to int) (int, int) {
		from, to = places.of(from, to)
		return at + from, at + to
	}
	for i := 0; i < len(plain); {
		r, n := utf8.DecodeRuneInString(plain[i:])
		switch {
		case !startsWord(r):
			i += n
		case unspaced(r):
			end := i
			for end < len(plain) {
				r, n := utf8.DecodeRuneInString(plain[end:])
				if !unspaced(r) && !unicode.IsMark(r) && !joins(r) {
					break
				}
				end += n
			}
			if !eachPair(plain[i:end], i, part, yield) {
				return false
			}
			i = end
		default:
			end := i
			var word strings.Builder
			for end < len(plain) {
				r, n := utf8.DecodeRuneInString(plain[end:])
				if unspaced(r) || !inWord(r) {
					break
				}
				fold(&word, r)
				end += n
			}
			start, stop := part(i, end)
			if word.Len() > 0 && !yield(cutWord(word.String()), start, stop) {
				return false
			}
			i = end
		}
	}
	return true
}

// places are where the parts of a composed text begin in it and in what it was composed of, and where
// both end. None are for a text that was composed already.
type places []struct{ composed, text int }

// compose writes a run in its composed form.
func compose(run string) (string, places) {
	if norm.NFKC.IsNormalString(run) {
		return run, nil
	}
	var composed []byte
	var at places
	var parts norm.Iter
	for parts.InitString(norm.NFKC, run); !parts.Done(); {
		if n := parts.Pos(); len(at) == 0 || n > at[len(at)-1].text { // else it goes on with one character
			at = append(at, struct{ composed, text int }{len(composed), n})
		}
		composed = append(composed, parts.Next()...)
	}
	return string(composed), append(at, struct{ composed, text int }{len(composed), len(run)})
}

// of returns the part of the text that a part of the composed text was made of.
func (p places) of(from, to int) (start, end int) {
	if p == nil {
		return from, to
	}
	first := sort.Search(len(p), func(i int) bool { return p[i].composed > from }) - 1
	last := sort.Search(len(p), func(i int) bool { return p[i].composed >= to })
	return p[first].text, p[last].text
}

// eachPair yields the pairs of letters of a run without spaces, and the last letter alone.
func eachPair(run string, at int, part func(from, to int) (int, int),
	yield func(word string, start, end int) bool) bool {
	type letter struct {
		text string
		at   int
	}
	var letters []letter
	for i, r := range run {
		if !diacritic(r) && !joins(r) {
			letters = append(letters, letter{string(unicode.ToLower(r)), at + i})
		}
	}
	for i, l := range letters {
		word, stop := l.text, at+len(run)
		if i+1 < len(letters) {
			word += letters[i+1].text
		}
		if i+2 < len(letters) {
			stop = letters[i+2].at
		}
		from, to := part(l.at, stop)
		if !yield(word, from, to) {
			return false
		}
	}
	return true
}

// unspaced tells letters of the scripts that are written without spaces, or, as Korean, with endings
// that a reader would not search for.
func unspaced(r rune) bool {
	return r >= 0x0e00 && (r == 'ー' || unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana,
		unicode.Hangul, unicode.Bopomofo, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar)) &&
		!unicode.IsDigit(r)
}

// diacritic tells the signs that do not count: accents, the points of Hebrew and Arabic, what stands
// around a letter.
func diacritic(r rune) bool {
	return r >= 0x300 && unicode.In(r, unicode.Mn, unicode.Me) &&
		unicode.In(r, unicode.Inherited, unicode.Hebrew, unicode.Arabic, unicode.Cyrillic, unicode.Latin) ||
		r == 'ـ'
}

// alike are letters that have no accent to lose and that people write with others all the same.
var alike = map[rune]string{
	'ß': "ss", 'æ': "ae", 'œ': "oe", 'ø': "o", 'ł': "l", 'đ': "d", 'ð': "d", 'þ': "th", 'ħ': "h",
	'ŧ': "t", 'ı': "i", 'ĸ': "k", 'ŋ': "n", 'ς': "σ",
}

// fold writes a letter without case and accent.
func fold(word *strings.Builder, r rune) {
	if r < utf8.RuneSelf {
		word.WriteRune(unicode.ToLower(r))
		return
	}
	bare := string(r)
	if apart := norm.NFD.PropertiesString(bare).Decomposition(); apart != nil {
		bare = string(apart)
	}
	for _, r := range bare {
		r = unicode.ToLower(r)
		switch other, ok := alike[r]; {
		case ok:
			word.WriteString(other)
		case !diacritic(r) && !joins(r):
			word.WriteRune(r)
		}
	}
}

// cutWord keeps the first maxWord bytes, whole letters.
func cutWord(word string) string {
	if len(word) <= maxWord {
		return word
	}
	end := maxWord
	for !utf8.RuneStart(word[end]) {
		end--
	}
	return word[:end]
}

// wordsOf returns the words of a text, at most n.
func wordsOf(text string, n int) (words []string) {
	eachWord(text, func(word string, _, _ int) bool {
		words = append(words, word)
		return len(words) < n
	})
	return words
}
